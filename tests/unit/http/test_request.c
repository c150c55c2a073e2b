/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "http/request.h"
#include "http/server.h"
#include "net/mem_stream.h"
#include "support/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define URL "http://cp.test:8080/base"

/* A client of the API and a real server, over streams in memory and a virtual clock. */
struct world {
    uint64_t now_ns;
    struct clock clock;
    struct loop *loop;
    struct http_server server;
    struct http_exchange *held; /* of /hold and /events */
    struct http_api *api;
    unsigned connections, requests, gone, aborts;
    struct mem_faults faults;
    int refuse;          /* a negative errno for new connections */
    const char *foreign; /* bytes of a peer that is no server of ours */
    struct stream *foreign_stream;
    struct buf log; /* what callbacks have told */
    struct http_transfer *cancel_at_event, *transfer;
    const char *ask_again; /* from inside on_end */
};

/* ---- the server -------------------------------------------------------------------------------
 */

static void answer_text(struct http_exchange *x, int status, const char *text)
{
    http_reply(x, &(struct http_answer){.status = status,
                                        .content_type = STR("application/json; charset=utf-8"),
                                        .body = str_c(text)});
}

static struct str header(const struct http_request *request, const char *name)
{
    const struct h1_header *h = h1_find(request->head, str_c(name));

    return h != NULL ? h->value : STR("-");
}

static void answer_echo(struct http_exchange *x, const struct http_request *request)
{
    struct buf text;

    buf_init(&text, 4096);
    buf_printf(&text, "%.*s %.*s [%.*s] key=%.*s more=%.*s type=%.*s host=%.*s accept=%.*s",
               STR_ARG(request->head->method), STR_ARG(request->head->target),
               STR_ARG(request->body), STR_ARG(header(request, "x-key")),
               STR_ARG(header(request, "x-more")), STR_ARG(header(request, "content-type")),
               STR_ARG(header(request, "host")), STR_ARG(header(request, "accept")));
    answer_text(x, 200, buf_c(&text));
    buf_clear(&text);
}

static void begin_events(struct http_exchange *x, struct world *w)
{
    w->held = x;
    http_stream_begin(x,
                      &(struct http_answer){
                          .status = 200, .content_type = STR("text/event-stream; charset=utf-8")},
                      HTTP_LENGTH_UNKNOWN);
}

static void on_request(struct http_exchange *x, const struct http_request *request)
{
    struct world *w = x->server->owner;

    w->requests++;
    if (w->aborts > 0) {
        w->aborts--;
        http_abort(x, true);
    } else if (str_eq(request->path, STR("/base/hold"))) {
        w->held = x;
    } else if (str_eq(request->path, STR("/base/events"))) {
        begin_events(x, w);
    } else if (str_eq(request->path, STR("/base/size"))) {
        char text[32];

        snprintf(text, sizeof text, "%zu", request->body.len);
        answer_text(x, 200, text);
    } else if (str_eq(request->path, STR("/base/none"))) {
        http_reply(x, &(struct http_answer){.status = 204});
    } else if (str_eq(request->path, STR("/base/missing"))) {
        answer_text(x, 404, "{\"error_code\":\"RUN_NOT_FOUND\"}");
    } else {
        answer_echo(x, request);
    }
}

static void on_gone(struct http_exchange *x)
{
    struct world *w = x->server->owner;

    w->gone++;
    w->held = NULL;
}

static const struct http_service service = {.on_request = on_request, .on_gone = on_gone};

static void on_foreign(struct stream *s, unsigned events)
{
    struct world *w = s->owner;

    (void)events;
    if (w->foreign != NULL) {
        stream_write(s, w->foreign, strlen(w->foreign));
        w->foreign = NULL;
    }
}

static int open_stream(void *owner, struct stream **out)
{
    struct world *w = owner;
    struct stream *far;

    if (w->refuse != 0) {
        return w->refuse;
    }
    w->connections++;
    mem_pair(w->loop, &w->faults, out, &far);
    if (w->foreign != NULL) {
        far->owner = w;
        far->on_event = on_foreign;
        w->foreign_stream = far;
    } else {
        http_server_accept(&w->server, far, true);
    }
    return 0;
}

static void start(struct world *w)
{
    *w = (struct world){.now_ns = NS_PER_S};
    w->clock.virtual_ns = &w->now_ns;
    assert_int_equal(loop_new(&w->clock, &w->loop, NULL), 0);
    struct http_limits limits = http_limits_default();
    limits.idle_timeout_ns = 60 * NS_PER_S;
    http_server_init(&w->server, w->loop, &limits, &service, w);
    assert_int_equal(http_api_new(w->loop, STR(URL "/"), STR("X-Key: k\r\n"), &w->api, NULL), 0);
    http_api_set_opener(w->api, open_stream, w);
    buf_init(&w->log, 1024 * 1024);
}

static void stop(struct world *w)
{
    http_api_free(w->api);
    stream_close(w->foreign_stream);
    http_server_clear(&w->server);
    loop_free(w->loop);
    buf_clear(&w->log);
}

static void run_ms(struct world *w, uint64_t ms)
{
    loop_run_virtual(w->loop, &w->now_ns, w->now_ns + ms * NS_PER_MS);
}

/* ---- the client -------------------------------------------------------------------------------
 */

static void on_end(void *owner, const struct http_outcome *o)
{
    static const char *const names[] = {
        [HTTP_ASK_ANSWERED] = "answered",   [HTTP_ASK_UNREACHABLE] = "unreachable",
        [HTTP_ASK_BROKEN] = "broken",       [HTTP_ASK_TIMEOUT] = "timeout",
        [HTTP_ASK_TOO_LARGE] = "too large", [HTTP_ASK_MALFORMED] = "malformed",
    };
    struct world *w = owner;

    w->transfer = NULL;
    assert_int_equal(o->text == NULL, o->failure == HTTP_ASK_ANSWERED);
    buf_printf(&w->log, "%s %d %.*s%s|", names[o->failure], o->status, STR_ARG(o->body),
               o->text != NULL ? o->text : "");
    if (w->ask_again != NULL) {
        struct http_ask ask = {.path = str_c(w->ask_again)};

        w->ask_again = NULL;
        http_api_ask(w->api, &ask, on_end, w);
    }
}

static void on_open(void *owner)
{
    struct world *w = owner;

    buf_add_c(&w->log, "open|");
}

static void on_event(void *owner, const struct http_event *e)
{
    struct world *w = owner;

    buf_printf(&w->log, "%.*s:%.*s:%.*s|", STR_ARG(e->name), STR_ARG(e->id), STR_ARG(e->data));
    if (w->cancel_at_event != NULL) {
        http_transfer_cancel(w->cancel_at_event);
        w->cancel_at_event = NULL;
    }
}

static const struct http_listener listener = {on_open, on_event, on_end};

static void get(struct world *w, const char *path)
{
    w->transfer = http_api_ask(w->api, &(struct http_ask){.path = str_c(path)}, on_end, w);
}

static void post(struct world *w, const char *path, bool repeatable)
{
    struct http_ask ask = {.method = "POST",
                           .path = str_c(path),
                           .headers = STR("X-More: m\r\n"),
                           .content_type = STR("application/json"),
                           .body = STR("{}"),
                           .repeatable = repeatable};

    w->transfer = http_api_ask(w->api, &ask, on_end, w);
}

static void follow(struct world *w, const char *path)
{
    w->transfer = http_api_stream(w->api, &(struct http_ask){.path = str_c(path)}, &listener, w);
}

static void tell(struct world *w, const char *bytes)
{
    assert_non_null(w->held);
    assert_int_equal(http_stream_write(w->held, str_c(bytes)), HTTP_WRITE_SENT);
    run_ms(w, 1);
}

#define SAYS(w, expected)                                \
    do {                                                 \
        assert_string_equal(buf_c(&(w)->log), expected); \
        (w)->log.len = 0;                                \
    } while (0)

#define ECHO_GET(target)                                                                \
    "answered 200 GET /base" target " [] key=k more=- type=- host=cp.test:8080 accept=" \
    "application/json, */*|"
#define ECHO_POST                                                                          \
    "answered 200 POST /base/p [{}] key=k more=m type=application/json host=cp.test:8080 " \
    "accept=application/json, */*|"

/* ---- whole answers ----------------------------------------------------------------------------
 */

static void test_ask(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    assert_string_equal(http_api_url(w.api), URL);
    get(&w, "/runs?limit=1");
    assert_string_equal(buf_c(&w.log), ""); /* never from inside the call */
    run_ms(&w, 1);
    SAYS(&w, ECHO_GET("/runs?limit=1"));
    post(&w, "/p", false);
    run_ms(&w, 1);
    SAYS(&w, ECHO_POST);
    get(&w, "/missing");
    run_ms(&w, 1);
    SAYS(&w, "answered 404 {\"error_code\":\"RUN_NOT_FOUND\"}|");
    get(&w, "/none");
    run_ms(&w, 1);
    SAYS(&w, "answered 204 |");
    w.ask_again = "/again";
    get(&w, "/first");
    run_ms(&w, 1);
    SAYS(&w, ECHO_GET("/first") ECHO_GET("/again"));
    assert_int_equal(w.connections, 1); /* one after the other, on one connection */
    stop(&w);
}

/* A body that no socket takes at once, and answers in pieces. */
static void test_large_body(void **state)
{
    struct http_ask ask = {.method = "POST", .path = STR("/size")};
    struct buf body;
    struct world w;

    (void)state;
    start(&w);
    w.faults = (struct mem_faults){.read_max = 60000, .write_max = 50000, .capacity = 200000};
    buf_init(&body, 4 * 1024 * 1024);
    assert_int_equal(buf_reserve(&body, body.max), 0);
    memset(body.p, 'x', body.max);
    body.len = body.max;
    ask.body = buf_str(&body);
    http_api_ask(w.api, &ask, on_end, &w);
    buf_clear(&body); /* it was copied */
    run_ms(&w, 1);
    SAYS(&w, "answered 200 4194304|");
    w.faults = (struct mem_faults){.read_max = 1, .write_max = 1};
    for (int i = 0; i < HTTP_API_IDLE_MAX + 1; i++) {
        get(&w, "/missing");
    }
    run_ms(&w, 1);
    SAYS(&w, "answered 404 {\"error_code\":\"RUN_NOT_FOUND\"}|"
             "answered 404 {\"error_code\":\"RUN_NOT_FOUND\"}|"
             "answered 404 {\"error_code\":\"RUN_NOT_FOUND\"}|");
    stop(&w);
}

/* Each transfer has a connection of its own; afterwards only HTTP_API_IDLE_MAX wait. */
static void test_at_once(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    for (int i = 0; i < 4; i++) {
        get(&w, "/a");
    }
    run_ms(&w, 1);
    SAYS(&w, ECHO_GET("/a") ECHO_GET("/a") ECHO_GET("/a") ECHO_GET("/a"));
    assert_int_equal(w.connections, 4);
    assert_int_equal(w.server.connection_count_, HTTP_API_IDLE_MAX);
    get(&w, "/a");
    get(&w, "/a");
    run_ms(&w, 1);
    assert_int_equal(w.connections, 4);
    stop(&w);
}

/* A kept connection that breaks off at the request: what may be repeated is, once. */
static void test_repeat(void **state)
{
    static const struct {
        bool is_post, repeatable;
        unsigned aborts, requests;
        const char *says;
    } cases[] = {
        {false, false, 1, 3, ECHO_GET("/g")},
        {false, false, 2, 3, "broken 0 " URL ": the connection broke: Connection reset by peer|"},
        {true, true, 1, 3, ECHO_POST},
        {true, false, 1, 2, "broken 0 " URL ": the connection broke: Connection reset by peer|"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct world w;

        start(&w);
        get(&w, "/none");
        run_ms(&w, 1);
        SAYS(&w, "answered 204 |");
        w.aborts = cases[i].aborts;
        if (cases[i].is_post) {
            post(&w, "/p", cases[i].repeatable);
        } else {
            get(&w, "/g");
        }
        run_ms(&w, 1);
        SAYS(&w, cases[i].says);
        assert_int_equal(w.requests, cases[i].requests);
        stop(&w);
    }
}

static void test_new_connection_is_not_repeated(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    w.aborts = 1;
    get(&w, "/g");
    run_ms(&w, 1);
    SAYS(&w, "broken 0 " URL ": the connection broke: Connection reset by peer|");
    assert_int_equal(w.requests, 1);
    stop(&w);
}

/* The server closes what is idle for too long: the next request, whatever it is, dials. */
static void test_idle_is_closed(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    get(&w, "/none");
    run_ms(&w, 61000);
    assert_int_equal(w.server.connection_count_, 0);
    post(&w, "/p", false);
    run_ms(&w, 1);
    SAYS(&w, "answered 204 |" ECHO_POST);
    assert_int_equal(w.connections, 2);
    stop(&w);
}

static void test_unreachable(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    w.refuse = -ECONNREFUSED;
    post(&w, "/p", true);
    run_ms(&w, 1);
    SAYS(&w, "unreachable 0 cannot reach " URL ": Connection refused|");
    w.refuse = 0;
    post(&w, "/p", true);
    run_ms(&w, 1);
    SAYS(&w, ECHO_POST);
    stop(&w);
}

static void test_no_answer_in_time(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    w.transfer = http_api_ask(
        w.api, &(struct http_ask){.path = STR("/hold"), .answer_limit_ns = 2500 * NS_PER_MS},
        on_end, &w);
    run_ms(&w, 2499);
    SAYS(&w, "");
    run_ms(&w, 2);
    SAYS(&w, "timeout 0 " URL " has not answered within 2.5 s|");
    assert_int_equal(w.gone, 1);
    stop(&w);
}

static void test_too_large(void **state)
{
    struct http_ask ask = {.path = STR("/x"), .answer_max_bytes = 60};
    struct world w;

    (void)state;
    start(&w);
    http_api_ask(w.api, &ask, on_end, &w);
    run_ms(&w, 1);
    assert_non_null(strstr(buf_c(&w.log), URL ": the answer is larger than 60 bytes|"));
    assert_int_equal(strncmp(buf_c(&w.log), "too large 200 ", 14), 0);
    stop(&w);
}

static void test_no_http(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    w.foreign = "SSH-2.0-OpenSSH_9\r\n\r\n";
    get(&w, "/x");
    run_ms(&w, 1);
    assert_int_equal(
        strncmp(buf_c(&w.log), "malformed 0 " URL ": ", strlen("malformed 0 " URL ": ")), 0);
    stop(&w);
}

/* Whoever cancels hears nothing more, at whatever point. */
static void test_cancel(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    get(&w, "/x");
    http_transfer_cancel(w.transfer); /* while it dials */
    run_ms(&w, 1);
    get(&w, "/hold");
    run_ms(&w, 1);
    http_transfer_cancel(w.transfer); /* while it waits */
    http_transfer_cancel(NULL);
    run_ms(&w, 40000);
    SAYS(&w, "");
    assert_int_equal(w.gone, 1);
    get(&w, "/hold"); /* stop cancels it */
    run_ms(&w, 1);
    stop(&w);
}

/* ---- streams ----------------------------------------------------------------------------------
 */

static void test_stream(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    follow(&w, "/events");
    run_ms(&w, 1);
    SAYS(&w, "open|");
    tell(&w, "event: run_event\nid: evt_1\ndata: {\"a\":1}\n\nda");
    SAYS(&w, "run_event:evt_1:{\"a\":1}|");
    tell(&w, "ta: x\ndata: y\n\n:keepalive\n\nid: evt_2\ndata: z\n\n");
    SAYS(&w, ":evt_1:x\ny|:evt_2:z|");
    http_stream_end(w.held);
    run_ms(&w, 1);
    SAYS(&w, "answered 200 |");
    get(&w, "/none");
    run_ms(&w, 1);
    assert_int_equal(w.connections, 1); /* ended in order: it is kept */
    stop(&w);
}

static void test_stream_breaks(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    follow(&w, "/events");
    run_ms(&w, 1);
    tell(&w, "id: evt_1\ndata: a\n\ndata: never whole\n");
    http_abort(w.held, false);
    run_ms(&w, 1);
    SAYS(&w, "open|:evt_1:a|broken 200 " URL ": the connection was closed inside the answer|");
    stop(&w);
}

/* Comments count as a sign of life, and nothing at all does not. */
static void test_stream_falls_silent(void **state)
{
    struct http_ask ask = {.path = STR("/events"), .silence_limit_ns = 10 * NS_PER_S};
    struct world w;

    (void)state;
    start(&w);
    http_api_stream(w.api, &ask, &listener, &w);
    for (int i = 0; i < 10; i++) {
        run_ms(&w, 9000);
        tell(&w, ":keepalive\n\n");
    }
    SAYS(&w, "open|");
    run_ms(&w, 10001);
    SAYS(&w, "timeout 200 " URL " has fallen silent for 10 s|");
    stop(&w);
}

static void test_stream_is_none(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    follow(&w, "/missing");
    run_ms(&w, 1);
    SAYS(&w, "answered 404 {\"error_code\":\"RUN_NOT_FOUND\"}|");
    follow(&w, "/none");
    run_ms(&w, 1);
    SAYS(&w, "answered 204 |");
    follow(&w, "/plain");
    run_ms(&w, 1);
    SAYS(&w, "answered 200 GET /base/plain [] key=k more=- type=- host=cp.test:8080 "
             "accept=text/event-stream|");
    stop(&w);
}

static void test_stream_is_cancelled_inside(void **state)
{
    struct world w;

    (void)state;
    start(&w);
    follow(&w, "/events");
    run_ms(&w, 1);
    w.cancel_at_event = w.transfer;
    tell(&w, "data: a\n\ndata: b\n\n");
    run_ms(&w, 60000);
    SAYS(&w, "open|::a|");
    assert_int_equal(w.gone, 1);
    stop(&w);
}

static void test_event_too_large(void **state)
{
    struct http_ask ask = {.path = STR("/events"), .answer_max_bytes = 8};
    struct world w;

    (void)state;
    start(&w);
    http_api_stream(w.api, &ask, &listener, &w);
    run_ms(&w, 1);
    tell(&w, "data: 12345678\n\ndata: 123456789\n\n");
    SAYS(&w, "open|::12345678|too large 200 " URL ": the data of an event is larger than 8 bytes|");
    stop(&w);
}

/* ---- the api ----------------------------------------------------------------------------------
 */

static void test_urls(void **state)
{
    static const struct {
        const char *url, *is; /* its text, or what the error says */
        int rc;
    } cases[] = {
        {"http://localhost:8080", "http://localhost:8080", 0},
        {"http://[::1]:80/a/b//", "http://[::1]/a/b", 0},
        {"localhost:8080", "localhost:8080 is no address of a server", ERR_INVALID},
        {"https://h:1", "https://h:1: https is not supported yet", ERR_UNSUPPORTED},
        {"http://h/?a=b", "http://h/?a=b is no address of a server: it has a query", ERR_INVALID},
        {"http://u:secret@h", "the endpoint is no address of a server", ERR_INVALID},
        {"", "the endpoint is no address of a server", ERR_INVALID},
    };
    struct loop *loop;

    (void)state;
    assert_int_equal(loop_new(&(struct clock){0}, &loop, NULL), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct http_api *api = NULL;
        struct err err = {0};

        assert_int_equal(http_api_new(loop, str_c(cases[i].url), STR(""), &api, &err), cases[i].rc);
        const char *said = api != NULL ? http_api_url(api) : err.msg;
        assert_int_equal(strncmp(said, cases[i].is, strlen(cases[i].is)), 0);
        assert_null(strstr(said, "secret"));
        http_api_free(api);
    }
    loop_free(loop);
}

static void on_real_end(void *owner, const struct http_outcome *o)
{
    struct buf *log = owner;

    assert_int_equal(o->failure, HTTP_ASK_UNREACHABLE);
    buf_add_c(log, o->text);
}

/* A listener whose queue is full leaves whoever connects waiting. */
static uint16_t listen_without_room(int fds[3])
{
    struct sockaddr_in addr = {.sin_family = AF_INET};
    socklen_t len = sizeof addr;

    addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fds[0] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fds[0], (struct sockaddr *)&addr, len), 0);
    assert_int_equal(listen(fds[0], 0), 0);
    assert_int_equal(getsockname(fds[0], (struct sockaddr *)&addr, &len), 0);
    for (int i = 1; i < 3; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        int rc = connect(fds[i], (struct sockaddr *)&addr, len);
        assert_true(rc == 0 || errno == EINPROGRESS);
    }
    return ntohs(addr.sin_port);
}

static void test_no_connection_in_time(void **state)
{
    static const struct clock real = {0};
    struct http_ask ask = {.path = STR("/"), .connect_limit_ns = 50 * NS_PER_MS};
    char url[64], expected[128];
    struct http_api *api;
    struct loop *loop;
    struct buf log;
    int fds[3];

    (void)state;
    snprintf(url, sizeof url, "http://127.0.0.1:%u", (unsigned)listen_without_room(fds));
    assert_int_equal(loop_new(&real, &loop, NULL), 0);
    assert_int_equal(http_api_new(loop, str_c(url), STR(""), &api, NULL), 0);
    buf_init(&log, 1024);
    http_api_ask(api, &ask, on_real_end, &log);
    uint64_t until_ns = clock_monotonic_ns() + 5 * NS_PER_S;
    while (log.len == 0 && clock_monotonic_ns() < until_ns) {
        loop_turn(loop, until_ns);
    }
    snprintf(expected, sizeof expected, "cannot reach %s: no connection within 0.05 s", url);
    assert_string_equal(buf_c(&log), expected);
    http_api_free(api);
    loop_free(loop);
    buf_clear(&log);
    for (int i = 0; i < 3; i++) {
        close(fds[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ask),
        cmocka_unit_test(test_large_body),
        cmocka_unit_test(test_at_once),
        cmocka_unit_test(test_repeat),
        cmocka_unit_test(test_new_connection_is_not_repeated),
        cmocka_unit_test(test_idle_is_closed),
        cmocka_unit_test(test_unreachable),
        cmocka_unit_test(test_no_answer_in_time),
        cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_no_http),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_stream),
        cmocka_unit_test(test_stream_breaks),
        cmocka_unit_test(test_stream_falls_silent),
        cmocka_unit_test(test_stream_is_none),
        cmocka_unit_test(test_stream_is_cancelled_inside),
        cmocka_unit_test(test_event_too_large),
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_no_connection_in_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
