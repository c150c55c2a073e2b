/* SPDX-License-Identifier: MIT */
#include "metrics/window.h"

#include "base/mem.h"
#include "metrics/window_priv.h"

#include <math.h>
#include <string.h>

#define COUNT_NAME_(id, name) [COUNT_##id] = (name),
_Static_assert(COUNT_ALL <= 64, "sets of counts are 64 bits (metrics/registry.c)");

static const char *const count_names[COUNT_ALL] = {COUNT_MAP(COUNT_NAME_)};
#define DIST_NAME_(id, name) [DIST_##id] = (name),
static const char *const dist_names[DIST_ALL] = {DIST_MAP(DIST_NAME_)};

const char *count_name(enum count id)
{
    assert(id < COUNT_ALL);
    return count_names[id];
}

const char *dist_name(enum dist id)
{
    assert(id < DIST_ALL);
    return dist_names[id];
}

struct window *window_new(uint32_t key_count, uint32_t custom_count, uint32_t sample_max)
{
    struct window *w = xcalloc(1, sizeof *w);

    w->key_count = key_count;
    w->custom_count = custom_count;
    w->customs = custom_count > 0 ? xcalloc(custom_count, sizeof *w->customs) : NULL;
    w->sample_max = sample_max;
    w->keys = xcalloc_lines(key_count > 0 ? key_count : 1, sizeof *w->keys);
    return w;
}

static void part_free(struct window_part *part)
{
    for (unsigned i = 0; i < DIST_ALL; i++) {
        hist_free(part->dist[i]);
    }
}

static void customs_free(struct window_custom *customs, uint32_t count)
{
    for (uint32_t i = 0; customs != NULL && i < count; i++) {
        hist_free(customs[i].hist);
    }
    xfree(customs);
}

void window_free(struct window *w)
{
    if (w == NULL) {
        return;
    }
    for (uint32_t i = 0; i < w->key_count; i++) {
        part_free(&w->keys[i]);
    }
    part_free(&w->run);
    part_free(&w->later.run);
    customs_free(w->customs, w->custom_count);
    customs_free(w->later.customs, w->custom_count);
    sample_batch_free(w->log);
    xfree(w->keys);
    xfree(w);
}

static void part_reset(struct window_part *part)
{
    memset(part->count, 0, sizeof part->count);
    part->other_failures = 0;
    for (unsigned i = 0; i < DIST_ALL; i++) {
        if (part->dist[i] != NULL) {
            hist_reset(part->dist[i]);
        }
    }
}

static void custom_reset(struct window_custom *c)
{
    struct hist *hist = c->hist;

    if (hist != NULL) {
        hist_reset(hist);
    }
    *c = (struct window_custom){.hist = hist};
}

void window_custom(struct window *w, uint32_t custom, double value, bool trend, uint64_t now_ns)
{
    assert(custom < w->custom_count);
    struct window_custom *c = w->later.used ? &w->later.customs[custom] : &w->customs[custom];
    double scaled = value * CUSTOM_TREND_SCALE;

    if (trend && !(scaled >= 0 && scaled <= (double)HIST_VALUE_MAX)) {
        c->rejected++;
        window_limit(w, LIMIT_TREND);
        return;
    }
    c->min = c->count == 0 || value < c->min ? value : c->min;
    c->max = c->count == 0 || value > c->max ? value : c->max;
    c->sum += value;
    c->last = value;
    c->last_ns = now_ns;
    c->count++;
    if (trend) {
        if (c->hist == NULL) {
            c->hist = hist_new();
        }
        hist_record(c->hist, (uint64_t)llround(scaled));
    }
}

static void later_reset(struct window *w)
{
    if (!w->later.used) {
        return;
    }
    part_reset(&w->later.run);
    w->later.silence_ns = 0;
    for (uint32_t i = 0; i < w->custom_count; i++) {
        custom_reset(&w->later.customs[i]);
    }
    w->later.used = false;
}

void window_enter_stage(struct window *w, uint32_t stage_index, uint64_t begin_ns)
{
    if (begin_ns <= w->start_ns) {
        w->stage_index = stage_index;
        return;
    }
    if (w->custom_count > 0 && w->later.customs == NULL) {
        w->later.customs = xcalloc(w->custom_count, sizeof *w->later.customs);
    }
    w->later.used = true;
    w->later.stage_index = stage_index;
}

void window_reset(struct window *w, uint64_t second, uint64_t start_ns, uint64_t end_ns)
{
    for (uint32_t i = 0; i < w->key_count; i++) {
        part_reset(&w->keys[i]);
    }
    part_reset(&w->run);
    later_reset(w);
    w->second = second;
    w->start_ns = start_ns;
    w->end_ns = end_ns;
    w->stage_index = 0;
    w->silence_ns = 0;
    w->gauges = (struct window_gauges){0};
    w->busy_ns = w->wall_ns = w->wakeups = 0;
    w->health = (struct window_health){0};
    for (uint32_t i = 0; i < w->custom_count; i++) {
        custom_reset(&w->customs[i]);
    }
    w->slowest_count = 0;
    if (w->log != NULL) {
        sample_batch_reset(w->log);
    }
    w->samples_lost = w->samples_thinned = 0;
    window_failures_reset(w);
    memset(w->limits, 0, sizeof w->limits);
}

struct hist *window_dist_make(struct window_part *part, enum dist id)
{
    assert(part->dist[id] == NULL);
    part->dist[id] = hist_new();
    return part->dist[id];
}

/* Times of different clocks reads may cross by nanoseconds; a negative time is 0. */
static uint64_t since(uint64_t later, uint64_t earlier)
{
    return later > earlier ? later - earlier : 0;
}

static void record(struct window_part *part, enum dist id, uint64_t ns, bool censored)
{
    struct hist *h = window_dist(part, id);

    if (censored) {
        hist_record_censored(h, ns);
    } else {
        hist_record(h, ns);
    }
}

static void record_latencies(struct window *w, struct window_part *part, const struct outcome *o)
{
    bool sent = o->t_send != 0;
    bool cut = o->cls == OUTCOME_CUT || o->cls == OUTCOME_UNFINISHED;

    if (sent) {
        uint64_t ready = o->t_ready != 0 ? o->t_ready : o->t_due;
        hist_record(window_dist(window_run(w), DIST_TOOL_LAG), since(o->t_send, ready));
        window_run(w)->count[COUNT_EARLY_SENDS] += o->t_send < o->t_due;
    }
    if (o->cls == OUTCOME_FAILED) {
        if (sent) {
            hist_record(window_dist(part, DIST_FAILED), since(o->t_end, o->t_send));
        }
        return;
    }
    /* A lag is known exactly once something was sent; before that the end cut it. */
    record(part, DIST_LAG, since(sent ? o->t_send : o->t_end, o->t_due), cut && !sent);
    record(part, DIST_QUEUE, since(o->t_free != 0 ? o->t_free : o->t_end, o->t_due),
           o->t_free == 0);
    if (o->t_ready > o->t_due && o->t_ready > o->t_free) {
        record(part, DIST_SETUP, o->t_ready - (o->t_free > o->t_due ? o->t_free : o->t_due), false);
    }
    record(part, DIST_RESPONSE, since(o->t_end, o->t_due), cut);
    if (sent) {
        /* Without a request there is no service time; a 0 would polish its quantiles. */
        record(part, DIST_SERVICE, since(o->t_end, o->t_send), cut);
    }
}

static void count_stream(struct window_part *part, const struct outcome *o)
{
    /* The answer with our id ends a stream well, also when it says that the call failed. */
    bool answered = o->cls == OUTCOME_OK || o->error_type == ERROR_TYPE_JSONRPC_ERROR ||
                    o->error_type == ERROR_TYPE_TOOL_ERROR ||
                    o->error_type == ERROR_TYPE_CHECK_FAILED;

    if (o->cls == OUTCOME_UNFINISHED) {
        part->count[COUNT_STREAMS_UNFINISHED]++;
        return;
    }
    part->count[COUNT_STREAMS_ENDED]++;
    part->count[answered ? COUNT_STREAMS_COMPLETED : COUNT_STREAMS_FAILED]++;
    part->count[COUNT_STREAMS_STALLED] += o->error_type == ERROR_TYPE_STREAM_STALL;
}

static void count_failure(struct window_part *part, const struct outcome *o)
{
    /* COUNT_STARTED (0) stands for: no counter of its own. */
    static const enum count of_type[ERROR_TYPE_COUNT] = {
        [ERROR_TYPE_TOOL_ERROR] = COUNT_TOOL_ERRORS,
        [ERROR_TYPE_PROTOCOL_ERROR] = COUNT_PROTOCOL_ERRORS,
        [ERROR_TYPE_TIMEOUT] = COUNT_TIMEOUTS,
        [ERROR_TYPE_RATE_LIMITED] = COUNT_RATE_LIMITED,
        [ERROR_TYPE_RESOURCE_EXHAUSTED] = COUNT_OWN_FAILURES,
    };

    assert(o->error_type < ERROR_TYPE_COUNT);
    part->count[COUNT_ENDED_FAILED]++;
    if (of_type[o->error_type] != COUNT_STARTED) {
        part->count[of_type[o->error_type]]++;
    }
    part->count[COUNT_CHECK_FAILURES] += o->error_code == ERROR_CODE_CHECK_FAILED;
    part->count[COUNT_INTEGRITY_MISMATCHES] += o->error_code == ERROR_CODE_INTEGRITY_MISMATCH;
    part->count[COUNT_HTTP_5XX] += o->error_code == ERROR_CODE_HTTP_5XX;
}

/* ---- single operations ----------------------------------------------------------------------- */

static uint64_t felt_ns(const struct outcome *o)
{
    return since(o->t_end, o->t_due);
}

/* The list is short and changes rarely: most operations are not slower than its last one. */
static void note_slowest(struct window *w, const struct outcome *o)
{
    uint32_t at = w->slowest_count;

    if (at == WINDOW_SLOWEST_MAX) {
        if (felt_ns(o) <= felt_ns(&w->slowest[at - 1].outcome)) {
            return;
        }
        at--;
    } else {
        w->slowest_count++;
    }
    for (; at > 0 && felt_ns(o) > felt_ns(&w->slowest[at - 1].outcome); at--) {
        w->slowest[at] = w->slowest[at - 1];
    }
    op_sample_fill(&w->slowest[at], o);
}

/* Of one that is no success; `seen`: those of its kind in this window, itself included. */
static void log_failure(struct window *w, const struct outcome *o, uint64_t seen)
{
    if (seen > WINDOW_FAILURE_SAMPLES) {
        w->samples_lost++;
        return;
    }
    if (w->log == NULL) {
        w->log = sample_batch_new();
    }
    w->limits[LIMIT_LOG_MESSAGE] += o->message.len > SAMPLE_MESSAGE_MAX;
    sample_batch_failure(w->log, o);
}

static void log_success(struct window *w, const struct outcome *o)
{
    if (o->log_rank == 0) {
        w->samples_thinned++;
        return;
    }
    if (w->log == NULL) {
        w->log = sample_batch_new();
    }
    uint32_t gone = sample_batch_success(w->log, o, w->sample_max);
    if (w->samples_in_full) {
        w->samples_lost += gone;
    } else {
        w->samples_thinned += gone;
    }
}

struct sample_batch *window_swap_log(struct window *w, struct sample_batch *empty)
{
    struct sample_batch *full = w->log;

    if (full == NULL || full->failures.count + full->successes.count == 0) {
        sample_batch_free(empty);
        return NULL;
    }
    w->log = empty;
    return full;
}

/* What is nearly always 0: with hundreds of keys in turn each cache line is cold. */
static void count_if(struct window_part *part, enum count id, uint64_t n)
{
    if (n > 0) {
        part->count[id] += n;
    }
}

void window_late_event(struct window *w, uint32_t key, uint32_t heir)
{
    window_key(w, key)->count[COUNT_LATE_EVENTS]++;
    if (heir != WINDOW_KEY_NONE) {
        window_key(w, heir)->count[COUNT_CARRIED_EVENTS]++;
    }
}

/* It is in the rates of the stage in whose time it ended, if there is one. */
static void count_late(struct window *w, const struct outcome *o)
{
    struct window_part *own = window_key(w, o->key);
    uint64_t ended = o->cls != OUTCOME_UNFINISHED;
    uint64_t stalled = ended && o->is_stream && o->error_type == ERROR_TYPE_STREAM_STALL;

    own->count[COUNT_LATE_ENDED] += ended;
    own->count[COUNT_LATE_STALLED] += stalled;
    own->count[COUNT_LATE_BYTES_IN] += o->bytes_in;
    own->count[COUNT_LATE_BYTES_OUT] += o->bytes_out;
    if (o->heir != WINDOW_KEY_NONE) {
        struct window_part *heir = window_key(w, o->heir);
        heir->count[COUNT_CARRIED_ENDED] += ended;
        heir->count[COUNT_CARRIED_STALLED] += stalled;
        heir->count[COUNT_CARRIED_BYTES_IN] += o->bytes_in;
        heir->count[COUNT_CARRIED_BYTES_OUT] += o->bytes_out;
    }
}

void window_outcome(struct window *w, const struct outcome *o)
{
    struct window_part *part = window_key(w, o->key);
    uint64_t seen = 0;

    part->count[COUNT_REQUESTS_SENT] += o->requests_sent;
    count_if(part, COUNT_SESSION_RETRIES, o->session_retries);
    part->count[COUNT_BYTES_IN] += o->bytes_in;
    part->count[COUNT_BYTES_OUT] += o->bytes_out;
    if (o->is_late) {
        count_late(w, o);
    }
    record_latencies(w, part, o);
    w->limits[LIMIT_HISTOGRAM] += felt_ns(o) > HIST_VALUE_MAX; /* no other time is longer */
    if (o->is_stream) {
        count_stream(part, o);
    }
    switch (o->cls) {
    case OUTCOME_OK:
        part->count[COUNT_ENDED_OK]++;
        break;
    case OUTCOME_FAILED:
    case OUTCOME_CUT:
        count_failure(part, o);
        seen = window_failures_add(w, o);
        break;
    case OUTCOME_UNFINISHED:
        seen = ++part->count[COUNT_UNFINISHED];
        if (w->sample_max > 0) {
            log_failure(w, o, seen);
        }
        return;
    }
    note_slowest(w, o);
    if (w->sample_max > 0 && o->cls == OUTCOME_OK) {
        log_success(w, o);
    } else if (w->sample_max > 0) {
        log_failure(w, o, seen);
    }
    count_if(part, COUNT_INTEGRITY_VERIFIED, o->verified);
    count_if(part, COUNT_NOT_STREAMED, o->not_streamed);
    part->count[COUNT_SESSION_REUSED] += o->session_was_used;
}

void window_connect(struct window *w, uint64_t ns, enum error_code code)
{
    struct window_part *run = window_run(w);

    /* What failed for want of our own ports or descriptors says nothing of the target. */
    if (error_code_type(code) == ERROR_TYPE_RESOURCE_EXHAUSTED) {
        run->count[COUNT_CONNECT_OWN]++;
        return;
    }
    run->count[COUNT_CONNECT_ATTEMPTS]++;
    if (code != ERROR_CODE_NONE) {
        run->count[COUNT_CONNECT_FAILURES]++;
        return;
    }
    hist_record(window_dist(run, DIST_CONNECT), ns);
}

void window_session(struct window *w, uint64_t setup_ns, uint64_t init_ns, bool ok)
{
    struct window_part *run = window_run(w);

    if (!ok) {
        run->count[COUNT_SESSIONS_FAILED]++;
        return;
    }
    run->count[COUNT_SESSIONS_CREATED]++;
    hist_record(window_dist(run, DIST_SESSION), setup_ns);
    hist_record(window_dist(run, DIST_INITIALIZE), init_ns);
}
