/* SPDX-License-Identifier: MIT */
#include "report/result.h"

#include "base/mem.h"
#include "report/result_priv.h"
#include "report/text.h"

#include <math.h>
#include <signal.h>
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
    return result_text(p->run->plan->scenario->metadata.name);
}

static json_t *description(const struct result_place *p)
{
    return result_text(p->run->plan->scenario->metadata.description);
}

static json_t *created_by(const struct result_place *p)
{
    return result_text(p->run->plan->scenario->metadata.created_by);
}

static json_t *tags(const struct result_place *p)
{
    const struct metadata_config *m = &p->run->plan->scenario->metadata;
    json_t *object = json_object();

    for (size_t i = 0; i < m->tag_count; i++) {
        json_object_set_new(object, m->tags[i].name, result_text(m->tags[i].value));
    }
    return object;
}

static json_t *config_hash(const struct result_place *p)
{
    return result_text(p->run->plan->scenario->config_hash);
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
        if (plan->stages[i].config->kind != STAGE_PREFLIGHT || plan->stage_count == 1) {
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

/* Appends the lines of a text. */
static void append_lines(json_t *to, struct str rest)
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

static json_t *warnings(const struct result_place *p)
{
    json_t *out = json_array();

    for (size_t i = 0; p->run->checked && i < p->run->checks.warning_count; i++) {
        json_array_append_new(out, result_text(p->run->checks.warnings[i]));
    }
    append_lines(out, buf_str(&p->run->warnings));
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
    {"name", "string", "Name of the scenario, from its metadata.", name, NULL},
    {"description", "string", "Of the scenario, from its metadata.", description, NULL},
    {"created_by", "string or null", "Who made it, from its metadata.", created_by, NULL},
    {"tags", "object", "The tags of its metadata.", tags, NULL},
    {"config_hash", "string", "SHA-256 of the scenario file as it was read, in hex.", config_hash,
     NULL},
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
     "Every metric of [the registry](metrics.md) over the whole run.", result_totals, NULL},
    {"counts", "object: count → integer", "What the metrics are made of, over the whole run.",
     result_counts, NULL},
    {"distributions", "object: distribution → object or null",
     "Every distribution of times over the whole run, each with the members of "
     "`operations[].response`; null without a sample.",
     result_distributions, NULL},
    {"custom", "object: name → object", "Metrics of the scenario over the whole run.",
     result_custom, &result_section_custom},
    {"journey", "object or null",
     "Lists that virtual users asked for beside the workload; null without one.", result_journey,
     &result_section_journey},
    {"stages", "array of objects", "The stages of the plan, in order.", result_stages,
     &result_section_stage},
    {"operations", "array of objects",
     "The operations of the mix, a row for each tool template, over all stages.", result_operations,
     &result_section_operation},
    {"slowest", "array of objects",
     "The slowest operations by the time from due to ended, the slowest first, at most 20.",
     result_slowest, &result_section_slowest},
    {"errors", "array of objects",
     "Failures with the same type, code, origin and masked message, the most frequent first.",
     result_errors, &result_section_error},
    {"conditions", "array of objects", "The stop conditions, in the order of the file.",
     result_conditions, &result_section_condition},
    {"integrity", "object", "Whether the books are whole.", result_integrity,
     &result_section_integrity},
    {"losses", "object", "What was left out of logs and tables; totals have all of it.",
     result_losses, &result_section_losses},
    {"workers", "array of objects", "What each source of figures (a thread of load) sent.",
     result_workers, &result_section_worker},
    {"environment", "object", "Where the load was made.", result_environment,
     &result_section_environment},
};
const struct result_section result_section_root = RESULT_SECTION("", root_members);

json_t *result_json(const struct run *r)
{
    struct aggregate_filter everything = aggregate_everything();
    struct metric_view view = {.span_s = 0};
    struct result_place place = {.run = r, .view = &view, .whole = true};

    aggregate_view_total(r->books, &everything, &view);
    json_t *out = result_object(&result_section_root, &place);
    metric_view_clear(&view);
    return out;
}

int result_render(const struct run *r, struct buf *out, struct err *err)
{
    json_t *json = result_json(r);
    int rc = json_write_pretty(json, out);

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

/* ---- validity ---------------------------------------------------------------------------------
 */

static json_t *validity_state(const struct result_place *p)
{
    return result_text(p->run->validity);
}

static json_t *validity_evidence(const struct result_place *p)
{
    json_t *out = json_array();

    append_lines(out, buf_str(&p->run->evidence));
    return out;
}

static json_t *validity_meaning(const struct result_place *p)
{
    return json_string(validity_state_meaning(p->run->worth.state));
}

static const struct validity_evidence *signal_of(const struct result_place *p)
{
    return p->item;
}

static json_t *signal_name(const struct result_place *p)
{
    return result_text(signal_of(p)->signal);
}

static json_t *signal_fails(const struct result_place *p)
{
    return json_boolean(signal_of(p)->fail);
}

static json_t *signal_source(const struct result_place *p)
{
    uint32_t source = signal_of(p)->source;

    return source == UINT32_MAX ? json_null() : result_count(source);
}

static json_t *signal_value(const struct result_place *p)
{
    return result_real(signal_of(p)->value, 1e6);
}

static json_t *signal_limit(const struct result_place *p)
{
    return result_real(signal_of(p)->limit, 1e6);
}

static json_t *signal_unit(const struct result_place *p)
{
    return result_text(signal_of(p)->unit);
}

static json_t *signal_seconds(const struct result_place *p)
{
    return result_count(signal_of(p)->seconds);
}

static json_t *signal_measured(const struct result_place *p)
{
    return result_count(signal_of(p)->measured);
}

static json_t *signal_text(const struct result_place *p)
{
    return result_text(signal_of(p)->text);
}

static const struct result_member signal_members[] = {
    {"signal", "string", "`send_lag`, `busy`, `run_delay`, `steal`, `throttled` …", signal_name,
     NULL},
    {"fails", "boolean", "It decides; else it is a warning, which changes nothing.", signal_fails,
     NULL},
    {"source", "integer or null", "The source where it was worst; null: the run.", signal_source,
     NULL},
    {"value", "number", "Of the worst second.", signal_value, NULL},
    {"limit", "number", "What it may be.", signal_limit, NULL},
    {"unit", "string or null", "Of both; `1` is a share.", signal_unit, NULL},
    {"seconds", "integer", "In how many seconds it held …", signal_seconds, NULL},
    {"measured", "integer", "… of how many that were looked at; 0: it is about the whole run.",
     signal_measured, NULL},
    {"text", "string", "The same for people.", signal_text, NULL},
};
const struct result_section result_section_signal =
    RESULT_SECTION("validity.signals[]", signal_members);

static json_t *validity_signals(const struct result_place *p)
{
    json_t *out = json_array();

    for (size_t i = 0; i < p->run->worth.evidence_count; i++) {
        struct result_place here = *p;

        here.item = &p->run->worth.evidence[i];
        json_array_append_new(out, result_object(&result_section_signal, &here));
    }
    return out;
}

static const struct result_member validity_members[] = {
    {"state", "string or null",
     "`valid`; `lost_data` when the books are not whole; `generator_bound` or `network_bound` when "
     "this machine or its network was the bottleneck; `under_delivered` when due operations were "
     "dropped; `insufficient_samples` when a criterion could not be decided.",
     validity_state, NULL},
    {"meaning", "string", "The same for people.", validity_meaning, NULL},
    {"evidence", "array of strings", "What speaks for it, a sentence each.", validity_evidence,
     NULL},
    {"signals", "array of objects", "The same as figures; what decides comes first.",
     validity_signals, &result_section_signal},
};
const struct result_section result_section_validity = RESULT_SECTION("validity", validity_members);

/* ---- stop -------------------------------------------------------------------------------------
 */

static bool by_condition(const struct run *r)
{
    return r->triggered && r->stop.kind == RUN_STOP_CONDITION;
}

static json_t *stop_kind(const struct result_place *p)
{
    return json_string(run_stop_name(p->run->stop.kind));
}

static json_t *stop_reason(const struct result_place *p)
{
    return result_text(p->run->stop.reason);
}

static json_t *stop_condition_id(const struct result_place *p)
{
    return by_condition(p->run) ? result_text(p->run->trigger.spec->id) : json_null();
}

static json_t *stop_sentence(const struct result_place *p)
{
    return result_text(p->run->stop.sentence);
}

static json_t *stop_mode_name(const struct result_place *p)
{
    return json_string(p->run->stop.mode == STOP_IMMEDIATE ? "immediate" : "drain");
}

static json_t *stop_actor(const struct result_place *p)
{
    return result_text(p->run->stop.actor);
}

static json_t *stop_signal(const struct result_place *p)
{
    int signo = p->run->stop.signo;

    return signo == SIGINT    ? json_string("SIGINT")
           : signo == SIGTERM ? json_string("SIGTERM")
                              : json_null();
}

static json_t *stop_latency(const struct result_place *p)
{
    return p->run->stop_latency_ns == 0 ? json_null() : result_ms(p->run->stop_latency_ns);
}

static json_t *stop_drain_timed_out(const struct result_place *p)
{
    return json_boolean(p->run->drain_timed_out);
}

static json_t *stop_observed(const struct result_place *p)
{
    json_t *out = json_array();

    for (size_t i = 0; by_condition(p->run) && i < p->run->trigger.window_count; i++) {
        struct result_place here = *p;

        here.item = &p->run->trigger.windows[i];
        json_array_append_new(out, result_object(&result_section_observed, &here));
    }
    return out;
}

static const struct result_member stop_members[] = {
    {"kind", "string",
     "`completed`, `stop_condition_met`, `stop_requested`, `emergency_stop`, "
     "`max_duration_reached`, `max_errors_reached`, `stage_timeout`, `preflight_failed` or "
     "`system_error`.",
     stop_kind, NULL},
    {"reason", "string", "The same in one line, with the figures.", stop_reason, NULL},
    {"condition_id", "string or null", "The stop condition that ended the run.", stop_condition_id,
     NULL},
    {"sentence", "string", "The reason for people.", stop_sentence, NULL},
    {"mode", "string", "`drain`: running operations could finish; `immediate`: they were cut.",
     stop_mode_name, NULL},
    {"actor", "string or null", "`system` or `user`.", stop_actor, NULL},
    {"signal", "string or null", "`SIGINT` or `SIGTERM`, when a signal asked for the end.",
     stop_signal, NULL},
    {"latency_ms", "number or null",
     "From the end of the deciding second to the end of the last operation.", stop_latency, NULL},
    {"drain_timed_out", "boolean",
     "Operations were still running at the end of the drain time; they are unfinished.",
     stop_drain_timed_out, NULL},
    {"observed", "array of objects", "The windows that decided, the newest first.", stop_observed,
     &result_section_observed},
};
const struct result_section result_section_stop = RESULT_SECTION("stop", stop_members);

static const struct stop_observation *observation(const struct result_place *p)
{
    return p->item;
}

static json_t *observed_value(const struct result_place *p)
{
    return observation(p)->has_value ? result_real(observation(p)->value, 1e6) : json_null();
}

static json_t *observed_lower_bound(const struct result_place *p)
{
    return json_boolean(observation(p)->lower_bound);
}

static json_t *observed_samples(const struct result_place *p)
{
    return result_count(observation(p)->samples);
}

static json_t *observed_shed(const struct result_place *p)
{
    return json_boolean(observation(p)->shed);
}

static json_t *observed_dropped(const struct result_place *p)
{
    return result_count(observation(p)->dropped);
}

static json_t *observed_ended(const struct result_place *p)
{
    return result_count(observation(p)->ended);
}

static json_t *observed_failed(const struct result_place *p)
{
    return result_count(observation(p)->failed);
}

static const struct result_member observed_members[] = {
    {"value", "number or null", "Of the condition's metric, in its unit.", observed_value, NULL},
    {"lower_bound", "boolean", "The truth is at least this: operations that we cut reach into it.",
     observed_lower_bound, NULL},
    {"shed", "boolean",
     "The truth is above all samples, because due operations were dropped; the value is the "
     "largest sample.",
     observed_shed, NULL},
    {"samples", "integer", "How many samples the value rests on.", observed_samples, NULL},
    {"dropped", "integer", "Operations that were due in the window and never started.",
     observed_dropped, NULL},
    {"ended", "integer", "Operations that ended in the window.", observed_ended, NULL},
    {"failed", "integer", "Those of them that failed.", observed_failed, NULL},
};
const struct result_section result_section_observed =
    RESULT_SECTION("stop.observed[]", observed_members);

/* ---- server and checks ------------------------------------------------------------------------
 */

static json_t *non_empty(const char *text)
{
    return text[0] != '\0' ? result_text(text) : json_null();
}

static json_t *server_name(const struct result_place *p)
{
    return non_empty(p->run->checks.server_name);
}

static json_t *server_version(const struct result_place *p)
{
    return non_empty(p->run->checks.server_version);
}

static json_t *server_protocol(const struct result_place *p)
{
    return non_empty(p->run->checks.protocol_version);
}

static const struct result_member server_members[] = {
    {"name", "string or null", "`serverInfo.name`.", server_name, NULL},
    {"version", "string or null", "`serverInfo.version`.", server_version, NULL},
    {"protocol_version", "string or null", "The MCP version that both sides agreed on.",
     server_protocol, NULL},
};
const struct result_section result_section_server = RESULT_SECTION("server", server_members);

static const struct check *check_of(const struct result_place *p)
{
    return p->item;
}

static json_t *check_name(const struct result_place *p)
{
    return result_text(check_of(p)->name);
}

static json_t *check_ok(const struct result_place *p)
{
    return json_boolean(check_of(p)->ok);
}

static json_t *check_latency(const struct result_place *p)
{
    return result_ms(check_of(p)->latency_ns);
}

static json_t *check_error_type(const struct result_place *p)
{
    return check_of(p)->ok ? json_null()
                           : json_string(error_type_name(error_code_type(check_of(p)->code)));
}

static json_t *check_error_code(const struct result_place *p)
{
    char code[64];

    return check_of(p)->ok ? json_null()
                           : json_string(error_code_name(check_of(p)->code, check_of(p)->number,
                                                         code, sizeof code));
}

static json_t *check_message(const struct result_place *p)
{
    return result_text(check_of(p)->message);
}

static json_t *check_remediation(const struct result_place *p)
{
    return result_text(check_of(p)->remediation);
}

static const struct result_member check_members[] = {
    {"name", "string", "`network`, `handshake`, `capabilities` or `names`.", check_name, NULL},
    {"ok", "boolean", "It passed.", check_ok, NULL},
    {"latency_ms", "number", "How long it took.", check_latency, NULL},
    {"error_type", "string or null", "Type of the failure; null when it passed.", check_error_type,
     NULL},
    {"error_code", "string or null", "Code of the failure; null when it passed.", check_error_code,
     NULL},
    {"message", "string", "What was found.", check_message, NULL},
    {"remediation", "string", "What to do; empty when it passed.", check_remediation, NULL},
};
const struct result_section result_section_check = RESULT_SECTION("checks[]", check_members);
