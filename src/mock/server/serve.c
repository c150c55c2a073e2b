/* SPDX-License-Identifier: MIT */
#include "mock/server/serve.h"

#include "base/mem.h"
#include "loop/mailbox.h"
#include "mock/state/history.h"
#include "net/tcp.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

enum {
    ADDRESSES_MAX = 4, /* two, and for a wildcard address the loopback one beside it */
    PORT_TRIES = 16,
};

struct port {
    struct listener listener;
    struct mock *mock;
    bool loopback;
    int hold_fd; /* while the port is refused: keeps it ours. Else -1 */
};

struct shard {
    struct loop *loop;
    struct mock *mock;
    struct mailbox mailbox;
    struct list stop; /* the only message: stop */
    bool has_mailbox, running;
    struct timer door;
    struct mock_serve *serve;
    pthread_t thread;
    struct port ports[ADDRESSES_MAX];
    unsigned port_count;
};

struct mock_serve {
    struct clock clock;
    struct mock_shared *shared;
    union addr addresses[ADDRESSES_MAX];
    unsigned address_count;
    uint64_t sample_ns; /* when the next sample of the history is due; of the first thread */
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

static bool is_wildcard(const union addr *a)
{
    return a->sa.sa_family == AF_INET6 ? IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr)
                                       : a->in.sin_addr.s_addr == htonl(INADDR_ANY);
}

/* A listener on a wildcard address cannot tell who is near. A second one on loopback, which the
 * kernel prefers as the closer match, can: its peers may use the control endpoints. */
static void add_address(struct mock_serve *s, const union addr *a)
{
    union addr near = {0};

    s->addresses[s->address_count++] = *a;
    if (is_wildcard(a)) {
        addr_from_literal(a->sa.sa_family == AF_INET6 ? STR("::1") : STR("127.0.0.1"), port_of(a),
                          &near);
        s->addresses[s->address_count++] = near;
    }
}

/* Beside a wildcard address, whose listener is ours: whether anybody else has the port was asked
 * there. */
static bool is_covered(const struct mock_serve *s, unsigned i)
{
    for (unsigned k = 0; k < i; k++) {
        if (is_wildcard(&s->addresses[k]) &&
            s->addresses[k].sa.sa_family == s->addresses[i].sa.sa_family) {
            return true;
        }
    }
    return false;
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
        struct port *port = &shard->ports[--shard->port_count];

        if (port->hold_fd >= 0) {
            close(port->hold_fd);
        } else {
            listener_clear(&port->listener);
        }
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
        bool ask = shard == &s->shards[0] && !is_covered(s, i);
        int rc = ask ? listener_probe(&s->addresses[i], &local) : 0;

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
        port->hold_fd = -1;
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

/* ---- refusing connections ---------------------------------------------------------------------
 */

/* A socket that is bound and does not listen: who connects is refused (RST), and no other process
 * can take the port. -1 when there is none to be had. */
static int hold_port(const union addr *addr)
{
    int on = 1;
    int fd = socket(addr->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (addr->sa.sa_family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    }
    if (bind(fd, &addr->sa, addr_len(addr)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* One that cannot be changed now is tried again at the next look. */
static void set_door(struct shard *shard, bool refuse)
{
    for (unsigned i = 0; i < shard->port_count; i++) {
        struct port *port = &shard->ports[i];
        union addr addr = port->listener.addr;

        if (refuse && port->hold_fd < 0) {
            port->hold_fd = hold_port(&addr);
            if (port->hold_fd >= 0) {
                listener_clear(&port->listener);
            }
        } else if (!refuse && port->hold_fd >= 0 &&
                   listener_init(&port->listener, shard->loop, &addr, on_accept, NULL) == 0) {
            close(port->hold_fd);
            port->hold_fd = -1;
        }
    }
}

/* A few times a second: is the port to be closed? And the first thread keeps the history. */
static void on_door(struct timer *t)
{
    struct shard *shard = list_entry(t, struct shard, door);
    struct mock_serve *s = shard->serve;
    uint64_t now = loop_now(shard->loop), look;

    set_door(shard, mock_refuses(s->shared, now, &look));
    if (shard == &s->shards[0] && now >= s->sample_ns) {
        mock_sample(s->shared, now);
        s->sample_ns = now + (MOCK_TICK_MS - 2) * NS_PER_MS;
    }
    loop_timer_arm(shard->loop, t, look);
}

static int start_shard(struct mock_serve *s, struct shard *shard, struct err *err)
{
    int rc = loop_new(&s->clock, &shard->loop, err);

    if (rc != 0) {
        return rc;
    }
    shard->mock = mock_new(s->shared, shard->loop);
    list_init(&shard->stop);
    shard->serve = s;
    timer_init(&shard->door, on_door);
    rc = mailbox_init(&shard->mailbox, shard->loop, on_stop, err);
    shard->has_mailbox = rc == 0;
    if (rc == 0) {
        rc = shard == &s->shards[0] ? open_first_ports(s, err) : open_ports(s, shard, err);
    }
    if (rc == 0) {
        loop_timer_arm(shard->loop, &shard->door, loop_now(shard->loop));
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
        if (shard->loop != NULL) {
            loop_timer_cancel(shard->loop, &shard->door);
        }
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
