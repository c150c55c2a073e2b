/* SPDX-License-Identifier: MIT */
/* An API on a hub of tables, over streams in memory and a virtual clock. */
#ifndef UNIT_API_RIG_H
#define UNIT_API_RIG_H

#include "api/api.h"
#include "mock/server/mock.h"
#include "net/mem_stream.h"
#include "support/unit.h"
#include "unit/api/fake_hub.h"

#include <errno.h>

struct rig {
    uint64_t now_ns;
    struct clock clock;
    struct loop *loop;
    struct hub hub;
    struct api *api;
};

struct peer {
    struct rig *rig;
    struct stream *stream;
    struct buf in;
    bool ended, deaf;
};

static const char *const rig_origins[] = {"https://drill.example"};

static inline void rig_start(struct rig *r, bool with_mock)
{
    static struct mock_config mock;

    mock = mock_config_default();
    *r = (struct rig){.now_ns = 5 * NS_PER_S};
    r->clock.virtual_ns = &r->now_ns;
    assert_int_equal(loop_new(&r->clock, &r->loop, NULL), 0);
    fake_init(&r->hub, r->loop);
    r->api = api_new(&(struct api_config){
        .loop = r->loop,
        .hub = &r->hub,
        .guard = {.local = true, .origins = rig_origins, .origin_count = 1},
        .mock = with_mock ? &mock : NULL,
    });
}

static inline void rig_run(struct rig *r, uint64_t ms)
{
    loop_run_virtual(r->loop, &r->now_ns, r->now_ns + ms * NS_PER_MS);
}

static inline void rig_stop(struct rig *r)
{
    api_free(r->api);
    rig_run(r, 0);
    loop_free(r->loop);
}

static inline void peer_on_event(struct stream *s, unsigned events)
{
    struct peer *p = s->owner;
    static char bytes[65536];
    ssize_t n = 1;

    (void)events;
    while (!p->deaf && !p->ended && (n = stream_read(s, bytes, sizeof bytes)) > 0) {
        buf_add(&p->in, bytes, (size_t)n);
    }
    if (!p->deaf && !p->ended && n != -EAGAIN) {
        p->ended = true;
    }
}

static inline void peer_open(struct peer *p, struct rig *r)
{
    struct stream *far;

    *p = (struct peer){.rig = r};
    buf_init(&p->in, (size_t)512 * 1024 * 1024);
    mem_pair(r->loop, NULL, &p->stream, &far);
    p->stream->owner = p;
    p->stream->on_event = peer_on_event;
    api_accept(r->api, far, true);
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
            if (n != -EAGAIN) {
                return; /* the server has closed; the test looks at what it said */
            }
            rig_run(p->rig, 0);
            n = 0;
        }
        bytes.p += n;
        bytes.len -= (size_t)n;
    }
}

/* `headers`: lines with CRLF, Host among them if there is to be one; `body` may be NULL. */
static inline void peer_request(
    struct peer *p, const char *method, const char *path, const char *headers, const char *body)
{
    struct buf b;

    buf_init(&b, (size_t)64 * 1024 * 1024);
    buf_printf(&b, "%s %s HTTP/1.1\r\n%s", method, path, headers);
    if (body != NULL) {
        buf_printf(&b, "Content-Length: %zu\r\n", strlen(body));
    }
    buf_add_c(&b, "\r\n");
    buf_add_c(&b, body != NULL ? body : "");
    peer_send(p, buf_str(&b));
    buf_clear(&b);
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

static inline unsigned peer_count(struct peer *p, const char *what)
{
    unsigned n = 0;

    for (const char *at = buf_c(&p->in); (at = strstr(at, what)) != NULL; at++) {
        n++;
    }
    return n;
}

#define LOCAL "Host: localhost:8080\r\n"

/* One request on a connection of its own, with Host; the whole answer into `out`. */
static inline int rig_ask(struct rig *r,
                          const char *method,
                          const char *path,
                          const char *headers,
                          const char *body,
                          char *out,
                          size_t size)
{
    struct peer p;
    char lines[2000];

    snprintf(lines, sizeof lines, LOCAL "%s", headers);
    peer_open(&p, r);
    peer_request(&p, method, path, lines, body);
    rig_run(r, 0);
    int status = peer_status(&p);
    if (out != NULL) {
        snprintf(out, size, "%s", buf_c(&p.in));
    }
    peer_close(&p);
    return status;
}

#endif
