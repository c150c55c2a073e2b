/* SPDX-License-Identifier: MIT */
/* What conditions and criteria name: metrics, and the part of the run that they look at. */
#include "scenario/config/choices.h"
#include "scenario/config/shares.h"
#include "scenario/rules/ids.h"
#include "scenario/rules/rules.h"

#include <stddef.h>

enum { NAMES_MAX = 5500, SUFFIX_COUNT = 12, PLAIN_SUFFIXES = 6 };

/* What a metric of workload.metrics is asked for; all but the first ones need a distribution. */
static const char *const suffixes[SUFFIX_COUNT] = {
    "count", "sum", "min", "max", "mean", "last", "p50", "p75", "p90", "p95", "p99", "p999",
};

/* ---- metrics --------------------------------------------------------------------------------- */

static bool registered(const struct scenario_options *options, const char *metric)
{
    for (size_t i = 0; i < options->metric_count; i++) {
        if (strcmp(options->metric_names[i], metric) == 0) {
            return true;
        }
    }
    return false;
}

/* "custom.NAME", "custom.NAME.p95" …, or NAME alone. */
static bool is_custom(const struct workload_config *w, const char *metric)
{
    const struct id_list customs = ID_LIST(custom_config, w->customs, w->custom_count, name);
    struct str name = str_c(metric);

    if (!str_starts(name, STR("custom."))) {
        return id_find(&customs, name) < customs.count;
    }
    name = (struct str){name.p + 7, name.len - 7};
    const char *dot = memchr(name.p, '.', name.len);
    if (dot != NULL) {
        name.len = (size_t)(dot - name.p);
    }
    size_t found = id_find(&customs, name);
    if (found == customs.count || dot == NULL) {
        return found < customs.count;
    }
    size_t count = w->customs[found].kind == CUSTOM_TREND ? SUFFIX_COUNT : PLAIN_SUFFIXES;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(suffixes[i], dot + 1) == 0) {
            return true;
        }
    }
    return false;
}

/* The nearest of all names, those of the workload's own metrics included. */
static const char *near_metric(struct check *c, const struct workload_config *w, const char *metric)
{
    const struct scenario_options *o = c->options;
    struct str wanted = str_c(metric);
    const char *near = check_full(c) ? NULL : str_nearest(wanted, o->metric_names, o->metric_count);

    for (size_t i = 0; i < w->custom_count && near == NULL && !check_full(c); i++) {
        const char *names[2 + SUFFIX_COUNT];
        size_t count = 0;

        names[count++] = w->customs[i].name;
        names[count++] = check_text(c, "custom.%s", w->customs[i].name);
        for (size_t k = 0; k < SUFFIX_COUNT; k++) {
            names[count++] = check_text(c, "custom.%s.%s", w->customs[i].name, suffixes[k]);
        }
        near = str_nearest(wanted, names, count);
    }
    return near;
}

static void report_metric(struct check *c, const struct workload_config *w, const char *metric)
{
    const struct scenario_options *o = c->options;
    const char *near = near_metric(c, w, metric);
    struct buf names;

    buf_init(&names, NAMES_MAX);
    for (size_t i = 0; i < o->metric_count; i++) {
        buf_printf(&names, "%s%s", i == 0 ? "" : ", ", o->metric_names[i]);
    }
    for (size_t i = 0; i < w->custom_count; i++) {
        buf_printf(&names, ", custom.%s", w->customs[i].name);
    }
    check_error(c, "UNKNOWN_METRIC",
                near != NULL ? check_text(c, "Did you mean `%s`?", near)
                             : "Use a known metric, or define your own in workload.metrics.",
                "there is no metric \"%s\"; known are: %s", metric, buf_c(&names));
    buf_clear(&names);
}

/* Without names nobody has said which metrics there are. */
void rules_metric(struct check *c, const struct scenario *s, const char *metric)
{
    if (metric[0] == '\0' || c->options->metric_count == 0 || registered(c->options, metric) ||
        is_custom(&s->workload, metric)) {
        return;
    }
    size_t mark = check_enter(c, "metric");
    report_metric(c, &s->workload, metric);
    check_leave(c, mark);
}

static bool narrows(const struct scenario_options *options, const char *metric)
{
    return registered(options, metric)
               ? options->metric_narrows == NULL || options->metric_narrows(metric)
               : options->metric_count == 0;
}

/* ---- scopes ---------------------------------------------------------------------------------- */

/* What an operation of the workload can be told by. */
struct key {
    const char *operation, *tool_name, *template_id;
};

static bool matches(const char *wanted, const char *found)
{
    return wanted == NULL || (found != NULL && strcmp(wanted, found) == 0);
}

/* Takes the next key; `*entry` and `*template` count. False at the end. */
static bool
next_key(const struct workload_config *w, size_t *entry, size_t *template, struct key *out)
{
    while (*entry < w->mix_count) {
        const struct mix_config *m = &w->mix[*entry];

        *out = (struct key){operation_name(m->operation), m->tool_name, NULL};
        if (m->operation != OPERATION_TOOLS_CALL || m->tool_name != NULL) {
            (*entry)++;
            return true;
        }
        while (*template <w->template_count) {
            const struct template_config *t = &w->templates[(*template)++];
            bool called =
                w->selection != SELECTION_SINGLE || matches(w->single_template_id, t->template_id);

            if (called) {
                out->tool_name = t->tool_name;
                out->template_id = t->template_id;
                return true;
            }
        }
        *template = 0;
        (*entry)++;
    }
    return false;
}

static bool any_key(const struct workload_config *w, const struct key *wanted)
{
    size_t entry = 0, template = 0;
    struct key key;

    while (next_key(w, &entry, &template, &key)) {
        if (matches(wanted->operation, key.operation) &&
            matches(wanted->tool_name, key.tool_name) &&
            matches(wanted->template_id, key.template_id)) {
            return true;
        }
    }
    return false;
}

enum { KEYS_SHOWN = 500 };

/* The values of one member of all keys, for a suggestion. */
static const char *
near_key(struct check *c, const struct workload_config *w, size_t offset, const char *wanted)
{
    const char *names[KEYS_SHOWN];
    size_t entry = 0, template = 0, count = 0;
    struct key key;

    while (count < KEYS_SHOWN && next_key(w, &entry, &template, &key)) {
        const char *name;

        memcpy(&name, (const char *)&key + offset, sizeof name);
        if (name != NULL) {
            names[count++] = name;
        }
    }
    return check_full(c) ? NULL : str_nearest(str_c(wanted), names, count);
}

static void report_nothing(struct check *c, const char *member, const char *value, const char *near)
{
    size_t mark = check_enter(c, member);

    if (!check_has_error(c)) {
        check_error(c, "SCOPE_MATCHES_NOTHING",
                    near != NULL ? check_text(c, "Did you mean `%s`?", near)
                                 : "Use a value that occurs in the file.",
                    "nothing of this scenario has the %s \"%s\"", member, value);
    }
    check_leave(c, mark);
}

/* Both spellings are good; the one with a slash is kept. */
static void normalize_operation(struct scope_config *scope)
{
    const struct choice *choice =
        scope->operation != NULL ? choice_find(operation_choices, scope->operation) : NULL;

    if (choice != NULL) {
        scope->operation = operation_name((enum operation_kind)choice->value);
    }
}

/* Does the scope of operations fit to the workload? The current path is that of the scope. */
static void
check_scope_keys(struct check *c, const struct workload_config *w, struct scope_config *scope)
{
    static const struct {
        const char *name;
        size_t offset; /* in struct key */
    } members[] = {
        {"operation", offsetof(struct key, operation)},
        {"tool_name", offsetof(struct key, tool_name)},
        {"template_id", offsetof(struct key, template_id)},
    };
    const struct key all = {scope->operation, scope->tool_name, scope->template_id};
    bool alone = true;

    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        struct key one = {0};
        const char *value;

        memcpy(&value, (const char *)&all + members[i].offset, sizeof value);
        memcpy((char *)&one + members[i].offset, &value, sizeof value);
        if (value != NULL && !any_key(w, &one)) {
            report_nothing(c, members[i].name, value, near_key(c, w, members[i].offset, value));
            alone = false;
        }
    }
    if (alone && !any_key(w, &all)) {
        check_error(c, "SCOPE_MATCHES_NOTHING", "Leave one of its members out.",
                    "no operation of the workload matches all of the scope");
    }
}

/* `own`: the list belongs to this stage; NULL: to the run, and so to each enabled stage. */
static bool any_stage(const struct scenario *s,
                      const struct stage_config *own,
                      const char *stage_id,
                      const char *kind)
{
    for (size_t i = 0; i < s->stage_count; i++) {
        const struct stage_config *stage = &s->stages[i];
        bool candidate = own != NULL ? stage == own : stage->enabled;

        if (candidate && matches(stage_id, stage->stage_id) &&
            matches(kind, stage_kind_name(stage->kind))) {
            return true;
        }
    }
    return false;
}

static const char *near_kind(const char *kind)
{
    const char *names[STAGE_CUSTOM + 1];
    size_t count = 0;

    for (const struct choice *choice = stage_choices; choice->name != NULL; choice++) {
        names[count++] = choice->name;
    }
    return str_nearest(str_c(kind), names, count);
}

static const char *near_stage(const struct scenario *s, const char *stage_id)
{
    const char *names[64];
    size_t count = 0;

    for (size_t i = 0; i < s->stage_count && count < 64; i++) {
        names[count++] = s->stages[i].stage_id;
    }
    return str_nearest(str_c(stage_id), names, count);
}

/* The current path is that of the scope. */
static void check_scope_stage(struct check *c,
                              const struct scenario *s,
                              const struct stage_config *own,
                              const struct scope_config *scope)
{
    const char *id = scope->stage_id, *kind = scope->stage;

    if (id != NULL && !any_stage(s, own, id, NULL)) {
        report_nothing(c, "stage_id", id, own != NULL ? own->stage_id : near_stage(s, id));
    } else if (kind != NULL && !any_stage(s, own, NULL, kind)) {
        report_nothing(c, "stage", kind,
                       own != NULL ? stage_kind_name(own->kind) : near_kind(kind));
    } else if (id != NULL && kind != NULL && !any_stage(s, own, id, kind)) {
        check_error(c, "SCOPE_MATCHES_NOTHING", "Leave stage or stage_id out.",
                    "no stage has both this stage_id and this stage");
    }
}

/* A worker with another value of the label that users are dealt by takes no part. */
static void
check_scope_labels(struct check *c, const struct scenario *s, const struct scope_config *scope)
{
    const struct placement_config *p = &s->placement;

    for (size_t i = 0; p->share_count > 0 && p->label != NULL && i < scope->label_count; i++) {
        const struct named_text *label = &scope->labels[i];
        const char *names[SHARES_MAX];
        size_t known = 0;

        if (strcmp(label->name, p->label) != 0) {
            continue;
        }
        while (known < p->share_count && strcmp(p->shares[known].name, label->value) != 0) {
            names[known] = p->shares[known].name;
            known++;
        }
        if (known == p->share_count) {
            report_nothing(c, check_text(c, "label.%s", label->name), label->value,
                           str_nearest(str_c(label->value), names, known));
        }
    }
}

void rules_scope(struct check *c,
                 const struct scenario *s,
                 const struct stage_config *own,
                 const char *metric,
                 struct scope_config *scope)
{
    size_t mark = check_enter(c, "scope");
    bool by_key =
        scope->operation != NULL || scope->tool_name != NULL || scope->template_id != NULL;

    normalize_operation(scope);
    check_scope_stage(c, s, own, scope);
    check_scope_labels(c, s, scope);
    if (by_key && (registered(c->options, metric) || is_custom(&s->workload, metric)) &&
        !narrows(c->options, metric)) {
        check_error(c, "METRIC_NOT_NARROWED",
                    "Leave operation, tool_name and template_id out, or choose another metric.",
                    "%s is kept for the whole run, not for each operation", metric);
    } else if (by_key) {
        check_scope_keys(c, &s->workload, scope);
    }
    check_leave(c, mark);
}
