/* SPDX-License-Identifier: MIT */
#include "control/origin.h"

#include "base/digest.h"
#include "base/mem.h"
#include "plan/masking.h"

#include <string.h>

#define SCENARIO_TEXT_MAX ((size_t)64 * 1024 * 1024) /* indented */

/* Bytes that are no text are not kept: U+FFFD stands for them. */
static json_t *text_json(struct str text)
{
    struct buf quoted;
    json_t *value = NULL;

    buf_init(&quoted, text.len * 6 + 2);
    if (json_add_string(&quoted, text) == 0) {
        value = json_loadb(quoted.p, quoted.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    }
    buf_clear(&quoted);
    return value != NULL ? value : json_string("");
}

static json_t *command_line(const struct plan_secrets *secrets, int argc, char *const *argv)
{
    json_t *words = json_array();
    struct buf word;

    buf_init(&word, (size_t)ORIGIN_WORD_MAX * 16);
    for (int i = 0; i < argc && i < ORIGIN_WORDS_MAX; i++) {
        size_t len = strlen(argv[i]);

        word.len = 0;
        (void)masking_add_argument(
            secrets, (struct str){argv[i], len < ORIGIN_WORD_MAX ? len : ORIGIN_WORD_MAX}, &word);
        json_array_append_new(words, text_json(buf_str(&word)));
    }
    buf_clear(&word);
    return words;
}

/* NULL for NULL. */
static char *masked_text(const struct plan_secrets *secrets, const char *text)
{
    struct buf masked;

    if (text == NULL) {
        return NULL;
    }
    buf_init(&masked, strlen(text) * 16 + 64);
    (void)masking_add_text(secrets, str_c(text), &masked);
    char *out = xstrdup(buf_c(&masked));
    buf_clear(&masked);
    return out;
}

static void add_tag(struct run_origin *o,
                    const struct plan_secrets *secrets,
                    const char *name,
                    const char *value)
{
    struct buf text;

    buf_init(&text, strlen(value) * 16 + 64);
    (void)masking_add_label(secrets, str_c(name), str_c(value), &text);
    json_object_set_new(o->tags, name, text_json(buf_str(&text)));
    buf_clear(&text);
}

/* Who made it and what for. People write addresses and keys into labels, too. */
static void
take_labels(struct run_origin *o, const struct plan *plan, const char *name, json_t *tags)
{
    const struct metadata_config *m = &plan->scenario->metadata;
    const char *tag;
    json_t *value;

    o->name = masked_text(&plan->secrets, name != NULL ? name : m->name);
    o->description = masked_text(&plan->secrets, m->description);
    o->created_by = masked_text(&plan->secrets, m->created_by);
    o->tags = json_object();
    for (size_t i = 0; i < m->tag_count; i++) {
        add_tag(o, &plan->secrets, m->tags[i].name, m->tags[i].value);
    }
    json_object_foreach(tags, tag, value)
    {
        add_tag(o, &plan->secrets, tag, json_string_value(value));
    }
    json_decref(tags);
}

int origin_make(struct run_origin *o,
                const struct plan *plan,
                int argc,
                char *const *argv,
                const char *name,
                json_t *tags,
                struct err *err)
{
    *o = (struct run_origin){0};
    take_labels(o, plan, name, tags);
    o->target_url = masked_text(&plan->secrets, plan->scenario->target.url);
    o->scenario = masking_document(&plan->secrets, scenario_document(plan->scenario));
    o->command_line = argv != NULL ? command_line(&plan->secrets, argc, argv) : NULL;
    buf_init(&o->text, SCENARIO_TEXT_MAX);
    if (json_write_pretty(o->scenario, &o->text) != 0) {
        return err_set(err, ERR_LIMIT, "the scenario is longer than %zu bytes", o->text.max);
    }
    digest_sha256_hex(buf_str(&o->text), o->config_hash);
    return 0;
}

void origin_clear(struct run_origin *o)
{
    xfree(o->target_url);
    xfree(o->name);
    xfree(o->description);
    xfree(o->created_by);
    json_decref(o->scenario);
    json_decref(o->command_line);
    json_decref(o->tags);
    buf_clear(&o->text);
}

bool origin_hides_scenario(const struct run_origin *o)
{
    return o->text.len > ORIGIN_SHOWN_MAX;
}
