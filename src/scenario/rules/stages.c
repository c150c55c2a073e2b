/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "scenario/rules/ids.h"
#include "scenario/rules/rules.h"

#include <assert.h>
#include <math.h>

enum { STAGES_MAX = 50, SYSTEM_VUS_MAX = 10000, SYSTEM_RPS_MAX = 100000 };
static const uint64_t system_duration_ns = UINT64_C(86400) * NS_PER_S;
static const uint64_t stage_min_ns = NS_PER_S;

static size_t enter_place(struct check *c, const char *place)
{
    size_t mark = c->path.len;

    buf_add_c(&c->path, place);
    return mark;
}

/* The current path is that of the stage. */
static void check_duration(struct check *c, struct stage_config *stage)
{
    size_t mark = check_enter(c, "duration_ms");

    if (stage->enabled && stage->duration_ns < stage_min_ns && !check_has_error(c)) {
        check_error(c, "DURATION_INVALID", "Use at least 1000.",
                    "an enabled stage lasts at least 1000 ms");
    }
    check_leave(c, mark);
    if (stage->max_duration_ns == 0 || stage->max_duration_ns >= stage->duration_ns) {
        return;
    }
    check_enter(c, "max_duration_ms");
    check_warning(c, "DURATION_INVALID", "Raise max_duration_ms or lower duration_ms.",
                  "max_duration_ms is below duration_ms and is lifted to it");
    check_leave(c, mark);
    stage->max_duration_ns = stage->duration_ns;
}

/* ---- loads ----------------------------------------------------------------------------------- */

static void
report_cap(struct check *c, const char *place, const char *cap_name, double v, double cap)
{
    size_t mark = enter_place(c, place);
    const char *advice = check_text(c, "Lower it, or raise safety.hard_caps.%s.", cap_name);
    static const char text[] = "%.15g, and safety.hard_caps.%s is %.15g%s";

    if (c->options->strict) {
        check_error(c, "CAPS_EXCEEDED", advice, text, v, cap_name, cap, "");
    } else {
        check_warning(c, "CAPS_EXCEEDED", advice, text, v, cap_name, cap,
                      "; the stage is cut to it");
    }
    check_leave(c, mark);
}

/* Cuts what is above the caps. The current path is that of the stage. */
static void check_caps(struct check *c, const struct caps_config *caps, struct stage_config *stage)
{
    struct ramp_config *r = &stage->ramp;
    const struct {
        const char *place;
        uint64_t *value;
    } vus[] = {
        {"/load/target_vus", &stage->target_vus},
        {"/ramp/max_vus", &r->max_vus},
        {"/ramp/start_vus", &r->start_vus},
    };
    const struct {
        const char *place;
        double *value;
    } rates[] = {
        {"/load/target_rps", &stage->target_rps},
        {"/ramp/max_rps", &r->max_rps},
        {"/ramp/start_rps", &r->start_rps},
    };

    for (size_t i = 0; i < sizeof vus / sizeof vus[0]; i++) {
        if (*vus[i].value != FIELD_UNSET && *vus[i].value > caps->max_vus) {
            uint64_t cut = *vus[i].value - caps->max_vus;
            report_cap(c, vus[i].place, "max_vus", (double)*vus[i].value, (double)caps->max_vus);
            stage->cut_vus = cut > stage->cut_vus ? cut : stage->cut_vus;
            *vus[i].value = caps->max_vus;
        }
    }
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        if (caps->max_rps > 0 && *rates[i].value > caps->max_rps) {
            double cut = *rates[i].value - caps->max_rps;
            report_cap(c, rates[i].place, "max_rps", *rates[i].value, caps->max_rps);
            stage->cut_rps = cut > stage->cut_rps ? cut : stage->cut_rps;
            *rates[i].value = caps->max_rps;
        }
    }
}

/* The current path is that of the stage. */
static void check_spread(struct check *c, const struct stage_config *stage)
{
    if (!stage->enabled || stage->duration_ns < stage_min_ns ||
        stage->start_spread_ns <= stage->duration_ns) {
        return;
    }
    size_t mark = enter_place(c, "/load/start_spread_ms");
    check_warning(c, "RAMP_UNFINISHED", "Lower start_spread_ms, or lengthen the stage.",
                  "the stage ends after %.15g s, before all its VUs have started",
                  (double)stage->duration_ns / (double)NS_PER_S);
    check_leave(c, mark);
}

/* The current path is that of the stage. */
static void check_load(struct check *c, const struct scenario *s, struct stage_config *stage)
{
    size_t mark = enter_place(c, "/load/target_rps");
    bool wrong = check_has_error(c);

    check_leave(c, mark);
    enter_place(c, "/load/target_vus");
    if (stage->enabled && stage->target_vus == 0 && stage->target_rps <= 0 && !wrong &&
        !check_has_error(c)) {
        check_error(c, "LOAD_INVALID", "Use at least 1, or give target_rps.",
                    "a stage needs a load, and this one has neither VUs nor rate");
    }
    check_leave(c, mark);
    check_spread(c, stage);
    check_caps(c, &s->safety.caps, stage);
    if (stage->enabled && s->safety.ramp_by_default && !stage->ramp.given &&
        stage->target_vus > s->safety.caps.max_vus / 2) {
        enter_place(c, "/load/target_vus");
        check_warning(c, "RAMP_BY_DEFAULT_GUARD",
                      "Raise safety.hard_caps.max_vus, use fewer VUs, or let the stage ramp.",
                      "a constant stage above half of safety.hard_caps.max_vus");
        check_leave(c, mark);
    }
}

/* ---- ramps ----------------------------------------------------------------------------------- */

static bool ramps_rate(const struct ramp_config *r)
{
    return r->step_rps > 0 || r->has_start_rps || r->max_rps > 0;
}

/* A ramp of something that the stage does not have. The current path is that of the stage. */
static void check_ramp_effect(struct check *c, const struct stage_config *stage)
{
    const struct ramp_config *r = &stage->ramp;
    bool sized = stage->target_rps > 0 && stage->target_vus == 0;
    bool climbs = stage->target_rps > 0 && ramps_rate(r);
    bool vus_stand = r->step_vus == FIELD_UNSET ? climbs : r->step_vus == 0;
    size_t mark = check_enter(c, "ramp");

    if (stage->target_rps <= 0 && ramps_rate(r)) {
        check_warning(c, "FIELD_WITHOUT_EFFECT", "Give load.target_rps.",
                      "step_rps, start_rps and max_rps need load.target_rps");
    } else if (sized && (r->has_start_vus || (r->step_vus != FIELD_UNSET && r->step_vus > 0))) {
        check_warning(c, "FIELD_WITHOUT_EFFECT", "Give load.target_vus.",
                      "start_vus and step_vus need load.target_vus; without it the VUs are as many "
                      "as the rate needs");
    } else if (sized && !ramps_rate(r)) {
        check_warning(c, "FIELD_WITHOUT_EFFECT",
                      "Give ramp.step_rps or ramp.start_rps, or load.target_vus.",
                      "nothing climbs: the VUs are as many as the rate needs, and the rate is "
                      "constant");
    } else if (vus_stand && !climbs) {
        check_warning(c, "FIELD_WITHOUT_EFFECT", "Give step_vus, or leave it out.",
                      "nothing climbs: with step_vus 0 all VUs are there from the beginning");
    } else if (vus_stand && !sized && r->has_start_vus) {
        check_warning(
            c, "FIELD_WITHOUT_EFFECT", "Give ramp.step_vus.",
            "start_vus needs step_vus where the rate climbs; without it all VUs are there "
            "from the beginning");
    }
    check_leave(c, mark);
}

static void report_beyond(
    struct check *c, const char *most_key, double most, const char *target_key, double target)
{
    size_t mark = check_enter(c, most_key);

    check_warning(c, "RAMP_INCONSISTENT",
                  check_text(c, "Leave %s out, or make both the same.", most_key),
                  "%s is %.15g and load.%s %.15g; the ramp goes on to the latter", most_key, most,
                  target_key, target);
    check_leave(c, mark);
}

/* Members that contradict each other. The current path is that of the stage. */
static void check_ramp_members(struct check *c, const struct stage_config *stage)
{
    const struct ramp_config *r = &stage->ramp;
    size_t mark = check_enter(c, "ramp");

    if (r->max_vus != FIELD_UNSET && stage->target_vus > r->max_vus) {
        report_beyond(c, "max_vus", (double)r->max_vus, "target_vus", (double)stage->target_vus);
    }
    if (r->max_rps > 0 && stage->target_rps > r->max_rps) {
        report_beyond(c, "max_rps", r->max_rps, "target_rps", stage->target_rps);
    }
    check_leave(c, mark);
    check_ramp_effect(c, stage);
}

/* "400 of 500 VUs": what the stage has come to when it ends. */
static const char *
reached(struct check *c, const struct stage_config *stage, const struct stage_levels *l)
{
    uint64_t last_ns = l->duration_ns > 0 ? l->duration_ns - 1 : 0;
    uint32_t vus = levels_vus(stage, l, last_ns);
    double rps = levels_rate(stage, l, last_ns);

    if (vus != l->vus) {
        return check_text(c, "at %u of %u VUs", (unsigned)vus, (unsigned)l->vus);
    }
    if (rps < l->rps || rps > l->rps) {
        return check_text(c, "at %.6g of %.6g operations per second", rps, l->rps);
    }
    return "at its top, but before hold_ms is over";
}

static bool set_duration(struct check *c)
{
    size_t mark = check_enter(c, "duration_ms");
    bool set = check_is_set(c);

    check_leave(c, mark);
    return set;
}

/* The ramp decides how long the stage is, and duration_ms does not. A file says so by giving a
 * max_duration_ms beside a ramp; whoever changes duration_ms for one run expects an effect. */
static void
check_stretched(struct check *c, const struct stage_config *stage, const struct stage_levels *l)
{
    if (l->duration_ns <= stage->duration_ns || l->overruns || stage->duration_ns < stage_min_ns ||
        !set_duration(c)) {
        return;
    }
    size_t mark = check_enter(c, "duration_ms");
    check_warning(c, "FIELD_WITHOUT_EFFECT",
                  check_text(c,
                             "Set duration_ms to at least %.0f, use larger or faster steps, or "
                             "lower max_duration_ms to end the stage with its ramp unfinished.",
                             ceil((double)l->needs_ns / (double)NS_PER_MS)),
                  "the ramp needs %.15g s, and the stage lasts that long, not %.15g s",
                  (double)l->needs_ns / (double)NS_PER_S,
                  (double)stage->duration_ns / (double)NS_PER_S);
    check_leave(c, mark);
}

/* The current path is that of the stage. */
static void
check_ramp(struct check *c, const struct stage_config *stage, const struct stage_levels *l)
{
    size_t mark = c->path.len;

    check_ramp_members(c, stage);
    check_stretched(c, stage, l);
    if (l->needs_ns <= l->duration_ns || stage->duration_ns < stage_min_ns) {
        return;
    }
    check_enter(c, "ramp");
    if (l->needs_ns == UINT64_MAX) {
        check_warning(c, "RAMP_UNFINISHED", "Use larger steps.",
                      "the ramp ends %s, and never gets there in reasonable time",
                      reached(c, stage, l));
    } else {
        check_warning(c, "RAMP_UNFINISHED",
                      check_text(c, "Set %s to at least %.0f, or use larger or faster steps.",
                                 stage->max_duration_ns > 0 ? "max_duration_ms" : "duration_ms",
                                 ceil((double)l->needs_ns / (double)NS_PER_MS)),
                      "%s after %.15g s with its ramp %s; it needs %.15g s",
                      l->overruns ? "max_duration_ms stops the run" : "the stage ends",
                      (double)l->duration_ns / (double)NS_PER_S, reached(c, stage, l),
                      (double)l->needs_ns / (double)NS_PER_S);
    }
    check_leave(c, mark);
}

/* ---- connections ----------------------------------------------------------------------------- */

/* Connections that the stage wants at once, at least: each operation that runs has one of its own,
 * and so has each session that is kept. */
static uint64_t connections_of(const struct scenario *s, const struct stage_levels *l)
{
    const struct session_config *session = &s->session;
    uint64_t most = l->start_vus > l->vus ? l->start_vus : l->vus;
    uint64_t slots = most * s->workload.in_flight_per_vu;
    uint64_t sessions = session->mode == SESSION_POOL ? session->pool_size : most;
    uint64_t room = session->max_in_flight > 0 ? sessions * session->max_in_flight : slots;

    if (l->sized || session->mode == SESSION_PER_REQUEST) {
        return l->sized || l->open_model ? 0 : slots;
    }
    if (l->open_model) {
        return session->mode == SESSION_POOL ? 0 : sessions;
    }
    return room < slots ? room : slots;
}

/* The cap holds all the same: operations wait for a connection, those of a VU that never gets one
 * until the end. */
static void check_connections(struct check *c, const struct scenario *s, uint64_t wanted)
{
    uint64_t cap = s->safety.caps.max_connections;

    if (cap == 0 || wanted <= cap) {
        return;
    }
    size_t mark = enter_place(c, "/safety/hard_caps/max_connections");
    const char *advice = "Raise max_connections, or use fewer VUs or operations in flight.";
    static const char text[] = "the stages want %llu connections at once, and the cap is %llu%s";
    if (c->options->strict) {
        check_error(c, "CAPS_EXCEEDED", advice, text, (unsigned long long)wanted,
                    (unsigned long long)cap, "");
    } else {
        check_warning(c, "CAPS_EXCEEDED", advice, text, (unsigned long long)wanted,
                      (unsigned long long)cap, "; the others wait");
    }
    check_leave(c, mark);
}

/* ---- all of them ----------------------------------------------------------------------------- */

/* The current path is that of the stages. Fills durations_ns[]; their sum. `connections`: that the
 * largest of them wants. */
static uint64_t
check_stages(struct check *c, struct scenario *s, uint64_t *durations_ns, uint64_t *connections)
{
    struct stage_levels before = {0}, level;
    bool first = true;
    uint64_t total_ns = 0, wanted;

    for (size_t i = 0; i < s->stage_count; i++) {
        struct stage_config *stage = &s->stages[i];
        size_t mark = check_enter_index(c, i);

        check_duration(c, stage);
        check_load(c, s, stage);
        if (stage->enabled) {
            levels_of_stage(s, stage, first ? NULL : &before, &level);
            if (stage->ramp.given) {
                check_ramp(c, stage, &level);
            }
            durations_ns[i] = level.duration_ns;
            total_ns += level.duration_ns;
            wanted = connections_of(s, &level);
            *connections = wanted > *connections ? wanted : *connections;
            before = level;
            first = false;
        }
        check_leave(c, mark);
    }
    return total_ns;
}

static uint64_t check_total(struct check *c, const struct scenario *s, uint64_t total_ns)
{
    uint64_t cap_ns = s->safety.caps.max_duration_ns;

    if (total_ns <= cap_ns) {
        return total_ns;
    }
    size_t mark = enter_place(c, "/safety/hard_caps/max_duration_ms");
    rules_guard(c, true, "CAPS_EXCEEDED", "Raise max_duration_ms or shorten the stages.",
                "the stages together last longer; the run ends at the cap");
    check_leave(c, mark);
    return cap_ns;
}

/* The schedule says when an operation is due, not the end of the one before. */
static void check_think_time(struct check *c, const struct scenario *s)
{
    bool by_rate = false;

    for (size_t i = 0; i < s->stage_count; i++) {
        by_rate = by_rate || (s->stages[i].enabled && s->stages[i].target_rps > 0);
    }
    if (by_rate && s->workload.think.mode != THINK_NONE) {
        size_t mark = enter_place(c, "/workload/think_time");
        check_warning(c, "THINK_TIME_WITH_RATE", "Leave think_time out.",
                      "think time has no effect in stages with target_rps");
        check_leave(c, mark);
    }
}

/* A service that others may reach has limits of its own; one's own machine has none. */
static void check_system(struct check *c, const struct caps_config *caps)
{
    const struct {
        const char *place;
        bool above;
    } rules[] = {
        {"/safety/hard_caps/max_vus", caps->max_vus > SYSTEM_VUS_MAX},
        {"/safety/hard_caps/max_rps", caps->max_rps > SYSTEM_RPS_MAX},
        {"/safety/hard_caps/max_duration_ms", caps->max_duration_ns > system_duration_ns},
    };

    for (size_t i = 0; c->options->network_public && i < sizeof rules / sizeof rules[0]; i++) {
        if (rules[i].above) {
            size_t mark = enter_place(c, rules[i].place);
            check_error(c, "SYSTEM_POLICY_VIOLATION", "Lower it, or ask the operator.",
                        "above the limit of this installation (%d VUs, %d operations/s, 24 h)",
                        SYSTEM_VUS_MAX, SYSTEM_RPS_MAX);
            check_leave(c, mark);
        }
    }
}

void rules_stages(struct check *c, struct scenario *s)
{
    const struct id_list ids = ID_LIST(stage_config, s->stages, s->stage_count, stage_id);
    uint64_t durations_ns[STAGES_MAX] = {0}, connections = 0;
    size_t mark = check_enter(c, "stages");

    assert(s->stage_count <= STAGES_MAX); /* its row says so */
    id_check_unique(c, &ids, "stage_id");
    uint64_t total_ns = check_stages(c, s, durations_ns, &connections);
    check_leave(c, mark);
    total_ns = check_total(c, s, total_ns);
    check_connections(c, s, connections);
    check_think_time(c, s);
    rules_conditions(c, s, durations_ns, total_ns);
    rules_guards(c, s);
    check_system(c, &s->safety.caps);
}
