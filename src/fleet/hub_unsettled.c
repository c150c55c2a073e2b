/* SPDX-License-Identifier: MIT */
/* Runs that are not played, and of which the store has something to write yet: what reads say of
 * them is already the past. */
#include "base/mem.h"
#include "fleet/hub_priv.h"

#include <stdio.h>
#include <string.h>

static struct unsettled *find(struct hub *h, const char *run_id)
{
    list_foreach (node, &h->unsettled) {
        struct unsettled *u = list_entry(node, struct unsettled, node);
        if (strcmp(u->run_id, run_id) == 0) {
            return u;
        }
    }
    return NULL;
}

static void drop(struct unsettled *u)
{
    store_wait_cancel(&u->wait);
    list_remove(&u->node);
    xfree(u);
}

static void on_durable(struct store_wait *wait)
{
    drop(list_entry(wait, struct unsettled, wait));
}

static struct unsettled *note(struct hub *h, const char *run_id)
{
    struct unsettled *u = find(h, run_id);

    if (u == NULL) {
        u = xcalloc(1, sizeof *u);
        snprintf(u->run_id, sizeof u->run_id, "%s", run_id);
        store_wait_init(&u->wait, on_durable);
        list_append(&h->unsettled, &u->node);
    }
    store_when_durable(h->store, &u->wait);
    return u;
}

void unsettled_events(struct hosted *r)
{
    note(r->hub, r->run_id)->event_count = r->event_count;
}

void unsettled_delete(struct hub *h, const char *run_id)
{
    note(h, run_id)->deleted = true;
}

uint64_t unsettled_event_count(struct hub *h, const char *run_id, uint64_t durable)
{
    const struct unsettled *u = find(h, run_id);

    return u != NULL && u->event_count > durable ? u->event_count : durable;
}

bool unsettled_is_deleted(struct hub *h, const char *run_id)
{
    const struct unsettled *u = find(h, run_id);

    return u != NULL && u->deleted;
}

void unsettled_clear(struct hub *h)
{
    list_foreach_safe (node, &h->unsettled) {
        drop(list_entry(node, struct unsettled, node));
    }
}
