/* SPDX-License-Identifier: MIT */
/* Shares of users by the labels of workers: what the format takes, and what makes no sense. */
#include "scenario/config/shares.h"
#include "scenario/documents/documents.h"
#include "unit/scenario/rules/rule_case.h"

#define REGIONS(shares) "placement={\"label\":\"region\",\"shares\":{" shares "}}"
#define WITH_SCOPE(value)                                                                \
    "safety.stop_conditions=[{\"id\":\"a\",\"metric\":\"error_rate\",\"threshold\":0.1," \
    "\"comparator\":\">\",\"window_ms\":1000,\"scope\":{\"label.region\":\"" value "\"}}]"

static void good_and_bad_shares(void **state)
{
    static const struct rule rules[] = {
        {{REGIONS("\"eu\":60,\"us\":40")}, NULL, NULL, NULL, NULL, false},
        {{REGIONS("\"a/b\":1")}, NULL, NULL, NULL, NULL, false},
        {{REGIONS("")}, "SCHEMA_VIOLATION", "/placement/shares", "1 to 64 integers", NULL, false},
        {{REGIONS("\"eu\":0,\"us\":40")},
         "SCHEMA_VIOLATION",
         "/placement/shares/eu",
         "1..1000000",
         NULL,
         false},
        {{REGIONS("\"eu\":0.5")}, "SCHEMA_VIOLATION", "/placement/shares/eu", NULL, NULL, false},
        {{REGIONS("\"eu\":\"60\"")},
         "SCHEMA_VIOLATION",
         "/placement/shares/eu",
         NULL,
         "an integer",
         false},
        {{REGIONS("\"\":1")}, "SCHEMA_VIOLATION", "/placement/shares/", "empty value", NULL, false},
        {{"placement={\"label\":\"a=b\",\"shares\":{\"eu\":1}}"},
         "SCHEMA_VIOLATION",
         "/placement/label",
         "`=`",
         NULL,
         false},
        {{"placement={\"label\":\"region\"}"},
         "REQUIRED_FIELD_MISSING",
         "/placement/shares",
         NULL,
         NULL,
         false},
        {{"placement={\"shares\":{\"eu\":1}}"},
         "REQUIRED_FIELD_MISSING",
         "/placement/label",
         NULL,
         NULL,
         false},
        {{"placement=[]"}, "SCHEMA_VIOLATION", "/placement", "an object", NULL, false},
        {{"placement={\"label\":\"region\",\"shares\":{\"eu\":1},\"share\":1}"},
         "UNKNOWN_FIELD",
         "/placement/share",
         NULL,
         "shares",
         false},
    };

    (void)state;
    CHECK(rules);
}

/* The stage has ten users. */
static void shares_of_nobody(void **state)
{
    static const struct rule rules[] = {
        {{REGIONS("\"eu\":18,\"us\":2")}, NULL, NULL, NULL, NULL, false},
        {{REGIONS("\"eu\":99,\"us\":1")},
         "FIELD_WITHOUT_EFFECT",
         "/placement/shares/us",
         "of 10 users none",
         NULL,
         true},
        {{REGIONS("\"eu\":99,\"us\":1"), "stages[1].load.target_vus=100"},
         NULL,
         NULL,
         NULL,
         NULL,
         false},
    };

    (void)state;
    CHECK(rules);
}

static void scopes_of_workers_without_a_part(void **state)
{
    static const struct rule rules[] = {
        {{WITH_SCOPE("eu")}, NULL, NULL, NULL, NULL, false},
        {{REGIONS("\"eu\":1,\"us\":1"), WITH_SCOPE("us")}, NULL, NULL, NULL, NULL, false},
        {{REGIONS("\"west\":1"), WITH_SCOPE("wst")},
         "SCOPE_MATCHES_NOTHING",
         "/safety/stop_conditions/0/scope/label.region",
         "\"wst\"",
         "`west`",
         false},
        {{"placement={\"label\":\"zone\",\"shares\":{\"a\":1}}", WITH_SCOPE("us")},
         NULL,
         NULL,
         NULL,
         NULL,
         false},
        {{REGIONS("\"us\":0"), WITH_SCOPE("us")},
         "SCHEMA_VIOLATION",
         "/placement/shares/us",
         NULL,
         NULL,
         false},
    };

    (void)state;
    CHECK(rules);
}

/* Without it the effective document says nothing of it; with it, what loads again. */
static void explained(void **state)
{
    static const char *const none[SETS_MAX] = {"x-nothing=1"};
    static const char *const regions[SETS_MAX] = {REGIONS("\"eu\":60,\"us\":40")};
    struct scenario_options options = options_with(none);
    struct issue_list issues = {0};
    struct scenario *s = NULL;

    (void)state;
    assert_int_equal(scenario_load_text(STR(base), &options, &s, &issues, NULL), 0);
    assert_false(s->has_placement);
    json_t *document = scenario_explain(s);
    assert_null(json_object_get(document, "placement"));
    json_decref(document);
    scenario_free(s);

    options = options_with(regions);
    assert_int_equal(scenario_load_text(STR(base), &options, &s, &issues, NULL), 0);
    assert_string_equal(s->placement.label, "region");
    assert_int_equal(s->placement.share_count, 2);
    document = scenario_explain(s);
    json_t *shares = json_object_get(json_object_get(document, "placement"), "shares");
    assert_int_equal(json_integer_value(json_object_get(shares, "us")), 40);
    json_decref(document);
    scenario_free(s);
    issue_list_clear(&issues);
}

static void split_by_largest_remainder(void **state)
{
    static const struct named_weight thirds[] = {{"a", 1}, {"b", 1}, {"c", 1}};
    static const struct named_weight uneven[] = {{"a", 60}, {"b", 39}, {"c", 1}};
    static const struct {
        const struct named_weight *shares;
        uint64_t total, parts[3];
    } cases[] = {
        {thirds, 0, {0, 0, 0}},
        {thirds, 1, {1, 0, 0}},
        {thirds, 200, {67, 67, 66}},
        {uneven, 10, {6, 4, 0}},
        {uneven, 50, {30, 20, 0}}, /* 30, 19.5, 0.5: of equal remainders the first */
        {uneven, 4294967295, {2576980377, 1675037245, 42949673}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t parts[3];

        shares_split(cases[i].shares, 3, cases[i].total, parts);
        for (size_t k = 0; k < 3; k++) {
            assert_int_equal(parts[k], cases[i].parts[k]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_and_bad_shares),
        cmocka_unit_test(shares_of_nobody),
        cmocka_unit_test(scopes_of_workers_without_a_part),
        cmocka_unit_test(explained),
        cmocka_unit_test(split_by_largest_remainder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
