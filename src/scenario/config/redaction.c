/* SPDX-License-Identifier: MIT */
#include "scenario/config/redaction.h"

#include <string.h>
#include <strings.h>

enum { KEY_SHOWN_MAX = 64 };

static const char *const secret_places[] = {
    "/target/headers",
    "/target/auth",
    "/target/url",
    "/server_telemetry/pair_key",
};

bool redacts_header(const struct reporting_config *reporting, const char *name)
{
    for (size_t i = 0; i < reporting->redact_count; i++) {
        if (strcasecmp(reporting->redact_headers[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_below(const char *pointer, const char *base)
{
    size_t len = strlen(base);

    return strncmp(pointer, base, len) == 0 && (pointer[len] == '\0' || pointer[len] == '/');
}

bool place_is_secret(const char *json_pointer)
{
    for (size_t i = 0; i < sizeof secret_places / sizeof secret_places[0]; i++) {
        if (is_below(json_pointer, secret_places[i])) {
            return true;
        }
    }
    return false;
}

bool place_holds_secret(const char *json_pointer)
{
    for (size_t i = 0; i < sizeof secret_places / sizeof secret_places[0]; i++) {
        if (is_below(secret_places[i], json_pointer)) {
            return true;
        }
    }
    return place_is_secret(json_pointer);
}

/* The members of `auth` are few and known: what has another look is no name. */
size_t shown_key_len(const char *json_pointer, struct str key)
{
    static const char words[] = "abcdefghijklmnopqrstuvwxyz_0123456789";
    size_t len = 0;

    if (!place_holds_secret(json_pointer)) {
        return key.len;
    }
    if (is_below(json_pointer, "/target/auth")) {
        while (len < key.len && strchr(words, key.p[len]) != NULL) {
            len++;
        }
        return len == key.len && len <= KEY_SHOWN_MAX ? len : 0;
    }
    while (len < key.len && len < KEY_SHOWN_MAX && strchr(" \t:=,;\"", key.p[len]) == NULL) {
        len++;
    }
    return len;
}
