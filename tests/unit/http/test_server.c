/* SPDX-License-Identifier: MIT */
#include "http/server.h"
#include "net/mem_stream.h"
#include "support/unit.h"

#include <errno.h>

/* A server with a service that does what the path says, and one client, over a virtual clock. */
struct rig {
    uint64_t now_ns;
    struct clock clock;
    struct loop *loop;
    struct http_server server;
    struct http_exchange *held; /* of /hold and /stream */
    unsigned requests, gone, drained;
    struct stream *client;
    struct buf in;
    bool ended, reset;
    bool deaf; /* the client does not read */
};

static void on_request(struct http_exchange *x, const struct http_request *request)
{
    struct rig *r = x->server->owner;
    struct buf body;

    r->requests++;
    if (str_eq(request->path, STR("/hold"))) {
        r->held = x;
        return;
    }
    if (str_eq(request->path, STR("/stream"))) {
        r->held = x;
        http_stream_begin(x,
                          &(struct http_answer){.status = 200, .content_type = STR("text/plain")},
                          HTTP_LENGTH_UNKNOWN);
        return;
    }
    if (str_eq(request->path, STR("/abort")) || str_eq(request->path, STR("/reset"))) {
        http_abort(x, str_eq(request->path, STR("/reset")));
        return;
    }
    if (str_eq(request->path, STR("/slow"))) {
        http_pace(x, 10, 5 * NS_PER_MS);
    }
    buf_init(&body, SIZE_MAX / 4);
    buf_printf(&body, "%.*s %.*s?%.*s ", STR_ARG(request->head->method), STR_ARG(request->path),
               STR_ARG(request->query));
    buf_add_str(&body, request->body);
    http_reply(x, &(struct http_answer){
                      .status = 200, .content_type = STR("text/plain"), .body = buf_str(&body)});
    buf_clear(&body);
}

static void on_gone(struct http_exchange *x)
{
    struct rig *r = x->server->owner;

    r->gone++;
    r->held = NULL;
}

static void on_drain(struct http_exchange *x)
{
    struct rig *r = x->server->owner;

    r->drained++;
}

static const struct http_service service = {on_request, on_gone, on_drain, NULL, NULL};

static void on_client(struct stream *s, unsigned events)
{
    struct rig *r = s->owner;
    char bytes[4096];
    ssize_t n = 1;

    (void)events;
    while (!r->deaf && !r->ended && (n = stream_read(s, bytes, sizeof bytes)) > 0) {
        buf_add(&r->in, bytes, (size_t)n);
    }
    if (!r->deaf && !r->ended && n != -EAGAIN) {
        r->ended = true;
        r->reset = n < 0;
    }
}

static void run(struct rig *r, uint64_t ms)
{
    loop_run_virtual(r->loop, &r->now_ns, r->now_ns + ms * NS_PER_MS);
}

static void connect_client(struct rig *r, const struct mem_faults *faults)
{
    struct stream *far;

    buf_clear(&r->in);
    r->ended = r->reset = false;
    mem_pair(r->loop, faults, &r->client, &far);
    r->client->owner = r;
    r->client->on_event = on_client;
    http_server_accept(&r->server, far, true);
}

static void start(struct rig *r, const struct http_limits *limits, const struct mem_faults *faults)
{
    *r = (struct rig){.now_ns = NS_PER_S};
    r->clock.virtual_ns = &r->now_ns;
    assert_int_equal(loop_new(&r->clock, &r->loop, NULL), 0);
    http_server_init(&r->server, r->loop, limits, &service, r);
    buf_init(&r->in, (size_t)64 * 1024 * 1024);
    connect_client(r, faults);
}

static void stop(struct rig *r)
{
    stream_close(r->client);
    http_server_clear(&r->server);
    buf_clear(&r->in);
    loop_free(r->loop);
}

static void write_all(struct rig *r, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = stream_write(r->client, bytes, len);

        if (n == -EAGAIN) {
            run(r, 0);
            continue;
        }
        if (n < 0) {
            return; /* the server has closed: that may be what the test is about */
        }
        bytes += n;
        len -= (size_t)n;
    }
}

static void send_text(struct rig *r, const char *text)
{
    write_all(r, text, strlen(text));
    run(r, 0);
}

static int status_of(struct rig *r)
{
    return r->in.len > 12 ? (int)strtol(buf_c(&r->in) + 9, NULL, 10) : 0;
}

static unsigned count(struct rig *r, const char *what)
{
    unsigned n = 0;

    for (const char *p = buf_c(&r->in); (p = strstr(p, what)) != NULL; p++) {
        n++;
    }
    return n;
}

#define ANSWER(len, body) \
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " len "\r\n\r\n" body

/* Requests whose answers are the same however they are cut. */
static void test_cuts(void **state)
{
    static const char in[] = "GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n"
                             "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
                             "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
                             "chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n"
                             "GET /z HTTP/1.1\r\nHost: x\r\n\r\n";
    static const char out[] = ANSWER("11", "GET /a?b=c ") ANSWER("14", "POST /p? hello")
        ANSWER("14", "POST /c? abcde") ANSWER("8", "GET /z? ");

    (void)state;
    for (size_t cut = 0; cut < sizeof in; cut++) {
        struct rig r;

        start(&r, NULL, NULL);
        write_all(&r, in, cut);
        run(&r, 1);
        write_all(&r, in + cut, sizeof in - 1 - cut);
        run(&r, 1);
        assert_string_equal(buf_c(&r.in), out);
        stop(&r);
    }
    for (size_t max = 1; max < 8; max++) {
        struct rig r;

        start(&r, NULL, &(struct mem_faults){.read_max = max, .write_max = max});
        write_all(&r, in, sizeof in - 1);
        run(&r, 1);
        assert_string_equal(buf_c(&r.in), out);
        stop(&r);
    }
}

static void test_refusals(void **state)
{
    static const struct {
        const char *text;
        int status;
    } refused[] = {
        {"nonsense\r\n\r\n", 400},
        {"GET / HTTP/2.0\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
         400},
        {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n", 413},
        {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n", 0},
    };
    struct http_limits limits = http_limits_default();

    (void)state;
    limits.body_max_bytes = 1000;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct rig r;

        start(&r, &limits, NULL);
        send_text(&r, refused[i].text);
        assert_int_equal(status_of(&r), refused[i].status);
        if (refused[i].status == 0) { /* the chunk's bytes are what is too much */
            for (int k = 0; k < 101; k++) {
                send_text(&r, "0123456789");
            }
            assert_int_equal(status_of(&r), 413);
        }
        assert_int_equal(count(&r, "Connection: close"), 1);
        assert_int_equal(r.requests, 0);
        run(&r, 1500);
        assert_true(r.ended);
        stop(&r);
    }
}

static void test_head_limit(void **state)
{
    struct rig r;

    (void)state;
    start(&r, NULL, NULL);
    send_text(&r, "GET / HTTP/1.1\r\nHost: x\r\nX: ");
    for (int i = 0; i < 70 && !r.ended && status_of(&r) == 0; i++) {
        char kilobyte[1025];

        memset(kilobyte, 'x', 1024);
        kilobyte[1024] = '\0';
        send_text(&r, kilobyte);
    }
    assert_int_equal(status_of(&r), 431);
    stop(&r);
}

static void test_largest_body(void **state)
{
    struct http_limits limits = http_limits_default();
    struct rig r;

    (void)state;
    limits.body_max_bytes = 300000;
    start(&r, &limits, &(struct mem_faults){.capacity = 7000});
    send_text(&r, "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n");
    for (int i = 0; i < 30000; i++) {
        write_all(&r, "0123456789", 10);
    }
    run(&r, 1);
    assert_int_equal(status_of(&r), 200);
    assert_int_equal(count(&r, "0123456789"), 30000);
    stop(&r);
}

static void test_expect_continue(void **state)
{
    struct rig r;

    (void)state;
    start(&r, NULL, NULL);
    send_text(&r,
              "POST /p HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    assert_string_equal(buf_c(&r.in), "HTTP/1.1 100 Continue\r\n\r\n");
    send_text(&r, "a");
    send_text(&r, "bc");
    assert_int_equal(count(&r, "100 Continue"), 1);
    assert_int_equal(count(&r, "POST /p? abc"), 1);
    send_text(&r, "POST /c HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nTransfer-Encoding: "
                  "chunked\r\n\r\n");
    assert_int_equal(count(&r, "100 Continue"), 2);
    send_text(&r, "1\r\nx\r\n0\r\n\r\n");
    assert_int_equal(count(&r, "POST /c? x"), 1);
    assert_int_equal(count(&r, "100 Continue"), 2);
    stop(&r);
}

static void test_head_and_1_0(void **state)
{
    struct rig r;

    (void)state;
    start(&r, NULL, NULL);
    send_text(&r, "HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_string_equal(buf_c(&r.in), ANSWER("9", ""));
    send_text(&r, "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_int_equal(count(&r, "Connection: keep-alive"), 1);
    send_text(&r, "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    http_stream_write(r.held, STR("raw"));
    http_stream_end(r.held);
    run(&r, 0);
    assert_true(r.ended);
    assert_int_equal(count(&r, "chunked"), 0);
    assert_string_equal(buf_c(&r.in) + r.in.len - 7, "\r\n\r\nraw");
    stop(&r);
}

static void test_connection_close(void **state)
{
    struct rig r;

    (void)state;
    start(&r, NULL, NULL);
    send_text(&r, "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nGET /b HTTP/1.1\r\n\r\n");
    assert_true(r.ended);
    assert_int_equal(r.requests, 1);
    assert_int_equal(count(&r, "Connection: close"), 1);
    stop(&r);
}

/* A good request, and behind it a bad one that arrives later: what is kept is being read while the
 * connection is given up. */
static void test_bad_behind_good(void **state)
{
    struct rig r;

    (void)state;
    start(&r, NULL, NULL);
    send_text(&r, "POST /p HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhel");
    send_text(&r, "lo nonsense\r\n\r\n");
    assert_int_equal(count(&r, "POST /p? hello"), 1);
    assert_int_equal(count(&r, "HTTP/1.1 400"), 1);
    run(&r, 1500);
    assert_true(r.ended);
    stop(&r);
}

/* A later answer; what was sent ahead waits for it. */
static void test_pipelining_waits(void **state)
{
    struct rig r;

    (void)state;
    start(&r, NULL, NULL);
    send_text(&r, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b ");
    run(&r, 60000);
    assert_int_equal(r.in.len, 0);
    assert_int_equal(r.requests, 1);
    http_reply(r.held, &(struct http_answer){.status = 204});
    run(&r, 1);
    send_text(&r, "HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_string_equal(buf_c(&r.in), "HTTP/1.1 204 No Content\r\n\r\n" ANSWER("8", "GET /a? ")
                                          ANSWER("8", "GET /b? "));
    stop(&r);
}

/* False when the server takes no more, maybe in the middle of the text. */
static bool write_or_full(struct rig *r, const char *text)
{
    size_t len = strlen(text);

    while (len > 0) {
        ssize_t n = stream_write(r->client, text, len);

        if (n == -EAGAIN) {
            run(r, 0);
            n = stream_write(r->client, text, len);
        }
        if (n < 0) {
            return false;
        }
        text += n;
        len -= (size_t)n;
    }
    return true;
}

/* Input beyond HTTP_AHEAD_MAX stays in the socket, and is served in the end. */
static void test_flood_ahead(void **state)
{
    enum { REQUESTS = 20000 };
    struct rig r;
    unsigned sent = 0;

    (void)state;
    start(&r, NULL, &(struct mem_faults){.capacity = 4096});
    send_text(&r, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    while (sent < REQUESTS && write_or_full(&r, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n")) {
        sent++;
    }
    assert_true(sent < REQUESTS);
    assert_true(sent > 5000);
    assert_int_equal(r.requests, 1);
    http_reply(r.held, &(struct http_answer){.status = 204});
    run(&r, 1);
    assert_true(r.requests >= sent);
    stop(&r);
}

static void test_stream(void **state)
{
    struct rig r;

    (void)state;
    start(&r, NULL, NULL);
    send_text(&r, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\nGET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(http_stream_write(r.held, STR("hello, world, here")), HTTP_WRITE_SENT);
    assert_int_equal(http_stream_write(r.held, (struct str){0}), HTTP_WRITE_SENT);
    assert_int_equal(http_stream_write(r.held, STR("x")), HTTP_WRITE_SENT);
    http_stream_end(r.held);
    run(&r, 1);
    assert_string_equal(
        buf_c(&r.in),
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n"
        "12\r\nhello, world, here\r\n1\r\nx\r\n0\r\n\r\n" ANSWER("8", "GET /a? "));
    stop(&r);
}

/* A client that does not read: bounded memory, then on_drain, then the time-out. */
static void test_slow_client(void **state)
{
    struct http_limits limits = http_limits_default();
    struct rig r;
    char block[1000];
    unsigned taken = 0;

    (void)state;
    memset(block, 'x', sizeof block);
    limits.backlog_max_bytes = 20000;
    limits.idle_timeout_ns = NS_PER_S;
    start(&r, &limits, &(struct mem_faults){.capacity = 5000});
    r.deaf = true;
    send_text(&r, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    while (http_stream_write(r.held, (struct str){block, sizeof block}) != HTTP_WRITE_REFUSED) {
        taken++;
    }
    assert_in_range(taken, 20, 30);
    assert_int_equal(r.drained, 0);
    r.deaf = false;
    on_client(r.client, STREAM_READABLE);
    run(&r, 0);
    assert_int_equal(r.drained, 1);
    assert_int_equal(count(&r, "3e8\r\n"), taken);
    r.deaf = true;
    for (int i = 0; i < 10; i++) {
        http_stream_write(r.held, (struct str){block, sizeof block});
    }
    run(&r, 900);
    assert_int_equal(r.gone, 0);
    run(&r, 200);
    assert_int_equal(r.gone, 1);
    stop(&r);
}

static void test_client_leaves(void **state)
{
    static const char *const paths[] = {"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n",
                                        "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n"};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct rig r;

        start(&r, NULL, NULL);
        send_text(&r, paths[i]);
        stream_close(r.client);
        run(&r, 0);
        assert_int_equal(r.gone, 1);
        assert_int_equal(r.server.stats.connections_closed, 1);
        connect_client(&r, NULL);
        stop(&r);
    }
}

/* The write that finds out does not call back from inside. */
static void test_write_to_nobody(void **state)
{
    struct rig r;

    (void)state;
    start(&r, NULL, NULL);
    send_text(&r, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    stream_reset(r.client);
    assert_int_equal(http_stream_write(r.held, STR("x")), HTTP_WRITE_REFUSED);
    assert_int_equal(r.gone, 0);
    run(&r, 0);
    assert_int_equal(r.gone, 1);
    connect_client(&r, NULL);
    stop(&r);
}

static void test_abort(void **state)
{
    struct rig r;

    (void)state;
    start(&r, NULL, NULL);
    send_text(&r, "GET /abort HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(r.ended && !r.reset);
    stream_close(r.client);
    connect_client(&r, NULL);
    send_text(&r, "GET /reset HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(r.ended && r.reset);
    assert_int_equal(r.gone, 0);
    stop(&r);
}

static void test_timeouts(void **state)
{
    struct http_limits limits = http_limits_default();
    struct rig r;

    (void)state;
    limits.idle_timeout_ns = 5 * NS_PER_S;
    limits.request_timeout_ns = 2 * NS_PER_S;
    start(&r, &limits, NULL);
    run(&r, 4900);
    send_text(&r, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"); /* the time begins anew */
    run(&r, 4900);
    assert_false(r.ended);
    run(&r, 200);
    assert_true(r.ended);
    stream_close(r.client);
    connect_client(&r, NULL);
    send_text(&r, "GET /a HT");
    run(&r, 1900);
    assert_int_equal(r.in.len, 0);
    run(&r, 200);
    assert_int_equal(status_of(&r), 408);
    stop(&r);
}

static void test_head_and_body_have_times_of_their_own(void **state)
{
    struct http_limits limits = http_limits_default();
    struct rig r;

    (void)state;
    limits.head_timeout_ns = NS_PER_S;
    limits.request_timeout_ns = 3 * NS_PER_S;
    start(&r, &limits, NULL);
    send_text(&r, "POST /p HTTP/1.1\r\nHost: x\r\n");
    run(&r, 900);
    assert_int_equal(r.in.len, 0);
    send_text(&r, "Content-Length: 5\r\n\r\n");
    run(&r, 1000);
    send_text(&r, "he"); /* bytes of the body give it no more time */
    run(&r, 1900);
    assert_int_equal(r.in.len, 0);
    run(&r, 200);
    assert_int_equal(status_of(&r), 408);
    stream_close(r.client);
    connect_client(&r, NULL);
    send_text(&r, "POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
    run(&r, 2900);
    send_text(&r, "0\r\n\r\nGET /a"); /* and the next head has its own time again */
    assert_int_equal(status_of(&r), 200);
    run(&r, 1100);
    assert_int_equal(count(&r, "HTTP/1.1 408"), 1);
    stop(&r);
}

static size_t four_for_small(struct http_server *s, const struct h1_head *head)
{
    (void)s;
    return str_eq(head->target, STR("/small")) ? 4 : SIZE_MAX;
}

static void in_own_words(struct http_server *s, const char *text, struct http_answer *answer)
{
    (void)s;
    assert_true(text[0] != '\0');
    answer->content_type = STR("text/own");
    answer->headers = STR("X-Own: 1\r\n");
    answer->body = STR("own words");
}

/* A service says for each request how much it takes, and in which words it is refused. */
static void test_choosy_service(void **state)
{
    static const struct http_service choosy = {on_request, on_gone, on_drain, four_for_small,
                                               in_own_words};
    struct http_limits limits = http_limits_default();
    struct rig r;

    (void)state;
    limits.body_max_bytes = 8;
    start(&r, &limits, NULL);
    r.server.service_ = &choosy;
    send_text(&r, "POST /big HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\n12345678");
    send_text(&r, "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n1234");
    send_text(&r, "POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n1234"
                  "\r\n0\r\n\r\n");
    assert_int_equal(r.requests, 3);
    send_text(&r, "POST /big HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n123456"
                  "\r\n0\r\n\r\n");
    assert_int_equal(r.requests, 4);
    assert_int_equal(count(&r, "HTTP/1.1 200"), 4);
    send_text(&r, "POST /small HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n");
    assert_int_equal(count(&r, "HTTP/1.1 413"), 1);
    assert_int_equal(count(&r, "Content-Type: text/own\r\nX-Own: 1\r\n"), 1);
    assert_int_equal(count(&r, "own words"), 1);
    stream_close(r.client);
    connect_client(&r, NULL);
    send_text(&r, "POST /small HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n");
    send_text(&r, "12345\r\n");
    assert_int_equal(status_of(&r), 413);
    assert_int_equal(r.requests, 4);
    stream_close(r.client);
    connect_client(&r, NULL);
    send_text(&r, "POST /big HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n");
    assert_int_equal(status_of(&r), 413);
    stop(&r);
}

/* ---- two services on one port ------------------------------------------------------------- */

struct guest {
    unsigned requests, gone;
    struct http_exchange *x;
};

static void guest_request(struct http_exchange *x, const struct http_request *request)
{
    struct guest *g = x->owner;

    assert_null(x->user);
    g->requests++;
    g->x = x;
    if (!str_eq(request->path, STR("/guest/hold"))) {
        http_reply(x, &(struct http_answer){.status = 202});
    }
}

static void guest_gone(struct http_exchange *x)
{
    struct guest *g = x->owner;

    g->gone++;
}

static struct guest guest;

static void host_request(struct http_exchange *x, const struct http_request *request)
{
    static const struct http_service theirs = {.on_request = guest_request, .on_gone = guest_gone};

    if (str_starts(request->path, STR("/guest"))) {
        x->user = &guest; /* what the host has put there is not the guest's */
        http_hand_to(x, &theirs, &guest, request);
        return;
    }
    assert_ptr_equal(x->owner, x->server->owner);
    on_request(x, request);
}

static void test_another_service(void **state)
{
    static const struct http_service host = {host_request, on_gone, on_drain, NULL, NULL};
    struct rig r;

    (void)state;
    guest = (struct guest){0};
    start(&r, NULL, NULL);
    r.server.service_ = &host;
    send_text(&r, "GET /guest HTTP/1.1\r\nHost: x\r\n\r\nGET /own HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(count(&r, "HTTP/1.1 202"), 1);
    assert_int_equal(count(&r, "GET /own? "), 1);
    send_text(&r, "GET /guest/hold HTTP/1.1\r\nHost: x\r\n\r\n");
    stream_close(r.client);
    connect_client(&r, NULL);
    send_text(&r, "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(guest.requests, 2);
    assert_int_equal(guest.gone, 1);
    assert_int_equal(r.gone, 0);
    stream_close(r.client);
    connect_client(&r, NULL);
    run(&r, 0);
    assert_int_equal(guest.gone, 1);
    assert_int_equal(r.gone, 1);
    stop(&r);
}

static void test_pace(void **state)
{
    struct rig r;

    (void)state;
    start(&r, NULL, NULL);
    send_text(&r, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_int_equal(r.in.len, 10);
    run(&r, 5);
    assert_int_equal(r.in.len, 20);
    run(&r, 100);
    assert_int_equal(count(&r, "GET /slow? "), 1);
    send_text(&r, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"); /* the next one is not slow */
    assert_int_equal(count(&r, "GET /a? "), 1);
    stop(&r);
}

static void test_connection_limit(void **state)
{
    struct http_limits limits = http_limits_default();
    struct rig r;

    (void)state;
    limits.connections_max = 1;
    start(&r, &limits, NULL);
    struct stream *first = r.client;
    connect_client(&r, NULL);
    run(&r, 0);
    assert_int_equal(status_of(&r), 503);
    assert_true(r.ended);
    assert_int_equal(r.server.stats.connections_refused, 1);
    stream_close(first);
    stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cuts),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_head_limit),
        cmocka_unit_test(test_largest_body),
        cmocka_unit_test(test_expect_continue),
        cmocka_unit_test(test_head_and_1_0),
        cmocka_unit_test(test_connection_close),
        cmocka_unit_test(test_bad_behind_good),
        cmocka_unit_test(test_pipelining_waits),
        cmocka_unit_test(test_flood_ahead),
        cmocka_unit_test(test_stream),
        cmocka_unit_test(test_slow_client),
        cmocka_unit_test(test_client_leaves),
        cmocka_unit_test(test_write_to_nobody),
        cmocka_unit_test(test_abort),
        cmocka_unit_test(test_timeouts),
        cmocka_unit_test(test_head_and_body_have_times_of_their_own),
        cmocka_unit_test(test_choosy_service),
        cmocka_unit_test(test_another_service),
        cmocka_unit_test(test_pace),
        cmocka_unit_test(test_connection_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
