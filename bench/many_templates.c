/* SPDX-License-Identifier: MIT */
/*
 * What many tool templates cost beside one: CPU time per tools/call at full speed, the most memory,
 * and the size of the result. All templates call one tool of the mock with texts of the same
 * length. Rounds alternate; the figure is the ratio within a round, and its median.
 *
 *     many_templates [ROUNDS [SECONDS [TEMPLATES [VUS]]]]    default 5 rounds of 5 s, 500, 100 VUs
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

enum { SCENARIO_MAX = 4 * 1024 * 1024 };

#define RATIO_WANTED  1.15
#define MIB_WANTED    40.0
#define RESULT_WANTED 1500000

struct cost {
    double cpu_us, mib, calls_per_s;
    size_t result_bytes;
};

static void write_scenario(struct buf *out, unsigned port, unsigned count, unsigned s, unsigned vus)
{
    int rc = buf_printf(out,
                        "{\"scenario_id\":\"bench\",\"target\":{\"url\":\"http://127.0.0.1:%u/mcp\""
                        "},\"workload\":{\"tools\":{\"templates\":[",
                        port);

    for (unsigned i = 0; rc == 0 && i < count; i++) {
        rc = buf_printf(out,
                        "%s{\"template_id\":\"template-%03u\",\"tool_name\":\"fast_echo\","
                        "\"arguments\":{\"message\":\"the quick brown fox jumps over %04u\"}}",
                        i > 0 ? "," : "", i, i);
    }
    if (rc == 0) {
        rc = buf_printf(out,
                        "]}},\"safety\":{\"hard_caps\":{\"max_rps\":0}},"
                        "\"stages\":[{\"stage\":\"baseline\",\"duration_ms\":%u,"
                        "\"load\":{\"target_vus\":%u,\"start_spread_ms\":0}}]}",
                        s * 1000, vus);
    }
    if (rc != 0) {
        die("too many templates");
    }
}

static struct cost
run(const struct mock_process *m, unsigned templates, unsigned seconds, unsigned vus)
{
    struct buf scenario;
    struct child_cost c;

    buf_init(&scenario, SCENARIO_MAX);
    write_scenario(&scenario, m->port, templates, seconds, vus);
    json_t *result = drill(buf_c(&scenario), 1, core_for(0), &c);
    struct cost cost = {
        .cpu_us = cpu_us_per_call(result, &c),
        .mib = (double)c.max_rss_kib / 1024,
        .calls_per_s = result_number(result, "counts", "ended_ok") / seconds,
        .result_bytes = c.result_bytes,
    };
    json_decref(result);
    buf_clear(&scenario);
    printf("  %4u templates %7.2f us/call  %6.1f MiB  result %8zu B  %8.0f calls/s\n", templates,
           cost.cpu_us, cost.mib, cost.result_bytes, cost.calls_per_s);
    fflush(stdout);
    return cost;
}

int main(int argc, char **argv)
{
    unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 5;
    unsigned seconds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 5;
    unsigned templates = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 500;
    unsigned vus = argc > 4 ? (unsigned)strtoul(argv[4], NULL, 10) : 100;
    double ratios[100], mib = 0;
    size_t bytes = 0;

    if (rounds < 1 || rounds > 100 || seconds < 1 || seconds > 600 || templates < 2 || vus < 1) {
        die("usage: many_templates [ROUNDS 1..100 [SECONDS 1..600 [TEMPLATES 2.. [VUS]]]]");
    }
    struct mock_process mock = mock_start(1, core_for(1));
    for (unsigned i = 0; i < rounds; i++) {
        bool one_first = i % 2 == 0;
        struct cost first = run(&mock, one_first ? 1 : templates, seconds, vus);
        struct cost second = run(&mock, one_first ? templates : 1, seconds, vus);
        struct cost *many = one_first ? &second : &first, *one = one_first ? &first : &second;

        ratios[i] = many->cpu_us / one->cpu_us;
        mib = many->mib > mib ? many->mib : mib;
        bytes = many->result_bytes > bytes ? many->result_bytes : bytes;
        printf("round %u: ratio %.3f\n", i + 1, ratios[i]);
    }
    mock_stop(&mock);
    double middle = median(ratios, rounds);
    printf(
        "CPU per call, %u templates / one: median %.3f [%.3f-%.3f] (wanted <= %.2f); most memory "
        "%.1f MiB (<= %.0f); largest result %zu B (<= %d)\n",
        templates, middle, ratios[0], ratios[rounds - 1], RATIO_WANTED, mib, MIB_WANTED, bytes,
        RESULT_WANTED);
    return middle <= RATIO_WANTED && mib <= MIB_WANTED && bytes <= RESULT_WANTED ? 0 : 1;
}
