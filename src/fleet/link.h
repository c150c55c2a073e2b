/* SPDX-License-Identifier: MIT */
/* A worker as the control plane reaches it: a command stream of the API, or one end of a
 * socketpair. Embedded in who has the transport. */
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
