/* SPDX-License-Identifier: MIT */
#include "api/ports.h"

#include <errno.h>

enum { PORT_TRIES = 16 };

static uint16_t port_of(const union addr *a)
{
    return ntohs(a->sa.sa_family == AF_INET6 ? a->in6.sin6_port : a->in.sin_port);
}

static void set_port(union addr *a, uint16_t port)
{
    if (a->sa.sa_family == AF_INET6) {
        a->in6.sin6_port = htons(port);
    } else {
        a->in.sin_port = htons(port);
    }
}

static void on_accept(struct listener *l, struct stream *stream)
{
    struct ports_entry *entry = list_entry(l, struct ports_entry, listener);

    api_accept(entry->ports->api, stream, entry->loopback);
}

void ports_close(struct ports *p)
{
    while (p->count > 0) {
        listener_clear(&p->entries[--p->count].listener);
    }
}

/* `beside` an address of ours that covers it: whether anybody else is there has been asked. */
struct place {
    union addr addr;
    bool beside;
};

static int open_one(struct ports *p, const struct place *place, struct err *err)
{
    struct ports_entry *entry = &p->entries[p->count];
    union addr addr = place->addr;

    if (p->port != 0) {
        set_port(&addr, p->port);
    }
    int rc = place->beside ? 0 : listener_probe(&addr, err);
    if (rc == 0) {
        rc = listener_init(&entry->listener, p->loop, &addr, on_accept, err);
    }
    if (rc == 0) {
        entry->ports = p;
        entry->loopback = addr_is_loopback(&addr);
        p->port = port_of(&entry->listener.addr);
        p->count++;
    }
    return rc;
}

static bool family_missing(const struct err *err)
{
    return err->sys == EADDRNOTAVAIL || err->sys == EAFNOSUPPORT;
}

static int open_all(struct ports *p, const struct place *places, unsigned count, struct err *err)
{
    int rc = 0;

    p->port = port_of(&places[0].addr);
    for (unsigned i = 0; i < count; i++) {
        struct err local = {0};
        int one = open_one(p, &places[i], &local);

        if (one == 0 || (family_missing(&local) && (p->count > 0 || i + 1 < count))) {
            continue;
        }
        rc = one;
        *err = local;
        break;
    }
    if (rc != 0) {
        ports_close(p);
    }
    return rc;
}

/* A listener on a wildcard address cannot tell who is near. A second one on loopback, which the
 * kernel prefers as the closer match, can. */
static unsigned
with_loopback(const union addr *addresses, unsigned count, struct place out[PORTS_MAX])
{
    unsigned n = 0;

    for (unsigned i = 0; i < count; i++) {
        const union addr *a = &addresses[i];
        struct str near = {0};

        out[n++] = (struct place){.addr = *a};
        if (a->sa.sa_family == AF_INET && a->in.sin_addr.s_addr == htonl(INADDR_ANY)) {
            near = STR("127.0.0.1");
        } else if (a->sa.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr)) {
            near = STR("::1");
        }
        if (near.len > 0) {
            out[n] = (struct place){.beside = true};
            addr_from_literal(near, port_of(a), &out[n++].addr);
        }
    }
    return n;
}

int ports_open(struct ports *p,
               struct loop *loop,
               const union addr *addresses,
               unsigned count,
               struct err *err)
{
    struct place all[PORTS_MAX] = {{.beside = false}};
    unsigned n = with_loopback(addresses, count, all);
    struct err local = {0};
    int rc = 0;

    *p = (struct ports){.loop = loop};
    /* A port that was free for one family may be taken for the other: then another one. */
    for (int i = 0; i < PORT_TRIES; i++) {
        rc = open_all(p, all, n, &local);
        if (rc == 0 || local.sys != EADDRINUSE || port_of(&all[0].addr) != 0) {
            break;
        }
    }
    if (rc != 0 && err != NULL) {
        *err = local;
    }
    return rc;
}

void ports_everywhere(uint16_t port, union addr out[2])
{
    addr_from_literal(STR("0.0.0.0"), port, &out[0]);
    addr_from_literal(STR("::"), port, &out[1]);
}
