/* SPDX-License-Identifier: MIT */
/*
 * Server-sent events per second and core of the client: streams at full speed from the mock, each
 * event parsed, timed and counted. CPU seconds of the client are what is divided by, so that a
 * waiting client does not look slow.
 *
 *     sse_events [STREAMS [SECONDS [EVENTS_PER_STREAM]]]      default 1000 streams, 10 s, 2000
 */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    unsigned streams = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1000;
    unsigned seconds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 10;
    unsigned events = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 2000;
    char scenario[2048];
    struct child_cost c;

    if (streams < 1 || streams > 19000 || seconds < 1 || seconds > 600 || events < 1) {
        die("usage: sse_events [STREAMS 1..19000 [SECONDS 1..600 [EVENTS_PER_STREAM]]]");
    }
    struct mock_process mock = mock_start(1, core_for(1));
    snprintf(
        scenario, sizeof scenario,
        "{\"scenario_id\":\"bench\",\"target\":{\"url\":\"http://127.0.0.1:%u/mcp\"},"
        "\"workload\":{\"tools\":{\"templates\":[{\"tool_name\":\"notifications_subscribe\","
        "\"expects_streaming\":true,\"arguments\":{\"event_count\":%u,\"interval_ms\":0}}]}},"
        "\"stages\":[{\"stage\":\"baseline\",\"duration_ms\":%u,\"load\":{\"target_vus\":%u}}]}",
        mock.port, events, seconds * 1000, streams);
    json_t *result = drill(scenario, 1, core_for(0), &c);
    double received = result_number(result, "counts", "events");
    double failed = result_number(result, "counts", "ended_failed");
    json_t *stats = mock_get(&mock, "/stats");
    double sent = json_number_value(json_object_get(stats, "events_sent"));
    double cpu = c.user_s + c.system_s;
    double rate = received / cpu;

    mock_stop(&mock);
    printf("%.0f events received, %.0f sent, %.0f operations failed\n", received, sent, failed);
    printf("client: %.2f s user + %.2f s system, %.0f events/s of wall\n", c.user_s, c.system_s,
           received / seconds);
    printf("SSE events per second and core: %.0f (wanted >= 500000, goal 1000000)\n", rate);
    json_decref(result);
    json_decref(stats);
    return rate >= 500000 && received == sent && failed == 0 ? 0 : 1;
}
