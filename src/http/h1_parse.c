/* SPDX-License-Identifier: MIT */
#include "http/h1_parse.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif
#include <limits.h>

/* What the framing of a message depends on, gathered while its header lines pass by. */
struct framing {
    bool has_length, has_chunked;
    bool says_close, says_keep_alive;
    bool expects;
    uint64_t length;
};

/* The bytes still to be parsed. `lines` counts finished head lines, for messages. */
struct input {
    const char *p, *end;
    unsigned lines;
    bool bare_lf_ok;
};

/* Results of the parts beside 0 and a negative error code. */
enum { NEED_MORE = 1, HEAD_ENDS = 2 };

/* tchar of RFC 9110 §5.6.2. */
static const bool is_tchar[256] = {
    ['!'] = true, ['#'] = true, ['$'] = true, ['%'] = true, ['&'] = true, ['\''] = true,
    ['*'] = true, ['+'] = true, ['-'] = true, ['.'] = true, ['^'] = true, ['_'] = true,
    ['`'] = true, ['|'] = true, ['~'] = true, ['0'] = true, ['1'] = true, ['2'] = true,
    ['3'] = true, ['4'] = true, ['5'] = true, ['6'] = true, ['7'] = true, ['8'] = true,
    ['9'] = true, ['A'] = true, ['B'] = true, ['C'] = true, ['D'] = true, ['E'] = true,
    ['F'] = true, ['G'] = true, ['H'] = true, ['I'] = true, ['J'] = true, ['K'] = true,
    ['L'] = true, ['M'] = true, ['N'] = true, ['O'] = true, ['P'] = true, ['Q'] = true,
    ['R'] = true, ['S'] = true, ['T'] = true, ['U'] = true, ['V'] = true, ['W'] = true,
    ['X'] = true, ['Y'] = true, ['Z'] = true, ['a'] = true, ['b'] = true, ['c'] = true,
    ['d'] = true, ['e'] = true, ['f'] = true, ['g'] = true, ['h'] = true, ['i'] = true,
    ['j'] = true, ['k'] = true, ['l'] = true, ['m'] = true, ['n'] = true, ['o'] = true,
    ['p'] = true, ['q'] = true, ['r'] = true, ['s'] = true, ['t'] = true, ['u'] = true,
    ['v'] = true, ['w'] = true, ['x'] = true, ['y'] = true, ['z'] = true,
};

static const char *skip_token(const char *p, const char *end)
{
    while (p < end && is_tchar[(unsigned char)*p]) {
        p++;
    }
    return p;
}

/* The first byte that may not stand in a field value or reason: a control byte other than HTAB. */
static const char *skip_text(const char *p, const char *end)
{
#ifdef __SSE2__
    const __m128i blank = _mm_set1_epi8(0x20), del = _mm_set1_epi8(0x7f), tab = _mm_set1_epi8('\t');

    for (; end - p >= 16; p += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i above = _mm_cmpeq_epi8(_mm_max_epu8(v, blank), v);
        __m128i good =
            _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(v, del), above), _mm_cmpeq_epi8(v, tab));
        unsigned bad = ~(unsigned)_mm_movemask_epi8(good) & 0xffffU;

        if (bad != 0) {
            return p + __builtin_ctz(bad);
        }
    }
#endif
    while (p < end && ((unsigned char)*p >= 0x20 || *p == '\t') && *p != 0x7f) {
        p++;
    }
    return p;
}

static int bad(struct err *err, const struct input *in, const char *what)
{
    return err_set(err, ERR_INVALID, "HTTP head, line %u: %s", in->lines + 1, what);
}

/* Takes the line end at in->p: CRLF, or LF where that is tolerated. */
static int take_eol(struct input *in, struct err *err)
{
    if (in->p == in->end) {
        return NEED_MORE;
    }
    if (*in->p == '\r') {
        if (in->p + 1 == in->end) {
            return NEED_MORE;
        }
        if (in->p[1] != '\n') {
            return bad(err, in, "a CR that no LF follows");
        }
        in->p += 2;
    } else if (*in->p == '\n') {
        if (!in->bare_lf_ok) {
            return bad(err, in, "a line that ends with LF alone");
        }
        in->p++;
    } else {
        return bad(err, in, "a control byte");
    }
    in->lines++;
    return 0;
}

/* Does the text ahead begin with `word`? A prefix of it needs more bytes. */
static int take_word(struct input *in, struct str word, const char *what, struct err *err)
{
    size_t have = (size_t)(in->end - in->p);
    size_t n = have < word.len ? have : word.len;

    if (n > 0 && memcmp(in->p, word.p, n) != 0) {
        return bad(err, in, what);
    }
    if (n < word.len) {
        return NEED_MORE;
    }
    in->p += n;
    return 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "HTTP/1.x" */
static int take_version(struct input *in, struct h1_head *out, struct err *err)
{
    static const char what[] = "this is not HTTP/1.x";
    int rc = take_word(in, STR("HTTP/1."), what, err);

    if (rc != 0) {
        return rc;
    }
    if (in->p == in->end) {
        return NEED_MORE;
    }
    if (!is_digit(*in->p)) {
        return bad(err, in, what);
    }
    out->minor_version = *in->p++ - '0';
    return 0;
}

static int parse_status_line(struct input *in, struct h1_head *out, struct err *err)
{
    int rc = take_version(in, out, err);
    const char *start;

    if (rc == 0) {
        rc = take_word(in, STR(" "), "no blank behind the version", err);
    }
    if (rc != 0) {
        return rc;
    }
    out->status = 0;
    for (int i = 0; i < 3; i++) {
        if (in->p == in->end) {
            return NEED_MORE;
        }
        if (!is_digit(*in->p) || (i == 0 && *in->p == '0')) {
            return bad(err, in, "the status is not within 100..999");
        }
        out->status = out->status * 10 + (*in->p++ - '0');
    }
    if (in->p == in->end) {
        return NEED_MORE;
    }
    /* Servers leave out the reason, and some the blank before it (RFC 9112 §4 demands it). */
    if (*in->p == ' ') {
        in->p++;
    } else if (*in->p != '\r' && *in->p != '\n') {
        return bad(err, in, "the status has more than three digits, or no blank behind it");
    }
    start = in->p;
    in->p = skip_text(in->p, in->end);
    out->reason = (struct str){start, (size_t)(in->p - start)};
    return take_eol(in, err);
}

static int parse_request_line(struct input *in, struct h1_head *out, struct err *err)
{
    const char *start = in->p;
    int rc;

    in->p = skip_token(in->p, in->end);
    out->method = (struct str){start, (size_t)(in->p - start)};
    if (in->p == start && in->p < in->end) {
        return bad(err, in, "no method");
    }
    rc = take_word(in, STR(" "), "the method is not a token with one blank behind it", err);
    if (rc != 0) {
        return rc;
    }
    start = in->p;
    while (in->p<in->end && * in->p> 0x20 && *in->p < 0x7f) {
        in->p++;
    }
    out->target = (struct str){start, (size_t)(in->p - start)};
    if (out->target.len > H1_TARGET_MAX) {
        return err_set(err, ERR_LIMIT, "the request target has more than %d bytes", H1_TARGET_MAX);
    }
    if (out->target.len == 0 && in->p < in->end) {
        return bad(err, in, "no request target");
    }
    rc = take_word(in, STR(" "), "the target is not visible ASCII with one blank behind it", err);
    if (rc == 0) {
        rc = take_version(in, out, err);
    }
    return rc != 0 ? rc : take_eol(in, err);
}

/* "5", or a list of equal values: proxies join repeated headers (RFC 9110 §8.6). */
static int note_length(struct framing *f, struct str value, const struct input *in, struct err *err)
{
    while (true) {
        const char *comma = value.len == 0 ? NULL : memchr(value.p, ',', value.len);
        size_t len = comma == NULL ? value.len : (size_t)(comma - value.p);
        uint64_t n = 0;

        if (!str_u64(str_trim((struct str){value.p, len}), INT64_MAX, &n)) {
            return bad(err, in, "Content-Length is not a number");
        }
        if (f->has_length && f->length != n) {
            return bad(err, in, "several values of Content-Length that differ");
        }
        f->has_length = true;
        f->length = n;
        if (comma == NULL) {
            return 0;
        }
        value = (struct str){comma + 1, value.len - len - 1};
    }
}

static void note_connection(struct framing *f, struct str value)
{
    while (value.len > 0) {
        const char *comma = memchr(value.p, ',', value.len);
        size_t len = comma == NULL ? value.len : (size_t)(comma - value.p);
        struct str option = str_trim((struct str){value.p, len});

        f->says_close |= str_ieq(option, STR("close"));
        f->says_keep_alive |= str_ieq(option, STR("keep-alive"));
        len += comma != NULL;
        value.p += len;
        value.len -= len;
    }
}

/* The lengths of the four names differ, so that most headers cost one comparison of a number. */
static int
note_header(struct framing *f, const struct h1_header *h, const struct input *in, struct err *err)
{
    switch (h->name.len) {
    case sizeof "Expect" - 1:
        f->expects |= str_ieq(h->name, STR("Expect")) && str_ieq(h->value, STR("100-continue"));
        return 0;
    case sizeof "Connection" - 1:
        if (str_ieq(h->name, STR("Connection"))) {
            note_connection(f, h->value);
        }
        return 0;
    case sizeof "Content-Length" - 1:
        return str_ieq(h->name, STR("Content-Length")) ? note_length(f, h->value, in, err) : 0;
    case sizeof "Transfer-Encoding" - 1:
        if (!str_ieq(h->name, STR("Transfer-Encoding"))) {
            return 0;
        }
        if (f->has_chunked || !str_ieq(h->value, STR("chunked"))) {
            return bad(err, in, "a Transfer-Encoding other than chunked");
        }
        f->has_chunked = true;
        return 0;
    default:
        return 0;
    }
}

/* One header line, or the empty line that ends the head. */
static int parse_header(struct input *in, struct framing *f, struct h1_head *out, struct err *err)
{
    struct h1_header *h;
    const char *start = in->p;
    int rc;

    if (in->p == in->end) {
        return NEED_MORE;
    }
    if (*in->p == '\r' || *in->p == '\n') {
        rc = take_eol(in, err);
        return rc == 0 ? HEAD_ENDS : rc;
    }
    if (*in->p == ' ' || *in->p == '\t') {
        return bad(err, in, "a folded header");
    }
    if (out->header_count == H1_HEADERS_MAX) {
        return err_set(err, ERR_LIMIT, "more than %d header lines", H1_HEADERS_MAX);
    }
    h = &out->headers[out->header_count];
    in->p = skip_token(in->p, in->end);
    h->name = (struct str){start, (size_t)(in->p - start)};
    if (in->p < in->end && (h->name.len == 0 || *in->p != ':')) {
        return bad(err, in, "the name of a header is not a token with a colon behind it");
    }
    if (in->p == in->end) {
        return NEED_MORE;
    }
    start = ++in->p;
    in->p = skip_text(in->p, in->end);
    h->value = str_trim((struct str){start, (size_t)(in->p - start)});
    rc = take_eol(in, err);
    if (rc != 0) {
        return rc;
    }
    out->header_count++;
    in->lines--; /* Messages of note_header speak of this line. */
    rc = note_header(f, h, in, err);
    in->lines++;
    return rc;
}

/*
 * Where the head ends, or 0. A head that did not arrive at once is not parsed again for each
 * piece: only its end is looked for, from where the last search stopped.
 */
static size_t find_end(const char *p, size_t len, size_t *seen)
{
    size_t at = *seen;

    while (at < len) {
        const char *lf = memchr(p + at, '\n', len - at);
        size_t i;

        if (lf == NULL) {
            at = len;
            break;
        }
        i = (size_t)(lf - p);
        if (i + 1 < len && p[i + 1] == '\n') {
            return i + 2;
        }
        if (i + 2 < len && p[i + 1] == '\r' && p[i + 2] == '\n') {
            return i + 3;
        }
        if (i + 1 >= len || (p[i + 1] == '\r' && i + 2 >= len)) {
            at = i; /* Undecided: this LF is looked at again. */
            break;
        }
        at = i + 1;
    }
    *seen = at;
    return 0;
}

/* The two rules that only the whole head can tell (RFC 9112 §6.1, §6.3). */
static int check_framing(const struct framing *f, const struct h1_head *out, struct err *err)
{
    if (f->has_chunked && f->has_length) {
        return err_set(err, ERR_INVALID, "HTTP head: both Transfer-Encoding and Content-Length");
    }
    if (f->has_chunked && out->minor_version == 0) {
        return err_set(err, ERR_INVALID, "HTTP head: Transfer-Encoding in HTTP/1.0");
    }
    return 0;
}

static void finish(const struct framing *f, bool response, struct h1_head *out)
{
    out->content_length = f->has_length ? f->length : 0;
    out->keep_alive = !f->says_close && (out->minor_version >= 1 || f->says_keep_alive);
    out->expect_continue = !response && f->expects && out->minor_version >= 1;
    if (response && (out->status < 200 || out->status == 204 || out->status == 304)) {
        out->body = H1_BODY_NONE;
        /* A 204 that announces a body may send it, too: nothing behind it can be trusted. */
        if (out->status == 204 && (f->has_chunked || out->content_length > 0)) {
            out->keep_alive = false;
        }
        out->content_length = 0;
    } else if (f->has_chunked) {
        out->body = H1_BODY_CHUNKED;
    } else if (f->has_length) {
        out->body = H1_BODY_LENGTH;
    } else if (response) {
        out->body = H1_BODY_CLOSE;
        out->keep_alive = false;
    } else {
        out->body = H1_BODY_NONE;
    }
}

/* The whole head from `in`: HEAD_ENDS, NEED_MORE or an error. */
static int parse_lines(struct input *in, bool response, struct h1_head *out, struct err *err)
{
    struct framing f = {0};
    int rc;

    /* Not the whole struct: its 3 KiB of headers are written as far as they are used. */
    out->status = 0;
    out->reason = out->method = out->target = (struct str){NULL, 0};
    out->header_count = 0;
    if (!response && in->p < in->end && *in->p == '\r') {
        /* Left over behind the last body by careless clients (RFC 9112 §2.2). */
        rc = take_word(in, STR("\r\n"), "a CR that no LF follows", err);
        if (rc != 0) {
            return rc;
        }
    }
    rc = response ? parse_status_line(in, out, err) : parse_request_line(in, out, err);
    while (rc == 0) {
        rc = parse_header(in, &f, out, err);
    }
    if (rc == HEAD_ENDS) {
        int broken = check_framing(&f, out, err);

        if (broken != 0) {
            return broken;
        }
        finish(&f, response, out);
    }
    return rc;
}

static long parse_head(
    const char *p, size_t len, size_t *seen, bool response, struct h1_head *out, struct err *err)
{
    size_t room = len < H1_HEAD_MAX ? len : H1_HEAD_MAX;
    struct input in = {p, p + room, 0, response};
    int rc = NEED_MORE;

    if (*seen == 0 || find_end(p, room, seen) > 0) {
        rc = parse_lines(&in, response, out, err);
        if (rc == NEED_MORE) {
            (void)find_end(p, room, seen);
        }
    }
    if (rc == HEAD_ENDS) {
        return in.p - p;
    }
    if (rc == NEED_MORE && len >= H1_HEAD_MAX) {
        return err_set(err, ERR_LIMIT, "the HTTP head has more than %d bytes", H1_HEAD_MAX);
    }
    return rc == NEED_MORE ? 0 : rc;
}

long h1_parse_response(
    const char *p, size_t len, size_t *seen, struct h1_head *out, struct err *err)
{
    return parse_head(p, len, seen, true, out, err);
}

long h1_parse_request(const char *p, size_t len, size_t *seen, struct h1_head *out, struct err *err)
{
    return parse_head(p, len, seen, false, out, err);
}

const struct h1_header *h1_find(const struct h1_head *head, struct str name)
{
    for (unsigned i = 0; i < head->header_count; i++) {
        if (str_ieq(head->headers[i].name, name)) {
            return &head->headers[i];
        }
    }
    return NULL;
}

bool h1_media_type_is(struct str content_type, struct str type)
{
    const char *semicolon =
        content_type.len == 0 ? NULL : memchr(content_type.p, ';', content_type.len);

    if (semicolon != NULL) {
        content_type.len = (size_t)(semicolon - content_type.p);
    }
    return str_ieq(str_trim(content_type), type);
}
