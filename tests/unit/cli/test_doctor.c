/* SPDX-License-Identifier: MIT */
#include "cli/doctor.h"
#include "support/tree.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define MOUNT "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"

static struct tree tree;

/* A machine that can carry a good deal. */
static int set_up(void **state)
{
    (void)state;
    tree_new(&tree);
    tree_put(&tree, "/proc/sys/fs/nr_open", "1048576\n");
    tree_put(&tree, "/proc/sys/fs/file-max", "9223372036854775807\n");
    tree_put(&tree, "/proc/sys/fs/file-nr", "1000\t0\t9223372036854775807\n");
    tree_put(&tree, "/proc/sys/net/ipv4/ip_local_port_range", "32768\t60999\n");
    tree_put(&tree, "/proc/sys/net/ipv4/ip_local_reserved_ports", "\n");
    tree_put(&tree, "/proc/sys/net/ipv4/tcp_tw_reuse", "2\n");
    tree_put(&tree, "/proc/sys/net/ipv4/tcp_timestamps", "1\n");
    tree_put(&tree, "/proc/sys/net/ipv4/tcp_max_syn_backlog", "2048\n");
    tree_put(&tree, "/proc/sys/net/ipv4/tcp_mem", "1000\t2000\t3000\n");
    tree_put(&tree, "/proc/sys/net/core/somaxconn", "4096\n");
    tree_put(&tree, "/proc/net/sockstat",
             "sockets: used 17\nTCP: inuse 1 orphan 0 tw 12 alloc 1\n");
    tree_put(&tree, "/proc/net/netstat", "TcpExt: A ListenDrops B\nTcpExt: 1 77 2\n");
    tree_put(&tree, "/proc/meminfo", "MemTotal: 4000000 kB\nMemAvailable: 2000000 kB\n");
    tree_put(&tree, "/proc/stat", "cpu 100 0 0 100 0 0 0 0 0 0\n");
    tree_put(&tree, "/proc/self/cgroup", "0::/\n");
    tree_put(&tree, "/proc/self/mountinfo", MOUNT);
    tree_put(&tree, "/proc/pressure/cpu", "some avg10=1.50 avg60=0.00 avg300=0.00 total=0\n");
    tree_put(&tree, "/proc/pressure/memory", "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tree_free(&tree);
    return 0;
}

static struct doctor machine(void)
{
    struct doctor d;

    doctor_init(&d, tree.root, NULL);
    d.descriptors = 20000;
    d.cores = 4;
    d.need = (struct doctor_need){
        .has_plan = true, .vus = 100, .in_flight_per_vu = 2, .connections = 200, .sessions = 100};
    return d;
}

/* The line of a check; it has this status and, if given, these words. */
static struct doctor_line line_of(const struct doctor *d,
                                  const char *name,
                                  enum doctor_status status,
                                  const char *value,
                                  const char *fix)
{
    struct doctor_line line;
    const struct doctor_check *check = doctor_find(name);

    assert_non_null(check);
    doctor_run(d, check, &line);
    if (line.status != status || (value != NULL && strstr(line.value, value) == NULL) ||
        (fix != NULL && strstr(line.fix, fix) == NULL)) {
        fail_msg("%s: %s: \"%s\", needs \"%s\", fix \"%s\"", name, doctor_status_name(line.status),
                 line.value, line.need, line.fix);
    }
    assert_true(line.value[0] != '\0');
    assert_true(status == DOCTOR_WARN || status == DOCTOR_FAIL || line.fix[0] == '\0');
    return line;
}

static void the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < doctor_check_count; i++) {
        assert_ptr_equal(doctor_find(doctor_checks[i].name), &doctor_checks[i]);
        assert_non_null(doctor_checks[i].title);
    }
    assert_null(doctor_find("nothing"));
    for (unsigned i = 0; i < DOCTOR_STATUS_COUNT; i++) {
        assert_non_null(doctor_status_name((enum doctor_status)i));
        assert_non_null(doctor_status_word((enum doctor_status)i));
    }
}

static void a_good_machine_is_ok(void **state)
{
    static const char *const names[] = {"open_files", "ports",        "time_wait", "churn",
                                        "conntrack",  "listen_queue", "memory",    "tcp_memory",
                                        "cores",      "governor",     "pressure"};
    struct doctor d = machine();

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        line_of(&d, names[i], DOCTOR_OK, NULL, NULL);
    }
}

static void descriptors(void **state)
{
    struct doctor d = machine();

    (void)state;
    d.need.connections = 18000; /* 1.1 times, and ours */
    line_of(&d, "open_files", DOCTOR_OK, "20,000", NULL);
    d.need.connections = 18200;
    struct doctor_line line = line_of(&d, "open_files", DOCTOR_FAIL, "20,000", "ulimit -Hn 20084");
    assert_string_equal(line.need, "20,084");
    d.descriptors = UINT64_MAX;
    line_of(&d, "open_files", DOCTOR_OK, "1,048,576", NULL);
    tree_put(&tree, "/proc/sys/fs/file-max", "5000\n");
    line_of(&d, "open_files", DOCTOR_FAIL, "4,000 (of the whole system)", "fs.file-max");
    tree_put(&tree, "/proc/sys/fs/file-max", "500\n");
    line_of(&d, "open_files", DOCTOR_FAIL, "0 (of", "fs.file-max");
    d.need = (struct doctor_need){0}; /* without a plan nothing is missing */
    line_of(&d, "open_files", DOCTOR_OK, NULL, NULL);
}

static void ports_and_churn(void **state)
{
    struct doctor d = machine();

    (void)state;
    d.need.connections = 28233;
    line_of(&d, "ports", DOCTOR_FAIL, "28,232", "ip_local_port_range");
    d.need.local = d.need.local_ipv4 = true; /* more source addresses */
    line_of(&d, "ports", DOCTOR_OK, "127.0.1.1", NULL);
    d.need.local = d.need.local_ipv4 = false;
    d.need.connections = 28232;
    line_of(&d, "ports", DOCTOR_OK, NULL, NULL);
    tree_put(&tree, "/proc/sys/net/ipv4/ip_local_reserved_ports", "80,40000-40009,60999-61010\n");
    line_of(&d, "ports", DOCTOR_FAIL, "28,221", NULL);
    tree_put(&tree, "/proc/sys/net/ipv4/ip_local_reserved_ports", "x-,-,9-1,,70000-80000\n");
    line_of(&d, "ports", DOCTOR_OK, "28,232", NULL);

    d.need.churns = d.need.leaves_time_wait = true;
    d.need.connects_per_s = 470;
    line_of(&d, "churn", DOCTOR_OK, "470 new", NULL);
    d.need.connects_per_s = 471;
    line_of(&d, "churn", DOCTOR_FAIL, "470 new", "tcp_tw_reuse=1");
    d.need.connects_per_s = 0; /* nobody knows how many */
    line_of(&d, "churn", DOCTOR_WARN, NULL, "tcp_tw_reuse=1");
    d.need.leaves_time_wait = false;
    line_of(&d, "churn", DOCTOR_OK, NULL, NULL);
    d.need.leaves_time_wait = d.need.local = true; /* 2 means: on loopback */
    d.need.connects_per_s = 1e6;
    line_of(&d, "churn", DOCTOR_OK, "again at once", NULL);
    tree_put(&tree, "/proc/sys/net/ipv4/tcp_timestamps", "0\n");
    line_of(&d, "churn", DOCTOR_FAIL, NULL, NULL);

    tree_put(&tree, "/proc/net/sockstat", "TCP: inuse 1 orphan 0 tw 14116 alloc 1\n");
    line_of(&d, "time_wait", DOCTOR_WARN, "14,116", NULL);
    tree_put(&tree, "/proc/sys/net/ipv4/ip_local_port_range", "60999 32768\n");
    line_of(&d, "ports", DOCTOR_UNKNOWN, NULL, NULL);
    line_of(&d, "churn", DOCTOR_UNKNOWN, NULL, NULL);
    line_of(&d, "time_wait", DOCTOR_UNKNOWN, NULL, NULL);
}

static void connections_on_their_way(void **state)
{
    struct doctor d = machine();

    (void)state;
    tree_put(&tree, "/proc/sys/net/netfilter/nf_conntrack_max", "1000\n");
    tree_put(&tree, "/proc/sys/net/netfilter/nf_conntrack_count", "600\n");
    line_of(&d, "conntrack", DOCTOR_OK, "400 of 1,000", NULL);
    d.need.connections = 201;
    line_of(&d, "conntrack", DOCTOR_FAIL, NULL, "nf_conntrack_max=1404");
    d.need.connections = 10;
    d.need.churns = true;
    d.need.connects_per_s = 100;
    line_of(&d, "conntrack", DOCTOR_FAIL, NULL, NULL);

    d.need.connections = 3000;
    line_of(&d, "listen_queue", DOCTOR_OK, "77 dropped", NULL);
    d.need.local = true;
    line_of(&d, "listen_queue", DOCTOR_WARN, NULL, "somaxconn=3000");
}

static void memory_and_cores(void **state)
{
    struct doctor d = machine();

    (void)state;
    tree_put(&tree, "/sys/fs/cgroup/memory.max", "70000000\n");
    line_of(&d, "memory", DOCTOR_FAIL, "70 MB (the cgroup's limit)", "memory limit");
    tree_put(&tree, "/sys/fs/cgroup/memory.max", "max\n");
    line_of(&d, "memory", DOCTOR_OK, "2.05 GB available", NULL);
    d.need.connections = 10000000;
    line_of(&d, "memory", DOCTOR_FAIL, NULL, "larger machine");
    d.need.connections = 2000;
    line_of(&d, "tcp_memory", DOCTOR_WARN, "3,000 pages", "tcp_mem=\"2000 3000 4000\"");

    tree_put(&tree, "/sys/fs/cgroup/cpu.max", "400000 100000\n");
    line_of(&d, "cores", DOCTOR_OK, "4, and a quota of 4", NULL);
    tree_put(&tree, "/sys/fs/cgroup/cpu.max", "250000 100000\n");
    line_of(&d, "cores", DOCTOR_WARN, "quota of 2.5", "--threads 2");
    tree_put(&tree, "/sys/fs/cgroup/cpu.max", "50000 100000\n");
    line_of(&d, "cores", DOCTOR_WARN, "quota of 0.5", "one whole core");

    tree_put(&tree, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
    line_of(&d, "governor", DOCTOR_WARN, "powersave", "frequency-set");
    tree_put(&tree, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n");
    line_of(&d, "governor", DOCTOR_OK, "performance", NULL);

    line_of(&d, "steal", DOCTOR_UNKNOWN, NULL, NULL);
    tree_put(&tree, "/proc/stat", "cpu 150 0 0 145 0 0 0 5 0 0\n");
    line_of(&d, "steal", DOCTOR_WARN, "5.0 %", NULL);
    tree_put(&tree, "/proc/pressure/cpu", "some avg10=45.10 avg60=0.00 avg300=0.00 total=0\n");
    line_of(&d, "pressure", DOCTOR_WARN, "CPU 45.1 %", NULL);
}

static void what_cannot_be_read_is_unknown(void **state)
{
    static const char *const unknown[] = {"ports",      "time_wait", "churn",  "listen_queue",
                                          "tcp_memory", "steal",     "memory", "pressure"};
    struct doctor d = machine();

    (void)state;
    d.root = "/proc/no-such-root";
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        line_of(&d, unknown[i], DOCTOR_UNKNOWN, NULL, NULL);
    }
    line_of(&d, "conntrack", DOCTOR_OK, "not tracked", NULL);
    line_of(&d, "open_files", DOCTOR_OK, NULL, NULL);
}

static void clock_timers_and_kernel_are_measured(void **state)
{
    struct doctor d = machine();
    struct doctor_line line;

    (void)state;
    tree_put(&tree, "/sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n");
    line_of(&d, "clock", DOCTOR_WARN, "a read, hpet", "clocksource=tsc");
    doctor_run(&d, doctor_find("timers"), &line);
    assert_non_null(strstr(line.value, "p99"));
    doctor_run(&d, doctor_find("kernel"), &line);
    assert_non_null(strstr(line.value, "Linux "));
}

/* ---- with a scenario --------------------------------------------------------------------------
 */

static struct scenario *load(const char *url, const char *more, const char *stage)
{
    char text[2048];
    struct scenario *s = NULL;
    struct issue_list issues = {0};
    struct err err = {0};

    snprintf(text, sizeof text,
             "{\"schema_version\": \"run-config/v1\", \"target\": {\"url\": \"%s\"},"
             "\"workload\": {\"in_flight_per_vu\": 2, \"operation_mix\": [{\"operation\": "
             "\"ping\"}]}%s, \"stages\": [%s]}",
             url, more, stage);
    if (scenario_load_text(str_c(text), NULL, &s, &issues, &err) != 0) {
        fail_msg("%s", err.msg);
    }
    issue_list_clear(&issues);
    return s;
}

static const char baseline[] =
    "{\"stage\": \"baseline\", \"duration_ms\": 10000, \"load\": {\"target_vus\": 5}},"
    "{\"stage\": \"baseline\", \"duration_ms\": 10000, \"load\": {\"target_vus\": 50}}";

static void needs_of_a_scenario(void **state)
{
    struct scenario *s = load("http://127.0.0.1:9000/mcp", "", baseline);
    struct doctor_need need = doctor_need_of(s);

    (void)state;
    assert_true(need.has_plan && need.local && need.local_ipv4 && !need.churns && !need.sized);
    assert_int_equal(need.vus, 50);
    assert_int_equal(need.connections, 100);
    assert_int_equal(need.sessions, 50);
    scenario_free(s);

    s = load("http://[::1]:9000/mcp", ", \"session_policy\": {\"mode\": \"per_request\"}",
             "{\"stage\": \"baseline\", \"duration_ms\": 10000, \"load\": {\"target_vus\": 5, "
             "\"target_rps\": 300}}");
    need = doctor_need_of(s);
    assert_true(need.local && !need.local_ipv4 && need.churns && need.leaves_time_wait);
    assert_true(need.connects_per_s == 300);
    assert_int_equal(need.sessions, 10);
    scenario_free(s);
}

static int listen_on(uint16_t *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 64), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static void reaches_the_target(void **state)
{
    uint16_t port;
    int fd = listen_on(&port);
    char url[64];
    struct doctor d;

    (void)state;
    snprintf(url, sizeof url, "http://127.0.0.1:%u/mcp", (unsigned)port);
    struct scenario *s = load(url, "", baseline);
    doctor_init(&d, tree.root, s);
    line_of(&d, "target", DOCTOR_OK, "median of 10", NULL);
    close(fd); /* nobody listens any more */
    line_of(&d, "target", DOCTOR_FAIL, "refused", "start the target");
    scenario_free(s);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(the_table),
        CASE(a_good_machine_is_ok),
        CASE(descriptors),
        CASE(ports_and_churn),
        CASE(connections_on_their_way),
        CASE(memory_and_cores),
        CASE(what_cannot_be_read_is_unknown),
        CASE(clock_timers_and_kernel_are_measured),
        CASE(needs_of_a_scenario),
        CASE(reaches_the_target),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
