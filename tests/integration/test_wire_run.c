/* SPDX-License-Identifier: MIT */
/*
 * Whole runs whose windows and checks come as bytes, as from a worker of another process: their
 * results are those of the same runs inside one process, and what the shards have counted is what
 * the books have, to the bucket.
 */
#include "integration/world.h"
#include "report/result/result.h"
#include "wire/report.h"
#include "wire/totals.h"
#include "wire/window.h"

enum { BYTES_MAX = 16 * 1024 * 1024 };

/* The way between shards and run. */
static struct {
    struct window *window;     /* the last one, as it was read */
    struct wire_totals totals; /* of what the shards sent */
    struct buf bytes;
    size_t windows, bytes_sum;
} way;

static void way_open(const struct plan *plan)
{
    way.window = window_new(plan->key_count, (uint32_t)plan->scenario->workload.custom_count, 0);
    wire_totals_init(&way.totals, plan->key_count);
    buf_init(&way.bytes, BYTES_MAX);
    way.windows = way.bytes_sum = 0;
}

static void way_close(void)
{
    window_free(way.window);
    wire_totals_clear(&way.totals);
    buf_clear(&way.bytes);
}

static void send_window(struct world *w, uint32_t source, const struct window *sent)
{
    const struct plan *plan = w->planned.plan;
    const struct wire_window_limits limits = {.key_count = plan->key_count,
                                              .custom_count = sent->custom_count,
                                              .stage_count = plan->stage_count};

    wire_totals_add(&way.totals, sent);
    way.bytes.len = 0;
    assert_int_equal(wire_window_encode(sent, 0, &way.bytes), 0);
    assert_int_equal(wire_window_decode(buf_str(&way.bytes), &limits, way.window, NULL), 0);
    way.windows++;
    way.bytes_sum += way.bytes.len;
    run_on_window(w->run, source, way.window);
}

static void send_checks(struct world *w, const struct check_list *sent)
{
    struct check_list checks;

    way.bytes.len = 0;
    assert_int_equal(wire_checks_encode(sent, &way.bytes), 0);
    assert_int_equal(wire_checks_decode(buf_str(&way.bytes), &checks, NULL), 0);
    run_on_checks(w->run, &checks);
}

static void deliver_bytes(struct world *w, struct message *m)
{
    if (m->kind == REPORT_WINDOW) {
        send_window(w, m->shard, m->window);
        m->kind = ORDER_RECYCLE;
        shard_take(w->shards[m->shard], m);
    } else if (m->kind == REPORT_CHECKS) {
        send_checks(w, m->checks);
        xfree(m->checks);
        xfree(m);
    } else {
        deliver_one(w, m);
    }
}

static void on_deliver_bytes(struct defer *d)
{
    struct world *w = list_entry(d, struct world, deliver);

    while (!list_empty(&w->reports)) {
        struct message *m = list_entry(w->reports.next, struct message, node);

        list_remove(&m->node);
        deliver_bytes(w, m);
    }
}

/* ---- the runs -----------------------------------------------------------------------------------
 */

/* Stages that begin inside a second, both models, a rate that is too high, numbers of the answers.
 */
static const char scenario[] =
    "{'target': {'url': 'http://localhost/mcp', 'timeouts': {'stream_stall_timeout_ms': 2000}},"
    " 'workload': {'operation_mix': ["
    "     {'operation': 'tools_call', 'tool_name': 'echo', 'weight': 3},"
    "     {'operation': 'ping'}],"
    "   'metrics': [{'name': 'row', 'kind': 'trend', 'tool_name': 'echo', 'pointer': "
    "'/structuredContent/row'}],"
    "   'in_flight_per_vu': 2, 'think_time': {'mode': 'fixed', 'base_ms': 20}},"
    " 'stages': [{'stage': 'preflight', 'duration_ms': 1500, 'load': {'target_vus': 1}},"
    "   {'stage': 'baseline', 'duration_ms': 3700, 'load': {'target_vus': 7}},"
    "   {'stage': 'soak', 'duration_ms': 3000, 'load': {'target_vus': 3, 'target_rps': 400}}]}";

/* Of the calls, each fifth fails with a text of its own, and each 50th is never answered. */
static bool mixed(void *owner, const struct peer_request *r)
{
    struct world *w = owner;
    uint64_t n = w->peer.sessions * 7 + (uint64_t)r->id;
    char result[128];

    if (strcmp(r->method, "tools/call") != 0) {
        return false;
    }
    if (n % 50 == 0) {
        peer_sse_begin(r->conn, 0, NULL);
        return true;
    }
    snprintf(result, sizeof result,
             n % 5 == 0
                 ? "{\"isError\":true,\"content\":[{\"type\":\"text\",\"text\":\"no row %d\"}]}"
                 : "{\"content\":[],\"structuredContent\":{\"row\":%d}}",
             (int)(n % 90));
    say_result(r, (5 + n % 13) * MS, result);
    return true;
}

/* The result, without what tells when it was. */
static json_t *play(struct world *w, bool by_bytes)
{
    static const char *const of_the_moment[] = {"started_at", "ended_at", "created_at",
                                                "duration_ms"};

    now_ns = 1000 * NS_PER_S;
    set_up_with(w, scenario);
    w->peer.on_request = mixed;
    w->peer.owner = w;
    if (by_bytes) {
        way_open(w->planned.plan);
        defer_init(&w->deliver, on_deliver_bytes);
    }
    run_for(w, 60 * NS_PER_S);
    assert_int_equal(w->ends, 1);
    assert_string_equal(run_state_name(w->run->state), "completed");
    json_t *result = result_json(w->run);
    for (size_t i = 0; i < sizeof of_the_moment / sizeof of_the_moment[0]; i++) {
        json_object_del(result, of_the_moment[i]);
    }
    return result;
}

/* ---- tests -------------------------------------------------------------------------------------
 */

static void test_the_result_is_the_same(void **state)
{
    struct world w;
    struct buf a, b;

    (void)state;
    buf_init(&a, BYTES_MAX);
    buf_init(&b, BYTES_MAX);
    json_t *here = play(&w, false);
    tear_down(&w);
    json_t *there = play(&w, true);
    assert_true(total(&w, COUNT_ENDED_FAILED) > 100 && total(&w, COUNT_ENDED_OK) > 500);
    assert_true(way.windows >= 8 * SHARDS);
    tear_down(&w);
    assert_int_equal(json_write_pretty(here, &a), 0);
    assert_int_equal(json_write_pretty(there, &b), 0);
    assert_string_equal(buf_c(&a), buf_c(&b));
    way_close();
    json_decref(here);
    json_decref(there);
    buf_clear(&a);
    buf_clear(&b);
}

/* What a control plane knows of a key (-1: all of them together). */
static void books_part(const struct aggregate *books, int32_t key, struct wire_total_part *to)
{
    struct aggregate_filter filter = aggregate_everything();
    struct metric_view view = {0};

    filter.key = key;
    filter.only_keys = key >= 0;
    aggregate_view_total(books, &filter, &view);
    memcpy(to->count, view.count, sizeof to->count);
    for (unsigned i = 0; i < DIST_ALL; i++) {
        wire_total_dist_add_total(&to->dist[i], view.dist[i]);
    }
    metric_view_clear(&view);
}

/* The sum of all is what belongs to a key and what belongs to none. */
static void books_totals(const struct aggregate *books, struct wire_totals *out)
{
    wire_totals_init(out, aggregate_key_count(books));
    for (uint32_t i = 0; i < out->key_count; i++) {
        books_part(books, (int32_t)i, &out->keys[i]);
    }
    books_part(books, -1, &out->run);
    memset(out->run.count, 0, COUNT_CONNECT_ATTEMPTS * sizeof out->run.count[0]);
    memset(out->run.dist, 0, DIST_TOOL_LAG * sizeof out->run.dist[0]);
}

static struct window *last_window(void)
{
    way.window->keys[0].count[COUNT_STARTED] += 1; /* the last one of a run may be empty */
    return way.window;
}

static void test_the_books_are_what_the_shards_counted(void **state)
{
    struct world w;
    struct wire_totals books, reported;
    struct buf bytes;
    struct err err = {.msg = ""};

    (void)state;
    json_decref(play(&w, true));
    buf_init(&bytes, BYTES_MAX);
    assert_int_equal(wire_totals_encode(&way.totals, &bytes), 0);
    books_totals(w.run->books, &books);
    wire_totals_init(&reported, books.key_count);
    assert_int_equal(wire_totals_decode(buf_str(&bytes), &reported, NULL), 0);
    if (!wire_totals_equal(&reported, &books, &err)) {
        fail_msg("%s", err.msg);
    }
    assert_true(reported.keys[0].dist[DIST_SERVICE].count > 0 &&
                reported.run.dist[DIST_TOOL_LAG].count > 0);
    wire_totals_add(&reported, last_window()); /* as if the books lacked one */
    assert_false(wire_totals_equal(&reported, &books, &err));
    assert_non_null(strstr(err.msg, "started is"));
    wire_totals_clear(&books);
    wire_totals_clear(&reported);
    buf_clear(&bytes);
    tear_down(&w);
    way_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_result_is_the_same),
        cmocka_unit_test(test_the_books_are_what_the_shards_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
