/* SPDX-License-Identifier: MIT */
#include "support/peer.h"

#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

enum { IN_MAX = 1024 * 1024 };

/* ---- steps ----------------------------------------------------------------------------------- */

static void disarm_all(struct peer_conn *c)
{
    for (int i = 0; i < PEER_STEPS_MAX; i++) {
        loop_send_cancel(c->peer->loop, &c->steps[i].at);
        c->steps[i].bytes.len = 0;
    }
}

static void hang_up(struct peer_conn *c, bool reset)
{
    if (c->stream == NULL) {
        return;
    }
    disarm_all(c);
    if (reset) {
        stream_reset(c->stream);
    } else {
        stream_close(c->stream);
    }
    c->stream = NULL;
    c->peer->open_connections--;
}

static void write_all(struct peer_conn *c, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = stream_write(c->stream, p, len);

        if (n < 0) {
            assert(n == -EPIPE || n == -ECONNRESET); /* the client has gone */
            return;
        }
        p += n;
        len -= (size_t)n;
    }
}

static void on_step(struct send *s)
{
    struct peer_step *step = list_entry(s, struct peer_step, at);
    struct peer_conn *c = step->conn;

    write_all(c, step->bytes.p, step->bytes.len);
    c->peer->scripted_bytes += step->scripted ? step->bytes.len : 0;
    step->bytes.len = 0;
    if (step->close != 0) {
        hang_up(c, step->close == 2);
    }
}

static struct peer_step *new_step(struct peer_conn *c, uint64_t after_ns)
{
    uint64_t at = loop_now(c->peer->loop) + after_ns;

    for (int i = 0; i < PEER_STEPS_MAX; i++) {
        struct peer_step *step = &c->steps[i];

        if (!send_armed(&step->at)) {
            c->last_ns = at > c->last_ns ? at : c->last_ns;
            step->close = 0;
            step->scripted = c->scripted;
            step->bytes.len = 0;
            loop_send_arm(c->peer->loop, &step->at, c->last_ns);
            return step;
        }
    }
    assert(false); /* more steps than a connection has */
    return NULL;
}

void peer_bytes(struct peer_conn *c, uint64_t after_ns, const char *fmt, ...)
{
    struct peer_step *step = new_step(c, after_ns);
    va_list ap;

    va_start(ap, fmt);
    int rc = buf_vprintf(&step->bytes, fmt, ap);
    va_end(ap);
    assert(rc == 0);
}

void peer_close(struct peer_conn *c, uint64_t after_ns)
{
    new_step(c, after_ns)->close = 1;
}

void peer_reset(struct peer_conn *c, uint64_t after_ns)
{
    new_step(c, after_ns)->close = 2;
}

/* ---- answers ----------------------------------------------------------------------------------
 */

void peer_respond(struct peer_conn *c,
                  uint64_t after_ns,
                  int status,
                  const char *type,
                  const char *more,
                  const char *body)
{
    peer_bytes(c, after_ns, "HTTP/1.1 %d X\r\n%s%s%s%sContent-Length: %zu\r\n\r\n%s", status,
               type != NULL ? "Content-Type: " : "", type != NULL ? type : "",
               type != NULL ? "\r\n" : "", more != NULL ? more : "", strlen(body), body);
}

void peer_sse_begin(struct peer_conn *c, uint64_t after_ns, const char *more)
{
    peer_bytes(c, after_ns,
               "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n%s"
               "Transfer-Encoding: chunked\r\n\r\n",
               more != NULL ? more : "");
}

void peer_sse(struct peer_conn *c, uint64_t after_ns, const char *fmt, ...)
{
    struct buf *text = &c->peer->body;
    va_list ap;

    text->len = 0;
    va_start(ap, fmt);
    int rc = buf_vprintf(text, fmt, ap);
    va_end(ap);
    assert(rc == 0);
    peer_bytes(c, after_ns, "%zx\r\n%s\r\n", text->len, buf_c(text));
}

void peer_sse_end(struct peer_conn *c, uint64_t after_ns)
{
    peer_bytes(c, after_ns, "0\r\n\r\n");
}

/* ---- a plain server ----------------------------------------------------------------------------
 */

static const char *result_of(const struct peer *p, const char *method)
{
    static const struct {
        const char *method, *result;
    } results[] = {
        {"tools/list", "{\"tools\":[{\"name\":\"echo\"},{\"name\":\"add\"}]}"},
        {"tools/call", "{\"content\":[{\"type\":\"text\",\"text\":\"ok\"}]}"},
        {"prompts/list", "{\"prompts\":[{\"name\":\"greet\"}]}"},
        {"resources/list", "{\"resources\":[{\"uri\":\"mem://a\",\"name\":\"a\"}]}"},
    };

    if (p->fail_calls && strcmp(method, "tools/call") == 0) {
        return "{\"isError\":true,\"content\":[]}";
    }
    for (size_t i = 0; i < sizeof results / sizeof results[0]; i++) {
        if (strcmp(results[i].method, method) == 0) {
            return results[i].result;
        }
    }
    return "{}";
}

static void serve_initialize(struct peer *p, const struct peer_request *r)
{
    static const char key[] = "\"protocolVersion\":\"";
    const char *at = memmem(r->body.p, r->body.len, key, sizeof key - 1);
    char more[64] = "", body[512];
    int len = 10;

    assert(at != NULL);
    const char *version = p->version != NULL ? p->version : at + sizeof key - 1;
    if (p->version != NULL) {
        len = (int)strlen(p->version);
    }
    p->sessions++;
    if (!p->no_session_ids) {
        snprintf(more, sizeof more, "Mcp-Session-Id: session-%llu\r\n",
                 (unsigned long long)p->sessions);
    }
    snprintf(body, sizeof body,
             "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":{\"protocolVersion\":\"%.*s\","
             "\"capabilities\":{\"tools\":{},\"prompts\":{},\"resources\":{}},"
             "\"serverInfo\":{\"name\":\"peer\",\"version\":\"1\"}}}",
             (long long)r->id, len, version);
    if (p->sse) {
        peer_sse_begin(r->conn, p->delay_ns, more);
        peer_sse(r->conn, 0, "event: message\ndata: %s\n\n", body);
        peer_sse_end(r->conn, 0);
    } else {
        peer_respond(r->conn, p->delay_ns, 200, "application/json", more, body);
    }
}

void peer_serve(struct peer *p, const struct peer_request *r)
{
    char body[512];

    if (strcmp(r->method, "initialize") == 0) {
        serve_initialize(p, r);
        return;
    }
    if (!r->has_id) {
        peer_respond(r->conn, p->delay_ns, strcmp(r->verb, "DELETE") == 0 ? 204 : 202, NULL, NULL,
                     "");
        return;
    }
    snprintf(body, sizeof body, "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":%s}", (long long)r->id,
             result_of(p, r->method));
    if (p->sse) {
        peer_sse_begin(r->conn, p->delay_ns, NULL);
        peer_sse(r->conn, 0, "data: %s\n\n", body);
        peer_sse_end(r->conn, 0);
    } else {
        peer_respond(r->conn, p->delay_ns, 200, "application/json", NULL, body);
    }
}

/* ---- requests ----------------------------------------------------------------------------------
 */

struct str peer_header(const struct peer_request *request, const char *name)
{
    size_t name_len = strlen(name);
    const char *p = request->head.p, *end = p + request->head.len;

    while (p < end) {
        const char *eol = memmem(p, (size_t)(end - p), "\r\n", 2);

        eol = eol != NULL ? eol : end;
        if ((size_t)(eol - p) > name_len && strncasecmp(p, name, name_len) == 0 &&
            p[name_len] == ':') {
            return str_trim((struct str){p + name_len + 1, (size_t)(eol - p) - name_len - 1});
        }
        p = eol + 2;
    }
    return (struct str){NULL, 0};
}

static void count(struct peer *p, const char *method)
{
    for (int i = 0; i < PEER_METHODS_MAX; i++) {
        struct peer_count *c = &p->counts[i];

        if (c->count == 0) {
            snprintf(c->method, sizeof c->method, "%s", method);
        }
        if (strcmp(c->method, method) == 0) {
            c->count++;
            return;
        }
    }
    assert(false); /* more methods than are counted */
}

uint64_t peer_count_of(const struct peer *p, const char *method)
{
    for (int i = 0; i < PEER_METHODS_MAX; i++) {
        if (p->counts[i].count > 0 && strcmp(p->counts[i].method, method) == 0) {
            return p->counts[i].count;
        }
    }
    return 0;
}

/* What stands between `key` and the next quote, or "". */
static void copy_text(struct str body, const char *key, char *out, size_t size)
{
    const char *at = memmem(body.p, body.len, key, strlen(key));

    out[0] = '\0';
    if (at != NULL) {
        at += strlen(key);
        const char *end = memchr(at, '"', (size_t)(body.p + body.len - at));
        assert(end != NULL && (size_t)(end - at) < size);
        memcpy(out, at, (size_t)(end - at));
        out[end - at] = '\0';
    }
}

static void read_message(struct peer_request *r)
{
    const char *at = memmem(r->body.p, r->body.len, "\"id\":", 5);
    const char *method = memmem(r->body.p, r->body.len, "\"method\":\"", 10);

    snprintf(r->method, sizeof r->method, "%s", r->verb);
    if (r->body.len == 0) {
        return;
    }
    copy_text(r->body, "\"method\":\"", r->method, sizeof r->method);
    if (at != NULL && at < method) {
        struct str digits = {at + 5, 0};
        uint64_t id = 0;

        while (digits.p[digits.len] >= '0' && digits.p[digits.len] <= '9') {
            digits.len++;
        }
        r->has_id = str_u64(digits, INT64_MAX, &id);
        assert(r->has_id);
        r->id = (int64_t)id;
    }
}

/* True when a whole request was there. */
static bool take_request(struct peer_conn *c)
{
    struct peer *p = c->peer;
    const char *end = c->in.len > 0 ? memmem(c->in.p, c->in.len, "\r\n\r\n", 4) : NULL;

    if (end == NULL || c->stream == NULL) {
        return false;
    }
    struct peer_request r = {
        .conn = c,
        .head = {c->in.p, (size_t)(end - c->in.p) + 2},
        .number = p->requests,
        .at_ns = loop_now(p->loop),
    };
    size_t head_len = r.head.len + 2;
    uint64_t body_len = 0;
    struct str length = peer_header(&r, "Content-Length");
    if (length.p != NULL) {
        bool ok = str_u64(length, IN_MAX, &body_len);
        assert(ok);
    }
    if (c->in.len < head_len + body_len) {
        return false;
    }
    r.body = (struct str){c->in.p + head_len, body_len};
    const char *blank = memchr(c->in.p, ' ', c->in.len);
    assert(blank != NULL && (size_t)(blank - c->in.p) < sizeof r.verb);
    memcpy(r.verb, c->in.p, (size_t)(blank - c->in.p));
    read_message(&r);
    p->requests++;
    count(p, r.method);
    c->scripted = true;
    bool answered = p->on_request != NULL && p->on_request(p->owner, &r);
    c->scripted = false;
    if (!answered) {
        peer_serve(p, &r);
    }
    buf_consume(&c->in, head_len + body_len);
    return true;
}

static void on_event(struct stream *s, unsigned events)
{
    struct peer_conn *c = s->owner;
    char piece[16 * 1024];

    if ((events & STREAM_READABLE) == 0) {
        return;
    }
    for (;;) {
        ssize_t n = stream_read(s, piece, sizeof piece);

        if (n == -EAGAIN) {
            break;
        }
        if (n <= 0) {
            *(n == 0 ? &c->peer->closes : &c->peer->resets) += 1;
            hang_up(c, false);
            return;
        }
        int rc = buf_add(&c->in, piece, (size_t)n);
        assert(rc == 0);
    }
    while (take_request(c)) {
    }
}

/* ---- the peer ----------------------------------------------------------------------------------
 */

void peer_init(struct peer *p, struct loop *loop)
{
    *p = (struct peer){.loop = loop};
    list_init(&p->conns);
    buf_init(&p->body, IN_MAX);
}

int peer_open(void *owner, struct stream **out)
{
    struct peer *p = owner;

    if (p->refuse != 0) {
        p->refused++;
        return -p->refuse;
    }
    struct peer_conn *c = xcalloc(1, sizeof *c);
    c->peer = p;
    buf_init(&c->in, IN_MAX);
    for (int i = 0; i < PEER_STEPS_MAX; i++) {
        send_init(&c->steps[i].at, on_step);
        c->steps[i].conn = c;
        buf_init(&c->steps[i].bytes, IN_MAX);
    }
    mem_pair(p->loop, &p->faults, out, &c->stream);
    c->stream->owner = c;
    c->stream->on_event = on_event;
    list_append(&p->conns, &c->node);
    p->connections++;
    p->open_connections++;
    if (p->open_connections > p->peak_connections) {
        p->peak_connections = p->open_connections;
    }
    return 0;
}

void peer_clear(struct peer *p)
{
    list_foreach_safe (node, &p->conns) {
        struct peer_conn *c = list_entry(node, struct peer_conn, node);

        hang_up(c, false);
        for (int i = 0; i < PEER_STEPS_MAX; i++) {
            buf_clear(&c->steps[i].bytes);
        }
        buf_clear(&c->in);
        list_remove(&c->node);
        xfree(c);
    }
    buf_clear(&p->body);
}
