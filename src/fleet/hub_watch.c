/* SPDX-License-Identifier: MIT */
/* Who watches the events of runs. Watches of a run that is played are with it; those of a run that
 * is made and not started wait in the hub. */
#include "fleet/hub_priv.h"

#include <stdio.h>

static void tell(struct list *watches)
{
    list_foreach_safe (node, watches) {
        struct hub_watch *w = list_entry(node, struct hub_watch, node);
        w->on_news(w);
    }
}

static bool take_terminal(void *owner, const struct store_run *row)
{
    *(bool *)owner = row->terminal;
    return false;
}

static bool is_waiting(struct hub *h, const char *run_id)
{
    bool terminal = true;

    return store_get_run(h->store, run_id, take_terminal, &terminal) == 0 && !terminal;
}

void hub_watch(struct hub *h, const char *run_id, struct hub_watch *w)
{
    struct hosted *r = hub_find(h, run_id);

    list_init(&w->node);
    snprintf(w->run_id, sizeof w->run_id, "%s", run_id);
    if (r != NULL) {
        list_append(&r->watches, &w->node);
    } else if (is_waiting(h, run_id)) {
        list_append(&h->waiting_watches, &w->node);
    }
}

void hub_unwatch(struct hub_watch *w)
{
    list_remove(&w->node);
}

bool hub_is_over(struct hub *h, const char *run_id)
{
    bool terminal = false;

    return hub_find(h, run_id) == NULL &&
           store_get_run(h->store, run_id, take_terminal, &terminal) == 0 && terminal;
}

void watches_tell(struct hosted *r)
{
    tell(&r->watches);
}

void watches_adopt(struct hosted *r)
{
    list_foreach_safe (node, &r->hub->waiting_watches) {
        struct hub_watch *w = list_entry(node, struct hub_watch, node);

        if (strcmp(w->run_id, r->run_id) == 0) {
            list_remove(node);
            list_append(&r->watches, node);
        }
    }
}

void watches_end(struct hosted *r)
{
    list_foreach_safe (node, &r->watches) {
        list_remove(node);
    }
}

void watches_drop(struct hub *h, const char *run_id)
{
    list_foreach_safe (node, &h->waiting_watches) {
        struct hub_watch *w = list_entry(node, struct hub_watch, node);

        if (strcmp(w->run_id, run_id) == 0) {
            list_remove(node);
            w->on_news(w);
        }
    }
}

static void on_durable(struct store_wait *wait)
{
    tell(&list_entry(wait, struct hub, waiting_news)->waiting_watches);
}

/* All of them: they are few, and who has nothing new reads once in vain. */
void watches_tell_waiting(struct hub *h)
{
    if (!list_empty(&h->waiting_watches)) {
        store_when_durable(h->store, &h->waiting_news);
    }
}

void watches_init(struct hub *h)
{
    list_init(&h->waiting_watches);
    store_wait_init(&h->waiting_news, on_durable);
}

void watches_clear(struct hub *h)
{
    store_wait_cancel(&h->waiting_news);
    list_foreach_safe (node, &h->waiting_watches) {
        list_remove(node);
    }
}
