/* SPDX-License-Identifier: MIT */
/*
 * The live view of a run. On a terminal a panel of fixed lines is redrawn in place (without the
 * alternate screen, so that what was there stays); elsewhere a plain line is appended each second,
 * after half a minute each five seconds.
 *
 * A frame that the reader does not take at once is skipped: a stopped terminal must never stop the
 * evaluation of stop conditions. One thread.
 */
#ifndef CLI_PANEL_H
#define CLI_PANEL_H

#include "base/buf.h"
#include "control/run.h"
#include "report/text/text.h"

enum { PANEL_SPARKS = 60, PANEL_FRAME_MAX = 16 * 1024 };

struct panel;

/* `fd` stays the caller's. */
struct panel *panel_new(int fd, const struct text_style *style);
/* NULL is fine. */
void panel_free(struct panel *p);

/* The run begins: where lines are printed, one says what is tested. */
void panel_begin(struct panel *p, const struct run *r);
/* A second is complete: takes its numbers; prints the plain line where lines are printed. */
void panel_second(struct panel *p, const struct run *r, uint64_t second);
/* Redraws on a terminal, else nothing. Twice a second is enough. */
void panel_draw(struct panel *p, const struct run *r, uint64_t now_ns);
/* Erases the panel: the cursor stands where it began. */
void panel_clear(struct panel *p);

/* The texts themselves: the panel's lines, each with its newline, and one plain line. */
int panel_frame(const struct panel *p, const struct run *r, uint64_t now_ns, struct buf *out);
int panel_line(struct panel *p, const struct run *r, uint64_t second, struct buf *out);

#endif
