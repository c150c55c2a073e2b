/* SPDX-License-Identifier: MIT */
#include "cli/patch.h"

#include "scenario/config/redaction.h"
#include "scenario/reading/override.h"

#include <string.h>

json_t *patch_between(const json_t *from, const json_t *to)
{
    json_t *patch, *value;
    const char *key;

    if (!json_is_object(from) || !json_is_object(to)) {
        return json_deep_copy(to);
    }
    patch = json_object();
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): it is only read */
    json_object_foreach((json_t *)(uintptr_t)from, key, value)
    {
        if (json_object_get(to, key) == NULL) {
            json_object_set_new(patch, key, json_null());
        }
    }
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): it is only read */
    json_object_foreach((json_t *)(uintptr_t)to, key, value)
    {
        const json_t *before = json_object_get(from, key);

        if (!json_equal(before, value)) {
            json_object_set_new(patch, key, patch_between(before, value));
        }
    }
    return patch;
}

/* Does a text in it have the word that stands for secrets? */
static bool has_mask(const json_t *value)
{
    const char *key;
    json_t *member;

    for (size_t i = 0; i < json_array_size(value); i++) {
        if (has_mask(json_array_get(value, i))) {
            return true;
        }
    }
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): it is only read */
    json_object_foreach((json_t *)(uintptr_t)value, key, member)
    {
        if (has_mask(member)) {
            return true;
        }
    }
    return json_is_string(value) && strstr(json_string_value(value), REDACTED) != NULL;
}

static int take_patch(json_t *patch, json_t **out, struct err *err)
{
    if (has_mask(patch)) {
        json_decref(patch);
        return err_set(err, ERR_USAGE,
                       "--set changes a list in which the control plane hides a secret (" REDACTED
                       "), and would send that instead; create a run from the file");
    }
    *out = patch;
    return 0;
}

int patch_of_sets(
    const json_t *document, const char *const *sets, size_t count, json_t **out, struct err *err)
{
    struct scenario_options options = {.sets = sets, .set_count = count};
    struct issue_list issues = {0};
    struct arena arena = {0};
    struct check check;
    int rc = 0;

    check_init(&check, &options, &issues, &arena);
    check.root = json_deep_copy(document);
    override_apply(&check);
    if (issues.error_count > 0) {
        rc = err_set(err, ERR_USAGE, "%s", issues.items[0].message);
    } else {
        rc = take_patch(patch_between(document, check.root), out, err);
    }
    json_decref(check.root);
    check_clear(&check);
    arena_clear(&arena);
    issue_list_clear(&issues);
    return rc;
}
