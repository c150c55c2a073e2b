/* SPDX-License-Identifier: MIT */
/*
 * Where `--json` writes: "-" is the standard output; a device or pipe is written to as it is; a
 * file is replaced as a whole, so that a reader never sees half of a result.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "base/err.h"
#include "base/str.h"

/* Could the file be written? Asked before the load, because a result that has no place to go to
 * means that the load was for nothing. ERR_IO. */
int output_check(const char *path, struct err *err);
/* ERR_IO. */
int output_write(const char *path, struct str text, struct err *err);

#endif
