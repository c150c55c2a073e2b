/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "loop/wheel.h"
#include "support/unit.h"

#define TICK_NS (UINT64_C(1) << WHEEL_TICK_SHIFT)
#define HOUR_NS (3600 * NS_PER_S)

enum { TIMERS = 300 };

/* The model: an array of times; 0 is "not armed". */
struct world {
    struct wheel wheel;
    struct timer timers[TIMERS];
    uint64_t due[TIMERS];
    uint64_t now;
    unsigned fired;
};

static struct world *new_world(uint64_t now)
{
    struct world *w = xcalloc(1, sizeof *w);

    w->now = now;
    wheel_init(&w->wheel, now);
    for (unsigned i = 0; i < TIMERS; i++) {
        timer_init(&w->timers[i], NULL);
    }
    return w;
}

static void arm(struct world *w, unsigned i, uint64_t at)
{
    wheel_arm(&w->wheel, &w->timers[i], at);
    w->due[i] = at;
}

static void cancel(struct world *w, unsigned i)
{
    wheel_cancel(&w->wheel, &w->timers[i]);
    w->due[i] = 0;
}

static uint64_t earliest(const struct world *w)
{
    uint64_t at = UINT64_MAX;

    for (unsigned i = 0; i < TIMERS; i++) {
        if (w->due[i] != 0 && w->due[i] < at) {
            at = w->due[i];
        }
    }
    return at;
}

static void expire_until(struct world *w, uint64_t now)
{
    struct list expired;
    uint64_t last_tick = 0;

    list_init(&expired);
    w->now = now;
    wheel_expire(&w->wheel, now, &expired);
    while (!list_empty(&expired)) {
        struct timer *t = list_entry(expired.next, struct timer, node);
        unsigned i = (unsigned)(t - w->timers);
        uint64_t tick = (t->at_ns + TICK_NS - 1) / TICK_NS;

        assert_int_equal(t->at_ns, w->due[i]);
        assert_true(t->at_ns <= now); /* never early */
        assert_true(tick >= last_tick || w->due[i] + TICK_NS < now);
        last_tick = tick > last_tick ? tick : last_tick;
        cancel(w, i);
        w->fired++;
    }
    /* Nothing is later than a tick. */
    for (unsigned i = 0; i < TIMERS; i++) {
        assert_true(w->due[i] == 0 || w->due[i] + TICK_NS > now);
        assert_int_equal(timer_armed(&w->timers[i]), w->due[i] != 0);
    }
}

static void check_next(struct world *w)
{
    uint64_t first = earliest(w), next = wheel_next_ns(&w->wheel);

    if (first == UINT64_MAX) {
        assert_int_equal(next, UINT64_MAX);
    } else {
        uint64_t limit = (first / TICK_NS + 1) * TICK_NS;
        assert_true(next <= (limit > w->now ? limit : w->now + 2 * TICK_NS));
    }
}

/* Near and far: a few ticks, seconds, hours, and beyond the 78 hours that the wheel reaches. */
static uint64_t random_delay(uint64_t x)
{
    static const uint64_t spans[] = {3 * TICK_NS,    300 * TICK_NS, NS_PER_S,
                                     100 * NS_PER_S, HOUR_NS,       200 * HOUR_NS};

    return rng_below(rng_mix64(x), spans[x % 6]);
}

static void agrees_with_a_sorted_model(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 8; seed++) {
        struct world *w = new_world(rng_at(seed, 0) % (1000 * HOUR_NS));
        uint64_t j = 1;

        for (unsigned round = 0; round < 4000; round++) {
            uint64_t x = rng_at(seed, j++);
            unsigned i = (unsigned)(x % TIMERS);

            switch (x >> 60) {
            case 0:
            case 1:
                cancel(w, i);
                break;
            case 2:
                expire_until(w, w->now + random_delay(rng_at(seed, j++)));
                break;
            default:
                arm(w, i, w->now + 1 + random_delay(rng_at(seed, j++)));
            }
            check_next(w);
        }
        while (earliest(w) != UINT64_MAX) {
            uint64_t next = wheel_next_ns(&w->wheel);
            assert_true(next > w->now);
            expire_until(w, next);
        }
        assert_int_equal(w->wheel.count, 0);
        assert_true(w->fired > 100);
        xfree(w);
    }
}

/* As the loop does it: wait until `next`, expire. Each timer must fire within its tick. */
static void waking_at_next_makes_nobody_late(void **state)
{
    struct world *w = new_world(123456789);

    (void)state;
    for (unsigned i = 0; i < TIMERS; i++) {
        arm(w, i, w->now + 1 + random_delay(i));
    }
    for (unsigned wakes = 0; earliest(w) != UINT64_MAX; wakes++) {
        assert_true(wakes < 100000);
        expire_until(w, wheel_next_ns(&w->wheel));
        check_next(w);
    }
    assert_int_equal(w->fired, TIMERS);
    xfree(w);
}

static void a_horizon_of_days_is_kept(void **state)
{
    struct world *w = new_world(0);
    uint64_t at = 400 * HOUR_NS + 12345;

    (void)state;
    arm(w, 0, at);
    while (w->now + HOUR_NS < at) {
        expire_until(w, w->now + HOUR_NS);
        assert_int_equal(w->fired, 0);
    }
    expire_until(w, at);
    expire_until(w, at + TICK_NS);
    assert_int_equal(w->fired, 1);
    xfree(w);
}

static void an_expired_timer_may_be_cancelled_or_moved_by_another(void **state)
{
    struct world *w = new_world(0);
    struct list expired;

    (void)state;
    list_init(&expired);
    for (unsigned i = 0; i < 4; i++) {
        arm(w, i, NS_PER_MS);
    }
    wheel_expire(&w->wheel, 2 * NS_PER_MS, &expired);
    assert_int_equal(w->wheel.count, 4); /* they count as armed until they are taken */
    wheel_cancel(&w->wheel, &w->timers[0]);
    wheel_cancel(&w->wheel, &w->timers[1]);
    wheel_arm(&w->wheel, &w->timers[2], 5 * NS_PER_MS);
    assert_ptr_equal(expired.next, &w->timers[3].node);
    wheel_cancel(&w->wheel, &w->timers[3]);
    assert_true(list_empty(&expired));
    assert_int_equal(w->wheel.count, 1);
    assert_true(wheel_next_ns(&w->wheel) <= 5 * NS_PER_MS + TICK_NS);
    xfree(w);
}

static void a_timer_that_is_left_is_still_waited_for(void **state)
{
    struct world *w = new_world(0);

    (void)state;
    arm(w, 0, NS_PER_MS);
    arm(w, 1, NS_PER_S);
    expire_until(w, 2 * NS_PER_MS);
    assert_int_equal(w->fired, 1);
    assert_int_equal(w->wheel.count, 1);
    assert_true(wheel_next_ns(&w->wheel) <= NS_PER_S + TICK_NS);
    xfree(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_a_sorted_model),
        cmocka_unit_test(waking_at_next_makes_nobody_late),
        cmocka_unit_test(a_horizon_of_days_is_kept),
        cmocka_unit_test(an_expired_timer_may_be_cancelled_or_moved_by_another),
        cmocka_unit_test(a_timer_that_is_left_is_still_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
