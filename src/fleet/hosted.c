/* SPDX-License-Identifier: MIT */
/* A run in memory: from what the store has of it to its plan, and its events. */
#include "base/clock.h"
#include "base/mem.h"
#include "fleet/hub_priv.h"
#include "metrics/names.h"
#include "report/result/event.h"
#include "report/result/result.h"

#include <stdio.h>
#include <string.h>

struct hosted *hosted_new(struct hub *h, const char *run_id)
{
    struct hosted *r = xcalloc(1, sizeof *r);

    r->hub = h;
    snprintf(r->run_id, sizeof r->run_id, "%s", run_id);
    snprintf(r->last_state, sizeof r->last_state, "created");
    /* Also of one whose scenario cannot be read there is something to tell. */
    r->identity = (struct plan_identity){
        .run_id = r->run_id, .execution_id = r->execution_id, .worker_id = ""};
    list_init(&r->node);
    list_init(&r->writes);
    list_init(&r->watches);
    return r;
}

void hosted_free(struct hosted *r)
{
    if (r == NULL) {
        return;
    }
    list_foreach_safe (node, &r->writes) {
        list_remove(node);
        xfree(list_entry(node, struct write, node));
    }
    if (r->run != NULL) {
        run_free(r->run);
    }
    crew_free(r->crew);
    allocation_clear(&r->allocation);
    if (r->has_oplog) {
        oplog_clear(&r->oplog);
    }
    origin_clear(&r->origin);
    plan_free(r->plan);
    scenario_free(r->scenario);
    json_decref(r->document);
    json_decref(r->files);
    json_decref(r->tags);
    xfree(r->name);
    xfree(r->actor);
    arena_clear(&r->arena);
    xfree(r);
}

void hosted_put_json(struct hosted *r, const char *kind, json_t *json)
{
    struct buf text;

    buf_init(&text, HUB_DOCUMENT_MAX);
    if (json_write(json, &text) == 0) {
        (void)store_put_document(r->hub->store, r->run_id, kind, buf_str(&text));
    }
    buf_clear(&text);
    json_decref(json);
}

/* ---- from the store -------------------------------------------------------------------------- */

static bool take_text(void *owner, uint64_t number, struct str body)
{
    (void)number;
    (void)json_parse(body, HUB_DOCUMENT_MAX, owner, NULL);
    return false;
}

struct reading {
    struct hosted *run;
    char *state;
};

static bool take_run(void *owner, const struct store_run *row)
{
    struct reading *reading = owner;
    struct hosted *r = reading->run;

    (void)json_parse(row->config, HUB_DOCUMENT_MAX, &r->document, NULL);
    (void)json_parse(row->tags, HUB_DOCUMENT_MAX, &r->tags, NULL);
    r->created_ms = row->created_ms;
    snprintf(reading->state, sizeof r->last_state, "%s", row->state);
    return false;
}

/* Beside the row: the files that came along, and what the labels of the run are. */
static void read_documents(struct hub *h, struct hosted *r)
{
    json_t *labels = NULL;

    (void)store_get_document(h->store, r->run_id, "files", take_text, &r->files);
    if (store_get_document(h->store, r->run_id, "labels", take_text, &labels) == 0) {
        const char *name = json_string_value(json_object_get(labels, "name"));
        const char *actor = json_string_value(json_object_get(labels, "actor"));

        r->name = name != NULL ? xstrdup(name) : NULL;
        r->actor = actor != NULL ? xstrdup(actor) : NULL;
    }
    json_decref(labels);
}

int hosted_read(
    struct hub *h, const char *run_id, struct hosted **out, char state[32], struct hub_refusal *why)
{
    struct hosted *r = hosted_new(h, run_id);
    struct reading reading = {.run = r, .state = state};
    int rc = unsettled_is_deleted(h, run_id) ? ERR_NOT_FOUND
                                             : store_get_run(h->store, run_id, take_run, &reading);

    if (rc != 0) {
        hosted_free(r);
        return rc == ERR_NOT_FOUND ? refuse_unknown_run(why) : refuse_store(h, why);
    }
    read_documents(h, r);
    if (store_event_count(h->store, run_id, &r->event_count) != 0) {
        hosted_free(r);
        return refuse_store(h, why);
    }
    r->event_count = unsettled_event_count(h, run_id, r->event_count);
    snprintf(r->last_state, sizeof r->last_state, "%s", state);
    *out = r;
    return 0;
}

/* ---- from the document to the plan ----------------------------------------------------------- */

void hosted_options(struct hub *h,
                    json_t *files,
                    const char **names,
                    struct scenario_file *list,
                    struct scenario_options *out)
{
    const char *path;
    json_t *text;

    *out = (struct scenario_options){
        .files = list,
        .files_only = true,
        .variables_elsewhere = true,
        .network_public = h->config.network_public,
        .open_networks = h->config.open_networks,
        .open_network_count = h->config.open_network_count,
        .metric_names = names,
        .metric_count = metric_names(names),
        .metric_grows = metric_name_grows,
        .metric_narrows = metric_name_narrows,
        .metric_is_share = metric_name_is_share,
    };
    json_object_foreach(files, path, text)
    {
        if (out->file_count < HOSTED_FILES_MAX && json_is_string(text)) {
            list[out->file_count++] = (struct scenario_file){
                .path = path, .text = {json_string_value(text), json_string_length(text)}};
        }
    }
}

int hosted_load(struct hosted *r, struct issue_list *issues, struct err *err)
{
    const char *names[METRIC_NAMES_MAX];
    struct scenario_file files[HOSTED_FILES_MAX];
    struct scenario_options options;
    struct buf text;

    hosted_options(r->hub, r->files, names, files, &options);
    buf_init(&text, JSON_TEXT_MAX);
    int rc = json_write(r->document, &text);
    rc = rc != 0 ? err_set(err, rc, "the scenario is longer than %zu bytes", text.max)
                 : scenario_load_text(buf_str(&text), &options, &r->scenario, issues, err);
    buf_clear(&text);
    if (rc == 0) {
        rc = url_parse(str_c(r->scenario->target.url), &r->url, err);
    }
    if (rc != 0) {
        return rc;
    }
    r->plan = plan_new(r->scenario, &r->identity, r->url.authority, r->url.target);
    return origin_make(&r->origin, r->plan, 0, NULL, r->name, json_deep_copy(r->tags), err);
}

const char *hosted_name(const struct hosted *r)
{
    const char *name = r->origin.name;

    return name != NULL && name[0] != '\0' ? name : r->scenario->scenario_id;
}

/* ---- events -----------------------------------------------------------------------------------
 */

void hosted_write_events(struct hosted *r)
{
    list_foreach (node, &r->writes) {
        const struct write *w = list_entry(node, struct write, node);
        struct store_event event = {
            .number = w->number, .event_id = w->id, .type = w->type, .body = {w->body, w->len}};
        (void)store_add_event(r->hub->store, r->run_id, &event);
    }
    unsettled_events(r);
}

static void note_event(struct hosted *r, const struct run_event *event)
{
    json_t *json = result_event_json(&r->identity, event);
    struct buf text;

    buf_init(&text, HUB_DOCUMENT_MAX);
    if (json_write(json, &text) == 0) {
        hub_write(r, WRITE_EVENT, r->event_count, event->id, buf_str(&text));
        struct write *w = list_entry(r->writes.prev, struct write, node);
        w->type = event->type;
    }
    buf_clear(&text);
    json_decref(json);
    r->event_count++;
    r->told = true;
    if (strcmp(event->type, "DECISION") == 0) {
        snprintf(r->last_decision, sizeof r->last_decision, "%s", event->id);
    }
}

static void on_event(void *owner, const struct run_event *event)
{
    note_event(owner, event);
}

void hosted_event(struct hosted *r, const char *type, const char *actor, json_t *payload)
{
    if (r->run != NULL) {
        run_tell(r->run, type, payload);
        return;
    }
    struct run_event event = {
        .ts_ms = clock_wall_ms(), .type = type, .actor = actor, .payload = payload};

    run_event_id(event.id, event.ts_ms, r->event_count);
    note_event(r, &event);
    json_decref(payload);
}

void hosted_tell_failed(struct hosted *r, const char *why)
{
    list_foreach_safe (node, &r->writes) { /* of the try */
        list_remove(node);
        xfree(list_entry(node, struct write, node));
    }
    (void)store_event_count(r->hub->store, r->run_id, &r->event_count);
    if (r->run != NULL) {
        run_free(r->run);
        r->run = NULL;
    }
    hosted_event(r, "SYSTEM_RECOVERY", "system", json_pack("{sssb}", "reason", why, "resumed", 0));
    hosted_event(r, "STATE_TRANSITION", "system",
                 json_pack("{ssssssss}", "from_state", r->last_state, "to_state",
                           run_state_name(RUN_FAILED), "trigger", "system_error", "actor",
                           "system"));
    hosted_write_events(r);
}

/* ---- what the run says ------------------------------------------------------------------------
 */

static void
keep_json(struct hosted *r, enum write_kind kind, uint64_t number, const char *id, json_t *json)
{
    struct buf text;

    buf_init(&text, RESULT_TEXT_MAX);
    if (json != NULL && json_write(json, &text) == 0) {
        hub_write(r, kind, number, id, buf_str(&text));
    }
    buf_clear(&text);
    json_decref(json);
}

static void on_second(void *owner, uint64_t second)
{
    struct hosted *r = owner;
    json_t *json = result_second_json(r->run, second);

    if (json != NULL) {
        uint64_t at_ms = r->run->grid_ms + second * 1000;
        json_object_set_new(json, SECOND_AT_MS, json_integer((json_int_t)at_ms));
    }
    keep_json(r, WRITE_SECOND, second, "", json);
}

static void on_end(void *owner)
{
    struct hosted *r = owner;

    r->run->log_lines_lost += r->samples_lost;
    keep_json(r, WRITE_DOCUMENT, 0, "result", result_json(r->run));
    crew_release(r->crew);
    r->over = true;
    hub_touch(r);
    hub_line(r->hub, "Run over: %s %s", r->run_id, run_state_name(r->run->state));
}

struct run_observer hosted_observer(struct hosted *r)
{
    return (struct run_observer){
        .on_event = on_event, .on_second = on_second, .on_end = on_end, .owner = r};
}
