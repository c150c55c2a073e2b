/* SPDX-License-Identifier: MIT */
#include "cli/cmd_server.h"

#include "api/api.h"
#include "api/ports.h"
#include "fleet/hub.h"
#include "loop/signals.h"
#include "mock/server/mock.h"
#include "store/place.h"
#include "store/sqlite.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/random.h>

#define LAST_WORDS_NS \
    (2 * NS_PER_S) /* answers that wait look each second whether the store lives */

struct server {
    struct server_settings settings;
    struct clock clock;
    struct loop *loop;
    struct signals signals;
    bool has_signals;
    struct ports ports;
    struct buf dir;
    struct store *store;
    struct hub *hub;
    struct api *api;
    struct mock_config mock;
    bool store_failed;
    struct timer last_words;
};

/* ---- what it says ------------------------------------------------------------------------- */

static void print_line(const char *line)
{
    printf("%s\n", line);
    fflush(stdout);
}

static void complain(const struct buf *lines)
{
    const char *at = lines->p, *end = at + lines->len;

    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));

        fprintf(stderr, "server: %.*s\n", (int)(line_end - at), at);
        at = line_end + 1;
    }
}

/* The first line is looked for by scripts. */
static void announce(const struct server *s)
{
    char text[ADDR_TEXT_MAX];
    const char *where = addr_text(&s->ports.entries[0].listener.addr, text);

    printf("MCP Drill control plane listening on http://%s\n", where);
    printf("%s\n", s->settings.local
                       ? "Only this machine reaches it (--insecure with :PORT or another address "
                         "opens it to others)."
                       : "--insecure: everybody who reaches this address can make runs and see all "
                         "of them; there are no credentials.");
    printf("Data: %s\n", s->dir.p);
    if (s->settings.mock) {
        printf("Mock MCP server on the same port: http://%s/mcp (--no-mock leaves it out)\n",
               where);
    }
    fflush(stdout);
}

static int fail(const struct err *err)
{
    fprintf(stderr, "server: %s\n", err->msg);
    return err->code == ERR_USAGE ? EXIT_USAGE : EXIT_INTERNAL;
}

/* ---- its life ----------------------------------------------------------------------------- */

static void on_signal(struct signals *signals, int signo)
{
    (void)signo;
    loop_stop(signals->loop);
}

static void on_last_words(struct timer *t)
{
    loop_stop(list_entry(t, struct server, last_words)->loop);
}

/*
 * Nothing that happens from now on would survive, so nothing may be told of it: a server that
 * stayed would keep everybody waiting. Who waits for an answer gets one first. Workers keep what
 * was not acknowledged until a server is back.
 */
static void on_store_failure(void *owner, const struct err *err)
{
    struct server *s = owner;

    s->store_failed = true;
    fprintf(stderr,
            "server: the store cannot be written: %s\n"
            "server: it ends here; start it again when there is room, and its runs go on\n",
            err->msg);
    loop_timer_arm(s->loop, &s->last_words, loop_now(s->loop) + LAST_WORDS_NS);
}

/* From here on a signal does what it does to any program: nothing is tidied up any more. */
static void let_signals_kill(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static int listen_on(struct server *s, struct err *err)
{
    int rc = ports_open(&s->ports, s->loop, s->settings.addresses, s->settings.address_count, err);

    if (rc != 0 && err->sys == EADDRINUSE) {
        struct err was = *err;

        err_set(err, was.code,
                "%s; another program has the port: end it, or choose another one "
                "with --addr :PORT",
                was.msg);
    }
    return rc;
}

static int open_store(struct server *s, struct err *err)
{
    int rc = store_place(s->settings.data_dir, s->ports.port, &s->dir, err);

    if (rc == 0) {
        rc = store_place_make(buf_c(&s->dir), err);
    }
    if (rc == 0) {
        rc = store_sqlite_open(&(struct sqlite_options){.dir = buf_c(&s->dir)}, s->loop, &s->store,
                               err);
    }
    if (rc == 0) {
        s->store->on_failure = on_store_failure;
        s->store->owner = s;
    }
    return rc;
}

static void make_api(struct server *s)
{
    s->mock = mock_config_default();
    s->mock.any_host = !s->settings.local;
    /* Session ids must not repeat those of the process before. */
    if (getrandom(&s->mock.seed, sizeof s->mock.seed, 0) < 0) {
        s->mock.seed = clock_wall_ms();
    }
    s->api = api_new(&(struct api_config){
        .loop = s->loop,
        .hub = s->hub,
        .guard = {.local = s->settings.local,
                  .origins = s->settings.origins,
                  .origin_count = s->settings.origin_count},
        .mock = s->settings.mock ? &s->mock : NULL,
    });
    s->ports.api = s->api;
}

/* Listens first: who cannot have the port should not touch its data. */
static int start(struct server *s, struct err *err)
{
    int rc = loop_new(&s->clock, &s->loop, err);

    if (rc == 0) {
        rc = signals_init(&s->signals, s->loop, on_signal, err);
        s->has_signals = rc == 0;
    }
    if (rc == 0) {
        rc = listen_on(s, err);
    }
    if (rc == 0) {
        rc = open_store(s, err);
    }
    if (rc == 0) {
        announce(s); /* before what the hub has to say; who connects already waits */
        const struct hub_config config = {
            .loop = s->loop,
            .store = s->store,
            .network_public = !s->settings.local,
            .open_networks = s->settings.networks.blocks,
            .open_network_count = s->settings.networks.count,
            .on_line = print_line,
        };

        rc = hub_new(&config, &s->hub, err);
    }
    if (rc == 0) {
        make_api(s);
    }
    return rc;
}

/* Answers that wait for the disk get it, then everything ends. */
static void finish(struct server *s)
{
    enum { LAST_TURNS = 3 };

    ports_close(&s->ports);
    if (s->api != NULL && store_flush(s->store) == 0) {
        for (int i = 0; i < LAST_TURNS; i++) {
            loop_turn(s->loop, 0);
        }
    }
    api_free(s->api);
    hub_free(s->hub);
    store_close(s->store);
    if (s->loop != NULL) {
        loop_timer_cancel(s->loop, &s->last_words);
    }
    if (s->has_signals) {
        signals_clear(&s->signals);
    }
    loop_free(s->loop);
    buf_clear(&s->dir);
}

static int serve(struct server *s)
{
    struct err err = {0};
    int rc = start(s, &err);

    if (rc == 0) {
        loop_run(s->loop);
        let_signals_kill();
    }
    finish(s);
    return rc != 0 ? fail(&err) : s->store_failed ? EXIT_INTERNAL : EXIT_PASSED;
}

int cmd_server(const struct opt_args *args)
{
    static struct server s;
    struct buf lines;

    buf_init(&lines, SERVER_LINES_MAX);
    buf_init(&s.dir, STORE_PATH_MAX + 1);
    timer_init(&s.last_words, on_last_words);
    int rc = server_settings_read(args, &s.settings, &lines);
    if (lines.len > 0) {
        complain(&lines);
    }
    buf_clear(&lines);
    if (rc != 0) {
        return EXIT_USAGE;
    }
    return serve(&s);
}
