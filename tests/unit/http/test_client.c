/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "base/mem.h"
#include "http/client.h"
#include "net/mem_stream.h"
#include "support/split_feed.h"
#include "support/unit.h"

#include <errno.h>

#define REQUEST "GET / HTTP/1.1\r\nHost: t\r\n\r\n"

static uint64_t now_ns = NS_PER_S;
static const struct clock virtual_clock = {.virtual_ns = &now_ns};

/* A client's connection, and its peer that the test plays by hand. */
struct world {
    struct loop *loop;
    struct http_client client;
    struct http_conn *conn;
    struct stream *peer;
    struct buf received; /* by the peer */
    struct buf log;
    bool peer_ended;
    bool peer_reads;
    const char *close_in; /* the callback in which the connection is closed */
    const char *then_send;
    unsigned dones, losses;
    struct http_end end;
    uint64_t head_ns, body_ns;
};

static void run(struct world *w)
{
    loop_run_virtual(w->loop, &now_ns, now_ns + NS_PER_MS);
}

/* ---- the client's side ------------------------------------------------------------------------
 */

static bool closes_in(struct world *w, const char *callback)
{
    if (w->close_in == NULL || strcmp(w->close_in, callback) != 0) {
        return false;
    }
    http_conn_close(w->conn, false);
    w->conn = NULL;
    return true;
}

static void on_head(void *owner, const struct h1_head *head, uint64_t at_ns)
{
    struct world *w = owner;

    w->head_ns = at_ns;
    buf_printf(&w->log, "%d ", head->status);
    closes_in(w, "head");
}

static void on_body(void *owner, struct str piece, uint64_t at_ns)
{
    struct world *w = owner;

    w->body_ns = at_ns;
    buf_add_str(&w->log, piece);
    closes_in(w, "body");
}

static void on_done(void *owner, const struct http_end *end);

static const struct http_handler handler = {on_head, on_body, on_done};

static void on_done(void *owner, const struct http_end *end)
{
    static const char *const names[] = {
        [HTTP_COMPLETE] = "complete",       [HTTP_NO_ANSWER] = "no answer",
        [HTTP_TRUNCATED] = "truncated",     [HTTP_READ_ERROR] = "read error",
        [HTTP_WRITE_ERROR] = "write error", [HTTP_MALFORMED] = "malformed",
    };
    struct world *w = owner;

    w->dones++;
    w->end = *end;
    assert_int_equal(end->text == NULL, end->failure == HTTP_COMPLETE);
    buf_printf(&w->log, " %s%s", names[end->failure], end->reusable ? ", reusable" : "");
    if (!closes_in(w, "done") && w->then_send != NULL && end->reusable) {
        const char *bytes = w->then_send;
        w->then_send = NULL;
        buf_add_c(&w->log, " | ");
        http_conn_send(w->conn, bytes, strlen(bytes), &handler, w);
    }
}

static void on_lost(void *owner, struct http_conn *conn)
{
    struct world *w = owner;

    assert_ptr_equal(conn, w->conn);
    w->losses++;
    http_conn_close(conn, false);
    w->conn = NULL;
}

/* ---- the peer's side --------------------------------------------------------------------------
 */

static void on_peer_event(struct stream *s, unsigned events)
{
    struct world *w = s->owner;
    char piece[4096];

    if ((events & STREAM_READABLE) == 0 || !w->peer_reads) {
        return;
    }
    for (;;) {
        ssize_t n = stream_read(s, piece, sizeof piece);

        if (n <= 0) {
            w->peer_ended = w->peer_ended || n != -EAGAIN;
            return;
        }
        assert_int_equal(buf_add(&w->received, piece, (size_t)n), 0);
    }
}

static void peer_send(void *ctx, const char *p, size_t len)
{
    struct world *w = ctx;

    if (w->peer == NULL) {
        return;
    }
    ssize_t n = stream_write(w->peer, p, len);
    assert_true(n == (ssize_t)len || n == -EPIPE || n == -ECONNRESET); /* the client has closed */
    run(w);
}

static void peer_close(struct world *w)
{
    stream_close(w->peer);
    w->peer = NULL;
    run(w);
}

static void set_up(struct world *w, const struct mem_faults *faults)
{
    struct stream *ours;

    *w = (struct world){.peer_reads = true};
    assert_int_equal(loop_new(&virtual_clock, &w->loop, NULL), 0);
    http_client_init(&w->client, w->loop);
    mem_pair(w->loop, faults, &ours, &w->peer);
    w->peer->owner = w;
    w->peer->on_event = on_peer_event;
    buf_init(&w->received, 64 << 20);
    buf_init(&w->log, 1 << 20);
    w->conn = http_conn_new(&w->client, ours, on_lost, w);
    assert_int_equal(w->client.open_conns, 1);
}

static void send_get(struct world *w)
{
    http_conn_send(w->conn, REQUEST, strlen(REQUEST), &handler, w);
}

static void tear_down(struct world *w)
{
    http_conn_close(w->conn, false);
    stream_close(w->peer);
    run(w);
    assert_int_equal(w->client.open_conns, 0);
    http_client_clear(&w->client);
    buf_clear(&w->received);
    buf_clear(&w->log);
    loop_free(w->loop);
}

/* ---- responses, cut anywhere -------------------------------------------------------------------
 */

struct response {
    const char *bytes;
    bool closes; /* the peer closes behind them */
    const char *log;
};

static const struct response responses[] = {
    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", false, "200 hello complete, reusable"},
    {"HTTP/1.1 204 No Content\r\n\r\n", false, "204  complete, reusable"},
    {"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", false, "202  complete, reusable"},
    {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nab", false,
     "200 ab complete"},
    {"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab", false, "200 ab complete"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: "
     "v\r\n\r\n",
     false, "200 abcde complete, reusable"},
    {"HTTP/1.1 200 OK\r\n\r\nuntil the end", true, "200 until the end complete"},
    {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 "
     "OK\r\nContent-Length: 1\r\n\r\n.",
     false, "200 . complete, reusable"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", true, "200 hello truncated"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", true, "200 hel truncated"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", true,
     "200 hello truncated"},
    {"HTTP/1.1 200 OK\r\nContent-Le", true, " truncated"},
    {"", true, " no answer"},
    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", false, "200  malformed"},
    {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", false, " malformed"},
    {"SSH-2.0-OpenSSH_9.2\r\n\r\n", false, " malformed"},
    {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", false, " malformed"},
};

static void play(const struct response *r, size_t way, const struct mem_faults *faults)
{
    struct world w;

    set_up(&w, faults);
    send_get(&w);
    assert_string_equal(buf_c(&w.log), ""); /* nothing is called inside the call */
    run(&w);
    assert_string_equal(buf_c(&w.received), REQUEST);
    split_feed(r->bytes, strlen(r->bytes), way, peer_send, &w);
    if (r->closes) {
        peer_close(&w);
    }
    assert_string_equal(buf_c(&w.log), r->log);
    assert_int_equal(w.dones, 1);
    if (w.conn != NULL) {
        assert_true(http_conn_idle(w.conn));
        assert_int_equal(w.conn->bytes_in, strlen(r->bytes));
        assert_int_equal(w.conn->bytes_out, strlen(REQUEST));
    }
    tear_down(&w);
}

static void each_response_at_every_split(void **state)
{
    static const struct mem_faults small = {.read_max = 3};

    (void)state;
    for (size_t i = 0; i < sizeof responses / sizeof responses[0]; i++) {
        size_t len = strlen(responses[i].bytes);

        for (size_t way = 0; way < split_ways(len); way++) {
            play(&responses[i], way, NULL);
        }
        play(&responses[i], 0, &small);
    }
}

/* ---- one connection, many exchanges ------------------------------------------------------------
 */

static void a_connection_is_kept_and_counts_each_exchange(void **state)
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    static const char other[] = "HTTP/1.1 201 OK\r\nContent-Length: 3\r\n\r\nnew";
    struct world w;

    (void)state;
    set_up(&w, NULL);
    w.then_send = "second";
    send_get(&w);
    uint64_t sent = w.conn->sent_ns;
    assert_int_equal(sent, now_ns);
    run(&w);
    peer_send(&w, answer, strlen(answer)); /* the second request goes out from on_done */
    assert_int_equal(w.conn->bytes_out, 6);
    assert_true(w.conn->sent_ns > sent);
    peer_send(&w, other, strlen(other));
    assert_string_equal(buf_c(&w.log), "200 ok complete, reusable | 201 new complete, reusable");
    assert_string_equal(buf_c(&w.received), REQUEST "second");
    /* The same head as before, and one that only begins like it. */
    w.log.len = 0;
    send_get(&w);
    peer_send(&w, other, strlen(other));
    send_get(&w);
    peer_send(&w, "HTTP/1.1 201 OK\r\nContent-Length: 3\r\nX: y\r\n\r\nnew", 47);
    assert_string_equal(buf_c(&w.log), "201 new complete, reusable201 new complete, reusable");
    tear_down(&w);
}

static void times_are_those_of_the_arrival(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, NULL);
    send_get(&w);
    now_ns += 5 * NS_PER_MS;
    uint64_t head = now_ns;
    peer_send(&w, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", 38);
    now_ns += 7 * NS_PER_MS;
    uint64_t body = now_ns;
    peer_send(&w, "ok", 2);
    assert_int_equal(w.head_ns, head);
    assert_int_equal(w.body_ns, body);
    assert_int_equal(w.end.now_ns, body);
    tear_down(&w);
}

static void an_idle_connection_that_ends_is_lost(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, NULL);
    peer_close(&w);
    assert_int_equal(w.losses, 1);
    tear_down(&w);

    set_up(&w, NULL);
    peer_send(&w, "HTTP/1.1 200 OK\r\n\r\n", 19); /* an answer to nobody */
    assert_int_equal(w.losses, 1);
    assert_int_equal(w.dones, 0);
    tear_down(&w);
}

static void bytes_behind_the_response_end_the_trust(void **state)
{
    static const char two[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\n";
    struct world w;

    (void)state;
    set_up(&w, NULL);
    send_get(&w);
    peer_send(&w, two, strlen(two));
    assert_string_equal(buf_c(&w.log), "200 ok complete");
    tear_down(&w);
}

/* ---- limits -----------------------------------------------------------------------------------
 */

static void an_endless_head_is_refused(void **state)
{
    struct world w;
    char line[1024];

    (void)state;
    memset(line, 'a', sizeof line);
    memcpy(line, "X: ", 3);
    memcpy(line + sizeof line - 2, "\r\n", 2);
    set_up(&w, NULL);
    w.close_in = "done";
    send_get(&w);
    peer_send(&w, "HTTP/1.1 200 OK\r\n", 17);
    for (int i = 0; i < 70 && w.dones == 0; i++) {
        peer_send(&w, line, sizeof line);
    }
    assert_string_equal(buf_c(&w.log), " malformed");
    tear_down(&w);

    /* The same in one piece, larger than any head may be. */
    struct buf all;
    buf_init(&all, 1 << 20);
    buf_add_c(&all, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 90; i++) {
        buf_add(&all, line, sizeof line);
    }
    set_up(&w, NULL);
    w.close_in = "done";
    send_get(&w);
    peer_send(&w, all.p, all.len);
    assert_string_equal(buf_c(&w.log), " malformed");
    buf_clear(&all);
    tear_down(&w);
}

static void endless_interim_responses_are_refused(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, NULL);
    w.close_in = "done";
    send_get(&w);
    for (int i = 0; i <= HTTP_INTERIM_MAX && w.dones == 0; i++) {
        peer_send(&w, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    }
    assert_string_equal(buf_c(&w.log), " malformed");
    tear_down(&w);
}

/* ---- requests that do not fit -------------------------------------------------------------------
 */

static void a_request_larger_than_the_socket_takes(void **state)
{
    static const struct mem_faults all[] = {
        {.capacity = 1000}, {.write_max = 777}, {.capacity = 4096, .write_max = 100}};
    size_t len = 100 * 1000;
    char *request = xmalloc(len);

    (void)state;
    for (size_t i = 0; i < len; i++) {
        request[i] = (char)(i * 7);
    }
    for (size_t i = 0; i < 3; i++) {
        struct world w;

        set_up(&w, &all[i]);
        http_conn_send(w.conn, request, len, &handler, &w);
        run(&w);
        assert_int_equal(w.received.len, len);
        assert_memory_equal(w.received.p, request, len);
        assert_int_equal(w.conn->bytes_out, len);
        peer_send(&w, "HTTP/1.1 204 N\r\n\r\n", 18);
        assert_string_equal(buf_c(&w.log), "204  complete, reusable");
        tear_down(&w);
    }
    xfree(request);
}

/* The peer answers before it has read everything: the rest of the request is in the way. */
static void an_answer_that_overtakes_its_request(void **state)
{
    static const struct mem_faults narrow = {.capacity = 1000};
    char request[5000] = {0};
    struct world w;

    (void)state;
    set_up(&w, &narrow);
    w.peer_reads = false;
    http_conn_send(w.conn, request, sizeof request, &handler, &w);
    peer_send(&w, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n", 45);
    assert_string_equal(buf_c(&w.log), "413  complete");
    tear_down(&w);
}

/* … and closes: its answer counts, the broken pipe does not, and the connection is of no use. */
static void an_answer_before_a_broken_pipe_counts(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, NULL);
    stream_write(w.peer, "HTTP/1.1 401 Un\r\nContent-Length: 2\r\n\r\nno", 40);
    stream_close(w.peer);
    w.peer = NULL;
    send_get(&w);
    run(&w);
    assert_string_equal(buf_c(&w.log), "401 no complete");
    tear_down(&w);
}

static void a_broken_pipe_without_an_answer_is_told(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, NULL);
    stream_reset(w.peer);
    w.peer = NULL;
    send_get(&w);
    assert_int_equal(w.dones, 0);
    run(&w);
    assert_int_equal(w.dones, 1);
    assert_int_equal(w.end.sys, ECONNRESET);
    assert_false(w.end.reusable);
    tear_down(&w);

    set_up(&w, NULL);
    stream_close(w.peer);
    w.peer = NULL;
    send_get(&w);
    run(&w);
    assert_string_equal(buf_c(&w.log), " no answer");
    tear_down(&w);
}

/* ---- closing ----------------------------------------------------------------------------------
 */

static void a_connection_may_be_closed_in_each_callback(void **state)
{
    static const struct {
        const char *callback, *log;
    } cases[] = {{"head", "200 "}, {"body", "200 ab"}, {"done", "200 abcd complete, reusable"}};
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n"};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        size_t len = strlen(answers[0]);

        for (size_t way = 0; way < split_ways(len); way++) {
            struct world w;

            set_up(&w, NULL);
            w.close_in = cases[i].callback;
            send_get(&w);
            split_feed(answers[0], len, way, peer_send, &w);
            assert_null(w.conn);
            if (way == 0) {
                assert_string_equal(buf_c(&w.log), cases[i].log);
            }
            assert_int_equal(w.dones, i == 2);
            assert_true(w.peer_ended);
            tear_down(&w);
        }
    }
}

static void a_close_in_mid_exchange_is_silent(void **state)
{
    struct world w;

    (void)state;
    for (int reset = 0; reset < 2; reset++) {
        set_up(&w, NULL);
        send_get(&w);
        peer_send(&w, "HTTP/1.1 200 OK\r\nContent-", 25);
        http_conn_close(w.conn, reset != 0);
        w.conn = NULL;
        peer_send(&w, "Length: 0\r\n\r\n", 13);
        assert_int_equal(w.dones + w.losses, 0);
        assert_true(w.peer_ended);
        tear_down(&w);
    }
    http_conn_close(NULL, false);
}

/* A turn reads a share of a connection, then the others have theirs; nothing is lost by that. */
static void a_large_body_is_read_in_several_turns(void **state)
{
    static const struct mem_faults wide = {.capacity = 8 << 20};
    size_t len = (size_t)5 << 20;
    char *body = xcalloc(1, len);
    struct world w;

    (void)state;
    set_up(&w, &wide);
    w.log.max = 8 << 20;
    send_get(&w);
    peer_send(&w, "HTTP/1.1 200 OK\r\nContent-Length: 5242880\r\n\r\n", 44);
    peer_send(&w, body, len);
    assert_int_equal(w.dones, 1);
    assert_int_equal(w.conn->bytes_in, 44 + len);
    xfree(body);
    tear_down(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_response_at_every_split),
        cmocka_unit_test(a_connection_is_kept_and_counts_each_exchange),
        cmocka_unit_test(times_are_those_of_the_arrival),
        cmocka_unit_test(an_idle_connection_that_ends_is_lost),
        cmocka_unit_test(bytes_behind_the_response_end_the_trust),
        cmocka_unit_test(an_endless_head_is_refused),
        cmocka_unit_test(endless_interim_responses_are_refused),
        cmocka_unit_test(a_request_larger_than_the_socket_takes),
        cmocka_unit_test(an_answer_that_overtakes_its_request),
        cmocka_unit_test(an_answer_before_a_broken_pipe_counts),
        cmocka_unit_test(a_broken_pipe_without_an_answer_is_told),
        cmocka_unit_test(a_connection_may_be_closed_in_each_callback),
        cmocka_unit_test(a_close_in_mid_exchange_is_silent),
        cmocka_unit_test(a_large_body_is_read_in_several_turns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
