/* SPDX-License-Identifier: MIT */
/* A mock over streams in memory and a virtual clock: no socket, no sleeping, exact times. */
#ifndef UNIT_MOCK_RIG_H
#define UNIT_MOCK_RIG_H

#include "base/json.h"
#include "mock/server/mock.h"
#include "net/mem_stream.h"
#include "support/unit.h"

#include <errno.h>

struct rig {
    uint64_t now_ns;
    struct clock clock;
    struct loop *loop;
    struct mock_shared *shared;
    struct mock *mock;
};

/* One connection, as its client sees it. */
struct peer {
    struct rig *rig;
    struct stream *stream;
    struct buf in; /* everything received */
    bool ended, reset;
    uint64_t ended_ns, last_ns; /* when the end, the last byte came */
};

static inline void rig_start(struct rig *r, const struct mock_config *config)
{
    struct mock_config none = mock_config_default();

    *r = (struct rig){.now_ns = 5 * NS_PER_S};
    r->clock.virtual_ns = &r->now_ns;
    assert_int_equal(loop_new(&r->clock, &r->loop, NULL), 0);
    r->shared = mock_shared_new(config != NULL ? config : &none);
    r->mock = mock_new(r->shared, r->loop);
}

static inline void rig_run(struct rig *r, uint64_t ms)
{
    loop_run_virtual(r->loop, &r->now_ns, r->now_ns + ms * NS_PER_MS);
}

static inline void rig_stop(struct rig *r)
{
    mock_free(r->mock);
    mock_shared_free(r->shared);
    loop_free(r->loop);
}

static inline void peer_on_event(struct stream *s, unsigned events)
{
    struct peer *p = s->owner;
    char bytes[4096];
    ssize_t n = 1;

    (void)events;
    while (!p->ended && (n = stream_read(s, bytes, sizeof bytes)) > 0) {
        buf_add(&p->in, bytes, (size_t)n);
        p->last_ns = p->rig->now_ns;
    }
    if (!p->ended && n != -EAGAIN) {
        p->ended = true;
        p->reset = n < 0;
        p->ended_ns = p->rig->now_ns;
    }
}

static inline void peer_open(struct peer *p, struct rig *r, const struct mem_faults *faults)
{
    struct stream *far;

    *p = (struct peer){.rig = r};
    buf_init(&p->in, (size_t)128 * 1024 * 1024);
    mem_pair(r->loop, faults, &p->stream, &far);
    p->stream->owner = p;
    p->stream->on_event = peer_on_event;
    mock_accept(r->mock, far, true);
}

static inline void peer_close(struct peer *p)
{
    stream_close(p->stream);
    buf_clear(&p->in);
    rig_run(p->rig, 0);
}

static inline void peer_send(struct peer *p, struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t n = stream_write(p->stream, bytes.p, bytes.len);

        if (n < 0) {
            assert_int_equal(n, -EAGAIN);
            rig_run(p->rig, 0);
            n = 0;
        }
        bytes.p += n;
        bytes.len -= (size_t)n;
    }
}

/* `headers`: lines with CRLF, may be "". */
static inline void peer_request(
    struct peer *p, const char *method, const char *path, const char *headers, const char *body)
{
    struct buf b;

    buf_init(&b, (size_t)64 * 1024 * 1024);
    buf_printf(&b, "%s %s HTTP/1.1\r\nHost: localhost:1\r\n%s", method, path, headers);
    if (body != NULL) {
        buf_printf(&b, "Content-Length: %zu\r\n", strlen(body));
    }
    buf_add_c(&b, "\r\n");
    buf_add_c(&b, body != NULL ? body : "");
    peer_send(p, buf_str(&b));
    buf_clear(&b);
}

#define JSON_ONLY "Content-Type: application/json\r\nAccept: application/json\r\n"
#define BOTH      "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"

static inline void peer_post(struct peer *p, const char *headers, const char *body)
{
    peer_request(p, "POST", "/mcp", headers, body);
}

static inline int peer_status(struct peer *p)
{
    const char *text = buf_c(&p->in);

    return strncmp(text, "HTTP/1.1 ", 9) == 0 ? (int)strtol(text + 9, NULL, 10) : 0;
}

static inline const char *peer_body(struct peer *p)
{
    const char *end = strstr(buf_c(&p->in), "\r\n\r\n");

    return end != NULL ? end + 4 : "";
}

/* The value of a response header, "" without it; `out` has 128 bytes. */
static inline const char *peer_header(struct peer *p, const char *name, char out[128])
{
    const char *at = strstr(buf_c(&p->in), name);

    out[0] = '\0';
    if (at != NULL) {
        at += strlen(name) + 2;
        snprintf(out, 128, "%.*s", (int)strcspn(at, "\r"), at);
    }
    return out;
}

/* One request over a connection of its own; the answer is whole after `ms`. */
static inline int rig_ask(struct rig *r,
                          const char *method,
                          const char *path,
                          const char *headers,
                          const char *body,
                          char *out,
                          size_t size)
{
    struct peer p;
    int status;

    peer_open(&p, r, NULL);
    peer_request(&p, method, path, headers, body);
    rig_run(r, 0);
    status = peer_status(&p);
    if (out != NULL) {
        snprintf(out, size, "%s", peer_body(&p));
    }
    peer_close(&p);
    return status;
}

/* A number of GET /stats, "requests/tools\/call" style paths by two keys; `inner` may be NULL. */
static inline long long rig_stat(struct rig *r, const char *name, const char *inner)
{
    char text[4096];
    json_t *stats;

    assert_int_equal(rig_ask(r, "GET", "/stats", "", NULL, text, sizeof text), 200);
    assert_int_equal(json_parse(str_c(text), sizeof text, &stats, NULL), 0);
    const json_t *v = json_object_get(stats, name);
    if (inner != NULL) {
        v = json_object_get(v, inner);
    }
    long long n = v == NULL ? 0 : json_integer_value(v);
    json_decref(stats);
    return n;
}

#endif
