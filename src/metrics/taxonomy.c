/* SPDX-License-Identifier: MIT */
#include "metrics/taxonomy.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TYPE_NAME_(id, name, origin) [ERROR_TYPE_##id] = (name),
static const char *const type_names[ERROR_TYPE_COUNT] = {ERROR_TYPE_MAP(TYPE_NAME_)};

#define TYPE_ORIGIN_(id, name, origin) [ERROR_TYPE_##id] = ERROR_ORIGIN_##origin,
static const enum error_origin type_origins[ERROR_TYPE_COUNT] = {ERROR_TYPE_MAP(TYPE_ORIGIN_)};

#define ORIGIN_NAME_(id, name) [ERROR_ORIGIN_##id] = (name),
static const char *const origin_names[ERROR_ORIGIN_COUNT] = {ERROR_ORIGIN_MAP(ORIGIN_NAME_)};

#define CODE_ROW_(id, type, name) [ERROR_CODE_##id] = {ERROR_TYPE_##type, (name)},
static const struct {
    enum error_type type;
    const char *name;
} codes[ERROR_CODE_COUNT] = {ERROR_CODE_MAP(CODE_ROW_)};

const char *error_type_name(enum error_type type)
{
    assert(type < ERROR_TYPE_COUNT);
    return type_names[type];
}

const char *error_origin_name(enum error_origin origin)
{
    assert(origin < ERROR_ORIGIN_COUNT);
    return origin_names[origin];
}

enum error_type error_code_type(enum error_code code)
{
    assert(code < ERROR_CODE_COUNT);
    return codes[code].type;
}

enum error_origin error_type_origin(enum error_type type)
{
    assert(type < ERROR_TYPE_COUNT);
    return type_origins[type];
}

const char *error_code_name(enum error_code code, int number, char *out, size_t size)
{
    assert(code < ERROR_CODE_COUNT);
    const char *name = codes[code].name;
    const char *slot = strstr(name, "%d");

    /* The name is data, not a format: only this one conversion is known. */
    if (slot == NULL) {
        snprintf(out, size, "%s", name);
    } else {
        snprintf(out, size, "%.*s%d%s", (int)(slot - name), name, number, slot + 2);
    }
    return out;
}

enum error_code error_from_http(int status)
{
    if (status == 429) {
        return ERROR_CODE_HTTP_429;
    }
    return status >= 500 && status <= 599 ? ERROR_CODE_HTTP_5XX : ERROR_CODE_HTTP_STATUS;
}

enum error_code error_from_jsonrpc(int64_t code)
{
    switch (code) {
    case -32700:
        return ERROR_CODE_JSONRPC_PARSE_ERROR;
    case -32600:
        return ERROR_CODE_JSONRPC_INVALID_REQUEST;
    case -32601:
        return ERROR_CODE_JSONRPC_METHOD_NOT_FOUND;
    case -32602:
        return ERROR_CODE_JSONRPC_INVALID_PARAMS;
    case -32603:
        return ERROR_CODE_JSONRPC_INTERNAL_ERROR;
    default:
        return ERROR_CODE_JSONRPC_N;
    }
}

enum error_code error_from_errno(int sys)
{
    static const struct {
        int sys;
        enum error_code code;
    } map[] = {
        {ECONNREFUSED, ERROR_CODE_CONNECTION_REFUSED},
        {ECONNRESET, ERROR_CODE_CONNECTION_RESET},
        {ECONNABORTED, ERROR_CODE_CONNECTION_RESET},
        {EPIPE, ERROR_CODE_CONNECTION_RESET},
        {ENETUNREACH, ERROR_CODE_NETWORK_UNREACHABLE},
        {EHOSTUNREACH, ERROR_CODE_NETWORK_UNREACHABLE},
        {ENETDOWN, ERROR_CODE_NETWORK_UNREACHABLE},
        {EHOSTDOWN, ERROR_CODE_NETWORK_UNREACHABLE},
        {ETIMEDOUT, ERROR_CODE_CONNECT_TIMEOUT},
        {EADDRNOTAVAIL, ERROR_CODE_OUT_OF_PORTS},
        {EADDRINUSE, ERROR_CODE_OUT_OF_PORTS},
        {EMFILE, ERROR_CODE_OUT_OF_FILES},
        {ENFILE, ERROR_CODE_OUT_OF_FILES},
        {ENOMEM, ERROR_CODE_OUT_OF_MEMORY},
        {ENOBUFS, ERROR_CODE_OUT_OF_MEMORY},
        /* An attempt that failed without saying why. */
        {0, ERROR_CODE_CONNECT_FAILED},
    };

    for (size_t i = 0; i < sizeof map / sizeof map[0]; i++) {
        if (map[i].sys == sys) {
            return map[i].code;
        }
    }
    return ERROR_CODE_SYSCALL;
}
