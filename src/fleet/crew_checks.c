/* SPDX-License-Identifier: MIT */
/* The checks of several workers as the checks of the run. */
#include "fleet/crew_priv.h"

#include <stdio.h>
#include <string.h>

static void add_request(struct check_list *to, const struct check_request *r)
{
    for (uint32_t i = 0; i < to->request_count; i++) {
        if (strcmp(to->requests[i].method, r->method) == 0) {
            to->requests[i].count += r->count;
            return;
        }
    }
    if (to->request_count < CHECK_REQUESTS_MAX) {
        to->requests[to->request_count++] = *r;
    }
}

static const struct check *failed_one(const struct check_list *l)
{
    for (uint32_t i = 0; i < l->count; i++) {
        if (!l->items[i].ok) {
            return &l->items[i];
        }
    }
    return NULL;
}

/* It takes the place of the same check, or the last one: the first that fails ends the list. */
static void add_failure(struct check_list *to, const struct check *failed, const char *worker_id)
{
    uint32_t at = 0;

    while (at < to->count && strcmp(to->items[at].name, failed->name) != 0) {
        at++;
    }
    at = at == CHECKS_MAX ? CHECKS_MAX - 1 : at;
    to->items[at] = *failed;
    snprintf(to->items[at].message, sizeof to->items[at].message, "on worker %s: %.400s", worker_id,
             failed->message);
    to->count = at + 1;
}

void crew_merge_checks(const struct crew *c, struct check_list *out)
{
    bool first = true;

    for (uint32_t i = 0; i < c->count; i++) {
        const struct check_list *l = c->members[i].checks;

        if (l == NULL) {
            continue;
        }
        if (first) {
            *out = *l;
            first = false;
            continue;
        }
        for (uint32_t k = 0; k < l->request_count; k++) {
            add_request(out, &l->requests[k]);
        }
        const struct check *failed = failed_one(l);
        if (failed != NULL && failed_one(out) == NULL) {
            add_failure(out, failed, c->members[i].worker_id);
        }
    }
}
