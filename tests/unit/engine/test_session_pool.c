/* SPDX-License-Identifier: MIT */
/* The sessions of a pool: shared, made on demand, split over shards. */
#include "base/rng.h"
#include "unit/engine/session_world.h"

static struct session_config pool(uint64_t size, uint64_t max_in_flight)
{
    return (struct session_config){
        .mode = SESSION_POOL, .pool_size = size, .max_in_flight = max_in_flight};
}

static void everybody_shares_the_sessions(void **state)
{
    struct session_config three = pool(3, 0);
    struct session_world *sw = session_world(calling(6, 6, 2, 0, ""), &three);
    struct world *w = &sw->w;

    (void)state;
    play(sw, 2 * NS_PER_S);
    uint64_t ops = total(w, COUNT_STARTED);
    assert_in_range(ops, 12 * 196, 12 * 199); /* nobody waits, but at the beginning */
    assert_int_equal(w->peer.sessions, 3);
    assert_int_equal(peer_count_of(&w->peer, "DELETE"), 3);
    assert_int_equal(w->run[COUNT_SESSIONS_CLOSED], 3);
    for (int i = 1; i <= 3; i++) { /* the least busy one is taken, from the first moment on */
        assert_in_range(sw->seen[i].ops, ops / 3 - 20, ops / 3 + 20);
        assert_int_equal(sw->seen[i].peak, 4);
    }
    assert_in_range(total(w, COUNT_SESSION_REUSED), ops - 12, ops - 3);
    assert_in_range(w->dist[DIST_SETUP].count, 3, 12);
    session_world_free(sw);
}

static void sessions_are_made_when_they_are_needed(void **state)
{
    struct session_config ten = pool(10, 0);

    (void)state;
    for (unsigned users = 1; users <= 16; users += 5) {
        struct session_world *sw = session_world(calling(users, users, 1, 0, ""), &ten);

        play(sw, NS_PER_S);
        assert_int_equal(sw->w.peer.sessions, users < 10 ? users : 10);
        session_world_free(sw);
    }
}

/* Users that begin one after the other meet sessions that are free again. */
static void an_idle_session_is_taken_before_another_is_made(void **state)
{
    struct session_config ten = pool(10, 0);
    struct session_world *sw =
        session_world("{'target': {'url': 'http://localhost/mcp'}, 'workload': {'operation_mix': "
                      "[" CALL "], 'think_time': {'mode': 'fixed', 'base_ms': 990}}, 'stages': "
                      "[{'stage': 'baseline', 'duration_ms': 10000, 'load': {'target_vus': 8, "
                      "'start_spread_ms': 1000}}]}",
                      &ten);

    (void)state;
    play(sw, 5 * NS_PER_S);
    assert_int_equal(sw->w.peer.sessions, 1);
    session_world_free(sw);
}

static void each_shard_has_its_share(void **state)
{
    static const struct {
        uint64_t size;
        struct segment segment;
        uint64_t share;
    } cases[] = {
        {10, {.index = 0, .count = 3}, 4}, {10, {.index = 1, .count = 3}, 3},
        {10, {.index = 2, .count = 3}, 3}, {1, {.index = 0, .count = 2}, 1},
        {1, {.index = 1, .count = 2}, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct session_config config = pool(cases[i].size, 0);
        struct session_world *sw =
            session_world_new(calling(30, 30, 1, 0, ""), &config, NULL, cases[i].segment);

        play(sw, NS_PER_S);
        assert_int_equal(sw->w.peer.sessions, cases[i].share);
        session_world_free(sw);
    }
}

static void an_exclusive_loan_queues(void **state)
{
    struct session_config two = pool(2, 1);
    struct session_world *sw = session_world(calling(6, 6, 1, 0, ""), &two);
    struct world *w = &sw->w;

    (void)state;
    play(sw, 2 * NS_PER_S);
    assert_int_equal(w->peer.sessions, 2);
    assert_int_equal(sw->seen[1].peak, 1);
    assert_int_equal(sw->seen[2].peak, 1);
    assert_in_range(total(w, COUNT_ENDED_OK), 2 * 196, 2 * 199 + 4);
    assert_int_equal(total(w, COUNT_UNFINISHED), 0);
    /* Set-up is what two waited for; the others wait for those before them: first come, first
     * served. */
    assert_int_equal(w->dist[DIST_SETUP].count, 2);
    assert_in_range(w->dist[DIST_SETUP].max, 20 * MS, 21 * MS);
    assert_in_range(w->dist[DIST_QUEUE].max, 40 * MS, 41 * MS);
    assert_in_range(w->dist[DIST_QUEUE].sum, (total(w, COUNT_ENDED_OK) - 10) * 20 * MS,
                    total(w, COUNT_ENDED_OK) * 21 * MS);
    session_world_free(sw);
}

/* Sessions outlive their users; new users find them. */
static void sessions_outlive_users(void **state)
{
    struct session_config four = pool(4, 0);
    struct session_world *sw = session_world(calling(8, 1, 1, 0, ""), &four);
    struct world *w = &sw->w;

    (void)state;
    begin_stage(w, 0, NS_PER_S);
    run_for(w, NS_PER_S);
    begin_stage(w, 1, NS_PER_S);
    run_for(w, NS_PER_S);
    assert_int_equal(w->shard->vu_count, 1);
    assert_int_equal(w->shard->session_count, 4);
    assert_int_equal(peer_count_of(&w->peer, "DELETE"), 0);
    finish(w);
    assert_int_equal(w->peer.sessions, 4);
    assert_int_equal(peer_count_of(&w->peer, "DELETE"), 4);
    assert_int_equal(w->gauges[1].active_sessions, 4);
    assert_int_equal(w->shard->session_count, 0);
    session_world_free(sw);
}

/* Those who wait for a busy session when the run ends get their turn. */
static void who_waits_in_a_drain_is_served(void **state)
{
    struct session_config one = pool(1, 1);
    struct session_world *sw = session_world(calling(9, 9, 1, 0, ""), &one);
    struct world *w = &sw->w;

    (void)state;
    begin_stage(w, 0, 10 * NS_PER_S);
    run_for(w, 505 * MS);
    finish(w);
    assert_int_equal(total(w, COUNT_UNFINISHED), 0);
    assert_int_equal(total(w, COUNT_ENDED_OK), total(w, COUNT_STARTED));
    session_world_free(sw);
}

#define RETRIES(n)                                                                       \
    ", 'user_journey': {'reconnect_policy': {'initial_delay_ms': 100, 'multiplier': 2, " \
    "'max_delay_ms': 1000, 'jitter_fraction': 0, 'max_retries': " #n "}}"

static void a_refusing_target_is_asked_by_one_at_a_time(void **state)
{
    struct session_config two = pool(2, 0);
    struct session_world *sw = session_world(calling(3, 3, 1, 0, RETRIES(2)), &two);
    struct world *w = &sw->w;
    static const uint64_t after_ms[] = {0, 100, 300, 700, 1500, 2500, 3500, 4500};

    (void)state;
    sw->refuse = 1000;
    begin_stage(w, 0, 10 * NS_PER_S);
    run_for(w, 9 * NS_PER_S);
    /* Two at first, which is one step of the back-off; nine failures end three users. */
    assert_int_equal(sw->open_count, 9);
    assert_int_equal(sw->opens[1], sw->opens[0]);
    for (int i = 1; i < 8; i++) {
        assert_int_equal(sw->opens[i + 1] - sw->opens[0], after_ms[i] * MS);
    }
    assert_int_equal(w->shard->vu_count, 0);
    finish(w);
    assert_int_equal(w->run[COUNT_VUS_GAVE_UP], 3);
    assert_int_equal(w->run[COUNT_SESSIONS_FAILED], 9);
    assert_int_equal(total(w, COUNT_ENDED_FAILED), 9);
    assert_int_equal(total(w, COUNT_UNFINISHED), 0);
    session_world_free(sw);
}

static void a_pool_recovers(void **state)
{
    struct session_config four = pool(4, 0);
    struct session_world *sw = session_world(calling(20, 20, 1, 0, RETRIES(10)), &four);
    struct world *w = &sw->w;

    (void)state;
    sw->refuse = 6;
    play(sw, 3 * NS_PER_S);
    assert_int_equal(w->run[COUNT_SESSIONS_FAILED], 6);
    assert_int_equal(total(w, COUNT_ENDED_FAILED), 6);
    assert_int_equal(w->run[COUNT_VUS_GAVE_UP], 0);
    assert_int_equal(w->peer.sessions, 4);
    assert_int_equal(sw->peak_live, 4);
    for (int i = 2; i <= 4; i++) {
        assert_in_range(sw->seen[i].ops, sw->seen[1].ops - 60, sw->seen[1].ops + 60);
    }
    session_world_free(sw);
}

/* Nobody waits for a target that is away when the run ends. */
static void a_drain_does_not_wait_for_a_back_off(void **state)
{
    struct session_config two = pool(2, 0);

    (void)state;
    for (uint64_t at = 1; at < 1600; at += 37) {
        struct session_world *sw = session_world(calling(5, 5, 1, 0, RETRIES(100)), &two);
        struct world *w = &sw->w;

        sw->refuse = 1000;
        begin_stage(w, 0, 10 * NS_PER_S);
        run_for(w, at * MS);
        give(w, (struct message){.kind = ORDER_DRAIN});
        run_for(w, 20 * MS);
        assert_int_equal(w->drained_reports, 1);
        assert_int_equal(total(w, COUNT_STARTED),
                         total(w, COUNT_ENDED_FAILED) + total(w, COUNT_UNFINISHED));
        assert_int_equal(total(w, COUNT_ENDED_FAILED), w->run[COUNT_SESSIONS_FAILED]);
        session_world_free(sw);
    }
}

static void without_reconnecting_whoever_meets_a_lost_session_ends(void **state)
{
    struct session_config one = pool(1, 0);
    struct session_world *sw = session_world(
        calling(4, 4, 1, 0, ", 'user_journey': {'reconnect_policy': {'enabled': false}}"), &one);
    struct world *w = &sw->w;

    (void)state;
    sw->lose_every = 50;
    begin_stage(w, 0, 5 * NS_PER_S);
    run_for(w, 4 * NS_PER_S);
    /* The call that lost it, and those that ran on it then. */
    assert_in_range(w->run[COUNT_VUS_GAVE_UP], 1, 4);
    assert_int_equal(w->shard->vu_count, 4 - w->run[COUNT_VUS_GAVE_UP]);
    assert_int_equal(w->failures[ERROR_CODE_SESSION_LOST], w->run[COUNT_VUS_GAVE_UP]);
    finish(w);
    session_world_free(sw);
}

/* Also while sessions leave: those that say goodbye still exist for the target. */
static void a_pool_never_exceeds_its_size(void **state)
{
    (void)state;
    for (uint64_t max = 0; max <= 2; max++) {
        struct session_config config = pool(3, max);
        config.ttl_ns = 100 * MS;
        config.max_idle_ns = 15 * MS;
        struct session_world *sw = session_world(calling(7, 7, 1, 8, ""), &config);
        struct world *w = &sw->w;

        play(sw, 3 * NS_PER_S);
        assert_true(w->run[COUNT_SESSIONS_EXPIRED] >= 60);
        assert_int_equal(sw->peak_live, 3);
        assert_int_equal(sw->live, 0);
        assert_int_equal(total(w, COUNT_UNFINISHED), 0);
        assert_int_equal(peer_count_of(&w->peer, "DELETE"), w->peer.sessions);
        session_world_free(sw);
    }
}

/* script: -1 when a request that belongs to no user has not the first one's head. */
static bool watch_head(void *owner, const struct peer_request *r)
{
    struct session_world *sw = owner;
    struct str user = peer_header(r, "X-Vu");

    if (strncmp(r->method, "tools/", 6) != 0) {
        sw->w.script =
            str_eq(user, STR("user-vu_0/a")) && sw->w.script >= 0 ? sw->w.script + 1 : -1;
    }
    return watch(owner, r);
}

/* Heads that name the user are a session's own: DELETE comes when no user is left. */
static void requests_of_a_session_have_a_head_of_their_own(void **state)
{
    struct session_config two = pool(2, 0);
    static const char scenario[] =
        "{'target': {'url': 'http://localhost/mcp', 'headers': {'X-Vu': "
        "'user-${vu_id}/${stage_id}'}}, "
        "'workload': {'operation_mix': [" CALL "]}, 'stages': [{'stage': 'baseline', "
        "'stage_id': 'a', 'duration_ms': 10000, 'load': {'target_vus': 4, 'start_spread_ms': 0}}]}";
    struct session_world *sw = session_world(scenario, &two);

    (void)state;
    sw->w.peer.on_request = watch_head;
    play(sw, NS_PER_S);
    assert_int_equal(peer_count_of(&sw->w.peer, "DELETE"), 2);
    assert_int_equal(sw->w.script, 6); /* initialize, initialized, DELETE */
    session_world_free(sw);
}

static const struct vu_session *least_busy(const struct vu_session *sessions, int count)
{
    const struct vu_session *least = NULL;

    for (const struct vu_session *x = sessions; x < sessions + count; x++) {
        if (x->heap_pos > 0 &&
            (least == NULL || x->in_flight < least->in_flight ||
             (x->in_flight == least->in_flight && x->mcp.ops_served < least->mcp.ops_served))) {
            least = x;
        }
    }
    return least;
}

/* The heap against a plain search, over random changes. */
static void the_least_busy_session_is_on_top(void **state)
{
    enum { COUNT = 40, STEPS = 20000 };
    static struct vu_session sessions[COUNT];
    struct session_store store = {.pooled = true};
    uint64_t load = 0;

    (void)state;
    for (uint32_t step = 0; step < STEPS; step++) {
        struct vu_session *s = &sessions[rng_below(rng_at(7, 2 * step), COUNT)];
        uint64_t what = rng_below(rng_at(7, 2 * step + 1), 16);

        s->serial = (uint64_t)(s - sessions) + 1;
        if (s->heap_pos == 0) {
            pool_add(&store, s);
            load += s->in_flight;
        } else if (what == 0) {
            pool_remove(&store, s);
            load -= s->in_flight;
        } else if (what < 9 || s->in_flight == 0) {
            s->in_flight++;
            pool_changed(&store, s, 1);
            load++;
        } else {
            s->in_flight--;
            s->mcp.ops_served++;
            pool_changed(&store, s, -1);
            load--;
        }
        assert_ptr_equal(pool_top(&store), least_busy(sessions, COUNT));
        assert_int_equal(store.heap_load, load);
    }
    xfree(store.heap);
}

static void who_waits_for_a_session_waits_until_the_deadline(void **state)
{
    struct session_config one = pool(1, 1);
    struct session_world *sw = session_world(calling(6, 6, 1, 0, ""), &one);
    struct world *w = &sw->w;

    (void)state;
    w->planned.scenario->target.timeouts.deadline_ns = 35 * MS;
    begin_stage(w, 0, NS_PER_S);
    run_for(w, NS_PER_S);
    finish(w);
    assert_int_equal(w->peer.sessions, 1);
    assert_true(total(w, COUNT_ENDED_OK) > 0);
    assert_true(w->failures[ERROR_CODE_DEADLINE_EXCEEDED] > 50);
    assert_int_equal(w->failures[ERROR_CODE_DEADLINE_EXCEEDED], total(w, COUNT_ENDED_FAILED));
    assert_in_range(w->dist[DIST_RESPONSE].max, 35 * MS, 36 * MS);
    assert_in_range(w->dist[DIST_QUEUE].max, 35 * MS, 36 * MS); /* all that it did was to wait */
    assert_int_equal(peer_count_of(&w->peer, "tools/call"), total(w, COUNT_REQUESTS_SENT));
    session_world_free(sw);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_busy_session_is_on_top),
        cmocka_unit_test(everybody_shares_the_sessions),
        cmocka_unit_test(sessions_are_made_when_they_are_needed),
        cmocka_unit_test(an_idle_session_is_taken_before_another_is_made),
        cmocka_unit_test(each_shard_has_its_share),
        cmocka_unit_test(an_exclusive_loan_queues),
        cmocka_unit_test(sessions_outlive_users),
        cmocka_unit_test(who_waits_in_a_drain_is_served),
        cmocka_unit_test(a_refusing_target_is_asked_by_one_at_a_time),
        cmocka_unit_test(a_pool_recovers),
        cmocka_unit_test(a_drain_does_not_wait_for_a_back_off),
        cmocka_unit_test(without_reconnecting_whoever_meets_a_lost_session_ends),
        cmocka_unit_test(who_waits_for_a_session_waits_until_the_deadline),
        cmocka_unit_test(a_pool_never_exceeds_its_size),
        cmocka_unit_test(requests_of_a_session_have_a_head_of_their_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
