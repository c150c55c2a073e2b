/* SPDX-License-Identifier: MIT */
#include "loop/signals.h"
#include "support/unit.h"

#include <signal.h>

static const struct clock real_clock = {0};
static int seen[4];
static unsigned seen_count;

static void on_signal(struct signals *s, int signo)
{
    assert_true(seen_count < 4);
    seen[seen_count++] = signo;
    if (signo == SIGTERM) {
        loop_stop(s->loop);
    }
}

static void interrupts_become_callbacks(void **state)
{
    struct loop *l = NULL;
    struct signals s;

    (void)state;
    assert_int_equal(loop_new(&real_clock, &l, NULL), 0);
    assert_int_equal(signals_init(&s, l, on_signal, NULL), 0);
    raise(SIGINT);
    assert_int_equal(seen_count, 0); /* only from the loop */
    loop_turn(l, 0);
    assert_int_equal(seen_count, 1);
    raise(SIGTERM);
    loop_run(l);
    assert_int_equal(seen_count, 2);
    assert_int_equal(seen[0], SIGINT);
    assert_int_equal(seen[1], SIGTERM);
    signals_clear(&s);
    loop_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(interrupts_become_callbacks)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
