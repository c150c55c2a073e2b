/* SPDX-License-Identifier: MIT */
#include "worker/uplink_pipe.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    READ_BYTES = 64 * 1024,
    READS_AT_ONCE = 16,
    WRITE_BYTES = 256 * 1024, /* taken from the log at a time, when no frame alone is longer */
};
#define HEARTBEAT_NS NS_PER_S

struct uplink_pipe {
    struct uplink_pipe_config config;
    struct io io;
    struct wire_reader reader;
    struct buf out; /* what the socket has not taken yet */
    struct timer heartbeat;
    struct defer again; /* more to read than one turn should */
    bool welcome, ended;
    char in[READ_BYTES];
};

static void end(struct uplink_pipe *u, const char *why)
{
    if (u->ended) {
        return;
    }
    u->ended = true;
    loop_timer_cancel(u->config.loop, &u->heartbeat);
    loop_defer_cancel(&u->again);
    loop_remove(u->config.loop, &u->io);
    u->config.on_end(u->config.owner, why);
}

/* ---- out --------------------------------------------------------------------------------------
 */

/* False: the socket takes no more for now, or is broken. */
static bool flush(struct uplink_pipe *u)
{
    while (u->out.len > 0) {
        ssize_t n = send(u->io.fd, u->out.p, u->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            if (errno != EAGAIN) {
                end(u, errno == EPIPE || errno == ECONNRESET ? "" : strerrordesc_np(errno));
            }
            return false;
        }
        buf_consume(&u->out, (size_t)n);
    }
    return true;
}

static void send_all(struct uplink_pipe *u)
{
    while (!u->ended && flush(u)) {
        if (!u->welcome || remote_take(u->config.remote, WRITE_BYTES, &u->out) == 0) {
            return;
        }
    }
}

void uplink_pipe_wake(struct uplink_pipe *u)
{
    send_all(u);
}

/* A line that is stuck gets no further ones: the last figures are enough. */
static void on_heartbeat(struct timer *t)
{
    struct uplink_pipe *u = list_entry(t, struct uplink_pipe, heartbeat);
    struct wire_heartbeat body;
    struct buf json;

    loop_timer_arm(u->config.loop, t, loop_now(u->config.loop) + HEARTBEAT_NS);
    if (u->out.len > 0) {
        return;
    }
    buf_init(&json, READ_BYTES);
    remote_heartbeat(u->config.remote, &body);
    body.sent_ns = loop_clock(u->config.loop);
    if (wire_heartbeat_encode(&body, &json) == 0) {
        wire_frame_add(&u->out, WIRE_HEARTBEAT, buf_str(&json));
    }
    buf_clear(&json);
    send_all(u);
}

/* ---- in ---------------------------------------------------------------------------------------
 */

static int take_first(struct uplink_pipe *u, const struct wire_frame *f, struct err *err)
{
    struct wire_refuse refuse;

    if (f->kind == WIRE_WELCOME) {
        u->welcome = true;
        u->reader.max = WIRE_FRAME_MAX;
        loop_timer_arm(u->config.loop, &u->heartbeat, loop_now(u->config.loop) + HEARTBEAT_NS);
        return 0;
    }
    if (f->kind != WIRE_REFUSE) {
        return err_set(err, ERR_SYNTAX, "the control plane did not say whether it takes us");
    }
    int rc = wire_refuse_decode(f->payload, &refuse, NULL, err);
    return rc != 0 ? rc
                   : err_set(err, ERR_STATE, "the control plane refuses this worker: %.180s",
                             refuse.error);
}

static int take_frame(struct uplink_pipe *u, const struct wire_frame *f, struct err *err)
{
    return u->welcome ? remote_on_frame(u->config.remote, f->kind, f->payload, err)
                      : take_first(u, f, err);
}

static void take_bytes(struct uplink_pipe *u, size_t len)
{
    const char *p = u->in, *past = u->in + len;
    struct err err = {0};
    int rc;

    do {
        struct wire_frame f;

        rc = wire_reader_next(&u->reader, &p, past, &f, &err);
        if (rc == WIRE_READ) {
            int wrong = take_frame(u, &f, &err);
            rc = wrong != 0 ? wrong : rc;
        }
    } while (rc == WIRE_READ && !u->ended);
    if (rc < 0) {
        end(u, err.msg);
    }
}

static void read_some(struct uplink_pipe *u)
{
    for (int i = 0; i < READS_AT_ONCE && !u->ended; i++) {
        ssize_t n = recv(u->io.fd, u->in, sizeof u->in, MSG_DONTWAIT);

        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            return;
        }
        if (n <= 0) {
            end(u, n == 0 || errno == ECONNRESET ? "" : strerrordesc_np(errno));
            return;
        }
        take_bytes(u, (size_t)n);
    }
    if (!u->ended) {
        loop_defer(u->config.loop, &u->again); /* edge-triggered: nobody tells us of the rest */
    }
}

static void on_again(struct defer *d)
{
    read_some(list_entry(d, struct uplink_pipe, again));
}

static void on_io(struct io *io, uint32_t events)
{
    struct uplink_pipe *u = list_entry(io, struct uplink_pipe, io);

    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR | EPOLLRDHUP)) {
        read_some(u);
    }
    if (events & EPOLLOUT) {
        send_all(u);
    }
}

/* ---- made and freed ---------------------------------------------------------------------------
 */

static int say_hello(struct uplink_pipe *u, const struct wire_hello *hello, struct err *err)
{
    struct buf json;

    buf_init(&json, WIRE_FRAME_FIRST_MAX);
    int rc = wire_hello_encode(hello, &json);
    if (rc == 0) {
        rc = wire_frame_add(&u->out, WIRE_HELLO, buf_str(&json));
    }
    buf_clear(&json);
    return rc != 0 ? err_set(err, rc, "the worker's labels are too long") : 0;
}

int uplink_pipe_new(const struct uplink_pipe_config *config,
                    struct uplink_pipe **out,
                    struct err *err)
{
    struct uplink_pipe *u = xcalloc(1, sizeof *u);

    u->config = *config;
    u->config.hello = NULL;
    u->io = (struct io){.fd = config->fd, .on_io = on_io};
    wire_reader_init(&u->reader, WIRE_FRAME_FIRST_MAX);
    buf_init(&u->out, (size_t)WIRE_FRAME_MAX + WRITE_BYTES);
    timer_init(&u->heartbeat, on_heartbeat);
    defer_init(&u->again, on_again);
    int rc = say_hello(u, config->hello, err);
    if (rc == 0) {
        rc = loop_add(config->loop, &u->io, EPOLLIN | EPOLLOUT | EPOLLRDHUP, err);
    }
    if (rc != 0) {
        u->ended = true;
        uplink_pipe_free(u);
        return rc;
    }
    *out = u; /* the socket is writable: on_io sends the greeting */
    return 0;
}

void uplink_pipe_free(struct uplink_pipe *u)
{
    if (u == NULL) {
        return;
    }
    if (!u->ended) {
        loop_timer_cancel(u->config.loop, &u->heartbeat);
        loop_defer_cancel(&u->again);
        loop_remove(u->config.loop, &u->io);
    }
    close(u->io.fd);
    wire_reader_clear(&u->reader);
    buf_clear(&u->out);
    xfree(u);
}
