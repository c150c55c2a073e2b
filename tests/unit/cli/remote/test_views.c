/* SPDX-License-Identifier: MIT */
#include "cli/remote/views.h"
#include "support/unit.h"

static void
shows(int (*view)(const json_t *answer, struct buf *out), const char *json, const char *text)
{
    json_t *answer = NULL;
    struct buf out;

    buf_init(&out, VIEW_TEXT_MAX);
    assert_int_equal(json_parse(str_c(json), 64 * 1024, &answer, NULL), 0);
    assert_int_equal(view(answer, &out), 0);
    assert_string_equal(buf_c(&out), text);
    buf_clear(&out);
    json_decref(answer);
}

static void test_run(void **state)
{
    (void)state;
    shows(view_run,
          "{\"run_id\": \"run_1\", \"state\": \"soak_running\", \"scenario_id\": \"sse\", "
          "\"name\": \"night\", \"created_at_ms\": 1795328929378, \"started_at_ms\": "
          "1795328930000, \"created_by\": \"fay\", \"active_stage\": {\"stage\": \"soak\"}, "
          "\"progress\": {\"stage_index\": 1, \"stages\": 3, \"elapsed_ms\": 12000, "
          "\"planned_ms\": 60000, \"target_vus\": 2000, \"active_vus\": 1999}, \"summary\": "
          "{\"total_ops\": 1000, \"failed_ops\": 5, \"throughput\": 83.25, \"error_rate\": 0.005, "
          "\"latency_p50_ms\": 1.5, \"latency_p95_ms\": 20, \"latency_p99_ms\": null}, "
          "\"workers\": [\"wkr_1\", \"wkr_2\"]}",
          "run        run_1 · night · sse\n"
          "state      soak_running · stage 2 of 3 · 12.0 s of 1:00 min\n"
          "created    2026-11-22 06:28:49 by fay · started 2026-11-22 06:28:50\n"
          "load       1,999 of 2,000 VUs\n"
          "workers    wkr_1, wkr_2\n"
          "operations 1,000 · 5 failed (0.50 %) · 83.2/s\n"
          "latency    p50 1.50 ms · p95 20.0 ms · p99 -\n");
    shows(view_run,
          "{\"run_id\": \"run_1\", \"state\": \"completed\", \"terminal\": true, \"verdict\": "
          "\"failed\", \"exit_code\": 4, \"validity\": {\"state\": \"valid\", \"evidence\": [\"e "
          "\\u0007\"]}, \"stop_reason\": {\"reason\": \"completed\", \"message\": \"The plan has "
          "ended.\"}}",
          "run        run_1\n"
          "state      completed\n"
          "created    -\n"
          "stop       The plan has ended.\n"
          "verdict    failed · valid · exit code 4\n"
          "           e  \n");
    shows(view_run, "{}", "run        \nstate      \ncreated    -\n");
}

static void test_runs(void **state)
{
    (void)state;
    shows(view_runs, "{\"runs\": [], \"total\": 0}", "no runs\n");
    shows(view_runs, "{\"runs\": [], \"total\": 3}", "none of 3 runs\n");
    shows(view_runs,
          "{\"runs\": [{\"run_id\": \"run_18ea4bd1a75e64f10001\", \"state\": \"completed\", "
          "\"verdict\": \"passed\", \"created_at_ms\": 1795328929378, \"duration_ms\": 12500, "
          "\"summary\": {\"total_ops\": 1200, \"failed_ops\": 0}, \"scenario_id\": \"sse\"}, "
          "{\"run_id\": \"run_2\", \"state\": \"created\", \"name\": \"a\\nb\"}], \"total\": 9}",
          "RUN                       STATE              VERDICT    CREATED (UTC)             TIME  "
          " OPERATIONS       FAILED  NAME\n"
          "run_18ea4bd1a75e64f10001  completed          passed     2026-11-22 06:28:49     12.5 s  "
          "      1,200            0  sse\n"
          "run_2                     created            -          -                            -  "
          "          -            -  a b\n"
          "2 of 9; --limit shows more\n");
}

static void test_workers(void **state)
{
    (void)state;
    shows(view_workers, "{\"workers\": []}",
          "no workers (\"mcpdrill worker --control-plane URL\" adds one)\n");
    shows(view_workers,
          "{\"workers\": [{\"worker_id\": \"wkr_1a2b3c4d5e6f7081\", \"state\": \"online\", "
          "\"host_info\": {\"hostname\": \"h1\"}, \"capacity\": {\"max_vus\": 5000}, \"health\": "
          "{\"active_vus\": 40, \"cpu_percent\": 12.5}, \"runs\": [\"run_1\"], \"version\": "
          "\"0.1.0\", \"labels\": {\"region\": \"eu\", \"tier\": \"a\"}}, {\"state\": \"lost\", "
          "\"health\": "
          "{\"active_vus\": 7}, \"capacity\": {\"max_vus\": 9}, \"labels\": {\"n\": 1}}, {}]}",
          "WORKER                    STATE              VUS           OF  RUNS     CPU  VERSION    "
          "HOST              LABELS\n"
          "wkr_1a2b3c4d5e6f7081      online              40        5,000     1    12 %  0.1.0      "
          "h1                region=eu tier=a\n"
          "-                         lost                 -            9     0       -  -          "
          "-                 n=\n"
          "-                         -                    -            -     0       -  -          "
          "-\n");
}

/* Too little room is told, whatever is cut. */
static void test_no_room(void **state)
{
    json_t *run = json_object();

    (void)state;
    json_object_set_new(run, "run_id", json_string("run_18ea4bd1a75e64f10001"));
    for (size_t max = 0; max < 60; max++) {
        struct buf out;

        buf_init(&out, max);
        assert_int_equal(view_run(run, &out), ERR_LIMIT);
        assert_true(out.len <= max);
        buf_clear(&out);
    }
    json_decref(run);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_run),
        cmocka_unit_test(test_runs),
        cmocka_unit_test(test_workers),
        cmocka_unit_test(test_no_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
