/* SPDX-License-Identifier: MIT */
#include "report/files/files.h"
#include "report/result/result.h"
#include "unit/report/run_fixture.h"

#include <sys/stat.h>
#include <unistd.h>

static const char *json_format[] = {"json"};
static const struct reporting_config everything = {
    .formats = json_format,
    .format_count = 1,
    .store_raw_logs = true,
    .store_metrics_snapshot = true,
    .store_event_log = true,
};

struct place {
    char dir[64];
    char out[96];
};

static void place_open(struct place *p)
{
    snprintf(p->dir, sizeof p->dir, "/tmp/unit_report_files_XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    snprintf(p->out, sizeof p->out, "%s/out", p->dir);
}

static void place_close(const struct place *p)
{
    static const char *const names[] = {"events.ndjson", "windows.ndjson", "ops.ndjson",
                                        "histograms.hlog", "result.json"};
    char path[128];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", p->out, names[i]);
        unlink(path);
    }
    rmdir(p->out);
    rmdir(p->dir);
}

/* The lines of a file, each a JSON object. */
static size_t read_lines(const struct place *p, const char *name, json_t *lines)
{
    char path[128];
    struct buf text;
    struct err err = {0};

    buf_init(&text, 1 << 20);
    snprintf(path, sizeof path, "%s/%s", p->out, name);
    assert_int_equal(file_read(path, &text, &err), 0);
    for (size_t at = 0; at < text.len;) {
        const char *end = memchr(text.p + at, '\n', text.len - at);
        json_t *line = NULL;

        if (end == NULL) {
            break; /* it is still being written */
        }
        struct str one = {text.p + at, (size_t)(end - text.p) - at};
        assert_int_equal(json_parse(one, JSON_TEXT_MAX, &line, &err), 0);
        json_array_append_new(lines, line);
        at += one.len + 1;
    }
    buf_clear(&text);
    return json_array_size(lines);
}

/* The lines, when so many have come: another thread writes them. */
static void await_lines(const struct place *p, const char *name, size_t want, json_t *lines)
{
    size_t count = 0;

    for (int i = 0; i < 20000 && count < want; i++) {
        json_array_clear(lines);
        count = read_lines(p, name, lines);
        usleep(1000);
    }
    assert_int_equal(count, want);
}

/* Two windows of five failures, and one operation that the plan does not know. */
static void write_operations(struct fixture *f, struct result_files *files)
{
    for (uint32_t source = 0; source < 2; source++) {
        struct window *w = fixture_window(f, source);

        for (int i = 0; i < 6; i++) {
            fixture_failure(w, FIXTURE_ECHO, ERROR_CODE_HTTP_STATUS, 500, "no");
        }
        assert_int_equal(w->log->failures.count, 6);
        w->log->failures.items[2].outcome.key = f->plan->key_count;
        result_files_window(files, source, w);
        window_free(w);
    }
}

static void test_five_files(void **state)
{
    struct fixture f;
    struct place place;
    struct result_files *files = NULL;
    struct err err = {0};
    json_t *payload = json_pack("{ss}", "to_state", "baseline_running");
    struct run_event event = {.ts_ms = 1767225600250,
                              .id = "evt_1",
                              .type = "STATE_TRANSITION",
                              .actor = "system",
                              .stage = "baseline",
                              .stage_id = "stg_1",
                              .payload = payload};
    json_t *lines = json_array(), *result = NULL;
    char path[128];

    (void)state;
    fixture_open(&f);
    fixture_ordinary_run(&f);
    place_open(&place);
    assert_int_equal(
        result_files_open(place.out, &everything, f.plan, &f.identity, NULL, &files, &err), 0);
    result_files_event(files, &event);
    /* It is there before the run ends. */
    await_lines(&place, "events.ndjson", 1, lines);
    const json_t *line = json_array_get(lines, 0);
    assert_string_equal(json_string_value(json_object_get(line, "type")), "STATE_TRANSITION");
    assert_string_equal(json_string_value(json_object_get(line, "run_id")), f.identity.run_id);
    assert_string_equal(json_string_value(json_object_get(line, "actor")), "system");
    assert_true(json_is_array(json_object_get(line, "evidence")));
    const json_t *correlation = json_object_get(line, "correlation");
    assert_string_equal(json_string_value(json_object_get(correlation, "stage")), "baseline");
    assert_string_equal(json_string_value(json_object_get(correlation, "stage_id")), "stg_1");
    assert_int_equal(json_object_size(correlation), 5);
    assert_true(json_is_null(json_object_get(correlation, "vu_id")));
    result_files_seconds(files, &f.run);
    result_files_seconds(files, &f.run);
    await_lines(&place, "windows.ndjson", 10, lines);
    for (size_t i = 0; i < 10; i++) {
        line = json_array_get(lines, i);
        assert_int_equal(json_integer_value(json_object_get(line, "second")), i);
        assert_int_equal(json_integer_value(json_object_get(line, "ops")), i == 3 ? 86 : 82);
    }
    write_operations(&f, files);
    result_files_seconds(files, &f.run); /* their seconds are complete */
    await_lines(&place, "ops.ndjson", 10, lines);
    line = json_array_get(lines, 9);
    assert_string_equal(json_string_value(json_object_get(line, "vu_id")), "vu_0");
    assert_string_equal(json_string_value(json_object_get(line, "op_id")),
                        "op_0000000000000000000a");
    result_files_end(files, &f.run);
    assert_int_equal(f.run.log_lines_lost, 2); /* whose key the plan does not know */
    assert_int_equal(result_files_close(files, &f.run, &err), 0);
    snprintf(path, sizeof path, "%s/result.json", place.out);
    assert_int_equal(json_parse_file(path, JSON_TEXT_MAX, &result, &err), 0);
    json_decref(result);
    snprintf(path, sizeof path, "%s/histograms.hlog", place.out);
    assert_int_equal(access(path, R_OK), 0);
    json_decref(lines);
    json_decref(payload);
    place_close(&place);
    fixture_close(&f);
}

static bool is_there(const struct place *place, const char *name)
{
    char path[128];

    snprintf(path, sizeof path, "%s/%s", place->out, name);
    return access(path, R_OK) == 0;
}

/* Of the file and of all others it is known whether they are there; left-overs are not. */
static void check_kept(const struct reporting_config *reporting, const char *absent)
{
    static const char *const names[] = {"events.ndjson", "windows.ndjson", "ops.ndjson",
                                        "histograms.hlog", "result.json"};
    struct fixture f;
    struct place place;
    struct result_files *files = NULL;
    struct run_event event = {.id = "evt_1", .type = "T", .actor = "system"};
    struct err err = {0};
    const struct reporting_config *both[] = {&everything, reporting};

    fixture_open(&f);
    fixture_ordinary_run(&f);
    place_open(&place);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(
            result_files_open(place.out, both[i], f.plan, &f.identity, NULL, &files, &err), 0);
        result_files_event(files, &event);
        result_files_seconds(files, &f.run);
        write_operations(&f, files);
        result_files_end(files, &f.run);
        assert_int_equal(result_files_close(files, &f.run, &err), 0);
        for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
            assert_int_equal(is_there(&place, names[n]),
                             i == 0 || strstr(absent, names[n]) == NULL);
        }
    }
    place_close(&place);
    fixture_close(&f);
}

static void test_only_what_is_wanted_is_kept(void **state)
{
    static const char *html[] = {"html"};
    struct reporting_config r = everything;

    (void)state;
    r.store_event_log = false;
    check_kept(&r, "events.ndjson");
    r = everything;
    r.store_raw_logs = false;
    check_kept(&r, "ops.ndjson");
    r = everything;
    r.store_metrics_snapshot = false;
    check_kept(&r, "windows.ndjson histograms.hlog");
    r = everything;
    r.formats = html; /* which is not made yet */
    check_kept(&r, "");
}

static void test_what_cannot_be_written_is_said(void **state)
{
    struct fixture f;
    struct result_files *files = NULL;
    struct err err = {0};

    (void)state;
    fixture_open(&f);
    assert_int_equal(
        result_files_open("/proc/nowhere", &everything, f.plan, &f.identity, NULL, &files, &err),
        ERR_IO);
    assert_non_null(strstr(err.msg, "/proc/nowhere"));
    assert_int_equal(
        result_files_open("/dev/null", &everything, f.plan, &f.identity, NULL, &files, &err),
        ERR_IO);
    assert_non_null(strstr(err.msg, "is no folder"));
    assert_int_equal(result_files_open("", &everything, f.plan, &f.identity, NULL, &files, &err),
                     ERR_IO);
    assert_non_null(strstr(err.msg, "without a name"));
    assert_null(files);
    result_files_drop(NULL);
    fixture_close(&f);
}

/* The copy of the scenario is written for every run; a scenario.json that is somebody's own stays.
 */
static void test_the_copy_of_the_scenario(void **state)
{
    struct place place;
    struct err err = {0};
    struct buf text;
    char copy[128], result[128];

    (void)state;
    place_open(&place);
    snprintf(copy, sizeof copy, "%s/scenario.json", place.out);
    snprintf(result, sizeof result, "%s/result.json", place.out);
    assert_int_equal(result_files_scenario(place.out, NULL, STR("{}\n"), &err), 0);
    /* It may be one's own: no run has been here. */
    assert_int_equal(result_files_scenario(place.out, NULL, STR("other"), &err), ERR_USAGE);
    assert_int_equal(file_write(result, STR("{}"), &err), 0);
    assert_int_equal(result_files_scenario(place.out, copy, STR("other"), &err), ERR_USAGE);
    buf_init(&text, 100);
    assert_int_equal(file_read(copy, &text, &err), 0);
    assert_string_equal(buf_c(&text), "{}\n");
    assert_int_equal(result_files_scenario(place.out, result, STR("other"), &err), 0);
    text.len = 0;
    assert_int_equal(file_read(copy, &text, &err), 0);
    assert_string_equal(buf_c(&text), "other");
    buf_clear(&text);
    unlink(copy);
    place_close(&place);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_five_files),
        cmocka_unit_test(test_only_what_is_wanted_is_kept),
        cmocka_unit_test(test_what_cannot_be_written_is_said),
        cmocka_unit_test(test_the_copy_of_the_scenario),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
