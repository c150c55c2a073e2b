/* SPDX-License-Identifier: MIT */
#include "api/position.h"

#include "api/query.h"
#include "api/routes.h"

bool position_is_event_id(struct str id)
{
    return route_is_name(id, STR("evt_"), 8, 64);
}

static size_t type_count(void)
{
    size_t n = 0;

    while (api_event_types[n] != NULL) {
        n++;
    }
    return n;
}

/* Its bit; 0 when no event has this name. */
static uint64_t bit_of(struct str name)
{
    for (size_t i = 0; api_event_types[i] != NULL && i < POSITION_TYPES_MAX; i++) {
        if (str_eq(name, str_c(api_event_types[i]))) {
            return UINT64_C(1) << i;
        }
    }
    return 0;
}

static void warn_type(struct str name, json_t **warnings)
{
    const char *near = str_nearest(name, api_event_types, type_count());

    if (*warnings == NULL) {
        *warnings = json_array();
    }
    if (json_array_size(*warnings) < QUERY_WARNINGS_MAX) {
        json_array_append_new(
            *warnings,
            near != NULL ? json_sprintf("types: no event is called \"%.*s\"; did you mean \"%s\"?",
                                        STR_ARG(name), near)
                         : json_sprintf("types: no event is called \"%.*s\"", STR_ARG(name)));
    }
}

struct position_types position_types(const char *text, json_t **warnings)
{
    struct position_types types = {.all = text == NULL || text[0] == '\0'};
    struct str rest = str_c(text);

    while (!types.all && rest.len > 0) {
        const char *comma = memchr(rest.p, ',', rest.len);
        size_t len = comma != NULL ? (size_t)(comma - rest.p) : rest.len;
        struct str name = str_trim((struct str){rest.p, len});
        uint64_t bit = bit_of(name);

        if (bit == 0 && name.len > 0) {
            warn_type(name, warnings);
        }
        types.bits |= bit;
        len += comma != NULL;
        rest = (struct str){rest.p + len, rest.len - len};
    }
    return types;
}

/* Which the table does not know belongs to all only. */
bool position_wants(const struct position_types *types, const char *type)
{
    return types->all || (types->bits & bit_of(str_c(type))) != 0;
}
