/* SPDX-License-Identifier: MIT */
/* GET /workers/{worker_id}/commands: the orders for a worker, as the hub gives them. */
#include "api/answer.h"
#include "api/token.h"
#include "base/mem.h"

struct command_stream {
    struct api_held held;
    struct worker_link link;
    struct timer keepalive;
    struct defer lost; /* an order could not be sent: the hub hears of it outside of its call */
    struct defer death;
    struct api *api;
    struct http_exchange *x; /* NULL: the exchange is over */
};

static void free_stream(struct defer *d)
{
    xfree(list_entry(d, struct command_stream, death));
}

/* The exchange is over, and the hub knows. */
static void drop(struct command_stream *s)
{
    s->x = NULL;
    loop_timer_cancel(s->api->loop, &s->keepalive);
    loop_defer_cancel(&s->lost);
    loop_bury(s->api->loop, &s->death);
}

static void on_lost(struct defer *d)
{
    struct command_stream *s = list_entry(d, struct command_stream, lost);

    hub_detach(s->api->hub, &s->link);
    drop(s);
}

/* A worker that does not read its orders is cut off: when it comes back it gets them all again. */
static void cut_off(struct command_stream *s)
{
    http_abort(s->x, true);
    s->x = NULL;
    loop_defer(s->api->loop, &s->lost);
}

static void send_order(struct worker_link *link, struct str order)
{
    struct command_stream *s = list_entry(link, struct command_stream, link);
    struct buf *frame = &s->api->frame;

    if (s->x == NULL) {
        return;
    }
    frame->len = 0;
    if (buf_add_c(frame, "event: order\ndata: ") != 0 || buf_add_str(frame, order) != 0 ||
        buf_add_c(frame, "\n\n") != 0 ||
        http_stream_write(s->x, buf_str(frame)) == HTTP_WRITE_REFUSED) {
        cut_off(s);
    }
    answer_trim(frame);
}

static void on_replaced(struct worker_link *link)
{
    struct command_stream *s = list_entry(link, struct command_stream, link);

    if (s->x != NULL) {
        http_stream_end(s->x);
    }
    drop(s);
}

static void on_gone(struct api_held *held)
{
    struct command_stream *s = list_entry(held, struct command_stream, held);

    hub_detach(s->api->hub, &s->link);
    drop(s);
}

static void on_keepalive(struct timer *t)
{
    struct command_stream *s = list_entry(t, struct command_stream, keepalive);

    /* When the socket is full bytes are under way, and say as much. */
    if (s->x != NULL && http_stream_write(s->x, STR(":keepalive\n\n")) == HTTP_WRITE_REFUSED) {
        cut_off(s);
    }
    loop_timer_arm(s->api->loop, t, loop_now(s->api->loop) + API_COMMANDS_KEEPALIVE_S * NS_PER_S);
}

void workers_commands(struct api_request *r)
{
    struct hub_refusal why = {0};

    if (!token_ok(r)) {
        return;
    }
    struct command_stream *s = xcalloc(1, sizeof *s);
    s->held = (struct api_held){.gone = on_gone};
    s->link = (struct worker_link){.send = send_order, .replaced = on_replaced, .user = s};
    s->api = r->api;
    s->x = r->x;
    timer_init(&s->keepalive, on_keepalive);
    defer_init(&s->lost, on_lost);
    defer_init(&s->death, free_stream);
    r->x->user = &s->held;
    answer_stream(r); /* before the first order, which comes inside of hub_attach */
    loop_timer_arm(s->api->loop, &s->keepalive,
                   loop_now(s->api->loop) + API_COMMANDS_KEEPALIVE_S * NS_PER_S);
    if (hub_attach(s->api->hub, r->worker_id, &s->link, &why) != 0) {
        /* Its token was good a moment ago: nothing a worker can do but come again. */
        hub_refusal_clear(&why);
        if (s->x != NULL) {
            http_abort(s->x, false);
        }
        drop(s);
    }
}
