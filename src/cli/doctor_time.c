/* SPDX-License-Identifier: MIT */
/* What has to be measured: how long reading the clock takes, how late waits end, and what the
 * kernel can do. */
#include "base/clock.h"
#include "cli/doctor.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

enum {
    CLOCK_READS = 100000,
    WAITS = 200,
    TIMER_SLACK_DEFAULT = 0, /* prctl(2): back to what the thread had at its start */
};

#define WAIT_NS      NS_PER_MS
#define READ_MOST_NS 100.0
#define LATE_WARN_NS NS_PER_MS
#define LATE_FAIL_NS (10 * NS_PER_MS)

void doctor_check_clock(const struct doctor *d, struct doctor_line *out)
{
    char source[64] = "unknown source";
    struct str rest, word;
    uint64_t began = clock_monotonic_ns(), last = began;

    for (unsigned i = 0; i < CLOCK_READS; i++) {
        last = clock_monotonic_ns();
    }
    double read_ns = (double)(last - began) / CLOCK_READS;
    if (limits_read(d->root, "/sys/devices/system/clocksource/clocksource0/current_clocksource",
                    source, sizeof source)) {
        rest = str_c(source);
        limits_word(&rest, &word);
        source[(word.p + word.len) - source] = '\0';
    }
    bool slow = str_eq(str_c(source), STR("hpet")) || str_eq(str_c(source), STR("acpi_pm"));
    DOCTOR_VALUE(out, "%.0f ns a read, %s", read_ns, source);
    DOCTOR_NEED(out, "below %.0f ns", READ_MOST_NS);
    if (slow || read_ns >= READ_MOST_NS) {
        out->status = DOCTOR_WARN;
        DOCTOR_FIX(out, "boot with clocksource=tsc, or use another kind of virtual machine");
    }
}

static int compare_u64(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

/* How late each wait ended, sorted. False: epoll_pwait2 is missing. */
static bool measure_waits(uint64_t late_ns[WAITS])
{
    const struct timespec wait = {.tv_nsec = (long)WAIT_NS};
    int fd = epoll_create1(EPOLL_CLOEXEC);
    bool ok = fd >= 0;

    prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
    for (unsigned i = 0; ok && i < WAITS; i++) {
        struct epoll_event event;
        uint64_t began = clock_monotonic_ns();

        if (epoll_pwait2(fd, &event, 1, &wait, NULL) != 0 && errno != EINTR) {
            ok = false;
        }
        uint64_t took = clock_monotonic_ns() - began;
        late_ns[i] = took > WAIT_NS ? took - WAIT_NS : 0;
    }
    prctl(PR_SET_TIMERSLACK, (unsigned long)TIMER_SLACK_DEFAULT, 0UL, 0UL, 0UL);
    if (fd >= 0) {
        close(fd);
    }
    qsort(late_ns, WAITS, sizeof late_ns[0], compare_u64);
    return ok;
}

void doctor_check_timers(const struct doctor *d, struct doctor_line *out)
{
    uint64_t late_ns[WAITS] = {0};

    if (!measure_waits(late_ns)) {
        out->status = DOCTOR_UNKNOWN;
        DOCTOR_VALUE(out, "this kernel has no epoll_pwait2; a timerfd is used instead");
        return;
    }
    uint64_t p99 = late_ns[WAITS - WAITS / 100 - 1]; /* two of two hundred are later */
    uint64_t median = late_ns[WAITS / 2];
    DOCTOR_VALUE(out, "late by %.0f \xc2\xb5s (median), %.0f \xc2\xb5s (p99)", (double)median / 1e3,
                 (double)p99 / 1e3);
    DOCTOR_NEED(out, "p99 below 1 ms");
    if (p99 < LATE_WARN_NS) {
        return;
    }
    out->status = p99 >= LATE_FAIL_NS && d->need.has_plan ? DOCTOR_FAIL : DOCTOR_WARN;
    DOCTOR_FIX(out, "stop what else runs on this machine, or give the process more CPU");
}

/* Is there such a system call, and may we use it? */
static const char *io_uring_state(void)
{
    enum { NO_ENTRIES = 0 };

    if (syscall(SYS_io_uring_setup, NO_ENTRIES, NULL) >= 0 || errno == EINVAL || errno == EFAULT) {
        return "io_uring";
    }
    return errno == ENOSYS ? "no io_uring" : "io_uring forbidden";
}

void doctor_check_kernel(const struct doctor *d, struct doctor_line *out)
{
    const struct timespec none = {0};
    struct utsname name = {0};
    struct epoll_event event;
    char text[16];

    uname(&name);
    /* With a descriptor that does not exist: only the call itself is asked for. */
    bool pwait2 = epoll_pwait2(-1, &event, 1, &none, NULL) == 0 || errno != ENOSYS;
    DOCTOR_VALUE(out, "Linux %.64s: %s, %s, %s", name.release,
                 pwait2 ? "epoll_pwait2" : "no epoll_pwait2", io_uring_state(),
                 limits_read(d->root, "/proc/net/tls_stat", text, sizeof text) ? "kTLS"
                                                                               : "no kTLS");
    DOCTOR_NEED(out, "epoll_pwait2 (5.11)");
    if (!pwait2) {
        out->status = DOCTOR_WARN;
        DOCTOR_FIX(out, "waits cost one more system call on this kernel; 5.11 or later is better");
    }
}
