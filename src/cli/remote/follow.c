/* SPDX-License-Identifier: MIT */
#include "cli/remote/follow.h"

#include "http/sse_parse.h"

#include <stdio.h>
#include <string.h>

#define EVENT_MAX      ((size_t)4 * 1024 * 1024)
#define PAUSE_LEAST_NS (200 * NS_PER_MS)
#define PAUSE_MOST_NS  (5 * NS_PER_S)

struct following {
    struct remote *remote;
    const struct follow *what;
    struct http_transfer *transfer;
    struct timer pause;
    char last_id[SSE_ID_MAX + 1];
    bool opened;      /* at least once */
    bool away;        /* that it is has been said */
    uint64_t gone_ns; /* since when */
    uint64_t pause_ns;
    bool over;
    int code;
};

static const struct http_listener listener;

static void finish(struct following *f, int code)
{
    http_transfer_cancel(f->transfer);
    f->transfer = NULL;
    f->over = true;
    f->code = code;
    loop_stop(f->remote->loop);
}

static void open_stream(struct following *f)
{
    char path[RUN_ID_MAX + 64], header[SSE_ID_MAX + 32] = "";

    snprintf(path, sizeof path, "/runs/%s/events%s", f->what->run_id,
             f->what->live ? "" : "?follow=false");
    if (f->last_id[0] != '\0') {
        snprintf(header, sizeof header, "Last-Event-ID: %s\r\n", f->last_id);
    }
    f->transfer = http_api_stream(f->remote->api,
                                  &(struct http_ask){.path = str_c(path),
                                                     .headers = str_c(header),
                                                     .answer_max_bytes = EVENT_MAX},
                                  &listener, f);
}

static void on_pause(struct timer *t)
{
    open_stream(list_entry(t, struct following, pause));
}

static void on_open(void *owner)
{
    struct following *f = owner;

    if (f->away) {
        remote_say(f->remote, "%s is there again", http_api_url(f->remote->api));
    }
    f->opened = f->remote->answered = true;
    f->away = false;
    f->pause_ns = PAUSE_LEAST_NS;
}

/* The id goes back as a header line. */
static void keep_id(struct following *f, struct str id)
{
    for (size_t i = 0; i < id.len; i++) {
        if ((unsigned char)id.p[i] < 0x20) {
            return;
        }
    }
    snprintf(f->last_id, sizeof f->last_id, "%.*s", STR_ARG(id));
}

static void on_event(void *owner, const struct http_event *e)
{
    struct following *f = owner;
    struct err err = {0};
    json_t *event = NULL;
    int rc = 0;

    if (str_eq(e->name, STR("end"))) {
        finish(f, REMOTE_DONE);
        return;
    }
    if (!str_eq(e->name, STR("run_event"))) {
        return; /* of a later version */
    }
    keep_id(f, e->id);
    if (json_parse(e->data, EVENT_MAX, &event, &err) != 0) {
        remote_say(f->remote, "an event that is no JSON: %s", err.msg);
        finish(f, REMOTE_UNREACHABLE);
        return;
    }
    rc = f->what->on_event(f->what->owner, event);
    json_decref(event);
    if (rc != 0) {
        finish(f, rc);
    }
}

/* Did the stream end for a reason that passes by itself? */
static bool passes(const struct following *f, const struct http_outcome *o)
{
    bool leaving = o->failure == HTTP_ASK_ANSWERED && o->status == 200;

    return f->opened && (leaving || remote_passes(f->remote, o));
}

static void on_end(void *owner, const struct http_outcome *o)
{
    struct following *f = owner;
    uint64_t now_ns = loop_clock(f->remote->loop);
    bool whole = o->failure == HTTP_ASK_ANSWERED && o->status == 200 && f->opened;

    f->transfer = NULL;
    if (o->status == 204 || (whole && !f->what->live)) {
        finish(f, REMOTE_DONE);
        return;
    }
    if (!passes(f, o) || (f->away && now_ns - f->gone_ns > REMOTE_PATIENCE_NS)) {
        finish(f, remote_complain(f->remote, o));
        return;
    }
    if (!f->away) {
        f->away = true;
        f->gone_ns = now_ns;
        remote_say(f->remote, "%s; trying again for %u s",
                   o->text != NULL ? o->text : "the control plane has ended the stream of events",
                   (unsigned)(REMOTE_PATIENCE_NS / NS_PER_S));
    }
    loop_timer_arm(f->remote->loop, &f->pause, now_ns + f->pause_ns);
    f->pause_ns = f->pause_ns * 2 < PAUSE_MOST_NS ? f->pause_ns * 2 : PAUSE_MOST_NS;
}

static const struct http_listener listener = {on_open, on_event, on_end};

int follow_run(struct remote *r, const struct follow *what)
{
    struct following f = {.remote = r, .what = what, .pause_ns = PAUSE_LEAST_NS};

    timer_init(&f.pause, on_pause);
    open_stream(&f);
    loop_run(r->loop);
    loop_timer_cancel(r->loop, &f.pause);
    if (!f.over) { /* a signal */
        http_transfer_cancel(f.transfer);
        return 128 + r->signo;
    }
    return f.code;
}
