/* SPDX-License-Identifier: MIT */
/*
 * GET /runs/{id}/metrics: the result document's figures under the API's names, so that both say the
 * same.
 */
#include "base/clock.h"
#include "fleet/hub_priv.h"
#include "report/result/result.h"

#include <string.h>

/* ---- figures of a part of the load ------------------------------------------------------------
 */

struct rename {
    const char *to, *from;
};

static void copy(json_t *to, const char *name, json_t *value)
{
    json_object_set(to, name, value != NULL ? value : json_null());
}

static void take(json_t *to, const json_t *from, const struct rename *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        copy(to, rows[i].to, json_object_get(from, rows[i].from));
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
        copy(out, quantiles[i], json_object_get(totals, name));
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
    copy(out, "dropped_ops", json_object_get(totals, "dropped_operations"));
    copy(out, "duration_ms", json_object_get(result, "duration_ms"));
    copy(out, "latency_is", json_object_get(result, "latency_is"));
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
    copy(out, "losses", json_object_get(result, "losses"));
    json_object_set_new(out, "operations_truncated", json_false());
    return out;
}

/* A run that nobody has started has counted nothing, and there is nothing to take quantiles of. */
static json_t *nothing_yet(const char *run_id)
{
    static const char *const names[] = {
        "started",         "unfinished",     "bytes_in",        "bytes_out",
        "journey_started", "journey_failed", "streams_started", "streams_completed",
        "streams_stalled", "streams_failed", "not_streamed",    "events",
    };
    json_t *counts = json_object();

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        json_object_set_new(counts, names[i], json_integer(0));
    }
    return json_pack("{sssos{si}}", "run_id", run_id, "counts", counts, "totals",
                     "dropped_operations", 0);
}

/* ---- asked for --------------------------------------------------------------------------------
 */

static bool is_created(struct hub *h, const char *run_id)
{
    struct hub_refusal why = {0};
    json_t *view = NULL;
    bool created = false;

    if (hub_view(h, run_id, &view, &why) == 0) {
        const char *state = json_string_value(json_object_get(view, "state"));
        created = state != NULL && strcmp(state, run_state_name(RUN_CREATED)) == 0;
    }
    hub_refusal_clear(&why);
    json_decref(view);
    return created;
}

/* The document that the figures come from: of now, of the end, or of nothing. */
static int figures_of(struct hub *h, const char *run_id, json_t **result, struct hub_refusal *why)
{
    struct hosted *r = hub_find(h, run_id);

    if (r != NULL) {
        *result = result_json(r->run);
        return 0;
    }
    int rc = hub_result(h, run_id, result, why);
    if (rc == ERR_STATE && is_created(h, run_id)) {
        hub_refusal_clear(why);
        *result = nothing_yet(run_id);
        rc = 0;
    }
    return rc;
}

int hub_metrics(struct hub *h,
                const char *run_id,
                const struct hub_metrics_query *query,
                json_t **out,
                struct hub_refusal *why)
{
    json_t *result = NULL;
    int rc = figures_of(h, run_id, &result, why);

    if (rc != 0) {
        return rc;
    }
    *out = metrics_of(result);
    json_decref(result);
    if (query->time_series && hub_series(h, run_id, query, *out) != 0) {
        json_decref(*out);
        return refuse_store(h, why);
    }
    return 0;
}
