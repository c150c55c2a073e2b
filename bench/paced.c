/* SPDX-License-Identifier: MIT */
/*
 * What a paced load costs: CPU time per tools/call of an open load, how late its requests are sent
 * (our own lateness: due, slot and session were there), and how often a thread wakes per call, with
 * one shard and with two. One shard runs on the first core, two where they like; the mock on the
 * second core. Rounds alternate; figures are medians.
 *
 *     paced [ROUNDS [SECONDS [RATE [VUS]]]]       default 5 rounds of 5 s, 10,000/s, 200 VUs
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

enum { SHARDS_MAX = 2, ROUNDS_MAX = 100 };

#define CPU_WANTED_US 35.0

struct figures {
    double cpu_us[ROUNDS_MAX], p50_us[ROUNDS_MAX], p99_us[ROUNDS_MAX], wakeups[ROUNDS_MAX];
};

static double wakeups(const json_t *result)
{
    const json_t *workers = json_object_get(result, "workers");
    double sum = 0;

    for (size_t i = 0; i < json_array_size(workers); i++) {
        sum += json_number_value(json_object_get(json_array_get(workers, i), "wakeups"));
    }
    return sum;
}

static void run(const struct mock_process *m,
                unsigned shards,
                const unsigned wanted[3],
                struct figures *to,
                unsigned round)
{
    unsigned seconds = wanted[0];
    char scenario[1024];
    struct child_cost c;

    snprintf(scenario, sizeof scenario,
             "{\"scenario_id\":\"bench\",\"target\":{\"url\":\"http://127.0.0.1:%u/mcp\"},"
             "\"workload\":{\"tools\":{\"templates\":[{\"tool_name\":\"fast_echo\",\"arguments\":"
             "{\"message\":\"the quick brown fox jumps over the lazy dog\"}}]}},"
             "\"safety\":{\"hard_caps\":{\"max_rps\":0}},"
             "\"stages\":[{\"stage\":\"baseline\",\"duration_ms\":%u,\"load\":{\"target_vus\":%u,"
             "\"target_rps\":%u,\"start_spread_ms\":0}}]}",
             m->port, seconds * 1000, wanted[2], wanted[1]);
    json_t *result = drill(scenario, shards, shards == 1 ? core_for(0) : -1, &c);
    const json_t *all = json_object_get(result, "distributions");
    double ok = result_number(result, "counts", "ended_ok");

    to->cpu_us[round] = cpu_us_per_call(result, &c);
    to->p50_us[round] = result_number(all, "tool_lag", "p50_ms") * 1000;
    to->p99_us[round] = result_number(all, "tool_lag", "p99_ms") * 1000;
    to->wakeups[round] = wakeups(result) / ok;
    printf("  %u shard%s %6.2f us/call  lateness p50 %7.1f us, p99 %9.1f us  %5.2f wake-ups/call  "
           "%8.0f calls/s\n",
           shards, shards == 1 ? ": " : "s:", to->cpu_us[round], to->p50_us[round],
           to->p99_us[round], to->wakeups[round], ok / seconds);
    fflush(stdout);
    json_decref(result);
}

int main(int argc, char **argv)
{
    static struct figures figures[SHARDS_MAX];
    unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 5;
    unsigned wanted[3] = {argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 5,
                          argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 10000,
                          argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : 200};
    double best = 0;

    if (rounds < 1 || rounds > ROUNDS_MAX || wanted[0] < 1 || wanted[0] > 600 || wanted[1] < 1 ||
        wanted[2] < 1) {
        die("usage: paced [ROUNDS 1..100 [SECONDS 1..600 [RATE [VUS]]]]");
    }
    struct mock_process mock = mock_start(1, core_for(1));
    for (unsigned i = 0; i < rounds; i++) {
        for (unsigned k = 0; k < SHARDS_MAX; k++) {
            unsigned shards = (i + k) % SHARDS_MAX + 1;
            run(&mock, shards, wanted, &figures[shards - 1], i);
        }
    }
    mock_stop(&mock);
    for (unsigned shards = 1; shards <= SHARDS_MAX; shards++) {
        struct figures *f = &figures[shards - 1];
        double cpu_us = median(f->cpu_us, rounds);

        best = shards == 1 ? cpu_us : best;
        printf("CPU per paced call at %u/s, %u shard%s median %.2f us [%.2f-%.2f], lateness p50 "
               "%.1f us, p99 %.1f us, %.2f wake-ups/call\n",
               wanted[1], shards, shards == 1 ? ": " : "s:", cpu_us, f->cpu_us[0],
               f->cpu_us[rounds - 1], median(f->p50_us, rounds), median(f->p99_us, rounds),
               median(f->wakeups, rounds));
    }
    printf("one shard wanted <= %.0f us\n", CPU_WANTED_US);
    return best <= CPU_WANTED_US ? 0 : 1;
}
