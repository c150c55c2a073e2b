/* SPDX-License-Identifier: MIT */
/* What a shard's machine carries (shard_config.max_vus_own), in stages that are sized by their
 * rate. */
#include "unit/engine/world.h"

static const char *scenario_of(const char *stages)
{
    static char text[2048];

    snprintf(text, sizeof text,
             "{'target': {'url': 'http://localhost/mcp'}, 'workload': {'operation_mix': ["
             "{'operation': 'tools_call', 'tool_name': 'echo'}]}, 'stages': [%s]}",
             stages);
    return text;
}

static void set_up(struct world *w, const char *stages, struct segment segment, uint32_t limit)
{
    world_init(w, scenario_of(stages));
    shard_free(w->shard);
    struct shard_config config = {
        .plan = w->planned.plan,
        .target = &w->target,
        .segment = segment,
        .opener = peer_open,
        .opener_owner = &w->peer,
        .max_vus_own = limit,
        .post = world_post,
        .owner = w,
    };
    w->shard = shard_new(w->loop, &config);
}

/* 50/s of 2 s each keep 100 slots busy. */
static void no_user_is_made_beyond_the_own_limit(void **state)
{
    static const char *const stage =
        "{'stage': 'custom', 'stage_id': 'a', 'duration_ms': 10000, 'load': {'target_vus': 0,"
        " 'target_rps': 50, 'start_spread_ms': 0}}";
    static const uint32_t limits[] = {0, 90};
    struct world w;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        set_up(&w, stage, (struct segment){.index = 0, .count = 1}, limits[i]);
        w.peer.delay_ns = 2 * NS_PER_S;
        begin_stage(&w, 0, 10 * NS_PER_S);
        run_for(&w, 11 * NS_PER_S);
        for (int second = 0; second < 10; second++) {
            assert_true(limits[i] == 0 || w.gauges[second].active_vus <= limits[i]);
        }
        assert_in_range(w.gauges[9].active_vus, limits[i] == 0 ? 100 : 90, 1000);
        assert_int_equal(w.limits[LIMIT_MAX_VUS] > 0, limits[i] > 0);
        give(&w, (struct message){.kind = ORDER_DRAIN, .natural = true});
        finish(&w);
        world_clear(&w);
    }
}

static bool answer_late(void *owner, const struct peer_request *r)
{
    char body[100];

    (void)owner;
    if (strcmp(r->method, "tools/call") != 0) {
        return false;
    }
    snprintf(body, sizeof body, "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"content\":[]}}",
             (long long)r->id);
    peer_respond(r->conn, 9 * NS_PER_S, 200, "application/json", NULL, body);
    return true;
}

/* All that may be are still ending when an arrival comes for which there is nobody: the next one is
 * made as soon as one of them has gone. */
static void who_ends_makes_room(void **state)
{
    static const char *const stages =
        "{'stage': 'custom', 'stage_id': 'a', 'duration_ms': 1000, 'load': {'target_vus': 32,"
        " 'start_spread_ms': 0}},"
        "{'stage': 'custom', 'stage_id': 'b', 'duration_ms': 30000, 'load': {'target_vus': 0,"
        " 'target_rps': 2, 'start_spread_ms': 0}}";
    struct world w;

    (void)state;
    set_up(&w, stages, (struct segment){.index = 15, .count = 16}, 2);
    w.peer.on_request = answer_late;
    begin_stage(&w, 0, NS_PER_S);
    run_for(&w, NS_PER_S);
    assert_int_equal(peer_count_of(&w.peer, "tools/call"), 2);
    begin_stage(&w, 1, 30 * NS_PER_S);
    run_for(&w, 8500 * MS); /* arrival 15 was due after 7.5 s */
    assert_in_range(w.limits[LIMIT_MAX_VUS], 1, 1);
    run_for(&w, 22 * NS_PER_S);
    give(&w, (struct message){.kind = ORDER_DRAIN, .natural = true});
    finish(&w);
    assert_int_equal(w.count[1][COUNT_DUE], 3);
    assert_int_equal(w.count[1][COUNT_STARTED], 3);
    world_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_user_is_made_beyond_the_own_limit),
        cmocka_unit_test(who_ends_makes_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
