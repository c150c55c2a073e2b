/* SPDX-License-Identifier: MIT */
/*
 * Events of a run (event/v1) as lines for people: when, what, and the part of its payload that says
 * why. Pure. An event may come from any version: what is not known is shown as it is.
 */
#ifndef CLI_REMOTE_EVENT_TEXT_H
#define CLI_REMOTE_EVENT_TEXT_H

#include "base/buf.h"
#include "base/json.h"

enum { EVENT_TEXT_MAX = 4096 }; /* of a line, with its newline */

/* "12:00:05.250  STATE_TRANSITION  created → baseline_running (start_run)", in UTC, with a newline.
 * 0 or ERR_LIMIT. */
int event_text(const json_t *event, struct buf *out);

#endif
