/* SPDX-License-Identifier: MIT */
/* A hub over a real store, its runs, and two workers that are played by the test. */
#ifndef FLEET_HUB_PLACE_H
#define FLEET_HUB_PLACE_H

#include "fake_worker.h"
#include "fleet/hub.h"
#include "support/open_store.h"

#define SCENARIO                                                                   \
    "{'target': {'url': 'http://127.0.0.1:9/mcp'},"                                \
    " 'workload': {'operation_mix': [{'operation': 'tools_list', 'weight': 1}],"   \
    "  'user_journey': {'startup_sequence': {'run_tools_list_on_start': false}}}," \
    " 'stages': [{'stage': 'baseline', 'duration_ms': 1000, 'load': {'target_vus': 10}}]}"

#define AT_ONCE                                                                            \
    "{'target': {'url': 'http://127.0.0.1:9/mcp'},"                                        \
    " 'workload': {'operation_mix': [{'operation': 'tools_list', 'weight': 1}],"           \
    "  'user_journey': {'startup_sequence': {'run_tools_list_on_start': false}}},"         \
    " 'stages': [{'stage': 'baseline', 'duration_ms': 9000, 'load': {'target_vus': 10}}]," \
    " 'safety': {'stop_policy': {'mode': 'immediate'}}}"

struct place {
    struct open_store store;
    struct hub *hub;
};

static inline void open_hub(struct place *p)
{
    struct hub_config config = {.loop = p->store.loop, .store = p->store.s};
    struct err err = {0};

    if (hub_new(&config, &p->hub, &err) != 0) {
        fail_msg("%s", err.msg);
    }
}

static inline void set_up(struct place *p)
{
    open_store_new(&p->store);
    open_hub(p);
}

/* With a clock that the test moves. */
static uint64_t now_ns;

static const struct clock moved_clock = {.virtual_ns = &now_ns};

static inline void set_up_by_moved_clock(struct place *p)
{
    now_ns = clock_monotonic_ns();
    open_store_new_by(&p->store, &moved_clock);
    open_hub(p);
}

static inline void tear_down(struct place *p)
{
    hub_free(p->hub);
    open_store_free(&p->store);
}

/* As a process that ends and another one that begins. */
static inline void restart(struct place *p)
{
    struct err err = {0};

    hub_free(p->hub);
    store_close(p->store.s);
    assert_int_equal(open_store_again(&p->store, 0, &err), 0);
    open_hub(p);
}

static inline json_t *document(const char *text)
{
    char json[4096];
    json_t *out = NULL;

    snprintf(json, sizeof json, "%s", text);
    for (char *c = json; *c != '\0'; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    assert_int_equal(json_parse(str_c(json), sizeof json, &out, NULL), 0);
    return out;
}

struct durable {
    struct store_wait wait;
    bool done;
};

static inline void on_durable(struct store_wait *wait)
{
    list_entry(wait, struct durable, wait)->done = true;
}

/* All that was done is durable, and what waited for it has happened. */
static inline void settle(struct place *p)
{
    struct durable d = {.done = false};

    store_wait_init(&d.wait, on_durable);
    hub_when_durable(p->hub, &d.wait);
    open_store_until(&p->store, &d.done);
    assert_true(d.done);
}

static inline void create(struct place *p, const char *text, char id[HUB_RUN_ID_MAX])
{
    json_t *config = document(text), *warnings = NULL;
    struct hub_new_run what = {.config = config, .actor = "ann"};
    struct hub_refusal why = {0};

    if (hub_create(p->hub, &what, id, &warnings, &why) != 0) {
        fail_msg("%s", why.message);
    }
    json_decref(warnings);
    json_decref(config);
    settle(p);
}

static inline const char *state_of(struct place *p, const char *id)
{
    static char state[32];
    struct hub_refusal why = {0};
    json_t *view = NULL;

    assert_int_equal(hub_view(p->hub, id, &view, &why), 0);
    snprintf(state, sizeof state, "%s", json_string_value(json_object_get(view, "state")));
    json_decref(view);
    return state;
}

static inline int start(struct place *p, const char *id, struct hub_refusal *why)
{
    const char *state = NULL;
    int rc = hub_start(p->hub, id, "ann", &state, why);

    settle(p);
    return rc;
}

/* Turns until the run is in the state, five seconds at most. */
static inline void until(struct place *p, const char *id, const char *state)
{
    uint64_t end_ns = clock_monotonic_ns() + 5 * NS_PER_S;

    while (strcmp(state_of(p, id), state) != 0 && clock_monotonic_ns() < end_ns) {
        loop_turn(p->store.loop, clock_monotonic_ns() + 10 * NS_PER_MS);
    }
    assert_string_equal(state_of(p, id), state);
}

struct seen_events {
    uint64_t count;
    char types[64][32];
    char ids[64][40];
    char steps[512]; /* "start_run by ann · …" of the STATE_TRANSITIONs */
};

static inline void note_step(struct seen_events *seen, struct str body)
{
    json_t *event = NULL;
    const char *trigger, *actor;
    size_t len = strlen(seen->steps);

    assert_int_equal(json_parse(body, 65536, &event, NULL), 0);
    assert_int_equal(
        json_unpack(event, "{s:{s:s, s:s}}", "payload", "trigger", &trigger, "actor", &actor), 0);
    snprintf(seen->steps + len, sizeof seen->steps - len, "%s by %s · ", trigger, actor);
    json_decref(event);
}

static inline bool see_event(void *owner, const struct store_event *row)
{
    struct seen_events *seen = owner;

    assert_int_equal(row->number, seen->count); /* without a gap */
    snprintf(seen->types[seen->count], 32, "%s", row->type);
    if (strcmp(row->type, "STATE_TRANSITION") == 0) {
        note_step(seen, row->body);
    }
    snprintf(seen->ids[seen->count++], 40, "%s", row->event_id);
    return seen->count < 64;
}

static inline bool has_event(const struct seen_events *seen, const char *type)
{
    for (uint64_t i = 0; i < seen->count; i++) {
        if (strcmp(seen->types[i], type) == 0) {
            return true;
        }
    }
    return false;
}

struct pair {
    struct fake_worker w[2];
};

static inline void register_pair(struct place *p, struct pair *pair)
{
    for (int i = 0; i < 2; i++) {
        if (pair->w[i].key_count == 0) {
            pair->w[i].key_count = 1;
            wire_totals_init(&pair->w[i].totals, 1);
            snprintf(pair->w[i].id, sizeof pair->w[i].id, "wkr_%08d", i);
        }
        fake_register(&pair->w[i], p->hub, i == 0 ? "eu" : "us", 8);
    }
}

static inline void clear_pair(struct place *p, struct pair *pair)
{
    for (int i = 0; i < 2; i++) {
        hub_detach(p->hub, &pair->w[i].link);
        fake_clear(&pair->w[i]);
    }
}

/* Up to the stage's order. */
static inline void begin(struct place *p, struct pair *pair, const char *id)
{
    struct hub_refusal why = {0};

    if (start(p, id, &why) != 0) {
        fail_msg("%s", why.message);
    }
    for (int i = 0; i < 2; i++) {
        assert_non_null(fake_order(&pair->w[i], WIRE_ORDER_ASSIGN));
        assert_null(fake_order(&pair->w[i], WIRE_ORDER_CHECK));
    }
    fake_ready(&pair->w[0]);
    settle(p);
    assert_null(fake_order(&pair->w[0], WIRE_ORDER_CHECK)); /* the barrier */
    fake_ready(&pair->w[1]);
    settle(p);
    for (int i = 0; i < 2; i++) {
        const struct wire_order *check = fake_order(&pair->w[i], WIRE_ORDER_CHECK);
        assert_non_null(check);
        assert_int_equal(check->lists, i == 0);
    }
    fake_checks(&pair->w[0], true);
    fake_checks(&pair->w[1], true);
    settle(p);
    assert_non_null(fake_order(&pair->w[1], WIRE_ORDER_STAGE));
    assert_string_equal(state_of(p, id), "baseline_running");
}

static inline void play(struct pair *pair, uint64_t second, uint32_t ok)
{
    for (int i = 0; i < 2; i++) {
        fake_window(&pair->w[i], pair->w[i].orders[0].base, second, ok);
    }
}

static inline void check_result(struct place *p, const char *id, json_int_t operations)
{
    struct hub_refusal why = {0};
    json_t *result = NULL;

    assert_int_equal(hub_result(p->hub, id, &result, &why), 0);
    json_t *integrity = json_object_get(result, "integrity");
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(result, "counts"), "ended_ok")),
        operations);
    assert_true(json_is_true(json_object_get(integrity, "whole")));
    assert_non_null(strstr(json_string_value(json_object_get(integrity, "line")),
                           "2/2 workers, 0 windows lost"));
    json_decref(result);
}

static inline void beat(struct place *p, const char *worker_id)
{
    static const struct wire_heartbeat nothing = {.sent_ns = 1};
    struct hub_refusal why = {0};
    json_t *body = wire_heartbeat_to_json(&nothing), *pulse = NULL;

    assert_int_equal(hub_heartbeat(p->hub, worker_id, body, &pulse, &why), 0);
    json_decref(pulse);
    json_decref(body);
}

/* So many seconds pass, in which the workers of `pair` (or nobody) are heard of. */
static inline void live(struct place *p, const struct pair *pair, unsigned seconds)
{
    for (unsigned i = 0; i < seconds; i++) {
        now_ns += NS_PER_S;
        for (int k = 0; pair != NULL && k < 2; k++) {
            beat(p, pair->w[k].id);
        }
        loop_turn(p->store.loop, 0);
        settle(p);
    }
}

#endif
