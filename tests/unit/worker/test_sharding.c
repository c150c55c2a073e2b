/* SPDX-License-Identifier: MIT */
#include "support/planned.h"
#include "worker/sharding.h"

enum { CORES = 8 };

/* `stages`: each with a duration of 10 s unless it says which. */
static uint32_t
shards_of_stages(const char *workload, const char *more, const char *stages, uint32_t threads)
{
    struct planned p;
    char text[2000];

    snprintf(text, sizeof text,
             "{'target': {'url': 'http://localhost/mcp'}, 'workload': {%s}, %s 'stages': [%s]}",
             workload, more, stages);
    planned_make(&p, text, NULL, 0);
    uint32_t shards = sharding_choose(p.plan, threads, CORES);
    planned_clear(&p);
    return shards;
}

static uint32_t
shards_of(const char *workload, const char *more, const char *load, uint32_t threads)
{
    char stage[400];

    snprintf(stage, sizeof stage, "{'stage': 'baseline', 'duration_ms': 1000, 'load': {%s}}", load);
    return shards_of_stages(workload, more, stage, threads);
}

#define PING "'operation_mix': [{'operation': 'ping'}]"
#define STREAM                                                                 \
    "'operation_mix': [{'operation': 'tools_call'}], 'tools': {'templates': [" \
    "{'template_id': 'a', 'tool_name': 'a', 'expects_streaming': true}]}"

static void the_least_bound_counts(void **state)
{
    (void)state;
    /* In flight. */
    assert_int_equal(shards_of(PING, "", "'target_vus': 1", 0), 1);
    assert_int_equal(shards_of(PING, "", "'target_vus': 100", 0), 1);
    assert_int_equal(shards_of(PING, "", "'target_vus': 129", 0), 2);
    assert_int_equal(shards_of(PING ", 'in_flight_per_vu': 3", "", "'target_vus': 100", 0), 3);
    /* Cores. */
    assert_int_equal(shards_of(PING, "", "'target_vus': 10000", 0), CORES);
    /* Rate, whoever plays it. */
    assert_int_equal(shards_of(PING, "", "'target_vus': 5000, 'target_rps': 10000", 0), 1);
    assert_int_equal(shards_of(PING, "", "'target_vus': 5000, 'target_rps': 40000", 0), 3);
    assert_int_equal(shards_of(PING, "", "'target_vus': 0, 'target_rps': 100", 0), 1);
    /* 10,000 users who think for 1.5 s on average make at most 6,667/s. */
    assert_int_equal(shards_of(PING
                               ", 'think_time': {'mode': 'jitter', 'base_ms': 1000, 'jitter_ms': "
                               "1000}",
                               "", "'target_vus': 10000", 0),
                     1);
    /* Streams are work that no rate tells. */
    assert_int_equal(shards_of(STREAM, "", "'target_vus': 5000, 'target_rps': 10", 0), CORES);
}

#define PREFLIGHT "{'stage': 'preflight', 'duration_ms': 1000, 'load': {'target_vus': 1}},"

/* A preflight has no pace and hardly a user, the load has users and a pace: neither is large. */
static void each_stage_has_its_own_bounds(void **state)
{
    static const char *const paced = PREFLIGHT
        "{'stage': 'baseline', 'duration_ms': 1000, 'load': {'target_vus': 200, 'target_rps': 50}}";
    static const char *const full =
        PREFLIGHT "{'stage': 'baseline', 'duration_ms': 1000, 'load': {'target_vus': 300}}";

    static const char *const after =
        "{'stage': 'baseline', 'duration_ms': 1000, 'load': {'target_vus': 200, 'target_rps': 50}},"
        "{'stage': 'custom', 'duration_ms': 1000, 'load': {'target_vus': 1}}";

    (void)state;
    assert_int_equal(shards_of_stages(PING, "", paced, 0), 1);
    assert_int_equal(shards_of_stages(PING, "", after, 0), 1);
    assert_int_equal(shards_of_stages(PING, "", full, 0), 3);
}

#define RATE_CAP(cap) "'safety': {'hard_caps': {'max_rps': " cap "}},"

static void a_rate_cap_takes_few_shards(void **state)
{
    (void)state;
    assert_int_equal(shards_of(PING, RATE_CAP("100"), "'target_vus': 1, 'target_rps': 100", 2), 1);
    assert_int_equal(shards_of(PING, RATE_CAP("61.5"), "'target_vus': 10000", 0), 1);
    assert_int_equal(shards_of(PING, RATE_CAP("15000"), "'target_vus': 10000", 6), 1);
    assert_int_equal(shards_of(PING, RATE_CAP("15001"), "'target_vus': 10000", 6), 2);
    assert_int_equal(shards_of(PING, RATE_CAP("60000"), "'target_vus': 10000", 0), 4);
    assert_int_equal(shards_of(PING, RATE_CAP("60000"), "'target_vus': 10000", 3), 3);
}

#define RAMP_FROM(vus)                                                    \
    "{'stage': 'ramp', 'duration_ms': 1000, 'load': {'target_vus': 900}," \
    " 'ramp': {'mode': 'linear', 'start_vus': " vus "}}"

/* A part of the cap may not lie with a shard that has no user, or too few. */
static void every_shard_uses_its_part_of_the_rate_cap(void **state)
{
    static const char *const one_and_many =
        PREFLIGHT "{'stage': 'baseline', 'duration_ms': 1000, 'load': {'target_vus': 200}}";

    (void)state;
    assert_int_equal(shards_of_stages(PING, RATE_CAP("60000"), one_and_many, 0), 1);
    assert_int_equal(shards_of(PING, RATE_CAP("60000"), "'target_vus': 3", 8), 3);
    assert_int_equal(shards_of_stages(PING, RATE_CAP("60000"), RAMP_FROM("2"), 0), 2);
    assert_int_equal(shards_of_stages(PING, RATE_CAP("60000"), RAMP_FROM("0"), 0), 1);
    /* Of 3 users one of two shards has two thirds, and of 4 half. */
    assert_int_equal(shards_of(PING, RATE_CAP("20000"), "'target_vus': 3, 'target_rps': 19000", 2),
                     1);
    assert_int_equal(shards_of(PING, RATE_CAP("20000"), "'target_vus': 4, 'target_rps': 19000", 2),
                     2);
    /* All of it may be done in any of them. */
    assert_int_equal(shards_of(PING, RATE_CAP("20000"), "'target_vus': 1, 'target_rps': 10000", 2),
                     2);
    /* Users are made where the arrivals are. */
    assert_int_equal(shards_of(PING, RATE_CAP("20000"), "'target_vus': 0, 'target_rps': 20000", 2),
                     2);
}

#define CONNECTION_CAP(cap) "'safety': {'hard_caps': {'max_connections': " cap "}},"

static void a_cap_of_connections_that_may_bind_takes_one_shard(void **state)
{
    (void)state;
    assert_int_equal(shards_of(PING, CONNECTION_CAP("7"), "'target_vus': 20", 4), 1);
    assert_int_equal(
        shards_of(PING ", 'in_flight_per_vu': 4", CONNECTION_CAP("4"), "'target_vus': 1", 2), 1);
    assert_int_equal(shards_of(PING, CONNECTION_CAP("1000"), "'target_vus': 1000", 4), 4);
    assert_int_equal(shards_of(PING, CONNECTION_CAP("999"), "'target_vus': 1000", 4), 1);
    /* One of two shards would have 501 of 1001 users. */
    assert_int_equal(shards_of(PING, CONNECTION_CAP("1001"), "'target_vus': 1001", 2), 1);
    assert_int_equal(shards_of(PING, CONNECTION_CAP("1002"), "'target_vus': 1001", 2), 2);
    /* One says goodbye while the next begins. */
    assert_int_equal(shards_of(PING,
                               "'session_policy': {'mode': 'per_request'}," CONNECTION_CAP("1999"),
                               "'target_vus': 1000", 2),
                     1);
}

static void a_pool_is_dealt_in_sessions(void **state)
{
    static const char *const pool = "'session_policy': {'mode': 'pool', 'pool_size': 4},";

    (void)state;
    assert_int_equal(shards_of(PING, pool, "'target_vus': 1", 6), 4);
    assert_int_equal(shards_of(PING, pool, "'target_vus': 100", 6), 4);
    /* A user with four operations at once has use for all. */
    assert_int_equal(shards_of(PING ", 'in_flight_per_vu': 4", pool, "'target_vus': 1", 6), 1);
    assert_int_equal(shards_of(PING ", 'in_flight_per_vu': 2", pool, "'target_vus': 1", 6), 2);
}

static void threads_are_as_many_as_were_asked_for(void **state)
{
    (void)state;
    assert_int_equal(shards_of(PING, "", "'target_vus': 1", 5), 5);
    assert_int_equal(shards_of(PING, "", "'target_vus': 10000", 1), 1);
}

/* The cores of all workers, and the caps of the one run. */
static void a_fleet_has_the_bounds_of_a_machine_with_all_its_cores(void **state)
{
    static const struct {
        const char *load;
        const char *safety;
        uint32_t cores, total;
    } cases[] = {
        {"'target_vus': 10000", "", 40, 40},
        {"'target_vus': 10000", "", 400, 79},
        {"'target_vus': 5000, 'target_rps': 40000", "", 40, 3},
        {"'target_vus': 10000", RATE_CAP("100"), 40, 1},
        {"'target_vus': 10000", RATE_CAP("60000"), 40, 4},
        {"'target_vus': 10000", CONNECTION_CAP("9000"), 40, 1},
        {"'target_vus': 1", "", 0, 1},
        {"'target_vus': 1000000", "'safety': {'hard_caps': {'max_vus': 1000000}},", 100000,
         DEAL_SOURCES_MAX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct planned p;
        char text[1000];

        snprintf(text, sizeof text,
                 "{'target': {'url': 'http://localhost/mcp'}, 'workload': {" PING "}, %s"
                 " 'stages': [{'stage': 'baseline', 'duration_ms': 1000, 'load': {%s}}]}",
                 cases[i].safety, cases[i].load);
        planned_make(&p, text, NULL, 0);
        assert_int_equal(sharding_total(p.plan, cases[i].cores), cases[i].total);
        planned_clear(&p);
    }
}

static void plan_of(struct planned *p, const char *workload, const char *more, const char *load)
{
    char text[1500];

    snprintf(text, sizeof text,
             "{'target': {'url': 'http://localhost/mcp'}, 'workload': {%s}, %s"
             " 'stages': [{'stage': 'custom', 'duration_ms': 1000, %s}]}",
             workload, more, load);
    planned_make(p, text, NULL, 0);
}

static bool fits(const struct plan *p, const uint64_t *weights, uint32_t count)
{
    struct deal *deal;

    assert_int_equal(deal_new(weights, count, &deal, NULL), 0);
    bool yes = sharding_fits(p, deal);
    deal_free(deal);
    return yes;
}

#define LOAD(text) "'load': {" text "}"
#define POOL       "'session_policy': {'mode': 'pool', 'pool_size': 4},"

static void weights_have_to_fit_the_caps(void **state)
{
    static const struct {
        const char *workload, *more, *load;
        uint64_t weights[3];
        uint32_t count;
        bool fits;
    } cases[] = {
        /* Without a cap anything does, and one source always. */
        {PING, "", LOAD("'target_vus': 1"), {5, 1, 1}, 3, true},
        {PING, RATE_CAP("1"), LOAD("'target_vus': 1"), {5}, 1, true},
        /* 70 users come out even; of 6 a light source has a sixth, and a seventh of the cap; of 4
         * the last one has none. */
        {PING, RATE_CAP("700"), LOAD("'target_vus': 70, 'target_rps': 699"), {5, 1, 1}, 3, true},
        {PING, RATE_CAP("700"), LOAD("'target_vus': 6, 'target_rps': 699"), {5, 1, 1}, 3, false},
        {PING, RATE_CAP("700"), LOAD("'target_vus': 6"), {5, 1, 1}, 3, true},
        {PING, RATE_CAP("700"), LOAD("'target_vus': 4"), {5, 1, 1}, 3, false},
        /* All of it may be done anywhere. */
        {PING, RATE_CAP("700"), LOAD("'target_vus': 1, 'target_rps': 99"), {5, 1, 1}, 3, true},
        /* Users are made where the arrivals are. */
        {PING, RATE_CAP("700"), LOAD("'target_vus': 0, 'target_rps': 700"), {5, 1, 1}, 3, true},
        /* A ramp passes uneven levels. */
        {PING,
         RATE_CAP("700"),
         LOAD("'target_vus': 7000, 'target_rps': 700") ", 'ramp': {'mode': 'linear', 'start_vus': "
                                                       "70}",
         {5, 1, 1},
         3,
         false},
        {PING,
         RATE_CAP("700"),
         LOAD("'target_vus': 9000, 'target_rps': 700") ", 'ramp': {'mode': 'linear', 'start_vus': "
                                                       "7000}",
         {5, 1, 1},
         3,
         true},
        {PING, CONNECTION_CAP("70"), LOAD("'target_vus': 70"), {5, 1, 1}, 3, true},
        {PING, CONNECTION_CAP("69"), LOAD("'target_vus': 70"), {5, 1, 1}, 3, false},
        {PING, POOL, LOAD("'target_vus': 70"), {2, 1, 1}, 3, true},
        {PING, POOL, LOAD("'target_vus': 70"), {5, 1, 1}, 3, false},
        /* The third has no user; a part that is enough for one is no loss. */
        {PING, POOL, LOAD("'target_vus': 2"), {2, 1, 1}, 3, true},
        {PING ", 'in_flight_per_vu': 2", POOL, LOAD("'target_vus': 2"), {2, 1, 1}, 3, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct planned p;

        plan_of(&p, cases[i].workload, cases[i].more, cases[i].load);
        if (fits(p.plan, cases[i].weights, cases[i].count) != cases[i].fits) {
            fail_msg("case %zu", i);
        }
        planned_clear(&p);
    }
}

/* Of equal weights both ways say the same. */
static void what_is_chosen_fits(void **state)
{
    static const char *const caps[] = {RATE_CAP("20000"), RATE_CAP("60000"), CONNECTION_CAP("1002"),
                                       CONNECTION_CAP("40"), POOL};
    static const char *const loads[] = {
        LOAD("'target_vus': 3"),
        LOAD("'target_vus': 1001"),
        LOAD("'target_vus': 4, 'target_rps': 19000"),
        LOAD("'target_vus': 3, 'target_rps': 19000"),
        LOAD("'target_vus': 900") ", 'ramp': {'mode': 'linear', 'start_vus': 2}",
    };

    (void)state;
    for (size_t c = 0; c < sizeof caps / sizeof caps[0]; c++) {
        for (size_t l = 0; l < sizeof loads / sizeof loads[0]; l++) {
            static const uint64_t equal[] = {1, 1, 1, 1, 1, 1, 1, 1};
            struct planned p;

            plan_of(&p, PING, caps[c], loads[l]);
            assert_true(fits(p.plan, equal, sharding_choose(p.plan, 8, CORES)));
            planned_clear(&p);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_bound_counts),
        cmocka_unit_test(each_stage_has_its_own_bounds),
        cmocka_unit_test(a_rate_cap_takes_few_shards),
        cmocka_unit_test(every_shard_uses_its_part_of_the_rate_cap),
        cmocka_unit_test(a_cap_of_connections_that_may_bind_takes_one_shard),
        cmocka_unit_test(a_pool_is_dealt_in_sessions),
        cmocka_unit_test(a_fleet_has_the_bounds_of_a_machine_with_all_its_cores),
        cmocka_unit_test(weights_have_to_fit_the_caps),
        cmocka_unit_test(what_is_chosen_fits),
        cmocka_unit_test(threads_are_as_many_as_were_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
