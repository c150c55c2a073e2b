/* SPDX-License-Identifier: MIT */
/* The reference pages that are written from tables: the result's members, the metrics. */
#include "report/result/result_priv.h"

static const struct result_section *const sections[] = {
    &result_section_root,      &result_section_validity,    &result_section_signal,
    &result_section_stop,      &result_section_observed,    &result_section_finding,
    &result_section_criterion, &result_section_server,      &result_section_check,
    &result_section_custom,    &result_section_preflight,   &result_section_journey,
    &result_section_stage,     &result_section_planned,     &result_section_step,
    &result_section_achieved,  &result_section_operation,   &result_section_latency,
    &result_section_slowest,   &result_section_error,       &result_section_error_operation,
    &result_section_condition, &result_section_integrity,   &result_section_losses,
    &result_section_worker,    &result_section_share,       &result_section_thread,
    &result_section_label,     &result_section_environment, &result_section_limit,
};

static int write_section(const struct result_section *section, struct buf *out)
{
    int rc = section->path[0] != '\0' ? buf_printf(out, "\n## `%s`\n\n", section->path)
                                      : buf_add_c(out, "\n## The document\n\n");

    if (rc == 0) {
        rc = buf_add_c(out, "| member | type | meaning |\n|---|---|---|\n");
    }
    for (size_t i = 0; rc == 0 && i < section->count; i++) {
        const struct result_member *m = &section->members[i];
        rc = buf_printf(out, "| `%s` | %s | %s", m->name, m->type, m->meaning);
        if (rc == 0 && m->section != NULL) {
            rc = buf_printf(out, " Members: `%s`.", m->section->path);
        }
        if (rc == 0) {
            rc = buf_add_c(out, " |\n");
        }
    }
    return rc;
}

/* What stands beside result.json in the folder of `--out`. */
static int write_folder(struct buf *out)
{
    int rc = buf_add_c(
        out,
        "\n## The folder of `--out DIR`\n\n"
        "| file | content |\n|---|---|\n"
        "| `result.json` | This document. `mcpdrill report DIR` prints its summary again. |\n"
        "| `scenario.json` | The scenario that was played: all `--with`, `--set` and the like "
        "applied, secrets replaced by `[redacted]`. `sha256sum scenario.json` is `config_hash`. "
        "Without secrets it can be run again; data feeds that it names by a relative path are not "
        "in the folder. |\n"
        "| `events.ndjson` | What happened, an event per line (`event/v1`), as it came: states, "
        "stages, conditions. |\n"
        "| `windows.ndjson` | A complete second per line, as below. |\n"
        "| `ops.ndjson` | Single operations, one per line (`op-log/v1`), with "
        "`telemetry.structured_logs.enabled`: of each kind of failure at most 20 a second and "
        "thread, as many of an operation's that were not finished (`unfinished_reason` is "
        "`stopped`, `drain_over` or `waiting_for_session`), of the successes the share of "
        "`sample_rate`, or without one at most 1,000 a "
        "second, evenly thinned. Members without a value are left out. The file takes 1 GiB, and "
        "another one for failures; a disk that is too slow holds up nothing, its lines are lost. "
        "What is left out is counted in `losses`. Of a stream, `events_count` is without the "
        "response with our id, unlike the metric `events_received_total`. |\n"
        "| `histograms.hlog` | All latencies as HdrHistogram log 1.3 (ns), for its plotters: a "
        "line for each stage, operation and clock, and the run's totals. |\n"
        "\n### A line of `windows.ndjson`\n\n"
        "| member | meaning |\n|---|---|\n"
        "| `second` | Its number, from the beginning of the first stage. Figures are of the load "
        "stages; gauges are of all. The last one is a fragment; its rates are per whole second: "
        "what happened in it. |\n"
        "| `stage_id` | The stage at its beginning. |\n"
        "| `partial` | True when some worker had not reported the second three seconds after its "
        "end: the line lacks what it did. Else left out. |\n");

    for (size_t i = 0; rc == 0 && i < RESULT_SECOND_COLUMNS; i++) {
        rc = buf_printf(out, "| `%s` | [`%s`](metrics.md) of this second. |\n",
                        result_second_columns[i].name, result_second_columns[i].metric);
    }
    if (rc == 0) {
        rc = buf_add_c(out, "| `bytes_received`, `bytes_sent` | Of the operations that ended in "
                            "it. |\n");
    }
    for (size_t i = 0; rc == 0 && i < RESULT_SECOND_APART; i++) {
        rc = buf_printf(out, "| `%s` | [`%s`](metrics.md) of the preflight stages. |\n",
                        result_second_apart[i].name, result_second_apart[i].metric);
    }
    return rc;
}

int result_reference(struct buf *out)
{
    int rc = buf_add_c(
        out,
        "# The result: format `" RESULT_SCHEMA_VERSION "`\n\n"
        "`mcpdrill run FILE --json RESULT` writes it, also when the run was interrupted or "
        "failed. Members are\nadded, never renamed; a reader skips those that it does not "
        "know. Times are milliseconds with up to\nsix decimals, ratios 0..1. A figure without a "
        "sample is `null`, never 0 by accident; the count of something that\ndid not happen "
        "is 0. Rows of `operations` may be hundreds: they leave out what would be `null`, a count "
        "of 0\nor an empty list, and each stands in a line of its own. Always `started = succeeded "
        "+ failed + unfinished`.\n\n"
        "Generated from the tables in `src/report/`; `mcpdrill reference result` prints "
        "it.\n");

    for (size_t i = 0; rc == 0 && i < sizeof sections / sizeof sections[0]; i++) {
        rc = write_section(sections[i], out);
    }
    return rc == 0 ? write_folder(out) : rc;
}

static int write_metric(const struct metric *m, struct buf *out)
{
    int rc = buf_printf(out, "| `%s`", m->name);

    for (size_t i = 0; rc == 0 && i < METRIC_ALIASES_MAX && m->aliases[i] != NULL; i++) {
        rc = buf_printf(out, "%s`%s`", i == 0 ? " (also " : ", ", m->aliases[i]);
        if (rc == 0 && (i + 1 == METRIC_ALIASES_MAX || m->aliases[i + 1] == NULL)) {
            rc = buf_add_c(out, ")");
        }
    }
    return rc != 0 ? rc
                   : buf_printf(out, " | %s | %s | %s | %s |\n", m->unit, m->definition,
                                m->subset_of, metric_narrows(m) ? "yes" : "");
}

/* The rows that one metric of a scenario brings. */
static int write_custom_metrics(struct buf *out)
{
    const struct metric_custom_def def = {.name = "NAME", .kind = METRIC_TREND};
    struct metric_set *set = metric_set_new(&def, 1);
    int rc = buf_add_c(
        out, "\n## Metrics of the scenario\n\n"
             "A scenario defines more with `workload.metrics[]`: a number that is taken from each "
             "result of a tool. Each of them\nhas these rows; `custom.` may be left out where no "
             "row above has the name. The bare `custom.NAME` is the sum of\na counter, the newest "
             "number of a gauge, the mean of a trend; quantiles are of trends only.\n\n"
             "| name | unit | definition |\n|---|---|---|\n");

    for (size_t i = 0; rc == 0 && i < metric_set_count(set); i++) {
        const struct metric *m = metric_set_at(set, i);
        rc = buf_printf(out, "| `%s` | %s | %s |\n", m->name, m->unit, m->definition);
    }
    metric_set_free(set);
    return rc;
}

int metrics_reference(struct buf *out)
{
    int rc = buf_add_c(
        out, "# Metrics\n\n"
             "The names for stop conditions (`stop_conditions[].metric`), for success criteria "
             "(`success_criteria[].metric`,\n`--expect`) and for `totals` in the "
             "[result](result.md). A stop condition sees the value over its window, a\ncriterion "
             "the value over its stage or the run, `totals` the value over the run, the stage or "
             "the operation. How\nconditions work: [stop conditions](../stop-conditions.md). Unit "
             "`1` is a ratio 0..1. A metric without a sample has no\nvalue; it is never 0 by "
             "accident. The last column says which metrics are kept per operation, so that a "
             "scope\n(`tool_name` …) may narrow them.\n\n"
             "Response times are taken over the operations that were *due*: in the open model one "
             "that was dropped before it could\nstart ranks above all that ran. A quantile whose "
             "rank lies among the dropped ones has no value and is above every\nlimit. "
             "Operations that were dropped because the run was stopped do not count here.\n\n"
             "The run is its load stages: all but those of the kind `preflight`, which are "
             "counted apart (`preflight` in the result),\nor all stages of a run that has no "
             "others. Stop conditions of `safety` watch every stage. The length of the window\n"
             "is, over a stage or the run, the time of load: from the beginning of the stages to "
             "their end, not the drain behind it.\n\n"
             "Generated from the registry in `src/metrics/registry.c`; `mcpdrill reference "
             "metrics` prints it.\n\n"
             "| name | unit | definition | of | scope |\n|---|---|---|---|---|\n");

    for (size_t i = 0; rc == 0 && i < metric_count(); i++) {
        rc = write_metric(metric_at(i), out);
    }
    return rc != 0 ? rc : write_custom_metrics(out);
}
