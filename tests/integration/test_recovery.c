/* SPDX-License-Identifier: MIT */
/*
 * A run whose control plane ends at any moment and is made again: it has to come to the same
 * result, and to tell the same events, as if nothing had happened. The workers are made up: three
 * sources of two workers with random figures, delays and silences, which outlive their control
 * plane.
 */
#include "base/mem.h"
#include "base/rng.h"
#include "control/run.h"
#include "control/save.h"
#include "report/result/result.h"
#include "support/planned.h"
#include "support/unit.h"

#define MS NS_PER_MS

enum { SOURCES = 3, REPORTS_MAX = 400, STEPS_MAX = 4000, NEVER = 0 };

static uint64_t now_ns;
static const struct clock virtual_clock = {.virtual_ns = &now_ns};

struct source {
    uint64_t next;     /* second that it reports next */
    uint64_t at_ns;    /* … and when that arrives */
    uint64_t final_ns; /* its load has ended; 0: not yet */
    bool drained, dead;
};

/* What run_on_window was given. */
struct report {
    uint32_t source;
    uint64_t second, end_ns;
    uint32_t stage;
};

struct sim {
    uint64_t seed;
    struct planned planned;
    struct window *window;
    struct loop *loop;
    struct run *run;
    struct run_workers workers;
    struct source sources[SOURCES];
    uint64_t checks_ns; /* they are answered then; 0: not asked, or done */
    bool is_checked;
    uint64_t event_ns; /* somebody wants something then; 0: nobody */
    uint64_t grid_ns;
    struct report reports[REPORTS_MAX];
    size_t report_count;
    struct buf events; /* that were told, a line each */
    unsigned ends;
};

static uint64_t draw(const struct sim *s, uint64_t what, uint64_t index, uint64_t n)
{
    return rng_below(rng_at(rng_sub(s->seed, what), index), n);
}

/* ---- workers ----------------------------------------------------------------------------------
 */

/* When the report of a second arrives: shortly after its end, or when a silence is over. */
static uint64_t arrival_ns(const struct sim *s, uint32_t source, uint64_t second)
{
    uint64_t end_ns = s->grid_ns + (second + 1) * NS_PER_S;
    uint64_t silence = draw(s, 10 + source, second / 8, 3); /* in every third eight seconds */
    uint64_t first = second / 8 * 8 + draw(s, 20 + source, second / 8, 4);
    uint64_t length = 1 + draw(s, 30 + source, second / 8, 5);

    if (silence == 0 && second >= first && second < first + length) {
        end_ns = s->grid_ns + (first + length + 1) * NS_PER_S;
    }
    return end_ns + (1 + draw(s, 40 + source, second, 400)) * MS;
}

static void expect_report(struct sim *s, uint32_t i)
{
    struct source *source = &s->sources[i];
    uint64_t at_ns = arrival_ns(s, i, source->next);

    if (source->final_ns > 0 && source->final_ns + MS < at_ns) {
        at_ns = source->final_ns + MS;
    }
    source->at_ns = at_ns > source->at_ns ? at_ns : source->at_ns;
}

static void order_check(void *workers)
{
    struct sim *s = workers;

    s->checks_ns = now_ns + 30 * MS;
}

static void
order_stage(void *workers, uint32_t stage, uint64_t grid_ns, uint64_t start_ns, uint64_t end_ns)
{
    struct sim *s = workers;

    (void)end_ns;
    assert_true(start_ns >= now_ns);
    if (stage == 0) {
        s->grid_ns = grid_ns;
        for (uint32_t i = 0; i < SOURCES; i++) {
            expect_report(s, i);
        }
    }
}

static void end_load(struct sim *s, uint64_t most_ms)
{
    s->checks_ns = 0;
    for (uint32_t i = 0; i < SOURCES; i++) {
        uint64_t final_ns = now_ns + (1 + draw(s, 50, i, most_ms)) * MS;
        struct source *source = &s->sources[i];

        if (source->final_ns == 0 || final_ns < source->final_ns) {
            source->final_ns = final_ns;
            expect_report(s, i);
        }
    }
}

static void order_drain(void *workers, bool natural)
{
    (void)natural;
    end_load(workers, 4000);
}

static void order_stop(void *workers)
{
    end_load(workers, 100);
}

/* ---- windows ----------------------------------------------------------------------------------
 */

static void fill(struct sim *s, const struct report *report)
{
    uint64_t id = report->source * UINT64_C(100000) + report->second;
    uint64_t start_ns = s->grid_ns + report->second * NS_PER_S;
    struct window *w = s->window;
    uint32_t key = plan_key(s->planned.plan, report->stage, (uint32_t)draw(s, 60, id, 2));
    uint64_t count = draw(s, 61, id, 40), bad = draw(s, 62, report->second / 4, 3) == 0 ? 5 : 0;
    bool silent = report->second % 6 >= 3 && draw(s, 69, report->second / 6, 3) == 0;

    window_reset(w, report->second, start_ns, report->end_ns);
    w->stage_index = report->stage;
    w->gauges = (struct window_gauges){.active_vus = 1 + draw(s, 63, id, 5),
                                       .in_flight = draw(s, 64, id, 4)};
    w->busy_ns = draw(s, 65, id, NS_PER_S);
    w->wall_ns = NS_PER_S;
    w->gauges.in_flight += silent || report->second % 6 == 2;
    for (uint64_t i = 0; i < count && !silent; i++) {
        bool failed = i < bad;
        uint64_t due = start_ns + i * MS;
        struct outcome o = {.key = key,
                            .cls = failed ? OUTCOME_FAILED : OUTCOME_OK,
                            .error_code = failed ? ERROR_CODE_HTTP_5XX : ERROR_CODE_NONE,
                            .t_due = due,
                            .t_free = due,
                            .t_ready = due,
                            .t_send = due + draw(s, 66, id + i, MS),
                            .vu = (uint32_t)report->source,
                            .n = id * 100 + i,
                            .message = STR("it broke"),
                            .requests_sent = 1};

        o.t_end = o.t_send + MS + draw(s, 67, id + i, 50 * MS);
        o.error_type = error_code_type(o.error_code);
        o.origin = error_type_origin(o.error_type);
        window_started(w, key);
        if (s->planned.plan->stages[report->stage].levels.open_model) {
            window_key(w, key)->count[COUNT_DUE]++;
        }
        window_outcome(w, &o);
    }
    if (draw(s, 68, id, 20) == 0) {
        w->run.count[COUNT_VUS_GAVE_UP]++;
        window_limit(w, LIMIT_SSE_NAME);
    }
}

static void give(struct sim *s, uint32_t i)
{
    struct source *source = &s->sources[i];
    uint64_t start_ns = s->grid_ns + source->next * NS_PER_S, end_ns = start_ns + NS_PER_S;
    bool last = source->final_ns > 0 && end_ns >= source->final_ns;
    uint32_t stage = 0;

    while (stage + 1 < s->planned.plan->stage_count && s->run->stages[stage + 1].start_ns > 0 &&
           s->run->stages[stage + 1].start_ns <= start_ns) {
        stage++;
    }
    end_ns = last && source->final_ns > start_ns ? source->final_ns : end_ns;
    if (s->grid_ns > 0 && start_ns < end_ns && !(last && source->final_ns <= start_ns)) {
        assert_true(s->report_count < REPORTS_MAX);
        struct report *report = &s->reports[s->report_count++];
        *report = (struct report){i, source->next, end_ns, stage};
        fill(s, report);
        source->next++;
        run_on_window(s->run, i, s->window);
    }
    if (last || s->grid_ns == 0) {
        source->drained = true;
        run_on_drained(s->run, i);
    } else {
        expect_report(s, i);
    }
}

/* ---- the control plane ------------------------------------------------------------------------
 */

static void on_event(void *owner, const struct run_event *event)
{
    struct sim *s = owner;
    char *payload = json_dumps(event->payload, JSON_SORT_KEYS | JSON_COMPACT);

    assert_int_equal(buf_printf(&s->events, "%s %s %s %s\n", event->id + 16, event->type,
                                event->stage_id != NULL ? event->stage_id : "-", payload),
                     0);
    free(payload);
}

static void on_end(void *owner)
{
    ((struct sim *)owner)->ends++;
}

static const char *const metrics[] = {"error_rate", "ops_per_second", "operations_failed",
                                      "service_p95_ms"};

/* Of the seed: with and without preflight, a ramp, conditions that fire sometimes. */
static const char *scenario(uint64_t seed)
{
    static char text[3000];

    snprintf(
        text, sizeof text,
        "{'target': {'url': 'http://localhost/mcp'},"
        " 'workload': {'operation_mix': [{'operation': 'ping'}, {'operation': 'tools_list'}]},"
        " 'safety': {'stop_policy': {'mode': 'drain', 'drain_timeout_ms': %d}, "
        "'worker_failure_policy': 'best_effort',"
        "  'stop_conditions': [{'id': 'errors', 'metric': 'operations_failed', 'comparator': '>',"
        "   'threshold': %d, 'window_ms': 1000, 'sustain_windows': 1}, {'id': 'one', 'metric':"
        "   'error_rate', 'threshold': 0.8, 'window_ms': 2000, 'scope': {'label.zone': 'b'}}]},"
        " 'success_criteria': [{'id': 'ok', 'metric': 'error_rate', 'comparator': '<',"
        "   'threshold': 0.2}],"
        " 'stages': [%s{'stage': 'baseline', 'duration_ms': 5500, 'load': {'target_vus': 6},"
        "  'stop_conditions': [{'id': 'slow', 'metric': 'service_p95_ms', 'comparator': '>',"
        "   'threshold': 49.5, 'window_ms': 2000, 'sustain_windows': 2},"
        "  {'id': 'idle', 'metric': 'ops_per_second', 'comparator': '<', 'threshold': 15,"
        "   'window_ms': 2000, 'sustain_windows': 1}]},"
        " {'stage': 'ramp', 'duration_ms': 9000, 'load': {'target_vus': 8, 'target_rps': 40},"
        "  'ramp': {'mode': 'step', 'step_every_ms': 2000, 'step_rps': 10},"
        "  'stop_conditions': [{'id': 'bad', 'metric': 'error_rate', 'comparator': '>',"
        "   'threshold': %s, 'window_ms': 3000, 'sustain_windows': 2}]},"
        " {'stage': 'soak', 'duration_ms': 4000, 'load': {'target_vus': 6}}]}",
        seed % 3 == 0 ? 2000 : 10000, seed % 4 == 0 ? 60 : 100000,
        seed % 2 == 0 ? "{'stage': 'preflight', 'duration_ms': 2000, 'load': {'target_vus': 1}}, "
                      : "",
        seed % 5 == 0 ? "0.3" : "0.99");
    return text;
}

static const char *const zones[] = {"zone=a", "zone=b"};
static const struct run_source named[SOURCES] = {
    {"wkr_0000000000000001", &zones[0], 1},
    {"wkr_0000000000000001", &zones[0], 1},
    {"wkr_0000000000000002", &zones[1], 1},
};

static void make_run(struct sim *s)
{
    struct run_parts parts = {.plan = s->planned.plan,
                              .identity = &s->planned.identity,
                              .workers = &s->workers,
                              .workers_owner = s,
                              .observer = {.on_event = on_event, .on_end = on_end, .owner = s}};

    assert_int_equal(loop_new(&virtual_clock, &s->loop, NULL), 0);
    assert_int_equal(run_new(s->loop, &parts, &s->run, NULL), 0);
}

static void set_up(struct sim *s, uint64_t seed)
{
    now_ns = 5000 * NS_PER_S;
    *s = (struct sim){.seed = seed};
    buf_init(&s->events, 1 << 20);
    planned_make(&s->planned, scenario(seed), metrics, sizeof metrics / sizeof metrics[0]);
    s->window = window_new(s->planned.plan->key_count, 0, 0);
    s->workers = (struct run_workers){.check = order_check,
                                      .stage = order_stage,
                                      .drain = order_drain,
                                      .stop = order_stop,
                                      .source_count = SOURCES,
                                      .sources = named};
    /* Sometimes somebody stops it, or a worker is lost. */
    s->event_ns = seed % 3 == 1 ? now_ns + (1 + draw(s, 1, 0, 20000)) * MS : 0;
    make_run(s);
    run_emit_created(s->run);
    run_start(s->run);
}

static void tear_down(struct sim *s)
{
    run_free(s->run);
    loop_free(s->loop);
    window_free(s->window);
    buf_clear(&s->events);
    planned_clear(&s->planned);
}

/* The process ends, and another one takes over. */
static void start_anew(struct sim *s)
{
    json_t *saved = run_save(s->run), *read;
    struct buf text;
    struct err err;

    buf_init(&text, 1 << 20);
    assert_int_equal(json_write(saved, &text), 0);
    assert_int_equal(json_parse(buf_str(&text), 1 << 20, &read, NULL), 0);
    run_free(s->run);
    loop_free(s->loop);
    make_run(s);
    if (run_restore(s->run, read, &err) != 0) {
        fail_msg("%s", err.msg);
    }
    for (size_t i = 0; i < s->report_count; i++) {
        fill(s, &s->reports[i]);
        run_replay_window(s->run, s->reports[i].source, s->window);
    }
    run_resume(s->run, 0);
    json_decref(saved);
    json_decref(read);
    buf_clear(&text);
}

/* ---- one thing after the other ----------------------------------------------------------------
 */

static void answer_checks(struct sim *s)
{
    struct check_list checks = {.count = 1,
                                .items = {{.name = "handshake", .ok = true, .message = "fine"}},
                                .request_count = 1,
                                .requests = {{"initialize", 1}},
                                .server_name = "made up"};

    s->checks_ns = 0;
    s->is_checked = true;
    run_on_checks(s->run, &checks);
}

static void meddle(struct sim *s)
{
    s->event_ns = 0;
    if (draw(s, 2, 0, 2) == 0) {
        run_stop_request(s->run, STOP_DRAIN, 0, "user");
        return;
    }
    s->sources[2].dead = draw(s, 3, 0, 2) == 0; /* else it was only cut off, and comes back */
    run_on_worker_lost(s->run, named[2].worker_id, 3);
}

/* Of all that is to come the first: its time; `*who` is a source, or beyond. */
static uint64_t next_thing(const struct sim *s, uint32_t *who)
{
    uint64_t first = UINT64_MAX;

    for (uint32_t i = 0; i < SOURCES; i++) {
        const struct source *source = &s->sources[i];
        if (!source->drained && !source->dead && source->at_ns > 0 && source->at_ns < first) {
            first = source->at_ns;
            *who = i;
        }
    }
    if (s->checks_ns > 0 && s->checks_ns < first) {
        first = s->checks_ns;
        *who = SOURCES;
    }
    if (s->event_ns > 0 && s->event_ns < first) {
        first = s->event_ns;
        *who = SOURCES + 1;
    }
    return first;
}

static void do_thing(struct sim *s, uint32_t who)
{
    if (who < SOURCES) {
        give(s, who);
    } else if (who == SOURCES) {
        answer_checks(s);
    } else {
        meddle(s);
    }
}

/* Timers between two things are steps of their own. Each `every`-th step, from `first` on, ends the
 * control plane; 0: none does. Returns the number of steps. */
static unsigned play(struct sim *s, unsigned first, unsigned every)
{
    unsigned step = 0;

    while (!run_state_terminal(s->run->state)) {
        uint32_t who = 0;
        uint64_t at_ns = next_thing(s, &who), pause_ns = now_ns + 500 * MS;
        bool is_thing = at_ns <= pause_ns;

        assert_true(step < STEPS_MAX);
        loop_run_virtual(s->loop, &now_ns, is_thing ? at_ns : pause_ns);
        if (is_thing && step % 2 == 1 && !run_state_terminal(s->run->state)) {
            do_thing(s, who);
        }
        if (every > 0 && step >= first && (step - first) % every == 0 &&
            !run_state_terminal(s->run->state)) {
            start_anew(s);
        }
        step++;
    }
    assert_int_equal(s->ends, 1);
    return step;
}

/* Without what is of the clock on the wall. */
static char *result_of(const struct sim *s)
{
    static const char *const passing[] = {"started_at", "ended_at", "duration_ms", "environment"};
    json_t *result = result_json(s->run);

    for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++) {
        json_object_del(result, passing[i]);
    }
    char *text = json_dumps(result, JSON_INDENT(1) | JSON_SORT_KEYS);
    json_decref(result);
    return text;
}

/* The first line in which they differ. */
static void
expect_same(const char *what, uint64_t seed, unsigned kill, const char *a, const char *b)
{
    size_t i = 0, line = 0;

    while (a[i] != '\0' && a[i] == b[i]) {
        line = a[i] == '\n' ? i + 1 : line;
        i++;
    }
    if (a[i] != b[i]) {
        fail_msg("%s of seed %llu, killed from step %u on:\n%.400s\nis not\n%.400s", what,
                 (unsigned long long)seed, kill, b + line, a + line);
    }
}

static void compare(struct sim *whole, uint64_t seed, unsigned first, unsigned every)
{
    struct sim s;
    char *wanted = result_of(whole);

    set_up(&s, seed);
    play(&s, first, every);
    expect_same("events", seed, first, buf_c(&whole->events), buf_c(&s.events));
    char *is = result_of(&s);
    expect_same("result", seed, first, wanted, is);
    free(wanted);
    free(is);
    tear_down(&s);
}

static void a_run_that_is_made_again_ends_as_it_would_have(void **state)
{
    unsigned ends[RUN_STOP_COUNT] = {0}, partial = 0, silent = 0;

    (void)state;
    for (uint64_t seed = 1; seed <= 24; seed++) {
        struct sim whole;

        set_up(&whole, seed);
        unsigned steps = play(&whole, 0, 0);
        ends[whole.run->stop.kind]++;
        partial += strstr(buf_c(&whole.run->warnings), "is looked at without") != NULL;
        silent += strstr(buf_c(&whole.run->warnings), "nothing ended") != NULL;
        for (unsigned i = 0; i < 4; i++) {
            compare(&whole, seed, (unsigned)draw(&whole, 4, i, steps), STEPS_MAX);
        }
        compare(&whole, seed, 0, seed % 6 == 0 ? 1 : 9);
        tear_down(&whole);
    }
    /* The runs were of all kinds. */
    assert_true(ends[RUN_STOP_COMPLETED] > 0 && ends[RUN_STOP_CONDITION] > 0 &&
                ends[RUN_STOP_REQUESTED] > 0 && ends[RUN_STOP_WORKER_LOST] > 0);
    assert_true(partial > 2 && silent > 2);
}

/* Nothing has begun, and nothing is due. */
static void a_run_that_waits_for_its_start_waits_on(void **state)
{
    struct sim s;

    (void)state;
    set_up(&s, 3);
    run_free(s.run);
    loop_free(s.loop);
    s.checks_ns = 0;
    make_run(&s);
    run_emit_created(s.run);
    start_anew(&s);
    assert_int_equal(s.run->state, RUN_CREATED);
    loop_run_virtual(s.loop, &now_ns, now_ns + 100 * NS_PER_S);
    run_emit_recovered(s.run, "the server was stopped");
    assert_non_null(strstr(buf_c(&s.events), "00000001 SYSTEM_RECOVERY - "
                                             "{\"reason\":\"the server was stopped\","
                                             "\"resumed\":true}\n"));
    run_start(s.run);
    play(&s, 0, 0);
    assert_int_equal(s.run->state, RUN_COMPLETED);
    tear_down(&s);
}

/* ---- documents that are not as they should be -------------------------------------------------
 */

/* A run without its first process, and the document that it left. */
static json_t *save_in_the_middle(struct sim *s)
{
    set_up(s, 2);
    while (s->run->stage < 1) {
        uint32_t who = 0;
        uint64_t at_ns = next_thing(s, &who);

        loop_run_virtual(s->loop, &now_ns, at_ns);
        do_thing(s, who);
    }
    json_t *saved = run_save(s->run);
    run_free(s->run);
    loop_free(s->loop);
    return saved;
}

static int restore(struct sim *s, const json_t *saved, struct err *err)
{
    make_run(s);
    int rc = run_restore(s->run, saved, err);
    run_free(s->run);
    loop_free(s->loop);
    return rc;
}

static void another_boot_is_told(void **state)
{
    struct sim s;
    struct err err = {0};

    (void)state;
    json_t *saved = save_in_the_middle(&s), *clock = json_object_get(saved, "clock");
    json_int_t wall_ms = json_integer_value(json_object_get(clock, "wall_ms"));
    assert_int_equal(restore(&s, saved, &err), 0);
    json_object_set_new(clock, "wall_ms", json_integer(wall_ms - 3600 * 1000));
    assert_int_equal(restore(&s, saved, &err),
                     ERR_STATE); /* an hour that the clock does not know */
    assert_non_null(strstr(err.msg, "started anew"));
    json_object_set_new(clock, "wall_ms", json_integer(wall_ms));
    json_object_set_new(clock, "now_ns", json_integer((json_int_t)(now_ns + NS_PER_S)));
    assert_int_equal(restore(&s, saved, &err), ERR_STATE); /* it has run back */
    json_object_set_new(saved, "version", json_integer(0));
    assert_int_equal(restore(&s, saved, &err), ERR_INVALID);
    json_decref(saved);
    make_run(&s);
    tear_down(&s);
}

/* Takes each member away, one at a time, and puts something else in its place. */
static unsigned spoil(struct sim *s, const json_t *saved, json_t *object)
{
    const char *key;
    json_t *value;
    void *next;
    unsigned count = 0;

    json_object_foreach_safe(object, next, key, value)
    {
        struct err err = {0};

        json_incref(value);
        json_object_set_new(object, key, json_real(1.5)); /* nothing is one */
        if (restore(s, saved, &err) != ERR_INVALID) {
            fail_msg("'%s' may be anything", key);
        }
        count++;
        json_object_set(object, key, value);
        if (json_is_object(value)) {
            count += spoil(s, saved, value);
        } else if (json_is_array(value) && json_is_object(json_array_get(value, 0))) {
            count += spoil(s, saved, json_array_get(value, 0));
        }
        json_decref(value);
    }
    return count;
}

static void a_document_of_another_kind_is_refused(void **state)
{
    struct sim s;
    struct err err;

    (void)state;
    json_t *saved = save_in_the_middle(&s), *nothing = json_object();
    assert_true(spoil(&s, saved, saved) > 50);
    assert_int_equal(restore(&s, nothing, &err), ERR_INVALID);
    json_array_remove(json_object_get(saved, "stages"), 0); /* of another plan */
    assert_int_equal(restore(&s, saved, &err), ERR_INVALID);
    json_decref(saved);
    json_decref(nothing);
    make_run(&s);
    tear_down(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_that_is_made_again_ends_as_it_would_have),
        cmocka_unit_test(a_run_that_waits_for_its_start_waits_on),
        cmocka_unit_test(another_boot_is_told),
        cmocka_unit_test(a_document_of_another_kind_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
