/* SPDX-License-Identifier: MIT */
/*
 * Worker processes on this machine: this program again, in another role. A process may hold only so
 * many descriptors, and several carry more.
 *
 * A child dies with its parent, has a process group of its own (what a terminal sends to the
 * parent, the parent passes on), reads nothing, and has no descriptor of the parent's but the
 * standard ones and, with a line, one end of a socketpair as SPAWN_LINE_FD.
 *
 * Call it on the thread that lives as long as the children: they end with it (prctl(2),
 * PR_SET_PDEATHSIG).
 */
#ifndef WORKER_SPAWN_H
#define WORKER_SPAWN_H

#include "base/err.h"

#include <stdbool.h>
#include <sys/types.h>

enum { SPAWN_LINE_FD = 3 };

struct spawned {
    pid_t pid; /* 0: there is none, or it has been reaped */
    int fd;    /* the parent's end of the line, close-on-exec; -1: none. The caller's to close */
};

/* `program`: a path, or NULL for this program. `argv` as for execv(3). ERR_IO. A program that
 * cannot be executed ends with status 127. */
int spawn(
    const char *program, char *const argv[], bool with_line, struct spawned *out, struct err *err);
/* Has it ended? Then it is reaped, and *status is as of waitpid(2). */
bool spawn_reap(struct spawned *s, int *status);
/* Sends the signal; fine when it has ended. */
void spawn_signal(const struct spawned *s, int signo);
/* Closes the line, waits so long for the child's end, then kills it. Reaps it in any case. */
void spawn_end(struct spawned *s, unsigned wait_ms);
/* How it ended, for people: "exit code 3", "signal 9 (Killed)". Returns `out`. */
const char *spawn_status_text(int status, char out[64]);

#endif
