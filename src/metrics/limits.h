/* SPDX-License-Identifier: MIT */
/*
 * The inventory of our own limits: all that may hold load back or drop figures. docs/limits.md is
 * written from it, and tests/integration/test_limits.c hits each one.
 *
 * Two kinds
 *   counted   the run goes on with less load, or with less than all figures: a counter per limit
 *             travels with the window of its second (window.h), or is read off the plan, and is
 *             told in the result, the summary and, where figures or load suffer, as a warning
 *   outcome   the operation ends with an error code of its own, so that it is counted, named and
 *             judged as every failure is; such a row only stands on the page
 *
 * A value is written here once more, because the layers below may not include this header; the test
 * compares it with the constant that holds.
 */
#ifndef METRICS_LIMITS_H
#define METRICS_LIMITS_H

#include "metrics/taxonomy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * X(id, "name", value, "unit", warns, "what is counted", "what it does", "what to do")
 *
 * Value 0: it is the scenario's, and the unit names its field. Not `warns`: no figure suffers, and
 * no load is held back for longer than a turn of a loop.
 */
#define LIMIT_MAP(X)                                                                               \
    X(MAX_RPS, "max_rps", 0, "`safety.hard_caps.max_rps`", true, "requests of the load",           \
      "they waited before they were sent: the target saw less load than was ordered, or saw it "   \
      "later",                                                                                     \
      "raise the cap, or order fewer users or a lower rate")                                       \
    X(MAX_CONNECTIONS, "max_connections", 0, "`safety.hard_caps.max_connections`", true,           \
      "requests of the load",                                                                      \
      "they waited for a connection; with sessions that are kept, users beyond the cap had no "    \
      "work",                                                                                      \
      "raise the cap above the users times in_flight_per_vu, or take fewer users")                 \
    X(MAX_VUS, "max_vus", 0, "`safety.hard_caps.max_vus`", true, "times that a user was missing",  \
      "a stage sized by its rate got no further user; arrivals waited for one",                    \
      "raise the cap, or order a lower rate")                                                      \
    X(CUT_VUS, "cut_vus", 0, "`safety.hard_caps.max_vus`", true,                                   \
      "virtual users of the stage that lost most",                                                 \
      "they were ordered and never began: each stage above the cap was cut to it",                 \
      "raise the cap, or order fewer users")                                                       \
    X(CUT_RPS, "cut_rps", 0, "`safety.hard_caps.max_rps`", true,                                   \
      "operations per second of the stage that lost most",                                         \
      "they were ordered and never due: each stage above the cap was cut to it",                   \
      "raise the cap, or order a lower rate")                                                      \
    X(PLAN_STEPS, "plan_steps", 1000, "steps of a stage in the result", false, "stages",           \
      "they have more, which are not listed; the load followed all of them", "nothing")            \
    X(GAVE_UP, "reconnect", 0, "`workload.user_journey.reconnect_policy`", true, "virtual users",  \
      "they ended for want of a session; the rest of the run had fewer users",                     \
      "find out why sessions fail, or allow more attempts")                                        \
    X(JOURNEY_LISTS, "journey_lists", 1, "list at a time per user", true, "lists",                 \
      "they were left out because the one before had not ended",                                   \
      "take a longer tools_list_interval_ms")                                                      \
    X(TURN_CALLS, "turn_calls", 64, "deferred calls per turn of a loop", false, "turns",           \
      "what was left, new connections among it, came a turn later",                                \
      "nothing; spread starts if it matters")                                                      \
    X(STREAM_GRACE, "stream_grace", 250, "ms from the response to the stream's end", true,         \
      "streams",                                                                                   \
      "they stayed open behind the response: each held its slot so long, and cost a connection",   \
      "let the target end a stream after its response, or bear it in mind")                        \
    X(GOODBYE, "goodbye", 5000, "ms for the answer to DELETE", true, "sessions",                   \
      "they were closed without that answer; whoever waited for it, waited so long",               \
      "find out why the target does not answer DELETE")                                            \
    X(ADDRESSES, "addresses", 16, "addresses of the target's name", true,                          \
      "addresses, by each thread", "further ones were never tried",                                \
      "name one address in target.url")                                                            \
    X(SSE_ID, "sse_id", 63, "bytes of an event's id", false, "ids",                                \
      "longer ones are ignored; an event with nothing but such an id does not end silence",        \
      "nothing, if no stream stalls")                                                              \
    X(SSE_NAME, "sse_name", 31, "bytes of an event's name", false, "names",                        \
      "they were cut; only `message` means something", "nothing")                                  \
    X(ERROR_BODY, "error_body", 512, "bytes of the body of a failed status", false, "bodies",      \
      "only their beginning is told; what differs only behind it is one kind",                     \
      "look into the target's log for the rest")                                                   \
    X(ERROR_MESSAGE, "error_message", 200, "bytes of a JSON-RPC error's message", false,           \
      "messages", "only their beginning is told; what differs only behind it is one kind",         \
      "look into the target's log for the rest")                                                   \
    X(SIGNATURE_INPUT, "signature_input", 512, "bytes of a failure's text, secrets masked", false, \
      "texts, by each second and thread", "what differs only behind them is one kind", "nothing")  \
    X(SIGNATURE, "signature", 160, "bytes of a failure's masked text", false,                      \
      "texts, by each second and thread", "what differs only behind them, masked, is one kind",    \
      "nothing")                                                                                   \
    X(SIGNATURE_SAMPLE, "signature_sample", 200, "bytes of a kind's example", false,               \
      "examples, by each second and thread", "only their beginning is told",                       \
      "look into the target's log for the rest")                                                   \
    X(LOG_MESSAGE, "log_message", 160, "bytes of a message in the log of operations", false,       \
      "lines", "only the beginning of the message is there",                                       \
      "look into the target's log for the rest")                                                   \
    X(FAILURE_KINDS, "failure_kinds", 64, "kinds of failures per second and thread", true,         \
      "failures", "they are counted as others, without their kind",                                \
      "let the target's errors say the same in the same words")                                    \
    X(FAILURE_TEXTS, "failure_texts", 200, "new texts of failures per second and thread", true,    \
      "failures", "they are counted by error code only, as \"<MORE>\"",                            \
      "let the target's errors say the same in the same words")                                    \
    X(FAILURE_TABLE, "failure_table", 1000, "kinds of failures of a run", true, "failures",        \
      "they are counted as others, without their kind",                                            \
      "let the target's errors say the same in the same words")                                    \
    X(HISTOGRAM, "histogram", 4398, "seconds (2^42 ns) of a time", true, "operations",             \
      "they count as that long: quantiles and the maximum are at least what is shown",             \
      "set deadline_ms, or order less")                                                            \
    X(TREND, "trend", 4398046511, "at most in a trend, 0 at least", true, "numbers",               \
      "they are rejected", "choose another unit in the scenario's metric, or a gauge")             \
    X(MATCH_TEXT, "match_text", 65536, "bytes of a text that `matches` looks through", true,       \
      "answers", "what stands behind them is not found: the check may have failed by it",          \
      "point the check at a shorter text")                                                         \
    X(NUMBER_TEXT, "number_text", 64, "bytes of a number in a string", true, "numbers",            \
      "they are taken for no numbers: a check may have failed by it, or a metric lacks them",      \
      "let the target send numbers as numbers")                                                    \
    X(CHECK_NAMES, "check_names", 10000, "names of a list in the checks", true, "names",           \
      "they were not read: what the workload names was not looked for among them",                 \
      "nothing, if the operations succeed")                                                        \
    X(CHECK_PAGES, "check_pages", 1000, "pages of a list in the checks", true, "lists",            \
      "they have more: what the workload names was not looked for there",                          \
      "make the target's pages larger; see that its cursors come to an end")                       \
    X(CHECK_CURSOR, "check_cursor", 1024, "bytes of a list's cursor in the checks", true, "lists", \
      "they have more: what the workload names was not looked for there",                          \
      "make the target's cursors shorter")                                                         \
    X(CHECK_WARNINGS, "check_warnings", 16, "warnings of the checks", false, "warnings",           \
      "they are not told", "mend those that are told")                                             \
    X(LATE_WINDOWS, "late_windows", 16, "seconds that a thread may lag behind", true, "windows",   \
      "totals have them; stop conditions and windows.ndjson do not",                               \
      "give the generator more processors, or order less")                                         \
    X(WARNINGS, "warnings", 16384, "bytes of warnings", false, "warnings",                         \
      "they stand in events.ndjson only", "mend those that are told")

#define LIMIT_ENUM_(id, name, value, unit, warns, counted, effect, remedy) LIMIT_##id,
enum limit { LIMIT_MAP(LIMIT_ENUM_) LIMIT_COUNT };

struct limit_row {
    const char *name;    /* for machines, and forever */
    uint64_t value;      /* 0: the scenario's */
    const char *unit;    /* what the value is a number of; or the field of the scenario */
    bool warns;          /* at the run's end */
    const char *counted; /* what a hit is; a plural */
    const char *effect, *remedy;
};

const struct limit_row *limit_row(enum limit id);
/* "64 deferred calls per turn of a loop"; returns out. */
const char *limit_bound(const struct limit_row *row, char *out, size_t size);

/* A limit whose hit is an operation's outcome. */
struct limit_outcome {
    const char *name;
    uint64_t value;
    const char *unit;
    enum error_code code; /* NONE: the whole run is `lost_data` */
    const char *remedy;
};

/* How many there are; *out is the table. */
size_t limit_outcomes(const struct limit_outcome **out);

/* Adds the hits and takes them away from where they were. */
static inline void limits_move(uint64_t to[LIMIT_COUNT], uint64_t from[LIMIT_COUNT])
{
    for (unsigned i = 0; i < LIMIT_COUNT; i++) {
        to[i] += from[i];
        from[i] = 0;
    }
}

#endif
