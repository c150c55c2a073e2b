/* SPDX-License-Identifier: MIT */
#include "report/files/spool.h"

#include "base/clock.h"
#include "base/mem.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

/* Where the thread is; what may be taken away under it depends on that. */
enum spool_state {
    SPOOL_IDLE,
    SPOOL_MAKING,  /* in the maker: soon over, and its owner must stay */
    SPOOL_WRITING, /* perhaps for ever, with nothing but the spool's own memory */
    SPOOL_ENDED,
};

struct spool {
    pthread_t thread;
    struct spool_maker maker;
    int fd;
    char *path;
    struct buf text; /* the thread's */

    pthread_mutex_t lock;
    pthread_cond_t work; /* for the thread */
    pthread_cond_t news; /* for whoever closes: the state has changed */
    /* Under the lock. */
    struct {
        struct list queue;
        enum spool_state state;
        bool closing;
        bool abandoned;   /* nothing more is made or written */
        bool left;        /* whoever closed it is gone: the thread frees it */
        uint64_t waiting; /* weight of what was taken and neither written nor given back */
        uint64_t turn;    /* the newest */
        uint64_t fresh;   /* part of `waiting` that is of it */
        uint64_t taken, written;
        struct err err;
    } shared_;
};

static void free_spool(struct spool *s)
{
    close(s->fd);
    list_foreach_safe (node, &s->shared_.queue) {
        list_remove(node);
        s->maker.free(list_entry(node, struct spool_piece, node));
    }
    buf_clear(&s->text);
    pthread_cond_destroy(&s->work);
    pthread_cond_destroy(&s->news);
    pthread_mutex_destroy(&s->lock);
    xfree(s->path);
    xfree(s);
}

/* ---- on the thread ----------------------------------------------------------------------------
 */

/* Under the lock. */
static void set_state(struct spool *s, enum spool_state state)
{
    s->shared_.state = state;
    pthread_cond_signal(&s->news);
}

/* The next piece, in state MAKING; NULL: nothing comes any more. */
static struct spool_piece *next_piece(struct spool *s)
{
    struct spool_piece *piece = NULL;

    pthread_mutex_lock(&s->lock);
    set_state(s, SPOOL_IDLE);
    while (list_empty(&s->shared_.queue) && !s->shared_.closing) {
        pthread_cond_wait(&s->work, &s->lock);
    }
    if (!s->shared_.abandoned && !list_empty(&s->shared_.queue)) {
        piece = list_entry(s->shared_.queue.next, struct spool_piece, node);
        list_remove(&piece->node);
        set_state(s, SPOOL_MAKING);
    }
    pthread_mutex_unlock(&s->lock);
    return piece;
}

/* 0 or errno. */
static int write_all(int fd, struct str text)
{
    while (text.len > 0) {
        ssize_t n = write(fd, text.p, text.len);

        if (n < 0 && errno != EINTR) {
            return errno;
        }
        if (n > 0) {
            text = (struct str){text.p + n, text.len - (size_t)n};
        }
    }
    return 0;
}

/* Under the lock: so much of a piece of this turn waits no longer. */
static void pass_on(struct spool *s, uint64_t turn, uint64_t weight)
{
    s->shared_.waiting -= weight;
    s->shared_.fresh -= turn == s->shared_.turn ? weight : 0;
}

/* From MAKING to MAKING by way of WRITING. False: the spool was abandoned meanwhile. */
static bool write_text(struct spool *s, uint64_t turn, uint64_t weight)
{
    pthread_mutex_lock(&s->lock);
    bool writes = s->shared_.err.code == 0 && !s->shared_.abandoned;
    set_state(s, SPOOL_WRITING);
    pthread_mutex_unlock(&s->lock);

    int sys = writes ? write_all(s->fd, buf_str(&s->text)) : 0;

    pthread_mutex_lock(&s->lock);
    if (sys != 0) {
        err_sys(&s->shared_.err, ERR_IO, sys, "cannot write %.150s", s->path);
    } else if (writes) {
        s->shared_.written += weight;
    }
    pass_on(s, turn, weight);
    bool goes_on = !s->shared_.abandoned;
    if (goes_on) {
        set_state(s, SPOOL_MAKING);
    }
    pthread_mutex_unlock(&s->lock);
    return goes_on;
}

/* *left: the weight that no text was made of. False: the spool was abandoned meanwhile. */
static bool write_piece(struct spool *s, struct spool_piece *piece, uint64_t *left)
{
    bool more = true;

    *left = piece->weight;

    while (more) {
        uint64_t weight = 0;

        s->text.len = 0;
        more = s->maker.make(s->maker.owner, piece, &s->text, &weight);
        weight = weight < *left ? weight : *left;
        *left -= weight;
        if (!write_text(s, piece->turn, weight)) {
            return false;
        }
    }
    return true;
}

/* Not after the spool was abandoned. `left`: its weight that was not written. */
static void give_back(struct spool *s, struct spool_piece *piece, uint64_t left)
{
    uint64_t turn = piece->turn;

    if (s->maker.recycle != NULL) {
        s->maker.recycle(s->maker.owner, piece);
    } else {
        s->maker.free(piece);
    }
    pthread_mutex_lock(&s->lock);
    pass_on(s, turn, left);
    pthread_mutex_unlock(&s->lock);
}

static void *spool_main(void *arg)
{
    struct spool *s = arg;
    struct spool_piece *piece;

    while ((piece = next_piece(s)) != NULL) {
        uint64_t left;

        if (!write_piece(s, piece, &left)) {
            s->maker.free(piece);
            break;
        }
        give_back(s, piece, left);
    }
    pthread_mutex_lock(&s->lock);
    bool left = s->shared_.left;
    set_state(s, SPOOL_ENDED);
    pthread_mutex_unlock(&s->lock);
    if (left) {
        free_spool(s);
    }
    return NULL;
}

/* ---- on the owner's thread --------------------------------------------------------------------
 */

static void init_conditions(struct spool *s)
{
    pthread_condattr_t attr;

    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->work, NULL);
    pthread_cond_init(&s->news, &attr);
    pthread_condattr_destroy(&attr);
}

int spool_open(
    int fd, const char *path, const struct spool_maker *maker, struct spool **out, struct err *err)
{
    struct spool *s = xcalloc(1, sizeof *s);

    s->maker = *maker;
    s->fd = fd;
    s->path = xstrdup(path);
    buf_init(&s->text, SPOOL_TEXT_MAX);
    init_conditions(s);
    list_init(&s->shared_.queue);
    int sys = pthread_create(&s->thread, NULL, spool_main, s);
    if (sys != 0) {
        free_spool(s);
        return err_sys(err, ERR_IO, sys, "cannot start a thread for %.150s", path);
    }
    *out = s;
    return 0;
}

uint64_t spool_room(struct spool *s, uint64_t turn, uint64_t max)
{
    pthread_mutex_lock(&s->lock);
    uint64_t waiting = s->shared_.waiting;
    bool is_slow = waiting > (turn == s->shared_.turn ? s->shared_.fresh : 0);
    pthread_mutex_unlock(&s->lock);
    if (!is_slow) {
        return UINT64_MAX;
    }
    return max > waiting ? max - waiting : 0;
}

void spool_take(struct spool *s, struct spool_piece *piece)
{
    pthread_mutex_lock(&s->lock);
    if (piece->turn > s->shared_.turn) {
        s->shared_.turn = piece->turn;
        s->shared_.fresh = 0;
    }
    s->shared_.fresh += piece->turn == s->shared_.turn ? piece->weight : 0;
    s->shared_.waiting += piece->weight;
    s->shared_.taken += piece->weight;
    list_append(&s->shared_.queue, &piece->node);
    pthread_cond_signal(&s->work);
    pthread_mutex_unlock(&s->lock);
}

static struct timespec moment(uint64_t ns)
{
    return (struct timespec){.tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S)};
}

/* Under the lock, until the thread has ended or the patience has. */
static void wait_for_end(struct spool *s, uint64_t patience_ns)
{
    struct timespec until = moment(clock_monotonic_ns() + patience_ns);
    int sys = 0;

    while (s->shared_.state != SPOOL_ENDED && sys != ETIMEDOUT) {
        sys = pthread_cond_timedwait(&s->news, &s->lock, &until);
    }
    if (s->shared_.state == SPOOL_ENDED) {
        return;
    }
    s->shared_.abandoned = true;
    /* The maker's owner must not go while the maker is at work. */
    while (s->shared_.state == SPOOL_MAKING) {
        pthread_cond_wait(&s->news, &s->lock);
    }
}

void spool_close(struct spool *s, uint64_t patience_ns, struct spool_end *end)
{
    pthread_t thread = s->thread;

    pthread_mutex_lock(&s->lock);
    s->shared_.closing = true;
    pthread_cond_signal(&s->work);
    wait_for_end(s, patience_ns);
    *end = (struct spool_end){.lost = s->shared_.taken - s->shared_.written,
                              .in_time = !s->shared_.abandoned,
                              .err = s->shared_.err};
    bool ended = s->shared_.state == SPOOL_ENDED;
    s->shared_.left = !ended;
    pthread_mutex_unlock(&s->lock);
    if (ended) {
        pthread_join(thread, NULL);
        free_spool(s);
    } else {
        pthread_detach(thread); /* it frees the spool when the file lets it go */
    }
}
