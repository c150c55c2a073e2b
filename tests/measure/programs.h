/* SPDX-License-Identifier: MIT */
/* Runs our programs as their users do: the mock as a server on a port of its own, mcpdrill with a
 * scenario file. Everything a program says beside its report goes to stderr when it fails. */
#ifndef MEASURE_PROGRAMS_H
#define MEASURE_PROGRAMS_H

#include "base/json.h"

#include <stdbool.h>
#include <sys/types.h>

enum { PROGRAM_ARGS_MAX = 24 };

struct mock_program {
    pid_t pid;
    unsigned port;
};

/* `flags` ends with NULL. False, and the reason is printed, when it does not come up. */
bool mock_program_start(const char *bin_dir, const char *const *flags, struct mock_program *out);
/* Ends it and waits for it. */
void mock_program_stop(struct mock_program *mock);
/* The JSON answer to GET `path`; NULL, and the reason is printed, without one. */
json_t *mock_program_get(const struct mock_program *mock, const char *path);

/* Runs `mcpdrill run` with this scenario to its end. Its result; NULL, and the reason is printed,
 * unless it has passed, or was only found to have had too slow a machine: that is for the caller to
 * judge by the numbers. `dir` is for files. */
json_t *drill(const char *bin_dir, const char *dir, const char *scenario, unsigned threads);

#endif
