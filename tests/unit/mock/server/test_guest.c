/* SPDX-License-Identifier: MIT */
/* The mock on the port of another server. */
#include "unit/mock/rig.h"

struct house {
    struct rig rig; /* its mock is the guest */
    struct http_server host;
    unsigned own;
};

static void on_request(struct http_exchange *x, const struct http_request *request)
{
    struct house *h = x->owner;

    if (mock_wants(request)) {
        mock_take(h->rig.mock, x, request);
        return;
    }
    h->own++;
    http_reply(x, &(struct http_answer){.status = 204});
}

static void on_gone(struct http_exchange *x)
{
    (void)x;
    fail_msg("the host has no open exchange");
}

static void move_in(struct house *h)
{
    static const struct http_service service = {.on_request = on_request, .on_gone = on_gone};
    struct mock_config config = mock_config_default();

    *h = (struct house){.rig.now_ns = 5 * NS_PER_S};
    h->rig.clock.virtual_ns = &h->rig.now_ns;
    assert_int_equal(loop_new(&h->rig.clock, &h->rig.loop, NULL), 0);
    http_server_init(&h->host, h->rig.loop, NULL, &service, h);
    h->rig.shared = mock_shared_new(&config);
    h->rig.mock = mock_new_guest(h->rig.shared, &h->host);
}

static void move_out(struct house *h)
{
    http_server_clear(&h->host);
    rig_stop(&h->rig);
}

static void visit(struct house *h, struct peer *p)
{
    struct stream *far;

    *p = (struct peer){.rig = &h->rig};
    buf_init(&p->in, (size_t)1024 * 1024);
    mem_pair(h->rig.loop, NULL, &p->stream, &far);
    p->stream->owner = p;
    p->stream->on_event = peer_on_event;
    http_server_accept(&h->host, far, true);
}

static int
ask(struct house *h, const char *method, const char *path, const char *headers, const char *body)
{
    struct peer p;
    int status;

    visit(h, &p);
    peer_request(&p, method, path, headers, body);
    rig_run(&h->rig, 0);
    status = peer_status(&p);
    peer_close(&p);
    return status;
}

#define PING "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}"

static void test_whose_request(void **state)
{
    static const struct {
        const char *method, *path, *headers, *body;
        bool mock;
    } cases[] = {
        {"POST", "/", JSON_ONLY, PING, true},
        {"POST", "/mcp", JSON_ONLY, PING, true},
        {"DELETE", "/", "", NULL, true},
        {"DELETE", "/mcp", "", NULL, true},
        {"PUT", "/mcp", "", NULL, true},
        {"GET", "/stats", "", NULL, true},
        {"POST", "/stats/reset", "", NULL, true},
        {"GET", "/stats/history", "", NULL, true},
        {"GET", "/faults", "", NULL, true},
        {"GET", "/", "Accept: text/html\r\n", NULL, false},
        {"GET", "/", "", NULL, false},
        {"PUT", "/", "", NULL, false},
        {"GET", "/runs", "", NULL, false},
        {"GET", "/statsx", "", NULL, false},
        {"GET", "/mcp/", "", NULL, false},
    };
    struct house h;

    (void)state;
    move_in(&h);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        unsigned own = h.own;
        int status = ask(&h, cases[i].method, cases[i].path, cases[i].headers, cases[i].body);

        assert_true(status != 0);
        if ((h.own == own) != cases[i].mock || (status == 204) == cases[i].mock) {
            fail_msg("%s %s: %d", cases[i].method, cases[i].path, status);
        }
    }
    move_out(&h);
}

/* Streams that end by themselves, and such whose client leaves: the mock's books show it. */
static void test_streams(void **state)
{
    struct house h;
    struct peer events, leaver, listener, stats;

    (void)state;
    move_in(&h);
    visit(&h, &events);
    peer_request(&events, "GET", "/notifications/subscribe?event_count=3&interval_ms=100", "",
                 NULL);
    visit(&h, &leaver);
    peer_request(&leaver, "GET", "/notifications/subscribe?event_count=3&interval_ms=100", "",
                 NULL);
    visit(&h, &listener);
    peer_request(&listener, "GET", "/", "Accept: text/event-stream\r\n", NULL);
    rig_run(&h.rig, 150);
    peer_close(&leaver);
    rig_run(&h.rig, 500);
    assert_non_null(strstr(peer_body(&events), "event: complete"));
    assert_int_equal(peer_status(&listener), 200);
    visit(&h, &stats);
    peer_request(&stats, "GET", "/stats", "", NULL);
    rig_run(&h.rig, 0);
    assert_non_null(strstr(peer_body(&stats), "\"streams_open\":1,\"streams_opened\":3"));
    assert_non_null(strstr(peer_body(&stats), "\"connections_opened\":4,\"connections_open\":3"));
    peer_close(&stats);
    http_server_clear(&h.host); /* with a stream open */
    peer_close(&listener);
    peer_close(&events);
    move_out(&h);
}

/* The port is the host's: it cannot be closed by a knob of the guest. */
static void test_no_closed_port(void **state)
{
    struct house h;

    (void)state;
    move_in(&h);
    assert_int_equal(ask(&h, "POST", "/faults", JSON_ONLY, "{\"refuse_connections\":0.5}"), 400);
    assert_int_equal(ask(&h, "POST", "/faults", JSON_ONLY, "{\"refuse_connections_ms\":100}"), 400);
    assert_int_equal(ask(&h, "POST", "/faults", JSON_ONLY, "{\"refuse_connections\":0}"), 200);
    move_out(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whose_request),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_no_closed_port),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
