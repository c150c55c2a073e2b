/* SPDX-License-Identifier: MIT */
/* Workers: who is there, what they have free, what they say. */
#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "fleet/away.h"
#include "fleet/hub_priv.h"
#include "wire/frame.h"
#include "wire/messages.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

enum { ROWS_MAX = 2 * HUB_RUNS_ACTIVE_MAX }; /* of an answer to reports */

struct worker *hub_worker(struct hub *h, const char *worker_id)
{
    list_foreach (node, &h->workers) {
        struct worker *w = list_entry(node, struct worker, node);
        if (strcmp(w->worker_id, worker_id) == 0) {
            return w;
        }
    }
    return NULL;
}

uint64_t hub_worker_taken(const struct hub *h, const struct worker *w)
{
    uint64_t taken = 0;

    list_foreach (node, &h->runs) {
        const struct hosted *r = list_entry(node, struct hosted, node);
        int32_t member = r->crew != NULL ? crew_find(r->crew, w->worker_id) : -1;

        if (member >= 0 && !crew_is_through(r->crew, (uint32_t)member)) {
            taken += crew_vus(r->crew, (uint32_t)member);
        }
    }
    return taken;
}

static void clear_labels(struct worker *w)
{
    for (size_t i = 0; i < w->label_count; i++) {
        xfree(w->label_texts[i]);
    }
    w->label_count = 0;
}

static void worker_free(struct worker *w)
{
    list_remove(&w->node);
    clear_labels(w);
    json_decref(w->host);
    json_decref(w->labels);
    json_decref(w->health);
    xfree(w);
}

void hub_workers_clear(struct hub *h)
{
    list_foreach_safe (node, &h->workers) {
        worker_free(list_entry(node, struct worker, node));
    }
    h->worker_count = 0;
}

/* ---- registered ------------------------------------------------------------------------------ */

static void make_token(char out[65])
{
    unsigned char bytes[32];

    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) {
        abort(); /* without random numbers nobody can be told from anybody */
    }
    for (size_t i = 0; i < sizeof bytes; i++) {
        snprintf(out + 2 * i, 3, "%02x", bytes[i]);
    }
}

void hub_set_labels(struct worker *w, json_t *labels)
{
    const char *name;
    json_t *value;

    clear_labels(w);
    json_decref(w->labels);
    w->labels = labels;
    json_object_foreach(w->labels, name, value)
    {
        if (json_is_string(value) && w->label_count < HUB_LABELS_MAX) {
            size_t size = strlen(name) + json_string_length(value) + 2;
            char *text = xmalloc(size);
            snprintf(text, size, "%s=%s", name, json_string_value(value));
            w->label_texts[w->label_count++] = text;
        }
    }
}

static void take_hello(struct worker *w, const struct wire_hello *hello)
{
    hub_set_labels(w, hello->labels != NULL ? json_deep_copy(hello->labels) : json_object());
    json_decref(w->host);
    w->host = json_pack("{ssssss}", "hostname", hello->hostname, "ip_addr", hello->ip_addr,
                        "platform", hello->platform);
    snprintf(w->version, sizeof w->version, "%s", hello->version);
    w->max_vus = hello->max_vus < UINT32_MAX ? hello->max_vus : UINT32_MAX;
    w->max_concurrent_ops = hello->max_concurrent_ops;
    w->max_rps = hello->max_rps;
    w->cores = hello->cores > 0 ? hello->cores : 1;
}

void hub_add_worker(struct hub *h, struct worker *w)
{
    struct list *at = h->workers.next;

    while (at != &h->workers &&
           strcmp(list_entry(at, struct worker, node)->worker_id, w->worker_id) < 0) {
        at = at->next;
    }
    list_append(at, &w->node);
    h->worker_count++;
}

static json_t *body_json(const struct worker *w)
{
    return json_pack("{sOsOsssIsIsIsI}", "host_info", w->host, "labels", w->labels, "version",
                     w->version, "max_vus", (json_int_t)w->max_vus, "max_concurrent_ops",
                     (json_int_t)w->max_concurrent_ops, "max_rps", (json_int_t)w->max_rps, "cores",
                     (json_int_t)w->cores);
}

static void put_worker(struct hub *h, const struct worker *w)
{
    json_t *body = body_json(w);
    struct buf text;

    buf_init(&text, HUB_DOCUMENT_MAX);
    (void)json_write(body, &text);
    struct store_worker row = {.worker_id = w->worker_id,
                               .token_hash = w->token_hash,
                               .registered_ms = w->registered_ms,
                               .seen_ms = w->seen_ms,
                               .body = buf_str(&text)};
    (void)store_put_worker(h->store, &row);
    buf_clear(&text);
    json_decref(body);
}

static void lose_in_runs(struct hub *h, const struct worker *w)
{
    list_foreach_safe (node, &h->runs) {
        struct hosted *r = list_entry(node, struct hosted, node);
        int32_t member = r->crew != NULL ? crew_find(r->crew, w->worker_id) : -1;

        if (member >= 0 && !crew_is_through(r->crew, (uint32_t)member)) {
            crew_lose(r->crew, (uint32_t)member);
            hub_touch(r);
        }
    }
}

static void cut_link(struct worker *w)
{
    struct worker_link *link = w->link;

    w->link = NULL;
    if (link != NULL) {
        link->replaced(link);
    }
}

static bool has_token(const struct worker *w, struct str token)
{
    char hash[65];

    digest_sha256_hex(token, hash);
    return strcmp(hash, w->token_hash) == 0;
}

/* The worker that it was before, or a new one of that name. */
static int find_or_make(struct hub *h,
                        const struct wire_hello *hello,
                        char token[65],
                        struct worker **out,
                        struct hub_refusal *why)
{
    struct worker *w = hello->worker_id[0] != '\0' ? hub_worker(h, hello->worker_id) : NULL;

    if (w != NULL && has_token(w, str_c(hello->worker_token))) {
        snprintf(token, 65, "%s", hello->worker_token);
        *out = w;
        return 0;
    }
    /* Its stream of orders ends with its process: without one, this is the one that follows it. */
    if (w != NULL && w->link != NULL && !w->lost && loop_now(h->loop) - w->seen_ns < HUB_LOST_NS) {
        return refuse(why, ERR_STATE, 409, "conflict", "INVALID_STATE",
                      "a worker of the id %s is connected: give this one another --worker-id",
                      w->worker_id);
    }
    if (w == NULL && h->worker_count >= HUB_WORKERS_MAX) {
        return refuse(why, ERR_LIMIT, 503, "unavailable", "NO_CAPACITY",
                      "%d workers are registered, which is the maximum", HUB_WORKERS_MAX);
    }
    make_token(token);
    if (w != NULL) { /* another process has come in its place */
        cut_link(w);
        lose_in_runs(h, w);
    } else {
        w = xcalloc(1, sizeof *w);
        if (hello->worker_id[0] != '\0') {
            snprintf(w->worker_id, sizeof w->worker_id, "%s", hello->worker_id);
        } else {
            hub_random_id("wkr", w->worker_id, sizeof w->worker_id);
        }
        w->registered_ms = clock_wall_ms();
        hub_add_worker(h, w);
    }
    digest_sha256_hex(str_c(token), w->token_hash);
    *out = w;
    return 0;
}

static int refuse_hello(struct hub_refusal *why, const char *member, const struct err *err)
{
    (void)refuse(why, ERR_INVALID, 400, "invalid_argument", "INVALID_REQUEST", "%s", err->msg);
    why->details = member != NULL ? json_pack("{ss}", "field", member) : NULL;
    return ERR_INVALID;
}

int hub_register(struct hub *h, json_t *hello, json_t **welcome, struct hub_refusal *why)
{
    struct wire_hello said;
    struct err err = {0};
    const char *member = NULL;
    struct worker *w = NULL;
    char token[65] = "";

    if (wire_hello_from_json(hello, &said, &member, &err) != 0) {
        return refuse_hello(why, member, &err);
    }
    if (wire_check_major(said.major, &err) != 0) {
        wire_hello_clear(&said);
        return refuse(why, ERR_UNSUPPORTED, 409, "conflict", "INVALID_STATE", "%s", err.msg);
    }
    int rc = find_or_make(h, &said, token, &w, why);
    if (rc == 0 && w != NULL) {
        struct wire_welcome answer = {.now_ns = loop_clock(h->loop)};

        take_hello(w, &said);
        w->seen_ns = loop_clock(h->loop);
        w->seen_ms = clock_wall_ms();
        w->lost = false;
        put_worker(h, w);
        snprintf(answer.worker_id, sizeof answer.worker_id, "%s", w->worker_id);
        snprintf(answer.worker_token, sizeof answer.worker_token, "%s", token);
        *welcome = wire_welcome_to_json(&answer);
        hub_line(h, "Worker registered: %s (%llu virtual users, %u core%s)", w->worker_id,
                 (unsigned long long)w->max_vus, w->cores, w->cores == 1 ? "" : "s");
    }
    wire_hello_clear(&said);
    return rc;
}

/* ---- heard ----------------------------------------------------------------------------------- */

/* NULL: refused. */
static struct worker *find_worker(struct hub *h, const char *worker_id, struct hub_refusal *why)
{
    struct worker *w = hub_worker(h, worker_id);

    if (w == NULL) {
        (void)refuse(why, ERR_NOT_FOUND, 404, "not_found", "WORKER_NOT_FOUND",
                     "there is no worker of this id: register it again");
    }
    return w;
}

static void heard(struct hub *h, struct worker *w)
{
    w->seen_ns = loop_clock(h->loop);
    w->seen_ms = clock_wall_ms();
    w->lost = false;
}

int hub_worker_may(struct hub *h, const char *worker_id, struct str token, struct hub_refusal *why)
{
    struct worker *w = find_worker(h, worker_id, why);

    if (w == NULL) {
        return ERR_NOT_FOUND;
    }
    if (token.len == 0) {
        return refuse(why, ERR_STATE, 401, "unauthorized", "WORKER_AUTH_REQUIRED",
                      "send the token of the registration as X-Worker-Token");
    }
    return has_token(w, token) ? 0
                               : refuse(why, ERR_STATE, 401, "unauthorized", "INVALID_WORKER_TOKEN",
                                        "this is not the token of that worker: register it again");
}

static json_t *runs_to_stop(const struct hub *h, const struct worker *w)
{
    json_t *runs = json_array();

    list_foreach (node, &h->runs) {
        const struct hosted *r = list_entry(node, struct hosted, node);
        int32_t member = r->over ? -1 : crew_find(r->crew, w->worker_id);

        if (member >= 0 && crew_must_stop(r->crew, (uint32_t)member)) {
            json_array_append_new(runs, json_string(r->run_id));
        }
    }
    return runs;
}

int hub_heartbeat(
    struct hub *h, const char *worker_id, json_t *beat, json_t **pulse, struct hub_refusal *why)
{
    struct wire_heartbeat said;
    struct err err = {0};
    const char *member = NULL;
    struct worker *w = find_worker(h, worker_id, why);

    if (w == NULL) {
        return ERR_NOT_FOUND;
    }
    if (wire_heartbeat_from_json(beat, &said, &member, &err) != 0) {
        return refuse_hello(why, member, &err);
    }
    heard(h, w);
    json_decref(w->health);
    w->health =
        json_pack("{sfsIsIsIsIsI}", "cpu_percent", said.cpu_percent, "mem_bytes",
                  (json_int_t)said.mem_bytes, "active_vus", (json_int_t)said.active_vus,
                  "active_sessions", (json_int_t)said.active_sessions, "in_flight_ops",
                  (json_int_t)said.in_flight_ops, "queue_depth", (json_int_t)said.queue_depth);
    struct wire_pulse answer = {.sent_ns = said.sent_ns, .now_ns = loop_clock(h->loop)};
    *pulse = wire_pulse_to_json(&answer);
    json_object_set_new(*pulse, "stop_run_ids", runs_to_stop(h, w));
    return 0;
}

/* ---- orders ---------------------------------------------------------------------------------- */

int hub_attach(struct hub *h,
               const char *worker_id,
               struct worker_link *link,
               struct hub_refusal *why)
{
    struct worker *w = find_worker(h, worker_id, why);

    if (w == NULL) {
        return ERR_NOT_FOUND;
    }
    cut_link(w);
    w->link = link;
    w->first_output = h->output_count;
    heard(h, w);
    list_foreach (node, &h->runs) {
        struct hosted *r = list_entry(node, struct hosted, node);
        int32_t member = r->crew != NULL ? crew_find(r->crew, worker_id) : -1;

        if (member >= 0) {
            crew_repeat(r->crew, (uint32_t)member);
        }
    }
    return 0;
}

void hub_detach(struct hub *h, struct worker_link *link)
{
    list_foreach (node, &h->workers) {
        struct worker *w = list_entry(node, struct worker, node);
        if (w->link == link) {
            w->link = NULL;
        }
    }
}

/* ---- reports --------------------------------------------------------------------------------- */

/* The row of a run in an answer's list; NULL: it has none. */
static json_t *row_of(json_t *rows, const char *run_id)
{
    json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        if (strcmp(json_string_value(json_object_get(row, "run_id")), run_id) == 0) {
            return row;
        }
    }
    return NULL;
}

/* Once for each run, however many reports of it came. A worker has no more runs than ROWS_MAX. */
static void refuse_report(json_t *refused, const char *run_id, const char *reason)
{
    if (json_array_size(refused) >= ROWS_MAX || row_of(refused, run_id) != NULL) {
        return;
    }
    json_array_append_new(refused,
                          json_pack("{ssso}", "run_id", run_id, "reason", json_text(reason)));
}

static void ack(json_t *acked, const char *run_id, uint64_t seq)
{
    json_t *row = row_of(acked, run_id);

    if (row != NULL) {
        json_object_set_new(row, "seq", json_integer((json_int_t)seq));
    } else {
        json_array_append_new(acked, json_pack("{sssI}", "run_id", run_id, "seq", (json_int_t)seq));
    }
}

static void take_report(struct hub *h,
                        const struct worker *w,
                        const struct wire_report *report,
                        json_t *acked,
                        json_t *refused)
{
    struct hosted *r = hub_find(h, report->run_id);
    int32_t member = r != NULL ? crew_find(r->crew, w->worker_id) : -1;
    struct err err = {0};

    if (member < 0 || crew_is_lost(r->crew, (uint32_t)member)) {
        refuse_report(refused, report->run_id,
                      member < 0 ? "this worker has no part in the run"
                                 : "the run has gone on without this worker");
        return;
    }
    uint64_t before = crew_applied(r->crew, (uint32_t)member);
    int rc = crew_report(r->crew, (uint32_t)member, report, &err);
    uint64_t applied = crew_applied(r->crew, (uint32_t)member);
    if (applied != before) {
        hub_write(r, WRITE_APPLIED, applied, w->worker_id, (struct str){0});
    }
    if (rc != 0 && rc != ERR_STATE) {
        run_tell(r->run, "SYSTEM_WARNING", json_pack("{so}", "warning", json_text(err.msg)));
        crew_lose(r->crew, (uint32_t)member);
        hub_touch(r);
        refuse_report(refused, report->run_id, err.msg);
        return;
    }
    if (report->kind == WIRE_REPORT_TOTALS && applied != before) {
        hub_write(r, WRITE_TOTALS, 0, w->worker_id, report->body);
    }
    ack(acked, report->run_id, applied);
}

int hub_telemetry(struct hub *h,
                  const char *worker_id,
                  struct str frames,
                  json_t **answer,
                  struct hub_refusal *why)
{
    const char *p = frames.p, *end = frames.p + frames.len;
    struct wire_reader reader;
    struct wire_frame frame;
    struct wire_report report = {.seq = 0};
    struct err err = {0};
    int rc = 0;
    struct worker *w = find_worker(h, worker_id, why);

    if (w == NULL) {
        return ERR_NOT_FOUND;
    }
    heard(h, w);
    rc = refuse_crowded(h, why);
    if (rc != 0) {
        return rc; /* the worker keeps them, and comes again */
    }
    json_t *acked = json_array(), *refused = json_array();
    wire_reader_init(&reader, WIRE_FRAME_MAX);
    while (rc == 0 && (rc = wire_reader_next(&reader, &p, end, &frame, &err)) == WIRE_READ) {
        rc = frame.kind == WIRE_REPORT ? wire_report_decode(frame.payload, &report, &err)
                                       : err_set(&err, ERR_SYNTAX, "a frame that is no report");
        if (rc == 0) {
            take_report(h, w, &report, acked, refused);
        }
    }
    if (rc == WIRE_MORE && !wire_reader_idle(&reader)) {
        rc = err_set(&err, ERR_SYNTAX, "the last frame is incomplete");
    }
    wire_reader_clear(&reader);
    if (rc != 0) {
        json_decref(acked);
        json_decref(refused);
        return refuse(why, ERR_INVALID, 400, "invalid_argument", "INVALID_TELEMETRY", "%s",
                      err.msg);
    }
    *answer = json_pack("{soso}", "acked", acked, "refused", refused);
    return 0;
}

/* ---- gone ------------------------------------------------------------------------------------ */

static void tell_away(struct hub *h, uint64_t away)
{
    char text[120];

    snprintf(text, sizeof text, "the control plane did not run for %.1f s: no worker was heard",
             (double)away / NS_PER_S);
    hub_line(h, "Frozen: %s", text);
    list_foreach (node, &h->runs) {
        struct hosted *r = list_entry(node, struct hosted, node);
        if (!r->over) {
            run_tell(r->run, "SYSTEM_WARNING", json_pack("{ss}", "warning", text));
        }
    }
}

static void forgive(struct hub *h, uint64_t away, uint64_t now)
{
    list_foreach (node, &h->workers) {
        struct worker *w = list_entry(node, struct worker, node);
        w->seen_ns = away_forgive(w->seen_ns, away, now);
    }
    tell_away(h, away);
}

void hub_look_at_workers(struct hub *h)
{
    uint64_t now = loop_clock(h->loop), away = away_since(&h->looked_ns, now, HUB_TICK_NS);

    if (away > 0) {
        forgive(h, away, now);
    }
    list_foreach_safe (node, &h->workers) {
        struct worker *w = list_entry(node, struct worker, node);
        uint64_t silence = now > w->seen_ns ? now - w->seen_ns : 0;

        if (!w->lost && silence > HUB_LOST_NS) {
            w->lost = true;
            hub_line(h, "Worker lost: %s (nothing heard for 10 s)", w->worker_id);
            lose_in_runs(h, w);
        }
        if (w->lost && silence > HUB_FORGET_NS && w->link == NULL) {
            (void)store_delete_worker(h->store, w->worker_id);
            worker_free(w);
            h->worker_count--;
        }
    }
}

/* ---- shown ----------------------------------------------------------------------------------- */

static json_t *runs_of(const struct hub *h, const struct worker *w)
{
    json_t *runs = json_array();

    list_foreach (node, &h->runs) {
        const struct hosted *r = list_entry(node, struct hosted, node);
        if (!r->over && crew_find(r->crew, w->worker_id) >= 0) {
            json_array_append_new(runs, json_string(r->run_id));
        }
    }
    return runs;
}

/* "online" is who would get a new run (hub_candidates). */
static const char *state_of(const struct worker *w, uint64_t now)
{
    if (w->lost) {
        return "lost";
    }
    return w->link == NULL || now - w->seen_ns >= HUB_SUSPECT_NS ? "late" : "online";
}

static json_t *worker_json(const struct hub *h, const struct worker *w, uint64_t now)
{
    uint64_t taken = hub_worker_taken(h, w);
    uint64_t room = taken < w->max_vus ? w->max_vus - taken : 0;
    json_t *out = json_pack(
        "{sssOs{sIsIsI}s{sIsIsI}sbsIsIsssOsssisO?}", "worker_id", w->worker_id, "host_info",
        w->host, "capacity", "max_vus", (json_int_t)w->max_vus, "max_concurrent_ops",
        (json_int_t)w->max_concurrent_ops, "max_rps", (json_int_t)w->max_rps, "effective_capacity",
        "max_vus", (json_int_t)room, "max_concurrent_ops", (json_int_t)w->max_concurrent_ops,
        "max_rps", (json_int_t)w->max_rps, "saturated", (int)(room == 0), "registered_at",
        (json_int_t)w->registered_ms, "last_heartbeat", (json_int_t)w->seen_ms, "state",
        state_of(w, now), "labels", w->labels, "version", w->version, "cores", (int)w->cores,
        "health", w->health);

    json_object_set_new(out, "runs", runs_of(h, w));
    return out;
}

json_t *hub_workers(struct hub *h)
{
    json_t *workers = json_array();
    uint64_t now = loop_clock(h->loop);

    list_foreach (node, &h->workers) {
        json_array_append_new(workers, worker_json(h, list_entry(node, struct worker, node), now));
    }
    return json_pack("{so}", "workers", workers);
}
