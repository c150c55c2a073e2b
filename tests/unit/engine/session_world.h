/* SPDX-License-Identifier: MIT */
/* A shard with a session policy, and what its target knows of each session. */
#ifndef UNIT_ENGINE_SESSION_WORLD_H
#define UNIT_ENGINE_SESSION_WORLD_H

#include "engine/sessions_priv.h"
#include "unit/engine/stages.h"

enum { SEEN_MAX = 4000, RECENT_MAX = 32 };

struct seen {
    uint64_t opened_ns; /* `initialize` arrived */
    uint64_t last_ns;   /* its last operation arrived */
    uint64_t deleted_ns;
    uint64_t recent[RECENT_MAX]; /* arrivals of the last operations */
    uint32_t ops, lists;
    uint32_t peak; /* operations at once */
    bool gone;
};

struct session_world {
    struct world w; /* first: the peer's scripts get it */
    struct seen seen[SEEN_MAX];
    uint32_t live, peak_live; /* initialized, and neither deleted nor lost */
    /* Scripts. */
    uint32_t refuse;     /* so many times `initialize` is answered by 503 */
    uint32_t lose_every; /* the n-th call of a session is answered by 404; 0: never */
    uint64_t opens[SEEN_MAX];
    uint32_t open_count;
};

static inline struct seen *seen_of(struct session_world *sw, const struct peer_request *r)
{
    struct str id = peer_header(r, "Mcp-Session-Id");
    struct str prefix = STR("session-");
    uint64_t number = 0;

    assert_true(id.len > prefix.len);
    assert_true(
        str_u64((struct str){id.p + prefix.len, id.len - prefix.len}, SEEN_MAX - 1, &number));
    return &sw->seen[number];
}

static inline void end_seen(struct session_world *sw, struct seen *s)
{
    sw->live -= !s->gone;
    s->gone = true;
}

static inline bool watch_open(struct session_world *sw, const struct peer_request *r)
{
    assert_true(sw->open_count < SEEN_MAX);
    sw->opens[sw->open_count++] = r->at_ns;
    if (sw->refuse > 0) {
        sw->refuse--;
        peer_respond(r->conn, 0, 503, NULL, NULL, "");
        return true;
    }
    assert_true(sw->w.peer.sessions + 1 < SEEN_MAX);
    sw->seen[sw->w.peer.sessions + 1].opened_ns = r->at_ns;
    sw->live++;
    sw->peak_live = sw->live > sw->peak_live ? sw->live : sw->peak_live;
    return false;
}

static inline bool watch_call(struct session_world *sw, const struct peer_request *r)
{
    struct seen *s = seen_of(sw, r);
    uint32_t at_once = 1;

    for (uint32_t i = 0; i < RECENT_MAX && i < s->ops; i++) {
        at_once += s->recent[i] + sw->w.peer.delay_ns > r->at_ns;
    }
    s->recent[s->ops % RECENT_MAX] = r->at_ns;
    s->ops++;
    s->last_ns = r->at_ns;
    s->peak = at_once > s->peak ? at_once : s->peak;
    if (s->gone || (sw->lose_every > 0 && s->ops == sw->lose_every)) {
        end_seen(sw, s);
        peer_respond(r->conn, sw->w.peer.delay_ns, 404, "text/plain", NULL, "session not found");
        return true;
    }
    return false;
}

static inline bool watch(void *owner, const struct peer_request *r)
{
    struct session_world *sw = owner;

    if (strcmp(r->method, "initialize") == 0) {
        return watch_open(sw, r);
    }
    if (strcmp(r->method, "DELETE") == 0) {
        struct seen *s = seen_of(sw, r);
        assert_false(s->gone); /* once, and never one that was lost */
        s->deleted_ns = r->at_ns;
        end_seen(sw, s);
    } else if (strcmp(r->method, "tools/call") == 0) {
        return watch_call(sw, r);
    } else if (strcmp(r->method, "tools/list") == 0) {
        seen_of(sw, r)->lists++;
    }
    return false;
}

/* The policy stands for what the file says; without `journey` there is none. */
static inline struct session_world *session_world_new(const char *scenario,
                                                      const struct session_config *session,
                                                      const struct journey_config *journey,
                                                      struct segment segment)
{
    struct session_world *sw = xcalloc(1, sizeof *sw);
    struct world *w = &sw->w;

    world_init(w, scenario);
    struct shard_config config = {
        .target = &w->target,
        .segment = segment,
        .opener = peer_open,
        .opener_owner = &w->peer,
        .post = world_post,
        .owner = w,
    };
    shard_free(w->shard);
    plan_free(w->planned.plan);
    w->planned.scenario->session = *session;
    w->planned.scenario->workload.journey =
        journey != NULL ? *journey : (struct journey_config){.list_on_start = false};
    w->planned.plan = plan_new(w->planned.scenario, &w->planned.identity, "peer", "/mcp");
    config.plan = w->planned.plan;
    w->shard = shard_new(w->loop, &config);
    w->peer.on_request = watch;
    return sw;
}

static inline struct session_world *session_world(const char *scenario,
                                                  const struct session_config *session)
{
    return session_world_new(scenario, session, NULL, (struct segment){.index = 0, .count = 1});
}

static inline void session_world_free(struct session_world *sw)
{
    world_clear(&sw->w);
    xfree(sw);
}

/* Plays the first stage for `ns` and drains. */
static inline void play(struct session_world *sw, uint64_t ns)
{
    begin_stage(&sw->w, 0, ns);
    run_for(&sw->w, ns);
    finish(&sw->w);
    assert_int_equal(sw->w.run[COUNT_SESSIONS_CREATED], sw->w.peer.sessions);
    assert_int_equal(sw->w.shard->session_count, 0);
}

/* A scenario of calls: VUs of the stages, slots, and think time. */
static inline const char *
calling(unsigned first, unsigned second, unsigned slots, unsigned think_ms, const char *more)
{
    static char workload[1024];

    snprintf(workload, sizeof workload,
             "'operation_mix': [" CALL "], 'in_flight_per_vu': %u, 'think_time': {'mode': 'fixed', "
             "'base_ms': %u}%s",
             slots, think_ms, more);
    return stages_scenario(workload, "", first, second, second);
}

#endif
