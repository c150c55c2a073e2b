/* SPDX-License-Identifier: MIT */
/* /stats, /faults and what belongs to them: for peers on this machine only. They are not counted
 * among the requests, and faults do not touch them. */
#include "mock/server/control.h"

#include "base/json.h"
#include "base/mem.h"
#include "mock/protocol/protocol.h"
#include "mock/server/mock.h"
#include "mock/tools/tools.h"

/* ---- sums --------------------------------------------------------------------------------- */

static uint64_t load(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void add_mock(const struct mock *m, struct mock_totals *sum)
{
    const struct http_stats *h = m->traffic;

    sum->http_requests += load(&m->stats.http_requests);
    sum->responses += load(&m->stats.responses);
    sum->streams_opened += load(&m->stats.streams_opened);
    sum->streams_closed += load(&m->stats.streams_closed);
    sum->events_sent += load(&m->stats.events_sent);
    sum->errors_injected += load(&m->stats.errors_injected);
    sum->answers_swapped += load(&m->stats.answers_swapped);
    sum->calls_opened += load(&m->stats.calls_opened);
    sum->calls_closed += load(&m->stats.calls_closed);
    sum->timed_answers += load(&m->stats.timed_answers);
    sum->timed_late_50us += load(&m->stats.timed_late_50us);
    sum->timed_late_1ms += load(&m->stats.timed_late_1ms);
    sum->connections_opened += load(&h->connections_opened);
    sum->connections_closed += load(&h->connections_closed);
    sum->bytes_in += load(&h->bytes_in);
    sum->bytes_out += load(&h->bytes_out);
    for (size_t i = 0; i <= MOCK_METHODS_MAX; i++) {
        sum->methods[i] += load(&m->stats.methods[i]);
    }
    for (size_t i = 0; i <= MOCK_TOOLS_MAX; i++) {
        sum->tools[i] += load(&m->stats.tools[i]);
    }
}

/* Under the lock. */
static void count_all(struct mock_shared *shared, uint64_t now_ns, struct mock_totals *sum)
{
    struct mock_session_counts sessions = mock_sessions_count(shared->sessions, now_ns);

    *sum = shared->shared_.gone;
    for (unsigned i = 0; i < shared->shared_.mock_count; i++) {
        if (shared->shared_.mocks[i] != NULL) {
            add_mock(shared->shared_.mocks[i], sum);
        }
    }
    sum->sessions_opened = sessions.opened;
    sum->sessions_deleted = sessions.deleted;
    sum->sessions_expired = sessions.expired;
    sum->sessions_lost = sessions.lost;
    sum->sessions_max_open = sessions.open_max;
}

void mock_free(struct mock *m)
{
    if (m == NULL) {
        return;
    }
    struct mock_shared *shared = m->shared;

    if (!m->guest) {
        http_server_clear(&m->http);
    }
    loop_send_cancel(m->loop, &m->sweep);
    pthread_mutex_lock(&shared->shared_.lock);
    add_mock(m, &shared->shared_.gone);
    for (unsigned i = 0; i < shared->shared_.mock_count; i++) {
        if (shared->shared_.mocks[i] == m) {
            shared->shared_.mocks[i] = NULL;
        }
    }
    pthread_mutex_unlock(&shared->shared_.lock);
    buf_clear(&m->text);
    buf_clear(&m->result);
    buf_clear(&m->body);
    xfree(m);
}

/* ---- /stats ------------------------------------------------------------------------------- */

static void set_count(json_t *object, const char *name, uint64_t v)
{
    json_object_set_new(object, name, json_integer((json_int_t)v));
}

/* Names with a count above zero; what has no name of ours is "other". */
static json_t *by_name(const uint64_t *now,
                       const uint64_t *base,
                       size_t count,
                       size_t other,
                       const char *(*name)(size_t i))
{
    json_t *object = json_object();

    for (size_t i = 0; i < count; i++) {
        if (now[i] != base[i]) {
            set_count(object, name(i), now[i] - base[i]);
        }
    }
    if (now[other] != base[other]) {
        set_count(object, "other", now[other] - base[other]);
    }
    return object;
}

static const char *method_name(size_t i)
{
    return mock_methods[i].name.p; /* a literal, so it ends with NUL */
}

static const char *tool_name(size_t i)
{
    return mock_tools[i].name.p;
}

static uint64_t sessions_open(const struct mock_totals *t)
{
    return t->sessions_opened - t->sessions_deleted - t->sessions_expired - t->sessions_lost;
}

/* Totals count from the last reset; what is open now does not depend on it. */
static json_t *write_stats(const struct mock_totals *now, const struct mock_totals *base)
{
    json_t *o = json_object();

    json_object_set_new(
        o, "requests",
        by_name(now->methods, base->methods, mock_method_count, MOCK_METHODS_MAX, method_name));
    json_object_set_new(
        o, "tools", by_name(now->tools, base->tools, mock_tool_count, MOCK_TOOLS_MAX, tool_name));
    set_count(o, "http_requests", now->http_requests - base->http_requests);
    set_count(o, "responses", now->responses - base->responses);
    set_count(o, "sessions_opened", now->sessions_opened - base->sessions_opened);
    set_count(o, "sessions_open", sessions_open(now));
    set_count(o, "sessions_max_open", now->sessions_max_open);
    set_count(o, "sessions_deleted", now->sessions_deleted - base->sessions_deleted);
    set_count(o, "sessions_expired", now->sessions_expired - base->sessions_expired);
    set_count(o, "sessions_lost", now->sessions_lost - base->sessions_lost);
    set_count(o, "streams_open", now->streams_opened - now->streams_closed);
    set_count(o, "streams_opened", now->streams_opened - base->streams_opened);
    set_count(o, "events_sent", now->events_sent - base->events_sent);
    set_count(o, "connections_opened", now->connections_opened - base->connections_opened);
    set_count(o, "connections_open", now->connections_opened - now->connections_closed);
    set_count(o, "calls_open", now->calls_opened - now->calls_closed);
    set_count(o, "errors_injected", now->errors_injected - base->errors_injected);
    set_count(o, "answers_swapped", now->answers_swapped - base->answers_swapped);
    set_count(o, "timed_answers", now->timed_answers - base->timed_answers);
    set_count(o, "timed_late_50us", now->timed_late_50us - base->timed_late_50us);
    set_count(o, "timed_late_1ms", now->timed_late_1ms - base->timed_late_1ms);
    set_count(o, "bytes_in", now->bytes_in - base->bytes_in);
    set_count(o, "bytes_out", now->bytes_out - base->bytes_out);
    return o;
}

/* ---- answers ------------------------------------------------------------------------------ */

/* Takes `value`. */
static void reply_json(struct mock *m, struct http_exchange *x, int status, json_t *value)
{
    m->body.len = 0;
    json_write(value, &m->body);
    buf_add(&m->body, "\n", 1);
    json_decref(value);
    http_reply(x, &(struct http_answer){
                      .status = status,
                      .content_type = STR("application/json"),
                      .body = buf_str(&m->body),
                  });
}

static void reply_error(struct mock *m, struct http_exchange *x, int status, const char *message)
{
    json_t *o = json_object();

    json_object_set_new(o, "error", json_string(message));
    reply_json(m, x, status, o);
}

static void get_stats(struct mock *m, struct http_exchange *x, const struct http_request *r)
{
    struct mock_shared *shared = m->shared;
    struct mock_totals now, base;

    (void)r;
    pthread_mutex_lock(&shared->shared_.lock);
    count_all(shared, loop_clock(m->loop), &now);
    base = shared->shared_.base;
    pthread_mutex_unlock(&shared->shared_.lock);
    reply_json(m, x, 200, write_stats(&now, &base));
}

static void reset_stats(struct mock *m, struct http_exchange *x, const struct http_request *r)
{
    struct mock_shared *shared = m->shared;

    (void)r;
    pthread_mutex_lock(&shared->shared_.lock);
    count_all(shared, loop_clock(m->loop), &shared->shared_.base);
    mock_sessions_reset_max(shared->sessions);
    pthread_mutex_unlock(&shared->shared_.lock);
    reply_json(m, x, 200, json_object());
}

/* The value of `since_ms` in the query; 0 without it. */
static bool read_since(struct str query, uint64_t *since_ms)
{
    struct str name = STR("since_ms=");

    *since_ms = 0;
    if (query.len == 0) {
        return true;
    }
    if (!str_starts(query, name)) {
        return false;
    }
    return str_u64((struct str){query.p + name.len, query.len - name.len}, INT64_MAX, since_ms);
}

static void get_history(struct mock *m, struct http_exchange *x, const struct http_request *r)
{
    uint64_t since_ms;

    if (!read_since(r->query, &since_ms)) {
        reply_error(m, x, 400, "the only parameter is since_ms, a whole number");
        return;
    }
    m->body.len = 0;
    mock_history_write(m->shared->history, since_ms, &m->body);
    http_reply(x, &(struct http_answer){
                      .status = 200,
                      .content_type = STR("application/json"),
                      .body = buf_str(&m->body),
                  });
}

void mock_sample(struct mock_shared *shared, uint64_t now_ns)
{
    struct mock_totals t;
    uint64_t calls = 0;

    pthread_mutex_lock(&shared->shared_.lock);
    count_all(shared, now_ns, &t);
    pthread_mutex_unlock(&shared->shared_.lock);
    for (size_t i = 0; i <= MOCK_TOOLS_MAX; i++) {
        calls += t.tools[i];
    }
    mock_history_add(
        shared->history,
        &(struct mock_history_sample){
            .ts_ms = clock_wall_ms(),
            .http_requests = t.http_requests,
            .tool_calls = calls,
            .sessions_opened = t.sessions_opened,
            .streams_open = (uint32_t)(t.streams_opened - t.streams_closed),
            .sessions_open = (uint32_t)sessions_open(&t),
            .connections_open = (uint32_t)(t.connections_opened - t.connections_closed),
            .calls_open = (uint32_t)(t.calls_opened - t.calls_closed),
        });
}

static void forget_sessions(struct mock *m, struct http_exchange *x, const struct http_request *r)
{
    json_t *o = json_object();

    (void)r;
    set_count(o, "forgotten", mock_sessions_lose_all(m->shared->sessions, loop_clock(m->loop)));
    reply_json(m, x, 200, o);
}

/* ---- /faults ------------------------------------------------------------------------------ */

/* All threads of the mock compute from the same clock when the port is closed, so that they close
 * it together without a word between them. */
#define REFUSE_PERIOD_NS (100 * NS_PER_MS)
#define REFUSE_LOOK_NS   (25 * NS_PER_MS)

bool mock_refuses(const struct mock_shared *shared, uint64_t now_ns, uint64_t *look_ns)
{
    uint64_t until = atomic_load_explicit(&shared->refused_until_ns, memory_order_relaxed);
    uint64_t share = atomic_load_explicit(&shared->refused_ns, memory_order_relaxed);
    uint64_t phase = now_ns % REFUSE_PERIOD_NS, begin = now_ns - phase;
    bool refuses = now_ns < until || phase < share;
    uint64_t change = phase < share ? begin + share : begin + REFUSE_PERIOD_NS;

    *look_ns = now_ns + REFUSE_LOOK_NS;
    if (now_ns < until && until < *look_ns) {
        *look_ns = until;
    } else if (share > 0 && change < *look_ns) {
        *look_ns = change;
    }
    return refuses;
}

void mock_apply_refuse(struct mock_shared *shared,
                       const struct faults *faults,
                       bool timed,
                       uint64_t now_ns)
{
    atomic_store(&shared->refused_ns,
                 (uint64_t)(faults->refuse_connections * (double)REFUSE_PERIOD_NS));
    if (timed) {
        uint64_t ns = (uint64_t)(faults->refuse_connections_ms * (double)NS_PER_MS);

        atomic_store(&shared->refused_until_ns, ns > 0 ? now_ns + ns : 0);
    }
}

void mock_apply_freeze(struct mock_shared *shared, const struct faults *faults, uint64_t now_ns)
{
    uint64_t until = 0;

    if (faults->freeze_ms > 0) {
        until = now_ns + (uint64_t)(faults->freeze_ms * (double)NS_PER_MS);
    } else if (faults->freeze != 0) {
        until = UINT64_MAX;
    }
    atomic_store(&shared->frozen_until_ns, until);
}

void mock_faults_refresh(struct mock *m)
{
    struct mock_shared *shared = m->shared;
    uint64_t version = atomic_load_explicit(&shared->faults_version, memory_order_acquire);
    const struct faults *f = &m->faults;

    if (version == m->faults_version) {
        return;
    }
    pthread_mutex_lock(&shared->shared_.lock);
    m->faults = shared->shared_.faults;
    m->faults_version = atomic_load(&shared->faults_version);
    pthread_mutex_unlock(&shared->shared_.lock);
    m->faulty = f->latency_kind != LATENCY_NONE || f->stall_after_events > 0 ||
                f->dribble_bytes > 0 ||
                f->http_500 + f->http_429 + f->jsonrpc_error + f->is_error + f->cut + f->reset +
                        f->swap_answers >
                    0;
}

/* What has a time of its own says whether it holds now, not what was asked for once. */
static json_t *write_faults(struct mock *m, struct faults faults)
{
    bool frozen = atomic_load(&m->shared->frozen_until_ns) > loop_clock(m->loop);

    faults.freeze = frozen;
    if (!frozen) {
        faults.freeze_ms = 0;
    }
    if (atomic_load(&m->shared->refused_until_ns) <= loop_now(m->loop)) {
        faults.refuse_connections_ms = 0;
    }
    return faults_write(&faults);
}

static void get_faults(struct mock *m, struct http_exchange *x, const struct http_request *r)
{
    struct mock_shared *shared = m->shared;

    (void)r;
    pthread_mutex_lock(&shared->shared_.lock);
    struct faults faults = shared->shared_.faults;
    pthread_mutex_unlock(&shared->shared_.lock);
    reply_json(m, x, 200, write_faults(m, faults));
}

static int change_faults(struct mock *m, json_t *object, struct err *err)
{
    struct mock_shared *shared = m->shared;
    bool freezes =
        json_object_get(object, "freeze") != NULL || json_object_get(object, "freeze_ms") != NULL;

    pthread_mutex_lock(&shared->shared_.lock);
    struct faults changed = shared->shared_.faults;
    if (freezes) {
        changed.freeze = changed.freeze_ms = 0; /* "freeze": false ends a timed freeze, too */
    }
    int rc = faults_read(object, &changed, err);
    if (rc == 0 && m->guest &&
        (changed.refuse_connections > 0 || changed.refuse_connections_ms > 0)) {
        rc = err_set(err, ERR_UNSUPPORTED,
                     "refuse_connections would close the port of the control plane as well; a "
                     "mockserver has a port of its own");
    }
    if (rc == 0) {
        shared->shared_.faults = changed;
        atomic_fetch_add(&shared->faults_version, 1);
        if (freezes) {
            mock_apply_freeze(shared, &changed, loop_clock(m->loop));
        }
        mock_apply_refuse(shared, &changed,
                          json_object_get(object, "refuse_connections_ms") != NULL,
                          loop_clock(m->loop));
    }
    pthread_mutex_unlock(&shared->shared_.lock);
    return rc;
}

static void set_faults(struct mock *m, struct http_exchange *x, const struct http_request *r)
{
    enum { TEXT_MAX = 64 * 1024 };
    struct err err = {0};
    json_t *object;
    int rc = json_parse(r->body.len > 0 ? r->body : STR(""), TEXT_MAX, &object, &err);

    if (rc == 0) {
        rc = change_faults(m, object, &err);
        json_decref(object);
    }
    if (rc != 0) {
        reply_error(m, x, 400, err.msg);
    } else {
        get_faults(m, x, r);
    }
}

/* ---- routes ------------------------------------------------------------------------------- */

static const struct {
    struct str path, method;
    void (*fn)(struct mock *m, struct http_exchange *x, const struct http_request *r);
} routes[] = {
    {STR_INIT("/stats"), STR_INIT("GET"), get_stats},
    {STR_INIT("/stats/reset"), STR_INIT("POST"), reset_stats},
    {STR_INIT("/stats/history"), STR_INIT("GET"), get_history},
    {STR_INIT("/sessions/forget"), STR_INIT("POST"), forget_sessions},
    {STR_INIT("/faults"), STR_INIT("GET"), get_faults},
    {STR_INIT("/faults"), STR_INIT("POST"), set_faults},
};

static struct str allowed_methods(struct str path)
{
    if (str_eq(path, STR("/faults"))) {
        return STR("Allow: GET, POST\r\n");
    }
    if (str_eq(path, STR("/stats")) || str_eq(path, STR("/stats/history"))) {
        return STR("Allow: GET\r\n");
    }
    return STR("Allow: POST\r\n");
}

bool mock_controls(struct str path)
{
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (str_eq(path, routes[i].path)) {
            return true;
        }
    }
    return false;
}

bool mock_control(struct mock *m, struct http_exchange *x, const struct http_request *r)
{
    bool ours = false;

    if (r->path.len < 2 || (r->path.p[1] != 's' && r->path.p[1] != 'f')) {
        return false;
    }
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (!str_eq(r->path, routes[i].path)) {
            continue;
        }
        ours = true;
        if (!x->loopback) {
            reply_error(m, x, 403, "control endpoints answer on loopback only");
            return true;
        }
        if (str_eq(r->head->method, routes[i].method)) {
            routes[i].fn(m, x, r);
            return true;
        }
    }
    if (ours) {
        http_reply(x, &(struct http_answer){
                          .status = 405,
                          .headers = allowed_methods(r->path),
                      });
    }
    return ours;
}
