/* SPDX-License-Identifier: MIT */
/*
 * GET /runs/{run_id}/events: what is durable is read from the store and written; who has read all
 * is told by the hub when there is more. A client that reads slowly is waited for: one event is in
 * memory for it, whatever the run does meanwhile.
 */
#include "api/answer.h"
#include "api/position.h"
#include "base/mem.h"

#include <stdio.h>

enum { EVENTS_TURN_MAX = 200 }; /* read for one stream before others have their turn */

struct event_stream {
    struct api_held held;
    struct hub_watch watch;
    struct timer keepalive;
    struct defer more;
    struct defer death;
    struct api *api;
    struct http_exchange *x;
    struct position_types types;
    uint64_t next; /* number of the event to be read */
    bool follow;
    bool full; /* the client does not take more: on_drain */
    bool over; /* the exchange is */
    char run_id[HUB_RUN_ID_MAX];
    char passed[POSITION_ID_MAX]; /* the last event, when it was not one of `types`; else "" */
};

static void free_stream(struct defer *d)
{
    xfree(list_entry(d, struct event_stream, death));
}

/* The exchange is over. Callbacks of this turn may still mention the stream. */
static void drop(struct event_stream *s)
{
    s->over = true;
    hub_unwatch(&s->watch);
    loop_timer_cancel(s->api->loop, &s->keepalive);
    loop_defer_cancel(&s->more);
    loop_bury(s->api->loop, &s->death);
}

/* ---- writing ------------------------------------------------------------------------------ */

static void write_frame(struct event_stream *s, const struct buf *frame)
{
    if (http_stream_write(s->x, buf_str(frame)) != HTTP_WRITE_SENT) {
        s->full = true;
    }
}

static bool on_event(void *owner, const struct store_event *event)
{
    struct event_stream *s = owner;
    struct buf *frame = &s->api->frame;

    s->next = event->number + 1;
    if (!position_wants(&s->types, event->type)) {
        snprintf(s->passed, sizeof s->passed, "%s", event->event_id);
        return true;
    }
    s->passed[0] = '\0';
    frame->len = 0;
    buf_printf(frame, "event: run_event\nid: %s\ndata: ", event->event_id);
    buf_add_str(frame, event->body);
    buf_add_c(frame, "\n\n");
    write_frame(s, frame);
    return !s->full;
}

/* With the id of the last event, if the client has not seen it: so a reconnect is behind the end.
 */
static void write_end(struct event_stream *s)
{
    struct buf *frame = &s->api->frame;
    struct hub_refusal why = {0};
    json_t *view = NULL, *end = json_pack("{s:s}", "run_id", s->run_id);

    if (hub_view(s->api->hub, s->run_id, &view, &why) == 0) {
        json_t *state = json_object_get(view, "state"),
               *reason = json_object_get(view, "stop_reason");

        json_object_set(end, "state", state != NULL ? state : json_null());
        json_object_set(end, "stop_reason", reason != NULL ? reason : json_null());
    }
    hub_refusal_clear(&why);
    frame->len = 0;
    buf_add_c(frame, "event: end\n");
    if (s->passed[0] != '\0') {
        buf_printf(frame, "id: %s\n", s->passed);
    }
    buf_add_c(frame, "data: ");
    json_write(end, frame);
    buf_add_c(frame, "\n\n");
    write_frame(s, frame);
    json_decref(view);
    json_decref(end);
}

static void finish(struct event_stream *s, bool run_over)
{
    if (run_over) {
        write_end(s);
    }
    http_stream_end(s->x);
    drop(s);
}

/* Writes what there is, up to a turn's share. */
static void pump(struct event_stream *s)
{
    struct store *store = hub_store(s->api->hub);
    /* Asked first: what becomes durable while we read may be the end. */
    bool run_over = hub_is_over(s->api->hub, s->run_id);
    uint64_t before = s->next;

    if (s->over || s->full) {
        return;
    }
    if (store_events(store, s->run_id, s->next, EVENTS_TURN_MAX, on_event, s) != 0) {
        http_abort(s->x, false); /* it cannot be read: a break, not an end */
        drop(s);
    } else if (s->full) {
        return;
    } else if (s->next != before) {
        loop_defer(s->api->loop, &s->more);
    } else if (run_over || !s->follow || list_empty(&s->watch.node)) {
        finish(s, run_over); /* one that is watched by nobody and not over was deleted */
    }
}

/* ---- what wakes it ------------------------------------------------------------------------ */

static void on_more(struct defer *d)
{
    pump(list_entry(d, struct event_stream, more));
}

static void on_news(struct hub_watch *w)
{
    struct event_stream *s = list_entry(w, struct event_stream, watch);

    if (!s->over) {
        loop_defer(s->api->loop, &s->more);
    }
}

static void on_drain(struct api_held *held)
{
    struct event_stream *s = list_entry(held, struct event_stream, held);

    s->full = false;
    loop_defer(s->api->loop, &s->more);
}

static void on_gone(struct api_held *held)
{
    drop(list_entry(held, struct event_stream, held));
}

static void on_keepalive(struct timer *t)
{
    struct event_stream *s = list_entry(t, struct event_stream, keepalive);

    if (!s->full && http_stream_write(s->x, STR(":keepalive\n\n")) != HTTP_WRITE_SENT) {
        s->full = true;
    }
    loop_timer_arm(s->api->loop, t, loop_now(s->api->loop) + API_KEEPALIVE_S * NS_PER_S);
}

/* ---- where it begins ---------------------------------------------------------------------- */

static bool
refuse_position(struct api_request *r, const char *code, const char *name, struct str id)
{
    json_t *details = json_pack("{s:s}", "run_id", r->run_id);

    json_object_set_new(details, name, answer_text(id.p, id.len < 100 ? id.len : 100));
    answer_error(r,
                 &(struct answer_error){
                     .status = 400,
                     .type = "invalid_argument",
                     .code = code,
                     .details = details,
                 },
                 "%s must be the id of an event of this run: evt_ and hexadecimal digits, as an "
                 "event before had it",
                 name);
    return false;
}

/* *next: the number of the event behind that one. False: answered. */
static bool
find_event(struct api_request *r, const char *code, const char *name, struct str id, uint64_t *next)
{
    struct store *store = hub_store(r->api->hub);
    char text[POSITION_ID_MAX];
    uint64_t number;

    if (!position_is_event_id(id)) {
        return refuse_position(r, code, name, id);
    }
    snprintf(text, sizeof text, "%.*s", STR_ARG(id));
    if (store_event_number(store, r->run_id, text, &number) != 0) {
        return refuse_position(r, code, name, id);
    }
    *next = number + 1;
    return true;
}

/* *given: the client has been here before. False: answered. */
static bool find_position(struct api_request *r, uint64_t *next, bool *given)
{
    const struct h1_header *header = h1_find(r->http->head, STR("last-event-id"));
    const struct query_value *cursor = query_get(&r->query, "cursor");
    const struct query_value *since = query_get(&r->query, "since");

    *next = 0;
    *given = true;
    if (header != NULL && header->value.len > 0) {
        return find_event(r, "INVALID_LAST_EVENT_ID", "last_event_id", header->value, next);
    }
    if (cursor->given) {
        return find_event(r, "INVALID_CURSOR", "cursor", str_c(cursor->text), next);
    }
    *next = since->number;
    *given = since->given;
    return true;
}

/* A client that comes back behind the end of a run that is over must not come again. */
static bool is_behind_end(struct api_request *r, uint64_t next)
{
    struct store *store = hub_store(r->api->hub);
    uint64_t count;

    return hub_is_over(r->api->hub, r->run_id) &&
           store_event_count(store, r->run_id, &count) == 0 && next >= count;
}

static void start(struct api_request *r, uint64_t next)
{
    struct event_stream *s = xcalloc(1, sizeof *s);

    s->held = (struct api_held){.gone = on_gone, .drain = on_drain};
    s->api = r->api;
    s->x = r->x;
    s->next = next;
    s->follow = query_get(&r->query, "follow")->flag;
    s->types = position_types(query_get(&r->query, "types")->text, &r->warnings);
    snprintf(s->run_id, sizeof s->run_id, "%s", r->run_id);
    timer_init(&s->keepalive, on_keepalive);
    defer_init(&s->more, on_more);
    defer_init(&s->death, free_stream);
    list_init(&s->watch.node);
    s->watch.on_news = on_news;
    r->x->user = &s->held;
    answer_stream(r);
    loop_timer_arm(s->api->loop, &s->keepalive,
                   loop_now(s->api->loop) + API_KEEPALIVE_S * NS_PER_S);
    if (s->follow) {
        hub_watch(s->api->hub, s->run_id, &s->watch);
    }
    loop_defer(s->api->loop, &s->more);
}

void runs_events(struct api_request *r)
{
    struct hub_refusal why = {0};
    json_t *view = NULL;
    uint64_t next;
    bool given;

    if (hub_view(r->api->hub, r->run_id, &view, &why) != 0) {
        answer_refusal(r, &why);
        return;
    }
    json_decref(view);
    if (!find_position(r, &next, &given)) {
        return;
    }
    if (given && is_behind_end(r, next)) {
        answer_json(r, 204, NULL);
        return;
    }
    start(r, next);
}
