/* SPDX-License-Identifier: MIT */
/* The members of a result that are about what was judged: stop conditions, success criteria. */
#include "control/criteria.h"
#include "report/result/result_priv.h"

#include <stdio.h>

/* ---- shared ----------------------------------------------------------
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

/* ---- conditions -------------------------------------------------------------------------------
 */

static const struct stop_state *condition_of(const struct result_place *p)
{
    return p->item;
}

static json_t *condition_id(const struct result_place *p)
{
    return result_text(condition_of(p)->spec->id);
}

static json_t *condition_stage(const struct result_place *p)
{
    int32_t stage = condition_of(p)->spec->stage_index;

    return stage < 0 ? json_null() : result_text(p->run->plan->stages[stage].config->stage_id);
}

static json_t *condition_metric(const struct result_place *p)
{
    return json_string(condition_of(p)->spec->metric->name);
}

/* "latency_p99_ms > 5 s for 2 x 2 s" */
static json_t *condition_expression(const struct result_place *p)
{
    const struct stop_spec *spec = condition_of(p)->spec;
    unsigned long long window_s = (spec->window_ms + 999) / 1000;
    char text[512], whole[600], during[64] = "";

    if (spec->sustain_windows > 1) {
        snprintf(during, sizeof during, " for %u x %llu s", spec->sustain_windows, window_s);
    } else if (!spec->metric->since_begin) {
        snprintf(during, sizeof during, " in %llu s", window_s);
    }
    result_expression(spec->metric, spec->scope_text, spec->comparator, spec->threshold, text,
                      sizeof text);
    snprintf(whole, sizeof whole, "%s%s", text, during);
    return result_text(whole);
}

static json_t *condition_scope(const struct result_place *p)
{
    return result_scope(condition_of(p)->spec->scope_text);
}

static json_t *condition_comparator(const struct result_place *p)
{
    return json_string(stop_comparator_name(condition_of(p)->spec->comparator));
}

static json_t *condition_threshold(const struct result_place *p)
{
    return json_real(condition_of(p)->spec->threshold);
}

static json_t *condition_window(const struct result_place *p)
{
    return result_count(condition_of(p)->spec->window_ms);
}

static json_t *condition_sustain(const struct result_place *p)
{
    return result_count(condition_of(p)->spec->sustain_windows);
}

static json_t *condition_action(const struct result_place *p)
{
    return json_string(condition_of(p)->spec->on_trigger == STOP_PASS ? "pass" : "fail");
}

static json_t *condition_last(const struct result_place *p)
{
    const struct stop_state *s = condition_of(p);

    return s->last.has_value ? result_real(s->last.value, 1e6) : json_null();
}

static json_t *condition_worst(const struct result_place *p)
{
    return condition_of(p)->has_worst ? result_real(condition_of(p)->worst, 1e6) : json_null();
}

static json_t *condition_breached(const struct result_place *p)
{
    return json_boolean(condition_of(p)->breached);
}

static json_t *condition_triggered(const struct result_place *p)
{
    return json_boolean(condition_of(p)->triggered);
}

static const struct result_member condition_members[] = {
    {"id", "string", "Id of the condition.", condition_id, NULL},
    {"stage_id", "string or null", "Its stage; null: the whole run.", condition_stage, NULL},
    {"metric", "string", "Its metric.", condition_metric, NULL},
    {"scope", "string or null",
     "Whose operations count, as `KEY=VALUE`, commas between; null: all.", condition_scope, NULL},
    {"expression", "string", "All of it in one line for people.", condition_expression, NULL},
    {"comparator", "string", "`>`, `>=`, `<` or `<=`.", condition_comparator, NULL},
    {"threshold", "number", "In the metric's unit.", condition_threshold, NULL},
    {"window_ms", "integer", "Length of a window.", condition_window, NULL},
    {"sustain_windows", "integer", "How many adjacent windows have to breach.", condition_sustain,
     NULL},
    {"on_trigger", "string", "`fail` or `pass`: what reaching it means.", condition_action, NULL},
    {"last", "number or null", "Value of the newest window.", condition_last, NULL},
    {"worst", "number or null",
     "The value that came nearest to the threshold or went furthest "
     "beyond it.",
     condition_worst, NULL},
    {"breached", "boolean", "A window breached the threshold.", condition_breached, NULL},
    {"triggered", "boolean", "Enough adjacent windows did.", condition_triggered, NULL},
};
const struct result_section result_section_condition =
    RESULT_SECTION("conditions[]", condition_members);

json_t *result_conditions(const struct result_place *p)
{
    json_t *out = json_array();

    for (size_t i = 0; i < stop_count(p->run->conditions); i++) {
        struct result_place here = *p;
        struct stop_state state;

        stop_state(p->run->conditions, i, &state);
        here.item = &state;
        json_array_append_new(out, result_object(&result_section_condition, &here));
    }
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
