/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "engine/sessions_priv.h"

#include <assert.h>

enum { HEAP_FIRST = 16 };

static bool less_busy(const struct vu_session *a, const struct vu_session *b)
{
    if (a->in_flight != b->in_flight) {
        return a->in_flight < b->in_flight;
    }
    if (a->mcp.ops_served != b->mcp.ops_served) {
        return a->mcp.ops_served < b->mcp.ops_served;
    }
    return a->serial < b->serial; /* the same choice in each run */
}

static void put(struct session_store *store, uint32_t pos, struct vu_session *s)
{
    store->heap[pos - 1] = s;
    s->heap_pos = pos;
}

static void sift_up(struct session_store *store, struct vu_session *s)
{
    uint32_t pos = s->heap_pos;

    while (pos > 1 && less_busy(s, store->heap[pos / 2 - 1])) {
        put(store, pos, store->heap[pos / 2 - 1]);
        pos /= 2;
    }
    put(store, pos, s);
}

static void sift_down(struct session_store *store, struct vu_session *s)
{
    uint32_t pos = s->heap_pos;

    while (2 * pos <= store->heap_len) {
        uint32_t child = 2 * pos;

        if (child < store->heap_len && less_busy(store->heap[child], store->heap[child - 1])) {
            child++;
        }
        if (!less_busy(store->heap[child - 1], s)) {
            break;
        }
        put(store, pos, store->heap[child - 1]);
        pos = child;
    }
    put(store, pos, s);
}

struct vu_session *pool_top(const struct session_store *store)
{
    return store->heap_len > 0 ? store->heap[0] : NULL;
}

void pool_add(struct session_store *store, struct vu_session *s)
{
    assert(s->heap_pos == 0);
    if (store->heap_len == store->heap_cap) {
        store->heap_cap = store->heap_cap > 0 ? 2 * store->heap_cap : HEAP_FIRST;
        store->heap = xrealloc(store->heap, store->heap_cap * sizeof(struct vu_session *));
    }
    store->heap_load += s->in_flight;
    put(store, ++store->heap_len, s);
    sift_up(store, s);
}

void pool_remove(struct session_store *store, struct vu_session *s)
{
    uint32_t pos = s->heap_pos;

    if (pos == 0) {
        return;
    }
    struct vu_session *last = store->heap[--store->heap_len];
    s->heap_pos = 0;
    store->heap_load -= s->in_flight;
    if (last != s) {
        put(store, pos, last);
        sift_up(store, last);
        sift_down(store, last);
    }
}

void pool_changed(struct session_store *store, struct vu_session *s, int change)
{
    if (s->heap_pos == 0) {
        return;
    }
    if (change > 0) {
        store->heap_load++;
        sift_down(store, s);
    } else {
        store->heap_load--;
        sift_up(store, s); /* it may also have served one more … */
        sift_down(store, s);
    }
}
