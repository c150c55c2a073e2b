/* SPDX-License-Identifier: MIT */
#include "report/result/result_priv.h"
#include "report/text/text.h"
#include "unit/report/run_fixture.h"

#include <signal.h>

static json_t *at(const json_t *root, const char *path)
{
    char part[64];
    const json_t *here = root;

    for (const char *p = path; *p != '\0';) {
        size_t len = strcspn(p, ".");
        assert_true(len < sizeof part);
        memcpy(part, p, len);
        part[len] = '\0';
        here = json_is_array(here) ? json_array_get(here, (size_t)strtoul(part, NULL, 10))
                                   : json_object_get(here, part);
        if (here == NULL) {
            fail_msg("no %s in %s", part, path);
        }
        p += len + (p[len] == '.');
    }
    return (json_t *)(uintptr_t)here;
}

static void assert_text(const json_t *root, const char *path, const char *want)
{
    json_t *value = at(root, path);

    if (!json_is_string(value)) {
        fail_msg("%s is no text", path);
    }
    assert_string_equal(json_string_value(value), want);
}

static void assert_number(const json_t *root, const char *path, double want)
{
    json_t *value = at(root, path);

    if (!json_is_number(value) || json_number_value(value) != want) {
        fail_msg("%s is %f, not %f", path, json_number_value(value), want);
    }
}

static void test_ordinary_run(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f);
    fixture_ordinary_run(&f);
    json_t *r = result_json(&f.run);

    assert_text(r, "schema_version", "result/v1");
    assert_text(r, "run_id", "run_00000000000000010000");
    assert_text(r, "scenario_id", "fixture");
    assert_text(r, "name", "A fixture");
    assert_text(r, "description", "For tests");
    assert_text(r, "created_by", "us");
    assert_text(r, "tags.team", "a");
    assert_number(r, "seed", 42);
    assert_text(r, "started_at", "2026-01-01T00:00:00.250Z");
    assert_text(r, "ended_at", "2026-01-01T00:00:10.750Z");
    assert_number(r, "duration_ms", 10500);
    assert_text(r, "state", "completed");
    assert_text(r, "verdict", "passed");
    assert_text(r, "stop.kind", "completed");
    assert_true(json_is_null(at(r, "stop.condition_id")));
    assert_text(r, "latency_is", "service");
    assert_number(r, "totals.operations_total", 824);
    assert_number(r, "totals.operations_failed", 4);
    assert_number(r, "totals.operations_unfinished", 0);
    assert_number(r, "totals.error_rate", 0.004854);
    assert_number(r, "totals.ops_per_second", 82.4);
    assert_number(r, "totals.sessions_created", 2);
    assert_true(json_is_null(at(r, "totals.stream_error_rate")));
    assert_true(json_is_null(at(r, "totals.event_gap_p95_ms")));
    assert_number(r, "totals.stream_stall_count", 0);
    assert_number(r, "counts.started", 824);
    assert_number(r, "distributions.connect.n", 2);
    assert_number(r, "stages.0.achieved.ops", 824);
    assert_number(r, "stages.0.achieved.duration_ms", 10000);
    assert_number(r, "stages.0.planned.vus", 5);
    assert_number(r, "stages.0.began_ms", 0);
    assert_text(r, "operations.0.operation", "tools/list");
    assert_number(r, "operations.0.totals.operations_total", 20);
    assert_text(r, "operations.1.operation", "tools/call");
    assert_text(r, "operations.1.tool_name", "fast_echo");
    assert_number(r, "operations.1.totals.operations_total", 804);
    assert_number(r, "operations.1.service.n", 800);
    assert_number(r, "operations.1.service.max_ms", 0.25);
    assert_number(r, "operations.1.response.max_ms", 0.26);
    assert_number(r, "operations.1.lag.p50_ms", 0.01);
    assert_null(json_object_get(at(r, "operations.1.totals"), "sessions_created"));
    assert_null(json_object_get(at(r, "operations.1.totals"), "active_vus"));
    assert_number(r, "stages.0.operations.1.totals.operations_total", 804);
    assert_number(r, "conditions.0.threshold", 5000);
    assert_text(r, "conditions.0.comparator", ">");
    assert_true(json_is_false(at(r, "conditions.0.triggered")));
    assert_number(r, "conditions.0.worst", 12);
    assert_true(json_is_true(at(r, "integrity.balanced")));
    assert_text(r, "integrity.line",
                "merge verified: 2/2 sources, 0 windows lost, started = succeeded + failed + "
                "unfinished");
    assert_int_equal(json_array_size(at(r, "workers")), 1);
    assert_text(r, "workers.0.worker_id", "wkr_0000000000000003");
    assert_number(r, "workers.0.operations", 824);
    assert_number(r, "workers.0.load.started", 824);
    assert_number(r, "workers.0.busy", 0.1);
    assert_number(r, "workers.0.busy_ms", 2000);
    assert_int_equal(json_array_size(at(r, "workers.0.threads")), 2);
    assert_number(r, "workers.0.threads.1.source", 1);
    assert_number(r, "workers.0.threads.1.operations", 412);
    assert_number(r, "workers.0.threads.1.busy", 0.1);
    assert_int_equal(json_array_size(at(r, "labels")), 0);
    json_decref(r);
    fixture_close(&f);
}

static void name_workers(struct fixture *f)
{
    static const char *const labels[][2] = {{"zone=a", "disk=ssd=2"}, {"zone=b", "disk=ssd=2"}};
    static const struct run_source sources[FIXTURE_SOURCES] = {
        {"wkr_000000000000000a", labels[0], 2}, {"wkr_000000000000000b", labels[1], 2}};
    static struct run_source_state states[FIXTURE_SOURCES];

    states[0] = states[1] = (struct run_source_state){.drained = true};
    f->workers.sources = sources;
    f->run.source_states_ = states;
}

/* The same run, made by two workers: what names them differs, and nothing else. */
static void test_workers_and_labels(void **state)
{
    static const char *const naming[] = {"workers", "labels", "integrity"};
    struct fixture f;

    (void)state;
    fixture_open(&f);
    fixture_ordinary_run(&f);
    json_t *one = result_json(&f.run);
    name_workers(&f);
    json_t *r = result_json(&f.run);
    assert_int_equal(json_array_size(at(r, "workers")), 2);
    assert_text(r, "workers.1.worker_id", "wkr_000000000000000b");
    assert_text(r, "workers.1.labels.zone", "b");
    assert_text(r, "workers.1.labels.disk", "ssd=2");
    assert_number(r, "workers.1.operations", 412);
    assert_number(r, "workers.1.load.started", 412);
    assert_number(r, "workers.1.load.failed", 2);
    assert_number(r, "workers.1.load.ops_per_second", 41.2);
    assert_number(r, "workers.1.load.error_rate", 0.004854);
    assert_number(r, "workers.1.load.latency_p50_ms", 0.251);
    assert_number(r, "workers.1.missing", 0);
    assert_int_equal(json_array_size(at(r, "workers.1.threads")), 1);
    assert_number(r, "workers.1.threads.0.source", 1);
    assert_int_equal(json_array_size(at(r, "labels")), 3);
    assert_text(r, "labels.0.label", "disk");
    assert_text(r, "labels.0.value", "ssd=2");
    assert_int_equal(json_array_size(at(r, "labels.0.workers")), 2);
    assert_number(r, "labels.0.load.started", 824);
    assert_text(r, "labels.2.value", "b");
    assert_text(r, "labels.2.workers.0", "wkr_000000000000000b");
    assert_number(r, "labels.2.load.started", 412);
    assert_text(r, "integrity.line",
                "merge verified: 2/2 workers, 0 windows lost, started = succeeded + failed + "
                "unfinished");
    snprintf(f.run.totals_differ_, sizeof f.run.totals_differ_, "they differ");
    json_t *bad = result_json(&f.run);
    assert_text(bad, "integrity.line",
                "merge FAILED: 2/2 workers, 0 windows lost, totals of a worker DIFFER, started = "
                "succeeded + failed + unfinished");
    for (size_t i = 0; i < sizeof naming / sizeof naming[0]; i++) {
        json_object_del(one, naming[i]);
        json_object_del(r, naming[i]);
    }
    assert_true(json_equal(one, r));
    json_decref(one);
    json_decref(r);
    json_decref(bad);
    fixture_close(&f);
}

static void test_errors_and_hostile_texts(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f);
    fixture_ordinary_run(&f);
    json_t *r = result_json(&f.run);

    assert_int_equal(json_array_size(at(r, "errors")), 1);
    assert_number(r, "errors.0.count", 4);
    assert_text(r, "errors.0.type", "http_error");
    assert_text(r, "errors.0.code", "HTTP_503");
    assert_number(r, "errors.0.first_second", 3);
    assert_text(r, "errors.0.operations.0.tool_name", "fast_echo");
    assert_text(r, "errors.0.operations.0.stage_id", "base");
    assert_text(r, "errors.0.sample", "busy  [31mnow�");
    json_decref(r);
    fixture_close(&f);
}

/* Nothing was sent: counts are 0, everything else has no value, and nothing crashes. */
static void test_run_without_load(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f);
    f.run.stages[0].started = false;
    f.run.state = RUN_FAILED;
    f.run.verdict = RUN_VERDICT_FAILED;
    f.run.exit_code = 5;
    f.run.stop.kind = RUN_STOP_PREFLIGHT;
    f.run.checked = true;
    f.run.checks.count = 1;
    f.run.checks.items[0] = (struct check){.name = "network",
                                           .latency_ns = 1500000,
                                           .code = ERROR_CODE_CONNECTION_REFUSED,
                                           .message = "nobody listens",
                                           .remediation = "start it"};
    f.run.checks.request_count = 1;
    f.run.checks.requests[0] = (struct check_request){"initialize", 1};
    json_t *r = result_json(&f.run);

    assert_number(r, "totals.operations_total", 0);
    assert_true(json_is_null(at(r, "totals.error_rate")));
    assert_true(json_is_null(at(r, "totals.latency_p99_ms")));
    assert_true(json_is_null(at(r, "stages.0.achieved.duration_ms")));
    assert_text(r, "checks.0.error_code", "CONNECTION_REFUSED");
    assert_number(r, "checks.0.latency_ms", 1.5);
    assert_number(r, "auxiliary_requests.initialize", 1);
    assert_number(r, "exit_code", 5);
    json_decref(r);
    fixture_close(&f);
}

static void test_interrupted_run(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f);
    f.run.verdict = RUN_VERDICT_NONE;
    f.run.stop =
        (struct run_stop){.kind = RUN_STOP_REQUESTED, .signo = SIGINT, .mode = STOP_IMMEDIATE};
    buf_add_c(&f.run.evidence, "one thing\nanother\n");
    json_t *r = result_json(&f.run);

    assert_text(r, "stop.signal", "SIGINT");
    assert_text(r, "stop.mode", "immediate");
    assert_true(json_is_null(at(r, "verdict")));
    assert_int_equal(json_array_size(at(r, "validity.evidence")), 2);
    assert_text(r, "validity.evidence.1", "another");
    json_decref(r);
    fixture_close(&f);
}

static void test_lost_windows_are_said(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f);
    fixture_send(&f, 0, fixture_window(&f, 0));
    fixture_send(&f, 0, fixture_window(&f, 2));
    struct window *again = fixture_window(&f, 2);
    window_started(again, 0);
    assert_false(aggregate_add(f.run.books, 0, again));
    window_free(again);
    aggregate_finish_source(f.run.books, 0);
    json_t *r = result_json(&f.run);

    assert_text(r, "integrity.line",
                "merge FAILED: 1/2 sources, 1 windows lost, 1 windows refused, sums agree, started "
                "= succeeded + failed + unfinished");
    json_decref(r);
    fixture_close(&f);
}

/* No worker lived long enough to tell a second. */
static void test_a_load_that_nobody_told_of_is_lost(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f);
    aggregate_leave_source(f.run.books, 0);
    aggregate_leave_source(f.run.books, 1);
    aggregate_end_stage(f.run.books, 0, 3, 3 * NS_PER_S);
    json_t *r = result_json(&f.run);

    assert_text(r, "integrity.line",
                "merge FAILED: 0/2 sources, 6 windows lost, started = succeeded + failed + "
                "unfinished");
    json_decref(r);
    fixture_close(&f);
}

static void test_rich_run(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open_rich(&f);
    fixture_rich_run(&f);
    (void)buf_add_c(&f.run.warnings, "one\ntwo\n");
    json_t *r = result_json(&f.run);

    assert_text(r, "model", "mixed");
    assert_text(r, "latency_is", "response");
    assert_text(r, "findings.0.kind", "integrity_mismatch");
    assert_number(r, "findings.0.count", 2);
    assert_text(r, "findings.0.examples.0",
                "answer of VU 12, operation 77 came to VU 5, operation 80");
    assert_text(r, "criteria.0.id", "fast");
    assert_text(r, "criteria.0.expression", "latency_p95_ms{tool_name=fast_echo} < 500 ms");
    assert_text(r, "criteria.0.stage_id", "calm");
    assert_text(r, "criteria.0.scope", "tool_name=fast_echo");
    assert_text(r, "criteria.0.state", "met");
    assert_number(r, "criteria.0.samples", 1000);
    assert_number(r, "criteria.0.samples_needed", 59);
    assert_text(r, "criteria.1.state", "failed");
    assert_number(r, "criteria.1.value", 0.001);
    assert_text(r, "criteria.2.state", "no_value");
    assert_true(json_is_null(at(r, "criteria.2.value")));
    assert_number(r, "custom.tokens.sum", 200);
    assert_text(r, "custom.tokens.kind", "counter");
    assert_true(json_is_null(at(r, "custom.tokens.p50")));
    assert_number(r, "custom.depth.last", -2.5);
    assert_number(r, "custom.score.p95", 0.125);
    assert_number(r, "custom.score.rejected", 20);
    assert_number(r, "stages.0.custom.tokens.count", 0);
    assert_number(r, "stages.1.custom.tokens.count", 20);
    assert_number(r, "journey.started", 40);
    assert_number(r, "journey.requests", 60);
    assert_text(r, "stages.0.model", "closed");
    assert_text(r, "stages.0.latency_is", "service");
    assert_true(json_is_null(at(r, "stages.0.planned.rps")));
    assert_text(r, "stages.1.model", "open");
    assert_text(r, "stages.1.latency_is", "response");
    assert_number(r, "stages.1.planned.rps", 100);
    assert_number(r, "stages.1.planned.start_vus", 20);
    assert_int_equal(json_array_size(at(r, "stages.1.planned.steps")), 1);
    assert_number(r, "stages.1.planned.steps.0.vus", 20);
    assert_number(r, "stages.1.planned.steps.0.rps", 100);
    assert_number(r, "stages.1.achieved.max_vus", 20);
    assert_number(r, "stages.1.achieved.due", 1040);
    assert_number(r, "stages.1.achieved.dropped", 40);
    assert_number(r, "stages.1.achieved.rate_ratio", 0.961538);
    assert_number(r, "operations.0.response.dropped", 40);
    assert_text(r, "operations.0.response.shed.0", "p99_ms");
    assert_null(json_object_get(at(r, "operations.0.response"), "p99_ms"));
    assert_null(json_object_get(at(r, "operations.0.service"), "dropped"));
    assert_true(json_is_null(at(r, "distributions.response.p99_ms")));
    assert_number(r, "distributions.service.dropped", 0);
    assert_int_equal(json_array_size(at(r, "slowest")), 20);
    assert_number(r, "slowest.0.response_ms", 1);
    assert_number(r, "slowest.0.at_ms", 13001);
    assert_text(r, "slowest.0.stage_id", "storm");
    assert_text(r, "slowest.0.template_id", "one");
    assert_text(r, "slowest.0.error_code", "INTEGRITY_MISMATCH");
    assert_true(json_is_false(at(r, "slowest.0.ok")));
    assert_number(r, "integrity.due", 1040);
    assert_number(r, "integrity.mismatches", 2);
    assert_true(json_is_true(at(r, "integrity.due_balanced")));
    assert_true(json_is_true(at(r, "integrity.whole")));
    assert_number(r, "losses.custom_numbers", 20);
    assert_text(r, "warnings.1", "two");
    json_decref(r);
    fixture_close(&f);
}

static void test_a_second_that_lacks_a_worker(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f);
    fixture_send(&f, 0, fixture_window(&f, 0));
    json_t *line = result_second_json(&f.run, 0);
    assert_true(json_is_true(at(line, "partial")));
    json_decref(line);
    fixture_send(&f, 1, fixture_window(&f, 0));
    line = result_second_json(&f.run, 0);
    assert_null(json_object_get(line, "partial"));
    json_decref(line);
    fixture_close(&f);
}

static void test_one_second(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f);
    fixture_ordinary_run(&f);
    json_t *line = result_second_json(&f.run, 3);

    assert_number(line, "second", 3);
    assert_text(line, "stage_id", "base");
    assert_number(line, "ops", 86);
    assert_number(line, "failed", 4);
    assert_number(line, "active_vus", 6);
    assert_number(line, "latency_max_ms", 12);
    assert_int_equal(json_object_size(line), RESULT_SECOND_COLUMNS + RESULT_SECOND_APART + 4);
    json_decref(line);
    fixture_close(&f);
}

/* The last window of a run: 20 operations in 22 ms are 20/s, not 909/s. */
static void test_the_last_second_is_a_fragment(void **state)
{
    struct fixture f;

    (void)state;
    fixture_open(&f);
    fixture_ordinary_run(&f);
    struct window *w = fixture_window(&f, 10);
    w->end_ns = w->start_ns + 22 * NS_PER_MS;
    for (int i = 0; i < 20; i++) {
        fixture_operation(w, FIXTURE_ECHO, 10 * NS_PER_US, 250 * NS_PER_US);
    }
    fixture_send(&f, 0, w);
    json_t *line = result_second_json(&f.run, 10);
    assert_number(line, "ops", 20);
    assert_number(line, "ops_per_second", 20);
    json_decref(line);
    fixture_close(&f);
}

/* ---- the reference pages ------------------------------------------------------------------------
 */

/* `folder`: below docs. */
static void assert_page(const char *folder, const char *name, int (*write)(struct buf *out))
{
    struct buf page, file;
    struct err err = {0};
    char path[512];

    buf_init(&page, 1 << 20);
    buf_init(&file, 1 << 20);
    assert_int_equal(write(&page), 0);
    snprintf(path, sizeof path, SOURCE_DIR "/docs/%s%s.md", folder, name);
    assert_int_equal(file_read(path, &file, &err), 0);
    if (!str_eq(buf_str(&page), buf_str(&file))) {
        fail_msg("docs/%s%s.md is out of step: mcpdrill reference %s", folder, name, name);
    }
    buf_clear(&page);
    buf_clear(&file);
}

/* A distribution means the same on both pages: what the registry says in front of its colon. */
static void test_pages_agree(void **state)
{
    static const struct {
        const char *member, *metric;
    } pairs[] = {
        {"response", "response_p50_ms"},
        {"service", "service_p50_ms"},
        {"lag", "lag_p50_ms"},
        {"first_event", "time_to_first_event_p50_ms"},
        {"event_gap", "event_gap_p50_ms"},
    };
    struct buf page;

    (void)state;
    buf_init(&page, 1 << 20);
    assert_int_equal(result_reference(&page), 0);
    const char *section = strstr(buf_c(&page), "\n## `operations[]`\n");
    assert_non_null(section);
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        const char *definition = metric_find(str_c(pairs[i].metric))->definition;
        char row[64], line[1000], meaning[500];

        snprintf(row, sizeof row, "\n| `%s` |", pairs[i].member);
        const char *found = strstr(section, row);
        assert_non_null(found);
        snprintf(line, sizeof line, "%.*s", (int)strcspn(found + 1, "\n"), found + 1);
        /* Whatever the case of its first letter. */
        snprintf(meaning, sizeof meaning, "%.*s", (int)strcspn(definition, ":") - 1,
                 definition + 1);
        if (strstr(line, meaning) == NULL) {
            fail_msg("%s: \"%s\" is not what the registry says: %s", pairs[i].member, line,
                     meaning);
        }
    }
    buf_clear(&page);
}

static void test_pages_are_in_step(void **state)
{
    (void)state;
    assert_page("reference/", "result", result_reference);
    assert_page("reference/", "metrics", metrics_reference);
    assert_page("", "limits", limits_reference);
}

/* Is there a row for `member` in the section `path` of the page? Takes it out of the page's books
 * by counting. */
static bool documented(struct str page, const char *path, const char *member)
{
    char heading[128], row[128];

    snprintf(heading, sizeof heading, path[0] != '\0' ? "## `%s`\n" : "## The document\n%s", path);
    snprintf(row, sizeof row, "\n| `%s` |", member);
    const char *begin = memmem(page.p, page.len, heading, strlen(heading));
    if (begin == NULL) {
        return false;
    }
    size_t left = page.len - (size_t)(begin - page.p);
    const char *end = memmem(begin + 3, left - 3, "\n## ", 4);
    return memmem(begin, end != NULL ? (size_t)(end - begin) : left, row, strlen(row)) != NULL;
}

static size_t assert_documented(struct str page, const char *path, const json_t *object)
{
    size_t count = 0;
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, name, value)
    {
        if (!documented(page, path, name)) {
            fail_msg("%s.%s is not documented", path, name);
        }
        count++;
    }
    return count;
}

/* Of the document; behind it stands what else is in the folder. */
static size_t rows_of(struct str page)
{
    const char *end = memmem(page.p, page.len, "\n## The folder", 14);
    size_t rows = 0;

    assert_non_null(end);
    page.len = (size_t)(end - page.p);
    for (size_t i = 0; i + 4 < page.len; i++) {
        rows += memcmp(page.p + i, "\n| `", 4) == 0;
    }
    return rows;
}

/* Every member that the document has stands on the page, and the page has no other. */
static void test_document_has_what_the_page_says(void **state)
{
    static const struct {
        const char *section, *path;
    } places[] = {
        {"", ""},
        {"validity", "validity"},
        {"validity.signals[]", "validity.signals.0"},
        {"stop", "stop"},
        {"stop.observed[]", "stop.observed.0"},
        {"findings[]", "findings.0"},
        {"criteria[]", "criteria.0"},
        {"server", "server"},
        {"checks[]", "checks.0"},
        {"custom.NAME", "custom.score"},
        {"preflight", "preflight"},
        {"journey", "journey"},
        {"stages[]", "stages.0"},
        {"stages[].planned", "stages.0.planned"},
        {"stages[].planned.steps[]", "stages.1.planned.steps.0"},
        {"stages[].achieved", "stages.0.achieved"},
        {"operations[]", "operations.0"},
        {"operations[].response", "distributions.response"},
        {"slowest[]", "slowest.0"},
        {"errors[]", "errors.0"},
        {"errors[].operations[]", "errors.0.operations.0"},
        {"conditions[]", "conditions.0"},
        {"integrity", "integrity"},
        {"losses", "losses"},
        {"limits[]", "limits.0"},
        {"workers[]", "workers.0"},
        {"workers[].load", "labels.0.load"},
        {"workers[].threads[]", "workers.0.threads.0"},
        {"labels[]", "labels.0"},
        {"environment", "environment"},
    };
    struct fixture f;
    struct buf page;
    size_t members = 0;

    (void)state;
    fixture_open_rich(&f);
    aggregate_set_apart(f.run.books, 0);
    fixture_rich_run(&f);
    f.run.checked = true;
    f.run.checks.count = 1;
    f.run.checks.items[0] = (struct check){.name = "network", .ok = true};
    f.run.triggered = true;
    f.run.stop.kind = RUN_STOP_CONDITION;
    f.run.trigger = (struct stop_trigger){.spec = &f.spec, .window_count = 1};
    f.run.worth.evidence_count = 1;
    f.run.worth.evidence[0] = (struct validity_evidence){.signal = "busy", .unit = "1"};
    name_workers(&f);
    f.run.stop.kind = RUN_STOP_PREFLIGHT; /* by a condition of its stage */
    json_t *r = result_json(&f.run);
    assert_true(json_is_string(at(r, "stop.condition_id")));
    json_decref(r);
    f.run.stop.kind = RUN_STOP_CONDITION;
    r = result_json(&f.run);
    buf_init(&page, 1 << 20);
    assert_int_equal(result_reference(&page), 0);
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        members += assert_documented(buf_str(&page), places[i].section, at(r, places[i].path));
    }
    /* A row leaves out what it has nothing to say of. */
    members += result_section_operation.count - json_object_size(at(r, "operations.0"));
    assert_int_equal(members, rows_of(buf_str(&page)));
    assert_int_equal(json_object_size(at(r, "totals")), metric_count());
    assert_int_equal(json_object_size(at(r, "counts")), COUNT_ALL);
    buf_clear(&page);
    json_decref(r);
    fixture_close(&f);
}

/* Nothing that says nothing, at any depth. */
static void assert_terse(const json_t *value)
{
    const char *name;
    json_t *member;

    assert_false(json_is_null(value));
    assert_false(json_is_integer(value) && json_integer_value(value) == 0);
    assert_false(json_is_array(value) && json_array_size(value) == 0);
    json_object_foreach((json_t *)(uintptr_t)value, name, member)
    {
        assert_terse(member);
    }
}

/* A result of 500 templates has a thousand rows and more: each is terse and a line. */
static void test_rows_of_operations(void **state)
{
    struct fixture f;
    struct buf text, row;
    struct err err = {0};
    char line[64];

    (void)state;
    fixture_open_rich(&f);
    fixture_rich_run(&f);
    buf_init(&text, 1 << 20);
    buf_init(&row, 1 << 16);
    json_t *r = result_json(&f.run);
    assert_int_equal(result_render(&f.run, &text, &err), 0);
    for (size_t i = 0; i < json_array_size(at(r, "operations")); i++) {
        const json_t *one = json_array_get(at(r, "operations"), i);

        assert_terse(one);
        row.len = 0;
        assert_int_equal(json_write(one, &row), 0);
        assert_true(row.len < 1700); /* with failures; 1,300 without */
        assert_non_null(strstr(buf_c(&text), buf_c(&row)));
        snprintf(line, sizeof line, "operations.%zu.totals", i);
        json_t *totals = at(r, line);
        assert_true(json_is_real(json_object_get(totals, "error_rate")));
        assert_null(json_object_get(totals, "latency_p99_ms"));
        assert_null(json_object_get(totals, "response_mean_ms"));
    }
    /* The rest is indented, and the text is the document. */
    assert_non_null(strstr(buf_c(&text), "\n  \"totals\": {\n    \"operations_total\": "));
    json_t *again = NULL;
    assert_int_equal(json_parse(buf_str(&text), text.len, &again, &err), 0);
    row.len = 0;
    row.max = 1 << 20;
    assert_int_equal(result_text_of(again, &row), 0);
    assert_string_equal(buf_c(&row), buf_c(&text));
    json_decref(again);
    json_decref(r);
    buf_clear(&text);
    buf_clear(&row);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ordinary_run),
        cmocka_unit_test(test_workers_and_labels),
        cmocka_unit_test(test_errors_and_hostile_texts),
        cmocka_unit_test(test_run_without_load),
        cmocka_unit_test(test_interrupted_run),
        cmocka_unit_test(test_lost_windows_are_said),
        cmocka_unit_test(test_a_load_that_nobody_told_of_is_lost),
        cmocka_unit_test(test_rich_run),
        cmocka_unit_test(test_a_second_that_lacks_a_worker),
        cmocka_unit_test(test_one_second),
        cmocka_unit_test(test_the_last_second_is_a_fragment),
        cmocka_unit_test(test_pages_agree),
        cmocka_unit_test(test_rows_of_operations),
        cmocka_unit_test(test_pages_are_in_step),
        cmocka_unit_test(test_document_has_what_the_page_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
