/* SPDX-License-Identifier: MIT */
#include "engine/shard_priv.h"
#include "unit/engine/stages.h"

/* ---- lost sessions --------------------------------------------------------------------------- */

/* script: how many of the calls are answered by 404. */
static bool lose_sessions(void *owner, const struct peer_request *r)
{
    struct world *w = owner;

    if (strcmp(r->method, "tools/call") != 0 || w->script == 0) {
        return false;
    }
    w->script--;
    peer_respond(r->conn, 10 * MS, 404, "text/plain", NULL, "session not found");
    return true;
}

static void a_lost_session_is_replaced_once_per_operation(void **state)
{
    (void)state;
    for (int times = 1; times <= 2; times++) {
        struct world w;

        world_init(&w, calls_scenario(1));
        w.script = times;
        w.peer.on_request = lose_sessions;
        begin_stage(&w, 0, 2 * NS_PER_S);
        run_for(&w, 2 * NS_PER_S);
        finish(&w);
        assert_int_equal(w.peer.sessions, 1 + times);
        assert_int_equal(w.run[COUNT_SESSIONS_LOST], times);
        assert_int_equal(w.run[COUNT_SESSIONS_CREATED], 1 + times);
        assert_int_equal(total(&w, COUNT_SESSION_RETRIES), 1);
        assert_int_equal(total(&w, COUNT_ENDED_FAILED), times - 1); /* the second loss fails it */
        assert_int_equal(w.failures[ERROR_CODE_SESSION_LOST], times - 1);
        assert_int_equal(total(&w, COUNT_REQUESTS_SENT), total(&w, COUNT_STARTED) + 1);
        assert_int_equal(peer_count_of(&w.peer, "tools/call"), total(&w, COUNT_REQUESTS_SENT));
        assert_int_equal(peer_count_of(&w.peer, "DELETE"), 1); /* a lost one is not deleted */
        world_clear(&w);
    }
}

static void without_reconnecting_a_lost_session_ends_the_user(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, stages_scenario("'operation_mix': [" CALL "], 'user_journey': "
                                   "{'reconnect_policy': {'enabled': false}}",
                                   "", 2, 2, 2));
    w.script = 1;
    w.peer.on_request = lose_sessions;
    begin_stage(&w, 0, 3 * NS_PER_S);
    run_for(&w, 3 * NS_PER_S);
    assert_int_equal(w.gauges[1].active_vus, 1);
    finish(&w);
    assert_int_equal(w.peer.sessions, 2);
    assert_int_equal(w.failures[ERROR_CODE_SESSION_LOST], 1);
    assert_int_equal(w.run[COUNT_VUS_GAVE_UP], 1);
    world_clear(&w);
}

/* A list of two pages. The first session is lost at its second one; the other does not know the
 * cursor of the first. script: first pages so far, and 10 since the loss. */
static bool lose_between_pages(void *owner, const struct peer_request *r)
{
    struct world *w = owner;
    bool second = memmem(r->body.p, r->body.len, "cursor", 6) != NULL;
    char body[200];

    if (strcmp(r->method, "tools/list") != 0) {
        return false;
    }
    w->script += !second;
    if (second && w->script == 1) {
        w->script = 10;
        peer_respond(r->conn, 10 * MS, 404, "text/plain", NULL, "session not found");
        return true;
    }
    snprintf(body, sizeof body, "cursor\":\"page-of-%d\"", w->script);
    if (second && memmem(r->body.p, r->body.len, body, strlen(body)) == NULL) {
        snprintf(body, sizeof body,
                 "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"error\":{\"code\":-32602,\"message\":"
                 "\"Invalid cursor\"}}",
                 (long long)r->id);
    } else if (second) {
        snprintf(body, sizeof body, "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"tools\":[]}}",
                 (long long)r->id);
    } else {
        snprintf(body, sizeof body,
                 "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"tools\":[],\"nextCursor\":"
                 "\"page-of-%d\"}}",
                 (long long)r->id, w->script);
    }
    peer_respond(r->conn, 10 * MS, 200, "application/json", NULL, body);
    return true;
}

static void a_list_begins_anew_on_another_session(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, stages_scenario("'operation_mix': [{'operation': 'tools_list'}], "
                                   "'user_journey': null, 'think_time': {'mode': 'fixed', "
                                   "'base_ms': 60000}",
                                   "", 1, 1, 1));
    w.peer.on_request = lose_between_pages;
    begin_stage(&w, 0, 2 * NS_PER_S);
    run_for(&w, 2 * NS_PER_S);
    finish(&w);
    assert_int_equal(w.failures[ERROR_CODE_JSONRPC_INVALID_PARAMS], 0);
    assert_int_equal(total(&w, COUNT_ENDED_OK), 1);
    assert_int_equal(total(&w, COUNT_REQUESTS_SENT), 4);
    assert_int_equal(total(&w, COUNT_SESSION_RETRIES), 1);
    assert_int_equal(w.script, 11);
    world_clear(&w);
}

/* ---- sessions that cannot be made ------------------------------------------------------------ */

static bool refuse_initialize(void *owner, const struct peer_request *r)
{
    struct world *w = owner;

    if (strcmp(r->method, "initialize") != 0) {
        return false;
    }
    w->arrivals[w->arrival_count++] = r->at_ns;
    peer_respond(r->conn, 0, 503, NULL, NULL, "");
    return true;
}

static void failed_sessions_back_off_and_give_up(void **state)
{
    struct world w;

    (void)state;
    world_init(&w,
               stages_scenario("'operation_mix': [" CALL "], 'user_journey': {'reconnect_policy': "
                               "{'initial_delay_ms': 100, 'multiplier': 2, 'max_delay_ms': 1000, "
                               "'jitter_fraction': 0, 'max_retries': 6}}",
                               "", 1, 1, 1));
    w.peer.on_request = refuse_initialize;
    begin_stage(&w, 0, 60 * NS_PER_S);
    run_for(&w, 30 * NS_PER_S);
    static const uint64_t delays_ms[] = {100, 200, 400, 800, 1000, 1000};
    assert_int_equal(w.arrival_count, 7); /* the first try and six more */
    for (uint32_t i = 0; i < 6; i++) {
        assert_int_equal(w.arrivals[i + 1] - w.arrivals[i], delays_ms[i] * MS);
    }
    assert_int_equal(w.gauges[20].active_vus, 0);
    finish(&w);
    assert_int_equal(total(&w, COUNT_ENDED_FAILED), 7); /* nothing is hidden */
    assert_int_equal(w.run[COUNT_SESSIONS_FAILED], 7);
    assert_int_equal(w.run[COUNT_VUS_GAVE_UP], 1);
    assert_int_equal(w.failures[ERROR_CODE_HTTP_5XX], 7);
    assert_int_equal(w.dist[DIST_SERVICE].count, 0); /* none was sent */
    world_clear(&w);
}

/* The stage that ends users begins inside a second: the limit has all of them. */
static void users_who_give_up_at_once_are_in_the_limit(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, stages_scenario("'operation_mix': [" CALL "], 'user_journey': "
                                   "{'reconnect_policy': {'max_retries': 0}}",
                                   "", 2, 6, 6));
    begin_stage(&w, 0, 400 * MS);
    run_for(&w, 400 * MS);
    w.peer.on_request = refuse_initialize;
    begin_stage(&w, 1, 200 * MS);
    run_for(&w, 200 * MS);
    finish(&w);
    assert_int_equal(w.windows, 1);
    assert_int_equal(w.run[COUNT_VUS_GAVE_UP], 4);
    assert_int_equal(w.limits[LIMIT_GAVE_UP], 4);
    world_clear(&w);
}

static void a_refused_connection_fails_the_operation(void **state)
{
    struct world w;

    (void)state;
    world_init(&w, calls_scenario(2));
    w.peer.refuse = ECONNREFUSED;
    begin_stage(&w, 0, 2 * NS_PER_S);
    run_for(&w, 2 * NS_PER_S);
    finish(&w);
    assert_true(total(&w, COUNT_ENDED_FAILED) >= 6);
    assert_int_equal(w.failures[ERROR_CODE_CONNECTION_REFUSED], total(&w, COUNT_ENDED_FAILED));
    assert_int_equal(w.run[COUNT_CONNECT_FAILURES], w.run[COUNT_CONNECT_ATTEMPTS]);
    assert_int_equal(total(&w, COUNT_REQUESTS_SENT), 0);
    world_clear(&w);
}

/* Each VU has a home, also where it owns no session. */
static void a_home_is_small(void **state)
{
    (void)state;
    assert_true(sizeof(struct session_home) <= 96);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_lost_session_is_replaced_once_per_operation),
        cmocka_unit_test(a_list_begins_anew_on_another_session),
        cmocka_unit_test(without_reconnecting_a_lost_session_ends_the_user),
        cmocka_unit_test(failed_sessions_back_off_and_give_up),
        cmocka_unit_test(users_who_give_up_at_once_are_in_the_limit),
        cmocka_unit_test(a_refused_connection_fails_the_operation),
        cmocka_unit_test(a_home_is_small),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
