/* SPDX-License-Identifier: MIT */
#include "wire/report.h"

#include "wire/pack.h"

#include <assert.h>

/* ---- heads -------------------------------------------------------------------------------------
 */

const char *wire_report_name(unsigned kind)
{
    switch (kind) {
#define REPORT_NAME_(number, id, name) \
    case WIRE_REPORT_##id:             \
        return name;
        WIRE_REPORT_MAP(REPORT_NAME_)
    default:
        return NULL;
    }
}

static void pack_id(struct packer *p, const char *id)
{
    size_t len = strlen(id);

    assert(len < WIRE_ID_SIZE && wire_is_id((struct str){id, len}));
    pack_text(p, (struct str){id, len});
}

static void unpack_id(struct unpacker *u, char out[WIRE_ID_SIZE])
{
    struct str id = unpack_text(u, WIRE_ID_SIZE - 1);

    if (!wire_is_id(id)) {
        unpack_fail(u, "a run id that is none");
        id.len = 0;
    }
    if (id.len > 0) {
        memcpy(out, id.p, id.len);
    }
    out[id.len] = '\0';
}

int wire_report_begin(struct buf *out, enum wire_report_kind kind, uint64_t seq, const char *run_id)
{
    struct packer p = pack_begin(out);

    assert(seq > 0);
    pack_varint(&p, kind);
    pack_varint(&p, seq);
    pack_id(&p, run_id);
    return pack_end(&p);
}

int wire_report_decode(struct str payload, struct wire_report *out, struct err *err)
{
    struct unpacker u = unpack_begin(payload);
    uint64_t kind = unpack_max(&u, UINT8_MAX, "an unknown kind");

    *out = (struct wire_report){.seq = unpack_varint(&u)};
    unpack_id(&u, out->run_id);
    if (wire_report_name((unsigned)kind) == NULL) {
        unpack_fail(&u, "an unknown kind");
    }
    if (out->seq == 0) {
        unpack_fail(&u, "it has no number");
    }
    out->kind = (enum wire_report_kind)kind;
    out->body = (struct str){u.at, (size_t)(u.end - u.at)};
    u.at = u.end;
    return unpack_end(&u, "a report", err);
}

int wire_source_encode(struct buf *out, uint32_t source)
{
    struct packer p = pack_begin(out);

    pack_varint(&p, source);
    return pack_end(&p);
}

int wire_source_decode(struct str *body, uint32_t source_count, uint32_t *source, struct err *err)
{
    struct unpacker u = unpack_begin(*body);
    uint64_t number = unpack_varint(&u);

    if (number >= source_count) {
        unpack_fail(&u, "a source that does not exist");
    }
    if (unpack_ok(&u)) {
        *source = (uint32_t)number;
        *body = (struct str){u.at, (size_t)(u.end - u.at)};
        u.at = u.end;
    }
    return unpack_end(&u, "a report", err);
}

int wire_ack_encode(struct buf *out, const char *run_id, uint64_t seq)
{
    struct packer p = pack_begin(out);

    pack_varint(&p, seq);
    pack_id(&p, run_id);
    return pack_end(&p);
}

int wire_ack_decode(struct str payload, struct wire_ack *out, struct err *err)
{
    struct unpacker u = unpack_begin(payload);

    *out = (struct wire_ack){.seq = unpack_varint(&u)};
    unpack_id(&u, out->run_id);
    return unpack_end(&u, "an acknowledgement", err);
}

/* ---- bodies in JSON ----------------------------------------------------------------------------
 */

enum { BODY_BYTES_MAX = 256 * 1024 };

#define COUNT(a)           (sizeof(a) / sizeof(a)[0])
#define AT(type, field)    offsetof(struct type, field)
#define CHARS(type, field) .offset = AT(type, field), .max = sizeof((struct type *)0)->field
#define TABLE(text, type, rows)                                                                    \
    {                                                                                              \
        .name = (text), .fields = (rows), .field_count = COUNT(rows), .size = sizeof(struct type), \
        .bytes_max = BODY_BYTES_MAX                                                                \
    }

static const struct wire_field ready_fields[] = {
    {"shards", WIRE_U32, .offset = AT(wire_ready, shards), .min = 1, .max = WIRE_SOURCES_MAX},
};
const struct wire_table wire_ready_table = TABLE("ready", wire_ready, ready_fields);

static const struct wire_field rejected_fields[] = {
    {"error", WIRE_TEXT, CHARS(wire_rejected, error)},
};
const struct wire_table wire_rejected_table = TABLE("rejected", wire_rejected, rejected_fields);

/* What engine/preflight.c calls them. */
static const char *const check_names[] = {"network", "handshake", "capabilities", "names"};
static const char *const methods[] = {
    "initialize", "notifications/initialized", "tools/list", "prompts/list", "resources/list",
    "DELETE",
};
/* By their identifiers: a new code between two others does not change what they mean. */
#define CODE_(id, type, name) [ERROR_CODE_##id] = #id,
static const char *const codes[ERROR_CODE_COUNT] = {ERROR_CODE_MAP(CODE_)};

static const struct wire_field check_fields[] = {
    {"name", WIRE_NAME, .offset = AT(check, name), .words = check_names, .max = COUNT(check_names)},
    {"ok", WIRE_BOOL, .offset = AT(check, ok)},
    {"latency_ns", WIRE_U64, .offset = AT(check, latency_ns), .max = INT64_MAX},
    {"code", WIRE_WORD, .offset = AT(check, code), .optional = true, .words = codes,
     .max = ERROR_CODE_COUNT},
    {"number", WIRE_INT, .offset = AT(check, number), .optional = true},
    {"message", WIRE_TEXT, CHARS(check, message), .optional = true},
    {"remediation", WIRE_TEXT, CHARS(check, remediation), .optional = true},
};
static const struct wire_table check_table = TABLE("a check", check, check_fields);

static const struct wire_field request_fields[] = {
    {"method", WIRE_NAME, .offset = AT(check_request, method), .words = methods,
     .max = COUNT(methods)},
    {"count", WIRE_U64, .offset = AT(check_request, count), .max = INT64_MAX},
};
static const struct wire_table request_table = TABLE("a request", check_request, request_fields);

static const struct wire_field checks_fields[] = {
    {"checks", WIRE_ROWS, .offset = AT(check_list, items), .rows = &check_table, .max = CHECKS_MAX,
     .size = sizeof(struct check), .count_offset = AT(check_list, count)},
    {"warnings", WIRE_LINES, .offset = AT(check_list, warnings), .max = CHECKS_MAX,
     .size = sizeof((struct check_list *)0)->warnings[0],
     .count_offset = AT(check_list, warning_count)},
    {"requests", WIRE_ROWS, .offset = AT(check_list, requests), .rows = &request_table,
     .max = CHECK_REQUESTS_MAX, .size = sizeof(struct check_request),
     .count_offset = AT(check_list, request_count)},
    {"protocol_version", WIRE_TEXT, CHARS(check_list, protocol_version), .optional = true},
    {"server_name", WIRE_TEXT, CHARS(check_list, server_name), .optional = true},
    {"server_version", WIRE_TEXT, CHARS(check_list, server_version), .optional = true},
};
static const struct wire_table checks_table = TABLE("checks", check_list, checks_fields);

int wire_checks_encode(const struct check_list *checks, struct buf *out)
{
    return wire_table_encode(&checks_table, checks, out);
}

int wire_checks_decode(struct str text, struct check_list *out, struct err *err)
{
    return wire_table_decode(&checks_table, text, out, NULL, err);
}
