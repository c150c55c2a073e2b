/* SPDX-License-Identifier: MIT */
/*
 * Worker processes of a control plane's own machine (`mcpdrill run --workers N`): started, spoken
 * to over socketpairs in the frames of wire/frame.h, and ended with it. Nothing is stored: a report
 * is acknowledged when it has been applied.
 *
 *   house_new ─► every child says HELLO ─► on_ready ─► a crew of them ─► house_play ─► house_free
 *
 * A child that ends, breaks the rules of the messages, or hangs (nothing heard for 10 s) is lost to
 * its run, and killed.
 *
 * Thread of the loop, which lives as long as the children.
 */
#ifndef FLEET_HOUSE_H
#define FLEET_HOUSE_H

#include "fleet/crew.h"
#include "wire/messages.h"

enum { HOUSE_WORKERS_MAX = 256 };

struct house;

struct house_config {
    struct loop *loop;
    uint32_t count; /* 1 .. HOUSE_WORKERS_MAX */
    char *const
        *argv; /* of a child, as for execv(3); it is this program. Read by house_new alone */
    void (*on_ready)(void *owner);
    /* Before that: one has ended or is not heard of within ten seconds. Once; nothing follows. */
    void (*on_failed)(void *owner, const char *why);
    void *owner;
};

/* ERR_IO. */
int house_new(const struct house_config *config, struct house **out, struct err *err);
/* Ends and reaps the children. NULL is fine. */
void house_free(struct house *h);

/* What a child said of itself, after on_ready. */
const struct wire_hello *house_hello(const struct house *h, uint32_t member);
const char *house_worker_id(const struct house *h, uint32_t member);
/* For a crew's `send`; `owner` is the house. */
void house_send(void *owner, uint32_t member, struct str order, bool urgent);
/* Reports of child i go to member i of the crew from now on. Those that the crew has no place for
 * end: a load may be worth fewer. */
void house_play(struct house *h, struct crew *crew);

#endif
