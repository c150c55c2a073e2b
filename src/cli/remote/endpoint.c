/* SPDX-License-Identifier: MIT */
#include "cli/remote/endpoint.h"

#include "base/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FILE_BELOW "/mcpdrill/config.json"

static bool is_given(const char *text)
{
    return text != NULL && text[0] != '\0';
}

const char *endpoint_config_path(const char *xdg, const char *home, char out[ENDPOINT_PATH_MAX])
{
    bool from_xdg = is_given(xdg) && xdg[0] == '/';
    const char *base = from_xdg ? xdg : home;

    if (!is_given(base) || base[0] != '/') {
        return NULL;
    }
    int len = snprintf(out, ENDPOINT_PATH_MAX, "%s%s" FILE_BELOW, base, from_xdg ? "" : "/.config");
    return len < ENDPOINT_PATH_MAX ? out : NULL;
}

/* ---- the file ---------------------------------------------------------------------------------
 */

static int check_members(const char *path, const json_t *file, struct err *err)
{
    static const char *const names[] = {"endpoint", "actor"};
    const char *key;
    json_t *value;

    /* NOLINTNEXTLINE(performance-no-int-to-ptr): it is only read */
    json_object_foreach((json_t *)(uintptr_t)file, key, value)
    {
        if (strncmp(key, "x-", 2) == 0) {
            continue;
        }
        if (strcmp(key, names[0]) != 0 && strcmp(key, names[1]) != 0) {
            const char *near = str_nearest(str_c(key), names, sizeof names / sizeof names[0]);

            return err_set(err, ERR_USAGE, "%s: unknown member \"%.40s\"%s%s%s", path, key,
                           near != NULL ? "; did you mean \"" : "; known are endpoint and actor",
                           near != NULL ? near : "", near != NULL ? "\"?" : "");
        }
        if (!json_is_string(value) ||
            json_string_length(value) != strlen(json_string_value(value))) {
            return err_set(err, ERR_USAGE, "%s: \"%s\" is a text", path, key);
        }
    }
    return 0;
}

/* *out stays NULL when there is no file. */
static int read_file(const char *path, json_t **out, struct err *err)
{
    struct err why = {0};
    json_t *file = NULL;

    if (path == NULL || (access(path, F_OK) != 0 && errno == ENOENT)) {
        return 0;
    }
    int rc = json_parse_file(path, ENDPOINT_FILE_MAX, &file, &why);
    if (rc != 0) {
        bool named = strstr(why.msg, path) != NULL;
        return why.line > 0
                   ? err_set(err, rc, "%s:%u:%u: %s", path, why.line, why.col, why.msg)
                   : err_set(err, rc, "%s%s%s", named ? "" : path, named ? "" : ": ", why.msg);
    }
    rc = json_is_object(file) ? check_members(path, file, err)
                              : err_set(err, ERR_USAGE, "%s: an object is expected", path);
    if (rc != 0) {
        json_decref(file);
        return rc;
    }
    *out = file;
    return 0;
}

/* ---- choosing ---------------------------------------------------------------------------------
 */

struct choice {
    const char *text, *from;
};

static struct choice
choose(const char *option, const char *label, const char *path, const json_t *in_file)
{
    return is_given(option) ? (struct choice){option, label}
                            : (struct choice){json_string_value(in_file), path};
}

/* The name is shown and stored: one line of text. */
static bool is_line(const char *text)
{
    for (const char *p = text; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            return false;
        }
    }
    json_t *value = json_string(text);
    bool valid = value != NULL;
    json_decref(value);
    return valid;
}

static int
take(const struct choice *url, const struct choice *actor, struct endpoint *out, struct err *err)
{
    if (is_given(actor->text) &&
        (strlen(actor->text) > ENDPOINT_ACTOR_MAX || !is_line(actor->text))) {
        return err_set(err, ERR_USAGE, "%s: a name of at most %d bytes is expected, in one line",
                       actor->from, ENDPOINT_ACTOR_MAX);
    }
    if (is_given(url->text) && strlen(url->text) > ENDPOINT_URL_MAX) {
        return err_set(err, ERR_USAGE, "%s: a URL of at most %d bytes is expected", url->from,
                       ENDPOINT_URL_MAX);
    }
    snprintf(out->url, sizeof out->url, "%s", is_given(url->text) ? url->text : ENDPOINT_URL);
    snprintf(out->actor, sizeof out->actor, "%s",
             is_given(actor->text) ? actor->text : ENDPOINT_ACTOR);
    return 0;
}

int endpoint_choose(const struct endpoint_sources *from, struct endpoint *out, struct err *err)
{
    json_t *file = NULL;
    int rc = read_file(from->config_path, &file, err);

    if (rc != 0) {
        return rc;
    }
    struct choice url =
        choose(from->url, from->url_label, from->config_path, json_object_get(file, "endpoint"));
    struct choice actor =
        choose(from->actor, from->actor_label, from->config_path, json_object_get(file, "actor"));
    rc = take(&url, &actor, out, err);
    json_decref(file);
    return rc;
}
