/* SPDX-License-Identifier: MIT */
/* The reference pages that are written from tables: the result's members, the metrics. */
#include "report/result_priv.h"

static const struct result_section *const sections[] = {
    &result_section_root,
    &result_section_validity,
    &result_section_stop,
    &result_section_observed,
    &result_section_server,
    &result_section_check,
    &result_section_stage,
    &result_section_planned,
    &result_section_achieved,
    &result_section_operation,
    &result_section_latency,
    &result_section_error,
    &result_section_error_operation,
    &result_section_condition,
    &result_section_integrity,
    &result_section_worker,
    &result_section_environment,
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

int result_reference(struct buf *out)
{
    int rc = buf_add_c(
        out, "# The result: format `" RESULT_SCHEMA_VERSION "`\n\n"
             "`mcpdrill run FILE --json RESULT` writes it, also when the run was interrupted or "
             "failed. Members are\nadded, never renamed; a reader skips those that it does not "
             "know. Times are milliseconds with three\ndecimals, ratios 0..1. A figure without a "
             "sample is `null`, never 0 by accident; the count of something that\ndid not happen "
             "is 0. Always `started = succeeded + failed + unfinished`.\n\n"
             "Generated from the tables in `src/report/`; `mcpdrill reference result` prints "
             "it.\n");

    for (size_t i = 0; rc == 0 && i < sizeof sections / sizeof sections[0]; i++) {
        rc = write_section(sections[i], out);
    }
    return rc;
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
                   : buf_printf(out, " | %s | %s | %s |\n", m->unit, m->definition,
                                m->subset_of != NULL ? m->subset_of : "");
}

int metrics_reference(struct buf *out)
{
    int rc = buf_add_c(
        out, "# Metrics\n\n"
             "The names for stop conditions (`stop_conditions[].metric`) and for `totals` in the "
             "[result](result.md). A stop\ncondition sees the value over its window, `totals` the "
             "value over the run, the stage or the operation. Unit `1` is a\nratio 0..1. A metric "
             "without a sample has no value; it is never 0 by accident.\n\n"
             "Generated from the registry in `src/metrics/registry.c`; `mcpdrill reference "
             "metrics` prints it.\n\n"
             "| name | unit | definition | of |\n|---|---|---|---|\n");

    for (size_t i = 0; rc == 0 && i < metric_count(); i++) {
        rc = write_metric(metric_at(i), out);
    }
    return rc;
}
