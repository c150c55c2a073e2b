/* SPDX-License-Identifier: MIT */
/*
 * Reports of a worker about a run, and how they are acknowledged. Binary:
 *
 *   REPORT  u8 kind · varint seq · u8 length, run id · body
 *   ACK     varint seq · u8 length, run id
 *
 * `seq` counts all reports of a worker in a run from 1, without gap. They are applied in order and
 * once; an ACK is for everything up to its seq.
 *
 *   kind      body
 *   READY     JSON, struct wire_ready
 *   REJECTED  JSON, struct wire_rejected
 *   CHECKS    JSON, struct check_list by wire_checks_… below
 *   WINDOW    varint source · window (wire/window.h)
 *   DRAINED   varint source
 *   TOTALS    wire/totals.h; the last report of a worker
 */
#ifndef WIRE_REPORT_H
#define WIRE_REPORT_H

#include "metrics/check.h"
#include "wire/messages.h"
#include "wire/order.h"

#define WIRE_REPORT_MAP(X)     \
    X(1, READY, "ready")       \
    X(2, REJECTED, "rejected") \
    X(3, CHECKS, "checks")     \
    X(4, WINDOW, "window")     \
    X(5, DRAINED, "drained")   \
    X(6, TOTALS, "totals")
#define WIRE_REPORT_ENUM_(number, id, name) WIRE_REPORT_##id = (number),
enum wire_report_kind { WIRE_REPORT_MAP(WIRE_REPORT_ENUM_) };

/* "ready" …; NULL for what is no kind. */
const char *wire_report_name(unsigned kind);

struct wire_report {
    enum wire_report_kind kind;
    uint64_t seq; /* from 1 */
    char run_id[WIRE_ID_SIZE];
    struct str body; /* of the payload that was decoded */
};

/* The head; the body follows, written by the caller (in a frame: wire_frame_begin). `run_id` is an
 * id of at most WIRE_ID_SIZE - 1 characters. 0 or ERR_LIMIT (nothing is added). */
int wire_report_begin(struct buf *out,
                      enum wire_report_kind kind,
                      uint64_t seq,
                      const char *run_id);
/* ERR_SYNTAX. */
int wire_report_decode(struct str payload, struct wire_report *out, struct err *err);

/* The source that a WINDOW begins with and a DRAINED consists of. */
int wire_source_encode(struct buf *out, uint32_t source);
/* Takes it off the body's beginning. ERR_SYNTAX, or when it is not below `source_count`. */
int wire_source_decode(struct str *body, uint32_t source_count, uint32_t *source, struct err *err);

struct wire_ack {
    uint64_t seq;
    char run_id[WIRE_ID_SIZE];
};

/* 0 or ERR_LIMIT (nothing is added). */
int wire_ack_encode(struct buf *out, const char *run_id, uint64_t seq);
int wire_ack_decode(struct str payload, struct wire_ack *out, struct err *err);

/* The assignment is compiled, and its shards wait for the checks. */
struct wire_ready {
    uint32_t shards;
};
WIRE_TABLE_FUNCTIONS(ready)

/* It takes no part in the run. */
struct wire_rejected {
    char error[WIRE_ERROR_SIZE];
};
WIRE_TABLE_FUNCTIONS(rejected)

/* Names of checks and methods are those that the engine uses; they live forever. */
int wire_checks_encode(const struct check_list *checks, struct buf *out);
int wire_checks_decode(struct str text, struct check_list *out, struct err *err);

#endif
