/* SPDX-License-Identifier: MIT */
#include "measure/quiet.h"

#include "base/clock.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

enum { WAITS_MAX = 10 };

static const struct clock real_clock = {0};

/* Seconds of all cores that processes had, or a hypervisor took. Interrupts are left out: most of
 * them are the network work of the programs that are measured. */
static double used_by_all(void)
{
    unsigned long long user = 0, nice = 0, system = 0, steal = 0;
    FILE *stat = fopen("/proc/stat", "re");

    if (stat == NULL) {
        return 0;
    }
    int read =
        fscanf(stat, "cpu %llu %llu %llu %*u %*u %*u %*u %llu", &user, &nice, &system, &steal);
    fclose(stat);
    return read < 3 ? 0 : (double)(user + nice + system + steal) / (double)sysconf(_SC_CLK_TCK);
}

static double seconds(const struct timeval *t)
{
    return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

static double used_by(int who)
{
    struct rusage usage;

    return getrusage(who, &usage) != 0 ? 0 : seconds(&usage.ru_utime) + seconds(&usage.ru_stime);
}

static double used_by_others(void)
{
    return used_by_all() - used_by(RUSAGE_SELF) - used_by(RUSAGE_CHILDREN);
}

void quiet_begin(struct quiet *q)
{
    q->began_ns = clock_now(&real_clock);
    q->foreign_s = used_by_others();
}

double quiet_foreign_cores(const struct quiet *q)
{
    double elapsed_s = (double)(clock_now(&real_clock) - q->began_ns) / (double)NS_PER_S;

    return elapsed_s > 0 ? (used_by_others() - q->foreign_s) / elapsed_s : 0;
}

double quiet_wait(void)
{
    struct quiet q;
    double cores = 0;

    for (int i = 0; i < WAITS_MAX; i++) {
        quiet_begin(&q);
        usleep(1000000);
        cores = quiet_foreign_cores(&q);
        if (cores <= QUIET_CORES_MAX) {
            break;
        }
    }
    return cores;
}
