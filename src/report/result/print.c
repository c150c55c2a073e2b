/* SPDX-License-Identifier: MIT */
/* The text of a result: indented for people, but a line for each row of `operations`. Hundreds of
 * templates would else be mostly white space. */
#include "report/result/result.h"

#include <string.h>

enum { INDENT = 2 };

static int add_value(struct buf *out, const char *name, const json_t *value, size_t depth);

static int add_line_break(struct buf *out, size_t depth)
{
    int rc = buf_add_c(out, "\n");

    for (size_t i = 0; rc == 0 && i < depth * INDENT; i++) {
        rc = buf_add_c(out, " ");
    }
    return rc;
}

/* Between two members, and before the first. */
static int add_separator(struct buf *out, bool first, size_t depth)
{
    int rc = first ? 0 : buf_add_c(out, ",");

    return rc == 0 ? add_line_break(out, depth) : rc;
}

static int add_object(struct buf *out, const json_t *object, size_t depth)
{
    const char *name;
    json_t *value;
    bool first = true;
    int rc = buf_add_c(out, "{");

    /* NOLINTNEXTLINE(performance-no-int-to-ptr): the macro only reads */
    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        if (rc == 0) {
            rc = add_separator(out, first, depth + 1);
        }
        if (rc == 0) {
            rc = json_add_string(out, str_c(name));
        }
        if (rc == 0) {
            rc = buf_add_c(out, ": ");
        }
        if (rc == 0) {
            rc = add_value(out, name, value, depth + 1);
        }
        first = false;
    }
    if (rc == 0 && !first) {
        rc = add_line_break(out, depth);
    }
    return rc == 0 ? buf_add_c(out, "}") : rc;
}

static int add_array(struct buf *out, const char *name, const json_t *array, size_t depth)
{
    bool rows = strcmp(name, "operations") == 0;
    size_t count = json_array_size(array);
    int rc = buf_add_c(out, "[");

    for (size_t i = 0; rc == 0 && i < count; i++) {
        const json_t *value = json_array_get(array, i);

        rc = add_separator(out, i == 0, depth + 1);
        if (rc == 0) {
            rc = rows ? json_write(value, out) : add_value(out, "", value, depth + 1);
        }
    }
    if (rc == 0 && count > 0) {
        rc = add_line_break(out, depth);
    }
    return rc == 0 ? buf_add_c(out, "]") : rc;
}

static int add_value(struct buf *out, const char *name, const json_t *value, size_t depth)
{
    if (json_is_object(value)) {
        return add_object(out, value, depth);
    }
    return json_is_array(value) ? add_array(out, name, value, depth) : json_write(value, out);
}

int result_text_of(const json_t *document, struct buf *out)
{
    size_t before = out->len;
    int rc = add_value(out, "", document, 0);

    if (rc == 0) {
        rc = buf_add_c(out, "\n");
    }
    if (rc != 0) {
        out->len = before;
    }
    return rc == 0 ? 0 : ERR_LIMIT;
}
