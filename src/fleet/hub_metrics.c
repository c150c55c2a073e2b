/* SPDX-License-Identifier: MIT */
/*
 * GET /runs/{id}/metrics: the result document's figures under the API's names, so that both say the
 * same, and the seconds of the store as a series.
 */
#include "base/clock.h"
#include "fleet/hub_priv.h"
#include "report/result/result.h"

#include <string.h>

enum { BUCKETS_MAX = 2000, SECONDS_PAGE = 10000 };

/* ---- figures of a part of the load ------------------------------------------------------------
 */

struct rename {
    const char *to, *from;
};

static void take(json_t *to, const json_t *from, const struct rename *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_t *value = json_object_get(from, rows[i].from);
        json_object_set(to, rows[i].to, value != NULL ? value : json_null());
    }
}
#define TAKE(to, from, rows) take((to), (from), (rows), sizeof(rows) / sizeof(rows)[0])

static json_int_t count_of(const json_t *counts, const char *name)
{
    return json_integer_value(json_object_get(counts, name));
}

/* total, success and failure of an object that has `counts`; journeys are none of them. */
static void add_counts(json_t *to, const json_t *part)
{
    const json_t *counts = json_object_get(part, "counts");
    json_int_t ok = count_of(counts, "ended_ok"), failed = count_of(counts, "ended_failed");

    json_object_set_new(to, "total_ops", json_integer(ok + failed));
    json_object_set_new(to, "success_ops", json_integer(ok));
    json_object_set_new(to, "failure_ops", json_integer(failed));
    json_object_set_new(to, "error_rate",
                        ok + failed > 0 ? json_real((double)failed / (double)(ok + failed))
                                        : json_null());
}

/* One row of by_tool, by_operation, by_stage. */
static json_t *part_json(const json_t *part)
{
    static const struct rename latencies[] = {
        {"latency_p50", "latency_p50_ms"},
        {"latency_p95", "latency_p95_ms"},
        {"latency_p99", "latency_p99_ms"},
    };
    json_t *out = json_object();

    add_counts(out, part);
    TAKE(out, json_object_get(part, "totals"), latencies);
    return out;
}

/* Rows of the result's operations under a name of theirs. Of several rows with one name counts are
 * added; quantiles of parts cannot be, and are left open. */
static json_t *by_name(const json_t *operations, const char *member)
{
    json_t *out = json_object(), *row;
    size_t i;

    json_array_foreach(operations, i, row)
    {
        const char *name = json_string_value(json_object_get(row, member));
        if (name == NULL) {
            continue;
        }
        json_t *have = json_object_get(out, name), *part = part_json(row);
        if (have == NULL) {
            json_object_set_new(out, name, part);
            continue;
        }
        json_int_t total = count_of(have, "total_ops") + count_of(part, "total_ops");
        json_int_t failed = count_of(have, "failure_ops") + count_of(part, "failure_ops");
        json_object_set_new(have, "total_ops", json_integer(total));
        json_object_set_new(have, "success_ops", json_integer(total - failed));
        json_object_set_new(have, "failure_ops", json_integer(failed));
        json_object_set_new(have, "error_rate",
                            total > 0 ? json_real((double)failed / (double)total) : json_null());
        json_object_set_new(have, "latency_p50", json_null());
        json_object_set_new(have, "latency_p95", json_null());
        json_object_set_new(have, "latency_p99", json_null());
        json_decref(part);
    }
    return out;
}

static json_t *by_stage(const json_t *stages)
{
    json_t *out = json_object(), *stage;
    size_t i;

    json_array_foreach(stages, i, stage)
    {
        json_t *row = part_json(stage);
        const json_t *achieved = json_object_get(stage, "achieved");
        const json_t *planned = json_object_get(stage, "planned");

        json_object_set(row, "stage", json_object_get(stage, "stage"));
        json_object_set(row, "throughput", json_object_get(achieved, "ops_per_second"));
        json_object_set(row, "duration_ms", json_object_get(achieved, "duration_ms"));
        json_object_set(row, "max_active_vus", json_object_get(achieved, "max_vus"));
        json_object_set(row, "target_vus", json_object_get(planned, "vus"));
        json_object_set(row, "target_rps", json_object_get(planned, "rps"));
        json_object_set_new(out, json_string_value(json_object_get(stage, "stage_id")), row);
    }
    return out;
}

/* ---- the whole --------------------------------------------------------------------------------
 */

static json_t *latencies_of(const json_t *totals, const char *prefix)
{
    static const char *const quantiles[] = {"p50", "p90", "p95", "p99", "p999", "max", "mean"};
    json_t *out = json_object();

    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s_%s_ms", prefix, quantiles[i]);
        json_object_set(out, quantiles[i], json_object_get(totals, name));
    }
    return out;
}

static json_t *streams_of(const json_t *counts, const json_t *totals)
{
    static const struct rename rows[] = {
        {"started", "streams_started"},   {"completed", "streams_completed"},
        {"stalled", "streams_stalled"},   {"errors", "streams_failed"},
        {"not_streamed", "not_streamed"}, {"events", "events"},
    };
    static const struct rename more[] = {
        {"first_event_p50_ms", "time_to_first_event_p50_ms"},
        {"first_event_p95_ms", "time_to_first_event_p95_ms"},
        {"first_event_p99_ms", "time_to_first_event_p99_ms"},
        {"event_gap_p95_ms", "event_gap_p95_ms"},
    };
    json_t *out = json_object();

    TAKE(out, counts, rows);
    TAKE(out, totals, more);
    return out;
}

/* The same failures, counted by one of their members. */
static json_t *errors_by(const json_t *errors, const char *member)
{
    json_t *out = json_object(), *row;
    size_t i;

    json_array_foreach(errors, i, row)
    {
        const char *name = json_string_value(json_object_get(row, member));
        if (name != NULL) {
            json_object_set_new(out, name,
                                json_integer(count_of(out, name) + count_of(row, "count")));
        }
    }
    return out;
}

static json_t *metrics_of(const json_t *result)
{
    static const struct rename latencies[] = {
        {"latency_p50_ms", "latency_p50_ms"},   {"latency_p90_ms", "latency_p90_ms"},
        {"latency_p95_ms", "latency_p95_ms"},   {"latency_p99_ms", "latency_p99_ms"},
        {"latency_p999_ms", "latency_p999_ms"}, {"latency_mean_ms", "latency_mean_ms"},
        {"latency_max_ms", "latency_max_ms"},   {"throughput", "ops_per_second"},
    };
    static const struct rename numbers[] = {
        {"started_ops", "started"},         {"unfinished_ops", "unfinished"},
        {"bytes_in", "bytes_in"},           {"bytes_out", "bytes_out"},
        {"journey_ops", "journey_started"}, {"journey_failures", "journey_failed"},
    };
    const json_t *totals = json_object_get(result, "totals");
    const json_t *counts = json_object_get(result, "counts");
    const json_t *operations = json_object_get(result, "operations");
    json_t *out = json_object();

    json_object_set(out, "run_id", json_object_get(result, "run_id"));
    add_counts(out, result);
    json_object_set(out, "failed_ops", json_object_get(out, "failure_ops"));
    TAKE(out, totals, latencies);
    TAKE(out, counts, numbers);
    json_object_set(out, "dropped_ops", json_object_get(totals, "dropped_operations"));
    json_object_set(out, "duration_ms", json_object_get(result, "duration_ms"));
    json_object_set(out, "latency_is", json_object_get(result, "latency_is"));
    json_object_set_new(out, "response", latencies_of(totals, "response"));
    json_object_set_new(out, "service", latencies_of(totals, "service"));
    json_object_set_new(out, "lag", latencies_of(totals, "lag"));
    json_object_set_new(out, "streams", streams_of(counts, totals));
    json_object_set_new(out, "connections",
                        json_pack("{sIsI}", "opened", count_of(counts, "connect_attempts"),
                                  "failed", count_of(counts, "connect_failures")));
    json_object_set_new(out, "by_tool", by_name(operations, "tool_name"));
    json_object_set_new(out, "by_operation", by_name(operations, "operation"));
    json_object_set_new(out, "by_stage", by_stage(json_object_get(result, "stages")));
    json_object_set_new(out, "by_error_type", errors_by(json_object_get(result, "errors"), "type"));
    json_object_set_new(out, "by_origin", errors_by(json_object_get(result, "errors"), "origin"));
    json_object_set(out, "losses", json_object_get(result, "losses"));
    json_object_set_new(out, "operations_truncated", json_false());
    return out;
}

/* ---- the series ------------------------------------------------------------------------------ */

struct series {
    json_t *buckets;
    const struct hub_metrics_query *query;
    uint64_t started_ms, width_ms;
    uint64_t rows; /* of the store, that were read */
};

static json_int_t number_of(const json_t *o, const char *name)
{
    return (json_int_t)json_number_value(json_object_get(o, name));
}

/* A second that begins a bucket. */
static json_t *bucket_new(const json_t *second, uint64_t at_ms)
{
    static const struct rename rows[] = {
        {"latency_p50", "latency_p50_ms"}, {"latency_p95", "latency_p95_ms"},
        {"latency_p99", "latency_p99_ms"}, {"active_vus", "active_vus"},
        {"in_flight", "in_flight"},        {"active_sessions", "active_sessions"},
        {"stage_id", "stage_id"},
    };
    json_t *b = json_object();

    json_object_set_new(b, "timestamp", json_integer((json_int_t)at_ms));
    json_object_set_new(b, "success_ops", json_integer(0));
    json_object_set_new(b, "failed_ops", json_integer(0));
    json_object_set_new(b, "events", json_integer(0));
    json_object_set_new(b, "bytes_in", json_integer(0));
    json_object_set_new(b, "bytes_out", json_integer(0));
    TAKE(b, second, rows);
    return b;
}

static void bucket_add(json_t *b, const char *name, json_int_t n)
{
    json_object_set_new(b, name, json_integer(count_of(b, name) + n));
}

static void bucket_count(json_t *b, const json_t *second, double width_s)
{
    json_int_t failed = number_of(second, "failed"), ops = number_of(second, "ops");

    bucket_add(b, "success_ops", ops - failed);
    bucket_add(b, "failed_ops", failed);
    bucket_add(b, "events", number_of(second, "events"));
    bucket_add(b, "bytes_in", number_of(second, "bytes_received"));
    bucket_add(b, "bytes_out", number_of(second, "bytes_sent"));
    json_int_t total = count_of(b, "success_ops") + count_of(b, "failed_ops");
    json_object_set_new(b, "throughput", json_real((double)total / width_s));
    json_object_set_new(b, "error_rate",
                        total > 0 ? json_real((double)count_of(b, "failed_ops") / (double)total)
                                  : json_null());
}

static bool is_wanted(const struct series *s, const json_t *second, uint64_t at_ms)
{
    const char *stage = json_string_value(json_object_get(second, "stage_id"));

    return at_ms >= s->query->from_ms && at_ms < s->query->to_ms &&
           (s->query->stage_id == NULL ||
            (stage != NULL && strcmp(stage, s->query->stage_id) == 0));
}

static bool add_second(void *owner, uint64_t number, struct str body)
{
    struct series *s = owner;
    uint64_t at_ms = s->started_ms + number * 1000;
    json_t *second = NULL;

    s->rows++;
    if (json_parse(body, HUB_DOCUMENT_MAX, &second, NULL) != 0 || !is_wanted(s, second, at_ms)) {
        json_decref(second);
        return true;
    }
    uint64_t begin_ms = at_ms - number * 1000 % s->width_ms;
    json_t *last = json_array_get(s->buckets, json_array_size(s->buckets) - 1);
    if (last == NULL || (uint64_t)count_of(last, "timestamp") != begin_ms) {
        last = bucket_new(second, begin_ms);
        json_array_append_new(s->buckets, last);
    } else { /* quantiles of several seconds cannot be added */
        json_object_set_new(last, "latency_p50", json_null());
        json_object_set_new(last, "latency_p95", json_null());
        json_object_set_new(last, "latency_p99", json_null());
    }
    bucket_count(last, second, (double)s->width_ms / 1000);
    json_decref(second);
    return true;
}

static bool count_rows(void *owner, uint64_t number, struct str body)
{
    uint64_t *last = owner;

    (void)body;
    *last = number + 1;
    return true;
}

static int add_series(struct hub *h,
                      const char *run_id,
                      const struct hub_metrics_query *query,
                      uint64_t started_ms,
                      json_t *out)
{
    struct series s = {.buckets = json_array(), .query = query, .started_ms = started_ms};
    uint64_t seconds = 0, from = 0, before;
    int rc;

    do {
        before = seconds;
        rc = store_seconds(h->store, run_id, seconds, SECONDS_PAGE, count_rows, &seconds);
    } while (rc == 0 && seconds > before);
    uint64_t width_s = query->resolution_ms / 1000 > 0 ? query->resolution_ms / 1000 : 1;
    uint64_t least = (seconds + BUCKETS_MAX - 1) / BUCKETS_MAX;
    s.width_ms = 1000 * (width_s > least ? width_s : least);
    for (; rc == 0 && from < seconds; from += SECONDS_PAGE) {
        rc = store_seconds(h->store, run_id, from, SECONDS_PAGE, add_second, &s);
    }
    json_object_set_new(out, "resolution_ms", json_integer((json_int_t)s.width_ms));
    json_object_set_new(out, "time_series", s.buckets);
    return rc;
}

static uint64_t started_of(struct hub *h, const char *run_id)
{
    struct hub_refusal why = {0};
    json_t *view = NULL;
    uint64_t ms = 0;

    if (hub_view(h, run_id, &view, &why) == 0) {
        ms = (uint64_t)count_of(view, "started_at_ms");
    }
    hub_refusal_clear(&why);
    json_decref(view);
    return ms;
}

int hub_metrics(struct hub *h,
                const char *run_id,
                const struct hub_metrics_query *query,
                json_t **out,
                struct hub_refusal *why)
{
    struct hosted *r = hub_find(h, run_id);
    json_t *result = NULL;
    int rc = 0;

    if (r != NULL) {
        result = result_json(r->run);
    } else {
        rc = hub_result(h, run_id, &result, why);
    }
    if (rc != 0) {
        return rc;
    }
    *out = metrics_of(result);
    json_decref(result);
    if (query->time_series && add_series(h, run_id, query, started_of(h, run_id), *out) != 0) {
        json_decref(*out);
        return refuse_store(h, why);
    }
    return 0;
}
