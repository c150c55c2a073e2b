/* SPDX-License-Identifier: MIT */
/*
 * The JSON-RPC scanner against itself, whole and in pieces, and against an independent JSON parser:
 * "NOT_JSON" must be said by both or by none.
 */
#include "fuzz/fuzz.h"
#include "mcp/jsonrpc.h"

#ifdef HAVE_SIMDJSON
#include "fuzz/simdjson_oracle.h"
#endif

static void feed(void *ctx, const char *p, size_t len)
{
    jsonrpc_scan_feed(ctx, p, len);
}

static bool same_sentence(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static void compare(const struct jsonrpc_msg *a, const struct jsonrpc_msg *b)
{
    fuzz_require(a->kind == b->kind && same_sentence(a->fault, b->fault), "kinds differ");
    fuzz_require(a->id_kind == b->id_kind && a->id == b->id, "ids differ");
    fuzz_require(a->is_error == b->is_error && a->error_code == b->error_code, "errors differ");
    fuzz_require(a->has_cursor == b->has_cursor && a->cursor_too_long == b->cursor_too_long &&
                     a->has_version == b->has_version && a->batch_count == b->batch_count,
                 "members differ");
    fuzz_require(strcmp(a->text, b->text) == 0 && strcmp(a->cursor, b->cursor) == 0 &&
                     strcmp(a->version, b->version) == 0,
                 "texts differ");
}

static void check_limits(const struct jsonrpc_msg *m)
{
    bool faulty = m->kind == JSONRPC_NOT_JSON || m->kind == JSONRPC_NOT_JSONRPC;

    fuzz_require((m->fault != NULL) == faulty, "a fault without its sentence");
    fuzz_require(strlen(m->text) <= JSONRPC_TEXT_MAX && strlen(m->cursor) <= JSONRPC_CURSOR_MAX &&
                     strlen(m->version) <= JSONRPC_VERSION_MAX,
                 "a text is too long");
}

#ifdef HAVE_SIMDJSON
static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return c != '\0' && strchr("0123456789abcdefABCDEF", c) != NULL;
}

/* Four hex digits of a surrogate, d800 to dfff, at p? */
static bool is_surrogate(const char *p)
{
    return (p[0] == 'd' || p[0] == 'D') && is_hex(p[1]) && (p[1] > '7') && is_hex(p[2]) &&
           is_hex(p[3]);
}

/*
 * Rewrites a text so that the oracle's exceptions do not occur and its validity by the grammar is
 * the same: of a run of digits two stay (the first two decide about a leading zero), and escapes of
 * surrogates become the letter A. An escape is copied as a whole, so that its digits are no run.
 */
static size_t tame(const char *text, size_t len, char *out)
{
    size_t n = 0, digits = 0;

    for (size_t i = 0; i < len; i++) {
        digits = is_digit(text[i]) ? digits + 1 : 0;
        if (text[i] == '\\' && i + 1 < len) {
            size_t size = text[i + 1] == 'u' ? 6 : 2;

            size = len - i < size ? len - i : size;
            memcpy(out + n, text + i, size);
            if (size == 6 && is_surrogate(text + i + 2)) {
                memcpy(out + n + 2, "0041", 4);
            }
            n += size;
            i += size - 1;
        } else if (digits <= 2) {
            out[n++] = text[i];
        }
    }
    return n;
}

static void ask_oracle(const char *text, size_t len, const struct jsonrpc_msg *m)
{
    char *tamed = xmalloc(len);
    enum oracle_verdict verdict = simdjson_judge(tamed, tame(text, len, tamed));

    xfree(tamed);
    if (verdict == ORACLE_ABSTAINS ||
        (m->fault != NULL && strcmp(m->fault, "the JSON text is nested too deep") == 0)) {
        return;
    }
    fuzz_require(m->kind != JSONRPC_NOT_JSON || verdict == ORACLE_INVALID,
                 "not JSON for us, valid for the oracle");
    fuzz_require(m->kind == JSONRPC_NOT_JSON || verdict == ORACLE_VALID,
                 "JSON for us, invalid for the oracle");
}
#endif

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct jsonrpc_scan *whole, *split;
    const char *text = (const char *)data + 1;
    const struct jsonrpc_msg *m;

    if (whole == NULL) {
        whole = jsonrpc_scan_new();
        split = jsonrpc_scan_new();
    }
    if (size == 0) {
        return 0;
    }
    m = jsonrpc_scan_text(whole, (struct str){text, size - 1}, 7);
    check_limits(m);
    jsonrpc_scan_begin(split, 7);
    fuzz_feed(text, size - 1, data[0], feed, split);
    compare(m, jsonrpc_scan_end(split));
#ifdef HAVE_SIMDJSON
    ask_oracle(text, size - 1, m);
#endif
    return 0;
}
