/* SPDX-License-Identifier: MIT */
/*
 * A hub and a store of tables, for tests of the API alone: what is asked of them is noted, what
 * they answer is set by the test. Defines the functions of fleet/hub.h: one test program, one
 * include.
 */
#ifndef UNIT_API_FAKE_HUB_H
#define UNIT_API_FAKE_HUB_H

#include "base/mem.h"
#include "fleet/hub.h"

#include <assert.h>
#include <stdio.h>

enum { FAKE_EVENTS_MAX = 20000, FAKE_RUNS_MAX = 4 };

#define RUN_A    "run_0123456789abcdef0001"
#define RUN_B    "run_0123456789abcdef0002"
#define WORKER_A "wkr_0123456789abcdef"
#define TOKEN_A  "secret"

struct fake_run {
    const char *id;
    bool over, deleted;
    uint64_t event_count;
    size_t event_bytes; /* 0: small ones */
    struct list watches;
};

struct hub {
    struct store store;
    struct loop *loop;
    struct fake_run runs[FAKE_RUNS_MAX];
    unsigned run_count;
    char called[512];  /* the last call, as text */
    int refuse_status; /* the next call is refused with it; 0: is not */
    bool store_failed;
    bool slow_store; /* waits stay until fake_durable */
    struct list waits;
    struct defer tell;
    struct worker_link *link;
    unsigned attached, detached, reads;
    bool orders_at_once; /* hub_attach gives two orders from inside */
};

static inline void fake_durable(struct hub *h)
{
    while (!list_empty(&h->waits)) {
        struct store_wait *w = list_entry(h->waits.next, struct store_wait, node);

        store_wait_cancel(w);
        w->on_durable(w);
    }
}

static void fake_tell(struct defer *d)
{
    fake_durable(list_entry(d, struct hub, tell));
}

static inline struct fake_run *fake_find(struct hub *h, const char *run_id)
{
    for (unsigned i = 0; i < h->run_count; i++) {
        if (strcmp(h->runs[i].id, run_id) == 0 && !h->runs[i].deleted) {
            return &h->runs[i];
        }
    }
    return NULL;
}

/* ---- the store: events of numbers ---------------------------------------------------------- */

#define FAKE_EVENT_ID "evt_0000000000%010llx"

static inline struct hub *fake_of(struct store *s)
{
    return list_entry(s, struct hub, store);
}

static const char *fake_type(uint64_t number)
{
    return number % 2 == 0 ? "DECISION" : "STAGE_STARTED";
}

static int fake_events(struct store *s,
                       const char *run_id,
                       uint64_t from,
                       uint64_t limit,
                       store_event_fn *fn,
                       void *owner)
{
    struct fake_run *run = fake_find(fake_of(s), run_id);
    uint64_t end = run != NULL ? run->event_count : 0;
    bool more = true;

    for (uint64_t i = from; more && i < end && i < from + limit; i++) {
        char id[80];
        struct buf body;

        fake_of(s)->reads++;
        buf_init(&body, (size_t)1 << 24);
        snprintf(id, sizeof id, FAKE_EVENT_ID, (unsigned long long)i);
        buf_printf(&body, "{\"n\":%llu,\"fill\":\"", (unsigned long long)i);
        for (size_t k = 0; k < run->event_bytes; k++) {
            buf_add(&body, "x", 1);
        }
        buf_add_c(&body, "\"}");
        more = fn(owner, &(struct store_event){i, id, fake_type(i), buf_str(&body)});
        buf_clear(&body);
    }
    return 0;
}

static int
fake_event_number(struct store *s, const char *run_id, const char *event_id, uint64_t *number)
{
    struct fake_run *run = fake_find(fake_of(s), run_id);
    char id[80];

    for (uint64_t i = 0; run != NULL && i < run->event_count; i++) {
        snprintf(id, sizeof id, FAKE_EVENT_ID, (unsigned long long)i);
        if (strcmp(id, event_id) == 0) {
            *number = i;
            return 0;
        }
    }
    return ERR_NOT_FOUND;
}

static int fake_event_count(struct store *s, const char *run_id, uint64_t *count)
{
    struct fake_run *run = fake_find(fake_of(s), run_id);

    *count = run != NULL ? run->event_count : 0;
    return 0;
}

static bool fake_failed(struct store *s, struct err *err)
{
    if (fake_of(s)->store_failed) {
        err_set(err, ERR_IO, "the disk is full");
    }
    return fake_of(s)->store_failed;
}

static const struct store_ops fake_ops = {
    .events = fake_events,
    .event_number = fake_event_number,
    .event_count = fake_event_count,
    .failed = fake_failed,
};

/* ---- the hub ------------------------------------------------------------------------------ */

static inline void fake_init(struct hub *h, struct loop *loop)
{
    *h = (struct hub){.store.ops = &fake_ops, .loop = loop, .run_count = 2};
    h->runs[0].id = RUN_A;
    h->runs[1].id = RUN_B;
    list_init(&h->runs[0].watches);
    list_init(&h->runs[1].watches);
    list_init(&h->waits);
    defer_init(&h->tell, fake_tell);
}

static void fake_news(struct fake_run *run)
{
    list_foreach_safe (node, &run->watches) {
        struct hub_watch *w = list_entry(node, struct hub_watch, node);

        w->on_news(w);
    }
}

/* What the hub does when there are more, or when the run is over. */
static inline void fake_add_events(struct hub *h, const char *run_id, uint64_t count, bool over)
{
    struct fake_run *run = fake_find(h, run_id);

    run->event_count += count;
    run->over = over;
    fake_news(run);
    list_foreach_safe (gone, &run->watches) {
        if (over) {
            list_remove(gone);
        }
    }
}

static inline int fake_note(struct hub *h, struct hub_refusal *why, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static inline int fake_note(struct hub *h, struct hub_refusal *why, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vsnprintf(h->called, sizeof h->called, format, ap);
    va_end(ap);
    if (h->refuse_status == 0 || why == NULL) {
        return 0;
    }
    *why = (struct hub_refusal){
        .status = h->refuse_status,
        .type = "conflict",
        .code = "INVALID_STATE",
        .message = "as the test wants",
        .details = json_pack("{s:s}", "current_state", "created"),
    };
    h->refuse_status = 0;
    return ERR_STATE;
}

static inline int fake_unknown(struct hub *h, const char *run_id, struct hub_refusal *why)
{
    if (fake_find(h, run_id) != NULL) {
        return 0;
    }
    *why = (struct hub_refusal){
        .status = 404, .type = "not_found", .code = "RUN_NOT_FOUND", .message = "there is none"};
    return ERR_NOT_FOUND;
}

void hub_refusal_clear(struct hub_refusal *why)
{
    json_decref(why->details);
    *why = (struct hub_refusal){0};
}

void hub_when_durable(struct hub *h, struct store_wait *wait)
{
    list_append(&h->waits, &wait->node);
    if (!h->slow_store) {
        loop_defer(h->loop, &h->tell);
    }
}

static inline const char *fake_text(const json_t *v, char *out, size_t size)
{
    struct buf b;

    buf_init(&b, size - 1);
    if (v == NULL || json_write(v, &b) != 0) {
        snprintf(out, size, "-");
    } else {
        snprintf(out, size, "%s", buf_c(&b));
    }
    buf_clear(&b);
    return out;
}

json_t *hub_validate(struct hub *h, const json_t *config, json_t *files, bool strict)
{
    char text[200], more[100];

    fake_note(h, NULL, "validate %s files=%s strict=%d", fake_text(config, text, sizeof text),
              fake_text(files, more, sizeof more), strict);
    return json_pack("{s:b}", "ok", 1);
}

int hub_create(struct hub *h,
               const struct hub_new_run *what,
               char run_id[HUB_RUN_ID_MAX],
               json_t **warnings,
               struct hub_refusal *why)
{
    char config[200], tags[100], files[100];

    snprintf(run_id, HUB_RUN_ID_MAX, "%s", RUN_A);
    *warnings = json_pack("[{s:s}]", "code", "SOME_CODE");
    int rc = fake_note(h, why, "create %s files=%s tags=%s name=%s actor=%s",
                       fake_text(what->config, config, sizeof config),
                       fake_text(what->files, files, sizeof files),
                       fake_text(what->tags, tags, sizeof tags),
                       what->name != NULL ? what->name : "-", what->actor);
    if (rc != 0) {
        json_decref(*warnings);
        *warnings = NULL;
    }
    return rc;
}

int hub_clone(struct hub *h,
              const char *run_id,
              json_t *overrides,
              const char *actor,
              char new_id[HUB_RUN_ID_MAX],
              struct hub_refusal *why)
{
    char text[200];

    snprintf(new_id, HUB_RUN_ID_MAX, "%s", RUN_B);
    return fake_note(h, why, "clone %s %s actor=%s", run_id,
                     fake_text(overrides, text, sizeof text), actor);
}

int hub_start(struct hub *h,
              const char *run_id,
              const char *actor,
              const char **state,
              struct hub_refusal *why)
{
    *state = "preflight_running";
    return fake_note(h, why, "start %s actor=%s", run_id, actor);
}

int hub_stop(
    struct hub *h, const char *run_id, const char *mode, const char *actor, struct hub_refusal *why)
{
    return fake_note(h, why, "stop %s mode=%s actor=%s", run_id, mode, actor);
}

int hub_emergency_stop(struct hub *h,
                       const char *run_id,
                       const char *actor,
                       struct hub_refusal *why)
{
    return fake_note(h, why, "emergency %s actor=%s", run_id, actor);
}

int hub_delete(struct hub *h, const char *run_id, struct hub_refusal *why)
{
    return fake_note(h, why, "delete %s", run_id);
}

int hub_view(struct hub *h, const char *run_id, json_t **out, struct hub_refusal *why)
{
    int rc = fake_unknown(h, run_id, why);

    if (rc == 0) {
        bool over = fake_find(h, run_id)->over;

        *out = json_pack("{s:s, s:s, s:{s:s}}", "run_id", run_id, "state",
                         over ? "completed" : "created", "stop_reason", "kind", "completed");
    }
    return rc;
}

int hub_list(struct hub *h, const struct store_filter *f, json_t **out, struct hub_refusal *why)
{
    int rc = fake_note(h, why, "list %llu+%llu %s state=%s scenario=%s tag=%s:%s q=%s",
                       (unsigned long long)f->offset, (unsigned long long)f->limit,
                       f->ascending ? "asc" : "desc", f->state != NULL ? f->state : "-",
                       f->scenario_id != NULL ? f->scenario_id : "-",
                       f->tag_key != NULL ? f->tag_key : "-",
                       f->tag_value != NULL ? f->tag_value : "-", f->text != NULL ? f->text : "-");

    *out = rc == 0 ? json_pack("{s:[], s:i}", "runs", "total", 0) : NULL;
    return rc;
}

int hub_config_of(
    struct hub *h, const char *run_id, bool effective, json_t **out, struct hub_refusal *why)
{
    int rc = fake_note(h, why, "config %s effective=%d", run_id, effective);

    *out = rc == 0 ? json_object() : NULL;
    return rc;
}

int hub_result(struct hub *h, const char *run_id, json_t **out, struct hub_refusal *why)
{
    int rc = fake_note(h, why, "result %s", run_id);

    *out = rc == 0 ? json_object() : NULL;
    return rc;
}

int hub_metrics(struct hub *h,
                const char *run_id,
                const struct hub_metrics_query *q,
                json_t **out,
                struct hub_refusal *why)
{
    int rc = fake_note(h, why, "metrics %s series=%d stage=%s %llu..%llx by %llu", run_id,
                       q->time_series, q->stage_id != NULL ? q->stage_id : "-",
                       (unsigned long long)q->from_ms, (unsigned long long)q->to_ms,
                       (unsigned long long)q->resolution_ms);

    *out = rc == 0 ? json_object() : NULL;
    return rc;
}

void hub_watch(struct hub *h, const char *run_id, struct hub_watch *w)
{
    struct fake_run *run = fake_find(h, run_id);

    list_init(&w->node);
    if (run != NULL && !run->over) {
        list_append(&run->watches, &w->node);
    }
}

void hub_unwatch(struct hub_watch *w)
{
    list_remove(&w->node);
}

bool hub_is_over(struct hub *h, const char *run_id)
{
    struct fake_run *run = fake_find(h, run_id);

    return run != NULL && run->over;
}

struct store *hub_store(struct hub *h)
{
    return &h->store;
}

json_t *hub_workers(struct hub *h)
{
    (void)h;
    return json_pack("{s:[]}", "workers");
}

int hub_register(struct hub *h, json_t *hello, json_t **welcome, struct hub_refusal *why)
{
    char text[200];
    int rc = fake_note(h, why, "register %s", fake_text(hello, text, sizeof text));

    *welcome =
        rc == 0 ? json_pack("{s:s, s:s}", "worker_id", WORKER_A, "worker_token", TOKEN_A) : NULL;
    return rc;
}

int hub_worker_may(struct hub *h, const char *worker_id, struct str token, struct hub_refusal *why)
{
    (void)h;
    if (strcmp(worker_id, WORKER_A) == 0 && str_eq(token, STR(TOKEN_A))) {
        return 0;
    }
    bool known = strcmp(worker_id, WORKER_A) == 0;
    *why = (struct hub_refusal){
        .status = known ? 401 : 404,
        .type = known ? "unauthorized" : "not_found",
        .code = known ? "INVALID_WORKER_TOKEN" : "WORKER_NOT_FOUND",
        .message = "no",
    };
    return ERR_NOT_FOUND;
}

int hub_heartbeat(
    struct hub *h, const char *worker_id, json_t *beat, json_t **pulse, struct hub_refusal *why)
{
    char text[200];
    int rc = fake_note(h, why, "heartbeat %s %s", worker_id, fake_text(beat, text, sizeof text));

    *pulse = rc == 0 ? json_pack("{s:i, s:i}", "sent_ns", 1, "now_ns", 2) : NULL;
    return rc;
}

int hub_attach(struct hub *h,
               const char *worker_id,
               struct worker_link *link,
               struct hub_refusal *why)
{
    int rc = fake_note(h, why, "attach %s", worker_id);

    if (rc == 0) {
        struct worker_link *before = h->link;

        h->link = link;
        h->attached++;
        if (before != NULL) {
            before->replaced(before);
        }
        if (h->orders_at_once) {
            link->send(link, STR("{\"n\":1}"));
            link->send(link, STR("{\"n\":2}"));
        }
    }
    return rc;
}

void hub_detach(struct hub *h, struct worker_link *link)
{
    h->detached++;
    if (h->link == link) {
        h->link = NULL;
    }
}

int hub_telemetry(struct hub *h,
                  const char *worker_id,
                  struct str frames,
                  json_t **answer,
                  struct hub_refusal *why)
{
    int rc = fake_note(h, why, "telemetry %s %zu", worker_id, frames.len);

    *answer = rc == 0 ? json_pack("{s:[], s:[]}", "acked", "refused") : NULL;
    return rc;
}

#endif
