/* SPDX-License-Identifier: MIT */
/*
 * Builds plan_texts: literals and placeholders; what the run fixes becomes literal at once.
 *
 * A text is either part of a message (compact JSON; what is put into its strings is escaped) or a
 * header's value (what would end the line is left out).
 *
 * Values without quotes: where random_int, timestamp_ms, data or payload is all of a string that is
 * a value (no key), the builder takes its two quotes away and marks the part `whole`. The part is
 * then a JSON value of its own: a number, an object, or a string with quotes if it is one. In a
 * longer string, the same part is text: a string without its quotes, the JSON text of all else.
 * The other placeholders are texts in any case.
 *
 * Random bits: part number i of a text takes those of the operation mixed with i, so that two parts
 * differ. The fields of one data feed belong to one row.
 */
#ifndef PLAN_TEXT_H
#define PLAN_TEXT_H

#include "plan/plan.h"

struct text_builder {
    struct arena *arena; /* where finished texts live */
    const struct plan_identity *identity;
    const struct scenario *scenario;
    struct plan_payload *const *payloads; /* of workload.payloads */
    struct plan_part *parts;
    uint32_t count, cap;
    struct buf literal; /* not yet a part */
};

/* Everything must outlive the texts; but not the builder. */
void text_builder_init(struct text_builder *b,
                       struct arena *arena,
                       const struct plan_identity *identity,
                       const struct scenario *scenario,
                       struct plan_payload *const *payloads);
void text_builder_clear(struct text_builder *b);

void text_literal(struct text_builder *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* A text of the scenario with its placeholders: compact JSON, or the value of a `header`. What
 * validation does not let through stays as it is written. */
void text_template(struct text_builder *b, struct str text, bool header);
void text_part(struct text_builder *b, enum plan_part_kind kind);
/* The text so far; the builder is empty again. */
struct plan_text text_finish(struct text_builder *b);

#endif
