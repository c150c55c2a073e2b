/* SPDX-License-Identifier: MIT */
#include "control/origin.h"
#include "support/planned.h"
#include "support/unit.h"

#define SCENARIO                                                                          \
    "{'target': {'url': 'http://localhost/mcp', 'headers': {'Authorization': 'Bearer "    \
    "abcd-1234'}},"                                                                       \
    " 'metadata': {'name': 'at http://u:pw@h/', 'description': 'with abcd-1234', 'tags':" \
    "   {'team': 'a', 'token': 'b', 'kept': 'c'}},"                                       \
    " 'workload': {'operation_mix': [{'operation': 'ping'}]}, 'stages': [{'duration_ms': 1000}]}"

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

/* Whoever writes a key into a label, or an address with a password, has it in no file. */
static void labels_have_no_secrets(void **state)
{
    struct planned p;
    struct run_origin o;
    struct err err = {0};

    (void)state;
    planned_make(&p, SCENARIO, NULL, 0);
    json_t *tags = json_pack("{ssssss}", "team", "see abcd-1234", "jwt", "x.y.z", "page",
                             "https://h/?code=7&page=2");
    assert_int_equal(origin_make(&o, p.plan, 0, NULL, "on http://u:pw@h/x", tags, &err), 0);
    assert_string_equal(o.name, "on http://[redacted]@h/x");
    assert_string_equal(o.description, "with [redacted]");
    assert_int_equal(json_object_size(o.tags), 5);
    assert_string_equal(text_of(o.tags, "team"), "see [redacted]");
    assert_string_equal(text_of(o.tags, "jwt"), "[redacted]");
    assert_string_equal(text_of(o.tags, "token"), "[redacted]");
    assert_string_equal(text_of(o.tags, "page"), "https://h/?code=[redacted]&page=2");
    assert_string_equal(text_of(o.tags, "kept"), "c");
    origin_clear(&o);
    assert_int_equal(origin_make(&o, p.plan, 0, NULL, NULL, NULL, &err), 0);
    assert_string_equal(o.name, "at http://[redacted]@h/");
    assert_null(o.created_by);
    assert_int_equal(json_object_size(o.tags), 3);
    origin_clear(&o);
    planned_clear(&p);
}

/* Words of a command line that are JSON stay it. */
static void arguments_stay_json(void **state)
{
    char run[] = "run", args[] = "--args",
         json[] = "{\"message\":\"x\",\"auth\":{\"pass\":\"hunter2\"}}";
    char *argv[] = {run, args, json};
    struct planned p;
    struct run_origin o;
    struct err err = {0};

    (void)state;
    planned_make(&p, SCENARIO, NULL, 0);
    assert_int_equal(origin_make(&o, p.plan, 3, argv, NULL, NULL, &err), 0);
    assert_int_equal(json_array_size(o.command_line), 3);
    assert_string_equal(json_string_value(json_array_get(o.command_line, 2)),
                        "{\"message\":\"x\",\"auth\":{\"pass\":\"[redacted]\"}}");
    origin_clear(&o);
    planned_clear(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_have_no_secrets),
        cmocka_unit_test(arguments_stay_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
