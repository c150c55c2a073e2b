/* SPDX-License-Identifier: MIT */
/*
 * A byte stream without waiting: TCP, a pair in memory for tests, later TLS and pipes. All look
 * alike from above; each knows only the one below.
 *
 * Events come from the loop, never from inside a call. Readiness is edge-triggered: after
 * STREAM_READABLE read until a read is short or says EAGAIN; after a write says EAGAIN wait for
 * STREAM_WRITABLE. STREAM_HUP means that the end is in the pipe: read until it comes.
 */
#ifndef NET_STREAM_H
#define NET_STREAM_H

#include <stddef.h>
#include <sys/types.h>

enum {
    STREAM_READABLE = 1,
    STREAM_WRITABLE = 2,
    STREAM_HUP = 4,
};

struct stream;

struct stream_ops {
    /* > 0 bytes; 0 at the end; -EAGAIN; another negative errno when the stream is broken. */
    ssize_t (*read)(struct stream *s, void *p, size_t size);
    /* > 0 bytes taken; -EAGAIN; another negative errno when the stream is broken. */
    ssize_t (*write)(struct stream *s, const void *p, size_t len);
    /* No callback comes after it; the memory is freed later in the loop's turn. `reset` asks for
     * an abortive close (TCP: RST). */
    void (*close)(struct stream *s, int reset);
};

struct stream {
    const struct stream_ops *ops;
    void (*on_event)(struct stream *s, unsigned events); /* set by the owner */
    void *owner;
};

static inline ssize_t stream_read(struct stream *s, void *p, size_t size)
{
    return s->ops->read(s, p, size);
}

static inline ssize_t stream_write(struct stream *s, const void *p, size_t len)
{
    return s->ops->write(s, p, len);
}

/* NULL is fine. */
static inline void stream_close(struct stream *s)
{
    if (s != NULL) {
        s->ops->close(s, 0);
    }
}

static inline void stream_reset(struct stream *s)
{
    if (s != NULL) {
        s->ops->close(s, 1);
    }
}

#endif
