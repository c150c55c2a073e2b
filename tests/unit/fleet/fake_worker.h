/* SPDX-License-Identifier: MIT */
/* A worker that plays by the messages alone: keeps the orders that it gets, and reports what a test
 * wants. */
#ifndef FLEET_FAKE_WORKER_H
#define FLEET_FAKE_WORKER_H

#include "fleet/hub.h"
#include "support/unit.h"
#include "wire/frame.h"
#include "wire/order.h"
#include "wire/report.h"
#include "wire/totals.h"
#include "wire/window.h"

enum { FAKE_ORDERS_MAX = 64 };

struct fake_worker {
    struct hub *hub;
    struct worker_link link;
    char id[WIRE_ID_SIZE], token[WIRE_ID_SIZE];
    struct wire_order orders[FAKE_ORDERS_MAX]; /* as they came, repeated ones left out */
    uint32_t order_count;
    uint64_t last_n, seq, acked;
    bool refused, replaced;
    uint32_t key_count;
    struct wire_totals totals;
};

static inline void fake_send(struct worker_link *link, struct str text)
{
    struct fake_worker *w = link->user;
    struct wire_order order;
    struct err err = {0};

    if (wire_order_decode(text, &order, &err) != 0) {
        fail_msg("%s", err.msg);
    }
    /* One that it has, or of a run that it does not know. */
    if (order.n <= w->last_n || (w->order_count == 0 && order.kind != WIRE_ORDER_ASSIGN)) {
        wire_order_clear(&order);
        return;
    }
    assert_true(w->order_count < FAKE_ORDERS_MAX);
    w->last_n = order.n;
    w->orders[w->order_count++] = order;
}

static inline void fake_replaced(struct worker_link *link)
{
    struct fake_worker *w = link->user;

    w->replaced = true;
}

static inline json_t *
fake_hello(const char *id, const char *token, const char *label, uint64_t max_vus)
{
    struct wire_hello hello = {.major = WIRE_MAJOR,
                               .minor = WIRE_MINOR,
                               .version = "1",
                               .hostname = "h",
                               .platform = "linux",
                               .pid = 1,
                               .max_vus = max_vus,
                               .max_concurrent_ops = max_vus,
                               .max_rps = 1000,
                               .cores = 1,
                               .boot_id = "b"};

    hello.labels = json_pack("{ss}", "region", label);
    snprintf(hello.worker_id, sizeof hello.worker_id, "%s", id);
    snprintf(hello.worker_token, sizeof hello.worker_token, "%s", token);
    json_t *body = wire_hello_to_json(&hello);
    wire_hello_clear(&hello);
    return body;
}

static inline void
fake_register(struct fake_worker *w, struct hub *hub, const char *label, uint64_t max_vus)
{
    struct hub_refusal why = {0};
    json_t *welcome = NULL;

    w->hub = hub;
    w->link = (struct worker_link){.send = fake_send, .replaced = fake_replaced, .user = w};
    json_t *body = fake_hello(w->id, w->token, label, max_vus);
    if (hub_register(hub, body, &welcome, &why) != 0) {
        fail_msg("%s", why.message);
    }
    snprintf(w->id, sizeof w->id, "%s", json_string_value(json_object_get(welcome, "worker_id")));
    snprintf(w->token, sizeof w->token, "%s",
             json_string_value(json_object_get(welcome, "worker_token")));
    json_decref(body);
    json_decref(welcome);
    assert_int_equal(hub_attach(hub, w->id, &w->link, &why), 0);
}

static inline const struct wire_order *fake_order(const struct fake_worker *w,
                                                  enum wire_order_kind kind)
{
    for (uint32_t i = 0; i < w->order_count; i++) {
        if (w->orders[i].kind == kind) {
            return &w->orders[i];
        }
    }
    return NULL;
}

/* Sends one report with this seq; returns what the hub says. The acknowledgement is noted. */
static inline int
fake_report_as(struct fake_worker *w, uint64_t seq, enum wire_report_kind kind, struct str body)
{
    struct hub_refusal why = {0};
    json_t *answer = NULL;
    struct buf frames;
    size_t at;

    buf_init(&frames, 1 << 20);
    assert_int_equal(wire_frame_begin(&frames, WIRE_REPORT, &at), 0);
    assert_int_equal(wire_report_begin(&frames, kind, seq, w->orders[0].run_id), 0);
    assert_int_equal(buf_add_str(&frames, body), 0);
    assert_int_equal(wire_frame_end(&frames, at), 0);
    int rc = hub_telemetry(w->hub, w->id, buf_str(&frames), &answer, &why);
    if (rc == 0) {
        json_t *acked = json_array_get(json_object_get(answer, "acked"), 0);
        w->acked = (uint64_t)json_integer_value(json_object_get(acked, "seq"));
        w->refused = json_array_size(json_object_get(answer, "refused")) > 0;
    }
    json_decref(answer);
    hub_refusal_clear(&why);
    buf_clear(&frames);
    return rc;
}

static inline void fake_report(struct fake_worker *w, enum wire_report_kind kind, struct str body)
{
    w->seq++;
    assert_int_equal(fake_report_as(w, w->seq, kind, body), 0);
}

static inline void fake_ready(struct fake_worker *w)
{
    struct wire_ready ready = {.shards = w->orders[0].shards};
    struct buf body;

    buf_init(&body, 4096);
    assert_int_equal(wire_ready_encode(&ready, &body), 0);
    fake_report(w, WIRE_REPORT_READY, buf_str(&body));
    buf_clear(&body);
}

/* `why`: what is wrong with the network; NULL: nothing. */
static inline void fake_checks_of(struct fake_worker *w, const char *why)
{
    bool ok = why == NULL;
    struct check_list *checks = calloc(1, sizeof *checks);
    struct buf body;

    checks->count = 1;
    checks->items[0] = (struct check){.name = "network", .ok = ok, .latency_ns = 1000};
    if (!ok) {
        checks->items[0].code = ERROR_CODE_CONNECTION_REFUSED;
        snprintf(checks->items[0].message, sizeof checks->items[0].message, "%s", why);
    }
    buf_init(&body, 1 << 20);
    assert_int_equal(wire_checks_encode(checks, &body), 0);
    fake_report(w, WIRE_REPORT_CHECKS, buf_str(&body));
    buf_clear(&body);
    free(checks);
}

static inline void fake_checks(struct fake_worker *w, bool ok)
{
    fake_checks_of(w, ok ? NULL : "nobody listens");
}

/* A second of `source` with so many operations that went well, as a report's body. */
static inline void fake_window_body(
    struct fake_worker *w, uint32_t source, uint64_t second, uint32_t ok, struct buf *body)
{
    const struct wire_order *stage = fake_order(w, WIRE_ORDER_STAGE);
    struct window *window = window_new(w->key_count, 0, w->orders[0].log ? 1000 : 0);

    window_reset(window, second, stage->grid_ns + second * 1000000000,
                 stage->grid_ns + (second + 1) * 1000000000);
    window->gauges.active_vus = 1;
    for (uint32_t i = 0; i < ok; i++) {
        window_started(window, 0);
        struct outcome o = {.cls = OUTCOME_OK,
                            .log_rank = i + 1,
                            .t_due = 1000,
                            .t_free = 1000,
                            .t_ready = 1000,
                            .t_send = 2000,
                            .t_end = 2000 + 1000000 * (i + 1),
                            .heir = WINDOW_KEY_NONE};
        window_outcome(window, &o);
    }
    wire_totals_add(&w->totals, window);
    assert_int_equal(wire_source_encode(body, source), 0);
    assert_int_equal(wire_window_encode(window, 0, body), 0);
    window_free(window);
}

static inline void fake_window(struct fake_worker *w, uint32_t source, uint64_t second, uint32_t ok)
{
    struct buf body;

    buf_init(&body, 1 << 20);
    fake_window_body(w, source, second, ok, &body);
    fake_report(w, WIRE_REPORT_WINDOW, buf_str(&body));
    buf_clear(&body);
}

static inline void fake_end(struct fake_worker *w)
{
    struct buf body;

    buf_init(&body, 1 << 20);
    for (uint32_t i = 0; i < w->orders[0].shards; i++) {
        body.len = 0;
        assert_int_equal(wire_source_encode(&body, w->orders[0].base + i), 0);
        fake_report(w, WIRE_REPORT_DRAINED, buf_str(&body));
    }
    body.len = 0;
    assert_int_equal(wire_totals_encode(&w->totals, &body), 0);
    fake_report(w, WIRE_REPORT_TOTALS, buf_str(&body));
    buf_clear(&body);
}

static inline void fake_clear(struct fake_worker *w)
{
    for (uint32_t i = 0; i < w->order_count; i++) {
        wire_order_clear(&w->orders[i]);
    }
    wire_totals_clear(&w->totals);
    *w = (struct fake_worker){.hub = NULL};
}

#endif
