/* SPDX-License-Identifier: MIT */
#include "mock/state/history.h"

#include "base/mem.h"

#include <inttypes.h>
#include <pthread.h>

struct mock_history {
    pthread_mutex_t lock; /* guards the rest */
    uint64_t count;       /* ever added */
    struct mock_history_sample samples[MOCK_HISTORY_SAMPLES];
};

struct mock_history *mock_history_new(void)
{
    struct mock_history *h = xcalloc(1, sizeof *h);

    pthread_mutex_init(&h->lock, NULL);
    return h;
}

void mock_history_free(struct mock_history *h)
{
    if (h != NULL) {
        pthread_mutex_destroy(&h->lock);
        xfree(h);
    }
}

void mock_history_add(struct mock_history *h, const struct mock_history_sample *sample)
{
    pthread_mutex_lock(&h->lock);
    h->samples[h->count++ % MOCK_HISTORY_SAMPLES] = *sample;
    pthread_mutex_unlock(&h->lock);
}

void mock_history_write(struct mock_history *h, uint64_t since_ms, struct buf *out)
{
    bool first = true;

    buf_printf(out,
               "{\"tick_ms\":%d,\"columns\":[\"ts_ms\",\"http_requests\",\"tool_calls\","
               "\"sessions_opened\",\"streams_open\",\"sessions_open\",\"connections_open\","
               "\"calls_open\"],\"samples\":[",
               (int)MOCK_TICK_MS);
    pthread_mutex_lock(&h->lock);
    uint64_t begin = h->count > MOCK_HISTORY_SAMPLES ? h->count - MOCK_HISTORY_SAMPLES : 0;
    for (uint64_t i = begin; i < h->count; i++) {
        const struct mock_history_sample *s = &h->samples[i % MOCK_HISTORY_SAMPLES];

        if (s->ts_ms >= since_ms) {
            buf_printf(out, "%s[%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%u,%u,%u,%u]",
                       first ? "" : ",\n", s->ts_ms, s->http_requests, s->tool_calls,
                       s->sessions_opened, s->streams_open, s->sessions_open, s->connections_open,
                       s->calls_open);
            first = false;
        }
    }
    pthread_mutex_unlock(&h->lock);
    buf_add_c(out, "]}\n");
}
