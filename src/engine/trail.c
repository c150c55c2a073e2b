/* SPDX-License-Identifier: MIT */
#include "engine/trail.h"

#include "base/mem.h"
#include "base/str.h"

#include <assert.h>
#include <stddef.h>

static uint64_t hash_of(const char *cursor)
{
    return str_hash(STR_HASH_BEGIN, str_c(cursor));
}

bool trail_has(const struct trail *t, const char *cursor)
{
    uint64_t hash = hash_of(cursor);

    for (uint32_t i = 0; t != NULL && i < t->count; i++) {
        if (t->hashes[i] == hash) {
            return true;
        }
    }
    return false;
}

void trail_add(struct trail **t, const char *cursor)
{
    if (*t == NULL) {
        *t = xcalloc(1, sizeof **t);
    }
    assert((*t)->count < LIST_PAGES_MAX);
    (*t)->hashes[(*t)->count++] = hash_of(cursor);
}
