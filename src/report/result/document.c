/* SPDX-License-Identifier: MIT */
#include "report/result/document.h"

#include "base/clock.h"
#include "report/result/result.h"

#include <assert.h>
#include <math.h>
#include <string.h>

enum { NAME_MAX_BYTES = 64 };

const json_t *document_at(const json_t *from, const char *path)
{
    char name[NAME_MAX_BYTES];

    while (from != NULL && *path != '\0') {
        size_t len = strcspn(path, ".");
        assert(len < sizeof name); /* paths are ours */
        memcpy(name, path, len);
        name[len] = '\0';
        from = json_object_get(from, name);
        path += len + (path[len] == '.');
    }
    return json_is_null(from) ? NULL : from;
}

struct str document_text(const json_t *from, const char *path)
{
    const json_t *value = document_at(from, path);

    return json_is_string(value) ? (struct str){json_string_value(value), json_string_length(value)}
                                 : STR("");
}

uint64_t document_count(const json_t *from, const char *path)
{
    json_int_t value = json_integer_value(document_at(from, path));

    return value > 0 ? (uint64_t)value : 0;
}

bool document_number(const json_t *from, const char *path, double *out)
{
    const json_t *value = document_at(from, path);

    if (!json_is_number(value)) {
        return false;
    }
    *out = json_number_value(value);
    return true;
}

bool document_ms(const json_t *from, const char *path, uint64_t *out_ns)
{
    double ms;

    /* A century is beyond any run, and its nanoseconds fit. */
    if (!document_number(from, path, &ms) || ms < 0 || ms > 100 * 366.0 * 86400e3) {
        return false;
    }
    *out_ns = (uint64_t)llround(ms * (double)NS_PER_MS);
    return true;
}

bool document_true(const json_t *from, const char *path)
{
    return json_is_true(document_at(from, path));
}

bool document_lists(const json_t *array, const char *text)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        const char *one = json_string_value(json_array_get(array, i));
        if (one != NULL && strcmp(one, text) == 0) {
            return true;
        }
    }
    return false;
}

int document_check(const json_t *document, struct err *err)
{
    struct str version = document_text(document, "schema_version");

    if (str_eq(version, STR(RESULT_SCHEMA_VERSION))) {
        return 0;
    }
    if (version.len == 0) {
        return err_set(err, ERR_INVALID, "not a result: no schema_version " RESULT_SCHEMA_VERSION);
    }
    return err_set(err, ERR_INVALID, "schema_version is not " RESULT_SCHEMA_VERSION);
}
