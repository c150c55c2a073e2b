/* SPDX-License-Identifier: MIT */
#include "api/shapes.h"

static const struct shape_member run_view[] = {
    {"run_id", "string", "`run_` and 20 hexadecimal digits; they sort by the time of creation."},
    {"execution_id", "any", "Of its start; null before."},
    {"scenario_id", "string", "Of the scenario."},
    {"name", "string", "Of the run; the scenario's when it was given none."},
    {"tags", "object", "Labels."},
    {"state", "string",
     "`created`, `preflight_running` …, `completed`, `stopped`, `failed`, "
     "`aborted`."},
    {"phase", "string",
     "The same in fewer words: `created`, `preflight`, `running`, `draining`, "
     "`analyzing`, `completed`, `stopped`, `failed`, `aborted`."},
    {"terminal", "boolean", "It is over."},
    {"config_hash", "string",
     "SHA-256 of the scenario with everything applied and secrets masked."},
    {"created_at_ms", "integer", "When it was made."},
    {"updated_at_ms", "integer", "When this was last written."},
    {"created_by", "any", "Who made it; null when nobody said."},
    {"started_at_ms", "integer", "When it was started."},
    {"ended_at_ms", "integer", "When it was over."},
    {"duration_ms", "integer", "Between the two."},
    {"active_stage", "object", "`{stage, stage_id}`; absent when no stage is running."},
    {"progress", "object",
     "`{stage_index, stages, elapsed_ms, planned_ms, target_vus, active_vus}`."},
    {"summary", "object",
     "`{total_ops, failed_ops, throughput, error_rate, latency_p50_ms, "
     "latency_p95_ms, latency_p99_ms}`."},
    {"stop_reason", "object", "`{kind, mode, reason, message, actor, at_ms}`."},
    {"last_decision_event_id", "any", "The last event of the type `DECISION`, or null."},
    {"verdict", "any", "Of a run that is over: `passed`, `failed`, `invalid`, or null."},
    {"validity", "object", "`{state, evidence}`: can the figures be trusted?"},
    {"exit_code", "integer", "Of `mcpdrill run` for the same outcome."},
    {"workers", "array", "Ids of those that play it."},
    {"losses", "object", "`{log_lines_dropped, workers_lost}`."},
};

static const struct shape_member worker[] = {
    {"worker_id", "string", "`wkr_` and hexadecimal digits."},
    {"host_info", "object", "`{hostname, ip_addr, platform}`."},
    {"capacity", "object", "`{max_vus, max_concurrent_ops, max_rps}`, as it said itself."},
    {"effective_capacity", "object", "What of it is free."},
    {"saturated", "boolean", "Nothing is."},
    {"registered_at", "integer", "When it came, in ms."},
    {"last_heartbeat", "integer", "When it was heard of last, in ms."},
    {"state", "string", "`online`, `late` (three seconds without a word) or `lost` (ten)."},
    {"labels", "object", "Of its command line."},
    {"version", "string", "Of its program."},
    {"cores", "integer", "Of its machine."},
    {"health", "object",
     "`{cpu_percent, mem_bytes, active_vus, active_sessions, in_flight_ops, "
     "queue_depth}`."},
    {"runs", "array", "Ids of the runs that it plays."},
    {"clock_offset_ms", "number", "Of its clock against ours."},
};

static const struct shape_member metrics[] = {
    {"run_id", "string", "Of the run."},
    {"total_ops", "integer", "Operations of the workload that have ended."},
    {"success_ops", "integer", "Of these, well."},
    {"failure_ops", "integer", "And badly."},
    {"failed_ops", "integer", "The same."},
    {"error_rate", "any", "`failed_ops / total_ops`; null without any."},
    {"throughput", "any", "Operations ended in a second of planned load; null without any."},
    {"latency_is", "any",
     "What `latency_…` is: `service` (S), or `response` (R) in the open "
     "model; null before the start."},
    {"latency_p50_ms", "any", "Quantiles by nearest rank; null without a sample."},
    {"latency_p90_ms", "any", "Likewise."},
    {"latency_p95_ms", "any", "Likewise."},
    {"latency_p99_ms", "any", "Likewise."},
    {"latency_p999_ms", "any", "Likewise."},
    {"latency_mean_ms", "any", "The mean."},
    {"latency_max_ms", "any", "The largest."},
    {"response", "object", "R, from due to ended: `{p50, p90, p95, p99, p999, max, mean}`."},
    {"service", "object", "S, from sent to ended, likewise."},
    {"lag", "object", "L, from due to sent, likewise."},
    {"started_ops", "integer", "Begun: ended and `unfinished_ops`."},
    {"unfinished_ops", "integer", "Cut by us, neither success nor failure."},
    {"dropped_ops", "any", "Due in the open model and never begun."},
    {"journey_ops", "integer", "Lists of tools beside the workload; in no other figure."},
    {"journey_failures", "integer", "Of these, failed."},
    {"duration_ms", "any", "Of the run."},
    {"bytes_in", "integer", "Received."},
    {"bytes_out", "integer", "Sent."},
    {"streams", "object", "`{started, completed, stalled, errors, not_streamed, events, …}`."},
    {"connections", "object", "`{opened, failed}`."},
    {"by_tool", "object",
     "`{total_ops, success_ops, failure_ops, error_rate, latency_p50, …}` by "
     "the name of the tool."},
    {"by_operation", "object", "Likewise by the operation."},
    {"by_stage", "object", "Likewise by the stage's id, with its plan."},
    {"by_error_type", "object", "Failures by their type."},
    {"by_origin", "object", "Failures by where they come from."},
    {"losses", "any", "What of it is missing."},
    {"operations_truncated", "boolean", "Never: figures do not hang on a number of operations."},
    {"time_series", "array",
     "With `include_time_series`: buckets, each for itself: `{timestamp, second, "
     "success_ops, failed_ops, throughput, error_rate, latency_p50, "
     "latency_p95, latency_p99, active_vus, in_flight, …}`, the timestamp being when it began, in "
     "ms, and the second its number in the run. Quantiles are null in buckets of several seconds."},
    {"resolution_ms", "integer", "Width of a bucket."},
};

#define SHAPE(name, help, members)                                      \
    {                                                                   \
        (name), (help), (members), sizeof(members) / sizeof(members)[0] \
    }

const struct shape api_shapes[] = {
    SHAPE("RunView", "A run. What does not apply yet is left out, or null.", run_view),
    SHAPE("Metrics", "The figures of a run.", metrics),
    SHAPE("Worker", "A worker, as the control plane knows it.", worker),
};
const size_t api_shape_count = sizeof api_shapes / sizeof api_shapes[0];
