/* SPDX-License-Identifier: MIT */
#include "cli/screen.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

void screen_init(struct screen *s, int fd, const struct text_style *style)
{
    *s = (struct screen){.fd = fd, .style = *style};
}

/* Asks first, because a terminal may be stopped (Ctrl-S). */
bool screen_put(const struct screen *s, const struct buf *text)
{
    struct pollfd fd = {.fd = s->fd, .events = POLLOUT};

    return poll(&fd, 1, 0) == 1 && (fd.revents & POLLOUT) != 0 &&
           write(s->fd, text->p, text->len) == (ssize_t)text->len;
}

/* One line over the one that stands there, no wider than the terminal. */
static int compose_line(const struct screen *s, struct str line, struct buf *out)
{
    bool alarm = line.len > 0 && line.p[0] == SCREEN_ALARM;

    if (alarm) {
        line = (struct str){line.p + 1, line.len - 1};
    }
    int rc = alarm ? buf_add_c(out, "\x1b[31m") : 0;
    if (rc == 0) {
        rc = text_add_safe(out, line, s->style.columns - 1);
    }
    return rc != 0 ? rc : buf_add_c(out, alarm ? "\x1b[0m\x1b[K\n" : "\x1b[K\n");
}

/* The lines of a frame over those of the frame before. */
static int compose(const struct screen *s, const struct buf *frame, struct buf *out, size_t *lines)
{
    int rc = s->drawn_lines > 0 ? buf_printf(out, "\r\x1b[%zuA", s->drawn_lines) : 0;
    size_t at = 0;

    for (*lines = 0; rc == 0 && at < frame->len; ++*lines) {
        const char *end = memchr(frame->p + at, '\n', frame->len - at);
        size_t len = end != NULL ? (size_t)(end - frame->p) - at : frame->len - at;

        rc = compose_line(s, (struct str){frame->p + at, len}, out);
        at += len + 1;
    }
    if (rc == 0) {
        rc = buf_add_c(out, "\x1b[J");
    }
    /* The frame is ASCII already; what marks a cut line is not. */
    if (rc == 0 && !s->style.utf8) {
        text_to_ascii(out);
    }
    return rc;
}

void screen_draw(struct screen *s, const struct buf *frame)
{
    struct buf out;
    size_t lines;

    if (!s->style.terminal) {
        return;
    }
    s->style.columns = text_style_of(s->fd).columns;
    buf_init(&out, (size_t)SCREEN_FRAME_MAX * 2);
    if (compose(s, frame, &out, &lines) == 0 && screen_put(s, &out)) {
        s->drawn_lines = lines;
    }
    buf_clear(&out);
}

void screen_clear(struct screen *s)
{
    struct buf out;

    if (s->drawn_lines == 0) {
        return;
    }
    buf_init(&out, 64);
    buf_printf(&out, "\r\x1b[%zuA\x1b[J", s->drawn_lines);
    (void)screen_put(s, &out);
    buf_clear(&out);
    s->drawn_lines = 0;
}
