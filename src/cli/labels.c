/* SPDX-License-Identifier: MIT */
#include "cli/labels.h"

#include <stdio.h>
#include <string.h>

/* Texts that are to be shown in one line: UTF-8 without control characters. */
static bool is_line(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.p[i] < 0x20 || text.p[i] == 0x7f) {
            return false;
        }
    }
    json_t *value = json_stringn(text.p, text.len);
    bool valid = value != NULL;
    json_decref(value);
    return valid;
}

static int add_tag(json_t *tags, const char *text, struct err *err)
{
    const char *equals = strchr(text, '=');
    char key[LABELS_KEY_MAX + 1];

    if (equals == NULL || equals == text) {
        return err_set(err, ERR_USAGE, "--tag %.60s: KEY=VALUE is expected", text);
    }
    struct str name = {text, (size_t)(equals - text)}, value = str_c(equals + 1);
    if (name.len > LABELS_KEY_MAX || value.len > LABELS_TEXT_MAX) {
        return err_set(err, ERR_USAGE,
                       "--tag %.60s…: at most %d bytes in front of the = and %d behind it", text,
                       LABELS_KEY_MAX, LABELS_TEXT_MAX);
    }
    if (!is_line(name) || !is_line(value)) {
        return err_set(err, ERR_USAGE, "--tag: a text is expected, in one line");
    }
    snprintf(key, sizeof key, "%.*s", STR_ARG(name));
    if (json_object_get(tags, key) != NULL) {
        return err_set(err, ERR_USAGE, "--tag %.60s is given twice", key);
    }
    json_object_set_new(tags, key, json_stringn(value.p, value.len));
    return 0;
}

static int check_name(const char *name, struct err *err)
{
    size_t len = strlen(name);

    return len > 0 && len <= LABELS_TEXT_MAX && is_line(str_c(name))
               ? 0
               : err_set(err, ERR_USAGE, "--name: a text of 1 to %d bytes is expected, in one line",
                         LABELS_TEXT_MAX);
}

int labels_read(const struct opt_args *args, const char **name, json_t **tags, struct err *err)
{
    const char *texts[OPT_GIVEN_MAX];
    size_t count = opt_values(args, "tag", texts);
    json_t *object = json_object();
    int rc = 0;

    *name = opt_value(args, "name");
    if (*name != NULL) {
        rc = check_name(*name, err);
    }
    if (rc == 0 && count > LABELS_TAGS_MAX) {
        rc = err_set(err, ERR_USAGE, "--tag is given %zu times, at most %d are possible", count,
                     LABELS_TAGS_MAX);
    }
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = add_tag(object, texts[i], err);
    }
    if (rc != 0) {
        json_decref(object);
        return rc;
    }
    *tags = object;
    return 0;
}
