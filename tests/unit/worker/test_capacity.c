/* SPDX-License-Identifier: MIT */
#include "support/tree.h"
#include "support/unit.h"
#include "worker/capacity.h"

#define GIB (UINT64_C(1) << 30)

static void the_least_bound_counts(void **state)
{
    static const struct {
        struct capacity_limits limits;
        uint64_t vus, ops;
    } cases[] = {
        /* Where a process may have 20,000 descriptors and two cores, 500 users are no question. */
        {{20000, 4 * GIB, 2}, (20000 - 2000 - 256) / 2, 20000 - 2000 - 256},
        {{1024, 4 * GIB, 2}, (1024 - 102 - 256) / 2, 1024 - 102 - 256},
        {{1 << 20, GIB / 16, 2}, 2048, (1 << 20) - (1 << 20) / 10 - 256},
        {{1 << 20, 64 * GIB, 2}, 40000, (1 << 20) - (1 << 20) / 10 - 256},
        {{100, 0, 0}, 1, 1},
        {{0, 0, 0}, CAPACITY_VUS_MOST, 2 * (uint64_t)CAPACITY_VUS_MOST},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct capacity c = capacity_of(&cases[i].limits, 0);

        assert_int_equal(c.max_vus, cases[i].vus);
        assert_int_equal(c.max_concurrent_ops, cases[i].ops);
        assert_int_equal(c.cores, cases[i].limits.cores > 0 ? cases[i].limits.cores : 1);
        assert_true(c.max_rps == c.cores * 15000.0);
    }
}

static void what_is_wanted_counts(void **state)
{
    struct capacity_limits limits = {1024, GIB, 1};

    (void)state;
    assert_int_equal(capacity_of(&limits, 7).max_vus, 7);
    assert_int_equal(capacity_of(&limits, 100000).max_vus, 100000);
}

static void this_process_has_limits(void **state)
{
    struct capacity_limits one, many;

    (void)state;
    capacity_read("", 1, &one);
    capacity_read("", 4, &many);
    assert_true(one.cores >= 1 && many.cores >= 1 && many.cores <= one.cores);
    assert_true(one.memory_bytes > GIB / 64);
    assert_true(many.memory_bytes < one.memory_bytes);
    assert_int_equal(one.descriptors, many.descriptors);
}

static void cgroups_bound_memory_and_cores(void **state)
{
    struct capacity_limits limits;
    struct tree tree;

    (void)state;
    tree_new(&tree);
    tree_put(&tree, "/proc/meminfo", "MemTotal: 8388608 kB\nMemAvailable: 4194304 kB\n");
    capacity_read(tree.root, 1, &limits);
    assert_int_equal(limits.memory_bytes, 4 * GIB);
    tree_put(&tree, "/proc/self/cgroup", "0::/job\n");
    tree_put(&tree, "/proc/self/mountinfo",
             "30 20 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    tree_put(&tree, "/sys/fs/cgroup/job/memory.max", "1073741824\n");
    tree_put(&tree, "/sys/fs/cgroup/job/cpu.max", "50000 100000\n");
    capacity_read(tree.root, 2, &limits);
    assert_int_equal(limits.memory_bytes, GIB / 2);
    assert_int_equal(limits.cores, 1);
    tree_free(&tree);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_bound_counts),
        cmocka_unit_test(what_is_wanted_counts),
        cmocka_unit_test(this_process_has_limits),
        cmocka_unit_test(cgroups_bound_memory_and_cores),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
