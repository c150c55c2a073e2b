/* SPDX-License-Identifier: MIT */
/*
 * The event loop of one thread: readiness by epoll (edge-triggered), exact send times, time-outs,
 * deferred calls. Nothing here may be called from another thread; messages come in through
 * loop/mailbox.h.
 *
 * A turn of the loop has fixed phases: wait · I/O callbacks (a due send runs between two of them) ·
 * sends · time-outs · deferred calls · deaths. A call never runs its own callback before it
 * returns: it defers. After each callback its owner asks whether it still exists; memory of an
 * object that callbacks may still mention is freed in the last phase (loop_bury).
 *
 * Time. loop_now() is cached: good for timers. A *measurement* reads the clock at the event:
 * loop_clock(), which also refreshes the cache.
 */
#ifndef LOOP_LOOP_H
#define LOOP_LOOP_H

#include "base/clock.h"
#include "base/err.h"
#include "base/list.h"
#include "loop/sendheap.h"
#include "loop/wheel.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

enum {
    LOOP_BATCH = 256,          /* events taken by one wait */
    LOOP_DEFERRED_MAX = 64,    /* deferred calls of one turn: some take a slow system call each */
    LOOP_TURN_OCTAVE_MIN = 10, /* turns below 2^10 ns count as that … */
    LOOP_TURN_OCTAVE_MAX = 36, /* … and those of a minute and more as 2^36 ns */
    LOOP_TURN_PARTS = 4,       /* buckets of an octave */
    LOOP_TURN_BUCKETS = (LOOP_TURN_OCTAVE_MAX - LOOP_TURN_OCTAVE_MIN) * LOOP_TURN_PARTS,
};

/* A descriptor's callback; lives in its owner. */
struct io {
    int fd;
    void (*on_io)(struct io *io, uint32_t epoll_events);
};

/* A call for the end of this turn; lives in its owner. */
struct defer {
    struct list node;
    void (*fn)(struct defer *d);
};

/* How the thread's time was spent since the loop was made. */
struct loop_usage {
    uint64_t wall_ns;
    uint64_t waited_ns; /* blocked in the kernel's wait; busy = wall - waited */
    uint64_t wakeups;
    uint64_t put_off; /* turns that left deferred calls to the next one (LOOP_DEFERRED_MAX) */
    /* How many events were read in turns of which length, from the wake-up to the turn's end: so
     * long an answer may have waited unread. See loop_turn_quantile_ns. */
    uint64_t turns[LOOP_TURN_BUCKETS];
};

struct loop {
    const struct clock *clock_;
    uint64_t now_;
    struct sendheap sends_;
    struct wheel wheel_;
    struct list deferred_, dead_;
    int epoll_fd_, timer_fd_; /* timer_fd_: only where epoll_pwait2 is missing, else -1 */
    bool stop_;
    uint64_t began_ns_, waited_ns_, wakeups_, put_off_;
    uint64_t woken_ns_;    /* when the last turn's wait returned … */
    unsigned turn_events_; /* … and with how many events */
    uint64_t turns_[LOOP_TURN_BUCKETS];
    int batch_count_, batch_at_;
    unsigned full_batches_; /* in a row */
    struct epoll_event batch_[LOOP_BATCH];
};

/* `clock` must outlive the loop; with a virtual one use loop_run_virtual. ERR_IO. */
int loop_new(const struct clock *clock, struct loop **out, struct err *err);
/* Buries what is left; descriptors belong to their owners. NULL is fine. */
void loop_free(struct loop *l);

/* Runs until loop_stop. Sets the thread's timer slack to 1 ns first: it makes waits 50 µs truer. */
void loop_run(struct loop *l);
void loop_stop(struct loop *l);
/* One turn that waits at most until `until_ns` (0: does not wait). Returns the number of I/O
 * events. */
int loop_turn(struct loop *l, uint64_t until_ns);
/* With a virtual clock: turns until nothing is ready, then moves *now_ns to the next timer, up to
 * `until_ns`. Deterministic and without sleeping. */
void loop_run_virtual(struct loop *l, uint64_t *now_ns, uint64_t until_ns);

static inline uint64_t loop_now(const struct loop *l)
{
    return l->now_;
}

static inline uint64_t loop_clock(struct loop *l)
{
    return l->now_ = clock_now(l->clock_);
}

/* Watches io->fd, edge-triggered, for `events`. ERR_IO. */
int loop_add(struct loop *l, struct io *io, uint32_t events, struct err *err);
/* No callback comes any more, not even one of the current batch. Before close(). */
void loop_remove(struct loop *l, struct io *io);

static inline void loop_timer_arm(struct loop *l, struct timer *t, uint64_t at_ns)
{
    wheel_arm(&l->wheel_, t, at_ns);
}

static inline void loop_timer_cancel(struct loop *l, struct timer *t)
{
    wheel_cancel(&l->wheel_, t);
}

static inline void loop_send_arm(struct loop *l, struct send *s, uint64_t at_ns)
{
    sendheap_arm(&l->sends_, s, at_ns);
}

static inline void loop_send_cancel(struct loop *l, struct send *s)
{
    sendheap_cancel(&l->sends_, s);
}

void defer_init(struct defer *d, void (*fn)(struct defer *d));
/* Once, at the end of this turn (of a next one, when many wait); again is fine and changes nothing.
 */
void loop_defer(struct loop *l, struct defer *d);
void loop_defer_cancel(struct defer *d);
/* In the last phase of this turn, when no callback of it can come any more: for freeing. */
void loop_bury(struct loop *l, struct defer *d);

struct loop_usage loop_usage(const struct loop *l);
/* Of the events that were read between two usages of one loop, the share `ppm` (parts per million)
 * were read in turns no longer than this; known to a quarter of an octave, rounded up. 0 when there
 * were none. */
uint64_t loop_turn_quantile_ns(const struct loop_usage *before,
                               const struct loop_usage *after,
                               uint32_t ppm);

#endif
