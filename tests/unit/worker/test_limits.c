/* SPDX-License-Identifier: MIT */
#include "support/tree.h"
#include "worker/limits.h"

#define MOUNT_V1                                                                   \
    "22 27 0:21 / /proc rw,relatime - proc proc rw\n"                              \
    "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime shared:9 - cgroup cgroup rw,cpu," \
    "cpuacct\n"                                                                    \
    "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"            \
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"
#define MOUNT_V2 "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"

static void words_lines_and_numbers(void **state)
{
    struct str text = STR("  a b\t\nc "), word, line;
    uint64_t n = 7;

    (void)state;
    assert_true(limits_line(&text, &line));
    assert_true(limits_word(&line, &word) && str_eq(word, STR("a")));
    assert_true(limits_word(&line, &word) && str_eq(word, STR("b")));
    assert_false(limits_word(&line, &word));
    assert_true(limits_line(&text, &line) && str_eq(line, STR("c ")));
    assert_false(limits_line(&text, &line));

    assert_true(limits_key(STR("MemFree: 12 kB\nMemTotal:  345 kB\n"), "MemTotal", &n));
    assert_int_equal(n, 345);
    assert_true(limits_key(STR("usage_usec 1\nthrottled_usec 99"), "throttled_usec", &n));
    assert_int_equal(n, 99);
    assert_false(limits_key(STR("throttled_usec\n"), "throttled_usec", &n));
    assert_false(limits_key(STR("throttled_usec x\n"), "throttled_usec", &n));
    assert_false(limits_key(STR("\n\n"), "", &n));

    struct str snmp = STR("Ip: A B\nIp: 1 2\nTcp: InSegs OutSegs RetransSegs\nTcp: 5 6 7\n");
    assert_true(limits_column(snmp, "Tcp:", "OutSegs", &n));
    assert_int_equal(n, 6);
    assert_false(limits_column(snmp, "Tcp:", "OutRsts", &n));
    assert_false(limits_column(snmp, "Udp:", "InSegs", &n));
    assert_false(limits_column(STR("Tcp: InSegs OutSegs\nTcp: 5\n"), "Tcp:", "OutSegs", &n));
    assert_false(limits_column(STR("Tcp: InSegs"), "Tcp:", "InSegs", &n));
}

static void times_of_the_cpu(void **state)
{
    struct cpu_times t;

    (void)state;
    assert_true(limits_cpu_times(STR("cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1"), &t));
    assert_int_equal(t.all, 36);
    assert_int_equal(t.steal, 8);
    assert_false(limits_cpu_times(STR("cpu0 1 2 3 4 5 6 7 8"), &t));
    assert_false(limits_cpu_times(STR("cpu 1 2 3 4 5 6 7"), &t));
    assert_false(limits_cpu_times(STR(""), &t));
}

static void cgroups_of_both_versions(void **state)
{
    static const struct {
        const char *own, *mounts, *controller;
        unsigned count;
        const char *first, *last;
    } cases[] = {
        {"4:memory:/a/b\n1:cpu,cpuacct:/x\n0::/u\n", MOUNT_V1, "cpu", 2, "/sys/fs/cgroup/cpu/x",
         "/sys/fs/cgroup/cpu"},
        {"4:memory:/a/b\n1:cpu,cpuacct:/\n0::/u\n", MOUNT_V1, "memory", 3,
         "/sys/fs/cgroup/memory/a/b", "/sys/fs/cgroup/memory"},
        /* the controller is in no hierarchy of version 1, so it is in version 2 */
        {"4:memory:/\n0::/u/w\n", MOUNT_V1, "cpu", 3, "/sys/fs/cgroup/unified/u/w",
         "/sys/fs/cgroup/unified"},
        {"0::/\n", MOUNT_V2, "cpu", 1, "/sys/fs/cgroup", "/sys/fs/cgroup"},
        {"0::/a/b/c\n", MOUNT_V2, "cpu", 4, "/sys/fs/cgroup/a/b/c", "/sys/fs/cgroup"},
        {"0::/1/2/3/4/5/6/7/8/9\n", MOUNT_V2, "cpu", LIMITS_LEVELS_MAX,
         "/sys/fs/cgroup/1/2/3/4/5/6/7/8/9", "/sys/fs/cgroup/1/2"},
        /* a container that sees the host's paths, and one that sees what lies above it */
        {"0::/docker/abc/sub\n", "30 23 0:26 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
         "cpu", 2, "/sys/fs/cgroup/sub", "/sys/fs/cgroup"},
        {"0::/docker/abcd\n", "30 23 0:26 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
         "cpu", 1, "/sys/fs/cgroup", "/sys/fs/cgroup"},
        {"0::/../other\n", MOUNT_V2, "cpu", 1, "/sys/fs/cgroup", "/sys/fs/cgroup"},
        {"", MOUNT_V2, "cpu", 0, NULL, NULL},
        {"nonsense\n:::\n", MOUNT_V2, "cpu", 0, NULL, NULL},
        {"0::/\n", "broken\n30 23 0:26 /\n30 23 0:26 / /c rw - cgroup2\n", "cpu", 0, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tree t;
        struct cgroup_dirs dirs;

        tree_new(&t);
        tree_put(&t, "/proc/self/cgroup", cases[i].own);
        tree_put(&t, "/proc/self/mountinfo", cases[i].mounts);
        limits_cgroups(t.root, cases[i].controller, &dirs);
        assert_int_equal(dirs.count, cases[i].count);
        if (dirs.count > 0) {
            size_t skip = strlen(t.root);
            assert_string_equal(dirs.path[0] + skip, cases[i].first);
            assert_string_equal(dirs.path[dirs.count - 1] + skip, cases[i].last);
        }
        tree_free(&t);
    }
}

static void the_tightest_limit_counts(void **state)
{
    struct tree t;

    (void)state;
    tree_new(&t);
    assert_int_equal(limits_cgroup_memory(t.root), 0);
    assert_true(limits_cgroup_cores(t.root) == 0);
    tree_put(&t, "/proc/self/cgroup", "0::/a/b\n");
    tree_put(&t, "/proc/self/mountinfo", MOUNT_V2);
    tree_put(&t, "/sys/fs/cgroup/a/b/memory.max", "max\n");
    tree_put(&t, "/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
    assert_int_equal(limits_cgroup_memory(t.root), 0);
    assert_true(limits_cgroup_cores(t.root) == 0);
    tree_put(&t, "/sys/fs/cgroup/a/memory.max", "1000000\n");
    tree_put(&t, "/sys/fs/cgroup/a/cpu.max", "150000 100000\n");
    assert_int_equal(limits_cgroup_memory(t.root), 1000000);
    assert_true(limits_cgroup_cores(t.root) == 1.5);
    tree_put(&t, "/sys/fs/cgroup/a/b/cpu.max", "0 0\n");
    assert_true(limits_cgroup_cores(t.root) == 1.5);
    tree_free(&t);

    tree_new(&t);
    tree_put(&t, "/proc/self/cgroup", "4:memory:/m\n1:cpu,cpuacct:/c\n");
    tree_put(&t, "/proc/self/mountinfo", MOUNT_V1);
    tree_put(&t, "/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    tree_put(&t, "/sys/fs/cgroup/memory/m/memory.limit_in_bytes", "2000\n");
    tree_put(&t, "/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
    tree_put(&t, "/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    tree_put(&t, "/sys/fs/cgroup/cpu/c/cpu.cfs_quota_us", "50000\n");
    tree_put(&t, "/sys/fs/cgroup/cpu/c/cpu.cfs_period_us", "100000\n");
    assert_int_equal(limits_cgroup_memory(t.root), 2000);
    assert_true(limits_cgroup_cores(t.root) == 0.5);
    tree_free(&t);
}

static void this_system_can_be_read(void **state)
{
    char text[4096];
    struct cpu_times t;

    (void)state;
    assert_true(limits_read("", "/proc/stat", text, sizeof text));
    assert_true(limits_cpu_times(str_c(text), &t));
    assert_true(t.all > 0);
    assert_false(limits_read("", "/proc/no/such/file", text, sizeof text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_lines_and_numbers),  cmocka_unit_test(times_of_the_cpu),
        cmocka_unit_test(cgroups_of_both_versions), cmocka_unit_test(the_tightest_limit_counts),
        cmocka_unit_test(this_system_can_be_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
