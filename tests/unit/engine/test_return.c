/* SPDX-License-Identifier: MIT */
/* Users who end and come back go on where they were: nothing that should be unique comes twice. */
#include "support/tree.h"
#include "unit/engine/stages.h"

enum { CALLS_MAX = 4000, TEXT_MAX = 120 };

struct seen {
    uint32_t count;
    char calls[CALLS_MAX][TEXT_MAX]; /* the arguments of each call */
    char headers[CALLS_MAX]
                [TEXT_MAX]; /* X-Id of each request that is no part of a session's set-up */
    uint32_t header_count;
    uint32_t per_template[2];
};

static struct seen *seen;

static void keep(char to[TEXT_MAX], const char *from, size_t len)
{
    assert_true(len < TEXT_MAX);
    memcpy(to, from, len);
    to[len] = '\0';
}

static bool note(void *owner, const struct peer_request *r)
{
    struct str id = peer_header(r, "X-Id");

    (void)owner;
    assert_true(seen->count < CALLS_MAX && seen->header_count < CALLS_MAX);
    if (strncmp(r->method, "tools/", 6) == 0) {
        keep(seen->headers[seen->header_count++], id.p, id.len);
    }
    if (strcmp(r->method, "tools/call") == 0) {
        const char *arguments = memmem(r->body.p, r->body.len, "\"arguments\"", 11);

        assert_non_null(arguments);
        seen->per_template[memmem(r->body.p, r->body.len, "\"search\"", 8) != NULL]++;
        keep(seen->calls[seen->count++], arguments, (size_t)(r->body.p + r->body.len - arguments));
    }
    return false;
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void expect_unique(char (*texts)[TEXT_MAX], uint32_t count)
{
    qsort(texts, count, TEXT_MAX, compare);
    for (uint32_t i = 1; i < count; i++) {
        assert_string_not_equal(texts[i], texts[i - 1]);
    }
}

static const char scenario[] =
    "{'target': {'url': 'http://localhost/mcp', 'headers': {'X-Id': '${uuid}'}},"
    " 'workload': {'operation_mix': [{'operation': 'tools_call'}],"
    "   'user_journey': {'startup_sequence': {'run_tools_list_on_start': true}},"
    "   'think_time': {'mode': 'fixed', 'base_ms': 40},"
    "   'tools': {'selection': {'mode': 'round_robin'}, 'templates': ["
    "     {'template_id': 'a', 'tool_name': 'echo', 'weight': 3,"
    "      'arguments': {'n': '${vu_id} ${op_seq}'}},"
    "     {'template_id': 'b', 'tool_name': 'search', 'weight': 1,"
    "      'arguments': {'n': '${vu_id} ${op_seq}'}}]}},"
    " 'stages': ["
    "  {'stage': 'custom', 'stage_id': 'a', 'duration_ms': 2000,"
    "   'load': {'target_vus': 5, 'start_spread_ms': 0}},"
    "  {'stage': 'custom', 'stage_id': 'b', 'duration_ms': 1000,"
    "   'load': {'target_vus': 1, 'start_spread_ms': 0}},"
    "  {'stage': 'custom', 'stage_id': 'c', 'duration_ms': 2000,"
    "   'load': {'target_vus': 5, 'start_spread_ms': 0}}]}";

static void nothing_repeats(void **state)
{
    struct world w;

    (void)state;
    seen = xcalloc(1, sizeof *seen);
    world_init(&w, scenario);
    w.peer.on_request = note;
    for (uint32_t stage = 0; stage < 3; stage++) {
        uint64_t ns = stage == 1 ? NS_PER_S : 2 * NS_PER_S;
        begin_stage(&w, stage, ns);
        run_for(&w, ns);
    }
    finish(&w);
    assert_in_range(seen->count, 5 * 35 + 18 + 5 * 35, 5 * 40 + 20 + 5 * 40);
    assert_int_equal(seen->count, total(&w, COUNT_ENDED_OK));
    assert_true(seen->header_count >= seen->count + 9);
    expect_unique(seen->calls, seen->count);
    expect_unique(seen->headers, seen->header_count);
    /* Round robin goes on too: 3 to 1, within a cycle of each user. */
    assert_in_range(seen->per_template[0], 3 * seen->per_template[1] - 20,
                    3 * seen->per_template[1] + 20);
    world_clear(&w);
    xfree(seen);
}

/* A preflight, a load by its rate, and users again. */
static void play_both_models(const char *more, const char *arguments)
{
    static const char text[] =
        "{'target': {'url': 'http://localhost/mcp', 'headers': {'X-Id': '${vu_id} ${op_seq}'}},"
        " 'workload': {%s 'operation_mix': [{'operation': 'tools_call', 'tool_name': 'echo',"
        "    'arguments': {%s}}], 'think_time': {'mode': 'fixed', 'base_ms': 40}},"
        " 'stages': ["
        "  {'stage': 'preflight', 'stage_id': 'a', 'duration_ms': 1000,"
        "   'load': {'target_vus': 3, 'start_spread_ms': 0}},"
        "  {'stage': 'custom', 'stage_id': 'b', 'duration_ms': 1000,"
        "   'load': {'target_vus': 3, 'target_rps': 90, 'start_spread_ms': 0}},"
        "  {'stage': 'custom', 'stage_id': 'c', 'duration_ms': 1000,"
        "   'load': {'target_vus': 3, 'start_spread_ms': 0}}]}";
    char scenario_text[2000];
    struct world w;

    snprintf(scenario_text, sizeof scenario_text, text, more, arguments);
    world_init(&w, scenario_text);
    w.peer.on_request = note;
    for (uint32_t stage = 0; stage < 3; stage++) {
        begin_stage(&w, stage, NS_PER_S);
        run_for(&w, NS_PER_S);
    }
    finish(&w);
    assert_in_range(seen->count, 3 * 18 + 88 + 3 * 18, 3 * 20 + 90 + 3 * 20);
    expect_unique(seen->calls, seen->count);
    expect_unique(seen->headers, seen->header_count);
    world_clear(&w);
}

static void both_models_share_no_number(void **state)
{
    (void)state;
    seen = xcalloc(1, sizeof *seen);
    play_both_models("", "'n': '${nonce}'");
    xfree(seen);
}

/* 300 rows for 120 operations of users, and then 90 arrivals: nobody needs the other half. */
static void both_models_share_no_row(void **state)
{
    struct tree files;
    char rows[3000] = "id\n", more[400];

    (void)state;
    for (unsigned row = 0, len = 3; row < 300; row++) {
        len += (unsigned)snprintf(rows + len, sizeof rows - len, "row%u\n", row);
    }
    tree_new(&files);
    tree_put(&files, "/rows.csv", rows);
    snprintf(more, sizeof more, "'data': [{'name': 'r', 'path': '%s/rows.csv'}],", files.root);
    seen = xcalloc(1, sizeof *seen);
    play_both_models(more, "'n': '${data:r.id}'");
    xfree(seen);
    tree_free(&files);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_repeats),
        cmocka_unit_test(both_models_share_no_number),
        cmocka_unit_test(both_models_share_no_row),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
