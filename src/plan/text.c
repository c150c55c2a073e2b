/* SPDX-License-Identifier: MIT */
#include "plan/text.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/rng.h"
#include "scenario/feeds/feed.h"

#include <assert.h>

/* Texts come from a file of at most 10 MB, and what stands in their placeholders is ours or the
 * user's environment: more than that is memory that the machine lacks. */
#define TEXT_MAX (SIZE_MAX / 2)

void text_builder_init(struct text_builder *b,
                       struct arena *arena,
                       const struct plan_identity *identity,
                       const struct scenario *scenario,
                       struct plan_payload *const *payloads)
{
    *b = (struct text_builder){
        .arena = arena,
        .identity = identity,
        .scenario = scenario,
        .payloads = payloads,
    };
    buf_init(&b->literal, TEXT_MAX);
}

void text_builder_clear(struct text_builder *b)
{
    buf_clear(&b->literal);
    xfree(b->parts);
    b->parts = NULL;
}

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

static void add_part(struct text_builder *b, struct plan_part part)
{
    end_literal(b);
    push(b, part);
}

void text_part(struct text_builder *b, enum plan_part_kind kind)
{
    add_part(b, (struct plan_part){.kind = kind});
}

/* ---- placeholders ---------------------------------------------------------------------------- */

/* A value inside a JSON string or a header: it cannot break out of either. */
static void add_value(struct text_builder *b, const char *value, bool header)
{
    struct buf quoted;

    if (header) {
        for (size_t len; *value != '\0'; value += len + (value[len] != '\0')) {
            len = strcspn(value, "\r\n");
            add(b, (struct str){value, len});
        }
        return;
    }
    buf_init(&quoted, TEXT_MAX);
    json_add_string(&quoted, str_c(value));
    add(b, (struct str){quoted.p + 1, quoted.len - 2});
    buf_clear(&quoted);
}

/* Only variables that the file declares are read, wherever the placeholder stands. False: it is
 * none of them. */
static bool add_variable(struct text_builder *b, struct str name, bool header)
{
    const struct environment_config *env = &b->scenario->environment;

    for (size_t i = 0; i < env->variable_count; i++) {
        if (str_eq(str_c(env->variables[i]), name)) {
            /* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets variables */
            const char *value = getenv(env->variables[i]);

            add_value(b, value == NULL ? "" : value, header);
            return true;
        }
    }
    return false;
}

/* The texts of random_choice need no escape: they have no character that does. */
static struct plan_part choice_part(struct text_builder *b, struct str argument)
{
    struct plan_part part = {.kind = PLAN_RANDOM_CHOICE, .choice_count = 1};
    struct str rest = argument;

    for (size_t i = 0; i < argument.len; i++) {
        part.choice_count += argument.p[i] == '|';
    }
    rest.p = arena_copy(b->arena, argument);
    part.choice = arena_array(b->arena, part.choice_count, sizeof *part.choice);
    for (uint32_t i = 0; i < part.choice_count; i++) {
        placeholder_choice(&rest, &part.choice[i]);
    }
    return part;
}

static bool data_part(const struct text_builder *b, struct str argument, struct plan_part *out)
{
    const struct workload_config *w = &b->scenario->workload;
    struct str name, field;

    if (!placeholder_field(argument, &name, &field)) {
        return false;
    }
    for (size_t i = 0; i < w->feed_count; i++) {
        const struct feed_config *f = &w->feeds[i];
        int32_t column =
            f->feed != NULL && str_eq(str_c(f->name), name) ? feed_column(f->feed, field) : -1;
        if (column >= 0) {
            *out = (struct plan_part){
                .kind = PLAN_DATA, .feed = f, .feed_index = i, .column = (uint32_t)column};
            return true;
        }
    }
    return false;
}

static bool payload_part(const struct text_builder *b, struct str id, struct plan_part *out)
{
    const struct workload_config *w = &b->scenario->workload;

    for (size_t i = 0; i < w->payload_count; i++) {
        if (str_eq(str_c(w->payloads[i].profile_id), id)) {
            *out = (struct plan_part){.kind = PLAN_PAYLOAD, .payload = b->payloads[i]};
            return true;
        }
    }
    return false;
}

/* The part of a placeholder whose value differs from operation to operation. False: the text as
 * written. */
static bool make_part(struct text_builder *b,
                      const struct placeholder_part *p,
                      bool header,
                      struct plan_part *out)
{
    static const enum plan_part_kind plain[] = {
        [PLACEHOLDER_STAGE_ID] = PLAN_STAGE_ID,
        [PLACEHOLDER_VU_ID] = PLAN_VU_ID,
        [PLACEHOLDER_OP_SEQ] = PLAN_OP_SEQ,
        [PLACEHOLDER_UUID] = PLAN_UUID,
        [PLACEHOLDER_TIMESTAMP_MS] = PLAN_TIMESTAMP_MS,
        [PLACEHOLDER_NONCE] = PLAN_NONCE,
        [PLACEHOLDER_RANDOM_INT] = PLAN_RANDOM_INT,
    };

    if (header && (p->kind == PLACEHOLDER_NONCE || p->kind == PLACEHOLDER_DATA ||
                   p->kind == PLACEHOLDER_PAYLOAD)) {
        return false;
    }
    if (p->kind == PLACEHOLDER_DATA) {
        return data_part(b, p->argument, out);
    }
    if (p->kind == PLACEHOLDER_PAYLOAD) {
        return payload_part(b, p->argument, out);
    }
    if (p->kind == PLACEHOLDER_RANDOM_CHOICE) {
        *out = choice_part(b, p->argument);
        return true;
    }
    *out = (struct plan_part){.kind = plain[p->kind]};
    return p->kind != PLACEHOLDER_RANDOM_INT ||
           placeholder_range(p->argument, &out->low, &out->high);
}

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

/* Is the placeholder all of a string that is a value? A quote before it that is none of the text's
 * own has a colon, bracket or comma before it, and only a value has another such sign, and no
 * colon, behind it. */
static bool fills_string(struct str text, struct str placeholder)
{
    const char *end = placeholder.p + placeholder.len;

    return placeholder.p - text.p >= 2 && text.p + text.len - end >= 2 &&
           placeholder.p[-1] == '"' && is_one_of(placeholder.p[-2], ":[,") && end[0] == '"' &&
           is_one_of(end[1], ",}]");
}

static bool may_be_whole(enum placeholder kind)
{
    return kind == PLACEHOLDER_RANDOM_INT || kind == PLACEHOLDER_TIMESTAMP_MS ||
           kind == PLACEHOLDER_DATA || kind == PLACEHOLDER_PAYLOAD;
}

/* `*rest` is what follows in `text`. */
static void add_made(struct text_builder *b,
                     const struct placeholder_part *p,
                     struct str text,
                     bool header,
                     struct str *rest)
{
    struct plan_part part;

    if (!make_part(b, p, header, &part)) {
        add(b, p->text);
        return;
    }
    part.whole = !header && may_be_whole(p->kind) && fills_string(text, p->text);
    if (part.whole) {
        assert(b->literal.len > 0 && b->literal.p[b->literal.len - 1] == '"');
        b->literal.len--;
        *rest = (struct str){rest->p + 1, rest->len - 1};
    }
    add_part(b, part);
}

void text_template(struct text_builder *b, struct str text, bool header)
{
    struct placeholder_part part;
    struct str rest = text;

    while (placeholder_next(&rest, header, &part)) {
        switch (part.kind) {
        case PLACEHOLDER_LITERAL:
        case PLACEHOLDER_UNKNOWN:
        case PLACEHOLDER_MALFORMED:
            add(b, part.text);
            break;
        case PLACEHOLDER_RUN_ID:
            add_value(b, b->identity->run_id, header);
            break;
        case PLACEHOLDER_EXECUTION_ID:
            add_value(b, b->identity->execution_id, header);
            break;
        case PLACEHOLDER_SCENARIO_ID:
            add_value(b, b->scenario->scenario_id, header);
            break;
        case PLACEHOLDER_WORKER_ID:
            add_value(b, b->identity->worker_id, header);
            break;
        case PLACEHOLDER_ENV:
            if (!add_variable(b, part.argument, header)) {
                add(b, part.text);
            }
            break;
        case PLACEHOLDER_STAGE_ID:
        case PLACEHOLDER_VU_ID:
        case PLACEHOLDER_OP_SEQ:
        case PLACEHOLDER_UUID:
        case PLACEHOLDER_TIMESTAMP_MS:
        case PLACEHOLDER_NONCE:
        case PLACEHOLDER_RANDOM_INT:
        case PLACEHOLDER_RANDOM_CHOICE:
        case PLACEHOLDER_DATA:
        case PLACEHOLDER_PAYLOAD:
            add_made(b, &part, text, header, &rest);
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
