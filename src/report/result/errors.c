/* SPDX-License-Identifier: MIT */
/* The members of a result that are about single operations: answers to the wrong caller, failures
 * by signature, the slowest. */
#include "base/mem.h"
#include "report/result/result_priv.h"
#include "report/text/text.h"

#include <stdio.h>

enum { EXAMPLES_MAX = 10 };

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

/* A fact, in whatever stage it was. */
static uint64_t mismatches(const struct run *r)
{
    struct aggregate_filter filter = aggregate_everything();
    struct metric_view view = {.span_s = 0};

    filter.dists = 0;
    aggregate_view_total(r->books, &filter, &view);
    uint64_t count = view.count[COUNT_INTEGRITY_MISMATCHES];
    metric_view_clear(&view);
    return count;
}

json_t *result_findings(const struct result_place *p)
{
    /* An array of pointers: the check takes that for a slip. */
    /* NOLINTNEXTLINE(bugprone-sizeof-expression) */
    const struct aggregate_failure **rows = xcalloc(AGGREGATE_SIGNATURES_MAX + 1, sizeof *rows);
    size_t count =
        aggregate_failures(p->run->books, AGGREGATE_ALL, rows, AGGREGATE_SIGNATURES_MAX + 1);
    struct finding finding = {.count = mismatches(p->run), .rows = rows};
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

/* ---- errors -----------------------------------------------------------------------------------
 */

static const struct aggregate_failure *failure_of(const struct result_place *p)
{
    return p->item;
}

/* The row for the rest has no type of its own. */
static json_t *or_null(const struct result_place *p, const char *text)
{
    return failure_of(p)->is_other ? json_null() : json_string(text);
}

static json_t *error_type(const struct result_place *p)
{
    return or_null(p, error_type_name(failure_of(p)->failure.type));
}

static json_t *error_code(const struct result_place *p)
{
    char code[64];

    return or_null(p, error_code_name(failure_of(p)->failure.code, failure_of(p)->failure.number,
                                      code, sizeof code));
}

static json_t *error_origin(const struct result_place *p)
{
    return or_null(p, error_origin_name(failure_of(p)->failure.origin));
}

static json_t *error_count(const struct result_place *p)
{
    return result_count(failure_of(p)->seen[p->share].count);
}

static json_t *error_signature(const struct result_place *p)
{
    char pattern[SIGNATURE_MAX + 128];

    return result_text(aggregate_failure_pattern(failure_of(p), pattern, sizeof pattern));
}

static json_t *error_sample(const struct result_place *p)
{
    const struct failure *f = &failure_of(p)->failure;

    return failure_of(p)->is_other ? json_null()
                                   : result_slice((struct str){f->sample, f->sample_len});
}

static json_t *error_first_second(const struct result_place *p)
{
    return result_count(failure_of(p)->seen[p->share].first_second);
}

static json_t *error_last_second(const struct result_place *p)
{
    return result_count(failure_of(p)->seen[p->share].last_second);
}

static const struct aggregate_key *key_of(const struct result_place *p)
{
    return aggregate_key(p->run->books, (uint32_t)p->index);
}

static json_t *key_stage(const struct result_place *p)
{
    return result_text(p->run->plan->stages[key_of(p)->stage_index].config->stage_id);
}

static json_t *key_operation(const struct result_place *p)
{
    return result_text(key_of(p)->operation);
}

static json_t *key_tool(const struct result_place *p)
{
    return result_text(key_of(p)->tool_name);
}

static json_t *key_template(const struct result_place *p)
{
    return result_text(key_of(p)->template_id);
}

static const struct result_member error_operation_members[] = {
    {"stage_id", "string", "The stage.", key_stage, NULL},
    {"operation", "string", "`tools/call` …", key_operation, NULL},
    {"tool_name", "string or null", "The tool that was called.", key_tool, NULL},
    {"template_id", "string or null", "The template of the call.", key_template, NULL},
};
const struct result_section result_section_error_operation =
    RESULT_SECTION("errors[].operations[]", error_operation_members);

static bool in_share(const struct result_place *p, uint32_t key)
{
    uint32_t stage_index = aggregate_key(p->run->books, key)->stage_index;

    return p->share == AGGREGATE_ALL ||
           aggregate_is_load(p->run->books, stage_index) == (p->share == AGGREGATE_LOAD);
}

static json_t *error_operations(const struct result_place *p)
{
    const uint64_t *keys = failure_of(p)->keys;
    json_t *out = json_array();

    for (uint32_t i = 0; keys != NULL && i < aggregate_key_count(p->run->books); i++) {
        if ((keys[i / 64] >> (i % 64) & 1) != 0 && in_share(p, i)) {
            struct result_place here = *p;
            here.index = i;
            json_array_append_new(out, result_object(&result_section_error_operation, &here));
        }
    }
    return out;
}

static const struct result_member error_members[] = {
    {"type", "string or null", "Type of the failure; null in the row for the rest.", error_type,
     NULL},
    {"code", "string or null", "Code of the failure; likewise.", error_code, NULL},
    {"origin", "string or null", "Whose fault it looks like; likewise.", error_origin, NULL},
    {"count", "integer", "How often.", error_count, NULL},
    {"signature", "string",
     "Type, code and message, with ids, numbers and addresses masked; `<MORE>` for the message of "
     "those whose texts were not looked at (`failure_texts`); `<OTHER>` in the row for the rest.",
     error_signature, NULL},
    {"sample", "string or null", "One of the messages as it came.", error_sample, NULL},
    {"first_second", "integer", "The first second of the run that had it.", error_first_second,
     NULL},
    {"last_second", "integer", "The last one.", error_last_second, NULL},
    {"operations", "array of objects", "The operations that had it; empty in the row for the rest.",
     error_operations, &result_section_error_operation},
};
const struct result_section result_section_error = RESULT_SECTION("errors[]", error_members);

json_t *result_errors(const struct result_place *p)
{
    /* One more, for the row of the rest. An array of pointers: the check takes that for a slip. */
    /* NOLINTNEXTLINE(bugprone-sizeof-expression) */
    const struct aggregate_failure **rows = xcalloc(AGGREGATE_SIGNATURES_MAX + 1, sizeof *rows);
    size_t count = aggregate_failures(p->run->books, p->share, rows, AGGREGATE_SIGNATURES_MAX + 1);
    json_t *out = json_array();

    for (size_t i = 0; i < count; i++) {
        struct result_place here = *p;

        here.item = rows[i];
        json_array_append_new(out, result_object(&result_section_error, &here));
    }
    xfree(rows);
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
    {"n", "integer",
     "Its `${op_seq}`: its number in that virtual user, in the open model its arrival's.", slow_n,
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
