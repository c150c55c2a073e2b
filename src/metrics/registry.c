/* SPDX-License-Identifier: MIT */
#include "metrics/registry.h"

#include "base/clock.h"
#include "base/mem.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define BIT(id) (UINT64_C(1) << COUNT_##id)
#define ENDED   (BIT(ENDED_OK) | BIT(ENDED_FAILED))
#define DROPPED (BIT(DROPPED_DEADLINE) | BIT(DROPPED_NO_SLOT) | BIT(DROPPED_STOPPED))

/* What our own machine could not do is no failure of the target and no operation of its. */
#define PER_ENDED .of_plus = ENDED, .of_minus = BIT(OWN_FAILURES), .subset_of = "operations ended"

/* Over stages a rate leaves out what came behind the end of its own stage, unless that was in the
 * time of another one. */
#define PER_SECOND(id) .late = BIT(LATE_##id), .carried = BIT(CARRIED_##id), .zero_when_busy = true
#define IN_ITS_TIME \
    " Over a stage or the run: of what happened in the time of its stages, not in the drain."

#define GAUGE(member) .gauge_offset = offsetof(struct window_gauges, member)

/* The eight rows of a distribution: `prefix` of their names, and a macro that makes the alias of a
 * suffix or NULL. */
#define NO_ALIAS(suffix)          NULL
#define FIRST_EVENT_ALIAS(suffix) "first_event_" suffix "_ms"
#define DIST_ROW_(prefix, ALIAS, suffix, id, what, set, how, rank, text)                          \
    {                                                                                             \
        .name = prefix "_" suffix "_ms", .aliases = {ALIAS(suffix)}, .unit = "ms", .kind = (how), \
        .sense = METRIC_LARGER_WORSE, .definition = what ": " text, .subset_of = (set),           \
        .dist = (id), .ppm = (rank)                                                               \
    }
#define QUANTILE_ROW_(prefix, ALIAS, suffix, id, what, set, rank)          \
    DIST_ROW_(prefix, ALIAS, suffix, id, what, set, METRIC_QUANTILE, rank, \
              "the smallest value that at least this share of the samples does not exceed.")
#define DIST_ROWS(prefix, ALIAS, id, what, set)                                                   \
    QUANTILE_ROW_(prefix, ALIAS, "p50", id, what, set, 500000),                                   \
        QUANTILE_ROW_(prefix, ALIAS, "p75", id, what, set, 750000),                               \
        QUANTILE_ROW_(prefix, ALIAS, "p90", id, what, set, 900000),                               \
        QUANTILE_ROW_(prefix, ALIAS, "p95", id, what, set, 950000),                               \
        QUANTILE_ROW_(prefix, ALIAS, "p99", id, what, set, 990000),                               \
        QUANTILE_ROW_(prefix, ALIAS, "p999", id, what, set, 999000),                              \
        DIST_ROW_(prefix, ALIAS, "max", id, what, set, METRIC_EXTREME, 0, "the largest sample."), \
        DIST_ROW_(prefix, ALIAS, "mean", id, what, set, METRIC_MEAN, 0,                           \
                  "the sum of the samples divided by their number.")

#define TIMED "operations that succeeded or that a limit of ours ended"

static const struct metric table[] = {
    {.name = "operations_total",
     .aliases = {"total_ops"},
     .unit = "count",
     .kind = METRIC_COUNT,
     .definition = "Operations that ended, well or badly.",
     .subset_of = "operations started",
     .plus = ENDED,
     .monotone = true,
     .since_begin = true},
    {.name = "operations_started",
     .aliases = {"started_ops"},
     .unit = "count",
     .kind = METRIC_COUNT,
     .definition = "Operations that a virtual user took up.",
     .subset_of = "operations",
     .plus = BIT(STARTED),
     .monotone = true,
     .since_begin = true},
    {.name = "operations_failed",
     .aliases = {"failed_ops"},
     .unit = "count",
     .kind = METRIC_COUNT,
     .sense = METRIC_LARGER_WORSE,
     .definition = "Operations that failed, those included that a limit of ours ended.",
     .subset_of = "operations ended",
     .plus = BIT(ENDED_FAILED),
     .monotone = true,
     .since_begin = true},
    {.name = "operations_unfinished",
     .aliases = {"unfinished_ops"},
     .unit = "count",
     .kind = METRIC_COUNT,
     .sense = METRIC_LARGER_WORSE,
     .definition = "Operations that were still running when the run had to stop.",
     .subset_of = "operations started",
     .plus = BIT(UNFINISHED),
     .monotone = true,
     .since_begin = true},
    {.name = "due_operations",
     .aliases = {"due_ops"},
     .unit = "count",
     .kind = METRIC_COUNT,
     .definition = "Operations whose time had come by the schedule; open model only.",
     .subset_of = "operations due",
     .plus = BIT(DUE),
     .monotone = true},
    {.name = "dropped_operations",
     .aliases = {"dropped_ops"},
     .unit = "count",
     .kind = METRIC_COUNT,
     .sense = METRIC_LARGER_WORSE,
     .definition = "Operations that were due and never started: the deadline passed, no slot "
                   "became free, or the run was stopped; open model only.",
     .subset_of = "operations due",
     .plus = DROPPED,
     .monotone = true},
    {.name = "rate_ratio",
     .unit = "1",
     .kind = METRIC_RATIO,
     .sense = METRIC_LARGER_BETTER,
     .definition = "Operations started divided by operations due, both in the window; above 1 "
                   "while a queue empties; open model only.",
     .subset_of = "operations due",
     .plus = BIT(STARTED),
     .of_plus = BIT(DUE),
     .open_only = true},
    {.name = "ops_per_second",
     .aliases = {"throughput_rps", "throughput"},
     .unit = "1/s",
     .kind = METRIC_RATE,
     .sense = METRIC_LARGER_BETTER,
     .definition = "Operations ended, divided by the length of the window." IN_ITS_TIME,
     .subset_of = "operations ended",
     .plus = ENDED,
     PER_SECOND(ENDED)},
    {.name = "error_rate",
     .unit = "1",
     .kind = METRIC_RATIO,
     .sense = METRIC_LARGER_WORSE,
     .definition = "Failed operations divided by ended ones; failures for want of our own "
                   "resources are in neither.",
     .plus = BIT(ENDED_FAILED),
     .minus = BIT(OWN_FAILURES),
     PER_ENDED},
    DIST_ROWS("latency",
              NO_ALIAS,
              DIST_LATENCY,
              "Service time in the closed load model, response time in the open one",
              TIMED),
    DIST_ROWS("response", NO_ALIAS, DIST_RESPONSE, "From due to ended", TIMED),
    DIST_ROWS("service", NO_ALIAS, DIST_SERVICE, "From sent to ended", TIMED ", once sent"),
    DIST_ROWS("lag", NO_ALIAS, DIST_LAG, "From due to sent", TIMED),
    DIST_ROWS("queue",
              NO_ALIAS,
              DIST_QUEUE,
              "From due to a free slot and session, and what limits of ours held",
              TIMED),
    DIST_ROWS("setup",
              NO_ALIAS,
              DIST_SETUP,
              "Waiting for a session to be set up",
              TIMED ", having waited for one"),
    {.name = "tool_error_rate",
     .unit = "1",
     .kind = METRIC_RATIO,
     .sense = METRIC_LARGER_WORSE,
     .definition = "Operations whose result says isError, divided by ended ones.",
     .plus = BIT(TOOL_ERRORS),
     PER_ENDED},
    {.name = "protocol_error_rate",
     .unit = "1",
     .kind = METRIC_RATIO,
     .sense = METRIC_LARGER_WORSE,
     .definition = "Operations whose answer broke HTTP, SSE, JSON-RPC or MCP, divided by ended "
                   "ones.",
     .plus = BIT(PROTOCOL_ERRORS),
     PER_ENDED},
    {.name = "timeout_rate",
     .unit = "1",
     .kind = METRIC_RATIO,
     .sense = METRIC_LARGER_WORSE,
     .definition = "Operations that timed out, divided by ended ones.",
     .plus = BIT(TIMEOUTS),
     PER_ENDED},
    {.name = "http_5xx_rate",
     .unit = "1",
     .kind = METRIC_RATIO,
     .sense = METRIC_LARGER_WORSE,
     .definition = "Operations answered with HTTP status 500 to 599, divided by ended ones.",
     .plus = BIT(HTTP_5XX),
     PER_ENDED},
    {.name = "rate_limited_rate",
     .unit = "1",
     .kind = METRIC_RATIO,
     .sense = METRIC_LARGER_WORSE,
     .definition = "Operations answered with HTTP status 429, divided by ended ones.",
     .plus = BIT(RATE_LIMITED),
     PER_ENDED},
    {.name = "check_failure_rate",
     .unit = "1",
     .kind = METRIC_RATIO,
     .sense = METRIC_LARGER_WORSE,
     .definition = "Operations whose result a check of the scenario refused, divided by ended "
                   "ones.",
     .plus = BIT(CHECK_FAILURES),
     PER_ENDED},
    {.name = "integrity_mismatches",
     .unit = "count",
     .kind = METRIC_COUNT,
     .sense = METRIC_LARGER_WORSE,
     .definition = "Answers that belong to another caller: they brought the mark of another "
                   "operation.",
     .subset_of = "operations ended",
     .plus = BIT(INTEGRITY_MISMATCHES),
     .monotone = true,
     .since_begin = true},
    {.name = "stream_stall_count",
     .aliases = {"stream_stalls"},
     .unit = "count",
     .kind = METRIC_COUNT,
     .sense = METRIC_LARGER_WORSE,
     .definition = "Streams that were ended after silence for the stall time-out.",
     .subset_of = "streams ended",
     .plus = BIT(STREAMS_STALLED),
     .monotone = true},
    {.name = "stream_stalls_per_sec",
     .aliases = {"stream_stalls_per_second"},
     .unit = "1/s",
     .kind = METRIC_RATE,
     .sense = METRIC_LARGER_WORSE,
     .definition = "Stalled streams divided by the length of the window." IN_ITS_TIME,
     .subset_of = "streams ended",
     .plus = BIT(STREAMS_STALLED),
     PER_SECOND(STALLED)},
    {.name = "stream_error_rate",
     .unit = "1",
     .kind = METRIC_RATIO,
     .sense = METRIC_LARGER_WORSE,
     .definition = "Failed streams, stalled ones included, divided by ended ones.",
     .subset_of = "streams ended",
     .plus = BIT(STREAMS_FAILED),
     .of_plus = BIT(STREAMS_ENDED)},
    {.name = "stream_completion_rate",
     .unit = "1",
     .kind = METRIC_RATIO,
     .sense = METRIC_LARGER_BETTER,
     .definition = "Streams that brought the response with our id, divided by ended ones.",
     .subset_of = "streams ended",
     .plus = BIT(STREAMS_COMPLETED),
     .of_plus = BIT(STREAMS_ENDED)},
    {.name = "events_received_total",
     .aliases = {"events_total"},
     .unit = "count",
     .kind = METRIC_COUNT,
     .sense = METRIC_LARGER_BETTER,
     .definition = "SSE events with data, counted when they are complete; the response with our id "
                   "is one of them: 50 messages and the response are 51.",
     .subset_of = "events",
     .plus = BIT(EVENTS),
     .monotone = true,
     .since_begin = true},
    {.name = "events_per_second",
     .aliases = {"min_events_per_second"},
     .unit = "1/s",
     .kind = METRIC_RATE,
     .sense = METRIC_LARGER_BETTER,
     .definition = "SSE events with data, the response with our id included, divided by the length "
                   "of the window." IN_ITS_TIME,
     .subset_of = "events",
     .plus = BIT(EVENTS),
     PER_SECOND(EVENTS)},
    {.name = "active_streams",
     .unit = "count",
     .kind = METRIC_GAUGE,
     .definition = "Streams that were open at the end of the window.",
     .subset_of = "streams open",
     GAUGE(active_streams),
     .gauge_scale = 1},
    {.name = "active_vus",
     .unit = "count",
     .kind = METRIC_GAUGE,
     .definition = "Virtual users that were active at the end of the window.",
     .subset_of = "virtual users",
     GAUGE(active_vus),
     .gauge_scale = 1},
    {.name = "active_sessions",
     .unit = "count",
     .kind = METRIC_GAUGE,
     .definition = "MCP sessions that were open at the end of the window.",
     .subset_of = "sessions open",
     GAUGE(active_sessions),
     .gauge_scale = 1},
    {.name = "open_connections",
     .unit = "count",
     .kind = METRIC_GAUGE,
     .definition = "Connections that were open at the end of the window.",
     .subset_of = "connections open",
     GAUGE(open_connections),
     .gauge_scale = 1},
    {.name = "in_flight",
     .unit = "count",
     .kind = METRIC_GAUGE,
     .definition = "Operations that were started and not ended at the end of the window.",
     .subset_of = "operations started",
     GAUGE(in_flight),
     .gauge_scale = 1},
    DIST_ROWS("time_to_first_event",
              FIRST_EVENT_ALIAS,
              DIST_FIRST_EVENT,
              "From sent to the first complete event with data",
              "streams with an event"),
    DIST_ROWS("event_gap",
              NO_ALIAS,
              DIST_GAP,
              "From an event of a stream to the next one, for its first event from the response "
              "head, so that a stream of one event has one",
              "events"),
    {.name = "stream_stall_seconds",
     .unit = "s",
     .kind = METRIC_GAUGE,
     .sense = METRIC_LARGER_WORSE,
     .definition = "Longest silence of a stream: since its last event, before the first one since "
                   "its head, or since a comment where `stall_reset` lets it count, until the next "
                   "of them or the end of the stream. In a window, a stage or the run the longest "
                   "that ended in it or went on at its end; a drain belongs to the stage before.",
     .subset_of = "streams open",
     GAUGE(oldest_event_age_ns),
     .gauge_scale = (double)NS_PER_S,
     .needs_streams = true},
    {.name = "connection_error_rate",
     .unit = "1",
     .kind = METRIC_RATIO,
     .sense = METRIC_LARGER_WORSE,
     .definition = "Failed connection attempts (DNS, TCP, TLS) divided by attempts; those that "
                   "failed for want of our own resources are in neither.",
     .subset_of = "connection attempts",
     .plus = BIT(CONNECT_FAILURES),
     .of_plus = BIT(CONNECT_ATTEMPTS)},
    DIST_ROWS("connection_setup",
              NO_ALIAS,
              DIST_CONNECT,
              "Setting up a connection, TCP and TLS",
              "connections made"),
    {.name = "session_creation_failures",
     .unit = "count",
     .kind = METRIC_COUNT,
     .sense = METRIC_LARGER_WORSE,
     .definition = "Session set-ups that failed.",
     .subset_of = "session set-ups",
     .plus = BIT(SESSIONS_FAILED),
     .monotone = true},
    {.name = "sessions_created",
     .unit = "count",
     .kind = METRIC_COUNT,
     .definition = "Sessions that were set up.",
     .subset_of = "session set-ups",
     .plus = BIT(SESSIONS_CREATED),
     .monotone = true},
    {.name = "sessions_lost",
     .unit = "count",
     .kind = METRIC_COUNT,
     .sense = METRIC_LARGER_WORSE,
     .definition = "Sessions that the target no longer knew.",
     .subset_of = "sessions created",
     .plus = BIT(SESSIONS_LOST),
     .monotone = true},
    {.name = "sessions_expired",
     .unit = "count",
     .kind = METRIC_COUNT,
     .definition = "Sessions that were ended because they were too old or idle for too long.",
     .subset_of = "sessions created",
     .plus = BIT(SESSIONS_EXPIRED),
     .monotone = true},
    DIST_ROWS("session_creation",
              NO_ALIAS,
              DIST_SESSION,
              "From the start of the connection to `initialized` accepted",
              "sessions created"),
    {.name = "session_reuse_rate",
     .unit = "1",
     .kind = METRIC_RATIO,
     .sense = METRIC_LARGER_BETTER,
     .definition = "Operations on a session that had already served one, divided by ended ones.",
     .subset_of = "operations ended",
     .plus = BIT(SESSION_REUSED),
     .of_plus = ENDED},
    {.name = "bytes_received_per_second",
     .unit = "B/s",
     .kind = METRIC_RATE,
     .definition = "Bytes of HTTP received by the operations that ended, divided by the length of "
                   "the window." IN_ITS_TIME,
     .subset_of = "operations ended",
     .plus = BIT(BYTES_IN),
     PER_SECOND(BYTES_IN)},
    {.name = "bytes_sent_per_second",
     .unit = "B/s",
     .kind = METRIC_RATE,
     .definition = "Bytes of HTTP sent by the operations that ended, divided by the length of the "
                   "window." IN_ITS_TIME,
     .subset_of = "operations ended",
     .plus = BIT(BYTES_OUT),
     PER_SECOND(BYTES_OUT)},
};

size_t metric_count(void)
{
    return sizeof table / sizeof table[0];
}

const struct metric *metric_at(size_t i)
{
    assert(i < metric_count());
    return &table[i];
}

const struct metric *metric_find(struct str name)
{
    for (size_t i = 0; i < metric_count(); i++) {
        if (str_eq(name, str_c(table[i].name))) {
            return &table[i];
        }
        for (size_t j = 0; j < METRIC_ALIASES_MAX && table[i].aliases[j] != NULL; j++) {
            if (str_eq(name, str_c(table[i].aliases[j]))) {
                return &table[i];
            }
        }
    }
    return NULL;
}

size_t metric_names(const char *names[METRIC_NAMES_MAX])
{
    size_t n = 0;

    for (size_t i = 0; i < metric_count(); i++) {
        assert(n < METRIC_NAMES_MAX);
        names[n++] = table[i].name;
        for (size_t j = 0; j < METRIC_ALIASES_MAX && table[i].aliases[j] != NULL; j++) {
            assert(n < METRIC_NAMES_MAX);
            names[n++] = table[i].aliases[j];
        }
    }
    return n;
}

static void custom_reset(struct metric_custom *c)
{
    struct hist_total *hist = c->hist;

    if (hist != NULL) {
        hist_total_reset(hist);
    }
    *c = (struct metric_custom){.hist = hist};
}

void metric_view_reset(struct metric_view *v)
{
    memset(v->count, 0, sizeof v->count);
    memset(v->open_count, 0, sizeof v->open_count);
    for (uint32_t i = 0; i < v->custom_count; i++) {
        custom_reset(&v->customs[i]);
    }
    for (unsigned i = 0; i < DIST_ALL; i++) {
        if (v->dist[i] != NULL) {
            hist_total_reset(v->dist[i]);
        }
    }
    v->gauges = (struct window_gauges){0};
    v->has_gauges = false;
    v->span_s = 0;
    v->busy = false;
    v->of_stages = false;
}

void metric_view_whole_second(struct metric_view *v)
{
    v->span_s = v->span_s > 0 && v->span_s < 1 ? 1 : v->span_s;
}

void metric_view_clear(struct metric_view *v)
{
    for (unsigned i = 0; i < DIST_ALL; i++) {
        hist_total_free(v->dist[i]);
    }
    for (uint32_t i = 0; i < v->custom_count; i++) {
        hist_total_free(v->customs[i].hist);
    }
    xfree(v->customs);
    *v = (struct metric_view){.span_s = 0};
}

/* Σ of the counts in `plus` minus those in `minus`, which are parts of the former. */
static uint64_t
sum(const struct metric *m, const struct metric_view *v, uint64_t plus, uint64_t minus)
{
    const uint64_t *count = m->open_only ? v->open_count : v->count;
    uint64_t total = 0, less = 0;

    for (unsigned i = 0; i < COUNT_ALL; i++) {
        total += plus >> i & 1 ? count[i] : 0;
        less += minus >> i & 1 ? count[i] : 0;
    }
    return total > less ? total - less : 0;
}

/* What a rate divides: over stages, what happened in their time. */
static uint64_t rate_sum(const struct metric *m, const struct metric_view *v)
{
    uint64_t carried = v->of_stages ? m->carried : 0, late = v->of_stages ? m->late : 0;

    return sum(m, v, m->plus | carried, m->minus | late);
}

int metric_dist(const struct metric *m, bool open_model)
{
    if (m->kind != METRIC_QUANTILE && m->kind != METRIC_EXTREME && m->kind != METRIC_MEAN) {
        return -1;
    }
    return m->dist != DIST_LATENCY ? m->dist : open_model ? DIST_RESPONSE : DIST_SERVICE;
}

bool metric_narrows(const struct metric *m)
{
    uint64_t all = m->plus | m->minus | m->of_plus | m->of_minus;

    /* What belongs to the shard follows behind what belongs to keys (metrics/window.h). */
    return m->kind != METRIC_GAUGE && m->kind != METRIC_CUSTOM &&
           all >> COUNT_CONNECT_ATTEMPTS == 0 && metric_dist(m, false) < DIST_TOOL_LAG;
}

uint64_t metric_dropped(const struct metric_view *v)
{
    return v->count[COUNT_DROPPED_DEADLINE] + v->count[COUNT_DROPPED_NO_SLOT];
}

/* How many operations rank above all samples. */
static uint64_t above(const struct metric *m, const struct metric_view *v)
{
    return metric_dist(m, v->open_model) == DIST_RESPONSE ? metric_dropped(v) : 0;
}

/* NULL when there is no sample. */
static const struct hist_total *samples(const struct metric *m, const struct metric_view *v)
{
    int id = metric_dist(m, v->open_model);

    return id >= 0 && v->dist[id] != NULL && v->dist[id]->head.count > 0 ? v->dist[id] : NULL;
}

/* NULL when no number was found. */
static const struct metric_custom *custom_of(const struct metric *m, const struct metric_view *v)
{
    bool known = m->kind == METRIC_CUSTOM && m->custom < v->custom_count;

    return known && v->customs[m->custom].count > 0 ? &v->customs[m->custom] : NULL;
}

static bool gauge_value(const struct metric *m, const struct metric_view *v, double *out)
{
    uint64_t raw;

    memcpy(&raw, (const char *)&v->gauges + m->gauge_offset, sizeof raw);
    *out = (double)raw / m->gauge_scale;
    if (m->needs_streams && raw > 0) {
        return true; /* a stream that had it may have ended, in a stage that left no state */
    }
    return v->has_gauges && (!m->needs_streams || v->gauges.active_streams > 0);
}

static bool dist_value(const struct metric *m, const struct metric_view *v, double *out)
{
    const struct hist_total *t = samples(m, v);
    double ns;

    if (t == NULL) {
        return false;
    }
    if (m->kind == METRIC_QUANTILE) {
        struct hist_quantile q = hist_quantile(t, m->ppm, above(m, v));
        if (q.kind != HIST_VALUE) {
            return false;
        }
        ns = (double)q.value_ns;
    } else if (m->kind == METRIC_EXTREME) {
        ns = (double)t->head.max;
    } else {
        hist_mean(t, &ns);
    }
    *out = ns / (double)NS_PER_MS;
    return true;
}

static double custom_quantile(const struct metric_custom *c, uint32_t ppm)
{
    struct hist_quantile q = hist_quantile(c->hist, ppm, 0);
    double value = (double)q.value_ns / CUSTOM_TREND_SCALE;

    /* The exact maximum knows more than thousandths do. */
    return value < c->max ? value : c->max;
}

static bool custom_value(const struct metric *m, const struct metric_view *v, double *out)
{
    const struct metric_custom *c = custom_of(m, v);

    if (c == NULL) {
        /* Nothing was found, and that is a figure for those that count. */
        *out = 0;
        return v->span_s > 0 && m->custom < v->custom_count &&
               (m->custom_value == METRIC_CUSTOM_SUM || m->custom_value == METRIC_CUSTOM_COUNT);
    }
    switch (m->custom_value) {
    case METRIC_CUSTOM_SUM:
        *out = c->sum;
        return true;
    case METRIC_CUSTOM_COUNT:
        *out = (double)c->count;
        return true;
    case METRIC_CUSTOM_MIN:
        *out = c->min;
        return true;
    case METRIC_CUSTOM_MAX:
        *out = c->max;
        return true;
    case METRIC_CUSTOM_MEAN:
        *out = c->sum / (double)c->count;
        return true;
    case METRIC_CUSTOM_LAST:
        *out = c->last;
        return true;
    case METRIC_CUSTOM_QUANTILE:
        if (c->hist == NULL || c->hist->head.count == 0) {
            return false;
        }
        *out = custom_quantile(c, m->ppm);
        return true;
    }
    return false;
}

/* *out may be written without a value. */
static bool find_value(const struct metric *m, const struct metric_view *v, double *out)
{
    uint64_t value = sum(m, v, m->plus, m->minus);

    switch (m->kind) {
    case METRIC_COUNT:
        *out = (double)value;
        return v->span_s > 0;
    case METRIC_RATE:
        value = rate_sum(m, v);
        *out = v->span_s > 0 ? (double)value / v->span_s : 0;
        return v->span_s > 0 && (value > 0 || (m->zero_when_busy && v->busy));
    case METRIC_RATIO: {
        uint64_t of = sum(m, v, m->of_plus, m->of_minus);
        *out = of > 0 ? (double)value / (double)of : 0;
        return of > 0;
    }
    case METRIC_GAUGE:
        return gauge_value(m, v, out);
    case METRIC_QUANTILE:
    case METRIC_EXTREME:
    case METRIC_MEAN:
        return dist_value(m, v, out);
    case METRIC_CUSTOM:
        return custom_value(m, v, out);
    }
    return false;
}

bool metric_value(const struct metric *m, const struct metric_view *v, double *out)
{
    double value = 0;

    if (!find_value(m, v, &value)) {
        return false;
    }
    *out = value;
    return true;
}

uint64_t metric_samples(const struct metric *m, const struct metric_view *v)
{
    if (metric_dist(m, v->open_model) >= 0) {
        const struct hist_total *t = samples(m, v);
        return t != NULL ? t->head.count : 0;
    }
    if (m->kind == METRIC_CUSTOM) {
        const struct metric_custom *c = custom_of(m, v);
        return c != NULL ? c->count : 0;
    }
    return m->kind == METRIC_RATIO ? sum(m, v, m->of_plus, m->of_minus) : sum(m, v, ENDED, 0);
}

uint64_t metric_samples_needed(const struct metric *m)
{
    bool is_quantile = m->kind == METRIC_QUANTILE ||
                       (m->kind == METRIC_CUSTOM && m->custom_value == METRIC_CUSTOM_QUANTILE);

    return is_quantile ? hist_samples_needed(m->ppm) : 0;
}

bool metric_shed(const struct metric *m, const struct metric_view *v)
{
    const struct hist_total *t = samples(m, v);

    if (m->kind != METRIC_QUANTILE || above(m, v) == 0) {
        return false;
    }
    return t == NULL || hist_quantile(t, m->ppm, above(m, v)).kind == HIST_SHED;
}

bool metric_is_lower_bound(const struct metric *m, const struct metric_view *v)
{
    const struct hist_total *t = samples(m, v);

    if (t == NULL) {
        return false;
    }
    if (m->kind == METRIC_QUANTILE) {
        return hist_quantile(t, m->ppm, above(m, v)).lower_bound;
    }
    if (above(m, v) > 0) {
        return true;
    }
    /* Any censored sample makes the sum too small, and the maximum is one as soon as it reaches
     * there. */
    return t->head.censored_n > 0 &&
           (m->kind == METRIC_MEAN || hist_quantile(t, 1000000, 0).lower_bound);
}

/* Three significant digits are what a histogram knows; integers are shown whole. */
static void format_number(double value, const char *unit, char *out, size_t size)
{
    if (fabs(value) >= 100 || value == floor(value)) {
        snprintf(out, size, "%.0f%s", value, unit);
    } else {
        snprintf(out, size, "%.3g%s", value, unit);
    }
}

static void format_ms(double ms, char *out, size_t size)
{
    if (fabs(ms) >= 1000) {
        format_number(ms / 1000, " s", out, size);
    } else if (fabs(ms) >= 1 || ms == 0) {
        format_number(ms, " ms", out, size);
    } else {
        format_number(ms * 1000, " µs", out, size);
    }
}

const char *metric_format(const struct metric *m, double value, char *out, size_t size)
{
    static const struct {
        const char *unit;
        double scale;
        const char *suffix;
    } units[] = {
        {"count", 1, ""}, {"1", 100, " %"}, {"1/s", 1, "/s"}, {"B/s", 1, " B/s"}, {"s", 1, " s"},
    };

    if (strcmp(m->unit, "ms") == 0) {
        format_ms(value, out, size);
        return out;
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(m->unit, units[i].unit) == 0) {
            format_number(value * units[i].scale, units[i].suffix, out, size);
            return out;
        }
    }
    format_number(value, "", out, size);
    return out;
}
