/* SPDX-License-Identifier: MIT */
/*
 * What the system lets this process have: small files of /proc and /sys, and the cgroups (v2 and
 * v1, nested ones too) that it lives in.
 *
 * `root` stands before each path: "" is the system itself, tests bring a prepared tree. A file that
 * is missing, too long or of another form is unknown, never an error: kernels and containers show
 * different ones. Everything is read when it is asked; nothing is kept. Any thread.
 */
#ifndef WORKER_LIMITS_H
#define WORKER_LIMITS_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    LIMITS_LEVELS_MAX = 8,    /* cgroups above one another; those further up are left out */
    LIMITS_PATH_MAX = 512,    /* of a file, the root included */
    LIMITS_TEXT_MAX = 262144, /* of a file that is read */
};

/* The beginning of a file, at most size - 1 bytes and a NUL. False: there is none. */
bool limits_read(const char *root, const char *path, char *out, size_t size);
/* The file's first number. */
bool limits_number(const char *root, const char *path, uint64_t *out);

/* ---- texts ----------------------------------------------------------------------------------- */

/* Cuts the next word off, ended by white space. False at the end. */
bool limits_word(struct str *rest, struct str *out);
/* Drops so many words. False when there are fewer. */
bool limits_skip(struct str *rest, unsigned words);
/* Cuts the next line off, without its newline. False at the end. */
bool limits_line(struct str *rest, struct str *out);
/* The number behind `key` in a text of lines "KEY NUMBER" (also "KEY:  NUMBER kB"). */
bool limits_key(struct str text, const char *key, uint64_t *out);
/* The number under `column` of the protocol's two lines in /proc/net/snmp or netstat. */
bool limits_column(struct str text, const char *protocol, const char *column, uint64_t *out);

/* Of the line "cpu" in /proc/stat, in ticks of all cores since the start. */
struct cpu_times {
    uint64_t all, steal;
};

bool limits_cpu_times(struct str text, struct cpu_times *out);

/* ---- cgroups --------------------------------------------------------------------------------- */

struct cgroup_dirs {
    unsigned count;                                /* 0: none was found */
    char path[LIMITS_LEVELS_MAX][LIMITS_PATH_MAX]; /* its own one first, then those above */
};

/* Where the process stands in the hierarchy of "cpu" or "memory". The paths include the root. */
void limits_cgroups(const char *root, const char *controller, struct cgroup_dirs *out);
/* The tightest memory limit of its cgroups, in bytes; 0: none. */
uint64_t limits_cgroup_memory(const char *root);
/* The tightest CPU quota of its cgroups, in cores; 0: none. */
double limits_cgroup_cores(const char *root);
/* The number in "memory.max" or "memory.limit_in_bytes"; false: it says that there is no limit. */
bool limits_memory_value(struct str text, uint64_t *out);

#endif
