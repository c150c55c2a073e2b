/* SPDX-License-Identifier: MIT */
#include "worker/health.h"

#include "base/mem.h"
#include "worker/limits.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Files of the process, in the order of `paths`. */
enum { FILE_STAT, FILE_STATM, FILE_SNMP, FILE_PRESSURE_CPU, FILE_PRESSURE_MEMORY, FILE_COUNT };

static const char *const paths[FILE_COUNT] = {
    [FILE_STAT] = "/proc/stat",
    [FILE_STATM] = "/proc/self/statm",
    [FILE_SNMP] = "/proc/net/snmp",
    [FILE_PRESSURE_CPU] = "/proc/pressure/cpu",
    [FILE_PRESSURE_MEMORY] = "/proc/pressure/memory",
};

struct health_probe {
    bool process;
    int schedstat;
    int files[FILE_COUNT];
    unsigned throttle_count, limit_count;
    int throttles[LIMITS_LEVELS_MAX]; /* cpu.stat of the cgroups */
    int limits[LIMITS_LEVELS_MAX];    /* memory limits of them */
    uint64_t machine_bytes;           /* the limit where no cgroup has one */

    /* as of the last call */
    uint64_t run_delay_ns;
    uint64_t throttled_ns[LIMITS_LEVELS_MAX];
    struct cpu_times cpu;
    uint64_t segments_sent, segments_retransmitted;

    char text[8192]; /* enough for the lines that are wanted: they stand at the beginning */
};

static int open_below(const char *root, const char *path)
{
    char full[LIMITS_PATH_MAX];

    if (snprintf(full, sizeof full, "%s%s", root, path) >= (int)sizeof full) {
        return -1;
    }
    return open(full, O_RDONLY | O_CLOEXEC);
}

static struct str read_again(struct health_probe *p, int fd)
{
    ssize_t n = fd >= 0 ? pread(fd, p->text, sizeof p->text, 0) : 0;

    return (struct str){p->text, n > 0 ? (size_t)n : 0};
}

/* A counter's growth; one that went back (another cgroup, another machine) has none. */
static uint64_t grown(uint64_t *last, uint64_t now)
{
    uint64_t by = now > *last ? now - *last : 0;

    *last = now;
    return by;
}

/* ---- of the thread --------------------------------------------------------------------------- */

/* "time on the CPU, time waiting for one, timeslices", in nanoseconds
 * (Documentation/scheduler/sched-stats.rst of the kernel). */
static uint64_t read_run_delay(struct health_probe *p)
{
    struct str text = read_again(p, p->schedstat), word;
    uint64_t ns;

    if (!limits_skip(&text, 1) || !limits_word(&text, &word) || !str_u64(word, UINT64_MAX, &ns)) {
        return 0;
    }
    return grown(&p->run_delay_ns, ns);
}

/* ---- of the process -------------------------------------------------------------------------- */

static double read_steal(struct health_probe *p)
{
    struct cpu_times now;

    if (!limits_cpu_times(read_again(p, p->files[FILE_STAT]), &now)) {
        return 0;
    }
    uint64_t steal = grown(&p->cpu.steal, now.steal), all = grown(&p->cpu.all, now.all);
    return all > 0 ? (double)steal / (double)all : 0;
}

/* Any of the cgroups above one another may be the one that holds us back: the worst counts. */
static uint64_t read_throttled(struct health_probe *p)
{
    uint64_t worst = 0;

    for (unsigned i = 0; i < p->throttle_count; i++) {
        struct str text = read_again(p, p->throttles[i]);
        uint64_t n, by = 0;

        if (limits_key(text, "throttled_usec", &n)) { /* version 2 */
            by = grown(&p->throttled_ns[i], n * 1000);
        } else if (limits_key(text, "throttled_time", &n)) { /* version 1 */
            by = grown(&p->throttled_ns[i], n);
        }
        worst = by > worst ? by : worst;
    }
    return worst;
}

static uint64_t read_rss(struct health_probe *p)
{
    struct str text = read_again(p, p->files[FILE_STATM]), word;
    uint64_t pages;

    if (!limits_skip(&text, 1) || !limits_word(&text, &word) ||
        !str_u64(word, UINT32_MAX, &pages)) {
        return 0;
    }
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t read_limit(struct health_probe *p)
{
    uint64_t least = p->machine_bytes, bytes;

    for (unsigned i = 0; i < p->limit_count; i++) {
        if (limits_memory_value(read_again(p, p->limits[i]), &bytes) &&
            (least == 0 || bytes < least)) {
            least = bytes;
        }
    }
    return least;
}

/* "some avg10=0.12 avg60=…" (Documentation/accounting/psi.rst of the kernel). */
static double read_pressure(struct health_probe *p, int fd)
{
    struct str text = read_again(p, fd), word;
    char number[32];

    if (!limits_word(&text, &word) || !str_eq(word, STR("some")) || !limits_word(&text, &word) ||
        !str_starts(word, STR("avg10="))) {
        return 0;
    }
    snprintf(number, sizeof number, "%.*s", (int)word.len - 6, word.p + 6);
    double value = strtod(number, NULL);
    return value >= 0 && value <= 100 ? value : 0;
}

static void read_network(struct health_probe *p, struct window_health *out)
{
    struct str text = read_again(p, p->files[FILE_SNMP]);
    uint64_t sent, again;

    if (limits_column(text, "Tcp:", "OutSegs", &sent) &&
        limits_column(text, "Tcp:", "RetransSegs", &again)) {
        out->segments_sent = grown(&p->segments_sent, sent);
        out->segments_retransmitted = grown(&p->segments_retransmitted, again);
    }
}

void health_read(void *probe, struct window_health *out)
{
    struct health_probe *p = probe;

    out->run_delay_ns = read_run_delay(p);
    out->has_process = p->process;
    if (!p->process) {
        return;
    }
    out->steal = read_steal(p);
    out->throttled_ns = read_throttled(p);
    out->rss_bytes = read_rss(p);
    out->memory_limit_bytes = read_limit(p);
    out->pressure_cpu = read_pressure(p, p->files[FILE_PRESSURE_CPU]);
    out->pressure_memory = read_pressure(p, p->files[FILE_PRESSURE_MEMORY]);
    read_network(p, out);
}

/* ---- made and freed -------------------------------------------------------------------------- */

/* Opens one of `names` in each of the controller's folders; returns how many there are. */
static unsigned open_cgroups(const char *root,
                             const char *controller,
                             const char *const names[2],
                             int fds[LIMITS_LEVELS_MAX])
{
    struct cgroup_dirs dirs;
    unsigned count = 0;

    limits_cgroups(root, controller, &dirs);
    for (unsigned i = 0; i < dirs.count; i++) {
        int fd = open_below(dirs.path[i], names[0]);

        fd = fd < 0 ? open_below(dirs.path[i], names[1]) : fd;
        if (fd >= 0) {
            fds[count++] = fd;
        }
    }
    return count;
}

static void open_process(struct health_probe *p, const char *root)
{
    static const char *const throttle[2] = {"/cpu.stat", "/cpu.stat"};
    static const char *const limit[2] = {"/memory.max", "/memory.limit_in_bytes"};
    char text[1024];
    uint64_t kilobytes;

    for (unsigned i = 0; i < FILE_COUNT; i++) {
        p->files[i] = open_below(root, paths[i]);
    }
    p->throttle_count = open_cgroups(root, "cpu", throttle, p->throttles);
    p->limit_count = open_cgroups(root, "memory", limit, p->limits);
    if (limits_read(root, "/proc/meminfo", text, sizeof text) &&
        limits_key(str_c(text), "MemTotal", &kilobytes) && kilobytes < UINT64_MAX / 1024) {
        p->machine_bytes = kilobytes * 1024;
    }
}

struct health_probe *health_new(const char *root, bool process)
{
    struct health_probe *p = xcalloc(1, sizeof *p);
    struct window_health before;

    p->process = process;
    p->schedstat = open_below(root, "/proc/thread-self/schedstat");
    for (unsigned i = 0; i < FILE_COUNT; i++) {
        p->files[i] = -1;
    }
    if (process) {
        open_process(p, root);
    }
    health_read(p, &before); /* growth counts from now on */
    return p;
}

static void close_all(const int *fds, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (fds[i] >= 0) {
            close(fds[i]);
        }
    }
}

void health_free(struct health_probe *p)
{
    if (p == NULL) {
        return;
    }
    close_all(&p->schedstat, 1);
    close_all(p->files, FILE_COUNT);
    close_all(p->throttles, p->throttle_count);
    close_all(p->limits, p->limit_count);
    xfree(p);
}
