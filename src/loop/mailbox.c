/* SPDX-License-Identifier: MIT */
#include "loop/mailbox.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void deliver(struct mailbox *m)
{
    struct list batch;

    list_init(&batch);
    pthread_mutex_lock(&m->shared_.lock);
    list_splice(&batch, &m->shared_.queue);
    pthread_mutex_unlock(&m->shared_.lock);
    while (!list_empty(&batch)) {
        struct list *message = batch.next;

        list_remove(message);
        m->on_message(m, message);
    }
}

static void on_wake(struct io *io, uint32_t epoll_events)
{
    struct mailbox *m = list_entry(io, struct mailbox, io);
    uint64_t count;

    (void)epoll_events;
    /* Before the queue is taken: a message posted after that wakes us again. */
    if (read(io->fd, &count, sizeof count) < 0) {
        count = 0;
    }
    deliver(m);
}

int mailbox_init(struct mailbox *m,
                 struct loop *loop,
                 void (*on_message)(struct mailbox *m, struct list *message),
                 struct err *err)
{
    m->loop = loop;
    m->on_message = on_message;
    m->io.on_io = on_wake;
    m->io.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (m->io.fd < 0) {
        return err_sys(err, ERR_IO, errno, "cannot make an eventfd");
    }
    int rc = loop_add(loop, &m->io, EPOLLIN, err);
    if (rc != 0) {
        close(m->io.fd);
        return rc;
    }
    pthread_mutex_init(&m->shared_.lock, NULL);
    list_init(&m->shared_.queue);
    return 0;
}

void mailbox_post(struct mailbox *m, struct list *message)
{
    static const uint64_t one = 1;

    pthread_mutex_lock(&m->shared_.lock);
    bool wake = list_empty(&m->shared_.queue);
    list_append(&m->shared_.queue, message);
    pthread_mutex_unlock(&m->shared_.lock);
    if (wake && write(m->io.fd, &one, sizeof one) < 0) {
        return; /* the counter is full: it wakes all the same */
    }
}

void mailbox_clear(struct mailbox *m)
{
    deliver(m);
    loop_remove(m->loop, &m->io);
    close(m->io.fd);
    pthread_mutex_destroy(&m->shared_.lock);
}
