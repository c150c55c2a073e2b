/* SPDX-License-Identifier: MIT */
/*
 * What the mock does wrong on purpose. One table of knobs serves the flags of the command line and
 * the control endpoint: `latency.median_ms` is the member median_ms of the object latency, and the
 * flag --latency-median-ms.
 *
 * Rates are shares of the requests that faults apply to, and exclude each other: at most one
 * strikes a request, so their sum is at most 1. Draws come from a counter-based generator by the
 * request's index: the same seed and the same order of requests give the same faults.
 */
#ifndef MOCK_FAULTS_FAULTS_H
#define MOCK_FAULTS_FAULTS_H

#include "base/err.h"
#include "base/json.h"

#include <stdbool.h>
#include <stdint.h>

enum latency_kind { LATENCY_NONE, LATENCY_FIXED, LATENCY_UNIFORM, LATENCY_LOGNORMAL };

/* All knobs are numbers; switches are 0 or 1. */
struct faults {
    double latency_kind, latency_ms, latency_min_ms, latency_max_ms, latency_median_ms,
        latency_sigma;
    double http_500, http_429, jsonrpc_error, is_error, cut, reset, swap_answers;
    double refuse_sessions, lose_sessions;
    double refuse_connections, refuse_connections_ms;
    double retry_after_s;
    double freeze, freeze_ms;
    double stall_after_events;
    double dribble_bytes, dribble_delay_ms;
};

struct fault_field {
    const char *group; /* NULL: a member of the top level */
    const char *name;
    enum { FAULT_RATE, FAULT_NUMBER, FAULT_COUNT, FAULT_SWITCH, FAULT_LATENCY } type;
    size_t offset;
    double max;
    const char *help;
};

extern const struct fault_field fault_fields[];
extern const size_t fault_field_count;

struct faults faults_none(void);
/* Changes the members that the object has; *faults is untouched when anything in it is wrong.
 * ERR_INVALID, naming the member. */
int faults_read(json_t *object, struct faults *faults, struct err *err);
json_t *faults_write(const struct faults *faults);
/* One knob by its flag's name ("latency-median-ms"); a switch may have no value (NULL).
 * ERR_INVALID, or ERR_NOT_FOUND when there is no such knob. */
int faults_set(struct faults *faults, const char *flag, const char *value, struct err *err);
/* After faults_set of several: what only together is wrong. ERR_INVALID. */
int faults_check(const struct faults *faults, struct err *err);
/* The flag of a field; `out` has 64 bytes. */
const char *fault_flag(const struct fault_field *field, char out[64]);

/* What strikes one request. */
enum fault_strike {
    STRIKE_NONE,
    STRIKE_HTTP_500,
    STRIKE_HTTP_429,
    STRIKE_JSONRPC_ERROR,
    STRIKE_IS_ERROR,
    STRIKE_CUT,
    STRIKE_RESET,
    STRIKE_SWAP,
};
struct fault_draw {
    enum fault_strike strike;
    uint64_t latency_ns;
};
struct fault_draw faults_draw(const struct faults *faults, uint64_t seed, uint64_t index);
/* Is the index-th new session refused? */
bool faults_refuse(const struct faults *faults, uint64_t seed, uint64_t index);
/* Does the index-th request find its session forgotten? */
bool faults_lose(const struct faults *faults, uint64_t seed, uint64_t index);

#endif
