/* SPDX-License-Identifier: MIT */
/*
 * Messages between threads. The sender forgets a message when it has posted it; the receiver's loop
 * is woken once for any number of them. Rare by design (once a second and shard): a mutex will do.
 */
#ifndef LOOP_MAILBOX_H
#define LOOP_MAILBOX_H

#include "base/err.h"
#include "base/list.h"
#include "loop/loop.h"

#include <pthread.h>

struct mailbox {
    struct loop *loop;
    struct io io;
    void (*on_message)(struct mailbox *m, struct list *message);
    /* Written by any thread; under the lock. */
    struct {
        pthread_mutex_t lock;
        struct list queue;
    } shared_;
};

/* Belongs to the thread of `loop`. ERR_IO. */
int mailbox_init(struct mailbox *m,
                 struct loop *loop,
                 void (*on_message)(struct mailbox *m, struct list *message),
                 struct err *err);
/* From any thread. The list node is part of the message. */
void mailbox_post(struct mailbox *m, struct list *message);
/* When no other thread can post any more. Messages that are left are handed to on_message. */
void mailbox_clear(struct mailbox *m);

#endif
