/* SPDX-License-Identifier: MIT */
#include "worker/uplink_http.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/rng.h"
#include "http/request.h"
#include "worker/clock_offset.h"

#include <stdio.h>
#include <string.h>

enum {
    ANSWER_MAX = 1024 * 1024,
    POST_BYTES = 4 * 1024 * 1024, /* of reports in one request, when no frame alone is longer */
    PATH_MAX_BYTES = 128,
    TROUBLE_MAX = 320,
    FIRST_BEATS = 5, /* close together: the first run should find the clocks compared */
};
#define FIRST_BEAT_NS   (50 * NS_PER_MS)
#define BACK_OFF_MIN_NS (200 * NS_PER_MS)
#define BACK_OFF_MAX_NS (5 * NS_PER_S)

struct uplink_http {
    struct uplink_http_config config;
    struct http_api *api;
    struct wire_hello
        hello; /* labels: a reference of its own; with id and token once it has them */
    bool registered, was_registered, ended;

    struct http_transfer *registering, *stream, *beat, *post;
    struct timer retry; /* to register, or to open the stream */
    unsigned failures;  /* since the stream was open */
    struct timer beat_timer;
    unsigned beats;
    struct timer post_timer; /* armed: after a failure, not before then */
    unsigned post_failures;
    uint64_t asked_ns, beat_ns; /* when the question was sent */
    struct clock_offset clock;
    struct buf body;
    uint64_t draws;
    char trouble[TROUBLE_MAX];
    struct defer end;
};

static void register_worker(struct uplink_http *u);
static void open_stream(struct uplink_http *u);

/* ---- words ------------------------------------------------------------------------------------
 */

static void say(struct uplink_http *u, const char *text)
{
    if (strncmp(u->trouble, text, TROUBLE_MAX - 1) != 0) {
        snprintf(u->trouble, sizeof u->trouble, "%s", text);
        u->config.on_trouble(u->config.owner, u->trouble);
    }
}

/* What the API says in its one shape of errors, or the status alone. */
static void describe(const struct http_outcome *o, char *out, size_t size)
{
    json_t *body = NULL;

    if (o->failure != HTTP_ASK_ANSWERED) {
        snprintf(out, size, "%s", o->text);
        return;
    }
    const char *text = NULL;
    if (json_parse(o->body, ANSWER_MAX, &body, NULL) == 0) {
        text = json_string_value(json_object_get(body, "error_message"));
    }
    snprintf(out, size, "the control plane answers with status %d%s%.220s", o->status,
             text != NULL ? ": " : "", text != NULL ? text : "");
    json_decref(body);
}

static void say_outcome(struct uplink_http *u, const struct http_outcome *o)
{
    char text[TROUBLE_MAX];

    describe(o, text, sizeof text);
    say(u, text);
}

static bool answered(const struct http_outcome *o, int status)
{
    return o->failure == HTTP_ASK_ANSWERED && o->status == status;
}

/* ---- again ------------------------------------------------------------------------------------
 */

static uint64_t back_off_ns(struct uplink_http *u, unsigned failures)
{
    uint64_t ns = BACK_OFF_MIN_NS << (failures < 5 ? failures : 5);
    double part = 0.75 + rng_unit(rng_at(u->hello.pid, u->draws++)) / 2;

    ns = ns < BACK_OFF_MAX_NS ? ns : BACK_OFF_MAX_NS;
    return (uint64_t)((double)ns * part);
}

static void try_again(struct uplink_http *u)
{
    if (!timer_armed(&u->retry)) {
        loop_timer_arm(u->config.loop, &u->retry,
                       loop_now(u->config.loop) + back_off_ns(u, u->failures++));
    }
}

static void on_retry(struct timer *t)
{
    struct uplink_http *u = list_entry(t, struct uplink_http, retry);

    if (!u->registered) {
        register_worker(u);
    } else if (u->stream == NULL) {
        open_stream(u);
    }
}

/* The control plane does not know us any more: it has been restarted without its store, or has
 * given us up. */
static void register_again(struct uplink_http *u)
{
    if (!u->registered) {
        return;
    }
    u->registered = false;
    http_transfer_cancel(u->stream);
    u->stream = NULL;
    loop_timer_cancel(u->config.loop, &u->beat_timer);
    loop_timer_cancel(u->config.loop, &u->retry);
    try_again(u);
}

static bool is_unknown(const struct http_outcome *o)
{
    return answered(o, 404) || answered(o, 401);
}

/* ---- the clocks -------------------------------------------------------------------------------
 */

static void compare_clocks(struct uplink_http *u, uint64_t sent_ns, uint64_t their_ns)
{
    clock_offset_add(&u->clock, sent_ns, loop_clock(u->config.loop), their_ns);
    remote_set_ahead(u->config.remote, clock_offset_ns(&u->clock, NULL));
}

/* ---- heartbeats -------------------------------------------------------------------------------
 */

static const char *path(const struct uplink_http *u, const char *what, char out[PATH_MAX_BYTES])
{
    snprintf(out, PATH_MAX_BYTES, "/workers/%s/%s", u->hello.worker_id, what);
    return out;
}

static void stop_runs(struct uplink_http *u, const json_t *ids)
{
    size_t i;
    json_t *id;

    json_array_foreach(ids, i, id)
    {
        if (json_is_string(id)) {
            remote_stop(u->config.remote, json_string_value(id));
        }
    }
}

static void on_beat_answer(void *owner, const struct http_outcome *o)
{
    struct uplink_http *u = owner;
    struct wire_pulse pulse;
    json_t *body = NULL;

    u->beat = NULL;
    if (is_unknown(o)) {
        register_again(u);
        return;
    }
    if (!answered(o, 200) || json_parse(o->body, ANSWER_MAX, &body, NULL) != 0) {
        return; /* the stream tells of what is wrong */
    }
    if (wire_pulse_from_json(body, &pulse, NULL, NULL) == 0 && pulse.sent_ns == u->beat_ns) {
        compare_clocks(u, u->beat_ns, pulse.now_ns);
    }
    stop_runs(u, json_object_get(body, "stop_run_ids"));
    json_decref(body);
}

static void send_beat(struct uplink_http *u)
{
    char where[PATH_MAX_BYTES];
    struct wire_heartbeat beat;
    struct buf text;

    buf_init(&text, ANSWER_MAX);
    remote_heartbeat(u->config.remote, &beat);
    beat.sent_ns = u->beat_ns = loop_clock(u->config.loop);
    if (wire_heartbeat_encode(&beat, &text) == 0) {
        struct http_ask ask = {.method = "POST",
                               .path = str_c(path(u, "heartbeat", where)),
                               .content_type = STR("application/json"),
                               .body = buf_str(&text),
                               .repeatable = true,
                               .answer_max_bytes = ANSWER_MAX,
                               .connect_limit_ns = UPLINK_BEAT_LIMIT_NS,
                               .answer_limit_ns = UPLINK_BEAT_LIMIT_NS};
        u->beat = http_api_ask(u->api, &ask, on_beat_answer, u);
    }
    buf_clear(&text);
}

static void on_beat(struct timer *t)
{
    struct uplink_http *u = list_entry(t, struct uplink_http, beat_timer);
    bool first = u->beats++ < FIRST_BEATS;

    loop_timer_arm(u->config.loop, t,
                   loop_now(u->config.loop) + (first ? FIRST_BEAT_NS : u->config.heartbeat_ns));
    if (u->beat == NULL) {
        send_beat(u);
    }
}

/* ---- reports ----------------------------------------------------------------------------------
 */

static void take_acks(struct uplink_http *u, const json_t *acked)
{
    size_t i;
    json_t *row;

    json_array_foreach(acked, i, row)
    {
        const char *run_id = json_string_value(json_object_get(row, "run_id"));
        json_int_t seq = json_integer_value(json_object_get(row, "seq"));

        if (run_id != NULL && seq > 0) {
            remote_on_ack(u->config.remote, run_id, (uint64_t)seq);
        }
    }
}

static void take_refusals(struct uplink_http *u, const json_t *refused)
{
    size_t i;
    json_t *row;

    json_array_foreach(refused, i, row)
    {
        const char *run_id = json_string_value(json_object_get(row, "run_id"));

        if (run_id != NULL) {
            remote_on_refused(u->config.remote, run_id);
        }
    }
}

static void post_later(struct uplink_http *u)
{
    loop_timer_arm(u->config.loop, &u->post_timer,
                   loop_now(u->config.loop) + back_off_ns(u, u->post_failures++));
}

/* What was sent and is neither acknowledged nor refused comes again, a little later. */
static void on_post_answer(void *owner, const struct http_outcome *o)
{
    struct uplink_http *u = owner;
    json_t *body = NULL;

    u->post = NULL;
    if (is_unknown(o)) {
        remote_rewind(u->config.remote);
        register_again(u);
        return;
    }
    if (answered(o, 200) && json_parse(o->body, ANSWER_MAX, &body, NULL) == 0) {
        take_acks(u, json_object_get(body, "acked"));
        take_refusals(u, json_object_get(body, "refused"));
        json_decref(body);
    } else {
        say_outcome(u, o);
    }
    if (remote_unacked(u->config.remote)) {
        post_later(u);
        return;
    }
    u->post_failures = 0;
    uplink_http_wake(u);
}

void uplink_http_wake(struct uplink_http *u)
{
    char where[PATH_MAX_BYTES];

    if (u->ended || !u->registered || u->post != NULL || timer_armed(&u->post_timer) ||
        !remote_fresh(u->config.remote)) {
        return;
    }
    u->body.len = 0;
    remote_take(u->config.remote, POST_BYTES, &u->body);
    struct http_ask ask = {.method = "POST",
                           .path = str_c(path(u, "telemetry", where)),
                           .content_type = STR("application/octet-stream"),
                           .body = buf_str(&u->body),
                           .repeatable = true, /* reports are numbered */
                           .answer_max_bytes = ANSWER_MAX};
    u->post = http_api_ask(u->api, &ask, on_post_answer, u);
}

static void on_post_timer(struct timer *t)
{
    struct uplink_http *u = list_entry(t, struct uplink_http, post_timer);

    remote_rewind(u->config.remote);
    uplink_http_wake(u);
}

/* ---- orders -----------------------------------------------------------------------------------
 */

static void on_open(void *owner)
{
    struct uplink_http *u = owner;

    u->failures = 0;
    say(u, "");
    if (u->post == NULL) {
        loop_timer_cancel(u->config.loop, &u->post_timer);
        remote_rewind(u->config.remote);
        uplink_http_wake(u);
    }
}

static void on_event(void *owner, const struct http_event *event)
{
    struct uplink_http *u = owner;
    struct err err = {0};

    if (str_eq(event->name, STR("order")) &&
        remote_on_order(u->config.remote, event->data, &err) != 0) {
        say(u, err.msg);
    }
}

static void on_stream_end(void *owner, const struct http_outcome *o)
{
    struct uplink_http *u = owner;

    u->stream = NULL;
    if (is_unknown(o)) {
        register_again(u);
        return;
    }
    if (answered(o, 200)) {
        say(u, "the control plane has ended the stream of orders");
    } else {
        say_outcome(u, o);
    }
    try_again(u);
}

static void open_stream(struct uplink_http *u)
{
    static const struct http_listener listener = {
        .on_open = on_open, .on_event = on_event, .on_end = on_stream_end};
    char where[PATH_MAX_BYTES];
    struct http_ask ask = {.path = str_c(path(u, "commands", where)),
                           .answer_max_bytes = WIRE_FRAME_MAX,
                           .silence_limit_ns = UPLINK_SILENCE_NS};

    u->stream = http_api_stream(u->api, &ask, &listener, u);
}

/* ---- registration -----------------------------------------------------------------------------
 */

static void on_end(struct defer *d)
{
    struct uplink_http *u = list_entry(d, struct uplink_http, end);

    u->config.on_end(u->config.owner, u->trouble);
}

static void refuse(struct uplink_http *u, const struct http_outcome *o)
{
    describe(o, u->trouble, sizeof u->trouble);
    u->ended = true;
    loop_defer(u->config.loop, &u->end);
}

static int welcome(struct uplink_http *u, struct str text, struct err *err)
{
    struct wire_welcome w;
    char line[WIRE_ID_SIZE + 32];
    int rc = wire_welcome_decode(text, &w, NULL, err);

    if (rc != 0) {
        return rc;
    }
    compare_clocks(u, u->asked_ns, w.now_ns);
    snprintf(u->hello.worker_id, sizeof u->hello.worker_id, "%s", w.worker_id);
    snprintf(u->hello.worker_token, sizeof u->hello.worker_token, "%s", w.worker_token);
    snprintf(line, sizeof line, "X-Worker-Token: %s\r\n", w.worker_token);
    http_api_set_headers(u->api, str_c(line));
    return 0;
}

static void on_register_answer(void *owner, const struct http_outcome *o)
{
    struct uplink_http *u = owner;
    struct err err = {0};

    u->registering = NULL;
    if (answered(o, 400) || answered(o, 401) || answered(o, 403) || answered(o, 409)) {
        refuse(u, o);
        return;
    }
    if (!answered(o, 201)) {
        say_outcome(u, o);
        try_again(u);
        return;
    }
    if (welcome(u, o->body, &err) != 0) {
        say(u, err.msg);
        try_again(u);
        return;
    }
    bool again = u->was_registered;
    u->registered = u->was_registered = true;
    u->config.on_registered(u->config.owner, u->hello.worker_id, again);
    u->beats = 0;
    loop_timer_arm(u->config.loop, &u->beat_timer, loop_now(u->config.loop));
    open_stream(u);
}

static void register_worker(struct uplink_http *u)
{
    struct buf text;

    if (u->registering != NULL) {
        return;
    }
    buf_init(&text, ANSWER_MAX);
    u->asked_ns = loop_clock(u->config.loop);
    if (wire_hello_encode(&u->hello, &text) == 0) {
        struct http_ask ask = {.method = "POST",
                               .path = STR("/workers/register"),
                               .content_type = STR("application/json"),
                               .body = buf_str(&text),
                               .answer_max_bytes = ANSWER_MAX};
        u->registering = http_api_ask(u->api, &ask, on_register_answer, u);
    }
    buf_clear(&text);
}

/* ---- made and freed ---------------------------------------------------------------------------
 */

int uplink_http_new(const struct uplink_http_config *config,
                    struct uplink_http **out,
                    struct err *err)
{
    struct http_api *api;
    int rc = http_api_new(config->loop, str_c(config->url), (struct str){0}, &api, err);

    if (rc != 0) {
        return rc;
    }
    struct uplink_http *u = xcalloc(1, sizeof *u);
    u->config = *config;
    u->config.heartbeat_ns = config->heartbeat_ns > 0 ? config->heartbeat_ns : UPLINK_HEARTBEAT_NS;
    u->api = api;
    u->hello = *config->hello;
    u->hello.labels = json_incref(config->hello->labels);
    if (config->opener != NULL) {
        http_api_set_opener(api, config->opener, config->opener_owner);
    }
    buf_init(&u->body, (size_t)WIRE_FRAME_MAX + WIRE_FRAME_HEAD);
    timer_init(&u->retry, on_retry);
    timer_init(&u->beat_timer, on_beat);
    timer_init(&u->post_timer, on_post_timer);
    defer_init(&u->end, on_end);
    register_worker(u);
    *out = u;
    return 0;
}

void uplink_http_free(struct uplink_http *u)
{
    if (u == NULL) {
        return;
    }
    http_api_free(u->api);
    loop_timer_cancel(u->config.loop, &u->retry);
    loop_timer_cancel(u->config.loop, &u->beat_timer);
    loop_timer_cancel(u->config.loop, &u->post_timer);
    loop_defer_cancel(&u->end);
    wire_hello_clear(&u->hello);
    buf_clear(&u->body);
    xfree(u);
}
