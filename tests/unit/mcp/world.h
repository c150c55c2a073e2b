/* SPDX-License-Identifier: MIT */
/* A client, a session and one call over a scripted peer and a virtual clock. */
#ifndef UNIT_MCP_WORLD_H
#define UNIT_MCP_WORLD_H

#include "mcp/session.h"
#include "support/peer.h"
#include "support/unit.h"

#include <errno.h>

#define HEAD " /mcp HTTP/1.1\r\nHost: peer\r\n"
#define MS   NS_PER_MS
/* A time-out fires with the wheel's tick: never early, at most this much late. */
#define TICK_NS (UINT64_C(1) << 16)

static uint64_t now_ns = 1000 * NS_PER_S;
static const struct clock virtual_clock = {.virtual_ns = &now_ns};

/* What came of a call, copied while it was valid. */
struct seen {
    unsigned dones, streams, events;
    struct mcp_answer answer;
    char message[600];
    char cursor[64];
    bool had_msg;
    uint64_t gaps[64];
    unsigned silences;
    uint64_t silent_ns[64], silent_until_ns[64];
};

struct world {
    struct loop *loop;
    struct peer peer;
    struct mcp_target target;
    struct mcp_client client;
    struct mcp_session session;
    struct mcp_call call;
    struct seen seen;
    unsigned opens, closes, connects, connect_failures;
    uint64_t connect_ns;
    struct mcp_answer open_failure, close_answer;
    char open_message[300];
    bool open_ok;
    const char *tail;
    bool restart; /* the call is started again from its on_done */
};

static inline void run_for(struct world *w, uint64_t ns)
{
    loop_run_virtual(w->loop, &now_ns, now_ns + ns);
}

static inline void copy_message(struct str from, char *to, size_t size)
{
    snprintf(to, size, "%.*s", (int)from.len, from.p != NULL ? from.p : "");
}

static inline void world_on_connect(void *owner, uint64_t ns, enum error_code code)
{
    struct world *w = owner;

    w->connects++;
    w->connect_failures += code != ERROR_CODE_NONE;
    w->connect_ns = ns;
}

static inline void world_on_open(struct mcp_session *s, const struct mcp_answer *failure)
{
    struct world *w = s->owner;

    w->opens++;
    w->open_ok = failure == NULL;
    if (failure != NULL) {
        w->open_failure = *failure;
        copy_message(failure->message, w->open_message, sizeof w->open_message);
    }
}

static inline void world_on_closed(struct mcp_session *s, const struct mcp_answer *answer)
{
    struct world *w = s->owner;

    w->closes++;
    w->close_answer = *answer;
}

static const struct mcp_session_events world_session_events = {
    .on_open = world_on_open,
    .on_closed = world_on_closed,
};

static inline struct world *of_call(struct mcp_call *call)
{
    return list_entry(call, struct world, call);
}

static inline struct str world_tail(struct mcp_call *call)
{
    return str_c(of_call(call)->tail);
}

static inline void world_on_stream(struct mcp_call *call)
{
    of_call(call)->seen.streams++;
}

static inline void world_on_event(struct mcp_call *call, uint64_t gap_ns)
{
    struct seen *seen = &of_call(call)->seen;

    assert_true(seen->events < 64);
    seen->gaps[seen->events++] = gap_ns;
}

static inline void world_on_silence(struct mcp_call *call, uint64_t ns, uint64_t at_ns)
{
    struct seen *seen = &of_call(call)->seen;

    assert_true(seen->silences < 64 && ns > 0);
    assert_true(mcp_call_streaming(call));
    assert_int_equal(mcp_call_silent_since(call), at_ns - ns); /* it may be looked at */
    seen->silent_until_ns[seen->silences] = at_ns;
    seen->silent_ns[seen->silences++] = ns;
}

static inline void world_on_done(struct mcp_call *call, const struct mcp_answer *answer)
{
    struct world *w = of_call(call);

    w->seen.dones++;
    w->seen.answer = *answer;
    w->seen.had_msg = answer->msg != NULL;
    copy_message(answer->message, w->seen.message, sizeof w->seen.message);
    assert_false(mcp_call_running(call));
    if (w->restart) {
        w->restart = false;
        mcp_call_start(call, &w->session);
    }
}

static const struct mcp_call_events world_call_events = {
    .tail = world_tail,
    .on_stream = world_on_stream,
    .on_event = world_on_event,
    .on_silence = world_on_silence,
    .on_done = world_on_done,
};

static inline void world_init(struct world *w)
{
    *w = (struct world){.tail = ",\"method\":\"tools/call\",\"params\":{}}"};
    assert_int_equal(loop_new(&virtual_clock, &w->loop, NULL), 0);
    peer_init(&w->peer, w->loop);
    w->target = (struct mcp_target){
        .host = "peer",
        .port = 80,
        .version = "2025-11-25",
        .connect_ns = 2 * NS_PER_S,
        .request_ns = 30 * NS_PER_S,
        .stall_ns = 10 * NS_PER_S,
    };
    struct mcp_observer observer = {.on_connect = world_on_connect, .owner = w};
    mcp_client_init(&w->client, w->loop, &w->target, NULL, NULL, &observer);
    w->client.dialer.opener = peer_open;
    w->client.dialer.opener_owner = &w->peer;
    mcp_session_init(&w->session, &w->client, STR(HEAD), &world_session_events, w);
    mcp_call_init(&w->call, &world_call_events);
}

static inline void world_open(struct world *w)
{
    mcp_session_open(&w->session, NULL);
    assert_int_equal(w->opens, 0);
    run_for(w, NS_PER_S);
    assert_int_equal(w->opens, 1);
}

/* A session that is ready; requests from now on go to `on_request` first. */
static inline void world_ready(struct world *w,
                               bool (*on_request)(void *owner, const struct peer_request *r))
{
    world_init(w);
    world_open(w);
    assert_true(w->open_ok);
    w->peer.on_request = on_request;
    w->peer.owner = w;
}

static inline void start_call(struct world *w)
{
    w->seen = (struct seen){0};
    mcp_call_start(&w->call, &w->session);
    assert_int_equal(w->seen.dones, 0);
}

static inline void world_clear(struct world *w)
{
    mcp_call_cancel(&w->call);
    mcp_session_drop(&w->session);
    run_for(w, NS_PER_MS);
    assert_int_equal(w->client.http.open_conns, 0);
    assert_int_equal(w->client.dialing_, 0);
    peer_clear(&w->peer);
    mcp_client_clear(&w->client);
    run_for(w, NS_PER_MS);
    loop_free(w->loop);
}

#endif
