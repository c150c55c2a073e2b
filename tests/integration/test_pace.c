/* SPDX-License-Identifier: MIT */
/* What a run tells of a target that does not keep pace, on a virtual clock: silences, backlogs. */
#include "control/pace.h"
#include "integration/world.h"

/* One call at a time and user. */
#define ECHO                                                                             \
    "{'target': {'url': 'http://localhost/mcp'},"                                        \
    " 'workload': {'operation_mix': [{'operation': 'tools_call', 'tool_name': 'echo'}]," \
    "   'in_flight_per_vu': 1}"

static const char twenty_users[] =
    ECHO ", 'stages': [{'stage': 'baseline', 'duration_ms': 20000, 'load': {'target_vus': 20,"
         "   'start_spread_ms': 0}}]}";

static bool warned(const struct world *w, const char *wanted)
{
    return strstr(buf_c(&w->run->warnings), wanted) != NULL;
}

/* Between the 4th and the 7th second the target answers nothing. */
static void a_silence_is_told(void **state)
{
    struct world w;

    (void)state;
    set_up_with(&w, twenty_users);
    run_for(&w, 20 * MS); /* the checks */
    run_for(&w, 3500 * MS);
    w.peer.delay_ns = 3 * NS_PER_S; /* what is sent from now on */
    run_for(&w, 100 * MS);
    w.peer.delay_ns = 10 * MS;
    run_for(&w, 60 * NS_PER_S);
    check_books(&w);
    assert_true(warned(&w, "nothing ended in seconds 4–5; 20 operations waited\n"));
    assert_false(warned(&w, "falls behind"));
    tear_down(&w);
}

/* Who takes a second for each answer is not frozen. */
static void a_slow_target_is_not_silent(void **state)
{
    struct world w;

    (void)state;
    set_up_with(&w, twenty_users);
    w.peer.delay_ns = 2500 * MS; /* all of them at once */
    run_for(&w, 60 * NS_PER_S);
    /* Two answers for the session, one for the operation. */
    assert_string_equal(
        buf_c(&w.run->warnings),
        "nothing ended in seconds 1–6; 20 operations waited for sessions and first answers\n");
    tear_down(&w);
}

/* The first four seconds: the median is known when all is over. */
static void a_silence_at_the_beginning_is_told(void **state)
{
    struct world w;

    (void)state;
    set_up_with(&w, twenty_users);
    run_for(&w, 50 * MS); /* the checks, and the sessions */
    w.peer.delay_ns = 4 * NS_PER_S;
    run_for(&w, 100 * MS);
    w.peer.delay_ns = 10 * MS;
    run_for(&w, 60 * NS_PER_S);
    assert_true(warned(&w, "nothing ended in seconds 1–3; 20 operations waited"));
    tear_down(&w);
}

/* 600 ms an answer, and once three seconds. */
static void a_slow_target_that_freezes_is_told(void **state)
{
    struct world w;

    (void)state;
    set_up_with(&w, twenty_users);
    w.peer.delay_ns = 600 * MS;
    run_for(&w, 8 * NS_PER_S);
    w.peer.delay_ns = 3600 * MS;
    run_for(&w, 600 * MS);
    w.peer.delay_ns = 600 * MS;
    run_for(&w, 60 * NS_PER_S);
    assert_string_equal(buf_c(&w.run->warnings),
                        "nothing ended in seconds 7–8; 20 operations waited\n");
    tear_down(&w);
}

static double falls_behind(const struct world *w, uint32_t stage)
{
    double per_second = 0;

    return pace_falls_behind(w->run, stage, &per_second) ? per_second : 0;
}

/* 20/s are due; one user at 62.5 ms can do 16. In the stage before it they were ten, and kept up.
 */
static void a_growing_backlog_is_told(void **state)
{
    static const char text[] =
        ECHO ", 'stages': [{'stage': 'baseline', 'stage_id': 'keeps', 'duration_ms': 20000,"
             "    'load': {'target_vus': 10, 'target_rps': 20}},"
             "   {'stage': 'soak', 'stage_id': 'lags', 'duration_ms': 20000,"
             "    'load': {'target_vus': 1, 'target_rps': 20}}]}";
    struct world w;

    (void)state;
    set_up_with(&w, text);
    w.peer.delay_ns = 62500000;
    run_for(&w, 120 * NS_PER_S);
    assert_true(falls_behind(&w, 0) == 0);
    assert_true(falls_behind(&w, 1) > 3.9 && falls_behind(&w, 1) < 4.1);
    assert_true(warned(&w, "stage lags: the target falls behind by "));
    assert_false(warned(&w, "stage keeps"));
    tear_down(&w);
}

static void play_one_by_one(struct world *w, const char *text)
{
    set_up_with(w, text);
    w->peer.on_request = one_by_one;
    run_for(w, 120 * NS_PER_S);
}

/* The answers' time grows with the backlog: its beginning must not be taken for warming up. */
static void a_backlog_far_beyond_the_pace_is_told(void **state)
{
    static const char text[] =
        ECHO ", 'stages': [{'stage': 'baseline', 'stage_id': 'far', 'duration_ms': 16000,"
             "   'load': {'target_rps': 200}}]}";
    struct world w;

    (void)state;
    play_one_by_one(&w, text);
    assert_true(falls_behind(&w, 0) > 90 && falls_behind(&w, 0) < 110);
    assert_true(warned(&w, "stage far: the target falls behind by "));
    tear_down(&w);
}

static void a_short_stage_far_beyond_is_told(void **state)
{
    static const char text[] =
        ECHO ", 'stages': [{'stage': 'baseline', 'stage_id': 'far', 'duration_ms': 6000,"
             "   'load': {'target_rps': 300}}]}";
    struct world w;

    (void)state;
    play_one_by_one(&w, text);
    assert_true(falls_behind(&w, 0) > 180 && falls_behind(&w, 0) < 220);
    assert_true(warned(&w, "stage far: the target falls behind by "));
    tear_down(&w);
}

/* 30/s are due and each needs four requests; the cap lets 60 requests through. */
static void a_cap_of_ours_is_not_blamed_on_the_target(void **state)
{
    static const char text[] =
        ECHO ","
             " 'session_policy': {'mode': 'per_request'},"
             " 'safety': {'hard_caps': {'max_rps': 60}},"
             " 'stages': [{'stage': 'baseline', 'stage_id': 'held', 'duration_ms': 14000,"
             "   'load': {'target_vus': 50, 'target_rps': 30}}]}";
    struct world w;

    (void)state;
    set_up_with(&w, text);
    run_for(&w, 120 * NS_PER_S);
    assert_true(falls_behind(&w, 0) > 5);
    assert_true(
        warned(&w, "stage held: a hard cap holds requests back, and the load falls behind"));
    assert_false(warned(&w, "the target falls behind"));
    tear_down(&w);
}

/* 300 to 700 ms an answer: those that are free at once wait for the cap now and then. */
static bool uneven(void *owner, const struct peer_request *r)
{
    static unsigned n;

    (void)owner;
    if (strcmp(r->method, "tools/call") != 0) {
        return false;
    }
    n++;
    say_result(r, (300 + n * 37 % 400) * MS, "{\"content\":[]}");
    return true;
}

static void a_cap_that_is_touched_is_not_named(void **state)
{
    static const char text[] =
        ECHO ", 'safety': {'hard_caps': {'max_rps': 100}},"
             " 'stages': [{'stage': 'baseline', 'stage_id': 'slow', 'duration_ms': 14000,"
             "   'load': {'target_vus': 10, 'target_rps': 100}}]}";
    struct world w;

    (void)state;
    set_up_with(&w, text);
    w.peer.on_request = uneven;
    run_for(&w, 60 * NS_PER_S);
    assert_true(aggregate_limit(w.run->books, LIMIT_MAX_RPS) > 0);
    assert_true(warned(&w, "stage slow: the target falls behind by "));
    tear_down(&w);
}

/* A preflight goes as fast as it may, the load does not come near the cap. */
static void what_a_preflight_waits_for_is_no_load(void **state)
{
    static const char text[] =
        ECHO ", 'safety': {'hard_caps': {'max_rps': 5}},"
             " 'stages': [{'stage': 'preflight', 'duration_ms': 6000, 'load': {'target_vus': 4}},"
             "   {'stage': 'baseline', 'duration_ms': 8000,"
             "    'load': {'target_vus': 1, 'target_rps': 1}}]}";
    struct world w;

    (void)state;
    set_up_with(&w, text);
    run_for(&w, 60 * NS_PER_S);
    assert_int_equal(w.ends, 1);
    /* The goodbyes of preflight's users and the new session. */
    assert_in_range(aggregate_limit(w.run->books, LIMIT_MAX_RPS), 0, 8);
    tear_down(&w);
}

/* The checks' requests wait, too, before there is any load. */
static void what_the_checks_wait_for_is_no_load(void **state)
{
    static const char text[] =
        ECHO ", 'safety': {'hard_caps': {'max_rps': 1}},"
             " 'stages': [{'stage': 'baseline', 'duration_ms': 3000, 'load': {'target_vus': 1}}]}";
    struct world w;

    (void)state;
    set_up_with(&w, text);
    run_for(&w, 60 * NS_PER_S);
    assert_int_equal(w.ends, 1);
    /* A call asks, gives its permission back for want of a session, which takes two requests, and
     * asks again; DELETE. */
    assert_in_range(aggregate_limit(w.run->books, LIMIT_MAX_RPS), 1,
                    4 + peer_count_of(&w.peer, "tools/call"));
    tear_down(&w);
}

static double fell_behind_from(const struct world *w, uint32_t stage)
{
    double per_second = 0;

    return pace_fell_behind_from(w->run, stage, &per_second) ? per_second : 0;
}

/* The rate climbs from 2 to 42/s; two users at 125 ms can do 16. The other stage climbs as steeply
 * with users enough, and has ever more in flight. */
static void a_ramp_beyond_the_targets_pace_is_told(void **state)
{
    static const char text[] =
        ECHO ", 'stages': [{'stage': 'ramp', 'stage_id': 'keeps', 'duration_ms': 40000,"
             "    'load': {'target_vus': 20, 'target_rps': 42},"
             "    'ramp': {'mode': 'linear', 'start_rps': 2}},"
             "   {'stage': 'ramp', 'stage_id': 'lags', 'duration_ms': 40000,"
             "    'load': {'target_vus': 2, 'target_rps': 42},"
             "    'ramp': {'mode': 'linear', 'start_rps': 2}}]}";
    struct world w;

    (void)state;
    set_up_with(&w, text);
    w.peer.delay_ns = 125 * MS;
    run_for(&w, 120 * NS_PER_S);
    assert_true(fell_behind_from(&w, 0) == 0);
    assert_true(fell_behind_from(&w, 1) >= 15 && fell_behind_from(&w, 1) <= 18);
    assert_true(warned(&w, "stage lags: the target fell behind from "));
    assert_false(warned(&w, "stage keeps"));
    tear_down(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_silence_is_told),
        cmocka_unit_test(a_slow_target_is_not_silent),
        cmocka_unit_test(a_silence_at_the_beginning_is_told),
        cmocka_unit_test(a_slow_target_that_freezes_is_told),
        cmocka_unit_test(a_growing_backlog_is_told),
        cmocka_unit_test(a_backlog_far_beyond_the_pace_is_told),
        cmocka_unit_test(a_short_stage_far_beyond_is_told),
        cmocka_unit_test(a_cap_of_ours_is_not_blamed_on_the_target),
        cmocka_unit_test(a_cap_that_is_touched_is_not_named),
        cmocka_unit_test(what_a_preflight_waits_for_is_no_load),
        cmocka_unit_test(what_the_checks_wait_for_is_no_load),
        cmocka_unit_test(a_ramp_beyond_the_targets_pace_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
