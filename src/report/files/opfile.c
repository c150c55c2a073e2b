/* SPDX-License-Identifier: MIT */
#include "report/files/opfile.h"

#include "base/clock.h"
#include "base/mem.h"
#include "report/files/spool.h"

#include <pthread.h>

/* What one shard had in one second. */
struct op_piece {
    struct spool_piece piece; /* weighs its operations */
    struct sample_batch *batch;
    uint64_t second;
    uint32_t source;
    uint32_t failures_done, successes_done;
};

struct opfile {
    struct spool *spool;
    char *path;
    uint64_t waiting_max, refused, thinned;
    bool in_full;     /* a sample_rate has been given: the shards' samples are all */
    struct list held; /* pieces of seconds that are not complete, as they came */

    /* The spool's thread has these. */
    struct oplog log;
    uint32_t key_count;
    uint64_t bytes;

    /* Batches to be filled again. */
    struct {
        pthread_mutex_t lock;
        struct list empty;
    } shared_;
};

/* ---- on the spool's thread --------------------------------------------------------------------
 */

/* The next operation in the order of their ends; NULL: there is none. */
static const struct op_sample *next_operation(struct op_piece *p)
{
    const struct sample_list *failures = &p->batch->failures, *successes = &p->batch->successes;
    const struct op_sample *failure = NULL, *success = NULL;

    if (p->failures_done < failures->count) {
        failure = &failures->items[p->failures_done];
    }
    if (p->successes_done < successes->count) {
        success = &successes->items[p->successes_done];
    }
    if (success == NULL || (failure != NULL && failure->outcome.t_end <= success->outcome.t_end)) {
        p->failures_done++;
        return failure;
    }
    p->successes_done++;
    return success;
}

static bool has_room(const struct opfile *f, const struct op_sample *op, const struct buf *out)
{
    uint64_t max = op->outcome.cls == OUTCOME_OK ? OPFILE_BYTES_MAX : 2 * OPFILE_BYTES_MAX;

    return f->bytes + out->len < max;
}

static bool make_lines(void *owner, struct spool_piece *piece, struct buf *out, uint64_t *weight)
{
    struct opfile *f = owner;
    struct op_piece *p = list_entry(piece, struct op_piece, piece);
    const struct op_sample *op = NULL;

    while (out->max - out->len >= OPLOG_LINE_MAX && (op = next_operation(p)) != NULL) {
        if (op->outcome.key < f->key_count && has_room(f, op, out)) {
            *weight += oplog_write(&f->log, p->source, op, out) == 0;
        }
    }
    f->bytes += out->len;
    return op != NULL;
}

static void recycle(void *owner, struct spool_piece *piece)
{
    struct opfile *f = owner;
    struct op_piece *p = list_entry(piece, struct op_piece, piece);

    sample_batch_reset(p->batch);
    pthread_mutex_lock(&f->shared_.lock);
    list_append(&f->shared_.empty, &p->batch->node);
    pthread_mutex_unlock(&f->shared_.lock);
    xfree(p);
}

static void free_piece(struct spool_piece *piece)
{
    struct op_piece *p = list_entry(piece, struct op_piece, piece);

    sample_batch_free(p->batch);
    xfree(p);
}

/* ---- on the owner's thread --------------------------------------------------------------------
 */

int opfile_open(int fd,
                const char *path,
                const struct oplog_origin *origin,
                struct opfile **out,
                struct err *err)
{
    const struct plan *plan = origin->plan;
    struct opfile *f = xcalloc(1, sizeof *f);
    struct spool_maker maker = {
        .make = make_lines, .recycle = recycle, .free = free_piece, .owner = f};

    f->path = xstrdup(path);
    f->waiting_max = plan->scenario->safety.caps.max_queue_depth;
    f->in_full = plan->scenario->telemetry.log_sample_rate_given;
    list_init(&f->held);
    f->key_count = plan->key_count;
    oplog_init(&f->log, origin);
    pthread_mutex_init(&f->shared_.lock, NULL);
    list_init(&f->shared_.empty);
    int rc = spool_open(fd, path, &maker, &f->spool, err);
    if (rc != 0) {
        opfile_close(f, 0, &(struct opfile_end){0});
        return rc;
    }
    *out = f;
    return 0;
}

static struct sample_batch *empty_batch(struct opfile *f)
{
    struct sample_batch *b = NULL;

    pthread_mutex_lock(&f->shared_.lock);
    if (!list_empty(&f->shared_.empty)) {
        b = list_entry(f->shared_.empty.next, struct sample_batch, node);
        list_remove(&b->node);
    }
    pthread_mutex_unlock(&f->shared_.lock);
    return b;
}

/* Cuts the piece to what there is room for; failures find more. */
static void fit(struct opfile *f, struct op_piece *p)
{
    struct sample_batch *b = p->batch;
    uint64_t room = spool_room(f->spool, p->piece.turn, f->waiting_max);

    if (room == UINT64_MAX) {
        return;
    }
    f->refused +=
        sample_batch_cut_failures(b, spool_room(f->spool, p->piece.turn, 2 * f->waiting_max));
    room = room > b->failures.count ? room - b->failures.count : 0;
    f->refused += sample_batch_cut(b, sample_common_rank(&b, 1, room));
}

static void hand_over(struct opfile *f, struct op_piece *p)
{
    fit(f, p);
    p->piece.weight = (uint64_t)p->batch->failures.count + p->batch->successes.count;
    if (p->piece.weight > 0) {
        spool_take(f->spool, &p->piece);
    } else {
        recycle(f, &p->piece);
    }
}

/* The successes with the lowest ranks of all stay. */
static void thin(struct opfile *f, struct op_piece *const *pieces, size_t count)
{
    /* NOLINTNEXTLINE(bugprone-sizeof-expression) */
    struct sample_batch **batches = xcalloc(count, sizeof *batches);

    for (size_t i = 0; i < count; i++) {
        batches[i] = pieces[i]->batch;
    }
    uint32_t rank_max = sample_common_rank(batches, count, PLAN_LOG_SUCCESSES);
    for (size_t i = 0; i < count; i++) {
        f->thinned += sample_batch_cut(batches[i], rank_max);
    }
    xfree(batches);
}

/* Takes the held pieces of a second out of the list, into a new array, which the caller frees. */
static size_t take_held(struct opfile *f, uint64_t second, struct op_piece ***out)
{
    size_t count = 0, size = 0;

    list_foreach (node, &f->held) {
        size++;
    }
    /* NOLINTNEXTLINE(bugprone-sizeof-expression) */
    *out = xcalloc(size, sizeof **out);
    list_foreach_safe (node, &f->held) {
        struct op_piece *p = list_entry(node, struct op_piece, piece.node);

        if (p->second == second) {
            list_remove(node);
            (*out)[count++] = p;
        }
    }
    return count;
}

static uint64_t oldest_held(const struct opfile *f)
{
    uint64_t oldest = UINT64_MAX;

    list_foreach (node, &f->held) {
        const struct op_piece *p = list_entry(node, struct op_piece, piece.node);

        oldest = p->second < oldest ? p->second : oldest;
    }
    return oldest;
}

void opfile_complete(struct opfile *f, uint64_t end)
{
    uint64_t second;

    while ((second = oldest_held(f)) < end) {
        struct op_piece **pieces;
        size_t count = take_held(f, second, &pieces);

        thin(f, pieces, count);
        for (size_t i = 0; i < count; i++) {
            hand_over(f, pieces[i]);
        }
        xfree(pieces);
    }
}

/* The fragment of a second with which a run ends comes at once behind the second before it. */
static uint64_t turn_of(const struct window *w)
{
    return w->second + (w->end_ns - w->start_ns >= NS_PER_S);
}

void opfile_take(struct opfile *f, uint32_t source, struct window *w)
{
    struct sample_batch *batch = window_swap_log(w, empty_batch(f));

    if (batch == NULL) {
        return;
    }
    struct op_piece *p = xcalloc(1, sizeof *p);

    list_init(&p->piece.node);
    p->batch = batch;
    p->second = w->second;
    p->source = source;
    p->piece.turn = turn_of(w);
    if (f->in_full) {
        hand_over(f, p);
        return;
    }
    list_append(&f->held, &p->piece.node);
    if (w->second >= OPFILE_HELD_MAX) {
        opfile_complete(f, w->second - OPFILE_HELD_MAX + 1);
    }
}

static void describe(const struct opfile *f, const struct spool_end *end, struct opfile_end *out)
{
    out->lost = f->refused + end->lost;
    out->thinned = f->thinned;
    out->err = end->err;
    if (!end->in_time && end->err.code == 0) {
        err_set(&out->err, ERR_TIMEOUT, "%.180s could not be written in time", f->path);
    }
}

void opfile_close(struct opfile *f, uint64_t patience_ns, struct opfile_end *end)
{
    struct spool_end spooled = {.in_time = true};

    if (f->spool != NULL) {
        opfile_complete(f, UINT64_MAX);
        spool_close(f->spool, patience_ns, &spooled);
    }
    describe(f, &spooled, end);
    list_foreach_safe (node, &f->shared_.empty) {
        sample_batch_free(list_entry(node, struct sample_batch, node));
    }
    pthread_mutex_destroy(&f->shared_.lock);
    oplog_clear(&f->log);
    xfree(f->path);
    xfree(f);
}
