/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "plan/dealing.h"
#include "support/planned.h"

enum { SEGMENTS_MAX = 8, ARRIVALS_MAX = 20000, STAGES_MAX = 4, USERS_MAX = 200 };

static void make(struct planned *p, const char *stages)
{
    static char text[8192];

    snprintf(text, sizeof text,
             "{'target': {'url': 'http://localhost/mcp'},"
             " 'workload': {'operation_mix': [{'operation': 'ping'}]}, 'stages': [%s]}",
             stages);
    planned_make(p, text, NULL, 0);
}

/* Who plays each arrival: walks all segments, and finds no gap and no double. */
static void
deal_by(const struct plan *p, uint32_t segments, const struct deal *weights, uint8_t *owner)
{
    uint64_t all = schedule_arrivals(&p->schedule), dealt = 0;

    assert_in_range(all, 1, ARRIVALS_MAX);
    memset(owner, 0xff, all);
    for (uint32_t index = 0; index < segments; index++) {
        struct segment segment = {.index = index, .count = segments, .deal = weights};
        struct dealt d;

        for (dealing_first(p, &segment, &d); d.stage < p->stage_count;
             dealing_next(p, &segment, &d)) {
            const struct plan_stage *stage = &p->stages[d.stage];

            assert_true(d.i < all);
            assert_in_range(d.i, stage->first_arrival, stage->end_arrival - 1);
            assert_int_equal(d.due_ns, schedule_due_ns(&p->schedule, d.i) - stage->schedule_ns);
            assert_int_equal(owner[d.i], 0xff);
            owner[d.i] = (uint8_t)index;
            dealt++;
        }
    }
    assert_int_equal(dealt, all);
}

static void deal(const struct plan *p, uint32_t segments, uint8_t *owner)
{
    deal_by(p, segments, NULL, owner);
}

/* Users as the engine starts them, one by one. */
struct crowd {
    uint32_t level;
    uint64_t start_ns[USERS_MAX]; /* on the line of time of all stages */
};

static void
change_level(struct crowd *c, const struct plan *p, uint32_t s, uint64_t t_ns, uint64_t at)
{
    uint32_t before = c->level, after = plan_level(p, s, t_ns);

    assert_in_range(after, 0, USERS_MAX);
    for (uint32_t vu = before; vu < after; vu++) {
        c->start_ns[vu] = at + t_ns + plan_start_ns(p, s, t_ns, before, after, vu);
    }
    c->level = after;
}

static uint32_t started(const struct crowd *c, uint64_t now_ns)
{
    uint32_t n = 0;

    while (n < c->level && c->start_ns[n] <= now_ns) {
        n++;
    }
    return n;
}

/* Is each with the segment of user i mod V? `exactly`: V are all that have started; else of these,
 * and all of them at the end of the last stage. */
static void expect_users_by(const struct plan *p,
                            uint32_t segments,
                            const struct deal *weights,
                            const uint8_t *owner,
                            bool exactly)
{
    struct crowd crowd = {0};
    uint64_t at = 0;

    for (uint32_t s = 0; s < p->stage_count; s++) {
        const struct plan_stage *stage = &p->stages[s];
        uint64_t next = 0;
        struct starting cursor;

        starting_first(p, &cursor);
        for (uint32_t k = 0; k < s; k++) {
            starting_next_stage(p, &cursor);
        }
        for (uint64_t i = stage->first_arrival; i < stage->end_arrival; i++) {
            uint64_t t = schedule_due_ns(&p->schedule, i) - stage->schedule_ns;

            for (; next <= t; next = plan_next_level_ns(p, s, next)) {
                change_level(&crowd, p, s, next, at);
            }
            uint32_t ready = started(&crowd, at + t), users = starting_count(p, &cursor, t);
            assert_in_range(users, exactly ? ready : 0, ready);
            uint64_t user = stage->levels.sized ? i : i % (users > 0 ? users : 1);
            struct segment home = {.index = owner[i], .count = segments, .deal = weights};
            assert_true(segment_owns(home, user));
        }
        for (; next < stage->levels.duration_ns; next = plan_next_level_ns(p, s, next)) {
            change_level(&crowd, p, s, next, at);
        }
        at += stage->levels.duration_ns;
    }
}

static void
expect_users(const struct plan *p, uint32_t segments, const uint8_t *owner, bool exactly)
{
    expect_users_by(p, segments, NULL, owner, exactly);
}

static void one_user_has_everything(void **state)
{
    static uint8_t owner[ARRIVALS_MAX];
    struct planned p;

    (void)state;
    make(&p, "{'stage': 'baseline', 'duration_ms': 1000, 'load': {'target_vus': 1,"
             " 'target_rps': 100}}");
    deal(p.plan, 2, owner);
    for (uint32_t i = 0; i < 100; i++) {
        assert_int_equal(owner[i], 0);
    }
    planned_clear(&p);
}

/* Two users, the second half a second after the first: until then all is the first one's. */
static void who_has_not_started_has_nothing(void **state)
{
    static uint8_t owner[ARRIVALS_MAX];
    struct planned p;

    (void)state;
    make(&p, "{'stage': 'baseline', 'duration_ms': 2000, 'load': {'target_vus': 2,"
             " 'target_rps': 100, 'start_spread_ms': 1000}}");
    deal(p.plan, 2, owner);
    for (uint32_t i = 0; i < 200; i++) {
        assert_int_equal(owner[i], i < 50 ? 0 : i % 2);
    }
    expect_users(p.plan, 2, owner, true);
    planned_clear(&p);
}

/* The spread is longer than its stage: the rest starts in the next ones. */
static void who_starts_in_a_later_stage_has_nothing_before(void **state)
{
    static uint8_t owner[ARRIVALS_MAX];
    struct planned p;

    (void)state;
    make(&p, "{'stage': 'preflight', 'duration_ms': 1000, 'load': {'target_vus': 20,"
             " 'start_spread_ms': 4000}},"
             "{'stage': 'baseline', 'duration_ms': 1000, 'load': {'target_vus': 10,"
             " 'target_rps': 300}},"
             "{'stage': 'custom', 'stage_id': 'b', 'duration_ms': 1000, 'load': {'target_vus': 14,"
             " 'target_rps': 300}},"
             "{'stage': 'custom', 'stage_id': 'c', 'duration_ms': 3000, 'load': {'target_vus': 14,"
             " 'target_rps': 300}}");
    for (uint32_t n = 1; n <= SEGMENTS_MAX; n++) {
        deal(p.plan, n, owner);
        expect_users(p.plan, n, owner, false);
    }
    /* At the end all of the 14 have their share. */
    deal(p.plan, 7, owner);
    for (uint64_t i = p.plan->stages[3].end_arrival - 140; i < p.plan->stages[3].end_arrival; i++) {
        assert_int_equal(owner[i], i % 14 % 7);
    }
    planned_clear(&p);
}

static void add_stage(char *out, size_t size, uint64_t seed, unsigned stage)
{
    uint64_t r = rng_at(seed, stage);
    unsigned vus = (unsigned)rng_below(rng_at(r, 1), 12),
             start = (unsigned)rng_below(rng_at(r, 2), 12);
    unsigned rps = (unsigned)rng_below(rng_at(r, 3), 900) + 1;
    const char *comma = stage > 0 ? "," : "";
    size_t len = strlen(out);

    switch (rng_below(rng_at(r, 4), 6)) {
    case 0: /* sized by its rate */
        snprintf(out + len, size - len,
                 "%s{'stage': 'custom', 'stage_id': 's%u', 'duration_ms': 1500,"
                 " 'load': {'target_vus': 0, 'target_rps': %u}}",
                 comma, stage, rps);
        return;
    case 1: /* of the closed model */
        snprintf(out + len, size - len,
                 "%s{'stage': 'custom', 'stage_id': 's%u', 'duration_ms': 1000,"
                 " 'load': {'target_vus': %u}}",
                 comma, stage, vus + 1);
        return;
    case 3: /* in steps, faster than their users start */
        snprintf(out + len, size - len,
                 "%s{'stage': 'ramp', 'stage_id': 's%u', 'duration_ms': 2000,"
                 " 'load': {'target_vus': %u, 'target_rps': %u, 'start_spread_ms': 700},"
                 " 'ramp': {'start_vus': %u, 'step_vus': 2, 'step_every_ms': 30}}",
                 comma, stage, vus + 1, rps, start);
        return;
    case 2: /* users and rate climb or fall on a line */
        snprintf(out + len, size - len,
                 "%s{'stage': 'ramp', 'stage_id': 's%u', 'duration_ms': 3000,"
                 " 'load': {'target_vus': %u, 'target_rps': %u},"
                 " 'ramp': {'mode': 'linear', 'start_vus': %u}}",
                 comma, stage, vus + 1, rps, start);
        return;
    default:
        snprintf(out + len, size - len,
                 "%s{'stage': 'custom', 'stage_id': 's%u', 'duration_ms': 2000,"
                 " 'load': {'target_vus': %u, 'target_rps': %u}}",
                 comma, stage, vus + 1, rps);
    }
}

/* Equal segments, and such of random weights. */
static void deal_to(const struct plan *p, uint32_t segments, uint64_t seed)
{
    static uint8_t owner[ARRIVALS_MAX];
    uint64_t weights[SEGMENTS_MAX];
    struct deal *weighted;

    deal(p, segments, owner);
    expect_users(p, segments, owner, true);
    for (uint32_t i = 0; i < segments; i++) {
        weights[i] = 1 + rng_below(rng_at(seed, 100 + i), 7);
    }
    assert_int_equal(deal_new(weights, segments, &weighted, NULL), 0);
    deal_by(p, segments, weighted, owner);
    expect_users_by(p, segments, weighted, owner, true);
    deal_free(weighted);
}

static void segments_part_the_arrivals(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        char stages[4000] = "";
        struct planned p;

        for (unsigned stage = 0; stage < STAGES_MAX; stage++) {
            add_stage(stages, sizeof stages, seed, stage);
        }
        make(&p, stages);
        for (uint32_t n = 1; schedule_arrivals(&p.plan->schedule) > 0 && n <= SEGMENTS_MAX; n++) {
            deal_to(p.plan, n, seed);
        }
        planned_clear(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_user_has_everything),
        cmocka_unit_test(who_has_not_started_has_nothing),
        cmocka_unit_test(who_starts_in_a_later_stage_has_nothing_before),
        cmocka_unit_test(segments_part_the_arrivals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
