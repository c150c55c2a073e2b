/* SPDX-License-Identifier: MIT */
#include "cli/remote/run_id.h"

#include <stdio.h>

#define PREFIX "run_"

enum { WHOLE_DIGITS = 20, NAMED_MAX = 3 };

static struct str without_prefix(struct str word)
{
    struct str prefix = STR(PREFIX);

    return str_starts(word, prefix) ? (struct str){word.p + prefix.len, word.len - prefix.len}
                                    : word;
}

static bool all_hex(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f'))) {
            return false;
        }
    }
    return true;
}

enum run_word run_id_word(struct str word)
{
    struct str digits = without_prefix(word);

    if (str_eq(word, STR("last"))) {
        return RUN_WORD_LAST;
    }
    if (digits.len == 0 || word.len > RUN_ID_MAX || !all_hex(digits)) {
        return RUN_WORD_WRONG;
    }
    return digits.len == WHOLE_DIGITS && digits.p != word.p ? RUN_WORD_WHOLE : RUN_WORD_PREFIX;
}

/* An id of the list in its digits; empty when it is none that fits. */
static struct str id_at(const json_t *runs, size_t i)
{
    const json_t *id = json_object_get(json_array_get(runs, i), "run_id");

    if (!json_is_string(id) || json_string_length(id) > RUN_ID_MAX ||
        !str_starts(str_c(json_string_value(id)), STR(PREFIX))) {
        return (struct str){"", 0};
    }
    return without_prefix(str_c(json_string_value(id)));
}

static int none(struct str word, struct err *err)
{
    return str_eq(word, STR("last"))
               ? err_set(err, ERR_NOT_FOUND, "there is no run yet")
               : err_set(err, ERR_NOT_FOUND,
                         "no run begins with \"%.*s\" (\"mcpdrill list\" shows them)",
                         STR_ARG(word));
}

static int several(const json_t *runs, struct str word, size_t count, struct err *err)
{
    char names[NAMED_MAX * (RUN_ID_MAX + 2) + 8];
    struct str digits = without_prefix(word);
    size_t named = 0;
    int at = 0;

    for (size_t i = 0; i < json_array_size(runs) && named < NAMED_MAX; i++) {
        struct str id = id_at(runs, i);

        if (id.len > 0 && str_starts(id, digits)) {
            at += snprintf(names + at, sizeof names - (size_t)at, "%s" PREFIX "%.*s",
                           named++ > 0 ? ", " : "", STR_ARG(id));
        }
    }
    snprintf(names + at, sizeof names - (size_t)at, "%s", count > NAMED_MAX ? " …" : "");
    return err_set(err, ERR_USAGE, "%zu runs begin with \"%.*s\": %s", count, STR_ARG(word), names);
}

int run_id_pick(const json_t *runs, struct str word, char out[RUN_ID_MAX + 1], struct err *err)
{
    bool last = run_id_word(word) == RUN_WORD_LAST;
    struct str digits = without_prefix(word), found = {0};
    size_t count = 0;

    for (size_t i = 0; i < json_array_size(runs); i++) {
        struct str id = id_at(runs, i);

        if (id.len == 0 || (!last && !str_starts(id, digits))) {
            continue;
        }
        if (count++ == 0 || str_eq(id, digits)) {
            found = id;
        }
        if (last || str_eq(id, digits)) {
            count = 1;
            break;
        }
    }
    if (count != 1) {
        return count == 0 ? none(word, err) : several(runs, word, count, err);
    }
    snprintf(out, RUN_ID_MAX + 1, PREFIX "%.*s", STR_ARG(found));
    return 0;
}
