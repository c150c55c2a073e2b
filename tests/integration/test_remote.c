/* SPDX-License-Identifier: MIT */
/*
 * Runs on worker processes (worker/remote.h): what the target has counted, what the workers say in
 * all, and the sum of what they reported each second are the same, however bad the line was.
 */
#include "remote_world.h"
#include "support/mock_stats.h"

#define CALLS                                                                   \
    "'operation_mix': [{'operation': 'tools_call'}, {'operation': 'ping'}], "   \
    "'think_time': {'mode': 'fixed', 'base_ms': 5}, 'tools': {'templates': [{ " \
    "'tool_name': 'fast_echo', 'arguments': {'message': '${vu_id} ${op_seq}'}}]}"
#define SECONDS(n, vus) \
    "{'stage': 'baseline', 'duration_ms': " n "000, 'load': {'target_vus': " vus "}}"

/* Requests of the checks, which belong to no operation. */
static uint64_t checked(const struct world *w, const char *method)
{
    for (uint32_t i = 0; i < w->run->checks.request_count; i++) {
        if (strcmp(w->run->checks.requests[i].method, method) == 0) {
            return w->run->checks.requests[i].count;
        }
    }
    return 0;
}

static void all_books_agree(const struct world *w)
{
    unsigned port = mock_serve_port(w->mock);
    struct err err = {0};

    for (uint32_t i = 0; i < w->member_count; i++) {
        const struct member *m = &w->members[i];

        if (!wire_totals_equal(&m->sum, &m->totals, &err)) {
            fail_msg("worker %u: %s", i, err.msg);
        }
        assert_int_equal(m->drained, m->shards);
    }
    assert_int_equal(mock_stats_requests(port, "tools/call") + mock_stats_requests(port, "ping"),
                     total(w, COUNT_REQUESTS_SENT) + checked(w, "ping"));
    assert_int_equal(mock_stats_requests(port, "initialize"),
                     total(w, COUNT_SESSIONS_CREATED) + checked(w, "initialize"));
    assert_int_equal(total(w, COUNT_STARTED), total(w, COUNT_ENDED_OK) +
                                                  total(w, COUNT_ENDED_FAILED) +
                                                  total(w, COUNT_UNFINISHED));
    /* How this machine fared meanwhile is another question. */
    assert_string_not_equal(w->run->validity, "lost_data");
}

static void a_run_on_two_workers(void **state)
{
    struct world w = {.members = {{.shards = 1}, {.shards = 2}}};

    (void)state;
    set_up(&w, CALLS, SECONDS("1", "20"));
    play(&w);
    assert_string_equal(run_state_name(w.run->state), "completed");
    assert_true(total(&w, COUNT_ENDED_OK) > 500);
    all_books_agree(&w);
    for (uint32_t i = 0; i < w.member_count; i++) {
        assert_true(w.members[i].windows >= w.members[i].shards);
        assert_int_equal(w.members[i].repeats, 0);
        assert_int_equal(remote_vus(w.members[i].remote), 0);
    }
    tear_down(&w);
}

/* Each worker has its share of the users, by weight; all users of the run exist once. */
static void users_are_dealt_by_weight(void **state)
{
    uint32_t weights[] = {3, 1};
    struct world w = {.members = {{.shards = 1}, {.shards = 1}}, .weights = {weights, 2}};

    (void)state;
    set_up(&w, CALLS, SECONDS("1", "40"));
    play(&w);
    all_books_agree(&w);
    uint64_t heavy = w.members[0].totals.run.count[COUNT_SESSIONS_CREATED];
    uint64_t light = w.members[1].totals.run.count[COUNT_SESSIONS_CREATED];
    assert_int_equal(heavy, 30);
    assert_int_equal(light, 10);
    tear_down(&w);
}

/* The operations of the log travel with their seconds, all of so small a load. */
static void windows_carry_operations(void **state)
{
    (void)state;
    for (int log = 0; log < 2; log++) {
        struct world w = {.members = {{.shards = 2}}, .log = log};

        set_up(&w, CALLS, SECONDS("1", "4"));
        play(&w);
        all_books_agree(&w);
        assert_int_equal(w.logged[0], log ? total(&w, COUNT_ENDED_OK) : 0);
        assert_int_equal(w.logged[1], 0);
        tear_down(&w);
    }
}

/* ---- a bad line ------------------------------------------------------------------------------ */

static void lose_some(struct world *w, struct member *m)
{
    (void)w;
    if (m->windows == 1 || m->windows == 3) {
        m->lose = 2;
    }
}

static void reports_survive_lost_connections(void **state)
{
    struct world w = {.members = {{.shards = 2}, {.shards = 1}}, .on_window = lose_some};

    (void)state;
    set_up(&w, CALLS, SECONDS("2", "10"));
    play(&w);
    assert_string_equal(run_state_name(w.run->state), "completed");
    all_books_agree(&w);
    tear_down(&w);
}

/* The first second comes, and nothing afterwards until the load has long ended. */
static void lose_the_middle(struct world *w, struct member *m)
{
    (void)w;
    if (m->windows == 1) {
        m->lose = 6;
    }
}

static void a_worker_goes_on_without_its_control_plane(void **state)
{
    struct world w = {.members = {{.shards = 1}}, .on_window = lose_the_middle};

    (void)state;
    set_up(&w, CALLS, SECONDS("2", "10"));
    play(&w);
    assert_string_equal(run_state_name(w.run->state), "completed");
    all_books_agree(&w);
    tear_down(&w);
}

/* What was delivered, and its acknowledgement lost, comes again and is counted once. */
static void repeat(struct world *w, struct member *m)
{
    (void)w;
    remote_rewind(m->remote);
}

static void repeats_are_counted_once(void **state)
{
    struct world w = {.members = {{.shards = 2}}, .on_window = repeat};

    (void)state;
    set_up(&w, CALLS, SECONDS("1", "10"));
    play(&w);
    all_books_agree(&w);
    tear_down(&w);
}

/* Without room for what waits seconds are lost, and the totals tell. */
static void lost_seconds_show_in_the_totals(void **state)
{
    struct world w = {.members = {{.shards = 1}}, .on_window = lose_the_middle, .report_bytes = 1};

    (void)state;
    set_up(&w, CALLS, SECONDS("1", "5"));
    play(&w);
    assert_true(w.members[0].totals_came);
    assert_int_equal(w.members[0].windows, 0);
    assert_false(wire_totals_equal(&w.members[0].sum, &w.members[0].totals, NULL));
    tear_down(&w);
}

/* ---- clocks, ends ---------------------------------------------------------------------------- */

static void clocks_of_two_machines(void **state)
{
    struct world w = {.members = {{.shards = 1}}, .ahead_ns = -(int64_t)(50000 * NS_PER_S) - 7};

    (void)state;
    set_up(&w, CALLS, SECONDS("1", "5"));
    play(&w);
    assert_string_equal(run_state_name(w.run->state), "completed");
    assert_int_equal(w.run->stages[0].end_ns - w.run->stages[0].start_ns, NS_PER_S);
    all_books_agree(&w);
    tear_down(&w);
}

static void a_run_that_is_stopped(void **state)
{
    static const enum stop_mode modes[] = {STOP_DRAIN, STOP_IMMEDIATE};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct world w = {.members = {{.shards = 1}, {.shards = 1}},
                          .stop_ns = 700 * NS_PER_MS,
                          .stop_mode = modes[i]};

        set_up(&w, CALLS, SECONDS("60", "10"));
        play(&w);
        assert_string_equal(run_state_name(w.run->state), "stopped");
        all_books_agree(&w);
        tear_down(&w);
    }
}

static void leave_now(struct world *w, struct member *m)
{
    (void)w;
    if (m->windows == 1) {
        remote_leave(m->remote);
    }
}

/* A worker that leaves drains by itself: no operation is cut, and everything is reported. The run
 * is not what it was any more, and ends. */
static void a_worker_that_leaves(void **state)
{
    struct world w = {.members = {{.shards = 2}}, .on_window = leave_now};

    (void)state;
    set_up(&w, CALLS, SECONDS("60", "10"));
    play(&w);
    assert_string_equal(run_state_name(w.run->state), "failed");
    assert_true(remote_done(w.members[0].remote));
    assert_int_equal(total(&w, COUNT_UNFINISHED), 0);
    assert_true(wire_totals_equal(&w.members[0].sum, &w.members[0].totals, NULL));
    tear_down(&w);
}

/* ---- what is not taken ------------------------------------------------------------------------
 */

static void rejected(const char *stages, uint64_t max_vus, const char *text)
{
    struct world w = {.members = {{.shards = 1}}, .max_vus = max_vus};

    set_up(&w, CALLS, stages);
    play(&w);
    if (strstr(w.members[0].rejected, text) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", text, w.members[0].rejected);
    }
    assert_int_equal(remote_vus(w.members[0].remote), 0);
    assert_true(remote_done(w.members[0].remote));
    tear_down(&w);
}

static void parts_that_are_too_large(void **state)
{
    (void)state;
    rejected(SECONDS("1", "11"), 10,
             "11 virtual users are more than this worker has room for: 0 of 10 are taken");
}

/* The document is checked here as it was there: nobody else's word counts. */
static void documents_that_are_wrong(void **state)
{
    struct world w = {.members = {{.shards = 1}}};

    (void)state;
    set_up(&w, CALLS, SECONDS("1", "5"));
    json_object_set_new(json_object_get(w.document, "target"), "url", json_string("ftp://x"));
    play(&w);
    assert_non_null(strstr(w.members[0].rejected, "the scenario is refused here: "));
    tear_down(&w);
}

static void give_up(struct timer *t)
{
    struct world *w = list_entry(t, struct world, stop);

    loop_stop(w->loop);
}

static void refuse_now(struct world *w, struct member *m)
{
    if (m->windows == 1) {
        remote_on_refused(m->remote, "run_1");
        w->stop.on_timer = give_up;
        loop_timer_arm(w->loop, &w->stop, loop_clock(w->loop));
    }
}

/* In the callback of its own report, and later its orders once more: nothing begins again. */
static void a_run_without_a_part_for_this_worker(void **state)
{
    struct world w = {.members = {{.shards = 2}}, .on_window = refuse_now};

    (void)state;
    set_up(&w, CALLS, SECONDS("60", "10"));
    play(&w);
    assert_int_equal(remote_vus(w.members[0].remote), 0);
    assert_true(remote_done(w.members[0].remote));
    uint64_t calls = mock_stats_requests(mock_serve_port(w.mock), "tools/call");
    on_again(&w.members[0].again);
    uint64_t until = loop_clock(w.loop) + 200 * NS_PER_MS;
    while (loop_clock(w.loop) < until) {
        loop_turn(w.loop, until);
    }
    assert_int_equal(mock_stats_requests(mock_serve_port(w.mock), "tools/call"), calls);
    assert_false(remote_fresh(w.members[0].remote));
    tear_down(&w);
}

/* ---- a stream of orders that hangs ------------------------------------------------------------
 */

static uint64_t stopped_ns, last_end_ns;

/* With its first second: the order to stop does not arrive for two seconds, a heartbeat's answer
 * does. */
static void stop_beside_the_stream(struct world *w, struct member *m)
{
    if (stopped_ns == 0) {
        stopped_ns = loop_clock(w->loop);
        m->cut = true;
        loop_timer_arm(w->loop, &m->again, stopped_ns + 2 * NS_PER_S);
        run_stop_request(w->run, STOP_IMMEDIATE, 0, "user");
        remote_stop(m->remote, "run_1");
    }
    last_end_ns = w->window->end_ns > last_end_ns ? w->window->end_ns : last_end_ns;
}

static void a_heartbeat_stops_a_run(void **state)
{
    struct world w = {.members = {{.shards = 2}}, .on_window = stop_beside_the_stream};

    (void)state;
    set_up(&w, CALLS, SECONDS("30", "8"));
    play(&w);
    assert_string_equal(run_state_name(w.run->state), "stopped");
    assert_in_range(last_end_ns, stopped_ns - NS_PER_S, stopped_ns + NS_PER_S);
    all_books_agree(&w);
    tear_down(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_heartbeat_stops_a_run),
        cmocka_unit_test(a_run_on_two_workers),
        cmocka_unit_test(users_are_dealt_by_weight),
        cmocka_unit_test(windows_carry_operations),
        cmocka_unit_test(reports_survive_lost_connections),
        cmocka_unit_test(a_worker_goes_on_without_its_control_plane),
        cmocka_unit_test(repeats_are_counted_once),
        cmocka_unit_test(lost_seconds_show_in_the_totals),
        cmocka_unit_test(clocks_of_two_machines),
        cmocka_unit_test(a_run_that_is_stopped),
        cmocka_unit_test(a_worker_that_leaves),
        cmocka_unit_test(parts_that_are_too_large),
        cmocka_unit_test(documents_that_are_wrong),
        cmocka_unit_test(a_run_without_a_part_for_this_worker),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
