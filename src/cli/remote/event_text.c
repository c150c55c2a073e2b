/* SPDX-License-Identifier: MIT */
#include "cli/remote/event_text.h"

#include "report/result/document.h"
#include "report/text/text.h"

#include <string.h>

enum {
    TYPE_COLUMNS = 26,
    TEXT_COLUMNS = 200, /* of one foreign text */
    VALUE_COLUMNS = 80, /* of one member in the general form */
    MEMBERS_SHOWN = 8,
    CLOCK_AT = 11, /* "2026-01-31T12:00:00.250Z" */
    CLOCK_LEN = 12,
};

struct line {
    struct buf *out;
    int rc;
};

static void add(struct line *l, const char *text)
{
    l->rc |= buf_add_c(l->out, text);
}

static void add_foreign(struct line *l, struct str text, size_t columns)
{
    if (l->rc == 0) {
        l->rc = text_add_safe(l->out, text, columns);
    }
}

static void add_member(struct line *l, const json_t *payload, const char *name)
{
    add_foreign(l, document_text(payload, name), TEXT_COLUMNS);
}

static void add_count(struct line *l, const json_t *payload, const char *name, const char *unit)
{
    char number[TEXT_NUMBER_MAX];

    add(l, text_count(document_count(payload, name), number));
    add(l, unit);
}

/* A number as it is written for people: whole where it is whole. */
static void add_number(struct line *l, const json_t *payload, const char *name)
{
    double value;

    if (document_number(payload, name, &value)) {
        l->rc |= buf_printf(l->out, "%.6g", value);
    } else {
        add(l, "-");
    }
}

/* ---- what some types say ----------------------------------------------------------------------
 */

static void say_created(struct line *l, const json_t *p)
{
    add_member(l, p, "scenario_id");
    add(l, " by ");
    add_member(l, p, "actor");
}

static void say_transition(struct line *l, const json_t *p)
{
    struct str actor = document_text(p, "actor");

    add_member(l, p, "from_state");
    add(l, " → ");
    add_member(l, p, "to_state");
    add(l, " (");
    add_member(l, p, "trigger");
    if (actor.len > 0 && !str_eq(actor, STR("system"))) {
        add(l, " by ");
        add_foreign(l, actor, TEXT_COLUMNS);
    }
    add(l, ")");
}

static void add_stage(struct line *l, const json_t *p)
{
    struct str kind = document_text(p, "stage"), id = document_text(p, "stage_id");

    add_foreign(l, kind, TEXT_COLUMNS);
    if (id.len > 0 && !str_eq(kind, id)) {
        add(l, " ");
        add_foreign(l, id, TEXT_COLUMNS);
    }
}

static void say_stage_started(struct line *l, const json_t *p)
{
    char text[TEXT_NUMBER_MAX];
    double rate;
    uint64_t ns;

    add_stage(l, p);
    add(l, ": ");
    add_count(l, p, "target_vus", " VUs");
    if (document_number(p, "target_rps", &rate) && rate > 0) {
        add(l, ", ");
        add(l, text_rate(rate, text));
    }
    if (document_ms(p, "duration_ms", &ns)) {
        add(l, " for ");
        add(l, text_clock(ns, text));
    }
}

/* The figures as far as the control plane tells them here. */
static void say_stage_completed(struct line *l, const json_t *p)
{
    char text[TEXT_NUMBER_MAX];
    double rate;
    uint64_t ns;

    add_stage(l, p);
    if (document_ms(p, "elapsed_ms", &ns)) {
        add(l, " after ");
        add(l, text_clock(ns, text));
    }
    if (document_at(p, "total_ops") != NULL) {
        add(l, ": ");
        add_count(l, p, "total_ops", " operations, ");
        add_count(l, p, "failed_ops", " failed");
    }
    if (document_number(p, "throughput", &rate)) {
        add(l, ", ");
        add(l, text_rate(rate, text));
    }
    if (document_ms(p, "latency_p99_ms", &ns)) {
        add(l, ", p99 ");
        add(l, text_time(ns, text));
    }
}

/* The rate only where there is one. */
static void say_target(struct line *l, const json_t *p)
{
    char text[TEXT_NUMBER_MAX];
    double rate = 0, before = 0;

    add_count(l, p, "previous_vus", " → ");
    add_count(l, p, "target_vus", " VUs");
    (void)document_number(p, "target_rps", &rate);
    (void)document_number(p, "previous_rps", &before);
    if (rate > 0 || before > 0) {
        add(l, ", ");
        add(l, before > 0 ? text_rate(before, text) : "0");
        add(l, " → ");
        add(l, rate > 0 ? text_rate(rate, text) : "0");
    }
}

static void say_assigned(struct line *l, const json_t *p)
{
    add_member(l, p, "worker_id");
    add(l, ": up to ");
    add_count(l, p, "vus", " VUs on ");
    add_count(l, p, "sources", " of ");
    add_count(l, p, "of_sources", " shards");
}

static void say_lost(struct line *l, const json_t *p)
{
    const json_t *ids = document_at(p, "worker_ids");

    for (size_t i = 0; i < json_array_size(ids); i++) {
        const json_t *id = json_array_get(ids, i);

        add(l, i > 0 ? ", " : "");
        add_foreign(l, (struct str){json_string_value(id), json_string_length(id)}, TEXT_COLUMNS);
    }
    add(l, " with ");
    add_count(l, p, "lost_vus", " VUs (");
    add_member(l, p, "policy");
    add(l, ")");
}

static void say_recovery(struct line *l, const json_t *p)
{
    add_member(l, p, "reason");
    add(l, document_true(p, "resumed") ? ": the run goes on" : ": the run cannot go on");
}

static void say_condition(struct line *l, const json_t *p)
{
    add_member(l, p, "metric");
    add(l, " ");
    add_member(l, p, "comparator");
    add(l, " ");
    add_number(l, p, "threshold");
    add(l, ", observed ");
    add_number(l, p, "observed");
    if (document_text(p, "stage").len > 0) { /* else it is about the whole run */
        add(l, " in ");
        add_stage(l, p);
    }
}

static void say_stop(struct line *l, const json_t *p)
{
    struct str mode = document_text(p, "mode"), reason = document_text(p, "reason");

    add_foreign(l, mode, TEXT_COLUMNS);
    add(l, mode.len > 0 && reason.len > 0 ? ", " : "");
    add_foreign(l, reason, TEXT_COLUMNS);
    add(l, mode.len > 0 || reason.len > 0 ? " by " : "by ");
    add_member(l, p, "actor");
}

static void add_value(struct line *l, const json_t *value)
{
    struct buf text;

    if (json_is_string(value)) {
        add_foreign(l, (struct str){json_string_value(value), json_string_length(value)},
                    VALUE_COLUMNS);
        return;
    }
    buf_init(&text, (size_t)EVENT_TEXT_MAX * 4);
    if (json_write(value, &text) == 0) {
        add_foreign(l, buf_str(&text), VALUE_COLUMNS);
    } else {
        add(l, "…");
    }
    buf_clear(&text);
}

/* Any payload: "name value, name value …". */
static void say_members(struct line *l, const json_t *p)
{
    const char *key;
    json_t *value;
    size_t shown = 0;

    /* NOLINTNEXTLINE(performance-no-int-to-ptr): it is only read */
    json_object_foreach((json_t *)(uintptr_t)p, key, value)
    {
        if (json_is_null(value)) {
            continue;
        }
        if (shown == MEMBERS_SHOWN) {
            add(l, " …");
            break;
        }
        add(l, shown++ > 0 ? ", " : "");
        add_foreign(l, str_c(key), VALUE_COLUMNS);
        add(l, " ");
        add_value(l, value);
    }
}

static void say_warning(struct line *l, const json_t *p)
{
    const json_t *details = document_at(p, "details");

    add_member(l, p, "warning");
    if (json_is_string(details)) {
        add(l, ": ");
        add_member(l, p, "details");
    } else if (json_object_size(details) > 0) {
        add(l, ": ");
        say_members(l, details);
    }
}

static const struct {
    const char *type;
    void (*say)(struct line *l, const json_t *payload);
} sayings[] = {
    {"RUN_CREATED", say_created},
    {"STATE_TRANSITION", say_transition},
    {"WORKER_ASSIGNED", say_assigned},
    {"WORKER_CAPACITY_LOST", say_lost},
    {"SCHEDULER_TARGET_SET", say_target},
    {"STAGE_STARTED", say_stage_started},
    {"STAGE_COMPLETED", say_stage_completed},
    {"STOP_CONDITION_TRIGGERED", say_condition},
    {"STOP_REQUESTED", say_stop},
    {"EMERGENCY_STOP", say_stop},
    {"SYSTEM_WARNING", say_warning},
    {"SYSTEM_RECOVERY", say_recovery},
};

static void say(struct line *l, struct str type, const json_t *payload)
{
    for (size_t i = 0; i < sizeof sayings / sizeof sayings[0]; i++) {
        if (str_eq(type, str_c(sayings[i].type))) {
            sayings[i].say(l, payload);
            return;
        }
    }
    say_members(l, payload);
}

int event_text(const json_t *event, struct buf *out)
{
    struct str type = document_text(event, "type");
    struct line l = {.out = out};
    char when[TEXT_NUMBER_MAX];
    struct buf name;

    text_timestamp(document_count(event, "ts_ms"), when);
    l.rc = strlen(when) >= CLOCK_AT + CLOCK_LEN ? buf_add(out, when + CLOCK_AT, CLOCK_LEN)
                                                : buf_add_c(out, when);
    add(&l, "  ");
    buf_init(&name, EVENT_TEXT_MAX);
    l.rc |= text_add_safe(&name, type, TEXT_COLUMNS);
    if (l.rc == 0) {
        l.rc = text_add_left(out, buf_str(&name), TYPE_COLUMNS);
    }
    buf_clear(&name);
    add(&l, "  ");
    say(&l, type, document_at(event, "payload"));
    while (out->len > 0 && out->p[out->len - 1] == ' ') {
        out->len--;
    }
    add(&l, "\n");
    return l.rc;
}
