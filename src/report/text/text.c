/* SPDX-License-Identifier: MIT */
#include "report/text/text.h"

#include "base/clock.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define REPLACEMENT "\xef\xbf\xbd"

enum { COLUMNS_DEFAULT = 100, COLUMNS_MIN = 8, COLUMNS_MAX = 400 };

/* ---- what a terminal can show -----------------------------------------------------------------
 */

/* NULL when it is not set, or empty. */
static const char *env_value(const char *name)
{
    /* Nobody changes the environment after the start. */
    const char *value = getenv(name); /* NOLINT(concurrency-mt-unsafe) */

    return value != NULL && value[0] != '\0' ? value : NULL;
}

/* The first of the variables that is set decides (POSIX, section 8.2). */
static bool locale_is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = env_value(names[i]);
        if (value != NULL) {
            return strcasestr(value, "utf-8") != NULL || strcasestr(value, "utf8") != NULL;
        }
    }
    return false;
}

struct text_style text_style_of(int fd)
{
    struct text_style style = {.utf8 = locale_is_utf8(), .columns = COLUMNS_DEFAULT};
    const char *term = env_value("TERM");
    struct winsize size;

    style.terminal = isatty(fd) == 1 && term != NULL && strcmp(term, "dumb") != 0;
    style.colour = style.terminal && env_value("NO_COLOR") == NULL;
    if (style.terminal && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= COLUMNS_MIN) {
        style.columns = size.ws_col < COLUMNS_MAX ? size.ws_col : COLUMNS_MAX;
    }
    return style;
}

/* ---- numbers ----------------------------------------------------------------------------------
 */

const char *text_count(uint64_t n, char *out)
{
    char digits[20];
    size_t len = str_put_u64(digits, n), at = 0;

    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0) {
            out[at++] = ',';
        }
        out[at++] = digits[i];
    }
    out[at] = '\0';
    return out;
}

/* Three significant digits; a value of three or more places is shown whole. */
static const char *with_unit(double value, const char *unit, char *out)
{
    if (value >= 99.95 || value == floor(value)) {
        snprintf(out, TEXT_NUMBER_MAX, "%.0f%s", value, unit);
    } else {
        snprintf(out, TEXT_NUMBER_MAX, "%.*f%s", value >= 9.995 ? 1 : 2, value, unit);
    }
    return out;
}

/* Always with its three digits, so that columns of times can be compared by eye. */
static const char *time_in(double value, const char *unit, char *out)
{
    int decimals = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;

    snprintf(out, TEXT_NUMBER_MAX, "%.*f%s", decimals, value, unit);
    return out;
}

const char *text_time(uint64_t ns, char *out)
{
    /* A limit is where rounding would show 1000 of the smaller unit. */
    if (ns < 999500) {
        return time_in((double)ns / (double)NS_PER_US, " µs", out);
    }
    if (ns < 999500 * NS_PER_US) {
        return time_in((double)ns / (double)NS_PER_MS, " ms", out);
    }
    return time_in((double)ns / (double)NS_PER_S, " s", out);
}

const char *text_percent(double ratio, char *out)
{
    if (ratio > 0 && ratio < 0.0001) {
        snprintf(out, TEXT_NUMBER_MAX, "< 0.01 %%");
        return out;
    }
    /* Not all is not all: 99.999 % must not become 100 %. */
    if (ratio < 1 && ratio > 0.9999) {
        snprintf(out, TEXT_NUMBER_MAX, "> 99.99 %%");
        return out;
    }
    if (ratio < 1 && ratio >= 0.9994) {
        snprintf(out, TEXT_NUMBER_MAX, "%.2f %%", floor(ratio * 10000) / 100);
        return out;
    }
    return with_unit(ratio * 100, " %", out);
}

const char *text_rate(double per_second, char *out)
{
    if (per_second >= 1000) {
        char count[TEXT_NUMBER_MAX];
        snprintf(out, TEXT_NUMBER_MAX, "%.40s/s", text_count((uint64_t)(per_second + 0.5), count));
        return out;
    }
    return with_unit(per_second, "/s", out);
}

const char *text_bytes(double bytes, char *out)
{
    static const char *const units[] = {" B", " kB", " MB", " GB", " TB", " PB"};
    size_t i = 0;

    while (bytes >= 999.5 && i + 1 < sizeof units / sizeof units[0]) {
        bytes /= 1000;
        i++;
    }
    return with_unit(bytes, units[i], out);
}

const char *text_clock(uint64_t ns, char *out)
{
    uint64_t seconds = ns / NS_PER_S;

    if (seconds < 60) {
        uint64_t tenths = ns / (100 * NS_PER_MS);
        snprintf(out, TEXT_NUMBER_MAX, "%u.%u s", (unsigned)(tenths / 10), (unsigned)(tenths % 10));
    } else if (seconds < 3600) {
        snprintf(out, TEXT_NUMBER_MAX, "%u:%02u min", (unsigned)(seconds / 60),
                 (unsigned)(seconds % 60));
    } else {
        snprintf(out, TEXT_NUMBER_MAX, "%llu:%02u:%02u h", (unsigned long long)(seconds / 3600),
                 (unsigned)(seconds / 60 % 60), (unsigned)(seconds % 60));
    }
    return out;
}

const char *text_timestamp(uint64_t wall_ms, char *out)
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm tm;

    if (gmtime_r(&seconds, &tm) == NULL) {
        out[0] = '\0';
        return out;
    }
    size_t len = strftime(out, TEXT_NUMBER_MAX, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(out + len, TEXT_NUMBER_MAX - len, ".%03uZ", (unsigned)(wall_ms % 1000));
    return out;
}

/* ---- characters -------------------------------------------------------------------------------
 */

/* The character at the beginning of `s` (not empty): its bytes, 0 when they are not UTF-8
 * (RFC 3629). */
static size_t character(struct str s, uint32_t *code)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *p = (const unsigned char *)s.p;

    *code = p[0];
    if (p[0] < 0x80) {
        return 1;
    }
    size_t len = p[0] >= 0xf8 ? 0 : p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc0 ? 2 : 0;
    if (len == 0 || s.len < len) {
        return 0;
    }
    *code = p[0] & (0x7fu >> len);
    for (size_t i = 1; i < len; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
        *code = *code << 6 | (p[i] & 0x3fu);
    }
    bool surrogate = *code >= 0xd800 && *code <= 0xdfff;
    return *code < smallest[len] || *code > 0x10ffff || surrogate ? 0 : len;
}

/* Marks that turn the direction of writing: what stands behind them in the line is shown elsewhere.
 */
static bool is_turning(uint32_t code)
{
    return code == 0x61c || code == 0x200e || code == 0x200f ||
           (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

size_t text_width(struct str s)
{
    size_t width = 0;

    for (size_t i = 0; i < s.len; i++) {
        width += ((unsigned char)s.p[i] & 0xc0) != 0x80;
    }
    return width;
}

static int add_blanks(struct buf *out, size_t count)
{
    static const char blanks[] = "                                ";
    int rc = 0;

    for (; rc == 0 && count > 0;) {
        size_t n = count < sizeof blanks - 1 ? count : sizeof blanks - 1;
        rc = buf_add(out, blanks, n);
        count -= n;
    }
    return rc;
}

int text_add_left(struct buf *out, struct str s, size_t width)
{
    size_t has = text_width(s);
    int rc = buf_add_str(out, s);

    return rc != 0 || has >= width ? rc : add_blanks(out, width - has);
}

int text_add_right(struct buf *out, struct str s, size_t width)
{
    size_t has = text_width(s);
    int rc = has >= width ? 0 : add_blanks(out, width - has);

    return rc != 0 ? rc : buf_add_str(out, s);
}

int text_add_utf8(struct buf *out, struct str s)
{
    int rc = 0;

    for (size_t i = 0, len = 0; rc == 0 && i<s.len; i += len> 0 ? len : 1) {
        uint32_t code;

        len = character((struct str){s.p + i, s.len - i}, &code);
        rc = len > 0 ? buf_add(out, s.p + i, len) : buf_add_c(out, REPLACEMENT);
    }
    return rc;
}

int text_add_safe(struct buf *out, struct str s, size_t max_columns)
{
    int rc = 0;
    size_t column = 0;
    bool cut = text_width(s) > max_columns;

    for (size_t i = 0, len = 0; rc == 0 && i<s.len; i += len> 0 ? len : 1) {
        uint32_t code;

        if (cut && column + 1 >= max_columns) {
            return buf_add_c(out, "…");
        }
        len = character((struct str){s.p + i, s.len - i}, &code);
        if (len > 0 && (is_control(code) || is_turning(code))) {
            rc = buf_add_c(out, " ");
        } else {
            rc = len > 0 ? buf_add(out, s.p + i, len) : buf_add_c(out, REPLACEMENT);
        }
        column++;
    }
    return rc;
}

/* The byte at which so many columns begin, or the end. */
static size_t byte_of(struct str s, size_t column)
{
    size_t i = 0;

    for (size_t seen = 0; i < s.len; i++) {
        seen += ((unsigned char)s.p[i] & 0xc0) != 0x80;
        if (seen > column) {
            break;
        }
    }
    return i;
}

int text_add_middle(struct buf *out, struct str s, size_t max_columns)
{
    size_t width = text_width(s), front = max_columns / 2;

    if (width <= max_columns || max_columns == 0) {
        return text_add_safe(out, s, max_columns);
    }
    size_t behind = byte_of(s, width - (max_columns - front - 1));
    int rc = text_add_safe(out, (struct str){s.p, byte_of(s, front)}, front);

    rc = rc != 0 ? rc : buf_add_c(out, "…");
    return rc != 0 ? rc : text_add_safe(out, (struct str){s.p + behind, s.len - behind}, SIZE_MAX);
}

void text_to_ascii(struct buf *text)
{
    static const struct {
        const char *sign;
        char ascii;
    } table[] = {{"µ", 'u'}, {"·", '-'}, {"…", '~'}, {"≥", '>'}, {"≤", '<'}, {"–", '-'},
                 {"—", '-'}, {"→", '>'}, {"▁", '_'}, {"▂", '.'}, {"▃", '-'}, {"▄", '-'},
                 {"▅", '='}, {"▆", '='}, {"▇", '#'}, {"█", '#'}, {"═", '='}, {"≠", '!'}};
    size_t to = 0;

    for (size_t i = 0, len = 0; i<text->len; i += len> 0 ? len : 1) {
        struct str rest = {text->p + i, text->len - i};
        uint32_t code;
        char c = '?';

        len = character(rest, &code);
        if (len == 1) {
            c = rest.p[0];
        }
        for (size_t j = 0; len > 1 && j < sizeof table / sizeof table[0]; j++) {
            if (str_starts(rest, str_c(table[j].sign))) {
                c = table[j].ascii;
            }
        }
        text->p[to++] = c;
    }
    text->len = to;
}
