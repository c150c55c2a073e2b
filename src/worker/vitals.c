/* SPDX-License-Identifier: MIT */
#include "worker/vitals.h"

#include "base/clock.h"
#include "worker/limits.h"

#include <time.h>
#include <unistd.h>

static uint64_t cpu_ns(void)
{
    struct timespec used;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (uint64_t)used.tv_sec * NS_PER_S + (uint64_t)used.tv_nsec;
}

/* The second number of statm is that of resident pages (proc(5)). */
static uint64_t resident_bytes(void)
{
    char text[128];
    struct str rest, word;
    uint64_t pages;

    if (!limits_read("", "/proc/self/statm", text, sizeof text)) {
        return 0;
    }
    rest = str_c(text);
    if (!limits_skip(&rest, 1) || !limits_word(&rest, &word) ||
        !str_u64(word, UINT32_MAX, &pages)) {
        return 0;
    }
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

void vitals_begin(struct vitals *v)
{
    *v = (struct vitals){.at_ns = clock_monotonic_ns(), .cpu_ns = cpu_ns()};
}

void vitals_read(struct vitals *v, double *cpu_percent, uint64_t *mem_bytes)
{
    struct vitals now;

    vitals_begin(&now);
    uint64_t wall = now.at_ns - v->at_ns;
    *cpu_percent = wall > 0 ? 100.0 * (double)(now.cpu_ns - v->cpu_ns) / (double)wall : 0;
    *mem_bytes = resident_bytes();
    *v = now;
}
