/* SPDX-License-Identifier: MIT */
#include "net/dial.h"

#include "base/mem.h"
#include "net/tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum {
    SOURCES_MAX = 254,
    DIALS_PER_SOURCE = 8192, /* of about 28,000 ports */
};

struct dial {
    struct dialer *dialer;
    struct dns_query *query;
    struct tcp_connect *connect;
    unsigned tried;   /* addresses tried so far */
    unsigned current; /* index of the one under way */
    int sys;          /* of the last failure */
    enum dial_step failed_step;
    char text[240];
    struct defer step, death;
    void (*on_dial)(void *owner, struct stream *stream, const struct dial_failure *failure);
    void *owner;
};

void dialer_init(struct dialer *d,
                 struct loop *loop,
                 const char *host,
                 uint16_t port,
                 dial_filter_fn *filter,
                 const void *filter_owner)
{
    *d = (struct dialer){
        .loop = loop,
        .host = host,
        .port = port,
        .filter = filter,
        .filter_owner = filter_owner,
    };
}

static void free_dial(struct defer *death)
{
    xfree(list_entry(death, struct dial, death));
}

static void finish(struct dial *d, struct stream *stream)
{
    struct dial_failure failure = {.step = d->failed_step, .sys = d->sys, .text = d->text};

    loop_bury(d->dialer->loop, &d->death);
    d->on_dial(d->owner, stream, stream == NULL ? &failure : NULL);
}

static void try_next(struct dial *d);

/* Would a packet find its way? Connecting a datagram socket chooses route and source address as TCP
 * does, takes no port of TCP, and sends nothing. */
static bool has_route(const union addr *to)
{
    int fd = socket(to->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return errno != EAFNOSUPPORT;
    }
    bool found = connect(fd, &to->sa, addr_len(to)) == 0 ||
                 (errno != EADDRNOTAVAIL && errno != ENETUNREACH && errno != EAFNOSUPPORT);
    close(fd);
    return found;
}

/* This machine has no way to addresses of that kind; most often it has no IPv6. That says nothing
 * of the target. EADDRNOTAVAIL has two meanings for IPv6: no address to send from, which is meant
 * here, and no local port left. */
static bool has_no_way(const union addr *to, int sys)
{
    return sys == EAFNOSUPPORT || sys == ENETUNREACH ||
           (sys == EADDRNOTAVAIL && to->sa.sa_family == AF_INET6 && !has_route(to));
}

/* Something of ours is used up. The next address would not help, and what it says must not stand
 * for the reason: it would be taken for the target's doing. */
static bool is_ours(const union addr *to, int sys)
{
    switch (sys) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        return true;
    case EADDRNOTAVAIL:
        return !has_no_way(to, sys);
    default:
        return false;
    }
}

/* Keeps why the current address failed, unless another one has said more. */
static void note_failure(struct dial *d, int sys)
{
    const union addr *to = &d->dialer->addrs_.addrs[d->current];
    char text[ADDR_TEXT_MAX], why[80];

    if (d->sys != 0 && has_no_way(to, sys)) {
        return;
    }
    d->sys = sys;
    d->failed_step = DIAL_CONNECT;
    snprintf(d->text, sizeof d->text, "%s: %s", addr_text(to, text),
             strerror_r(sys, why, sizeof why));
}

static void on_connect(void *owner, struct stream *stream, int sys)
{
    struct dial *d = owner;

    d->connect = NULL;
    if (stream != NULL) {
        d->dialer->preferred_ = d->current;
        finish(d, stream);
        return;
    }
    note_failure(d, sys);
    try_next(d);
}

static bool source_for(const struct dialer *d, const union addr *to, union addr *out)
{
    if (d->source_ == 0 || to->sa.sa_family != AF_INET || !addr_is_loopback(to)) {
        return false;
    }
    *out = (union addr){.in = {.sin_family = AF_INET}};
    out->in.sin_addr.s_addr = htonl(0x7f000100U + d->source_);
    return true;
}

static void next_source(struct dialer *d)
{
    d->source_ = d->source_ % SOURCES_MAX + 1;
    d->source_dials_ = 0;
}

/* 0 when a connection is under way, else the negative errno. */
static int start_connect(struct dial *d, const union addr *to)
{
    struct dialer *dialer = d->dialer;
    bool loopback = to->sa.sa_family == AF_INET && addr_is_loopback(to);
    int rc = -EADDRNOTAVAIL;

    if (loopback && dialer->source_dials_++ >= DIALS_PER_SOURCE) {
        next_source(dialer);
    }
    for (unsigned tries = 0; tries <= SOURCES_MAX; tries++) {
        union addr source;
        bool bound = source_for(dialer, to, &source);

        rc =
            tcp_connect_start(dialer->loop, to, bound ? &source : NULL, on_connect, d, &d->connect);
        if (rc != -EADDRNOTAVAIL || !loopback) {
            break;
        }
        next_source(dialer);
    }
    return rc;
}

static bool allowed(struct dial *d, const union addr *addr)
{
    struct err err;

    if (d->dialer->filter == NULL ||
        d->dialer->filter(d->dialer->filter_owner, &addr->sa, &err) == 0) {
        return true;
    }
    d->failed_step = DIAL_FILTER;
    d->sys = EACCES;
    snprintf(d->text, sizeof d->text, "%s", err.msg);
    return false;
}

static void try_next(struct dial *d)
{
    struct dialer *dialer = d->dialer;

    while (d->tried < dialer->addrs_.count) {
        d->current = (dialer->preferred_ + d->tried) % dialer->addrs_.count;
        d->tried++;
        const union addr *to = &dialer->addrs_.addrs[d->current];
        if (!allowed(d, to)) {
            continue;
        }
        int rc = start_connect(d, to);
        if (rc == 0) {
            return;
        }
        note_failure(d, -rc);
        if (is_ours(to, -rc)) {
            break;
        }
    }
    finish(d, NULL);
}

static void on_answer(void *owner, const struct dns_answer *answer)
{
    struct dial *d = owner;

    d->query = NULL;
    if (answer->count == 0) {
        d->failed_step = DIAL_DNS;
        snprintf(d->text, sizeof d->text, "cannot resolve '%s': %s", d->dialer->host,
                 answer->reason);
        finish(d, NULL);
        return;
    }
    d->dialer->addrs_ = *answer;
    try_next(d);
}

static void open_instead(struct dial *d)
{
    struct stream *stream = NULL;
    int rc = d->dialer->opener(d->dialer->opener_owner, &stream);

    d->failed_step = DIAL_CONNECT;
    d->sys = -rc;
    finish(d, rc == 0 ? stream : NULL);
}

static void on_step(struct defer *step)
{
    struct dial *d = list_entry(step, struct dial, step);
    struct err err;

    if (d->dialer->opener != NULL) {
        open_instead(d);
        return;
    }
    if (d->dialer->addrs_.count > 0) {
        try_next(d);
    } else if (dns_start(d->dialer->loop, d->dialer->host, d->dialer->port, on_answer, d, &d->query,
                         &err) != 0) {
        d->failed_step = DIAL_CONNECT;
        d->sys = err.sys;
        snprintf(d->text, sizeof d->text, "%s", err.msg);
        finish(d, NULL);
    }
}

struct dial *
dial_start(struct dialer *dialer,
           void (*on_dial)(void *owner, struct stream *stream, const struct dial_failure *failure),
           void *owner)
{
    struct dial *d = xcalloc(1, sizeof *d);

    d->dialer = dialer;
    d->on_dial = on_dial;
    d->owner = owner;
    defer_init(&d->step, on_step);
    defer_init(&d->death, free_dial);
    loop_defer(dialer->loop, &d->step);
    return d;
}

void dial_cancel(struct dial *d)
{
    loop_defer_cancel(&d->step);
    if (d->query != NULL) {
        dns_cancel(d->query);
    }
    if (d->connect != NULL) {
        tcp_connect_cancel(d->connect);
    }
    loop_bury(d->dialer->loop, &d->death);
}

enum dial_step dial_step(const struct dial *d)
{
    return d->dialer->addrs_.count == 0 ? DIAL_DNS : DIAL_CONNECT;
}
