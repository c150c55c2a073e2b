/* SPDX-License-Identifier: MIT */
/* Runs are started on workers that have something free, and stopped. */
#include "base/clock.h"
#include "base/mem.h"
#include "fleet/hub_priv.h"
#include "fleet/need.h"

#include <stdio.h>
#include <string.h>

/* ---- who may -------------------------------------------------------------------------------- */

/* Which share the worker's label means; UINT32_MAX: none. */
static uint32_t group_of(const struct worker *w, const struct placement_config *placement)
{
    const char *value = json_string_value(json_object_get(w->labels, placement->label));

    for (uint32_t i = 0; value != NULL && i < placement->share_count; i++) {
        if (strcmp(value, placement->shares[i].name) == 0) {
            return i;
        }
    }
    return UINT32_MAX;
}

uint32_t hub_candidates(struct hub *h,
                        const struct placement_config *placement,
                        struct worker ***workers,
                        struct allocate_worker **out)
{
    uint64_t now = loop_clock(h->loop);
    uint32_t n = 0;

    /* NOLINTNEXTLINE(bugprone-sizeof-expression) */
    *workers = xcalloc(h->worker_count + 1, sizeof **workers);
    *out = xcalloc(h->worker_count + 1, sizeof **out);
    list_foreach (node, &h->workers) {
        struct worker *w = list_entry(node, struct worker, node);
        uint64_t taken = hub_worker_taken(h, w);

        if (w->link != NULL && now - w->seen_ns < HUB_SUSPECT_NS && !w->lost) {
            (*workers)[n] = w;
            (*out)[n++] = (struct allocate_worker){
                .capacity_vus = (uint32_t)w->max_vus,
                .free_vus = (uint32_t)(taken < w->max_vus ? w->max_vus - taken : 0),
                .cores = w->cores,
                .group = placement != NULL ? group_of(w, placement) : 0};
        }
    }
    return n;
}

static json_t *shortage_json(const struct placement_config *placement,
                             const struct allocate_shortage *s)
{
    json_t *details =
        json_pack("{sIsIsI}", "required_vus", (json_int_t)s->required, "available_vus",
                  (json_int_t)s->available, "workers", (json_int_t)s->workers);

    if (placement != NULL) {
        json_object_set_new(details, "label", json_string(placement->label));
        json_object_set_new(details, "value", json_string(placement->shares[s->group].name));
    }
    return details;
}

static int refuse_capacity(const struct allocate_shortage *s, struct hub_refusal *why)
{
    return refuse(why, ERR_LIMIT, 503, "unavailable", "NO_CAPACITY",
                  s->workers == 0
                      ? "no worker is connected: start one with \"worker --control-plane URL\" and "
                        "try again"
                      : "the run needs %llu virtual users, and %llu are free on the %u connected "
                        "worker%s: wait for a run to end, start further workers, or raise their "
                        "--max-vus",
                  (unsigned long long)s->required, (unsigned long long)s->available, s->workers,
                  s->workers == 1 ? "" : "s");
}

static int refuse_share(const struct placement_config *placement,
                        uint64_t vus,
                        const struct allocate_shortage *s,
                        struct hub_refusal *why)
{
    const char *label = placement->label, *value = placement->shares[s->group].name;

    if (s->workers == 0) {
        return refuse(why, ERR_LIMIT, 503, "unavailable", "NO_CAPACITY",
                      "placement gives %llu of %llu virtual users to workers with %.64s=%.64s, and "
                      "no such worker is connected: start one with \"--label %.64s=%.64s\"",
                      (unsigned long long)s->required, (unsigned long long)vus, label, value, label,
                      value);
    }
    return refuse(why, ERR_LIMIT, 503, "unavailable", "NO_CAPACITY",
                  "placement gives %llu of %llu virtual users to workers with %.64s=%.64s, and "
                  "%llu are free on the %u such worker%s: wait for a run to end, or start further "
                  "ones with \"--label %.64s=%.64s\"",
                  (unsigned long long)s->required, (unsigned long long)vus, label, value,
                  (unsigned long long)s->available, s->workers, s->workers == 1 ? "" : "s", label,
                  value);
}

static int no_capacity(struct hosted *r,
                       const struct placement_config *placement,
                       const struct allocate_need *need,
                       const struct allocate_shortage *shortage,
                       struct hub_refusal *why)
{
    json_t *details = shortage_json(placement, shortage);

    (void)(placement != NULL ? refuse_share(placement, need->vus, shortage, why)
                             : refuse_capacity(shortage, why));
    why->retryable = true;
    why->details = json_incref(details);
    hosted_event(r, "ALLOCATION_FAILED", "scheduler",
                 json_pack("{ssso}", "reason",
                           shortage->workers == 0 ? "no_workers" : "allocation_error", "details",
                           details));
    return ERR_LIMIT;
}

/* ---- started ----------------------------------------------------------------------------------
 */

static void tell_assignments(struct hosted *r)
{
    for (uint32_t i = 0; i < r->allocation.part_count; i++) {
        const struct allocate_part *p = &r->allocation.parts[i];
        char lease[HUB_RUN_ID_MAX];

        hub_random_id("lse", lease, sizeof lease);
        hosted_event(r, "WORKER_ASSIGNED", "scheduler",
                     json_pack("{sssssIsIsIsI}", "worker_id", crew_worker_id(r->crew, i),
                               "lease_id", lease, "vus", (json_int_t)p->vus, "first_source",
                               (json_int_t)p->base, "sources", (json_int_t)p->sources, "of_sources",
                               (json_int_t)r->allocation.source_count));
    }
}

static int make_run(struct hosted *r, struct worker **workers, struct hub_refusal *why)
{
    struct err err = {0};
    struct crew_person *persons = xcalloc(r->allocation.part_count, sizeof *persons);

    for (uint32_t i = 0; i < r->allocation.part_count; i++) {
        const struct worker *w = workers[r->allocation.parts[i].worker];
        persons[i] = (struct crew_person){.worker_id = w->worker_id,
                                          .labels = (const char *const *)w->label_texts,
                                          .label_count = w->label_count};
    }
    int rc = hosted_make(r, persons, &err);
    xfree(persons);
    return rc == 0 ? 0 : refuse(why, rc, 500, "internal", "INTERNAL_ERROR", "the run: %s", err.msg);
}

static int begin(struct hub *h, struct hosted *r, const char *actor, struct hub_refusal *why)
{
    const struct placement_config *placement =
        r->scenario->has_placement ? &r->scenario->placement : NULL;
    struct worker **workers;
    struct allocate_worker *free;
    uint32_t count = hub_candidates(h, placement, &workers, &free);
    struct allocate_need need = need_of(r->plan, placement, free, count);
    struct allocate_shortage shortage;
    int rc = 0;

    if (allocate(free, count, &need, &r->allocation, &shortage) != 0) {
        rc = no_capacity(r, placement, &need, &shortage, why);
        hosted_write_events(r);
        watches_tell_waiting(h);
    } else {
        rc = make_run(r, workers, why);
    }
    xfree(workers);
    xfree(free);
    if (rc != 0) {
        return rc;
    }
    list_append(&h->runs, &r->node);
    h->run_count++;
    watches_adopt(r);
    tell_assignments(r);
    crew_begin(r->crew, r->run);
    r->run->started_by = arena_strdup(&r->arena, actor);
    run_start(r->run);
    hub_touch(r);
    return 0;
}

int hub_start(struct hub *h,
              const char *run_id,
              const char *actor,
              const char **state,
              struct hub_refusal *why)
{
    struct hosted *r = hub_find(h, run_id);
    struct issue_list issues = {0};
    struct err err = {0};
    char is[32];

    if (r != NULL) {
        return refuse_state(why, run_id, run_state_name(r->run->state), "start");
    }
    int rc = refuse_crowded(h, why);
    rc = rc != 0 ? rc : hosted_read(h, run_id, &r, is, why);
    if (rc != 0) {
        return rc;
    }
    hub_random_id("exe", r->execution_id, sizeof r->execution_id);
    if (strcmp(is, run_state_name(RUN_CREATED)) != 0) {
        rc = refuse_state(why, run_id, is, "start");
    } else if (h->run_count >= HUB_RUNS_ACTIVE_MAX) {
        rc = refuse(why, ERR_LIMIT, 503, "unavailable", "NO_CAPACITY",
                    "%d runs are being played: wait for one to end", HUB_RUNS_ACTIVE_MAX);
    } else if (hosted_load(r, &issues, &err) != 0) {
        rc = refuse(why, ERR_INVALID, 409, "conflict", "INVALID_STATE",
                    "the stored scenario is no longer valid here: %s", err.msg);
    } else {
        rc = begin(h, r, actor, why);
    }
    issue_list_clear(&issues);
    if (rc != 0) {
        list_remove(&r->node);
        hosted_free(r);
        return rc;
    }
    *state = run_state_name(r->run->state);
    return 0;
}

/* ---- stopped ----------------------------------------------------------------------------------
 */

/* The run that is played; otherwise why nothing can be stopped. */
static int find_played(struct hub *h,
                       const char *run_id,
                       const char *operation,
                       struct hosted **out,
                       struct hub_refusal *why)
{
    char state[32];
    struct hosted *stored = NULL;

    *out = hub_find(h, run_id);
    if (*out != NULL && !(*out)->over) {
        return 0;
    }
    if (*out != NULL) {
        return refuse_state(why, run_id, run_state_name((*out)->run->state), operation);
    }
    int rc = hosted_read(h, run_id, &stored, state, why);
    hosted_free(rc == 0 ? stored : NULL);
    return rc != 0 ? rc : refuse_state(why, run_id, state, operation);
}

/* What the request says, else the scenario. */
static bool stops_at_once(const struct hosted *r, const char *mode)
{
    return mode[0] != '\0' ? strcmp(mode, "immediate") == 0
                           : r->scenario->safety.stop_mode == STOP_IMMEDIATE;
}

int hub_stop(
    struct hub *h, const char *run_id, const char *mode, const char *actor, struct hub_refusal *why)
{
    struct hosted *r;
    int rc = find_played(h, run_id, "stop", &r, why);

    if (rc != 0) {
        return rc;
    }
    bool immediate = stops_at_once(r, mode);
    if (!immediate && mode[0] != '\0' && strcmp(mode, "drain") != 0) {
        (void)refuse(why, ERR_INVALID, 400, "invalid_argument", "INVALID_STOP_MODE",
                     "mode is \"%.40s\", expected \"drain\" or \"immediate\"", mode);
        why->details = json_pack("{sss[ss]}", "mode", mode, "allowed_modes", "drain", "immediate");
        return ERR_INVALID;
    }
    /* A second wish of the same kind changes nothing; a harder one does. */
    if (r->run->state != RUN_STOPPING || (immediate && r->run->stop.mode != STOP_IMMEDIATE)) {
        run_stop_request(r->run, immediate ? STOP_IMMEDIATE : STOP_DRAIN, 0,
                         arena_strdup(&r->arena, actor));
        hub_touch(r);
    }
    return 0;
}

int hub_emergency_stop(struct hub *h,
                       const char *run_id,
                       const char *actor,
                       struct hub_refusal *why)
{
    struct hosted *r;
    int rc = find_played(h, run_id, "emergency-stop", &r, why);

    if (rc != 0) {
        return rc;
    }
    if (!r->scenario->safety.emergency_stop_enabled) {
        return refuse(why, ERR_STATE, 409, "conflict", "EMERGENCY_STOP_DISABLED",
                      "the scenario says safety.emergency_stop_enabled: false; stop it with "
                      "mode immediate");
    }
    /* Who cannot wait asks often: it has been ordered, and the order stands. */
    if (r->run->state != RUN_STOPPING || r->run->stop.kind != RUN_STOP_EMERGENCY) {
        run_emergency_stop(r->run, arena_strdup(&r->arena, actor));
        hub_touch(r);
    }
    return 0;
}
