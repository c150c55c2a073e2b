/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "control/validity.h"
#include "support/unit.h"

/* A source's seconds, one after the other. */
struct world {
    struct validity *v;
    struct window *w;
    uint64_t next[4];
};

static void begin(struct world *world)
{
    *world = (struct world){.v = validity_new(3), .w = window_new(2, 0, 0)};
}

static void end(struct world *world)
{
    validity_free(world->v);
    window_free(world->w);
}

/* A healthy second; the caller spoils it. */
static struct window *second_of(struct world *world, uint32_t source)
{
    uint64_t n = world->next[source]++;
    struct window *w = world->w;

    window_reset(w, n, n * NS_PER_S, (n + 1) * NS_PER_S);
    w->wall_ns = NS_PER_S;
    w->busy_ns = NS_PER_S / 10;
    w->wakeups = 1000;
    w->health = (struct window_health){
        .turn_p99_ns = 50000,
        .has_process = true,
        .rss_bytes = 50000000,
        .memory_limit_bytes = 1000000000,
        .segments_sent = 10000,
    };
    return w;
}

static void operations(struct window *w, unsigned n, uint64_t lag_ns, uint64_t service_ns)
{
    for (unsigned i = 0; i < n; i++) {
        hist_record(window_dist(&w->run, DIST_TOOL_LAG), lag_ns);
        hist_record(window_dist(window_key(w, i % 2), DIST_SERVICE), service_ns);
    }
}

static struct validity_result judge(struct world *world, struct validity_inputs in)
{
    struct validity_result r;

    validity_judge(world->v, &in, &r);
    return r;
}

static const struct validity_evidence *evidence(const struct validity_result *r, const char *signal)
{
    for (size_t i = 0; i < r->evidence_count; i++) {
        if (strcmp(r->evidence[i].signal, signal) == 0) {
            return &r->evidence[i];
        }
    }
    return NULL;
}

static void a_healthy_run_is_valid(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    for (unsigned i = 0; i < 60; i++) {
        struct window *w = second_of(&world, i % 3);
        operations(w, 1000, 100000, 5 * NS_PER_MS);
        validity_window(world.v, i % 3, w);
    }
    validity_window(world.v, 3, second_of(&world, 3)); /* no such source */
    struct validity_result r = judge(&world, (struct validity_inputs){.due = 10, .started = 10});
    assert_int_equal(r.state, VALIDITY_VALID);
    assert_int_equal(r.evidence_count, 0);
    assert_string_equal(validity_state_name(r.state), "valid");
    end(&world);
    begin(&world); /* a run that ended before its first second */
    assert_int_equal(judge(&world, (struct validity_inputs){0}).state, VALIDITY_VALID);
    end(&world);
}

/* One signal spoiled in `bad` seconds of `all`, in a row or evenly spread. */
struct spoiler {
    const char *signal;
    void (*spoil)(struct window *w, bool fail);
    bool can_fail, any_second;
    enum validity_state state;
};

static void spoil_lag(struct window *w, bool fail)
{
    operations(w, 900, fail ? 1500000 : 700000, 5 * NS_PER_MS);
}

static void spoil_busy(struct window *w, bool fail)
{
    w->busy_ns = 980 * NS_PER_MS;
    w->health.turn_p99_ns = fail ? 2 * NS_PER_MS : NS_PER_MS / 2;
}

static void spoil_run_delay(struct window *w, bool fail)
{
    w->health.run_delay_ns = 200 * NS_PER_MS;
    w->wakeups = fail ? 300 : 20000;
}

static void spoil_steal(struct window *w, bool fail)
{
    w->health.steal = fail ? 0.2 : 0.05;
}

static void spoil_throttled(struct window *w, bool fail)
{
    w->health.throttled_ns = fail ? 30 * NS_PER_MS : 1000;
}

static void spoil_memory(struct window *w, bool fail)
{
    w->health.rss_bytes = fail ? 960000000 : 900000000;
}

static void spoil_pressure_cpu(struct window *w, bool fail)
{
    (void)fail;
    w->health.pressure_cpu = 60;
}

static void spoil_pressure_memory(struct window *w, bool fail)
{
    (void)fail;
    w->health.pressure_memory = 60;
}

static void spoil_retransmits(struct window *w, bool fail)
{
    w->health.segments_retransmitted = fail ? 1000 : 200;
}

static const struct spoiler spoilers[] = {
    {"send_lag", spoil_lag, true, false, VALIDITY_GENERATOR_BOUND},
    {"busy", spoil_busy, true, false, VALIDITY_GENERATOR_BOUND},
    {"run_delay", spoil_run_delay, true, false, VALIDITY_GENERATOR_BOUND},
    {"steal", spoil_steal, true, false, VALIDITY_GENERATOR_BOUND},
    {"throttled", spoil_throttled, true, true, VALIDITY_GENERATOR_BOUND},
    {"memory", spoil_memory, true, false, VALIDITY_GENERATOR_BOUND},
    {"pressure_cpu", spoil_pressure_cpu, false, false, VALIDITY_VALID},
    {"pressure_memory", spoil_pressure_memory, false, false, VALIDITY_VALID},
    {"retransmits", spoil_retransmits, true, false, VALIDITY_NETWORK_BOUND},
};

/* Second 0 is not measured, so there is one more. */
static struct validity_result
play(const struct spoiler *s, bool fail, unsigned all, unsigned first, unsigned step, unsigned bad)
{
    struct world world;

    begin(&world);
    for (unsigned i = 0; i <= all; i++) {
        struct window *w = second_of(&world, 1);
        if (i == 0 || (i >= first && (i - first) % step == 0 && (i - first) / step < bad)) {
            s->spoil(w, fail);
        }
        if (w->run.dist[DIST_TOOL_LAG] == NULL || w->run.dist[DIST_TOOL_LAG]->head.count == 0) {
            operations(w, 1000, 100000, 5 * NS_PER_MS);
        }
        validity_window(world.v, 1, w);
    }
    struct validity_result r = judge(&world, (struct validity_inputs){0});
    end(&world);
    return r;
}

static void check(const struct spoiler *s,
                  const struct validity_result *r,
                  bool fail,
                  unsigned seconds,
                  unsigned all)
{
    const struct validity_evidence *e = evidence(r, s->signal);

    assert_non_null(e);
    assert_int_equal(r->evidence_count, 1);
    assert_int_equal(e->fail, fail);
    assert_int_equal(e->source, 1);
    assert_int_equal(e->seconds, seconds);
    assert_int_equal(e->measured, all);
    assert_true(e->value > e->limit);
    bool of_thread = s < &spoilers[3]; /* the rest is of the whole process */
    assert_int_equal(strstr(e->text, "of shard 1") != NULL, of_thread);
    assert_int_equal(r->state, fail ? s->state : VALIDITY_VALID);
}

static void each_signal_warns_and_fails(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof spoilers / sizeof spoilers[0]; i++) {
        const struct spoiler *s = &spoilers[i];
        struct validity_result r;

        r = play(s, false, 100, 40, 1, 3); /* three in a row warn */
        check(s, &r, false, 3, 100);
        if (s->can_fail) {
            r = play(s, true, 100, 40, 1, 3);
            check(s, &r, true, 3, 100);
            r = play(s, true, 100, 1, 20, 5); /* 5 % of the seconds */
            check(s, &r, true, 5, 100);
        }
        r = play(s, true, 100, 1, 20, 4); /* less than that: nothing decides */
        assert_int_equal(r.state, VALIDITY_VALID);
        assert_int_equal(r.evidence_count, s->any_second ? 1 : 0);
        r = play(s, true, 10, 5, 1, 1); /* one second alone never decides */
        assert_int_equal(r.state, VALIDITY_VALID);
        assert_int_equal(r.evidence_count, s->any_second ? 1 : 0);
    }
}

static void limits_grow_with_the_service_time(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    for (unsigned i = 0; i < 20; i++) {
        struct window *w = second_of(&world, 0);
        operations(w, 500, 8 * NS_PER_MS, 100 * NS_PER_MS); /* 8 % of S: warns */
        w->busy_ns = NS_PER_S;
        w->health.turn_p99_ns = 9 * NS_PER_MS; /* 9 % of S */
        w->health.run_delay_ns = NS_PER_S / 2;
        w->wakeups = 100; /* 5 ms each */
        validity_window(world.v, 0, w);
    }
    struct validity_result r = judge(&world, (struct validity_inputs){0});
    assert_int_equal(r.state, VALIDITY_VALID);
    assert_int_equal(r.evidence_count, 3);
    assert_false(evidence(&r, "send_lag")->fail);
    assert_false(evidence(&r, "busy")->fail);
    assert_false(evidence(&r, "run_delay")->fail);
    end(&world);
}

static void few_operations_are_judged_together(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    for (unsigned i = 0; i < 61; i++) { /* 5 a second, each tenth second one is late */
        struct window *w = second_of(&world, 0);
        operations(w, 4, 50000, 5 * NS_PER_MS);
        operations(w, 1, i % 20 == 5 ? 30 * NS_PER_MS : 50000, 5 * NS_PER_MS);
        validity_window(world.v, 0, w);
    }
    struct validity_result r = judge(&world, (struct validity_inputs){0});
    assert_int_equal(r.state, VALIDITY_VALID);
    assert_int_equal(r.evidence_count, 0);
    end(&world);

    begin(&world);
    for (unsigned i = 0; i < 61; i++) { /* … and now each second one */
        struct window *w = second_of(&world, 0);
        operations(w, 1, 30 * NS_PER_MS, 5 * NS_PER_MS);
        operations(w, 1, 50000, 5 * NS_PER_MS);
        validity_window(world.v, 0, w);
    }
    r = judge(&world, (struct validity_inputs){0});
    assert_int_equal(r.state, VALIDITY_GENERATOR_BOUND);
    assert_int_equal(evidence(&r, "send_lag")->seconds, 60);
    struct validity_result again = judge(&world, (struct validity_inputs){0});
    assert_memory_equal(again.evidence[0].text, r.evidence[0].text, strlen(r.evidence[0].text));
    end(&world);

    begin(&world);
    for (unsigned i = 0; i < 31; i++) { /* never a hundred, and only one late */
        struct window *w = second_of(&world, 0);
        operations(w, 1, i == 7 ? NS_PER_S : 50000, 5 * NS_PER_MS);
        validity_window(world.v, 0, w);
    }
    assert_int_equal(judge(&world, (struct validity_inputs){0}).state, VALIDITY_VALID);
    end(&world);
}

static void parts_of_seconds_and_strange_ones(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    for (unsigned i = 0; i < 20; i++) {
        struct window *w = second_of(&world, 0);
        spoil_busy(w, true);
        spoil_lag(w, true);
        w->end_ns -= i % 2 == 0 ? 1 : 0;        /* the last one of a run */
        w->wall_ns = i % 2 == 0 ? NS_PER_S : 0; /* one that the shard slept over */
        validity_window(world.v, 0, w);
    }
    struct validity_result r = judge(&world, (struct validity_inputs){0});
    assert_int_equal(r.state, VALIDITY_VALID);
    assert_int_equal(r.evidence_count, 0);
    struct window *w = second_of(&world, 0); /* three seconds in one: the thread hung */
    w->wall_ns = 3 * NS_PER_S + 1;
    w->busy_ns = 3 * NS_PER_S;
    w->health.turn_p99_ns = 3 * NS_PER_S;
    validity_window(world.v, 0, w);
    r = judge(&world, (struct validity_inputs){0});
    assert_int_equal(r.state, VALIDITY_GENERATOR_BOUND);
    assert_int_equal(evidence(&r, "busy")->seconds, 3);
    end(&world);
}

static void quiet_networks_and_unknown_machines(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    for (unsigned i = 0; i < 20; i++) {
        struct window *w = second_of(&world, 0);
        w->health.segments_sent = 20; /* nobody answers */
        w->health.segments_retransmitted = 10;
        w->health.memory_limit_bytes = 0;
        validity_window(world.v, 0, w);
        w = second_of(&world, 1);
        spoil_steal(w, true);
        spoil_memory(w, true);
        w->health.has_process = false;
        validity_window(world.v, 1, w);
    }
    struct validity_result r = judge(&world, (struct validity_inputs){0});
    assert_int_equal(r.state, VALIDITY_VALID);
    assert_int_equal(r.evidence_count, 0);
    end(&world);
}

static const int names_owner[1];

static const char *worker_of(const void *owner, uint32_t source)
{
    static const char *const names[] = {"wkr_a", "wkr_b", "wkr_b"};

    assert_ptr_equal(owner, names_owner);
    return names[source];
}

/* Of several workers it says whose thread, or whose machine it is. */
static void evidence_names_the_worker(void **state)
{
    struct validity_inputs in = {.worker_of = worker_of, .owner = names_owner};
    struct world world;

    (void)state;
    begin(&world);
    for (unsigned i = 0; i < 20; i++) {
        for (uint32_t source = 0; source < 3; source++) {
            struct window *w = second_of(&world, source);
            operations(w, 500, 2 * NS_PER_MS, 5 * NS_PER_MS);
            w->health.has_process = source != 2;
            w->health.pressure_cpu = source == 1 ? 60 : 1;
            validity_window(world.v, source, w);
        }
    }
    struct validity_result r = judge(&world, in);
    assert_non_null(
        strstr(evidence(&r, "send_lag")->text, " s of shard 0 of worker wkr_a (and of 2 more)"));
    assert_non_null(strstr(evidence(&r, "pressure_cpu")->text, " s of worker wkr_b"));
    end(&world);
}

static void the_worst_of_several_sources_speaks(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    for (unsigned i = 0; i < 20; i++) {
        for (uint32_t source = 0; source < 3; source++) {
            struct window *w = second_of(&world, source);
            operations(w, 500, source == 0 ? 50000 : 2 * NS_PER_MS * source, 5 * NS_PER_MS);
            validity_window(world.v, source, w);
        }
    }
    struct validity_result r = judge(&world, (struct validity_inputs){0});
    const struct validity_evidence *e = evidence(&r, "send_lag");
    assert_int_equal(r.state, VALIDITY_GENERATOR_BOUND);
    assert_int_equal(e->source, 2);
    assert_in_range((uint64_t)(e->value * 1000), 3990, 4050);
    assert_string_equal(e->unit, "ms");
    assert_non_null(strstr(e->text, "requests sent late (p99): 4"));
    assert_non_null(strstr(e->text, "limit 1 ms, in 19 of 19 s of shard 2 (and of 1 more)"));
    end(&world);
}

/* The text of a run that dropped 1 of 10 operations. */
static void expect_delivery(struct world *world, struct validity_inputs in, const char *end)
{
    static const char begin[] = "1000 operations were due, 900 started, 100 dropped (0 past their "
                                "deadline, 100 without a free slot)";

    in.due = 1000;
    in.started = 900;
    in.dropped_no_slot = 100;
    struct validity_result r = judge(world, in);
    assert_int_equal(r.state, VALIDITY_UNDER_DELIVERED);
    const char *text = evidence(&r, "dropped")->text;
    assert_int_equal(strncmp(text, begin, strlen(begin)), 0);
    assert_string_equal(text + strlen(begin), end);
}

/* The cause is named: too few slots, or a limit of ours. */
static void what_was_dropped_has_its_cause(void **state)
{
    struct validity_inputs in = {.slots = 2, .slots_busy = 2.4, .slots_needed = 8};
    struct world world;

    (void)state;
    begin(&world);
    expect_delivery(&world, in,
                    "; at the target's mean service time this rate keeps about 2.4 slots busy (8 "
                    "with a margin for fluctuations), there were 2");
    in.slots = 8;
    expect_delivery(&world, in, "");
    in.slots = 3; /* enough on average, and the cap was in the way */
    in.max_rps = 50;
    in.held_by_rps = 70;
    expect_delivery(&world, in, "; safety.hard_caps.max_rps (50) held back 70 requests");
    in.max_connections = 4;
    in.held_by_connections = 1234567890123;
    in.slots_busy = 12.34; /* too few, whatever the caps do */
    in.slots_needed = 23;
    expect_delivery(&world, in,
                    "; safety.hard_caps.max_rps (50) held back 70 requests; 1234567890123 requests "
                    "waited for safety.hard_caps.max_connections (4); at the target's mean service "
                    "time this rate keeps about 12.3 slots busy (23 with a margin for "
                    "fluctuations), there were 3");
    end(&world);
}

static void the_first_state_that_applies(void **state)
{
    struct validity_inputs in = {
        .lost = "3 operations started, 2 reported",
        .own_operations = 2,
        .own_connects = 1,
        .due = 30000,
        .started = 29000,
        .dropped_deadline = 600,
        .dropped_no_slot = 400,
        .slots = 100,
        .slots_busy = 128.4,
        .slots_needed = 163,
        .undecided_criteria = 1,
        .undecided = "p99 needs 299 samples, there are 12",
    };
    struct world world;
    struct buf text;

    (void)state;
    begin(&world);
    buf_init(&text, 10000);
    struct validity_result r = judge(&world, in);
    assert_int_equal(r.state, VALIDITY_LOST_DATA);
    assert_int_equal(r.evidence_count, 4); /* all of it is listed */
    assert_int_equal(validity_write(&r, &text), 0);
    assert_string_equal(
        buf_c(&text),
        "3 operations started, 2 reported\n"
        "2 operations and 1 connection attempts failed on our own side (descriptors, ports, "
        "memory)\n"
        "30000 operations were due, 29000 started, 1000 dropped (600 past their deadline, 400 "
        "without a free slot); at the target's mean service time this rate keeps about 128 slots "
        "busy "
        "(163 with a margin for fluctuations), there were 100\n"
        "too few samples to decide 1 success criterion: p99 needs 299 samples, there are 12\n");
    in.lost = NULL;
    r = judge(&world, in);
    assert_int_equal(r.state, VALIDITY_GENERATOR_BOUND);
    in.own_operations = in.own_connects = 0;
    r = judge(&world, in);
    assert_int_equal(r.state, VALIDITY_UNDER_DELIVERED);
    in.dropped_no_slot = 0;
    in.dropped_deadline = 30; /* exactly 0.1 % */
    r = judge(&world, in);
    assert_int_equal(r.state, VALIDITY_INSUFFICIENT_SAMPLES);
    in.undecided_criteria = 0;
    r = judge(&world, in);
    assert_int_equal(r.state, VALIDITY_VALID);
    in.vus = 10;
    in.vus_gave_up = 1; /* users that ended make no load */
    r = judge(&world, in);
    assert_int_equal(r.state, VALIDITY_UNDER_DELIVERED);
    buf_clear(&text);
    end(&world);
}

static void network_only_without_the_generator(void **state)
{
    struct world world;

    (void)state;
    begin(&world);
    for (unsigned i = 0; i < 20; i++) {
        struct window *w = second_of(&world, 0);
        spoil_retransmits(w, true);
        spoil_steal(w, true);
        spoil_pressure_cpu(w, true);
        validity_window(world.v, 0, w);
    }
    struct validity_result r = judge(&world, (struct validity_inputs){0});
    assert_int_equal(r.state, VALIDITY_GENERATOR_BOUND);
    assert_int_equal(r.evidence_count, 3);
    assert_true(r.evidence[0].fail && r.evidence[1].fail && !r.evidence[2].fail);
    end(&world);
}

static void states_have_names(void **state)
{
    static const char *const names[] = {"lost_data",       "generator_bound",      "network_bound",
                                        "under_delivered", "insufficient_samples", "valid"};

    (void)state;
    for (unsigned i = 0; i < VALIDITY_STATE_COUNT; i++) {
        assert_string_equal(validity_state_name((enum validity_state)i), names[i]);
        assert_true(strlen(validity_state_meaning((enum validity_state)i)) > 10);
    }
    validity_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_healthy_run_is_valid),
        cmocka_unit_test(each_signal_warns_and_fails),
        cmocka_unit_test(limits_grow_with_the_service_time),
        cmocka_unit_test(few_operations_are_judged_together),
        cmocka_unit_test(parts_of_seconds_and_strange_ones),
        cmocka_unit_test(quiet_networks_and_unknown_machines),
        cmocka_unit_test(evidence_names_the_worker),
        cmocka_unit_test(the_worst_of_several_sources_speaks),
        cmocka_unit_test(what_was_dropped_has_its_cause),
        cmocka_unit_test(the_first_state_that_applies),
        cmocka_unit_test(network_only_without_the_generator),
        cmocka_unit_test(states_have_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
