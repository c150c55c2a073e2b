/* SPDX-License-Identifier: MIT */
/* What is written can be read, also by the next process. */
#include "support/open_store.h"

/* What a read brought, as one line. */
struct seen {
    char text[2000];
    size_t len;
    unsigned rows, stop_after; /* 0: never */
};

static bool count_row(struct seen *seen)
{
    return ++seen->rows != seen->stop_after;
}

#define SEE(seen, ...) \
    ((seen)->len +=    \
     (size_t)snprintf((seen)->text + (seen)->len, sizeof(seen)->text - (seen)->len, __VA_ARGS__))

static bool see_run(void *owner, const struct store_run *row)
{
    SEE((struct seen *)owner, "%s ", row->run_id);
    return count_row(owner);
}

static bool see_all_of_run(void *owner, const struct store_run *row)
{
    SEE((struct seen *)owner, "%s|%llu|%llu|%llu|%s|%s|%s|%d|%.*s|%.*s|%.*s|%.*s", row->run_id,
        (unsigned long long)row->number, (unsigned long long)row->created_ms,
        (unsigned long long)row->updated_ms, row->scenario_id, row->name, row->state, row->terminal,
        STR_ARG(row->tags), STR_ARG(row->view), STR_ARG(row->config), STR_ARG(row->saved));
    return count_row(owner);
}

static bool see_event(void *owner, const struct store_event *row)
{
    SEE((struct seen *)owner, "%llu:%s:%s:%.*s ", (unsigned long long)row->number, row->event_id,
        row->type, STR_ARG(row->body));
    return count_row(owner);
}

static bool see_window(void *owner, const struct store_window *row)
{
    SEE((struct seen *)owner, "%u:%llu:%zu ", row->source, (unsigned long long)row->second,
        row->body.len);
    return count_row(owner);
}

static bool see_text(void *owner, uint64_t number, struct str body)
{
    SEE((struct seen *)owner, "%llu:%.*s ", (unsigned long long)number, STR_ARG(body));
    return count_row(owner);
}

static bool see_part(void *owner, const char *worker_id, struct str body)
{
    SEE((struct seen *)owner, "%s:%.*s ", worker_id, STR_ARG(body));
    return count_row(owner);
}

static bool see_worker(void *owner, const struct store_worker *row)
{
    SEE((struct seen *)owner, "%s:%s:%llu:%llu:%.*s ", row->worker_id, row->token_hash,
        (unsigned long long)row->registered_ms, (unsigned long long)row->seen_ms,
        STR_ARG(row->body));
    return count_row(owner);
}

static void reopen(struct open_store *o)
{
    struct err err = {0};

    store_close(o->s);
    assert_int_equal(open_store_again(o, 0, &err), 0);
}

/* ---- runs --------------------------------------------------------------------------------------
 */

static void a_change_leaves_the_rest_of_a_run(void **state)
{
    struct open_store o;
    struct seen seen = {0};
    struct store_run run = {.run_id = "run_1",
                            .created_ms = 5,
                            .updated_ms = 6,
                            .scenario_id = "s",
                            .name = "n",
                            .state = "created",
                            .tags = STR("{\"a\":\"b\"}"),
                            .view = STR("{}"),
                            .config = STR("con\xff"),
                            .saved = STR("sav")};
    struct store_run change = {
        .run_id = "run_1", .updated_ms = 9, .terminal = true, .saved = STR("")};

    (void)state;
    open_store_new(&o);
    assert_int_equal(store_put_run(o.s, &run), 0);
    open_store_flush(&o);
    assert_int_equal(store_get_run(o.s, "run_1", see_all_of_run, &seen), 0);
    assert_string_equal(seen.text, "run_1|1|5|6|s|n|created|0|{\"a\":\"b\"}|{}|con\xff|sav");

    assert_int_equal(store_put_run(o.s, &change), 0);
    open_store_flush(&o);
    reopen(&o);
    seen = (struct seen){0};
    assert_int_equal(store_get_run(o.s, "run_1", see_all_of_run, &seen), 0);
    assert_string_equal(seen.text, "run_1|1|5|9|s|n|created|1|{\"a\":\"b\"}|{}|con\xff|");
    assert_int_equal(store_get_run(o.s, "run_2", see_all_of_run, &seen), ERR_NOT_FOUND);
    open_store_free(&o);
}

static void only_unfinished_runs_are_restored(void **state)
{
    struct open_store o;
    struct seen seen = {0};
    struct store_run over = {.run_id = "run_b", .terminal = true};

    (void)state;
    open_store_new(&o);
    open_store_put_run(&o, "run_c");
    open_store_put_run(&o, "run_b");
    open_store_put_run(&o, "run_a");
    assert_int_equal(store_put_run(o.s, &over), 0);
    open_store_flush(&o);
    assert_int_equal(store_unfinished(o.s, see_run, &seen), 0);
    assert_string_equal(seen.text, "run_c run_a "); /* in order of creation */
    open_store_free(&o);
}

static void put_listed(struct open_store *o,
                       const char *id,
                       uint64_t created_ms,
                       const char *state,
                       const char *scenario,
                       const char *tags)
{
    struct store_run run = {.run_id = id,
                            .created_ms = created_ms,
                            .state = state,
                            .scenario_id = scenario,
                            .name = "Nightly 100%",
                            .tags = str_c(tags)};

    assert_int_equal(store_put_run(o->s, &run), 0);
}

static void
expect_list(struct open_store *o, struct store_filter filter, uint64_t total, const char *ids)
{
    struct seen seen = {0};
    uint64_t count = 99;

    filter.limit = filter.limit == 0 ? 100 : filter.limit;
    assert_int_equal(store_list_runs(o->s, &filter, &count, see_run, &seen), 0);
    assert_string_equal(seen.text, ids);
    assert_int_equal(count, total);
}

static void runs_are_listed_sorted_paged_and_filtered(void **state)
{
    struct open_store o;

    (void)state;
    open_store_new(&o);
    expect_list(&o, (struct store_filter){0}, 0, "");
    put_listed(&o, "run_1", 10, "created", "alpha", "{\"team\":\"a\",\"o'%\\\"\":\"x\"}");
    put_listed(&o, "run_3", 20, "completed", "beta", "{\"team\":\"b\",\"n\":7}");
    put_listed(&o, "run_2", 20, "created", "beta", "{\"team\":\"a\"}");
    put_listed(&o, "run_4", 5, "failed", "Gamma", "no json");
    open_store_flush(&o);
    expect_list(&o, (struct store_filter){0}, 4, "run_3 run_2 run_1 run_4 ");
    expect_list(&o, (struct store_filter){.ascending = true}, 4, "run_4 run_1 run_2 run_3 ");
    expect_list(&o, (struct store_filter){.limit = 2, .offset = 1}, 4, "run_2 run_1 ");
    expect_list(&o, (struct store_filter){.limit = 2, .offset = 9}, 4, "");
    expect_list(&o, (struct store_filter){.state = "created"}, 2, "run_2 run_1 ");
    expect_list(&o, (struct store_filter){.state = "created", .limit = 1}, 2, "run_2 ");
    expect_list(&o, (struct store_filter){.scenario_id = "beta", .state = "created"}, 1, "run_2 ");
    expect_list(&o, (struct store_filter){.tag_key = "team", .tag_value = "a"}, 2, "run_2 run_1 ");
    expect_list(&o, (struct store_filter){.tag_key = "o'%\"", .tag_value = "x"}, 1, "run_1 ");
    expect_list(&o, (struct store_filter){.tag_key = "team", .tag_value = "A"}, 0, "");
    expect_list(&o, (struct store_filter){.text = "gamm"}, 1, "run_4 ");
    expect_list(&o, (struct store_filter){.text = "N_1"}, 1, "run_1 ");
    expect_list(&o, (struct store_filter){.text = "100%"}, 4, "run_3 run_2 run_1 run_4 ");
    expect_list(&o, (struct store_filter){.text = "1%%"}, 0, "");

    put_listed(&o, "run_2", 20, "created", "beta", "{\"team\":\"c\"}"); /* instead of a */
    open_store_flush(&o);
    expect_list(&o, (struct store_filter){.tag_key = "team", .tag_value = "a"}, 1, "run_1 ");
    expect_list(&o, (struct store_filter){.tag_key = "team", .tag_value = "c"}, 1, "run_2 ");
    open_store_free(&o);
}

static void documents_have_kinds(void **state)
{
    struct open_store o;
    struct seen seen = {0};

    (void)state;
    open_store_new(&o);
    open_store_put_run(&o, "run_1");
    assert_int_equal(store_put_document(o.s, "run_1", "result", STR("old")), 0);
    assert_int_equal(store_put_document(o.s, "run_1", "result", STR("new")), 0);
    assert_int_equal(store_put_document(o.s, "run_1", "junit", STR("")), 0);
    open_store_flush(&o);
    assert_int_equal(store_get_document(o.s, "run_1", "result", see_text, &seen), 0);
    assert_int_equal(store_get_document(o.s, "run_1", "junit", see_text, &seen), 0);
    assert_string_equal(seen.text, "0:new 0: ");
    assert_int_equal(store_get_document(o.s, "run_1", "html", see_text, &seen), ERR_NOT_FOUND);
    assert_int_equal(store_get_document(o.s, "run_2", "result", see_text, &seen), ERR_NOT_FOUND);
    open_store_free(&o);
}

/* ---- what happens in a run ---------------------------------------------------------------------
 */

static void add_event(struct open_store *o, const char *run_id, uint64_t number, const char *id)
{
    struct store_event event = {.number = number, .event_id = id, .type = "T", .body = STR("{}")};

    assert_int_equal(store_add_event(o->s, run_id, &event), 0);
}

static void events_are_numbered_and_found_by_id(void **state)
{
    struct open_store o;
    struct seen seen = {0};
    uint64_t number;

    (void)state;
    open_store_new(&o);
    open_store_put_run(&o, "run_1");
    open_store_put_run(&o, "run_2");
    add_event(&o, "run_1", 0, "evt_a");
    add_event(&o, "run_2", 0, "evt_b");
    add_event(&o, "run_1", 1, "evt_c");
    add_event(&o, "run_1", 2, "evt_d");
    add_event(&o, "run_9", 0, "evt_e"); /* of a run that is not there */
    assert_int_equal(store_event_count(o.s, "run_1", &number), 0);
    assert_int_equal(number, 0); /* not durable, so nobody sees it */
    open_store_flush(&o);
    assert_int_equal(store_events(o.s, "run_1", 1, 100, see_event, &seen), 0);
    assert_string_equal(seen.text, "1:evt_c:T:{} 2:evt_d:T:{} ");
    seen = (struct seen){0};
    assert_int_equal(store_events(o.s, "run_1", 0, 1, see_event, &seen), 0);
    assert_string_equal(seen.text, "0:evt_a:T:{} ");
    seen = (struct seen){.stop_after = 2};
    assert_int_equal(store_events(o.s, "run_1", 0, UINT64_MAX, see_event, &seen), 0);
    assert_int_equal(seen.rows, 2);
    assert_int_equal(store_events(o.s, "run_1", UINT64_MAX, 1, see_event, &seen), 0);
    assert_int_equal(store_events(o.s, "run_9", 0, 1, see_event, &seen), 0);
    assert_int_equal(seen.rows, 2);
    assert_int_equal(store_event_number(o.s, "run_1", "evt_d", &number), 0);
    assert_int_equal(number, 2);
    assert_int_equal(store_event_number(o.s, "run_1", "evt_b", &number), ERR_NOT_FOUND);
    assert_int_equal(store_event_count(o.s, "run_1", &number), 0);
    assert_int_equal(number, 3);
    open_store_free(&o);
}

static void windows_come_in_the_order_of_their_coming(void **state)
{
    struct open_store o;
    struct seen seen = {0};
    char body[20000] = {0};
    const struct store_window windows[] = {
        {.source = 4, .second = 7, .body = {body, sizeof body}},
        {.source = UINT32_MAX, .second = 6, .body = STR("")},
        {.source = 4, .second = 7, .body = STR("again")},
    };

    (void)state;
    open_store_new(&o);
    open_store_put_run(&o, "run_1");
    open_store_put_run(&o, "run_2");
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(store_add_window(o.s, "run_1", &windows[i]), 0);
        assert_int_equal(store_add_window(o.s, "run_2", &windows[2 - i]), 0);
    }
    open_store_flush(&o);
    assert_int_equal(store_windows(o.s, "run_1", see_window, &seen), 0);
    assert_string_equal(seen.text, "4:7:20000 4294967295:6:0 4:7:5 ");
    assert_int_equal(store_drop_windows(o.s, "run_1"), 0);
    open_store_flush(&o);
    seen = (struct seen){0};
    assert_int_equal(store_windows(o.s, "run_1", see_window, &seen), 0);
    assert_int_equal(seen.rows, 0);
    assert_int_equal(store_windows(o.s, "run_2", see_window, &seen), 0);
    assert_int_equal(seen.rows, 3);
    open_store_free(&o);
}

static void a_second_is_replaced_and_samples_are_numbered(void **state)
{
    struct open_store o;
    struct seen seen = {0};

    (void)state;
    open_store_new(&o);
    open_store_put_run(&o, "run_1");
    open_store_put_run(&o, "run_2");
    assert_int_equal(store_add_second(o.s, "run_1", 3, STR("partial")), 0);
    assert_int_equal(store_add_second(o.s, "run_1", 2, STR("b")), 0);
    assert_int_equal(store_add_second(o.s, "run_1", 3, STR("whole")), 0);
    assert_int_equal(store_add_sample(o.s, "run_1", STR("x")), 0);
    assert_int_equal(store_add_sample(o.s, "run_2", STR("y")), 0);
    assert_int_equal(store_add_sample(o.s, "run_1", STR("z")), 0);
    open_store_flush(&o);
    assert_int_equal(store_seconds(o.s, "run_1", 0, 10, see_text, &seen), 0);
    assert_int_equal(store_seconds(o.s, "run_1", 3, 10, see_text, &seen), 0);
    assert_int_equal(store_seconds(o.s, "run_1", 0, 1, see_text, &seen), 0);
    assert_string_equal(seen.text, "2:b 3:whole 3:whole 2:b ");
    seen = (struct seen){0};
    assert_int_equal(store_samples(o.s, "run_1", 0, 10, see_text, &seen), 0);
    assert_int_equal(store_samples(o.s, "run_1", 1, 10, see_text, &seen), 0);
    assert_int_equal(store_samples(o.s, "run_2", 0, 10, see_text, &seen), 0);
    assert_string_equal(seen.text, "0:x 1:z 1:z 0:y ");
    open_store_free(&o);
}

/* ---- workers -----------------------------------------------------------------------------------
 */

static void workers_and_what_was_applied_are_remembered(void **state)
{
    struct open_store o;
    struct seen seen = {0};
    uint64_t seq = 9;
    struct store_worker a = {.worker_id = "wkr_b",
                             .token_hash = "ff",
                             .registered_ms = 1,
                             .seen_ms = 2,
                             .body = STR("{}")};
    struct store_worker b = {.worker_id = "wkr_a", .token_hash = "ee", .registered_ms = 3};
    struct store_worker seen_again = {.worker_id = "wkr_b", .seen_ms = 8};

    (void)state;
    open_store_new(&o);
    open_store_put_run(&o, "run_1");
    assert_int_equal(store_put_worker(o.s, &a), 0);
    assert_int_equal(store_put_worker(o.s, &b), 0);
    assert_int_equal(store_put_worker(o.s, &seen_again), 0);
    assert_int_equal(store_put_applied(o.s, "run_1", "wkr_b", 6), 0);
    assert_int_equal(store_put_applied(o.s, "run_1", "wkr_b", 7), 0);
    assert_int_equal(store_put_totals(o.s, "run_1", "wkr_b", STR("t2")), 0);
    assert_int_equal(store_put_totals(o.s, "run_1", "wkr_a", STR("t1")), 0);
    open_store_flush(&o);
    reopen(&o);
    assert_int_equal(store_workers(o.s, see_worker, &seen), 0);
    assert_string_equal(seen.text, "wkr_b:ff:1:8:{} wkr_a:ee:3:0: ");
    assert_int_equal(store_get_applied(o.s, "run_1", "wkr_b", &seq), 0);
    assert_int_equal(seq, 7);
    assert_int_equal(store_get_applied(o.s, "run_1", "wkr_a", &seq), 0);
    assert_int_equal(seq, 0);
    assert_int_equal(store_delete_worker(o.s, "wkr_b"), 0);
    open_store_flush(&o);
    seen = (struct seen){0};
    assert_int_equal(store_workers(o.s, see_worker, &seen), 0);
    assert_int_equal(seen.rows, 1);
    seen = (struct seen){0};
    assert_int_equal(store_totals(o.s, "run_1", see_part, &seen), 0);
    assert_string_equal(seen.text, "wkr_a:t1 wkr_b:t2 "); /* what it brought stays */
    open_store_free(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_leaves_the_rest_of_a_run),
        cmocka_unit_test(only_unfinished_runs_are_restored),
        cmocka_unit_test(runs_are_listed_sorted_paged_and_filtered),
        cmocka_unit_test(documents_have_kinds),
        cmocka_unit_test(events_are_numbered_and_found_by_id),
        cmocka_unit_test(windows_come_in_the_order_of_their_coming),
        cmocka_unit_test(a_second_is_replaced_and_samples_are_numbered),
        cmocka_unit_test(workers_and_what_was_applied_are_remembered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
