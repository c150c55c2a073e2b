/* SPDX-License-Identifier: MIT */
#include "net/mem_stream.h"

#include "base/buf.h"
#include "base/mem.h"

#include <errno.h>
#include <stdbool.h>

enum { DEFAULT_CAPACITY = 1024 * 1024 };

struct half {
    struct stream stream;
    struct loop *loop;
    struct half *peer; /* NULL when the other end is closed */
    struct mem_faults faults;
    struct buf inbox;
    bool eof, reset;
    bool want_write;  /* a write was refused: tell when there is room */
    unsigned pending; /* events to deliver */
    struct defer notify, death;
};

static struct half *of_stream(struct stream *s)
{
    return list_entry(s, struct half, stream);
}

static void raise_event(struct half *h, unsigned events)
{
    h->pending |= events;
    loop_defer(h->loop, &h->notify);
}

static void on_notify(struct defer *d)
{
    struct half *h = list_entry(d, struct half, notify);
    unsigned events = h->pending;

    h->pending = 0;
    if (h->stream.on_event != NULL) {
        h->stream.on_event(&h->stream, events);
    } else {
        h->pending = events; /* no owner yet: the edge waits */
        loop_defer(h->loop, d);
    }
}

static ssize_t mem_read(struct stream *s, void *p, size_t size)
{
    struct half *h = of_stream(s);
    size_t n = h->inbox.len < size ? h->inbox.len : size;

    if (h->faults.read_max > 0 && n > h->faults.read_max) {
        n = h->faults.read_max;
        raise_event(h, STREAM_READABLE); /* the rest comes with an edge of its own */
    }
    if (n > 0) {
        memcpy(p, h->inbox.p, n);
        buf_consume(&h->inbox, n);
        if (h->peer != NULL && h->peer->want_write) {
            h->peer->want_write = false;
            raise_event(h->peer, STREAM_WRITABLE);
        }
        return (ssize_t)n;
    }
    if (h->reset) {
        return -ECONNRESET;
    }
    return h->eof ? 0 : -EAGAIN;
}

static ssize_t mem_write(struct stream *s, const void *p, size_t len)
{
    struct half *h = of_stream(s);

    if (h->peer == NULL) {
        return h->reset ? -ECONNRESET : -EPIPE;
    }
    size_t room = h->peer->inbox.max - h->peer->inbox.len;
    size_t n = len < room ? len : room;
    if (h->faults.write_max > 0 && n > h->faults.write_max) {
        n = h->faults.write_max;
    }
    if (n == 0) {
        h->want_write = true;
        return -EAGAIN;
    }
    buf_add(&h->peer->inbox, p, n);
    raise_event(h->peer, STREAM_READABLE);
    if (n < len) {
        h->want_write = true;
        if (h->faults.write_max > 0) {
            raise_event(h, STREAM_WRITABLE);
        }
    }
    return (ssize_t)n;
}

static void free_half(struct defer *d)
{
    struct half *h = list_entry(d, struct half, death);

    buf_clear(&h->inbox);
    xfree(h);
}

static void mem_close(struct stream *s, int reset)
{
    struct half *h = of_stream(s);

    if (h->peer != NULL) {
        h->peer->eof = true;
        h->peer->reset = reset != 0;
        h->peer->peer = NULL;
        raise_event(h->peer, STREAM_READABLE | STREAM_HUP);
    }
    loop_defer_cancel(&h->notify);
    loop_bury(h->loop, &h->death);
}

static const struct stream_ops mem_ops = {
    .read = mem_read,
    .write = mem_write,
    .close = mem_close,
};

static struct half *make_half(struct loop *loop, const struct mem_faults *faults)
{
    struct half *h = xcalloc(1, sizeof *h);

    h->stream.ops = &mem_ops;
    h->loop = loop;
    h->faults = faults != NULL ? *faults : (struct mem_faults){0};
    buf_init(&h->inbox, h->faults.capacity > 0 ? h->faults.capacity : DEFAULT_CAPACITY);
    defer_init(&h->notify, on_notify);
    defer_init(&h->death, free_half);
    return h;
}

void mem_pair(struct loop *loop,
              const struct mem_faults *faults,
              struct stream **a,
              struct stream **b)
{
    struct half *x = make_half(loop, faults);
    struct half *y = make_half(loop, faults);

    x->peer = y;
    y->peer = x;
    raise_event(x, STREAM_WRITABLE);
    raise_event(y, STREAM_WRITABLE);
    *a = &x->stream;
    *b = &y->stream;
}
