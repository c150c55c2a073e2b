/* SPDX-License-Identifier: MIT */
#include "scenario/placeholder.h"

static const struct spelling {
    struct str text;
    enum placeholder kind;
    bool braces; /* one of the double-brace forms, known only where the caller allows them */
} spellings[] = {
    {STR_INIT("${run_id}"), PLACEHOLDER_RUN_ID, false},
    {STR_INIT("${execution_id}"), PLACEHOLDER_EXECUTION_ID, false},
    {STR_INIT("${scenario_id}"), PLACEHOLDER_SCENARIO_ID, false},
    {STR_INIT("${stage_id}"), PLACEHOLDER_STAGE_ID, false},
    {STR_INIT("${worker_id}"), PLACEHOLDER_WORKER_ID, false},
    {STR_INIT("${vu_id}"), PLACEHOLDER_VU_ID, false},
    {STR_INIT("${op_seq}"), PLACEHOLDER_OP_SEQ, false},
    {STR_INIT("{{run_id}}"), PLACEHOLDER_RUN_ID, true},
    {STR_INIT("{{.RunID}}"), PLACEHOLDER_RUN_ID, true},
};

enum {
    SPELLING_COUNT = sizeof spellings / sizeof spellings[0],
    UNKNOWN_MAX = 256 /* longest `${…}` that is worth a warning */
};

/* Length of the `${…}` at the front, 0 when there is none. */
static size_t dollar_form(struct str s)
{
    if (!str_starts(s, STR("${"))) {
        return 0;
    }
    size_t limit = s.len < UNKNOWN_MAX ? s.len : UNKNOWN_MAX;
    for (size_t i = 2; i < limit; i++) {
        if (s.p[i] == '}') {
            return i + 1;
        }
        if (s.p[i] == '"' || s.p[i] == '\\' || s.p[i] == '{') {
            return 0;
        }
    }
    return 0;
}

/* A part that is no literal, at the front of `s`; `*used` bytes of it. */
static bool special_part(struct str s, bool braces, struct placeholder_part *out, size_t *used)
{
    if (str_starts(s, STR("$${"))) {
        *out = (struct placeholder_part){PLACEHOLDER_LITERAL, {s.p + 1, 2}};
        *used = 3;
        return true;
    }
    for (size_t i = 0; i < SPELLING_COUNT; i++) {
        const struct spelling *spelling = &spellings[i];

        if ((braces || !spelling->braces) && str_starts(s, spelling->text)) {
            *out = (struct placeholder_part){spelling->kind, {s.p, spelling->text.len}};
            *used = spelling->text.len;
            return true;
        }
    }
    *used = dollar_form(s);
    if (*used == 0) {
        return false;
    }
    bool payload = str_starts(s, STR("${payload:"));
    *out = (struct placeholder_part){payload ? PLACEHOLDER_PAYLOAD : PLACEHOLDER_UNKNOWN,
                                     {s.p, *used}};
    return true;
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
        *out = (struct placeholder_part){PLACEHOLDER_LITERAL, {text->p, at}};
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
    static const char *const names[] = {
        [PLACEHOLDER_LITERAL] = NULL,
        [PLACEHOLDER_UNKNOWN] = NULL,
        [PLACEHOLDER_PAYLOAD] = NULL,
        [PLACEHOLDER_RUN_ID] = "run_id",
        [PLACEHOLDER_EXECUTION_ID] = "execution_id",
        [PLACEHOLDER_SCENARIO_ID] = "scenario_id",
        [PLACEHOLDER_STAGE_ID] = "stage_id",
        [PLACEHOLDER_WORKER_ID] = "worker_id",
        [PLACEHOLDER_VU_ID] = "vu_id",
        [PLACEHOLDER_OP_SEQ] = "op_seq",
    };

    return names[kind];
}
