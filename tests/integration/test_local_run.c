/* SPDX-License-Identifier: MIT */
/*
 * A whole run in one process: the control plane, a worker with its threads, and the mock with its
 * own, over real loopback sockets. Both sides must count the same, to the last request.
 */
#include "control/run.h"
#include "mock/server/serve.h"
#include "support/mock_stats.h"
#include "support/planned.h"
#include "support/unit.h"
#include "worker/local.h"

static const struct clock real_clock = {0};

struct world {
    struct planned planned;
    struct loop *loop;
    struct mock_serve *mock;
    struct url url;
    struct local_worker *worker;
    struct run *run;
    struct timer interrupt;
    bool interrupted; /* when its first second is complete */
    enum stop_mode interrupt_mode;
    bool dead; /* the target is stopped before the run begins */
    json_t *stats;
};

/* ---- the wires between run and worker
 * ------------------------------------------------------------ */

static void on_checks(void *owner, const struct check_list *checks)
{
    run_on_checks(((struct world *)owner)->run, checks);
}

static void on_window(void *owner, uint32_t source, struct window *w)
{
    run_on_window(((struct world *)owner)->run, source, w);
}

static void on_drained(void *owner, uint32_t source)
{
    run_on_drained(((struct world *)owner)->run, source);
}

static void on_end(void *owner)
{
    loop_stop(((struct world *)owner)->loop);
}

static void on_second(void *owner, uint64_t second)
{
    struct world *w = owner;

    if (w->interrupted && second == 0) {
        loop_timer_arm(w->loop, &w->interrupt, loop_clock(w->loop));
    }
}

static void on_interrupt(struct timer *t)
{
    struct world *w = list_entry(t, struct world, interrupt);

    run_stop_request(w->run, w->interrupt_mode, 0, "user");
}

/* ---- the mock's account
 * -------------------------------------------------------------------------- */

static uint64_t stat_of(const struct world *w, const char *group, const char *name)
{
    const json_t *at = group != NULL ? json_object_get(w->stats, group) : w->stats;

    return (uint64_t)json_integer_value(json_object_get(at, name));
}

/* ---- a run -------------------------------------------------------------------------------------
 */

static void start_mock(struct world *w)
{
    struct mock_serve_config config = {.mock = mock_config_default(), .threads = 2};

    assert_int_equal(
        addr_parse_listen(STR("127.0.0.1:0"), config.addresses, &config.address_count, NULL), 0);
    assert_int_equal(mock_serve_start(&config, &w->mock, NULL), 0);
}

static void play(struct world *w, uint32_t threads, const char *workload, unsigned vus)
{
    struct worker_listener listener = {on_checks, on_window, on_drained, w};
    struct run_observer observer = {.on_second = on_second, .on_end = on_end, .owner = w};
    char text[2000], url[64];

    start_mock(w);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/mcp", mock_serve_port(w->mock));
    snprintf(text, sizeof text,
             "{'target': {'url': '%s'}, 'workload': {%s}, 'stages': [{'stage': 'baseline', "
             "'duration_ms': %d, 'load': {'target_vus': %u}}]}",
             url, workload, w->interrupted ? 60000 : 1000, vus);
    planned_make(&w->planned, text, NULL, 0);
    plan_free(w->planned.plan);
    assert_int_equal(url_parse(str_c(url), &w->url, NULL), 0);
    w->planned.plan =
        plan_new(w->planned.scenario, &w->planned.identity, w->url.authority, w->url.target);
    assert_int_equal(loop_new(&real_clock, &w->loop, NULL), 0);
    struct local_worker_config config = {
        .plan = w->planned.plan, .url = &w->url, .threads = threads};
    assert_int_equal(local_worker_new(w->loop, &config, &w->worker, NULL), 0);
    assert_true(threads == 0 || local_worker_shards(w->worker) == threads);
    local_worker_listen(w->worker, &listener);
    struct run_workers workers = {
        .check = local_worker_check,
        .stage = local_worker_stage,
        .drain = local_worker_drain,
        .stop = local_worker_stop,
        .source_count = local_worker_shards(w->worker),
    };
    struct run_parts parts = {.plan = w->planned.plan,
                              .identity = &w->planned.identity,
                              .workers = &workers,
                              .workers_owner = w->worker,
                              .observer = observer};
    assert_int_equal(run_new(w->loop, &parts, &w->run, NULL), 0);
    if (w->dead) {
        mock_serve_stop(w->mock);
        w->mock = NULL;
    }
    run_emit_created(w->run);
    run_start(w->run);
    loop_run(w->loop);
    w->stats = w->dead ? NULL : mock_stats_ask(mock_serve_port(w->mock));
}

static void tear_down(struct world *w)
{
    loop_timer_cancel(w->loop, &w->interrupt);
    run_free(w->run);
    local_worker_free(w->worker);
    loop_free(w->loop);
    mock_serve_stop(w->mock);
    json_decref(w->stats);
    planned_clear(&w->planned);
}

static void world_init(struct world *w)
{
    *w = (struct world){0};
    timer_init(&w->interrupt, on_interrupt);
}

/* Of key `key`, or of everything (-1). */
static uint64_t count_of(const struct world *w, enum count id, int32_t key)
{
    struct aggregate_filter filter = aggregate_everything();
    struct metric_view view = {0};

    filter.dists = 0;
    filter.key = key;
    aggregate_view_total(w->run->books, &filter, &view);
    uint64_t n = view.count[id];
    metric_view_clear(&view);
    return n;
}

/* Of all keys of that method, or of everything (NULL). */
static uint64_t total(const struct world *w, enum count id, const char *method)
{
    const struct plan *plan = w->planned.plan;
    uint64_t sum = 0;

    if (method == NULL) {
        return count_of(w, id, -1);
    }
    for (uint32_t i = 0; i < plan->operation_count; i++) {
        if (strcmp(operation_name(plan->operations[i].kind), method) == 0) {
            sum += count_of(w, id, (int32_t)plan_key(plan, 0, i));
        }
    }
    return sum;
}

/* Requests of the checks, which belong to no operation. */
static uint64_t checks_of(const struct world *w, const char *method)
{
    for (uint32_t i = 0; i < w->run->checks.request_count; i++) {
        if (strcmp(w->run->checks.requests[i].method, method) == 0) {
            return w->run->checks.requests[i].count;
        }
    }
    return 0;
}

static void both_sides_agree(const struct world *w)
{
    static const char *const operations[] = {"tools/list", "tools/call", "ping"};

    for (int i = 0; i < 3; i++) {
        assert_int_equal(total(w, COUNT_REQUESTS_SENT, operations[i]) + checks_of(w, operations[i]),
                         stat_of(w, "requests", operations[i]));
    }
    assert_int_equal(total(w, COUNT_SESSIONS_CREATED, NULL) + checks_of(w, "initialize"),
                     stat_of(w, NULL, "sessions_opened"));
    assert_int_equal(total(w, COUNT_EVENTS, NULL), stat_of(w, NULL, "events_sent"));
    assert_string_equal(w->run->validity, "valid");
}

#define MIX                                                                                  \
    "'operation_mix': [{'operation': 'tools_list', 'weight': 1}, "                           \
    "{'operation': 'tools_call', 'weight': 5}, {'operation': 'ping', 'weight': 1}], "        \
    "'tools': {'templates': [{'template_id': 'a', 'tool_name': 'fast_echo', 'weight': 3, "   \
    "'arguments': {'message': '${op_seq}'}}, {'template_id': 'b', 'tool_name': "             \
    "'notifications_subscribe', 'expects_streaming': true, 'arguments': {'event_count': 3, " \
    "'interval_ms': 2}}]}"

static void both_sides_count_the_same(void **state)
{
    static const struct {
        uint32_t threads;
        unsigned vus;
    } cases[] = {{1, 1}, {0, 8}, {3, 40}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w;

        world_init(&w);
        play(&w, cases[i].threads, MIX, cases[i].vus);
        assert_string_equal(run_state_name(w.run->state), "completed");
        assert_int_equal(w.run->exit_code, 0);
        assert_true(total(&w, COUNT_STARTED, NULL) > 20);
        assert_int_equal(total(&w, COUNT_STARTED, NULL), total(&w, COUNT_ENDED_OK, NULL));
        both_sides_agree(&w);
        assert_int_equal(stat_of(&w, NULL, "sessions_deleted"),
                         stat_of(&w, NULL, "sessions_opened"));
        assert_int_equal(stat_of(&w, NULL, "streams_open"), 0);
        tear_down(&w);
    }
}

static void a_run_that_is_stopped_still_balances(void **state)
{
    static const enum stop_mode modes[] = {STOP_DRAIN, STOP_IMMEDIATE};
    /* Of 200 ms; and longer than the run, so that each is in flight when it is cut. */
    static const char *const streams[] = {
        "'operation_mix': [{'operation': 'tools_call', 'tool_name': 'notifications_subscribe', "
        "'arguments': {'event_count': 20, 'interval_ms': 10}}]",
        "'operation_mix': [{'operation': 'tools_call', 'tool_name': 'notifications_subscribe', "
        "'arguments': {'event_count': 9000, 'interval_ms': 10}}]",
    };

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct world w;

        world_init(&w);
        w.interrupt_mode = modes[i];
        w.interrupted = true;
        play(&w, 2, streams[i], 10);
        assert_string_equal(run_state_name(w.run->state), "stopped");
        assert_int_equal(total(&w, COUNT_STARTED, NULL),
                         total(&w, COUNT_ENDED_OK, NULL) + total(&w, COUNT_UNFINISHED, NULL));
        assert_true(total(&w, COUNT_STARTED, NULL) >= 10);
        assert_string_equal(w.run->validity, "valid");
        if (modes[i] == STOP_DRAIN) {
            assert_int_equal(total(&w, COUNT_UNFINISHED, NULL), 0);
            both_sides_agree(&w);
        } else {
            assert_int_equal(total(&w, COUNT_UNFINISHED, NULL), 10);
        }
        tear_down(&w);
    }
}

static void a_dead_target_fails_preflight(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    w.dead = true;
    play(&w, 1, "'operation_mix': [{'operation': 'ping'}]", 1);
    assert_string_equal(run_state_name(w.run->state), "failed");
    assert_int_equal(w.run->exit_code, 5);
    assert_int_equal(w.run->checks.items[0].code, ERROR_CODE_CONNECTION_REFUSED);
    assert_int_equal(total(&w, COUNT_STARTED, NULL), 0);
    tear_down(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_count_the_same),
        cmocka_unit_test(a_run_that_is_stopped_still_balances),
        cmocka_unit_test(a_dead_target_fails_preflight),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
