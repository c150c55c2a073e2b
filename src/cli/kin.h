/* SPDX-License-Identifier: MIT */
/*
 * The workers of `mcpdrill run --workers N`: processes of this machine, which lift the limit of
 * descriptors that one process has. For the run they are what the threads of this process are
 * otherwise (worker/local.h).
 */
#ifndef CLI_KIN_H
#define CLI_KIN_H

#include "base/json.h"
#include "control/run.h"

enum { KIN_MAX = 256 };

struct kin;

struct kin_config {
    struct loop *loop;
    const struct plan *plan;
    const struct plan_identity *identity;
    json_t *files;    /* what the scenario's feeds name, by the path as written; or NULL */
    uint32_t count;   /* 1 .. KIN_MAX */
    uint32_t threads; /* of each at most; 0: chosen */
    bool log;
    void (*on_window)(void *owner, uint32_t source, struct window *w);
    void *owner;
};

/* How many processes the plan needs, as each may hold only so many descriptors; 1: this one will
 * do. */
uint32_t kin_needed(const struct plan *plan);

/* Starts them and turns the loop until all are there. ERR_IO; ERR_LIMIT: the load does not fit. */
int kin_new(const struct kin_config *config, struct kin **out, struct err *err);
/* Ends them. NULL is fine. */
void kin_free(struct kin *k);

const struct run_workers *kin_orders(const struct kin *k);
void *kin_orders_owner(const struct kin *k);
/* After run_new. */
void kin_begin(struct kin *k, struct run *run);
/* How many take part. */
uint32_t kin_count(const struct kin *k);

#endif
