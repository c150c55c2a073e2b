/* SPDX-License-Identifier: MIT */
#include "http/h1_write.h"

static const struct {
    int status;
    struct str reason;
} reasons[] = {
    {200, STR_INIT("OK")},
    {202, STR_INIT("Accepted")},
    {201, STR_INIT("Created")},
    {204, STR_INIT("No Content")},
    {301, STR_INIT("Moved Permanently")},
    {302, STR_INIT("Found")},
    {304, STR_INIT("Not Modified")},
    {307, STR_INIT("Temporary Redirect")},
    {308, STR_INIT("Permanent Redirect")},
    {400, STR_INIT("Bad Request")},
    {401, STR_INIT("Unauthorized")},
    {403, STR_INIT("Forbidden")},
    {404, STR_INIT("Not Found")},
    {405, STR_INIT("Method Not Allowed")},
    {406, STR_INIT("Not Acceptable")},
    {408, STR_INIT("Request Timeout")},
    {409, STR_INIT("Conflict")},
    {410, STR_INIT("Gone")},
    {413, STR_INIT("Content Too Large")},
    {415, STR_INIT("Unsupported Media Type")},
    {417, STR_INIT("Expectation Failed")},
    {422, STR_INIT("Unprocessable Content")},
    {429, STR_INIT("Too Many Requests")},
    {431, STR_INIT("Request Header Fields Too Large")},
    {500, STR_INIT("Internal Server Error")},
    {501, STR_INIT("Not Implemented")},
    {502, STR_INIT("Bad Gateway")},
    {503, STR_INIT("Service Unavailable")},
    {504, STR_INIT("Gateway Timeout")},
};

struct str h1_reason(int status)
{
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        if (reasons[i].status == status) {
            return reasons[i].reason;
        }
    }
    return STR("Status");
}

static char *put(char *p, struct str s)
{
    if (s.len > 0) {
        memcpy(p, s.p, s.len);
    }
    return p + s.len;
}

static char *put_status_line(char *p, int status)
{
    p = put(p, STR("HTTP/1.1 "));
    p += str_put_u64(p, (uint64_t)status);
    *p++ = ' ';
    p = put(p, h1_reason(status));
    return put(p, STR("\r\n"));
}

static char *put_framing(char *p, const struct h1_response *r)
{
    switch (r->framing) {
    case H1_FRAMED_LENGTH:
        p = put(p, STR("Content-Length: "));
        p += str_put_u64(p, r->length);
        return put(p, STR("\r\n"));
    case H1_FRAMED_CHUNKED:
        return put(p, STR("Transfer-Encoding: chunked\r\n"));
    case H1_FRAMED_CLOSE:
    case H1_FRAMED_NONE:
        break;
    }
    return p;
}

int h1_write_response(struct buf *out, const struct h1_response *r)
{
    /* All fixed parts together stay below this. */
    enum { FIXED_BYTES = 256 };
    int rc = buf_reserve(out, FIXED_BYTES + r->content_type.len + r->headers.len);

    if (rc != 0) {
        return rc;
    }
    char *p = put_status_line(out->p + out->len, r->status);
    if (r->content_type.len > 0) {
        p = put(p, STR("Content-Type: "));
        p = put(p, r->content_type);
        p = put(p, STR("\r\n"));
    }
    p = put(p, r->headers);
    if (r->close) {
        p = put(p, STR("Connection: close\r\n"));
    } else if (r->keep_alive_1_0) {
        p = put(p, STR("Connection: keep-alive\r\n"));
    }
    p = put_framing(p, r);
    p = put(p, STR("\r\n"));
    out->len = (size_t)(p - out->p);
    return 0;
}

size_t h1_chunk_head(char out[H1_CHUNK_HEAD_MAX], size_t len)
{
    static const char hex[] = "0123456789abcdef";
    unsigned digits = 1;

    while (digits < 16 && (len >> (4 * digits)) != 0) {
        digits++;
    }
    for (unsigned i = 0; i < digits; i++) {
        out[i] = hex[(len >> (4 * (digits - 1 - i))) & 15];
    }
    out[digits] = '\r';
    out[digits + 1] = '\n';
    return digits + 2;
}
