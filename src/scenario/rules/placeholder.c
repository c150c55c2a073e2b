/* SPDX-License-Identifier: MIT */
/* Placeholders: are they known, do they make sense where they stand, does what they name exist? */
#include "scenario/placeholders/placeholder.h"

#include "scenario/feeds/feed.h"
#include "scenario/rules/ids.h"
#include "scenario/rules/rules.h"

#include <stdio.h>

enum { COLUMNS_SHOWN = 256 };

/* One text. */
struct context {
    struct check *c;
    const struct scenario *s;
    bool header;        /* of a header or of the identification, not of an operation's parameters */
    bool run_id, nonce; /* found */
};

static void check_profile(struct context *x, const struct placeholder_part *part)
{
    const struct workload_config *w = &x->s->workload;
    const struct id_list ids = ID_LIST(payload_config, w->payloads, w->payload_count, profile_id);

    if (id_find(&ids, part->argument) == ids.count) {
        check_error(x->c, "PAYLOAD_PROFILE_NOT_FOUND",
                    id_advice(x->c, &ids, part->argument,
                              "Define the profile in workload.payload_profiles."),
                    "no payload profile has the id \"%.*s\"", STR_ARG(part->argument));
    }
}

static const char *near_column(struct check *c, const struct feed *feed, struct str field)
{
    const char *names[COLUMNS_SHOWN];
    uint32_t count = feed_columns(feed);

    count = count < COLUMNS_SHOWN ? count : COLUMNS_SHOWN;
    for (uint32_t i = 0; i < count; i++) {
        names[i] = feed_column_name(feed, i);
    }
    const char *near = str_nearest(field, names, count);
    return near != NULL ? check_text(c, "Did you mean \"%s\"?", near) : "Use a column of the file.";
}

static void check_data(struct context *x, const struct placeholder_part *part)
{
    const struct workload_config *w = &x->s->workload;
    const struct id_list ids = ID_LIST(feed_config, w->feeds, w->feed_count, name);
    struct str name, field;

    placeholder_field(part->argument, &name, &field);
    size_t found = id_find(&ids, name);
    if (found == ids.count) {
        check_error(x->c, "FEED_NOT_FOUND",
                    id_advice(x->c, &ids, name, "Define the feed in workload.data."),
                    "no data feed has the name \"%.*s\"", STR_ARG(name));
    } else if (w->feeds[found].feed != NULL && feed_column(w->feeds[found].feed, field) < 0) {
        check_error(x->c, "FEED_FIELD_NOT_FOUND", near_column(x->c, w->feeds[found].feed, field),
                    "the feed \"%.*s\" has no field \"%.*s\"", STR_ARG(name), STR_ARG(field));
    }
}

static void check_variable(struct context *x, const struct placeholder_part *part)
{
    const struct environment_config *env = &x->s->environment;
    const struct id_list names = {env->variables, env->variable_count, sizeof(const char *), 0};

    if (id_find(&names, part->argument) == names.count) {
        check_error(x->c, "ENV_NOT_DECLARED",
                    id_advice(x->c, &names, part->argument,
                              check_text(x->c, "Add \"%.*s\" to environment.variables.",
                                         STR_ARG(part->argument))),
                    "environment.variables does not name %.*s", STR_ARG(part->argument));
    }
}

static const char *form_of(struct str text)
{
    static const struct {
        struct str begin;
        const char *advice;
    } forms[] = {
        {STR_INIT("${random_int"), "Write ${random_int:A:B} with whole numbers, A not above B."},
        {STR_INIT("${random_choice"), "Write ${random_choice:a|b|c} with at least one text."},
        {STR_INIT("${env"), "Write ${env:NAME}."},
        {STR_INIT("${data"), "Write ${data:FEED.FIELD}."},
        {STR_INIT("${payload"), "Write ${payload:ID}."},
    };

    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
        if (str_starts(text, forms[i].begin)) {
            return forms[i].advice;
        }
    }
    return "Write $${ for a literal ${.";
}

/* What is quoted of a placeholder. In a header what follows the colon may be a secret: of
 * `${env:…}` somebody took the value for the name, of `${random_choice:…}` it is the texts. */
static const char *quoted(struct context *x, struct str text)
{
    size_t len = 0;

    while (x->header && len < text.len && text.p[len] != ':') {
        len++;
    }
    return !x->header || len == text.len ? check_text(x->c, "%.*s", STR_ARG(text))
                                         : check_text(x->c, "%.*s:…}", (int)len, text.p);
}

/* These belong to one operation's parameters; a header has none. */
static bool misplaced(struct context *x, const struct placeholder_part *part)
{
    if (!x->header) {
        return false;
    }
    check_error(x->c, "PLACEHOLDER_MISPLACED", "Use it in arguments or in uri.",
                "%s has no meaning in a header", quoted(x, part->text));
    return true;
}

static void check_part(struct context *x, const struct placeholder_part *part)
{
    switch (part->kind) {
    case PLACEHOLDER_UNKNOWN:
        check_warning(x->c, "UNKNOWN_PLACEHOLDER", "Write $${ for a literal ${.",
                      "%s is no placeholder and is sent as it stands", quoted(x, part->text));
        break;
    case PLACEHOLDER_MALFORMED:
        check_error(x->c, "MALFORMED_PLACEHOLDER", form_of(part->text), "%s cannot be understood",
                    quoted(x, part->text));
        break;
    case PLACEHOLDER_RUN_ID:
        x->run_id = true;
        break;
    case PLACEHOLDER_ENV:
        check_variable(x, part);
        break;
    case PLACEHOLDER_PAYLOAD:
        if (!misplaced(x, part)) {
            check_profile(x, part);
        }
        break;
    case PLACEHOLDER_DATA:
        if (!misplaced(x, part)) {
            check_data(x, part);
        }
        break;
    case PLACEHOLDER_NONCE:
        x->nonce = !misplaced(x, part) || x->nonce;
        break;
    case PLACEHOLDER_LITERAL:
    case PLACEHOLDER_EXECUTION_ID:
    case PLACEHOLDER_SCENARIO_ID:
    case PLACEHOLDER_STAGE_ID:
    case PLACEHOLDER_WORKER_ID:
    case PLACEHOLDER_VU_ID:
    case PLACEHOLDER_OP_SEQ:
    case PLACEHOLDER_UUID:
    case PLACEHOLDER_TIMESTAMP_MS:
    case PLACEHOLDER_RANDOM_INT:
    case PLACEHOLDER_RANDOM_CHOICE:
        break;
    }
}

static void check_parts(struct context *x, struct str text)
{
    struct placeholder_part part;

    while (placeholder_next(&text, x->header, &part)) {
        check_part(x, &part);
    }
}

/* The nesting of a tree is bounded by JSON_DEPTH_MAX (and by the depth of an override). */
static void check_tree(struct context *x, json_t *value)
{
    const char *key;
    json_t *child;
    size_t i;

    if (json_is_string(value)) {
        check_parts(x, (struct str){json_string_value(value), json_string_length(value)});
    } else if (json_is_object(value)) {
        json_object_foreach(value, key, child)
        {
            size_t mark = check_enter(x->c, key);
            check_tree(x, child);
            check_leave(x->c, mark);
        }
    } else if (json_is_array(value)) {
        json_array_foreach(value, i, child)
        {
            size_t mark = check_enter_index(x->c, i);
            check_tree(x, child);
            check_leave(x->c, mark);
        }
    }
}

static size_t enter_entry(struct check *c, const char *list, size_t index)
{
    size_t mark = c->path.len;

    buf_add_c(&c->path, list);
    check_enter_index(c, index);
    return mark;
}

/* Can the tool's answer be told by a nonce in these arguments? Without one the plan adds it to a
 * text that tools usually echo. */
static bool carries_nonce(const json_t *arguments, bool nonce)
{
    static const char *const keys[] = {"message", "text", "input"};

    for (size_t i = 0; i < sizeof keys / sizeof keys[0] && !nonce; i++) {
        nonce = json_is_string(json_object_get(arguments, keys[i]));
    }
    return nonce;
}

/* True when a call can carry the nonce. */
static bool check_mix(struct check *c, struct scenario *s)
{
    bool nonce = false;

    for (size_t i = 0; i < s->workload.mix_count; i++) {
        const struct mix_config *entry = &s->workload.mix[i];
        struct context x = {.c = c, .s = s};
        size_t mark = enter_entry(c, "/workload/operation_mix", i);
        size_t place = check_enter(c, "uri");

        check_parts(&x, str_c(entry->uri));
        check_leave(c, place);
        check_enter(c, "arguments");
        x.nonce = false;
        check_tree(&x, entry->arguments.json);
        check_leave(c, mark);
        if (entry->operation == OPERATION_TOOLS_CALL && entry->tool_name != NULL) {
            nonce = carries_nonce(entry->arguments.json, x.nonce) || nonce;
        }
    }
    return nonce;
}

static bool calls_templates(const struct workload_config *w)
{
    for (size_t i = 0; i < w->mix_count; i++) {
        if (w->mix[i].operation == OPERATION_TOOLS_CALL && w->mix[i].tool_name == NULL) {
            return true;
        }
    }
    return false;
}

static bool is_called(const struct workload_config *w, const struct template_config *t)
{
    return w->selection != SELECTION_SINGLE || w->single_template_id == NULL ||
           t->template_id == NULL || strcmp(w->single_template_id, t->template_id) == 0;
}

static bool check_templates(struct check *c, struct scenario *s)
{
    bool called = calls_templates(&s->workload), nonce = false;

    for (size_t i = 0; i < s->workload.template_count; i++) {
        const struct template_config *t = &s->workload.templates[i];
        struct context x = {.c = c, .s = s};
        size_t mark = enter_entry(c, "/workload/tools/templates", i);

        check_enter(c, "arguments");
        check_tree(&x, t->arguments.json);
        check_leave(c, mark);
        if (called && is_called(&s->workload, t)) {
            nonce = carries_nonce(t->arguments.json, x.nonce) || nonce;
        }
    }
    return nonce;
}

static void check_headers(struct check *c, const struct scenario *s)
{
    size_t mark = check_enter(c, "target");

    check_enter(c, "headers");
    for (size_t i = 0; i < s->target.header_count; i++) {
        struct context x = {.c = c, .s = s, .header = true};
        size_t header = check_enter(c, s->target.headers[i].name);

        check_parts(&x, str_c(s->target.headers[i].value));
        check_leave(c, header);
    }
    check_leave(c, mark);
}

/* Does the text name the run? */
static bool
names_run(struct check *c, const struct scenario *s, const char *place, const char *text)
{
    struct context x = {.c = c, .s = s, .header = true};
    size_t mark = c->path.len;

    buf_add_c(&c->path, place);
    check_parts(&x, str_c(text));
    check_leave(c, mark);
    return x.run_id;
}

static void check_identification(struct check *c, const struct scenario *s)
{
    const struct identification_config *id = &s->target.identification;
    bool in_header =
        names_run(c, s, "/target/identification/run_id_header/value_template", id->header_template);
    bool in_agent = names_run(c, s, "/target/identification/user_agent/value", id->user_agent);
    bool enough = c->options->strict ? in_header && in_agent : in_header || in_agent;

    if (!s->safety.identification_required || enough) {
        return;
    }
    size_t mark = check_enter(c, "target");
    check_enter(c, "identification");
    static const char header[] = "run_id_header.value_template", agent[] = "user_agent.value";
    bool both = !in_header && !in_agent;
    const char *lacks = in_header ? agent : header;
    check_error(c, "IDENTIFICATION_REQUIRED",
                check_text(c,
                           "Put ${run_id} into %s%s%s, or set safety.identification_required "
                           "to false.",
                           lacks,
                           !both                ? ""
                           : c->options->strict ? " and "
                                                : " or ",
                           both ? agent : ""),
                "the run id is %sin %s%s%s%s", both ? "neither " : "not ", lacks,
                both ? " nor in " : "", both ? agent : "",
                c->options->strict ? "; the strict profile wants it in both" : "");
    check_leave(c, mark);
}

void rules_placeholders(struct check *c, struct scenario *s)
{
    bool in_mix = check_mix(c, s);
    bool in_templates = check_templates(c, s);

    check_headers(c, s);
    check_identification(c, s);
    if (!s->workload.integrity || in_mix || in_templates) {
        return;
    }
    size_t mark = check_enter(c, "workload");
    check_enter(c, "integrity");
    check_error(c, "INTEGRITY_WITHOUT_NONCE",
                "Put ${nonce} into an argument that a tool echoes, or name it message, text or "
                "input.",
                "no call carries anything by which its answer could be told from another's");
    check_leave(c, mark);
}
