/* SPDX-License-Identifier: MIT */
/*
 * Did we measure the target, or ourselves? Each second of each source is judged by a table of
 * signals; at the end of the run one word says what the numbers are worth, with the evidence.
 *
 *   signal        what it looks at, per second              warns above        fails above
 *   send_lag      p99 of L_tool: sent later than it could   5 % of S, 0.5 ms   10 % of S, 1 ms
 *   busy          the loop's time outside of its wait       80 %               95 %, and answers
 *                                                           waited unread (p99) > 10 % of S, 1 ms
 *   run_delay     the thread could have run and did not     2 % of the time    10 %, and per
 * wake-up more than 10 % of S, 0.1 ms steal         taken by other guests of the host         2 %
 * 10 % throttled     held back by a cgroup's quota             0                  1 % memory
 * resident ÷ limit                          85 %               95 % pressure_cpu, pressure_memory
 * 10 %               - retransmits   TCP segments that were sent again         1 %                5
 * % own_failures  descriptors, ports, memory ran out        -                  0
 *
 * S is the median service time of the same seconds; of two limits the larger one counts. A closed
 * load without think time keeps its thread busy by design, and its threads share cores with each
 * other: that alone distorts nothing. What does is that an answer waits unread, or that the thread
 * gets its core late, for a time that matters beside S. Hence the second halves of `busy` and
 * `run_delay`.
 *
 * A signal counts when it held in three seconds in a row, or in two and in 5 % of the measured
 * ones. The run's first second, and what is shorter than a second, are not measured: they belong to
 * the set-up and to the end. Where fewer than VALIDITY_SAMPLES_MIN operations a second are sent,
 * `send_lag` judges as many seconds together as it takes: the p99 of five samples would be their
 * maximum, and one hiccup of the machine a verdict.
 *
 * Arrivals that idle slots take up late have no signal of their own: their lateness is L_tool.
 *
 * Pure: no clock, no system call. One thread.
 */
#ifndef CONTROL_VALIDITY_H
#define CONTROL_VALIDITY_H

#include "base/buf.h"
#include "metrics/window.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(id, name, meaning): the first that applies, in this order. */
#define VALIDITY_STATE_MAP(X)                                                                \
    X(LOST_DATA, "lost_data", "the books do not agree: something of the run is missing")     \
    X(GENERATOR_BOUND, "generator_bound", "the load generator was the limit")                \
    X(NETWORK_BOUND, "network_bound", "the network was the limit")                           \
    X(UNDER_DELIVERED, "under_delivered", "less load was made than the scenario asks for")   \
    X(INSUFFICIENT_SAMPLES, "insufficient_samples", "too few samples to decide a criterion") \
    X(VALID, "valid", "the numbers stand")

#define VALIDITY_ENUM_(id, name, meaning) VALIDITY_##id,
enum validity_state { VALIDITY_STATE_MAP(VALIDITY_ENUM_) VALIDITY_STATE_COUNT };

enum {
    VALIDITY_EVIDENCE_MAX = 16,
    VALIDITY_TEXT_MAX = 480,
    VALIDITY_SAMPLES_MIN = 100,  /* that a p99 of send_lag is judged by … */
    VALIDITY_SAMPLES_LAST = 10,  /* … but at the run's end */
    VALIDITY_SEGMENTS_MIN = 200, /* of a second in which retransmissions are judged */
};

/* One signal that failed or warned. */
struct validity_evidence {
    const char *signal;
    bool fail;                    /* else a warning, which changes nothing */
    uint32_t source;              /* where it was worst; UINT32_MAX: of the run */
    double value, limit;          /* the worst second's, in `unit` */
    const char *unit;             /* "ms", "1" (a share), "count" */
    uint64_t seconds;             /* in which it held, of … */
    uint64_t measured;            /* … so many; 0: a total of the run */
    char text[VALIDITY_TEXT_MAX]; /* for people; one line, no full stop */
};

struct validity_result {
    enum validity_state state;
    size_t evidence_count;
    /* What fails first, what only warns behind it. */
    struct validity_evidence evidence[VALIDITY_EVIDENCE_MAX];
};

/* What the books say at the end of the run. All zero for a run without anything of it. */
struct validity_inputs {
    /* Of several workers the one that the source is of; NULL: there is one only. */
    const char *(*worker_of)(const void *owner, uint32_t source);
    const void *owner;
    const char *lost; /* what is wrong with the books, in one line; NULL: nothing */
    uint64_t own_operations, own_connects; /* COUNT_OWN_FAILURES, COUNT_CONNECT_OWN */
    /* of the open model; all zero in the closed one */
    uint64_t due, started, dropped_deadline, dropped_no_slot;
    uint64_t slots;        /* that there were; 0: not known */
    double slots_busy;     /* that the rate keeps busy on average: rate × mean S; 0: not known */
    uint64_t slots_needed; /* levels_slots_needed(rate, mean S), which has a margin */
    double max_rps;        /* safety.hard_caps … */
    uint64_t max_connections;
    uint64_t held_by_rps, held_by_connections; /* … and requests of the load that waited for them */
    uint64_t vus, vus_gave_up;   /* most that were wanted; that the reconnect policy ended */
    uint32_t undecided_criteria; /* success criteria for want of samples … */
    const char *undecided;       /* … and why the first of them, in one line; or NULL */
};

struct validity;

/* `source_count`: sources of windows, numbered from 0. */
struct validity *validity_new(uint32_t source_count);
/* NULL is fine. */
void validity_free(struct validity *v);

/* A source's next second; each source's come in order. An unknown source is ignored: the books
 * refuse and count it. */
void validity_window(struct validity *v, uint32_t source, const struct window *w);

/* At the end of the run. */
void validity_judge(struct validity *v,
                    const struct validity_inputs *in,
                    struct validity_result *out);

/* "generator_bound" …, and what that means. */
const char *validity_state_name(enum validity_state state);
const char *validity_state_meaning(enum validity_state state);
/* The evidence, a line each; warnings say that they are. 0 or ERR_LIMIT. */
int validity_write(const struct validity_result *result, struct buf *out);

#endif
