/* SPDX-License-Identifier: MIT */
/*
 * Orders of the control plane to the workers of a run. JSON; the member "order" is the kind, and
 * each kind has members of its own beside `run_id` and `n`.
 *
 * Orders of a run are numbered 1, 2, 3 … for each worker. They come again after a reconnect; a
 * worker drops those that it knows. Instants are nanoseconds of the control plane's monotonic
 * clock.
 */
#ifndef WIRE_ORDER_H
#define WIRE_ORDER_H

#include "wire/messages.h"

enum {
    WIRE_SOURCES_MAX = 10000, /* of a run */
    WIRE_WEIGHT_MAX = 10000,
    WIRE_FEEDS_MAX = 64,
    WIRE_STAGES_MAX = 1000,
    WIRE_ORDER_BYTES_MAX = 32 * 1024 * 1024, /* a scenario is up to 10 MiB as it was written */
};

/* X(id, name) */
#define WIRE_ORDER_MAP(X)                                                                   \
    X(ASSIGN, "assign")   /* a part of a run: compile it and answer READY or REJECTED */    \
    X(CHECK, "check")     /* the checks before any load; answered by CHECKS */              \
    X(STAGE, "stage")     /* plays the stage between its instants */                        \
    X(DRAIN, "drain")     /* nothing new, finish, close sessions; DRAINED by each source */ \
    X(STOP, "stop")       /* at once; DRAINED by each source */                             \
    X(RELEASE, "release") /* the run is closed: forget it */
#define WIRE_ORDER_ENUM_(id, name) WIRE_ORDER_##id,
enum wire_order_kind { WIRE_ORDER_MAP(WIRE_ORDER_ENUM_) WIRE_ORDER_COUNT };

const char *wire_order_name(enum wire_order_kind kind);

/* Which addresses may be loaded. */
enum wire_network { WIRE_NETWORK_LOCAL, WIRE_NETWORK_PUBLIC, WIRE_NETWORK_COUNT };

struct wire_order {
    enum wire_order_kind kind;
    char run_id[WIRE_ID_SIZE];
    uint64_t n;

    /* ASSIGN */
    char execution_id[WIRE_ID_SIZE], worker_id[WIRE_ID_SIZE];
    json_t *scenario;         /* owned; the document, secrets by reference only */
    uint64_t seed;            /* of the run's load */
    uint32_t base, shards;    /* its sources are base .. base + shards - 1 … */
    uint32_t total;           /* … of so many of the run */
    struct wire_u32s weights; /* of all sources of the run; none: equal */
    bool log;                 /* windows carry what the log of operations wants */
    enum wire_network network;
    json_t *files; /* owned; data files by their paths in the scenario, as texts; NULL: none */
    json_t *feeds; /* owned; the SHA-256 of each as it was checked, by the same paths; likewise */

    /* CHECK */
    bool lists; /* names are looked for in the target's lists: one worker does that */

    /* STAGE */
    uint32_t stage;
    uint64_t grid_ns, start_ns, end_ns;

    /* DRAIN */
    bool natural; /* the plan has ended */
};

json_t *wire_order_to_json(const struct wire_order *order);
/* 0 or ERR_LIMIT (nothing is added). */
int wire_order_encode(const struct wire_order *order, struct buf *out);
/* Fills all of *out, whatever it was; after a failure it is all zero. ERR_SYNTAX, ERR_INVALID (one
 * text that names the member), ERR_LIMIT. */
int wire_order_from_json(json_t *object, struct wire_order *out, struct err *err);
int wire_order_decode(struct str text, struct wire_order *out, struct err *err);
/* Frees what it owns; all zero again. */
void wire_order_clear(struct wire_order *order);

#endif
