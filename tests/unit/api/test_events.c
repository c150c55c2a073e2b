/* SPDX-License-Identifier: MIT */
#include "unit/api/rig.h"

#define EVENTS "/runs/" RUN_A "/events"

static const char *event_id(uint64_t number)
{
    static char id[80];

    snprintf(id, sizeof id, FAKE_EVENT_ID, (unsigned long long)number);
    return id;
}

static void ask(struct peer *p, struct rig *r, const char *path, const char *headers)
{
    char lines[300];

    snprintf(lines, sizeof lines, LOCAL "%s", headers);
    peer_open(p, r);
    peer_request(p, "GET", path, lines, NULL);
    rig_run(r, 0);
}

/* The numbers of the events that came, in order: "0 1 2 end". */
static const char *numbers(struct peer *p)
{
    static char out[400];
    size_t used = 0;

    out[0] = '\0';
    for (const char *at = buf_c(&p->in); (at = strstr(at, "\ndata: ")) != NULL;) {
        at += 7;
        if (strncmp(at, "{\"n\":", 5) == 0) {
            used += (size_t)snprintf(out + used, sizeof out - used, "%s%ld", used > 0 ? " " : "",
                                     strtol(at + 5, NULL, 10));
        } else {
            used += (size_t)snprintf(out + used, sizeof out - used, "%send", used > 0 ? " " : "");
        }
    }
    return out;
}

static void test_frames(void **state)
{
    struct peer p;
    struct rig r;

    (void)state;
    rig_start(&r, false);
    fake_add_events(&r.hub, RUN_A, 1, true);
    ask(&p, &r, EVENTS, "");
    assert_int_equal(peer_status(&p), 200);
    assert_int_equal(peer_count(&p, "Content-Type: text/event-stream; charset=utf-8\r\n"), 1);
    assert_int_equal(peer_count(&p, "Cache-Control: no-cache\r\nX-Accel-Buffering: no\r\n"), 1);
    assert_int_equal(peer_count(&p, "event: run_event\nid: evt_00000000000000000000\ndata: "
                                    "{\"n\":0,\"fill\":\"\"}\n\n"),
                     1);
    assert_int_equal(peer_count(&p, "event: end\ndata: {\"run_id\":\"" RUN_A
                                    "\",\"state\":\"completed\",\"stop_reason\":{\"kind\":"
                                    "\"completed\"}}\n\n"),
                     1);
    assert_int_equal(peer_count(&p, "\r\n0\r\n\r\n"), 1);
    peer_close(&p);
    rig_stop(&r);
}

/* Where a stream of a run with five events begins, running and over. */
static void test_positions(void **state)
{
    static const struct {
        const char *query;
        int last; /* Last-Event-ID; -1: none */
        const char *running, *over;
    } cases[] = {
        {"", -1, "0 1 2 3 4", "0 1 2 3 4 end"},
        {"", 1, "2 3 4", "2 3 4 end"},
        {"", 4, "", "204"},
        {"?cursor=evt_00000000000000000003", -1, "4", "4 end"},
        {"?cursor=evt_00000000000000000004", -1, "", "204"},
        {"?cursor=bad", 3, "4", "4 end"}, /* a good header wins */
        {"?since=3", -1, "3 4", "3 4 end"},
        {"?since=0", -1, "0 1 2 3 4", "0 1 2 3 4 end"},
        {"?since=5", -1, "", "204"},
        {"?since=99", -1, "", "204"},
        {"?cursor=evt_00000000000000000001&since=4", -1, "2 3 4", "2 3 4 end"},
        {"?types=DECISION", -1, "0 2 4", "0 2 4 end"},
        {"?types=STAGE_STARTED", -1, "1 3", "1 3 end"},
        {"?types=STAGE_STARTED", 1, "3", "3 end"},
        {"?types=RUN_CREATED", -1, "", "end"},
    };

    (void)state;
    for (size_t i = 0; i < 2 * sizeof cases / sizeof cases[0]; i++) {
        bool over = i % 2 != 0;
        char headers[100] = "", path[200], seen[400];
        struct peer p;
        struct rig r;

        rig_start(&r, false);
        fake_add_events(&r.hub, RUN_A, 5, over);
        snprintf(path, sizeof path, EVENTS "%s", cases[i / 2].query);
        if (cases[i / 2].last >= 0) {
            snprintf(headers, sizeof headers, "Last-Event-ID: %s\r\n",
                     event_id((uint64_t)cases[i / 2].last));
        }
        ask(&p, &r, path, headers);
        snprintf(seen, sizeof seen, "%s", peer_status(&p) == 204 ? "204" : numbers(&p));
        if (strcmp(seen, over ? cases[i / 2].over : cases[i / 2].running) != 0) {
            fail_msg("%s after %d: %s", cases[i / 2].query, cases[i / 2].last, seen);
        }
        assert_int_equal(peer_count(&p, "\r\n0\r\n\r\n"), over && peer_status(&p) == 200);
        peer_close(&p);
        rig_stop(&r);
    }
}

/* Pushed in the moment in which they are there, without a look in between. */
static void test_live(void **state)
{
    struct peer p;
    struct rig r;

    (void)state;
    rig_start(&r, false);
    ask(&p, &r, EVENTS, "");
    assert_int_equal(peer_status(&p), 200);
    assert_string_equal(numbers(&p), "");
    fake_add_events(&r.hub, RUN_A, 2, false);
    rig_run(&r, 0);
    assert_string_equal(numbers(&p), "0 1");
    unsigned reads = r.hub.reads;
    rig_run(&r, 10000);
    assert_int_equal(r.hub.reads, reads);
    fake_add_events(&r.hub, RUN_A, 1, true);
    rig_run(&r, 0);
    assert_string_equal(numbers(&p), "0 1 2 end");
    peer_request(&p, "GET", "/healthz", LOCAL, NULL); /* the connection is good for more */
    rig_run(&r, 0);
    assert_int_equal(peer_count(&p, "{\"status\":\"ok\"}"), 1);
    peer_close(&p);
    rig_stop(&r);
}

static void test_not_followed(void **state)
{
    struct peer p;
    struct rig r;

    (void)state;
    rig_start(&r, false);
    fake_add_events(&r.hub, RUN_A, 3, false);
    ask(&p, &r, EVENTS "?follow=false", "");
    assert_string_equal(numbers(&p), "0 1 2");
    assert_int_equal(peer_count(&p, "\r\n0\r\n\r\n"), 1);
    assert_true(list_empty(&r.hub.runs[0].watches));
    peer_close(&p);
    rig_stop(&r);
}

static void test_keepalive(void **state)
{
    struct peer p;
    struct rig r;

    (void)state;
    rig_start(&r, false);
    ask(&p, &r, EVENTS, "");
    rig_run(&r, 14900);
    assert_int_equal(peer_count(&p, ":keepalive\n\n"), 0);
    rig_run(&r, 200);
    assert_int_equal(peer_count(&p, ":keepalive\n\n"), 1);
    rig_run(&r, 30000);
    assert_int_equal(peer_count(&p, ":keepalive\n\n"), 3);
    peer_close(&p);
    rig_stop(&r);
}

/* A client that does not read costs what the socket takes and one event; then it goes on. */
static void test_slow_client(void **state)
{
    struct peer p;
    struct rig r;

    (void)state;
    rig_start(&r, false);
    r.hub.runs[0].event_bytes = 100000;
    peer_open(&p, &r);
    p.deaf = true;
    peer_request(&p, "GET", EVENTS, LOCAL, NULL);
    rig_run(&r, 0);
    fake_add_events(&r.hub, RUN_A, 300, false); /* 30 MB; the stream in memory holds 1 MiB */
    rig_run(&r, 60000);
    assert_in_range(r.hub.reads, 1, 15);
    unsigned reads = r.hub.reads;
    fake_add_events(&r.hub, RUN_A, 10, true);
    rig_run(&r, 60000);
    assert_int_equal(r.hub.reads, reads);
    p.deaf = false;
    peer_on_event(p.stream, STREAM_READABLE);
    rig_run(&r, 0);
    assert_int_equal(peer_count(&p, "event: run_event\n"), 310);
    assert_int_equal(peer_count(&p, "event: end\n"), 1);
    assert_int_equal(peer_count(&p, ":keepalive"), 0);
    peer_close(&p);
    rig_stop(&r);
}

/* A long log is read in turns: others are served in between. */
static void test_long_log(void **state)
{
    struct peer p;
    struct rig r;

    (void)state;
    rig_start(&r, false);
    fake_add_events(&r.hub, RUN_A, 5000, true);
    ask(&p, &r, EVENTS, "");
    assert_int_equal(peer_count(&p, "event: run_event\n"), 5000);
    assert_int_equal(peer_count(&p, "event: end\n"), 1);
    assert_int_equal(r.hub.reads, 5000); /* each once */
    peer_close(&p);
    rig_stop(&r);
}

static void test_client_leaves(void **state)
{
    struct peer p, q;
    struct rig r;

    (void)state;
    rig_start(&r, false);
    fake_add_events(&r.hub, RUN_A, 1, false);
    ask(&p, &r, EVENTS, "");
    ask(&q, &r, EVENTS, "");
    peer_close(&p);
    fake_add_events(&r.hub, RUN_A, 1, false);
    rig_run(&r, 20000);
    assert_string_equal(numbers(&q), "0 1");
    api_close(r.api); /* with a stream open */
    assert_true(list_empty(&r.hub.runs[0].watches));
    peer_close(&q);
    rig_stop(&r);
}

/* A run that is deleted while it is watched has no end of its own, and no more events. */
static void test_deleted_run(void **state)
{
    struct peer p;
    struct rig r;

    (void)state;
    rig_start(&r, false);
    ask(&p, &r, EVENTS, "");
    r.hub.runs[0].deleted = true;
    fake_news(&r.hub.runs[0]);
    list_foreach_safe (node, &r.hub.runs[0].watches) {
        list_remove(node);
    }
    rig_run(&r, 0);
    assert_int_equal(peer_count(&p, "\r\n0\r\n\r\n"), 1);
    assert_string_equal(numbers(&p), "");
    peer_close(&p);
    rig_stop(&r);
}

/* Who has only seen some types comes back with the id of the last of all. */
static void test_end_has_the_last_id(void **state)
{
    struct peer p;
    struct rig r;

    (void)state;
    rig_start(&r, false);
    fake_add_events(&r.hub, RUN_A, 4, true); /* the last is a STAGE_STARTED */
    ask(&p, &r, EVENTS "?types=DECISION", "");
    assert_int_equal(peer_count(&p, "event: end\nid: evt_00000000000000000003\n"), 1);
    peer_close(&p);
    ask(&p, &r, EVENTS "?types=STAGE_STARTED", "");
    assert_int_equal(peer_count(&p, "event: end\ndata: "), 1);
    peer_close(&p);
    rig_stop(&r);
}

static void test_warnings_are_comments(void **state)
{
    struct peer p;
    struct rig r;

    (void)state;
    rig_start(&r, false);
    ask(&p, &r, EVENTS "?type=DECISION&types=DECISON%0Aid:+x", "");
    assert_int_equal(peer_count(&p, "\n:\"unknown parameter \\\"type\\\" has no effect; did you "
                                    "mean \\\"types\\\"?\"\n\n"),
                     1);
    assert_int_equal(peer_count(&p, ":\"types: no event is called \\\"DECISON\\nid: x\\\""), 1);
    peer_close(&p);
    rig_stop(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_positions),
        cmocka_unit_test(test_live),
        cmocka_unit_test(test_not_followed),
        cmocka_unit_test(test_keepalive),
        cmocka_unit_test(test_slow_client),
        cmocka_unit_test(test_long_log),
        cmocka_unit_test(test_client_leaves),
        cmocka_unit_test(test_deleted_run),
        cmocka_unit_test(test_end_has_the_last_id),
        cmocka_unit_test(test_warnings_are_comments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
