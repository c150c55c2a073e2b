/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "support/tree.h"
#include "worker/health.h"

#define SNMP(sent, again)                                     \
    "Ip: Forwarding DefaultTTL\nIp: 1 64\nIcmp: A\nIcmp: 0\n" \
    "Tcp: RtoAlgorithm MaxConn OutSegs RetransSegs InErrs\nTcp: 1 -1 " #sent " " #again " 0\n"

static void fill(struct tree *t)
{
    tree_put(t, "/proc/thread-self/schedstat", "1000 5000 7\n");
    tree_put(t, "/proc/stat", "cpu  100 0 0 900 0 0 0 0 0 0\ncpu0 1\n");
    tree_put(t, "/proc/self/statm", "1000 10 5 1 0 3 0\n");
    tree_put(t, "/proc/meminfo", "MemTotal:  4096 kB\nMemFree: 1 kB\n");
    tree_put(t, "/proc/net/snmp", SNMP(1000, 10));
    tree_put(t, "/proc/pressure/cpu", "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
    tree_put(t, "/proc/pressure/memory", "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
    tree_put(t, "/proc/self/cgroup", "0::/a/b\n");
    tree_put(t, "/proc/self/mountinfo", "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
    tree_put(t, "/sys/fs/cgroup/a/cpu.stat", "usage_usec 1\nthrottled_usec 100\n");
    tree_put(t, "/sys/fs/cgroup/a/b/cpu.stat", "usage_usec 1\nthrottled_usec 50\n");
    tree_put(t, "/sys/fs/cgroup/a/b/memory.max", "1048576\n");
}

static void reads_what_has_come_since(void **state)
{
    struct tree t;
    struct window_health h = {.turn_p99_ns = 77};

    (void)state;
    tree_new(&t);
    fill(&t);
    struct health_probe *p = health_new(t.root, true);
    tree_put(&t, "/proc/thread-self/schedstat", "2000 45000 9\n");
    tree_put(&t, "/proc/stat", "cpu  150 0 0 930 0 0 0 20 0 0\n");
    tree_put(&t, "/proc/net/snmp", SNMP(3000, 30));
    tree_put(&t, "/proc/pressure/cpu", "some avg10=12.50 avg60=0.00 avg300=0.00 total=0\n");
    tree_put(&t, "/proc/pressure/memory", "some avg10=1.25 avg60=0.00 avg300=0.00 total=0\n");
    tree_put(&t, "/sys/fs/cgroup/a/cpu.stat", "usage_usec 1\nthrottled_usec 350\n");
    tree_put(&t, "/sys/fs/cgroup/a/b/cpu.stat", "usage_usec 1\nthrottled_usec 60\n");
    health_read(p, &h);
    assert_int_equal(h.run_delay_ns, 40000);
    assert_int_equal(h.turn_p99_ns, 77);
    assert_true(h.has_process);
    assert_true(h.steal == 0.2);
    assert_int_equal(h.throttled_ns, 250 * NS_PER_US); /* the group above is the one that holds */
    assert_int_equal(h.rss_bytes, 10 * sysconf(_SC_PAGESIZE));
    assert_int_equal(h.memory_limit_bytes, 1048576);
    assert_true(h.pressure_cpu == 12.5 && h.pressure_memory == 1.25);
    assert_int_equal(h.segments_sent, 2000);
    assert_int_equal(h.segments_retransmitted, 20);

    health_read(p, &h); /* nothing has come, and states stay */
    assert_int_equal(h.run_delay_ns, 0);
    assert_true(h.steal == 0);
    assert_int_equal(h.throttled_ns, 0);
    assert_int_equal(h.segments_sent, 0);
    assert_true(h.pressure_cpu == 12.5);

    tree_put(&t, "/proc/net/snmp", SNMP(5, 3)); /* counters that went back */
    tree_put(&t, "/proc/thread-self/schedstat", "1 1 1\n");
    health_read(p, &h);
    assert_int_equal(h.run_delay_ns, 0);
    assert_int_equal(h.segments_sent, 0);
    health_free(p);
    tree_free(&t);
}

static void version_one_and_no_limit(void **state)
{
    struct tree t;
    struct window_health h = {0};

    (void)state;
    tree_new(&t);
    fill(&t);
    tree_put(&t, "/proc/self/cgroup", "2:cpu,cpuacct:/\n3:memory:/\n");
    tree_put(&t, "/proc/self/mountinfo",
             "32 31 0:29 / /c rw - cgroup cgroup rw,cpu,cpuacct\n"
             "33 31 0:29 / /m rw - cgroup cgroup rw,memory\n");
    tree_put(&t, "/c/cpu.stat", "nr_periods 0\nnr_throttled 0\nthrottled_time 0\n");
    tree_put(&t, "/m/memory.limit_in_bytes", "9223372036854771712\n");
    struct health_probe *p = health_new(t.root, true);
    tree_put(&t, "/c/cpu.stat", "nr_periods 5\nnr_throttled 3\nthrottled_time 1234567\n");
    health_read(p, &h);
    assert_int_equal(h.throttled_ns, 1234567);
    assert_int_equal(h.memory_limit_bytes, 4096 * 1024); /* the machine's */
    health_free(p);
    tree_free(&t);
}

static void what_is_missing_or_broken_is_unknown(void **state)
{
    static const char *const broken[] = {"",
                                         "x",
                                         "cpu\nsome\nTcp:\nTcp:\n",
                                         "1 -5 99999999999999999999\n",
                                         "some avg10=nan\n",
                                         "some avg10=1e9\n"};
    static const char *const files[] = {
        "/proc/thread-self/schedstat", "/proc/stat",        "/proc/self/statm", "/proc/net/snmp",
        "/proc/pressure/cpu",          "/proc/self/cgroup",
    };
    struct tree t;
    struct window_health h = {0};

    (void)state;
    tree_new(&t);
    struct health_probe *p = health_new(t.root, true);
    health_read(p, &h);
    assert_int_equal(h.run_delay_ns + h.throttled_ns + h.rss_bytes + h.memory_limit_bytes, 0);
    health_free(p);
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        for (size_t f = 0; f < sizeof files / sizeof files[0]; f++) {
            tree_put(&t, files[f], broken[i]);
        }
        p = health_new(t.root, true);
        health_read(p, &h);
        assert_int_equal(h.run_delay_ns + h.throttled_ns + h.rss_bytes + h.segments_sent, 0);
        assert_true(h.pressure_cpu == 0 && h.steal == 0);
        health_free(p);
    }
    tree_free(&t);
}

static void this_thread(void **state)
{
    struct window_health h = {0};
    struct health_probe *p = health_new("", false);

    (void)state;
    health_read(p, &h);
    assert_false(h.has_process);
    assert_int_equal(h.rss_bytes, 0);
    health_free(p);
    p = health_new("", true);
    health_read(p, &h);
    assert_true(h.rss_bytes > 100000);
    assert_true(h.memory_limit_bytes > h.rss_bytes);
    assert_true(h.steal >= 0 && h.steal <= 1);
    health_free(p);
    health_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_has_come_since),
        cmocka_unit_test(version_one_and_no_limit),
        cmocka_unit_test(what_is_missing_or_broken_is_unknown),
        cmocka_unit_test(this_thread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
