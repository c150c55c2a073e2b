/* SPDX-License-Identifier: MIT */
#include "cli/quick.h"
#include "support/unit.h"

#include <unistd.h>

static const struct opt run_rows[] = {QUICK_OPTIONS, {.name = "save", .argument = "FILE"}};
static const struct command run = {.name = "run",
                                   .usage = "FILE|--url URL",
                                   .help = "",
                                   .operands_max = 1,
                                   .options = run_rows,
                                   .option_count = sizeof run_rows / sizeof run_rows[0]};

enum { WORDS_MAX = 16, WORD_MAX = 256 };

/* Parses words that end with NULL. Values live until the next call. */
static struct opt_args *given(const char *const *words)
{
    static struct opt_args args;
    static char text[WORDS_MAX][WORD_MAX];
    char *argv[WORDS_MAX + 1];
    struct err err = {0};
    int argc = 1;

    snprintf(text[0], sizeof text[0], "run");
    argv[0] = text[0];
    for (; words[argc - 1] != NULL; argc++) {
        assert_true(argc < WORDS_MAX);
        snprintf(text[argc], sizeof text[argc], "%s", words[argc - 1]);
        argv[argc] = text[argc];
    }
    argv[argc] = NULL;
    if (opt_parse(&run, argc, argv, &args, &err) != 0) {
        fail_msg("%s", err.msg);
    }
    return &args;
}

#define HEAD "{\"schema_version\":\"run-config/v1\",\"scenario_id\":\"quick\","

static const struct {
    const char *words[WORDS_MAX];
    const char *document; /* behind HEAD */
} good[] = {
    {{"--url", "http://localhost:9000"},
     "\"target\":{\"url\":\"http://localhost:9000\"},"
     "\"workload\":{\"operation_mix\":[{\"operation\":\"tools_list\"}]},"
     "\"stages\":[{\"stage\":\"baseline\",\"duration_ms\":30000,\"load\":{\"target_vus\":1}}]}"},
    {{"--url=http://h/", "--operation", "ping", "--vus", "20", "--duration", "1m30s"},
     "\"target\":{\"url\":\"http://h/\"},"
     "\"workload\":{\"operation_mix\":[{\"operation\":\"ping\"}]},"
     "\"stages\":[{\"stage\":\"baseline\",\"duration_ms\":90000,\"load\":{\"target_vus\":20}}]}"},
    {{"--url", "http://h/", "--tool", "fast_echo", "--args", "{\"message\": \"hi\"}", "--rate",
      "2.5"},
     "\"target\":{\"url\":\"http://h/\"},"
     "\"workload\":{\"operation_mix\":[{\"operation\":\"tools_call\",\"tool_name\":\"fast_echo\","
     "\"arguments\":{\"message\":\"hi\"}}]},"
     "\"stages\":[{\"stage\":\"baseline\",\"duration_ms\":30000,\"load\":{\"target_vus\":0,"
     "\"target_rps\":2.5}}]}"},
    {{"--url", "http://h/", "--rate", "100", "--vus", "7", "--think", "10ms", "--in-flight", "3"},
     "\"target\":{\"url\":\"http://h/\"},"
     "\"workload\":{\"operation_mix\":[{\"operation\":\"tools_list\"}],\"in_flight_per_vu\":3,"
     "\"think_time\":{\"mode\":\"fixed\",\"base_ms\":10}},"
     "\"stages\":[{\"stage\":\"baseline\",\"duration_ms\":30000,\"load\":{\"target_vus\":7,"
     "\"target_rps\":100}}]}"},
    {{"--url", "http://h/", "--resource", "file:///a", "--sessions", "churn", "--header",
      "A: b:c "},
     "\"target\":{\"url\":\"http://h/\",\"headers\":{\"A\":\"b:c\"}},"
     "\"session_policy\":{\"mode\":\"churn\"},"
     "\"workload\":{\"operation_mix\":[{\"operation\":\"resources_read\",\"uri\":\"file:///a\"}]},"
     "\"stages\":[{\"stage\":\"baseline\",\"duration_ms\":30000,\"load\":{\"target_vus\":1}}]}"},
    {{"--url", "http://h/", "--prompt", "hello", "--operation", "prompts/get", "--duration", "1s"},
     "\"target\":{\"url\":\"http://h/\"},"
     "\"workload\":{\"operation_mix\":[{\"operation\":\"prompts_get\",\"prompt_name\":\"hello\"}]},"
     "\"stages\":[{\"stage\":\"baseline\",\"duration_ms\":1000,\"load\":{\"target_vus\":1}}]}"},
    {{"--url", "http://h/", "--tool", "t", "--args",
      "{\"a\":\"${env:TWO} ${env:ONE} $${env:NOT}\"}", "--header",
      "Authorization: Bearer ${env:ONE}"},
     "\"target\":{\"url\":\"http://h/\",\"headers\":{\"Authorization\":\"Bearer ${env:ONE}\"}},"
     "\"workload\":{\"operation_mix\":[{\"operation\":\"tools_call\",\"tool_name\":\"t\","
     "\"arguments\":{\"a\":\"${env:TWO} ${env:ONE} $${env:NOT}\"}}]},"
     "\"stages\":[{\"stage\":\"baseline\",\"duration_ms\":30000,\"load\":{\"target_vus\":1}}],"
     "\"environment\":{\"variables\":[\"ONE\",\"TWO\"]}}"},
};

/* Nothing is sent but what the command line names. */
static void test_documents(void **state)
{
    json_t *nothing_beside =
        json_pack("{s:{s:b}, s:{s:i, s:i}}", "startup_sequence", "run_tools_list_on_start", 0,
                  "periodic_ops", "tools_list_interval_ms", 0, "tools_list_after_errors", 0);

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        const struct opt_args *args = given(good[i].words);
        json_t *document = NULL;
        struct err err = {0};
        struct buf text;

        assert_true(quick_asked(args));
        if (quick_document(args, &document, &err) != 0) {
            fail_msg("case %zu: %s", i, err.msg);
        }
        json_t *workload = json_object_get(document, "workload");
        json_t *journey = json_object_get(workload, "user_journey");
        assert_true(json_equal(journey, nothing_beside));
        json_object_del(workload, "user_journey");
        buf_init(&text, 1 << 16);
        assert_int_equal(json_write(document, &text), 0);
        assert_memory_equal(text.p, HEAD, strlen(HEAD));
        assert_string_equal(buf_c(&text) + strlen(HEAD), good[i].document);
        buf_clear(&text);
        json_decref(document);
    }
    json_decref(nothing_beside);
}

static const struct {
    const char *words[WORDS_MAX];
    const char *says;
} bad[] = {
    {{"--url", "u", "--duration", "30"}, "--duration 30: a time with its unit"},
    {{"--url", "u", "--duration", ""}, "a time with its unit"},
    {{"--url", "u", "--think", "1.5s"}, "--think 1.5s: a time with its unit"},
    {{"--url", "u", "--rate", "fast"}, "--rate fast: operations per second"},
    {{"--url", "u", "--rate", "0"}, "a number above 0"},
    {{"--url", "u", "--rate", "-5"}, "a number above 0"},
    {{"--url", "u", "--rate", "[1]"}, "a number above 0"},
    {{"--url", "u", "--vus", "0"}, "--vus 0: a whole number within 1"},
    {{"--url", "u", "--vus", "50000"}, "--vus 50000 is more than safety.hard_caps.max_vus"},
    {{"--url", "u", "--in-flight", "x"}, "--in-flight x: a whole number"},
    {{"--url", "u", "--tool", "a", "--resource", "b"}, "--tool and --resource: give one"},
    {{"--url", "u", "--tool", "a", "--operation", "ping"}, "--tool means tools_call"},
    {{"--url", "u", "--operation", "tools/call"}, "--operation tools/call needs --tool"},
    {{"--url", "u", "--operation", "prompts_get"}, "needs --prompt"},
    {{"--url", "u", "--args", "{}"}, "--args needs --tool or --prompt"},
    {{"--url", "u", "--resource", "r", "--args", "{}"}, "--args needs --tool or --prompt"},
    {{"--url", "u", "--tool", "a", "--args", "{\"a\":}"}, "--args {\"a\":}: "},
    {{"--url", "u", "--tool", "a", "--args", "[]"}, "a JSON object is expected"},
    {{"--url", "u", "--tool", "a", "--args", "@/nowhere/at/all"}, "/nowhere/at/all"},
    {{"--url", "u", "--tool", "\xff"}, "--tool: the text is not valid UTF-8"},
    {{"--url", "\xff"}, "--url: the text is not valid UTF-8"},
    {{"--url", "u", "--sessions", "\xff"}, "--sessions: the text is not valid UTF-8"},
    {{"--url", "u", "--tool", "t", "--args", "@examples/none.json"}, "not among the examples"},
    {{"--url", "u", "--header", "A"}, "--header: NAME:VALUE is expected"},
    {{"--url", "u", "--header", " : b"}, "the name before the colon is missing"},
    {{"--url", "u", "--header", "A: b", "--header", "a: c"}, "--header a is given twice"},
    {{"--url", "u", "--header", "A: \xff"}, "--header: the text is not valid UTF-8"},
};

static void test_what_no_document_can_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        json_t *document = NULL;
        struct err err = {0};

        assert_int_not_equal(quick_document(given(bad[i].words), &document, &err), 0);
        assert_null(document);
        if (strstr(err.msg, bad[i].says) == NULL) {
            fail_msg("case %zu: \"%s\" is not in \"%s\"", i, bad[i].says, err.msg);
        }
    }
}

static void test_durations(void **state)
{
    static const struct {
        const char *text;
        uint64_t ms; /* UINT64_MAX: refused */
    } cases[] = {
        {"0s", 0},
        {"500ms", 500},
        {"30s", 30000},
        {"2m", 120000},
        {"1h", 3600000},
        {"1h2m3s4ms", 3723004},
        {"", UINT64_MAX},
        {"s", UINT64_MAX},
        {"5", UINT64_MAX},
        {"5 s", UINT64_MAX},
        {"-5s", UINT64_MAX},
        {"5sec", UINT64_MAX},
        {"5s3", UINT64_MAX},
        {"1d", UINT64_MAX},
        {"99999999999999999999s", UINT64_MAX},
        {"316224000000ms1ms", UINT64_MAX},
        {"99999999h", UINT64_MAX},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t ms = UINT64_MAX;

        assert_int_equal(quick_duration(str_c(cases[i].text), &ms), cases[i].ms != UINT64_MAX);
        assert_int_equal(ms, cases[i].ms);
    }
}

static void test_arguments_from_a_file(void **state)
{
    char path[] = "/tmp/unit_quick_XXXXXX", at[64];
    json_t *document = NULL;
    struct err err = {0};
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "{\"n\": 1}\n", 9), 9);
    close(fd);
    snprintf(at, sizeof at, "@%s", path);
    const char *const words[] = {"--url", "u", "--tool", "t", "--args", at, NULL};
    assert_int_equal(quick_document(given(words), &document, &err), 0);
    const json_t *entry =
        json_array_get(json_object_get(json_object_get(document, "workload"), "operation_mix"), 0);
    const json_t *arguments = json_object_get(entry, "arguments");
    assert_int_equal(json_integer_value(json_object_get(arguments, "n")), 1);
    json_decref(document);
    unlink(path);
}

static void test_with_a_file(void **state)
{
    static const struct {
        const char *words[WORDS_MAX];
        const char *says;
    } cases[] = {
        {{"file", "--url", "u"}, "--set 'target.url=URL'"},
        {{"file", "--duration", "3s"}, "--set 'stages[0].duration_ms=MILLISECONDS'"},
        {{"file", "--vus", "3"}, "--vus is for runs without a FILE"},
        {{"file", "--save", "f"}, "--save is for runs without a FILE"},
        {{NULL}, "a FILE or --url is missing (usage: mcpdrill run FILE|--url URL)"},
        {{"--vus", "3"}, "a FILE or --url is missing"},
    };
    static const char *const fine[] = {"file", NULL};
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct opt_args *args = given(cases[i].words);

        assert_false(quick_asked(args));
        assert_int_equal(quick_refuse(args, &err), ERR_USAGE);
        if (strstr(err.msg, cases[i].says) == NULL) {
            fail_msg("case %zu: \"%s\" is not in \"%s\"", i, cases[i].says, err.msg);
        }
    }
    assert_int_equal(quick_refuse(given(fine), &err), 0);
}

static void test_whose_value_it_is(void **state)
{
    (void)state;
    assert_string_equal(quick_option("/target/url"), "--url");
    assert_string_equal(quick_option("/target/headers/Host"), "--header");
    assert_string_equal(quick_option("/stages/0/load/target_rps"), "--rate");
    assert_string_equal(quick_option("/stages/0/load/target_vus"), "--vus");
    assert_string_equal(quick_option("/workload/operation_mix/0/operation"), "--operation");
    assert_string_equal(quick_option("/workload/operation_mix/0/tool_name"), "--tool");
    assert_string_equal(quick_option("/workload/operation_mix/0/arguments/a"), "--args");
    assert_string_equal(quick_option("/session_policy/mode"), "--sessions");
    assert_null(quick_option("/stages/0"));
    assert_null(quick_option("/target/urls"));
    assert_null(quick_option(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documents),   cmocka_unit_test(test_what_no_document_can_say),
        cmocka_unit_test(test_durations),   cmocka_unit_test(test_arguments_from_a_file),
        cmocka_unit_test(test_with_a_file), cmocka_unit_test(test_whose_value_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
