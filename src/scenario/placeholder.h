/* SPDX-License-Identifier: MIT */
/*
 * Placeholders in texts of the config: `${run_id}`, `${execution_id}`, `${scenario_id}`,
 * `${stage_id}`, `${worker_id}`, `${vu_id}`, `${op_seq}`; in headers and identification also
 * `{{run_id}}` and `{{.RunID}}`. `$${` is a literal `${`. Any other `${…}` is literal text.
 *
 * A text is split once, when the plan is made, into parts; a request is then built by copying. The
 * parts are slices of the text that was split.
 */
#ifndef SCENARIO_PLACEHOLDER_H
#define SCENARIO_PLACEHOLDER_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

enum placeholder {
    PLACEHOLDER_LITERAL, /* copy the text */
    PLACEHOLDER_UNKNOWN, /* copy the text; it looks like a placeholder and is none */
    PLACEHOLDER_PAYLOAD, /* `${payload:ID}`: not supported yet */
    PLACEHOLDER_RUN_ID,
    PLACEHOLDER_EXECUTION_ID,
    PLACEHOLDER_SCENARIO_ID,
    PLACEHOLDER_STAGE_ID,
    PLACEHOLDER_WORKER_ID,
    PLACEHOLDER_VU_ID,
    PLACEHOLDER_OP_SEQ
};

struct placeholder_part {
    enum placeholder kind;
    struct str text; /* as written, but `${` for `$${` */
};

/*
 * Takes the next part off the front of *text. `braces`: the forms with double braces count too.
 * False at the end. Literal parts are as long as possible, except that `$${` ends one.
 * In compact JSON text the same function finds the placeholders inside string values, since `$`,
 * `{` and `}` are never escaped by our writer; values have to be escaped when they are put in.
 */
bool placeholder_next(struct str *text, bool braces, struct placeholder_part *out);

/* All parts: at most `max` of them are written to out[]. The number of parts that there are. */
size_t placeholder_parse(struct str text, bool braces, struct placeholder_part *out, size_t max);

/* "run_id" …; NULL for the first three kinds. */
const char *placeholder_name(enum placeholder kind);

#endif
