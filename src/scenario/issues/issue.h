/* SPDX-License-Identifier: MIT */
/*
 * What is wrong with a scenario file: a list of issues instead of one error, so that a user
 * corrects a file once. Each names its cause (code, message), its place (JSON pointer, line and
 * column) and what to do (remediation).
 *
 * The list owns all texts until issue_list_clear(). It holds at most ISSUES_MAX; the last one then
 * says how many more there were.
 */
#ifndef SCENARIO_ISSUES_ISSUE_H
#define SCENARIO_ISSUES_ISSUE_H

#include "base/arena.h"
#include "base/json.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

enum { ISSUES_MAX = 1000, ISSUE_SYNTAX_MAX = 240 };

enum issue_level { ISSUE_ERROR, ISSUE_WARNING };

struct issue {
    enum issue_level level;
    const char *code; /* "UNKNOWN_FIELD" …; docs/reference/run-config.md lists them */
    const char *message;
    const char *json_pointer; /* RFC 6901; "" is the whole document */
    const char *remediation;  /* an action; "" when the message says it all */
    unsigned line, col;       /* 1-based; 0 when the place is not in the text (an override) */
    const char *file;         /* the overlay that line and col are in, or the override that
                               * cannot be applied; NULL: the document */
    size_t set;               /* the value is that of this override, counted from 1; 0: of none */
    const char *place_;       /* where to look in the text; NULL: at json_pointer, which says less
                               * when a key must not be shown */
    bool overridden_; /* the value is not in the text: it came from an override or an overlay */
};

struct issue_list {
    struct issue *items;
    size_t count;
    size_t error_count, warning_count; /* of all that were found */
    size_t capacity_, dropped_;
    struct arena arena_;
};

/* An empty list is all zero: `struct issue_list issues = {0};` */

void issue_list_clear(struct issue_list *list);

/* Adds one; `message` is printf-like, everything is copied. */
void issue_add(struct issue_list *list,
               const struct issue *head, /* all but the message */
               const char *message,
               ...) __attribute__((format(printf, 3, 4)));

void issue_addv(struct issue_list *list, const struct issue *head, const char *message, va_list ap)
    __attribute__((format(printf, 3, 0)));

/* What json_parse() said about the text of `file`; NULL: of the document. */
void issue_add_syntax(struct issue_list *list, const struct err *err, const char *file);

/* The message of json_parse() without the piece of the text that it quotes. */
const char *issue_syntax_text(const struct err *err, char out[ISSUE_SYNTAX_MAX]);

/* Is there an error at exactly this place? For "one cause, one issue". */
bool issue_has_error(const struct issue_list *list, const char *json_pointer);

/* An issue with this code, there? */
bool issue_has_code(const struct issue_list *list, const char *json_pointer, const char *code);

/* Order of the document: line, column, code. Appends the "N more" to a list that overflowed. */
void issue_list_finish(struct issue_list *list);

/* {"ok": …, "errors": [...], "warnings": [...]}; the caller owns it. */
json_t *issue_list_json(const struct issue_list *list);

/* One issue as text for people: "FILE:LINE:COL: error CODE at /pointer: message" and, on a second
 * line, the remedy. `file` is the document; an issue in an overlay names that. 0 or ERR_LIMIT. */
int issue_write(const struct issue *issue, const char *file, struct buf *out);

#endif
