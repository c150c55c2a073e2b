/* SPDX-License-Identifier: MIT */
/* The members of a result that are about what runs beside the operations' own figures: the metrics
 * of the scenario, the lists of virtual users. */
#include "report/result/result_priv.h"

/* ---- metrics of the scenario ------------------------------------------------------------------
 */

static const struct metric_custom *custom_of(const struct result_place *p)
{
    return p->item;
}

static json_t *custom_kind(const struct result_place *p)
{
    static const char *const names[] = {
        [CUSTOM_COUNTER] = "counter", [CUSTOM_GAUGE] = "gauge", [CUSTOM_TREND] = "trend"};

    return json_string(names[p->run->plan->scenario->workload.customs[p->index].kind]);
}

/* Null without a number. */
static json_t *custom_real(const struct result_place *p, double value)
{
    return custom_of(p)->count > 0 ? json_real(value) : json_null();
}

static json_t *custom_quantile(const struct result_place *p, uint32_t ppm)
{
    const struct metric_custom *c = custom_of(p);

    if (c->hist == NULL || c->hist->head.count == 0) {
        return json_null();
    }
    double value = (double)hist_quantile(c->hist, ppm, 0).value_ns / CUSTOM_TREND_SCALE;
    /* The exact maximum knows more than thousandths do. */
    return json_real(value < c->max ? value : c->max);
}

static json_t *custom_count(const struct result_place *p)
{
    return result_count(custom_of(p)->count);
}

static json_t *custom_rejected(const struct result_place *p)
{
    return result_count(custom_of(p)->rejected);
}

static json_t *custom_sum(const struct result_place *p)
{
    return custom_real(p, custom_of(p)->sum);
}

static json_t *custom_min(const struct result_place *p)
{
    return custom_real(p, custom_of(p)->min);
}

static json_t *custom_max(const struct result_place *p)
{
    return custom_real(p, custom_of(p)->max);
}

static json_t *custom_mean(const struct result_place *p)
{
    return custom_of(p)->count > 0 ? json_real(custom_of(p)->sum / (double)custom_of(p)->count)
                                   : json_null();
}

static json_t *custom_last(const struct result_place *p)
{
    return custom_real(p, custom_of(p)->last);
}

static json_t *custom_p50(const struct result_place *p)
{
    return custom_quantile(p, 500000);
}

static json_t *custom_p90(const struct result_place *p)
{
    return custom_quantile(p, 900000);
}

static json_t *custom_p95(const struct result_place *p)
{
    return custom_quantile(p, 950000);
}

static json_t *custom_p99(const struct result_place *p)
{
    return custom_quantile(p, 990000);
}

static const struct result_member custom_members[] = {
    {"kind", "string", "`counter`, `gauge` or `trend`.", custom_kind, NULL},
    {"count", "integer", "Numbers that were found.", custom_count, NULL},
    {"rejected", "integer", "Numbers that a trend could not take: negative or too large.",
     custom_rejected, NULL},
    {"sum", "number or null", "Their sum.", custom_sum, NULL},
    {"min", "number or null", "The smallest.", custom_min, NULL},
    {"max", "number or null", "The largest.", custom_max, NULL},
    {"mean", "number or null", "The sum divided by the count.", custom_mean, NULL},
    {"last", "number or null", "The newest.", custom_last, NULL},
    {"p50", "number or null",
     "Of a trend: the smallest value that at least half of the numbers do not exceed.", custom_p50,
     NULL},
    {"p90", "number or null", "Likewise for 90 %.", custom_p90, NULL},
    {"p95", "number or null", "Likewise for 95 %.", custom_p95, NULL},
    {"p99", "number or null", "Likewise for 99 %.", custom_p99, NULL},
};
const struct result_section result_section_custom = RESULT_SECTION("custom.NAME", custom_members);

json_t *result_custom(const struct result_place *p)
{
    const struct workload_config *w = &p->run->plan->scenario->workload;
    json_t *out = json_object();

    for (size_t i = 0; i < w->custom_count && i < p->view->custom_count; i++) {
        struct result_place here = *p;

        here.index = i;
        here.item = &p->view->customs[i];
        json_object_set_new(out, w->customs[i].name, result_object(&result_section_custom, &here));
    }
    return out;
}

/* ---- the lists beside the workload ------------------------------------------------------------
 */

static json_t *journey_started(const struct result_place *p)
{
    return result_count(p->view->count[COUNT_JOURNEY_STARTED]);
}

static json_t *journey_ok(const struct result_place *p)
{
    return result_count(p->view->count[COUNT_JOURNEY_OK]);
}

static json_t *journey_failed(const struct result_place *p)
{
    return result_count(p->view->count[COUNT_JOURNEY_FAILED]);
}

static json_t *journey_unfinished(const struct result_place *p)
{
    return result_count(p->view->count[COUNT_JOURNEY_UNFINISHED]);
}

static json_t *journey_requests(const struct result_place *p)
{
    return result_count(p->view->count[COUNT_JOURNEY_REQUESTS]);
}

static json_t *journey_service(const struct result_place *p)
{
    return result_distribution(p, DIST_JOURNEY);
}

static json_t *journey_errors(const struct result_place *p)
{
    struct result_place here = *p;

    here.share = AGGREGATE_BESIDE;
    return result_errors(&here);
}

static const struct result_member journey_members[] = {
    {"started", "integer", "Lists that were started. They are no operations.", journey_started,
     NULL},
    {"ok", "integer", "Those that succeeded.", journey_ok, NULL},
    {"failed", "integer", "Those that failed.", journey_failed, NULL},
    {"unfinished", "integer",
     "Those that had no end: they were running when the run had to stop, or a cap had kept them "
     "from being sent when their user's load was over.",
     journey_unfinished, NULL},
    {"requests", "integer", "Requests that were sent for them.", journey_requests, NULL},
    {"service", "object or null", "How long they took.", journey_service, &result_section_latency},
    {"errors", "array of objects",
     "Why some failed, with the members of `errors[]` of the run; `operations` is empty.",
     journey_errors, NULL},
};
const struct result_section result_section_journey = RESULT_SECTION("journey", journey_members);

json_t *result_journey(const struct result_place *p)
{
    return p->view->count[COUNT_JOURNEY_STARTED] > 0 ? result_object(&result_section_journey, p)
                                                     : json_null();
}
