/* SPDX-License-Identifier: MIT */
#include "loop/signals.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void on_io(struct io *io, uint32_t epoll_events)
{
    struct signals *s = list_entry(io, struct signals, io);
    struct signalfd_siginfo info;

    (void)epoll_events;
    while (read(io->fd, &info, sizeof info) == (ssize_t)sizeof info) {
        s->on_signal(s, (int)info.ssi_signo);
    }
}

int signals_init(struct signals *s,
                 struct loop *loop,
                 void (*on_signal)(struct signals *s, int signo),
                 struct err *err)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    s->loop = loop;
    s->on_signal = on_signal;
    s->io.on_io = on_io;
    s->io.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (s->io.fd < 0) {
        return err_sys(err, ERR_IO, errno, "cannot receive signals");
    }
    int rc = loop_add(loop, &s->io, EPOLLIN, err);
    if (rc != 0) {
        close(s->io.fd);
    }
    return rc;
}

void signals_clear(struct signals *s)
{
    loop_remove(s->loop, &s->io);
    close(s->io.fd);
}
