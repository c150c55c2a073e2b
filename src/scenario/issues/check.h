/* SPDX-License-Identifier: MIT */
/*
 * The state of one load, shared by its steps: the tree, the place that is being looked at, and
 * where issues go. Issues name the place where the user wrote the value: an older spelling is
 * translated back, and a value from an override or an overlay says so.
 */
#ifndef SCENARIO_ISSUES_CHECK_H
#define SCENARIO_ISSUES_CHECK_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"
#include "scenario/config/options.h"
#include "scenario/issues/issue.h"
#include "scenario/issues/origins.h"

enum { CHECK_PATH_MAX = ORIGINS_PATH_MAX, CHECK_ALIASES_MAX = 8 };

struct alias {
    const char *from, *to; /* JSON pointers */
    bool used;
};

struct override {
    const char *json_pointer;
    size_t number; /* of the override among all that were given, from 1 */
};

struct check {
    const struct scenario_options *options;
    struct issue_list *issues;
    struct arena *arena; /* of the scenario */
    json_t *root;
    struct buf path; /* JSON pointer of the value being looked at */
    unsigned silent; /* above 0: defaults stand in for a value that has its issue already */
    struct alias aliases[CHECK_ALIASES_MAX];
    size_t alias_count;
    struct override *overrides;
    size_t override_count;
    json_t *origins;     /* what came from which overlay (origins.h); NULL: nothing did */
    const char *overlay; /* the name of the one that is being merged, or NULL */
};

void check_init(struct check *c,
                const struct scenario_options *options,
                struct issue_list *issues,
                struct arena *arena);
void check_clear(struct check *c);

/* Goes into a member; the result is for check_leave(). A key that does not fit leaves the path. */
size_t check_enter(struct check *c, const char *key);
size_t check_enter_index(struct check *c, size_t index);
void check_leave(struct check *c, size_t mark);

/* At the current path. `remediation` may be NULL. */
void check_error(struct check *c, const char *code, const char *remediation, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void check_warning(struct check *c, const char *code, const char *remediation, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Further text for a remediation; lives as long as the issues. */
const char *check_text(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What may be shown of a key, and of an override: its path alone, up to where no path goes on. */
const char *check_key(struct check *c, const char *key);
struct str check_set_path(const char *set);

/* Has the current path an error already? */
bool check_has_error(struct check *c);
/* Or has it, or something below it? */
bool check_has_error_below(struct check *c);
/* Was an override given for exactly the value at the current path? */
bool check_is_set(struct check *c);
/* No further issue will be shown: expensive advice can be saved. */
bool check_full(const struct check *c);

/* The value at a JSON pointer of the tree, or NULL. Pointers are built from our own keys. */
json_t *check_value(const struct check *c, const char *json_pointer);
/* As check_value, below the current path: "" or "/key…". */
json_t *check_below(struct check *c, const char *rest);

#endif
