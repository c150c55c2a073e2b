/* SPDX-License-Identifier: MIT */
#include "base/rng.h"
#include "support/unit.h"
#include "worker/report_log.h"

static const char *taken(struct report_log *log, size_t bytes)
{
    static char text[256];
    struct buf out;

    buf_init(&out, sizeof text - 1);
    report_log_take(log, bytes, &out);
    snprintf(text, sizeof text, "%s", buf_c(&out));
    buf_clear(&out);
    return text;
}

static void reports_are_sent_in_order_and_once(void **state)
{
    struct report_log log;
    struct report_queue a, b;

    (void)state;
    report_log_init(&log, 10000);
    report_queue_init(&a, &log);
    report_queue_init(&b, &log);
    assert_false(report_log_fresh(&log));
    assert_true(report_queue_add(&a, STR("a1"), REPORT_IF_ROOM));
    assert_true(report_queue_add(&b, STR("b1"), REPORT_IF_ROOM));
    assert_true(report_queue_add(&a, STR("a2"), REPORT_IF_ROOM));
    assert_int_equal(a.last_seq, 2);
    assert_int_equal(b.last_seq, 1);
    assert_string_equal(taken(&log, 4), "a1b1");
    assert_string_equal(taken(&log, 1), "a2"); /* at least one, however large */
    assert_string_equal(taken(&log, 100), "");
    assert_false(report_log_fresh(&log));
    report_queue_clear(&a);
    report_queue_clear(&b);
    assert_int_equal(log.bytes, 0);
}

static void what_is_not_acknowledged_comes_again(void **state)
{
    struct report_log log;
    struct report_queue a, b;

    (void)state;
    report_log_init(&log, 10000);
    report_queue_init(&a, &log);
    report_queue_init(&b, &log);
    report_queue_add(&a, STR("a1"), REPORT_IF_ROOM);
    report_queue_add(&a, STR("a2"), REPORT_IF_ROOM);
    report_queue_add(&b, STR("b1"), REPORT_IF_ROOM);
    taken(&log, 100);
    report_queue_add(&a, STR("a3"), REPORT_IF_ROOM);
    report_queue_ack(&a, 1);
    report_log_rewind(&log);
    assert_string_equal(taken(&log, 100), "a2b1a3");
    report_queue_ack(&a, 1); /* again */
    report_queue_ack(&a, 4); /* never given */
    report_log_rewind(&log);
    assert_string_equal(taken(&log, 100), "a2b1a3");
    report_queue_ack(&a, 3);
    assert_true(report_queue_empty(&a));
    report_queue_ack(&b, 1);
    report_log_rewind(&log);
    assert_false(report_log_fresh(&log));
    assert_int_equal(log.bytes, 0);
    /* An acknowledgement may overtake the taking of what it is about. */
    report_queue_add(&b, STR("b2"), REPORT_IF_ROOM);
    report_queue_ack(&b, 2);
    assert_string_equal(taken(&log, 100), "");
}

static void the_bound_holds(void **state)
{
    static char large[3000];
    struct report_log log;
    struct report_queue q;

    (void)state;
    report_log_init(&log, 10000);
    report_queue_init(&q, &log);
    for (int i = 0; i < 3; i++) {
        assert_true(report_queue_add(&q, (struct str){large, sizeof large}, REPORT_IF_ROOM));
    }
    assert_false(report_queue_add(&q, (struct str){large, sizeof large}, REPORT_IF_ROOM));
    assert_int_equal(q.refused, 1);
    assert_int_equal(q.last_seq, 3); /* no number is lost */
    assert_true(report_queue_add(&q, (struct str){large, sizeof large}, REPORT_NEEDED));
    assert_int_equal(q.last_seq, 4);
    report_queue_ack(&q, 2);
    assert_true(report_queue_add(&q, (struct str){large, sizeof large}, REPORT_IF_ROOM));
    report_queue_clear(&q);
    assert_int_equal(log.bytes, 0);
}

/* Whatever order of adding, sending, acknowledging and losing the connection: the other side, which
 * takes the next number only, gets all of them. */
static void nothing_is_lost_on_a_bad_line(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        struct report_log log;
        struct report_queue q;
        uint64_t applied = 0, added = 0;

        report_log_init(&log, 100000);
        report_queue_init(&q, &log);
        for (uint64_t step = 0; step < 500 || applied < added; step++) {
            uint64_t draw = rng_at(seed, step);
            char frame[24];

            if (draw % 4 == 0 && step < 500) {
                snprintf(frame, sizeof frame, "%llu;", (unsigned long long)++added);
                assert_true(report_queue_add(&q, str_c(frame), REPORT_IF_ROOM));
            } else if (draw % 4 == 1) {
                report_log_rewind(&log);
            } else if (draw % 4 == 2) {
                const char *at = taken(&log, 1 + draw / 8 % 30);
                for (char *end; *at != '\0'; at = end + 1) {
                    uint64_t seq = strtoull(at, &end, 10);
                    applied += seq == applied + 1 && draw / 512 % 4 != 0;
                }
            } else if (draw / 8 % 2 == 0) {
                report_queue_ack(&q, applied);
            }
        }
        report_queue_ack(&q, applied);
        assert_int_equal(applied, added);
        assert_true(report_queue_empty(&q));
        assert_int_equal(log.bytes, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reports_are_sent_in_order_and_once),
        cmocka_unit_test(what_is_not_acknowledged_comes_again),
        cmocka_unit_test(the_bound_holds),
        cmocka_unit_test(nothing_is_lost_on_a_bad_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
