/* SPDX-License-Identifier: MIT */
#include "base/digest.h"
#include "support/unit.h"
#include "worker/part.h"

static const struct part_rules free_rules = {0};

/* An order to take sources `base` .. of `total`; `more` are members of the scenario, ' for ". */
static struct wire_order order(uint32_t base, uint32_t shards, uint32_t total, const char *more)
{
    struct wire_order o = {.kind = WIRE_ORDER_ASSIGN,
                           .run_id = "run_1",
                           .n = 1,
                           .execution_id = "exe_1",
                           .worker_id = "wkr_1",
                           .base = base,
                           .shards = shards,
                           .total = total};
    char text[2000];

    snprintf(text, sizeof text,
             "{'target': {'url': 'http://127.0.0.1:9000/mcp'}, 'stages': [{'stage': 'baseline', "
             "'duration_ms': 1000, 'load': {'target_vus': 10}}], %s}",
             more);
    for (char *p = text; *p != '\0'; p++) {
        *p = *p == '\'' ? '"' : *p;
    }
    assert_int_equal(json_parse(str_c(text), sizeof text, &o.scenario, NULL), 0);
    return o;
}

#define PING "'workload': {'operation_mix': [{'operation': 'ping'}]}"

static void compiled(struct wire_order o, const struct part_rules *rules, struct part *out)
{
    struct err err = {0};

    if (part_compile(&o, rules, out, &err) != 0) {
        fail_msg("%s", err.msg);
    }
    assert_null(o.scenario); /* taken over */
}

static void refused(struct wire_order o, const struct part_rules *rules, const char *text)
{
    struct part part;
    struct err err = {0};

    assert_true(part_compile(&o, rules, &part, &err) < 0);
    if (strstr(err.msg, text) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", text, err.msg);
    }
    assert_null(o.scenario);
    assert_null(part.plan);
}

static void the_identity_is_that_of_the_order(void **state)
{
    struct wire_order o = order(0, 1, 1, PING);
    struct part part;

    (void)state;
    o.seed = 4711;
    compiled(o, &free_rules, &part);
    assert_string_equal(part.identity.run_id, "run_1");
    assert_string_equal(part.identity.execution_id, "exe_1");
    assert_string_equal(part.identity.worker_id, "wkr_1");
    assert_int_equal(part.plan->seed, 4711);
    assert_int_equal(part.url.port, 9000);
    part_clear(&part);
    compiled(order(0, 1, 1, "'workload': {'seed': 5, 'operation_mix': [{'operation': 'ping'}]}"),
             &free_rules, &part);
    assert_int_equal(part.plan->seed, 5);
    part_clear(&part);
}

static void users_are_those_of_the_sources(void **state)
{
    static const struct {
        uint32_t base, shards, total;
        uint32_t weights[3], weight_count;
        uint64_t vus;
    } cases[] = {
        {0, 1, 1, {0}, 0, 10},      {0, 1, 3, {0}, 0, 4},       {1, 2, 3, {0}, 0, 6},
        {0, 1, 3, {7, 7, 7}, 3, 4}, {0, 1, 3, {3, 1, 1}, 3, 6}, {1, 2, 3, {3, 1, 1}, 3, 4},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct wire_order o = order(cases[i].base, cases[i].shards, cases[i].total, PING);
        uint32_t *weights = calloc(3, sizeof *weights);
        uint64_t least, most;
        struct part part;

        memcpy(weights, cases[i].weights, sizeof cases[i].weights);
        o.weights = (struct wire_u32s){weights, cases[i].weight_count};
        compiled(o, &free_rules, &part);
        part_vus(&part, &least, &most);
        assert_int_equal(least, cases[i].vus);
        assert_int_equal(most, cases[i].vus);
        part_clear(&part);
    }
}

/* A stage that makes users as it needs them may have none to begin with. */
static void sized_stages_have_a_range(void **state)
{
    struct wire_order o = order(0, 1, 2,
                                "'workload': {'operation_mix': [{'operation': 'ping'}]}, 'safety': "
                                "{'hard_caps': {'max_vus': 100}}");
    json_t *load =
        json_object_get(json_array_get(json_object_get(o.scenario, "stages"), 0), "load");
    uint64_t least, most;
    struct part part;

    (void)state;
    json_object_set_new(load, "target_vus", json_integer(0));
    json_object_set_new(load, "target_rps", json_integer(50));
    compiled(o, &free_rules, &part);
    part_vus(&part, &least, &most);
    assert_int_equal(least, 0);
    assert_int_equal(most, 50);
    part_clear(&part);
}

static void what_is_no_part_is_refused(void **state)
{
    (void)state;
    refused(order(2, 1, 2, PING), &free_rules, "no part of a run");
    refused(order(1, 2, 2, PING), &free_rules, "no part of a run");
    refused(order(0, 0, 2, PING), &free_rules, "no part of a run");
    refused(order(0, 1, 1, "'nonsense': 1"), &free_rules, "the scenario is refused here");
}

#define LISTED "'allowlist': {'allowed_targets': [{'kind': 'cidr', 'value': '127.0.0.0/8'}]}"

/* Towards a control plane elsewhere the machine's own network is closed, whatever the order says.
 */
static void networks_are_open_by_rule(void **state)
{
    static const char *const networks[] = {"10.0.0.0/8", "127.0.0.0/8"};
    struct part_rules guarded = {.guarded = true, .networks = networks, .network_count = 1};
    const char *more = PING ", 'environment': {" LISTED "}";
    struct wire_order o = order(0, 1, 1, more);
    struct part part;

    (void)state;
    refused(order(0, 1, 1, more), &guarded, "an allowlist opens only public addresses");
    guarded.network_count = 2;
    compiled(order(0, 1, 1, more), &guarded, &part);
    part_clear(&part);
    o.network = WIRE_NETWORK_PUBLIC;
    refused(o, &free_rules, "an allowlist opens only public addresses");
}

static void variables_are_given_away_by_rule(void **state)
{
    static const char *const patterns[] = {"TEAM_*"};
    static const char *const networks[] = {"127.0.0.0/8"};
    const struct part_rules guarded = {.guarded = true,
                                       .patterns = patterns,
                                       .pattern_count = 1,
                                       .networks = networks,
                                       .network_count = 1};
    const char *more = PING ", 'environment': {" LISTED ", 'variables': ['TEAM_TOKEN']}";
    struct part part;

    (void)state;
    setenv("TEAM_TOKEN", "secret", 1);
    compiled(order(0, 1, 1, more), &free_rules, &part);
    part_clear(&part);
    compiled(order(0, 1, 1, more), &guarded, &part);
    part_clear(&part);
    refused(order(0, 1, 1, PING ", 'environment': {" LISTED ", 'variables': ['HOME']}"), &guarded,
            "only MCPDRILL_*");
    unsetenv("TEAM_TOKEN");
    refused(order(0, 1, 1, more), &free_rules, "TEAM_TOKEN is not set");
}

/* Rows come with the order, and are those that were checked; this machine's disk is not read. */
static void data_comes_with_the_order(void **state)
{
    const char *more =
        "'workload': {'operation_mix': [{'operation': 'tools_call'}], 'data': [{'name': 'users', "
        "'path': 'u.csv'}], 'tools': {'templates': [{'tool_name': 'fast_echo', 'arguments': "
        "{'message': '${data:users.id}'}}]}}";
    const char *rows = "id\na\nb\n";
    struct wire_order o = order(0, 1, 1, more);
    struct part part;
    char hash[65];

    (void)state;
    digest_sha256_hex(str_c(rows), hash);
    o.files = json_pack("{s:s}", "u.csv", rows);
    o.feeds = json_pack("{s:s}", "u.csv", hash);
    compiled(o, &free_rules, &part);
    assert_non_null(part.plan->rows);
    part_clear(&part);

    o = order(0, 1, 1, more);
    o.files = json_pack("{s:s}", "u.csv", "id\nother\n");
    o.feeds = json_pack("{s:s}", "u.csv", hash);
    refused(o, &free_rules, "the file u.csv is not the one that was checked");

    refused(order(0, 1, 1, more), &free_rules, "did not come with the scenario");
    o = order(0, 1, 1, more);
    o.files = json_pack("{s:i}", "u.csv", 1);
    refused(o, &free_rules, "the file u.csv is no text");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_identity_is_that_of_the_order),
        cmocka_unit_test(users_are_those_of_the_sources),
        cmocka_unit_test(sized_stages_have_a_range),
        cmocka_unit_test(what_is_no_part_is_refused),
        cmocka_unit_test(networks_are_open_by_rule),
        cmocka_unit_test(variables_are_given_away_by_rule),
        cmocka_unit_test(data_comes_with_the_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
