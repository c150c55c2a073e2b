/* SPDX-License-Identifier: MIT */
/*
 * What it costs to keep reports: each is a window of 2 KB and the number up to which was applied,
 * written in a callback of its own. First as many as the disk takes, then RATE a second, evenly:
 * how long does a report wait until it is durable, and what is the CPU time of both threads per
 * report?
 *
 *     store_writes [SECONDS [RATE [FOLDER]]]      default 5 s each, 100/s, a new folder in /tmp
 */
#include "base/clock.h"
#include "harness.h"
#include "loop/loop.h"
#include "store/sqlite.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WINDOW_BYTES = 2048, LATENCIES_MAX = 100000 };

#define WAIT_WANTED_MS 50.0

struct report {
    struct store_wait wait;
    uint64_t written_ns;
    struct bench *bench;
};

struct bench {
    struct loop *loop;
    struct store *store;
    struct defer write;
    struct timer timer;
    uint64_t step_ns, next_ns, end_ns; /* step 0: as fast as possible */
    uint64_t written, durable;
    struct report reports[LATENCIES_MAX];
    double wait_ms[LATENCIES_MAX];
};

static uint64_t cpu_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void on_durable(struct store_wait *wait)
{
    struct report *r = list_entry(wait, struct report, wait);
    struct bench *b = r->bench;

    b->wait_ms[b->durable++ % LATENCIES_MAX] =
        (double)(loop_clock(b->loop) - r->written_ns) / (double)NS_PER_MS;
}

/* Noise, as a packed histogram is. */
static void write_report(struct bench *b)
{
    static uint64_t body[WINDOW_BYTES / sizeof(uint64_t)];
    struct report *r = &b->reports[b->written % LATENCIES_MAX];
    struct store_window window = {.source = (uint32_t)(b->written % 10),
                                  .second = b->written / 10,
                                  .body = {(const char *)body, sizeof body}};

    for (unsigned i = 0; i < sizeof body / sizeof body[0]; i++) {
        body[i] = (body[i] + b->written + i) * UINT64_C(0x9e3779b97f4a7c15);
    }
    b->written++;
    store_wait_init(&r->wait, on_durable);
    r->bench = b;
    r->written_ns = loop_clock(b->loop);
    store_add_window(b->store, "run_1", &window);
    if (store_put_applied(b->store, "run_1", "wkr_1", b->written) != 0) {
        die("the store has failed");
    }
    store_when_durable(b->store, &r->wait);
}

static void on_write(struct defer *d)
{
    struct bench *b = list_entry(d, struct bench, write);

    if (loop_clock(b->loop) >= b->end_ns) {
        loop_stop(b->loop);
        return;
    }
    /* No wait is begun anew before it has ended. */
    if (!store_crowded(b->store) && b->written - b->durable < LATENCIES_MAX) {
        write_report(b);
    }
    loop_defer(b->loop, d);
}

static void on_timer(struct timer *t)
{
    struct bench *b = list_entry(t, struct bench, timer);

    if (b->next_ns >= b->end_ns) {
        loop_stop(b->loop);
        return;
    }
    write_report(b);
    b->next_ns += b->step_ns;
    loop_timer_arm(b->loop, t, b->next_ns);
}

/* How long the slowest hundredth of the reports waited, in milliseconds. */
static double phase(struct bench *b, const char *name, unsigned seconds, uint64_t step_ns)
{
    uint64_t began_ns = loop_clock(b->loop), cpu = cpu_ns();

    b->written = b->durable = 0;
    b->step_ns = step_ns;
    b->next_ns = began_ns + step_ns;
    b->end_ns = began_ns + seconds * NS_PER_S;
    if (step_ns == 0) {
        loop_defer(b->loop, &b->write);
    } else {
        loop_timer_arm(b->loop, &b->timer, b->next_ns);
    }
    loop_run(b->loop);
    while (b->durable < b->written) {
        loop_turn(b->loop, loop_clock(b->loop) + NS_PER_MS);
    }
    double cpu_us = (double)(cpu_ns() - cpu) / 1000 / (double)b->durable;
    double wall_s = (double)(loop_clock(b->loop) - began_ns) / (double)NS_PER_S;
    unsigned count = (unsigned)(b->durable < LATENCIES_MAX ? b->durable : LATENCIES_MAX);
    double half = median(b->wait_ms, count); /* sorts them */

    printf("%s: %8.0f reports/s, %6.1f us CPU per report, durable after %.1f ms (p50), %.1f ms "
           "(p99), %.1f ms (max)\n",
           name, (double)b->durable / wall_s, cpu_us, half, b->wait_ms[count * 99 / 100],
           b->wait_ms[count - 1]);
    return b->wait_ms[count * 99 / 100];
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

int main(int argc, char **argv)
{
    static const struct clock clock = {0};
    static struct bench b;
    unsigned seconds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 5;
    unsigned rate = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 100;
    char dir[512];
    struct sqlite_options options = {.dir = dir};
    struct store_run run = {.run_id = "run_1"};
    struct err err = {0};

    if (seconds < 1 || seconds > 600 || rate < 1 || rate > 100000) {
        die("usage: store_writes [SECONDS 1..600 [RATE 1..100000 [FOLDER]]]");
    }
    snprintf(dir, sizeof dir, "%s/store_writes_XXXXXX", argc > 3 ? argv[3] : "/tmp");
    if (mkdtemp(dir) == NULL || loop_new(&clock, &b.loop, &err) != 0 ||
        store_sqlite_open(&options, b.loop, &b.store, &err) != 0) {
        die("cannot open a store in %s: %s", dir, err.msg);
    }
    defer_init(&b.write, on_write);
    timer_init(&b.timer, on_timer);
    store_put_run(b.store, &run);
    store_flush(b.store);
    phase(&b, "full speed", seconds, 0);
    double late_ms = phase(&b, "paced     ", seconds, NS_PER_S / rate);

    printf("paced: wanted p99 <= %.0f ms\n", WAIT_WANTED_MS);
    store_close(b.store);
    loop_free(b.loop);
    nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    return late_ms <= WAIT_WANTED_MS ? 0 : 1;
}
