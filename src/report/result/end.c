/* SPDX-License-Identifier: MIT */
/* The members of a result that are about how the run went: what its figures are worth, why it
 * ended, what the checks before it found. */
#include "report/result/result_priv.h"

#include <signal.h>

/* ---- validity ---------------------------------------------------------------------------------
 */

static json_t *validity_state(const struct result_place *p)
{
    return result_text(p->run->validity);
}

static json_t *validity_evidence(const struct result_place *p)
{
    json_t *out = json_array();

    result_append_lines(out, buf_str(&p->run->evidence));
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

static json_t *signal_worker(const struct result_place *p)
{
    uint32_t source = signal_of(p)->source;

    return source == UINT32_MAX ? json_null() : result_text(run_source_worker(p->run, source));
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
    {"worker_id", "string or null", "The worker that it is of.", signal_worker, NULL},
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

/* One of the preflight stage makes the preflight fail. */
static bool by_condition(const struct run *r)
{
    return r->triggered &&
           (r->stop.kind == RUN_STOP_CONDITION || r->stop.kind == RUN_STOP_PREFLIGHT);
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

static json_t *stop_at_vus(const struct result_place *p)
{
    return p->run->stop.at.known ? result_count(p->run->stop.at.vus) : json_null();
}

static json_t *stop_at_rps(const struct result_place *p)
{
    return p->run->stop.at.known && p->run->stop.at.rps > 0 ? result_real(p->run->stop.at.rps, 1e6)
                                                            : json_null();
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
     "`max_duration_reached`, `max_errors_reached`, `stage_timeout`, `preflight_failed`, "
     "`allocation_failed` (the workers could not take the run), `worker_capacity_lost` (a worker "
     "was "
     "lost) or `system_error`.",
     stop_kind, NULL},
    {"reason", "string", "The same in one line, with the figures.", stop_reason, NULL},
    {"condition_id", "string or null", "The stop condition that ended the run.", stop_condition_id,
     NULL},
    {"sentence", "string", "The reason for people.", stop_sentence, NULL},
    {"at_vus", "integer or null",
     "Virtual users that the ramp had planned at the end of the deciding second; null without a "
     "condition, or without a ramp.",
     stop_at_vus, NULL},
    {"at_rps", "number or null", "Likewise operations per second, of a ramp of the open model.",
     stop_at_rps, NULL},
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

static json_t *observed_partial(const struct result_place *p)
{
    return json_boolean(observation(p)->partial);
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
    {"partial", "boolean", "Not all workers had reported: the value is that of the others.",
     observed_partial, NULL},
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
