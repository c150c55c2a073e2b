/* SPDX-License-Identifier: MIT */
/* Conditions and criteria whose scope names workers. */
#include "unit/control/run_world.h"

#define SCOPED(scope)                                                             \
    "{'stage': 'baseline', 'duration_ms': 12000, 'load': {'target_vus': 2}, "     \
    "'stop_conditions': [{'id': 'c', 'metric': 'error_rate', 'comparator': '>', " \
    "'threshold': 0.4, 'window_ms': 3000, 'sustain_windows': 1, 'scope': {" scope "}}]}"

/* Half of what one worker does fails: a third of everything. */
static void expect_stop(const char *stage, const char *sentence)
{
    struct world w;

    set_up(&w, "", stage);
    w.failed_on[1] = 10;
    run_for(&w, 30 * NS_PER_S);
    if (sentence == NULL) {
        expect_end(&w, RUN_COMPLETED, 0);
    } else {
        expect_end(&w, RUN_STOPPED, 4);
        assert_string_equal(w.run->stop.sentence, sentence);
    }
    tear_down(&w);
}

static void a_condition_sees_the_workers_of_its_scope(void **state)
{
    (void)state;
    expect_stop(SCOPED("'worker_id': 'wkr_0000000000000002'"),
                "error_rate{worker_id=wkr_0000000000000002} was 50 % (n=60), limit 40 %, in a "
                "window of 3 s");
    expect_stop(SCOPED("'label.zone': 'b'"),
                "error_rate{label.zone=b} was 50 % (n=60), limit 40 %, in a window of 3 s");
    expect_stop(SCOPED("'label.zone': 'b', 'label.disk': 'ssd', 'operation': 'ping'"),
                "error_rate{operation=ping, label.zone=b, label.disk=ssd} was 50 % (n=60), limit "
                "40 %, in a window of 3 s");
    /* The others are well, and so are all of them together. */
    expect_stop(SCOPED("'worker_id': 'wkr_0000000000000001'"), NULL);
    expect_stop(SCOPED("'label.zone': 'a'"), NULL);
    expect_stop(SCOPED("'label.disk': 'ssd'"), NULL);
    expect_stop(SCOPED("'label.zone': 'b', 'worker_id': 'wkr_0000000000000001'"), NULL);
    expect_stop(SCOPED(""), NULL);
}

static void a_scope_without_a_worker_is_told(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "", SCOPED("'label.zone': 'c'"));
    assert_non_null(strstr(buf_c(&w.run->warnings), "matches the scope label.zone=c"));
    assert_non_null(strstr(w.events, "preflight_running SYSTEM_WARNING"));
    run_for(&w, 30 * NS_PER_S);
    expect_end(&w, RUN_COMPLETED, 0);
    tear_down(&w);
}

/* A silent worker is no reason to call the figures of another one partial. */
static void only_its_own_workers_make_a_scope_partial(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "'stop_policy': {'mode': 'immediate'}",
           SCOPED("'worker_id': 'wkr_0000000000000002'"));
    run_for(&w, LEAD_NS + 2500 * MS);
    w.silent[0] = true;
    w.failed_on[1] = 10;
    run_for(&w, 10 * NS_PER_S);
    assert_int_equal(w.run->stop.kind, RUN_STOP_CONDITION);
    assert_false(w.partial);
    tear_down(&w);
}

static void criteria_have_scopes_too(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, "",
           "{'stage': 'baseline', 'duration_ms': 3000, 'load': {'target_vus': 2}, "
           "'success_criteria': ["
           "{'id': 'a', 'metric': 'error_rate', 'comparator': '<', 'threshold': 0.1, "
           "'scope': {'label.zone': 'a'}}, "
           "{'id': 'b', 'metric': 'error_rate', 'comparator': '<', 'threshold': 0.1, "
           "'scope': {'label.zone': 'b'}}, "
           "{'id': 'c', 'metric': 'error_rate', 'comparator': '<', 'threshold': 0.1, "
           "'scope': {'label.zone': 'c'}}]}");
    w.failed_on[1] = 10;
    run_for(&w, 30 * NS_PER_S);
    expect_end(&w, RUN_COMPLETED, 4);
    assert_int_equal(w.run->criteria[0].state, CRITERION_MET);
    assert_int_equal(w.run->criteria[1].state, CRITERION_FAILED);
    assert_string_equal(w.run->criteria[1].sentence,
                        "error_rate{label.zone=b} was 50 %, wanted < 10 %");
    assert_int_equal(w.run->criteria[2].state, CRITERION_NO_VALUE);
    tear_down(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_condition_sees_the_workers_of_its_scope),
        cmocka_unit_test(a_scope_without_a_worker_is_told),
        cmocka_unit_test(only_its_own_workers_make_a_scope_partial),
        cmocka_unit_test(criteria_have_scopes_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
