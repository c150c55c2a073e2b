/* SPDX-License-Identifier: MIT */
#include "wire/order.h"

#include <assert.h>

#define COUNT(a)     (sizeof(a) / sizeof(a)[0])
#define AT(field)    offsetof(struct wire_order, field)
#define CHARS(field) .offset = AT(field), .max = sizeof((struct wire_order *)0)->field

/* Each kind begins with these. */
#define FIELDS_OF_ALL                                              \
    {"run_id", WIRE_ID, CHARS(run_id)},                            \
    {                                                              \
        "n", WIRE_U64, .offset = AT(n), .min = 1, .max = INT64_MAX \
    }

static const char *const network_words[WIRE_NETWORK_COUNT] = {
    [WIRE_NETWORK_LOCAL] = "local", [WIRE_NETWORK_PUBLIC] = "public"};

static const struct wire_field assign_fields[] = {
    FIELDS_OF_ALL,
    {"execution_id", WIRE_ID, CHARS(execution_id)},
    {"worker_id", WIRE_ID, CHARS(worker_id)},
    {"scenario", WIRE_JSON, .offset = AT(scenario)},
    {"seed", WIRE_U64, .offset = AT(seed), .max = INT64_MAX},
    {"base", WIRE_U32, .offset = AT(base), .max = WIRE_SOURCES_MAX - 1},
    {"shards", WIRE_U32, .offset = AT(shards), .min = 1, .max = WIRE_SOURCES_MAX},
    {"total", WIRE_U32, .offset = AT(total), .min = 1, .max = WIRE_SOURCES_MAX},
    {"weights", WIRE_U32S, .offset = AT(weights), .optional = true, .min = 1,
     .max = WIRE_WEIGHT_MAX, .size = WIRE_SOURCES_MAX},
    {"log", WIRE_BOOL, .offset = AT(log)},
    {"network", WIRE_WORD, .offset = AT(network), .words = network_words,
     .max = WIRE_NETWORK_COUNT},
    {"feeds", WIRE_TEXTS, .offset = AT(feeds), .optional = true, .max = WIRE_FEEDS_MAX},
    {"files", WIRE_JSON, .offset = AT(files), .optional = true},
};

static const struct wire_field check_fields[] = {
    FIELDS_OF_ALL,
    {"lists", WIRE_BOOL, .offset = AT(lists)},
};

static const struct wire_field stage_fields[] = {
    FIELDS_OF_ALL,
    {"stage", WIRE_U32, .offset = AT(stage), .max = WIRE_STAGES_MAX - 1},
    {"grid_ns", WIRE_U64, .offset = AT(grid_ns), .max = INT64_MAX},
    {"start_ns", WIRE_U64, .offset = AT(start_ns), .max = INT64_MAX},
    {"end_ns", WIRE_U64, .offset = AT(end_ns), .max = INT64_MAX},
};

static const struct wire_field drain_fields[] = {
    FIELDS_OF_ALL,
    {"natural", WIRE_BOOL, .offset = AT(natural)},
};

static const struct wire_field plain_fields[] = {FIELDS_OF_ALL};

#define TABLE(text, rows)                                                    \
    {                                                                        \
        .name = (text), .fields = (rows), .field_count = COUNT(rows),        \
        .size = sizeof(struct wire_order), .bytes_max = WIRE_ORDER_BYTES_MAX \
    }
static const struct wire_table tables[WIRE_ORDER_COUNT] = {
    [WIRE_ORDER_ASSIGN] = TABLE("order assign", assign_fields),
    [WIRE_ORDER_CHECK] = TABLE("order check", check_fields),
    [WIRE_ORDER_STAGE] = TABLE("order stage", stage_fields),
    [WIRE_ORDER_DRAIN] = TABLE("order drain", drain_fields),
    [WIRE_ORDER_STOP] = TABLE("order stop", plain_fields),
    [WIRE_ORDER_RELEASE] = TABLE("order release", plain_fields),
};

#define NAME_(id, name) [WIRE_ORDER_##id] = (name),
static const char *const names[WIRE_ORDER_COUNT] = {WIRE_ORDER_MAP(NAME_)};

const char *wire_order_name(enum wire_order_kind kind)
{
    assert(kind < WIRE_ORDER_COUNT);
    return names[kind];
}

json_t *wire_order_to_json(const struct wire_order *order)
{
    json_t *object = json_object(), *members = wire_table_to_json(&tables[order->kind], order);

    json_object_set_new(object, "order", json_string(wire_order_name(order->kind)));
    json_object_update(object, members);
    json_decref(members);
    return object;
}

int wire_order_encode(const struct wire_order *order, struct buf *out)
{
    json_t *object = wire_order_to_json(order);
    size_t before = out->len;
    int rc = json_write(object, out);

    json_decref(object);
    if (rc != 0) {
        out->len = before;
    }
    return rc;
}

static int read_kind(json_t *object, enum wire_order_kind *kind, struct err *err)
{
    const json_t *name = json_object_get(object, "order");

    if (!json_is_string(name)) {
        return err_set(err, ERR_INVALID, "order: \"order\" is missing");
    }
    for (unsigned i = 0; i < WIRE_ORDER_COUNT; i++) {
        if (strcmp(json_string_value(name), names[i]) == 0) {
            *kind = (enum wire_order_kind)i;
            return 0;
        }
    }
    return err_set(err, ERR_UNSUPPORTED, "order: \"%.60s\" is no order that this version knows",
                   json_string_value(name));
}

/* What no single row knows. */
static int check_assignment(const struct wire_order *o, struct err *err)
{
    if (o->base + o->shards > o->total) {
        return err_set(err, ERR_INVALID, "order assign: \"shards\" goes beyond \"total\"");
    }
    if (o->weights.count > 0 && o->weights.count != o->total) {
        return err_set(err, ERR_INVALID, "order assign: \"weights\" are not those of \"total\"");
    }
    return 0;
}

int wire_order_from_json(json_t *object, struct wire_order *out, struct err *err)
{
    enum wire_order_kind kind = WIRE_ORDER_ASSIGN;
    int rc = read_kind(object, &kind, err);

    memset(out, 0, sizeof *out);
    rc = rc != 0 ? rc : wire_table_from_json(&tables[kind], object, out, NULL, err);
    if (rc != 0) {
        return rc;
    }
    out->kind = kind;
    if (kind == WIRE_ORDER_ASSIGN) {
        rc = check_assignment(out, err);
    } else if (kind == WIRE_ORDER_STAGE && out->end_ns < out->start_ns) {
        rc = err_set(err, ERR_INVALID, "order stage: \"end_ns\" is before \"start_ns\"");
    }
    if (rc != 0) {
        wire_order_clear(out);
    }
    return rc;
}

int wire_order_decode(struct str text, struct wire_order *out, struct err *err)
{
    json_t *object = NULL;
    int rc = json_parse(text, WIRE_ORDER_BYTES_MAX, &object, err);

    memset(out, 0, sizeof *out);
    rc = rc != 0 ? rc : wire_order_from_json(object, out, err);
    json_decref(object);
    return rc;
}

void wire_order_clear(struct wire_order *order)
{
    /* No other kind owns anything. */
    wire_table_clear(&tables[WIRE_ORDER_ASSIGN], order);
}
