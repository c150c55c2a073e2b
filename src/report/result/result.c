/* SPDX-License-Identifier: MIT */
#include "report/result/result.h"

#include "report/result/result_priv.h"
#include "report/text/text.h"

#include <math.h>
#include <string.h>

/* ---- values -----------------------------------------------------------------------------------
 */

json_t *result_object(const struct result_section *section, const struct result_place *place)
{
    json_t *object = json_object();

    for (size_t i = 0; i < section->count; i++) {
        json_t *value = section->members[i].value(place);
        json_object_set_new(object, section->members[i].name, value != NULL ? value : json_null());
    }
    return object;
}

/* What a row has nothing to say of: no value, no count, an empty list. A ratio or a time of 0 is a
 * figure. */
static bool says_nothing(const json_t *value)
{
    return value == NULL || json_is_null(value) ||
           (json_is_integer(value) && json_integer_value(value) == 0) ||
           (json_is_array(value) && json_array_size(value) == 0);
}

void result_row_set(json_t *row, const char *name, json_t *value)
{
    if (says_nothing(value)) {
        json_decref(value);
    } else {
        json_object_set_new(row, name, value);
    }
}

json_t *result_row(const struct result_section *section, const struct result_place *place)
{
    json_t *row = json_object();

    for (size_t i = 0; i < section->count; i++) {
        result_row_set(row, section->members[i].name, section->members[i].value(place));
    }
    return row;
}

json_t *result_slice(struct str s)
{
    struct buf valid;

    /* Each byte becomes at most the three of U+FFFD. */
    buf_init(&valid, s.len * 3 + 1);
    (void)text_add_utf8(&valid, s);
    json_t *out = json_stringn(buf_c(&valid), valid.len);
    buf_clear(&valid);
    return out;
}

json_t *result_text(const char *s)
{
    return s != NULL ? result_slice(str_c(s)) : json_null();
}

json_t *result_count(uint64_t n)
{
    return json_integer(n > INT64_MAX ? INT64_MAX : (json_int_t)n);
}

json_t *result_real(double value, double places)
{
    return json_real(round(value * places) / places);
}

json_t *result_ms(uint64_t ns)
{
    return result_real((double)ns / (double)NS_PER_MS, 1e6);
}

void result_append_lines(json_t *to, struct str rest)
{
    while (rest.len > 0) {
        const char *end = memchr(rest.p, '\n', rest.len);
        size_t len = end != NULL ? (size_t)(end - rest.p) : rest.len;

        if (len > 0) {
            json_array_append_new(to, result_slice((struct str){rest.p, len}));
        }
        len += end != NULL;
        rest = (struct str){rest.p + len, rest.len - len};
    }
}

json_t *result_metric(const struct metric *m, const struct metric_view *view)
{
    double value;

    if (!metric_value(m, view, &value)) {
        /* Without a window there is no span, but what did not happen was still counted: 0 times. */
        return m->kind == METRIC_COUNT ? json_integer(0) : json_null();
    }
    if (m->kind == METRIC_COUNT || strcmp(m->unit, "count") == 0) {
        return json_integer((json_int_t)value);
    }
    return result_real(value, m->kind == METRIC_RATIO ? 1e6 : 1e3);
}

static json_t *timestamp(uint64_t wall_ms)
{
    char text[TEXT_NUMBER_MAX];

    return wall_ms == 0 ? json_null() : json_string(text_timestamp(wall_ms, text));
}

/* ---- the document -----------------------------------------------------------------------------
 */

static json_t *schema_version(const struct result_place *p)
{
    (void)p;
    return json_string(RESULT_SCHEMA_VERSION);
}

static json_t *run_id(const struct result_place *p)
{
    return result_text(p->run->identity->run_id);
}

static json_t *execution_id(const struct result_place *p)
{
    return result_text(p->run->identity->execution_id);
}

static json_t *scenario_id(const struct result_place *p)
{
    return result_text(p->run->plan->scenario->scenario_id);
}

static json_t *name(const struct result_place *p)
{
    const struct run_origin *o = p->run->origin;

    return result_text(o != NULL ? o->name : p->run->plan->scenario->metadata.name);
}

static json_t *description(const struct result_place *p)
{
    if (p->run->origin != NULL) {
        return result_text(p->run->origin->description);
    }
    return result_text(p->run->plan->scenario->metadata.description);
}

static json_t *created_by(const struct result_place *p)
{
    if (p->run->origin != NULL) {
        return result_text(p->run->origin->created_by);
    }
    return result_text(p->run->plan->scenario->metadata.created_by);
}

static json_t *tags(const struct result_place *p)
{
    const struct metadata_config *m = &p->run->plan->scenario->metadata;
    json_t *object;

    if (p->run->origin != NULL) {
        return json_incref(p->run->origin->tags);
    }
    object = json_object();
    for (size_t i = 0; i < m->tag_count; i++) {
        json_object_set_new(object, m->tags[i].name, result_text(m->tags[i].value));
    }
    return object;
}

static json_t *config_hash(const struct result_place *p)
{
    return result_text(run_config_hash(p->run));
}

static json_t *source_hash(const struct result_place *p)
{
    return result_text(p->run->plan->scenario->config_hash);
}

static json_t *target_url(const struct result_place *p)
{
    return p->run->origin != NULL ? result_text(p->run->origin->target_url) : json_null();
}

static json_t *scenario(const struct result_place *p)
{
    const struct run_origin *o = p->run->origin;

    return o == NULL || origin_hides_scenario(o) ? json_null() : json_incref(o->scenario);
}

static json_t *command_line(const struct result_place *p)
{
    const struct run_origin *o = p->run->origin;

    return o == NULL || o->command_line == NULL ? json_null() : json_incref(o->command_line);
}

static json_t *seed(const struct result_place *p)
{
    return result_count(p->run->plan->seed);
}

static json_t *started_at(const struct result_place *p)
{
    return timestamp(p->run->started_ms);
}

static json_t *ended_at(const struct result_place *p)
{
    return timestamp(p->run->ended_ms);
}

static json_t *duration_ms(const struct result_place *p)
{
    const struct run *r = p->run;

    return r->started_ms == 0 || r->ended_ms < r->started_ms
               ? json_null()
               : result_count(r->ended_ms - r->started_ms);
}

static json_t *state(const struct result_place *p)
{
    return json_string(run_state_name(p->run->state));
}

static json_t *verdict(const struct result_place *p)
{
    return p->run->verdict == RUN_VERDICT_NONE ? json_null()
                                               : json_string(run_verdict_name(p->run->verdict));
}

static json_t *validity(const struct result_place *p)
{
    return result_object(&result_section_validity, p);
}

static json_t *exit_code(const struct result_place *p)
{
    return json_integer(p->run->exit_code);
}

static json_t *stop(const struct result_place *p)
{
    return result_object(&result_section_stop, p);
}

/* Of the stages that carry load. */
static json_t *model(const struct result_place *p)
{
    const struct plan *plan = p->run->plan;
    bool open = false, closed = false;

    for (uint32_t i = 0; i < plan->stage_count; i++) {
        if (aggregate_is_load(p->run->books, i)) {
            open = open || plan->stages[i].levels.open_model;
            closed = closed || !plan->stages[i].levels.open_model;
        }
    }
    return json_string(open && closed ? "mixed" : open ? "open" : "closed");
}

static json_t *server(const struct result_place *p)
{
    return p->run->checked ? result_object(&result_section_server, p) : json_null();
}

static json_t *checks(const struct result_place *p)
{
    json_t *out = json_array();

    for (size_t i = 0; p->run->checked && i < p->run->checks.count; i++) {
        struct result_place here = *p;

        here.item = &p->run->checks.items[i];
        json_array_append_new(out, result_object(&result_section_check, &here));
    }
    return out;
}

static json_t *warnings(const struct result_place *p)
{
    json_t *out = json_array();

    for (size_t i = 0; p->run->checked && i < p->run->checks.warning_count; i++) {
        json_array_append_new(out, result_text(p->run->checks.warnings[i]));
    }
    result_append_lines(out, buf_str(&p->run->warnings));
    return out;
}

static json_t *auxiliary_requests(const struct result_place *p)
{
    json_t *out = json_object();

    for (size_t i = 0; p->run->checked && i < p->run->checks.request_count; i++) {
        const struct check_request *request = &p->run->checks.requests[i];
        json_object_set_new(out, request->method, result_count(request->count));
    }
    return out;
}

static const struct result_member root_members[] = {
    {"schema_version", "string", "Always `result/v1`.", schema_version, NULL},
    {"run_id", "string", "Id of the run.", run_id, NULL},
    {"execution_id", "string", "Id of this start of the run.", execution_id, NULL},
    {"scenario_id", "string", "Id of the scenario, from its file.", scenario_id, NULL},
    {"name", "string", "Name of the run (`--name`), or else of the scenario, from its metadata.",
     name, NULL},
    {"description", "string", "Of the scenario, from its metadata.", description, NULL},
    {"created_by", "string or null", "Who made it, from its metadata.", created_by, NULL},
    {"tags", "object", "The tags of its metadata, and those of `--tag`, which win.", tags, NULL},
    {"config_hash", "string",
     "SHA-256, in hex, of the scenario that was played: of the bytes of `scenario.json` in the "
     "folder of `--out` (`sha256sum scenario.json`).",
     config_hash, NULL},
    {"source_hash", "string",
     "SHA-256, in hex, of the scenario file as it was read, followed by the files of `--with` "
     "(`cat FILE OVERLAY | sha256sum`).",
     source_hash, NULL},
    {"target_url", "string or null",
     "The target. User, password and values in the query whose names look like secrets are "
     "`[redacted]`.",
     target_url, NULL},
    {"command_line", "array of strings or null",
     "The words of the command that made the run, without secrets.", command_line, NULL},
    {"scenario", "object or null",
     "The scenario that was played: the file with all `--with`, `--set` and the like, without "
     "secrets. Null when it is larger than 1 MiB: then `scenario.json` alone has it.",
     scenario, NULL},
    {"seed", "integer", "Seed of all random choices of the load.", seed, NULL},
    {"started_at", "string or null", "When the run started, RFC 3339 in UTC with milliseconds.",
     started_at, NULL},
    {"ended_at", "string or null", "When it ended.", ended_at, NULL},
    {"duration_ms", "integer or null", "From the start to the end, checks and drain included.",
     duration_ms, NULL},
    {"state", "string",
     "`completed`, `stopped`, `failed` or `aborted`; another one in a partial "
     "result.",
     state, NULL},
    {"verdict", "string or null",
     "`passed`, `failed` or `invalid`; null when the run was interrupted.", verdict, NULL},
    {"validity", "object", "Whether the figures can be trusted.", validity,
     &result_section_validity},
    {"exit_code", "integer", "Exit code of `mcpdrill run`.", exit_code, NULL},
    {"stop", "object", "Why the run ended.", stop, &result_section_stop},
    {"model", "string", "`open`, `closed` or, with stages of both, `mixed`.", model, NULL},
    {"findings", "array of objects",
     "What is worse than any figure: answers that went to the wrong caller.", result_findings,
     &result_section_finding},
    {"criteria", "array of objects",
     "The success criteria, judged at the end; empty when they were not judged.", result_criteria,
     &result_section_criterion},
    {"latency_is", "string",
     "What the metrics `latency_…` are: `service` (sent to ended) in the closed load model, "
     "`response` (due to ended) in the open one.",
     result_latency_is, NULL},
    {"server", "object or null", "What the target said about itself; null without checks.", server,
     &result_section_server},
    {"checks", "array of objects",
     "Checks before any load, in the order in which they ran; a failed one is the last.", checks,
     &result_section_check},
    {"warnings", "array of strings",
     "What the checks, and the run while it went on, found doubtful.", warnings, NULL},
    {"auxiliary_requests", "object: method → integer",
     "Requests of the checks, which are no operations.", auxiliary_requests, NULL},
    {"totals", "object: metric → number or null",
     "Every metric of [the registry](metrics.md) over the run: its load stages, which are all but "
     "those of the kind `preflight`, or all stages of a run that has no others.",
     result_totals, NULL},
    {"counts", "object: count → integer",
     "What the metrics are made of, over the load stages. Each event counts in the stage in which "
     "it happened: a session that preflight made goes on into the load and ends there, so that "
     "more of them may be closed, lost or expired here than were created. With those of "
     "`preflight` added, no more are closed than were created.",
     result_counts, NULL},
    {"distributions", "object: distribution → object or null",
     "Every distribution of times over the load stages, each with the members of "
     "`operations[].response`; null without a sample.",
     result_distributions, NULL},
    {"custom", "object: name → object", "Metrics of the scenario over the load stages.",
     result_custom, &result_section_custom},
    {"preflight", "object or null",
     "What the preflight stages did, which is in no other figure of the run; null without one. Its "
     "counts, those of the run and `auxiliary_requests` add up to what the target saw.",
     result_preflight, &result_section_preflight},
    {"journey", "object or null",
     "Lists that virtual users asked for beside the workload; null without one.", result_journey,
     &result_section_journey},
    {"stages", "array of objects", "The stages of the plan, in order.", result_stages,
     &result_section_stage},
    {"operations", "array of objects",
     "The operations of the mix, a row for each tool template, over the load stages.",
     result_operations, &result_section_operation},
    {"slowest", "array of objects",
     "The slowest operations of the load stages by the time from due to ended, the slowest first, "
     "at most 20.",
     result_slowest, &result_section_slowest},
    {"errors", "array of objects",
     "Failures of the load stages with the same type, code, origin and masked message, the most "
     "frequent first.",
     result_errors, &result_section_error},
    {"conditions", "array of objects", "The stop conditions, in the order of the file.",
     result_conditions, &result_section_condition},
    {"integrity", "object", "Whether the books are whole.", result_integrity,
     &result_section_integrity},
    {"losses", "object", "What was left out of logs and tables; totals have all of it.",
     result_losses, &result_section_losses},
    {"limits", "array of objects",
     "Limits of our own that held load back or dropped figures, those that were hit only. All of "
     "them: [limits](../limits.md).",
     result_limits, &result_section_limit},
    {"workers", "array of objects",
     "Who made the load, and what each of them did. `mcpdrill run` is one worker.", result_workers,
     &result_section_worker},
    {"labels", "array of objects",
     "What the workers with each label did, by label; empty without labels.", result_labels,
     &result_section_label},
    {"environment", "object", "Where the load was made.", result_environment,
     &result_section_environment},
};
const struct result_section result_section_root = RESULT_SECTION("", root_members);

json_t *result_json(const struct run *r)
{
    struct aggregate_filter load = aggregate_load();
    struct metric_view view = {.span_s = 0};
    struct result_place place = {.run = r, .view = &view, .whole = true, .share = AGGREGATE_LOAD};

    aggregate_view_total(r->books, &load, &view);
    json_t *out = result_object(&result_section_root, &place);
    metric_view_clear(&view);
    return out;
}

int result_render(const struct run *r, struct buf *out, struct err *err)
{
    json_t *json = result_json(r);
    int rc = result_text_of(json, out);

    json_decref(json);
    return rc == 0 ? 0 : err_set(err, rc, "the result is larger than %zu bytes", out->max);
}

int result_write(const struct run *r, const char *path, struct err *err)
{
    struct buf text;

    buf_init(&text, RESULT_TEXT_MAX);
    int rc = result_render(r, &text, err);
    if (rc == 0) {
        rc = file_write(path, buf_str(&text), err);
    }
    buf_clear(&text);
    return rc;
}
