/* SPDX-License-Identifier: MIT */
/* A shard whose control plane is far away or gone: all stages are ordered ahead, the plan ends by
 * itself, and the order to drain comes early, late, or minutes later. */
#include "unit/engine/world.h"

#define STAGE_NS (4 * NS_PER_S)

static const char *
scenario_of(const char *session, const char *workload, const char *safety, const char *loads[3])
{
    static char text[4096];

    snprintf(
        text, sizeof text,
        "{'target': {'url': 'http://localhost/mcp'}, 'session_policy': {%s},"
        " 'workload': {'operation_mix': [{'operation': 'tools_call', 'tool_name': 'echo'}] %s},"
        " 'safety': {%s}, 'stages': ["
        "{'stage': 'custom', 'stage_id': 'a', 'duration_ms': 4000, 'load': {%s}},"
        "{'stage': 'custom', 'stage_id': 'b', 'duration_ms': 4000, 'load': {%s}},"
        "{'stage': 'custom', 'stage_id': 'c', 'duration_ms': 4000, 'load': {%s}}]}",
        session, workload, safety, loads[0], loads[1], loads[2]);
    return text;
}

static const struct {
    const char *session, *workload, *safety, *loads[3];
    uint64_t delay_ns;
    bool waits; /* arrivals do, at the end of the plan */
} plans[] = {
    {"", "", "", {"'target_vus': 3", "'target_vus': 9", "'target_vus': 5"}, 10 * MS, false},
    {"",
     ", 'think_time': {'mode': 'jitter', 'base_ms': 300, 'jitter_ms': 900}",
     "",
     {"'target_vus': 9", "'target_vus': 2", "'target_vus': 20, 'start_spread_ms': 6000"},
     50 * MS,
     false},
    /* Open: calm, overloaded, sized. */
    {"'mode': 'per_request'",
     "",
     "",
     {"'target_vus': 3, 'target_rps': 40", "'target_vus': 9", "'target_vus': 3, 'target_rps': 20"},
     10 * MS,
     false},
    {"",
     "",
     "",
     {"'target_vus': 2", "'target_vus': 2, 'target_rps': 40", "'target_vus': 2, 'target_rps': 90"},
     100 * MS,
     true},
    {"",
     "",
     "'hard_caps': {'max_vus': 8}",
     {"'target_vus': 2", "'target_vus': 0, 'target_rps': 3", "'target_vus': 0, 'target_rps': 40"},
     400 * MS,
     true},
    /* Held by a cap. */
    {"",
     "",
     "'hard_caps': {'max_rps': 30}",
     {"'target_vus': 9", "'target_vus': 9, 'target_rps': 20", "'target_vus': 40"},
     10 * MS,
     false},
    {"'mode': 'pool', 'pool_size': 2",
     "",
     "'hard_caps': {'max_rps': 30}",
     {"'target_vus': 9", "'target_vus': 9", "'target_vus': 9, 'target_rps': 50"},
     10 * MS,
     false},
    /* Each user lists the tools every second. */
    {"",
     ", 'user_journey': {'startup_sequence': {'run_tools_list_on_start': true},"
     "   'periodic_ops': {'tools_list_interval_ms': 1000}}",
     "",
     {"'target_vus': 3", "'target_vus': 9", "'target_vus': 5"},
     10 * MS,
     false},
};

enum { PLANS = sizeof plans / sizeof plans[0] };

static void set_up(struct world *w, int plan)
{
    const char *loads[3] = {plans[plan].loads[0], plans[plan].loads[1], plans[plan].loads[2]};

    world_init(w,
               scenario_of(plans[plan].session, plans[plan].workload, plans[plan].safety, loads));
    w->peer.delay_ns = plans[plan].delay_ns;
}

static void order_stage(struct world *w, uint32_t stage, uint64_t begin_ns)
{
    w->start_ns = begin_ns;
    give(w, (struct message){.kind = ORDER_STAGE,
                             .stage = stage,
                             .grid_ns = begin_ns,
                             .start_ns = begin_ns + stage * STAGE_NS,
                             .end_ns = begin_ns + (stage + 1) * STAGE_NS});
}

/* Orders all stages, the first of which begins in `lead_ns`. */
static void order_all(struct world *w, uint64_t lead_ns)
{
    uint64_t begin = now_ns + lead_ns;

    for (uint32_t i = 0; i < 3; i++) {
        order_stage(w, i, begin);
    }
}

/* The order to drain comes at the end of the plan. */
static void drain_and_finish(struct world *w)
{
    give(w, (struct message){.kind = ORDER_DRAIN, .natural = true});
    finish(w);
    for (int k = 0; k < WORLD_KEYS_MAX; k++) {
        const uint64_t *c = w->count[k];

        if (c[COUNT_DUE] > 0) {
            assert_int_equal(c[COUNT_DUE], c[COUNT_STARTED] + c[COUNT_DROPPED_NO_SLOT]);
        }
        assert_int_equal(c[COUNT_DROPPED_STOPPED], 0);
    }
}

static void expect_same_counts(const struct world *a, const struct world *b)
{
    static const enum count counts[] = {COUNT_DUE, COUNT_STARTED, COUNT_ENDED_OK,
                                        COUNT_DROPPED_NO_SLOT, COUNT_UNFINISHED};

    for (int k = 0; k < WORLD_KEYS_MAX; k++) {
        for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
            assert_int_equal(a->count[k][counts[i]], b->count[k][counts[i]]);
        }
    }
    assert_int_equal(a->peer.requests, b->peer.requests);
}

/* One stage after the other, as its time comes. */
static void play_step_by_step(struct world *w, int plan)
{
    set_up(w, plan);
    uint64_t begin = now_ns + MS;
    for (uint32_t i = 0; i < 3; i++) {
        order_stage(w, i, begin);
        run_for(w, begin + (i + 1) * STAGE_NS - now_ns - (i < 2 ? MS : 0));
    }
    drain_and_finish(w);
}

static void stages_that_are_ordered_ahead_are_the_same_load(void **state)
{
    (void)state;
    for (int plan = 0; plan < PLANS; plan++) {
        struct world step, ahead;

        play_step_by_step(&step, plan);
        set_up(&ahead, plan);
        order_all(&ahead, 5 * NS_PER_S);
        run_for(&ahead, 5 * NS_PER_S + 3 * STAGE_NS);
        drain_and_finish(&ahead);
        expect_same_counts(&ahead, &step);
        assert_int_equal(total(&ahead, COUNT_DROPPED_NO_SLOT) > 0, plans[plan].waits);
        world_clear(&step);
        world_clear(&ahead);
    }
}

/* Nobody says a word for three minutes. */
static void after_its_end_a_plan_is_quiet(void **state)
{
    (void)state;
    for (int plan = 0; plan < PLANS; plan++) {
        struct world w;

        set_up(&w, plan);
        order_all(&w, MS);
        run_for(&w, MS + 3 * STAGE_NS);
        run_for(&w, 3 * NS_PER_S); /* what was in flight ends */
        unsigned requests = (unsigned)w.peer.requests, sessions = (unsigned)w.peer.sessions;
        unsigned windows = (unsigned)w.windows;
        assert_true(requests > 0 && sessions > 0);
        run_for(&w, 170 * NS_PER_S);
        assert_int_equal(w.peer.requests, requests);
        assert_int_equal(w.peer.sessions, sessions);
        assert_int_equal(w.windows, windows + 170);
        assert_int_equal(w.gauges[180].in_flight, 0);
        assert_true(w.gauges[180].active_vus > 0);
        assert_int_equal(w.gauges[180].active_vus, w.gauges[15].active_vus);
        drain_and_finish(&w);
        assert_int_equal(w.peer.open_connections, 0);
        world_clear(&w);
    }
}

/* As of a single process, whose order comes at once: what waits is not begun in between. */
static void what_waits_at_the_end_is_dropped_there(void **state)
{
    (void)state;
    for (int plan = 0; plan < PLANS; plan++) {
        struct world at_once, later;

        play_step_by_step(&at_once, plan);
        set_up(&later, plan);
        order_all(&later, MS);
        run_for(&later, MS + 3 * STAGE_NS + 2 * NS_PER_S);
        drain_and_finish(&later);
        for (int k = 0; k < WORLD_KEYS_MAX; k++) {
            assert_int_equal(later.count[k][COUNT_STARTED], at_once.count[k][COUNT_STARTED]);
            assert_int_equal(later.count[k][COUNT_DROPPED_NO_SLOT],
                             at_once.count[k][COUNT_DROPPED_NO_SLOT]);
        }
        world_clear(&at_once);
        world_clear(&later);
    }
}

/* Its sender's clock is fast: the last arrivals are due all the same. */
static void a_natural_drain_waits_for_the_end(void **state)
{
    (void)state;
    for (int plan = 0; plan < PLANS; plan++) {
        struct world in_time, early;

        play_step_by_step(&in_time, plan);
        set_up(&early, plan);
        order_all(&early, MS);
        run_for(&early, MS + 3 * STAGE_NS - 300 * MS);
        give(&early, (struct message){.kind = ORDER_DRAIN, .natural = true});
        run_for(&early, 200 * MS);
        assert_int_equal(early.drained_reports, 0);
        for (int i = 0; i < 30 && early.drained_reports == 0; i++) {
            run_for(&early, NS_PER_S);
        }
        assert_int_equal(early.drained_reports, 1);
        expect_same_counts(&early, &in_time);
        world_clear(&in_time);
        world_clear(&early);
    }
}

/* Any other order to end is obeyed at once, also while a natural one waits. */
static void a_stop_does_not_wait(void **state)
{
    (void)state;
    for (int cut = 0; cut < 2; cut++) {
        struct world w;

        set_up(&w, 0);
        order_all(&w, MS);
        run_for(&w, MS + 2 * STAGE_NS + NS_PER_S);
        give(&w, (struct message){.kind = ORDER_DRAIN, .natural = true});
        give(&w, (struct message){.kind = cut ? ORDER_STOP : ORDER_DRAIN});
        run_for(&w, 100 * MS);
        assert_int_equal(w.drained_reports, 1);
        uint64_t requests = w.peer.requests;
        run_for(&w, 30 * NS_PER_S); /* past the end */
        assert_int_equal(w.peer.requests, requests);
        assert_int_equal(w.drained_reports, 1);
        world_clear(&w);
    }
}

/* The line was cut when the order was given: the seconds before are empty, and none is missing. */
static void an_order_that_comes_late_leaves_no_gap(void **state)
{
    const char *loads[3] = {"'target_vus': 2", "'target_vus': 2", "'target_vus': 2"};
    struct world w;

    (void)state;
    world_init(&w, scenario_of("", "", "", loads));
    uint64_t start = now_ns - 2500 * MS;
    for (uint32_t i = 0; i < 2; i++) {
        give(&w, (struct message){.kind = ORDER_STAGE,
                                  .stage = i,
                                  .grid_ns = start,
                                  .start_ns = start + i * 5 * NS_PER_S,
                                  .end_ns = start + (i + 1) * 5 * NS_PER_S});
    }
    run_for(&w, 6 * NS_PER_S);
    finish(&w);
    assert_int_equal(w.windows, w.next_second); /* from 0 on */
    assert_int_equal(w.gauges[1].active_vus, 0);
    assert_int_equal(w.gauges[2].active_vus, 2);
    assert_in_range(w.count[0][COUNT_STARTED], 490, 502);
    world_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_order_that_comes_late_leaves_no_gap),
        cmocka_unit_test(stages_that_are_ordered_ahead_are_the_same_load),
        cmocka_unit_test(after_its_end_a_plan_is_quiet),
        cmocka_unit_test(what_waits_at_the_end_is_dropped_there),
        cmocka_unit_test(a_natural_drain_waits_for_the_end),
        cmocka_unit_test(a_stop_does_not_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
