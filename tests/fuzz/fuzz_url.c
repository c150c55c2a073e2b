/* SPDX-License-Identifier: MIT */
/* What was understood, written as a URL again, is understood as the same. */
#include "fuzz/fuzz.h"
#include "http/url.h"

static bool same(const struct url *a, const struct url *b)
{
    return a->https == b->https && a->ipv6_literal == b->ipv6_literal && a->port == b->port &&
           a->default_port == b->default_port && strcmp(a->host, b->host) == 0 &&
           strcmp(a->authority, b->authority) == 0 && strcmp(a->target, b->target) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct url url, again;
    struct err err = {0};
    char text[2 * URL_MAX];
    int n;

    if (url_parse((struct str){(const char *)data, size}, &url, &err) != 0) {
        fuzz_require(err.code == ERR_INVALID && err.msg[0] != '\0', "an error without a text");
        return 0;
    }
    fuzz_require(url.target[0] == '/' && url.host[0] != '\0' && url.port != 0, "parts are missing");
    n = snprintf(text, sizeof text, "%s://%s%s", url.https ? "https" : "http", url.authority,
                 url.target);
    fuzz_require(n > 0 && (size_t)n < sizeof text, "longer than it can be");
    if (n <= URL_MAX) {
        fuzz_require(url_parse((struct str){text, (size_t)n}, &again, NULL) == 0,
                     "not a URL again");
        fuzz_require(same(&url, &again), "another URL");
    }
    return 0;
}
