/* SPDX-License-Identifier: MIT */
#include "scenario/placeholders/placeholder.h"

static bool is_range(struct str argument)
{
    int64_t low, high;

    return placeholder_range(argument, &low, &high);
}

static bool is_given(struct str argument)
{
    return argument.len > 0;
}

/* The name of an environment variable, as POSIX has it. */
static bool is_variable(struct str argument)
{
    for (size_t i = 0; i < argument.len; i++) {
        char c = argument.p[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

        if (!letter && (i == 0 || c < '0' || c > '9')) {
            return false;
        }
    }
    return argument.len > 0;
}

static bool is_field(struct str argument)
{
    struct str feed, field;

    return placeholder_field(argument, &feed, &field);
}

static const struct {
    struct str name;
    bool (*valid)(struct str argument); /* NULL: it takes none */
} names[] = {
    [PLACEHOLDER_RUN_ID] = {STR_INIT("run_id"), NULL},
    [PLACEHOLDER_EXECUTION_ID] = {STR_INIT("execution_id"), NULL},
    [PLACEHOLDER_SCENARIO_ID] = {STR_INIT("scenario_id"), NULL},
    [PLACEHOLDER_STAGE_ID] = {STR_INIT("stage_id"), NULL},
    [PLACEHOLDER_WORKER_ID] = {STR_INIT("worker_id"), NULL},
    [PLACEHOLDER_VU_ID] = {STR_INIT("vu_id"), NULL},
    [PLACEHOLDER_OP_SEQ] = {STR_INIT("op_seq"), NULL},
    [PLACEHOLDER_UUID] = {STR_INIT("uuid"), NULL},
    [PLACEHOLDER_TIMESTAMP_MS] = {STR_INIT("timestamp_ms"), NULL},
    [PLACEHOLDER_NONCE] = {STR_INIT("nonce"), NULL},
    [PLACEHOLDER_RANDOM_INT] = {STR_INIT("random_int"), is_range},
    [PLACEHOLDER_RANDOM_CHOICE] = {STR_INIT("random_choice"), is_given},
    [PLACEHOLDER_ENV] = {STR_INIT("env"), is_variable},
    [PLACEHOLDER_DATA] = {STR_INIT("data"), is_field},
    [PLACEHOLDER_PAYLOAD] = {STR_INIT("payload"), is_given},
};

enum {
    NAME_COUNT = sizeof names / sizeof names[0],
    UNKNOWN_MAX = 256 /* longest `${…}` that is worth a warning */
};

/* The kind of the name at the front, whether an argument follows or the brace; UNKNOWN. */
static enum placeholder kind_of(struct str name, bool argument)
{
    for (int i = PLACEHOLDER_RUN_ID; i < NAME_COUNT; i++) {
        if (str_eq(name, names[i].name) && argument == (names[i].valid != NULL)) {
            return (enum placeholder)i;
        }
    }
    return PLACEHOLDER_UNKNOWN;
}

/* Where the content of a `${…}` ends: at its brace, or where it turns out to be none. It ends at
 * the next `${` or `{` at the latest, so that a text of many of them stays linear. */
static size_t content_end(struct str s)
{
    size_t i = 2;

    while (i < s.len && (unsigned char)s.p[i] >= 0x20 && strchr("{}\"\\", s.p[i]) == NULL) {
        i++;
    }
    return i < s.len && s.p[i] == '{' && i > 2 && s.p[i - 1] == '$' ? i - 1 : i;
}

/* What begins with `${`. Zero bytes of it are used when it is not even like a placeholder. */
static size_t dollar_part(struct str s, struct placeholder_part *out)
{
    size_t end = content_end(s);
    bool closed = end < s.len && s.p[end] == '}';
    struct str content = {s.p + 2, end - 2};
    const char *colon = content.len > 0 ? memchr(content.p, ':', content.len) : NULL;
    struct str name = {content.p, colon != NULL ? (size_t)(colon - content.p) : content.len};
    struct str argument = {NULL, 0};
    enum placeholder kind = kind_of(name, colon != NULL);

    if (kind == PLACEHOLDER_UNKNOWN || (!closed && colon == NULL)) {
        *out = (struct placeholder_part){PLACEHOLDER_UNKNOWN, {s.p, end + 1}, argument};
        return closed && end < UNKNOWN_MAX ? end + 1 : 0;
    }
    if (colon != NULL) {
        argument = (struct str){colon + 1, content.len - name.len - 1};
        if (!closed || !names[kind].valid(argument)) {
            kind = PLACEHOLDER_MALFORMED;
        }
    }
    *out = (struct placeholder_part){kind, {s.p, end + closed}, argument};
    return end + closed;
}

/* A part that is no literal, at the front of `s`; `*used` bytes of it. */
static bool special_part(struct str s, bool braces, struct placeholder_part *out, size_t *used)
{
    static const struct str forms[] = {STR_INIT("{{run_id}}"), STR_INIT("{{.RunID}}")};

    if (str_starts(s, STR("$${"))) {
        *out = (struct placeholder_part){PLACEHOLDER_LITERAL, {s.p + 1, 2}, {NULL, 0}};
        *used = 3;
        return true;
    }
    for (size_t i = 0; braces && i < sizeof forms / sizeof forms[0]; i++) {
        if (str_starts(s, forms[i])) {
            *out = (struct placeholder_part){PLACEHOLDER_RUN_ID, {s.p, forms[i].len}, {NULL, 0}};
            *used = forms[i].len;
            return true;
        }
    }
    *used = str_starts(s, STR("${")) ? dollar_part(s, out) : 0;
    return *used > 0;
}

bool placeholder_next(struct str *text, bool braces, struct placeholder_part *out)
{
    size_t at = 0, used = 0;
    struct placeholder_part special;

    if (text->len == 0) {
        return false;
    }
    while (at < text->len) {
        struct str rest = {text->p + at, text->len - at};

        if ((rest.p[0] == '$' || rest.p[0] == '{') && special_part(rest, braces, &special, &used)) {
            break;
        }
        at++;
    }
    if (at > 0) {
        *out = (struct placeholder_part){PLACEHOLDER_LITERAL, {text->p, at}, {NULL, 0}};
        used = at;
    } else {
        *out = special;
    }
    *text = (struct str){text->p + used, text->len - used};
    return true;
}

size_t placeholder_parse(struct str text, bool braces, struct placeholder_part *out, size_t max)
{
    struct placeholder_part part;
    size_t count = 0;

    while (placeholder_next(&text, braces, &part)) {
        if (count < max) {
            out[count] = part;
        }
        count++;
    }
    return count;
}

const char *placeholder_name(enum placeholder kind)
{
    return names[kind].name.p;
}

/* ---- arguments ------------------------------------------------------------------------------- */

/* Decimal, perhaps with a minus. */
static bool whole_number(struct str s, int64_t *out)
{
    bool minus = str_starts(s, STR("-"));
    uint64_t limit = (uint64_t)INT64_MAX + minus, size;

    if (!str_u64((struct str){s.p + minus, s.len - minus}, limit, &size)) {
        return false;
    }
    *out = minus ? (int64_t)(0 - size) : (int64_t)size;
    return true;
}

bool placeholder_range(struct str argument, int64_t *low, int64_t *high)
{
    const char *colon = argument.len > 0 ? memchr(argument.p, ':', argument.len) : NULL;

    if (colon == NULL) {
        return false;
    }
    size_t len = (size_t)(colon - argument.p);
    return whole_number((struct str){argument.p, len}, low) &&
           whole_number((struct str){colon + 1, argument.len - len - 1}, high) && *low <= *high;
}

bool placeholder_choice(struct str *argument, struct str *out)
{
    if (argument->p == NULL) {
        return false;
    }
    const char *bar = argument->len > 0 ? memchr(argument->p, '|', argument->len) : NULL;
    if (bar == NULL) {
        *out = *argument;
        *argument = (struct str){NULL, 0};
        return true;
    }
    *out = (struct str){argument->p, (size_t)(bar - argument->p)};
    *argument = (struct str){bar + 1, argument->len - out->len - 1};
    return true;
}

bool placeholder_field(struct str argument, struct str *feed, struct str *field)
{
    const char *dot = argument.len > 0 ? memchr(argument.p, '.', argument.len) : NULL;

    if (dot == NULL) {
        return false;
    }
    *feed = (struct str){argument.p, (size_t)(dot - argument.p)};
    *field = (struct str){dot + 1, argument.len - feed->len - 1};
    return feed->len > 0 && field->len > 0;
}
