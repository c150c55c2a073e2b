/* SPDX-License-Identifier: MIT */
/* Workers of a hub: who comes, goes, is silent, has room, and in which order they hear what. */
#include "hub_place.h"

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

static void pass(struct place *p, uint64_t ns)
{
    now_ns += ns;
    loop_turn(p->store.loop, now_ns);
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
    set_up_by_moved_clock(&p);
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

/* A worker that left while the control plane was away has not played the rest of the plan, whenever
 * that is heard of. */
static void a_worker_that_left_meanwhile(void **state)
{
    struct place p;
    struct pair pair = {0};
    struct hub_refusal why = {0};
    json_t *result = NULL;
    char id[HUB_RUN_ID_MAX], text[1024];
    char *duration;

    (void)state;
    set_up(&p);
    register_pair(&p, &pair);
    snprintf(text, sizeof text, "%s", SCENARIO);
    duration = strstr(text, "1000");
    assert_non_null(duration);
    *duration = '2';
    create(&p, text, id);
    begin(&p, &pair, id);
    play(&pair, 0, 5);
    until(&p, id, "stopping"); /* the plan is over before anything else is heard */
    fake_window(&pair.w[1], pair.w[1].orders[0].base, 1, 5);
    fake_end(&pair.w[0]);
    fake_end(&pair.w[1]);
    settle(&p);
    assert_string_equal(state_of(&p, id), "completed");
    assert_int_equal(hub_result(p.hub, id, &result, &why), 0);
    assert_string_equal(
        json_string_value(json_object_get(json_object_get(result, "validity"), "state")),
        "lost_data");
    assert_int_equal(json_integer_value(json_object_get(result, "exit_code")), 6);
    json_decref(result);
    clear_pair(&p, &pair);
    tear_down(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_is_online_while_it_takes_orders),
        cmocka_unit_test(a_stop_overtakes_the_assignment),
        cmocka_unit_test(repeated_orders_wait_for_the_store),
        cmocka_unit_test(a_worker_comes_again_under_its_id),
        cmocka_unit_test(an_id_that_is_connected_is_refused),
        cmocka_unit_test(silence_counts_only_while_someone_listens),
        cmocka_unit_test(capacity_is_shared),
        cmocka_unit_test(orders_wait_and_keep_their_order),
        cmocka_unit_test(a_worker_that_never_ends_is_left_behind),
        cmocka_unit_test(a_name_changes_hands),
        cmocka_unit_test(a_slow_disk_is_waited_for),
        cmocka_unit_test(networks_of_the_operator),
        cmocka_unit_test(a_region_without_room_starts_nothing),
        cmocka_unit_test(regions_get_their_shares),
        cmocka_unit_test(a_worker_that_left_meanwhile),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
