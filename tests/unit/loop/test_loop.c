/* SPDX-License-Identifier: MIT */
#include "loop/loop.h"
#include "support/unit.h"

#include <sys/eventfd.h>
#include <unistd.h>

static uint64_t now_ns;
static const struct clock virtual_clock = {.virtual_ns = &now_ns};
static char seen[64];

static void note(char c)
{
    size_t len = strlen(seen);

    assert_true(len + 1 < sizeof seen);
    seen[len] = c;
    seen[len + 1] = '\0';
}

static struct loop *new_loop(void)
{
    struct loop *l = NULL;

    now_ns = 1000 * NS_PER_S;
    seen[0] = '\0';
    assert_int_equal(loop_new(&virtual_clock, &l, NULL), 0);
    return l;
}

/* ---- time ----------------------------------------------------------------------------------- */

struct alarm {
    struct timer timer;
    struct send send;
    uint64_t at, fired_at;
    struct loop *loop;
};

static void on_timer(struct timer *t)
{
    struct alarm *a = list_entry(t, struct alarm, timer);

    a->fired_at = loop_now(a->loop);
    note('t');
}

static void on_send(struct send *s)
{
    struct alarm *a = list_entry(s, struct alarm, send);

    a->fired_at = loop_now(a->loop);
    note('s');
}

static void virtual_time_jumps_from_deadline_to_deadline(void **state)
{
    struct loop *l = new_loop();
    uint64_t start = now_ns;
    struct alarm timer = {.at = start + NS_PER_S, .loop = l}, send = {.at = start + 1, .loop = l};
    struct alarm later = {.at = start + 50 * NS_PER_S, .loop = l};

    (void)state;
    timer_init(&timer.timer, on_timer);
    timer_init(&later.timer, on_timer);
    send_init(&send.send, on_send);
    loop_timer_arm(l, &timer.timer, timer.at);
    loop_timer_arm(l, &later.timer, later.at);
    loop_send_arm(l, &send.send, send.at);
    loop_run_virtual(l, &now_ns, start + 10 * NS_PER_S);
    assert_int_equal(now_ns, start + 10 * NS_PER_S);
    assert_int_equal(send.fired_at, send.at); /* exact */
    assert_in_range(timer.fired_at - timer.at, 0, 65536);
    assert_string_equal(seen, "st");
    loop_run_virtual(l, &now_ns, start + 100 * NS_PER_S);
    assert_in_range(later.fired_at - later.at, 0, 65536);
    assert_string_equal(seen, "stt");
    loop_free(l);
}

/* Against the real clock. How late the machine wakes us is its affair, and a turn that comes late
 * may find several deadlines passed at once. What is ours: a wait ends at a deadline and not later
 * on its own account, nothing fires early, and the turns and waits that are counted are those that
 * were. */
static void sleeps_no_longer_than_to_the_next_deadline(void **state)
{
    static const struct clock real = {0};
    struct loop *l;
    struct alarm a[3] = {0};
    uint64_t turns = 0, asked_ns = 0;

    (void)state;
    seen[0] = '\0';
    assert_int_equal(loop_new(&real, &l, NULL), 0);
    uint64_t start = loop_clock(l), far = start + 600 * NS_PER_S;
    for (int i = 0; i < 3; i++) {
        a[i].loop = l;
        timer_init(&a[i].timer, on_timer);
        a[i].at = start + (uint64_t)(i + 1) * 2 * NS_PER_MS;
        loop_timer_arm(l, &a[i].timer, a[i].at);
    }
    while (a[2].fired_at == 0 && turns < 1000) {
        uint64_t before = loop_clock(l);

        loop_turn(l, far);
        turns++;
        asked_ns += loop_clock(l) - before;
    }
    /* Had a turn waited for anything else than the next deadline, it would have been ten minutes.
     */
    assert_string_equal(seen, "ttt");
    for (int i = 0; i < 3; i++) {
        assert_true(a[i].fired_at >= a[i].at);
        assert_true(i == 0 || a[i].fired_at >= a[i - 1].fired_at);
    }
    struct loop_usage u = loop_usage(l);
    assert_int_equal(u.wakeups, turns);
    assert_true(u.waited_ns <= asked_ns);
    assert_true(asked_ns <= u.wall_ns);
    loop_free(l);
}

struct canceller {
    struct timer timer;
    struct timer *victim;
    struct loop *loop;
};

static void on_cancel(struct timer *t)
{
    struct canceller *c = list_entry(t, struct canceller, timer);

    note('c');
    loop_timer_cancel(c->loop, c->victim);
}

static void a_timer_may_cancel_another_of_the_same_tick(void **state)
{
    struct loop *l = new_loop();
    struct alarm other = {.loop = l};
    struct canceller c = {.victim = &other.timer, .loop = l};

    (void)state;
    timer_init(&c.timer, on_cancel);
    timer_init(&other.timer, on_timer);
    loop_timer_arm(l, &c.timer, now_ns + NS_PER_MS);
    loop_timer_arm(l, &other.timer, now_ns + NS_PER_MS);
    loop_run_virtual(l, &now_ns, now_ns + NS_PER_S);
    assert_string_equal(seen, "c");
    loop_free(l);
}

/* ---- deferred calls and deaths ----------------------------------------------------------------
 */

struct chain {
    struct defer defer, death;
    struct loop *loop;
    int again;
    char name;
};

static void on_death(struct defer *d)
{
    (void)d;
    note('x');
}

static void on_defer(struct defer *d)
{
    struct chain *c = list_entry(d, struct chain, defer);

    note(c->name);
    if (c->again-- > 0) {
        loop_defer(c->loop, d);
    } else {
        loop_bury(c->loop, &c->death);
    }
}

static void chain_init(struct chain *c, struct loop *l, char name, int again)
{
    *c = (struct chain){.loop = l, .name = name, .again = again};
    defer_init(&c->defer, on_defer);
    defer_init(&c->death, on_death);
}

static void deferred_calls_come_once_a_turn_and_deaths_last(void **state)
{
    struct loop *l = new_loop();
    struct chain a, b;

    (void)state;
    chain_init(&a, l, 'a', 1);
    chain_init(&b, l, 'b', 0);
    loop_defer(l, &a.defer);
    loop_defer(l, &b.defer);
    loop_defer(l, &a.defer); /* again changes nothing */
    assert_string_equal(seen, "");
    loop_turn(l, 0);
    assert_string_equal(seen, "abx");
    loop_turn(l, 0);
    assert_string_equal(seen, "abxax");
    chain_init(&a, l, 'a', 0);
    loop_defer(l, &a.defer);
    loop_defer_cancel(&a.defer);
    loop_turn(l, 0);
    assert_string_equal(seen, "abxax");
    loop_bury(l, &a.death);
    loop_free(l); /* buries what is left */
    assert_string_equal(seen, "abxaxx");
}

/* ---- descriptors ------------------------------------------------------------------------------
 */

struct pair {
    struct io io;
    struct pair *other;
    struct loop *loop;
    int calls;
};

static void on_io(struct io *io, uint32_t events)
{
    struct pair *p = list_entry(io, struct pair, io);

    assert_true((events & EPOLLIN) != 0);
    p->calls++;
    loop_remove(p->loop, &p->other->io); /* its event is in the same batch */
}

static void a_removed_descriptor_is_silent_within_its_batch(void **state)
{
    struct loop *l = new_loop();
    struct pair p[2];
    uint64_t one = 1;

    (void)state;
    for (int i = 0; i < 2; i++) {
        p[i] = (struct pair){
            .io = {.fd = eventfd(0, EFD_NONBLOCK), .on_io = on_io}, .other = &p[1 - i], .loop = l};
        assert_int_equal(loop_add(l, &p[i].io, EPOLLIN, NULL), 0);
        assert_int_equal(write(p[i].io.fd, &one, sizeof one), sizeof one);
    }
    assert_int_equal(loop_turn(l, 0), 2);
    assert_int_equal(p[0].calls + p[1].calls, 1);
    assert_int_equal(loop_turn(l, 0), 0);
    for (int i = 0; i < 2; i++) {
        close(p[i].io.fd);
    }
    struct err err;
    struct io bad = {.fd = -1, .on_io = on_io};
    assert_int_equal(loop_add(l, &bad, EPOLLIN, &err), ERR_IO);
    loop_free(l);
    loop_free(NULL);
}

/* ---- fairness ------------------------------------------------------------------------------- */

enum { MANY = 2 * LOOP_BATCH + 10 };

struct counted {
    struct io io;
    struct defer defer;
};

static unsigned io_count, defer_count, io_before_timer, io_before_last_defer;

static void count_io(struct io *io, uint32_t events)
{
    (void)io;
    (void)events;
    io_count++;
}

static void count_defer(struct defer *d)
{
    (void)d;
    defer_count++;
    io_before_last_defer = io_count;
}

static void note_io_count(struct timer *t)
{
    (void)t;
    io_before_timer = io_count;
}

/* An answer that waits unread is not a time-out; a long queue of deferred calls does not keep
 * I/O waiting. */
static void what_is_ready_comes_before_what_is_late(void **state)
{
    struct loop *l = new_loop();
    struct counted *many = calloc(MANY, sizeof *many);
    struct timer timer;

    (void)state;
    io_count = defer_count = io_before_timer = io_before_last_defer = 0;
    timer_init(&timer, note_io_count);
    loop_timer_arm(l, &timer, now_ns + 1);
    now_ns += NS_PER_MS;
    for (unsigned i = 0; i < MANY; i++) {
        many[i].io = (struct io){.fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC), .on_io = count_io};
        assert_true(many[i].io.fd >= 0);
        assert_int_equal(loop_add(l, &many[i].io, EPOLLIN, NULL), 0);
        defer_init(&many[i].defer, count_defer);
        loop_defer(l, &many[i].defer);
    }
    for (unsigned turn = 0; turn < 100; turn++) {
        loop_turn(l, 0);
    }
    assert_int_equal(io_count, MANY);
    assert_int_equal(defer_count, MANY);
    assert_int_equal(io_before_timer, MANY);
    assert_int_equal(io_before_last_defer, MANY);
    for (unsigned i = 0; i < MANY; i++) {
        loop_remove(l, &many[i].io);
        close(many[i].io.fd);
    }
    free(many);
    loop_free(l);
}

/* ---- lengths of turns ------------------------------------------------------------------------ */

/* The callback takes its time: the clock moves while it runs. */
static uint64_t takes_ns;

static void slow_io(struct io *io, uint32_t events)
{
    uint64_t count;

    (void)events;
    assert_int_equal(read(io->fd, &count, sizeof count), sizeof count);
    now_ns += takes_ns;
}

static void turns_are_known_by_their_length(void **state)
{
    static const struct {
        uint64_t takes_ns, least, most;
    } cases[] = {
        {0, 1024, 1280},
        {1000 * NS_PER_US, 1000 * NS_PER_US, 1250 * NS_PER_US},
        {20 * NS_PER_MS, 20 * NS_PER_MS, 25 * NS_PER_MS},
        {1000 * NS_PER_S, UINT64_C(1) << 35, UINT64_C(1) << LOOP_TURN_OCTAVE_MAX},
    };
    struct loop *l = new_loop();
    struct io io = {.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), .on_io = slow_io};
    struct loop_usage start = loop_usage(l);

    (void)state;
    assert_int_equal(loop_add(l, &io, EPOLLIN, NULL), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct loop_usage before = loop_usage(l);
        takes_ns = cases[i].takes_ns;
        assert_int_equal(eventfd_write(io.fd, 1), 0);
        assert_int_equal(loop_turn(l, 0), 1);
        loop_turn(l, 0); /* it ends the one before */
        struct loop_usage after = loop_usage(l);
        uint64_t p99 = loop_turn_quantile_ns(&before, &after, 990000);
        assert_in_range(p99, cases[i].least, cases[i].most);
        assert_int_equal(loop_turn_quantile_ns(&after, &after, 990000), 0);
    }
    struct loop_usage end = loop_usage(l);
    assert_in_range(loop_turn_quantile_ns(&start, &end, 250000), 1024, 1280); /* 1 of 4 */
    assert_in_range(loop_turn_quantile_ns(&start, &end, 500000), NS_PER_MS, 1250 * NS_PER_US);
    assert_true(loop_turn_quantile_ns(&start, &end, 1000000) > 30 * NS_PER_S);
    loop_remove(l, &io);
    close(io.fd);
    loop_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(virtual_time_jumps_from_deadline_to_deadline),
        cmocka_unit_test(sleeps_no_longer_than_to_the_next_deadline),
        cmocka_unit_test(a_timer_may_cancel_another_of_the_same_tick),
        cmocka_unit_test(deferred_calls_come_once_a_turn_and_deaths_last),
        cmocka_unit_test(a_removed_descriptor_is_silent_within_its_batch),
        cmocka_unit_test(what_is_ready_comes_before_what_is_late),
        cmocka_unit_test(turns_are_known_by_their_length),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
