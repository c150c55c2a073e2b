/* SPDX-License-Identifier: MIT */
#include "control/validity.h"

#include "base/clock.h"
#include "base/mem.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    ROW_SECONDS = 3,    /* so many in a row count … */
    SECONDS_MIN = 2,    /* … or so many, if they are … */
    SECONDS_SHARE = 20, /* … one in so many */
};

/* A signal's value in one second, or in several that are judged together. */
struct reading {
    double value;        /* in the row's unit */
    double warn, fail;   /* its limits */
    double beside, most; /* the second half of a fail, in ms, and its limit */
    uint64_t seconds;
    bool warns, fails;
};

/* One second of a source, as the signals see it. */
struct second {
    const struct window *w;
    uint64_t seconds;   /* more than one after the thread hung */
    double median_ns;   /* S; 0: not known */
    double lag_ns;      /* p99 of L_tool … */
    uint64_t lag_spans; /* … over so many seconds; 0: not judged yet */
};

struct held {
    uint64_t seconds, row, longest;
};

/* What one source showed of one signal. */
struct tally {
    uint64_t measured;
    struct held warned, failed; /* what fails also warns */
    struct reading worst_warn, worst_fail;
};

enum signal_unit { UNIT_MS, UNIT_SHARE };

struct signal {
    const char *name;
    const char *label; /* in front of the value */
    enum signal_unit unit;
    const char *beside; /* what the second half is, or NULL */
    bool of_thread;     /* each shard has its own value; else one for all of the process */
    bool any_second;    /* one second is enough for a warning */
    bool of_network;    /* else of the generator */
    /* Fills value and limits, and says what holds; false: nothing to be said of this second. */
    bool (*read)(const struct second *s, struct reading *r);
};

/* ---- the signals ----------------------------------------------------------------------------- */

static double larger(double a, double b)
{
    return a > b ? a : b;
}

static void compare(struct reading *r, double value, double warn, double fail)
{
    r->value = value;
    r->warn = warn;
    r->fail = fail;
    r->warns = value > warn;
    r->fails = value > fail;
}

/* A fail needs its second half, too: a time in ns against 10 % of S and a least limit. */
static void and_beside(struct reading *r, const struct second *s, double ns, double least_ns)
{
    double most_ns = larger(least_ns, s->median_ns / 10);

    r->beside = ns / 1e6;
    r->most = most_ns / 1e6;
    r->fails = r->fails && ns > most_ns;
}

static bool read_send_lag(const struct second *s, struct reading *r)
{
    if (s->lag_spans == 0) {
        return false;
    }
    compare(r, s->lag_ns / 1e6, larger(0.5, s->median_ns / 20 / 1e6),
            larger(1, s->median_ns / 10 / 1e6));
    r->seconds = s->lag_spans;
    return true;
}

static double of_wall(const struct second *s, uint64_t ns)
{
    return (double)ns / (double)s->w->wall_ns;
}

static bool read_busy(const struct second *s, struct reading *r)
{
    compare(r, of_wall(s, s->w->busy_ns), 0.80, 0.95);
    and_beside(r, s, (double)s->w->health.turn_p99_ns, 1e6);
    return true;
}

static bool read_run_delay(const struct second *s, struct reading *r)
{
    uint64_t delay = s->w->health.run_delay_ns, wakeups = s->w->wakeups;

    compare(r, of_wall(s, delay), 0.02, 0.10);
    and_beside(r, s, (double)delay / (double)(wakeups > 0 ? wakeups : 1), 1e5);
    return true;
}

static bool read_steal(const struct second *s, struct reading *r)
{
    compare(r, s->w->health.steal, 0.02, 0.10);
    return s->w->health.has_process;
}

static bool read_throttled(const struct second *s, struct reading *r)
{
    compare(r, of_wall(s, s->w->health.throttled_ns), 0, 0.01);
    return s->w->health.has_process;
}

static bool read_memory(const struct second *s, struct reading *r)
{
    const struct window_health *h = &s->w->health;

    if (!h->has_process || h->memory_limit_bytes == 0) {
        return false;
    }
    compare(r, (double)h->rss_bytes / (double)h->memory_limit_bytes, 0.85, 0.95);
    return true;
}

static bool read_pressure_cpu(const struct second *s, struct reading *r)
{
    compare(r, s->w->health.pressure_cpu / 100, 0.10, INFINITY);
    return s->w->health.has_process;
}

static bool read_pressure_memory(const struct second *s, struct reading *r)
{
    compare(r, s->w->health.pressure_memory / 100, 0.10, INFINITY);
    return s->w->health.has_process;
}

static bool read_retransmits(const struct second *s, struct reading *r)
{
    const struct window_health *h = &s->w->health;

    /* A handful of packets to a port where nobody answers says nothing about the network. */
    if (!h->has_process || h->segments_sent < VALIDITY_SEGMENTS_MIN) {
        return false;
    }
    compare(r, (double)h->segments_retransmitted / (double)h->segments_sent, 0.01, 0.05);
    return true;
}

enum { SEND_LAG }; /* the first row: it is the only one that is judged by pools */

static const struct signal signals[] = {
    {.name = "send_lag",
     .label = "requests sent late (p99)",
     .of_thread = true,
     .read = read_send_lag},
    {.name = "busy",
     .label = "thread busy",
     .unit = UNIT_SHARE,
     .beside = "answers waited unread (p99)",
     .of_thread = true,
     .read = read_busy},
    {.name = "run_delay",
     .label = "thread waiting for a core",
     .unit = UNIT_SHARE,
     .beside = "per wake-up",
     .of_thread = true,
     .read = read_run_delay},
    {.name = "steal",
     .label = "CPU time taken by other guests of the host",
     .unit = UNIT_SHARE,
     .read = read_steal},
    {.name = "throttled",
     .label = "held back by the cgroup's CPU quota",
     .unit = UNIT_SHARE,
     .any_second = true,
     .read = read_throttled},
    {.name = "memory",
     .label = "memory used of its limit",
     .unit = UNIT_SHARE,
     .read = read_memory},
    {.name = "pressure_cpu",
     .label = "pressure on the machine's CPU",
     .unit = UNIT_SHARE,
     .read = read_pressure_cpu},
    {.name = "pressure_memory",
     .label = "pressure on the machine's memory",
     .unit = UNIT_SHARE,
     .read = read_pressure_memory},
    {.name = "retransmits",
     .label = "TCP segments sent again",
     .unit = UNIT_SHARE,
     .of_network = true,
     .read = read_retransmits},
};

enum { SIGNALS = sizeof signals / sizeof signals[0] };

/* ---- seconds --------------------------------------------------------------------------------- */

struct source {
    struct tally tally[SIGNALS];
    struct hist_total *lag, *service; /* since send_lag was judged last; NULL: no window yet */
    uint64_t spans;                   /* seconds in them */
    double median_ns;                 /* the last that is known */
};

struct validity {
    uint32_t source_count;
    struct source *sources;
};

struct validity *validity_new(uint32_t source_count)
{
    struct validity *v = xcalloc(1, sizeof *v);

    v->source_count = source_count;
    v->sources = xcalloc(source_count > 0 ? source_count : 1, sizeof *v->sources);
    return v;
}

void validity_free(struct validity *v)
{
    if (v == NULL) {
        return;
    }
    for (uint32_t i = 0; i < v->source_count; i++) {
        hist_total_free(v->sources[i].lag);
        hist_total_free(v->sources[i].service);
    }
    xfree(v->sources);
    xfree(v);
}

static void hold(struct held *h, bool holds, uint64_t seconds)
{
    h->row = holds ? h->row + seconds : 0;
    h->seconds += holds ? seconds : 0;
    h->longest = h->row > h->longest ? h->row : h->longest;
}

static void keep_worst(struct reading *worst, const struct reading *r)
{
    if (worst->seconds == 0 || r->value > worst->value) {
        *worst = *r;
    }
}

static void count(struct tally *t, const struct reading *r)
{
    t->measured += r->seconds;
    hold(&t->warned, r->warns, r->seconds);
    hold(&t->failed, r->fails, r->seconds);
    if (r->warns) {
        keep_worst(&t->worst_warn, r);
    }
    if (r->fails) {
        keep_worst(&t->worst_fail, r);
    }
}

/* p99; of fewer than 100 samples the largest but one, so that no single one decides. */
static double lag_of(const struct hist_total *lag)
{
    uint64_t n = lag->head.count;
    uint32_t ppm = n >= 100 ? 990000 : (uint32_t)((n - 1) * 1000000 / n);

    return (double)hist_quantile(lag, ppm, 0).value_ns;
}

/* Judges what was pooled if it has `least` samples, and begins a new pool. */
static void judge_lag(struct source *from, uint64_t least, struct second *s)
{
    if (from->lag == NULL || from->lag->head.count < least) {
        return;
    }
    s->lag_ns = lag_of(from->lag);
    s->lag_spans = from->spans;
    hist_total_reset(from->lag);
    hist_total_reset(from->service);
    from->spans = 0;
}

static void pool_lag(struct source *to, const struct window_part *run)
{
    if (run->dist[DIST_TOOL_LAG] != NULL) {
        hist_total_add(to->lag, run->dist[DIST_TOOL_LAG]);
    }
}

static void pool(struct source *to, const struct window *w, uint64_t seconds)
{
    if (to->lag == NULL) {
        to->lag = hist_total_new();
        to->service = hist_total_new();
    }
    pool_lag(to, &w->run);
    if (w->later.used) {
        pool_lag(to, &w->later.run);
    }
    for (uint32_t i = 0; i < w->key_count; i++) {
        if (w->keys[i].dist[DIST_SERVICE] != NULL) {
            hist_total_add(to->service, w->keys[i].dist[DIST_SERVICE]);
        }
    }
    if (to->service->head.count > 0) {
        to->median_ns = (double)hist_quantile(to->service, 500000, 0).value_ns;
    }
    to->spans += seconds;
}

void validity_window(struct validity *v, uint32_t source, const struct window *w)
{
    if (source >= v->source_count || w->second == 0 || w->end_ns - w->start_ns < NS_PER_S ||
        w->wall_ns < NS_PER_S / 2) {
        return;
    }
    struct source *from = &v->sources[source];
    struct second s = {.w = w, .seconds = (w->wall_ns + NS_PER_S / 2) / NS_PER_S};

    pool(from, w, s.seconds);
    s.median_ns = from->median_ns;
    judge_lag(from, VALIDITY_SAMPLES_MIN, &s);
    for (size_t i = 0; i < SIGNALS; i++) {
        struct reading r = {.seconds = s.seconds};

        if (signals[i].read(&s, &r)) {
            count(&from->tally[i], &r);
        }
    }
}

/* ---- the verdict ----------------------------------------------------------------------------- */

static bool counts(const struct held *h, uint64_t measured)
{
    return h->longest >= ROW_SECONDS ||
           (h->seconds >= SECONDS_MIN && h->seconds * SECONDS_SHARE >= measured);
}

static struct validity_evidence *add(struct validity_result *out, const char *signal, bool fail)
{
    /* The table of signals and four totals fit in. */
    _Static_assert(SIGNALS + 4 <= VALIDITY_EVIDENCE_MAX, "room for all evidence");
    struct validity_evidence *e = &out->evidence[out->evidence_count++];

    *e = (struct validity_evidence){.signal = signal, .fail = fail, .source = UINT32_MAX};
    return e;
}

static void write_value(enum signal_unit unit, double value, char out[32])
{
    if (unit == UNIT_MS) {
        snprintf(out, 32, "%.3g ms", value);
    } else if (value > 0 && value < 0.0005) {
        snprintf(out, 32, "< 0.1 %%");
    } else {
        snprintf(out, 32, "%.3g %%", value * 100);
    }
}

/* " of shard 3 (and of 2 more)"; of several workers also which one, and whose machine. */
static void write_place(const struct signal *signal,
                        const struct validity_inputs *in,
                        uint32_t source,
                        uint32_t others,
                        char out[160])
{
    char more[48] = "", shard[32] = "", worker[80] = "";

    if (others > 0) {
        snprintf(more, sizeof more, " (and of %u more)", (unsigned)others);
    }
    if (signal->of_thread) {
        snprintf(shard, sizeof shard, " of shard %u", (unsigned)source);
    }
    if (in->worker_of != NULL) {
        snprintf(worker, sizeof worker, " of worker %.64s", in->worker_of(in->owner, source));
    }
    bool nowhere = shard[0] == '\0' && worker[0] == '\0';
    snprintf(out, 160, "%s%s%s", shard, worker, nowhere ? "" : more);
}

static void write_evidence(const struct signal *signal,
                           const struct validity_inputs *in,
                           const struct reading *worst,
                           uint32_t others,
                           struct validity_evidence *e)
{
    char value[32], limit[32], beside[128] = "", where[160];

    write_value(signal->unit, e->value, value);
    write_value(signal->unit, e->limit, limit);
    if (e->fail && signal->beside != NULL) {
        snprintf(beside, sizeof beside, "; %s %.3g ms, limit %.3g ms", signal->beside,
                 worst->beside, worst->most);
    }
    write_place(signal, in, e->source, others, where);
    snprintf(e->text, sizeof e->text, "%s: %s, limit %s%s, in %llu of %llu s%s", signal->label,
             value, limit, beside, (unsigned long long)e->seconds, (unsigned long long)e->measured,
             where);
}

/* Adds the evidence of the source that was worst, if one counts. */
static bool judge_signal(const struct validity *v,
                         const struct validity_inputs *in,
                         size_t at,
                         bool fail,
                         struct validity_result *out)
{
    const struct signal *signal = &signals[at];
    const struct reading *worst = NULL;
    uint32_t source = 0, sources = 0;

    for (uint32_t i = 0; i < v->source_count; i++) {
        const struct tally *t = &v->sources[i].tally[at];
        const struct reading *r = fail ? &t->worst_fail : &t->worst_warn;
        const struct held *h = fail ? &t->failed : &t->warned;

        if (!counts(h, t->measured) && (fail || !signal->any_second || h->seconds == 0)) {
            continue;
        }
        sources++;
        if (worst == NULL || r->value > worst->value) {
            worst = r;
            source = i;
        }
    }
    if (worst == NULL) {
        return false;
    }
    const struct tally *t = &v->sources[source].tally[at];
    struct validity_evidence *e = add(out, signal->name, fail);
    e->source = source;
    e->value = worst->value;
    e->limit = fail ? worst->fail : worst->warn;
    e->unit = signal->unit == UNIT_MS ? "ms" : "1";
    e->seconds = fail ? t->failed.seconds : t->warned.seconds;
    e->measured = t->measured;
    write_evidence(signal, in, worst, sources - 1, e);
    return true;
}

static bool judge_books(const struct validity_inputs *in, struct validity_result *out)
{
    if (in->lost == NULL) {
        return false;
    }
    struct validity_evidence *e = add(out, "books", true);
    e->unit = "count";
    snprintf(e->text, sizeof e->text, "%s", in->lost);
    return true;
}

static bool judge_own_failures(const struct validity_inputs *in, struct validity_result *out)
{
    uint64_t own = in->own_operations + in->own_connects;

    if (own == 0) {
        return false;
    }
    struct validity_evidence *e = add(out, "own_failures", true);
    e->unit = "count";
    e->value = (double)own;
    snprintf(e->text, sizeof e->text,
             "%llu operations and %llu connection attempts failed on our own side (descriptors, "
             "ports, memory)",
             (unsigned long long)in->own_operations, (unsigned long long)in->own_connects);
    return true;
}

/* What was due and never started, because all slots waited for the target. */
static bool judge_users(const struct validity_inputs *in, struct validity_result *out)
{
    if (in->vus_gave_up == 0) {
        return false;
    }
    struct validity_evidence *e = add(out, "users", true);
    e->unit = "count";
    e->value = (double)in->vus_gave_up;
    snprintf(e->text, sizeof e->text,
             "%llu of at most %llu virtual users ended for want of a session and made no load any "
             "more",
             (unsigned long long)in->vus_gave_up, (unsigned long long)in->vus);
    return true;
}

static void add_text(struct validity_evidence *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void add_text(struct validity_evidence *e, const char *fmt, ...)
{
    size_t len = strlen(e->text);
    va_list args;

    va_start(args, fmt);
    vsnprintf(e->text + len, sizeof e->text - len, fmt, args);
    va_end(args);
}

/* Where a cap held the load back, slots are named only if they are too few without it. */
static void say_what_was_short(const struct validity_inputs *in, struct validity_evidence *e)
{
    bool capped = in->held_by_rps > 0 || in->held_by_connections > 0;
    double slots = (double)in->slots;

    if (in->held_by_rps > 0) {
        add_text(e, "; safety.hard_caps.max_rps (%.15g) held back %llu requests", in->max_rps,
                 (unsigned long long)in->held_by_rps);
    }
    if (in->held_by_connections > 0) {
        add_text(e, "; %llu requests waited for safety.hard_caps.max_connections (%llu)",
                 (unsigned long long)in->held_by_connections,
                 (unsigned long long)in->max_connections);
    }
    if (in->slots_busy > slots || (!capped && in->slots_needed > in->slots)) {
        add_text(e,
                 "; at the target's mean service time this rate keeps about %.3g slots busy (%llu "
                 "with a margin for fluctuations), there were %llu",
                 in->slots_busy, (unsigned long long)in->slots_needed,
                 (unsigned long long)in->slots);
    }
}

static bool judge_delivery(const struct validity_inputs *in, struct validity_result *out)
{
    uint64_t dropped = in->dropped_deadline + in->dropped_no_slot;

    if (in->due == 0 || (double)dropped / (double)in->due <= 0.001) {
        return false;
    }
    struct validity_evidence *e = add(out, "dropped", true);
    e->unit = "1";
    e->value = (double)dropped / (double)in->due;
    e->limit = 0.001;
    snprintf(e->text, sizeof e->text,
             "%llu operations were due, %llu started, %llu dropped (%llu past their deadline, %llu "
             "without a free slot)",
             (unsigned long long)in->due, (unsigned long long)in->started,
             (unsigned long long)dropped, (unsigned long long)in->dropped_deadline,
             (unsigned long long)in->dropped_no_slot);
    say_what_was_short(in, e);
    return true;
}

static bool judge_samples(const struct validity_inputs *in, struct validity_result *out)
{
    if (in->undecided_criteria == 0) {
        return false;
    }
    struct validity_evidence *e = add(out, "samples", true);
    e->unit = "count";
    e->value = in->undecided_criteria;
    snprintf(e->text, sizeof e->text, "too few samples to decide %lu success criteri%s%s%s",
             (unsigned long)in->undecided_criteria, in->undecided_criteria == 1 ? "on" : "a",
             in->undecided != NULL ? ": " : "", in->undecided != NULL ? in->undecided : "");
    return true;
}

/* The pools that are still open: a run with few operations has had no verdict on its sends. */
static void close_pools(struct validity *v)
{
    for (uint32_t i = 0; i < v->source_count; i++) {
        struct source *from = &v->sources[i];
        struct second s = {.median_ns = from->median_ns};
        struct reading r = {0};

        judge_lag(from, VALIDITY_SAMPLES_LAST, &s);
        if (read_send_lag(&s, &r)) {
            count(&from->tally[SEND_LAG], &r);
        }
    }
}

static bool judge_group(const struct validity *v,
                        const struct validity_inputs *in,
                        bool of_network,
                        struct validity_result *out)
{
    bool fails = false;

    for (size_t i = 0; i < SIGNALS; i++) {
        if (signals[i].of_network == of_network && judge_signal(v, in, i, true, out)) {
            fails = true;
        }
    }
    return fails;
}

static bool has_failed(const struct validity_result *out, const char *signal)
{
    for (size_t i = 0; i < out->evidence_count; i++) {
        if (out->evidence[i].signal == signal) {
            return true;
        }
    }
    return false;
}

void validity_judge(struct validity *v,
                    const struct validity_inputs *in,
                    struct validity_result *out)
{
    bool applies[VALIDITY_STATE_COUNT] = {[VALIDITY_VALID] = true};

    _Static_assert(VALIDITY_LOST_DATA == 0 && VALIDITY_VALID == VALIDITY_STATE_COUNT - 1,
                   "states stand in the order in which they are asked");
    close_pools(v);
    out->evidence_count = 0;
    applies[VALIDITY_LOST_DATA] = judge_books(in, out);
    applies[VALIDITY_GENERATOR_BOUND] = judge_own_failures(in, out);
    applies[VALIDITY_GENERATOR_BOUND] |= judge_group(v, in, false, out);
    applies[VALIDITY_NETWORK_BOUND] = judge_group(v, in, true, out);
    bool short_of_users = judge_users(in, out);
    applies[VALIDITY_UNDER_DELIVERED] = judge_delivery(in, out) || short_of_users;
    applies[VALIDITY_INSUFFICIENT_SAMPLES] = judge_samples(in, out);
    for (size_t i = 0; i < SIGNALS; i++) {
        if (!has_failed(out, signals[i].name)) {
            judge_signal(v, in, i, false, out);
        }
    }
    out->state = VALIDITY_LOST_DATA;
    while (!applies[out->state]) {
        out->state++;
    }
}

/* ---- words ----------------------------------------------------------------------------------- */

#define VALIDITY_NAME_(id, name, meaning)    [VALIDITY_##id] = (name),
#define VALIDITY_MEANING_(id, name, meaning) [VALIDITY_##id] = (meaning),

const char *validity_state_name(enum validity_state state)
{
    static const char *const names[] = {VALIDITY_STATE_MAP(VALIDITY_NAME_)};

    return state < VALIDITY_STATE_COUNT ? names[state] : "unknown";
}

const char *validity_state_meaning(enum validity_state state)
{
    static const char *const meanings[] = {VALIDITY_STATE_MAP(VALIDITY_MEANING_)};

    return state < VALIDITY_STATE_COUNT ? meanings[state] : "unknown";
}

int validity_write(const struct validity_result *result, struct buf *out)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < result->evidence_count; i++) {
        const struct validity_evidence *e = &result->evidence[i];

        rc = buf_printf(out, "%s%s\n", e->fail ? "" : "warning: ", e->text);
    }
    return rc;
}
