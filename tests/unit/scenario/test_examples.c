/* SPDX-License-Identifier: MIT */
/* What we ship and what the fixtures promise. */
#include "base/clock.h"
#include "scenario/documents/documents.h"
#include "scenario/scenario.h"
#include "support/unit.h"

#include <dirent.h>

static const char *const metrics[] = {
    "error_rate",           "latency_p50_ms",        "latency_p99_ms",
    "stream_stall_count",   "stream_error_rate",     "events_per_second",
    "stream_stall_seconds", "stream_stalls_per_sec", "min_events_per_second",
};

enum { METRIC_COUNT = sizeof metrics / sizeof metrics[0], PATHS = 512 };

static const struct scenario_options options = {
    .metric_names = metrics,
    .metric_count = METRIC_COUNT,
};

static struct scenario *load_clean(const char *path, size_t warnings)
{
    struct issue_list issues = {0};
    struct scenario *s = NULL;
    struct err err = {0};

    if (scenario_load_file(path, &options, &s, &issues, &err) != 0) {
        fail_msg("%s: %s", path, err.msg);
    }
    for (size_t i = 0; issues.warning_count != warnings && i < issues.count; i++) {
        print_message("%s: %s %s\n", path, issues.items[i].json_pointer, issues.items[i].message);
    }
    assert_int_equal(issues.warning_count, warnings);
    issue_list_clear(&issues);
    return s;
}

static void test_quick_start(void **state)
{
    struct scenario *s = load_clean(SOURCE_DIR "/examples/quick-start.json", 0);

    (void)state;
    assert_string_equal(s->scenario_id, "quick-start");
    assert_int_equal(s->stage_count, 2);
    assert_int_equal(s->stages[1].duration_ns, 10 * NS_PER_S);
    assert_int_equal(s->stages[1].start_spread_ns, NS_PER_S);
    assert_int_equal(s->workload.mix_count, 2);
    assert_string_equal(s->workload.mix[1].tool_name, "fast_echo");
    assert_string_equal(s->workload.mix[1].arguments.text.p, "{\"message\":\"hello\"}");
    assert_string_equal(s->stages[1].conditions[0].id, "error_rate");
    assert_int_equal(s->environment.allowed_count, 1);
    scenario_free(s);
}

static void test_stream_stall(void **state)
{
    struct scenario *s = load_clean(SOURCE_DIR "/examples/scenarios/stream-stall-test.json", 0);

    (void)state;
    assert_int_equal(s->stages[1].target_vus, 10);
    assert_int_equal(s->target.timeouts.stream_stall_ns, 10 * NS_PER_S);
    assert_true(s->workload.templates[0].expects_streaming);
    assert_string_equal(s->workload.templates[0].arguments.text.p,
                        "{\"event_count\":5,\"interval_ms\":15000}");
    assert_int_equal(s->stages[1].conditions[0].comparator, COMPARE_GE);
    assert_int_equal(s->stages[1].conditions[0].on_trigger, TRIGGER_FAIL);
    scenario_free(s);
}

static json_t *load_json(const char *path)
{
    json_t *out = NULL;

    assert_int_equal(json_parse_file(path, JSON_TEXT_MAX, &out, NULL), 0);
    return out;
}

/* One issue in a line, so that differences are easy to read. */
static void write_expected(const char *path, const json_t *found)
{
    struct buf text;
    size_t i;
    json_t *issue;

    buf_init(&text, JSON_TEXT_MAX);
    buf_add_c(&text, "[");
    json_array_foreach(found, i, issue)
    {
        buf_add_c(&text, i == 0 ? "\n  " : ",\n  ");
        assert_int_equal(json_write(issue, &text), 0);
    }
    buf_add_c(&text, i == 0 ? "]\n" : "\n]\n");
    assert_int_equal(file_write(path, buf_str(&text), NULL), 0);
    buf_clear(&text);
}

/* NAME.json has the issues of NAME.expect: a list of [level, code, pointer, line]. */
static void check_fixture(const char *folder, const char *name)
{
    char path[PATHS];
    struct issue_list issues = {0};
    struct scenario *s = NULL;

    snprintf(path, sizeof path, "%s/%s.json", folder, name);
    scenario_load_file(path, &options, &s, &issues, NULL);
    json_t *found = json_array();
    for (size_t i = 0; i < issues.count; i++) {
        const struct issue *issue = &issues.items[i];
        assert_true(issue->message[0] != '\0');
        json_array_append_new(found,
                              json_pack("[sssi]", issue->level == ISSUE_ERROR ? "error" : "warning",
                                        issue->code, issue->json_pointer, (int)issue->line));
    }
    snprintf(path, sizeof path, "%s/%s.expect", folder, name);
    if (getenv("MCPDRILL_REGENERATE") != NULL) { /* NOLINT(concurrency-mt-unsafe) one thread */
        write_expected(path, found);
    }
    json_t *expected = load_json(path);
    if (!json_equal(found, expected)) {
        char *text = json_dumps(found, JSON_COMPACT);
        print_message("found %s: %s\n", name, text);
        free(text);
    }
    assert_true(json_equal(found, expected));
    assert_int_equal(s == NULL, issues.error_count > 0);
    json_decref(found);
    json_decref(expected);
    scenario_free(s);
    issue_list_clear(&issues);
}

static size_t check_folder(const char *folder)
{
    DIR *dir = opendir(folder);
    size_t count = 0;

    assert_non_null(dir);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe) one thread */
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        char name[256];
        size_t len = strlen(entry->d_name);

        if (len > 5 && strcmp(entry->d_name + len - 5, ".json") == 0) {
            snprintf(name, sizeof name, "%.*s", (int)(len - 5), entry->d_name);
            check_fixture(folder, name);
            count++;
        }
    }
    closedir(dir);
    return count;
}

static void test_good(void **state)
{
    (void)state;
    assert_true(check_folder(SOURCE_DIR "/tests/data/scenarios/good") >= 3);
}

static void test_bad(void **state)
{
    (void)state;
    assert_true(check_folder(SOURCE_DIR "/tests/data/scenarios/bad") >= 8);
}

static void test_missing_file(void **state)
{
    struct issue_list issues = {0};
    struct scenario *s = NULL;
    struct err err = {0};

    (void)state;
    assert_int_equal(scenario_load_file("/nonexistent/x.json", &options, &s, &issues, &err),
                     ERR_IO);
    assert_null(s);
    assert_int_equal(issues.count, 0);
}

/* The effective config is itself a scenario that means the same. */
static void test_explain_round_trip(void **state)
{
    struct scenario *s = load_clean(SOURCE_DIR "/examples/scenarios/stream-stall-test.json", 0);
    struct issue_list issues = {0};
    struct scenario *again = NULL;
    struct buf text;

    (void)state;
    buf_init(&text, JSON_TEXT_MAX);
    json_t *first = scenario_explain(s);
    assert_int_equal(json_write_pretty(first, &text), 0);
    assert_int_equal(scenario_load_text(buf_str(&text), &options, &again, &issues, NULL), 0);
    json_t *second = scenario_explain(again);
    assert_true(json_equal(first, second));
    assert_int_equal(
        json_integer_value(json_object_get(
            json_object_get(json_object_get(first, "target"), "timeouts"), "request_timeout_ms")),
        120000);
    json_decref(first);
    json_decref(second);
    issue_list_clear(&issues);
    buf_clear(&text);
    scenario_free(s);
    scenario_free(again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quick_start),  cmocka_unit_test(test_stream_stall),
        cmocka_unit_test(test_good),         cmocka_unit_test(test_bad),
        cmocka_unit_test(test_missing_file), cmocka_unit_test(test_explain_round_trip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
