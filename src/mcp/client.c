/* SPDX-License-Identifier: MIT */
#include "mcp/client.h"

#include "base/mem.h"
#include "mcp/scratch.h"

enum { REQUEST_MAX = 64 * 1024 * 1024 };

static void on_admit(struct defer *d)
{
    struct mcp_client *c = list_entry(d, struct mcp_client, admit_);

    while (!list_empty(&c->waiting_) && mcp_client_may_dial(c)) {
        mcp_call_admit(list_entry(c->waiting_.next, struct mcp_call, gate.node));
    }
}

void mcp_client_init(struct mcp_client *c,
                     struct loop *loop,
                     const struct mcp_target *target,
                     dial_filter_fn *filter,
                     const void *filter_owner,
                     const struct mcp_observer *observer)
{
    memset(c, 0, sizeof *c);
    c->loop = loop;
    c->target = target;
    c->observer = *observer;
    http_client_init(&c->http, loop);
    dialer_init(&c->dialer, loop, target->host, target->port, filter, filter_owner);
    buf_init(&c->out_, REQUEST_MAX);
    list_init(&c->free_scratch_);
    list_init(&c->waiting_);
    gate_init(&c->gate, loop, 0);
    defer_init(&c->admit_, on_admit);
}

void mcp_client_clear(struct mcp_client *c)
{
    loop_defer_cancel(&c->admit_);
    gate_clear(&c->gate);
    list_foreach_safe (node, &c->free_scratch_) {
        struct mcp_scratch *s = list_entry(node, struct mcp_scratch, node);

        jsonrpc_scan_free(s->scan);
        xfree(s);
    }
    list_init(&c->free_scratch_);
    buf_clear(&c->out_);
    http_client_clear(&c->http);
}

void mcp_client_limits(struct mcp_client *c, uint64_t to[LIMIT_COUNT])
{
    limits_move(to, c->limits);
    to[LIMIT_ADDRESSES] += c->dialer.addrs_.left_out;
    c->dialer.addrs_.left_out = 0;
}

bool mcp_client_may_dial(const struct mcp_client *c)
{
    uint64_t max = c->target->max_connections;

    return max == 0 || c->http.open_conns + c->dialing_ < max;
}

void mcp_client_admit(struct mcp_client *c)
{
    if (!list_empty(&c->waiting_)) {
        loop_defer(c->loop, &c->admit_);
    }
}

void mcp_client_hang_up(struct mcp_client *c, struct http_conn *conn, bool reset)
{
    http_conn_close(conn, reset);
    mcp_client_admit(c);
}

struct mcp_scratch *mcp_scratch_take(struct mcp_client *c)
{
    struct mcp_scratch *s;

    if (list_empty(&c->free_scratch_)) {
        s = xcalloc(1, sizeof *s);
        s->scan = jsonrpc_scan_new();
    } else {
        s = list_entry(c->free_scratch_.next, struct mcp_scratch, node);
        list_remove(&s->node);
    }
    list_init(&s->node);
    s->text_len = 0;
    return s;
}

void mcp_scratch_give_back(struct mcp_client *c, struct mcp_scratch *s)
{
    if (s != NULL) {
        list_prepend(&c->free_scratch_, &s->node);
    }
}
