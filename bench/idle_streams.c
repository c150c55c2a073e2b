/* SPDX-License-Identifier: MIT */
/*
 * User memory of the client per open stream that waits for its next event. The client's memory is
 * read while N streams are open, and again with a few; the slope is what one costs, whatever the
 * program needs by itself.
 *
 *     idle_streams [N [FEW]]          default: as many as the descriptor limit allows, and 100
 */
#include "base/clock.h"
#include "harness.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* Anonymous resident memory: what the process has for itself. */
static double private_kib(pid_t pid)
{
    char path[64], line[256];
    double kib = 0;

    snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
    FILE *f = fopen(path, "re");
    if (f == NULL) {
        die("cannot read %s", path);
    }
    while (fgets(line, sizeof line, f) != NULL) {
        if (strncmp(line, "RssAnon:", 8) == 0) {
            kib = strtod(line + 8, NULL);
        }
    }
    fclose(f);
    return kib;
}

static double open_streams(const struct mock_process *m)
{
    json_t *stats = mock_get(m, "/stats");
    double open = json_number_value(json_object_get(stats, "streams_open"));

    json_decref(stats);
    return open;
}

/* Memory of a client that holds `streams` open streams. */
static double measure(unsigned streams)
{
    struct mock_process mock = mock_start(1, core_for(1));
    char scenario[2048], file[] = "/tmp/mcpdrill-bench-XXXXXX", path[4096];
    int fd = mkstemp(file);

    snprintf(
        scenario, sizeof scenario,
        "{\"scenario_id\":\"bench\",\"target\":{\"url\":\"http://127.0.0.1:%u/mcp\",\"timeouts\":"
        "{\"request_timeout_ms\":3600000,\"stream_stall_timeout_ms\":3600000}},"
        "\"workload\":{\"user_journey\":null,\"tools\":{\"templates\":[{\"tool_name\":"
        "\"notifications_subscribe\","
        "\"expects_streaming\":true,\"arguments\":{\"event_count\":2,\"interval_ms\":3600000}}]}},"
        "\"safety\":{\"hard_caps\":{\"max_vus\":1000000},\"stop_policy\":{\"mode\":\"immediate\"}},"
        "\"stages\":[{\"stage\":\"baseline\",\"duration_ms\":600000,\"load\":{\"target_vus\":%u,"
        "\"start_spread_ms\":5000}}]}",
        mock.port, streams);
    if (fd < 0 || write(fd, scenario, strlen(scenario)) != (ssize_t)strlen(scenario)) {
        die("cannot write a scenario");
    }
    close(fd);
    snprintf(path, sizeof path, "%.3000s/mcpdrill", bin_dir());
    const char *argv[] = {path, "run", file, "--quiet", "--threads", "1", NULL};
    struct child c = child_start(argv, core_for(0));
    double open = 0;
    for (unsigned i = 0; i < 600 && open < streams; i++) {
        usleep(100000);
        open = open_streams(&mock);
    }
    if (open < streams) {
        die("only %.0f of %u streams came up", open, streams);
    }
    usleep(2500000); /* past a window's end: everything that a second costs is there */
    double kib = private_kib(c.pid);
    kill(c.pid, SIGINT);
    usleep(300000);
    kill(c.pid, SIGINT);
    child_wait(&c, NULL);
    unlink(file);
    mock_stop(&mock);
    return kib;
}

int main(int argc, char **argv)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    unsigned most = limit.rlim_cur > 100100 ? 100000 : (unsigned)limit.rlim_cur - 100;
    unsigned many = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : most;
    unsigned few = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 100;

    if (few < 1 || many <= few) {
        die("usage: idle_streams [N [FEW]], N > FEW >= 1");
    }
    double base = measure(few);
    double full = measure(many);
    double each = (full - base) * 1024 / (many - few);
    printf("%u streams: %.0f KiB; %u streams: %.0f KiB\n", few, base, many, full);
    printf("user memory per open stream: %.0f bytes (wanted <= 2048, goal 1024)\n", each);
    return each <= 2048 ? 0 : 1;
}
