/* SPDX-License-Identifier: MIT */
#include "cli/patch.h"

#include "scenario/reading/override.h"

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
        *out = patch_between(document, check.root);
    }
    json_decref(check.root);
    check_clear(&check);
    arena_clear(&arena);
    issue_list_clear(&issues);
    return rc;
}
