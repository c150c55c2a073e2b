/* SPDX-License-Identifier: MIT */
/*
 * What the benchmarks share: the mock and the programs under test as child processes on cores of
 * their own, their CPU time, and the figures that both sides report.
 */
#ifndef BENCH_HARNESS_H
#define BENCH_HARNESS_H

#include "base/json.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { HARNESS_ARGS_MAX = 64 };

/* A child process. `core` -1: anywhere. */
struct child {
    pid_t pid;
    int out_fd; /* its standard output */
};

/* What a child cost from its start to its end. */
struct child_cost {
    double user_s, system_s, wall_s;
    long max_rss_kib;
    int status;          /* exit code, or 128 + signal */
    size_t result_bytes; /* of drill(): the size of its result */
};

/* The exit code of a run that was carried out while this machine was busy elsewhere: its CPU time
 * per call is true all the same. */
enum { HARNESS_HINDERED = 6 };

/* Ends the benchmark with a message. */
void die(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* Starts argv[0] (from PATH) with its standard output in a pipe. */
struct child child_start(const char *const *argv, int core);
/* Reads its output to the end into *out (may be NULL) and waits. */
struct child_cost child_wait(struct child *c, struct buf *out);

/* The folder of the programs that are measured: bin/ beside the folder of this one. */
const char *bin_dir(void);

/* A mock on a free port of loopback, with `threads` threads, on `core`. */
struct mock_process {
    struct child child;
    unsigned port;
};
struct mock_process mock_start(unsigned threads, int core);
void mock_stop(struct mock_process *m);
/* GET of a path on the mock (or POST with a body); the parsed answer. */
json_t *mock_get(const struct mock_process *m, const char *path);
/* Opens a session; writes its id. */
void mock_session(const struct mock_process *m, char *id, size_t size);

/* Runs `mcpdrill run` over the scenario text with --json; returns its result, which the caller
 * frees, and what it cost. */
json_t *drill(const char *scenario, unsigned threads, int core, struct child_cost *cost);
/* Likewise with --out into a new folder, which is removed again. *lines: of its log of operations.
 */
json_t *drill_out(const char *scenario,
                  unsigned threads,
                  int core,
                  struct child_cost *cost,
                  unsigned long *lines);

/* The number result.OBJECT.NAME; dies when it is not there. */
double result_number(const json_t *result, const char *object, const char *name);
/* Operations that succeeded; dies when the run was not carried out. */
double calls_carried_out(const json_t *result, const struct child_cost *cost);
/* CPU time per operation that succeeded, in microseconds; dies when the run was not carried out. */
double cpu_us_per_call(const json_t *result, const struct child_cost *cost);

double median(double *values, unsigned count);
/* The core for side 0 (client) and 1 (server); -1 when there is only one core. */
int core_for(int side);

#endif
