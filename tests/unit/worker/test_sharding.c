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

    (void)state;
    assert_int_equal(shards_of_stages(PING, "", paced, 0), 1);
    assert_int_equal(shards_of_stages(PING, "", full, 0), 3);
}

static void caps_are_dealt_in_whole_units(void **state)
{
    static const char *const caps = "'safety': {'hard_caps': {'max_rps': 3}},";

    (void)state;
    assert_int_equal(shards_of(PING, caps, "'target_vus': 10000", 0), 3);
    assert_int_equal(shards_of(PING, caps, "'target_vus': 1", 6), 3);
    assert_int_equal(
        shards_of(PING, "'safety': {'hard_caps': {'max_connections': 2}},", "'target_vus': 1", 6),
        2);
    assert_int_equal(shards_of(PING, "'session_policy': {'mode': 'pool', 'pool_size': 4},",
                               "'target_vus': 1", 6),
                     4);
}

static void threads_are_as_many_as_were_asked_for(void **state)
{
    (void)state;
    assert_int_equal(shards_of(PING, "", "'target_vus': 1", 5), 5);
    assert_int_equal(shards_of(PING, "", "'target_vus': 10000", 1), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_bound_counts),
        cmocka_unit_test(each_stage_has_its_own_bounds),
        cmocka_unit_test(caps_are_dealt_in_whole_units),
        cmocka_unit_test(threads_are_as_many_as_were_asked_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
