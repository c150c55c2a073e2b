/* SPDX-License-Identifier: MIT */
#include "mcp/jsonrpc.h"

#include "base/mem.h"
#include "mcp/jsonrpc_priv.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum state {
    ST_VALUE,       /* a value must follow */
    ST_FIRST_VALUE, /* behind '[': a value or ']' */
    ST_KEY,         /* behind ',' in an object */
    ST_FIRST_KEY,   /* behind '{': a key or '}' */
    ST_COLON,
    ST_AFTER,  /* behind a value */
    ST_STRING, /* in a string that did not take the short way */
    ST_UTF8,   /* in a string: continuation bytes follow */
    ST_ESCAPE, /* in a string: behind '\\' */
    ST_HEX,    /* in a string: digits of \u */
    ST_NUMBER, /* see enum number_state */
    ST_LITERAL,
    ST_END, /* the text is complete: only blanks may follow */
    ST_FAULT,
};

enum number_state {
    N_START,
    N_MINUS,
    N_ZERO,
    N_INT,
    N_DOT,
    N_FRACTION,
    N_E,
    N_SIGN,
    N_EXPONENT,
    N_END,
    N_BAD
};

enum number_class { C_OTHER, C_ZERO, C_DIGIT, C_DOT, C_E, C_PLUS, C_MINUS, C_COUNT };

/* Beyond it no number but 0 is an int64_t, and no text is long enough to make up for it. */
static const int64_t exponent_max = INT64_C(1000000000000000);

static const uint8_t number_class[256] = {
    ['0'] = C_ZERO,  ['1'] = C_DIGIT, ['2'] = C_DIGIT, ['3'] = C_DIGIT, ['4'] = C_DIGIT,
    ['5'] = C_DIGIT, ['6'] = C_DIGIT, ['7'] = C_DIGIT, ['8'] = C_DIGIT, ['9'] = C_DIGIT,
    ['.'] = C_DOT,   ['e'] = C_E,     ['E'] = C_E,     ['+'] = C_PLUS,  ['-'] = C_MINUS,
};

/* RFC 8259 §6. */
static const uint8_t number_next[N_END][C_COUNT] = {
    /*               other  0           1..9        .      e    +       -        */
    [N_START] = {N_BAD, N_ZERO, N_INT, N_BAD, N_BAD, N_BAD, N_MINUS},
    [N_MINUS] = {N_BAD, N_ZERO, N_INT, N_BAD, N_BAD, N_BAD, N_BAD},
    [N_ZERO] = {N_END, N_BAD, N_BAD, N_DOT, N_E, N_BAD, N_BAD},
    [N_INT] = {N_END, N_INT, N_INT, N_DOT, N_E, N_BAD, N_BAD},
    [N_DOT] = {N_BAD, N_FRACTION, N_FRACTION, N_BAD, N_BAD, N_BAD, N_BAD},
    [N_FRACTION] = {N_END, N_FRACTION, N_FRACTION, N_BAD, N_E, N_BAD, N_BAD},
    [N_E] = {N_BAD, N_EXPONENT, N_EXPONENT, N_BAD, N_BAD, N_SIGN, N_SIGN},
    [N_SIGN] = {N_BAD, N_EXPONENT, N_EXPONENT, N_BAD, N_BAD, N_BAD, N_BAD},
    [N_EXPONENT] = {N_END, N_EXPONENT, N_EXPONENT, N_BAD, N_BAD, N_BAD, N_BAD},
};

static const struct str literals[] = {STR_INIT("true"), STR_INIT("false"), STR_INIT("null")};

/* What a character behind '\\' stands for; 0 for none. */
static const char escapes[256] = {
    ['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t',
};

/* Digits count from 1: 0 is none. A table, since tricks with case bits let control bytes pass. */
static const uint8_t hex_digit[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

/* Sequences of UTF-8 by first byte (RFC 3629 §4): without overlong forms and surrogates. */
struct utf8_lead {
    uint8_t first, last; /* bytes that begin such a sequence */
    uint8_t left;        /* bytes that follow */
    uint8_t low, high;   /* range of the next one; the others are 0x80..0xbf */
};

static const struct utf8_lead utf8_leads[] = {
    {0xe1, 0xec, 2, 0x80, 0xbf}, {0xc2, 0xdf, 1, 0x80, 0xbf}, {0xe0, 0xe0, 2, 0xa0, 0xbf},
    {0xed, 0xed, 2, 0x80, 0x9f}, {0xee, 0xef, 2, 0x80, 0xbf}, {0xf0, 0xf0, 3, 0x90, 0xbf},
    {0xf1, 0xf3, 3, 0x80, 0xbf}, {0xf4, 0xf4, 3, 0x80, 0x8f},
};

/* The way of a token through the scanner is one function of code: calls cost a tenth of it. */
#define HOT static inline __attribute__((always_inline))

/* Ends the scan: returned in place of the next byte's address. */
static const char *fault(struct jsonrpc_scan *s, const char *sentence)
{
    s->state = ST_FAULT;
    s->syntax_fault = sentence;
    return NULL;
}

static bool is_blank(unsigned char c)
{
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static void after_value(struct jsonrpc_scan *s)
{
    s->state = s->depth == 0 ? ST_END : ST_AFTER;
}

/* ---- strings ------------------------------------------------------------------------------ */

/* The first byte that is no plain ASCII of a string: a quote, a backslash, a control byte, or one
 * of a longer UTF-8 sequence. */
HOT const char *skip_plain(const char *p, const char *end)
{
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');
    const __m128i blank = _mm_set1_epi8(' ');

    for (; end - p >= 16; p += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        /* Signed: bytes from 0x80 on are below the blank, too. */
        __m128i hit =
            _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, backslash)),
                         _mm_cmplt_epi8(v, blank));
        int mask = _mm_movemask_epi8(hit);

        if (mask != 0) {
            return p + __builtin_ctz((unsigned)mask);
        }
    }
#endif
    while (p < end && (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x80 && *p != '"' &&
           *p != '\\') {
        p++;
    }
    return p;
}

static void append(struct jsonrpc_text *t, const char *p, size_t len)
{
    size_t room = (size_t)(t->max - t->len);
    size_t n = len < room ? len : room;

    if (t->cut) {
        return;
    }
    memcpy(t->p + t->len, p, n);
    t->len = (uint16_t)(t->len + n);
    t->cut = n < len;
}

/* U+FFFD, for what a C string or UTF-8 cannot hold. */
static void append_replacement(struct jsonrpc_text *t)
{
    append(t, "\xef\xbf\xbd", 3);
}

static void flush_surrogate(struct jsonrpc_text *t)
{
    if (t->high != 0) {
        t->high = 0;
        append_replacement(t);
    }
}

static void keep(struct jsonrpc_scan *s, const char *p, size_t len)
{
    if (s->text.p != NULL && len > 0) {
        flush_surrogate(&s->text);
        append(&s->text, p, len);
    }
}

static void append_code_point(struct jsonrpc_text *t, uint32_t c)
{
    char out[4];
    size_t n = 0;

    if (c < 0x80) {
        out[n++] = (char)c;
    } else if (c < 0x800) {
        out[n++] = (char)(0xc0 | c >> 6);
    } else if (c < 0x10000) {
        out[n++] = (char)(0xe0 | c >> 12);
        out[n++] = (char)(0x80 | (c >> 6 & 0x3f));
    } else {
        out[n++] = (char)(0xf0 | c >> 18);
        out[n++] = (char)(0x80 | (c >> 12 & 0x3f));
        out[n++] = (char)(0x80 | (c >> 6 & 0x3f));
    }
    if (c >= 0x80) {
        out[n++] = (char)(0x80 | (c & 0x3f));
    }
    append(t, out, n);
}

/* The four digits of \u are complete. Lone surrogates are valid by the grammar. */
static void keep_unit(struct jsonrpc_scan *s)
{
    struct jsonrpc_text *t = &s->text;
    uint32_t unit = s->unit;

    if (t->p == NULL) {
        return;
    }
    if (unit >= 0xdc00 && unit < 0xe000 && t->high != 0) {
        uint32_t c = 0x10000 + ((uint32_t)(t->high - 0xd800) << 10) + (unit - 0xdc00);

        t->high = 0;
        append_code_point(t, c);
        return;
    }
    flush_surrogate(t);
    if (unit >= 0xd800 && unit < 0xdc00) {
        t->high = s->unit;
    } else if (unit == 0 || (unit >= 0xdc00 && unit < 0xe000)) {
        append_replacement(t);
    } else {
        append_code_point(t, unit);
    }
}

static const char *take_hex(struct jsonrpc_scan *s, const char *p, const char *end)
{
    for (; p < end && s->hex_left > 0; p++) {
        unsigned v = hex_digit[(unsigned char)*p];

        if (v == 0) {
            return fault(s, "a \\u escape without four hex digits");
        }
        s->unit = (uint16_t)((unsigned)s->unit << 4 | (v - 1));
        s->hex_left--;
    }
    if (s->hex_left == 0) {
        keep_unit(s);
        s->state = ST_STRING;
    }
    return p;
}

/* Behind a backslash. The state is ST_STRING again when the escape is complete. */
static const char *take_escape(struct jsonrpc_scan *s, const char *p, const char *end)
{
    char meant;

    s->state = ST_ESCAPE;
    if (p == end) {
        return p;
    }
    if (*p == 'u') {
        s->state = ST_HEX;
        s->hex_left = 4;
        s->unit = 0;
        return take_hex(s, p + 1, end);
    }
    meant = escapes[(unsigned char)*p];
    if (meant == 0) {
        return fault(s, "an unknown escape in a string");
    }
    keep(s, &meant, 1);
    s->state = ST_STRING;
    return p + 1;
}

/* Continuation bytes. The state is ST_STRING when the sequence is complete, else ST_UTF8. */
static const char *take_utf8(struct jsonrpc_scan *s, const char *p, const char *end)
{
    for (; p < end && s->utf8_left > 0; p++) {
        unsigned char c = (unsigned char)*p;

        if (c < s->utf8_low || c > s->utf8_high) {
            return fault(s, "a string is not valid UTF-8");
        }
        s->utf8_low = 0x80;
        s->utf8_high = 0xbf;
        s->utf8_left--;
    }
    s->state = s->utf8_left == 0 ? ST_STRING : ST_UTF8;
    return p;
}

static const char *begin_utf8(struct jsonrpc_scan *s, const char *p, const char *end)
{
    unsigned char c = (unsigned char)*p;

    for (size_t i = 0; i < sizeof utf8_leads / sizeof utf8_leads[0]; i++) {
        const struct utf8_lead *lead = &utf8_leads[i];

        if (c >= lead->first && c <= lead->last) {
            s->utf8_left = lead->left;
            s->utf8_low = lead->low;
            s->utf8_high = lead->high;
            return take_utf8(s, p + 1, end);
        }
    }
    return fault(s, "a string is not valid UTF-8");
}

/* The closing quote has passed. */
static void end_string(struct jsonrpc_scan *s)
{
    if (s->text.p != NULL) {
        flush_surrogate(&s->text);
    }
    if (!s->is_key) {
        if (s->text.p != NULL) {
            jsonrpc_end_text(s);
        }
        after_value(s);
        return;
    }
    s->state = ST_COLON;
    if (s->text.p != NULL) {
        struct str key = {s->text.p, s->text.len};

        s->slot = (uint8_t)(s->text.cut ? SLOT_NONE : jsonrpc_find_slot(s->scope, key));
        s->text.p = NULL;
    }
}

/* On in a string; the bytes from `from` to p are part of it and not captured yet. */
static const char *
take_string(struct jsonrpc_scan *s, const char *from, const char *p, const char *end)
{
    while (p < end) {
        unsigned char c = (unsigned char)*p;

        if (c == '"') {
            keep(s, from, (size_t)(p - from));
            end_string(s);
            return p + 1;
        }
        if (c < 0x20) {
            return fault(s, "a control character in a string");
        }
        if (c == '\\') {
            keep(s, from, (size_t)(p - from));
            from = p = take_escape(s, p + 1, end);
        } else if (c >= 0x80) {
            p = begin_utf8(s, p, end);
        } else {
            p = skip_plain(p, end);
        }
        if (p == NULL || s->state != ST_STRING) {
            break;
        }
    }
    if (p != NULL) {
        keep(s, from, (size_t)(p - from));
    }
    return p;
}

/* Behind the opening quote. The short way: all of it is there, and nothing in it to decode. */
HOT const char *begin_string(struct jsonrpc_scan *s, bool is_key, const char *p, const char *end)
{
    const char *stop = skip_plain(p, end);
    struct str text = {p, (size_t)(stop - p)};

    if (stop == end || *stop != '"') {
        s->is_key = is_key;
        s->state = ST_STRING;
        if (is_key && s->scope != SCOPE_NONE) {
            jsonrpc_capture(s, SLOT_NONE, s->key, SCAN_KEY_MAX);
        }
        return take_string(s, p, stop, end);
    }
    if (is_key) {
        if (s->scope != SCOPE_NONE) {
            s->slot = (uint8_t)jsonrpc_find_slot(s->scope, text);
        }
        if (end - stop > 1 && stop[1] == ':') {
            s->state = ST_VALUE;
            return stop + 2;
        }
        s->state = ST_COLON;
        return stop + 1;
    }
    if (s->text.p != NULL) {
        append(&s->text, text.p, text.len);
        jsonrpc_end_text(s);
    }
    after_value(s);
    return stop + 1;
}

/* ---- numbers and literals ----------------------------------------------------------------- */

static void keep_digit(struct jsonrpc_number *n, char c)
{
    uint64_t v = n->mantissa;

    if (c == '0') {
        n->zeros += v != 0 || n->full;
        return;
    }
    n->full |= n->zeros > 19;
    for (; n->zeros > 0 && !n->full; n->zeros--) {
        n->full = __builtin_mul_overflow(v, UINT64_C(10), &v);
    }
    n->full = n->full || __builtin_mul_overflow(v, UINT64_C(10), &v) ||
              __builtin_add_overflow(v, (uint64_t)(c - '0'), &v);
    n->mantissa = n->full ? n->mantissa | 1 : v; /* Not 0: that would be a value. */
}

static void keep_number(struct jsonrpc_number *n, enum number_state now, char c)
{
    if (c == '-' && now == N_MINUS) {
        n->negative = true;
    } else if (c == '-') {
        n->exponent_negative = true;
    } else if (now == N_EXPONENT && n->exponent < exponent_max) {
        n->exponent = n->exponent * 10 + (c - '0');
    } else if (now == N_ZERO || now == N_INT || now == N_FRACTION) {
        keep_digit(n, c);
        n->fraction_digits += now == N_FRACTION;
    }
}

static const char *take_number(struct jsonrpc_scan *s, const char *p, const char *end)
{
    unsigned now = s->number_state;

    for (; p < end; p++) {
        now = number_next[now][number_class[(unsigned char)*p]];
        if (now == N_BAD) {
            return fault(s, "a malformed number");
        }
        if (now == N_END) {
            if (s->number.wanted) {
                jsonrpc_end_number(s);
            }
            after_value(s);
            return p; /* This byte is what follows the number. */
        }
        if (s->number.wanted) {
            keep_number(&s->number, now, *p);
        }
    }
    s->number_state = (uint8_t)now;
    return p;
}

/* The short way of nearly all numbers: up to 18 digits, and the byte behind them is there, too.
 * Returns p when it is not that. */
HOT const char *take_short_int(struct jsonrpc_scan *s, const char *p, const char *end)
{
    const char *stop = end - p > 18 ? p + 18 : end, *at = p;
    uint64_t v = 0;

    if (*p == '0') {
        return p;
    }
    for (; at < stop && *at >= '0' && *at <= '9'; at++) {
        v = v * 10 + (uint64_t)(*at - '0');
    }
    if (at == end || at == p || number_class[(unsigned char)*at] != C_OTHER) {
        return p;
    }
    if (s->number.wanted) {
        s->number.mantissa = v;
        jsonrpc_end_number(s);
    }
    after_value(s);
    return at;
}

static const char *take_literal(struct jsonrpc_scan *s, const char *p, const char *end)
{
    struct str text = literals[s->literal];

    for (; p < end && s->literal_at < text.len; p++) {
        if (*p != text.p[s->literal_at]) {
            return fault(s, "a word that is neither true, false nor null");
        }
        s->literal_at++;
    }
    if (s->literal_at == text.len) {
        after_value(s);
    }
    return p;
}

static const char *begin_literal(struct jsonrpc_scan *s, const char *p, const char *end)
{
    s->literal = *p == 't' ? 0 : *p == 'f' ? 1 : 2;
    s->literal_at = 0;
    s->state = ST_LITERAL;
    return take_literal(s, p, end);
}

/* ---- structure ---------------------------------------------------------------------------- */

static const char *open_bracket(struct jsonrpc_scan *s, const char *p)
{
    bool object = *p == '{';
    uint64_t bit = UINT64_C(1) << s->depth % 64;
    uint64_t *word;

    if (s->depth == JSONRPC_DEPTH_MAX) {
        return fault(s, "the JSON text is nested too deep");
    }
    word = &s->objects[s->depth / 64];
    *word = object ? *word | bit : *word & ~bit;
    s->depth++;
    s->scope = object ? s->inner : SCOPE_NONE;
    s->inner = SCOPE_NONE;
    if (s->depth < SCAN_SCOPE_DEPTH) {
        s->scopes[s->depth] = s->scope;
    }
    s->state = object ? ST_FIRST_KEY : ST_FIRST_VALUE;
    s->slot = s->depth == s->base ? SLOT_ELEMENT : SLOT_NONE;
    return p + 1;
}

static bool in_object(const struct jsonrpc_scan *s)
{
    uint32_t top = s->depth - 1;

    return (s->objects[top / 64] >> top % 64 & 1) != 0;
}

static const char *close_bracket(struct jsonrpc_scan *s, const char *p)
{
    if (in_object(s) != (*p == '}')) {
        return fault(s, "brackets that do not match");
    }
    if (s->scope == SCOPE_ENVELOPE) {
        jsonrpc_end_envelope(s);
    }
    s->depth--;
    s->slot = SLOT_NONE;
    s->scope = s->depth < SCAN_SCOPE_DEPTH && s->depth > 0 ? s->scopes[s->depth] : SCOPE_NONE;
    after_value(s);
    return p + 1;
}

HOT const char *begin_value(struct jsonrpc_scan *s, const char *p, const char *end)
{
    const char *behind;

    if (s->slot != SLOT_NONE) {
        enum jsonrpc_slot slot = s->slot;

        s->slot = SLOT_NONE;
        jsonrpc_begin_slot(s, slot, *p);
    }
    switch (*p) {
    case '"':
        return begin_string(s, false, p + 1, end);
    case '{':
    case '[':
        return open_bracket(s, p);
    case 't':
    case 'f':
    case 'n':
        return begin_literal(s, p, end);
    default:
        behind = take_short_int(s, p, end);
        if (behind != p) {
            return behind;
        }
        s->state = ST_NUMBER;
        s->number_state = N_START;
        if (number_class[(unsigned char)*p] == C_OTHER) {
            return fault(s, "something else where a value must be");
        }
        return take_number(s, p, end);
    }
}

HOT const char *step_after(struct jsonrpc_scan *s, const char *p, const char *end)
{
    if (*p == '}' || *p == ']') {
        return close_bracket(s, p);
    }
    if (*p != ',') {
        return fault(s, "something else where a comma or a closing bracket must be");
    }
    if (!in_object(s)) {
        s->state = ST_VALUE;
        s->slot = s->depth == s->base ? SLOT_ELEMENT : SLOT_NONE;
        return p + 1;
    }
    s->state = ST_KEY;
    return end - p > 1 && p[1] == '"' ? begin_string(s, true, p + 2, end) : p + 1;
}

/* The states between tokens; *p is no blank. */
HOT const char *step(struct jsonrpc_scan *s, const char *p, const char *end)
{
    switch (s->state) {
    case ST_FIRST_KEY:
    case ST_KEY:
        if (*p == '"') {
            return begin_string(s, true, p + 1, end);
        }
        if (*p == '}' && s->state == ST_FIRST_KEY) {
            return close_bracket(s, p);
        }
        return fault(s, "something else where a member's name must be");
    case ST_COLON:
        if (*p != ':') {
            return fault(s, "no colon behind a member's name");
        }
        s->state = ST_VALUE;
        return p + 1;
    case ST_FIRST_VALUE:
        if (*p == ']') {
            return close_bracket(s, p);
        }
        return begin_value(s, p, end);
    case ST_VALUE:
        return begin_value(s, p, end);
    case ST_AFTER:
        return step_after(s, p, end);
    default:
        return fault(s, "something behind the end of the JSON text");
    }
}

/* One token, or as much of it as is there. */
HOT const char *take(struct jsonrpc_scan *s, const char *p, const char *end)
{
    const char *from = p;

    switch (s->state) {
    case ST_STRING:
        return take_string(s, p, p, end);
    case ST_UTF8:
        p = take_utf8(s, p, end);
        if (p == NULL || s->state == ST_UTF8) {
            keep(s, from, p == NULL ? 0 : (size_t)(p - from));
            return p;
        }
        return take_string(s, from, p, end);
    case ST_ESCAPE:
        return take_escape(s, p, end);
    case ST_HEX:
        return take_hex(s, p, end);
    case ST_NUMBER:
        return take_number(s, p, end);
    case ST_LITERAL:
        return take_literal(s, p, end);
    default:
        return is_blank((unsigned char)*p) ? p + 1 : step(s, p, end);
    }
}

size_t jsonrpc_scan_size(void)
{
    return sizeof(struct jsonrpc_scan);
}

struct jsonrpc_scan *jsonrpc_scan_new(void)
{
    struct jsonrpc_scan *s = xcalloc(1, sizeof *s);

    jsonrpc_scan_begin(s, 0);
    return s;
}

void jsonrpc_scan_free(struct jsonrpc_scan *s)
{
    xfree(s);
}

void jsonrpc_scan_begin(struct jsonrpc_scan *s, int64_t want_id)
{
    s->state = ST_VALUE;
    s->depth = 0;
    s->syntax_fault = NULL;
    jsonrpc_envelope_init(s, want_id);
}

void jsonrpc_scan_feed(struct jsonrpc_scan *s, const char *p, size_t len)
{
    const char *end = p + len;

    if (s->state == ST_FAULT) {
        return;
    }
    while (p != NULL && p < end) {
        p = take(s, p, end);
    }
}

const struct jsonrpc_msg *jsonrpc_scan_end(struct jsonrpc_scan *s)
{
    if (s->state == ST_NUMBER && s->depth == 0 && number_next[s->number_state][C_OTHER] == N_END) {
        s->state = ST_END; /* Only its end tells that a number at the top is complete. */
    }
    if (s->state == ST_VALUE && s->depth == 0) {
        fault(s, "no JSON text at all");
    } else if (s->state != ST_END && s->state != ST_FAULT) {
        fault(s, "the JSON text ends too early");
    }
    jsonrpc_judge_text(s);
    return &s->msg;
}

const struct jsonrpc_msg *
jsonrpc_scan_text(struct jsonrpc_scan *s, struct str text, int64_t want_id)
{
    jsonrpc_scan_begin(s, want_id);
    jsonrpc_scan_feed(s, text.p, text.len);
    return jsonrpc_scan_end(s);
}
