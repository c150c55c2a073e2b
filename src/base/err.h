/* SPDX-License-Identifier: MIT */
/*
 * Our own failures: a code to branch on and one line of text for people.
 *
 * A fallible function returns 0 or a negative `enum err_code` and takes `struct err *` last; the
 * struct lives on the caller's stack and may be NULL. It is filled where the failure happened and
 * passed up untouched. What the *target* of a test does is never a `struct err`: that is an outcome
 * (metrics/outcome.h).
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stddef.h>

#define ERR_MAP(X)                    \
    X(-1, IO, "io")                   \
    X(-2, INVALID, "invalid")         \
    X(-3, SYNTAX, "syntax")           \
    X(-4, LIMIT, "limit")             \
    X(-5, NOT_FOUND, "not_found")     \
    X(-6, NO_MEMORY, "no_memory")     \
    X(-7, TIMEOUT, "timeout")         \
    X(-8, UNSUPPORTED, "unsupported") \
    X(-9, USAGE, "usage")             \
    X(-10, STATE, "state")
#define ERR_ENUM_(value, id, name) ERR_##id = (value),
enum err_code { ERR_OK = 0, ERR_MAP(ERR_ENUM_) };

struct err {
    int code;           /* 0 when nothing failed */
    int sys;            /* errno when a system call failed, else 0 */
    unsigned line, col; /* place in the input, 1-based; 0 when unknown */
    char msg[240];      /* one line, no full stop */
};

/* Fills *err (it may be NULL) and returns `code`. */
int err_set(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* As err_set, with errno value `sys`; its text is appended to the message. */
int err_sys(struct err *err, int code, int sys, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* As err_set, with a 1-based place in the input. */
int err_at(struct err *err, int code, unsigned line, unsigned col, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* "io", "invalid" …; "ok" for 0, "unknown" for anything else. */
const char *err_name(int code);

#endif
