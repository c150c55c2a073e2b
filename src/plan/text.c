/* SPDX-License-Identifier: MIT */
#include "plan/text.h"

#include "base/json.h"
#include "base/mem.h"

#include <assert.h>

enum { TEXT_MAX = 64 * 1024 * 1024 };

void text_builder_init(struct text_builder *b,
                       struct arena *arena,
                       const struct plan_identity *identity,
                       const char *scenario_id)
{
    *b = (struct text_builder){
        .arena = arena,
        .identity = identity,
        .scenario_id = scenario_id,
    };
    buf_init(&b->literal, TEXT_MAX);
}

void text_builder_clear(struct text_builder *b)
{
    buf_clear(&b->literal);
    xfree(b->parts);
    b->parts = NULL;
}

/* Texts come from a file of at most 10 MB. */
static void add(struct text_builder *b, struct str s)
{
    int rc = buf_add_str(&b->literal, s);

    assert(rc == 0);
}

void text_literal(struct text_builder *b, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    int rc = buf_vprintf(&b->literal, fmt, ap);
    va_end(ap);
    assert(rc == 0);
}

static void push(struct text_builder *b, struct plan_part part)
{
    if (b->count == b->cap) {
        b->cap = b->cap == 0 ? 8 : b->cap * 2;
        b->parts = xrealloc(b->parts, b->cap * sizeof *b->parts);
    }
    b->parts[b->count++] = part;
}

static void end_literal(struct text_builder *b)
{
    if (b->literal.len > 0) {
        struct str text = {arena_copy(b->arena, buf_str(&b->literal)), b->literal.len};

        push(b, (struct plan_part){.kind = PLAN_LITERAL, .text = text});
        b->literal.len = 0;
    }
}

void text_part(struct text_builder *b, enum plan_part_kind kind)
{
    end_literal(b);
    push(b, (struct plan_part){.kind = kind});
}

/* A value inside a JSON string or a header: quotes and control characters cannot break out. */
static void add_value(struct text_builder *b, const char *value, bool header)
{
    struct buf quoted;

    if (header) {
        add(b, str_c(value));
        return;
    }
    buf_init(&quoted, TEXT_MAX);
    json_add_string(&quoted, str_c(value));
    add(b, (struct str){quoted.p + 1, quoted.len - 2});
    buf_clear(&quoted);
}

void text_template(struct text_builder *b, struct str text, bool braces)
{
    struct placeholder_part part;

    while (placeholder_next(&text, braces, &part)) {
        switch (part.kind) {
        case PLACEHOLDER_LITERAL:
        case PLACEHOLDER_UNKNOWN:
        case PLACEHOLDER_MALFORMED:
        case PLACEHOLDER_UUID:
        case PLACEHOLDER_TIMESTAMP_MS:
        case PLACEHOLDER_NONCE:
        case PLACEHOLDER_RANDOM_INT:
        case PLACEHOLDER_RANDOM_CHOICE:
        case PLACEHOLDER_ENV:
        case PLACEHOLDER_DATA:
        case PLACEHOLDER_PAYLOAD:
            add(b, part.text);
            break;
        case PLACEHOLDER_RUN_ID:
            add_value(b, b->identity->run_id, braces);
            break;
        case PLACEHOLDER_EXECUTION_ID:
            add_value(b, b->identity->execution_id, braces);
            break;
        case PLACEHOLDER_SCENARIO_ID:
            add_value(b, b->scenario_id, braces);
            break;
        case PLACEHOLDER_WORKER_ID:
            add_value(b, b->identity->worker_id, braces);
            break;
        case PLACEHOLDER_STAGE_ID:
            text_part(b, PLAN_STAGE_ID);
            break;
        case PLACEHOLDER_VU_ID:
            text_part(b, PLAN_VU_ID);
            break;
        case PLACEHOLDER_OP_SEQ:
            text_part(b, PLAN_OP_SEQ);
            break;
        }
    }
}

struct plan_text text_finish(struct text_builder *b)
{
    end_literal(b);
    struct plan_part *parts = arena_array(b->arena, b->count, sizeof *parts);

    if (b->count > 0) {
        memcpy(parts, b->parts, b->count * sizeof *parts);
    }
    struct plan_text text = {
        .parts = parts,
        .count = b->count,
        .is_static = b->count == 0 || (b->count == 1 && parts[0].kind == PLAN_LITERAL),
    };
    b->count = 0;
    return text;
}

static int write_u64(struct buf *out, uint64_t v)
{
    char digits[20];

    return buf_add(out, digits, str_put_u64(digits, v));
}

static int write_cursor(struct buf *out, const char *cursor)
{
    if (cursor == NULL) {
        return 0;
    }
    int rc = buf_add_c(out, "\"cursor\":");
    return rc == 0 ? json_add_string(out, str_c(cursor)) : rc;
}

static int write_part(const struct plan_part *part, const struct plan_values *v, struct buf *out)
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
    case PLAN_RANDOM_INT:
    case PLAN_RANDOM_CHOICE:
    case PLAN_TIMESTAMP_MS:
    case PLAN_DATA:
    case PLAN_PAYLOAD:
    case PLAN_NONCE:
        break;
    }
    return 0;
}

int plan_text_write(const struct plan *p,
                    const struct plan_text *text,
                    const struct plan_values *values,
                    struct buf *out)
{
    (void)p;
    for (uint32_t i = 0; i < text->count; i++) {
        int rc = write_part(&text->parts[i], values, out);

        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}
