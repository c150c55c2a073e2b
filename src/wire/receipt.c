/* SPDX-License-Identifier: MIT */
#include "wire/receipt.h"

#include <stdio.h>
#include <string.h>

#define COUNT(a)           (sizeof(a) / sizeof(a)[0])
#define AT(type, field)    offsetof(struct type, field)
#define CHARS(type, field) .offset = AT(type, field), .max = sizeof((struct type *)0)->field
#define TABLE(text, type, rows)                                                                    \
    {                                                                                              \
        .name = (text), .fields = (rows), .field_count = COUNT(rows), .size = sizeof(struct type), \
        .bytes_max = RECEIPT_BYTES_MAX                                                             \
    }

enum { RECEIPT_BYTES_MAX = 512 * 1024 };

static const struct wire_field acked_fields[] = {
    {"run_id", WIRE_ID, CHARS(wire_acked, run_id)},
    {"seq", WIRE_U64, .offset = AT(wire_acked, seq), .max = INT64_MAX},
};
static const struct wire_table acked_table = TABLE("acked", wire_acked, acked_fields);

static const struct wire_field refused_fields[] = {
    {"run_id", WIRE_ID, CHARS(wire_refused, run_id)},
    {"reason", WIRE_TEXT, CHARS(wire_refused, reason)},
};
static const struct wire_table refused_table = TABLE("refused", wire_refused, refused_fields);

static const struct wire_field receipt_fields[] = {
    {"acked", WIRE_ROWS, .offset = AT(wire_receipt, acked), .rows = &acked_table,
     .max = WIRE_RECEIPT_RUNS_MAX, .size = sizeof(struct wire_acked),
     .count_offset = AT(wire_receipt, acked_count)},
    {"refused", WIRE_ROWS, .offset = AT(wire_receipt, refused), .rows = &refused_table,
     .max = WIRE_RECEIPT_RUNS_MAX, .size = sizeof(struct wire_refused),
     .count_offset = AT(wire_receipt, refused_count)},
};
const struct wire_table wire_receipt_table = TABLE("receipt", wire_receipt, receipt_fields);

bool wire_receipt_ack(struct wire_receipt *r, const char *run_id, uint64_t seq)
{
    uint32_t i = 0;

    while (i < r->acked_count && strcmp(r->acked[i].run_id, run_id) != 0) {
        i++;
    }
    if (i == WIRE_RECEIPT_RUNS_MAX) {
        return false;
    }
    if (i == r->acked_count) {
        snprintf(r->acked[i].run_id, sizeof r->acked[i].run_id, "%s", run_id);
        r->acked_count++;
    }
    r->acked[i].seq = seq;
    return true;
}

bool wire_receipt_refuse(struct wire_receipt *r, const char *run_id, const char *reason)
{
    uint32_t i = 0;

    while (i < r->refused_count && strcmp(r->refused[i].run_id, run_id) != 0) {
        i++;
    }
    if (i == WIRE_RECEIPT_RUNS_MAX) {
        return false;
    }
    if (i == r->refused_count) {
        snprintf(r->refused[i].run_id, sizeof r->refused[i].run_id, "%s", run_id);
        snprintf(r->refused[i].reason, sizeof r->refused[i].reason, "%s", reason);
        r->refused_count++;
    }
    return true;
}
