/* SPDX-License-Identifier: MIT */
#include "loop/loop.h"

#include "base/mem.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum {
    FULL_BATCHES_MAX =
        64, /* full batches in a row after which time-outs are looked at all the same */
};

static struct timespec to_timespec(uint64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S)};
}

/* epoll_pwait2 (Linux 5.11) waits in nanoseconds; without it one timerfd wakes the wait. */
static int probe_wait(struct loop *l, struct err *err)
{
    struct timespec none = {0};
    struct epoll_event ev;

    l->timer_fd_ = -1;
    if (epoll_pwait2(l->epoll_fd_, &ev, 1, &none, NULL) >= 0 || errno != ENOSYS) {
        return 0;
    }
    l->timer_fd_ = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct epoll_event watch = {.events = EPOLLIN | EPOLLET, .data.ptr = NULL};
    if (l->timer_fd_ < 0 || epoll_ctl(l->epoll_fd_, EPOLL_CTL_ADD, l->timer_fd_, &watch) != 0) {
        return err_sys(err, ERR_IO, errno, "cannot make a timer");
    }
    return 0;
}

int loop_new(const struct clock *clock, struct loop **out, struct err *err)
{
    struct loop *l = xcalloc(1, sizeof *l);

    l->clock_ = clock;
    l->timer_fd_ = -1;
    l->now_ = l->began_ns_ = clock_now(clock);
    wheel_init(&l->wheel_, l->now_);
    list_init(&l->deferred_);
    list_init(&l->dead_);
    l->epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll_fd_ < 0) {
        int rc = err_sys(err, ERR_IO, errno, "cannot make an event loop");
        loop_free(l);
        return rc;
    }
    int rc = probe_wait(l, err);
    if (rc != 0) {
        loop_free(l);
        return rc;
    }
    *out = l;
    return 0;
}

/* At most `max` of them: I/O is looked at between portions of a long queue. True: some are left. */
static bool run_list(struct list *from, unsigned max)
{
    struct list batch;

    list_init(&batch);
    list_splice(&batch, from);
    while (max-- > 0 && !list_empty(&batch)) {
        struct defer *d = list_entry(batch.next, struct defer, node);

        list_remove(&d->node);
        d->fn(d);
    }
    bool left = !list_empty(&batch);
    list_splice(&batch, from);
    list_splice(from, &batch);
    return left;
}

void loop_free(struct loop *l)
{
    if (l == NULL) {
        return;
    }
    while (!list_empty(&l->dead_)) {
        run_list(&l->dead_, UINT_MAX);
    }
    sendheap_clear(&l->sends_);
    if (l->timer_fd_ >= 0) {
        close(l->timer_fd_);
    }
    if (l->epoll_fd_ >= 0) {
        close(l->epoll_fd_);
    }
    xfree(l);
}

int loop_add(struct loop *l, struct io *io, uint32_t events, struct err *err)
{
    struct epoll_event ev = {.events = events | EPOLLET, .data.ptr = io};

    if (epoll_ctl(l->epoll_fd_, EPOLL_CTL_ADD, io->fd, &ev) != 0) {
        return err_sys(err, ERR_IO, errno, "cannot watch descriptor %d", io->fd);
    }
    return 0;
}

void loop_remove(struct loop *l, struct io *io)
{
    epoll_ctl(l->epoll_fd_, EPOLL_CTL_DEL, io->fd, NULL);
    for (int i = l->batch_at_; i < l->batch_count_; i++) {
        if (l->batch_[i].data.ptr == io) {
            l->batch_[i].data.ptr = NULL;
        }
    }
}

void defer_init(struct defer *d, void (*fn)(struct defer *d))
{
    list_init(&d->node);
    d->fn = fn;
}

void loop_defer(struct loop *l, struct defer *d)
{
    if (list_empty(&d->node)) {
        list_append(&l->deferred_, &d->node);
    }
}

void loop_defer_cancel(struct defer *d)
{
    list_remove(&d->node);
}

void loop_bury(struct loop *l, struct defer *d)
{
    assert(list_empty(&d->node));
    list_append(&l->dead_, &d->node);
}

static uint64_t next_deadline(const struct loop *l)
{
    uint64_t send = sendheap_next_ns(&l->sends_);
    uint64_t timer = wheel_next_ns(&l->wheel_);

    return send < timer ? send : timer;
}

/* Waits for events until `until_ns` (UINT64_MAX: for ever). */
static int wait_events(struct loop *l, uint64_t until_ns)
{
    bool forever = until_ns == UINT64_MAX;
    uint64_t left = forever || until_ns <= l->now_ ? 0 : until_ns - l->now_;

    if (l->timer_fd_ < 0) {
        struct timespec ts = to_timespec(left);
        return epoll_pwait2(l->epoll_fd_, l->batch_, LOOP_BATCH, forever ? NULL : &ts, NULL);
    }
    if (left > 0) {
        struct itimerspec at = {.it_value = to_timespec(left)};
        timerfd_settime(l->timer_fd_, 0, &at, NULL);
    }
    return epoll_wait(l->epoll_fd_, l->batch_, LOOP_BATCH, forever || left > 0 ? -1 : 0);
}

static void run_sends(struct loop *l)
{
    /* Sends that are armed for "now" by a callback wait for the next turn: time stands still here.
     */
    uint64_t now = l->now_;

    for (uint32_t n = l->sends_.count; n > 0; n--) {
        struct send *s = sendheap_pop(&l->sends_, now);

        if (s == NULL) {
            break;
        }
        s->on_send(s);
    }
}

static void run_batch(struct loop *l)
{
    for (l->batch_at_ = 0; l->batch_at_ < l->batch_count_;) {
        struct epoll_event *ev = &l->batch_[l->batch_at_++];
        struct io *io = ev->data.ptr;

        if (io != NULL) {
            io->on_io(io, ev->events);
            /* Measurements refresh the cached time, so a long batch does not make sends late. */
            if (sendheap_next_ns(&l->sends_) <= l->now_) {
                run_sends(l);
            }
        }
    }
    l->batch_at_ = l->batch_count_ = 0;
}

static void run_timers(struct loop *l)
{
    struct list expired;

    list_init(&expired);
    wheel_expire(&l->wheel_, l->now_, &expired);
    while (!list_empty(&expired)) {
        struct timer *t = list_entry(expired.next, struct timer, node);

        wheel_cancel(&l->wheel_, t);
        t->on_timer(t);
    }
}

/* ---- lengths of turns ------------------------------------------------------------------------ */

static unsigned turn_bucket(uint64_t ns)
{
    if (ns < UINT64_C(1) << LOOP_TURN_OCTAVE_MIN) {
        return 0;
    }
    unsigned octave = 63u - (unsigned)__builtin_clzll(ns);
    if (octave >= LOOP_TURN_OCTAVE_MAX) {
        return LOOP_TURN_BUCKETS - 1;
    }
    unsigned part = (unsigned)(ns >> (octave - 2)) & (LOOP_TURN_PARTS - 1);
    return (octave - LOOP_TURN_OCTAVE_MIN) * LOOP_TURN_PARTS + part;
}

static uint64_t turn_bucket_end(unsigned bucket)
{
    unsigned octave = LOOP_TURN_OCTAVE_MIN + bucket / LOOP_TURN_PARTS;
    uint64_t part = bucket % LOOP_TURN_PARTS;

    return (LOOP_TURN_PARTS + part + 1) << (octave - 2);
}

uint64_t
loop_turn_quantile_ns(const struct loop_usage *before, const struct loop_usage *after, uint32_t ppm)
{
    uint64_t events = 0, seen = 0;

    for (unsigned i = 0; i < LOOP_TURN_BUCKETS; i++) {
        events += after->turns[i] - before->turns[i];
    }
    /* ceil(p·n) without an overflow: n may be large, p has six digits. */
    uint64_t rank = events / 1000000 * ppm + (events % 1000000 * ppm + 999999) / 1000000;
    rank = rank > 0 ? rank : 1;
    for (unsigned i = 0; i < LOOP_TURN_BUCKETS; i++) {
        seen += after->turns[i] - before->turns[i];
        if (seen >= rank) {
            return turn_bucket_end(i);
        }
    }
    return 0;
}

int loop_turn(struct loop *l, uint64_t until_ns)
{
    uint64_t deadline = next_deadline(l);

    if (!list_empty(&l->deferred_) || !list_empty(&l->dead_)) {
        until_ns = 0;
    }
    uint64_t before = loop_clock(l);
    /* This reading also ends the turn before: its length costs no reading of its own. */
    l->turns_[turn_bucket(before - l->woken_ns_)] += l->turn_events_;
    l->batch_count_ = wait_events(l, deadline < until_ns ? deadline : until_ns);
    if (l->batch_count_ < 0) {
        l->batch_count_ = 0; /* EINTR: a signal is its handler's business */
    }
    l->waited_ns_ += loop_clock(l) - before;
    l->wakeups_++;
    l->woken_ns_ = l->now_;
    int events = l->batch_count_;
    l->turn_events_ = (unsigned)events;
    run_batch(l);
    if (sendheap_next_ns(&l->sends_) <= l->now_) {
        run_sends(l);
    }
    /* A time-out is not decided while an answer may wait unread: after a full batch the next one
     * comes first. Only a loop that never catches up has to go on. */
    l->full_batches_ = events == LOOP_BATCH ? l->full_batches_ + 1 : 0;
    if (l->full_batches_ % FULL_BATCHES_MAX == 0) {
        run_timers(l);
    }
    l->put_off_ += run_list(&l->deferred_, LOOP_DEFERRED_MAX);
    run_list(&l->dead_, UINT_MAX);
    return events;
}

void loop_run(struct loop *l)
{
    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    l->stop_ = false;
    while (!l->stop_) {
        loop_turn(l, UINT64_MAX);
    }
}

void loop_run_virtual(struct loop *l, uint64_t *now_ns, uint64_t until_ns)
{
    l->stop_ = false;
    while (!l->stop_) {
        if (loop_turn(l, 0) > 0 || !list_empty(&l->deferred_)) {
            continue;
        }
        uint64_t next = next_deadline(l);
        if (next > until_ns) {
            *now_ns = until_ns;
            loop_turn(l, 0);
            return;
        }
        if (next > *now_ns) {
            *now_ns = next;
        }
    }
}

void loop_stop(struct loop *l)
{
    l->stop_ = true;
}

struct loop_usage loop_usage(const struct loop *l)
{
    struct loop_usage usage = {
        .wall_ns = clock_now(l->clock_) - l->began_ns_,
        .waited_ns = l->waited_ns_,
        .wakeups = l->wakeups_,
        .put_off = l->put_off_,
    };

    memcpy(usage.turns, l->turns_, sizeof usage.turns);
    return usage;
}
