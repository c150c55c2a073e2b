/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "support/planned.h"

#define STAGE "'stages': [{'stage': 'baseline', 'duration_ms': 10000, 'load': {'target_vus': 10}}]"
#define URL   "'target': {'url': 'http://localhost/mcp'}"

static void make(struct planned *p, const char *workload)
{
    char text[4096];

    snprintf(text, sizeof text, "{" URL ", 'workload': {%s}, " STAGE "}", workload);
    planned_make(p, text, NULL, 0);
}

static const struct plan_values values = {.stage_id = "stg_1", .vu = 17, .op_seq = 4, .token = 99};

/* The request of an operation, as the client puts it together. */
static json_t *message_of(const struct plan_operation *op, const struct plan_values *v)
{
    struct buf text;
    json_t *out = NULL;
    struct err err = {0};

    buf_init(&text, 1 << 20);
    buf_add_c(&text, "{\"jsonrpc\":\"2.0\",\"id\":7");
    assert_int_equal(plan_text_write(NULL, &op->tail, v, &text), 0);
    int rc = json_parse(buf_str(&text), 1 << 20, &out, &err);
    if (rc != 0) {
        print_error("%s: %s\n", buf_c(&text), err.msg);
    }
    assert_int_equal(rc, 0);
    buf_clear(&text);
    return out;
}

static const char *text_at(json_t *message, const char *a, const char *b)
{
    json_t *v = json_object_get(json_object_get(message, "params"), a);

    return json_string_value(b != NULL ? json_object_get(v, b) : v);
}

/* ---- messages ---------------------------------------------------------------------------------
 */

static void each_operation_is_a_valid_request(void **state)
{
    static const struct {
        const char *mix, *method, *param, *value;
    } cases[] = {
        {"{'operation': 'tools_list'}", "tools/list", NULL, NULL},
        {"{'operation': 'resources_list'}", "resources/list", NULL, NULL},
        {"{'operation': 'prompts_list'}", "prompts/list", NULL, NULL},
        {"{'operation': 'ping'}", "ping", NULL, NULL},
        {"{'operation': 'tools_call', 'tool_name': 'echo'}", "tools/call", "name", "echo"},
        {"{'operation': 'prompts_get', 'prompt_name': 'gr\\u00e4t'}", "prompts/get", "name",
         "gr\xc3\xa4t"},
        {"{'operation': 'resources_read', 'uri': 'mem://a/b'}", "resources/read", "uri",
         "mem://a/b"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct planned p;
        char workload[500];

        snprintf(workload, sizeof workload, "'operation_mix': [%s]", cases[i].mix);
        make(&p, workload);
        json_t *m = message_of(&p.plan->operations[0], &values);
        assert_string_equal(json_string_value(json_object_get(m, "method")), cases[i].method);
        if (cases[i].param != NULL) {
            assert_string_equal(text_at(m, cases[i].param, NULL), cases[i].value);
        }
        json_decref(m);
        planned_clear(&p);
    }
}

static void placeholders_are_filled_in(void **state)
{
    struct planned p;

    (void)state;
    make(&p, "'operation_mix': [{'operation': 'tools_call', 'tool_name': 'echo', 'arguments': {"
             "'run': '${run_id}', 'vu': 'user ${vu_id}', 'n': '${op_seq}', 'stage': "
             "'${stage_id}', 'scenario': '${scenario_id}', 'worker': '${worker_id}', "
             "'execution': '${execution_id}', 'plain': '$run {x}'}}]");
    json_t *m = message_of(&p.plan->operations[0], &values);
    assert_string_equal(text_at(m, "arguments", "run"), "run_1");
    assert_string_equal(text_at(m, "arguments", "vu"), "user vu_17");
    assert_string_equal(text_at(m, "arguments", "n"), "4");
    assert_string_equal(text_at(m, "arguments", "stage"), "stg_1");
    assert_string_equal(text_at(m, "arguments", "scenario"), p.scenario->scenario_id);
    assert_string_equal(text_at(m, "arguments", "worker"), "worker_1");
    assert_string_equal(text_at(m, "arguments", "execution"), "exe_1");
    assert_string_equal(text_at(m, "arguments", "plain"), "$run {x}");
    assert_false(p.plan->operations[0].tail.is_static);
    json_decref(m);
    planned_clear(&p);
}

static void what_never_changes_is_one_literal(void **state)
{
    struct planned p;

    (void)state;
    make(&p, "'operation_mix': [{'operation': 'tools_call', 'tool_name': 'echo', 'arguments': "
             "{'run': '${run_id}'}}]");
    assert_true(p.plan->operations[0].tail.is_static);
    assert_true(p.plan->head.is_static);
    planned_clear(&p);
}

static void a_streaming_call_asks_for_progress(void **state)
{
    struct planned p;

    (void)state;
    make(&p, "'operation_mix': [{'operation': 'tools_call'}], 'tools': {'templates': ["
             "{'template_id': 't', 'tool_name': 'echo', 'expects_streaming': true}]}");
    json_t *m = message_of(&p.plan->operations[0], &values);
    json_t *meta = json_object_get(json_object_get(m, "params"), "_meta");
    assert_int_equal(json_integer_value(json_object_get(meta, "progressToken")), 99);
    assert_true(p.plan->operations[0].expects_streaming);
    json_decref(m);
    planned_clear(&p);
}

static void a_cursor_is_passed_on(void **state)
{
    struct planned p;
    struct plan_values next = values;

    (void)state;
    make(&p, "'operation_mix': [{'operation': 'tools_list'}]");
    assert_true(p.plan->operations[0].paged);
    json_t *m = message_of(&p.plan->operations[0], &values);
    assert_null(text_at(m, "cursor", NULL));
    json_decref(m);
    next.cursor = "\"} \\ \n\x01";
    m = message_of(&p.plan->operations[0], &next);
    assert_string_equal(text_at(m, "cursor", NULL), next.cursor);
    json_decref(m);
    planned_clear(&p);
}

/* ---- the head ---------------------------------------------------------------------------------
 */

static void head_of(const char *target, struct buf *out)
{
    struct planned p;
    char text[2000];

    snprintf(text, sizeof text,
             "{'target': {'url': 'http://localhost/mcp'%s}, 'workload': {'operation_mix': "
             "[{'operation': 'ping'}]}, " STAGE "}",
             target);
    planned_make(&p, text, NULL, 0);
    buf_init(out, 10000);
    assert_int_equal(plan_text_write(NULL, &p.plan->head, &values, out), 0);
    planned_clear(&p);
}

static unsigned occurrences(struct buf *text, const char *what)
{
    unsigned n = 0;

    for (const char *at = buf_c(text); (at = strstr(at, what)) != NULL; at++) {
        n++;
    }
    return n;
}

static void the_head_identifies_us(void **state)
{
    struct buf head;

    (void)state;
    head_of("", &head);
    assert_int_equal(strncmp(buf_c(&head), " /mcp HTTP/1.1\r\n", 16), 0);
    assert_int_equal(occurrences(&head, "Host: peer\r\n"), 1);
    assert_int_equal(occurrences(&head, "Accept: application/json, text/event-stream\r\n"), 1);
    assert_int_equal(occurrences(&head, "Content-Type: application/json\r\n"), 1);
    assert_int_equal(occurrences(&head, "run_1"),
                     2); /* identification and user agent name the run */
    assert_int_equal(occurrences(&head, "User-Agent: "), 1);
    assert_int_equal(occurrences(&head, "Content-Length"), 0);
    assert_string_equal(buf_c(&head) + head.len - 2, "\r\n");
    buf_clear(&head);
}

static void headers_of_the_file_override_ours(void **state)
{
    struct buf head;

    (void)state;
    head_of(", 'headers': {'user-agent': 'mine', 'ACCEPT': 'text/x', 'X-Vu': 'v ${vu_id} "
            "{{run_id}}'}",
            &head);
    assert_int_equal(occurrences(&head, "user-agent: mine\r\n"), 1);
    assert_int_equal(occurrences(&head, "User-Agent"), 0);
    assert_int_equal(occurrences(&head, "ACCEPT: text/x\r\n"), 1);
    assert_int_equal(occurrences(&head, "Accept:"), 0);
    assert_int_equal(occurrences(&head, "X-Vu: v vu_17 run_1\r\n"), 1);
    buf_clear(&head);
}

/* ---- choices ----------------------------------------------------------------------------------
 */

static void picks_are_reproducible_and_follow_the_weights(void **state)
{
    static const char mix[] =
        "'seed': 5, 'operation_mix': [{'operation': 'tools_list', 'weight': 1}, "
        "{'operation': 'tools_call', 'weight': 5}, {'operation': 'ping', 'weight': 2}], "
        "'tools': {'templates': [{'template_id': 'a', 'tool_name': 'x', 'weight': 3}, "
        "{'template_id': 'b', 'tool_name': 'y', 'weight': 1}]}";
    static const double shares[] = {1.0 / 8, 5.0 / 8 * 3 / 4, 5.0 / 8 / 4, 2.0 / 8};
    enum { N = 40000 };
    struct planned p, again;
    double counts[4] = {0}, chi2 = 0;

    (void)state;
    make(&p, mix);
    make(&again, mix);
    assert_int_equal(p.plan->operation_count, 4);
    for (uint64_t vu = 0; vu < 4; vu++) {
        for (uint64_t n = 0; n < N / 4; n++) {
            uint32_t i = plan_pick(p.plan, vu, n, &(uint32_t){0});
            assert_true(i < 4);
            assert_int_equal(plan_pick(again.plan, vu, n, &(uint32_t){0}), i);
            counts[i]++;
        }
    }
    for (int i = 0; i < 4; i++) {
        double want = N * shares[i];
        chi2 += (counts[i] - want) * (counts[i] - want) / want;
    }
    assert_true(chi2 < 16.3);
    /* Two users do not walk in step. */
    unsigned same = 0;
    for (uint64_t n = 0; n < 1000; n++) {
        same += plan_pick(p.plan, 0, n, &(uint32_t){0}) == plan_pick(p.plan, 1, n, &(uint32_t){0});
    }
    assert_in_range(same, 200, 500);
    planned_clear(&p);
    planned_clear(&again);
}

static void round_robin_keeps_to_the_weights(void **state)
{
    struct planned p;
    uint32_t counts[3] = {0}, turn = 0, before = UINT32_MAX;

    (void)state;
    make(&p, "'operation_mix': [{'operation': 'tools_call'}], 'tools': {"
             "'selection': {'mode': 'round_robin'}, 'templates': ["
             "{'template_id': 'a', 'tool_name': 'a', 'weight': 3},"
             "{'template_id': 'b', 'tool_name': 'b', 'weight': 2},"
             "{'template_id': 'c', 'tool_name': 'c', 'weight': 1}]}");
    for (uint64_t n = 0; n < 600; n++) {
        uint32_t i = plan_pick(p.plan, 7, n, &turn);
        assert_true(turn < 6);
        assert_true(i != before || i == 0); /* spread: only the heaviest comes twice in a row */
        counts[i]++;
        before = i;
    }
    assert_int_equal(counts[0], 300);
    assert_int_equal(counts[1], 200);
    assert_int_equal(counts[2], 100);
    /* Arrivals go by their number. */
    memset(counts, 0, sizeof counts);
    for (uint64_t i = 0; i < 60; i++) {
        counts[plan_pick_arrival(p.plan, i)]++;
    }
    assert_int_equal(counts[0], 30);
    assert_int_equal(counts[2], 10);
    planned_clear(&p);
}

/* What cannot be told apart has one row; what can, has a name for it. */
static void entries_of_one_tool_have_names(void **state)
{
    static const char *const labels[] = {"operation_mix[0]", "operation_mix[1]", NULL, NULL};
    struct planned p;

    (void)state;
    make(&p, "'operation_mix': ["
             "{'operation': 'tools_call', 'tool_name': 'a', 'arguments': {'x': 1}},"
             "{'operation': 'tools_call', 'tool_name': 'a', 'arguments': {'x': 2}},"
             "{'operation': 'tools_call', 'tool_name': 'b', 'arguments': {'x': 1}},"
             "{'operation': 'tools_call', 'tool_name': 'a', 'arguments': {'x': 1}},"
             "{'operation': 'ping'}, {'operation': 'ping'}]");
    assert_int_equal(p.plan->operation_count, 4);
    for (uint32_t i = 0; i < 4; i++) {
        const char *label = p.plan->operations[i].template_id;

        assert_int_equal(label == NULL, labels[i] == NULL);
        assert_true(label == NULL || strcmp(label, labels[i]) == 0);
    }
    assert_int_equal(p.plan->mix[3].first_operation, 0);
    assert_int_equal(p.plan->mix[5].first_operation, p.plan->mix[4].first_operation);
    planned_clear(&p);
}

static void think_times_stay_in_their_range(void **state)
{
    struct planned p;
    uint64_t least = UINT64_MAX, most = 0;

    (void)state;
    make(&p, "'operation_mix': [{'operation': 'ping'}], 'think_time': {'mode': 'jitter', "
             "'base_ms': 100, 'jitter_ms': 50}");
    for (uint64_t n = 0; n < 10000; n++) {
        uint64_t t = plan_think_ns(p.plan, n % 10, n);
        least = t < least ? t : least;
        most = t > most ? t : most;
    }
    assert_in_range(least, 100 * UINT64_C(1000000), 101 * UINT64_C(1000000));
    assert_in_range(most, 149 * UINT64_C(1000000), 150 * UINT64_C(1000000) - 1);
    assert_int_equal(plan_think_ns(p.plan, 3, 4), plan_think_ns(p.plan, 3, 4));
    planned_clear(&p);
    make(&p, "'operation_mix': [{'operation': 'ping'}]");
    assert_int_equal(plan_think_ns(p.plan, 3, 4), 0);
    planned_clear(&p);
}

static void users_start_evenly_over_the_spread(void **state)
{
    struct planned p;

    (void)state;
    planned_make(&p,
                 "{" URL ", 'workload': {'operation_mix': [{'operation': 'ping'}]}, 'stages': ["
                 "{'stage': 'baseline', 'duration_ms': 10000, 'load': {'target_vus': 10, "
                 "'start_spread_ms': 1000}}]}",
                 NULL, 0);
    for (uint32_t vu = 0; vu < 10; vu++) {
        assert_int_equal(plan_start_ns(p.plan, 0, 0, 0, p.plan->stages[0].levels.vus, vu),
                         vu * UINT64_C(100000000));
    }
    /* Those that run already start at once; the others share the whole spread. */
    assert_int_equal(plan_start_ns(p.plan, 0, 0, 6, 10, 3), 0);
    assert_int_equal(plan_start_ns(p.plan, 0, 0, 6, 10, 6), 0);
    assert_int_equal(plan_start_ns(p.plan, 0, 0, 6, 10, 8), UINT64_C(500000000));
    assert_int_equal(plan_start_ns(p.plan, 0, 0, 10, 10, 10), 0);
    planned_clear(&p);
}

static void disabled_stages_and_caps(void **state)
{
    struct planned p;

    (void)state;
    planned_make(&p,
                 "{" URL ", 'workload': {'operation_mix': [{'operation': 'ping'}]}, 'stages': ["
                 "{'stage': 'preflight', 'enabled': false, 'duration_ms': 1000, 'load': "
                 "{'target_vus': 9}},"
                 "{'stage': 'baseline', 'duration_ms': 10000, 'load': {'target_vus': 7}}]}",
                 NULL, 0);
    assert_int_equal(p.plan->stage_count, 1);
    assert_int_equal(p.plan->stages[0].levels.vus, 7);
    assert_int_equal(p.plan->max_vus, 7);
    assert_int_equal(p.plan->key_count, 1);
    planned_clear(&p);
}

/* A ramp begins where the stage before has come to, not where that one wanted to go. */
static void a_ramp_goes_on_from_an_unfinished_one(void **state)
{
    static const struct {
        uint64_t t_ms;
        double rps;
    } second[] = {{0, 40}, {1000, 60}, {2000, 80}};
    struct planned p;

    (void)state;
    planned_make(&p,
                 "{" URL ", 'workload': {'operation_mix': [{'operation': 'ping'}]}, 'stages': ["
                 "{'stage': 'ramp', 'duration_ms': 2000, 'load': {'target_rps': 200, "
                 "'target_vus': 5}, 'ramp': {'start_rps': 20, 'step_rps': 20, "
                 "'step_every_ms': 1000}},"
                 "{'stage': 'ramp', 'duration_ms': 3000, 'load': {'target_rps': 200, "
                 "'target_vus': 5}, 'ramp': {'step_rps': 20, 'step_every_ms': 1000}}]}",
                 NULL, 0);
    for (size_t i = 0; i < sizeof second / sizeof second[0]; i++) {
        assert_float_equal(plan_rate(p.plan, 1, second[i].t_ms * NS_PER_MS), second[i].rps, 1e-9);
    }
    assert_int_equal(p.plan->stages[1].end_arrival - p.plan->stages[1].first_arrival, 180);
    planned_clear(&p);
}

/* A sample_rate takes its share; without one every success has a rank, and the number is bounded.
 */
static void successes_for_the_log(void **state)
{
    static const struct {
        const char *log;
        double share;
        uint32_t of_shard;
    } cases[] = {
        {"'enabled': true", 1, 2000},
        /* The queue's depth is no bound of a second. */
        {"'enabled': true, 'sample_rate': 1", 1, 262144},
        {"'enabled': true, 'sample_rate': 0.25", 0.25, 262144},
        {"'enabled': true, 'sample_rate': 0", 0, 262144},
        {"'enabled': false", 1, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct planned p;
        char text[500];
        double ranked = 0, low = 0;

        snprintf(text, sizeof text,
                 "{" URL ", 'telemetry': {'structured_logs': {%s}}, 'safety': {'hard_caps': "
                 "{'max_telemetry_q_depth': 5000}}, 'workload': {'operation_mix': [{'operation': "
                 "'ping'}]}, 'stages': [{'duration_ms': 1000}]}",
                 cases[i].log);
        planned_make(&p, text, NULL, 0);
        for (uint64_t n = 0; n < 10000; n++) {
            uint32_t rank = plan_log_rank(p.plan, plan_draw(p.plan, 3, n));

            ranked += rank > 0;
            low += rank > 0 && rank <= UINT32_MAX / 2;
        }
        assert_float_equal(ranked / 10000, cases[i].share, 0.02);
        /* Which ones stay has nothing to do with which ones the rate took. */
        assert_float_equal(low / 10000, cases[i].share / 2, 0.02);
        assert_int_equal(plan_log_successes(p.plan), cases[i].of_shard);
        planned_clear(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_operation_is_a_valid_request),
        cmocka_unit_test(placeholders_are_filled_in),
        cmocka_unit_test(what_never_changes_is_one_literal),
        cmocka_unit_test(a_streaming_call_asks_for_progress),
        cmocka_unit_test(a_cursor_is_passed_on),
        cmocka_unit_test(the_head_identifies_us),
        cmocka_unit_test(headers_of_the_file_override_ours),
        cmocka_unit_test(picks_are_reproducible_and_follow_the_weights),
        cmocka_unit_test(round_robin_keeps_to_the_weights),
        cmocka_unit_test(entries_of_one_tool_have_names),
        cmocka_unit_test(think_times_stay_in_their_range),
        cmocka_unit_test(users_start_evenly_over_the_spread),
        cmocka_unit_test(disabled_stages_and_caps),
        cmocka_unit_test(a_ramp_goes_on_from_an_unfinished_one),
        cmocka_unit_test(successes_for_the_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
