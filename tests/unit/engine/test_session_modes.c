/* SPDX-License-Identifier: MIT */
/* Sessions of a VU's own: churn, per_request, limits of one session, the user journey. */
#include "unit/engine/session_world.h"

static const struct session_config per_request = {.mode = SESSION_PER_REQUEST};

static struct session_config churn(uint64_t interval)
{
    return (struct session_config){.mode = SESSION_CHURN, .churn_interval_ops = interval};
}

static void each_operation_has_a_session_of_its_own(void **state)
{
    const struct session_config modes[] = {per_request, churn(1)};

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        unsigned slots = 1 + i / 2;
        struct session_world *sw = session_world(calling(3, 3, slots, 0, ""), &modes[i % 2]);
        struct world *w = &sw->w;

        play(sw, 2 * NS_PER_S);
        uint64_t ops = total(w, COUNT_STARTED);
        /* 10 ms each for initialize, initialized and the operation; slots do not wait for each
         * other. */
        assert_in_range(ops, slots * 3 * 66, slots * 3 * 68);
        assert_int_equal(total(w, COUNT_ENDED_OK), ops);
        assert_int_equal(w->peer.sessions, ops);
        assert_int_equal(peer_count_of(&w->peer, "DELETE"), ops);
        assert_int_equal(w->run[COUNT_SESSIONS_CLOSED], ops);
        assert_int_equal(w->run[COUNT_SESSIONS_EXPIRED], 0);
        assert_int_equal(total(w, COUNT_SESSION_REUSED), 0);
        assert_int_equal(w->peer.connections, ops); /* the DELETE goes the same way */
        assert_int_equal(sw->live, 0);
        /* The set-up is none of the queueing, and every operation had to wait for it. */
        assert_int_equal(w->dist[DIST_SETUP].count, ops);
        assert_int_equal(w->dist[DIST_SETUP].min, w->dist[DIST_SETUP].max);
        assert_in_range(w->dist[DIST_SETUP].min, 20 * MS, 21 * MS);
        assert_in_range(w->dist[DIST_QUEUE].max, 0, MS);
        session_world_free(sw);
    }
}

static void churn_replaces_after_so_many_operations(void **state)
{
    (void)state;
    for (unsigned slots = 1; slots <= 3; slots++) {
        struct session_config five = churn(5);
        struct session_world *sw = session_world(calling(2, 2, slots, 0, ""), &five);
        struct world *w = &sw->w;

        play(sw, 3 * NS_PER_S);
        uint64_t ops = total(w, COUNT_STARTED);
        assert_true(ops > 100);
        assert_in_range(w->peer.sessions, (ops + 4) / 5, ops / 5 + 2);
        assert_int_equal(peer_count_of(&w->peer, "DELETE"), w->peer.sessions);
        for (uint64_t i = 1; i <= w->peer.sessions; i++) {
            assert_in_range(sw->seen[i].ops, 1, 5);
            assert_in_range(sw->seen[i].peak, 1, slots);
        }
        if (slots == 1) { /* four of five */
            assert_int_equal(total(w, COUNT_SESSION_REUSED), ops - w->peer.sessions);
        }
        session_world_free(sw);
    }
}

static void a_session_carries_no_more_than_its_limit(void **state)
{
    const struct session_config modes[] = {
        {.mode = SESSION_REUSE, .max_in_flight = 1},
        {.mode = SESSION_REUSE, .max_in_flight = 2},
        {.mode = SESSION_CHURN, .churn_interval_ops = 1000, .max_in_flight = 2},
    };

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct session_world *sw = session_world(calling(1, 1, 4, 0, ""), &modes[i]);
        struct world *w = &sw->w;

        play(sw, 2 * NS_PER_S);
        uint64_t limit = modes[i].max_in_flight;
        assert_int_equal(w->peer.sessions, 1);
        assert_int_equal(sw->seen[1].peak, limit);
        assert_in_range(total(w, COUNT_ENDED_OK), limit * 196, limit * 198 + 4);
        assert_int_equal(total(w, COUNT_UNFINISHED), 0);
        /* Waiting for others is queueing; longest for the last one at the beginning. */
        uint64_t wait_ms = 20 + (4 / limit - 1) * 10;
        assert_in_range(w->dist[DIST_QUEUE].max, wait_ms * MS, (wait_ms + 1) * MS);
        assert_int_equal(w->dist[DIST_SETUP].count, limit); /* those for whom it was made */
        session_world_free(sw);
    }
}

static void only_the_first_who_waits_pays_for_a_failed_attempt(void **state)
{
    const struct session_config reuse = {.mode = SESSION_REUSE};
    struct session_world *sw;

    (void)state;
    sw = session_world(calling(1, 1, 3, 0, ""), &reuse);
    sw->refuse = 1;
    play(sw, NS_PER_S);
    assert_int_equal(total(&sw->w, COUNT_ENDED_FAILED), 1);
    assert_int_equal(sw->w.run[COUNT_SESSIONS_FAILED], 1);
    assert_int_equal(sw->w.peer.sessions, 1);
    assert_int_equal(sw->w.run[COUNT_VUS_GAVE_UP], 0);
    session_world_free(sw);
}

static void lost_sessions_are_replaced_in_every_mode(void **state)
{
    const struct session_config modes[] = {
        {.mode = SESSION_REUSE},
        {.mode = SESSION_REUSE, .max_in_flight = 1},
        churn(7),
        per_request,
        {.mode = SESSION_POOL, .pool_size = 2},
        {.mode = SESSION_POOL, .pool_size = 2, .max_in_flight = 1},
    };

    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        struct session_world *sw = session_world(calling(3, 3, 2, 0, ""), &modes[i]);
        struct world *w = &sw->w;
        bool single = modes[i].mode == SESSION_PER_REQUEST;

        sw->lose_every = single ? 1 : 5;
        play(sw, NS_PER_S);
        assert_true(w->run[COUNT_SESSIONS_LOST] > 5);
        assert_int_equal(w->run[COUNT_SESSIONS_LOST] + w->run[COUNT_SESSIONS_CLOSED],
                         w->peer.sessions);
        assert_int_equal(peer_count_of(&w->peer, "DELETE"), w->run[COUNT_SESSIONS_CLOSED]);
        assert_int_equal(total(w, COUNT_UNFINISHED), 0);
        assert_int_equal(sw->live, 0);
        if (single) { /* the second try is lost, too */
            assert_int_equal(total(w, COUNT_ENDED_FAILED), total(w, COUNT_STARTED));
            assert_int_equal(total(w, COUNT_SESSION_RETRIES), total(w, COUNT_STARTED));
        } else {
            assert_true(total(w, COUNT_ENDED_OK) > total(w, COUNT_STARTED) / 2);
        }
        if (i == 1) { /* of each session one operation was the first, perhaps at its second try */
            assert_int_equal(total(w, COUNT_SESSION_REUSED) + w->run[COUNT_SESSIONS_CREATED],
                             total(w, COUNT_STARTED));
        }
        session_world_free(sw);
    }
}

static void the_journey_uses_up_no_session(void **state)
{
    const struct journey_config journey = {.list_on_start = true, .list_interval_ns = 95 * MS};

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        const struct session_config modes[] = {per_request, churn(4)};
        struct session_world *sw = session_world_new(calling(2, 2, 1, 0, ""), &modes[i], &journey,
                                                     (struct segment){.index = 0, .count = 1});
        struct world *w = &sw->w;

        play(sw, 2 * NS_PER_S);
        uint64_t ops = total(w, COUNT_STARTED), lists = w->run[COUNT_JOURNEY_STARTED];
        uint64_t each = i == 0 ? 1 : 4;
        assert_true(lists >= 30);
        /* One that waited when the load ended is not sent. */
        assert_int_equal(peer_count_of(&w->peer, "tools/list"),
                         lists - w->run[COUNT_JOURNEY_UNFINISHED]);
        assert_in_range(w->run[COUNT_JOURNEY_UNFINISHED], 0, 2);
        /* Lists make a session only where an operation takes it then; at the end one may be left
         * that none took. */
        assert_in_range(w->peer.sessions, (ops + each - 1) / each, ops / each + 4);
        for (uint64_t s = 1; s <= w->peer.sessions; s++) {
            assert_in_range(sw->seen[s].ops, 0, each);
        }
        assert_int_equal(sw->seen[1].lists > 0, 1);
        assert_int_equal(sw->seen[1].ops, each);
        assert_int_equal(peer_count_of(&w->peer, "DELETE"), w->peer.sessions);
        session_world_free(sw);
    }
}

/* script: pages that were given out. */
static bool give_pages(void *owner, const struct peer_request *r)
{
    struct session_world *sw = owner;
    bool watched = watch(owner, r);
    char body[200];

    if (strcmp(r->method, "tools/list") != 0 || seen_of(sw, r)->lists % 3 == 0) {
        return watched; /* each third page is the last one */
    }
    snprintf(body, sizeof body,
             "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"tools\":[],\"nextCursor\":\"p%u\"}}",
             (long long)r->id, seen_of(sw, r)->lists);
    peer_respond(r->conn, sw->w.peer.delay_ns, 200, "application/json", NULL, body);
    return true;
}

/* A cursor belongs to its session, and a list of three pages is one operation. */
static void a_list_stays_on_its_session(void **state)
{
    const struct session_config modes[] = {per_request, churn(2)};

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct session_world *sw = session_world(
            stages_scenario("'operation_mix': [{'operation': 'tools_list'}]", "", 2, 2, 2),
            &modes[i]);
        struct world *w = &sw->w;

        w->peer.on_request = give_pages;
        play(sw, NS_PER_S);
        uint64_t lists = total(w, COUNT_STARTED);
        assert_true(lists > 20);
        assert_int_equal(total(w, COUNT_ENDED_OK), lists);
        assert_int_equal(peer_count_of(&w->peer, "tools/list"), 3 * lists);
        assert_in_range(w->peer.sessions, lists / (i + 1), lists / (i + 1) + 2);
        for (uint64_t s = 1; s <= w->peer.sessions; s++) {
            assert_int_equal(sw->seen[s].lists % 3, 0);
        }
        assert_int_equal(total(w, COUNT_SESSION_REUSED), lists - w->peer.sessions);
        session_world_free(sw);
    }
}

/* Users that end leave their sessions, and stay until those are gone. */
static void users_end_with_their_sessions(void **state)
{
    const struct session_config modes[] = {{.mode = SESSION_REUSE}, churn(3), per_request};

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct session_world *sw = session_world(calling(6, 2, 2, 5, ""), &modes[i]);
        struct world *w = &sw->w;

        begin_stage(w, 0, NS_PER_S);
        run_for(w, NS_PER_S);
        begin_stage(w, 1, 2 * NS_PER_S);
        run_for(w, 100 * MS);
        assert_int_equal(w->shard->vu_count, 2);
        /* 2 users: of each slot one at work, and one that says goodbye */
        assert_in_range(sw->live, 2, i == 0 ? 2 : 8);
        run_for(w, NS_PER_S);
        finish(w);
        assert_int_equal(total(w, COUNT_UNFINISHED), 0);
        assert_int_equal(sw->live, 0);
        assert_int_equal(peer_count_of(&w->peer, "DELETE"), w->peer.sessions);
        session_world_free(sw);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_operation_has_a_session_of_its_own),
        cmocka_unit_test(churn_replaces_after_so_many_operations),
        cmocka_unit_test(a_session_carries_no_more_than_its_limit),
        cmocka_unit_test(only_the_first_who_waits_pays_for_a_failed_attempt),
        cmocka_unit_test(lost_sessions_are_replaced_in_every_mode),
        cmocka_unit_test(the_journey_uses_up_no_session),
        cmocka_unit_test(a_list_stays_on_its_session),
        cmocka_unit_test(users_end_with_their_sessions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
