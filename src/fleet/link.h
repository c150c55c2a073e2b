/* SPDX-License-Identifier: MIT */
/*
 * A worker as the control plane reaches it: by a command stream of the API. Embedded in who has the
 * transport, from hub_attach until hub_detach or `replaced`, whichever comes first. Nothing tells
 * whether an order has arrived: all of them come again on the next link.
 *
 * Thread of the loop.
 */
#ifndef FLEET_LINK_H
#define FLEET_LINK_H

#include "base/str.h"

struct worker_link {
    /* An order, as JSON text (wire/order.h). Never calls back. */
    void (*send)(struct worker_link *link, struct str order);
    /* Another link of the same worker has taken over, or the worker is no longer known: nothing
     * more is sent. The link may end itself in here, and does not tell of it. */
    void (*replaced)(struct worker_link *link);
    void *user; /* of who made it */
};

#endif
