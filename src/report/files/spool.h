/* SPDX-License-Identifier: MIT */
/*
 * A file that a thread of its own writes. Whoever has something for it hands a piece over and goes
 * on: a slow, full or hanging disk holds up the thread and nobody else.
 *
 * Vocabulary
 *   piece    something that becomes text on the thread; it belongs to the spool once it was taken
 *   weight   how much a piece is, in a unit that its owner chooses (lines, bytes): what waits is
 *            bounded by it, and what was lost is counted in it
 *   turn     pieces that come together, because the same moment made them. Before the next turn the
 *            file had time for them; what waits of earlier turns waits because the file is slow,
 *            and only then there is a bound
 *   maker    makes the text of pieces
 *
 * spool_room, spool_take and spool_close are for one thread; the maker runs on the spool's own.
 */
#ifndef REPORT_FILES_SPOOL_H
#define REPORT_FILES_SPOOL_H

#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"

#include <stdbool.h>
#include <stdint.h>

#define SPOOL_TEXT_MAX ((size_t)1 << 20) /* of one write */

struct spool_piece {
    struct list node; /* the spool's */
    uint64_t weight;  /* set before it is taken */
    uint64_t turn;    /* likewise; grows */
};

struct spool_maker {
    /* Appends text to the empty `out`, SPOOL_TEXT_MAX at most. *weight: how much of the piece it
     * is. True: the piece has more. Never waits for anything. */
    bool (*make)(void *owner, struct spool_piece *piece, struct buf *out, uint64_t *weight);
    /* The piece is through. NULL: it is freed. */
    void (*recycle)(void *owner, struct spool_piece *piece);
    /* Frees a piece; does not know the owner, who may be gone. */
    void (*free)(struct spool_piece *piece);
    void *owner;
};

struct spool;

/* What became of it all. */
struct spool_end {
    uint64_t lost;  /* weight of what was taken and is not in the file */
    bool in_time;   /* false: the file still hung when the patience was over */
    struct err err; /* the first write that failed, if one did; nothing was written after it */
};

/* `fd` is taken over; `path` is for messages. ERR_IO when there can be no thread; fd is closed. */
int spool_open(
    int fd, const char *path, const struct spool_maker *maker, struct spool **out, struct err *err);

/* What a piece of this turn may weigh, so that no more than `max` waits with it. Nothing of earlier
 * turns waits: UINT64_MAX. It does not shrink but by spool_take. */
uint64_t spool_room(struct spool *s, uint64_t turn, uint64_t max);
/* Takes the piece over, whatever it weighs. Never waits for a file. */
void spool_take(struct spool *s, struct spool_piece *piece);

/* Writes what was taken and ends, within the patience: what is not written then is lost. Frees the
 * spool; neither the maker's owner nor a callback other than `free` is used afterwards. */
void spool_close(struct spool *s, uint64_t patience_ns, struct spool_end *end);

#endif
