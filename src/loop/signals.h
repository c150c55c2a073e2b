/* SPDX-License-Identifier: MIT */
/* SIGINT and SIGTERM as callbacks of a loop. They are blocked in the calling thread, and in the
 * threads that it starts afterwards: call this first. One per process. */
#ifndef LOOP_SIGNALS_H
#define LOOP_SIGNALS_H

#include "base/err.h"
#include "loop/loop.h"

struct signals {
    struct loop *loop;
    struct io io;
    void (*on_signal)(struct signals *s, int signo);
};

/* ERR_IO. */
int signals_init(struct signals *s,
                 struct loop *loop,
                 void (*on_signal)(struct signals *s, int signo),
                 struct err *err);
void signals_clear(struct signals *s);

#endif
