/* SPDX-License-Identifier: MIT */
/* Tools that take their time, stream, fail or push back. Nothing waits here: a tool says when its
 * answer is due. */
#include "base/rng.h"
#include "mock/tools/tools.h"

#include <math.h>

#define HOLD_MAX_MS 600000.0

static uint64_t ns_of_ms(double ms)
{
    return (uint64_t)(ms * (double)NS_PER_MS);
}

static void slept(struct op *op, double ms)
{
    op->delay_ns = (uint64_t)ms * NS_PER_MS;
    tool_text(op, "slept %llums", (unsigned long long)ms);
}

void tool_timeout_tool(struct op *op, const json_t *arguments)
{
    (void)arguments;
    op->kind = OP_NEVER;
}

/* ---- streams ------------------------------------------------------------------------------ */

static bool may_stream(const struct op *op)
{
    return op->can_sse && op->m->shared->config.style != MOCK_STYLE_JSON;
}

void tool_streaming_tool(struct op *op, const json_t *arguments)
{
    int64_t chunks = 5, delay_ms = 50;

    if (!tool_bounded(op, arguments, "chunks", 1, 100000, &chunks) ||
        !tool_bounded(op, arguments, "delay_ms", 0, 600000, &delay_ms)) {
        return;
    }
    if (!may_stream(op)) {
        tool_text(op, "streaming complete");
        return;
    }
    tool_text(op, "stream complete");
    op->kind = OP_EVENTS;
    op->event_count = (uint32_t)chunks;
    op->interval_ns = (uint64_t)delay_ms * NS_PER_MS;
}

void tool_subscribe(struct op *op, const json_t *arguments)
{
    int64_t count = 10, interval_ms = 1000;

    if (!tool_bounded(op, arguments, "event_count", 1, 1000000, &count) ||
        !tool_bounded(op, arguments, "interval_ms", 0, 3600000, &interval_ms)) {
        return;
    }
    tool_text(op, "subscription complete: %lld events", (long long)count);
    if (may_stream(op)) {
        op->kind = OP_EVENTS;
        op->event_count = (uint32_t)count;
        op->interval_ns = (uint64_t)interval_ms * NS_PER_MS;
    } else {
        op->delay_ns = (uint64_t)(count - 1) * (uint64_t)interval_ms * NS_PER_MS;
    }
}

void tool_large_payload(struct op *op, const json_t *arguments)
{
    double size_kb;

    if (!tool_number(arguments, "size_kb", &size_kb) || !(size_kb > 0) || size_kb > 65536) {
        tool_error(op, "invalid size_kb");
        return;
    }
    op->kind = OP_FILL;
    op->fill_bytes = (uint64_t)fmax(1, round(size_kb * 1024));
}

/* ---- latency ------------------------------------------------------------------------------ */

void tool_random_latency(struct op *op, const json_t *arguments)
{
    double min_ms, max_ms;

    if (!tool_number(arguments, "min_ms", &min_ms)) {
        tool_error(op, "missing min_ms");
    } else if (!tool_number(arguments, "max_ms", &max_ms)) {
        tool_error(op, "missing max_ms");
    } else if (min_ms < 0 || max_ms < min_ms || max_ms > HOLD_MAX_MS) {
        tool_error(op, "invalid range");
    } else {
        slept(op, floor(min_ms + tool_draw(op) * (max_ms - min_ms)));
    }
}

void tool_realistic_latency(struct op *op, const json_t *arguments)
{
    enum { LOW_MS = 50, SPAN_MS = 100 };
    double mean_ms, stddev_ms = 0;

    tool_number(arguments, "stddev_ms", &stddev_ms);
    if (!tool_number(arguments, "mean_ms", &mean_ms)) {
        slept(op, floor(LOW_MS + tool_draw(op) * SPAN_MS));
        return;
    }
    /* Box and Muller; 1 - u is never 0. */
    double radius = sqrt(-2 * log(1 - tool_draw(op)));
    double normal = radius * cos(2 * M_PI * tool_draw(op));
    slept(op, floor(fmin(fmax(0, mean_ms + stddev_ms * normal), HOLD_MAX_MS)));
}

void tool_degrading(struct op *op, const json_t *arguments)
{
    struct mock_memory *memory = &op->m->shared->memory;
    const double longest_ms = 60000;
    double base_ms = 20, increment_ms = 20;

    if (tool_number(arguments, "base_latency_ms", &base_ms) && base_ms < 0) {
        base_ms = 0;
    }
    if (tool_number(arguments, "increment_ms", &increment_ms) && increment_ms < 0) {
        increment_ms = 0;
    }
    pthread_mutex_lock(&memory->lock);
    if (tool_true(arguments, "reset")) {
        memory->degrade_step = 0;
    }
    uint64_t step = ++memory->degrade_step;
    pthread_mutex_unlock(&memory->lock);
    op->delay_ns = ns_of_ms(fmin(base_ms + (double)(step - 1) * increment_ms, longest_ms));
    tool_text(op, "degraded step %llu", (unsigned long long)step);
}

/* ---- failures ----------------------------------------------------------------------------- */

void tool_flaky_connection(struct op *op, const json_t *arguments)
{
    double rate = 0.3;
    struct str mode = STR("result");

    tool_number(arguments, "failure_rate", &rate);
    tool_string(arguments, "mode", &mode);
    if (tool_draw(op) >= rate) {
        tool_text(op, "ok");
    } else if (str_ieq(mode, STR("close"))) {
        op->kind = OP_CLOSE;
    } else if (str_ieq(mode, STR("reset"))) {
        op->kind = OP_RESET;
    } else {
        tool_error(op, "flaky connection");
    }
}

void tool_rate_limited(struct op *op, const json_t *arguments)
{
    enum { CALLS_PER_SECOND = 5 };
    struct mock_memory *memory = &op->m->shared->memory;
    uint64_t now = loop_clock(op->m->loop), limit = CALLS_PER_SECOND, window_ns = NS_PER_S;
    int64_t per_minute = 0;
    bool passes;

    if (tool_integer(arguments, "requests_per_minute", &per_minute) && per_minute > 0) {
        limit = (uint64_t)per_minute;
        window_ns = 60 * NS_PER_S;
    }
    pthread_mutex_lock(&memory->lock);
    bool minute = window_ns > NS_PER_S;
    uint64_t *began = minute ? &memory->minute.began_ns : &memory->second.began_ns;
    uint64_t *used = minute ? &memory->minute.used : &memory->second.used;
    bool *open = minute ? &memory->minute.open : &memory->second.open;
    if (!*open || now >= *began + window_ns) {
        *open = true;
        *began = now;
        *used = 0;
    }
    passes = *used < limit;
    *used += passes;
    pthread_mutex_unlock(&memory->lock);
    if (passes) {
        tool_text(op, "ok");
    } else if (tool_true(arguments, "http_429")) {
        op->kind = OP_HTTP_429;
    } else {
        tool_error(op, "rate limited");
    }
}

void tool_circuit_breaker(struct op *op, const json_t *arguments)
{
    struct mock_memory *memory = &op->m->shared->memory;
    uint64_t now = loop_clock(op->m->loop);
    int64_t threshold = 3, reset_ms = 2000;

    if (!tool_integer(arguments, "failure_threshold", &threshold) || threshold < 1) {
        threshold = 3;
    }
    if (!tool_integer(arguments, "reset_timeout_ms", &reset_ms) || reset_ms < 0 ||
        (double)reset_ms > HOLD_MAX_MS) {
        reset_ms = 2000;
    }
    pthread_mutex_lock(&memory->lock);
    bool open = now < memory->circuit_until_ns;
    if (!open && tool_true(arguments, "force_error")) {
        if (++memory->forced_errors >= (uint64_t)threshold) {
            memory->circuit_until_ns = now + (uint64_t)reset_ms * NS_PER_MS;
            memory->forced_errors = 0;
            open = true;
        }
    } else if (!open) {
        memory->forced_errors = 0; /* "in a row" */
    }
    pthread_mutex_unlock(&memory->lock);
    if (open) {
        tool_error(op, "circuit open");
    } else {
        tool_text(op, "ok");
    }
}

/*
 * Five slots with 50 ms of work each. When a call arrives it is known when a slot will be free, so
 * the queue needs no waiting list: a call takes the slot that is free first, or is told at the end
 * of its patience that there was none.
 */
void tool_backpressure(struct op *op, const json_t *arguments)
{
    enum { WORK_MS = 50, PATIENCE_MS = 100 };
    struct mock_memory *memory = &op->m->shared->memory;
    uint64_t now = loop_clock(op->m->loop);
    int64_t depth, most;

    if (tool_integer(arguments, "queue_depth", &depth) &&
        tool_integer(arguments, "max_queue", &most) && depth >= most) {
        tool_error(op, "backpressure");
        return;
    }
    pthread_mutex_lock(&memory->lock);
    uint64_t *slot = &memory->slot_free_ns[0];
    for (size_t i = 1; i < sizeof memory->slot_free_ns / sizeof memory->slot_free_ns[0]; i++) {
        if (memory->slot_free_ns[i] < *slot) {
            slot = &memory->slot_free_ns[i];
        }
    }
    uint64_t start = *slot > now ? *slot : now;
    bool served = start - now <= PATIENCE_MS * NS_PER_MS;
    if (served) {
        *slot = start + WORK_MS * NS_PER_MS;
    }
    pthread_mutex_unlock(&memory->lock);
    if (served) {
        tool_text(op, "ok");
        op->delay_ns = start - now + WORK_MS * NS_PER_MS;
    } else {
        tool_error(op, "backpressure");
        op->delay_ns = PATIENCE_MS * NS_PER_MS;
    }
}
