/* SPDX-License-Identifier: MIT */
#include "net/dns.h"

#include "base/mem.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* What the helper thread and the loop share; the last of the two frees it. */
struct lookup {
    char host[256];
    uint16_t port;
    struct {
        pthread_mutex_t lock;
        unsigned refs;
        int wake_fd; /* owned here, so that a late helper never writes to somebody else's */
        struct dns_answer answer;
    } shared_;
};

struct dns_query {
    struct loop *loop;
    struct io io; /* the eventfd; -1 when the answer was known at once */
    struct lookup *lookup;
    struct dns_answer known;
    struct defer ready, death;
    void (*on_answer)(void *owner, const struct dns_answer *answer);
    void *owner;
};

static void lookup_unref(struct lookup *k)
{
    pthread_mutex_lock(&k->shared_.lock);
    unsigned left = --k->shared_.refs;
    pthread_mutex_unlock(&k->shared_.lock);
    if (left == 0) {
        close(k->shared_.wake_fd);
        pthread_mutex_destroy(&k->shared_.lock);
        xfree(k);
    }
}

static void add_addr(struct dns_answer *a, const struct addrinfo *ai)
{
    union addr addr = {0};

    if (ai->ai_addrlen > sizeof addr || (ai->ai_family != AF_INET && ai->ai_family != AF_INET6)) {
        return;
    }
    if (a->count == DNS_ADDRS_MAX) {
        a->left_out++;
        return;
    }
    memcpy(&addr, ai->ai_addr, ai->ai_addrlen);
    a->addrs[a->count++] = addr;
}

void dns_take(const struct addrinfo *list, struct dns_answer *out)
{
    for (const struct addrinfo *ai = list; ai != NULL; ai = ai->ai_next) {
        add_addr(out, ai);
    }
}

static void resolve(const struct lookup *k, struct dns_answer *out)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    char port[8];

    snprintf(port, sizeof port, "%u", (unsigned)k->port);
    int rc = getaddrinfo(k->host, port, &hints, &list);
    if (rc != 0) {
        snprintf(out->reason, sizeof out->reason, "%s",
                 rc == EAI_SYSTEM ? "the resolver could not be asked" : gai_strerror(rc));
        return;
    }
    dns_take(list, out);
    freeaddrinfo(list);
    if (out->count == 0) {
        snprintf(out->reason, sizeof out->reason, "no IPv4 or IPv6 address");
    }
}

static void *helper(void *arg)
{
    struct lookup *k = arg;
    struct dns_answer answer = {0};
    uint64_t one = 1;

    resolve(k, &answer);
    pthread_mutex_lock(&k->shared_.lock);
    k->shared_.answer = answer;
    pthread_mutex_unlock(&k->shared_.lock);
    if (write(k->shared_.wake_fd, &one, sizeof one) < 0) {
        /* Cannot happen to a fresh eventfd; the query's own time-out covers it. */
        one = 0;
    }
    lookup_unref(k);
    return NULL;
}

static void free_query(struct defer *d)
{
    xfree(list_entry(d, struct dns_query, death));
}

static void finish(struct dns_query *q)
{
    loop_defer_cancel(&q->ready);
    if (q->lookup != NULL) {
        loop_remove(q->loop, &q->io);
        lookup_unref(q->lookup);
        q->lookup = NULL;
    }
    loop_bury(q->loop, &q->death);
}

static void on_ready(struct defer *d)
{
    struct dns_query *q = list_entry(d, struct dns_query, ready);
    struct dns_answer answer = q->known;

    finish(q);
    q->on_answer(q->owner, &answer);
}

static void on_wake(struct io *io, uint32_t epoll_events)
{
    struct dns_query *q = list_entry(io, struct dns_query, io);

    (void)epoll_events;
    pthread_mutex_lock(&q->lookup->shared_.lock);
    q->known = q->lookup->shared_.answer;
    pthread_mutex_unlock(&q->lookup->shared_.lock);
    on_ready(&q->ready);
}

/* "localhost" and the names under it, with or without the dot of the root (RFC 6761 §6.3). */
static bool is_localhost(struct str host)
{
    struct str last = STR(".localhost");

    host.len -= host.len > 0 && host.p[host.len - 1] == '.';
    return str_ieq(host, STR("localhost")) ||
           (host.len > last.len &&
            str_ieq((struct str){host.p + host.len - last.len, last.len}, last));
}

/* Answers that need no resolver. */
static bool known_answer(struct str host, uint16_t port, struct dns_answer *out)
{
    if (addr_from_literal(host, port, &out->addrs[0])) {
        out->count = 1;
        return true;
    }
    if (is_localhost(host)) {
        addr_from_literal(STR("127.0.0.1"), port, &out->addrs[0]);
        addr_from_literal(STR("::1"), port, &out->addrs[1]);
        out->count = 2;
        return true;
    }
    return false;
}

static int start_helper(struct dns_query *q, const char *host, uint16_t port, struct err *err)
{
    struct lookup *k = xcalloc(1, sizeof *k);
    pthread_attr_t attr;
    pthread_t thread;

    snprintf(k->host, sizeof k->host, "%s", host);
    k->port = port;
    k->shared_.refs = 2;
    pthread_mutex_init(&k->shared_.lock, NULL);
    k->shared_.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    q->io.fd = k->shared_.wake_fd;
    if (q->io.fd < 0) {
        int rc = err_sys(err, ERR_IO, errno, "cannot make an eventfd");
        k->shared_.refs = 1;
        lookup_unref(k);
        return rc;
    }
    int rc = loop_add(q->loop, &q->io, EPOLLIN, err);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    if (rc == 0) {
        int sys = pthread_create(&thread, &attr, helper, k);
        if (sys != 0) {
            loop_remove(q->loop, &q->io);
            rc = err_sys(err, ERR_IO, sys, "cannot start a resolver thread");
        }
    }
    pthread_attr_destroy(&attr);
    if (rc != 0) {
        k->shared_.refs = 1;
        lookup_unref(k);
        return rc;
    }
    q->lookup = k;
    return 0;
}

int dns_start(struct loop *loop,
              const char *host,
              uint16_t port,
              void (*on_answer)(void *owner, const struct dns_answer *answer),
              void *owner,
              struct dns_query **out,
              struct err *err)
{
    struct dns_query *q = xcalloc(1, sizeof *q);

    q->loop = loop;
    q->on_answer = on_answer;
    q->owner = owner;
    q->io.on_io = on_wake;
    defer_init(&q->ready, on_ready);
    defer_init(&q->death, free_query);
    if (known_answer(str_c(host), port, &q->known)) {
        loop_defer(loop, &q->ready);
    } else {
        int rc = start_helper(q, host, port, err);
        if (rc != 0) {
            xfree(q);
            return rc;
        }
    }
    *out = q;
    return 0;
}

void dns_cancel(struct dns_query *q)
{
    finish(q);
}
