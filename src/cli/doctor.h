/* SPDX-License-Identifier: MIT */
/*
 * Can this machine carry the load? A table of checks, each of which reads one thing of the system,
 * compares it with what a plan needs and knows the command that helps.
 *
 *   doctor_system.c   what files of /proc and /sys say
 *   doctor_time.c     what is measured: clock, timers, kernel features
 *   doctor_target.c   what a scenario needs, and whether its target can be reached
 *
 * Without a plan nothing fails: there is nothing that could be missing. What cannot be read is
 * unknown, which is no warning: containers hide a lot.
 */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include "scenario/scenario.h"
#include "worker/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(id, name, word in front of a line) */
#define DOCTOR_STATUS_MAP(X)   \
    X(OK, "ok", "ok")          \
    X(UNKNOWN, "unknown", "-") \
    X(WARN, "warn", "warn")    \
    X(FAIL, "fail", "FAIL")

#define DOCTOR_ENUM_(id, name, word) DOCTOR_##id,
enum doctor_status { DOCTOR_STATUS_MAP(DOCTOR_ENUM_) DOCTOR_STATUS_COUNT };

/* What a plan asks of the machine. All zero: there is no plan. */
struct doctor_need {
    bool has_plan;
    bool sized; /* the VUs follow the rate: numbers are where it begins */
    uint64_t vus, in_flight_per_vu;
    uint64_t connections;   /* open at once */
    uint64_t sessions;      /* likewise */
    bool churns;            /* connections come and go all the time … */
    double connects_per_s;  /* … so many; 0: depends on the target's speed */
    bool leaves_time_wait;  /* … and we close them first, without a reset */
    bool local, local_ipv4; /* the target is this machine, by IPv4 */
};

struct doctor {
    const char *root;                /* see worker/limits.h */
    uint64_t descriptors;            /* RLIMIT_NOFILE, hard; UINT64_MAX: none */
    unsigned cores;                  /* that the process may use */
    struct cpu_times began;          /* when it was set up: steal counts from there */
    const struct scenario *scenario; /* NULL: none */
    struct doctor_need need;
};

struct doctor_line {
    enum doctor_status status;
    char value[256]; /* what there is */
    char need[128];  /* what it takes; "": nothing in particular */
    char fix[256];   /* "": nothing to do */
};

struct doctor_check {
    const char *name;  /* of the JSON */
    const char *title; /* for people */
    bool needs_plan;   /* says nothing without one */
    void (*run)(const struct doctor *d, struct doctor_line *out);
};

extern const struct doctor_check doctor_checks[];
extern const size_t doctor_check_count;

/* Fills all but root (set before) and scenario from the system; `scenario` may be NULL. */
void doctor_init(struct doctor *d, const char *root, const struct scenario *scenario);
void doctor_run(const struct doctor *d, const struct doctor_check *check, struct doctor_line *out);
const struct doctor_check *doctor_find(const char *name);

const char *doctor_status_name(enum doctor_status status);
const char *doctor_status_word(enum doctor_status status);

/* For the checks. */
void doctor_say(char *out, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
#define DOCTOR_VALUE(line, ...) doctor_say((line)->value, sizeof(line)->value, __VA_ARGS__)
#define DOCTOR_NEED(line, ...)  doctor_say((line)->need, sizeof(line)->need, __VA_ARGS__)
#define DOCTOR_FIX(line, ...)   doctor_say((line)->fix, sizeof(line)->fix, __VA_ARGS__)

/* doctor_target.c */
struct doctor_need doctor_need_of(const struct scenario *s);
void doctor_check_target(const struct doctor *d, struct doctor_line *out);
/* doctor_time.c */
void doctor_check_clock(const struct doctor *d, struct doctor_line *out);
void doctor_check_timers(const struct doctor *d, struct doctor_line *out);
void doctor_check_kernel(const struct doctor *d, struct doctor_line *out);

#endif
