/* SPDX-License-Identifier: MIT */
#include "net/tcp.h"

#include "base/mem.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

/* ---- stream ------------------------------------------------------------------------------- */

struct tcp_stream {
    struct stream stream;
    struct io io;
    struct loop *loop;
    struct defer death;
};

static struct tcp_stream *of_stream(struct stream *s)
{
    return list_entry(s, struct tcp_stream, stream);
}

static ssize_t tcp_read(struct stream *s, void *p, size_t size)
{
    ssize_t n = recv(of_stream(s)->io.fd, p, size, 0);

    return n >= 0 ? n : -errno;
}

static ssize_t tcp_write(struct stream *s, const void *p, size_t len)
{
    ssize_t n = send(of_stream(s)->io.fd, p, len, MSG_NOSIGNAL);

    return n >= 0 ? n : -errno;
}

static void free_stream(struct defer *d)
{
    xfree(list_entry(d, struct tcp_stream, death));
}

static void tcp_close(struct stream *s, int reset)
{
    struct tcp_stream *t = of_stream(s);

    loop_remove(t->loop, &t->io);
    if (reset) {
        struct linger now = {.l_onoff = 1, .l_linger = 0};
        setsockopt(t->io.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    close(t->io.fd);
    t->io.fd = -1;
    loop_bury(t->loop, &t->death);
}

static const struct stream_ops tcp_ops = {
    .read = tcp_read,
    .write = tcp_write,
    .close = tcp_close,
};

static void on_stream_io(struct io *io, uint32_t epoll_events)
{
    struct tcp_stream *t = list_entry(io, struct tcp_stream, io);
    unsigned events = 0;

    if (epoll_events & EPOLLIN) {
        events |= STREAM_READABLE;
    }
    if (epoll_events & EPOLLOUT) {
        events |= STREAM_WRITABLE;
    }
    if (epoll_events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) {
        events |= STREAM_READABLE | STREAM_HUP;
    }
    t->stream.on_event(&t->stream, events);
}

static void no_delay(int fd)
{
    int on = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static struct tcp_stream *make_stream(struct loop *loop, int fd)
{
    struct tcp_stream *t = xcalloc(1, sizeof *t);

    t->stream.ops = &tcp_ops;
    t->io.fd = fd;
    t->io.on_io = on_stream_io;
    t->loop = loop;
    defer_init(&t->death, free_stream);
    return t;
}

int tcp_wrap(struct loop *loop, int fd, struct stream **out, struct err *err)
{
    struct tcp_stream *t = make_stream(loop, fd);
    int rc = loop_add(loop, &t->io, EPOLLIN | EPOLLOUT | EPOLLRDHUP, err);

    if (rc != 0) {
        close(fd);
        xfree(t);
        return rc;
    }
    no_delay(fd);
    *out = &t->stream;
    return 0;
}

/* ---- connecting --------------------------------------------------------------------------- */

/* Becomes the stream when it is connected: the descriptor is watched only once. */
struct tcp_connect {
    struct tcp_stream *t;
    void (*on_connect)(void *owner, struct stream *stream, int sys);
    void *owner;
    struct defer death;
};

static void free_connect(struct defer *d)
{
    xfree(list_entry(d, struct tcp_connect, death));
}

static void on_connect_io(struct stream *s, unsigned events)
{
    struct tcp_connect *c = s->owner;
    struct tcp_stream *t = c->t;
    int sys = 0;
    socklen_t len = sizeof sys;

    if ((events & (STREAM_WRITABLE | STREAM_HUP)) == 0) {
        return;
    }
    if (getsockopt(t->io.fd, SOL_SOCKET, SO_ERROR, &sys, &len) != 0) {
        sys = errno;
    }
    loop_bury(t->loop, &c->death);
    if (sys != 0) {
        tcp_close(s, 0);
        c->on_connect(c->owner, NULL, sys);
        return;
    }
    s->owner = NULL;
    s->on_event = NULL;
    c->on_connect(c->owner, s, 0);
    /* A peer that spoke or hung up at once did so in this very edge; no other one tells of it. The
     * new owner may have closed the stream, whose memory lives to the end of the turn. */
    if (t->io.fd >= 0 && s->on_event != NULL && (events & STREAM_READABLE) != 0) {
        s->on_event(s, events);
    }
}

static int open_socket(const union addr *to, const union addr *source)
{
    int on = 1;
    int fd = socket(to->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return -errno;
    }
    no_delay(fd);
    if (source != NULL) {
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
        if (bind(fd, &source->sa, addr_len(source)) != 0) {
            int sys = errno;
            close(fd);
            return -sys;
        }
    }
    if (connect(fd, &to->sa, addr_len(to)) != 0 && errno != EINPROGRESS) {
        int sys = errno;
        close(fd);
        return -sys;
    }
    return fd;
}

int tcp_connect_start(struct loop *loop,
                      const union addr *to,
                      const union addr *source,
                      void (*on_connect)(void *owner, struct stream *stream, int sys),
                      void *owner,
                      struct tcp_connect **out)
{
    int fd = open_socket(to, source);

    if (fd < 0) {
        return fd;
    }
    struct tcp_stream *t = make_stream(loop, fd);
    if (loop_add(loop, &t->io, EPOLLIN | EPOLLOUT | EPOLLRDHUP, NULL) != 0) {
        int sys = errno;
        close(fd);
        xfree(t);
        return -sys;
    }
    struct tcp_connect *c = xcalloc(1, sizeof *c);
    c->t = t;
    c->on_connect = on_connect;
    c->owner = owner;
    defer_init(&c->death, free_connect);
    t->stream.owner = c;
    t->stream.on_event = on_connect_io;
    *out = c;
    return 0;
}

void tcp_connect_cancel(struct tcp_connect *c)
{
    loop_bury(c->t->loop, &c->death);
    tcp_close(&c->t->stream, 0);
}

/* ---- listening ---------------------------------------------------------------------------- */

static void accept_all(struct listener *l)
{
    /* A turn's share, so that a storm of connections does not starve the open ones. */
    for (int i = 0; i < 64; i++) {
        int fd = accept4(l->io.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        struct stream *stream;

        if (fd < 0) {
            if (errno == EINTR || errno == ECONNABORTED) {
                continue;
            }
            if (errno != EAGAIN) {
                l->accept_failures++;
            }
            return;
        }
        if (tcp_wrap(l->loop, fd, &stream, NULL) == 0) {
            l->on_accept(l, stream);
        }
    }
    loop_defer(l->loop, &l->more);
}

static void on_listen_io(struct io *io, uint32_t epoll_events)
{
    (void)epoll_events;
    accept_all(list_entry(io, struct listener, io));
}

static void on_more(struct defer *d)
{
    accept_all(list_entry(d, struct listener, more));
}

/* Threads of one process share a port; a second process on it would silently take half of the
 * connections. Without SO_REUSEPORT the bind says whether anybody is there. */
int listener_probe(const union addr *addr, struct err *err)
{
    char text[ADDR_TEXT_MAX];
    int on = 1, rc = 0;
    int fd = socket(addr->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return err_sys(err, ERR_IO, errno, "cannot make a socket");
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (addr->sa.sa_family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    }
    if (bind(fd, &addr->sa, addr_len(addr)) != 0) {
        rc = err_sys(err, ERR_IO, errno, "cannot listen on %s", addr_text(addr, text));
    }
    close(fd);
    return rc;
}

static int bind_listen(int fd, const union addr *addr)
{
    int on = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (addr->sa.sa_family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    }
    if (bind(fd, &addr->sa, addr_len(addr)) != 0) {
        return -1;
    }
    return listen(fd, 4096);
}

int listener_init(struct listener *l,
                  struct loop *loop,
                  const union addr *addr,
                  void (*on_accept)(struct listener *l, struct stream *stream),
                  struct err *err)
{
    char text[ADDR_TEXT_MAX];
    int fd = socket(addr->sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind_listen(fd, addr) != 0) {
        int rc = err_sys(err, ERR_IO, errno, "cannot listen on %s", addr_text(addr, text));
        if (fd >= 0) {
            close(fd);
        }
        return rc;
    }
    *l = (struct listener){.loop = loop, .on_accept = on_accept, .addr = *addr};
    l->io = (struct io){.fd = fd, .on_io = on_listen_io};
    defer_init(&l->more, on_more);
    socklen_t len = sizeof l->addr;
    getsockname(fd, &l->addr.sa, &len);
    int rc = loop_add(loop, &l->io, EPOLLIN, err);
    if (rc != 0) {
        close(fd);
    }
    return rc;
}

void listener_clear(struct listener *l)
{
    loop_defer_cancel(&l->more);
    loop_remove(l->loop, &l->io);
    close(l->io.fd);
}
