/* SPDX-License-Identifier: MIT */
#include "mock/serve.h"

#include "base/mem.h"
#include "loop/mailbox.h"
#include "net/tcp.h"

#include <errno.h>
#include <pthread.h>

enum {
    ADDRESSES_MAX = 4, /* two, and for a wildcard address the loopback one beside it */
    PORT_TRIES = 16,
};

struct port {
    struct listener listener;
    struct mock *mock;
    bool loopback;
};

struct shard {
    struct loop *loop;
    struct mock *mock;
    struct mailbox mailbox;
    struct list stop; /* the only message: stop */
    bool has_mailbox, running;
    pthread_t thread;
    struct port ports[ADDRESSES_MAX];
    unsigned port_count;
};

struct mock_serve {
    struct clock clock;
    struct mock_shared *shared;
    union addr addresses[ADDRESSES_MAX];
    unsigned address_count;
    unsigned shard_count;
    struct shard shards[];
};

static uint16_t port_of(const union addr *a)
{
    return a->sa.sa_family == AF_INET6 ? ntohs(a->in6.sin6_port) : ntohs(a->in.sin_port);
}

static void set_port(union addr *a, uint16_t port)
{
    if (a->sa.sa_family == AF_INET6) {
        a->in6.sin6_port = htons(port);
    } else {
        a->in.sin_port = htons(port);
    }
}

/* A listener on a wildcard address cannot tell who is near. A second one on loopback, which the
 * kernel prefers as the closer match, can: its peers may use the control endpoints. */
static void add_address(struct mock_serve *s, const union addr *a)
{
    union addr near = {0};

    s->addresses[s->address_count++] = *a;
    if (a->sa.sa_family == AF_INET && a->in.sin_addr.s_addr == htonl(INADDR_ANY)) {
        addr_from_literal(STR("127.0.0.1"), port_of(a), &near);
        s->addresses[s->address_count++] = near;
    } else if (a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr)) {
        addr_from_literal(STR("::1"), port_of(a), &near);
        s->addresses[s->address_count++] = near;
    }
}

static void on_accept(struct listener *l, struct stream *stream)
{
    struct port *port = list_entry(l, struct port, listener);

    mock_accept(port->mock, stream, port->loopback);
}

static void on_stop(struct mailbox *m, struct list *message)
{
    (void)message;
    loop_stop(m->loop);
}

static void close_ports(struct shard *shard)
{
    while (shard->port_count > 0) {
        listener_clear(&shard->ports[--shard->port_count].listener);
    }
}

static bool family_missing(const struct err *err)
{
    return err->sys == EADDRNOTAVAIL || err->sys == EAFNOSUPPORT;
}

/* Listens on every address of the server, with the ports that stand there. */
static int open_ports(struct mock_serve *s, struct shard *shard, struct err *err)
{
    struct err local = {0};

    for (unsigned i = 0; i < s->address_count; i++) {
        struct port *port = &shard->ports[shard->port_count];
        bool first = shard == &s->shards[0];
        int rc = first ? listener_probe(&s->addresses[i], &local) : 0;

        if (rc == 0) {
            rc = listener_init(&port->listener, shard->loop, &s->addresses[i], on_accept, &local);
        }
        if (rc != 0 && family_missing(&local) && s->address_count > 1) {
            s->addresses[i] = s->addresses[--s->address_count];
            i--;
            continue;
        }
        if (rc != 0) {
            close_ports(shard);
            if (err != NULL) {
                *err = local;
            }
            return rc;
        }
        port->mock = shard->mock;
        port->loopback = addr_is_loopback(&s->addresses[i]);
        shard->port_count++;
        /* The system has chosen a port: the other addresses, and threads, take the same. */
        for (unsigned k = 0; k < s->address_count; k++) {
            if (port_of(&s->addresses[k]) == 0) {
                set_port(&s->addresses[k], port_of(&port->listener.addr));
            }
        }
    }
    return 0;
}

/* A port that was free for IPv4 may be taken for IPv6: then another one. */
static int open_first_ports(struct mock_serve *s, struct err *err)
{
    bool any = port_of(&s->addresses[0]) == 0;
    struct err local = {0};

    for (int i = 0; i < PORT_TRIES; i++) {
        int rc = open_ports(s, &s->shards[0], &local);

        if (rc == 0) {
            return 0;
        }
        if (!any || local.sys != EADDRINUSE) {
            break;
        }
        for (unsigned k = 0; k < s->address_count; k++) {
            set_port(&s->addresses[k], 0);
        }
    }
    if (err != NULL) {
        *err = local;
    }
    return local.code;
}

static int start_shard(struct mock_serve *s, struct shard *shard, struct err *err)
{
    int rc = loop_new(&s->clock, &shard->loop, err);

    if (rc != 0) {
        return rc;
    }
    shard->mock = mock_new(s->shared, shard->loop);
    list_init(&shard->stop);
    rc = mailbox_init(&shard->mailbox, shard->loop, on_stop, err);
    shard->has_mailbox = rc == 0;
    if (rc == 0) {
        rc = shard == &s->shards[0] ? open_first_ports(s, err) : open_ports(s, shard, err);
    }
    return rc;
}

static void *run_shard(void *arg)
{
    struct shard *shard = arg;

    loop_run(shard->loop);
    return NULL;
}

int mock_serve_start(const struct mock_serve_config *config,
                     struct mock_serve **out,
                     struct err *err)
{
    struct mock_serve *s = xcalloc(1, sizeof *s + config->threads * sizeof s->shards[0]);
    int rc = 0;

    s->shared = mock_shared_new(&config->mock);
    s->shard_count = config->threads;
    for (unsigned i = 0; i < config->address_count; i++) {
        add_address(s, &config->addresses[i]);
    }
    for (unsigned i = 0; rc == 0 && i < s->shard_count; i++) {
        rc = start_shard(s, &s->shards[i], err);
    }
    for (unsigned i = 0; rc == 0 && i < s->shard_count; i++) {
        int sys = pthread_create(&s->shards[i].thread, NULL, run_shard, &s->shards[i]);

        s->shards[i].running = sys == 0;
        if (sys != 0) {
            rc = err_sys(err, ERR_IO, sys, "cannot start a thread");
        }
    }
    if (rc != 0) {
        mock_serve_stop(s);
        return rc;
    }
    *out = s;
    return 0;
}

void mock_serve_stop(struct mock_serve *s)
{
    if (s == NULL) {
        return;
    }
    for (unsigned i = 0; i < s->shard_count; i++) {
        if (s->shards[i].running) {
            mailbox_post(&s->shards[i].mailbox, &s->shards[i].stop);
        }
    }
    for (unsigned i = 0; i < s->shard_count; i++) {
        if (s->shards[i].running) {
            pthread_join(s->shards[i].thread, NULL);
        }
    }
    for (unsigned i = 0; i < s->shard_count; i++) {
        struct shard *shard = &s->shards[i];

        close_ports(shard);
        mock_free(shard->mock);
        if (shard->has_mailbox) {
            mailbox_clear(&shard->mailbox);
        }
        loop_free(shard->loop);
    }
    mock_shared_free(s->shared);
    xfree(s);
}

unsigned mock_serve_port(const struct mock_serve *s)
{
    return port_of(&s->addresses[0]);
}

const union addr *mock_serve_address(const struct mock_serve *s)
{
    return &s->addresses[0];
}
