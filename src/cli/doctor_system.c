/* SPDX-License-Identifier: MIT */
/* What files of /proc and /sys say, and the table of all checks. */
#include "cli/doctor.h"
#include "report/text/text.h"

#include <math.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

enum {
    OWN_DESCRIPTORS = 64, /* files, loops and mailboxes beside the connections */
    TIME_WAIT_S = 60,     /* how long the kernel keeps a port after we closed (TCP_TIMEWAIT_LEN) */
    LOOPBACK_SOURCES = 254,   /* net/dial.h: further source addresses towards 127.0.0.0/8 */
    STEAL_TICKS_MIN = 10,     /* for a share that means something */
    CONNECTION_BYTES = 5120,  /* of a connection at rest: 4 KiB of the kernel's, 1 KiB of ours */
    TCP_CONNECTION_PAGES = 2, /* of the kernel's network buffers while data is under way */
};

#define BASE_BYTES (UINT64_C(64) << 20) /* histograms, the program itself */

void doctor_say(char *out, size_t size, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(out, size, fmt, ap);
    va_end(ap);
}

/* For several numbers in one line. */
struct number {
    char text[TEXT_NUMBER_MAX];
};

static struct number count_text(uint64_t n)
{
    struct number out;

    text_count(n, out.text);
    return out;
}

static struct number bytes_text(uint64_t bytes)
{
    struct number out;

    text_bytes((double)bytes, out.text);
    return out;
}

static void unknown(struct doctor_line *out, const char *what)
{
    out->status = DOCTOR_UNKNOWN;
    DOCTOR_VALUE(out, "%s", what);
}

/* ---- descriptors and ports ------------------------------------------------------------------- */

static void check_open_files(const struct doctor *d, struct doctor_line *out)
{
    uint64_t most = d->descriptors, n, used;
    uint64_t need = d->need.connections + (d->need.connections + 9) / 10 + OWN_DESCRIPTORS;
    const char *narrowest = "";

    if (limits_number(d->root, "/proc/sys/fs/nr_open", &n) && n < most) {
        most = n; /* it bounds what the limit of a process may be */
    }
    if (limits_number(d->root, "/proc/sys/fs/file-nr", &used) &&
        limits_number(d->root, "/proc/sys/fs/file-max", &n) && n - (used < n ? used : n) < most) {
        most = n - (used < n ? used : n);
        narrowest = " (of the whole system)";
    }
    DOCTOR_VALUE(out, "%s%s", count_text(most).text, narrowest);
    if (!d->need.has_plan) {
        return;
    }
    DOCTOR_NEED(out, "%s", count_text(need).text);
    if (most >= need) {
        return;
    }
    out->status = DOCTOR_FAIL;
    if (narrowest[0] != '\0') {
        DOCTOR_FIX(out, "sysctl -w fs.file-max=%llu", (unsigned long long)(need * 2));
    } else {
        DOCTOR_FIX(out,
                   "ulimit -Hn %llu (LimitNOFILE= of a service), with sysctl fs.nr_open not below "
                   "it",
                   (unsigned long long)need);
    }
}

/* "8080,9148-9200": how many of low..high are among them. */
static uint64_t reserved_ports(const char *root, uint64_t low, uint64_t high)
{
    char text[4096];
    uint64_t count = 0;

    if (!limits_read(root, "/proc/sys/net/ipv4/ip_local_reserved_ports", text, sizeof text)) {
        return 0;
    }
    for (char *p = text, *next; *p != '\0' && *p != '\n'; p = next) {
        size_t len = strcspn(p, ",\n");
        struct str item = str_trim((struct str){p, len});
        const char *dash = item.len > 0 ? memchr(item.p, '-', item.len) : NULL;
        struct str first = {item.p, dash != NULL ? (size_t)(dash - item.p) : item.len};
        struct str last = dash != NULL ? (struct str){dash + 1, item.len - first.len - 1} : first;
        uint64_t from, to;

        next = p + len + (p[len] == ',');
        if (str_u64(first, UINT16_MAX, &from) && str_u64(last, UINT16_MAX, &to)) {
            from = from > low ? from : low;
            to = to < high ? to : high;
            count += to >= from ? to - from + 1 : 0;
        }
    }
    return count;
}

/* Towards one target, from one source address. 0: not known. */
static uint64_t local_ports(const char *root)
{
    char text[64];
    struct str rest, word;
    uint64_t low, high;

    if (!limits_read(root, "/proc/sys/net/ipv4/ip_local_port_range", text, sizeof text)) {
        return 0;
    }
    rest = str_c(text);
    if (!limits_word(&rest, &word) || !str_u64(word, UINT16_MAX, &low) ||
        !limits_word(&rest, &word) || !str_u64(word, UINT16_MAX, &high) || high < low) {
        return 0;
    }
    uint64_t all = high - low + 1, reserved = reserved_ports(root, low, high);
    return all > reserved ? all - reserved : 0;
}

/* With the source addresses that the dialer takes towards this machine. */
static uint64_t usable_ports(const struct doctor *d)
{
    return local_ports(d->root) * (d->need.local_ipv4 ? LOOPBACK_SOURCES : 1);
}

static const char wider_ports[] = "sysctl -w net.ipv4.ip_local_port_range=\"1024 65535\"";

static void check_ports(const struct doctor *d, struct doctor_line *out)
{
    uint64_t ports = local_ports(d->root);

    if (ports == 0) {
        unknown(out, "the port range cannot be read");
        return;
    }
    DOCTOR_VALUE(out, "%s for one target%s", count_text(ports).text,
                 d->need.local_ipv4 ? ", and from 127.0.1.1 \xe2\x80\xa6 as many each" : "");
    if (!d->need.has_plan) {
        return;
    }
    DOCTOR_NEED(out, "%s", count_text(d->need.connections).text);
    if (usable_ports(d) < d->need.connections) {
        out->status = DOCTOR_FAIL;
        DOCTOR_FIX(out, "%s; or several machines", wider_ports);
    }
}

static void check_time_wait(const struct doctor *d, struct doctor_line *out)
{
    char text[2048];
    struct str rest, line, word;
    uint64_t waiting = 0, ports = local_ports(d->root);
    bool found = false;

    if (!limits_read(d->root, "/proc/net/sockstat", text, sizeof text) || ports == 0) {
        unknown(out, "cannot be read");
        return;
    }
    for (rest = str_c(text); limits_line(&rest, &line);) {
        bool tcp = limits_word(&line, &word) && str_eq(word, STR("TCP:"));
        while (tcp && !found && limits_word(&line, &word)) {
            found = str_eq(word, STR("tw")) && limits_word(&line, &word) &&
                    str_u64(word, UINT64_MAX, &waiting);
        }
    }
    DOCTOR_VALUE(out, "%s ports wait out a closed connection", count_text(waiting).text);
    DOCTOR_NEED(out, "below %s (half of the ports)", count_text(ports / 2).text);
    if (waiting >= ports / 2) {
        out->status = DOCTOR_WARN;
        DOCTOR_FIX(out, "wait a minute, or %s", wider_ports);
    }
}

/* Are ports in TIME-WAIT taken again towards this target? 1: always, 2: on loopback
 * (Documentation/networking/ip-sysctl.rst of the kernel); both need time stamps. */
static bool reuses_ports(const struct doctor *d)
{
    uint64_t reuse = 0, stamps = 1;

    limits_number(d->root, "/proc/sys/net/ipv4/tcp_tw_reuse", &reuse);
    limits_number(d->root, "/proc/sys/net/ipv4/tcp_timestamps", &stamps);
    return stamps != 0 && (reuse == 1 || (reuse == 2 && d->need.local));
}

static void check_churn(const struct doctor *d, struct doctor_line *out)
{
    uint64_t ports = usable_ports(d);
    double most = (double)ports / TIME_WAIT_S;

    if (ports == 0) {
        unknown(out, "the port range cannot be read");
        return;
    }
    if (reuses_ports(d)) {
        DOCTOR_VALUE(out, "closed ports are taken again at once (tcp_tw_reuse)");
    } else {
        DOCTOR_VALUE(out, "%s new connections/s: a closed port waits for a minute",
                     count_text((uint64_t)most).text);
    }
    if (!d->need.has_plan || !d->need.churns) {
        DOCTOR_NEED(out, "%s", d->need.has_plan ? "connections stay" : "");
        return;
    }
    if (d->need.connects_per_s > 0) {
        DOCTOR_NEED(out, "%s/s", count_text((uint64_t)ceil(d->need.connects_per_s)).text);
    } else {
        DOCTOR_NEED(out, "as many as the target's speed allows");
    }
    if (reuses_ports(d) || !d->need.leaves_time_wait ||
        (d->need.connects_per_s > 0 && d->need.connects_per_s <= most)) {
        return;
    }
    /* The ports of many source addresses are not used up by what one target can take. */
    out->status = d->need.connects_per_s > 0 ? DOCTOR_FAIL
                  : d->need.local_ipv4       ? DOCTOR_OK
                                             : DOCTOR_WARN;
    if (out->status != DOCTOR_OK) {
        DOCTOR_FIX(out, "sysctl -w net.ipv4.tcp_tw_reuse=1; %s", wider_ports);
    }
}

static void check_conntrack(const struct doctor *d, struct doctor_line *out)
{
    uint64_t most, used = 0;

    if (!limits_number(d->root, "/proc/sys/net/netfilter/nf_conntrack_max", &most)) {
        DOCTOR_VALUE(out, "connections are not tracked");
        return;
    }
    limits_number(d->root, "/proc/sys/net/netfilter/nf_conntrack_count", &used);
    uint64_t left = most > used ? most - used : 0;
    DOCTOR_VALUE(out, "room for %s of %s", count_text(left).text, count_text(most).text);
    if (!d->need.has_plan) {
        return;
    }
    /* A closed connection is tracked for two minutes more. */
    double kept = (double)d->need.connections * 2 +
                  (d->need.churns ? d->need.connects_per_s * 2 * TIME_WAIT_S : 0);
    DOCTOR_NEED(out, "%s", count_text((uint64_t)kept).text);
    if ((double)left < kept) {
        out->status = DOCTOR_FAIL;
        DOCTOR_FIX(out, "sysctl -w net.netfilter.nf_conntrack_max=%llu",
                   (unsigned long long)(kept * 2 + (double)used));
    }
}

static void check_listen_queue(const struct doctor *d, struct doctor_line *out)
{
    uint64_t queue, syn = 0, drops = 0;
    char text[16384];

    if (!limits_number(d->root, "/proc/sys/net/core/somaxconn", &queue)) {
        unknown(out, "cannot be read");
        return;
    }
    limits_number(d->root, "/proc/sys/net/ipv4/tcp_max_syn_backlog", &syn);
    if (limits_read(d->root, "/proc/net/netstat", text, sizeof text)) {
        limits_column(str_c(text), "TcpExt:", "ListenDrops", &drops);
    }
    DOCTOR_VALUE(out, "somaxconn %s, tcp_max_syn_backlog %s; %s dropped so far",
                 count_text(queue).text, count_text(syn).text, count_text(drops).text);
    if (!d->need.local) {
        return; /* the target's own business, on its own machine */
    }
    DOCTOR_NEED(out, "%s at once", count_text(d->need.connections).text);
    if (queue < d->need.connections || (syn > 0 && syn < d->need.connections)) {
        out->status = DOCTOR_WARN;
        DOCTOR_FIX(out,
                   "sysctl -w net.core.somaxconn=%llu net.ipv4.tcp_max_syn_backlog=%llu, or a "
                   "longer load.start_spread_ms",
                   (unsigned long long)d->need.connections,
                   (unsigned long long)d->need.connections);
    }
}

/* ---- memory ---------------------------------------------------------------------------------- */

static void check_memory(const struct doctor *d, struct doctor_line *out)
{
    char text[4096];
    uint64_t available, limit = limits_cgroup_memory(d->root);

    if (!limits_read(d->root, "/proc/meminfo", text, sizeof text) ||
        !limits_key(str_c(text), "MemAvailable", &available) || available > UINT64_MAX / 1024) {
        unknown(out, "cannot be read");
        return;
    }
    available *= 1024;
    bool limited = limit > 0 && limit < available;
    DOCTOR_VALUE(out, "%s%s", bytes_text(limited ? limit : available).text,
                 limited ? " (the cgroup's limit)" : " available");
    if (!d->need.has_plan) {
        return;
    }
    uint64_t need = d->need.connections * CONNECTION_BYTES + BASE_BYTES;
    need += need / 5;
    DOCTOR_NEED(out, "about %s", bytes_text(need).text);
    if ((limited ? limit : available) < need) {
        out->status = DOCTOR_FAIL;
        DOCTOR_FIX(out, limited ? "raise the memory limit of the container or service"
                                : "free memory, or use a larger machine");
    }
}

static void check_tcp_memory(const struct doctor *d, struct doctor_line *out)
{
    char text[128];
    struct str rest, word;
    uint64_t pages = 0;

    if (!limits_read(d->root, "/proc/sys/net/ipv4/tcp_mem", text, sizeof text)) {
        unknown(out, "cannot be read");
        return;
    }
    rest = str_c(text);
    for (unsigned i = 0; i < 3; i++) { /* low, pressure, most */
        if (!limits_word(&rest, &word) || !str_u64(word, UINT32_MAX, &pages)) {
            unknown(out, "cannot be read");
            return;
        }
    }
    DOCTOR_VALUE(out, "%s pages", count_text(pages).text);
    if (!d->need.has_plan) {
        return;
    }
    uint64_t need = d->need.connections * TCP_CONNECTION_PAGES;
    DOCTOR_NEED(out, "%s", count_text(need).text);
    if (pages < need) {
        out->status = DOCTOR_WARN;
        DOCTOR_FIX(out, "sysctl -w net.ipv4.tcp_mem=\"%llu %llu %llu\"",
                   (unsigned long long)need / 2, (unsigned long long)need / 4 * 3,
                   (unsigned long long)need);
    }
}

/* ---- CPU ------------------------------------------------------------------------------------- */

static void check_cores(const struct doctor *d, struct doctor_line *out)
{
    double quota = limits_cgroup_cores(d->root);

    if (quota <= 0) {
        DOCTOR_VALUE(out, "%u, no quota", d->cores);
        return;
    }
    DOCTOR_VALUE(out, "%u, and a quota of %.3g", d->cores, quota);
    DOCTOR_NEED(out, "a quota of whole cores, not below the threads");
    if (quota >= d->cores && quota - floor(quota) <= 0) {
        return;
    }
    out->status = DOCTOR_WARN;
    if (quota >= 1) {
        DOCTOR_FIX(out, "run with --threads %u, or give the container whole cores (cpuset)",
                   (unsigned)quota);
    } else {
        DOCTOR_FIX(out, "give the container at least one whole core");
    }
}

static void check_governor(const struct doctor *d, struct doctor_line *out)
{
    char text[64];
    struct str rest, word;

    if (!limits_read(d->root, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", text,
                     sizeof text)) {
        DOCTOR_VALUE(out, "the frequency is not ours to control");
        return;
    }
    rest = str_c(text);
    limits_word(&rest, &word);
    DOCTOR_VALUE(out, "%.*s", STR_ARG(word));
    DOCTOR_NEED(out, "performance");
    if (!str_eq(word, STR("performance"))) {
        out->status = DOCTOR_WARN;
        DOCTOR_FIX(out, "cpupower frequency-set -g performance");
    }
}

static void check_steal(const struct doctor *d, struct doctor_line *out)
{
    char text[512];
    struct cpu_times now;

    if (!limits_read(d->root, "/proc/stat", text, sizeof text) ||
        !limits_cpu_times(str_c(text), &now) || now.all < d->began.all + STEAL_TICKS_MIN ||
        now.steal < d->began.steal) {
        unknown(out, "too little time to tell");
        return;
    }
    double share = (double)(now.steal - d->began.steal) / (double)(now.all - d->began.all);
    DOCTOR_VALUE(out, "%.1f %% of the time goes to other guests of the host", share * 100);
    DOCTOR_NEED(out, "below 2 %%");
    if (share > 0.02) {
        out->status = DOCTOR_WARN;
        DOCTOR_FIX(out, "use a machine with cores of its own");
    }
}

static bool read_pressure(const char *root, const char *path, double *out)
{
    char text[256];
    struct str rest, word;

    if (!limits_read(root, path, text, sizeof text)) {
        return false;
    }
    rest = str_c(text);
    if (!limits_skip(&rest, 1) || !limits_word(&rest, &word) || !str_starts(word, STR("avg10="))) {
        return false;
    }
    char number[32];
    snprintf(number, sizeof number, "%.*s", (int)word.len - 6, word.p + 6);
    *out = strtod(number, NULL);
    return *out >= 0;
}

static void check_pressure(const struct doctor *d, struct doctor_line *out)
{
    double cpu, memory = 0;

    if (!read_pressure(d->root, "/proc/pressure/cpu", &cpu)) {
        unknown(out, "this kernel does not tell");
        return;
    }
    read_pressure(d->root, "/proc/pressure/memory", &memory);
    DOCTOR_VALUE(out, "CPU %.1f %%, memory %.1f %% (of the last 10 s)", cpu, memory);
    DOCTOR_NEED(out, "below 10 %%");
    if (cpu > 10 || memory > 10) {
        out->status = DOCTOR_WARN;
        DOCTOR_FIX(out, "stop what else runs on this machine");
    }
}

/* ---- the table ------------------------------------------------------------------------------- */

const struct doctor_check doctor_checks[] = {
    {.name = "open_files", .title = "open files", .run = check_open_files},
    {.name = "ports", .title = "ports", .run = check_ports},
    {.name = "time_wait", .title = "ports in TIME-WAIT", .run = check_time_wait},
    {.name = "churn", .title = "connections that come and go", .run = check_churn},
    {.name = "conntrack", .title = "connection tracking", .run = check_conntrack},
    {.name = "listen_queue", .title = "listen queue", .run = check_listen_queue},
    {.name = "memory", .title = "memory", .run = check_memory},
    {.name = "tcp_memory", .title = "memory of TCP", .run = check_tcp_memory},
    {.name = "cores", .title = "cores", .run = check_cores},
    {.name = "governor", .title = "CPU frequency", .run = check_governor},
    {.name = "clock", .title = "clock", .run = doctor_check_clock},
    {.name = "timers", .title = "timers", .run = doctor_check_timers},
    {.name = "steal", .title = "stolen CPU time", .run = check_steal},
    {.name = "pressure", .title = "pressure", .run = check_pressure},
    {.name = "kernel", .title = "kernel", .run = doctor_check_kernel},
    {.name = "target", .title = "target", .needs_plan = true, .run = doctor_check_target},
};
const size_t doctor_check_count = sizeof doctor_checks / sizeof doctor_checks[0];

const struct doctor_check *doctor_find(const char *name)
{
    for (size_t i = 0; i < doctor_check_count; i++) {
        if (strcmp(doctor_checks[i].name, name) == 0) {
            return &doctor_checks[i];
        }
    }
    return NULL;
}

void doctor_init(struct doctor *d, const char *root, const struct scenario *scenario)
{
    struct rlimit limit;
    cpu_set_t set;
    char text[512];

    *d = (struct doctor){.root = root, .descriptors = UINT64_MAX, .cores = 1};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_max != RLIM_INFINITY) {
        d->descriptors = limit.rlim_max; /* each command raises its own limit up to that */
    }
    if (sched_getaffinity(0, sizeof set, &set) == 0 && CPU_COUNT(&set) > 0) {
        d->cores = (unsigned)CPU_COUNT(&set);
    }
    if (limits_read(root, "/proc/stat", text, sizeof text)) {
        limits_cpu_times(str_c(text), &d->began);
    }
    d->scenario = scenario;
    if (scenario != NULL) {
        d->need = doctor_need_of(scenario);
    }
}

void doctor_run(const struct doctor *d, const struct doctor_check *check, struct doctor_line *out)
{
    *out = (struct doctor_line){.status = DOCTOR_OK};
    check->run(d, out);
    if (!d->need.has_plan && out->status == DOCTOR_FAIL) {
        out->status = DOCTOR_WARN;
    }
}

#define DOCTOR_NAME_(id, name, word) [DOCTOR_##id] = (name),
#define DOCTOR_WORD_(id, name, word) [DOCTOR_##id] = (word),

const char *doctor_status_name(enum doctor_status status)
{
    static const char *const names[] = {DOCTOR_STATUS_MAP(DOCTOR_NAME_)};

    return names[status];
}

const char *doctor_status_word(enum doctor_status status)
{
    static const char *const words[] = {DOCTOR_STATUS_MAP(DOCTOR_WORD_)};

    return words[status];
}
