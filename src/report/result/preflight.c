/* SPDX-License-Identifier: MIT */
/* The member of a result that is about the stages which only look whether load is possible. They
 * are counted apart, as the lists beside the workload are. */
#include "report/result/result_priv.h"

static const struct result_member preflight_members[] = {
    {"totals", "object: metric → number or null",
     "Every metric of [the registry](metrics.md) over the preflight stages.", result_totals, NULL},
    {"counts", "object: count → integer",
     "What the metrics are made of. Sessions that go on into the load end there, in `counts` of "
     "the run.",
     result_counts, NULL},
    {"errors", "array of objects",
     "Failures of the preflight stages, with the members of `errors[]` of the run.", result_errors,
     NULL},
};
const struct result_section result_section_preflight =
    RESULT_SECTION("preflight", preflight_members);

static bool has_preflight(const struct run *r)
{
    for (uint32_t i = 0; i < r->plan->stage_count; i++) {
        if (!aggregate_is_load(r->books, i)) {
            return true;
        }
    }
    return false;
}

json_t *result_preflight(const struct result_place *p)
{
    struct aggregate_filter filter = aggregate_everything();
    struct metric_view view = {.span_s = 0};
    struct result_place here = *p;

    if (!has_preflight(p->run)) {
        return json_null();
    }
    filter.share = here.share = AGGREGATE_APART;
    here.view = &view;
    aggregate_view_total(p->run->books, &filter, &view);
    json_t *out = result_object(&result_section_preflight, &here);
    metric_view_clear(&view);
    return out;
}
