/* SPDX-License-Identifier: MIT */
/* Whole runs over a real store and workers that are played by the test. */
#include "hub_place.h"

static void created_runs_are_checked_and_kept(void **state)
{
    struct place p;
    char id[HUB_RUN_ID_MAX], copy[HUB_RUN_ID_MAX];
    struct hub_refusal why = {0};
    json_t *bad = document("{'target': {}}"), *patch = document("{'scenario_id': 'other'}");
    json_t *warnings = NULL, *list = NULL;
    struct store_filter all = {.limit = 10};

    (void)state;
    set_up(&p);
    struct hub_new_run what = {.config = bad, .actor = "ann"};
    assert_int_equal(hub_create(p.hub, &what, id, &warnings, &why), ERR_INVALID);
    assert_string_equal(why.code, "VALIDATION_FAILED");
    assert_true(json_array_size(json_object_get(why.details, "errors")) > 0);
    hub_refusal_clear(&why);
    create(&p, SCENARIO, id);
    assert_string_equal(state_of(&p, id), "created");
    assert_int_equal(hub_clone(p.hub, id, patch, "bob", copy, &why), 0);
    settle(&p);
    restart(&p);
    assert_string_equal(state_of(&p, copy), "created");
    assert_int_equal(hub_list(p.hub, &all, &list, &why), 0);
    assert_int_equal(json_integer_value(json_object_get(list, "total")), 2);
    json_decref(list);
    assert_int_equal(hub_delete(p.hub, id, &why), 0);
    settle(&p);
    assert_int_equal(hub_delete(p.hub, id, &why), ERR_NOT_FOUND);
    assert_int_equal(hub_stop(p.hub, copy, "", "ann", &why), ERR_STATE);
    assert_string_equal(why.code, "INVALID_STATE");
    hub_refusal_clear(&why);
    json_decref(bad);
    json_decref(patch);
    tear_down(&p);
}

static void without_workers_a_run_stays_created(void **state)
{
    struct place p;
    struct fake_worker small = {.hub = NULL};
    char id[HUB_RUN_ID_MAX];
    struct hub_refusal why = {0};

    (void)state;
    set_up(&p);
    create(&p, SCENARIO, id);
    assert_int_equal(start(&p, id, &why), ERR_LIMIT);
    assert_string_equal(why.code, "NO_CAPACITY");
    assert_true(why.retryable);
    hub_refusal_clear(&why);
    fake_register(&small, p.hub, "eu", 9);
    assert_int_equal(start(&p, id, &why), ERR_LIMIT);
    assert_int_equal(json_integer_value(json_object_get(why.details, "available_vus")), 9);
    assert_non_null(strstr(why.message, "and 9 are free on the 1 connected worker:"));
    hub_refusal_clear(&why);
    assert_string_equal(state_of(&p, id), "created");
    hub_detach(p.hub, &small.link);
    fake_clear(&small);
    tear_down(&p);
}

/* Numbers of events go on also from those that are not on the disk yet, and a run that was deleted
 * is gone at once: the store does not know either for a moment. */
static void calls_that_follow_each_other_at_once(void **state)
{
    struct place p;
    struct fake_worker w = {.hub = NULL};
    struct seen_events seen = {0};
    char id[HUB_RUN_ID_MAX], other[HUB_RUN_ID_MAX];
    const char *is = NULL;
    struct hub_refusal why = {0};

    (void)state;
    set_up(&p);
    create(&p, SCENARIO, id);
    create(&p, SCENARIO, other);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(hub_start(p.hub, id, "ann", &is, &why), ERR_LIMIT);
        hub_refusal_clear(&why);
    }
    fake_register(&w, p.hub, "eu", 10);
    assert_int_equal(hub_start(p.hub, id, "ann", &is, &why), 0);
    settle(&p);
    assert_false(store_failed(p.store.s, NULL));
    assert_int_equal(store_events(p.store.s, id, 0, 64, see_event, &seen), 0);
    assert_string_equal(seen.types[3], "ALLOCATION_FAILED");
    assert_string_equal(seen.types[4], "WORKER_ASSIGNED");
    assert_int_equal(hub_delete(p.hub, other, &why), 0);
    assert_int_equal(hub_start(p.hub, other, "ann", &is, &why), ERR_NOT_FOUND);
    assert_int_equal(hub_delete(p.hub, other, &why), ERR_NOT_FOUND);
    settle(&p);
    hub_detach(p.hub, &w.link);
    fake_clear(&w);
    tear_down(&p);
}

static void two_workers_play_a_run(void **state)
{
    struct place p;
    struct pair pair = {0};
    struct seen_events seen = {0};
    struct hub_refusal why = {0};
    json_t *result = NULL;
    char id[HUB_RUN_ID_MAX];

    (void)state;
    set_up(&p);
    register_pair(&p, &pair);
    create(&p, SCENARIO, id);
    begin(&p, &pair, id);
    assert_int_equal(pair.w[0].orders[0].total, 2);
    play(&pair, 0, 50);
    until(&p, id, "stopping");
    settle(&p);
    assert_true(fake_order(&pair.w[0], WIRE_ORDER_DRAIN)->natural);
    play(&pair, 1, 1);
    fake_end(&pair.w[0]);
    assert_string_equal(state_of(&p, id), "stopping");
    fake_end(&pair.w[1]);
    assert_string_equal(state_of(&p, id),
                        "analyzing"); /* nobody has seen an end without a result */
    assert_int_equal(hub_result(p.hub, id, &result, &why), ERR_STATE);
    assert_string_equal(why.code, "INVALID_STATE");
    hub_refusal_clear(&why);
    settle(&p);
    assert_true(hub_is_over(p.hub, id));
    assert_string_equal(state_of(&p, id), "completed");
    assert_non_null(fake_order(&pair.w[0], WIRE_ORDER_RELEASE));
    check_result(&p, id, 102);
    assert_int_equal(store_events(p.store.s, id, 0, 64, see_event, &seen), 0);
    assert_string_equal(seen.types[0], "RUN_CREATED");
    assert_true(has_event(&seen, "WORKER_ASSIGNED"));
    assert_string_equal(seen.types[seen.count - 1], "STATE_TRANSITION");
    assert_non_null(strstr(seen.steps, "start_run by ann · "));
    assert_non_null(strstr(seen.steps, "stages_done by system · "));
    clear_pair(&p, &pair);
    tear_down(&p);
}

struct seen_samples {
    uint64_t count;
    char workers[16][64], ids[16][64];
};

static bool see_sample(void *owner, uint64_t number, struct str line)
{
    struct seen_samples *seen = owner;
    json_t *sample = NULL;

    assert_int_equal(number, seen->count);
    assert_true(seen->count < 16);
    assert_int_equal(json_parse(line, 4096, &sample, NULL), 0);
    snprintf(seen->workers[seen->count], 64, "%s",
             json_string_value(json_object_get(sample, "worker_id")));
    snprintf(seen->ids[seen->count++], 64, "%s",
             json_string_value(json_object_get(sample, "op_id")));
    json_decref(sample);
    return true;
}

/* Samples name the worker that played the operation, and no id comes twice, whatever was started
 * anew meanwhile. */
static void samples_name_their_worker(void **state)
{
    struct place p;
    struct pair pair = {0};
    struct seen_samples seen = {0};
    char id[HUB_RUN_ID_MAX];

    (void)state;
    set_up(&p);
    register_pair(&p, &pair);
    create(&p, SCENARIO, id);
    begin(&p, &pair, id);
    play(&pair, 0, 2);
    settle(&p);
    restart(&p);
    register_pair(&p, &pair);
    play(&pair, 1, 1);
    settle(&p);
    assert_int_equal(store_samples(p.store.s, id, 0, 16, see_sample, &seen), 0);
    assert_int_equal(seen.count, 6);
    for (uint64_t i = 0; i < seen.count; i++) {
        bool first = i < 4 ? i < 2 : i == 4;
        char digits[9], op_id[64];
        assert_string_equal(seen.workers[i], first ? pair.w[0].id : pair.w[1].id);
        snprintf(digits, sizeof digits, "%.8s", seen.workers[i] + strlen("wkr_"));
        snprintf(op_id, sizeof op_id, "op_%s%012x", digits, (unsigned)i + 1);
        assert_string_equal(seen.ids[i], op_id);
    }
    clear_pair(&p, &pair);
    tear_down(&p);
}

/* The series of the run begins at this moment, and its first second lasts one. */
static json_int_t series_begin(struct place *p, const char *id)
{
    struct hub_metrics_query query = {.time_series = true, .to_ms = UINT64_MAX};
    struct hub_refusal why = {0};
    json_t *metrics = NULL;

    assert_int_equal(hub_metrics(p->hub, id, &query, &metrics, &why), 0);
    json_t *series = json_object_get(metrics, "time_series");
    json_int_t first = json_integer_value(json_object_get(json_array_get(series, 0), "timestamp"));
    for (size_t i = 0; i < json_array_size(series); i++) {
        json_t *at = json_object_get(json_array_get(series, i), "timestamp");
        assert_int_equal(json_integer_value(at), first + 1000 * (json_int_t)i);
    }
    json_decref(metrics);
    return first;
}

/* The wall clock at which the order says that the seconds begin. */
static json_int_t grid_wall_ms(const struct fake_worker *w)
{
    int64_t ahead_ns =
        (int64_t)fake_order(w, WIRE_ORDER_STAGE)->grid_ns - (int64_t)clock_monotonic_ns();

    return (json_int_t)clock_wall_ms() + ahead_ns / (int64_t)NS_PER_MS;
}

/* Checks take their time, and seconds begin behind them: they are shown at the time that they were,
 * by whichever process. */
static void seconds_are_shown_when_they_were(void **state)
{
    struct place p;
    struct pair pair = {0};
    struct hub_refusal why = {0};
    json_t *view = NULL;
    char id[HUB_RUN_ID_MAX];

    (void)state;
    set_up(&p);
    register_pair(&p, &pair);
    create(&p, SCENARIO, id);
    begin(&p, &pair, id);
    json_int_t wall_ms = grid_wall_ms(&pair.w[0]);
    play(&pair, 0, 50);
    settle(&p);
    restart(&p);
    register_pair(&p, &pair);
    until(&p, id, "stopping");
    settle(&p);
    play(&pair, 1, 1);
    fake_end(&pair.w[0]);
    settle(&p);
    json_int_t first = series_begin(&p, id);
    assert_in_range(first, wall_ms - 50, wall_ms + 50);
    restart(&p);
    register_pair(&p, &pair);
    assert_int_equal(series_begin(&p, id), first);
    fake_end(&pair.w[1]);
    settle(&p);
    assert_string_equal(state_of(&p, id), "completed");
    assert_int_equal(series_begin(&p, id), first);
    assert_int_equal(hub_view(p.hub, id, &view, &why), 0);
    assert_true(json_integer_value(json_object_get(view, "started_at_ms")) < first - 100);
    json_decref(view);
    clear_pair(&p, &pair);
    tear_down(&p);
}

/* What was not acknowledged comes again, what was is counted once, and no event is told twice or
 * gets another number. */
static void a_restart_goes_on(void **state)
{
    struct place p;
    struct pair pair = {0};
    struct seen_events before = {0}, after = {0};
    char id[HUB_RUN_ID_MAX];

    (void)state;
    set_up(&p);
    register_pair(&p, &pair);
    create(&p, SCENARIO, id);
    begin(&p, &pair, id);
    play(&pair, 0, 50);
    settle(&p);
    assert_int_equal(store_events(p.store.s, id, 0, 64, see_event, &before), 0);
    uint64_t known = pair.w[0].last_n;
    restart(&p);
    register_pair(&p, &pair);
    assert_int_equal(fake_report_as(&pair.w[0], 1, WIRE_REPORT_READY, STR("{}")), 0);
    assert_int_equal(pair.w[0].acked, 3); /* ready, checks, a window: nothing is asked for again */
    until(&p, id, "stopping");
    settle(&p);
    /* Numbers that urgent orders may have had, though they were not written, are not used again. */
    assert_true(pair.w[0].last_n > known + 1);
    play(&pair, 1, 1);
    fake_end(&pair.w[0]);
    settle(&p);
    restart(&p); /* once more, between the two ends */
    register_pair(&p, &pair);
    fake_end(&pair.w[1]);
    settle(&p);
    assert_string_equal(state_of(&p, id), "completed");
    check_result(&p, id, 102);
    assert_int_equal(store_events(p.store.s, id, 0, 64, see_event, &after), 0);
    for (uint64_t i = 0; i < before.count; i++) {
        assert_string_equal(before.ids[i], after.ids[i]);
    }
    assert_true(has_event(&after, "SYSTEM_RECOVERY"));
    clear_pair(&p, &pair);
    tear_down(&p);
}

/* Who says nothing about it stops a run as its scenario wants to be stopped; what is said counts.
 */
static void a_stop_goes_by_the_scenario(void **state)
{
    static const char *const modes[] = {"", "drain"};

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct place p;
        struct pair pair = {0};
        struct hub_refusal why = {0};
        struct seen_events seen = {0};
        char id[HUB_RUN_ID_MAX];

        set_up(&p);
        register_pair(&p, &pair);
        create(&p, AT_ONCE, id);
        begin(&p, &pair, id);
        assert_int_equal(hub_stop(p.hub, id, modes[i], "bob", &why), 0);
        assert_int_equal(fake_order(&pair.w[0], WIRE_ORDER_STOP) != NULL, i == 0);
        assert_int_equal(fake_order(&pair.w[0], WIRE_ORDER_DRAIN) != NULL, i == 1);
        settle(&p);
        assert_int_equal(store_events(p.store.s, id, 0, 64, see_event, &seen), 0);
        assert_non_null(strstr(seen.steps, "stop_requested by bob · "));
        clear_pair(&p, &pair);
        tear_down(&p);
    }
}

/* Its users are gone in the middle of the run: the load is not that of the scenario any more. All
 * that was counted is there all the same. */
static void a_worker_that_leaves_ends_the_run(void **state)
{
    struct place p;
    struct pair pair = {0};
    struct seen_events seen = {0};
    struct hub_refusal why = {0};
    json_t *result = NULL;
    char id[HUB_RUN_ID_MAX];

    (void)state;
    set_up(&p);
    register_pair(&p, &pair);
    create(&p, SCENARIO, id);
    begin(&p, &pair, id);
    play(&pair, 0, 50);
    assert_string_equal(state_of(&p, id), "baseline_running");
    fake_end(&pair.w[1]);
    settle(&p);
    assert_string_equal(state_of(&p, id), "stopping");
    assert_non_null(fake_order(&pair.w[0], WIRE_ORDER_STOP));
    fake_end(&pair.w[0]);
    settle(&p);
    assert_string_equal(state_of(&p, id), "failed");
    check_result(&p, id, 100);
    assert_int_equal(hub_result(p.hub, id, &result, &why), 0);
    assert_int_equal(json_integer_value(json_object_get(result, "exit_code")), 5);
    json_decref(result);
    assert_int_equal(store_events(p.store.s, id, 0, 64, see_event, &seen), 0);
    assert_true(has_event(&seen, "WORKER_CAPACITY_LOST"));
    clear_pair(&p, &pair);
    tear_down(&p);
}

/* Also when there is nobody else: what it counted is whole. */
static void the_only_worker_leaves(void **state)
{
    struct place p;
    struct fake_worker w = {.key_count = 1};
    struct hub_refusal why = {0};
    json_t *result = NULL;
    char id[HUB_RUN_ID_MAX];

    (void)state;
    set_up(&p);
    wire_totals_init(&w.totals, 1);
    fake_register(&w, p.hub, "eu", 16);
    create(&p, SCENARIO, id);
    assert_int_equal(start(&p, id, &why), 0);
    fake_ready(&w);
    settle(&p);
    fake_checks(&w, true);
    settle(&p);
    fake_window(&w, 0, 0, 7);
    fake_end(&w);
    settle(&p);
    assert_string_equal(state_of(&p, id), "failed");
    assert_int_equal(hub_result(p.hub, id, &result, &why), 0);
    assert_true(json_is_true(json_object_get(json_object_get(result, "integrity"), "whole")));
    assert_non_null(
        strstr(json_string_value(json_object_get(json_object_get(result, "stop"), "sentence")),
               "has ended its part before its time, and 10 virtual users with it"));
    json_decref(result);
    hub_detach(p.hub, &w.link);
    fake_clear(&w);
    tear_down(&p);
}

static void repeats_and_gaps(void **state)
{
    struct place p;
    struct pair pair = {0};
    char id[HUB_RUN_ID_MAX];

    (void)state;
    set_up(&p);
    register_pair(&p, &pair);
    create(&p, SCENARIO, id);
    begin(&p, &pair, id);
    assert_int_equal(fake_report_as(&pair.w[0], 1, WIRE_REPORT_READY, STR("{}")), 0);
    assert_int_equal(pair.w[0].acked, 2);
    assert_int_equal(fake_report_as(&pair.w[0], 9, WIRE_REPORT_DRAINED, STR("x")), 0);
    assert_int_equal(pair.w[0].acked, 2); /* from 3 on, please */
    assert_false(pair.w[0].refused);
    assert_int_equal(fake_report_as(&pair.w[0], 3, WIRE_REPORT_WINDOW, STR("nonsense")), 0);
    assert_true(pair.w[0].refused); /* it is no worker of ours: the run ends */
    assert_string_equal(state_of(&p, id), "stopping");
    settle(&p);
    assert_non_null(fake_order(&pair.w[1], WIRE_ORDER_STOP));
    fake_end(&pair.w[1]);
    settle(&p);
    assert_string_equal(state_of(&p, id), "failed");
    clear_pair(&p, &pair);
    tear_down(&p);
}

/* Neither the store nor the books take any number for a second. */
static void seconds_that_have_not_been(void **state)
{
    static const uint64_t seconds[] = {UINT64_MAX, UINT64_C(1) << 63, 100000};

    (void)state;
    for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
        struct place p;
        struct pair pair = {0};
        struct buf body;
        char id[HUB_RUN_ID_MAX];

        set_up(&p);
        register_pair(&p, &pair);
        create(&p, SCENARIO, id);
        begin(&p, &pair, id);
        buf_init(&body, 1 << 20);
        fake_window_body(&pair.w[0], pair.w[0].orders[0].base, seconds[i], 1, &body);
        assert_int_equal(fake_report_as(&pair.w[0], 3, WIRE_REPORT_WINDOW, buf_str(&body)), 0);
        assert_true(pair.w[0].refused);
        settle(&p);
        assert_string_equal(state_of(&p, id), "stopping");
        fake_end(&pair.w[1]);
        settle(&p);
        assert_string_equal(state_of(&p, id), "failed");
        buf_clear(&body);
        clear_pair(&p, &pair);
        tear_down(&p);
    }
}

static void a_check_that_fails_on_one_worker(void **state)
{
    struct place p;
    struct pair pair = {0};
    char id[HUB_RUN_ID_MAX];
    struct hub_refusal why = {0};
    json_t *view = NULL;

    (void)state;
    set_up(&p);
    register_pair(&p, &pair);
    create(&p, SCENARIO, id);
    assert_int_equal(start(&p, id, &why), 0);
    fake_ready(&pair.w[0]);
    fake_ready(&pair.w[1]);
    settle(&p);
    fake_checks(&pair.w[0], true);
    fake_checks(&pair.w[1], false);
    settle(&p);
    fake_end(&pair.w[0]);
    fake_end(&pair.w[1]);
    settle(&p);
    assert_string_equal(state_of(&p, id), "failed");
    assert_int_equal(hub_view(p.hub, id, &view, &why), 0);
    const char *message =
        json_string_value(json_object_get(json_object_get(view, "stop_reason"), "message"));
    assert_non_null(strstr(message, pair.w[1].id));
    json_decref(view);
    clear_pair(&p, &pair);
    tear_down(&p);
}

struct watcher {
    struct hub_watch watch;
    unsigned news;
};

static void on_news(struct hub_watch *w)
{
    list_entry(w, struct watcher, watch)->news++;
}

/* Who watches a run hears of it from before its start to its end, whatever becomes of it. */
static void watches_follow_a_run_through_its_life(void **state)
{
    struct watcher w = {.watch.on_news = on_news}, other = {.watch.on_news = on_news};
    struct hub_refusal why = {0};
    struct place p;
    struct pair pair = {0};
    char id[HUB_RUN_ID_MAX], second[HUB_RUN_ID_MAX];

    (void)state;
    set_up(&p);
    create(&p, SCENARIO, id);
    create(&p, SCENARIO, second);
    hub_watch(p.hub, id, &w.watch);
    hub_watch(p.hub, second, &other.watch);
    assert_int_equal(start(&p, id, &why), ERR_LIMIT); /* ALLOCATION_FAILED */
    hub_refusal_clear(&why);
    assert_true(w.news > 0 && !list_empty(&w.watch.node));
    register_pair(&p, &pair);
    w.news = 0;
    begin(&p, &pair, id);
    assert_true(w.news > 0 && !list_empty(&w.watch.node));
    w.news = other.news = 0;
    assert_int_equal(hub_emergency_stop(p.hub, id, "ann", &why), 0);
    assert_non_null(fake_order(&pair.w[0], WIRE_ORDER_STOP)); /* at once */
    fake_end(&pair.w[0]);
    fake_end(&pair.w[1]);
    until(&p, id, "aborted");
    settle(&p);
    assert_true(w.news > 0 && list_empty(&w.watch.node));
    assert_true(hub_is_over(p.hub, id));
    assert_int_equal(other.news, 0);
    assert_int_equal(hub_delete(p.hub, second, &why), 0);
    assert_true(other.news == 1 && list_empty(&other.watch.node));
    hub_watch(p.hub, id, &w.watch);
    assert_true(list_empty(&w.watch.node)); /* no more comes of it */
    hub_unwatch(&w.watch);
    clear_pair(&p, &pair);
    tear_down(&p);
}

/* A list shows the tags of all its runs. */
static void tags_are_short(void **state)
{
    struct place p;
    char id[HUB_RUN_ID_MAX], text[HUB_NAME_MAX + 2];
    struct hub_refusal why = {0};
    json_t *config = document(SCENARIO), *warnings = NULL, *tags = json_object();
    struct hub_new_run what = {.config = config, .tags = tags, .actor = "ann"};

    (void)state;
    set_up(&p);
    memset(text, 'x', sizeof text);
    text[HUB_NAME_MAX] = '\0';
    json_object_set_new(tags, "team", json_string(text));
    assert_int_equal(hub_create(p.hub, &what, id, &warnings, &why), 0);
    json_decref(warnings);
    text[HUB_NAME_MAX] = 'x';
    text[HUB_NAME_MAX + 1] = '\0';
    json_object_set_new(tags, "team", json_string(text));
    assert_int_equal(hub_create(p.hub, &what, id, &warnings, &why), ERR_INVALID);
    hub_refusal_clear(&why);
    json_object_clear(tags);
    json_object_set_new(tags, text, json_string(""));
    assert_int_equal(hub_create(p.hub, &what, id, &warnings, &why), ERR_INVALID);
    hub_refusal_clear(&why);
    json_decref(tags);
    json_decref(config);
    tear_down(&p);
}

/* A worker comes back with ten minutes of a run that is not its own any more. */
static void a_refusal_is_said_once(void **state)
{
    struct place p;
    struct pair pair = {0};
    struct hub_refusal why = {0};
    json_t *answer = NULL;
    struct buf frames;
    size_t at;

    (void)state;
    set_up(&p);
    register_pair(&p, &pair);
    buf_init(&frames, 1 << 20);
    for (uint64_t seq = 1; seq <= 1000; seq++) {
        assert_int_equal(wire_frame_begin(&frames, WIRE_REPORT, &at), 0);
        assert_int_equal(wire_report_begin(&frames, WIRE_REPORT_WINDOW, seq, "run_old"), 0);
        assert_int_equal(wire_frame_end(&frames, at), 0);
    }
    assert_int_equal(hub_telemetry(p.hub, pair.w[0].id, buf_str(&frames), &answer, &why), 0);
    assert_int_equal(json_array_size(json_object_get(answer, "refused")), 1);
    json_decref(answer);
    buf_clear(&frames);
    clear_pair(&p, &pair);
    tear_down(&p);
}

static struct {
    const struct store_ops *real;
    struct store_ops ops;
    unsigned documents, views;
    size_t saved_bytes;
} counted;

static int count_document(struct store *s, const char *run_id, const char *kind, struct str body)
{
    counted.documents++;
    return counted.real->put_document(s, run_id, kind, body);
}

static int count_row(struct store *s, const struct store_run *run)
{
    counted.views += run->view.p != NULL;
    counted.saved_bytes = run->saved.len;
    return counted.real->put_run(s, run);
}

/* Each worker reports each second: what is written for a report must not grow with the workers that
 * there are, nor with what was ordered before. */
static void a_report_writes_little(void **state)
{
    struct place p;
    struct pair pair = {0};
    char id[HUB_RUN_ID_MAX];

    (void)state;
    set_up(&p);
    register_pair(&p, &pair);
    create(&p, SCENARIO, id);
    begin(&p, &pair, id);
    counted.real = p.store.s->ops;
    counted.ops = *counted.real;
    counted.ops.put_document = count_document;
    counted.ops.put_run = count_row;
    p.store.s->ops = &counted.ops;
    play(&pair, 0, 50);
    settle(&p);
    assert_int_equal(counted.documents, 0);
    assert_int_equal(counted.views, 0);
    assert_in_range(counted.saved_bytes, 1, 8192);
    until(&p, id, "stopping");
    settle(&p);
    assert_true(counted.documents > 0 && counted.views > 0); /* an order, an event */
    p.store.s->ops = counted.real;
    clear_pair(&p, &pair);
    tear_down(&p);
}

static size_t told_to_stop(struct place *p, const struct fake_worker *w, const char *id)
{
    struct wire_heartbeat what = {.sent_ns = 5};
    json_t *beat = NULL, *pulse = NULL;
    struct buf text;
    struct hub_refusal why = {0};

    buf_init(&text, 4096);
    assert_int_equal(wire_heartbeat_encode(&what, &text), 0);
    assert_int_equal(json_parse(buf_str(&text), 4096, &beat, NULL), 0);
    buf_clear(&text);
    if (hub_heartbeat(p->hub, w->id, beat, &pulse, &why) != 0) {
        fail_msg("%s", why.message);
    }
    const json_t *runs = json_object_get(pulse, "stop_run_ids");
    size_t count = json_array_size(runs);
    if (count > 0) {
        assert_string_equal(json_string_value(json_array_get(runs, 0)), id);
    }
    json_decref(pulse);
    json_decref(beat);
    return count;
}

/* A stream of orders may hang without anybody noticing for a while; load has to end at once. */
static void a_stop_stands_in_the_answers_to_heartbeats(void **state)
{
    struct place p;
    struct pair pair = {0};
    char id[HUB_RUN_ID_MAX];
    struct hub_refusal why = {0};

    (void)state;
    set_up(&p);
    register_pair(&p, &pair);
    create(&p, SCENARIO, id);
    begin(&p, &pair, id);
    assert_int_equal(hub_stop(p.hub, id, "drain", "ann", &why), 0);
    settle(&p);
    assert_int_equal(told_to_stop(&p, &pair.w[0], id), 0);
    assert_int_equal(hub_emergency_stop(p.hub, id, "ann", &why), 0);
    assert_int_equal(told_to_stop(&p, &pair.w[0], id), 1);
    assert_int_equal(told_to_stop(&p, &pair.w[1], id), 1);
    fake_end(&pair.w[0]);
    assert_int_equal(told_to_stop(&p, &pair.w[0], id), 0);
    assert_int_equal(told_to_stop(&p, &pair.w[1], id), 1);
    fake_end(&pair.w[1]);
    settle(&p);
    assert_int_equal(told_to_stop(&p, &pair.w[1], id), 0);
    clear_pair(&p, &pair);
    tear_down(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(created_runs_are_checked_and_kept),
        cmocka_unit_test(without_workers_a_run_stays_created),
        cmocka_unit_test(calls_that_follow_each_other_at_once),
        cmocka_unit_test(two_workers_play_a_run),
        cmocka_unit_test(samples_name_their_worker),
        cmocka_unit_test(a_restart_goes_on),
        cmocka_unit_test(a_stop_goes_by_the_scenario),
        cmocka_unit_test(seconds_are_shown_when_they_were),
        cmocka_unit_test(a_worker_that_leaves_ends_the_run),
        cmocka_unit_test(the_only_worker_leaves),
        cmocka_unit_test(repeats_and_gaps),
        cmocka_unit_test(seconds_that_have_not_been),
        cmocka_unit_test(a_check_that_fails_on_one_worker),
        cmocka_unit_test(watches_follow_a_run_through_its_life),
        cmocka_unit_test(tags_are_short),
        cmocka_unit_test(a_refusal_is_said_once),
        cmocka_unit_test(a_report_writes_little),
        cmocka_unit_test(a_stop_stands_in_the_answers_to_heartbeats),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
