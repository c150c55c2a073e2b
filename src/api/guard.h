/* SPDX-License-Identifier: MIT */
/*
 * What protects a server that asks for no credentials from the pages that its user's browser shows:
 * the name by which it is asked (DNS rebinding), the page that asks (Origin), and bodies that a
 * plain form could send. Programs send no Origin and are not affected. Pure.
 */
#ifndef API_GUARD_H
#define API_GUARD_H

#include "http/h1_parse.h"

#include <stdbool.h>

enum { GUARD_ORIGINS_MAX = 16, GUARD_ORIGIN_MAX = 256 };

struct guard {
    bool local; /* bound to loopback addresses only: Host has to be a name of this machine */
    const char *const *origins; /* allowed beside the server's own: "https://host:port" */
    size_t origin_count;
};

/* Is the Host, if there is one, a name by which this server may be asked? */
bool guard_host_ok(const struct guard *g, const struct h1_head *head);

enum guard_origin {
    GUARD_NONE,    /* a program, or a page of the server's own */
    GUARD_ALLOWED, /* by the list: the answer has to name it, or the page does not see it */
    GUARD_FOREIGN,
};
enum guard_origin guard_origin(const struct guard *g, const struct h1_head *head);

/* May a body of this request be read as JSON? Programs may leave its type out, or send the one that
 * curl does by itself. */
bool guard_json_ok(const struct h1_head *head);

/* Is it "http://HOST[:PORT]" or the same with https, as a browser writes it? */
bool guard_is_origin(const char *text);

#endif
