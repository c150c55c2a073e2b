/* SPDX-License-Identifier: MIT */
#include "report/files/junit.h"
#include "report/result/result.h"
#include "unit/report/run_fixture.h"

static void assert_report(const json_t *result, const char *want)
{
    struct buf out;

    buf_init(&out, JUNIT_TEXT_MAX);
    assert_int_equal(junit_write(result, &out), 0);
    assert_string_equal(buf_c(&out), want);
    buf_clear(&out);
}

static void test_rich_run(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open_rich(&f);
    fixture_rich_run(&f);
    f.run.verdict = RUN_VERDICT_FAILED;
    f.run.checked = true;
    f.run.checks.count = 2;
    f.run.checks.items[0] =
        (struct check){.name = "network", .ok = true, .latency_ns = 320 * NS_PER_US};
    f.run.checks.items[1] = (struct check){.name = "handshake",
                                           .latency_ns = 1500 * NS_PER_US,
                                           .code = ERROR_CODE_HTTP_STATUS,
                                           .number = 404,
                                           .message = "404 \x1b & <Not\tFound>\xef\xbf\xbf\x80",
                                           .remediation = "Name the \"path\"."};
    json_t *result = result_json(&f.run);

    json_object_set_new(result, "config_hash", json_string("abc"));
    assert_report(
        result,
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<testsuites tests=\"10\" failures=\"4\" errors=\"0\" skipped=\"0\" time=\"20.500\">\n"
        "  <testsuite name=\"A \xef\xbf\xbd[31m&quot;rich\xef\xbf\xbd&quot; &lt;run&gt;\" "
        "tests=\"10\" failures=\"4\" errors=\"0\" skipped=\"0\" time=\"20.500\" "
        "timestamp=\"2026-01-01T00:00:00.250Z\">\n"
        "    <properties>\n"
        "      <property name=\"run_id\" value=\"run_00000000000000010000\"/>\n"
        "      <property name=\"scenario_id\" value=\"rich\"/>\n"
        "      <property name=\"name\" value=\"A \xef\xbf\xbd[31m&quot;rich\xef\xbf\xbd&quot; "
        "&lt;run&gt;\"/>\n"
        "      <property name=\"config_hash\" value=\"abc\"/>\n"
        "      <property name=\"verdict\" value=\"failed\"/>\n"
        "      <property name=\"seed\" value=\"7\"/>\n"
        "      <property name=\"limit.trend\" value=\"20 numbers\"/>\n"
        "    </properties>\n"
        "    <testcase classname=\"mcpdrill.finding\" name=\"integrity_mismatch\" "
        "time=\"0.000\">\n"
        "      <failure message=\"2 answers went to the wrong caller\">answer of VU 12, operation "
        "77 came to VU 5, operation 80</failure>\n"
        "    </testcase>\n"
        "    <testcase classname=\"mcpdrill.preflight\" name=\"network\" time=\"0.000\"/>\n"
        "    <testcase classname=\"mcpdrill.preflight\" name=\"handshake\" time=\"0.002\">\n"
        "      <failure message=\"404 \xef\xbf\xbd &amp; &lt;Not&#9;Found&gt;\xef\xbf\xbd\xef\xbf"
        "\xbd\">Name the &quot;path&quot;.</failure>\n"
        "    </testcase>\n"
        "    <testcase classname=\"mcpdrill.criterion\" name=\"fast: "
        "latency_p95_ms{tool_name=fast_echo} &lt; 500 ms\" time=\"0.000\"/>\n"
        "    <testcase classname=\"mcpdrill.criterion\" name=\"clean: error_rate &lt; 0.1 %\" "
        "time=\"0.000\">\n"
        "      <failure message=\"error_rate was 0.1 %, wanted &lt; 0.1 %\"/>\n"
        "    </testcase>\n"
        "    <testcase classname=\"mcpdrill.criterion\" name=\"streams: stream_completion_rate "
        "&gt;= 100 %\" time=\"0.000\">\n"
        "      <failure message=\"stream_completion_rate has no value, wanted &gt;= 100 %: nothing "
        "was measured\"/>\n"
        "    </testcase>\n"
        "    <testcase classname=\"mcpdrill.condition\" name=\"too_slow: latency_p99_ms &gt; 5 s "
        "for 2 x 2 s\" time=\"0.000\"/>\n"
        "    <testcase classname=\"mcpdrill.run\" name=\"end\" time=\"20.500\"/>\n"
        "    <testcase classname=\"mcpdrill.run\" name=\"validity\" time=\"0.000\"/>\n"
        "    <testcase classname=\"mcpdrill.run\" name=\"books\" time=\"0.000\"/>\n"
        "  </testsuite>\n"
        "</testsuites>\n");
    json_decref(result);
    fixture_close(&f);
}

/* The text of the failure of the case with this name; NULL when it passed. */
static const char *failure_of(const struct run *r, const char *name, char out[256])
{
    json_t *result = result_json(r);
    char find[128];
    struct buf xml;

    buf_init(&xml, JUNIT_TEXT_MAX);
    assert_int_equal(junit_write(result, &xml), 0);
    snprintf(find, sizeof find, " name=\"%s", name);
    const char *at = strstr(buf_c(&xml), find);
    assert_non_null(at);
    const char *line_end = strchr(at, '\n');
    out[0] = '\0';
    if (line_end[-2] != '/') {
        at = strstr(at, "message=\"") + 9;
        snprintf(out, 256, "%.*s", (int)strcspn(at, "\""), at);
    }
    buf_clear(&xml);
    json_decref(result);
    return out[0] != '\0' ? out : NULL;
}

static void test_what_ended_the_run_fails(void **state)
{
    struct fixture f;
    char text[256];

    (void)state;
    fixture_open(&f);
    for (uint64_t second = 0; second < 4; second++) {
        for (uint32_t source = 0; source < FIXTURE_SOURCES; source++) {
            struct window *w = fixture_window(&f, second);

            fixture_stalled_stream(w, FIXTURE_ECHO, 10 * NS_PER_S);
            fixture_send(&f, source, w);
        }
    }
    f.run.triggered = stop_evaluate(f.run.conditions, f.run.books, 4, &f.run.trigger);
    assert_true(f.run.triggered);
    f.run.stop.kind = RUN_STOP_CONDITION;
    snprintf(f.run.stop.sentence, sizeof f.run.stop.sentence, "it was too slow");
    assert_string_equal(failure_of(&f.run, "too_slow", text), "it was too slow");
    assert_null(failure_of(&f.run, "end", text));
    /* The sources did not say that they had finished. */
    assert_non_null(failure_of(&f.run, "books", text));
    f.run.validity = "generator_bound";
    assert_string_equal(failure_of(&f.run, "validity", text), "generator_bound");
    f.run.stop.kind = RUN_STOP_MAX_DURATION;
    assert_string_equal(failure_of(&f.run, "end", text), "it was too slow");
    /* Reaching it is what was wanted. */
    struct stop_spec spec = f.spec;
    spec.on_trigger = STOP_PASS;
    stop_free(f.run.conditions);
    f.run.conditions = stop_new(&spec, 1);
    stop_stage_begin(f.run.conditions, 0, 0);
    assert_true(stop_evaluate(f.run.conditions, f.run.books, 4, &f.run.trigger));
    assert_null(failure_of(&f.run, "too_slow", text));
    fixture_close(&f);
}

static void test_documents_that_are_no_results(void **state)
{
    static const char *const documents[] = {
        "null",
        "[1, 2]",
        "{}",
        "{\"checks\": [1, null, {}], \"criteria\": [[]], \"conditions\": [{\"id\": 4}],"
        " \"findings\": [{\"examples\": 3}], \"validity\": 1, \"integrity\": [], \"seed\": \"x\","
        " \"name\": \"]]>\\u0000\\u0001\\ufffe\\uffff\\u007f\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++) {
        json_t *document = NULL;
        struct err err = {0};
        struct buf out;

        assert_int_equal(json_parse(str_c(documents[i]), JSON_TEXT_MAX, &document, &err), 0);
        buf_init(&out, JUNIT_TEXT_MAX);
        assert_int_equal(junit_write(document, &out), 0);
        assert_non_null(strstr(buf_c(&out), "</testsuites>\n"));
        for (size_t at = 0; at < out.len; at++) {
            assert_true((unsigned char)out.p[at] >= 0x20 || out.p[at] == '\n');
        }
        buf_clear(&out);
        buf_init(&out, 300);
        assert_int_equal(junit_write(document, &out), ERR_LIMIT);
        buf_clear(&out);
        json_decref(document);
    }
}

/* A green report does not hide that the load was cut. */
static void test_limits(void **state)
{
    json_t *result = json_pack("{s:[{s:s, s:i, s:s, s:b}, {s:s, s:i, s:s, s:b}]}", "limits", "name",
                               "cut_vus", "hits", 12, "counted", "users & <more>", "warns", 1,
                               "name", "sse_name", "hits", 20, "counted", "names", "warns", 0);
    struct buf out;

    (void)state;
    buf_init(&out, JUNIT_TEXT_MAX);
    assert_int_equal(junit_write(result, &out), 0);
    assert_non_null(strstr(buf_c(&out), "      <property name=\"limit.cut_vus\" value=\"12 users "
                                        "&amp; &lt;more&gt;\"/>\n    </properties>\n"));
    assert_null(strstr(buf_c(&out), "sse_name"));
    buf_clear(&out);
    json_decref(result);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rich_run),
        cmocka_unit_test(test_what_ended_the_run_fails),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_documents_that_are_no_results),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
