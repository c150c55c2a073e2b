/* SPDX-License-Identifier: MIT */
/* Any bytes into the mock server, in one piece and cut in two: its HTTP server, its reader of
 * requests and its tools. It answers or closes; it never crashes, and a complete answer begins like
 * one. */
#include "fuzz/fuzz.h"
#include "mock/server/mock.h"
#include "net/mem_stream.h"

#include <errno.h>

static const uint64_t run_ns = 3 * NS_PER_S;

struct client {
    struct stream *stream;
    struct buf in;
    bool ended;
};

static void on_event(struct stream *s, unsigned events)
{
    struct client *c = s->owner;
    char piece[4096];
    ssize_t n = 1;

    (void)events;
    while (!c->ended && (n = stream_read(s, piece, sizeof piece)) > 0) {
        (void)buf_add(&c->in, piece, (size_t)n); /* beyond the bound it is only read */
    }
    c->ended = c->ended || n != -EAGAIN;
}

static void talk(struct mock *mock, struct loop *loop, uint64_t *now, struct str bytes, size_t cut)
{
    struct client c = {0};
    struct stream *far;

    buf_init(&c.in, 65536);
    mem_pair(loop, NULL, &c.stream, &far);
    c.stream->owner = &c;
    c.stream->on_event = on_event;
    mock_accept(mock, far, true);
    (void)stream_write(c.stream, bytes.p, cut);
    loop_run_virtual(loop, now, *now + NS_PER_MS);
    if (cut < bytes.len) {
        (void)stream_write(c.stream, bytes.p + cut, bytes.len - cut);
    }
    loop_run_virtual(loop, now, *now + run_ns);
    fuzz_require(c.in.len < 9 || memcmp(c.in.p, "HTTP/1.1 ", 9) == 0, "an answer that is none");
    stream_close(c.stream);
    loop_run_virtual(loop, now, *now + NS_PER_MS);
    buf_clear(&c.in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = {(const char *)data, size};
    struct mock_config config = mock_config_default();
    uint64_t now = NS_PER_S;
    struct clock clock = {.virtual_ns = &now};
    struct loop *loop;

    if (loop_new(&clock, &loop, NULL) != 0) {
        return 0;
    }
    struct mock_shared *shared = mock_shared_new(&config);
    struct mock *mock = mock_new(shared, loop);
    talk(mock, loop, &now, bytes, size);
    talk(mock, loop, &now, bytes, size > 0 ? data[0] % size : 0);
    mock_free(mock);
    mock_shared_free(shared);
    loop_free(loop);
    return 0;
}
