/* SPDX-License-Identifier: MIT */
#include "cli/remote/event_text.h"
#include "support/unit.h"

#define AT "\"ts_ms\": 1795328929378, "

static const struct {
    const char *event, *line;
} cases[] = {
    {"{" AT "\"type\": \"RUN_CREATED\", \"payload\": {\"scenario_id\": \"sse\", \"config_hash\": "
     "\"ab\", \"actor\": \"fay\"}}",
     "RUN_CREATED                 sse by fay\n"},
    {"{" AT "\"type\": \"STATE_TRANSITION\", \"payload\": {\"from_state\": \"created\", "
     "\"to_state\": \"baseline_running\", \"trigger\": \"start_run\", \"actor\": \"system\"}}",
     "STATE_TRANSITION            created → baseline_running (start_run)\n"},
    {"{" AT "\"type\": \"STATE_TRANSITION\", \"payload\": {\"from_state\": \"created\", "
     "\"to_state\": \"baseline_running\", \"trigger\": \"start_run\", \"actor\": \"fay\"}}",
     "STATE_TRANSITION            created → baseline_running (start_run by fay)\n"},
    {"{" AT "\"type\": \"STAGE_STARTED\", \"payload\": {\"stage\": \"soak\", \"stage_id\": "
     "\"stg_1\", \"target_vus\": 1200, \"target_rps\": 50, \"duration_ms\": 90000}}",
     "STAGE_STARTED               soak stg_1: 1,200 VUs, 50/s for 1:30 min\n"},
    {"{" AT "\"type\": \"STAGE_COMPLETED\", \"payload\": {\"stage\": \"soak\", \"stage_id\": "
     "\"soak\", \"total_ops\": 10, \"failed_ops\": 1, \"throughput\": 2.5, \"latency_p99_ms\": "
     "null}}",
     "STAGE_COMPLETED             soak: 10 operations, 1 failed, 2.50/s\n"},
    {"{" AT "\"type\": \"STAGE_COMPLETED\", \"payload\": {\"stage\": \"soak\", \"elapsed_ms\": "
     "3000}}",
     "STAGE_COMPLETED             soak after 3.0 s\n"},
    {"{" AT "\"type\": \"STOP_CONDITION_TRIGGERED\", \"payload\": {\"metric\": \"error_rate\", "
     "\"comparator\": \">\", \"threshold\": 0.5, \"observed\": 0.75, \"stage\": \"ramp\"}}",
     "STOP_CONDITION_TRIGGERED    error_rate > 0.5, observed 0.75 in ramp\n"},
    {"{" AT "\"type\": \"STOP_CONDITION_TRIGGERED\", \"payload\": {\"metric\": \"error_rate\", "
     "\"comparator\": \">\", \"threshold\": 0.5, \"observed\": 0.75, \"stage\": \"\"}}",
     "STOP_CONDITION_TRIGGERED    error_rate > 0.5, observed 0.75\n"},
    {"{" AT "\"type\": \"STOP_REQUESTED\", \"payload\": {\"mode\": \"drain\", \"reason\": \"why\", "
     "\"actor\": \"user\"}}",
     "STOP_REQUESTED              drain, why by user\n"},
    {"{" AT "\"type\": \"STOP_REQUESTED\", \"payload\": {\"mode\": \"drain\", \"reason\": \"\", "
     "\"actor\": \"user\"}}",
     "STOP_REQUESTED              drain by user\n"},
    {"{" AT "\"type\": \"EMERGENCY_STOP\", \"payload\": {\"actor\": \"fay\"}}",
     "EMERGENCY_STOP              by fay\n"},
    {"{" AT "\"type\": \"WORKER_ASSIGNED\", \"payload\": {\"worker_id\": \"wkr_1\", \"lease_id\": "
     "\"lse_1\", \"vus\": 1000, \"first_source\": 2, \"sources\": 1, \"of_sources\": 3}}",
     "WORKER_ASSIGNED             wkr_1: up to 1,000 VUs on 1 of 3 shards\n"},
    {"{" AT
     "\"type\": \"WORKER_CAPACITY_LOST\", \"payload\": {\"worker_ids\": [\"wkr_1\", \"wkr_2\"], "
     "\"lost_vus\": 20, \"policy\": \"fail_fast\"}}",
     "WORKER_CAPACITY_LOST        wkr_1, wkr_2 with 20 VUs (fail_fast)\n"},
    {"{" AT
     "\"type\": \"SCHEDULER_TARGET_SET\", \"payload\": {\"target_vus\": 5, \"target_rps\": 0.0, "
     "\"previous_vus\": 1, \"previous_rps\": 0.0}}",
     "SCHEDULER_TARGET_SET        1 → 5 VUs\n"},
    {"{" AT
     "\"type\": \"SCHEDULER_TARGET_SET\", \"payload\": {\"target_vus\": 5, \"target_rps\": 50, "
     "\"previous_vus\": 5, \"previous_rps\": 0.0}}",
     "SCHEDULER_TARGET_SET        5 → 5 VUs, 0 → 50/s\n"},
    {"{" AT "\"type\": \"SYSTEM_RECOVERY\", \"payload\": {\"reason\": \"control plane was started "
     "again\", \"resumed\": true}}",
     "SYSTEM_RECOVERY             control plane was started again: the run goes on\n"},
    {"{" AT "\"type\": \"SYSTEM_WARNING\", \"payload\": {\"warning\": \"late\", \"details\": "
     "{\"ms\": 7}}}",
     "SYSTEM_WARNING              late: ms 7\n"},
    /* What is not known is shown as it is, and so is what others made of it. */
    {"{" AT "\"type\": \"NEW_THING\", \"payload\": {\"a\": [1, \"x\"], \"b\": null, \"c\": "
     "\"\\u001b[31mred\"}}",
     "NEW_THING                   a [1,\"x\"], c  [31mred\n"},
    {"{" AT "\"type\": \"ANALYSIS_STARTED\"}", "ANALYSIS_STARTED\n"},
    {"{" AT "\"type\": \"STATE_TRANSITION\", \"payload\": 7}",
     "STATE_TRANSITION             →  ()\n"},
};

static void test_lines(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *event = NULL;
        struct buf out;

        buf_init(&out, EVENT_TEXT_MAX);
        assert_int_equal(json_parse(str_c(cases[i].event), 4096, &event, NULL), 0);
        assert_int_equal(event_text(event, &out), 0);
        assert_int_equal(strncmp(buf_c(&out), "06:28:49.378  ", 14), 0);
        assert_string_equal(buf_c(&out) + 14, cases[i].line);
        buf_clear(&out);
        json_decref(event);
    }
}

/* Whatever it is, it is one line, and within its bound. */
static void test_any_value(void **state)
{
    struct buf out, type;
    json_t *event = json_object(), *payload = json_object();

    (void)state;
    buf_init(&type, 1 << 16);
    for (int i = 0; i < 5000; i++) {
        buf_add_c(&type, "ab\n");
    }
    for (int i = 0; i < 20; i++) {
        char key[16];

        snprintf(key, sizeof key, "member%d", i);
        json_object_set_new(payload, key, json_string(buf_c(&type)));
    }
    json_object_set_new(event, "type", json_string(buf_c(&type)));
    json_object_set_new(event, "payload", payload);
    json_object_set_new(event, "ts_ms", json_integer(INT64_MAX));
    buf_init(&out, EVENT_TEXT_MAX);
    assert_int_equal(event_text(event, &out), 0);
    assert_ptr_equal(strchr(buf_c(&out), '\n'), out.p + out.len - 1);
    buf_clear(&out);
    buf_init(&out, 40); /* no room: told, and nothing else happens */
    assert_int_not_equal(event_text(event, &out), 0);
    assert_true(out.len <= 40);
    buf_clear(&out);
    json_decref(event);
    buf_clear(&type);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_any_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
