/* SPDX-License-Identifier: MIT */
/* The second half of h1_parse.h: bodies (RFC 9112 §6, §7). */
#include "http/h1_parse.h"

enum state {
    ST_BODY,      /* left_ bytes of the body, or everything until the close */
    ST_SIZE,      /* hex digits of a chunk size */
    ST_BLANK,     /* blanks behind the size: only an extension may follow */
    ST_EXTENSION, /* skipped up to its CR */
    ST_SIZE_LF,
    ST_CHUNK, /* left_ bytes of the chunk */
    ST_CHUNK_CR,
    ST_CHUNK_LF,
    ST_TRAILER, /* first byte of a trailer line, or of the empty last one */
    ST_TRAILER_LINE,
    ST_TRAILER_LF,
    ST_LAST_LF,
    ST_DONE,
    ST_BAD,
};

enum { SIZE_DIGITS_MAX = 16, NO_DIGIT = 16 };

/* A table: folding letters by bit tricks lets control bytes pass as digits. */
static const uint8_t hex_value[256] = {
    ['0'] = 16, ['1'] = 1,  ['2'] = 2,  ['3'] = 3,  ['4'] = 4,  ['5'] = 5,  ['6'] = 6,  ['7'] = 7,
    ['8'] = 8,  ['9'] = 9,  ['a'] = 10, ['b'] = 11, ['c'] = 12, ['d'] = 13, ['e'] = 14, ['f'] = 15,
    ['A'] = 10, ['B'] = 11, ['C'] = 12, ['D'] = 13, ['E'] = 14, ['F'] = 15,
};

/* 0..15, or NO_DIGIT. In the table 0 means no digit, so that '0' is written as 16. */
static unsigned hex_digit(char c)
{
    unsigned v = hex_value[(unsigned char)c];

    return v == 0 ? NO_DIGIT : v % 16;
}

static bool is_text(char c)
{
    return ((unsigned char)c >= 0x20 || c == '\t') && c != 0x7f;
}

void h1_body_init(struct h1_body_reader *b, const struct h1_head *head)
{
    *b = (struct h1_body_reader){.kind = head->body, .state_ = ST_BODY};
    if (head->body == H1_BODY_CHUNKED) {
        b->state_ = ST_SIZE;
    } else if (head->body == H1_BODY_LENGTH) {
        b->left_ = head->content_length;
    }
    if (head->body == H1_BODY_NONE || (head->body == H1_BODY_LENGTH && b->left_ == 0)) {
        b->state_ = ST_DONE;
    }
}

/* The next of left_ bytes. */
static enum h1_body_token
take_data(struct h1_body_reader *b, const char **p, const char *end, struct str *piece)
{
    size_t have = (size_t)(end - *p);

    if (b->kind != H1_BODY_CLOSE && have > b->left_) {
        have = (size_t)b->left_;
    }
    *piece = (struct str){*p, have};
    *p += have;
    if (b->kind != H1_BODY_CLOSE) {
        b->left_ -= have;
    }
    return H1_DATA;
}

static enum state after_size(struct h1_body_reader *b, char c)
{
    if (b->digits_ == 0) {
        return ST_BAD;
    }
    switch (c) {
    case '\r':
        return ST_SIZE_LF;
    case ';':
        return ST_EXTENSION;
    case ' ':
    case '\t':
        return ST_BLANK;
    default:
        return ST_BAD;
    }
}

static enum state take_size(struct h1_body_reader *b, char c)
{
    unsigned digit = hex_digit(c);

    if (digit == NO_DIGIT) {
        return after_size(b, c);
    }
    if (b->digits_ == SIZE_DIGITS_MAX) {
        return ST_BAD;
    }
    b->digits_++;
    b->left_ = b->left_ << 4 | digit;
    return ST_SIZE;
}

static enum state start_chunk(struct h1_body_reader *b, char c)
{
    if (c != '\n') {
        return ST_BAD;
    }
    b->line_bytes_ = 0;
    b->digits_ = 0;
    return b->left_ == 0 ? ST_TRAILER : ST_CHUNK;
}

/* One byte of the framing around chunks. */
static enum state step(struct h1_body_reader *b, char c)
{
    switch ((enum state)b->state_) {
    case ST_SIZE:
        return take_size(b, c);
    case ST_BLANK:
        return c == '\r' ? ST_BAD : after_size(b, c);
    case ST_EXTENSION:
        return c == '\r' ? ST_SIZE_LF : is_text(c) ? ST_EXTENSION : ST_BAD;
    case ST_SIZE_LF:
        return start_chunk(b, c);
    case ST_CHUNK_CR:
        return c == '\r' ? ST_CHUNK_LF : ST_BAD;
    case ST_CHUNK_LF:
        b->line_bytes_ = 0;
        return c == '\n' ? ST_SIZE : ST_BAD;
    case ST_TRAILER:
        return c == '\r' ? ST_LAST_LF : is_text(c) ? ST_TRAILER_LINE : ST_BAD;
    case ST_TRAILER_LINE:
        return c == '\r' ? ST_TRAILER_LF : is_text(c) ? ST_TRAILER_LINE : ST_BAD;
    case ST_TRAILER_LF:
        return c == '\n' ? ST_TRAILER : ST_BAD;
    case ST_LAST_LF:
        return c == '\n' ? ST_DONE : ST_BAD;
    case ST_BODY:
    case ST_CHUNK:
    case ST_DONE:
    case ST_BAD:
        break;
    }
    return ST_BAD;
}

/* Trailers are bounded all together: only the size line in front of them starts the count. */
static bool line_too_long(const struct h1_body_reader *b)
{
    return b->line_bytes_ > (b->state_ >= ST_TRAILER ? H1_TRAILER_MAX : H1_CHUNK_LINE_MAX);
}

enum h1_body_token
h1_body_next(struct h1_body_reader *b, const char **p, const char *end, struct str *piece)
{
    while (true) {
        if (b->state_ == ST_DONE) {
            return H1_DONE;
        }
        if (b->state_ == ST_BAD) {
            return H1_BAD;
        }
        if (b->left_ == 0 && b->state_ == ST_BODY && b->kind == H1_BODY_LENGTH) {
            b->state_ = ST_DONE;
            continue;
        }
        if (b->left_ == 0 && b->state_ == ST_CHUNK) {
            b->state_ = ST_CHUNK_CR;
        }
        if (*p == end) {
            return H1_MORE;
        }
        if (b->state_ == ST_BODY || b->state_ == ST_CHUNK) {
            return take_data(b, p, end, piece);
        }
        b->line_bytes_++;
        b->state_ = (uint8_t)(line_too_long(b) ? ST_BAD : step(b, *(*p)++));
    }
}

bool h1_body_eof_ok(const struct h1_body_reader *b)
{
    return b->state_ == ST_DONE || b->kind == H1_BODY_CLOSE ||
           (b->kind == H1_BODY_LENGTH && b->left_ == 0);
}
