/* SPDX-License-Identifier: MIT */
/* Fills the parts of a text in, once per request: only copies, digits and hashes. */
#include "base/json.h"
#include "base/rng.h"
#include "plan/payload.h"
#include "plan/plan.h"
#include "scenario/feeds/feed.h"

#include <assert.h>

/* Sub-stream of the random numbers: rows of data feeds. */
#define ROW_STREAM UINT64_C(0x726f7773)

static int write_u64(struct buf *out, uint64_t v)
{
    char digits[20];

    return buf_add(out, digits, str_put_u64(digits, v));
}

static int write_i64(struct buf *out, int64_t v)
{
    int rc = v < 0 ? buf_add_c(out, "-") : 0;

    return rc == 0 ? write_u64(out, v < 0 ? 0 - (uint64_t)v : (uint64_t)v) : rc;
}

static int write_cursor(struct buf *out, const char *cursor)
{
    if (cursor == NULL) {
        return 0;
    }
    int rc = buf_add_c(out, "\"cursor\":");
    return rc == 0 ? json_add_string(out, str_c(cursor)) : rc;
}

static int write_random_int(const struct plan_part *part, uint64_t draw, struct buf *out)
{
    uint64_t span = (uint64_t)part->high - (uint64_t)part->low + 1; /* 0: all 2^64 */
    uint64_t step = span == 0 ? draw : rng_below(draw, span);

    return write_i64(out, (int64_t)((uint64_t)part->low + step));
}

/* RFC 9562 §5.4. Who sends it is mixed into one half and when into the other, so that two are equal
 * no more often than random ones. */
static int
write_uuid(const struct plan *p, const struct plan_values *v, uint64_t draw, struct buf *out)
{
    static const char hex[] = "0123456789abcdef";
    uint64_t half[2] = {
        rng_mix64(p->uuid_seed ^ draw),
        rng_mix64(rng_mix64(rng_sub(p->uuid_seed, v->vu) + v->op_seq) + draw),
    };
    char text[36];
    size_t at = 0;

    half[0] = (half[0] & ~UINT64_C(0xf000)) | UINT64_C(0x4000);
    half[1] = (half[1] & ~(UINT64_C(3) << 62)) | (UINT64_C(1) << 63);
    for (unsigned i = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20) {
            text[at++] = '-';
        }
        text[at++] = hex[half[i / 16] >> (60 - i % 16 * 4) & 15];
    }
    return buf_add(out, text, sizeof text);
}

static uint64_t
row_of(const struct plan *p, const struct plan_part *part, const struct plan_values *v)
{
    const struct rows *rows = &p->rows[part->feed_index];

    switch (part->feed->mode) {
    case FEED_RANDOM: /* one row for all parts of the feed */
        return rng_below(rng_mix64(v->draw ^ rng_sub(ROW_STREAM, part->feed_index)), rows->count);
    case FEED_UNIQUE:
        return v->vu % rows->count;
    case FEED_SEQUENTIAL:
        break;
    }
    return v->arrival ? rows_of_arrival(rows, v->ordinal) : rows_of_user(rows, v->ordinal);
}

/* Other JSON as part of a string. */
static int write_escaped(struct str json, struct buf *out)
{
    size_t at = out->len;
    int rc = json_add_string(out, json);

    if (rc == 0) {
        out->len -= 2;
        memmove(out->p + at, out->p + at + 1, out->len - at);
    }
    return rc;
}

static int write_data(const struct plan *p,
                      const struct plan_part *part,
                      const struct plan_values *v,
                      struct buf *out)
{
    struct str json = feed_value(part->feed->feed, row_of(p, part, v), part->column);

    if (part->whole) {
        return buf_add_str(out, json);
    }
    if (json.p[0] == '"') {
        return buf_add_str(out, (struct str){json.p + 1, json.len - 2});
    }
    return write_escaped(json, out);
}

static int write_nonce(const struct plan *p, const struct plan_values *v, struct buf *out)
{
    const struct verify_caller caller = {.tag = p->nonce_tag, .vu = v->vu, .n = v->op_seq};
    char text[NONCE_LEN];

    nonce_write(&caller, text);
    return buf_add(out, text, sizeof text);
}

static int write_part(const struct plan *p,
                      const struct plan_part *part,
                      const struct plan_values *v,
                      uint64_t draw,
                      struct buf *out)
{
    switch (part->kind) {
    case PLAN_LITERAL:
        return buf_add_str(out, part->text);
    case PLAN_STAGE_ID: /* [A-Za-z0-9_.:-]: needs no escape */
        return buf_add_c(out, v->stage_id);
    case PLAN_VU_ID:
        return buf_add_c(out, "vu_") != 0 ? ERR_LIMIT : write_u64(out, v->vu);
    case PLAN_OP_SEQ:
        return write_u64(out, v->op_seq);
    case PLAN_PROGRESS_TOKEN:
        return write_u64(out, v->token);
    case PLAN_CURSOR:
        return write_cursor(out, v->cursor);
    case PLAN_UUID:
        return write_uuid(p, v, draw, out);
    case PLAN_RANDOM_INT:
        return write_random_int(part, draw, out);
    case PLAN_RANDOM_CHOICE:
        return buf_add_str(out, part->choice[rng_below(draw, part->choice_count)]);
    case PLAN_TIMESTAMP_MS:
        return write_u64(out, v->wall_ms);
    case PLAN_DATA:
        return write_data(p, part, v, out);
    case PLAN_PAYLOAD:
        return payload_write(part->payload, draw, part->whole, out);
    case PLAN_NONCE:
        return write_nonce(p, v, out);
    }
    return 0;
}

int plan_text_write(const struct plan *p,
                    const struct plan_text *text,
                    const struct plan_values *values,
                    struct buf *out)
{
    for (uint32_t i = 0; i < text->count; i++) {
        const struct plan_part *part = &text->parts[i];

        assert(p != NULL || part->kind <= PLAN_CURSOR);
        int rc = write_part(p, part, values, rng_mix64(values->draw + i + 1), out);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

bool plan_text_varies(const struct plan_text *text)
{
    for (uint32_t i = 0; i < text->count; i++) {
        if (text->parts[i].kind != PLAN_LITERAL && text->parts[i].kind != PLAN_VU_ID) {
            return true;
        }
    }
    return false;
}
