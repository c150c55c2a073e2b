/* SPDX-License-Identifier: MIT */
/* Any bytes into the API, in one piece and cut in two, over a hub of tables: it answers or closes,
 * and what it answers is HTTP with the errors' one shape. */
#include "api/api.h"
#include "fuzz/fuzz.h"
#include "mock/server/mock.h"
#include "net/mem_stream.h"
#include "unit/api/fake_hub.h"

#include <errno.h>

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

static void check_answer(struct client *c)
{
    const char *text = buf_c(&c->in);
    bool failed = c->in.len > 12 && text[9] >= '4';

    fuzz_require(c->in.len < 9 || memcmp(text, "HTTP/1.1 ", 9) == 0, "an answer that is none");
    /* The mock, and HEAD, answer without a body of ours. */
    if (failed && strstr(text, "{\"error_type\"") != NULL) {
        fuzz_require(strstr(text, "\"error_code\":\"") != NULL &&
                         strstr(text, "\"error_message\":\"") != NULL &&
                         strstr(text, "\"retryable\":") != NULL,
                     "an error of another shape");
    }
    fuzz_require(strstr(text, "\"error_code\":\"INTERNAL_ERROR\"") == NULL, "an error of our own");
}

static void talk(struct loop *loop, uint64_t *now, struct str bytes, size_t cut)
{
    struct mock_config mock = mock_config_default();
    struct client c = {0};
    struct hub hub;
    struct stream *far;

    fake_init(&hub, loop);
    hub.orders_at_once = true;
    hub.runs[0].event_count = 3;
    hub.runs[1].event_count = 3;
    hub.runs[1].over = true;
    struct api *api = api_new(
        &(struct api_config){.loop = loop, .hub = &hub, .guard = {.local = true}, .mock = &mock});
    buf_init(&c.in, 1 << 20);
    mem_pair(loop, NULL, &c.stream, &far);
    c.stream->owner = &c;
    c.stream->on_event = on_event;
    api_accept(api, far, true);
    (void)stream_write(c.stream, bytes.p, cut);
    loop_run_virtual(loop, now, *now + NS_PER_MS);
    if (cut < bytes.len) {
        (void)stream_write(c.stream, bytes.p + cut, bytes.len - cut);
    }
    loop_run_virtual(loop, now, *now + 3 * NS_PER_S);
    check_answer(&c);
    stream_close(c.stream);
    loop_run_virtual(loop, now, *now + NS_PER_MS);
    fuzz_require(hub.link == NULL && list_empty(&hub.waits) && list_empty(&hub.runs[0].watches),
                 "something is left of a client that is gone");
    api_free(api);
    loop_run_virtual(loop, now, *now + NS_PER_MS);
    buf_clear(&c.in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = {(const char *)data, size};
    uint64_t now = NS_PER_S;
    struct clock clock = {.virtual_ns = &now};
    struct loop *loop;

    if (loop_new(&clock, &loop, NULL) != 0) {
        return 0;
    }
    talk(loop, &now, bytes, size);
    talk(loop, &now, bytes, size > 0 ? data[0] % size : 0);
    loop_free(loop);
    return 0;
}
