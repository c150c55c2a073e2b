/* SPDX-License-Identifier: MIT */
/*
 * The result does not tell how many sources made the load: the same operations are dealt to 1 to 7
 * of them, of one worker or of several, reported in any order, and all members but those that name
 * sources and workers are the same.
 */
#include "base/mem.h"
#include "base/rng.h"
#include "control/run.h"
#include "report/result/result.h"
#include "support/planned.h"
#include "support/unit.h"

#define MS NS_PER_MS

enum { SOURCES_MAX = 7, OPERATIONS = 45, LOAD_SECONDS = 14 };

static uint64_t now_ns;
static const struct clock virtual_clock = {.virtual_ns = &now_ns};

struct world {
    struct planned planned;
    struct loop *loop;
    struct run *run;
    struct run_workers workers;
    uint32_t count;
    uint64_t grid_ns;
    bool draining;
};

static const char scenario[] =
    "{'target': {'url': 'http://localhost/mcp'},"
    " 'workload': {'operation_mix': [{'operation': 'tools_call', 'tool_name': 'echo'},"
    "  {'operation': 'tools_list'}], 'metrics': [{'name': 'depth', 'kind': 'trend',"
    "  'pointer': '/depth'}, {'name': 'tokens', 'kind': 'counter', 'pointer': '/tokens'}]},"
    " 'success_criteria': [{'metric': 'error_rate', 'comparator': '<', 'threshold': 0.05}],"
    " 'stages': [{'stage': 'preflight', 'duration_ms': 3000, 'load': {'target_vus': 3}},"
    "  {'stage': 'baseline', 'duration_ms': 5000, 'load': {'target_vus': 9},"
    "   'stop_conditions': [{'metric': 'latency_p95_ms', 'comparator': '>', 'threshold': 5000}]},"
    "  {'stage': 'soak', 'duration_ms': 5000, 'load': {'target_vus': 9, 'target_rps': 45}}]}";

static uint64_t draw(uint64_t what, uint64_t id, uint64_t n)
{
    return rng_below(rng_at(what, id), n);
}

/* ---- the load ----------------------------------------------------------------------------------
 */

static uint32_t stage_at(const struct world *w, uint64_t at_ns)
{
    uint32_t stage = 0;

    while (stage + 1 < w->planned.plan->stage_count && w->run->stages[stage + 1].started &&
           w->run->stages[stage + 1].start_ns <= at_ns) {
        stage++;
    }
    return stage;
}

static void operate(const struct world *w, struct window *win, uint32_t stage, uint64_t id)
{
    uint32_t key = plan_key(w->planned.plan, stage, (uint32_t)(id % 2));
    uint64_t due = win->start_ns + draw(1, id, 900 * MS);
    bool failed = stage > 0 && draw(2, id, 12) == 0;
    struct outcome o = {.key = key,
                        .cls = failed ? OUTCOME_FAILED : OUTCOME_OK,
                        .error_code = failed ? ERROR_CODE_HTTP_5XX : ERROR_CODE_NONE,
                        .t_due = due,
                        .t_free = due,
                        .t_ready = due,
                        .t_send = due + draw(3, id, 20000),
                        .vu = (uint32_t)(id % 9),
                        .n = id,
                        .bytes_in = 100 + id % 50,
                        .bytes_out = 80,
                        .message = STR("the line is busy"),
                        .requests_sent = 1,
                        .session_was_used = id > 9};

    o.t_end = o.t_send + MS + draw(4, id, 80 * MS);
    o.error_type = error_code_type(o.error_code);
    o.origin = error_type_origin(o.error_type);
    window_started(win, key);
    if (w->planned.plan->stages[stage].levels.open_model) {
        window_key(win, key)->count[COUNT_DUE]++;
    }
    window_outcome(win, &o);
    if (!failed && id % 2 == 0) {
        uint64_t at_ns = win->start_ns + id % OPERATIONS * MS; /* a shard's own come in order */

        window_custom(win, 0, (double)(id % 17) / 4, true, at_ns);
        window_custom(win, 1, (double)(id % 5), false, at_ns);
    }
}

/* What a source that has the operations n, n + count … brings of a second. */
static void report(struct world *w, struct window *win, uint32_t source, uint64_t second)
{
    uint64_t start_ns = w->grid_ns + second * NS_PER_S;
    uint32_t stage = stage_at(w, start_ns);

    window_reset(win, second, start_ns, start_ns + NS_PER_S);
    win->stage_index = stage;
    win->busy_ns = NS_PER_S / 20;
    win->wall_ns = NS_PER_S;
    for (uint64_t n = source; n < OPERATIONS && second < LOAD_SECONDS; n += w->count) {
        operate(w, win, stage, second * OPERATIONS + n);
    }
    for (uint64_t vu = source; vu < 9; vu += w->count) {
        win->gauges.active_vus++;
        win->gauges.open_connections++;
        if (second == 0) {
            window_connect(win, (200 + vu) * NS_PER_US, ERROR_CODE_NONE);
            window_session(win, 2 * MS, MS + vu * NS_PER_US, true);
        }
    }
    run_on_window(w->run, source, win);
}

/* ---- the run -----------------------------------------------------------------------------------
 */

static void order_check(void *workers)
{
    (void)workers;
}

static void
order_stage(void *workers, uint32_t stage, uint64_t grid_ns, uint64_t start_ns, uint64_t end_ns)
{
    (void)stage;
    (void)start_ns;
    (void)end_ns;
    ((struct world *)workers)->grid_ns = grid_ns;
}

static void order_drain(void *workers, bool natural)
{
    (void)natural;
    ((struct world *)workers)->draining = true;
}

static void order_stop(void *workers)
{
    ((struct world *)workers)->draining = true;
}

static void set_up(struct world *w, uint32_t count, const struct run_source *sources)
{
    static const char *const metrics[] = {"error_rate", "latency_p95_ms"};
    struct check_list checks = {.count = 1, .items = {{.name = "handshake", .ok = true}}};

    now_ns = 7000 * NS_PER_S;
    *w = (struct world){.count = count};
    planned_make(&w->planned, scenario, metrics, 2);
    assert_int_equal(loop_new(&virtual_clock, &w->loop, NULL), 0);
    w->workers = (struct run_workers){.check = order_check,
                                      .stage = order_stage,
                                      .drain = order_drain,
                                      .stop = order_stop,
                                      .source_count = count,
                                      .sources = sources};
    struct run_parts parts = {.plan = w->planned.plan,
                              .identity = &w->planned.identity,
                              .workers = &w->workers,
                              .workers_owner = w};
    assert_int_equal(run_new(w->loop, &parts, &w->run, NULL), 0);
    run_start(w->run);
    run_on_checks(w->run, &checks);
}

static void tear_down(struct world *w)
{
    run_free(w->run);
    loop_free(w->loop);
    planned_clear(&w->planned);
}

/* Sources report shortly after each second, from another one on each time. */
static json_t *play(uint32_t count, const struct run_source *sources)
{
    struct world w;

    set_up(&w, count, sources);
    struct window *win = window_new(w.planned.plan->key_count,
                                    (uint32_t)w.planned.scenario->workload.custom_count, 0);
    for (uint64_t second = 0; !w.draining || second < LOAD_SECONDS + 1; second++) {
        loop_run_virtual(w.loop, &now_ns, w.grid_ns + (second + 1) * NS_PER_S + 10 * MS);
        for (uint32_t i = 0; i < count; i++) {
            report(&w, win, (uint32_t)((i + second) % count), second);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        run_on_drained(w.run, i);
    }
    assert_int_equal(w.run->state, RUN_COMPLETED);
    json_t *result = result_json(w.run);
    window_free(win);
    tear_down(&w);
    return result;
}

/* Takes away what is of the wall clock, and what names sources and workers. */
static void forget(json_t *result)
{
    static const char *const members[] = {"started_at",  "ended_at", "duration_ms",
                                          "environment", "workers",  "labels"};
    static const char *const of_books[] = {"sources", "finished", "windows", "line"};
    size_t i;
    json_t *row;

    for (i = 0; i < sizeof members / sizeof members[0]; i++) {
        json_object_del(result, members[i]);
    }
    for (i = 0; i < sizeof of_books / sizeof of_books[0]; i++) {
        json_object_del(json_object_get(result, "integrity"), of_books[i]);
    }
    json_array_foreach(json_object_get(result, "slowest"), i, row)
    {
        json_object_del(row, "source");
    }
}

static void expect_same(json_t *wanted, json_t *is, uint32_t count)
{
    const char *key;
    json_t *value;

    json_object_foreach(wanted, key, value)
    {
        if (!json_equal(value, json_object_get(is, key))) {
            char *a = json_dumps(value, JSON_ENCODE_ANY);
            char *b = json_dumps(json_object_get(is, key), JSON_ENCODE_ANY);
            fail_msg("%s, %u sources:\n%.3000s\n%.3000s", key, count, a, b);
        }
    }
}

static void the_result_is_that_of_one_source(void **state)
{
    static const char *const labels[] = {"zone=a", "zone=b"};
    static const struct run_source sources[SOURCES_MAX] = {
        {"wkr_0000000000000001", &labels[0], 1}, {"wkr_0000000000000001", &labels[0], 1},
        {"wkr_0000000000000001", &labels[0], 1}, {"wkr_0000000000000002", &labels[1], 1},
        {"wkr_0000000000000003", &labels[1], 1}, {"wkr_0000000000000003", &labels[1], 1},
        {"wkr_0000000000000004", &labels[1], 1}};

    (void)state;
    json_t *one = play(1, NULL);
    assert_true(json_array_size(json_object_get(one, "slowest")) > 10);
    assert_true(json_array_size(json_object_get(one, "errors")) > 0);
    forget(one);
    for (uint32_t count = 2; count <= SOURCES_MAX; count++) {
        json_t *is = play(count, count % 2 == 0 ? NULL : sources);

        forget(is);
        expect_same(one, is, count);
        json_decref(is);
    }
    json_decref(one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_result_is_that_of_one_source),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
