/* SPDX-License-Identifier: MIT */
/*
 * Lines that are drawn over those of the time before, at the place where a terminal's cursor
 * stands: without its alternate screen, so that what was there stays. What the reader does not take
 * at once is skipped. One thread.
 */
#ifndef CLI_SCREEN_H
#define CLI_SCREEN_H

#include "base/buf.h"
#include "report/text/text.h"

#include <stdbool.h>

enum { SCREEN_FRAME_MAX = 16 * 1024 };

/* In front of a line of a frame: it is drawn in red. */
#define SCREEN_ALARM '\x01'

struct screen {
    int fd; /* its owner's */
    struct text_style style;
    size_t drawn_lines; /* what stands on the terminal */
};

void screen_init(struct screen *s, int fd, const struct text_style *style);
/* Writes the text as it is. True when the whole was taken. */
bool screen_put(const struct screen *s, const struct buf *text);
/* Draws the lines of a frame, each with its newline, cut to the terminal's width as it is now; does
 * nothing where there is no terminal. */
void screen_draw(struct screen *s, const struct buf *frame);
/* Erases what was drawn: the cursor stands where it began. */
void screen_clear(struct screen *s);

#endif
