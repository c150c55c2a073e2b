/* SPDX-License-Identifier: MIT */
/*
 * A worker as the child of its control plane: frames (wire/frame.h) both ways over a socketpair.
 * The worker says HELLO, waits for WELCOME, and then takes orders and sends reports. A line that
 * lives as long as both processes needs no reconnect: its end is the other side's, and the owner is
 * told, who ends all load.
 *
 * What does not fit into the socket stays in the log of reports, so that a control plane which is
 * slow costs memory within one bound.
 *
 * Thread of the loop.
 */
#ifndef WORKER_UPLINK_PIPE_H
#define WORKER_UPLINK_PIPE_H

#include "worker/remote.h"

struct uplink_pipe;

struct uplink_pipe_config {
    struct loop *loop;
    struct remote *remote;
    int fd;                         /* a connected stream socket; closed by uplink_pipe_free */
    const struct wire_hello *hello; /* must outlive the call of uplink_pipe_new only */
    /* The other side is gone, refuses this worker, or does not speak as it should; `why` for
     * people, empty when it simply ended. Once. */
    void (*on_end)(void *owner, const char *why);
    void *owner;
};

/* ERR_IO, ERR_LIMIT. */
int uplink_pipe_new(const struct uplink_pipe_config *config,
                    struct uplink_pipe **out,
                    struct err *err);
/* NULL is fine. */
void uplink_pipe_free(struct uplink_pipe *u);
/* There may be something fresh: from the remote's on_change. */
void uplink_pipe_wake(struct uplink_pipe *u);

#endif
