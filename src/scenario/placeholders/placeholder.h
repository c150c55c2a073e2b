/* SPDX-License-Identifier: MIT */
/*
 * Placeholders in texts of the config:
 *
 *   ${run_id} ${execution_id} ${scenario_id} ${worker_id}   the same for the whole run
 *   ${stage_id} ${vu_id} ${op_seq}                          of the operation
 *   ${uuid} ${timestamp_ms} ${nonce}                        made for each operation
 *   ${random_int:A:B}                                       a whole number from A to B
 *   ${random_choice:a|b|c}                                  one of these texts
 *   ${env:NAME}                                             an environment variable
 *   ${data:FEED.FIELD}                                      a field of a data feed's row
 *   ${payload:ID}                                           of a payload profile
 *
 * In headers and identification also `{{run_id}}` and `{{.RunID}}`. `$${` is a literal `${`. Any
 * other `${…}` is literal text. Between the braces there is no `{`, `}`, `"`, `\` or control
 * character, so that a placeholder reads the same in a text and in its JSON form.
 *
 * A text is split once, when the plan is made, into parts; a request is then built by copying. The
 * parts are slices of the text that was split.
 */
#ifndef SCENARIO_PLACEHOLDERS_PLACEHOLDER_H
#define SCENARIO_PLACEHOLDERS_PLACEHOLDER_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum placeholder {
    PLACEHOLDER_LITERAL,   /* copy the text */
    PLACEHOLDER_UNKNOWN,   /* copy the text; it looks like a placeholder and is none */
    PLACEHOLDER_MALFORMED, /* likewise, but it has the name of one: its argument makes no sense */
    PLACEHOLDER_RUN_ID,
    PLACEHOLDER_EXECUTION_ID,
    PLACEHOLDER_SCENARIO_ID,
    PLACEHOLDER_STAGE_ID,
    PLACEHOLDER_WORKER_ID,
    PLACEHOLDER_VU_ID,
    PLACEHOLDER_OP_SEQ,
    PLACEHOLDER_UUID,
    PLACEHOLDER_TIMESTAMP_MS,
    PLACEHOLDER_NONCE,
    PLACEHOLDER_RANDOM_INT,
    PLACEHOLDER_RANDOM_CHOICE,
    PLACEHOLDER_ENV,
    PLACEHOLDER_DATA,
    PLACEHOLDER_PAYLOAD,
};

struct placeholder_part {
    enum placeholder kind;
    struct str text;     /* as written, but `${` for `$${` */
    struct str argument; /* between the first colon and the brace; of the kinds that take one */
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

/* ---- arguments; of parts that are not malformed they always make sense ----------------------- */

/* "A:B" of random_int; A is not above B. */
bool placeholder_range(struct str argument, int64_t *low, int64_t *high);
/* Takes the next text off the front of the argument of random_choice. False behind the last one.
 * `*argument` has p NULL then, since the last text may be empty. */
bool placeholder_choice(struct str *argument, struct str *out);
/* "FEED.FIELD" of data, cut at the first dot. */
bool placeholder_field(struct str argument, struct str *feed, struct str *field);

#endif
