/* SPDX-License-Identifier: MIT */
#include "report/files/linefile.h"

#include "base/mem.h"
#include "report/files/spool.h"

#include <assert.h>
#include <string.h>

struct line_piece {
    struct spool_piece piece; /* weighs its bytes */
    char text[];
};

struct linefile {
    struct spool *spool;
    char *path;
    uint64_t lines, refused; /* `refused`: bytes */
};

static bool make_line(void *owner, struct spool_piece *piece, struct buf *out, uint64_t *weight)
{
    const struct line_piece *p = list_entry(piece, struct line_piece, piece);

    (void)owner;
    if (buf_add(out, p->text, piece->weight) == 0) {
        *weight = piece->weight;
    }
    return false;
}

static void free_line(struct spool_piece *piece)
{
    xfree(list_entry(piece, struct line_piece, piece));
}

int linefile_open(int fd, const char *path, struct linefile **out, struct err *err)
{
    struct spool_maker maker = {.make = make_line, .free = free_line};
    struct spool *spool;
    int rc = spool_open(fd, path, &maker, &spool, err);

    if (rc == 0) {
        *out = xcalloc(1, sizeof **out);
        (*out)->spool = spool;
        (*out)->path = xstrdup(path);
    }
    return rc;
}

void linefile_add(struct linefile *f, struct str line)
{
    assert(line.len <= LINEFILE_LINE_MAX);
    f->lines++;
    if (spool_room(f->spool, f->lines, LINEFILE_WAITING_MAX) < line.len) {
        f->refused += line.len;
        return;
    }
    struct line_piece *p = xmalloc(sizeof *p + line.len);

    list_init(&p->piece.node);
    p->piece.weight = line.len;
    p->piece.turn = f->lines; /* each comes alone: all that waits is bounded */
    memcpy(p->text, line.p, line.len);
    spool_take(f->spool, &p->piece);
}

int linefile_close(struct linefile *f, uint64_t patience_ns, struct err *err)
{
    struct spool_end end;

    spool_close(f->spool, patience_ns, &end);
    uint64_t lost = f->refused + end.lost;
    int rc = 0;
    if (end.err.code != 0) {
        *err = end.err;
        rc = end.err.code;
    } else if (lost > 0) {
        rc = err_set(err, ERR_IO, "%llu bytes of %.150s could not be written in time",
                     (unsigned long long)lost, f->path);
    }
    xfree(f->path);
    xfree(f);
    return rc;
}
