/* SPDX-License-Identifier: MIT */
#include "plan/verify_text.h"

#include <inttypes.h>
#include <stdio.h>

/* Room for the names that the file gives, for a value found, and for what was expected. */
enum { NAME_BYTES = 80, VALUE_BYTES = 80, EXPECTED_BYTES = 120 };

/* Cuts before a character that is not complete, and replaces what a terminal could obey: C0, DEL
 * and, in UTF-8, C1. */
static void make_safe(char *text)
{
    size_t len = strlen(text), at = len;

    while (at > 0 && ((unsigned char)text[at - 1] & 0xc0) == 0x80) {
        at--;
    }
    if (at > 0 && (unsigned char)text[at - 1] >= 0xc0) {
        unsigned char lead = (unsigned char)text[at - 1];
        size_t need = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;

        len = len - at + 1 < need ? at - 1 : len;
        text[len] = '\0';
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c < 0x20 || c == 0x7f) {
            text[i] = '?';
        } else if (c == 0xc2 && (unsigned char)text[i + 1] < 0xa0) {
            text[i] = text[i + 1] = '?';
        }
    }
}

struct cut {
    char *out;
    size_t len, size;
};

/* Takes what fits; the rest is not even written. */
static int take_piece(const char *p, size_t len, void *to)
{
    struct cut *cut = to;
    size_t room = cut->size - 1 - cut->len, take = len < room ? len : room;

    memcpy(cut->out + cut->len, p, take);
    cut->len += take;
    return take < len ? -1 : 0;
}

/* The beginning of its JSON text; "…" behind what was cut. */
static const char *shown(const json_t *value, char out[VALUE_BYTES])
{
    static const char dots[] = "…";
    struct cut cut = {out, 0, VALUE_BYTES - sizeof dots + 1};
    int rc = json_dump_callback(value, take_piece, &cut,
                                JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));

    out[cut.len] = '\0';
    make_safe(out);
    if (rc != 0) {
        size_t len = strlen(out);
        memcpy(out + len, dots, sizeof dots);
    }
    return out;
}

/* A text of the file, cut where it is too long for a line. */
static const char *name(const char *text, char out[NAME_BYTES])
{
    snprintf(out, NAME_BYTES, "%s", text);
    make_safe(out);
    return out;
}

/* "check 'ID': PLACE"; the number of bytes. */
static size_t begin(const struct check_config *c, const char *place, char out[VERIFY_TEXT_MAX])
{
    char id[NAME_BYTES];

    return (size_t)snprintf(out, VERIFY_TEXT_MAX, "check '%s': %s", name(c->id, id), place);
}

static void expectation(const struct check_config *c, char out[EXPECTED_BYTES])
{
    char value[VALUE_BYTES];

    if (c->has_exists && !c->exists) {
        snprintf(out, EXPECTED_BYTES, "expected nothing there");
    } else if (c->equals != NULL) {
        snprintf(out, EXPECTED_BYTES, "expected %s", shown(c->equals, value));
    } else if (c->matches != NULL) {
        snprintf(out, EXPECTED_BYTES, "expected a match of %s", name(c->matches, value));
    } else if (c->has_min && c->has_max) {
        snprintf(out, EXPECTED_BYTES, "expected a number from %.15g to %.15g", c->min, c->max);
    } else if (c->has_min || c->has_max) {
        snprintf(out, EXPECTED_BYTES, "expected a number %s %.15g",
                 c->has_min ? "not below" : "not above", c->has_min ? c->min : c->max);
    } else {
        snprintf(out, EXPECTED_BYTES, "expected a value there");
    }
}

void verify_say_value(const struct check_config *c, const json_t *found, char out[VERIFY_TEXT_MAX])
{
    char place[NAME_BYTES], value[VALUE_BYTES], expected[EXPECTED_BYTES];
    size_t len = begin(c, c->pointer[0] == '\0' ? "the result" : name(c->pointer, place), out);

    expectation(c, expected);
    snprintf(out + len, VERIFY_TEXT_MAX - len, " is %s, %s",
             found == NULL ? "not there" : shown(found, value), expected);
    make_safe(out);
}

void verify_say_size(const struct check_config *c, size_t bytes, char out[VERIFY_TEXT_MAX])
{
    size_t len = begin(c, "the answer", out);

    snprintf(out + len, VERIFY_TEXT_MAX - len, " has %zu bytes, expected at most %" PRIu64, bytes,
             c->max_bytes);
}

void verify_say_unread(const struct check_config *c, const char *why, char out[VERIFY_TEXT_MAX])
{
    size_t len = begin(c, "the answer", out);

    snprintf(out + len, VERIFY_TEXT_MAX - len, " cannot be read as JSON: %s", why);
    for (char *p = out + len; *p != '\0'; p++) {
        /* It may quote a few bytes, and they may be the reason. */
        if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f) {
            *p = '?';
        }
    }
}

void verify_say_mismatch(const struct verify_caller *found,
                         const struct verify_caller *caller,
                         char out[VERIFY_TEXT_MAX])
{
    snprintf(out, VERIFY_TEXT_MAX,
             "answer of VU %" PRIu64 ", operation %" PRIu64 " came to VU %" PRIu64
             ", operation %" PRIu64,
             found->vu, found->n, caller->vu, caller->n);
}
