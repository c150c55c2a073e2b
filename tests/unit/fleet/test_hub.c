/* SPDX-License-Identifier: MIT */
/* Whole runs over a real store and workers that are played by the test. */
#include "fake_worker.h"
#include "fleet/hub.h"
#include "support/open_store.h"

#define SCENARIO                                                                   \
    "{'target': {'url': 'http://127.0.0.1:9/mcp'},"                                \
    " 'workload': {'operation_mix': [{'operation': 'tools_list', 'weight': 1}],"   \
    "  'user_journey': {'startup_sequence': {'run_tools_list_on_start': false}}}," \
    " 'stages': [{'stage': 'baseline', 'duration_ms': 1000, 'load': {'target_vus': 10}}]}"
#define AT_ONCE                                                                            \
    "{'target': {'url': 'http://127.0.0.1:9/mcp'},"                                        \
    " 'workload': {'operation_mix': [{'operation': 'tools_list', 'weight': 1}],"           \
    "  'user_journey': {'startup_sequence': {'run_tools_list_on_start': false}}},"         \
    " 'stages': [{'stage': 'baseline', 'duration_ms': 9000, 'load': {'target_vus': 10}}]," \
    " 'safety': {'stop_policy': {'mode': 'immediate'}}}"

struct place {
    struct open_store store;
    struct hub *hub;
};

static void open_hub(struct place *p)
{
    struct hub_config config = {.loop = p->store.loop, .store = p->store.s};
    struct err err = {0};

    if (hub_new(&config, &p->hub, &err) != 0) {
        fail_msg("%s", err.msg);
    }
}

static void set_up(struct place *p)
{
    open_store_new(&p->store);
    open_hub(p);
}

/* With a clock that the test moves. */
static uint64_t now_ns;
static const struct clock moved_clock = {.virtual_ns = &now_ns};

static void set_up_by_moved_clock(struct place *p)
{
    now_ns = clock_monotonic_ns();
    open_store_new_by(&p->store, &moved_clock);
    open_hub(p);
}

static void tear_down(struct place *p)
{
    hub_free(p->hub);
    open_store_free(&p->store);
}

/* As a process that ends and another one that begins. */
static void restart(struct place *p)
{
    struct err err = {0};

    hub_free(p->hub);
    store_close(p->store.s);
    assert_int_equal(open_store_again(&p->store, 0, &err), 0);
    open_hub(p);
}

static json_t *document(const char *text)
{
    char json[4096];
    json_t *out = NULL;

    snprintf(json, sizeof json, "%s", text);
    for (char *c = json; *c != '\0'; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    assert_int_equal(json_parse(str_c(json), sizeof json, &out, NULL), 0);
    return out;
}

struct durable {
    struct store_wait wait;
    bool done;
};

static void on_durable(struct store_wait *wait)
{
    list_entry(wait, struct durable, wait)->done = true;
}

/* All that was done is durable, and what waited for it has happened. */
static void settle(struct place *p)
{
    struct durable d = {.done = false};

    store_wait_init(&d.wait, on_durable);
    hub_when_durable(p->hub, &d.wait);
    open_store_until(&p->store, &d.done);
    assert_true(d.done);
}

static void create(struct place *p, const char *text, char id[HUB_RUN_ID_MAX])
{
    json_t *config = document(text), *warnings = NULL;
    struct hub_new_run what = {.config = config, .actor = "ann"};
    struct hub_refusal why = {0};

    if (hub_create(p->hub, &what, id, &warnings, &why) != 0) {
        fail_msg("%s", why.message);
    }
    json_decref(warnings);
    json_decref(config);
    settle(p);
}

static const char *state_of(struct place *p, const char *id)
{
    static char state[32];
    struct hub_refusal why = {0};
    json_t *view = NULL;

    assert_int_equal(hub_view(p->hub, id, &view, &why), 0);
    snprintf(state, sizeof state, "%s", json_string_value(json_object_get(view, "state")));
    json_decref(view);
    return state;
}

static int start(struct place *p, const char *id, struct hub_refusal *why)
{
    const char *state = NULL;
    int rc = hub_start(p->hub, id, "ann", &state, why);

    settle(p);
    return rc;
}

/* Turns until the run is in the state, five seconds at most. */
static void until(struct place *p, const char *id, const char *state)
{
    uint64_t end_ns = clock_monotonic_ns() + 5 * NS_PER_S;

    while (strcmp(state_of(p, id), state) != 0 && clock_monotonic_ns() < end_ns) {
        loop_turn(p->store.loop, clock_monotonic_ns() + 10 * NS_PER_MS);
    }
    assert_string_equal(state_of(p, id), state);
}

struct seen_events {
    uint64_t count;
    char types[64][32];
    char ids[64][40];
    char steps[512]; /* "start_run by ann · …" of the STATE_TRANSITIONs */
};

static void note_step(struct seen_events *seen, struct str body)
{
    json_t *event = NULL;
    const char *trigger, *actor;
    size_t len = strlen(seen->steps);

    assert_int_equal(json_parse(body, 65536, &event, NULL), 0);
    assert_int_equal(
        json_unpack(event, "{s:{s:s, s:s}}", "payload", "trigger", &trigger, "actor", &actor), 0);
    snprintf(seen->steps + len, sizeof seen->steps - len, "%s by %s · ", trigger, actor);
    json_decref(event);
}

static bool see_event(void *owner, const struct store_event *row)
{
    struct seen_events *seen = owner;

    assert_int_equal(row->number, seen->count); /* without a gap */
    snprintf(seen->types[seen->count], 32, "%s", row->type);
    if (strcmp(row->type, "STATE_TRANSITION") == 0) {
        note_step(seen, row->body);
    }
    snprintf(seen->ids[seen->count++], 40, "%s", row->event_id);
    return seen->count < 64;
}

static bool has_event(const struct seen_events *seen, const char *type)
{
    for (uint64_t i = 0; i < seen->count; i++) {
        if (strcmp(seen->types[i], type) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- tests ------------------------------------------------------------------------------------
 */

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

struct pair {
    struct fake_worker w[2];
};

static void register_pair(struct place *p, struct pair *pair)
{
    for (int i = 0; i < 2; i++) {
        if (pair->w[i].key_count == 0) {
            pair->w[i].key_count = 1;
            wire_totals_init(&pair->w[i].totals, 1);
            snprintf(pair->w[i].id, sizeof pair->w[i].id, "wkr_%08d", i);
        }
        fake_register(&pair->w[i], p->hub, i == 0 ? "eu" : "us", 8);
    }
}

static void clear_pair(struct place *p, struct pair *pair)
{
    for (int i = 0; i < 2; i++) {
        hub_detach(p->hub, &pair->w[i].link);
        fake_clear(&pair->w[i]);
    }
}

/* Up to the stage's order. */
static void begin(struct place *p, struct pair *pair, const char *id)
{
    struct hub_refusal why = {0};

    if (start(p, id, &why) != 0) {
        fail_msg("%s", why.message);
    }
    for (int i = 0; i < 2; i++) {
        assert_non_null(fake_order(&pair->w[i], WIRE_ORDER_ASSIGN));
        assert_null(fake_order(&pair->w[i], WIRE_ORDER_CHECK));
    }
    fake_ready(&pair->w[0]);
    settle(p);
    assert_null(fake_order(&pair->w[0], WIRE_ORDER_CHECK)); /* the barrier */
    fake_ready(&pair->w[1]);
    settle(p);
    for (int i = 0; i < 2; i++) {
        const struct wire_order *check = fake_order(&pair->w[i], WIRE_ORDER_CHECK);
        assert_non_null(check);
        assert_int_equal(check->lists, i == 0);
    }
    fake_checks(&pair->w[0], true);
    fake_checks(&pair->w[1], true);
    settle(p);
    assert_non_null(fake_order(&pair->w[1], WIRE_ORDER_STAGE));
    assert_string_equal(state_of(p, id), "baseline_running");
}

static void play(struct pair *pair, uint64_t second, uint32_t ok)
{
    for (int i = 0; i < 2; i++) {
        fake_window(&pair->w[i], pair->w[i].orders[0].base, second, ok);
    }
}

static void check_result(struct place *p, const char *id, json_int_t operations)
{
    struct hub_refusal why = {0};
    json_t *result = NULL;

    assert_int_equal(hub_result(p->hub, id, &result, &why), 0);
    json_t *integrity = json_object_get(result, "integrity");
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(result, "counts"), "ended_ok")),
        operations);
    assert_true(json_is_true(json_object_get(integrity, "whole")));
    assert_non_null(strstr(json_string_value(json_object_get(integrity, "line")),
                           "2/2 workers, 0 windows lost"));
    json_decref(result);
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

/* Somebody stops a run before its workers have heard that there is one. */
static void a_stop_overtakes_the_assignment(void **state)
{
    struct place p;
    struct pair pair = {0};
    struct hub_refusal why = {0};
    const char *name = NULL;
    char id[HUB_RUN_ID_MAX];

    (void)state;
    set_up(&p);
    register_pair(&p, &pair);
    create(&p, SCENARIO, id);
    assert_int_equal(hub_start(p.hub, id, "ann", &name, &why), 0);
    assert_int_equal(hub_emergency_stop(p.hub, id, "ann", &why), 0);
    assert_int_equal(pair.w[0].order_count, 0);
    settle(&p);
    for (int i = 0; i < 2; i++) {
        assert_non_null(fake_order(&pair.w[i], WIRE_ORDER_ASSIGN));
        assert_non_null(fake_order(&pair.w[i], WIRE_ORDER_STOP));
    }
    clear_pair(&p, &pair);
    tear_down(&p);
}

/* What a crash could take back is not told to a worker that comes back either. */
static void repeated_orders_wait_for_the_store(void **state)
{
    struct place p;
    struct pair pair = {0};
    char id[HUB_RUN_ID_MAX];
    struct hub_refusal why = {0};

    (void)state;
    set_up(&p);
    register_pair(&p, &pair);
    create(&p, SCENARIO, id);
    assert_int_equal(start(&p, id, &why), 0);
    fake_ready(&pair.w[0]);
    fake_ready(&pair.w[1]); /* the checks are ordered, and not written yet */
    hub_detach(p.hub, &pair.w[0].link);
    assert_int_equal(hub_attach(p.hub, pair.w[0].id, &pair.w[0].link, &why), 0);
    assert_null(fake_order(&pair.w[0], WIRE_ORDER_CHECK));
    settle(&p);
    assert_non_null(fake_order(&pair.w[0], WIRE_ORDER_CHECK));
    clear_pair(&p, &pair);
    tear_down(&p);
}

/* A process that was killed is followed by one of the same name, as soon as its stream is gone. */
static void a_worker_comes_again_under_its_id(void **state)
{
    struct place p;
    struct pair pair = {0};
    struct fake_worker again = {.hub = NULL};
    char id[HUB_RUN_ID_MAX];

    (void)state;
    set_up(&p);
    register_pair(&p, &pair);
    create(&p, SCENARIO, id);
    begin(&p, &pair, id);
    snprintf(again.id, sizeof again.id, "%s", pair.w[0].id);
    hub_detach(p.hub, &pair.w[0].link);
    fake_register(&again, p.hub, "eu", 8);
    assert_string_not_equal(again.token, pair.w[0].token);
    assert_string_equal(state_of(&p, id), "stopping"); /* its part of the run died with it */
    hub_detach(p.hub, &again.link);
    fake_clear(&again);
    clear_pair(&p, &pair);
    tear_down(&p);
}

static void an_id_that_is_connected_is_refused(void **state)
{
    struct place p;
    struct pair pair = {0};
    struct hub_refusal why = {0};
    json_t *welcome = NULL;

    (void)state;
    set_up(&p);
    register_pair(&p, &pair);
    json_t *hello = fake_hello(pair.w[0].id, "", "eu", 8);
    assert_int_equal(hub_register(p.hub, hello, &welcome, &why), ERR_STATE);
    assert_string_equal(why.code, "INVALID_STATE");
    hub_refusal_clear(&why);
    json_decref(hello);
    clear_pair(&p, &pair);
    tear_down(&p);
}

static uint64_t hand_ns; /* the time of a hub whose clock is moved by hand */
static const struct clock hand_clock = {.virtual_ns = &hand_ns};

static void set_up_by_hand(struct place *p)
{
    struct err err = {0};

    hand_ns = clock_monotonic_ns();
    folder_new(&p->store.folder);
    assert_int_equal(loop_new(&hand_clock, &p->store.loop, NULL), 0);
    assert_int_equal(open_store_again(&p->store, 0, &err), 0);
    open_hub(p);
}

static void pass(struct place *p, uint64_t ns)
{
    hand_ns += ns;
    loop_turn(p->store.loop, hand_ns);
    settle(p);
}

/* Ten seconds without a word are a loss, but not when it is the control plane that slept. */
static void silence_counts_only_while_someone_listens(void **state)
{
    struct place p;
    struct pair pair = {0};
    struct seen_events seen = {0}, later = {0};
    char id[HUB_RUN_ID_MAX];

    (void)state;
    set_up_by_hand(&p);
    register_pair(&p, &pair);
    create(&p, SCENARIO, id);
    begin(&p, &pair, id);
    pass(&p, NS_PER_S);
    pass(&p, 30 * NS_PER_S);
    assert_int_equal(store_events(p.store.s, id, 0, 64, see_event, &seen), 0);
    assert_true(has_event(&seen, "SYSTEM_WARNING"));
    assert_false(has_event(&seen, "WORKER_CAPACITY_LOST"));
    for (int i = 0; i < 22; i++) {
        pass(&p, NS_PER_S / 2);
    }
    assert_int_equal(store_events(p.store.s, id, 0, 64, see_event, &later), 0);
    assert_true(has_event(&later, "WORKER_CAPACITY_LOST"));
    clear_pair(&p, &pair);
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

/* Two runs at once never take more of a worker than it has. */
static void capacity_is_shared(void **state)
{
    struct place p;
    struct pair pair = {0};
    char one[HUB_RUN_ID_MAX], two[HUB_RUN_ID_MAX];
    struct hub_refusal why = {0};

    (void)state;
    set_up(&p);
    register_pair(&p, &pair);
    create(&p, SCENARIO, one);
    create(&p, SCENARIO, two);
    assert_int_equal(start(&p, one, &why), 0);
    assert_int_equal(start(&p, two, &why), ERR_LIMIT); /* 6 of 16 are left */
    assert_int_equal(json_integer_value(json_object_get(why.details, "available_vus")), 6);
    hub_refusal_clear(&why);
    assert_int_equal(hub_emergency_stop(p.hub, one, "ann", &why), 0);
    settle(&p);
    assert_non_null(fake_order(&pair.w[0], WIRE_ORDER_STOP));
    fake_ready(&pair.w[0]);
    fake_end(&pair.w[0]);
    fake_ready(&pair.w[1]);
    fake_end(&pair.w[1]);
    settle(&p);
    assert_string_equal(state_of(&p, one), "aborted");
    assert_int_equal(start(&p, two, &why), 0);
    clear_pair(&p, &pair);
    tear_down(&p);
}

/* An order leaves when what it rests on is durable, also to who attaches meanwhile, and a stop that
 * is in a hurry does not come before the assignment: the worker would not know the run yet. */
static void orders_wait_and_keep_their_order(void **state)
{
    struct place p;
    struct pair pair = {0};
    struct worker_link again;
    char id[HUB_RUN_ID_MAX];
    const char *is = NULL;
    struct hub_refusal why = {0};

    (void)state;
    set_up(&p);
    register_pair(&p, &pair);
    create(&p, SCENARIO, id);
    assert_int_equal(hub_start(p.hub, id, "ann", &is, &why), 0);
    again = pair.w[0].link;
    assert_int_equal(hub_attach(p.hub, pair.w[0].id, &again, &why), 0);
    assert_int_equal(hub_emergency_stop(p.hub, id, "ann", &why), 0);
    assert_int_equal(pair.w[0].order_count, 0);
    assert_int_equal(pair.w[1].order_count, 0);
    settle(&p);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pair.w[i].order_count, 2);
        assert_int_equal(pair.w[i].orders[0].kind, WIRE_ORDER_ASSIGN);
        assert_int_equal(pair.w[i].orders[1].kind, WIRE_ORDER_STOP);
        fake_end(&pair.w[i]);
    }
    settle(&p);
    assert_string_equal(state_of(&p, id), "aborted");
    hub_detach(p.hub, &again);
    clear_pair(&p, &pair);
    tear_down(&p);
}

static void beat(struct place *p, const char *worker_id)
{
    static const struct wire_heartbeat nothing = {.sent_ns = 1};
    struct hub_refusal why = {0};
    json_t *body = wire_heartbeat_to_json(&nothing), *pulse = NULL;

    assert_int_equal(hub_heartbeat(p->hub, worker_id, body, &pulse, &why), 0);
    json_decref(pulse);
    json_decref(body);
}

/* So many seconds pass, in which the workers of `pair` (or nobody) are heard of. */
static void live(struct place *p, const struct pair *pair, unsigned seconds)
{
    for (unsigned i = 0; i < seconds; i++) {
        now_ns += NS_PER_S;
        for (int k = 0; pair != NULL && k < 2; k++) {
            beat(p, pair->w[k].id);
        }
        loop_turn(p->store.loop, 0);
        settle(p);
    }
}

/* It lives, and has said all that it will: nobody waits for the rest for ever, also not a control
 * plane that was started again meanwhile. One that still brings something is waited for. */
static void a_worker_that_never_ends_is_left_behind(void **state)
{
    struct place p;
    struct pair pair = {0};
    struct seen_events seen = {0};
    char id[HUB_RUN_ID_MAX];
    struct hub_refusal why = {0};

    (void)state;
    set_up_by_moved_clock(&p);
    register_pair(&p, &pair);
    create(&p, SCENARIO, id);
    begin(&p, &pair, id);
    play(&pair, 0, 50);
    assert_int_equal(hub_emergency_stop(p.hub, id, "ann", &why), 0);
    fake_end(&pair.w[0]);
    live(&p, &pair, 20);
    fake_window(&pair.w[1], pair.w[1].orders[0].base, 1, 1);
    live(&p, &pair, 20);
    assert_string_equal(state_of(&p, id), "stopping");
    restart(&p);
    register_pair(&p, &pair);
    live(&p, &pair, 20);
    assert_string_equal(state_of(&p, id), "stopping");
    live(&p, &pair, 45);
    assert_string_equal(state_of(&p, id), "aborted");
    assert_true(hub_is_over(p.hub, id));
    assert_int_equal(store_events(p.store.s, id, 0, 64, see_event, &seen), 0);
    assert_true(has_event(&seen, "SYSTEM_WARNING"));
    assert_true(has_event(&seen, "WORKER_CAPACITY_LOST"));
    clear_pair(&p, &pair);
    tear_down(&p);
}

/* Who comes under the name of a lost worker gets its orders; the old line gets no more. */
static void a_name_changes_hands(void **state)
{
    struct place p;
    struct pair pair = {0};
    struct hub_refusal why = {0};
    json_t *welcome = NULL;

    (void)state;
    set_up_by_moved_clock(&p);
    register_pair(&p, &pair);
    json_t *hello = json_pack("{s{sisi}sss{ss}s{si}ss}", "wire", "major", WIRE_MAJOR, "minor",
                              WIRE_MINOR, "version", "1", "host_info", "hostname", "h", "capacity",
                              "max_vus", 5, "worker_id", pair.w[0].id);
    assert_int_equal(hub_register(p.hub, hello, &welcome, &why), ERR_STATE);
    assert_non_null(strstr(why.message, "another --worker-id"));
    hub_refusal_clear(&why);
    live(&p, NULL, 12);
    assert_int_equal(hub_register(p.hub, hello, &welcome, &why), 0);
    assert_true(pair.w[0].replaced && !pair.w[1].replaced);
    json_decref(welcome);
    json_decref(hello);
    clear_pair(&p, &pair);
    tear_down(&p);
}

static bool is_crowded(struct store *s)
{
    (void)s;
    return true;
}

/* A store that does not keep up fails when it is given more all the same: nobody gives it more, and
 * what a worker has counted stays with the worker until there is room. */
static void a_slow_disk_is_waited_for(void **state)
{
    struct place p;
    struct pair pair = {0};
    char id[HUB_RUN_ID_MAX], other[HUB_RUN_ID_MAX];
    struct hub_refusal why = {0};
    json_t *warnings = NULL, *config = document(SCENARIO);
    const struct hub_new_run what = {.config = config, .actor = "ann"};

    (void)state;
    set_up(&p);
    register_pair(&p, &pair);
    create(&p, SCENARIO, id);
    begin(&p, &pair, id);
    const struct store_ops *ops = p.store.s->ops;
    struct store_ops slow = *ops;
    slow.crowded = is_crowded;
    p.store.s->ops = &slow;
    assert_int_equal(fake_report_as(&pair.w[0], 3, WIRE_REPORT_WINDOW, STR("")), ERR_LIMIT);
    assert_int_equal(hub_create(p.hub, &what, other, &warnings, &why), ERR_LIMIT);
    assert_true(why.status == 503 && why.retryable);
    hub_refusal_clear(&why);
    p.store.s->ops = ops;
    play(&pair, 0, 50);
    assert_string_equal(state_of(&p, id), "baseline_running");
    json_decref(config);
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

/* A hub that others may reach loads no private address but those that its operator lists. */
static void networks_of_the_operator(void **state)
{
    static const char *const open[] = {"127.0.0.0/8"};
    struct place p;
    struct err err = {0};

    (void)state;
    open_store_new(&p.store);
    for (size_t count = 0; count < 2; count++) {
        struct hub_config config = {.loop = p.store.loop,
                                    .store = p.store.s,
                                    .network_public = true,
                                    .open_networks = open,
                                    .open_network_count = count};
        json_t *scenario = document(SCENARIO);
        json_t *listed =
            document("{'environment': {'allowlist': {'mode': 'deny_by_default', 'allowed_targets': "
                     "[{'kind': 'exact', 'value': 'http://127.0.0.1:9/mcp'}]}}}");

        json_object_update(scenario, listed);
        json_decref(listed);
        assert_int_equal(hub_new(&config, &p.hub, &err), 0);
        json_t *said = hub_validate(p.hub, scenario, NULL, false);
        assert_int_equal(json_is_true(json_object_get(said, "ok")), count > 0);
        json_decref(said);
        json_decref(scenario);
        hub_free(p.hub);
    }
    open_store_free(&p.store);
}

static const char *worker_state(const json_t *workers, size_t i)
{
    const json_t *worker = json_array_get(json_object_get(workers, "workers"), i);

    return json_string_value(json_object_get(worker, "state"));
}

/* A worker that is only remembered gets no run, and is not shown as if it would. */
static void a_worker_is_online_while_it_takes_orders(void **state)
{
    struct place p;
    struct pair pair = {0};

    (void)state;
    set_up(&p);
    register_pair(&p, &pair);
    for (int after_restart = 0; after_restart < 2; after_restart++) {
        json_t *workers = hub_workers(p.hub);

        for (size_t i = 0; i < 2; i++) {
            assert_string_equal(worker_state(workers, i), after_restart ? "late" : "online");
        }
        json_decref(workers);
        settle(&p);
        restart(&p);
    }
    clear_pair(&p, &pair);
    tear_down(&p);
}

static void create_placed(struct place *p, const char *shares, char id[HUB_RUN_ID_MAX])
{
    char text[2048];

    snprintf(text, sizeof text, "{'placement': {'label': 'region', 'shares': %s}, %s", shares,
             &SCENARIO[1]);
    create(p, text, id);
}

/* There are ten users, and each region has room for eight. */
static void a_region_without_room_starts_nothing(void **state)
{
    static const struct {
        const char *shares, *value, *said;
        json_int_t required, available, workers;
    } cases[] = {
        {"{'eu': 9, 'us': 1}", "eu", "region=eu, and 8 are free on the 1 such worker:", 9, 8, 1},
        {"{'eu': 1, 'asia': 1}", "asia", "and no such worker is connected", 5, 0, 0},
    };
    struct place p;
    struct pair pair = {0};
    char id[HUB_RUN_ID_MAX];

    (void)state;
    set_up(&p);
    register_pair(&p, &pair);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct hub_refusal why = {0};
        struct seen_events seen = {0};

        create_placed(&p, cases[i].shares, id);
        assert_int_equal(start(&p, id, &why), ERR_LIMIT);
        assert_string_equal(why.code, "NO_CAPACITY");
        assert_non_null(strstr(why.message, cases[i].said));
        json_t *details = why.details;
        assert_string_equal(json_string_value(json_object_get(details, "label")), "region");
        assert_string_equal(json_string_value(json_object_get(details, "value")), cases[i].value);
        assert_int_equal(json_integer_value(json_object_get(details, "required_vus")),
                         cases[i].required);
        assert_int_equal(json_integer_value(json_object_get(details, "available_vus")),
                         cases[i].available);
        assert_int_equal(json_integer_value(json_object_get(details, "workers")), cases[i].workers);
        hub_refusal_clear(&why);
        assert_string_equal(state_of(&p, id), "created");
        assert_int_equal(store_events(p.store.s, id, 0, 64, see_event, &seen), 0);
        assert_true(has_event(&seen, "ALLOCATION_FAILED"));
        assert_null(fake_order(&pair.w[0], WIRE_ORDER_ASSIGN));
    }
    clear_pair(&p, &pair);
    tear_down(&p);
}

/* Users and source weights follow the shares, a worker of another region gets nothing, and the
 * result tells the regions apart. */
static void regions_get_their_shares(void **state)
{
    struct place p;
    struct pair pair = {0};
    struct fake_worker other = {.hub = NULL};
    struct hub_refusal why = {0};
    json_t *result = NULL;
    char id[HUB_RUN_ID_MAX];

    (void)state;
    set_up(&p);
    fake_register(&other, p.hub, "asia", 100);
    register_pair(&p, &pair);
    create_placed(&p, "{'us': 20, 'eu': 30}", id);
    begin(&p, &pair, id);
    assert_int_equal(other.order_count, 0);
    for (int i = 0; i < 2; i++) {
        const struct wire_order *assign = &pair.w[i].orders[0];
        assert_int_equal(assign->total, 2);
        assert_int_equal(assign->weights.count, 2);
        assert_int_equal(assign->weights.items[pair.w[0].orders[0].base], 6);
        assert_int_equal(assign->weights.items[pair.w[1].orders[0].base], 4);
    }
    fake_window(&pair.w[0], pair.w[0].orders[0].base, 0, 30);
    fake_window(&pair.w[1], pair.w[1].orders[0].base, 0, 20);
    until(&p, id, "stopping");
    play(&pair, 1, 1);
    fake_end(&pair.w[0]);
    fake_end(&pair.w[1]);
    settle(&p);
    check_result(&p, id, 52);
    assert_int_equal(hub_result(p.hub, id, &result, &why), 0);
    json_t *labels = json_object_get(result, "labels");
    assert_int_equal(json_array_size(labels), 2);
    for (size_t i = 0; i < 2; i++) {
        json_t *row = json_array_get(labels, i);
        json_t *load = json_object_get(row, "load");
        bool eu = strcmp(json_string_value(json_object_get(row, "value")), "eu") == 0;
        assert_int_equal(json_integer_value(json_object_get(load, "succeeded")), eu ? 31 : 21);
    }
    json_decref(result);
    hub_detach(p.hub, &other.link);
    fake_clear(&other);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(created_runs_are_checked_and_kept),
        cmocka_unit_test(a_worker_is_online_while_it_takes_orders),
        cmocka_unit_test(without_workers_a_run_stays_created),
        cmocka_unit_test(calls_that_follow_each_other_at_once),
        cmocka_unit_test(two_workers_play_a_run),
        cmocka_unit_test(samples_name_their_worker),
        cmocka_unit_test(a_restart_goes_on),
        cmocka_unit_test(a_stop_goes_by_the_scenario),
        cmocka_unit_test(seconds_are_shown_when_they_were),
        cmocka_unit_test(a_worker_that_leaves_ends_the_run),
        cmocka_unit_test(the_only_worker_leaves),
        cmocka_unit_test(a_stop_overtakes_the_assignment),
        cmocka_unit_test(repeated_orders_wait_for_the_store),
        cmocka_unit_test(a_worker_comes_again_under_its_id),
        cmocka_unit_test(an_id_that_is_connected_is_refused),
        cmocka_unit_test(silence_counts_only_while_someone_listens),
        cmocka_unit_test(repeats_and_gaps),
        cmocka_unit_test(seconds_that_have_not_been),
        cmocka_unit_test(a_check_that_fails_on_one_worker),
        cmocka_unit_test(capacity_is_shared),
        cmocka_unit_test(orders_wait_and_keep_their_order),
        cmocka_unit_test(a_worker_that_never_ends_is_left_behind),
        cmocka_unit_test(a_name_changes_hands),
        cmocka_unit_test(a_slow_disk_is_waited_for),
        cmocka_unit_test(networks_of_the_operator),
        cmocka_unit_test(watches_follow_a_run_through_its_life),
        cmocka_unit_test(a_region_without_room_starts_nothing),
        cmocka_unit_test(regions_get_their_shares),
        cmocka_unit_test(tags_are_short),
        cmocka_unit_test(a_refusal_is_said_once),
        cmocka_unit_test(a_report_writes_little),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
