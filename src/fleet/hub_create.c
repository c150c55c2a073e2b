/* SPDX-License-Identifier: MIT */
/* Runs come into being: checked, stored, copied, deleted. */
#include "base/clock.h"
#include "base/mem.h"
#include "fleet/hub_priv.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* ---- checked ----------------------------------------------------------------------------------
 */

/* An object with the members that are not empty. */
static json_t *issues_json(const struct issue_list *issues)
{
    json_t *all = issue_list_json(issues), *out = json_object();
    json_t *errors = json_object_get(all, "errors"), *warnings = json_object_get(all, "warnings");

    if (json_array_size(errors) > 0) {
        json_object_set(out, "errors", errors);
    }
    if (json_array_size(warnings) > 0) {
        json_object_set(out, "warnings", warnings);
    }
    json_decref(all);
    return out;
}

json_t *hub_validate(struct hub *h, const json_t *config, json_t *files, bool strict)
{
    const char *names[METRIC_NAMES_MAX];
    struct scenario_file list[HOSTED_FILES_MAX];
    struct scenario_options options;
    struct issue_list issues = {0};
    struct scenario *scenario = NULL;
    struct err err = {0};
    struct buf text;

    hosted_options(h, files, names, list, &options);
    options.strict = strict;
    buf_init(&text, JSON_TEXT_MAX);
    int rc = json_write(config, &text);
    rc = rc != 0 ? err_set(&err, rc, "the scenario is longer than %zu bytes", text.max)
                 : scenario_load_text(buf_str(&text), &options, &scenario, &issues, &err);
    json_t *out = issues_json(&issues);
    json_object_set_new(out, "ok", json_boolean(rc == 0));
    if (rc != 0 && issues.error_count == 0) {
        json_object_set_new(out, "errors",
                            json_pack("[{ssssssss}]", "level", "error", "code", "INVALID_REQUEST",
                                      "message", err.msg, "json_pointer", ""));
    }
    scenario_free(scenario);
    issue_list_clear(&issues);
    buf_clear(&text);
    return out;
}

static int
refuse_issues(struct hub_refusal *why, const struct issue_list *issues, const struct err *err)
{
    (void)refuse(why, ERR_INVALID, 400, "invalid_argument", "VALIDATION_FAILED", "%s", err->msg);
    why->details = issues_json(issues);
    return ERR_INVALID;
}

/* ---- stored -----------------------------------------------------------------------------------
 */

/* It sorts by time; the counter is for runs of one nanosecond. */
static void make_run_id(struct hub *h, char out[HUB_RUN_ID_MAX])
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t ns = (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
    snprintf(out, HUB_RUN_ID_MAX, "run_%016llx%04x", (unsigned long long)ns,
             (unsigned)(h->id_counter++ & 0xffffu));
}

static void put_new_run(struct hub *h, struct hosted *r)
{
    struct buf config, view, tags;
    json_t *shown = hosted_view_created(r);

    buf_init(&config, HUB_DOCUMENT_MAX);
    buf_init(&view, HUB_DOCUMENT_MAX);
    buf_init(&tags, HUB_DOCUMENT_MAX);
    (void)json_write(r->document, &config);
    (void)json_write(shown, &view);
    (void)json_write(r->origin.tags, &tags);
    struct store_run row = {
        .run_id = r->run_id,
        .created_ms = r->created_ms,
        .updated_ms = r->created_ms,
        .scenario_id = r->scenario->scenario_id,
        .name = hosted_name(r),
        .state = run_state_name(RUN_CREATED),
        .tags = buf_str(&tags),
        .config = buf_str(&config),
        .view = buf_str(&view),
    };
    (void)store_put_run(h->store, &row);
    json_t *labels = json_pack("{ss?ss?}", "name", r->name, "actor", r->actor);
    hosted_put_json(r, "labels", labels);
    if (r->files != NULL) {
        hosted_put_json(r, "files", json_incref(r->files));
    }
    buf_clear(&config);
    buf_clear(&view);
    buf_clear(&tags);
    json_decref(shown);
}

/* Its first event, number 0. */
static void put_created_event(struct hosted *r)
{
    hosted_event(r, "RUN_CREATED", "user",
                 json_pack("{ssssss}", "config_hash", r->origin.config_hash, "scenario_id",
                           r->scenario->scenario_id, "actor", r->actor));
    hosted_write_events(r);
}

static bool are_texts(json_t *object)
{
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        if (!json_is_string(value)) {
            return false;
        }
    }
    return object == NULL || json_is_object(object);
}

/* They are in each row of each list. */
static bool are_labels(json_t *tags)
{
    const char *key;
    json_t *value;

    json_object_foreach(tags, key, value)
    {
        if (key[0] == '\0' || strlen(key) > HUB_TAG_KEY_MAX ||
            json_string_length(value) > HUB_NAME_MAX) {
            return false;
        }
    }
    return json_object_size(tags) <= HUB_TAGS_MAX;
}

static int check_shape(const struct hub_new_run *what, struct hub_refusal *why)
{
    if (!json_is_object(what->config)) {
        return refuse(why, ERR_INVALID, 400, "invalid_argument", "INVALID_REQUEST",
                      "\"config\" has to be a run-config/v1 document: {\"config\": {…}}");
    }
    if (!are_texts(what->tags) || !are_texts(what->files) ||
        json_object_size(what->files) > HOSTED_FILES_MAX) {
        return refuse(why, ERR_INVALID, 400, "invalid_argument", "INVALID_REQUEST",
                      "\"tags\" and \"files\" are objects of texts, the latter of at most %d",
                      HOSTED_FILES_MAX);
    }
    if (!are_labels(what->tags)) {
        return refuse(
            why, ERR_INVALID, 400, "invalid_argument", "INVALID_REQUEST",
            "\"tags\" are at most %d, with names of 1 to %d bytes and texts of at most %d",
            HUB_TAGS_MAX, HUB_TAG_KEY_MAX, HUB_NAME_MAX);
    }
    return 0;
}

int hub_create(struct hub *h,
               const struct hub_new_run *what,
               char run_id[HUB_RUN_ID_MAX],
               json_t **warnings,
               struct hub_refusal *why)
{
    struct issue_list issues = {0};
    struct err err = {0};
    int rc = check_shape(what, why);

    rc = rc != 0 ? rc : refuse_crowded(h, why);
    *warnings = NULL;
    if (rc != 0) {
        return rc;
    }
    make_run_id(h, run_id);
    struct hosted *r = hosted_new(h, run_id);
    r->created_ms = clock_wall_ms();
    r->document = json_deep_copy(what->config);
    r->files = json_deep_copy(what->files);
    r->tags = json_deep_copy(what->tags);
    r->name = what->name != NULL ? xstrdup(what->name) : NULL;
    r->actor = xstrdup(what->actor);
    rc = hosted_load(r, &issues, &err);
    if (rc != 0) {
        rc = refuse_issues(why, &issues, &err);
    } else {
        put_new_run(h, r);
        put_created_event(r);
        json_t *found = issues_json(&issues);
        *warnings = json_incref(json_object_get(found, "warnings"));
        json_decref(found);
        rc = store_failed(h->store, NULL) ? refuse_store(h, why) : 0;
    }
    issue_list_clear(&issues);
    hosted_free(r);
    return rc;
}

/* ---- copied -----------------------------------------------------------------------------------
 */

/* A merge patch (RFC 7396, section 2). Both are borrowed; the result is new. */
static json_t *merge_patch(const json_t *target, json_t *patch)
{
    const char *key;
    json_t *value;

    if (!json_is_object(patch)) {
        return json_deep_copy(patch);
    }
    json_t *out = json_is_object(target) ? json_deep_copy(target) : json_object();
    json_object_foreach(patch, key, value)
    {
        if (json_is_null(value)) {
            json_object_del(out, key);
        } else {
            json_object_set_new(out, key, merge_patch(json_object_get(out, key), value));
        }
    }
    return out;
}

int hub_clone(struct hub *h,
              const char *run_id,
              json_t *overrides,
              const char *actor,
              char new_id[HUB_RUN_ID_MAX],
              struct hub_refusal *why)
{
    struct hosted *from;
    json_t *warnings = NULL;
    char state[32];
    int rc = hosted_read(h, run_id, &from, state, why);

    if (rc != 0) {
        return rc;
    }
    if (from->document == NULL) {
        hosted_free(from);
        return refuse(why, ERR_STATE, 409, "conflict", "RUN_CONFIG_NOT_AVAILABLE",
                      "the run's document is not in the store");
    }
    json_t *document =
        overrides != NULL ? merge_patch(from->document, overrides) : json_incref(from->document);
    struct hub_new_run what = {.config = document,
                               .files = from->files,
                               .tags = from->tags,
                               .name = from->name,
                               .actor = actor};
    rc = hub_create(h, &what, new_id, &warnings, why);
    json_decref(warnings);
    json_decref(document);
    hosted_free(from);
    return rc;
}

/* ---- deleted ----------------------------------------------------------------------------------
 */

static bool take_state(void *owner, const struct store_run *row)
{
    snprintf(owner, 32, "%s", row->state);
    return false;
}

int hub_delete(struct hub *h, const char *run_id, struct hub_refusal *why)
{
    char state[32] = "";
    struct hosted *r = hub_find(h, run_id);

    if (r != NULL) {
        return refuse_state(why, run_id, run_state_name(r->run->state), "delete");
    }
    int rc = unsettled_is_deleted(h, run_id) ? ERR_NOT_FOUND
                                             : store_get_run(h->store, run_id, take_state, state);
    if (rc != 0) {
        return rc == ERR_NOT_FOUND ? refuse_unknown_run(why) : refuse_store(h, why);
    }
    if (store_delete_run(h->store, run_id) != 0) {
        return refuse_store(h, why);
    }
    unsettled_delete(h, run_id);
    watches_drop(h, run_id);
    return 0;
}
