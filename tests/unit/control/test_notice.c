/* SPDX-License-Identifier: MIT */
/* What a run says at its end of what never succeeded. */
#include "control/run_priv.h"
#include "support/planned.h"
#include "support/unit.h"

#define CALL "{'operation': 'tools/call', 'weight': 1}"

/* Operations: a, b, c in both stages. */
static const char *const three_tools =
    "{'target': {'url': 'http://localhost/mcp'},"
    " 'workload': {'operation_mix': [" CALL "],"
    "  'tools': {'selection': {'mode': 'weighted'}, 'templates': ["
    "   {'template_id': 'a', 'tool_name': 'echo', 'arguments': {}},"
    "   {'template_id': 'b', 'tool_name': 'search', 'arguments': {}},"
    "   {'template_id': 'c', 'tool_name': 'search', 'arguments': {}}]}},"
    " 'stages': [{'stage': 'baseline', 'duration_ms': 1000, 'load': {'target_vus': 1}},"
    "            {'stage': 'ramp', 'duration_ms': 1000, 'load': {'target_vus': 1}}]}";

struct world {
    struct planned planned;
    struct window *window;
    struct run run;
    unsigned events;
};

static void on_event(void *owner, const struct run_event *event)
{
    struct world *w = owner;

    assert_string_equal(event->type, "SYSTEM_WARNING");
    assert_true(json_is_string(json_object_get(event->payload, "warning")));
    w->events++;
}

static void set_up(struct world *w, const char *scenario)
{
    static const struct aggregate_key no_names[64];

    *w = (struct world){0};
    planned_make(&w->planned, scenario, NULL, 0);
    const struct plan *p = w->planned.plan;
    assert_in_range(p->key_count, 1, 64);
    w->window = window_new(p->key_count, 0, 0);
    window_reset(w->window, 0, 0, NS_PER_S);
    w->run = (struct run){.plan = p,
                          .books = aggregate_new(no_names, p->key_count, p->stage_count, 1, 0, 10),
                          .stage = -1,
                          .verdict = RUN_PASSED,
                          .stop = {.kind = RUN_STOP_COMPLETED},
                          .observer_ = {.on_event = on_event, .owner = w}};
    buf_init(&w->run.warnings, 1 << 16);
}

static void end_operations(struct world *w, uint32_t stage, uint32_t operation, int count, bool ok)
{
    struct outcome o = {.key = plan_key(w->planned.plan, stage, operation),
                        .cls = ok ? OUTCOME_OK : OUTCOME_FAILED,
                        .t_due = 1,
                        .t_send = 1,
                        .t_end = 2};

    if (!ok) {
        o.error_type = ERROR_TYPE_TOOL_ERROR;
        o.error_code = ERROR_CODE_TOOL_ERROR;
        o.origin = ERROR_ORIGIN_TOOL;
    }
    for (int i = 0; i < count; i++) {
        window_started(w->window, o.key);
        window_outcome(w->window, &o);
    }
}

static void expect_notices(struct world *w, unsigned count, const char *lines)
{
    aggregate_add(w->run.books, 0, w->window);
    notice_failures(&w->run);
    assert_string_equal(buf_c(&w->run.warnings), lines);
    assert_int_equal(w->events, count);
}

static void tear_down(struct world *w)
{
    buf_clear(&w->run.warnings);
    aggregate_free(w->run.books);
    window_free(w->window);
    planned_clear(&w->planned);
}

static void test_all_well(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, three_tools);
    end_operations(&w, 0, 0, 3, true);
    expect_notices(&w, 0, "");
    tear_down(&w);
}

static void test_one_never_succeeded(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, three_tools);
    end_operations(&w, 0, 0, 3, true);
    end_operations(&w, 0, 1, 2, false); /* in both stages … */
    end_operations(&w, 1, 1, 3, false);
    end_operations(&w, 0, 2, 4, false); /* … this one comes right in the second */
    end_operations(&w, 1, 2, 1, true);
    expect_notices(&w, 1,
                   "tools/call search [b] never succeeded: all 5 failed; the errors say why\n");
    tear_down(&w);
}

static void test_nothing_succeeded(void **state)
{
    static const char *const line =
        "every operation failed; the run has passed because no criterion says that it must not, "
        "for example --expect 'error_rate < 1 %'\n";
    struct world w;

    (void)state;
    set_up(&w, three_tools);
    end_operations(&w, 0, 0, 2, false);
    expect_notices(&w, 1, line);
    tear_down(&w);

    /* Somebody has judged it already. */
    set_up(&w, three_tools);
    w.run.criterion_count = 1;
    end_operations(&w, 0, 0, 2, false);
    expect_notices(&w, 0, "");
    tear_down(&w);
}

static void test_nothing_ended(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, three_tools);
    expect_notices(&w, 1, "no operation ended in the load: nothing was measured\n");
    tear_down(&w);
}

/* Entries of the mix that differ in what they send are told apart. */
static void test_entries_of_one_tool(void **state)
{
    static const char *const two_entries =
        "{'target': {'url': 'http://localhost/mcp'}, 'workload': {'operation_mix': ["
        "  {'operation': 'tools/call', 'tool_name': 'echo', 'arguments': {'a': 1}},"
        "  {'operation': 'tools/call', 'tool_name': 'echo', 'arguments': {'a': 2}}]},"
        " 'stages': [{'stage': 'baseline', 'duration_ms': 1000, 'load': {'target_vus': 1}}]}";
    struct world w;

    (void)state;
    set_up(&w, two_entries);
    end_operations(&w, 0, 0, 2, true);
    end_operations(&w, 0, 1, 3, false);
    expect_notices(
        &w, 1,
        "tools/call echo [operation_mix[1]] never succeeded: all 3 failed; the errors say why\n");
    tear_down(&w);
}

/* Names of any length and script: the event is JSON all the same. */
static void test_long_names(void **state)
{
    static char scenario[4000], name[400];
    struct world w;

    (void)state;
    for (size_t i = 0; i + 3 < sizeof name; i += 3) {
        memcpy(name + i, "\xe6\x96\x87", 4);
    }
    snprintf(scenario, sizeof scenario,
             "{'target': {'url': 'http://localhost/mcp'},"
             " 'workload': {'operation_mix': [" CALL ",{'operation': 'ping', 'weight': 1}],"
             "  'tools': {'templates': [{'template_id': 'a', 'tool_name': '%s',"
             "                           'arguments': {}}]}},"
             " 'stages': [{'stage': 'baseline', 'duration_ms': 1000, 'load': {'target_vus': 1}}]}",
             name);
    set_up(&w, scenario);
    end_operations(&w, 0, 0, 1, false);
    end_operations(&w, 0, 1, 1, true);
    aggregate_add(w.run.books, 0, w.window);
    notice_failures(&w.run);
    assert_int_equal(w.events, 1);
    tear_down(&w);
}

/* What warns is said once, with how often and what to do; what is only told is not. */
static void test_limits(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, three_tools);
    w.window->limits[LIMIT_ADDRESSES] = 3;
    w.window->limits[LIMIT_SSE_NAME] = 5;
    aggregate_add(w.run.books, 0, w.window);
    notice_limits(&w.run);
    assert_string_equal(buf_c(&w.run.warnings),
                        "limit addresses (16 addresses of the target's name): 3 addresses, by each "
                        "thread: further ones were never tried. What to do: name one address in "
                        "target.url\n");
    assert_int_equal(w.events, 1);
    assert_int_equal(run_limit(&w.run, LIMIT_SSE_NAME), 5);
    tear_down(&w);
}

/* Whatever holds load back warns, also what the scenario itself has asked for. */
static void test_limits_that_hold_load_back(void **state)
{
    static const enum limit holding[] = {LIMIT_MAX_RPS, LIMIT_MAX_CONNECTIONS, LIMIT_MAX_VUS,
                                         LIMIT_GAVE_UP, LIMIT_JOURNEY_LISTS,   LIMIT_STREAM_GRACE,
                                         LIMIT_GOODBYE};
    struct world w;

    (void)state;
    for (size_t i = 0; i < sizeof holding / sizeof holding[0]; i++) {
        set_up(&w, three_tools);
        w.window->limits[holding[i]] = 400;
        aggregate_add(w.run.books, 0, w.window);
        notice_limits(&w.run);
        assert_int_equal(w.events, 1);
        assert_non_null(strstr(buf_c(&w.run.warnings), ": 400 "));
        if (holding[i] == LIMIT_MAX_RPS) {
            assert_string_equal(
                buf_c(&w.run.warnings),
                "limit max_rps (`safety.hard_caps.max_rps`): 400 requests of the load: they "
                "waited before they were sent: the target saw less load than was "
                "ordered, or saw it later. What to do: raise the cap, or order "
                "fewer users or a lower rate\n");
        }
        tear_down(&w);
    }
}

/* A stage of the file that a cap has cut. No window tells of it. */
static void test_a_stage_that_was_cut(void **state)
{
    static const char *const cut = "{'target': {'url': 'http://localhost/mcp'},"
                                   " 'workload': {'operation_mix': [{'operation': 'ping'}]},"
                                   " 'safety': {'hard_caps': {'max_vus': 8, 'max_rps': 100}},"
                                   " 'stages': [{'stage': 'baseline', 'duration_ms': 1000,"
                                   "             'load': {'target_vus': 20, 'target_rps': 1000}}]}";
    struct world w;

    (void)state;
    set_up(&w, cut);
    notice_limits(&w.run);
    assert_string_equal(
        buf_c(&w.run.warnings),
        "limit cut_vus (`safety.hard_caps.max_vus`): 12 virtual users of the stage that lost most: "
        "they were ordered and never began: each stage above the cap was cut to it. What to do: "
        "raise the cap, or order fewer users\n"
        "limit cut_rps (`safety.hard_caps.max_rps`): 900 operations per second of the stage that "
        "lost most: they were ordered and never due: each stage above the cap was cut to it. What "
        "to do: raise the cap, or order a lower rate\n");
    assert_int_equal(w.events, 2);
    tear_down(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_well),
        cmocka_unit_test(test_one_never_succeeded),
        cmocka_unit_test(test_nothing_succeeded),
        cmocka_unit_test(test_nothing_ended),
        cmocka_unit_test(test_entries_of_one_tool),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_limits_that_hold_load_back),
        cmocka_unit_test(test_a_stage_that_was_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
