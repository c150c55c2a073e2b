/* SPDX-License-Identifier: MIT */
/* Rows of what is told about a run: `reporting`, `telemetry` and `server_telemetry`. */
#include "scenario/fields/fields_priv.h"

static const struct choice report_formats[] = {
    {.name = "json"},
    {.name = "html", .later = "no report in HTML is written, result.json is"},
    {0},
};

static const char kept[] =
    "nothing is deleted by itself; what --out writes stays until you remove it";

static const struct field retention_fields[] = {
    {.key = "raw_logs_days",
     .type = FIELD_INT,
     .flags = FIELD_STRICT,
     .offset = AT(reporting_config, raw_logs_days),
     .max = 3650,
     .def = "7",
     .later = kept,
     .help =
         "Days for which a control plane keeps the log of operations; 0 is until the run ends."},
    {.key = "metrics_days",
     .type = FIELD_INT,
     .flags = FIELD_STRICT,
     .offset = AT(reporting_config, metrics_days),
     .max = 3650,
     .def = "30",
     .later = kept,
     .help = "Days for which a control plane keeps the seconds."},
    {.key = "reports_days",
     .type = FIELD_INT,
     .flags = FIELD_STRICT,
     .offset = AT(reporting_config, reports_days),
     .max = 3650,
     .def = "90",
     .later = kept,
     .help = "Days for which a control plane keeps results."},
};
static const struct section retention_section = {
    .title = "reporting.retention", .fields = retention_fields, .count = COUNT(retention_fields)};

static const struct field include_fields[] = {
    {.key = "store_raw_logs",
     .type = FIELD_BOOL,
     .flags = FIELD_STRICT,
     .offset = AT(reporting_config, store_raw_logs),
     .def = "true",
     .help = "Whether `--out` has the log of operations (ops.ndjson)."},
    {.key = "store_metrics_snapshot",
     .type = FIELD_BOOL,
     .flags = FIELD_STRICT,
     .offset = AT(reporting_config, store_metrics_snapshot),
     .def = "true",
     .help = "Whether `--out` has the seconds (windows.ndjson) and the histograms "
             "(histograms.hlog)."},
    {.key = "store_event_log",
     .type = FIELD_BOOL,
     .flags = FIELD_STRICT,
     .offset = AT(reporting_config, store_event_log),
     .def = "true",
     .help = "Whether `--out` has the events (events.ndjson)."},
};
static const struct section include_section = {
    .title = "reporting.include", .fields = include_fields, .count = COUNT(include_fields)};

static const struct field redaction_fields[] = {
    {.key = "redact_headers",
     .type = FIELD_STRINGS,
     .flags = FIELD_STRICT,
     .offset = AT(reporting_config, redact_headers),
     .count_offset = AT(reporting_config, redact_count),
     .max = 50,
     .item_max = 100,
     .def = "[\"Authorization\", \"Cookie\", \"X-API-Key\"]",
     .help =
         "Names of headers of `target.headers` whose values reach no result, log, event or "
         "screen, also when the target repeats them as they were sent (in lower case, in base64 "
         "they are not found); case of the names does not matter."},
};
static const struct section redaction_section = {
    .title = "reporting.redaction", .fields = redaction_fields, .count = COUNT(redaction_fields)};

static const struct field reporting_fields[] = {
    {.key = "formats",
     .type = FIELD_STRINGS,
     .flags = FIELD_STRICT,
     .offset = AT(reporting_config, formats),
     .count_offset = AT(reporting_config, format_count),
     .min = 1,
     .max = 2,
     .item_max = 4,
     .def = "[\"json\"]",
     .choices = report_formats,
     .help = "What `--out` has of the result: json is result.json, which is written in any case."},
    {.key = "retention",
     .type = FIELD_OBJECT,
     .flags = FIELD_STRICT,
     .section = &retention_section,
     .help = "How long it is kept."},
    {.key = "include",
     .type = FIELD_OBJECT,
     .flags = FIELD_STRICT,
     .section = &include_section,
     .help = "What is kept beside the result."},
    {.key = "redaction",
     .type = FIELD_OBJECT,
     .flags = FIELD_STRICT,
     .section = &redaction_section,
     .help = "What nobody may read."},
};
const struct section reporting_section = {
    .title = "reporting", .fields = reporting_fields, .count = COUNT(reporting_fields)};

static const struct field propagation_fields[] = {
    {.key = "accept_incoming_traceparent",
     .type = FIELD_BOOL,
     .flags = FIELD_STRICT,
     .offset = AT(telemetry_config, accept_incoming_traceparent),
     .def = "false",
     .help = "Whether the spans of a run join the trace of the request that started it."},
};
static const struct section propagation_section = {.title = "telemetry.traces.propagation",
                                                   .fields = propagation_fields,
                                                   .count = COUNT(propagation_fields)};

static const struct field traces_fields[] = {
    {.key = "enabled",
     .type = FIELD_BOOL,
     .flags = FIELD_STRICT,
     .offset = AT(telemetry_config, traces_enabled),
     .def = "false",
     .later = "no traceparent is sent",
     .help = "Whether a traceparent header is sent to the target."},
    {.key = "propagation",
     .type = FIELD_OBJECT,
     .flags = FIELD_STRICT,
     .section = &propagation_section,
     .help = "How traces are joined."},
};
static const struct section traces_section = {
    .title = "telemetry.traces", .fields = traces_fields, .count = COUNT(traces_fields)};

static const struct field logs_fields[] = {
    {.key = "enabled",
     .type = FIELD_BOOL,
     .flags = FIELD_STRICT,
     .offset = AT(telemetry_config, log_enabled),
     .def = "true",
     .help = "Whether single operations are kept."},
    {.key = "sample_rate",
     .type = FIELD_NUMBER,
     .flags = FIELD_OPTIONAL | FIELD_STRICT,
     .offset = AT(telemetry_config, log_sample_rate),
     .count_offset = AT(telemetry_config, log_sample_rate_given),
     .max = 1,
     .computed = "none: at most 1,000 successes a second, evenly thinned",
     .help = "Share of the successful operations that are kept, 1 being all of them as far as "
             "files keep up; failures are kept up to a bound per kind and second. What is left "
             "out is counted, and metrics are never sampled."},
};
static const struct section logs_section = {
    .title = "telemetry.structured_logs", .fields = logs_fields, .count = COUNT(logs_fields)};

static const struct field telemetry_fields[] = {
    {.key = "structured_logs",
     .type = FIELD_OBJECT,
     .flags = FIELD_STRICT,
     .section = &logs_section,
     .help = "A log line per operation."},
    {.key = "traces",
     .type = FIELD_OBJECT,
     .flags = FIELD_STRICT,
     .section = &traces_section,
     .help = "Tracing."},
};
const struct section telemetry_section = {
    .title = "telemetry", .fields = telemetry_fields, .count = COUNT(telemetry_fields)};

static const struct field server_telemetry_fields[] = {
    {.key = "enabled",
     .type = FIELD_BOOL,
     .flags = FIELD_OPTIONAL,
     .offset = AT(server_telemetry_config, enabled),
     .count_offset = AT(server_telemetry_config, has_enabled),
     .computed = "true if `pair_key` is given",
     .help = "Whether the target's host is measured. true is accepted with a warning: agents are "
             "not supported yet."},
    {.key = "pair_key",
     .type = FIELD_STRING,
     .flags = FIELD_NULL_OK,
     .offset = AT(server_telemetry_config, pair_key),
     .min = 1,
     .max = 256,
     .def = "null",
     .help = "The key by which an agent on that host belongs to the run."},
    {.key = "require_agent",
     .type = FIELD_BOOL,
     .offset = AT(server_telemetry_config, require_agent),
     .def = "false",
     .help = "Whether the run fails without an agent. Refused when the host is to be measured: "
             "agents are not supported yet."},
    {.key = "grace_period_ms",
     .type = FIELD_MS,
     .offset = AT(server_telemetry_config, grace_period_ns),
     .max = 300000,
     .def = "60000",
     .help = "How long a required agent is waited for."},
    {.key = "expected_min_agents",
     .type = FIELD_INT,
     .offset = AT(server_telemetry_config, expected_min_agents),
     .max = FIELDS_COUNT_MAX,
     .def = "1",
     .help = "How many agents are required."},
};
const struct section server_telemetry_section = {.title = "server_telemetry",
                                                 .fields = server_telemetry_fields,
                                                 .count = COUNT(server_telemetry_fields)};
