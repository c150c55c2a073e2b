/* SPDX-License-Identifier: MIT */
/* Payload profiles, environment variables, metrics of the workload, data feeds. */
#include "scenario/feeds/feed.h"
#include "scenario/rules/ids.h"
#include "scenario/rules/rules.h"

#include <fnmatch.h>
#include <stdlib.h>

enum { JSON_BYTES_MIN = 2 /* "{}" */, TOOLS_MAX = 550 };

static size_t enter_list(struct check *c, const char *place)
{
    size_t mark = c->path.len;

    buf_add_c(&c->path, place);
    return mark;
}

/* ---- payload profiles ------------------------------------------------------------------------ */

/* A size that the distribution needs; the current path is that of size_bytes. */
static bool check_size(struct check *c, const char *key, uint64_t value)
{
    size_t mark = check_enter(c, key);
    bool wrong = check_has_error(c);

    if (value == FIELD_UNSET && !wrong) {
        check_error(c, "REQUIRED_FIELD_MISSING", check_text(c, "Add `%s`.", key),
                    "`%s` is required by the distribution", key);
    }
    check_leave(c, mark);
    return value != FIELD_UNSET && !wrong;
}

/* The current path is that of the profile. */
static void check_profile(struct check *c, const struct payload_config *p)
{
    size_t mark = check_enter(c, "size_bytes");
    bool fixed = p->distribution == SIZE_FIXED;
    bool whole =
        fixed ? check_size(c, "fixed", p->fixed_bytes) : check_size(c, "min", p->min_bytes);

    whole = (fixed || check_size(c, "max", p->max_bytes)) && whole;
    if (whole && p->min_bytes > p->max_bytes) {
        check_error(c, "SCHEMA_VIOLATION", "Exchange the two.", "min is above max");
    } else if (whole && p->kind == PAYLOAD_JSON && p->min_bytes < JSON_BYTES_MIN) {
        check_error(c, "SCHEMA_VIOLATION", "Use at least 2.", "a JSON object has at least %d bytes",
                    JSON_BYTES_MIN);
    }
    check_leave(c, mark);
}

static void check_profiles(struct check *c, struct workload_config *w)
{
    const struct id_list ids = ID_LIST(payload_config, w->payloads, w->payload_count, profile_id);
    size_t mark = enter_list(c, "/workload/payload_profiles");

    id_check_unique(c, &ids, "profile_id");
    for (size_t i = 0; i < w->payload_count; i++) {
        size_t entry = check_enter_index(c, i);
        check_profile(c, &w->payloads[i]);
        check_leave(c, entry);
    }
    check_leave(c, mark);
}

/* ---- environment variables ------------------------------------------------------------------- */

static bool is_variable_name(const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    static const char all[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";

    return strspn(name, letters) > 0 && strspn(name, all) == strlen(name);
}

/* Who may send a file to a service must not be able to read the service's secrets. */
static bool is_given_away(const struct scenario_options *o, const char *name)
{
    if ((!o->network_public && !o->variables_guarded) || strncmp(name, "MCPDRILL_", 9) == 0) {
        return true;
    }
    for (size_t i = 0; i < o->variable_pattern_count; i++) {
        if (fnmatch(o->variable_patterns[i], name, 0) == 0) {
            return true;
        }
    }
    return false;
}

/* The current path is that of the name. */
static void check_variable(struct check *c, const char *name)
{
    if (check_has_error(c)) {
        return;
    }
    if (!is_variable_name(name)) {
        check_error(c, "INVALID_ID_FORMAT", "Use letters, digits and underscores.",
                    "this is no name of an environment variable");
    } else if (!is_given_away(c->options, name)) {
        check_error(c, "SECRET_REF_NOT_ALLOWED",
                    "Use a variable whose name begins with MCPDRILL_, or allow this one where the "
                    "load is made: worker --allow-secret PATTERN.",
                    "a service that others may reach gives only MCPDRILL_* away");
    } else if (!c->options->variables_elsewhere &&
               getenv(name) == NULL) { /* NOLINT(concurrency-mt-unsafe) nobody sets variables */
        check_error(c, "ENV_NOT_SET", check_text(c, "Set %s before the run.", name),
                    "the environment variable %s is not set", name);
    }
}

static void check_variables(struct check *c, struct environment_config *env)
{
    size_t mark = enter_list(c, "/environment/variables");

    for (size_t i = 0; i < env->variable_count; i++) {
        size_t entry = check_enter_index(c, i);
        check_variable(c, env->variables[i]);
        check_leave(c, entry);
    }
    check_leave(c, mark);
}

/* ---- metrics --------------------------------------------------------------------------------- */

static size_t tool_names(const struct workload_config *w, const char *names[TOOLS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < w->mix_count && count < TOOLS_MAX; i++) {
        if (w->mix[i].tool_name != NULL) {
            names[count++] = w->mix[i].tool_name;
        }
    }
    for (size_t i = 0; i < w->template_count && count < TOOLS_MAX; i++) {
        names[count++] = w->templates[i].tool_name;
    }
    return count;
}

static void check_tool(struct check *c, const struct workload_config *w, const char *tool)
{
    const char *names[TOOLS_MAX];
    size_t count = tool_names(w, names);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(names[i], tool) == 0) {
            return;
        }
    }
    const char *near = check_full(c) ? NULL : str_nearest(str_c(tool), names, count);
    size_t mark = check_enter(c, "tool_name");
    check_error(c, "TOOL_NOT_IN_WORKLOAD",
                near != NULL ? check_text(c, "Did you mean \"%s\"?", near)
                             : "Name a tool that the workload calls.",
                "the workload does not call the tool \"%s\"", tool);
    check_leave(c, mark);
}

/* The current path is that of the metric. */
static void check_custom(struct check *c, struct workload_config *w, const struct custom_config *m)
{
    const struct id_list ids =
        ID_LIST(template_config, w->templates, w->template_count, template_id);
    size_t mark = check_enter(c, "pointer");

    rules_pointer(c, m->pointer);
    check_leave(c, mark);
    if (m->tool_name != NULL) {
        check_tool(c, w, m->tool_name);
    }
    if (m->template_id == NULL) {
        return;
    }
    size_t found = id_find(&ids, str_c(m->template_id));
    check_enter(c, "template_id");
    if (found == ids.count) {
        check_error(c, "TEMPLATE_NOT_FOUND",
                    id_advice(c, &ids, str_c(m->template_id),
                              "Name a template of workload.tools.templates."),
                    "no template has the id \"%s\"", m->template_id);
    } else if (m->tool_name != NULL && strcmp(m->tool_name, w->templates[found].tool_name) != 0) {
        check_error(c, "TEMPLATE_NOT_FOUND", "Leave one of the two out.",
                    "the template \"%s\" does not call the tool \"%s\"", m->template_id,
                    m->tool_name);
    }
    check_leave(c, mark);
}

static void check_customs(struct check *c, struct workload_config *w)
{
    const struct id_list ids = ID_LIST(custom_config, w->customs, w->custom_count, name);
    size_t mark = enter_list(c, "/workload/metrics");

    id_check_unique(c, &ids, "name");
    for (size_t i = 0; i < w->custom_count; i++) {
        size_t entry = check_enter_index(c, i);
        check_custom(c, w, &w->customs[i]);
        check_leave(c, entry);
    }
    check_leave(c, mark);
}

/* ---- data feeds ------------------------------------------------------------------------------ */

/* The most VUs that may be there at once. */
static uint64_t most_vus(const struct scenario *s)
{
    struct stage_levels before = {0}, level;
    uint64_t most = 0;
    bool first = true;

    for (size_t i = 0; i < s->stage_count; i++) {
        if (!s->stages[i].enabled) {
            continue;
        }
        levels_of_stage(s, &s->stages[i], first ? NULL : &before, &level);
        uint64_t vus = level.sized                   ? s->safety.caps.max_vus
                       : level.start_vus > level.vus ? level.start_vus
                                                     : level.vus;
        most = vus > most ? vus : most;
        before = level;
        first = false;
    }
    return most;
}

/* Relative paths begin at the scenario's folder. */
static const char *path_of(struct check *c, const char *path)
{
    const char *folder = c->options->folder;

    return path[0] == '/' || folder == NULL ? path : arena_printf(c->arena, "%s/%s", folder, path);
}

/* The text that came with the document for this path, or NULL. */
static const struct scenario_file *sent_file(const struct check *c, const char *path)
{
    for (size_t i = 0; i < c->options->file_count; i++) {
        if (strcmp(c->options->files[i].path, path) == 0) {
            return &c->options->files[i];
        }
    }
    return NULL;
}

/* What may not be read has its issue here. */
static bool may_read(struct check *c)
{
    if (c->options->files_only) {
        check_error(c, "FEED_UNREADABLE", "Send the file together with the scenario.",
                    "the file did not come with the scenario, and no other one is read");
        return false;
    }
    if (c->options->network_public) {
        check_error(c, "NOT_SUPPORTED", "Run the scenario on your own machine.",
                    "a service that others may reach reads no files for them");
        return false;
    }
    return true;
}

/* The current path is that of the feed. */
static void load_feed(struct check *c, struct feed_config *f)
{
    size_t mark = check_enter(c, "path");
    struct err err = {0};
    int rc = 0;

    if (check_has_error(c) || f->path[0] == '\0') {
        check_leave(c, mark);
        return;
    }
    const struct scenario_file *sent = sent_file(c, f->path);
    if (sent != NULL) {
        rc = feed_parse(sent->text, f->format, &f->feed, &err);
    } else if (may_read(c)) {
        rc = feed_load(path_of(c, f->path), f->format, &f->feed, &err);
    }
    if (rc != 0 && err.line > 0) {
        check_error(c, "FEED_UNREADABLE", "Correct the file.", "line %u: %s", err.line, err.msg);
    } else if (rc != 0) {
        check_error(c, "FEED_UNREADABLE", "Give a file with at least one row.", "%s", err.msg);
    }
    check_leave(c, mark);
}

static void check_feeds(struct check *c, struct scenario *s)
{
    struct workload_config *w = &s->workload;
    const struct id_list ids = ID_LIST(feed_config, w->feeds, w->feed_count, name);
    size_t mark = enter_list(c, "/workload/data");
    uint64_t needed = most_vus(s);

    id_check_unique(c, &ids, "name");
    for (size_t i = 0; i < w->feed_count; i++) {
        struct feed_config *f = &w->feeds[i];
        size_t entry = check_enter_index(c, i);

        load_feed(c, f);
        if (f->feed != NULL && f->mode == FEED_UNIQUE && feed_rows(f->feed) < needed) {
            check_error(c, "FEED_TOO_SHORT", "Add rows, lower the VUs, or use another mode.",
                        "%zu rows for up to %zu VUs, and each VU has a row of its own",
                        (size_t)feed_rows(f->feed), (size_t)needed);
        }
        check_leave(c, entry);
    }
    check_leave(c, mark);
}

void rules_data(struct check *c, struct scenario *s)
{
    check_profiles(c, &s->workload);
    check_variables(c, &s->environment);
    check_customs(c, &s->workload);
    check_feeds(c, s);
}
