/* SPDX-License-Identifier: MIT */
/* What a hub has to bear: restarts that fail or take long, clocks that go back, texts of targets.
 */
#include "fleet/hub_priv.h"
#include "hub_place.h"

/* Words of others are cut somewhere, and why a run ended is told all the same. */
static void a_reason_that_was_cut_in_a_letter(void **state)
{
    struct place p;
    struct pair pair = {0};
    struct hub_refusal why = {0};
    json_t *view = NULL;
    char id[HUB_RUN_ID_MAX], words[480] = "x";
    const char *is = NULL;

    (void)state;
    for (size_t i = 1; i + 2 < sizeof words; i += 2) {
        memcpy(words + i, "\xc3\xa9", 3);
    }
    set_up(&p);
    register_pair(&p, &pair);
    create(&p, SCENARIO, id);
    assert_int_equal(hub_start(p.hub, id, "ann", &is, &why), 0);
    settle(&p);
    fake_ready(&pair.w[0]);
    fake_ready(&pair.w[1]);
    settle(&p);
    fake_checks(&pair.w[0], true);
    fake_checks_of(&pair.w[1], words);
    fake_end(&pair.w[0]);
    fake_end(&pair.w[1]);
    settle(&p);
    assert_int_equal(hub_view(p.hub, id, &view, &why), 0);
    const char *said =
        json_string_value(json_object_get(json_object_get(view, "stop_reason"), "message"));
    assert_non_null(said);
    assert_non_null(strstr(said, "\xc3\xa9\xc3\xa9"));
    json_decref(view);
    clear_pair(&p, &pair);
    tear_down(&p);
}

static struct {
    const struct store_ops *real;
    struct store_ops ops;
    unsigned documents, views;
    size_t saved_bytes;
} counted;

static int slow_windows(struct store *s, const char *run_id, store_window_fn *fn, void *owner)
{
    now_ns += 60 * NS_PER_S;
    return counted.real->windows(s, run_id, fn, owner);
}

/* Nobody can be heard while the books of a long run are made again: that is no worker's silence. */
static void a_restart_that_takes_long(void **state)
{
    struct place p;
    struct pair pair = {0};
    struct seen_events seen = {0};
    char id[HUB_RUN_ID_MAX];

    (void)state;
    set_up_by_moved_clock(&p);
    register_pair(&p, &pair);
    create(&p, SCENARIO, id);
    begin(&p, &pair, id);
    play(&pair, 0, 50);
    hub_free(p.hub);
    counted.real = p.store.s->ops;
    counted.ops = *counted.real;
    counted.ops.windows = slow_windows;
    p.store.s->ops = &counted.ops;
    open_hub(&p);
    p.store.s->ops = counted.real;
    live(&p, NULL, 2);
    register_pair(&p, &pair);
    live(&p, &pair, 5);
    assert_int_equal(store_events(p.store.s, id, 0, 64, see_event, &seen), 0);
    assert_true(has_event(&seen, "SYSTEM_RECOVERY"));
    assert_false(has_event(&seen, "WORKER_CAPACITY_LOST"));
    fake_end(&pair.w[0]);
    fake_end(&pair.w[1]);
    settle(&p);
    assert_string_equal(state_of(&p, id), "completed");
    clear_pair(&p, &pair);
    tear_down(&p);
}

static bool count_window(void *owner, const struct store_window *row)
{
    (void)row;
    (*(unsigned *)owner)++;
    return true;
}

/* What is stored of a run is damaged: it ends, with its reason, and leaves nothing behind. */
static void a_run_that_cannot_go_on(void **state)
{
    static const char *const kinds[] = {"allocation", "crew", "saved"};

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct place p;
        struct pair pair = {0};
        struct seen_events seen = {0};
        struct hub_refusal why = {0};
        char id[HUB_RUN_ID_MAX];
        unsigned windows = 0;

        set_up(&p);
        register_pair(&p, &pair);
        create(&p, SCENARIO, id);
        begin(&p, &pair, id);
        play(&pair, 0, 50);
        settle(&p);
        hub_free(p.hub);
        assert_int_equal(store_put_document(p.store.s, id, kinds[i], STR("x")), 0);
        open_store_flush(&p.store);
        open_hub(&p);
        settle(&p);
        assert_string_equal(state_of(&p, id), "failed");
        assert_true(hub_is_over(p.hub, id));
        assert_int_equal(store_events(p.store.s, id, 0, 64, see_event, &seen), 0);
        assert_string_equal(seen.types[seen.count - 1], "STATE_TRANSITION");
        uint64_t end_ns = clock_monotonic_ns() + 5 * NS_PER_S;
        do { /* litter is taken away between the commits */
            windows = 0;
            assert_int_equal(store_windows(p.store.s, id, count_window, &windows), 0);
        } while (windows > 0 && clock_monotonic_ns() < end_ns);
        assert_int_equal(windows, 0);
        register_pair(&p, &pair);
        assert_int_equal(hub_delete(p.hub, id, &why), 0);
        clear_pair(&p, &pair);
        tear_down(&p);
    }
}

static void an_emergency_that_is_told_often(void **state)
{
    struct place p;
    struct pair pair = {0};
    struct seen_events seen = {0};
    struct hub_refusal why = {0};
    char id[HUB_RUN_ID_MAX];
    unsigned told = 0;

    (void)state;
    set_up(&p);
    register_pair(&p, &pair);
    create(&p, SCENARIO, id);
    begin(&p, &pair, id);
    assert_int_equal(hub_stop(p.hub, id, "drain", "ann", &why), 0);
    uint32_t orders = pair.w[0].order_count;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(hub_emergency_stop(p.hub, id, "bob", &why), 0);
    }
    settle(&p);
    assert_int_equal(pair.w[0].order_count, orders + 1);
    assert_int_equal(store_events(p.store.s, id, 0, 64, see_event, &seen), 0);
    for (uint64_t i = 0; i < seen.count; i++) {
        told += strcmp(seen.types[i], "EMERGENCY_STOP") == 0;
    }
    assert_int_equal(told, 1);
    clear_pair(&p, &pair);
    tear_down(&p);
}

static void a_clock_that_was_set_back(void **state)
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
    hub_find(p.hub, id)->run->started_ms += 3600000;
    assert_int_equal(hub_emergency_stop(p.hub, id, "ann", &why), 0);
    fake_end(&pair.w[0]);
    fake_end(&pair.w[1]);
    settle(&p);
    assert_int_equal(hub_view(p.hub, id, &view, &why), 0);
    assert_non_null(json_object_get(view, "ended_at_ms"));
    assert_null(json_object_get(view, "duration_ms"));
    json_decref(view);
    clear_pair(&p, &pair);
    tear_down(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reason_that_was_cut_in_a_letter),
        cmocka_unit_test(a_restart_that_takes_long),
        cmocka_unit_test(a_run_that_cannot_go_on),
        cmocka_unit_test(an_emergency_that_is_told_often),
        cmocka_unit_test(a_clock_that_was_set_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
