/* SPDX-License-Identifier: MIT */
#include "store/connection.h"
#include "store/litter.h"
#include "support/open_store.h"

enum { ROWS = 2 * LITTER_ROWS + 50 };

static void fill(struct open_store *o, const char *run_id)
{
    struct store_run run = {.run_id = run_id, .tags = STR("{\"k\":\"v\"}"), .config = STR("{}")};

    assert_int_equal(store_put_run(o->s, &run), 0);
    for (unsigned i = 0; i < ROWS; i++) {
        struct store_window window = {.second = i, .body = STR("w")};
        char id[32];
        struct store_event event = {.number = i, .event_id = id, .type = "T", .body = STR("{}")};

        snprintf(id, sizeof id, "evt_%u", i);
        assert_int_equal(store_add_window(o->s, run_id, &window), 0);
        assert_int_equal(store_add_event(o->s, run_id, &event), 0);
        assert_int_equal(store_add_second(o->s, run_id, i, STR("s")), 0);
        assert_int_equal(store_add_sample(o->s, run_id, STR("l")), 0);
    }
    assert_int_equal(store_put_totals(o->s, run_id, "wkr_1", STR("t")), 0);
    assert_int_equal(store_put_applied(o->s, run_id, "wkr_1", 1), 0);
}

static int64_t count(struct open_store *o, const char *sql)
{
    char path[128];
    sqlite3 *db;
    int64_t n;
    struct err err = {0};

    snprintf(path, sizeof path, "%s/mcpdrill.db", o->folder.path);
    assert_int_equal(connection_open(path, &db, &err), 0);
    if (connection_number(db, sql, &n, &err) != 0) {
        fail_msg("%s", err.msg);
    }
    connection_close(db);
    return n;
}

/* Of all runs together. */
static int64_t rows_of_runs(struct open_store *o)
{
    return count(o, "SELECT (SELECT count(*) FROM windows) + (SELECT count(*) FROM events)"
                    " + (SELECT count(*) FROM seconds) + (SELECT count(*) FROM samples)"
                    " + (SELECT count(*) FROM documents) + (SELECT count(*) FROM tags)"
                    " + (SELECT count(*) FROM totals) + (SELECT count(*) FROM applied)");
}

static void until_swept(struct open_store *o)
{
    uint64_t end_ns = clock_monotonic_ns() + 10 * NS_PER_S;

    while (count(o, "SELECT count(*) FROM litter") != 0) {
        assert_true(clock_monotonic_ns() < end_ns);
        loop_turn(o->loop, clock_monotonic_ns() + 10 * NS_PER_MS);
    }
}

static bool see_window(void *owner, const struct store_window *row)
{
    (void)row;
    ++*(unsigned *)owner;
    return true;
}

static void a_deleted_run_leaves_nothing_and_others_alone(void **state)
{
    struct open_store o;
    uint64_t events;

    (void)state;
    open_store_new(&o);
    fill(&o, "run_1");
    fill(&o, "run_2");
    open_store_flush(&o);
    int64_t both = rows_of_runs(&o);

    assert_int_equal(both, 2 * (4 * ROWS + 4));
    assert_int_equal(store_delete_run(o.s, "run_1"), 0);
    open_store_flush(&o);
    assert_int_equal(store_event_count(o.s, "run_1", &events), 0);
    assert_int_equal(events, 0); /* at once, whatever is still there */
    until_swept(&o);
    assert_int_equal(rows_of_runs(&o), both / 2);
    assert_int_equal(store_event_count(o.s, "run_2", &events), 0);
    assert_int_equal(events, ROWS);

    open_store_put_run(&o, "run_1"); /* is another run, with a number of its own */
    open_store_flush(&o);
    assert_int_equal(count(&o, "SELECT number FROM runs WHERE run_id = 'run_1'"), 3);
    open_store_free(&o);
}

static void sweeping_goes_on_after_a_restart(void **state)
{
    struct open_store o;
    struct err err = {0};
    unsigned windows = 0;

    (void)state;
    open_store_new(&o);
    fill(&o, "run_1");
    assert_int_equal(store_drop_windows(o.s, "run_1"), 0);
    open_store_flush(&o);
    assert_int_equal(store_windows(o.s, "run_1", see_window, &windows), 0);
    assert_int_equal(windows, 0); /* at once, too */
    store_close(o.s);
    assert_int_not_equal(count(&o, "SELECT count(*) FROM litter"), 0);
    assert_int_equal(open_store_again(&o, 0, &err), 0);
    until_swept(&o);
    assert_int_equal(count(&o, "SELECT count(*) FROM windows"), 0);
    assert_int_equal(rows_of_runs(&o), 3 * ROWS + 4); /* only the windows went */
    open_store_free(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deleted_run_leaves_nothing_and_others_alone),
        cmocka_unit_test(sweeping_goes_on_after_a_restart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
