/* SPDX-License-Identifier: MIT */
/*
 * Every metric over known data: the peer's script says what happens, and when, on a virtual clock;
 * each row of the registry has a value here that was worked out from the peer's side. A metric
 * without one fails.
 */
#include "integration/world.h"
#include "plan/nonce.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

enum { METRICS_MAX = 200, SAMPLES_MAX = 8192, LOAD_S = 20 };

static bool covered[METRICS_MAX];

/* Quantiles are told to 1/128 (measurement.md §7.1); everything else is exact. */
static void expect(const struct metric_view *v, const char *name, double want)
{
    const struct metric *m = metric_find(str_c(name));
    double got = -1;

    assert_non_null(m);
    if (!metric_value(m, v, &got)) {
        fail_msg("%s has no value, wanted %g", name, want);
    }
    if (!(fabs(got - want) <= fabs(want) / 127 + 1e-9)) {
        fail_msg("%s is %g, not %g", name, got, want);
    }
    for (size_t i = 0; i < metric_count(); i++) {
        covered[i] = covered[i] || metric_at(i) == m;
    }
}

static void expect_none(const struct metric_view *v, const char *name)
{
    double got = -1;

    assert_non_null(metric_find(str_c(name)));
    if (metric_value(metric_find(str_c(name)), v, &got)) {
        fail_msg("%s is %g, wanted no value", name, got);
    }
}

/* ---- known samples ----------------------------------------------------------------------------
 */

struct samples {
    double ms[SAMPLES_MAX];
    size_t count;
};

static void add_samples(struct samples *s, double ms, uint64_t times)
{
    while (times-- > 0) {
        assert_true(s->count < SAMPLES_MAX);
        s->ms[s->count++] = ms;
    }
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* All eight rows; `above` further operations rank above every sample. */
static void
expect_dist(const struct metric_view *v, const char *prefix, struct samples *s, uint64_t above)
{
    static const struct {
        const char *name;
        double p;
    } quantiles[] = {{"p50", 0.5},  {"p75", 0.75}, {"p90", 0.9},
                     {"p95", 0.95}, {"p99", 0.99}, {"p999", 0.999}};
    char name[64];
    double sum = 0;

    assert_true(s->count > 0);
    qsort(s->ms, s->count, sizeof s->ms[0], by_value);
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++) {
        size_t rank = (size_t)ceil(quantiles[i].p * (double)(s->count + above) - 1e-9);
        snprintf(name, sizeof name, "%s_%s_ms", prefix, quantiles[i].name);
        if (rank > s->count) {
            expect_none(v, name);
        } else {
            expect(v, name, s->ms[rank - 1]);
        }
    }
    for (size_t i = 0; i < s->count; i++) {
        sum += s->ms[i];
    }
    snprintf(name, sizeof name, "%s_max_ms", prefix);
    expect(v, name, s->ms[s->count - 1]);
    snprintf(name, sizeof name, "%s_mean_ms", prefix);
    expect(v, name, sum / (double)s->count);
}

static struct metric_view whole_run(const struct world *w)
{
    struct aggregate_filter filter = aggregate_load();
    struct metric_view view = {0};

    aggregate_view_total(w->run->books, &filter, &view);
    return view;
}

typedef bool script_fn(void *owner, const struct peer_request *r);

/* The run's first ten seconds. */
static void begin(struct world *w, const char *text, script_fn *script, void *owner)
{
    set_up_with(w, text);
    w->target.request_ns = NS_PER_S;
    w->target.stall_ns = NS_PER_S / 2;
    w->peer.on_request = script;
    w->peer.owner = owner;
    run_for(w, 10 * NS_PER_S);
}

static void go_on_to_the_end(struct world *w)
{
    run_for(w, 60 * NS_PER_S);
    assert_int_equal(w->ends, 1);
}

/* ---- a closed load whose calls end in every way -----------------------------------------------
 */

enum way {
    WAY_OK,
    WAY_TOOL_ERROR,
    WAY_503,
    WAY_429,
    WAY_NONSENSE,
    WAY_SILENT,
    WAY_STREAM,
    WAY_STALL,
    WAY_CUT_OFF,
    WAY_WRONG,   /* refused by a check */
    WAY_ANOTHER, /* brings the mark of the call before */
    WAY_OK_TOO,
    WAYS
};

struct script {
    uint64_t calls, times[WAYS];
    struct call {
        enum way way;
        uint64_t at_ns, bytes_out;
    } all[SAMPLES_MAX];
    char mark[NONCE_LEN + 1];
};

static void say_stream(const struct peer_request *r, enum way way, const char *mark)
{
    static const char note[] =
        "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{}}\n\n";

    peer_sse_begin(r->conn, 10 * MS, NULL);
    if (way == WAY_CUT_OFF) {
        peer_close(r->conn, 30 * MS);
        return;
    }
    peer_sse(r->conn, 20 * MS, note);
    if (way == WAY_STREAM) {
        peer_sse(r->conn, 45 * MS, note);
        peer_sse(r->conn, 80 * MS,
                 "data: {\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"content\":[{\"type\":"
                 "\"text\",\"text\":\"right %s\"}]}}\n\n",
                 (long long)r->id, mark);
        peer_sse_end(r->conn, 80 * MS);
    }
}

static void say_text(const struct peer_request *r, const char *text, const char *mark)
{
    char result[160];

    snprintf(result, sizeof result, "{\"content\":[{\"type\":\"text\",\"text\":\"%s %s\"}]}", text,
             mark);
    say_result(r, 10 * MS, result);
}

static void read_mark(const struct peer_request *r, char mark[NONCE_LEN + 1])
{
    const char *at = memmem(r->body.p, r->body.len, "mcpd-", 5);

    assert_non_null(at);
    memcpy(mark, at, NONCE_LEN);
    mark[NONCE_LEN] = '\0';
}

static bool every_way(void *owner, const struct peer_request *r)
{
    struct script *s = owner;

    if (strcmp(r->method, "tools/call") != 0) {
        return false;
    }
    enum way way = (enum way)(s->calls++ % WAYS);
    s->times[way]++;
    assert_true(s->calls <= SAMPLES_MAX);
    s->all[s->calls - 1] = (struct call){way, r->at_ns, r->head.len + 2 + r->body.len};
    char mark[NONCE_LEN + 1], before[NONCE_LEN + 1];
    read_mark(r, mark);
    memcpy(before, s->mark, sizeof before);
    memcpy(s->mark, mark, sizeof mark);
    switch (way) {
    case WAY_OK:
    case WAY_OK_TOO:
        say_text(r, "right", mark);
        break;
    case WAY_WRONG:
        say_text(r, "wrong", mark);
        break;
    case WAY_ANOTHER:
        say_text(r, "right", before);
        break;
    case WAY_TOOL_ERROR:
        say_result(r, 10 * MS, "{\"content\":[],\"isError\":true}");
        break;
    case WAY_503:
        peer_respond(r->conn, 5 * MS, 503, NULL, NULL, "");
        break;
    case WAY_429:
        peer_respond(r->conn, 5 * MS, 429, NULL, NULL, "");
        break;
    case WAY_NONSENSE:
        peer_respond(r->conn, 5 * MS, 200, "application/json", NULL, "no JSON");
        break;
    case WAY_STREAM:
    case WAY_STALL:
    case WAY_CUT_OFF:
        say_stream(r, way, mark);
        break;
    case WAY_SILENT:
    case WAYS:
        break;
    }
    return true;
}

static double sum_of(const struct script *s, unsigned ways)
{
    double sum = 0;

    for (unsigned i = 0; i < WAYS; i++) {
        sum += ways >> i & 1 ? (double)s->times[i] : 0;
    }
    return sum;
}

#define W(way) (1u << WAY_##way)

static void expect_ways(const struct metric_view *v, const struct script *s)
{
    const uint64_t *times = s->times;
    double all = sum_of(s, (1u << WAYS) - 1), ok = sum_of(s, W(OK) | W(OK_TOO) | W(STREAM));
    double streams = sum_of(s, W(STREAM) | W(STALL) | W(CUT_OFF));
    double events = 3 * (double)times[WAY_STREAM] + (double)times[WAY_STALL];
    static struct samples service, first, gaps;

    assert_true(all > 400);
    expect(v, "operations_started", all);
    expect(v, "operations_total", all);
    expect(v, "operations_failed", all - ok);
    expect(v, "operations_unfinished", 0);
    expect(v, "error_rate", (all - ok) / all);
    expect(v, "tool_error_rate", sum_of(s, W(TOOL_ERROR)) / all);
    expect(v, "http_5xx_rate", sum_of(s, W(503)) / all);
    expect(v, "rate_limited_rate", sum_of(s, W(429)) / all);
    expect(v, "timeout_rate", sum_of(s, W(SILENT)) / all);
    expect(v, "protocol_error_rate", sum_of(s, W(NONSENSE)) / all);
    expect(v, "check_failure_rate", sum_of(s, W(WRONG)) / all);
    expect(v, "integrity_mismatches", sum_of(s, W(ANOTHER)));
    expect(v, "stream_stall_count", sum_of(s, W(STALL)));
    expect(v, "stream_error_rate", sum_of(s, W(STALL) | W(CUT_OFF)) / streams);
    expect(v, "stream_completion_rate", sum_of(s, W(STREAM)) / streams);
    expect(v, "events_received_total", events);
    add_samples(&service, 10, times[WAY_OK] + times[WAY_OK_TOO]);
    add_samples(&service, 80, times[WAY_STREAM]);
    add_samples(&service, 520, times[WAY_STALL]);
    add_samples(&service, 1000, times[WAY_SILENT]);
    expect_dist(v, "service", &service, 0);
    expect_dist(v, "latency", &service, 0);
    add_samples(&first, 20, times[WAY_STREAM] + times[WAY_STALL]);
    expect_dist(v, "time_to_first_event", &first, 0);
    add_samples(&gaps, 10, times[WAY_STREAM] + times[WAY_STALL]); /* from the head */
    add_samples(&gaps, 25, times[WAY_STREAM]);
    add_samples(&gaps, 35, times[WAY_STREAM]);
    expect_dist(v, "event_gap", &gaps, 0);
}

static double events_of(const struct call *c, uint64_t end_ns)
{
    double events = c->way == WAY_STREAM || c->way == WAY_STALL ? c->at_ns + 20 * MS < end_ns : 0;

    if (c->way == WAY_STREAM) {
        events += (c->at_ns + 45 * MS < end_ns) + (c->at_ns + 80 * MS < end_ns);
    }
    return events;
}

/* Rates are of what happened before the stage's end. `bytes_in`: that were said by then, which the
 * four calls that end behind it have a share of. */
static void expect_rates(const struct metric_view *v,
                         const struct script *s,
                         uint64_t end_ns,
                         uint64_t bytes_in)
{
    static const unsigned last_ms[WAYS] = {10, 10, 5, 5, 5, 1000, 80, 520, 30, 10, 10, 10};
    double ended = 0, stalled = 0, events = 0, bytes_out = 0;

    for (uint64_t i = 0; i < s->calls; i++) {
        const struct call *c = &s->all[i];
        bool in_time = c->at_ns + last_ms[c->way] * MS < end_ns;

        ended += in_time ? 1 : 0;
        stalled += in_time && c->way == WAY_STALL ? 1 : 0;
        bytes_out += in_time ? (double)c->bytes_out : 0;
        events += events_of(c, end_ns);
    }
    assert_true(ended < (double)s->calls);
    expect(v, "ops_per_second", ended / LOAD_S);
    expect(v, "stream_stalls_per_sec", stalled / LOAD_S);
    expect(v, "events_per_second", events / LOAD_S);
    expect(v, "bytes_sent_per_second", bytes_out / LOAD_S);
    expect(v, "bytes_received_per_second", (double)bytes_in / LOAD_S);
}

/* Each of the four users waited for its session, with the first call, of WAY_OK to WAY_503. */
static void expect_waits(const struct metric_view *v, const struct script *s)
{
    static struct samples lag, queue, setup, response;
    double all = sum_of(s, (1u << WAYS) - 1);

    add_samples(&setup, 20, 1); /* the other three failed */
    expect_dist(v, "setup", &setup, 0);
    add_samples(&queue, 0,
                s->times[WAY_OK] + s->times[WAY_OK_TOO] + s->times[WAY_STREAM] +
                    s->times[WAY_STALL] + s->times[WAY_SILENT]);
    expect_dist(v, "queue", &queue, 0);
    add_samples(&lag, 0, queue.count - 1);
    add_samples(&lag, 20, 1);
    expect_dist(v, "lag", &lag, 0);
    add_samples(&response, 30, 1);
    add_samples(&response, 10, s->times[WAY_OK] - 1 + s->times[WAY_OK_TOO]);
    add_samples(&response, 80, s->times[WAY_STREAM]);
    add_samples(&response, 520, s->times[WAY_STALL]);
    add_samples(&response, 1000, s->times[WAY_SILENT]);
    expect_dist(v, "response", &response, 0);
    expect(v, "session_reuse_rate", (all - 4) / all);
}

static void a_closed_load(void **state)
{
    static const char text[] =
        "{'target': {'url': 'http://localhost/mcp'},"
        " 'workload': {'integrity': true, 'in_flight_per_vu': 1,"
        "   'operation_mix': [{'operation': 'tools_call'}],"
        "   'tools': {'templates': [{'tool_name': 'echo', 'arguments': {'message': '${nonce}'},"
        "     'checks': [{'id': 'right', 'pointer': '/content/0/text', 'matches': '^right'}]}]}},"
        " 'stages': [{'stage': 'baseline', 'duration_ms': 20000, 'load': {'target_vus': 4,"
        "   'start_spread_ms': 0}}]}";
    static struct script s;
    struct world w;

    (void)state;
    begin(&w, text, every_way, &s);
    uint64_t end_ns = w.run->stages[0].start_ns + LOAD_S * NS_PER_S;
    run_for(&w, end_ns - now_ns);
    uint64_t bytes_in = w.peer.scripted_bytes;
    go_on_to_the_end(&w);
    struct metric_view v = whole_run(&w);
    expect_ways(&v, &s);
    expect_waits(&v, &s);
    expect_rates(&v, &s, end_ns, bytes_in);
    expect_none(&v, "rate_ratio");
    metric_view_clear(&v);
    tear_down(&w);
}

/* ---- an open load beyond what two users can do ------------------------------------------------
 */

struct arrivals_seen {
    uint64_t sent_ns[SAMPLES_MAX], count;
};

static bool as_stream(void *owner, const struct peer_request *r)
{
    struct arrivals_seen *seen = owner;

    if (strcmp(r->method, "tools/call") != 0) {
        return false;
    }
    assert_true(seen->count < SAMPLES_MAX);
    seen->sent_ns[seen->count++] = r->at_ns;
    peer_sse_begin(r->conn, 0, NULL);
    peer_sse(r->conn, 250 * MS, "data: {\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{}}\n\n",
             (long long)r->id);
    peer_sse_end(r->conn, 250 * MS);
    return true;
}

/* At the end of the given second, which is in the middle of the load. */
static void expect_gauges(const struct world *w, const struct arrivals_seen *seen, uint64_t second)
{
    struct aggregate_filter filter = aggregate_load();
    struct metric_view v = {0};
    uint64_t end_ns = w->run->grid_ns + (second + 1) * NS_PER_S;
    unsigned open = 0;

    for (uint64_t i = 0; i < seen->count; i++) {
        open += seen->sent_ns[i] < end_ns && seen->sent_ns[i] + 250 * MS > end_ns ? 1 : 0;
    }
    assert_int_equal(open, 2);
    assert_true(aggregate_view_seconds(w->run->books, &filter, second, 1, &v));
    expect(&v, "active_vus", 2);
    expect(&v, "active_sessions", 2);
    expect(&v, "active_streams", open);
    expect(&v, "in_flight", open);
    expect(&v, "open_connections", 2);
    expect(&v, "stream_stall_seconds", 0.25); /* some ended in the second */
    metric_view_clear(&v);
}

/* 10/s are due, two users at 250 ms can do 8: the rest waits, and is dropped at the end. */
static void an_open_load(void **state)
{
    static const char text[] =
        "{'target': {'url': 'http://localhost/mcp'},"
        " 'workload': {'operation_mix': [{'operation': 'tools_call', 'tool_name': 'echo'}],"
        "   'in_flight_per_vu': 1},"
        " 'stages': [{'stage': 'baseline', 'duration_ms': 20000, 'load': {'target_vus': 2,"
        "   'target_rps': 10, 'start_spread_ms': 0}}]}";
    static struct samples service, response, queue;
    static struct arrivals_seen seen;
    struct world w;

    (void)state;
    begin(&w, text, as_stream, &seen);
    go_on_to_the_end(&w);
    uint64_t due = 10 * LOAD_S, started = seen.count;
    assert_true(started > 150 && started < due);
    struct metric_view v = whole_run(&w);
    expect(&v, "due_operations", (double)due);
    expect(&v, "operations_started", (double)started);
    expect(&v, "dropped_operations", (double)(due - started));
    expect(&v, "rate_ratio", (double)started / (double)due);
    add_samples(&service, 250, started);
    expect_dist(&v, "service", &service, 0);
    for (uint64_t i = 0; i < started; i++) {
        uint64_t due_ns = w.run->stages[0].start_ns + i * (NS_PER_S / 10);
        double lag_ms = (double)(seen.sent_ns[i] - due_ns) / (double)MS;
        add_samples(&response, lag_ms + 250, 1);
        add_samples(&queue, i < 2 ? 0 : lag_ms, 1); /* the first two waited for sessions */
    }
    expect_dist(&v, "queue", &queue, 0);
    expect_dist(&v, "response", &response, due - started);
    expect_dist(&v, "latency", &response, due - started);
    metric_view_clear(&v);
    expect_gauges(&w, &seen, 9);
    tear_down(&w);
}

/* ---- sessions and connections -----------------------------------------------------------------
 */

struct lives {
    uint64_t initialized, refused, calls, lost;
};

/* Each seventh session is refused, each fiftieth call finds that its session is gone. */
static bool short_lives(void *owner, const struct peer_request *r)
{
    struct lives *l = owner;

    if (strcmp(r->method, "initialize") == 0 && ++l->initialized % 7 == 0) {
        l->refused++;
        peer_respond(r->conn, 10 * MS, 500, NULL, NULL, "");
        return true;
    }
    if (strcmp(r->method, "tools/call") == 0 && ++l->calls % 50 == 0) {
        l->lost++;
        peer_respond(r->conn, 10 * MS, 404, NULL, NULL, "");
        return true;
    }
    return false;
}

static void sessions_come_and_go(void **state)
{
    static const char text[] =
        "{'target': {'url': 'http://localhost/mcp'},"
        " 'workload': {'operation_mix': [{'operation': 'tools_call', 'tool_name': 'echo'}],"
        "   'think_time': {'mode': 'fixed', 'base_ms': 50}},"
        " 'session_policy': {'mode': 'reuse', 'ttl_ms': 1000},"
        " 'stages': [{'stage': 'baseline', 'duration_ms': 20000, 'load': {'target_vus': 4,"
        "   'start_spread_ms': 0}}]}";
    static struct samples creation, connect;
    struct world w;
    struct lives l = {0};

    (void)state;
    begin(&w, text, short_lives, &l);
    w.peer.refuse = ECONNREFUSED;
    run_for(&w, 2 * NS_PER_S);
    w.peer.refuse = 0;
    go_on_to_the_end(&w);
    struct metric_view v = whole_run(&w);
    uint64_t created = l.initialized - l.refused - 1; /* the checks had one */
    expect(&v, "sessions_created", (double)created);
    expect(&v, "session_creation_failures", (double)(l.refused + w.peer.refused));
    expect(&v, "sessions_lost", (double)l.lost);
    /* Four were still there in the end. */
    expect(&v, "sessions_expired", (double)(created - l.lost - 4));
    add_samples(&creation, 20, created);
    expect_dist(&v, "session_creation", &creation, 0);
    expect(&v, "connection_error_rate",
           (double)w.peer.refused / (double)(w.peer.refused + w.peer.connections - 1));
    add_samples(&connect, 0, w.peer.connections - 1);
    expect_dist(&v, "connection_setup", &connect, 0);
    metric_view_clear(&v);
    tear_down(&w);
}

static void nothing_was_left_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < metric_count(); i++) {
        if (!covered[i]) {
            fail_msg("%s has no value over known data", metric_at(i)->name);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_closed_load),
        cmocka_unit_test(an_open_load),
        cmocka_unit_test(sessions_come_and_go),
        cmocka_unit_test(nothing_was_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
