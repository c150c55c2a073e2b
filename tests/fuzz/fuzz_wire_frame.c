/* SPDX-License-Identifier: MIT */
/* A stream of frames, as a whole and in pieces: the same frames and the same end. What a frame
 * holds is read as the message that its kind says; what was understood is written and understood
 * as the same again. */
#include "base/buf.h"
#include "fuzz/fuzz.h"
#include "wire/frame.h"
#include "wire/receipt.h"
#include "wire/report.h"

enum { OUT_MAX = 64 * 1024 * 1024 };

/* ---- frames ------------------------------------------------------------------------------------
 */

struct log {
    struct wire_reader reader;
    int rc;
    struct buf frames; /* kinds, lengths and payloads */
};

static void feed(void *ctx, const char *p, size_t len)
{
    struct log *log = ctx;
    const char *end = p + len;
    struct wire_frame f;
    struct err err = {0};

    if (log->rc < 0) {
        fuzz_require(wire_reader_next(&log->reader, &p, end, &f, &err) < 0,
                     "a failure is forgotten");
        return;
    }
    while ((log->rc = wire_reader_next(&log->reader, &p, end, &f, &err)) == WIRE_READ) {
        buf_printf(&log->frames, "%u %zu ", (unsigned)f.kind, f.payload.len);
        buf_add_str(&log->frames, f.payload);
    }
    fuzz_require(log->rc < 0 || p == end, "bytes were not taken");
    fuzz_require(log->rc >= 0 || err.msg[0] != '\0', "an error without a text");
}

static void log_init(struct log *log, size_t size)
{
    *log = (struct log){.rc = WIRE_MORE};
    wire_reader_init(&log->reader, size + 1);
    buf_init(&log->frames, OUT_MAX);
}

static void log_clear(struct log *log)
{
    wire_reader_clear(&log->reader);
    buf_clear(&log->frames);
}

static void check_splits(uint8_t step, const char *text, size_t len)
{
    struct log whole, split;

    log_init(&whole, len);
    log_init(&split, len);
    feed(&whole, text, len);
    fuzz_feed(text, len, step, feed, &split);
    fuzz_require(whole.rc == split.rc, "another end in pieces");
    fuzz_require(str_eq(buf_str(&whole.frames), buf_str(&split.frames)), "other frames in pieces");
    fuzz_require(wire_reader_idle(&whole.reader) == wire_reader_idle(&split.reader) || whole.rc < 0,
                 "another rest in pieces");
    log_clear(&whole);
    log_clear(&split);
}

/* ---- messages ----------------------------------------------------------------------------------
 */

union any {
    struct wire_hello hello;
    struct wire_welcome welcome;
    struct wire_refuse refuse;
    struct wire_heartbeat heartbeat;
    struct wire_pulse pulse;
    struct wire_ready ready;
    struct wire_rejected rejected;
    struct wire_receipt receipt;
};

static void check_table(const struct wire_table *t, struct str in)
{
    union any m, back;
    struct buf first, second;
    struct err err = {0};

    if (wire_table_decode(t, in, &m, NULL, &err) != 0) {
        fuzz_require(err.code != 0 && err.msg[0] != '\0', "an error without a text");
        return;
    }
    buf_init(&first, OUT_MAX);
    buf_init(&second, OUT_MAX);
    fuzz_require(wire_table_encode(t, &m, &first) == 0, "cannot be written");
    fuzz_require(wire_table_decode(t, buf_str(&first), &back, NULL, NULL) == 0, "not read again");
    fuzz_require(wire_table_encode(t, &back, &second) == 0, "cannot be written again");
    fuzz_require(str_eq(buf_str(&first), buf_str(&second)), "read differently");
    wire_table_clear(t, &m);
    wire_table_clear(t, &back);
    buf_clear(&first);
    buf_clear(&second);
}

static void check_order(struct str in)
{
    struct wire_order o, back;
    struct buf first, second;
    struct err err = {0};

    if (wire_order_decode(in, &o, &err) != 0) {
        fuzz_require(err.code != 0 && err.msg[0] != '\0', "an error without a text");
        return;
    }
    buf_init(&first, OUT_MAX);
    buf_init(&second, OUT_MAX);
    fuzz_require(wire_order_encode(&o, &first) == 0, "an order cannot be written");
    fuzz_require(wire_order_decode(buf_str(&first), &back, NULL) == 0, "an order not read again");
    fuzz_require(wire_order_encode(&back, &second) == 0, "an order cannot be written again");
    fuzz_require(str_eq(buf_str(&first), buf_str(&second)), "an order read differently");
    wire_order_clear(&o);
    wire_order_clear(&back);
    buf_clear(&first);
    buf_clear(&second);
}

static void check_checks(struct str in)
{
    static struct check_list list, back;
    struct buf first;

    if (wire_checks_decode(in, &list, NULL) != 0) {
        return;
    }
    buf_init(&first, OUT_MAX);
    fuzz_require(wire_checks_encode(&list, &first) == 0, "checks cannot be written");
    fuzz_require(wire_checks_decode(buf_str(&first), &back, NULL) == 0, "checks not read again");
    fuzz_require(back.count == list.count && back.request_count == list.request_count &&
                     back.warning_count == list.warning_count,
                 "checks read differently");
    buf_clear(&first);
}

static void check_report(struct str in)
{
    struct wire_report r;
    struct err err = {0};
    uint32_t source;

    if (wire_report_decode(in, &r, &err) != 0) {
        fuzz_require(err.msg[0] != '\0', "an error without a text");
        return;
    }
    fuzz_require(r.seq > 0 && r.run_id[0] != '\0', "a report without a number or a run");
    fuzz_require(r.body.p + r.body.len == in.p + in.len, "a body of other bytes");
    check_table(&wire_ready_table, r.body);
    check_table(&wire_rejected_table, r.body);
    check_checks(r.body);
    if (wire_source_decode(&r.body, 1000, &source, NULL) == 0) {
        fuzz_require(source < 1000, "a source beyond the run's");
    }
}

static void check_message(const struct wire_frame *f)
{
    struct wire_ack ack;

    switch (f->kind) {
    case WIRE_HELLO:
        check_table(&wire_hello_table, f->payload);
        break;
    case WIRE_WELCOME:
        check_table(&wire_welcome_table, f->payload);
        break;
    case WIRE_REFUSE:
        check_table(&wire_refuse_table, f->payload);
        break;
    case WIRE_ORDER:
        check_order(f->payload);
        break;
    case WIRE_REPORT:
        check_report(f->payload);
        break;
    case WIRE_ACK:
        if (wire_ack_decode(f->payload, &ack, NULL) == 0) {
            fuzz_require(strlen(ack.run_id) > 0, "an acknowledgement of no run");
        }
        break;
    case WIRE_HEARTBEAT:
        check_table(&wire_heartbeat_table, f->payload);
        break;
    case WIRE_PULSE:
        check_table(&wire_pulse_table, f->payload);
        check_table(&wire_receipt_table, f->payload); /* it has no kind of its own */
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    const char *text = (const char *)data + 1, *end = (const char *)data + size;
    struct wire_reader r;
    struct wire_frame f;

    check_splits(data[0], text, size - 1);
    wire_reader_init(&r, size);
    while (wire_reader_next(&r, &text, end, &f, NULL) == WIRE_READ) {
        check_message(&f);
    }
    wire_reader_clear(&r);
    return 0;
}
