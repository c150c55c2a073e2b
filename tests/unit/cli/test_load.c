/* SPDX-License-Identifier: MIT */
#include "base/json.h"
#include "cli/load.h"
#include "cli/quick.h"
#include "support/unit.h"

#include <fcntl.h>
#include <unistd.h>

static const struct opt rows[] = {
    {.name = "set", .argument = "PATH=VALUE", .repeats = true},
    {.name = "expect", .argument = "CRITERION", .repeats = true},
    {.name = "with", .argument = "FILE", .repeats = true},
    QUICK_OPTIONS,
};
static const struct command run = {.name = "run",
                                   .usage = "FILE|--url URL",
                                   .help = "",
                                   .operands_max = 1,
                                   .options = rows,
                                   .option_count = sizeof rows / sizeof rows[0]};

enum { WORDS_MAX = 16, WORD_MAX = 256 };

#define FILE_TEXT                                                                                \
    "{\"target\": {\"url\": \"http://localhost:9000\"},\n"                                       \
    " \"success_criteria\": [{\"metric\": \"error_rate\", \"comparator\": \"<\", "               \
    "\"threshold\": 0.5}],\n"                                                                    \
    " \"stages\": [{\"stage\": \"baseline\", \"duration_ms\": 1000, \"load\": {\"target_vus\": " \
    "1}}]}\n"

static char file_path[] = "/tmp/unit_load_XXXXXX";

static int make_file(void **state)
{
    int fd = mkstemp(file_path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, FILE_TEXT, strlen(FILE_TEXT)), (ssize_t)strlen(FILE_TEXT));
    return close(fd);
}

static int drop_file(void **state)
{
    (void)state;
    return unlink(file_path);
}

struct loaded {
    struct opt_args args;
    struct scenario *scenario;
    struct issue_list issues;
    struct err err;
    int rc;
};

/* Loads what the words say; "FILE" is the file above. */
static struct loaded *load(const char *const *words, const char *seed)
{
    static struct loaded l;
    static char text[WORDS_MAX][WORD_MAX];
    char *argv[WORDS_MAX + 1];
    int argc = 1;

    memset(&l, 0, sizeof l);
    argv[0] = text[0];
    for (; words[argc - 1] != NULL; argc++) {
        bool is_file = strcmp(words[argc - 1], "FILE") == 0;

        assert_true(argc < WORDS_MAX);
        snprintf(text[argc], sizeof text[argc], "%s", is_file ? file_path : words[argc - 1]);
        argv[argc] = text[argc];
    }
    argv[argc] = NULL;
    assert_int_equal(opt_parse(&run, argc, argv, &l.args, &l.err), 0);
    l.rc = load_scenario(&l.args, seed, &l.scenario, &l.issues, &l.err);
    return &l;
}

static void unload(struct loaded *l)
{
    scenario_free(l->scenario);
    issue_list_clear(&l->issues);
}

static void test_without_a_file(void **state)
{
    static const char *const words[] = {
        "--url",    "http://localhost:9000", "--operation", "ping",
        "--expect", "error_rate < 1 %",      "--set",       "stages[0].duration_ms=2000",
        NULL};
    struct loaded *l = load(words, "9");

    (void)state;
    assert_int_equal(l->rc, 0);
    assert_string_equal(l->scenario->scenario_id, "quick");
    assert_int_equal(l->scenario->workload.seed, 9);
    assert_int_equal(l->scenario->stages[0].duration_ns / 1000000, 2000);
    assert_int_equal(l->scenario->criterion_count, 1);
    assert_string_equal(l->scenario->criteria[0].metric, "error_rate");
    assert_true(l->scenario->criteria[0].threshold == 0.01);
    unload(l);
}

static void test_expectations_come_after_those_of_the_file(void **state)
{
    static const char *const words[] = {
        "FILE",         "--expect", "latency_p99_ms{stage=baseline} <= 250", "--expect",
        "error_rate<1", "--set",    "success_criteria[0].threshold=0.25",    NULL};
    struct loaded *l = load(words, NULL);
    const struct criterion_config *c = l->scenario->criteria;

    (void)state;
    assert_int_equal(l->rc, 0);
    assert_int_equal(l->scenario->criterion_count, 3);
    assert_true(c[0].threshold == 0.25);
    assert_string_equal(c[1].metric, "latency_p99_ms");
    assert_int_equal(c[1].comparator, COMPARE_LE);
    assert_string_equal(c[1].scope.stage, "baseline");
    assert_string_equal(c[2].metric, "error_rate");
    assert_true(c[2].threshold == 1);
    unload(l);
}

#define VARIATION(name) SOURCE_DIR "/tests/data/overlays/" name ".json"

/* Overlays come before overrides, in their order, and before expectations. */
static void test_overlays(void **state)
{
    static const char *const words[] = {
        "FILE",
        "--with",
        VARIATION("adjust-session-pool"),
        "--expect",
        "error_rate < 1",
        "--set",
        "session_policy.pool_size=7",
        "--with",
        VARIATION("more-aggressive-churn"),
        NULL,
    };
    struct loaded *l = load(words, NULL);

    (void)state;
    assert_int_equal(l->rc, 0);
    assert_int_equal(l->scenario->session.mode, SESSION_POOL);
    assert_int_equal(l->scenario->session.pool_size, 7);
    assert_int_equal(l->scenario->workload.think.base_ns, 100000000);
    assert_int_equal(l->scenario->criterion_count, 2);
    unload(l);
}

/* They change what the options of quick mode mean, too. */
static void test_overlay_without_a_file(void **state)
{
    static const char *const words[] = {"--url", "http://localhost:9000", "--with",
                                        VARIATION("adjust-session-pool"), NULL};
    struct loaded *l = load(words, NULL);

    (void)state;
    assert_int_equal(l->rc, 0);
    assert_int_equal(l->scenario->session.pool_size, 200);
    unload(l);
}

static void test_saved(void **state)
{
    static const char *const words[] = {
        "--url",    "http://localhost:9000", "--set", "stages[0].load.target_vus=4",
        "--expect", "error_rate < 1",        NULL};
    static const char *const again[] = {"FILE", NULL};
    struct loaded *l = load(words, NULL);
    struct err err = {0};

    (void)state;
    assert_int_equal(l->rc, 0);
    assert_int_equal(load_save(l->scenario, "/nowhere/at/all.json", &err), ERR_IO);
    assert_int_equal(load_save(l->scenario, file_path, &err), 0);
    unload(l);
    l = load(again, NULL);
    assert_int_equal(l->rc, 0);
    assert_string_equal(l->scenario->scenario_id, "quick");
    assert_int_equal(l->scenario->stages[0].target_vus, 4);
    assert_int_equal(l->scenario->criterion_count, 1);
    unload(l);
    assert_int_equal(file_write(file_path, str_c(FILE_TEXT), &err), 0);
}

/* What load_complain prints. */
static void complaint(struct loaded *l, char *out, size_t size)
{
    int fds[2], saved = dup(STDERR_FILENO);

    assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
    fflush(stderr);
    dup2(fds[1], STDERR_FILENO);
    load_complain(&l->args, &l->issues, &l->err);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    ssize_t n = read(fds[0], out, size - 1);
    out[n > 0 ? n : 0] = '\0';
    close(saved);
    close(fds[0]);
    close(fds[1]);
}

static void test_complaints(void **state)
{
    static const struct {
        const char *words[WORDS_MAX];
        int rc;
        const char *says;
    } cases[] = {
        {{"--url", "http://localhost:9000", "--in-flight", "5000"},
         ERR_INVALID,
         "--in-flight: error "},
        {{"--url", "http://localhost:9000", "--in-flight", "5000"},
         ERR_INVALID,
         "run: 1 error, 0 warnings\n"},
        {{"--url", "http://localhost:9000", "--expect", "error_rat < 1"},
         ERR_INVALID,
         "--expect: error "},
        {{"--url", "http://localhost:9000", "--expect", "error_rate"},
         ERR_USAGE,
         "mcpdrill run: --expect 'error_rate'"},
        {{"--url", "http://localhost:9000", "--set", "stages[0].stage=none"},
         ERR_INVALID,
         "(from --set stages[0].stage)"},
        {{"FILE", "--expect", "error_rat < 1"},
         ERR_INVALID,
         "--expect: error UNKNOWN_METRIC at /success_criteria/1/metric"},
        {{"FILE", "--expect", "a < 1", "--set", "success_criteria=[]"},
         ERR_USAGE,
         "mcpdrill run: --expect adds to success_criteria"},
        {{"FILE", "--set", "stages[0].stage=none"}, ERR_INVALID, "/tmp/unit_load_"},
        {{"FILE", "--vus", "2"}, ERR_USAGE, "mcpdrill run: --vus is for runs without a FILE"},
        {{"FILE", "--with", "/nowhere/at/all.json"},
         ERR_USAGE,
         "mcpdrill run: --with: cannot open /nowhere/at/all.json"},
        {{"FILE", "--with", "/dev/null"}, ERR_INVALID, "/dev/null:1:1: error SYNTAX_ERROR"},
        {{"--url", "http://localhost:9000", "--with", "/dev/null"},
         ERR_INVALID,
         "/dev/null:1:1: error SYNTAX_ERROR"},
        {{"FILE", "--with", VARIATION("targeting-your-own-server")},
         ERR_INVALID,
         "error NOT_SUPPORTED at /target/url"},
        {{"--url", "http://localhost:9000", "--with", VARIATION("targeting-your-own-server")},
         ERR_INVALID,
         "targeting-your-own-server.json)"},
        {{"/nowhere/at/all.json"}, ERR_IO, "/nowhere/at/all.json"},
        {{"examples/none.json"},
         ERR_IO,
         "mcpdrill run: cannot open examples/none.json: it is not here"},
        {{"FILE", "--with", "examples/none.json"},
         ERR_USAGE,
         "mcpdrill run: --with: cannot open examples/none.json: it is not here"},
        {{"/nowhere/at/all.json", "--expect", "error_rate < 1"}, ERR_IO, "/nowhere/at/all.json"},
    };
    char text[4096];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct loaded *l = load(cases[i].words, NULL);

        assert_int_equal(l->rc, cases[i].rc);
        assert_null(l->scenario);
        complaint(l, text, sizeof text);
        if (strstr(text, cases[i].says) == NULL) {
            fail_msg("case %zu: \"%s\" is not in \"%s\"", i, cases[i].says, text);
        }
        assert_null(strstr(text, "success_criteria[-]="));
        /* A rule about the form of files is nothing to say to somebody who wrote none. */
        assert_true(strcmp(cases[i].words[0], "--url") != 0 || strstr(text, "PREFLIGHT") == NULL);
        unload(l);
    }
}

/* Nothing but advice that does not concern anybody. */
static void test_no_complaint(void **state)
{
    static const char *const words[] = {"--url", "http://localhost:9000", NULL};
    struct loaded *l = load(words, NULL);
    char text[64];

    (void)state;
    assert_int_equal(l->rc, 0);
    assert_true(l->issues.count > 0);
    complaint(l, text, sizeof text);
    assert_string_equal(text, "");
    unload(l);
}

/* ---- data feeds -------------------------------------------------------------------------------
 */

static char feed_dir[] = "/tmp/unit_feeds_XXXXXX";

static void write_in(const char *name, struct str text)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", feed_dir, name);
    assert_int_equal(file_write(path, text, NULL), 0);
}

/* The texts for a scenario with the feeds f0, f1 … of these paths. */
static int feed_texts(const char *const *paths, size_t max_bytes, json_t **out, struct err *err)
{
    char file[128], text[2048];
    const char *const words[] = {file, NULL};
    size_t at = (size_t)snprintf(text, sizeof text, "%s",
                                 "{\"target\":{\"url\":\"http://localhost:9000\"},\"stages\":[{"
                                 "\"stage\":\"baseline\",\"duration_ms\":1000,\"load\":{"
                                 "\"target_vus\":1}}],\"workload\":{\"data\":[");

    for (size_t i = 0; paths[i] != NULL; i++) {
        at += (size_t)snprintf(text + at, sizeof text - at,
                               "%s{\"name\":\"f%zu\",\"path\":\"%s\",\"format\":\"csv\"}",
                               i > 0 ? "," : "", i, paths[i]);
    }
    snprintf(text + at, sizeof text - at, "]}}");
    write_in("s.json", str_c(text));
    snprintf(file, sizeof file, "%s/s.json", feed_dir);
    struct loaded *l = load(words, NULL);
    if (l->rc != 0) {
        fail_msg("%s", l->err.msg);
    }
    *err = (struct err){0};
    int rc = load_feed_texts(&l->args, l->scenario, max_bytes, out, err);
    unload(l);
    return rc;
}

/* By their paths as written, each once, from where the scenario lies. */
static void test_feed_texts(void **state)
{
    static const char *const files[] = {"s.json", "a.csv", "b.csv"};
    char whole[128];
    const char *const paths[] = {"a.csv", "./a.csv", whole, "a.csv", NULL};
    json_t *texts = NULL;
    struct err err;

    (void)state;
    assert_non_null(mkdtemp(feed_dir));
    snprintf(whole, sizeof whole, "%s/b.csv", feed_dir);
    write_in("a.csv", STR("x\n1\n"));
    write_in("b.csv", STR("y\n\xc3\xb6\n"));
    assert_int_equal(feed_texts(paths, 100, &texts, &err), 0);
    assert_int_equal(json_object_size(texts), 3);
    assert_string_equal(json_string_value(json_object_get(texts, "a.csv")), "x\n1\n");
    assert_string_equal(json_string_value(json_object_get(texts, "./a.csv")), "x\n1\n");
    assert_string_equal(json_string_value(json_object_get(texts, whole)), "y\n\xc3\xb6\n");
    json_decref(texts);
    texts = NULL;
    assert_int_equal(feed_texts(paths, 13, &texts, &err), 0); /* all together, exactly */
    json_decref(texts);
    texts = NULL;
    assert_int_equal(feed_texts(paths, 12, &texts, &err), ERR_LIMIT);
    assert_null(texts);
    assert_non_null(strstr(err.msg, "b.csv: the data feeds are larger than 12 bytes"));
    assert_int_equal(feed_texts((const char *const[]){NULL}, 0, &texts, &err), 0);
    assert_int_equal(json_object_size(texts), 0);
    json_decref(texts);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        snprintf(whole, sizeof whole, "%s/%s", feed_dir, files[i]);
        unlink(whole);
    }
    assert_int_equal(rmdir(feed_dir), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_a_file),
        cmocka_unit_test(test_expectations_come_after_those_of_the_file),
        cmocka_unit_test(test_overlays),
        cmocka_unit_test(test_overlay_without_a_file),
        cmocka_unit_test(test_saved),
        cmocka_unit_test(test_complaints),
        cmocka_unit_test(test_no_complaint),
        cmocka_unit_test(test_feed_texts),
    };

    return cmocka_run_group_tests(tests, make_file, drop_file);
}
