/* SPDX-License-Identifier: MIT */
#include "plan/verify.h"

struct verifier *verifier_new(const struct check_config *checks,
                              size_t check_count,
                              const struct custom_config *customs,
                              uint64_t wanted,
                              bool nonce)
{
    (void)checks;
    (void)check_count;
    (void)customs;
    (void)wanted;
    (void)nonce;
    return NULL; /* no field of a scenario asks for one yet */
}

void verifier_free(struct verifier *v)
{
    (void)v;
}

void verifier_apply(const struct verifier *v,
                    struct str answer,
                    const struct verify_caller *caller,
                    struct verify_result *out)
{
    (void)v;
    (void)answer;
    (void)caller;
    *out = (struct verify_result){.kind = VERIFY_OK};
}
