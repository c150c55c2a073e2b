/* SPDX-License-Identifier: MIT */
/* A hostile target: whatever it answers to initialize, to `initialized` and to a call, each of them
 * ends in exactly one verdict. The input's parts, separated by a byte 0xFF, are the answers in
 * turn. */
#include "fuzz/fuzz.h"
#include "mcp/session.h"
#include "net/mem_stream.h"

#include <errno.h>

struct target {
    struct loop *loop;
    struct str rest; /* answers not given yet */
};

struct test {
    struct target target;
    struct mcp_session session;
    struct mcp_call call;
    unsigned opened, called, failed_open;
};

/* Each request, whatever it is, gets the next part. */
static void on_request(struct stream *s, unsigned events)
{
    struct target *t = s->owner;
    char piece[4096];
    bool any = false;
    ssize_t n;

    (void)events;
    while ((n = stream_read(s, piece, sizeof piece)) > 0) {
        any = true;
    }
    if (!any) {
        if (n != -EAGAIN) {
            stream_close(s);
        }
        return;
    }
    const char *end = memchr(t->rest.p, 0xff, t->rest.len);
    size_t len = end != NULL ? (size_t)(end - t->rest.p) : t->rest.len;
    (void)stream_write(s, t->rest.p, len);
    size_t used = end != NULL ? len + 1 : len;
    t->rest = (struct str){t->rest.p + used, t->rest.len - used};
    if (t->rest.len == 0) {
        stream_close(s);
    }
}

static int open_stream(void *owner, struct stream **out)
{
    struct target *t = owner;
    struct stream *far;

    mem_pair(t->loop, NULL, out, &far);
    far->owner = t;
    far->on_event = on_request;
    return 0;
}

static struct str tail(struct mcp_call *call)
{
    (void)call;
    return STR(",\"method\":\"tools/call\",\"params\":{\"name\":\"x\"}}");
}

static void on_done(struct mcp_call *call, const struct mcp_answer *answer)
{
    struct test *t = list_entry(call, struct test, call);

    t->called++;
    fuzz_require(answer->end_ns != 0, "an answer without a time");
    fuzz_require(answer->code == ERROR_CODE_NONE || answer->origin != ERROR_ORIGIN_NONE,
                 "a failure without an origin");
}

static const struct mcp_call_events call_events = {.tail = tail, .on_done = on_done};

static void on_open(struct mcp_session *s, const struct mcp_answer *failure)
{
    struct test *t = s->owner;

    t->opened++;
    t->failed_open += failure != NULL;
    if (failure == NULL) {
        mcp_call_start(&t->call, s);
    }
}

static void on_connect(void *owner, uint64_t ns, enum error_code code)
{
    (void)owner;
    (void)ns;
    (void)code;
}

static const struct mcp_session_events session_events = {.on_open = on_open};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct mcp_target wire = {
        .host = "target",
        .port = 80,
        .version = "2025-11-25",
        .connect_ns = NS_PER_S,
        .request_ns = NS_PER_S,
        .stall_ns = NS_PER_S,
    };
    const struct mcp_observer observer = {.on_connect = on_connect};
    uint64_t now = NS_PER_S;
    struct clock clock = {.virtual_ns = &now};
    struct test t = {.target.rest = {(const char *)data, size}};
    struct mcp_client client;

    if (loop_new(&clock, &t.target.loop, NULL) != 0) {
        return 0;
    }
    mcp_client_init(&client, t.target.loop, &wire, NULL, NULL, &observer);
    client.dialer.opener = open_stream;
    client.dialer.opener_owner = &t.target;
    mcp_call_init(&t.call, &call_events);
    mcp_session_init(&t.session, &client, STR(" / HTTP/1.1\r\nHost: target\r\n"), &session_events,
                     &t);
    mcp_session_open(&t.session, NULL);
    loop_run_virtual(t.target.loop, &now, now + 10 * NS_PER_S);
    fuzz_require(t.opened == 1, "the session's set-up did not end once");
    fuzz_require(t.called == 1 - t.failed_open, "the call did not end once");
    mcp_session_drop(&t.session);
    mcp_client_clear(&client);
    loop_run_virtual(t.target.loop, &now, now + NS_PER_S);
    loop_free(t.target.loop);
    return 0;
}
