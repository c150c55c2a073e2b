/* SPDX-License-Identifier: MIT */
/*
 * The labels of a run: `--name TEXT` and `--tag KEY=VALUE`, which repeats. They tell runs of one
 * scenario apart, and change nothing of the load.
 */
#ifndef CLI_LABELS_H
#define CLI_LABELS_H

#include "base/json.h"
#include "cli/opt.h"

enum { LABELS_TAGS_MAX = 64, LABELS_KEY_MAX = 100, LABELS_TEXT_MAX = 200 };

/* *name: NULL when there is none. *tags: an object of strings, the caller's. ERR_USAGE when a text
 * is too long, or empty, or a tag has no `=`, or is given twice. */
int labels_read(const struct opt_args *args, const char **name, json_t **tags, struct err *err);

#endif
