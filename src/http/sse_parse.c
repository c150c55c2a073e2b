/* SPDX-License-Identifier: MIT */
#include "http/sse_parse.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum state {
    ST_BOM,   /* start of the stream; bom_ bytes of the mark were taken */
    ST_LINE,  /* start of a line */
    ST_NAME,  /* in a field name that is, so far, the beginning of a known one */
    ST_SPACE, /* behind the colon: one space is dropped */
    ST_VALUE,
    ST_TOO_LONG,
};

enum field { FIELD_COMMENT, FIELD_OTHER, FIELD_DATA, FIELD_EVENT, FIELD_ID, FIELD_RETRY };

enum {
    FLAG_SKIP_LF = 1,    /* the last line ended with CR: a LF belongs to it */
    FLAG_STARTED = 2,    /* a line of the event was begun */
    FLAG_DATA_LINE = 4,  /* the event has a data line */
    FLAG_CONTENT = 8,    /* the event's data is not empty */
    FLAG_ID = 16,        /* the event has an id */
    FLAG_DISPATCHED = 32 /* the last token ended an event: its name is dropped by the next call */
};

enum { RETRY_NONE = -1, RETRY_BAD = -2 };

static const struct str field_names[] = {
    [FIELD_COMMENT] = STR_INIT(""),  [FIELD_OTHER] = STR_INIT(""),
    [FIELD_DATA] = STR_INIT("data"), [FIELD_EVENT] = STR_INIT("event"),
    [FIELD_ID] = STR_INIT("id"),     [FIELD_RETRY] = STR_INIT("retry"),
};

static const unsigned char bom[3] = {0xef, 0xbb, 0xbf};

/* The first CR or LF, or the end. */
static const char *find_eol(const char *p, const char *end)
{
#ifdef __SSE2__
    const __m128i lf = _mm_set1_epi8('\n'), cr = _mm_set1_epi8('\r');

    for (; end - p >= 16; p += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        __m128i hit = _mm_or_si128(_mm_cmpeq_epi8(v, lf), _mm_cmpeq_epi8(v, cr));
        int mask = _mm_movemask_epi8(hit);

        if (mask != 0) {
            return p + __builtin_ctz((unsigned)mask);
        }
    }
#endif
    while (p < end && *p != '\n' && *p != '\r') {
        p++;
    }
    return p;
}

static bool is_eol(char c)
{
    return c == '\n' || c == '\r';
}

void sse_init(struct sse_parser *s)
{
    *s = (struct sse_parser){.retry_ms = -1, .retry_new_ = RETRY_NONE};
}

/* Two halves: one holds the event's id, the other takes the value of a further id line, which may
 * turn out to be no valid one. */
static char *id_half(struct sse_parser *s, bool pending)
{
    return s->id_[s->id_pending_ ^ (pending ? 0U : 1U)];
}

/* The line end at p belongs to the line before; returns what follows it. */
static const char *take_eol(struct sse_parser *s, const char *p)
{
    s->flags_ = (uint8_t)(*p == '\r' ? s->flags_ | FLAG_SKIP_LF : s->flags_ & ~FLAG_SKIP_LF);
    s->state_ = ST_LINE;
    return p + 1;
}

static enum field guess_field(char first)
{
    switch (first) {
    case ':':
        return FIELD_COMMENT;
    case 'd':
        return FIELD_DATA;
    case 'e':
        return FIELD_EVENT;
    case 'i':
        return FIELD_ID;
    case 'r':
        return FIELD_RETRY;
    default:
        return FIELD_OTHER;
    }
}

/* The line's name is known: prepares for the value. True when this is a further data line, before
 * which a LF belongs into the data. */
static bool begin_value(struct sse_parser *s, enum field field)
{
    bool joined = false;

    s->field_ = (uint8_t)field;
    s->cut_ = false;
    if (field == FIELD_DATA) {
        joined = (s->flags_ & FLAG_DATA_LINE) != 0;
        s->flags_ |= FLAG_DATA_LINE;
    } else if (field == FIELD_EVENT) {
        s->name_len_ = 0;
    } else if (field == FIELD_ID) {
        s->id_len_ = 0;
    } else if (field == FIELD_RETRY) {
        s->retry_new_ = RETRY_NONE;
    }
    return joined;
}

static enum sse_token join_data(struct sse_parser *s, struct str *piece)
{
    s->flags_ |= FLAG_CONTENT;
    *piece = STR("\n");
    return SSE_DATA;
}

static void keep_name(struct sse_parser *s, struct str part)
{
    size_t room = SSE_NAME_MAX - (size_t)s->name_len_;
    size_t n = part.len < room ? part.len : room;

    s->names_cut += n < part.len && !s->cut_;
    s->cut_ = s->cut_ || n < part.len;
    memcpy(s->event_name + s->name_len_, part.p, n);
    s->name_len_ = (uint8_t)(s->name_len_ + n);
}

/* id_len_ above SSE_ID_MAX marks an id that is to be ignored: too long, or with a NUL. */
static void keep_id(struct sse_parser *s, struct str part)
{
    if (s->id_len_ > SSE_ID_MAX || part.len > SSE_ID_MAX - (size_t)s->id_len_ ||
        memchr(part.p, '\0', part.len) != NULL) {
        bool nul = memchr(part.p, '\0', part.len) != NULL;

        s->ids_ignored += !nul && !s->cut_;
        s->cut_ = true;
        s->id_len_ = SSE_ID_MAX + 1;
        return;
    }
    memcpy(id_half(s, false) + s->id_len_, part.p, part.len);
    s->id_len_ = (uint8_t)(s->id_len_ + part.len);
}

static void keep_retry(struct sse_parser *s, struct str part)
{
    for (size_t i = 0; i < part.len && s->retry_new_ != RETRY_BAD; i++) {
        int64_t v = s->retry_new_ == RETRY_NONE ? 0 : s->retry_new_;

        if (part.p[i] < '0' || part.p[i] > '9') {
            s->retry_new_ = RETRY_BAD;
        } else if (__builtin_mul_overflow(v, INT64_C(10), &v) ||
                   __builtin_add_overflow(v, (int64_t)(part.p[i] - '0'), &v)) {
            s->retry_new_ = INT64_MAX; /* A wait of that length is for ever either way. */
        } else {
            s->retry_new_ = v;
        }
    }
}

static void keep(struct sse_parser *s, struct str part)
{
    if (part.len == 0) {
        return;
    }
    if (s->field_ == FIELD_EVENT) {
        keep_name(s, part);
    } else if (s->field_ == FIELD_ID) {
        keep_id(s, part);
    } else if (s->field_ == FIELD_RETRY) {
        keep_retry(s, part);
    }
}

/* The line is complete. */
static void end_value(struct sse_parser *s)
{
    if (s->field_ == FIELD_EVENT) {
        s->event_name[s->name_len_] = '\0';
    } else if (s->field_ == FIELD_ID && s->id_len_ <= SSE_ID_MAX) {
        id_half(s, false)[s->id_len_] = '\0';
        s->id_pending_ ^= 1U;
        s->flags_ |= FLAG_ID;
    } else if (s->field_ == FIELD_RETRY && s->retry_new_ >= 0) {
        s->retry_ms = s->retry_new_;
    }
}

/* A blank line. SSE_MORE when it ends nothing that the owner has to know of. */
static enum sse_token dispatch(struct sse_parser *s)
{
    unsigned flags = s->flags_;
    enum sse_token token = SSE_MORE;

    if ((flags & FLAG_ID) != 0) {
        memcpy(s->last_id, id_half(s, true), sizeof s->last_id);
        s->has_id = s->last_id[0] != '\0';
    }
    if ((flags & FLAG_CONTENT) != 0) {
        token = SSE_EVENT;
    } else if ((flags & FLAG_ID) != 0 && s->has_id) {
        token = SSE_PRIMING;
    }
    s->flags_ = (uint8_t)((flags & FLAG_SKIP_LF) | FLAG_DISPATCHED);
    return token;
}

/* A value other than data, up to the line's end or the end of the bytes. */
static enum sse_token take_value(struct sse_parser *s, const char **p, const char *end)
{
    const char *eol = find_eol(*p, end);
    size_t len = (size_t)(eol - *p);

    if (len > SSE_OTHER_LINE_MAX - (size_t)s->line_len_) {
        s->state_ = ST_TOO_LONG;
        return SSE_TOO_LONG;
    }
    s->line_len_ += (uint32_t)len;
    keep(s, (struct str){*p, len});
    *p = eol;
    if (eol == end) {
        return SSE_MORE;
    }
    *p = take_eol(s, eol);
    end_value(s);
    return s->field_ == FIELD_COMMENT ? SSE_COMMENT : SSE_MORE;
}

/* A piece of a data line; empty pieces are none. */
static enum sse_token
take_data(struct sse_parser *s, const char **p, const char *end, struct str *piece)
{
    const char *start = *p, *eol = find_eol(start, end);

    *p = eol == end ? end : take_eol(s, eol);
    if (eol == start) {
        return SSE_MORE;
    }
    s->flags_ |= FLAG_CONTENT;
    *piece = (struct str){start, (size_t)(eol - start)};
    return SSE_DATA;
}

/* The start of a line, **p is no line end: takes the whole name if it is there, else its first
 * byte. */
static void begin_line(struct sse_parser *s, const char **p, const char *end)
{
    enum field field = guess_field(**p);
    struct str name = field_names[field];

    s->line_len_ = 0;
    s->field_ = (uint8_t)field;
    if (field == FIELD_COMMENT) {
        ++*p;
        s->state_ = ST_VALUE;
        return;
    }
    s->flags_ |= FLAG_STARTED;
    s->state_ = ST_NAME;
    if (field == FIELD_OTHER) {
        s->state_ = ST_VALUE;
    } else if ((size_t)(end - *p) > name.len && memcmp(*p, name.p, name.len) == 0) {
        *p += name.len;
        s->line_len_ = (uint32_t)name.len;
    }
}

/* One byte in or behind a name; line_len_ bytes of it have matched. True: see begin_value. */
static bool step_name(struct sse_parser *s, const char **p)
{
    struct str name = field_names[s->field_];
    char c = **p;

    if (s->line_len_ < name.len && c == name.p[s->line_len_]) {
        ++*p;
        s->line_len_++;
        return false;
    }
    if (s->line_len_ < name.len || (c != ':' && !is_eol(c))) {
        s->field_ = FIELD_OTHER;
        s->state_ = ST_VALUE;
        return false;
    }
    s->state_ = ST_VALUE; /* A name without a colon has an empty value. */
    if (c == ':') {
        ++*p;
        s->line_len_++;
        s->state_ = ST_SPACE;
    }
    return begin_value(s, (enum field)s->field_);
}

static void step_bom(struct sse_parser *s, const char **p)
{
    if ((unsigned char)**p == bom[s->bom_]) {
        ++*p;
        s->bom_++;
        s->state_ = s->bom_ == sizeof bom ? ST_LINE : ST_BOM;
    } else if (s->bom_ == 0) {
        s->state_ = ST_LINE;
    } else { /* Half a mark is the beginning of a name that nobody knows. */
        s->line_len_ = s->bom_;
        s->field_ = FIELD_OTHER;
        s->flags_ |= FLAG_STARTED;
        s->state_ = ST_VALUE;
    }
}

/* A blank line, or the beginning of another one. */
static enum sse_token step_line(struct sse_parser *s, const char **p, const char *end)
{
    if ((s->flags_ & FLAG_SKIP_LF) != 0) {
        s->flags_ &= (uint8_t)~FLAG_SKIP_LF;
        if (**p == '\n') {
            ++*p;
            return SSE_MORE;
        }
    }
    if (!is_eol(**p)) {
        begin_line(s, p, end);
        return SSE_MORE;
    }
    *p = take_eol(s, *p);
    return dispatch(s);
}

enum sse_token sse_next(struct sse_parser *s, const char **p, const char *end, struct str *piece)
{
    while (*p < end) {
        enum sse_token token = SSE_MORE;

        if ((s->flags_ & FLAG_DISPATCHED) != 0) {
            s->flags_ &= (uint8_t)~FLAG_DISPATCHED;
            s->event_name[0] = '\0';
            s->name_len_ = 0;
        }
        switch ((enum state)s->state_) {
        case ST_BOM:
            step_bom(s, p);
            break;
        case ST_LINE:
            token = step_line(s, p, end);
            break;
        case ST_NAME:
            if (step_name(s, p)) {
                return join_data(s, piece);
            }
            break;
        case ST_SPACE:
            *p += **p == ' ';
            s->state_ = ST_VALUE;
            break;
        case ST_VALUE:
            token = s->field_ == FIELD_DATA ? take_data(s, p, end, piece) : take_value(s, p, end);
            break;
        case ST_TOO_LONG:
            return SSE_TOO_LONG;
        }
        if (token != SSE_MORE) {
            return token;
        }
    }
    return s->state_ == ST_TOO_LONG ? SSE_TOO_LONG : SSE_MORE;
}

bool sse_idle(const struct sse_parser *s)
{
    return (s->flags_ & FLAG_STARTED) == 0;
}
