/* SPDX-License-Identifier: MIT */
/*
 * What `--out` costs: CPU time per tools/call without it, with it, and with the whole log of
 * operations (sample_rate 1). Rounds run all three, in turns; the figure is the ratio within a
 * round, and its median.
 *
 *     out_cost [ROUNDS [SECONDS [VUS]]]        default 5 rounds of 5 s, 100 VUs
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

enum out_kind { OUT_NONE, OUT_DEFAULT, OUT_ALL, OUT_KINDS };

static const char *const names[OUT_KINDS] = {"no --out", "--out", "--out, all"};

static double cost_of(enum out_kind kind, const struct mock_process *m, unsigned vus, unsigned s)
{
    char scenario[2048];
    struct child_cost c;
    unsigned long lines = 0;

    snprintf(scenario, sizeof scenario,
             "{\"scenario_id\":\"bench\",\"target\":{\"url\":\"http://127.0.0.1:%u/mcp\"},"
             "\"workload\":{\"tools\":{\"templates\":[{\"tool_name\":\"fast_echo\",\"arguments\":"
             "{\"message\":\"the quick brown fox jumps over the lazy dog\"}}]}},%s"
             "\"stages\":[{\"stage\":\"baseline\",\"duration_ms\":%u,\"load\":{\"target_vus\":%u,"
             "\"start_spread_ms\":0}}]}",
             m->port,
             kind == OUT_ALL ? "\"telemetry\":{\"structured_logs\":{\"sample_rate\":1}}," : "",
             s * 1000, vus);
    json_t *result = kind == OUT_NONE ? drill(scenario, 1, core_for(0), &c)
                                      : drill_out(scenario, 1, core_for(0), &c, &lines);
    double ok = calls_carried_out(result, &c);

    json_decref(result);
    double us = (c.user_s + c.system_s) * 1e6 / ok;
    printf("  %-11s %6.2f us/call   %8.0f calls/s   %8.0f lines/s\n", names[kind], us, ok / s,
           (double)lines / s);
    fflush(stdout);
    return us;
}

int main(int argc, char **argv)
{
    unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 5;
    unsigned seconds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 5;
    unsigned vus = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 100;
    double by_default[100], all[100];

    if (rounds < 1 || rounds > 100 || seconds < 1 || seconds > 600 || vus < 1) {
        die("usage: out_cost [ROUNDS 1..100 [SECONDS 1..600 [VUS]]]");
    }
    struct mock_process mock = mock_start(1, core_for(1));
    for (unsigned i = 0; i < rounds; i++) {
        double us[OUT_KINDS];

        printf("round %u\n", i + 1);
        for (unsigned k = 0; k < OUT_KINDS; k++) {
            enum out_kind kind = (enum out_kind)((k + i) % OUT_KINDS);
            us[kind] = cost_of(kind, &mock, vus, seconds);
        }
        by_default[i] = us[OUT_DEFAULT] / us[OUT_NONE];
        all[i] = us[OUT_ALL] / us[OUT_NONE];
    }
    mock_stop(&mock);
    double middle = median(by_default, rounds), whole = median(all, rounds);
    printf("CPU per tools/call, --out / no --out: median %.3f [%.3f-%.3f] (wanted <= 1.10); with "
           "every operation in the log %.3f [%.3f-%.3f]\n",
           middle, by_default[0], by_default[rounds - 1], whole, all[0], all[rounds - 1]);
    return middle <= 1.10 ? 0 : 1;
}
