/* SPDX-License-Identifier: MIT */
#include "engine/target.h"
#include "support/planned.h"

static uint64_t part_of(const char *cap, uint32_t index, uint32_t count)
{
    static const struct url url;
    struct planned p;
    char text[400];

    snprintf(text, sizeof text,
             "{'target': {'url': 'http://localhost/mcp'},"
             " 'workload': {'operation_mix': [{'operation': 'ping'}]},"
             " 'safety': {'hard_caps': {'max_connections': %s}},"
             " 'stages': [{'stage': 'baseline', 'duration_ms': 1000, 'load': {'target_vus': 1}}]}",
             cap);
    planned_make(&p, text, NULL, 0);
    struct mcp_target t =
        target_make(p.scenario, &url, (struct segment){.index = index, .count = count});
    planned_clear(&p);
    return t.max_connections;
}

static void connections_are_dealt_without_loss(void **state)
{
    (void)state;
    assert_int_equal(part_of("7", 0, 1), 7);
    assert_int_equal(part_of("7", 0, 4), 2);
    assert_int_equal(part_of("7", 1, 4), 2);
    assert_int_equal(part_of("7", 2, 4), 2);
    assert_int_equal(part_of("7", 3, 4), 1);
    assert_int_equal(part_of("0", 1, 4), 0); /* no cap */
    assert_int_equal(part_of("1", 1, 4), 1); /* never none */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_are_dealt_without_loss),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
