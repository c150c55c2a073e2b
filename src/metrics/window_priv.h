/* SPDX-License-Identifier: MIT */
/* Insides of the window that its files share. */
#ifndef METRICS_WINDOW_PRIV_H
#define METRICS_WINDOW_PRIV_H

#include "metrics/window.h"

/* ---- window_failures.c: what failed, by kind --------------------------------------------------
 */

/* Counts the failure. How often its kind was seen in this window, this one included. */
uint64_t window_failures_add(struct window *w, const struct outcome *o);
void window_failures_reset(struct window *w);

#endif
