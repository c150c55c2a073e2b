/* SPDX-License-Identifier: MIT */
/* An independent JSON parser behind a C function, for the differential fuzz target. */
#ifndef FUZZ_SIMDJSON_ORACLE_H
#define FUZZ_SIMDJSON_ORACLE_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum oracle_verdict {
    ORACLE_VALID,
    ORACLE_INVALID,
    ORACLE_ABSTAINS, /* rejected for a reason that is none by the grammar */
};

enum oracle_verdict simdjson_judge(const char *text, size_t len);

#ifdef __cplusplus
}
#endif

#endif
