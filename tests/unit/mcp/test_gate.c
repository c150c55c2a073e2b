/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "mcp/gate.h"
#include "support/unit.h"

enum { WAITS_MAX = 4000 };

static uint64_t now_ns = 1000 * NS_PER_S;
static const struct clock virtual_clock = {.virtual_ns = &now_ns};

struct world {
    struct loop *loop;
    struct gate gate;
    struct gate_wait waits[WAITS_MAX];
    uint64_t begin_ns;
    uint64_t went_ns[WAITS_MAX]; /* in the order in which they went, … */
    uint32_t who[WAITS_MAX];     /* … and which they were */
    uint32_t went;
};

static struct world *world;

static void note(uint32_t who)
{
    assert_true(world->went < WAITS_MAX);
    world->who[world->went] = who;
    world->went_ns[world->went++] = now_ns;
}

static void on_go(struct gate_wait *wait, uint64_t waited_ns)
{
    assert_int_equal(waited_ns, now_ns - wait->since_ns);
    note((uint32_t)(wait - world->waits));
}

static void set_up(struct world *w, double cap)
{
    memset(w, 0, sizeof *w);
    world = w;
    assert_int_equal(loop_new(&virtual_clock, &w->loop, NULL), 0);
    gate_init(&w->gate, w->loop, cap);
    for (uint32_t i = 0; i < WAITS_MAX; i++) {
        list_init(&w->waits[i].node);
        w->waits[i].go = on_go;
        w->waits[i].is_new = true;
    }
    w->begin_ns = now_ns;
}

static void tear_down(struct world *w)
{
    gate_clear(&w->gate);
    loop_free(w->loop);
}

static void want(struct world *w, uint32_t who)
{
    if (gate_enter(&w->gate, &w->waits[who], now_ns)) {
        note(who);
    }
}

static void run_for(struct world *w, uint64_t ns)
{
    loop_run_virtual(w->loop, &now_ns, now_ns + ns);
}

/* Of any cap + 1 in a row the last is a second after the first. */
static void expect_cap(const struct world *w, uint32_t cap)
{
    for (uint32_t i = cap; i < w->went; i++) {
        assert_true(w->went_ns[i] - w->went_ns[i - cap] >= NS_PER_S);
    }
}

static void without_a_cap_nobody_waits(void **state)
{
    static struct world w;

    (void)state;
    set_up(&w, 0);
    for (uint32_t i = 0; i < 1000; i++) {
        want(&w, i);
    }
    assert_int_equal(w.went, 1000);
    assert_int_equal(w.gate.held, 0);
    gate_give_back(&w.gate);
    gate_give_back_late(&w.gate);
    tear_down(&w);
}

static void first_come_first_served_at_the_pace(void **state)
{
    static struct world w;

    (void)state;
    set_up(&w, 200);
    for (uint32_t i = 0; i < 1000; i++) {
        want(&w, i);
    }
    run_for(&w, 5 * NS_PER_S);
    assert_int_equal(w.went, 1000);
    assert_int_equal(w.gate.held, 999);
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(w.who[i], i);
        /* Evenly: 5 ms apart, but for the burst. */
        assert_in_range(w.went_ns[i] - w.begin_ns, i * 5 * NS_PER_MS - (i > 0 ? NS_PER_MS : 0),
                        i * 5 * NS_PER_MS);
    }
    expect_cap(&w, 200);
    tear_down(&w);
}

/* A thread that is always 30 ms late still gets what the cap allows. */
static void lateness_is_caught_up(void **state)
{
    static struct world w;

    (void)state;
    set_up(&w, 200);
    for (uint32_t i = 0; i < 1500; i++) {
        want(&w, i);
    }
    for (int turn = 0; turn < 200; turn++) {
        now_ns += 30 * NS_PER_MS; /* asleep */
        run_for(&w, 1);
    }
    assert_in_range(w.went, 1150, 1201); /* 6 s */
    expect_cap(&w, 200);
    tear_down(&w);
}

static void what_has_begun_goes_first(void **state)
{
    static struct world w;

    (void)state;
    set_up(&w, 10);
    want(&w, 0);
    want(&w, 1);
    want(&w, 2);
    w.waits[3].is_new = false;
    want(&w, 3);
    gate_leave(&w.waits[1]);
    assert_false(gate_waits(&w.waits[1]));
    run_for(&w, NS_PER_S);
    assert_int_equal(w.went, 3);
    assert_int_equal(w.who[1], 3);
    assert_int_equal(w.who[2], 2);
    tear_down(&w);
}

static void a_schedule_at_the_cap_is_not_delayed(void **state)
{
    static struct world w;

    (void)state;
    set_up(&w, 100);
    for (uint32_t i = 0; i < 1000; i++) {
        /* Now and then we are a little late, and in time for the next. */
        now_ns = w.begin_ns + i * 10 * NS_PER_MS + (i % 7 == 0 ? 800000 : 0);
        assert_true(gate_enter_on_time(&w.gate, &w.waits[i], now_ns));
    }
    tear_down(&w);
}

static void what_is_given_back_can_be_used(void **state)
{
    static struct world w;

    (void)state;
    set_up(&w, 2);
    for (uint32_t i = 0; i < 20; i++) {
        assert_true(gate_enter(&w.gate, &w.waits[0], now_ns));
        gate_give_back(&w.gate);
    }
    want(&w, 1);
    want(&w, 2);
    want(&w, 3);
    assert_int_equal(w.went, 1);
    run_for(&w, 10 * NS_PER_S);
    assert_int_equal(w.went, 3);
    expect_cap(&w, 2);
    tear_down(&w);
}

static void a_cap_below_one(void **state)
{
    static struct world w;

    (void)state;
    set_up(&w, 0.5);
    for (uint32_t i = 0; i < 5; i++) {
        want(&w, i);
    }
    run_for(&w, 5 * NS_PER_S);
    assert_int_equal(w.went, 3);
    tear_down(&w);
}

/* 61.5 a second: 123 in two, and 62 in any one. */
static void a_fraction_of_a_cap_is_not_lost(void **state)
{
    static struct world w;

    (void)state;
    set_up(&w, 61.5);
    for (uint32_t i = 0; i < 1500; i++) {
        want(&w, i);
    }
    run_for(&w, 20 * NS_PER_S - 1);
    assert_in_range(w.went, 1229, 1231);
    expect_cap(&w, 62);
    tear_down(&w);
}

static void nothing_passes_a_closed_gate(void **state)
{
    static struct world w;

    (void)state;
    set_up(&w, -1);
    want(&w, 0);
    assert_false(gate_enter_on_time(&w.gate, &w.waits[1], now_ns));
    run_for(&w, 100 * NS_PER_S);
    assert_int_equal(w.went, 0);
    tear_down(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_cap_nobody_waits),
        cmocka_unit_test(first_come_first_served_at_the_pace),
        cmocka_unit_test(lateness_is_caught_up),
        cmocka_unit_test(what_has_begun_goes_first),
        cmocka_unit_test(a_schedule_at_the_cap_is_not_delayed),
        cmocka_unit_test(what_is_given_back_can_be_used),
        cmocka_unit_test(a_cap_below_one),
        cmocka_unit_test(a_fraction_of_a_cap_is_not_lost),
        cmocka_unit_test(nothing_passes_a_closed_gate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
