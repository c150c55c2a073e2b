/* SPDX-License-Identifier: MIT */
/* After a restart: workers that registered are known again, and runs that are not over go on. */
#include "base/clock.h"
#include "base/mem.h"
#include "fleet/hub_priv.h"

#include <stdio.h>
#include <string.h>

/* ---- workers --------------------------------------------------------------------------------- */

static uint64_t number_of(const json_t *object, const char *name)
{
    json_int_t n = json_integer_value(json_object_get(object, name));

    return n > 0 ? (uint64_t)n : 0;
}

/* It has as long to come back as one that falls silent now. */
static bool add_worker(void *owner, const struct store_worker *row)
{
    struct hub *h = owner;
    struct worker *w = xcalloc(1, sizeof *w);
    json_t *body = NULL;

    if (json_parse(row->body, HUB_DOCUMENT_MAX, &body, NULL) != 0) {
        xfree(w);
        return true;
    }
    snprintf(w->worker_id, sizeof w->worker_id, "%s", row->worker_id);
    snprintf(w->token_hash, sizeof w->token_hash, "%s", row->token_hash);
    snprintf(w->version, sizeof w->version, "%s",
             json_string_value(json_object_get(body, "version")));
    w->host = json_incref(json_object_get(body, "host_info"));
    w->max_vus = number_of(body, "max_vus");
    w->max_concurrent_ops = number_of(body, "max_concurrent_ops");
    w->max_rps = number_of(body, "max_rps");
    w->cores = (uint32_t)number_of(body, "cores");
    w->registered_ms = row->registered_ms;
    w->seen_ms = row->seen_ms;
    w->seen_ns = loop_clock(h->loop);
    hub_set_labels(w, json_incref(json_object_get(body, "labels")));
    hub_add_worker(h, w);
    json_decref(body);
    return true;
}

/* ---- runs ------------------------------------------------------------------------------------ */

struct pending {
    json_t *ids, *saved;
};

static bool note_run(void *owner, const struct store_run *row)
{
    struct pending *u = owner;
    json_t *saved = NULL;

    if (row->saved.len == 0) {
        return true; /* it is only created */
    }
    (void)json_parse(row->saved, HUB_DOCUMENT_MAX, &saved, NULL);
    json_array_append_new(u->ids, json_string(row->run_id));
    json_array_append_new(u->saved, saved != NULL ? saved : json_null());
    return true;
}

struct replay {
    struct hosted *run;
    struct err *err;
    int rc;
};

static bool replay_window(void *owner, const struct store_window *row)
{
    struct replay *replay = owner;

    replay->rc = crew_replay(replay->run->crew, row->source, row->body, replay->err);
    return replay->rc == 0;
}

static int restore_allocation(struct hosted *r, const json_t *saved, struct err *err)
{
    const json_t *parts = json_object_get(saved, "parts"),
                 *weights = json_object_get(saved, "weights");
    size_t count = json_array_size(parts);
    struct allocation *a = &r->allocation;

    if (count == 0 || count > CREW_MEMBERS_MAX) {
        return err_set(err, ERR_INVALID, "the saved allocation has no workers");
    }
    a->parts = xcalloc(count, sizeof *a->parts);
    a->part_count = (uint32_t)count;
    for (size_t i = 0; i < count; i++) {
        const json_t *part = json_array_get(parts, i);
        a->parts[i] = (struct allocate_part){.base = (uint32_t)number_of(part, "base"),
                                             .sources = (uint32_t)number_of(part, "sources"),
                                             .vus = (uint32_t)number_of(part, "vus")};
        if (a->parts[i].base != a->source_count || a->parts[i].sources == 0 ||
            a->parts[i].sources > ALLOCATE_SOURCES_MAX - a->source_count) {
            return err_set(err, ERR_INVALID, "the saved allocation does not fit together");
        }
        a->source_count += a->parts[i].sources;
    }
    if (json_array_size(weights) == a->source_count) {
        a->weights = xcalloc(a->source_count, sizeof *a->weights);
        for (uint32_t i = 0; i < a->source_count; i++) {
            a->weights[i] = (uint32_t)json_integer_value(json_array_get(weights, i));
        }
    }
    return 0;
}

/* Persons as they were when the run began: a worker may have gone meanwhile. */
static int make_run(struct hosted *r, const json_t *allocation, struct err *err)
{
    const json_t *parts = json_object_get(allocation, "parts");
    struct crew_person *persons = xcalloc(r->allocation.part_count, sizeof *persons);
    struct arena texts = {0};
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && i < r->allocation.part_count; i++) {
        const json_t *part = json_array_get(parts, i), *labels = json_object_get(part, "labels");
        size_t count = json_array_size(labels);
        const char **list = arena_array(&texts, count + 1, sizeof *list);
        const char *id = json_string_value(json_object_get(part, "worker_id"));

        for (size_t k = 0; k < count; k++) {
            const char *label = json_string_value(json_array_get(labels, k));
            list[k] = label != NULL ? label : "";
        }
        persons[i] = (struct crew_person){.worker_id = id, .labels = list, .label_count = count};
        rc = id != NULL ? 0 : err_set(err, ERR_INVALID, "a saved worker has no id");
    }
    rc = rc == 0 ? hosted_make(r, persons, err) : rc;
    arena_clear(&texts);
    xfree(persons);
    return rc;
}

static bool take_json(void *owner, uint64_t number, struct str body)
{
    (void)number;
    (void)json_parse(body, HUB_DOCUMENT_MAX, owner, NULL);
    return false;
}

static json_t *read_json(struct hosted *r, const char *kind)
{
    json_t *out = NULL;

    (void)store_get_document(r->hub->store, r->run_id, kind, take_json, &out);
    return out;
}

static int restore_crew(struct hosted *r, struct err *err)
{
    uint32_t count = crew_count(r->crew);
    uint64_t *applied = xcalloc(count + 1, sizeof *applied);
    json_t *saved = read_json(r, DOCUMENT_CREW);
    int rc = 0;

    for (uint32_t i = 0; rc == 0 && i < count; i++) {
        rc = store_get_applied(r->hub->store, r->run_id, crew_worker_id(r->crew, i), &applied[i]);
    }
    rc = rc != 0 ? err_set(err, rc, "the store cannot be read")
                 : crew_restore(r->crew, r->run, saved, applied, err);
    json_decref(saved);
    xfree(applied);
    return rc;
}

static int restore_players(struct hosted *r, struct err *err)
{
    json_t *allocation = read_json(r, DOCUMENT_ALLOCATION);
    struct issue_list issues = {0};
    int rc = restore_allocation(r, allocation, err);

    rc = rc == 0 ? hosted_load(r, &issues, err) : rc;
    rc = rc == 0 ? make_run(r, allocation, err) : rc;
    r->allocation_kept = true;
    issue_list_clear(&issues);
    json_decref(allocation);
    return rc;
}

static int restore(struct hosted *r, const json_t *saved, struct err *err)
{
    const char *execution = json_string_value(json_object_get(saved, "execution_id"));
    const char *decision = json_string_value(json_object_get(saved, "last_decision"));

    snprintf(r->execution_id, sizeof r->execution_id, "%s", execution != NULL ? execution : "");
    snprintf(r->last_decision, sizeof r->last_decision, "%s", decision != NULL ? decision : "");
    r->sample_count = number_of(saved, "samples");
    r->samples_lost = number_of(saved, "samples_lost");
    int rc = restore_players(r, err);
    rc = rc == 0 ? run_restore(r->run, json_object_get(saved, "run"), err) : rc;
    rc = rc == 0 ? restore_crew(r, err) : rc;
    if (rc != 0) {
        return rc;
    }
    struct replay replay = {.run = r, .err = err};
    rc = store_windows(r->hub->store, r->run_id, replay_window, &replay);
    return rc != 0 ? err_set(err, rc, "the store cannot be read") : replay.rc;
}

/* A run that cannot go on ends as failed, with its reason: nothing waits for it for ever. */
static void give_up(struct hub *h, struct hosted *r, const struct err *why)
{
    json_t *view = NULL;
    struct hub_refusal refusal = {0};
    struct buf text;

    hub_line(h, "Run %s cannot go on after the restart: %s", r->run_id, why->msg);
    if (hub_view(h, r->run_id, &view, &refusal) != 0) {
        view = json_object();
    }
    hub_refusal_clear(&refusal);
    json_object_set_new(view, "state", json_string(run_state_name(RUN_FAILED)));
    json_object_set_new(view, "phase", json_string(run_state_name(RUN_FAILED)));
    json_object_set_new(view, "terminal", json_true());
    json_object_set_new(view, "exit_code", json_integer(1));
    json_object_set_new(view, "stop_reason",
                        json_pack("{sssssssssssI}", "kind", run_stop_name(RUN_STOP_SYSTEM), "mode",
                                  "none", "reason", "system_error", "message", why->msg, "actor",
                                  "system", "at_ms", (json_int_t)clock_wall_ms()));
    buf_init(&text, HUB_DOCUMENT_MAX);
    (void)json_write(view, &text);
    struct store_run row = {.run_id = r->run_id,
                            .updated_ms = clock_wall_ms(),
                            .state = run_state_name(RUN_FAILED),
                            .terminal = true,
                            .view = buf_str(&text),
                            .saved = STR("")};
    hosted_tell_failed(r, why->msg);
    (void)store_put_run(h->store, &row);
    hosted_forget_plan(r);
    (void)store_drop_windows(h->store, r->run_id);
    buf_clear(&text);
    json_decref(view);
}

static void recover_run(struct hub *h, const char *run_id, const json_t *saved)
{
    struct hub_refusal why = {0};
    struct err err = {0};
    struct hosted *r;
    char state[32];

    if (hosted_read(h, run_id, &r, state, &why) != 0) {
        hub_line(h, "Run %s cannot go on after the restart: %s", run_id, why.message);
        hub_refusal_clear(&why);
        return;
    }
    if (restore(r, saved, &err) != 0) {
        give_up(h, r, &err);
        hosted_free(r);
        return;
    }
    list_append(&h->runs, &r->node);
    h->run_count++;
}

/* To make the books of long runs again takes its time, in which nobody could be heard: what others
 * have to come back in begins now. */
static void go_on(struct hub *h)
{
    list_foreach (node, &h->workers) {
        list_entry(node, struct worker, node)->seen_ns = loop_clock(h->loop);
    }
    list_foreach (node, &h->runs) {
        struct hosted *r = list_entry(node, struct hosted, node);

        run_resume(r->run, HUB_LOST_NS);
        run_emit_recovered(r->run, "control plane was started again");
        hub_touch(r);
        hub_line(h, "Run goes on: %s %s", r->run_id, run_state_name(r->run->state));
    }
}

int hub_recover(struct hub *h, struct err *err)
{
    struct pending u = {.ids = json_array(), .saved = json_array()};
    json_t *id;
    size_t i;
    int rc = store_workers(h->store, add_worker, h);

    rc = rc == 0 ? store_unfinished(h->store, note_run, &u) : rc;
    if (rc != 0) {
        store_read_error(h->store, err);
    }
    json_array_foreach(u.ids, i, id)
    {
        if (rc == 0) {
            recover_run(h, json_string_value(id), json_array_get(u.saved, i));
        }
    }
    json_decref(u.ids);
    json_decref(u.saved);
    go_on(h);
    return rc;
}
