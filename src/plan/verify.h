/* SPDX-License-Identifier: MIT */
/*
 * What is looked for in the answer to an operation, beyond that it is a good answer: the checks of
 * its template, the numbers of custom metrics, and whose answer it is.
 *
 * Checks: `equals` compares JSON values, 1 and 1.0 are equal; `matches` looks at a string or at the
 * JSON text of a number, a boolean or null, up to its first 64 KiB; `min` and `max` take numbers
 * and strings that are numbers. Metrics take booleans as well, as 1 and 0. Pointers:
 * base/pointer.h.
 *
 * Integrity: an operation whose arguments carry the placeholder `${nonce}` sends one
 * (plan/nonce.h). The answer of a tool that echoes its arguments must contain exactly that. Another
 * nonce of this run in it is the answer of another caller, and both are named.
 *
 * Pure, and slower than the rest of the path: the whole answer is parsed as JSON, and only
 * operations that have a verifier pay for it.
 */
#ifndef PLAN_VERIFY_H
#define PLAN_VERIFY_H

#include "base/str.h"
#include "plan/nonce.h"
#include "scenario/config/config.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    VERIFY_CUSTOMS_MAX = 32,
    VERIFY_TEXT_MAX = 400,
    VERIFY_MATCH_MAX = 64 * 1024, /* bytes of a text that `matches` looks through */
    VERIFY_NUMBER_MAX = 64,       /* bytes of a string that is a number */
};

struct verifier; /* immutable; shared by all threads */

enum verify_kind { VERIFY_OK, VERIFY_CHECK_FAILED, VERIFY_MISMATCH };

struct verify_result {
    enum verify_kind kind;
    bool own_nonce;             /* its nonce came back, and no other of this run */
    char text[VERIFY_TEXT_MAX]; /* for people: which check, what was found; or whose answer it is */
    uint32_t long_texts;        /* for `matches`: only their beginning was looked through */
    uint32_t long_numbers;      /* in strings: not taken for numbers */
    uint32_t custom_count;      /* numbers that were found */
    struct {
        uint32_t custom; /* index into workload.metrics */
        double value;
    } customs[VERIFY_CUSTOMS_MAX];
};

/*
 * NULL when there is nothing to look for. `checks` and `customs` outlive the verifier; `wanted`
 * says which of the customs are about this operation (bit per index). `nonce`: its arguments carry
 * one. Regular expressions and pointers were checked by validation; expressions are compiled here,
 * once.
 */
struct verifier *verifier_new(const struct check_config *checks,
                              size_t check_count,
                              const struct custom_config *customs,
                              uint64_t wanted,
                              bool nonce);
void verifier_free(struct verifier *v);

/*
 * `answer` is the JSON text of the message (or batch) that holds the response with our id; pointers
 * begin at its `result`. The first check that fails is named. The answer of another caller counts
 * before all checks, and gives no numbers. A nonce that is missing is no failure here: the caller
 * knows whether the tool brings them back at all (own_nonce).
 */
void verifier_apply(const struct verifier *v,
                    struct str answer,
                    const struct verify_caller *caller,
                    struct verify_result *out);

#endif
