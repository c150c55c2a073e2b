/* SPDX-License-Identifier: MIT */
/*
 * The events of a run, each once and in order, over as many connections as it takes: a stream that
 * breaks, falls silent, or is ended by a control plane that leaves is taken up again behind the
 * last event that came, for as long as REMOTE_PATIENCE_NS.
 */
#ifndef CLI_REMOTE_FOLLOW_H
#define CLI_REMOTE_FOLLOW_H

#include "cli/remote/remote.h"

#include <stdbool.h>

struct follow {
    const char *run_id; /* whole */
    bool live;          /* until the run is over; else what there is now */
    /* Each event (compat: event/v1), borrowed; not 0: no more, and that is follow_run's answer. */
    int (*on_event)(void *owner, const json_t *event);
    void *owner;
};

/* REMOTE_DONE when the last event has come; 128 + the signal when one came (remote_catch_signals);
 * otherwise what went wrong, which has been said. */
int follow_run(struct remote *r, const struct follow *what);

#endif
