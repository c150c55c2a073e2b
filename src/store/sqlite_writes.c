/* SPDX-License-Identifier: MIT */
/* What each write means in statements. */
#include "base/json.h"
#include "store/sqlite_store.h"

#include <assert.h>

static struct value text(const char *s)
{
    return value_text(str_c(s));
}

/* 0 stands for "left as it is". */
static struct value time_ms(uint64_t ms)
{
    return ms == 0 ? (struct value){.type = VALUE_NULL} : value_number(ms);
}

static struct value json(struct str s)
{
    assert(s.len <= STORE_TEXT_MAX);
    return value_text(s);
}

/* In a column that is never NULL. */
static struct value blob(struct str s)
{
    assert(s.len <= STORE_TEXT_MAX);
    return value_blob(s.p == NULL ? STR("") : s);
}

static int add_1(struct sqlite_store *s, enum write_kind kind, const char *id)
{
    return sqlite_add(s, &(struct record){.kind = kind, .count = 1, .values = {text(id)}});
}

/* ---- runs --------------------------------------------------------------------------------------
 */

/* The tags by which filters find the run, beside the text that is shown. */
static int put_tags(struct sqlite_store *s, const char *run_id, struct str tags)
{
    json_t *object = NULL, *value;
    const char *key;
    int rc = add_1(s, WRITE_CLEAR_TAGS, run_id);

    if (json_parse(tags, JSON_TEXT_MAX, &object, NULL) != 0) {
        return rc;
    }
    json_object_foreach(object, key, value)
    {
        if (rc == 0 && json_is_string(value)) {
            struct str word = {json_string_value(value), json_string_length(value)};

            rc = sqlite_add(
                s, &(struct record){.kind = WRITE_ADD_TAG,
                                    .count = 3,
                                    .values = {text(run_id), text(key), value_text(word)}});
        }
    }
    json_decref(object);
    return rc;
}

int sqlite_put_run(struct store *base, const struct store_run *run)
{
    struct sqlite_store *s = sqlite_store_of(base);
    int rc =
        sqlite_add(s, &(struct record){.kind = WRITE_PUT_RUN,
                                       .count = 9,
                                       .values = {text(run->run_id), time_ms(run->created_ms),
                                                  value_number(run->updated_ms),
                                                  text(run->scenario_id), text(run->name),
                                                  text(run->state), value_number(run->terminal),
                                                  json(run->tags), json(run->view)}});

    if (rc == 0 && run->tags.p != NULL) {
        rc = put_tags(s, run->run_id, run->tags);
    }
    if (rc == 0 && run->config.p != NULL) {
        rc = sqlite_put_document(base, run->run_id, "config", run->config);
    }
    if (rc == 0 && run->saved.p != NULL) {
        rc = sqlite_put_document(base, run->run_id, "saved", run->saved);
    }
    return rc;
}

int sqlite_delete_run(struct store *base, const char *run_id)
{
    struct sqlite_store *s = sqlite_store_of(base);
    int rc = add_1(s, WRITE_LITTER_RUN, run_id);

    return rc != 0 ? rc : add_1(s, WRITE_DELETE_RUN, run_id);
}

int sqlite_put_document(struct store *base, const char *run_id, const char *kind, struct str body)
{
    return sqlite_add(sqlite_store_of(base),
                      &(struct record){.kind = WRITE_PUT_DOCUMENT,
                                       .count = 3,
                                       .values = {text(run_id), text(kind), blob(body)}});
}

/* ---- what happens in a run ---------------------------------------------------------------------
 */

int sqlite_add_event(struct store *base, const char *run_id, const struct store_event *event)
{
    return sqlite_add(
        sqlite_store_of(base),
        &(struct record){.kind = WRITE_ADD_EVENT,
                         .count = 5,
                         .values = {text(run_id), value_number(event->number),
                                    text(event->event_id), text(event->type), json(event->body)}});
}

int sqlite_add_window(struct store *base, const char *run_id, const struct store_window *window)
{
    return sqlite_add(
        sqlite_store_of(base),
        &(struct record){.kind = WRITE_ADD_WINDOW,
                         .count = 4,
                         .values = {text(run_id), value_number(window->source),
                                    value_number(window->second), blob(window->body)}});
}

int sqlite_drop_windows(struct store *base, const char *run_id)
{
    return add_1(sqlite_store_of(base), WRITE_LITTER_WINDOWS, run_id);
}

int sqlite_add_second(struct store *base, const char *run_id, uint64_t second, struct str body)
{
    return sqlite_add(sqlite_store_of(base),
                      &(struct record){.kind = WRITE_ADD_SECOND,
                                       .count = 3,
                                       .values = {text(run_id), value_number(second), json(body)}});
}

int sqlite_add_sample(struct store *base, const char *run_id, struct str line)
{
    return sqlite_add(sqlite_store_of(base),
                      &(struct record){.kind = WRITE_ADD_SAMPLE,
                                       .count = 2,
                                       .values = {text(run_id), json(line)}});
}

/* ---- workers -----------------------------------------------------------------------------------
 */

int sqlite_put_totals(struct store *base,
                      const char *run_id,
                      const char *worker_id,
                      struct str body)
{
    return sqlite_add(sqlite_store_of(base),
                      &(struct record){.kind = WRITE_PUT_TOTALS,
                                       .count = 3,
                                       .values = {text(run_id), text(worker_id), blob(body)}});
}

int sqlite_put_applied(struct store *base, const char *run_id, const char *worker_id, uint64_t seq)
{
    return sqlite_add(
        sqlite_store_of(base),
        &(struct record){.kind = WRITE_PUT_APPLIED,
                         .count = 3,
                         .values = {text(run_id), text(worker_id), value_number(seq)}});
}

int sqlite_put_worker(struct store *base, const struct store_worker *worker)
{
    return sqlite_add(
        sqlite_store_of(base),
        &(struct record){.kind = WRITE_PUT_WORKER,
                         .count = 5,
                         .values = {text(worker->worker_id), text(worker->token_hash),
                                    time_ms(worker->registered_ms), value_number(worker->seen_ms),
                                    json(worker->body)}});
}

int sqlite_delete_worker(struct store *base, const char *worker_id)
{
    return add_1(sqlite_store_of(base), WRITE_DELETE_WORKER, worker_id);
}
