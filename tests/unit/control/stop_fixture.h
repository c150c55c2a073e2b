/* SPDX-License-Identifier: MIT */
/* Books of one source, and stop conditions that look at them, second by second. */
#ifndef TESTS_UNIT_CONTROL_STOP_FIXTURE_H
#define TESTS_UNIT_CONTROL_STOP_FIXTURE_H

#include "base/clock.h"
#include "control/stop.h"
#include "support/unit.h"

#define MS UINT64_C(1000000)

enum { STAGES = 2, KEYS = 4, CUSTOMS = 1, HISTORY = 60 };

/* Key `stage` is echo in it, key STAGES + `stage` is search. */
static const struct aggregate_key keys[KEYS] = {
    {.stage_index = 0, .operation = "tools/call", .tool_name = "echo"},
    {.stage_index = 1, .operation = "tools/call", .tool_name = "echo"},
    {.stage_index = 0, .operation = "tools/call", .tool_name = "search"},
    {.stage_index = 1, .operation = "tools/call", .tool_name = "search"},
};

/* What happens in one second of history. */
struct second {
    uint32_t stage;
    bool search;
    int ok, failed, stalled, events, streams, dropped;
    uint64_t service_ms;
    double number; /* of the metric of the scenario; 0: none is found */
    bool idle;     /* no VU was active */
};

struct fixture {
    struct aggregate *a;
    struct stop *s;
    struct window *w;
    uint64_t next;
    struct stop_trigger trigger;
};

static inline struct fixture set_up(const struct stop_spec *specs, size_t count)
{
    return (struct fixture){.a = aggregate_new(keys, KEYS, STAGES, 1, CUSTOMS, HISTORY),
                            .s = stop_new(specs, count),
                            .w = window_new(KEYS, CUSTOMS, 0)};
}

static inline void tear_down(struct fixture *f)
{
    aggregate_free(f->a);
    stop_free(f->s);
    window_free(f->w);
}

static inline struct stop_spec spec(const char *metric,
                                    enum stop_comparator comparator,
                                    double threshold,
                                    uint64_t window_ms,
                                    uint32_t sustain)
{
    const struct metric *m = metric_find(str_c(metric));

    assert_non_null(m);
    return (struct stop_spec){.id = "c",
                              .metric = m,
                              .comparator = comparator,
                              .threshold = threshold,
                              .window_ms = window_ms,
                              .sustain_windows = sustain,
                              .stage_index = -1};
}

static inline void end_operation(struct window *w,
                                 uint32_t key,
                                 enum outcome_class cls,
                                 enum error_code code,
                                 uint64_t service_ms)
{
    struct outcome o = {.key = key,
                        .cls = cls,
                        .t_due = 1,
                        .t_free = 1,
                        .t_ready = 1,
                        .t_send = 1,
                        .t_end = 1 + service_ms * MS,
                        .is_stream = code == ERROR_CODE_STREAM_STALL_TIMEOUT,
                        .error_code = code,
                        .error_type = error_code_type(code),
                        .origin = error_type_origin(error_code_type(code)),
                        .message = STR("went wrong")};

    window_started(w, key);
    window_outcome(w, &o);
}

/* One more second happened; true when a condition holds at its end. */
static inline bool tick(struct fixture *f, struct second c)
{
    uint32_t key = c.stage + (c.search ? STAGES : 0);

    window_reset(f->w, f->next, f->next * NS_PER_S, (f->next + 1) * NS_PER_S);
    f->w->stage_index = c.stage;
    f->w->gauges.active_vus = c.idle ? 0 : 1;
    for (int i = 0; i < c.ok; i++) {
        end_operation(f->w, key, OUTCOME_OK, ERROR_CODE_NONE, c.service_ms);
    }
    for (int i = 0; i < c.failed; i++) {
        end_operation(f->w, key, OUTCOME_FAILED, ERROR_CODE_TOOL_ERROR, 1);
    }
    for (int i = 0; i < c.stalled; i++) {
        end_operation(f->w, key, OUTCOME_CUT, ERROR_CODE_STREAM_STALL_TIMEOUT, 10000);
    }
    for (int i = 0; i < c.events; i++) {
        window_event(f->w, key, MS);
    }
    for (int i = 0; i < c.streams; i++) {
        window_stream_started(f->w, key);
    }
    window_key(f->w, key)->count[COUNT_DROPPED_DEADLINE] += (uint64_t)c.dropped;
    if (c.number != 0) {
        window_custom(f->w, 0, c.number, true, f->next + 1);
    }
    assert_true(aggregate_add(f->a, 0, f->w));
    f->next++;
    return stop_evaluate(f->s, f->a, aggregate_complete(f->a), &f->trigger);
}

/* The number of equal seconds after which it holds, or `most` + 1. */
static inline int ticks_until(struct fixture *f, struct second c, int most)
{
    int n = 1;

    while (n <= most && !tick(f, c)) {
        n++;
    }
    return n;
}

#endif
