/* SPDX-License-Identifier: MIT */
#include "scenario/reading/overlay.h"

#include "scenario/fields/fields.h"
#include "scenario/fields/fit.h"
#include "scenario/issues/origins.h"
#include "scenario/reading/spelling.h"

#include <stdio.h>

enum { MEMBERS_MAX = 4 };

/* By what an element of a list is known. */
struct identity {
    const char *list;                /* key of the list; each stands in one kind of place only */
    const char *name;                /* decides alone if the element has it; NULL: there is none */
    const char *others[MEMBERS_MAX]; /* else these together; the first one also is the name of an
                                      * element of the scenario that has none, if by_first */
    bool by_first;
    bool by_position; /* an element that has none of them */
};

static const struct identity identities[] = {
    {.list = "allowed_targets", .others = {"kind", "value"}},
    {.list = "checks", .name = "id"},
    {.list = "data", .name = "name"},
    {.list = "metrics", .name = "name"},
    {.list = "operation_mix", .others = {"operation", "tool_name", "prompt_name", "uri"}},
    {.list = "payload_profiles", .name = "profile_id"},
    {.list = "stages", .name = "stage_id", .others = {"stage"}},
    {.list = "stop_conditions", .name = "id", .others = {"metric"}, .by_first = true},
    {.list = "success_criteria", .name = "id", .others = {"metric"}, .by_first = true},
    {.list = "templates",
     .name = "template_id",
     .others = {"tool_name"},
     .by_first = true,
     .by_position = true},
};

struct merge {
    struct check *c;
    size_t index; /* of the overlay */
    size_t values_left;
};

/* A list of the scenario, and by what its elements are known. */
struct list {
    const struct field *field;
    const struct identity *identity;
    json_t *items;
    size_t count; /* of the elements that were there before the overlay's came */
};

enum match { MATCH_NONE, MATCH_ONE, MATCH_SEVERAL };

static void
merge_object(struct merge *m, const struct section *section, json_t *base, json_t *given);

/* The value at the current path is the overlay's. */
static void note_origin(struct merge *m)
{
    origins_note(m->c->origins, buf_c(&m->c->path), m->index);
}

/* ---- copies ------------------------------------------------------------------------------------
 */

/* Counts one value; false when there have been too many. */
static bool spend(struct merge *m)
{
    if (m->values_left > 0) {
        m->values_left--;
    }
    return m->values_left > 0;
}

/* An own copy of the containers, since one element may go to several places and each may be changed
 * later. Scalars are shared: nobody changes those. As deep as a text may be. */
static json_t *copy(struct merge *m, json_t *value)
{
    const char *key;
    json_t *item, *out;
    size_t i;

    if (!spend(m)) {
        return json_incref(value);
    }
    if (json_is_object(value)) {
        out = json_object();
        json_object_foreach(value, key, item)
        {
            json_object_set_new(out, key, copy(m, item));
        }
        return out;
    }
    if (json_is_array(value)) {
        out = json_array();
        json_array_foreach(value, i, item)
        {
            json_array_append_new(out, copy(m, item));
        }
        return out;
    }
    return json_incref(value);
}

/* ---- identity ----------------------------------------------------------------------------------
 */

static const struct identity *identity_of(const char *list)
{
    for (size_t i = 0; i < sizeof identities / sizeof identities[0]; i++) {
        if (strcmp(identities[i].list, list) == 0) {
            return &identities[i];
        }
    }
    return NULL;
}

/* A member that is given; null is not. */
static const json_t *given_member(const json_t *element, const char *key)
{
    const json_t *value = key != NULL ? json_object_get(element, key) : NULL;

    return json_is_null(value) ? NULL : value;
}

static bool same_text(const struct field *f, const json_t *a, const json_t *b)
{
    if (!json_is_string(a) || !json_is_string(b)) {
        return false;
    }
    if (f != NULL && f->choices != NULL) {
        const struct choice *left = choice_find(f->choices, json_string_value(a));
        const struct choice *right = choice_find(f->choices, json_string_value(b));
        if (left != NULL && right != NULL) {
            return left->value == right->value;
        }
    }
    return json_string_length(a) == json_string_length(b) &&
           memcmp(json_string_value(a), json_string_value(b), json_string_length(a)) == 0;
}

/* Not given on both sides is the same, too; a default counts as given. */
static bool
same_member(const struct section *section, const char *key, const json_t *a, const json_t *b)
{
    const struct field *f = field_find(section, key);
    const json_t *left = given_member(a, key), *right = given_member(b, key);
    json_t *def = f != NULL && f->def != NULL ? field_json(f->def) : NULL;

    left = left != NULL ? left : def;
    right = right != NULL ? right : def;
    bool same = left == NULL || right == NULL ? left == right : same_text(f, left, right);
    json_decref(def);
    return same;
}

static bool has_name(const struct identity *id, const json_t *element)
{
    return given_member(element, id->name) != NULL;
}

static bool has_others(const struct identity *id, const json_t *element)
{
    for (size_t i = 0; i < MEMBERS_MAX; i++) {
        if (given_member(element, id->others[i]) != NULL) {
            return true;
        }
    }
    return false;
}

static bool same_others(const struct list *l, const json_t *a, const json_t *b)
{
    for (size_t i = 0; i < MEMBERS_MAX && l->identity->others[i] != NULL; i++) {
        if (!same_member(l->field->section, l->identity->others[i], a, b)) {
            return false;
        }
    }
    return true;
}

static enum match find_name(const struct list *l, const json_t *name, size_t *out)
{
    for (size_t i = 0; i < l->count; i++) {
        const json_t *own = given_member(json_array_get(l->items, i), l->identity->name);

        if (same_text(NULL, own, name)) {
            *out = i;
            return MATCH_ONE;
        }
    }
    /* Without one of its own, its first other member is what it is called
     * (scenario/rules/defaults.c). */
    for (size_t i = 0; l->identity->by_first && i < l->count; i++) {
        const json_t *element = json_array_get(l->items, i);

        if (!has_name(l->identity, element) &&
            same_text(NULL, given_member(element, l->identity->others[0]), name)) {
            *out = i;
            return MATCH_ONE;
        }
    }
    return MATCH_NONE;
}

static enum match find_others(const struct list *l, const json_t *given, size_t *out)
{
    enum match match = MATCH_NONE;

    for (size_t i = 0; i < l->count; i++) {
        const json_t *element = json_array_get(l->items, i);

        if (json_is_object(element) && same_others(l, element, given)) {
            match = match == MATCH_NONE ? MATCH_ONE : MATCH_SEVERAL;
            *out = i;
        }
    }
    return match;
}

/* Which element of the list is meant? `position` is that of the one that asks. */
static enum match find(const struct list *l, const json_t *given, size_t position, size_t *out)
{
    const struct identity *id = l->identity;

    if ((double)l->count > l->field->max) {
        /* The reader refuses the list as it is, and nobody waits for it to be compared. */
        return MATCH_NONE;
    }
    if (has_name(id, given)) {
        return find_name(l, given_member(given, id->name), out);
    }
    if (has_others(id, given)) {
        return find_others(l, given, out);
    }
    *out = position;
    return id->by_position && position < l->count &&
                   json_is_object(json_array_get(l->items, position))
               ? MATCH_ONE
               : MATCH_NONE;
}

/* ---- lists -------------------------------------------------------------------------------------
 */

static void refuse_several(struct merge *m, const struct list *l, const json_t *given)
{
    const char *key = l->identity->others[0];
    const char *value = json_string_value(given_member(given, key));
    const char *advice = "Change the one that is meant with --set.";

    if (l->identity->name != NULL) {
        advice = check_text(m->c, "Name the one that is meant by its %s, or use --set.",
                            l->identity->name);
    }
    check_error(m->c, "INVALID_OVERLAY", advice, "several elements have the %s \"%.200s\"", key,
                value != NULL ? value : "");
}

static void merge_element(struct merge *m, const struct list *l, json_t *given, size_t position)
{
    struct check *c = m->c;
    size_t at = 0, mark = c->path.len;

    switch (find(l, given, position, &at)) {
    case MATCH_ONE:
        check_enter_index(c, at);
        merge_object(m, l->field->section, json_array_get(l->items, at), given);
        break;
    case MATCH_NONE:
        origins_note_longer(m->c->origins, buf_c(&m->c->path), m->index);
        check_enter_index(c, json_array_size(l->items));
        json_array_append_new(l->items, copy(m, given));
        note_origin(m);
        break;
    case MATCH_SEVERAL:
        refuse_several(m, l, given);
        break;
    }
    check_leave(c, mark);
}

static bool are_objects(const json_t *list)
{
    size_t i;
    const json_t *item;

    json_array_foreach(list, i, item)
    {
        if (!json_is_object(item)) {
            return false;
        }
    }
    return json_is_array(list);
}

/* Is this member a list whose elements are merged? One that is too long by itself replaces what is
 * there, so that the reader refuses it. */
static bool is_merged(const struct field *f, const json_t *base, const json_t *given)
{
    return f != NULL && f->type == FIELD_ARRAY && identity_of(f->key) != NULL &&
           json_is_array(base) && json_array_size(given) > 0 &&
           (double)json_array_size(given) <= f->max && are_objects(given);
}

static struct list list_of(const struct field *f, json_t *items)
{
    return (struct list){f, identity_of(f->key), items, json_array_size(items)};
}

/* ---- stages without a name ---------------------------------------------------------------------
 */

static bool is_preflight(const json_t *stage)
{
    const json_t *kind = json_object_get(stage, "stage");

    return json_is_string(kind) && strcmp(json_string_value(kind), "preflight") == 0;
}

/* Has the stage an element of this identity in a list of this kind? */
static bool has_like(const struct field *f, const json_t *stage, const json_t *element)
{
    json_t *items = json_object_get(stage, f->key);
    size_t at;

    if (!json_is_array(items)) {
        return false;
    }
    const struct list l = list_of(f, items);
    return find(&l, element, SIZE_MAX, &at) != MATCH_NONE;
}

/* Merges `part` into each stage that has an element like this one; without an element, into each
 * that is no preflight. How many there were. */
static size_t spread(
    struct merge *m, const struct list *stages, json_t *part, const struct field *f, json_t *like)
{
    size_t done = 0;

    for (size_t i = 0; i < stages->count; i++) {
        json_t *stage = json_array_get(stages->items, i);

        if (!json_is_object(stage) ||
            !(like != NULL ? has_like(f, stage, like) : !is_preflight(stage))) {
            continue;
        }
        size_t mark = check_enter_index(m->c, i);
        merge_object(m, stages->field->section, stage, part);
        check_leave(m->c, mark);
        done++;
    }
    return done;
}

static void refuse_homeless(struct merge *m, size_t done, const char *key)
{
    if (done == 0) {
        check_error(m->c, "INVALID_OVERLAY", "Name the stage by its stage_id or stage.",
                    "there is no stage to which \"%.200s\" could go: all are preflights", key);
    }
}

static void
spread_elements(struct merge *m, const struct list *stages, const struct field *f, json_t *given)
{
    size_t i;
    json_t *element;

    json_array_foreach(given, i, element)
    {
        json_t *part = json_object(), *list = json_array();

        json_array_append(list, element);
        json_object_set_new(part, f->key, list);
        size_t done = spread(m, stages, part, f, element);
        if (done == 0) {
            done = spread(m, stages, part, NULL, NULL);
        }
        refuse_homeless(m, done, f->key);
        json_decref(part);
    }
}

static void merge_unnamed_stage(struct merge *m, const struct list *stages, json_t *given)
{
    const char *key;
    json_t *value;

    json_object_foreach(given, key, value)
    {
        const struct field *f = field_find(stages->field->section, key);
        /* An empty list is as good as one in each stage: both decide whether it is merged. */
        if (f != NULL && is_merged(f, value, value)) {
            spread_elements(m, stages, f, value);
            continue;
        }
        json_t *part = json_object();
        json_object_set(part, key, value);
        refuse_homeless(m, spread(m, stages, part, NULL, NULL), key);
        json_decref(part);
    }
}

/* ---- the document ------------------------------------------------------------------------------
 */

static void merge_list(struct merge *m, const struct field *f, json_t *items, json_t *given)
{
    const struct list l = list_of(f, items);
    bool stages = strcmp(f->key, "stages") == 0;
    size_t i;
    json_t *element;

    json_array_foreach(given, i, element)
    {
        if (stages && !has_name(l.identity, element) && !has_others(l.identity, element)) {
            merge_unnamed_stage(m, &l, element);
        } else {
            merge_element(m, &l, element, i);
        }
    }
}

/* `section` is NULL within values of free form. As deep as a text may be. */
static void
merge_object(struct merge *m, const struct section *section, json_t *base, json_t *given)
{
    const char *key;
    json_t *value;

    json_object_foreach(given, key, value)
    {
        const struct field *f = section != NULL ? field_find(section, key) : NULL;
        json_t *there = json_object_get(base, key);
        size_t mark = m->c->path.len;

        if (!spend(m)) {
            return;
        }
        check_enter(m->c, key);
        if (json_is_object(there) && json_is_object(value)) {
            const struct section *inner = f != NULL && f->type == FIELD_OBJECT ? f->section : NULL;
            merge_object(m, inner, there, value);
        } else if (is_merged(f, there, value)) {
            merge_list(m, f, there, value);
        } else if (json_is_null(value) && section != NULL && f == NULL) {
            /* RFC 7396: null removes. Of a known member it means that it is not given. */
            json_object_del(base, key);
        } else {
            json_object_set_new(base, key, copy(m, value));
            note_origin(m);
        }
        check_leave(m->c, mark);
    }
}

static void refuse_shape(struct check *c)
{
    const struct issue head = {
        .level = ISSUE_ERROR,
        .code = "SCHEMA_VIOLATION",
        .remediation = "Write one JSON object with what is to be different.",
        .file = c->overlay,
        .line = 1,
        .col = 1,
    };

    issue_add(c->issues, &head, "what is merged into a scenario is a JSON object");
}

static bool apply_one(struct merge *m, struct str text)
{
    struct err syntax = {0};
    json_t *given = NULL;

    if (json_parse(text, JSON_TEXT_MAX, &given, &syntax) != 0) {
        issue_add_syntax(m->c->issues, &syntax, m->c->overlay);
        return false;
    }
    if (!json_is_object(given)) {
        refuse_shape(m->c);
        json_decref(given);
        return false;
    }
    spelling_apply_overlay(m->c, given);
    merge_object(m, &scenario_section, m->c->root, given);
    json_decref(given);
    if (m->values_left == 0) {
        check_error(m->c, "INVALID_OVERLAY", "Write a scenario of its own.",
                    "there are more than %d values to merge", OVERLAY_VALUES_MAX);
    }
    return m->values_left > 0;
}

bool overlay_apply(struct check *c)
{
    struct merge m = {.c = c, .values_left = OVERLAY_VALUES_MAX};
    bool ok = true;

    c->origins = c->options->overlay_count > 0 ? json_object() : NULL;
    for (; ok && m.index < c->options->overlay_count; m.index++) {
        c->overlay = c->options->overlays[m.index].name;
        ok = apply_one(&m, c->options->overlays[m.index].text);
    }
    c->overlay = NULL;
    return ok;
}
