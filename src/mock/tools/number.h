/* SPDX-License-Identifier: MIT */
/* Numbers as JSON text: the shortest decimal that reads back as the same double, without an
 * exponent from 1e-6 up to 1e21; minus zero is 0. */
#ifndef MOCK_TOOLS_NUMBER_H
#define MOCK_TOOLS_NUMBER_H

#include <stddef.h>

enum { NUMBER_TEXT_MAX = 40 };

/* `v` is finite. Returns the length; a NUL follows. */
size_t number_text(double v, char out[NUMBER_TEXT_MAX]);

#endif
