/* SPDX-License-Identifier: MIT */
/*
 * Which run a word names: its whole id, a beginning of it that no other run has (with or without
 * "run_" in front), or `last`, the newest one. Pure: the list of runs is handed in.
 */
#ifndef CLI_REMOTE_RUN_ID_H
#define CLI_REMOTE_RUN_ID_H

#include "base/err.h"
#include "base/json.h"
#include "base/str.h"

#include <stdbool.h>

enum { RUN_ID_MAX = 4 + 64 };

enum run_word {
    RUN_WORD_WRONG, /* no word that could name a run */
    RUN_WORD_WHOLE, /* an id as this program makes them: nothing has to be looked up */
    RUN_WORD_LAST,
    RUN_WORD_PREFIX,
};

enum run_word run_id_word(struct str word);

/* `runs`: elements with a `run_id`, newest first. ERR_NOT_FOUND, or ERR_USAGE when several begin
 * so; the text names some of them. */
int run_id_pick(const json_t *runs, struct str word, char out[RUN_ID_MAX + 1], struct err *err);

#endif
