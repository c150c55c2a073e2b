/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "unit/mcp/world.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define OURS  "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{}}"
#define OTHER "{\"jsonrpc\":\"2.0\",\"id\":99,\"result\":{}}"
#define NOTE  "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{}}"
#define ASK   "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"sampling/createMessage\",\"params\":{}}"

/* The first call of a session carries the id 2: initialize had 1. */

/* ---- one response, judged ---------------------------------------------------------------------
 */

static struct response {
    int status;
    const char *type, *more, *body;
    enum error_code code;
    int number;
    const char *message; /* NULL: not looked at */
    bool is_stream;
} const responses[] = {
    {200, "application/json", NULL, OURS, ERROR_CODE_NONE, 0, "", false},
    {200, "Application/JSON; charset=utf-8", NULL, OURS, ERROR_CODE_NONE, 0, "", false},
    {200, "application/json", NULL, OTHER, ERROR_CODE_ID_MISMATCH, 0, NULL, false},
    {200, "application/json", NULL, ASK, ERROR_CODE_INVALID_JSONRPC, 0, NULL, false},
    {200, "application/json", NULL, "", ERROR_CODE_INVALID_JSONRPC, 0, "the answer is empty",
     false},
    {200, "application/json", NULL, "{\"jsonrpc\"", ERROR_CODE_JSON_PARSE_ERROR, 0, NULL, false},
    {200, "application/json", NULL, "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"isError\":true}}",
     ERROR_CODE_TOOL_ERROR, 0, NULL, false},
    {200, "application/json", NULL,
     "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32603,\"message\":\"boom\"}}",
     ERROR_CODE_JSONRPC_INTERNAL_ERROR, -32603, "boom", false},
    {200, "text/html", NULL, "<html>", ERROR_CODE_UNEXPECTED_CONTENT_TYPE, 0,
     "expected application/json or text/event-stream, got text/html", false},
    {200, NULL, NULL, OURS, ERROR_CODE_UNEXPECTED_CONTENT_TYPE, 0,
     "expected application/json or text/event-stream, got no content type", false},
    {202, NULL, NULL, "", ERROR_CODE_UNEXPECTED_CONTENT_TYPE, 0, NULL, false},
    {400, "application/json", NULL,
     "{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32602,\"message\":\"bad params\"}}",
     ERROR_CODE_HTTP_STATUS, 400, "bad params", false},
    {400, "text/plain", NULL, "Bad Request: no valid session", ERROR_CODE_SESSION_LOST, 400, NULL,
     false},
    {404, "text/plain", NULL, "gone", ERROR_CODE_SESSION_LOST, 404, NULL, false},
    {500, "text/plain", NULL, "out of order", ERROR_CODE_HTTP_5XX, 500, "out of order", false},
    {503, NULL, NULL, "", ERROR_CODE_HTTP_5XX, 503, "", false},
    {429, NULL, "Retry-After: 1\r\n", "", ERROR_CODE_HTTP_429, 429, "", false},
    {302, NULL, "Location: /x\r\n", "", ERROR_CODE_HTTP_STATUS, 302, NULL, false},
    {200, "text/event-stream", NULL, "data: " OURS "\n\n", ERROR_CODE_NONE, 0, "", true},
    {200, "text/event-stream; charset=utf-8", NULL,
     "id: 1\ndata:\n\nevent: message\r\ndata: " NOTE "\r\n\r\ndata: " OURS "\n\n", ERROR_CODE_NONE,
     0, "", true},
    {200, "text/event-stream", NULL, "data: " ASK "\n\n", ERROR_CODE_SSE_DISCONNECT, 0, NULL, true},
    {200, "text/event-stream", NULL, "data: " ASK "\n\ndata: " OURS "\n\n", ERROR_CODE_NONE, 0,
     NULL, true},
    {200, "text/event-stream", NULL, "data: " OTHER "\n\n", ERROR_CODE_ID_MISMATCH, 0, NULL, true},
    {200, "text/event-stream", NULL, "event: endpoint\ndata: " OURS "\n\n",
     ERROR_CODE_SSE_DISCONNECT, 0, NULL, true},
    {200, "text/event-stream", NULL, "", ERROR_CODE_SSE_DISCONNECT, 0, NULL, true},
    {200, "text/event-stream", NULL, "data: " OURS, ERROR_CODE_SSE_DISCONNECT, 0, NULL, true},
    {200, "text/event-stream", NULL, "data: hello\n\n", ERROR_CODE_JSON_PARSE_ERROR, 0, NULL, true},
    {200, "text/event-stream", NULL,
     "data: {\"jsonrpc\":\"2.0\",\ndata: \"id\":2,\ndata: \"result\":{}}\n\n", ERROR_CODE_NONE, 0,
     "", true},
};

static const struct response *wanted;

static bool give_response(void *owner, const struct peer_request *r)
{
    (void)owner;
    if (!r->has_id) {
        return false;
    }
    assert_int_equal(r->id, 2);
    assert_string_equal(r->method, "tools/call");
    peer_respond(r->conn, 5 * MS, wanted->status, wanted->type, wanted->more, wanted->body);
    return true;
}

static void each_response_is_judged(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof responses / sizeof responses[0]; i++) {
        struct world w;

        wanted = &responses[i];
        world_ready(&w, give_response);
        start_call(&w);
        run_for(&w, NS_PER_S);
        assert_int_equal(w.seen.dones, 1);
        assert_int_equal(w.seen.answer.code, wanted->code);
        assert_int_equal(w.seen.answer.number, wanted->number);
        assert_int_equal(w.seen.answer.session_lost, wanted->code == ERROR_CODE_SESSION_LOST);
        assert_int_equal(w.seen.had_msg, wanted->code == ERROR_CODE_NONE ||
                                             wanted->code == ERROR_CODE_TOOL_ERROR ||
                                             wanted->code == ERROR_CODE_JSONRPC_INTERNAL_ERROR);
        if (wanted->message != NULL) {
            assert_string_equal(w.seen.message, wanted->message);
        }
        assert_int_equal(w.call.is_stream, wanted->is_stream);
        assert_int_equal(w.seen.streams, wanted->is_stream);
        assert_int_equal(w.call.http_status, wanted->status);
        world_clear(&w);
    }
}

/* ---- times ------------------------------------------------------------------------------------
 */

static bool stream_events(void *owner, const struct peer_request *r)
{
    (void)owner;
    if (!r->has_id) {
        return false;
    }
    peer_sse_begin(r->conn, 10 * MS, NULL);
    peer_sse(r->conn, 12 * MS, "id: a\ndata:\n\n"); /* priming: no event */
    peer_sse(r->conn, 15 * MS, "data: %s\n\n", NOTE);
    peer_sse(r->conn, 16 * MS, ": a comment\n\n");
    peer_sse(r->conn, 40 * MS, "data: %s\n", NOTE); /* not complete yet … */
    peer_sse(r->conn, 55 * MS, "\n");               /* … but now */
    peer_sse(r->conn, 60 * MS, "data: {\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{}}\n\n",
             (long long)r->id);
    peer_sse_end(r->conn, 90 * MS);
    return true;
}

static void times_of_a_stream_are_exact(void **state)
{
    struct world w;

    (void)state;
    world_ready(&w, stream_events);
    uint64_t start = now_ns;
    start_call(&w);
    run_for(&w, NS_PER_S);
    assert_int_equal(w.seen.answer.code, ERROR_CODE_NONE);
    assert_int_equal(w.call.t_send, start);
    assert_int_equal(w.call.t_dial, 0); /* an idle connection was there */
    assert_int_equal(w.call.t_headers, start + 10 * MS);
    assert_int_equal(w.call.t_first_event, start + 15 * MS);
    assert_int_equal(w.call.t_last_event, start + 60 * MS);
    assert_int_equal(w.seen.answer.end_ns, start + 60 * MS);
    assert_int_equal(w.call.event_count, 3);
    assert_int_equal(w.seen.events, 3);
    assert_int_equal(w.seen.gaps[0], 5 * MS);
    assert_int_equal(w.seen.gaps[1], 40 * MS);
    assert_int_equal(w.seen.gaps[2], 5 * MS);
    assert_int_equal(w.peer.connections, 1);
    /* The connection was kept: the next call needs none of its own. */
    start_call(&w);
    run_for(&w, NS_PER_S);
    assert_int_equal(w.peer.connections, 1);
    world_clear(&w);
}

static void a_call_counts_its_bytes(void **state)
{
    struct world w;

    (void)state;
    wanted = &responses[0];
    world_ready(&w, give_response);
    uint64_t start = now_ns;
    start_call(&w);
    run_for(&w, NS_PER_S);
    assert_int_equal(w.call.t_headers, start + 5 * MS);
    assert_int_equal(w.call.bytes_in, strlen("HTTP/1.1 200 X\r\nContent-Type: application/json\r\n"
                                             "Content-Length: 36\r\n\r\n" OURS));
    assert_true(w.call.bytes_out > strlen(HEAD));
    world_clear(&w);
}

/* ---- the stream's end --------------------------------------------------------------------------
 */

static bool answer_and_stay(void *owner, const struct peer_request *r)
{
    (void)owner;
    if (!r->has_id) {
        return false;
    }
    peer_sse_begin(r->conn, 0, NULL);
    peer_sse(r->conn, 0, "data: {\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{}}\n\n",
             (long long)r->id);
    peer_sse(r->conn, 0, "data: %s\n\n", NOTE); /* what follows the response is not for us */
    return true;
}

static void a_stream_that_does_not_end_is_left_after_a_grace(void **state)
{
    struct world w;

    (void)state;
    world_ready(&w, answer_and_stay);
    uint64_t start = now_ns;
    start_call(&w);
    run_for(&w, MCP_STREAM_END_GRACE_NS - MS);
    assert_int_equal(w.seen.dones, 0);
    run_for(&w, 2 * MS);
    assert_int_equal(w.seen.dones, 1);
    assert_int_equal(w.seen.answer.code, ERROR_CODE_NONE);
    assert_int_equal(w.seen.answer.end_ns, start); /* the response, not the grace */
    assert_true(w.seen.had_msg);
    assert_int_equal(w.call.event_count, 1);
    assert_int_equal(w.client.http.open_conns, 0);
    start_call(&w); /* a connection of its own now */
    run_for(&w, NS_PER_S);
    assert_int_equal(w.peer.connections, 2);
    world_clear(&w);
}

static bool cut_in_mid_stream(void *owner, const struct peer_request *r)
{
    struct world *w = owner;

    if (!r->has_id) {
        return false;
    }
    peer_sse_begin(r->conn, 0, NULL);
    peer_sse(r->conn, 1 * MS, "data: %s\n\n", NOTE);
    if (w->tail[0] == ' ') {
        peer_reset(r->conn, 2 * MS);
    } else {
        peer_close(r->conn, 2 * MS);
    }
    return true;
}

static void a_stream_cut_in_the_middle(void **state)
{
    static const enum error_code codes[] = {ERROR_CODE_SSE_DISCONNECT, ERROR_CODE_CONNECTION_RESET};

    (void)state;
    for (int reset = 0; reset < 2; reset++) {
        struct world w;

        world_ready(&w, cut_in_mid_stream);
        w.tail = reset ? " ,\"method\":\"ping\"}" : ",\"method\":\"ping\"}";
        uint64_t start = now_ns;
        start_call(&w);
        run_for(&w, NS_PER_S);
        assert_int_equal(w.seen.answer.code, codes[reset]);
        assert_int_equal(w.seen.answer.end_ns, start + 2 * MS);
        assert_false(w.seen.answer.cut);
        world_clear(&w);
    }
}

/* ---- stalls -----------------------------------------------------------------------------------
 */

static const char *rhythm; /* what the stream says every second second: an event, or a comment */

static bool stream_rhythm(void *owner, const struct peer_request *r)
{
    (void)owner;
    if (!r->has_id) {
        return false;
    }
    peer_sse_begin(r->conn, 0, NULL);
    for (uint64_t i = 1; i <= 4; i++) {
        peer_sse(r->conn, i * 2 * NS_PER_S, "%s", rhythm);
    }
    return true;
}

static uint64_t longest_silence(const struct world *w)
{
    uint64_t longest = 0;

    for (unsigned i = 0; i < w->seen.silences; i++) {
        longest = w->seen.silent_ns[i] > longest ? w->seen.silent_ns[i] : longest;
    }
    return longest;
}

/* An event after 300 ms, a comment after 800 ms, a read with two events after 1.5 s, and the stream
 * is cut short after 2.1 s. */
static bool stream_falters(void *owner, const struct peer_request *r)
{
    (void)owner;
    if (!r->has_id) {
        return false;
    }
    peer_sse_begin(r->conn, 0, NULL);
    peer_sse(r->conn, 300 * MS, "data: " NOTE "\n\n");
    peer_sse(r->conn, 800 * MS, ": ping\n\n");
    peer_sse(r->conn, 1500 * MS, "data: " NOTE "\n\ndata: " NOTE "\n\n");
    peer_close(r->conn, 2100 * MS);
    return true;
}

/* Each silence is told when it ends, by whatever, and measured to that moment. */
static void silences_are_told_when_they_end(void **state)
{
    static const struct {
        enum mcp_stall_rule rule;
        uint64_t cut_after_ns; /* 0: not */
        unsigned count;
        uint64_t ms[4];
    } cases[] = {
        {MCP_STALL_EVENT, 0, 3, {300, 1200, 600}},
        {MCP_STALL_ANY, 0, 4, {300, 500, 700, 600}},
        {MCP_STALL_EVENT, 1000 * MS, 2, {300, 700}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w;

        world_ready(&w, stream_falters);
        w.target.stall_rule = cases[i].rule;
        uint64_t began = now_ns, at = 0;
        start_call(&w);
        run_for(&w, cases[i].cut_after_ns != 0 ? cases[i].cut_after_ns : 3 * NS_PER_S);
        if (cases[i].cut_after_ns != 0) {
            mcp_call_cancel(&w.call);
        }
        assert_int_equal(w.seen.silences, cases[i].count);
        for (unsigned n = 0; n < cases[i].count; n++) {
            at += cases[i].ms[n];
            assert_int_equal(w.seen.silent_ns[n], cases[i].ms[n] * MS);
            assert_int_equal(w.seen.silent_until_ns[n], began + at * MS);
        }
        world_clear(&w);
    }
}

/* Silence of 10 s ends a stream; what counts as silence depends on the rule. */
static void a_stall_ends_the_stream_at_the_limit(void **state)
{
    static const struct {
        enum mcp_stall_rule rule;
        bool expects;
        const char *rhythm;
        uint64_t last_s; /* when silence began */
    } cases[] = {
        {MCP_STALL_AUTO, true, "data: " NOTE "\n\n", 8},
        {MCP_STALL_AUTO, true, ": ping\n\n", 0},
        {MCP_STALL_AUTO, false, ": ping\n\n", 8},
        {MCP_STALL_EVENT, false, ": ping\n\n", 0},
        {MCP_STALL_EVENT, false, "data: " NOTE "\n\n", 8},
        {MCP_STALL_ANY, true, ": ping\n\n", 8},
        {MCP_STALL_ANY, true, "id: 1\ndata:\n\n", 8},
        {MCP_STALL_EVENT, true, "id: 1\ndata:\n\n", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w;

        world_ready(&w, stream_rhythm);
        w.target.stall_rule = cases[i].rule;
        w.call.expects_stream = cases[i].expects;
        rhythm = cases[i].rhythm;
        uint64_t limit = now_ns + (cases[i].last_s + 10) * NS_PER_S;
        start_call(&w);
        run_for(&w, limit - now_ns - 1);
        assert_int_equal(w.seen.dones, 0);
        assert_true(mcp_call_streaming(&w.call));
        assert_int_equal(mcp_call_silent_since(&w.call), limit - 10 * NS_PER_S);
        run_for(&w, TICK_NS + 1);
        assert_int_equal(w.seen.dones, 1);
        assert_int_equal(w.seen.answer.code, ERROR_CODE_STREAM_STALL_TIMEOUT);
        assert_int_equal(w.seen.answer.origin, ERROR_ORIGIN_STREAM_STALL);
        assert_true(w.seen.answer.cut);
        assert_in_range(w.call.silence_ns, 10 * NS_PER_S, 10 * NS_PER_S + TICK_NS);
        /* Whole to the nanosecond: a condition above the time-out never holds. */
        assert_int_equal(longest_silence(&w), 10 * NS_PER_S);
        assert_in_range(w.seen.answer.end_ns, limit, limit + TICK_NS);
        assert_int_equal(w.session.state, MCP_SESSION_READY); /* the session lives on */
        world_clear(&w);
    }
}

/* ---- time-outs --------------------------------------------------------------------------------
 */

static bool say_nothing(void *owner, const struct peer_request *r)
{
    (void)owner;
    return r->has_id;
}

static void a_request_without_answer_times_out(void **state)
{
    struct world w;

    (void)state;
    world_ready(&w, say_nothing);
    uint64_t limit = now_ns + w.target.request_ns;
    start_call(&w);
    run_for(&w, w.target.request_ns - 1);
    assert_int_equal(w.seen.dones, 0);
    run_for(&w, TICK_NS + 1);
    assert_int_equal(w.seen.dones, 1);
    assert_int_equal(w.seen.answer.code, ERROR_CODE_REQUEST_TIMEOUT);
    assert_true(w.seen.answer.cut);
    assert_in_range(w.seen.answer.end_ns, limit, limit + TICK_NS);
    assert_int_equal(w.client.http.open_conns, 0); /* a late answer reaches nobody */
    world_clear(&w);
}

static bool stream_for_ever(void *owner, const struct peer_request *r)
{
    (void)owner;
    peer_sse_begin(r->conn, 0, NULL);
    for (uint64_t i = 1; i < 20; i++) {
        peer_sse(r->conn, i * 2 * NS_PER_S, "data: %s\n\n", NOTE);
    }
    return true;
}

static void a_stream_that_goes_on_for_ever_times_out(void **state)
{
    struct world w;

    (void)state;
    world_ready(&w, stream_for_ever);
    start_call(&w);
    run_for(&w, w.target.request_ns + MS);
    assert_int_equal(w.seen.dones, 1);
    assert_int_equal(w.seen.answer.code, ERROR_CODE_REQUEST_TIMEOUT);
    assert_true(w.seen.answer.cut);
    assert_int_equal(w.call.event_count, 15);
    world_clear(&w);
}

/* A loopback port whose queue is full: connects hang there. */
static int full_listener(uint16_t *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 0), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static void a_connection_that_is_not_made_times_out(void **state)
{
    struct world w;
    uint16_t port;
    int listener = full_listener(&port), fillers[4];
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

    (void)state;
    to.sin_port = htons(port);
    for (int i = 0; i < 4; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(fillers[i], (struct sockaddr *)&to, sizeof to);
    }
    world_init(&w);
    w.client.dialer.opener = NULL;
    w.client.dialer.host = "127.0.0.1";
    w.client.dialer.port = port;
    mcp_session_open(&w.session, NULL);
    run_for(&w, w.target.connect_ns - 1);
    assert_int_equal(w.opens, 0);
    run_for(&w, TICK_NS + 1);
    assert_int_equal(w.opens, 1);
    assert_int_equal(w.open_failure.code, ERROR_CODE_CONNECT_TIMEOUT);
    assert_true(w.open_failure.cut);
    assert_true(w.open_failure.connect_failed);
    assert_int_equal(w.connect_failures, 1);
    assert_in_range(w.connect_ns, w.target.connect_ns, w.target.connect_ns + TICK_NS);
    world_clear(&w);
    for (int i = 0; i < 4; i++) {
        close(fillers[i]);
    }
    close(listener);
}

/* ---- hard_caps.max_connections ------------------------------------------------------------------
 */

static bool answer_slowly(void *owner, const struct peer_request *r)
{
    struct world *w = owner;

    w->peer.delay_ns = 100 * MS;
    (void)r;
    return false;
}

static void calls_wait_for_a_free_connection(void **state)
{
    enum { SESSIONS = 3 };
    struct world w[SESSIONS];

    (void)state;
    /* Three sessions of one client; the limit allows the connections of two. */
    world_init(&w[0]);
    w[0].target.max_connections = 2;
    w[0].peer.on_request = answer_slowly;
    w[0].peer.owner = &w[0];
    for (int i = 1; i < SESSIONS; i++) {
        w[i] = (struct world){.tail = w[0].tail};
        mcp_session_init(&w[i].session, &w[0].client, STR(HEAD), &world_session_events, &w[i]);
    }
    for (int i = 0; i < SESSIONS; i++) {
        mcp_session_open(&w[i].session, NULL);
    }
    run_for(&w[0], NS_PER_S);
    assert_int_equal(w[0].opens + w[1].opens + w[2].opens, 2);
    assert_int_equal(w[0].peer.connections, 2);
    mcp_session_drop(&w[0].session);
    run_for(&w[0], NS_PER_S);
    assert_int_equal(w[2].opens, 1);
    assert_true(w[2].open_ok);
    assert_int_equal(w[0].peer.peak_connections, 2);
    mcp_session_drop(&w[1].session);
    mcp_session_drop(&w[2].session);
    world_clear(&w[0]);
}

static void a_call_that_waits_may_be_cancelled(void **state)
{
    struct world w;
    struct mcp_call second;

    (void)state;
    world_ready(&w, answer_slowly);
    w.target.max_connections = 1;
    start_call(&w);
    mcp_call_init(&second, &world_call_events);
    mcp_call_start(&second, &w.session);
    assert_true(second.waited);
    mcp_call_cancel(&second);
    run_for(&w, NS_PER_S);
    assert_int_equal(w.seen.dones, 1);
    assert_false(mcp_call_running(&second));
    assert_int_equal(w.peer.connections, 1);
    world_clear(&w);
}

/* Calls that wait, each on a page of its own that may not be touched: who does is counted. */
enum { CROWD = 1000, PAGE = 64 * 1024 };

static char *crowd;
static volatile sig_atomic_t touched;

static void on_touch(int signo, siginfo_t *info, void *context)
{
    char *at = info->si_addr;

    (void)signo;
    (void)context;
    if (at < crowd || at >= crowd + CROWD * PAGE) {
        abort(); /* a fault of another kind */
    }
    touched++;
    mprotect(crowd + (at - crowd) / PAGE * PAGE, PAGE, PROT_READ | PROT_WRITE);
}

static struct mcp_call *in_crowd(int i)
{
    return (struct mcp_call *)(void *)(crowd + i * PAGE);
}

static struct str crowd_tail(struct mcp_call *call)
{
    (void)call;
    return STR(",\"method\":\"ping\"}");
}

static void crowd_done(struct mcp_call *call, const struct mcp_answer *answer)
{
    (void)call;
    (void)answer;
    fail();
}

static const struct mcp_call_events crowd_events = {.tail = crowd_tail, .on_done = crowd_done};

static void gather_crowd(struct mcp_session *session)
{
    _Static_assert(sizeof(struct mcp_call) <= PAGE, "one call a page");
    crowd = mmap(NULL, CROWD * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(crowd != MAP_FAILED);
    for (int i = 0; i < CROWD; i++) {
        mcp_call_init(in_crowd(i), &crowd_events);
        mcp_call_start(in_crowd(i), session);
        assert_true(in_crowd(i)->waited);
    }
}

/* How many of the crowd are looked at while `ns` go by. */
static int count_touched(struct world *w, uint64_t ns)
{
    struct sigaction act = {.sa_sigaction = on_touch, .sa_flags = SA_SIGINFO}, before;

    assert_int_equal(sigaction(SIGSEGV, &act, &before), 0);
    assert_int_equal(mprotect(crowd, CROWD * PAGE, PROT_NONE), 0);
    touched = 0;
    run_for(w, ns);
    int count = touched;
    assert_int_equal(mprotect(crowd, CROWD * PAGE, PROT_READ | PROT_WRITE), 0);
    assert_int_equal(sigaction(SIGSEGV, &before, NULL), 0);
    return count;
}

static void disperse_crowd(void)
{
    for (int i = 0; i < CROWD; i++) {
        mcp_call_cancel(in_crowd(i));
    }
    munmap(crowd, CROWD * PAGE);
}

/* However many wait for a connection, those who have one do not look at them. */
static void an_exchange_looks_at_no_crowd(void **state)
{
    struct world w;
    struct mcp_session others;

    (void)state;
    world_ready(&w, answer_slowly);
    w.target.max_connections = 1;
    mcp_session_init(&others, &w.client, STR(HEAD), &world_session_events, &w);
    gather_crowd(&others);
    w.restart = true;
    start_call(&w);
    assert_int_equal(count_touched(&w, NS_PER_S), 0);
    assert_int_equal(w.seen.dones, 2);

    /* A call of the same session that came last goes first. */
    start_call(&w);
    struct world *beside = xcalloc(1, sizeof *beside);
    *beside = (struct world){.tail = w.tail};
    mcp_call_init(&beside->call, &world_call_events);
    mcp_call_start(&beside->call, &w.session);
    assert_true(beside->call.waited);
    assert_in_range(count_touched(&w, NS_PER_S), 0, 2); /* its neighbours in the queue */
    assert_int_equal(w.seen.dones, 1);
    assert_int_equal(beside->seen.dones, 1);
    xfree(beside);

    /* A connection that becomes free is for the head of the queue. */
    mcp_session_drop(&w.session);
    assert_in_range(count_touched(&w, 50 * MS), 1, 4);
    assert_false(mcp_call_held(in_crowd(0)));
    assert_true(mcp_call_held(in_crowd(1)));
    disperse_crowd();
    mcp_session_drop(&others);
    world_clear(&w);
}

/* ---- cancel -----------------------------------------------------------------------------------
 */

static void a_call_may_be_cancelled_at_any_time(void **state)
{
    (void)state;
    for (uint64_t after = 0; after < 100; after++) {
        struct world w;

        world_ready(&w, stream_events);
        start_call(&w);
        run_for(&w, after * MS);
        unsigned before = w.seen.dones;
        assert_int_equal(before, after >= 90); /* done when the stream has ended */
        mcp_call_cancel(&w.call);
        mcp_call_cancel(&w.call);
        assert_false(mcp_call_running(&w.call));
        run_for(&w, NS_PER_S);
        assert_int_equal(w.seen.dones, before);
        /* It may be started again. */
        start_call(&w);
        run_for(&w, NS_PER_S);
        assert_int_equal(w.seen.dones, 1);
        assert_int_equal(w.seen.answer.code, ERROR_CODE_NONE);
        world_clear(&w);
    }
}

static void a_call_may_be_started_again_when_it_is_done(void **state)
{
    struct world w;

    (void)state;
    world_ready(&w, stream_events);
    w.restart = true;
    start_call(&w);
    run_for(&w, NS_PER_S);
    assert_int_equal(w.seen.dones, 2);
    assert_int_equal(w.peer.connections, 1);
    assert_int_equal(w.call.event_count, 3);
    world_clear(&w);
}

/* ---- captured answers --------------------------------------------------------------------------
 */

static void an_answer_is_captured_without_what_came_before(void **state)
{
    struct world w;
    struct buf got;

    (void)state;
    world_ready(&w, stream_events);
    buf_init(&got, 1000);
    w.call.capture = &got;
    start_call(&w);
    run_for(&w, NS_PER_S);
    assert_string_equal(buf_c(&got), OURS);
    buf_clear(&got);
    buf_init(&got, 10); /* too small */
    w.call.capture = &got;
    start_call(&w);
    run_for(&w, NS_PER_S);
    assert_int_equal(w.seen.answer.code, ERROR_CODE_RESPONSE_TOO_LARGE);
    assert_non_null(strstr(w.seen.message, "too large to be kept"));
    buf_clear(&got);
    world_clear(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_response_is_judged),
        cmocka_unit_test(times_of_a_stream_are_exact),
        cmocka_unit_test(a_call_counts_its_bytes),
        cmocka_unit_test(a_stream_that_does_not_end_is_left_after_a_grace),
        cmocka_unit_test(a_stream_cut_in_the_middle),
        cmocka_unit_test(silences_are_told_when_they_end),
        cmocka_unit_test(a_stall_ends_the_stream_at_the_limit),
        cmocka_unit_test(a_request_without_answer_times_out),
        cmocka_unit_test(a_stream_that_goes_on_for_ever_times_out),
        cmocka_unit_test(a_connection_that_is_not_made_times_out),
        cmocka_unit_test(calls_wait_for_a_free_connection),
        cmocka_unit_test(a_call_that_waits_may_be_cancelled),
        cmocka_unit_test(an_exchange_looks_at_no_crowd),
        cmocka_unit_test(a_call_may_be_cancelled_at_any_time),
        cmocka_unit_test(a_call_may_be_started_again_when_it_is_done),
        cmocka_unit_test(an_answer_is_captured_without_what_came_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
