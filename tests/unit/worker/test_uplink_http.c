/* SPDX-License-Identifier: MIT */
/* A worker and a control plane that the test plays: a real server, over streams in memory and a
 * virtual clock. */
#include "http/server.h"
#include "net/mem_stream.h"
#include "support/unit.h"
#include "wire/order.h"
#include "wire/report.h"
#include "worker/introduce.h"
#include "worker/uplink_http.h"

#include <errno.h>
#include <unistd.h>

#define MS NS_PER_MS

struct world {
    uint64_t now_ns;
    struct clock clock;
    struct loop *loop;
    struct remote *remote;
    struct uplink_http *up;
    struct wire_hello hello;

    /* the control plane */
    struct http_server server;
    int refuse;           /* a negative errno for new connections */
    int register_status;  /* 0: 201 */
    int telemetry_status; /* 0: 200 */
    bool unknown;         /* the worker is not known, until it registers again */
    bool refuse_runs;     /* it has no part in any run */
    bool silent;          /* no keepalive */
    unsigned beats_lost;  /* so many are never answered */
    const char *order;    /* sent whenever the stream is opened */
    struct http_exchange *stream;
    struct timer keepalive;
    unsigned registrations, streams, beats, posts, reports;
    uint64_t last_seq;
    char claimed_id[WIRE_ID_SIZE], claimed_token[WIRE_ID_SIZE];

    /* what the worker told its owner */
    unsigned registered, again, ends;
    char id[WIRE_ID_SIZE], trouble[400], why[400];
    unsigned troubles;
};

/* ---- the control plane ------------------------------------------------------------------------
 */

static void answer(struct http_exchange *x, int status, const char *text)
{
    http_reply(x, &(struct http_answer){.status = status,
                                        .content_type = STR("application/json; charset=utf-8"),
                                        .body = str_c(text)});
}

static void answer_error(struct http_exchange *x, int status)
{
    answer(x, status, "{\"error_code\":\"SOME\",\"error_message\":\"not today\"}");
}

static void take_hello(struct world *w, struct http_exchange *x, struct str body)
{
    struct wire_hello hello;
    char text[300];

    w->registrations++;
    assert_int_equal(wire_hello_decode(body, &hello, NULL, NULL), 0);
    snprintf(w->claimed_id, sizeof w->claimed_id, "%s", hello.worker_id);
    snprintf(w->claimed_token, sizeof w->claimed_token, "%s", hello.worker_token);
    wire_hello_clear(&hello);
    if (w->register_status != 0) {
        answer_error(x, w->register_status);
        return;
    }
    w->unknown = false;
    snprintf(
        text, sizeof text,
        "{\"worker_id\":\"wkr_0000000000000001\",\"worker_token\":\"token%u\",\"now_ns\":%llu}",
        w->registrations, (unsigned long long)w->now_ns);
    answer(x, 201, text);
}

static void begin_stream(struct world *w, struct http_exchange *x)
{
    w->streams++;
    w->stream = x;
    http_stream_begin(
        x, &(struct http_answer){.status = 200, .content_type = STR("text/event-stream")},
        HTTP_LENGTH_UNKNOWN);
    if (w->order != NULL) {
        http_stream_write(x, STR("event: order\ndata: "));
        http_stream_write(x, str_c(w->order));
        http_stream_write(x, STR("\n\n"));
    }
    loop_timer_arm(w->loop, &w->keepalive, w->now_ns + 5 * NS_PER_S);
}

static void on_keepalive(struct timer *t)
{
    struct world *w = list_entry(t, struct world, keepalive);

    if (w->stream != NULL && !w->silent) {
        http_stream_write(w->stream, STR(":keepalive\n\n"));
        loop_timer_arm(w->loop, t, w->now_ns + 5 * NS_PER_S);
    }
}

static void take_beat(struct world *w, struct http_exchange *x, struct str body)
{
    struct wire_heartbeat beat;
    char text[200];

    w->beats++;
    if (w->beats_lost > 0) {
        w->beats_lost--;
        return;
    }
    assert_int_equal(wire_heartbeat_decode(body, &beat, NULL, NULL), 0);
    snprintf(text, sizeof text,
             "{\"ok\":true,\"stop_run_ids\":[],\"sent_ns\":%llu,\"now_ns\":%llu}",
             (unsigned long long)beat.sent_ns, (unsigned long long)w->now_ns);
    answer(x, 200, text);
}

static void take_reports(struct world *w, struct http_exchange *x, struct str body)
{
    const char *p = body.p, *end = body.p + body.len;
    struct wire_reader reader;
    struct wire_frame frame;
    struct wire_report report;
    char text[200];

    w->posts++;
    if (w->telemetry_status != 0) {
        answer_error(x, w->telemetry_status);
        return;
    }
    wire_reader_init(&reader, WIRE_FRAME_MAX);
    while (wire_reader_next(&reader, &p, end, &frame, NULL) == WIRE_READ) {
        assert_int_equal(wire_report_decode(frame.payload, &report, NULL), 0);
        w->last_seq = report.seq;
        w->reports++;
    }
    assert_true(wire_reader_idle(&reader));
    wire_reader_clear(&reader);
    snprintf(text, sizeof text, "{\"%s\":[{\"run_id\":\"%s\",\"seq\":%llu,\"reason\":\"none\"}]}",
             w->refuse_runs ? "refused" : "acked", report.run_id, (unsigned long long)report.seq);
    answer(x, 200, text);
}

static void on_request(struct http_exchange *x, const struct http_request *r)
{
    struct world *w = x->server->owner;
    const struct h1_header *token = h1_find(r->head, STR("x-worker-token"));
    char right[20];

    if (str_eq(r->path, STR("/cp/workers/register"))) {
        take_hello(w, x, r->body);
        return;
    }
    snprintf(right, sizeof right, "token%u", w->registrations);
    if (w->unknown || token == NULL || !str_eq(token->value, str_c(right))) {
        answer_error(x, 404);
    } else if (str_eq(r->path, STR("/cp/workers/wkr_0000000000000001/commands"))) {
        begin_stream(w, x);
    } else if (str_eq(r->path, STR("/cp/workers/wkr_0000000000000001/heartbeat"))) {
        take_beat(w, x, r->body);
    } else if (str_eq(r->path, STR("/cp/workers/wkr_0000000000000001/telemetry"))) {
        take_reports(w, x, r->body);
    } else {
        fail_msg("a request for %.*s", STR_ARG(r->path));
    }
}

static void on_gone(struct http_exchange *x)
{
    struct world *w = x->server->owner;

    w->stream = x == w->stream ? NULL : w->stream;
}

static const struct http_service service = {.on_request = on_request, .on_gone = on_gone};

static int open_stream(void *owner, struct stream **out)
{
    struct world *w = owner;
    struct stream *far;

    if (w->refuse != 0) {
        return w->refuse;
    }
    mem_pair(w->loop, NULL, out, &far);
    http_server_accept(&w->server, far, true);
    return 0;
}

/* ---- the worker -------------------------------------------------------------------------------
 */

static void on_change(void *owner)
{
    struct world *w = owner;

    if (w->up != NULL) {
        uplink_http_wake(w->up);
    }
}

static void on_registered(void *owner, const char *id, bool again)
{
    struct world *w = owner;

    w->registered++;
    w->again += again;
    snprintf(w->id, sizeof w->id, "%s", id);
}

static void on_trouble(void *owner, const char *text)
{
    struct world *w = owner;

    w->troubles++;
    snprintf(w->trouble, sizeof w->trouble, "%s", text);
}

static void on_end(void *owner, const char *why)
{
    struct world *w = owner;

    w->ends++;
    snprintf(w->why, sizeof w->why, "%s", why);
}

static void prepare(struct world *w)
{
    struct capacity capacity = {.max_vus = 7, .max_concurrent_ops = 14, .max_rps = 30, .cores = 2};
    struct http_limits limits = http_limits_default();

    *w = (struct world){.now_ns = NS_PER_S};
    w->clock.virtual_ns = &w->now_ns;
    assert_int_equal(loop_new(&w->clock, &w->loop, NULL), 0);
    http_server_init(&w->server, w->loop, &limits, &service, w);
    timer_init(&w->keepalive, on_keepalive);
    introduce(&capacity, NULL, &w->hello);
    w->remote = remote_new(&(struct remote_config){
        .loop = w->loop, .capacity = capacity, .on_change = on_change, .owner = w});
}

static void start(struct world *w)
{
    const struct uplink_http_config config = {.loop = w->loop,
                                              .remote = w->remote,
                                              .url = "http://cp.test:8080/cp",
                                              .hello = &w->hello,
                                              .opener = open_stream,
                                              .opener_owner = w,
                                              .on_registered = on_registered,
                                              .on_trouble = on_trouble,
                                              .on_end = on_end,
                                              .owner = w};

    assert_int_equal(uplink_http_new(&config, &w->up, NULL), 0);
}

static void run_for(struct world *w, uint64_t ns)
{
    loop_run_virtual(w->loop, &w->now_ns, w->now_ns + ns);
}

/* The part is compiled by a real thread: until its note has come. */
static void until_reported(struct world *w)
{
    uint64_t before = clock_monotonic_ns();

    while (!remote_fresh(w->remote) && w->posts == 0) {
        assert_true(clock_monotonic_ns() - before < 10 * NS_PER_S);
        usleep(1000);
        loop_run_virtual(w->loop, &w->now_ns, w->now_ns + 1);
    }
}

static void tear_down(struct world *w)
{
    uplink_http_free(w->up);
    uplink_http_free(NULL);
    remote_free(w->remote);
    loop_timer_cancel(w->loop, &w->keepalive);
    http_server_clear(&w->server);
    run_for(w, MS);
    loop_free(w->loop);
    wire_hello_clear(&w->hello);
}

/* A part of a run that no worker can take: its answer is quick, and costs no load. */
#define ORDER                                                                        \
    "{\"order\":\"assign\",\"run_id\":\"run_1\",\"n\":1,\"execution_id\":\"exe_1\"," \
    "\"worker_id\":\"wkr_1\",\"scenario\":{},\"seed\":0,\"base\":0,\"shards\":1,"    \
    "\"total\":1,\"log\":false,\"network\":\"local\"}"

/* ---- the tests --------------------------------------------------------------------------------
 */

static void a_worker_registers_and_stays(void **state)
{
    struct world w;

    (void)state;
    prepare(&w);
    start(&w);
    run_for(&w, 100 * NS_PER_S);
    assert_int_equal(w.registrations, 1);
    assert_int_equal(w.registered, 1);
    assert_string_equal(w.id, "wkr_0000000000000001");
    assert_int_equal(w.streams, 1);
    assert_in_range(w.beats, 100, 107); /* the first ones are close together */
    assert_int_equal(w.posts, 0);
    assert_int_equal(w.troubles, 0);
    tear_down(&w);
}

static void it_waits_for_its_control_plane(void **state)
{
    struct world w;

    (void)state;
    prepare(&w);
    w.refuse = -ECONNREFUSED;
    start(&w);
    run_for(&w, 600 * NS_PER_S);
    assert_int_equal(w.registered, 0);
    assert_int_equal(w.troubles, 1); /* told once, not each time */
    assert_string_equal(w.trouble, "cannot reach http://cp.test:8080/cp: Connection refused");
    w.refuse = 0;
    run_for(&w, 7 * NS_PER_S); /* never slower than that */
    assert_int_equal(w.registered, 1);
    assert_string_equal(w.trouble, "");
    tear_down(&w);
}

static void an_answer_that_is_none_is_no_end(void **state)
{
    struct world w;

    (void)state;
    prepare(&w);
    w.register_status = 503;
    start(&w);
    run_for(&w, NS_PER_S);
    assert_string_equal(w.trouble, "the control plane answers with status 503: not today");
    w.register_status = 0;
    run_for(&w, 7 * NS_PER_S);
    assert_int_equal(w.registered, 1);
    assert_int_equal(w.ends, 0);
    tear_down(&w);
}

static void a_refused_worker_gives_up(void **state)
{
    struct world w;

    (void)state;
    prepare(&w);
    w.register_status = 409;
    start(&w);
    run_for(&w, 100 * NS_PER_S);
    assert_int_equal(w.registrations, 1);
    assert_int_equal(w.ends, 1);
    assert_string_equal(w.why, "the control plane answers with status 409: not today");
    tear_down(&w);
}

static void reports_are_sent_until_they_are_safe(void **state)
{
    struct world w;

    (void)state;
    prepare(&w);
    w.order = ORDER;
    w.telemetry_status = 500;
    start(&w);
    until_reported(&w);
    run_for(&w, 60 * NS_PER_S);
    assert_in_range(w.posts, 10, 30); /* ever more slowly, and for ever */
    assert_int_equal(w.reports, 0);
    assert_false(remote_done(w.remote));
    w.telemetry_status = 0;
    run_for(&w, 7 * NS_PER_S);
    assert_int_equal(w.reports, 1);
    assert_int_equal(w.last_seq, 1);
    assert_true(remote_done(w.remote));
    unsigned posts = w.posts;
    run_for(&w, 60 * NS_PER_S);
    assert_int_equal(w.posts, posts);
    tear_down(&w);
}

/* The order comes again with each stream, and begins nothing. */
static void a_broken_stream_is_opened_again(void **state)
{
    struct world w;

    (void)state;
    prepare(&w);
    w.order = ORDER;
    start(&w);
    until_reported(&w);
    run_for(&w, NS_PER_S);
    for (unsigned i = 1; i < 5; i++) {
        assert_int_equal(w.streams, i);
        struct http_exchange *x = w.stream;
        w.stream = NULL;
        if (i % 2 == 0) {
            http_stream_end(x);
        } else {
            http_abort(x, true);
        }
        run_for(&w, NS_PER_S);
    }
    usleep(50000); /* a second compilation would have reported by now */
    run_for(&w, NS_PER_S);
    assert_int_equal(w.reports, 1);
    assert_int_equal(w.registrations, 1);
    assert_string_equal(w.trouble, "");
    tear_down(&w);
}

static void a_silent_stream_is_opened_again(void **state)
{
    struct world w;

    (void)state;
    prepare(&w);
    w.silent = true;
    start(&w);
    run_for(&w, 11 * NS_PER_S);
    assert_int_equal(w.streams, 1);
    run_for(&w, 2 * NS_PER_S);
    assert_int_equal(w.streams, 2);
    tear_down(&w);
}

/* A control plane that was restarted without its store: the same worker, with the runs it has. */
/* A connection that leads nowhere any more must not make a worker look lost, which it is after ten
 * seconds. */
static void a_heartbeat_without_an_answer_is_followed_by_the_next(void **state)
{
    struct world w;

    (void)state;
    prepare(&w);
    start(&w);
    run_for(&w, 2500 * MS);
    unsigned before = w.beats;
    w.beats_lost = 2;
    run_for(&w, 9 * NS_PER_S);
    assert_int_equal(w.beats_lost, 0);
    assert_true(w.beats >= before + 4);
    assert_int_equal(w.registrations, 1);
    tear_down(&w);
}

static void a_forgotten_worker_registers_again(void **state)
{
    struct world w;

    (void)state;
    prepare(&w);
    w.order = ORDER;
    w.telemetry_status = 500;
    start(&w);
    until_reported(&w);
    run_for(&w, NS_PER_S);
    assert_string_equal(w.claimed_id, "");
    w.unknown = true;
    w.telemetry_status = 0;
    w.order = NULL;
    run_for(&w, 10 * NS_PER_S);
    assert_int_equal(w.registrations, 2);
    assert_int_equal(w.again, 1);
    assert_string_equal(w.claimed_id, "wkr_0000000000000001");
    assert_string_equal(w.claimed_token, "token1");
    assert_int_equal(w.streams, 2);
    assert_int_equal(w.reports, 1);
    assert_true(remote_done(w.remote));
    tear_down(&w);
}

static void refused_reports_are_forgotten(void **state)
{
    struct world w;

    (void)state;
    prepare(&w);
    w.order = ORDER;
    w.refuse_runs = true;
    start(&w);
    until_reported(&w);
    run_for(&w, NS_PER_S);
    assert_int_equal(w.posts, 1);
    assert_true(remote_done(w.remote));
    run_for(&w, 60 * NS_PER_S);
    assert_int_equal(w.posts, 1);
    tear_down(&w);
}

static void a_wrong_url_is_told(void **state)
{
    struct world w;
    struct err err = {0};
    struct uplink_http *up = NULL;

    (void)state;
    prepare(&w);
    struct uplink_http_config config = {
        .loop = w.loop, .remote = w.remote, .url = "cp.test", .hello = &w.hello};
    assert_int_equal(uplink_http_new(&config, &up, &err), ERR_INVALID);
    assert_null(up);
    assert_true(strlen(err.msg) > 0);
    tear_down(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_registers_and_stays),
        cmocka_unit_test(it_waits_for_its_control_plane),
        cmocka_unit_test(an_answer_that_is_none_is_no_end),
        cmocka_unit_test(a_refused_worker_gives_up),
        cmocka_unit_test(reports_are_sent_until_they_are_safe),
        cmocka_unit_test(a_broken_stream_is_opened_again),
        cmocka_unit_test(a_silent_stream_is_opened_again),
        cmocka_unit_test(a_heartbeat_without_an_answer_is_followed_by_the_next),
        cmocka_unit_test(a_forgotten_worker_registers_again),
        cmocka_unit_test(refused_reports_are_forgotten),
        cmocka_unit_test(a_wrong_url_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
