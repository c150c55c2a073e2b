/* SPDX-License-Identifier: MIT */
/* From a scenario file to the bytes of a call, and back from its answer to the verdict. */
#include "base/json.h"
#include "support/planned.h"

#include <unistd.h>

#define STAGE "'stages': [{'stage': 'baseline', 'duration_ms': 10000, 'load': {'target_vus': 10}}]"
#define URL   "'target': {'url': 'http://localhost/mcp'}"

static void make(struct planned *p, const char *workload)
{
    char text[4096];

    snprintf(text, sizeof text, "{" URL ", 'workload': {%s}, " STAGE "}", workload);
    planned_make(p, text, NULL, 0);
}

static struct plan_values values_of(const struct plan *p, uint64_t vu, uint64_t n)
{
    return (struct plan_values){.stage_id = "stg_1",
                                .vu = vu,
                                .op_seq = n,
                                .draw = plan_draw(p, vu, n),
                                .ordinal = n,
                                .wall_ms = 1700000000123};
}

/* The arguments that an operation sends. */
static json_t *arguments_of(const struct plan *p, uint64_t vu, uint64_t n)
{
    struct plan_values v = values_of(p, vu, n);
    struct buf text;
    json_t *message = NULL;

    buf_init(&text, 1 << 20);
    buf_add_c(&text, "{\"id\":1");
    assert_int_equal(plan_text_write(p, &p->operations[0].tail, &v, &text), 0);
    assert_int_equal(json_parse(buf_str(&text), 1 << 20, &message, NULL), 0);
    json_t *arguments = json_object_get(json_object_get(message, "params"), "arguments");
    json_incref(arguments);
    json_decref(message);
    buf_clear(&text);
    return arguments;
}

/* The answer of a server that gives a call's arguments back. */
static void verify_echo(
    const struct plan *p, json_t *arguments, uint64_t vu, uint64_t n, struct verify_result *out)
{
    const struct verify_caller caller = {.tag = p->nonce_tag, .vu = vu, .n = n};
    json_t *answer = json_pack("{s:i,s:{s:O}}", "id", 1, "result", "echo", arguments);
    struct buf text;

    buf_init(&text, 1 << 20);
    json_write(answer, &text);
    verifier_apply(p->operations[0].verifier, buf_str(&text), &caller, out);
    buf_clear(&text);
    json_decref(answer);
}

static void values_have_their_types(void **state)
{
    struct planned p;

    (void)state;
    make(&p, "'payload_profiles': [{'profile_id': 'doc', 'kind': 'json', 'size_bytes': {"
             "'distribution': 'uniform', 'min': 20, 'max': 40}}], "
             "'operation_mix': [{'operation': 'tools_call', 'tool_name': 'echo', 'arguments': {"
             "'n': '${random_int:1:6}', 'doc': '${payload:doc}', 'at': '${timestamp_ms}', "
             "'id': '${uuid}', 'pick': '${random_choice:red|green}'}}]");
    for (uint64_t n = 0; n < 50; n++) {
        json_t *a = arguments_of(p.plan, 3, n), *again = arguments_of(p.plan, 3, n);

        assert_true(json_equal(a, again));
        assert_in_range(json_integer_value(json_object_get(a, "n")), 1, 6);
        assert_true(json_is_object(json_object_get(a, "doc")));
        assert_true(json_integer_value(json_object_get(a, "at")) == 1700000000123);
        assert_int_equal(json_string_length(json_object_get(a, "id")), 36);
        const char *pick = json_string_value(json_object_get(a, "pick"));
        assert_true(strcmp(pick, "red") == 0 || strcmp(pick, "green") == 0);
        json_decref(a);
        json_decref(again);
    }
    planned_clear(&p);
}

static void rows_come_from_a_file(void **state)
{
    char path[] = "/tmp/rows-XXXXXX", workload[1000];
    struct planned p;

    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(file_write(path, STR("user,age\nann,7\nbob,8\n"), NULL), 0);
    snprintf(workload, sizeof workload,
             "'data': [{'name': 'users', 'path': '%s', 'format': 'csv'}], 'operation_mix': [{"
             "'operation': 'tools_call', 'tool_name': 'echo', 'arguments': {"
             "'user': '${data:users.user}', 'line': '${data:users.user} is ${data:users.age}'}}]",
             path);
    make(&p, workload);
    unlink(path);
    json_t *a = arguments_of(p.plan, 0, 5);
    assert_string_equal(json_string_value(json_object_get(a, "user")), "bob");
    assert_string_equal(json_string_value(json_object_get(a, "line")), "bob is 8");
    json_decref(a);
    planned_clear(&p);
}

static void an_echo_belongs_to_its_caller(void **state)
{
    struct planned p;
    struct verify_result r;

    (void)state;
    make(&p, "'integrity': true, 'operation_mix': [{'operation': 'tools_call', "
             "'tool_name': 'echo', 'arguments': {'message': 'hi'}}]");
    assert_true(p.plan->operations[0].has_nonce);
    json_t *mine = arguments_of(p.plan, 4, 9), *theirs = arguments_of(p.plan, 8, 2);
    verify_echo(p.plan, mine, 4, 9, &r);
    assert_int_equal(r.kind, VERIFY_OK);
    assert_true(r.own_nonce);
    verify_echo(p.plan, theirs, 4, 9, &r);
    assert_int_equal(r.kind, VERIFY_MISMATCH);
    assert_string_equal(r.text, "answer of VU 8, operation 2 came to VU 4, operation 9");
    json_decref(mine);
    json_decref(theirs);
    planned_clear(&p);
}

static void checks_and_metrics_of_a_template(void **state)
{
    struct planned p;
    struct verify_result r;

    (void)state;
    make(&p, "'metrics': [{'name': 'dice', 'kind': 'trend', 'pointer': '/echo/n', "
             "'tool_name': 'roll'}], 'operation_mix': [{'operation': 'tools_call'}], "
             "'tools': {'templates': [{'template_id': 't', 'tool_name': 'roll', "
             "'arguments': {'n': '${random_int:1:6}'}, 'checks': [{'id': 'low', "
             "'pointer': '/echo/n', 'max': 3}]}]}");
    for (uint64_t n = 0; n < 50; n++) {
        json_t *a = arguments_of(p.plan, 1, n);
        json_int_t dice = json_integer_value(json_object_get(a, "n"));

        verify_echo(p.plan, a, 1, n, &r);
        assert_int_equal(r.kind, dice <= 3 ? VERIFY_OK : VERIFY_CHECK_FAILED);
        assert_int_equal(r.custom_count, 1);
        assert_true((json_int_t)r.customs[0].value == dice);
        json_decref(a);
    }
    planned_clear(&p);
}

static void headers_vary(void **state)
{
    struct planned p;
    struct buf head;

    (void)state;
    planned_make(&p,
                 "{'target': {'url': 'http://localhost/mcp', 'headers': {'X-Request-Id': "
                 "'${uuid}'}}, 'workload': {'operation_mix': [{'operation': 'ping'}]}, " STAGE "}",
                 NULL, 0);
    assert_true(plan_text_varies(&p.plan->head));
    buf_init(&head, 10000);
    struct plan_values v = values_of(p.plan, 1, 1);
    assert_int_equal(plan_text_write(p.plan, &p.plan->head, &v, &head), 0);
    const char *line = strstr(buf_c(&head), "X-Request-Id: ");
    assert_non_null(line);
    assert_int_equal(strcspn(line, "\r"), strlen("X-Request-Id: ") + 36);
    buf_clear(&head);
    planned_clear(&p);
}

/* Each text that a redacted header may be sent with is masked. */
static void secrets_that_vary(void **state)
{
    static const struct str said = STR_INIT("no: TOPSECRETAAA1, TOPSECRETBBB2, key-1 of tail-2");
    struct planned p;
    char out[200];

    (void)state;
    planned_make(&p,
                 "{'target': {'url': 'http://localhost/mcp', 'headers': {"
                 "'Authorization': 'Bearer ${random_choice:TOPSECRETAAA1|TOPSECRETBBB2}',"
                 "'Cookie': 'key-1${random_int:1:9}tail-2'}},"
                 "'workload': {'operation_mix': [{'operation': 'ping'}]}, " STAGE "}",
                 NULL, 0);
    out[secrets_mask(&p.plan->secrets, said, out, sizeof out - 1)] = '\0';
    assert_string_equal(out, "no: [redacted], [redacted], [redacted] of [redacted]");
    planned_clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_have_their_types),
        cmocka_unit_test(rows_come_from_a_file),
        cmocka_unit_test(an_echo_belongs_to_its_caller),
        cmocka_unit_test(checks_and_metrics_of_a_template),
        cmocka_unit_test(headers_vary),
        cmocka_unit_test(secrets_that_vary),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
