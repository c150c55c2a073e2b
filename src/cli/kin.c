/* SPDX-License-Identifier: MIT */
#include "cli/kin.h"

#include "base/mem.h"
#include "fleet/crew.h"
#include "fleet/house.h"
#include "fleet/need.h"
#include "worker/capacity.h"

#include <stdio.h>

#define ORDER_LEAD_NS (50 * NS_PER_MS)

struct kin {
    struct kin_config config;
    struct house *house;
    struct crew *crew;
    bool ready;
    char failure[300]; /* "": none */
    char of[16], threads[16];
    char *argv[9];
};

/* Where one carries less than this, further ones are no remedy: the limit itself is wrong. */
enum { VUS_WORTH_A_PROCESS = 128 };

/* The most users that the plan asks for by number; a rate makes its own as it needs them. */
static uint64_t planned_vus(const struct plan *plan)
{
    uint64_t most = 1;

    for (uint32_t i = 0; i < plan->stage_count; i++) {
        const struct plan_stage *s = &plan->stages[i];
        uint64_t vus = s->levels.sized ? s->levels.vus : s->most_vus;
        most = vus > most ? vus : most;
    }
    return most;
}

uint32_t kin_needed(const struct plan *plan)
{
    struct capacity_limits limits;

    capacity_read("", 1, &limits);
    limits.memory_bytes = 0; /* it is the same machine's, however many processes share it */
    limits.cores = 0;
    uint64_t each = capacity_of(&limits, 0).max_vus, vus = planned_vus(plan);
    uint64_t held = vus * plan->slots / CAPACITY_SOCKETS_PER_VU;
    uint64_t count = ((held > vus ? held : vus) + each - 1) / each;
    return each < VUS_WORTH_A_PROCESS ? 1 : count > KIN_MAX ? KIN_MAX : (uint32_t)count;
}

static void on_ready(void *owner)
{
    struct kin *k = owner;

    k->ready = true;
    loop_stop(k->config.loop);
}

static void on_failed(void *owner, const char *why)
{
    struct kin *k = owner;

    snprintf(k->failure, sizeof k->failure, "%s", why);
    loop_stop(k->config.loop);
}

static void on_window(void *owner, uint32_t source, struct window *w, struct str encoded)
{
    struct kin *k = owner;

    (void)encoded;
    k->config.on_window(k->config.owner, source, w);
}

static void on_order(void *owner, uint32_t member, struct str order, bool urgent)
{
    struct kin *k = owner;

    house_send(k->house, member, order, urgent);
}

/* A child of this program that speaks over its line. */
static void make_argv(struct kin *k)
{
    static char name[] = "mcpdrill", role[] = "worker", pipe[] = "--pipe", of[] = "--of";
    static char threads[] = "--threads";
    size_t n = 0;

    snprintf(k->of, sizeof k->of, "%u", k->config.count);
    snprintf(k->threads, sizeof k->threads, "%u", k->config.threads);
    k->argv[n++] = name;
    k->argv[n++] = role;
    k->argv[n++] = pipe;
    k->argv[n++] = of;
    k->argv[n++] = k->of;
    if (k->config.threads > 0) {
        k->argv[n++] = threads;
        k->argv[n++] = k->threads;
    }
}

static int start(struct kin *k, struct err *err)
{
    make_argv(k);
    struct house_config config = {.loop = k->config.loop,
                                  .count = k->config.count,
                                  .argv = k->argv,
                                  .on_ready = on_ready,
                                  .on_failed = on_failed,
                                  .owner = k};
    int rc = house_new(&config, &k->house, err);

    if (rc == 0) {
        loop_run(k->config.loop);
        rc = k->failure[0] == '\0' ? 0 : err_set(err, ERR_IO, "%.220s", k->failure);
    }
    return rc == 0 && !k->ready ? err_set(err, ERR_IO, "interrupted") : rc;
}

/* The parts go to the children in their order. */
static int make_crew(struct kin *k, struct err *err)
{
    uint32_t count = k->config.count;
    struct allocate_worker *free = xcalloc(count, sizeof *free);
    struct crew_person *persons = xcalloc(count, sizeof *persons);
    struct allocation allocation = {0};
    struct allocate_shortage shortage;

    for (uint32_t i = 0; i < count; i++) {
        const struct wire_hello *hello = house_hello(k->house, i);
        uint32_t vus = hello->max_vus < UINT32_MAX ? (uint32_t)hello->max_vus : UINT32_MAX;
        free[i] = (struct allocate_worker){.capacity_vus = vus, .free_vus = vus};
        free[i].cores = k->config.threads > 0 ? k->config.threads : hello->cores;
    }
    struct allocate_need need = need_of(k->config.plan, NULL, free, count);
    int rc = allocate(free, count, &need, &allocation, &shortage);
    if (rc != 0) {
        rc = err_set(err, rc, "%u virtual users do not fit into %u processes; give more --workers",
                     need.vus, count);
    }
    for (uint32_t i = 0; i < allocation.part_count; i++) {
        allocation.parts[i].worker = i; /* all children are alike */
        persons[i].worker_id = house_worker_id(k->house, i);
    }
    struct crew_config config = {.loop = k->config.loop,
                                 .plan = k->config.plan,
                                 .identity = k->config.identity,
                                 .allocation = &allocation,
                                 .persons = persons,
                                 .files = k->config.files,
                                 .log = k->config.log,
                                 .lead_ns = ORDER_LEAD_NS,
                                 .send = on_order,
                                 .on_window = on_window,
                                 .owner = k};
    rc = rc == 0 ? crew_new(&config, &k->crew, err) : rc;
    allocation_clear(&allocation);
    xfree(persons);
    xfree(free);
    return rc;
}

int kin_new(const struct kin_config *config, struct kin **out, struct err *err)
{
    struct kin *k = xcalloc(1, sizeof *k);

    k->config = *config;
    int rc = start(k, err);
    rc = rc == 0 ? make_crew(k, err) : rc;
    if (rc != 0) {
        kin_free(k);
        return rc;
    }
    *out = k;
    return 0;
}

void kin_free(struct kin *k)
{
    if (k == NULL) {
        return;
    }
    house_free(k->house);
    crew_free(k->crew);
    xfree(k);
}

const struct run_workers *kin_orders(const struct kin *k)
{
    return crew_orders(k->crew);
}

void *kin_orders_owner(const struct kin *k)
{
    return k->crew;
}

void kin_begin(struct kin *k, struct run *run)
{
    house_play(k->house, k->crew);
    crew_begin(k->crew, run);
}

uint32_t kin_count(const struct kin *k)
{
    return crew_count(k->crew);
}
