/* SPDX-License-Identifier: MIT */
#include "base/rng.h"
#include "loop/sendheap.h"
#include "support/unit.h"

enum { SENDS = 500 };

static struct send sends[SENDS];

/* The model: who is armed, when, and how many arms came before. */
static struct {
    uint64_t at, order;
    int armed;
} model[SENDS];

static void reset(void)
{
    memset(model, 0, sizeof model);
    for (unsigned i = 0; i < SENDS; i++) {
        send_init(&sends[i], NULL);
    }
}

static int model_first(void)
{
    int best = -1;

    for (int i = 0; i < SENDS; i++) {
        if (model[i].armed &&
            (best < 0 || model[i].at < model[best].at ||
             (model[i].at == model[best].at && model[i].order < model[best].order))) {
            best = i;
        }
    }
    return best;
}

static void pop_and_compare(struct sendheap *h, uint64_t now)
{
    int want = model_first();
    struct send *s = sendheap_pop(h, now);

    assert_int_equal(sendheap_next_ns(h) != UINT64_MAX, h->count > 0);
    if (want < 0 || model[want].at > now) {
        assert_null(s);
        return;
    }
    assert_ptr_equal(s, &sends[want]);
    assert_false(send_armed(s));
    model[want].armed = 0;
}

static void agrees_with_a_model(void **state)
{
    struct sendheap h = {0};
    uint64_t order = 0, now = 0;

    (void)state;
    reset();
    for (uint64_t j = 0; j < 40000; j++) {
        uint64_t x = rng_at(7, j);
        unsigned i = (unsigned)(x % SENDS);

        if (x >> 62 == 0) {
            sendheap_cancel(&h, &sends[i]); /* armed or not, anywhere in the heap */
            model[i].armed = 0;
        } else if (x >> 62 == 1) {
            now += rng_below(rng_mix64(x), 40);
            pop_and_compare(&h, now);
        } else {
            /* Few distinct times: ties are the rule. */
            model[i].at = now + rng_below(rng_mix64(x), 50);
            model[i].order = order++;
            model[i].armed = 1;
            sendheap_arm(&h, &sends[i], model[i].at);
        }
        assert_int_equal(send_armed(&sends[i]), model[i].armed);
    }
    while (model_first() >= 0) {
        pop_and_compare(&h, UINT64_MAX);
    }
    assert_int_equal(h.count, 0);
    sendheap_clear(&h);
}

static void equal_times_leave_in_the_order_of_arming(void **state)
{
    struct sendheap h = {0};

    (void)state;
    reset();
    for (int i = 0; i < SENDS; i++) {
        sendheap_arm(&h, &sends[(i * 7) % SENDS], 1000);
    }
    assert_null(sendheap_pop(&h, 999));
    for (int i = 0; i < SENDS; i++) {
        assert_ptr_equal(sendheap_pop(&h, 1000), &sends[(i * 7) % SENDS]);
    }
    sendheap_clear(&h);
    assert_int_equal(sendheap_next_ns(&h), UINT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_a_model),
        cmocka_unit_test(equal_times_leave_in_the_order_of_arming),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
