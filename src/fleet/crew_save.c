/* SPDX-License-Identifier: MIT */
/* What a restart of the control plane needs of a crew, beside the windows. */
#include "base/mem.h"
#include "control/save.h"
#include "fleet/crew_priv.h"

#include <stdio.h>
#include <string.h>

/* ---- saved ----------------------------------------------------------------------------------- */

/* An assignment is made anew from the plan. */
static json_t *order_json(const struct wire_order *order)
{
    return order->kind == WIRE_ORDER_ASSIGN
               ? json_pack("{sssI}", "order", wire_order_name(order->kind), "n",
                           (json_int_t)order->n)
               : wire_order_to_json(order);
}

static json_t *checks_json(const struct check_list *checks)
{
    struct buf text;
    json_t *out = NULL;

    buf_init(&text, WIRE_ORDER_BYTES_MAX);
    if (checks == NULL || wire_checks_encode(checks, &text) != 0 ||
        json_parse(buf_str(&text), text.max, &out, NULL) != 0) {
        out = json_null();
    }
    buf_clear(&text);
    return out;
}

static json_t *member_json(const struct member *m)
{
    json_t *orders = json_array(), *drained = json_array();

    list_foreach (node, &m->orders) {
        json_array_append_new(orders, order_json(&list_entry(node, struct given, node)->order));
    }
    for (uint32_t i = 0; i < m->sources; i++) {
        if (m->source_drained[i]) {
            json_array_append_new(drained, json_integer((json_int_t)m->base + i));
        }
    }
    return json_pack("{sssIsososo}", "worker_id", m->worker_id, "state", (json_int_t)m->state,
                     "drained", drained, "checks", checks_json(m->checks), "orders", orders);
}

bool crew_has_changed(const struct crew *c)
{
    return c->changed;
}

json_t *crew_save(struct crew *c)
{
    json_t *members = json_array();

    c->changed = false;

    for (uint32_t i = 0; i < c->count; i++) {
        json_array_append_new(members, member_json(&c->members[i]));
    }
    return json_pack("{sbsbso}", "check_wanted", (int)c->check_wanted, "checked", (int)c->checked,
                     "members", members);
}

/* Orders that end load go out before they are saved, so that their numbers may be taken although
 * nobody here remembers: a worker would drop another order of such a number as one that it has. */
enum { ORDERS_FORGOTTEN_MAX = 1000 };

/* ---- restored -------------------------------------------------------------------------------- */

static int restore_order(const struct crew *c, struct member *m, json_t *saved, struct err *err)
{
    struct given *given = xcalloc(1, sizeof *given);
    const char *kind = json_string_value(json_object_get(saved, "order"));
    int rc = 0;

    if (kind != NULL && strcmp(kind, wire_order_name(WIRE_ORDER_ASSIGN)) == 0) {
        given->order.kind = WIRE_ORDER_ASSIGN;
        snprintf(given->order.run_id, sizeof given->order.run_id, "%s", c->config.identity->run_id);
        given->order.n = (uint64_t)json_integer_value(json_object_get(saved, "n"));
    } else {
        rc = wire_order_from_json(saved, &given->order, err);
    }
    if (rc != 0) {
        xfree(given);
        return rc;
    }
    m->ordered = given->order.n;
    list_append(&m->orders, &given->node);
    return 0;
}

static int restore_checks(struct member *m, const json_t *saved, struct err *err)
{
    struct buf text;

    if (!json_is_object(saved)) {
        return 0;
    }
    buf_init(&text, WIRE_ORDER_BYTES_MAX);
    m->checks = xcalloc(1, sizeof *m->checks);
    int rc = json_write(saved, &text);
    rc = rc != 0 ? err_set(err, rc, "the saved checks are too long")
                 : wire_checks_decode(buf_str(&text), m->checks, err);
    buf_clear(&text);
    return rc;
}

static int
restore_member(const struct crew *c, struct member *m, const json_t *saved, struct err *err)
{
    json_int_t state = json_integer_value(json_object_get(saved, "state"));
    json_t *item;
    size_t i;
    int rc = restore_checks(m, json_object_get(saved, "checks"), err);

    if (rc == 0 && (state < MEMBER_ASSIGNED || state > MEMBER_LOST)) {
        rc = err_set(err, ERR_INVALID, "a saved worker is in no state that there is");
    }
    json_array_foreach(json_object_get(saved, "orders"), i, item)
    {
        rc = rc != 0 ? rc : restore_order(c, m, item, err);
    }
    json_array_foreach(json_object_get(saved, "drained"), i, item)
    {
        uint64_t source = (uint64_t)json_integer_value(item);
        if (source >= m->base && source - m->base < m->sources) {
            m->source_drained[source - m->base] = true;
            m->drained++;
        }
    }
    m->ordered += ORDERS_FORGOTTEN_MAX;
    m->state = (enum member_state)state;
    return rc;
}

int crew_restore(
    struct crew *c, struct run *run, const json_t *saved, const uint64_t *applied, struct err *err)
{
    json_t *members = json_object_get(saved, "members"), *item;
    size_t i;

    c->run = run;
    c->check_wanted = json_is_true(json_object_get(saved, "check_wanted"));
    c->checked = json_is_true(json_object_get(saved, "checked"));
    if (json_array_size(members) != c->count) {
        return err_set(err, ERR_INVALID, "the saved run has other workers than its allocation");
    }
    json_array_foreach(members, i, item)
    {
        int rc = restore_member(c, &c->members[i], item, err);
        c->members[i].applied = applied[i];
        if (rc != 0) {
            return rc;
        }
    }
    crew_resume_check(c);
    crew_resume_stop(c);
    return 0;
}

static struct member *member_of(const struct crew *c, uint32_t source)
{
    for (uint32_t i = 0; i < c->count; i++) {
        struct member *m = &c->members[i];
        if (source >= m->base && source - m->base < m->sources) {
            return m;
        }
    }
    return NULL;
}

int crew_replay(struct crew *c, uint32_t source, struct str encoded, struct err *err)
{
    struct member *m = member_of(c, source);

    if (m == NULL) {
        return err_set(err, ERR_SYNTAX, "a stored window is of a source that there is not");
    }
    int rc = wire_window_decode(encoded, &c->limits, c->window, err);
    if (rc == 0) {
        wire_totals_add(&m->totals, c->window);
        run_replay_window(c->run, source, c->window);
    }
    return rc;
}
