/* SPDX-License-Identifier: MIT */
/* The end of sessions: of age, idle, left in each way, in a drain, cut at any moment. */
#include "unit/engine/session_world.h"

enum { MODES = 4 };

static struct session_config config_of(unsigned mode)
{
    static const struct session_config configs[MODES] = {
        {.mode = SESSION_REUSE},
        {.mode = SESSION_CHURN, .churn_interval_ops = 3},
        {.mode = SESSION_PER_REQUEST},
        {.mode = SESSION_POOL, .pool_size = 3},
    };

    return configs[mode];
}

/* ---- age and idleness ------------------------------------------------------------------------ */

static void a_session_ends_at_its_age(void **state)
{
    (void)state;
    for (unsigned mode = 0; mode < MODES; mode += 3) {
        struct session_config config = config_of(mode);
        config.ttl_ns = 300 * MS;
        struct session_world *sw = session_world(calling(2, 2, 2, 0, ""), &config);
        struct world *w = &sw->w;

        play(sw, 3 * NS_PER_S);
        uint64_t n = w->peer.sessions;
        assert_in_range(n, mode == 0 ? 18 : 27, mode == 0 ? 20 : 33);
        assert_in_range(w->run[COUNT_SESSIONS_EXPIRED], n - 3, n);
        assert_int_equal(peer_count_of(&w->peer, "DELETE"), n);
        assert_int_equal(total(w, COUNT_ENDED_OK), total(w, COUNT_STARTED));
        for (uint64_t i = 1; i <= n - 3; i++) { /* ready after 20 ms; an operation takes 10 */
            const struct seen *s = &sw->seen[i];
            assert_in_range(s->deleted_ns - s->opened_ns, 320 * MS, 331 * MS);
            assert_true(s->last_ns < s->opened_ns + 321 * MS);
        }
        session_world_free(sw);
    }
}

static void an_idle_session_leaves_and_is_replaced(void **state)
{
    (void)state;
    for (unsigned mode = 0; mode < MODES; mode++) {
        struct session_config config = config_of(mode);
        config.max_idle_ns = 150 * MS;
        struct session_world *sw = session_world(calling(1, 1, 1, 400, ""), &config);
        struct world *w = &sw->w;

        play(sw, 3 * NS_PER_S);
        uint64_t n = w->peer.sessions;
        assert_int_equal(n, total(w, COUNT_STARTED));
        assert_true(n >= 6);
        assert_int_equal(total(w, COUNT_SESSION_REUSED), 0);
        /* A session that had its only operation does not wait for its age. */
        uint64_t wait_ms = config.mode == SESSION_PER_REQUEST ? 10 : 160;
        assert_in_range(w->run[COUNT_SESSIONS_EXPIRED], wait_ms == 10 ? 0 : n - 1,
                        wait_ms == 10 ? 0 : n);
        for (uint64_t i = 1; i < n; i++) {
            assert_in_range(sw->seen[i].deleted_ns - sw->seen[i].last_ns, wait_ms * MS,
                            (wait_ms + 1) * MS);
        }
        session_world_free(sw);
    }
}

static void a_busy_session_is_not_idle(void **state)
{
    struct session_config config = config_of(0);
    config.max_idle_ns = 150 * MS;
    struct session_world *sw = session_world(calling(1, 1, 1, 100, ""), &config);

    (void)state;
    sw->w.peer.delay_ns = 400 * MS;
    play(sw, 3 * NS_PER_S);
    assert_int_equal(sw->w.peer.sessions, 1);
    assert_int_equal(sw->w.run[COUNT_SESSIONS_EXPIRED], 0);
    session_world_free(sw);
}

/* What comes first counts. */
static void age_ends_an_idle_session_too(void **state)
{
    struct session_config config = config_of(0);
    config.ttl_ns = 200 * MS;
    config.max_idle_ns = 5000 * MS;
    struct session_world *sw = session_world(calling(1, 1, 1, 1000, ""), &config);

    (void)state;
    play(sw, 900 * MS);
    assert_int_equal(sw->w.run[COUNT_SESSIONS_EXPIRED], 1);
    assert_in_range(sw->seen[1].deleted_ns - sw->seen[1].opened_ns, 220 * MS, 221 * MS);
    session_world_free(sw);
}

/* ---- ways to leave --------------------------------------------------------------------------- */

static void check_left(const struct session_world *sw, enum session_abandon abandon)
{
    const struct world *w = &sw->w;
    uint64_t n = w->peer.sessions;

    assert_int_equal(w->run[COUNT_SESSIONS_CLOSED], n);
    assert_int_equal(peer_count_of(&w->peer, "DELETE"), abandon == ABANDON_DELETE ? n : 0);
    assert_int_equal(w->peer.resets, abandon == ABANDON_RST ? w->peer.connections : 0);
    assert_int_equal(w->peer.closes, abandon == ABANDON_RST ? 0 : w->peer.connections);
    assert_int_equal(w->peer.open_connections, 0);
    assert_int_equal(total(w, COUNT_UNFINISHED), 0);
}

static void sessions_are_left_as_the_scenario_says(void **state)
{
    (void)state;
    for (unsigned mode = 0; mode < MODES; mode++) {
        for (enum session_abandon a = ABANDON_DELETE; a <= ABANDON_VANISH; a++) {
            struct session_config config = config_of(mode);
            config.abandon = a;
            config.ttl_ns = mode == 0 || mode == 3 ? 200 * MS : 0;
            struct session_world *sw = session_world(calling(3, 3, 1, 0, ""), &config);
            struct world *w = &sw->w;

            begin_stage(w, 0, NS_PER_S);
            run_for(w, 900 * MS);
            assert_true(w->peer.sessions >= 9);
            assert_true(w->shard->session_count <= 3);
            if (a == ABANDON_VANISH) { /* nothing was closed yet */
                assert_int_equal(w->peer.open_connections, w->peer.connections);
            } else {
                assert_true(w->peer.open_connections <= 6);
            }
            run_for(w, 100 * MS);
            finish(w);
            run_for(w, MS);
            check_left(sw, a);
            session_world_free(sw);
        }
    }
}

static void without_an_id_there_is_nothing_to_delete(void **state)
{
    (void)state;
    for (unsigned mode = 0; mode < MODES; mode++) {
        struct session_config config = config_of(mode);
        struct session_world *sw = session_world(calling(2, 2, 2, 0, ""), &config);
        struct world *w = &sw->w;

        w->peer.on_request = NULL;
        w->peer.no_session_ids = true;
        play(sw, NS_PER_S);
        assert_int_equal(peer_count_of(&w->peer, "DELETE"), 0);
        assert_int_equal(w->run[COUNT_SESSIONS_CLOSED], w->peer.sessions);
        session_world_free(sw);
    }
}

/* script: the target closes its connections 50 ms after an answer. */
static bool hang_up_later(void *owner, const struct peer_request *r)
{
    struct session_world *sw = owner;

    if (watch(owner, r)) {
        return true;
    }
    peer_serve(&sw->w.peer, r);
    if (strcmp(r->method, "tools/call") == 0) {
        peer_close(r->conn, 50 * MS);
    }
    return true;
}

static void what_vanished_is_forgotten_when_the_target_hangs_up(void **state)
{
    struct session_config config = config_of(2);
    struct session_world *sw;
    uint32_t kept = 0;

    (void)state;
    config.abandon = ABANDON_VANISH;
    sw = session_world(calling(4, 4, 1, 0, ""), &config);
    sw->w.peer.on_request = hang_up_later;
    begin_stage(&sw->w, 0, 10 * NS_PER_S);
    run_for(&sw->w, 5 * NS_PER_S);
    list_foreach (node, &sw->w.shard->pool.store->vanished) {
        kept++;
    }
    assert_true(sw->w.peer.sessions > 600);
    assert_in_range(kept, 1, 40);
    finish(&sw->w);
    assert_int_equal(sw->w.run[COUNT_SESSIONS_CLOSED], sw->w.peer.sessions);
    session_world_free(sw);
}

static void what_vanished_makes_way_under_a_cap(void **state)
{
    (void)state;
    for (unsigned mode = 0; mode < MODES; mode++) {
        struct session_config config = config_of(mode);
        config.abandon = ABANDON_VANISH;
        config.ttl_ns = 50 * MS;
        struct session_world *sw =
            session_world(stages_scenario("'operation_mix': [" CALL "]",
                                          "'hard_caps': {'max_connections': 3}", 3, 3, 3),
                          &config);
        struct world *w = &sw->w;

        play(sw, 2 * NS_PER_S);
        assert_int_equal(w->peer.peak_connections, 3);
        assert_true(w->peer.sessions > 60);
        assert_int_equal(total(w, COUNT_ENDED_OK), total(w, COUNT_STARTED));
        assert_int_equal(peer_count_of(&w->peer, "DELETE"), 0);
        session_world_free(sw);
    }
}

/* ---- the end of the run, at any moment ------------------------------------------------------- */

static struct session_world *busy_world(unsigned mode, unsigned variant)
{
    struct session_config config = config_of(mode);

    config.abandon = (enum session_abandon)(variant % 4);
    config.max_in_flight = variant % 3;
    config.ttl_ns = variant % 2 == 0 ? 23 * MS : 0;
    config.max_idle_ns = variant % 5 == 0 ? 3 * MS : 0;
    struct session_world *sw =
        session_world(calling(3, 1, 1 + variant % 2, variant % 3 * 4, ""), &config);
    sw->lose_every = variant % 7 == 0 ? 2 : 0;
    sw->refuse = variant % 4;
    return sw;
}

static void the_run_may_be_cut_at_any_moment(void **state)
{
    unsigned variant = 0;

    (void)state;
    for (unsigned mode = 0; mode < MODES; mode++) {
        for (uint64_t at = 300; at < 130000; at += 2900) {
            struct session_world *sw = busy_world(mode, variant++);
            struct world *w = &sw->w;

            begin_stage(w, 0, 100 * MS);
            run_for(w, at * 1000);
            if (variant % 3 == 0) { /* a drain is under way */
                give(w, (struct message){.kind = ORDER_DRAIN});
                run_for(w, variant % 11 * MS);
            }
            uint64_t requests = w->peer.requests;
            give(w, (struct message){.kind = ORDER_STOP});
            assert_int_equal(w->drained_reports, 1);
            assert_int_equal(w->shard->session_count, 0);
            assert_int_equal(total(w, COUNT_STARTED), total(w, COUNT_ENDED_OK) +
                                                          total(w, COUNT_ENDED_FAILED) +
                                                          total(w, COUNT_UNFINISHED));
            run_for(w, 50 * MS);
            assert_int_equal(w->peer.requests, requests); /* nobody says goodbye */
            assert_int_equal(w->peer.open_connections, 0);
            session_world_free(sw);
        }
    }
}

static void a_drain_leaves_no_session(void **state)
{
    unsigned variant = 0;

    (void)state;
    for (unsigned mode = 0; mode < MODES; mode++) {
        for (uint64_t at = 300; at < 130000; at += 2900) {
            struct session_world *sw = busy_world(mode, variant++);
            struct world *w = &sw->w;

            begin_stage(w, 0, 50 * MS);
            run_for(w, at * 1000);
            if (variant % 2 == 0) { /* most users end, too */
                begin_stage(w, 1, 100 * MS);
                run_for(w, variant % 13 * MS);
            }
            finish(w);
            run_for(w, MS);
            assert_int_equal(w->run[COUNT_SESSIONS_CREATED],
                             w->run[COUNT_SESSIONS_CLOSED] + w->run[COUNT_SESSIONS_LOST]);
            assert_int_equal(w->peer.open_connections, 0);
            assert_int_equal(w->shard->session_count, 0);
            session_world_free(sw);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_ends_at_its_age),
        cmocka_unit_test(an_idle_session_leaves_and_is_replaced),
        cmocka_unit_test(a_busy_session_is_not_idle),
        cmocka_unit_test(age_ends_an_idle_session_too),
        cmocka_unit_test(sessions_are_left_as_the_scenario_says),
        cmocka_unit_test(without_an_id_there_is_nothing_to_delete),
        cmocka_unit_test(what_vanished_is_forgotten_when_the_target_hangs_up),
        cmocka_unit_test(what_vanished_makes_way_under_a_cap),
        cmocka_unit_test(the_run_may_be_cut_at_any_moment),
        cmocka_unit_test(a_drain_leaves_no_session),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
