/* SPDX-License-Identifier: MIT */
#include "api/answer.h"

#include "base/mem.h"

#include <stdio.h>

json_t *answer_text(const char *text, size_t len)
{
    json_t *s = json_stringn(text, len);

    if (s == NULL) {
        char *plain = xstrndup(text, len);

        for (size_t i = 0; i < len; i++) {
            if (plain[i] == '\0' || (plain[i] & 0x80) != 0) {
                plain[i] = '?';
            }
        }
        s = json_stringn(plain, len);
        xfree(plain);
    }
    return s;
}

/* ---- leaving ------------------------------------------------------------------------------ */

void answer_trim(struct buf *b)
{
    enum { KEEP_BYTES = 1024 * 1024 };

    if (b->cap > KEEP_BYTES) {
        buf_clear(b);
    }
}

static void
send_json(struct api *a, struct http_exchange *x, int status, const char *extra, const json_t *body)
{
    struct http_answer answer = {.status = status, .headers = str_c(extra)};

    a->body.len = 0;
    if (body != NULL) {
        if (json_write(body, &a->body) != 0) { /* beyond the buffer's maximum */
            answer.status = 500;
            answer_error_text(&(struct answer_error){.type = "internal", .code = "INTERNAL_ERROR"},
                              "the answer is too large to be sent; ask for less of it", &a->body);
        } else {
            buf_add(&a->body, "\n", 1);
        }
        answer.content_type = STR("application/json");
    }
    answer.body = buf_str(&a->body);
    http_reply(x, &answer);
    answer_trim(&a->body);
}

/* Among warnings of a scenario, which are objects, one about the request is an object, too. */
static void add_warnings(struct api_request *r, json_t *body)
{
    json_t *there = json_object_get(body, "warnings");
    bool objects = json_is_object(json_array_get(there, 0));
    size_t i;
    json_t *text;

    if (r->warnings == NULL || !json_is_object(body)) {
        return;
    }
    if (there == NULL) {
        json_object_set(body, "warnings", r->warnings);
        return;
    }
    json_array_foreach(r->warnings, i, text)
    {
        json_t *entry = objects ? json_pack("{s:s, s:s, s:O}", "code", "UNKNOWN_PARAMETER", "level",
                                            "warning", "message", text)
                                : json_incref(text);
        json_array_append_new(there, entry);
    }
}

void answer_json(struct api_request *r, int status, json_t *body)
{
    add_warnings(r, body);
    send_json(r->api, r->x, status, r->extra, body);
    json_decref(body);
}

/* ---- errors ------------------------------------------------------------------------------- */

static json_t *error_body(const struct answer_error *e, const char *message)
{
    json_t *o = json_pack("{s:s, s:s, s:o, s:b}", "error_type", e->type, "error_code", e->code,
                          "error_message", answer_text(message, strlen(message)), "retryable",
                          e->retryable ? 1 : 0);

    if (e->details != NULL && json_object_size(e->details) > 0) {
        json_object_set(o, "details", e->details);
    }
    return o;
}

void answer_error_text(const struct answer_error *e, const char *message, struct buf *out)
{
    json_t *o = error_body(e, message);

    json_write(o, out);
    buf_add(out, "\n", 1);
    json_decref(o);
}

static void send_error(struct api_request *r, const struct answer_error *e, const char *message)
{
    json_t *body = error_body(e, message);

    json_decref(e->details);
    answer_json(r, e->status, body);
}

void answer_error(struct api_request *r, const struct answer_error *e, const char *format, ...)
{
    char message[1024];
    va_list ap;

    va_start(ap, format);
    vsnprintf(message, sizeof message, format, ap);
    va_end(ap);
    send_error(r, e, message);
}

void answer_invalid(struct api_request *r, const char *format, ...)
{
    const struct answer_error e = {
        .status = 400, .type = "invalid_argument", .code = "INVALID_REQUEST"};
    char message[1024];
    va_list ap;

    va_start(ap, format);
    vsnprintf(message, sizeof message, format, ap);
    va_end(ap);
    send_error(r, &e, message);
}

static void add_id(json_t *details, const char *name, const char *id)
{
    if (id != NULL && json_object_get(details, name) == NULL) {
        json_object_set_new(details, name, json_string(id));
    }
}

void answer_refusal(struct api_request *r, struct hub_refusal *why)
{
    bool known = why->status != 0; /* else a bug of ours, which is told as one */
    struct answer_error e = {
        .status = known ? why->status : 500,
        .type = known ? why->type : "internal",
        .code = known ? why->code : "INTERNAL_ERROR",
        .retryable = !known || why->retryable,
        .details = json_is_object(why->details) ? json_incref(why->details) : json_object(),
    };

    add_id(e.details, "run_id", r->run_id);
    add_id(e.details, "worker_id", r->worker_id);
    send_error(r, &e, known ? why->message : "something went wrong here; try again");
    hub_refusal_clear(why);
}

/* ---- answers that wait -------------------------------------------------------------------- */

struct pending {
    struct api_held held;
    struct store_wait wait;
    struct list node;
    struct api *api;
    struct http_exchange *x;
    json_t *body;
    int status;
    char extra[API_EXTRA_MAX];
};

enum { PENDING_LOOK_S = 1 };

static void free_pending(struct pending *p)
{
    store_wait_cancel(&p->wait);
    list_remove(&p->node);
    json_decref(p->body);
    xfree(p);
}

static void on_durable(struct store_wait *wait)
{
    struct pending *p = list_entry(wait, struct pending, wait);

    send_json(p->api, p->x, p->status, p->extra, p->body);
    free_pending(p);
}

static void on_pending_gone(struct api_held *held)
{
    free_pending(list_entry(held, struct pending, held));
}

static void fail_pending(struct pending *p, const char *why)
{
    const struct answer_error e = {
        .status = 500, .type = "internal", .code = "INTERNAL_ERROR", .retryable = true};
    json_t *body = error_body(&e, why);

    send_json(p->api, p->x, e.status, p->extra, body);
    json_decref(body);
    free_pending(p);
}

/* A store that has failed calls nobody. */
static void on_pending_look(struct timer *t)
{
    struct api *a = list_entry(t, struct api, pending_look);
    struct err err = {0};
    char why[400];

    if (store_failed(hub_store(a->hub), &err)) {
        snprintf(why, sizeof why,
                 "the store cannot be written: %s; start the server again when there is room",
                 err.msg);
        while (!list_empty(&a->pending)) {
            fail_pending(list_entry(a->pending.next, struct pending, node), why);
        }
    }
    if (!list_empty(&a->pending)) {
        loop_timer_arm(a->loop, t, loop_now(a->loop) + PENDING_LOOK_S * NS_PER_S);
    }
}

void answer_durable(struct api_request *r, int status, json_t *body)
{
    struct api *a = r->api;
    struct pending *p = xcalloc(1, sizeof *p);

    add_warnings(r, body);
    p->held.gone = on_pending_gone;
    store_wait_init(&p->wait, on_durable);
    p->api = a;
    p->x = r->x;
    p->status = status;
    p->body = body;
    snprintf(p->extra, sizeof p->extra, "%s", r->extra);
    list_append(&a->pending, &p->node);
    r->x->user = &p->held;
    hub_when_durable(a->hub, &p->wait);
    if (!timer_armed(&a->pending_look)) {
        loop_timer_arm(a->loop, &a->pending_look, loop_now(a->loop) + PENDING_LOOK_S * NS_PER_S);
    }
}

void pending_init(struct api *a)
{
    list_init(&a->pending);
    timer_init(&a->pending_look, on_pending_look);
}

/* ---- streams ------------------------------------------------------------------------------ */

void answer_stream(struct api_request *r)
{
    char headers[API_EXTRA_MAX + 80];
    size_t i;
    json_t *text;

    snprintf(headers, sizeof headers, "Cache-Control: no-cache\r\nX-Accel-Buffering: no\r\n%s",
             r->extra);
    http_stream_begin(r->x,
                      &(struct http_answer){
                          .status = 200,
                          .content_type = STR("text/event-stream; charset=utf-8"),
                          .headers = str_c(headers),
                      },
                      HTTP_LENGTH_UNKNOWN);
    json_array_foreach(r->warnings, i, text)
    {
        struct buf *frame = &r->api->frame;

        frame->len = 0;
        buf_add_c(frame, ":");
        json_write(text, frame); /* quoted: no line can end inside it */
        buf_add_c(frame, "\n\n");
        http_stream_write(r->x, buf_str(frame));
    }
}
