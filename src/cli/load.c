/* SPDX-License-Identifier: MIT */
#include "cli/load.h"

#include "base/arena.h"
#include "cli/output.h"
#include "cli/quick.h"
#include "cli/share.h"
#include "control/criteria.h"
#include "metrics/names.h"
#include "metrics/registry.h"
#include "report/text/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define ISSUES_TEXT_MAX ((size_t)8 * 1024 * 1024)
#define EXACT_INT       1e15
#define SAVE_TEXT_MAX   ((size_t)64 * 1024 * 1024) /* indented */

enum { SET_TEXT_MAX = 16 * 1024, MESSAGE_MAX = 8 * 1024, OVERLAYS_MAX = 32 };

/* What a load is made of. */
struct loading {
    const struct opt_args *args;
    const char *seed;
    /* All given options together are at most OPT_GIVEN_MAX, and the seed is one. */
    const char *sets[OPT_GIVEN_MAX + 1];
    struct scenario_overlay overlays[OVERLAYS_MAX];
    struct buf overlay_texts[OVERLAYS_MAX];
    struct scenario_options options;
    struct arena arena; /* texts of overrides of ours */
};

/* ---- --expect ----------------------------------------------------------------------------------
 */

/* A threshold as one would have written it: without a fraction when it has none. */
static json_t *number_json(double value)
{
    return fabs(value) < EXACT_INT && floor(value) == value ? json_integer((json_int_t)value)
                                                            : json_real(value);
}

/* The criterion as a member of success_criteria. What its words mean is the loader's to judge. */
static int criterion_json(const char *text, json_t **out, struct err *err)
{
    struct criterion_text parts;
    struct err wrong = {0};

    if (criterion_parse(text, &parts, &wrong) != 0) {
        return err_set(err, ERR_USAGE, "--expect '%.80s'%s: %.120s", text,
                       strlen(text) > 80 ? "…" : "", wrong.msg);
    }
    json_t *criterion = json_object();
    int rc =
        json_object_set_new(criterion, "metric", json_stringn(parts.metric.p, parts.metric.len));
    json_object_set_new(criterion, "comparator",
                        json_string(stop_comparator_name(parts.comparator)));
    rc |= json_object_set_new(criterion, "threshold", number_json(parts.threshold));
    json_t *scope = json_object();
    for (size_t i = 0; i < parts.pair_count; i++) {
        char key[CRITERION_TEXT_MAX + 1];

        snprintf(key, sizeof key, "%.*s", STR_ARG(parts.pairs[i].key));
        rc |= json_object_set_new(scope, key,
                                  json_stringn(parts.pairs[i].value.p, parts.pairs[i].value.len));
    }
    if (parts.pair_count > 0) {
        json_object_set(criterion, "scope", scope);
    }
    json_decref(scope);
    if (rc != 0) {
        json_decref(criterion);
        return err_set(err, ERR_USAGE, "--expect: the text is not valid UTF-8");
    }
    *out = criterion;
    return 0;
}

/* All of them, in a list; NULL when there are none. */
static int expectations(const struct opt_args *args, json_t **out, struct err *err)
{
    const char *texts[OPT_GIVEN_MAX];
    size_t count = opt_values(args, "expect", texts);
    json_t *list = json_array();
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count; i++) {
        json_t *criterion = NULL;
        rc = criterion_json(texts[i], &criterion, err);
        if (rc == 0) {
            json_array_append_new(list, criterion);
        }
    }
    if (rc != 0 || count == 0) {
        json_decref(list);
        list = NULL;
    }
    *out = list;
    return rc;
}

/* An expectation must not vanish because a list is replaced as a whole. */
static int refuse_replaced(const char *const *sets, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct str path = {sets[i], strcspn(sets[i], "=")};

        if (str_eq(path, STR("success_criteria"))) {
            return err_set(err, ERR_USAGE,
                           "--expect adds to success_criteria, which --set replaces; give them in "
                           "one of the two ways");
        }
    }
    return 0;
}

/* The expectations as overrides, each at the end of the list, in front of those that are there. */
static int expect_in_file(struct loading *l, struct err *err)
{
    json_t *list = NULL;
    int rc = expectations(l->args, &list, err);
    size_t more = json_array_size(list);

    if (rc != 0 || more == 0) {
        return rc;
    }
    rc = refuse_replaced(l->sets, l->options.set_count, err);
    memmove(l->sets + more, l->sets, l->options.set_count * sizeof *l->sets);
    l->options.set_count += more;
    for (size_t i = 0; i < more; i++) {
        struct buf text;

        buf_init(&text, SET_TEXT_MAX);
        if (buf_add_c(&text, "success_criteria[-]=") != 0 ||
            json_write(json_array_get(list, i), &text) != 0) {
            rc = err_set(err, ERR_USAGE, "--expect: the text is too long");
        }
        l->sets[i] = arena_strdup(&l->arena, buf_c(&text));
        buf_clear(&text);
    }
    json_decref(list);
    return rc;
}

/* ---- files -------------------------------------------------------------------------------------
 */

/* Where the file of that name is, here or among the examples; "-" is the standard input. */
static int locate(struct loading *l, const char *path, const char **out, struct err *err)
{
    char program_dir[SHARE_PATH_MAX], room[SHARE_PATH_MAX];

    if (strcmp(path, "-") == 0) {
        *out = "/dev/stdin";
        return 0;
    }
    int rc = share_find(share_program_dir(program_dir), path, room, out, err);

    if (rc == 0 && *out == room) {
        *out = arena_strdup(&l->arena, room);
    }
    return rc;
}

static int read_overlays(struct loading *l, struct err *err)
{
    const char *paths[OPT_GIVEN_MAX];
    size_t count = opt_values(l->args, "with", paths);

    if (count > OVERLAYS_MAX) {
        return err_set(err, ERR_USAGE, "--with is given %zu times, at most %d are possible", count,
                       OVERLAYS_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        struct buf *text = &l->overlay_texts[i];
        struct err wrong = {0};
        const char *file;

        buf_init(text, JSON_TEXT_MAX);
        if (locate(l, paths[i], &file, &wrong) != 0 || file_read(file, text, &wrong) != 0) {
            buf_clear(text);
            return err_set(err, ERR_USAGE, "--with: %.200s", wrong.msg);
        }
        l->overlays[l->options.overlay_count++] =
            (struct scenario_overlay){.name = paths[i], .text = buf_str(text)};
    }
    return 0;
}

static void clear_loading(struct loading *l)
{
    for (size_t i = 0; i < l->options.overlay_count; i++) {
        buf_clear(&l->overlay_texts[i]);
    }
    arena_clear(&l->arena);
}

/* ---- loading -----------------------------------------------------------------------------------
 */

/* The document that the options mean, as the text of a file would be. */
static int
quick_text(const struct opt_args *args, const char *seed, struct buf *out, struct err *err)
{
    json_t *document = NULL, *criteria = NULL;
    uint64_t number;
    int rc = quick_document(args, &document, err);

    if (rc == 0) {
        rc = expectations(args, &criteria, err);
    }
    if (rc == 0 && criteria != NULL) {
        json_object_set(document, "success_criteria", criteria);
    }
    if (rc == 0 && seed != NULL && str_u64(str_c(seed), INT64_MAX, &number)) {
        json_object_set_new(json_object_get(document, "workload"), "seed",
                            json_integer((json_int_t)number));
    }
    if (rc == 0 && json_write_pretty(document, out) != 0) {
        rc = err_set(err, ERR_LIMIT, "the options make a document that is too long");
    }
    json_decref(criteria);
    json_decref(document);
    return rc;
}

static int
load_quick(struct loading *l, struct scenario **out, struct issue_list *issues, struct err *err)
{
    struct buf text;

    buf_init(&text, JSON_TEXT_MAX);
    int rc = quick_text(l->args, l->seed, &text, err);
    if (rc == 0) {
        rc = scenario_load_text(buf_str(&text), &l->options, out, issues, err);
    }
    buf_clear(&text);
    return rc;
}

static int
load_file(struct loading *l, struct scenario **out, struct issue_list *issues, struct err *err)
{
    char seed_set[64];
    const char *file;
    int rc = quick_refuse(l->args, err);

    if (rc == 0) {
        rc = expect_in_file(l, err);
    }
    if (rc != 0) {
        return rc;
    }
    if (l->seed != NULL) {
        snprintf(seed_set, sizeof seed_set, "workload.seed=%s", l->seed);
        l->sets[l->options.set_count++] = arena_strdup(&l->arena, seed_set);
    }
    rc = locate(l, l->args->operands[0], &file, err);
    return rc != 0 ? rc : scenario_load_file(file, &l->options, out, issues, err);
}

static int read_policy(struct loading *l, struct err *err)
{
    const char *policy = opt_value(l->args, "policy");

    l->options.network_public = policy != NULL && strcmp(policy, "public") == 0;
    if (policy != NULL && !l->options.network_public && strcmp(policy, "local") != 0) {
        return err_set(err, ERR_USAGE, "--policy: found \"%.60s\", expected local or public",
                       policy);
    }
    return 0;
}

int load_scenario(const struct opt_args *args,
                  const char *seed,
                  struct scenario **out,
                  struct issue_list *issues,
                  struct err *err)
{
    const char *metrics[METRIC_NAMES_MAX];
    struct loading l = {.args = args, .seed = seed};

    l.options = (struct scenario_options){
        .overlays = l.overlays,
        .sets = l.sets,
        .set_count = opt_values(args, "set", l.sets),
        .metric_names = metrics,
        .metric_count = metric_names(metrics),
        .metric_grows = metric_name_grows,
        .metric_narrows = metric_name_narrows,
        .metric_is_share = metric_name_is_share,
        .strict = opt_has(args, "strict"),
        .variables_elsewhere = args->command->variables_elsewhere,
    };
    int rc = read_policy(&l, err);
    if (rc == 0) {
        rc = read_overlays(&l, err);
    }
    if (rc == 0) {
        rc = quick_asked(args) ? load_quick(&l, out, issues, err) : load_file(&l, out, issues, err);
    }
    clear_loading(&l);
    return rc;
}

int load_save(const struct scenario *scenario, const char *path, struct err *err)
{
    struct buf text;

    buf_init(&text, SAVE_TEXT_MAX);
    int rc = json_write_pretty(scenario_document(scenario), &text);
    rc = rc != 0 ? err_set(err, rc, "%.100s: the document is too long", path)
                 : output_write(path, buf_str(&text), err);
    buf_clear(&text);
    return rc;
}

/* ---- files of the scenario ---------------------------------------------------------------------
 */

/* Relative paths begin where the scenario lies. */
static int feed_path(struct loading *l, const char *path, const char **out, struct err *err)
{
    const char *file = "", *slash;

    *out = path;
    if (path[0] == '/' || quick_asked(l->args)) {
        return 0;
    }
    int rc = locate(l, l->args->operands[0], &file, err);
    slash = strrchr(file, '/');
    if (rc == 0 && slash != NULL) {
        *out = arena_printf(&l->arena, "%.*s/%s", (int)(slash - file), file, path);
    }
    return rc;
}

static int
add_feed_text(struct loading *l, const char *name, struct buf *text, json_t *to, struct err *err)
{
    const char *path;
    int rc = feed_path(l, name, &path, err);

    text->len = 0;
    if (rc == 0) {
        rc = file_read(path, text, err);
    }
    if (rc != 0) {
        return rc;
    }
    json_t *value = json_stringn(text->p != NULL ? text->p : "", text->len);
    if (value == NULL) {
        return err_set(err, ERR_INVALID,
                       "%.150s: a control plane takes data feeds in UTF-8 only, which this is not",
                       name);
    }
    json_object_set_new(to, name, value);
    return 0;
}

int load_feed_texts(const struct opt_args *args,
                    const struct scenario *scenario,
                    size_t max_bytes,
                    json_t **out,
                    struct err *err)
{
    const struct workload_config *workload = &scenario->workload;
    struct loading l = {.args = args};
    json_t *texts = json_object();
    size_t total = 0;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < workload->feed_count; i++) {
        const char *name = workload->feeds[i].path;
        struct buf text;

        if (json_object_get(texts, name) != NULL) {
            continue;
        }
        /* One byte more than there is room for tells a file that is too large from one that fits.
         */
        buf_init(&text, max_bytes - total + 1);
        rc = add_feed_text(&l, name, &text, texts, err);
        total += text.len;
        buf_clear(&text);
        if (rc == ERR_LIMIT || (rc == 0 && total > max_bytes)) {
            rc = err_set(err, ERR_LIMIT,
                         "%.100s: the data feeds are larger than %zu bytes, which a control plane "
                         "takes with a scenario",
                         name, max_bytes);
        }
    }
    arena_clear(&l.arena);
    if (rc != 0) {
        json_decref(texts);
        return rc;
    }
    *out = texts;
    return 0;
}

/* ---- issues ------------------------------------------------------------------------------------
 */

/* Texts of a file end up on a terminal: line by line, without control characters. */
static void print_lines(struct str text)
{
    struct buf safe;

    buf_init(&safe, ISSUES_TEXT_MAX * 3);
    while (text.len > 0) {
        const char *end = memchr(text.p, '\n', text.len);
        size_t len = end != NULL ? (size_t)(end - text.p) : text.len;

        if (text_add_safe(&safe, (struct str){text.p, len}, len) != 0 ||
            buf_add_c(&safe, "\n") != 0) {
            break;
        }
        len += end != NULL;
        text = (struct str){text.p + len, text.len - len};
    }
    fwrite(buf_c(&safe), 1, safe.len, stderr);
    buf_clear(&safe);
}

/* Where an issue of an override says so in its message, or NULL. */
static const char *from_set(const struct issue *issue)
{
    return strstr(issue->message, " (from --set ");
}

/* Is the issue about what somebody wrote in a file after all, or in an override? */
static bool is_written(const struct issue *issue)
{
    return issue->file != NULL || strstr(issue->message, " (from ") != NULL;
}

/* How many overrides are ours, for `--expect`; they are the first ones (expect_in_file). */
static size_t expect_sets(const struct opt_args *args)
{
    const char *texts[OPT_GIVEN_MAX];

    return quick_asked(args) ? 0 : opt_values(args, "expect", texts);
}

/* An issue about something that an option said, not the file: which option. */
static const char *option_of(const struct opt_args *args, const struct issue *issue)
{
    if (issue->set > 0) {
        return issue->set <= expect_sets(args) ? "--expect" : NULL;
    }
    if (!quick_asked(args) || is_written(issue)) {
        return NULL;
    }
    if (str_starts(str_c(issue->json_pointer), STR("/success_criteria"))) {
        return "--expect";
    }
    return strcmp(issue->json_pointer, "/workload/seed") == 0 ? "--seed"
                                                              : quick_option(issue->json_pointer);
}

/* Advice on how to write files is of no use to somebody who wrote none. */
static bool is_moot(const struct opt_args *args, const struct issue *issue)
{
    return quick_asked(args) && issue->level == ISSUE_WARNING && !is_written(issue) &&
           option_of(args, issue) == NULL;
}

static int write_issue(const struct opt_args *args, const struct issue *issue, struct buf *out)
{
    const char *option = option_of(args, issue), *set = from_set(issue);
    const char *place = quick_asked(args) ? args->command->name : args->operands[0];
    struct issue own = *issue;
    char message[MESSAGE_MAX];

    if (option != NULL || (quick_asked(args) && issue->file == NULL)) {
        /* Nobody has seen the text that the line is in. */
        own.line = 0;
    }
    if (option != NULL && set != NULL) {
        snprintf(message, sizeof message, "%.*s", (int)(set - issue->message), issue->message);
        own.message = message;
    }
    return issue_write(&own, option != NULL ? option : place, out);
}

void load_complain(const struct opt_args *args,
                   const struct issue_list *issues,
                   const struct err *err)
{
    const char *file = args->operand_count > 0 ? args->operands[0] : NULL;
    size_t warnings = issues->warning_count;
    struct buf text;

    buf_init(&text, ISSUES_TEXT_MAX);
    for (size_t i = 0; i < issues->count; i++) {
        if (is_moot(args, &issues->items[i])) {
            warnings--;
            continue;
        }
        /* A list that is too long for its bound was still counted below. */
        if (write_issue(args, &issues->items[i], &text) != 0) {
            break;
        }
    }
    if (issues->count == 0) {
        /* Failures to read name the file themselves; what is wrong with options is in no file. */
        bool named = file == NULL || err->code == ERR_USAGE || strstr(err->msg, file) != NULL;
        buf_printf(&text, "mcpdrill %s: %s%s%s\n", args->command->name, named ? "" : file,
                   named ? "" : ": ", err->msg);
    } else if (issues->error_count > 0) {
        buf_printf(&text, "%s: %zu error%s, %zu warning%s\n",
                   file != NULL ? file : args->command->name, issues->error_count,
                   issues->error_count == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s");
    }
    print_lines(buf_str(&text));
    buf_clear(&text);
}
