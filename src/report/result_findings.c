/* SPDX-License-Identifier: MIT */
/* The members of a result that are about what was found out: answers to the wrong caller, success
 * criteria, the scenario's own metrics, the slowest operations, what was left out. */
#include "base/mem.h"
#include "control/criteria.h"
#include "report/result_priv.h"
#include "report/text.h"

#include <stdio.h>
#include <string.h>

enum { EXAMPLES_MAX = 10 };

/* ---- shared with the stop conditions ----------------------------------------------------------
 */

json_t *result_scope(const char *scope_text)
{
    return scope_text != NULL && scope_text[0] != '\0' ? result_text(scope_text) : json_null();
}

const char *result_expression(const struct metric *metric,
                              const char *scope_text,
                              enum stop_comparator comparator,
                              double threshold,
                              char *out,
                              size_t size)
{
    bool scoped = scope_text != NULL && scope_text[0] != '\0';
    char limit[64];

    snprintf(out, size, "%s%s%.300s%s %s %s", metric->name, scoped ? "{" : "",
             scoped ? scope_text : "", scoped ? "}" : "", stop_comparator_name(comparator),
             metric_format(metric, threshold, limit, sizeof limit));
    return out;
}

/* ---- findings ---------------------------------------------------------------------------------
 */

/* What a finding is made of. */
struct finding {
    uint64_t count;
    const struct aggregate_failure **rows; /* of the failure table */
    size_t row_count;
};

static const struct finding *finding_of(const struct result_place *p)
{
    return p->item;
}

static json_t *finding_kind(const struct result_place *p)
{
    (void)p;
    return json_string("integrity_mismatch");
}

static json_t *finding_count(const struct result_place *p)
{
    return result_count(finding_of(p)->count);
}

static json_t *finding_sentence(const struct result_place *p)
{
    uint64_t count = finding_of(p)->count;
    char number[TEXT_NUMBER_MAX], sentence[160];

    snprintf(sentence, sizeof sentence, "%s answer%s went to the wrong caller",
             text_count(count, number), count == 1 ? "" : "s");
    return json_string(sentence);
}

static json_t *finding_examples(const struct result_place *p)
{
    json_t *out = json_array();

    for (size_t i = 0; i < finding_of(p)->row_count && i < EXAMPLES_MAX; i++) {
        const struct failure *f = &finding_of(p)->rows[i]->failure;
        json_array_append_new(out, result_slice((struct str){f->sample, f->sample_len}));
    }
    return out;
}

static const struct result_member finding_members[] = {
    {"kind", "string", "`integrity_mismatch`: answers that went to the wrong caller.", finding_kind,
     NULL},
    {"count", "integer", "How often.", finding_count, NULL},
    {"sentence", "string", "The same for people.", finding_sentence, NULL},
    {"examples", "array of strings",
     "Whose answers came to whom: an example of each kind, at most ten.", finding_examples, NULL},
};
const struct result_section result_section_finding = RESULT_SECTION("findings[]", finding_members);

json_t *result_findings(const struct result_place *p)
{
    /* An array of pointers: the check takes that for a slip. */
    /* NOLINTNEXTLINE(bugprone-sizeof-expression) */
    const struct aggregate_failure **rows = xcalloc(AGGREGATE_SIGNATURES_MAX + 1, sizeof *rows);
    size_t count = aggregate_failures(p->run->books, rows, AGGREGATE_SIGNATURES_MAX + 1);
    struct finding finding = {.count = p->view->count[COUNT_INTEGRITY_MISMATCHES], .rows = rows};
    struct result_place here = *p;
    json_t *out = json_array();

    for (size_t i = 0; i < count; i++) {
        if (!rows[i]->is_other && rows[i]->failure.code == ERROR_CODE_INTEGRITY_MISMATCH) {
            rows[finding.row_count++] = rows[i];
        }
    }
    here.item = &finding;
    if (finding.count > 0) {
        json_array_append_new(out, result_object(&result_section_finding, &here));
    }
    xfree(rows);
    return out;
}

/* ---- criteria ---------------------------------------------------------------------------------
 */

static const struct criterion_result *criterion_of(const struct result_place *p)
{
    return p->item;
}

static json_t *criterion_id(const struct result_place *p)
{
    return result_text(criterion_of(p)->spec->id);
}

static json_t *criterion_metric(const struct result_place *p)
{
    return result_text(criterion_of(p)->spec->metric->name);
}

static json_t *criterion_expression(const struct result_place *p)
{
    const struct criterion_spec *spec = criterion_of(p)->spec;
    char text[512];

    return result_text(result_expression(spec->metric, spec->scope_text, spec->comparator,
                                         spec->threshold, text, sizeof text));
}

static json_t *criterion_stage(const struct result_place *p)
{
    int32_t stage = criterion_of(p)->spec->stage_index;

    return stage < 0 ? json_null() : result_text(p->run->plan->stages[stage].config->stage_id);
}

static json_t *criterion_scope(const struct result_place *p)
{
    return result_scope(criterion_of(p)->spec->scope_text);
}

static json_t *criterion_comparator(const struct result_place *p)
{
    return json_string(stop_comparator_name(criterion_of(p)->spec->comparator));
}

static json_t *criterion_threshold(const struct result_place *p)
{
    return json_real(criterion_of(p)->spec->threshold);
}

static json_t *criterion_value(const struct result_place *p)
{
    return criterion_of(p)->has_value ? result_real(criterion_of(p)->value, 1e6) : json_null();
}

static json_t *criterion_lower_bound(const struct result_place *p)
{
    return json_boolean(criterion_of(p)->lower_bound);
}

static json_t *criterion_shed(const struct result_place *p)
{
    return json_boolean(criterion_of(p)->shed);
}

static json_t *criterion_samples(const struct result_place *p)
{
    return result_count(criterion_of(p)->samples);
}

static json_t *criterion_needed(const struct result_place *p)
{
    return result_count(criterion_of(p)->samples_needed);
}

static json_t *criterion_state(const struct result_place *p)
{
    return json_string(criterion_state_name(criterion_of(p)->state));
}

static json_t *criterion_sentence(const struct result_place *p)
{
    return result_text(criterion_of(p)->sentence);
}

static const struct result_member criterion_members[] = {
    {"id", "string", "Id of the criterion.", criterion_id, NULL},
    {"metric", "string", "Its metric.", criterion_metric, NULL},
    {"expression", "string", "What has to be true, in one line for people.", criterion_expression,
     NULL},
    {"stage_id", "string or null", "The stage over which it is judged; null: the whole run.",
     criterion_stage, NULL},
    {"scope", "string or null",
     "Whose operations count, as `KEY=VALUE`, commas between; null: all.", criterion_scope, NULL},
    {"comparator", "string", "`>`, `>=`, `<` or `<=`.", criterion_comparator, NULL},
    {"threshold", "number", "In the metric's unit.", criterion_threshold, NULL},
    {"value", "number or null", "What was measured.", criterion_value, NULL},
    {"lower_bound", "boolean", "The truth is at least the value.", criterion_lower_bound, NULL},
    {"shed", "boolean", "No value: its rank lies among the operations that were dropped.",
     criterion_shed, NULL},
    {"samples", "integer", "How many samples the value rests on.", criterion_samples, NULL},
    {"samples_needed", "integer", "How many a quantile needs; 0: it is none.", criterion_needed,
     NULL},
    {"state", "string",
     "`met`; `failed`; `no_value`: nothing was measured, which counts as failed; `undecided`: too "
     "few samples.",
     criterion_state, NULL},
    {"sentence", "string", "The judgement for people.", criterion_sentence, NULL},
};
const struct result_section result_section_criterion =
    RESULT_SECTION("criteria[]", criterion_members);

json_t *result_criteria(const struct result_place *p)
{
    json_t *out = json_array();

    for (size_t i = 0; p->run->criteria_judged && i < p->run->criterion_count; i++) {
        struct result_place here = *p;

        here.item = &p->run->criteria[i];
        json_array_append_new(out, result_object(&result_section_criterion, &here));
    }
    return out;
}

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

/* ---- the slowest operations -------------------------------------------------------------------
 */

static const struct outcome *slow_of(const struct result_place *p)
{
    return &((const struct aggregate_slow *)p->item)->op.outcome;
}

static const struct plan_operation *slow_operation_of(const struct result_place *p)
{
    return &p->run->plan->operations[slow_of(p)->key % p->run->plan->operation_count];
}

static json_t *slow_at(const struct result_place *p)
{
    uint64_t due = slow_of(p)->t_due;

    return due >= p->run->grid_ns ? result_ms(due - p->run->grid_ns) : json_null();
}

static json_t *slow_stage(const struct result_place *p)
{
    const struct plan *plan = p->run->plan;

    return result_text(plan->stages[slow_of(p)->key / plan->operation_count].config->stage_id);
}

static json_t *slow_label(const struct result_place *p)
{
    return json_string(operation_name(slow_operation_of(p)->kind));
}

static json_t *slow_tool(const struct result_place *p)
{
    return result_text(slow_operation_of(p)->tool_name);
}

static json_t *slow_template(const struct result_place *p)
{
    return result_text(slow_operation_of(p)->template_id);
}

static json_t *slow_prompt(const struct result_place *p)
{
    return result_text(slow_operation_of(p)->prompt_name);
}

static json_t *slow_uri(const struct result_place *p)
{
    return result_text(slow_operation_of(p)->uri);
}

static json_t *slow_vu(const struct result_place *p)
{
    return result_count(slow_of(p)->vu);
}

static json_t *slow_n(const struct result_place *p)
{
    return result_count(slow_of(p)->n);
}

static json_t *slow_source(const struct result_place *p)
{
    return result_count(((const struct aggregate_slow *)p->item)->source);
}

static json_t *slow_response(const struct result_place *p)
{
    const struct outcome *o = slow_of(p);

    return result_ms(o->t_end > o->t_due ? o->t_end - o->t_due : 0);
}

static json_t *slow_service(const struct result_place *p)
{
    const struct outcome *o = slow_of(p);

    return o->t_send == 0 || o->t_end < o->t_send ? json_null() : result_ms(o->t_end - o->t_send);
}

static json_t *slow_lag(const struct result_place *p)
{
    const struct outcome *o = slow_of(p);
    uint64_t sent = o->t_send != 0 ? o->t_send : o->t_end;

    return result_ms(sent > o->t_due ? sent - o->t_due : 0);
}

static json_t *slow_ok(const struct result_place *p)
{
    return json_boolean(slow_of(p)->cls == OUTCOME_OK);
}

static json_t *slow_error_type(const struct result_place *p)
{
    return slow_of(p)->error_code == ERROR_CODE_NONE
               ? json_null()
               : json_string(error_type_name(slow_of(p)->error_type));
}

static json_t *slow_error_code(const struct result_place *p)
{
    char code[64];

    return slow_of(p)->error_code == ERROR_CODE_NONE
               ? json_null()
               : json_string(error_code_name(slow_of(p)->error_code, slow_of(p)->error_number, code,
                                             sizeof code));
}

static json_t *slow_message(const struct result_place *p)
{
    const struct op_sample *op = &((const struct aggregate_slow *)p->item)->op;

    return op->message_len > 0 ? result_slice((struct str){op->message, op->message_len})
                               : json_null();
}

static const struct result_member slowest_members[] = {
    {"at_ms", "number or null", "When it was due, counted from the beginning of the first stage.",
     slow_at, NULL},
    {"stage_id", "string", "Its stage.", slow_stage, NULL},
    {"operation", "string", "`tools/call` …", slow_label, NULL},
    {"tool_name", "string or null", "The tool that was called.", slow_tool, NULL},
    {"template_id", "string or null", "The template of the call.", slow_template, NULL},
    {"prompt_name", "string or null", "The prompt that was fetched.", slow_prompt, NULL},
    {"uri", "string or null", "The resource that was read.", slow_uri, NULL},
    {"vu", "integer", "Its virtual user.", slow_vu, NULL},
    {"n", "integer", "Its number in that virtual user; in the open model its arrival's.", slow_n,
     NULL},
    {"source", "integer", "The source of figures that reported it.", slow_source, NULL},
    {"response_ms", "number", "From due to ended (R).", slow_response, NULL},
    {"service_ms", "number or null", "From sent to ended (S); null when it was never sent.",
     slow_service, NULL},
    {"lag_ms", "number", "From due to sent (L).", slow_lag, NULL},
    {"ok", "boolean", "It succeeded.", slow_ok, NULL},
    {"error_type", "string or null", "Type of its failure.", slow_error_type, NULL},
    {"error_code", "string or null", "Code of its failure.", slow_error_code, NULL},
    {"message", "string or null", "What the target or the system said.", slow_message, NULL},
};
const struct result_section result_section_slowest = RESULT_SECTION("slowest[]", slowest_members);

json_t *result_slowest(const struct result_place *p)
{
    const struct aggregate_slow *rows[AGGREGATE_SLOWEST_MAX];
    size_t count = aggregate_slowest(p->run->books, -1, rows, AGGREGATE_SLOWEST_MAX);
    json_t *out = json_array();

    for (size_t i = 0; i < count; i++) {
        struct result_place here = *p;

        here.item = rows[i];
        json_array_append_new(out, result_object(&result_section_slowest, &here));
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

static const struct result_member journey_members[] = {
    {"started", "integer", "Lists that were started. They are no operations.", journey_started,
     NULL},
    {"ok", "integer", "Those that succeeded.", journey_ok, NULL},
    {"failed", "integer", "Those that failed.", journey_failed, NULL},
    {"unfinished", "integer", "Those that were running when the run had to stop.",
     journey_unfinished, NULL},
    {"requests", "integer", "Requests that were sent for them.", journey_requests, NULL},
    {"service", "object or null", "How long they took.", journey_service, &result_section_latency},
};
const struct result_section result_section_journey = RESULT_SECTION("journey", journey_members);

json_t *result_journey(const struct result_place *p)
{
    return p->view->count[COUNT_JOURNEY_STARTED] > 0 ? result_object(&result_section_journey, p)
                                                     : json_null();
}

/* ---- what was left out ------------------------------------------------------------------------
 */

static json_t *losses_log(const struct result_place *p)
{
    uint64_t lost = 0;

    for (uint32_t i = 0; i < result_source_count(p->run); i++) {
        struct aggregate_source source;

        aggregate_source(p->run->books, i, &source);
        lost += source.samples_lost;
    }
    return result_count(lost);
}

static json_t *losses_signatures(const struct result_place *p)
{
    /* NOLINTNEXTLINE(bugprone-sizeof-expression) */
    const struct aggregate_failure **rows = xcalloc(AGGREGATE_SIGNATURES_MAX + 1, sizeof *rows);
    size_t count = aggregate_failures(p->run->books, rows, AGGREGATE_SIGNATURES_MAX + 1);
    uint64_t others = count > 0 && rows[count - 1]->is_other ? rows[count - 1]->failure.count : 0;

    xfree(rows);
    return result_count(others);
}

static json_t *losses_numbers(const struct result_place *p)
{
    uint64_t rejected = 0;

    for (uint32_t i = 0; i < p->view->custom_count; i++) {
        rejected += p->view->customs[i].rejected;
    }
    return result_count(rejected);
}

static const struct result_member losses_members[] = {
    {"op_log_lines", "integer", "Lines that the log of operations had no room for.", losses_log,
     NULL},
    {"error_signatures", "integer", "Failures that the table of signatures had no room for.",
     losses_signatures, NULL},
    {"custom_numbers", "integer", "Numbers that the scenario's metrics rejected.", losses_numbers,
     NULL},
};
const struct result_section result_section_losses = RESULT_SECTION("losses", losses_members);

json_t *result_losses(const struct result_place *p)
{
    return result_object(&result_section_losses, p);
}
