/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/mem.h"
#include "base/rng.h"
#include "plan/dealing.h"
#include "support/planned.h"

enum { SEGMENTS_MAX = 8, ARRIVALS_MAX = 20000, STAGES_MAX = 4 };

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
static void deal(const struct plan *p, uint32_t segments, uint8_t *owner)
{
    uint64_t all = schedule_arrivals(&p->schedule), dealt = 0;

    assert_in_range(all, 1, ARRIVALS_MAX);
    memset(owner, 0xff, all);
    for (uint32_t index = 0; index < segments; index++) {
        struct segment segment = {.index = index, .count = segments};
        struct dealt d;

        for (dealing_first(p, segment, &d); d.stage < p->stage_count;
             dealing_next(p, segment, &d)) {
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

/* Is each with the segment of user i mod V? */
static void expect_users(const struct plan *p, uint32_t segments, const uint8_t *owner)
{
    for (uint32_t s = 0; s < p->stage_count; s++) {
        for (uint64_t i = p->stages[s].first_arrival; i < p->stages[s].end_arrival; i++) {
            uint64_t t = schedule_due_ns(&p->schedule, i) - p->stages[s].schedule_ns;
            uint32_t users = plan_level(p, s, t);
            uint64_t user = p->stages[s].levels.sized ? i : i % (users > 0 ? users : 1);

            assert_int_equal(owner[i], user % segments);
        }
    }
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

static void add_stage(char *out, size_t size, uint64_t seed, unsigned stage)
{
    uint64_t r = rng_at(seed, stage);
    unsigned vus = (unsigned)rng_below(rng_at(r, 1), 12),
             start = (unsigned)rng_below(rng_at(r, 2), 12);
    unsigned rps = (unsigned)rng_below(rng_at(r, 3), 900) + 1;
    const char *comma = stage > 0 ? "," : "";
    size_t len = strlen(out);

    switch (rng_below(rng_at(r, 4), 5)) {
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

static void segments_part_the_arrivals(void **state)
{
    static uint8_t owner[ARRIVALS_MAX];

    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        char stages[4000] = "";
        struct planned p;

        for (unsigned stage = 0; stage < STAGES_MAX; stage++) {
            add_stage(stages, sizeof stages, seed, stage);
        }
        make(&p, stages);
        for (uint32_t n = 1; schedule_arrivals(&p.plan->schedule) > 0 && n <= SEGMENTS_MAX; n++) {
            deal(p.plan, n, owner);
            expect_users(p.plan, n, owner);
        }
        planned_clear(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_user_has_everything),
        cmocka_unit_test(segments_part_the_arrivals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
