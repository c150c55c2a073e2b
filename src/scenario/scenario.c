/* SPDX-License-Identifier: MIT */
#include "scenario/scenario.h"

#include "base/digest.h"
#include "base/mem.h"
#include "scenario/feeds/feed.h"
#include "scenario/issues/check.h"
#include "scenario/issues/locate.h"
#include "scenario/policy/policy.h"
#include "scenario/reading/overlay.h"
#include "scenario/reading/override.h"
#include "scenario/reading/read.h"
#include "scenario/reading/spelling.h"
#include "scenario/rules/rules.h"

#include <stdio.h>

enum { NAME_MAX_BYTES = 128, FOLDER_MAX = 64 * 1024 };

void scenario_free(struct scenario *scenario)
{
    if (scenario == NULL) {
        return;
    }
    policy_free(scenario->policy);
    for (size_t i = 0; i < scenario->workload.feed_count; i++) {
        feed_free(scenario->workload.feeds[i].feed);
    }
    json_decref(scenario->tree_);
    json_decref(scenario->empty_);
    arena_clear(&scenario->arena_);
    xfree(scenario);
}

static const char *place_of(const struct issue *issue)
{
    return issue->place_ != NULL ? issue->place_ : issue->json_pointer;
}

/* Gives the issues their places, and their order. */
static void place_issues(struct str text, struct issue_list *issues)
{
    struct place places[ISSUES_MAX];
    size_t count = 0;

    for (size_t i = 0; i < issues->count; i++) {
        if (issues->items[i].line == 0 && !issues->items[i].overridden_) {
            places[count++] = (struct place){.json_pointer = place_of(&issues->items[i]), .tag = i};
        }
    }
    locate_places(text, places, count);
    for (size_t i = 0; i < count; i++) {
        issues->items[places[i].tag].line = places[i].line;
        issues->items[places[i].tag].col = places[i].col;
    }
    issue_list_finish(issues);
}

static int summarize(const struct issue_list *issues, struct err *err)
{
    const struct issue *first = NULL;

    for (size_t i = 0; i < issues->count && first == NULL; i++) {
        first = issues->items[i].level == ISSUE_ERROR ? &issues->items[i] : NULL;
    }
    if (first == NULL) {
        return 0;
    }
    return err_at(err, ERR_INVALID, first->line, first->col, "%zu error%s, the first: %s: %.150s",
                  issues->error_count, issues->error_count == 1 ? "" : "s", first->code,
                  first->message);
}

static void run_checks(struct check *c, struct scenario *s)
{
    spelling_apply(c);
    if (!overlay_apply(c)) {
        /* What else is wrong may only be so because the overlay is not there. */
        return;
    }
    override_apply(c);
    read_section(c, &scenario_section, c->root, s);
    defaults_fill(c, s);
    rules_target(c, s);
    rules_workload(c, s);
    rules_stages(c, s);
    rules_data(c, s);
    rules_placeholders(c, s);
    rules_placement(c, s);
    rules_reporting(c, s);
    rules_strict(c);
}

/* As `cat FILE OVERLAY… | sha256sum` says it. */
static void hash_texts(struct str text, const struct scenario_options *options, char out[65])
{
    size_t total = text.len;
    struct buf all;

    for (size_t i = 0; i < options->overlay_count; i++) {
        total += options->overlays[i].text.len;
    }
    buf_init(&all, total);
    buf_add_str(&all, text);
    for (size_t i = 0; i < options->overlay_count; i++) {
        buf_add_str(&all, options->overlays[i].text);
    }
    digest_sha256_hex(buf_str(&all), out);
    buf_clear(&all);
}

int scenario_load_text(struct str text,
                       const struct scenario_options *options,
                       struct scenario **out,
                       struct issue_list *issues,
                       struct err *err)
{
    static const struct scenario_options no_options;
    struct scenario *s = NULL;
    struct check check = {0};
    struct err syntax = {0};
    json_t *root = NULL;
    int rc;

    if (json_parse(text, JSON_TEXT_MAX, &root, &syntax) != 0) {
        issue_add_syntax(issues, &syntax, NULL);
        return summarize(issues, err);
    }
    if (!json_is_object(root)) {
        const struct issue head = {.level = ISSUE_ERROR,
                                   .code = "SCHEMA_VIOLATION",
                                   .remediation = "Write one JSON object.",
                                   .line = 1,
                                   .col = 1};
        issue_add(issues, &head, "a scenario is a JSON object");
        json_decref(root);
        return summarize(issues, err);
    }
    s = xcalloc(1, sizeof *s);
    s->tree_ = root;
    s->empty_ = json_object();
    options = options != NULL ? options : &no_options;
    hash_texts(text, options, s->config_hash);
    check_init(&check, options, issues, &s->arena_);
    check.root = root;
    run_checks(&check, s);
    check_clear(&check);
    place_issues(text, issues);
    rc = summarize(issues, err);
    if (rc != 0) {
        scenario_free(s);
        return rc;
    }
    *out = s;
    return 0;
}

/* "quick-start" of "examples/quick-start.json", shortened to what a scenario_id may be. */
static void name_of(const char *path, char *out, size_t size)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash == NULL ? path : slash + 1;
    const char *dot = strrchr(name, '.');
    size_t len = dot == NULL || dot == name ? strlen(name) : (size_t)(dot - name);

    len = len < size ? len : size - 1;
    /* Not in the middle of a UTF-8 sequence. */
    while (len > 0 && len < strlen(name) && ((unsigned char)name[len] & 0xc0) == 0x80) {
        len--;
    }
    snprintf(out, size, "%.*s", (int)len, name);
}

int scenario_load_file(const char *path,
                       const struct scenario_options *options,
                       struct scenario **out,
                       struct issue_list *issues,
                       struct err *err)
{
    struct scenario_options own = options != NULL ? *options : (struct scenario_options){0};
    char name[NAME_MAX_BYTES + 1];
    const char *slash = strrchr(path, '/');
    struct buf text, folder;

    buf_init(&text, JSON_TEXT_MAX);
    buf_init(&folder, FOLDER_MAX);
    int rc = file_read(path, &text, err);
    if (rc == 0 && slash != NULL && own.folder == NULL) {
        /* Of "/x.json" the folder is "/", which reads the same as "" before a slash. */
        rc = buf_add(&folder, path, (size_t)(slash - path));
        own.folder = buf_c(&folder);
    }
    if (rc == 0) {
        if (own.name == NULL) {
            name_of(path, name, sizeof name);
            own.name = name;
        }
        rc = scenario_load_text(buf_str(&text), &own, out, issues, err);
    }
    buf_clear(&text);
    buf_clear(&folder);
    return rc;
}
