/* SPDX-License-Identifier: MIT */
/*
 * The answer to a batch of reports over HTTP (POST /workers/{id}/telemetry): how far each run's
 * reports are kept for good, and which runs this worker has no part in, so that it ends their load
 * at once. Over a byte stream the first is an ACK each (wire/report.h), the second the order to
 * stop and to release.
 */
#ifndef WIRE_RECEIPT_H
#define WIRE_RECEIPT_H

#include "wire/messages.h"

enum { WIRE_RECEIPT_RUNS_MAX = 256, WIRE_REASON_SIZE = 129 };

struct wire_receipt {
    uint32_t acked_count;
    struct wire_acked {
        char run_id[WIRE_ID_SIZE];
        uint64_t seq; /* everything up to it */
    } acked[WIRE_RECEIPT_RUNS_MAX];
    uint32_t refused_count;
    struct wire_refused {
        char run_id[WIRE_ID_SIZE];
        char reason[WIRE_REASON_SIZE];
    } refused[WIRE_RECEIPT_RUNS_MAX];
};
WIRE_TABLE_FUNCTIONS(receipt)

/* Once per report, in the order of their numbers; a run has one row. False: there is no room, and
 * the report has to be sent again. `run_id` is an id (wire_report_decode has seen to it). */
bool wire_receipt_ack(struct wire_receipt *r, const char *run_id, uint64_t seq);
/* `reason` is not empty; it is cut where it is too long. */
bool wire_receipt_refuse(struct wire_receipt *r, const char *run_id, const char *reason);

#endif
