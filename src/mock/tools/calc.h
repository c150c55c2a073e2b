/* SPDX-License-Identifier: MIT */
/* Arithmetic for the tool `calculate`: + - * / ( ), decimals, blanks, no signs. */
#ifndef MOCK_TOOLS_CALC_H
#define MOCK_TOOLS_CALC_H

#include "base/str.h"

enum { CALC_DEPTH_MAX = 256 }; /* operators that wait for their right side */

/* False for anything else: an empty expression, a sign, too deep, a division by zero, no finite
 * result. */
bool calc_evaluate(struct str expression, double *out);

#endif
