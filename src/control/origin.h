/* SPDX-License-Identifier: MIT */
/*
 * What a run was made of, without secrets (plan/masking.h): its target, its scenario with all
 * overlays and overrides, its command line, and the labels that somebody gave it.
 */
#ifndef CONTROL_ORIGIN_H
#define CONTROL_ORIGIN_H

#include "base/buf.h"
#include "base/json.h"
#include "plan/plan.h"

enum {
    ORIGIN_WORDS_MAX = 1024,        /* of a command line; the rest is left out */
    ORIGIN_WORD_MAX = 4096,         /* bytes of one; the rest is left out */
    ORIGIN_SHOWN_MAX = 1024 * 1024, /* a scenario whose text is larger is not in the result */
};

struct run_origin {
    char *target_url;
    json_t *scenario;
    struct buf text;      /* of the scenario, as the file scenario.json has it */
    char config_hash[65]; /* SHA-256 of `text`, in hex */
    json_t *command_line; /* array of strings; NULL: unknown */
    char *name;           /* of the run, or else of the scenario; NULL: there is none */
    char *description;    /* of the scenario, as the next two */
    char *created_by;     /* NULL: not given */
    json_t *tags;         /* object of strings: the scenario's, and the run's, which win */
};

/* `argv`: NULL when there is none. `name`: of the run, or NULL. `tags`: of the run, an object of
 * strings that is taken over, or NULL. ERR_LIMIT for a document that is too long. Cleared by
 * origin_clear in any case. */
int origin_make(struct run_origin *o,
                const struct plan *plan,
                int argc,
                char *const *argv,
                const char *name,
                json_t *tags,
                struct err *err);
/* All zero is fine. */
void origin_clear(struct run_origin *o);

/* Is it too large for the result? */
bool origin_hides_scenario(const struct run_origin *o);

#endif
