/* SPDX-License-Identifier: MIT */
#include "plan/plain.h"
#include "plan/secrets.h"
#include "scenario/config/redaction.h"

enum { MASK_IN_MAX = 512 };

static bool in_word(char c)
{
    unsigned char u = (unsigned char)c;

    return (u >= '0' && u <= '9') || ((u | 0x20) >= 'a' && (u | 0x20) <= 'z') || u >= 0x80;
}

/* Is the byte before `i` the letter of "\n" or "\t", and no letter of a word? */
static bool ends_escape(struct str text, size_t i)
{
    static const char letters[] = {'b', 'f', 'n', 'r', 't'};

    return i >= 2 && text.p[i - 2] == '\\' &&
           memchr(letters, text.p[i - 1], sizeof letters) != NULL;
}

/* Does a word begin or end between the bytes i - 1 and i? */
static bool is_edge(struct str text, size_t i)
{
    return i == 0 || i == text.len || !in_word(text.p[i - 1]) || !in_word(text.p[i]) ||
           ends_escape(text, i);
}

static bool counts(struct str text, size_t i, size_t len)
{
    return len >= SECRET_SURE || (len >= SECRET_MIN && is_edge(text, i) && is_edge(text, i + len));
}

/* The first of the words low..high, which are equal up to `depth`, whose next byte is not below
 * `c`. All are longer than `depth`. */
static size_t
lower_bound(const struct str *items, size_t low, size_t high, size_t depth, unsigned c)
{
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if ((unsigned char)items[middle].p[depth] < c) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* How many bytes from `i` on are a secret (the longest), or the beginning of one that the end of
 * the text cuts off. Byte by byte, the words that can still be meant become fewer. */
static size_t match_at(const struct plan_secrets *secrets, struct str text, size_t i)
{
    const struct str *items = secrets->items;
    unsigned c = (unsigned char)text.p[i];
    size_t low = secrets->first[c], high = secrets->first[c + 1];
    size_t longest = 0, depth = 1;

    for (; low < high && i + depth < text.len; depth++) {
        if (items[low].len == depth) {
            longest = counts(text, i, depth) ? depth : longest;
            low++;
        }
        c = (unsigned char)text.p[i + depth];
        low = lower_bound(items, low, high, depth, c);
        high = lower_bound(items, low, high, depth, c + 1);
    }
    return low < high && counts(text, i, depth) ? depth : longest;
}

/* The first place from `i` on where one may begin. */
static size_t next_candidate(const struct plan_secrets *secrets, struct str text, size_t i)
{
    for (; i < text.len; i++) {
        unsigned c = (unsigned char)text.p[i];
        if (secrets->first[c] != secrets->first[c + 1]) {
            break;
        }
    }
    return i;
}

/* Where the secret at `i` ends, with those that overlap it; `i` if there is none. */
static size_t end_of_secrets(const struct plan_secrets *secrets, struct str text, size_t i)
{
    size_t end = i + match_at(secrets, text, i);

    for (size_t k = i + 1; k < end; k++) {
        size_t other = k + match_at(secrets, text, k);
        end = other > end ? other : end;
    }
    return end;
}

struct output {
    char *p;
    size_t len, size;
};

static void put(struct output *out, const char *p, size_t len)
{
    size_t room = out->size - out->len;

    len = len < room ? len : room;
    memcpy(out->p + out->len, p, len);
    out->len += len;
}

/* Byte i of `all` came from the place at[i] of `text`; NULL: they are the same. */
static void mask_words(const struct plan_secrets *secrets,
                       struct str all,
                       const uint16_t *at,
                       struct str text,
                       struct output *out)
{
    size_t copied = 0; /* of the text */

    for (size_t i = 0; (i = next_candidate(secrets, all, i)) < all.len && out->len < out->size;) {
        size_t end = end_of_secrets(secrets, all, i), from = at != NULL ? at[i] : i;

        if (end == i) {
            i++;
            continue;
        }
        put(out, text.p + copied, from - copied);
        put(out, REDACTED, sizeof REDACTED - 1);
        copied = at != NULL ? at[end] : end;
        i = end;
    }
    put(out, text.p + copied, (at != NULL ? at[all.len] : all.len) - copied);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): it is written by way of `masked` */
size_t secrets_mask(const struct plan_secrets *secrets, struct str text, char *out, size_t size)
{
    struct output masked = {out, 0, size};
    struct plain plain;

    if (secrets->count == 0) {
        put(&masked, text.p, text.len);
        return masked.len;
    }
    plain_read(text, &plain);
    mask_words(secrets, (struct str){plain.text, plain.len}, plain.at, text, &masked);
    return masked.len;
}

size_t
secrets_mask_long(const struct plan_secrets *secrets, struct str text, char *out, size_t size)
{
    struct output masked = {out, 0, size};

    if (secrets->count == 0 || text.len <= PLAIN_MAX) {
        return secrets_mask(secrets, text, out, size);
    }
    mask_words(secrets, text, NULL, text, &masked);
    return masked.len;
}

void secrets_mask_in(const struct plan_secrets *secrets, char *text, size_t size)
{
    char masked[MASK_IN_MAX];
    size_t most = size - 1 < sizeof masked ? size - 1 : sizeof masked;

    if (secrets->count > 0) {
        size_t len = secrets_mask(secrets, str_c(text), masked, most);
        memcpy(text, masked, len);
        text[len] = '\0';
    }
}
