/* SPDX-License-Identifier: MIT */
/*
 * Each message as it is on the wire, in tests/data/wire. A file that differs means another version
 * of the messages: see wire/frame.h for which one. With MCPDRILL_REGENERATE set, the files are
 * written instead of compared.
 */
#include "base/mem.h"
#include "support/unit.h"
#include "support/wire_examples.h"
#include "wire/frame.h"
#include "wire/receipt.h"
#include "wire/totals.h"
#include "wire/window.h"

enum { KEYS = 3, CUSTOMS = 3, STAGES = 4, FILE_MAX = 1024 * 1024 };

static const struct wire_window_limits limits = {
    .key_count = KEYS, .custom_count = CUSTOMS, .stage_count = STAGES};

static const char run_id[] = "run_0123456789abcdef";

/* ---- files -------------------------------------------------------------------------------------
 */

static void compare(const char *name, const struct buf *text)
{
    char path[512];
    struct buf file;

    snprintf(path, sizeof path, SOURCE_DIR "/tests/data/wire/%s", name);
    if (getenv("MCPDRILL_REGENERATE") != NULL) { /* NOLINT(concurrency-mt-unsafe) one thread */
        assert_int_equal(file_write(path, buf_str(text), NULL), 0);
    }
    buf_init(&file, FILE_MAX);
    assert_int_equal(file_read(path, &file, NULL), 0);
    if (!str_eq(buf_str(&file), buf_str(text))) {
        fail_msg("%s is another one: a new version of the messages? (wire/frame.h)", path);
    }
    buf_clear(&file);
}

/* Takes the text, and ends it with a line end. */
static void compare_json(const char *name, struct buf *text)
{
    buf_add_c(text, "\n");
    compare(name, text);
    buf_clear(text);
}

/* Takes the bytes. */
static void compare_hex(const char *name, struct buf *bytes)
{
    struct buf text;

    buf_init(&text, FILE_MAX);
    for (size_t i = 0; i < bytes->len; i++) {
        buf_printf(&text, "%02x%s", (unsigned)(unsigned char)bytes->p[i],
                   i % 32 == 31 || i + 1 == bytes->len ? "\n" : " ");
    }
    compare(name, &text);
    buf_clear(&text);
    buf_clear(bytes);
}

/* ---- what numbers mean -------------------------------------------------------------------------
 */

/* Binary messages tell these by number. */
static void test_numbers_mean_what_they_did(void **state)
{
    struct buf t;
    unsigned i = 0;

    (void)state;
    buf_init(&t, FILE_MAX);
    buf_printf(&t, "wire %d.%d\n", WIRE_MAJOR, WIRE_MINOR);
    for (i = 0; i < 256; i++) {
        if (wire_kind_name(i) != NULL) {
            buf_printf(&t, "frame %u %s\n", i, wire_kind_name(i));
        }
    }
    for (i = 0; i < 256; i++) {
        if (wire_report_name(i) != NULL) {
            buf_printf(&t, "report %u %s\n", i, wire_report_name(i));
        }
    }
    for (i = 0; i < COUNT_ALL; i++) {
        buf_printf(&t, "count %u %s\n", i, count_name((enum count)i));
    }
    for (i = 0; i < DIST_ALL; i++) {
        buf_printf(&t, "dist %u %s\n", i, dist_name((enum dist)i));
    }
    for (i = 0; i < LIMIT_COUNT; i++) {
        buf_printf(&t, "limit %u %s\n", i, limit_row((enum limit)i)->name);
    }
    for (i = 0; i < ERROR_TYPE_COUNT; i++) {
        buf_printf(&t, "error_type %u %s\n", i, error_type_name((enum error_type)i));
    }
    for (i = 0; i < ERROR_ORIGIN_COUNT; i++) {
        buf_printf(&t, "error_origin %u %s\n", i, error_origin_name((enum error_origin)i));
    }
    for (i = 0; i < ERROR_CODE_COUNT; i++) {
        char name[64];

        buf_printf(&t, "error_code %u %s\n", i,
                   error_code_name((enum error_code)i, 0, name, sizeof name));
    }
    compare("numbers.txt", &t);
    buf_clear(&t);
}

/* ---- JSON --------------------------------------------------------------------------------------
 */

static void test_messages(void **state)
{
    struct wire_hello hello = example_hello();
    struct wire_welcome welcome = example_welcome();
    struct wire_refuse refuse = example_refuse();
    struct wire_heartbeat heartbeat = example_heartbeat();
    struct wire_pulse pulse = example_pulse();
    struct wire_ready ready = example_ready();
    struct wire_rejected rejected = example_rejected();
    struct check_list checks = example_checks();
    struct buf t;

    (void)state;
    buf_init(&t, FILE_MAX);
    wire_hello_encode(&hello, &t);
    compare_json("hello.json", &t);
    wire_welcome_encode(&welcome, &t);
    compare_json("welcome.json", &t);
    wire_refuse_encode(&refuse, &t);
    compare_json("refuse.json", &t);
    wire_heartbeat_encode(&heartbeat, &t);
    compare_json("heartbeat.json", &t);
    wire_pulse_encode(&pulse, &t);
    compare_json("pulse.json", &t);
    wire_ready_encode(&ready, &t);
    compare_json("ready.json", &t);
    wire_rejected_encode(&rejected, &t);
    compare_json("rejected.json", &t);
    wire_checks_encode(&checks, &t);
    compare_json("checks.json", &t);
    wire_hello_clear(&hello);
}

static void test_receipt(void **state)
{
    static struct wire_receipt r;
    struct buf t;

    (void)state;
    wire_receipt_ack(&r, run_id, 205);
    wire_receipt_refuse(&r, "run_of_others", "this worker has no part in it");
    buf_init(&t, FILE_MAX);
    wire_receipt_encode(&r, &t);
    compare_json("receipt.json", &t);
}

static void test_orders(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < WIRE_ORDER_COUNT; kind++) {
        struct wire_order o = example_order((enum wire_order_kind)kind);
        char name[64];
        struct buf t;

        buf_init(&t, FILE_MAX);
        wire_order_encode(&o, &t);
        snprintf(name, sizeof name, "order_%s.json", wire_order_name(o.kind));
        compare_json(name, &t);
        wire_order_clear(&o);
    }
}

/* ---- binary ------------------------------------------------------------------------------------
 */

static void fill_part(struct window_part *part, uint64_t base)
{
    for (unsigned i = 0; i < COUNT_ALL; i++) {
        part->count[i] = base + i;
    }
    for (unsigned i = 0; i < DIST_ALL; i++) {
        struct hist *h = window_dist(part, (enum dist)i);

        hist_record(h, base * 1000 + i);
        hist_record(h, base * 1000 + 20000 * i);
        hist_record_censored(h, base * 2000 + 20000 * i);
    }
    part->other_failures = base + 1;
}

static void fill_samples(struct window *w)
{
    struct outcome ok = {.key = 1,
                         .vu = 5,
                         .n = 700,
                         .session_serial = 9,
                         .heir = WINDOW_KEY_NONE,
                         .t_due = w->start_ns + 10,
                         .t_free = w->start_ns + 20,
                         .t_ready = w->start_ns + 30,
                         .t_send = w->start_ns + 40,
                         .t_headers = w->start_ns + 900,
                         .t_first_event = w->start_ns + 950,
                         .t_end = w->start_ns + 1000,
                         .bytes_out = 200,
                         .bytes_in = 5000,
                         .http_status = 200,
                         .is_stream = true,
                         .session_was_used = true,
                         .requests_sent = 1,
                         .verified = true,
                         .log_rank = 77,
                         .event_count = 12};
    struct outcome cut = {.key = 2,
                          .vu = 6,
                          .n = 3,
                          .cls = OUTCOME_UNFINISHED,
                          .unfinished = UNFINISHED_DRAIN_OVER,
                          .is_late = true,
                          .heir = 1,
                          .t_due = w->start_ns - 5000000000,
                          .t_end = w->end_ns,
                          .error_type = ERROR_TYPE_JSONRPC_ERROR,
                          .error_code = ERROR_CODE_JSONRPC_N,
                          .origin = ERROR_ORIGIN_SERVER,
                          .error_number = -32001,
                          .message = STR("no such thing"),
                          .not_streamed = true,
                          .session_retries = 1,
                          .stall_ns = 4000};

    w->slowest_count = 2;
    op_sample_fill(&w->slowest[0], &cut);
    op_sample_fill(&w->slowest[1], &ok);
    w->log = sample_batch_new();
    sample_batch_failure(w->log, &cut);
    sample_batch_success(w->log, &ok, 10);
    w->log->rank_max = 1000;
}

static void fill_rest(struct window *w)
{
    w->silence_ns = 11;
    w->gauges = (struct window_gauges){21, 22, 23, 24, 25, 26};
    w->busy_ns = 31;
    w->wall_ns = 32;
    w->wakeups = 33;
    w->samples_thinned = 34;
    w->samples_lost = 35;
    w->other_failures = 36;
    w->health = (struct window_health){41, 42, true, 0.25, 43, 44, 45, 1.5, 2.5, 46, 47};
    for (unsigned i = 0; i < LIMIT_COUNT; i++) {
        w->limits[i] = 50 + i;
    }
    w->failure_count = 2;
    w->failures[0] = (struct failure){.hash = 0x0123456789abcdef,
                                      .count = 5,
                                      .unmasked = 1,
                                      .key = 2,
                                      .type = ERROR_TYPE_HTTP_ERROR,
                                      .code = ERROR_CODE_HTTP_STATUS,
                                      .origin = ERROR_ORIGIN_GATEWAY,
                                      .number = 404,
                                      .message_len = 12,
                                      .message = "no row <NUM>",
                                      .sample_len = 8,
                                      .sample = "no row 7"};
    w->failures[1] = (struct failure){.hash = 1,
                                      .count = 1,
                                      .key = WINDOW_KEY_BESIDE,
                                      .type = ERROR_TYPE_TIMEOUT,
                                      .code = ERROR_CODE_REQUEST_TIMEOUT,
                                      .origin = ERROR_ORIGIN_TIMEOUT};
}

/* Everything that a window may have. */
static struct window *full_window(void)
{
    struct window *w = window_new(KEYS, CUSTOMS, 0);

    window_reset(w, 1234, 5000000000, 6000000000);
    w->stage_index = 2;
    fill_part(&w->run, 100);
    fill_part(&w->keys[1], 300);
    for (unsigned i = 0; i < 2 * HIST_FEW; i++) { /* … and one of counters */
        hist_record(window_dist(&w->keys[2], DIST_SERVICE), 1000000 + i * i * 100);
    }
    window_custom(w, 0, 2.5, false, 5100000000);
    window_custom(w, 1, 12.5, true, 5200000000);
    window_custom(w, 2, -1, true, 5300000000);
    fill_rest(w);
    fill_samples(w);
    window_enter_stage(w, 3, 5500000000);
    w->later.silence_ns = 12;
    fill_part(&w->later.run, 500);
    window_custom(w, 0, 3.5, false, 5600000000);
    return w;
}

static void test_window(void **state)
{
    struct window *w = full_window(), *back = window_new(KEYS, CUSTOMS, 0);
    struct buf bytes, again;
    struct err err;

    (void)state;
    buf_init(&bytes, FILE_MAX);
    buf_init(&again, FILE_MAX);
    assert_int_equal(wire_window_encode(w, 1000, &bytes), 0);
    if (wire_window_decode(buf_str(&bytes), &limits, back, &err) != 0) {
        fail_msg("%s", err.msg);
    }
    assert_int_equal(wire_window_encode(back, 0, &again), 0);
    assert_true(str_eq(buf_str(&bytes), buf_str(&again)));
    compare_hex("window.hex", &bytes);
    buf_clear(&again);
    window_free(w);
    window_free(back);
}

static void test_totals(void **state)
{
    struct window *w = full_window();
    struct wire_totals t;
    struct buf bytes;

    (void)state;
    buf_init(&bytes, FILE_MAX);
    wire_totals_init(&t, KEYS);
    wire_totals_add(&t, w);
    assert_int_equal(wire_totals_encode(&t, &bytes), 0);
    compare_hex("totals.hex", &bytes);
    wire_totals_clear(&t);
    window_free(w);
}

/* Each kind of binary message in its frame. */
static void test_frames(void **state)
{
    struct buf bytes, ack;
    size_t at;

    (void)state;
    buf_init(&bytes, FILE_MAX);
    for (unsigned kind = WIRE_REPORT_READY; kind <= WIRE_REPORT_TOTALS; kind++) {
        assert_int_equal(wire_frame_begin(&bytes, WIRE_REPORT, &at), 0);
        wire_report_begin(&bytes, (enum wire_report_kind)kind, 200 + kind, run_id);
        wire_source_encode(&bytes, 300);
        assert_int_equal(wire_frame_end(&bytes, at), 0);
    }
    compare_hex("reports.hex", &bytes);
    buf_init(&ack, FILE_MAX);
    wire_ack_encode(&ack, run_id, 205);
    assert_int_equal(wire_frame_add(&bytes, WIRE_ACK, buf_str(&ack)), 0);
    buf_clear(&ack);
    compare_hex("ack.hex", &bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers_mean_what_they_did),
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_orders),
        cmocka_unit_test(test_receipt),
        cmocka_unit_test(test_window),
        cmocka_unit_test(test_totals),
        cmocka_unit_test(test_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
