/* SPDX-License-Identifier: MIT */
/*
 * CPU time per tools/call (JSON answer, keep-alive, no think time, everything on) against wrk,
 * which sends the same bytes to the same mock and looks at nothing but the status line. Rounds
 * alternate; the figure is the ratio within a round, and its median.
 *
 *     cpu_per_call [ROUNDS [SECONDS [VUS]]]        default 5 rounds of 5 s, 100 VUs
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct cost {
    double user_us, system_us, requests_per_s;
};

static struct cost run_drill(const struct mock_process *m, unsigned vus, unsigned seconds)
{
    char scenario[2048];
    struct child_cost c;

    snprintf(scenario, sizeof scenario,
             "{\"scenario_id\":\"bench\",\"target\":{\"url\":\"http://127.0.0.1:%u/mcp\"},"
             "\"workload\":{\"tools\":{\"templates\":[{\"tool_name\":\"fast_echo\",\"arguments\":"
             "{\"message\":\"the quick brown fox jumps over the lazy dog\"}}]}},"
             "\"safety\":{\"hard_caps\":{\"max_rps\":0}},"
             "\"stages\":[{\"stage\":\"baseline\",\"duration_ms\":%u,\"load\":{\"target_vus\":%u,"
             "\"start_spread_ms\":0}}]}",
             m->port, seconds * 1000, vus);
    json_t *result = drill(scenario, 1, core_for(0), &c);
    double ok = calls_carried_out(result, &c);

    json_decref(result);
    return (struct cost){c.user_s * 1e6 / ok, c.system_s * 1e6 / ok, ok / seconds};
}

/* The bytes that mcpdrill sends, but for the id, which stays the same. */
static void write_script(const char *path, const char *session)
{
    FILE *f = fopen(path, "we");

    if (f == NULL) {
        die("cannot write %s", path);
    }
    fprintf(f,
            "wrk.method = \"POST\"\n"
            "wrk.headers[\"Accept\"] = \"application/json, text/event-stream\"\n"
            "wrk.headers[\"Content-Type\"] = \"application/json\"\n"
            "wrk.headers[\"User-Agent\"] = \"mcpdrill/%s (run=run_0000000000000000000)\"\n"
            "wrk.headers[\"X-MCPDrill-Run-ID\"] = \"run_0000000000000000000\"\n"
            "wrk.headers[\"Mcp-Session-Id\"] = \"%s\"\n"
            "wrk.headers[\"MCP-Protocol-Version\"] = \"2025-11-25\"\n"
            "wrk.body = "
            "'{\"jsonrpc\":\"2.0\",\"id\":12345,\"method\":\"tools/call\",\"params\":{\"name\":"
            "\"fast_echo\",\"arguments\":{\"message\":\"the quick brown fox jumps over the lazy "
            "dog\"}}}'\n",
            MCPDRILL_VERSION, session);
    fclose(f);
}

static struct cost run_wrk(const struct mock_process *m, unsigned vus, unsigned seconds)
{
    char script[] = "/tmp/mcpdrill-wrk-XXXXXX", session[128], url[64], conns[16], time[16];
    struct buf out;
    int fd = mkstemp(script);

    if (fd < 0) {
        die("cannot write a script");
    }
    close(fd);
    mock_session(m, session, sizeof session);
    write_script(script, session);
    snprintf(url, sizeof url, "http://127.0.0.1:%u/mcp", m->port);
    snprintf(conns, sizeof conns, "%u", vus);
    snprintf(time, sizeof time, "%us", seconds);
    const char *argv[] = {"wrk", "-t", "1", "-c", conns, "-d", time, "-s", script, url, NULL};
    struct child child = child_start(argv, core_for(0));
    buf_init(&out, 1024 * 1024);
    struct child_cost c = child_wait(&child, &out);
    unlink(script);
    const char *at = strstr(buf_c(&out), " requests in ");
    if (c.status != 0 || at == NULL || strstr(out.p, "Non-2xx") != NULL) {
        die("wrk ended with %d: %s", c.status, out.p);
    }
    while (at > out.p && at[-1] >= '0' && at[-1] <= '9') {
        at--;
    }
    double requests = strtod(at, NULL);
    buf_clear(&out);
    return (struct cost){c.user_s * 1e6 / requests, c.system_s * 1e6 / requests,
                         requests / seconds};
}

static double total(struct cost c)
{
    return c.user_us + c.system_us;
}

static void print(const char *name, struct cost c)
{
    printf("  %-9s %6.2f us/request (user %5.2f + system %5.2f)   %8.0f requests/s\n", name,
           total(c), c.user_us, c.system_us, c.requests_per_s);
}

int main(int argc, char **argv)
{
    unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 5;
    unsigned seconds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 5;
    unsigned vus = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 100;
    double ratios[100];

    if (rounds < 1 || rounds > 100 || seconds < 1 || seconds > 600 || vus < 1) {
        die("usage: cpu_per_call [ROUNDS 1..100 [SECONDS 1..600 [VUS]]]");
    }
    struct mock_process mock = mock_start(1, core_for(1));
    for (unsigned i = 0; i < rounds; i++) {
        struct cost wrk, ours;

        if (i % 2 == 0) {
            wrk = run_wrk(&mock, vus, seconds);
            ours = run_drill(&mock, vus, seconds);
        } else {
            ours = run_drill(&mock, vus, seconds);
            wrk = run_wrk(&mock, vus, seconds);
        }
        ratios[i] = total(ours) / total(wrk);
        printf("round %u: ratio %.3f\n", i + 1, ratios[i]);
        print("mcpdrill", ours);
        print("wrk", wrk);
        fflush(stdout);
    }
    mock_stop(&mock);
    double middle = median(ratios, rounds);
    printf(
        "CPU per tools/call, mcpdrill / wrk: median %.3f [%.3f-%.3f] (wanted <= 1.0, goal 0.85)\n",
        middle, ratios[0], ratios[rounds - 1]);
    return middle <= 1.0 ? 0 : 1;
}
