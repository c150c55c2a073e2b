/* SPDX-License-Identifier: MIT */
/* Builds plan_texts: literals and placeholders; what the run fixes becomes literal at once. */
#ifndef PLAN_TEXT_H
#define PLAN_TEXT_H

#include "plan/plan.h"

struct text_builder {
    struct arena *arena; /* where finished texts live */
    const struct plan_identity *identity;
    const char *scenario_id;
    struct plan_part *parts;
    uint32_t count, cap;
    struct buf literal; /* not yet a part */
};

void text_builder_init(struct text_builder *b,
                       struct arena *arena,
                       const struct plan_identity *identity,
                       const char *scenario_id);
void text_builder_clear(struct text_builder *b);

void text_literal(struct text_builder *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* A text of the scenario with its placeholders. `braces`: the forms of headers count too. */
void text_template(struct text_builder *b, struct str text, bool braces);
void text_part(struct text_builder *b, enum plan_part_kind kind);
/* The text so far; the builder is empty again. */
struct plan_text text_finish(struct text_builder *b);

#endif
