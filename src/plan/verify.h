/* SPDX-License-Identifier: MIT */
/*
 * What is looked for in the answer to an operation, beyond that it is a good answer: the checks of
 * its template, the numbers of custom metrics, and whose answer it is.
 *
 * Integrity: an operation whose arguments carry the placeholder `${nonce}` sends
 * `mcpd-RRRRRRRR-VVVVVVVV-NNNNNNNNNNNN` (run, VU, operation, in hex). The answer of a tool that
 * echoes its arguments must contain exactly that. Another nonce of this run in it is the answer of
 * another caller, and both are named.
 *
 * Pure, and slower than the rest of the path: the whole answer is parsed as JSON, and only
 * operations that have a verifier pay for it.
 */
#ifndef PLAN_VERIFY_H
#define PLAN_VERIFY_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "plan/nonce.h"
#include "scenario/config.h"

#include <stdbool.h>
#include <stdint.h>

enum { VERIFY_CUSTOMS_MAX = 32, VERIFY_TEXT_MAX = 400 };

struct verifier; /* immutable; shared by all threads */

enum verify_kind { VERIFY_OK, VERIFY_CHECK_FAILED, VERIFY_MISMATCH };

struct verify_result {
    enum verify_kind kind;
    bool own_nonce;             /* its nonce came back */
    char text[VERIFY_TEXT_MAX]; /* for people: which check, what was found; or whose answer it is */
    uint32_t custom_count;      /* numbers that were found */
    struct {
        uint32_t custom; /* index into workload.metrics */
        double value;
    } customs[VERIFY_CUSTOMS_MAX];
};

/*
 * NULL when there is nothing to look for. `checks` and `customs` outlive the verifier; `wanted`
 * says which of the customs are about this operation (bit per index). `nonce`: its arguments carry
 * one. Regular expressions were checked by validation and are compiled here, once.
 */
struct verifier *verifier_new(const struct check_config *checks,
                              size_t check_count,
                              const struct custom_config *customs,
                              uint64_t wanted,
                              bool nonce);
void verifier_free(struct verifier *v);

/* `answer` is the JSON text of the message (or batch) that holds the response with our id. */
void verifier_apply(const struct verifier *v,
                    struct str answer,
                    const struct verify_caller *caller,
                    struct verify_result *out);

/* Can this check be made? For validation: pointer syntax, regular expression. ERR_INVALID. */
int check_config_valid(const struct check_config *check, struct err *err);

#endif
