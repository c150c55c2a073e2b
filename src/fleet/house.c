/* SPDX-License-Identifier: MIT */
#include "fleet/house.h"

#include "base/clock.h"
#include "base/mem.h"
#include "fleet/away.h"
#include "wire/frame.h"
#include "worker/spawn.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

enum { READ_BYTES = 64 * 1024, READS_AT_ONCE = 16, END_WAIT_MS = 5000 };
#define HELLO_PATIENCE_NS (10 * NS_PER_S)
#define SILENCE_NS        (10 * NS_PER_S) /* of a child, whose heart beats each second */
#define LOOK_NS           NS_PER_S

struct child {
    struct house *house;
    uint32_t index;
    struct spawned process;
    struct io io;
    struct defer again; /* more to read than one turn should */
    struct wire_reader reader;
    struct buf out; /* what the socket has not taken yet */
    struct wire_hello hello;
    char worker_id[WIRE_ID_SIZE];
    uint64_t heard_ns;
    bool known, gone;
};

struct house {
    struct house_config config;
    struct child *children;
    uint32_t known;
    bool failed;
    struct crew *crew;     /* NULL: not yet */
    struct timer patience; /* before all have said hello */
    struct timer look;     /* for those that are silent, from then on */
    uint64_t looked_ns;
    char in[READ_BYTES];
};

/* ---- lost ------------------------------------------------------------------------------------ */

static void fail(struct house *h, const char *why)
{
    if (!h->failed && h->crew == NULL) {
        h->failed = true;
        loop_timer_cancel(h->config.loop, &h->patience);
        h->config.on_failed(h->config.owner, why);
    }
}

static void lose(struct child *c, const char *why)
{
    struct house *h = c->house;
    char text[300];

    if (c->gone) {
        return;
    }
    c->gone = true;
    loop_defer_cancel(&c->again);
    loop_remove(h->config.loop, &c->io);
    spawn_signal(&c->process, SIGKILL); /* nobody would hear what its load did from now on */
    snprintf(text, sizeof text, "worker process %d: %s", (int)c->process.pid, why);
    if (h->crew != NULL) {
        crew_lose(h->crew, c->index);
    } else {
        fail(h, text);
    }
}

/* One that hangs keeps its line. */
static void on_look(struct timer *t)
{
    struct house *h = list_entry(t, struct house, look);
    uint64_t now = loop_clock(h->config.loop);
    uint64_t away = away_since(&h->looked_ns, now, LOOK_NS);

    for (uint32_t i = 0; i < h->config.count; i++) {
        struct child *c = &h->children[i];

        c->heard_ns = away_forgive(c->heard_ns, away, now);
        if (now - c->heard_ns > SILENCE_NS) {
            lose(c, "nothing was heard of it for 10 s");
        }
    }
    loop_timer_arm(h->config.loop, t, now + LOOK_NS);
}

static void on_impatient(struct timer *t)
{
    fail(list_entry(t, struct house, patience), "a worker process did not say hello within 10 s");
}

/* ---- out ------------------------------------------------------------------------------------- */

static void flush(struct child *c)
{
    while (!c->gone && c->out.len > 0) {
        ssize_t n = send(c->io.fd, c->out.p, c->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            if (errno != EAGAIN) {
                lose(c, "it has ended");
            }
            return;
        }
        buf_consume(&c->out, (size_t)n);
    }
}

static void say(struct child *c, enum wire_kind kind, struct str payload)
{
    if (c->gone) {
        return;
    }
    if (wire_frame_add(&c->out, kind, payload) != 0) {
        lose(c, "it does not read what it is told");
        return;
    }
    flush(c);
}

void house_send(void *owner, uint32_t member, struct str order, bool urgent)
{
    struct house *h = owner;

    (void)urgent;
    say(&h->children[member], WIRE_ORDER, order);
}

/* ---- in -------------------------------------------------------------------------------------- */

static int take_hello(struct child *c, const struct wire_frame *f, struct err *err)
{
    struct house *h = c->house;
    struct wire_welcome welcome = {.now_ns = loop_clock(h->config.loop)};
    struct buf json;

    if (f->kind != WIRE_HELLO) {
        return err_set(err, ERR_SYNTAX, "it did not say hello first");
    }
    int rc = wire_hello_decode(f->payload, &c->hello, NULL, err);
    rc = rc == 0 ? wire_check_major(c->hello.major, err) : rc;
    if (rc != 0) {
        return rc;
    }
    c->known = true;
    c->reader.max = WIRE_FRAME_MAX;
    snprintf(welcome.worker_id, sizeof welcome.worker_id, "%s", c->worker_id);
    snprintf(welcome.worker_token, sizeof welcome.worker_token, "%s", c->worker_id);
    buf_init(&json, WIRE_FRAME_FIRST_MAX);
    rc = wire_welcome_encode(&welcome, &json);
    if (rc == 0) {
        say(c, WIRE_WELCOME, buf_str(&json));
    }
    buf_clear(&json);
    if (++h->known == h->config.count && !h->failed) {
        loop_timer_cancel(h->config.loop, &h->patience);
        h->looked_ns = loop_now(h->config.loop);
        loop_timer_arm(h->config.loop, &h->look, h->looked_ns + LOOK_NS);
        h->config.on_ready(h->config.owner);
    }
    return 0;
}

static int take_report(struct child *c, struct str payload, struct err *err)
{
    struct wire_report report;
    struct crew *crew = c->house->crew;
    struct buf ack;

    if (crew == NULL) {
        return err_set(err, ERR_SYNTAX, "a report before there was a run");
    }
    int rc = wire_report_decode(payload, &report, err);
    rc = rc == 0 ? crew_report(crew, c->index, &report, err) : rc;
    if (rc != 0) {
        return rc;
    }
    buf_init(&ack, WIRE_FRAME_FIRST_MAX);
    if (wire_ack_encode(&ack, report.run_id, crew_applied(crew, c->index)) == 0) {
        say(c, WIRE_ACK, buf_str(&ack));
    }
    buf_clear(&ack);
    return 0;
}

static int take_frame(struct child *c, const struct wire_frame *f, struct err *err)
{
    if (!c->known) {
        return take_hello(c, f, err);
    }
    if (f->kind == WIRE_REPORT) {
        return take_report(c, f->payload, err);
    }
    return f->kind == WIRE_HEARTBEAT ? 0 : err_set(err, ERR_SYNTAX, "an unexpected message");
}

static void take_bytes(struct child *c, size_t len)
{
    const char *p = c->house->in, *past = p + len;
    struct err err = {0};
    int rc;

    c->heard_ns = loop_clock(c->house->config.loop);
    do {
        struct wire_frame f;

        rc = wire_reader_next(&c->reader, &p, past, &f, &err);
        if (rc == WIRE_READ) {
            int wrong = take_frame(c, &f, &err);
            rc = wrong != 0 ? wrong : rc;
        }
    } while (rc == WIRE_READ && !c->gone);
    if (rc < 0) {
        lose(c, err.msg);
    }
}

static void read_some(struct child *c)
{
    struct house *h = c->house;

    for (int i = 0; i < READS_AT_ONCE && !c->gone; i++) {
        ssize_t n = recv(c->io.fd, h->in, sizeof h->in, MSG_DONTWAIT);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            return;
        }
        if (n <= 0) {
            lose(c, "it has ended");
            return;
        }
        take_bytes(c, (size_t)n);
    }
    if (!c->gone) {
        loop_defer(h->config.loop, &c->again); /* edge-triggered: nobody tells us of the rest */
    }
}

static void on_again(struct defer *d)
{
    read_some(list_entry(d, struct child, again));
}

static void on_io(struct io *io, uint32_t events)
{
    struct child *c = list_entry(io, struct child, io);

    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) {
        read_some(c);
    }
    if (events & EPOLLOUT) {
        flush(c);
    }
}

/* ---- made and freed -------------------------------------------------------------------------- */

static void make_id(struct child *c)
{
    uint64_t value = 0;

    if (getrandom(&value, sizeof value, 0) != (ssize_t)sizeof value) {
        value = clock_monotonic_ns() + c->index;
    }
    snprintf(c->worker_id, sizeof c->worker_id, "wkr_%016llx", (unsigned long long)value);
}

static int start_child(struct house *h, uint32_t index, struct err *err)
{
    struct child *c = &h->children[index];

    c->house = h;
    c->index = index;
    c->gone = true; /* until its line is watched */
    make_id(c);
    wire_reader_init(&c->reader, WIRE_FRAME_FIRST_MAX);
    buf_init(&c->out, 2 * (size_t)WIRE_FRAME_MAX);
    defer_init(&c->again, on_again);
    c->process = (struct spawned){.fd = -1};
    int rc = spawn(NULL, h->config.argv, true, &c->process, err);
    if (rc != 0) {
        return rc;
    }
    c->io = (struct io){.fd = c->process.fd, .on_io = on_io};
    rc = loop_add(h->config.loop, &c->io, EPOLLIN | EPOLLOUT | EPOLLRDHUP, err);
    c->gone = rc != 0;
    return rc;
}

int house_new(const struct house_config *config, struct house **out, struct err *err)
{
    struct house *h = xcalloc(1, sizeof *h);
    int rc = 0;

    h->config = *config;
    h->children = xcalloc(config->count, sizeof *h->children);
    h->config.count = 0;
    timer_init(&h->patience, on_impatient);
    timer_init(&h->look, on_look);
    for (uint32_t i = 0; rc == 0 && i < config->count; i++) {
        h->config.count = i + 1;
        rc = start_child(h, i, err);
    }
    if (rc != 0) {
        house_free(h);
        return rc;
    }
    loop_timer_arm(config->loop, &h->patience, loop_clock(config->loop) + HELLO_PATIENCE_NS);
    *out = h;
    return 0;
}

void house_free(struct house *h)
{
    if (h == NULL) {
        return;
    }
    loop_timer_cancel(h->config.loop, &h->patience);
    loop_timer_cancel(h->config.loop, &h->look);
    for (uint32_t i = 0; i < h->config.count; i++) {
        struct child *c = &h->children[i];

        loop_defer_cancel(&c->again);
        if (!c->gone) {
            loop_remove(h->config.loop, &c->io);
        }
        spawn_end(&c->process, END_WAIT_MS);
        wire_reader_clear(&c->reader);
        wire_hello_clear(&c->hello);
        buf_clear(&c->out);
    }
    xfree(h->children);
    xfree(h);
}

const struct wire_hello *house_hello(const struct house *h, uint32_t member)
{
    return &h->children[member].hello;
}

const char *house_worker_id(const struct house *h, uint32_t member)
{
    return h->children[member].worker_id;
}

/* It ends by itself when its line does, and is reaped with the house. */
static void dismiss(struct child *c)
{
    if (!c->gone) {
        c->gone = true;
        loop_defer_cancel(&c->again);
        loop_remove(c->house->config.loop, &c->io);
        shutdown(c->io.fd, SHUT_RDWR);
    }
}

void house_play(struct house *h, struct crew *crew)
{
    h->crew = crew;
    for (uint32_t i = crew_count(crew); i < h->config.count; i++) {
        dismiss(&h->children[i]);
    }
}
