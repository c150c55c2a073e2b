/* SPDX-License-Identifier: MIT */
/*
 * The live view of a run that a control plane has: the lines of cli/lines.h with the figures of its
 * API. Documents in, text out; who fetches and draws is cli/cmd_watch.c.
 */
#ifndef CLI_LIVE_H
#define CLI_LIVE_H

#include "base/buf.h"
#include "base/json.h"
#include "report/text/text.h"

#include <stdbool.h>
#include <stdint.h>

enum { LIVE_SPARKS = 60, LIVE_FRAME_MAX = 16 * 1024 };

struct live;

struct live *live_new(const struct text_style *style);
/* NULL is fine. */
void live_free(struct live *v);

/* `run`: RunView. `metrics`: of the same run, with the time series of at least the newest seconds;
 * NULL when there are none. What they lack is left out. */
void live_take(struct live *v, const json_t *run, const json_t *metrics);
/* When the oldest second of interest began (ms since 1970), for the next request; 0: all. `run`:
 * the newest RunView. */
uint64_t live_since_ms(const struct live *v, const json_t *run);
bool live_is_over(const struct live *v);

/* As a frame (cli/screen.h). 0 or ERR_LIMIT. */
int live_frame(const struct live *v, struct buf *out);
/* A plain line for each second that has come since the last call. 0 or ERR_LIMIT. */
int live_lines(struct live *v, struct buf *out);

#endif
