/* SPDX-License-Identifier: MIT */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void fill(struct err *err, int code, const char *fmt, va_list ap)
    __attribute__((format(printf, 3, 0)));

static void fill(struct err *err, int code, const char *fmt, va_list ap)
{
    memset(err, 0, sizeof *err);
    err->code = code;
    vsnprintf(err->msg, sizeof err->msg, fmt, ap);
}

int err_set(struct err *err, int code, const char *fmt, ...)
{
    if (err != NULL) {
        va_list ap;

        va_start(ap, fmt);
        fill(err, code, fmt, ap);
        va_end(ap);
    }
    return code;
}

int err_sys(struct err *err, int code, int sys, const char *fmt, ...)
{
    if (err != NULL) {
        va_list ap;
        char text[128];

        va_start(ap, fmt);
        fill(err, code, fmt, ap);
        va_end(ap);
        err->sys = sys;
        size_t len = strlen(err->msg);
        snprintf(err->msg + len, sizeof err->msg - len, ": %s", strerror_r(sys, text, sizeof text));
    }
    return code;
}

int err_at(struct err *err, int code, unsigned line, unsigned col, const char *fmt, ...)
{
    if (err != NULL) {
        va_list ap;

        va_start(ap, fmt);
        fill(err, code, fmt, ap);
        va_end(ap);
        err->line = line;
        err->col = col;
    }
    return code;
}

const char *err_name(int code)
{
#define ERR_NAME_(value, id, name) \
    case ERR_##id:                 \
        return name;
    switch (code) {
    case ERR_OK:
        return "ok";
        ERR_MAP(ERR_NAME_)
    default:
        return "unknown";
    }
}
