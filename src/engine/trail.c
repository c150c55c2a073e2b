/* SPDX-License-Identifier: MIT */
#include "engine/trail.h"

#include "base/mem.h"

#include <assert.h>
#include <stddef.h>

/* FNV-1a */
static uint64_t hash_of(const char *s)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (; *s != '\0'; s++) {
        hash = (hash ^ (unsigned char)*s) * UINT64_C(0x100000001b3);
    }
    return hash;
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
