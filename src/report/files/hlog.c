/* SPDX-License-Identifier: MIT */
#include "report/files/hlog.h"

#include "report/files/hdr.h"
#include "report/result/result_priv.h"
#include "report/text/text.h"

#include <string.h>

/* The line's own span: from when, and how long; seconds. */
struct span {
    double start_s, length_s;
};

static const enum dist clocks[] = {DIST_RESPONSE, DIST_SERVICE, DIST_LAG};

/* What has a place in a line of its own in the totals. */
static const enum dist run_dists[] = {
    DIST_RESPONSE, DIST_SERVICE, DIST_LAG,     DIST_FAILED,     DIST_FIRST_EVENT, DIST_GAP,
    DIST_TOOL_LAG, DIST_CONNECT, DIST_SESSION, DIST_INITIALIZE, DIST_JOURNEY,
};

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("/._-", c) != NULL);
}

static int add_tag_part(struct buf *out, const char *text)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && text[i] != '\0'; i++) {
        rc = is_plain(text[i]) ? buf_add(out, &text[i], 1)
                               : buf_printf(out, "%%%02x", (unsigned)(unsigned char)text[i]);
    }
    return rc == 0 ? buf_add_c(out, ":") : rc;
}

/* One line; nothing without a sample. `parts` ends with the clock, which has no place there. */
static int add_line(struct buf *out,
                    const char *const *parts,
                    size_t part_count,
                    enum dist id,
                    const struct span *span,
                    const struct hist_total *t)
{
    if (t == NULL || t->head.count == 0) {
        return 0;
    }
    int rc = buf_add_c(out, "Tag=");
    for (size_t i = 0; rc == 0 && i < part_count; i++) {
        rc = parts[i] != NULL ? add_tag_part(out, parts[i]) : 0;
    }
    if (rc == 0) {
        rc = buf_printf(out, "%s,%.3f,%.3f,%.3f,", dist_name(id), span->start_s, span->length_s,
                        (double)t->head.max / (double)NS_PER_MS);
    }
    if (rc == 0) {
        rc = hdr_write_text(t, out);
    }
    return rc == 0 ? buf_add_c(out, "\n") : rc;
}

static int add_operation(const struct run *r,
                         uint32_t stage,
                         uint32_t operation,
                         const struct span *span,
                         struct buf *out)
{
    const struct plan_operation *o = &r->plan->operations[operation];
    const char *subject = o->tool_name != NULL     ? o->tool_name
                          : o->prompt_name != NULL ? o->prompt_name
                                                   : o->uri;
    const char *const parts[] = {r->plan->stages[stage].config->stage_id, operation_name(o->kind),
                                 subject, o->template_id};
    struct metric_view view = {.span_s = 0};
    int rc = 0;

    result_operation_view(r, (int32_t)stage, operation, &view);
    for (size_t i = 0; rc == 0 && i < sizeof clocks / sizeof clocks[0]; i++) {
        rc = add_line(out, parts, sizeof parts / sizeof parts[0], clocks[i], span,
                      view.dist[clocks[i]]);
    }
    metric_view_clear(&view);
    return rc;
}

static int add_stage(const struct run *r, uint32_t stage, struct buf *out)
{
    const struct run_stage *s = &r->stages[stage];
    uint64_t end_ns = s->ended ? s->end_ns : r->end_ns;
    int rc = 0;

    if (!s->started || s->start_ns < r->grid_ns) {
        return 0;
    }
    struct span span = {
        .start_s = (double)(s->start_ns - r->grid_ns) / (double)NS_PER_S,
        .length_s = end_ns > s->start_ns ? (double)(end_ns - s->start_ns) / (double)NS_PER_S : 0,
    };
    for (uint32_t i = 0; rc == 0 && i < r->plan->operation_count; i++) {
        rc = add_operation(r, stage, i, &span, out);
    }
    return rc;
}

static int add_run(const struct run *r, struct buf *out)
{
    static const char *const parts[] = {"run"};
    struct aggregate_filter load = aggregate_load();
    struct metric_view view = {.span_s = 0};
    int rc = 0;

    aggregate_view_total(r->books, &load, &view);
    struct span span = {.length_s = view.span_s};
    for (size_t i = 0; rc == 0 && i < sizeof run_dists / sizeof run_dists[0]; i++) {
        rc = add_line(out, parts, 1, run_dists[i], &span, view.dist[run_dists[i]]);
    }
    metric_view_clear(&view);
    return rc;
}

int hlog_write(const struct run *r, struct buf *out)
{
    char when[TEXT_NUMBER_MAX];
    int rc =
        buf_printf(out,
                   "#[MCPDrill " MCPDRILL_VERSION ", %s, values in ns]\n"
                   "#[Histogram log format version 1.3]\n"
                   "#[StartTime: %llu.%03llu (seconds since epoch), %s]\n"
                   "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_"
                   "Histogram\"\n",
                   r->identity->run_id, (unsigned long long)(r->started_ms / 1000),
                   (unsigned long long)(r->started_ms % 1000), text_timestamp(r->started_ms, when));

    for (uint32_t i = 0; rc == 0 && i < r->plan->stage_count; i++) {
        rc = add_stage(r, i, out);
    }
    return rc == 0 ? add_run(r, out) : rc;
}
