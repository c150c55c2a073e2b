/* SPDX-License-Identifier: MIT */
/*
 * A second of one shard on its way to the control plane: bytes, and the time to write and to read
 * it, the best of some rounds. The operations are those of a mock on loopback: late by 20 to 60 µs,
 * answered in 0.4 to 0.9 ms, with a tail.
 */
#include "base/clock.h"
#include "base/rng.h"
#include "wire/window.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 15, ROUND_MS = 20, ENCODED_MAX = 16 * 1024 * 1024 };
#define BEGIN_NS UINT64_C(86400000000000)

struct second {
    uint32_t keys, operations;
    size_t bytes_max; /* 0: no limit */
};

static const struct second seconds[] = {
    {.keys = 1, .operations = 1000, .bytes_max = 1200},
    {.keys = 1, .operations = 50000, .bytes_max = 4000},
    {.keys = 100, .operations = 1000},
    {.keys = 100, .operations = 50000},
};

static void require(bool ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "bench_wire: %s\n", what);
        exit(1);
    }
}

static struct outcome operation(uint64_t i, const struct second *s)
{
    uint64_t due = BEGIN_NS + i * NS_PER_S / s->operations, r = rng_at(1, i);
    uint64_t slow = rng_below(rng_at(2, i), 50) == 0 ? 10 : 1;
    struct outcome o = {.key = (uint32_t)(i % s->keys),
                        .vu = (uint32_t)(i % 100),
                        .n = i,
                        .session_serial = 1 + i % 100,
                        .heir = WINDOW_KEY_NONE,
                        .t_due = due,
                        .t_free = due,
                        .t_ready = due,
                        .http_status = 200,
                        .bytes_out = 350,
                        .bytes_in = 420,
                        .session_was_used = true,
                        .requests_sent = 1};

    o.t_send = due + 20000 + rng_below(r, 40000);
    o.t_headers = o.t_end = o.t_send + slow * (400000 + rng_below(rng_mix64(r), 500000));
    return o;
}

static struct window *fill(const struct second *s)
{
    struct window *w = window_new(s->keys, 0, 0);

    window_reset(w, 100, BEGIN_NS, BEGIN_NS + NS_PER_S);
    for (uint64_t i = 0; i < s->operations; i++) {
        struct outcome o = operation(i, s);

        window_started(w, o.key);
        window_outcome(w, &o);
    }
    w->gauges.active_vus = w->gauges.active_sessions = w->gauges.open_connections = 100;
    w->busy_ns = NS_PER_S / 3;
    w->wall_ns = NS_PER_S;
    w->wakeups = s->operations;
    return w;
}

static void write_once(const struct window *w, struct buf *out)
{
    out->len = 0;
    require(wire_window_encode(w, 0, out) == 0, "a window cannot be written");
}

static void read_once(const struct second *s, const struct buf *in, struct window *into)
{
    const struct wire_window_limits limits = {.key_count = s->keys, .stage_count = 1};

    require(wire_window_decode(buf_str(in), &limits, into, NULL) == 0, "a window cannot be read");
}

/* Nanoseconds of one writing (`into` NULL) or reading. */
static double
best_ns(const struct second *s, const struct window *w, struct buf *b, struct window *into)
{
    double best = 0;

    for (unsigned round = 0; round < ROUNDS; round++) {
        uint64_t begin = clock_monotonic_ns(), now = begin, n = 0;

        for (; now - begin < (uint64_t)ROUND_MS * 1000000; now = clock_monotonic_ns(), n++) {
            if (into == NULL) {
                write_once(w, b);
            } else {
                read_once(s, b, into);
            }
        }
        double ns = (double)(now - begin) / (double)n;
        best = round == 0 || ns < best ? ns : best;
    }
    return best;
}

static bool measure(const struct second *s)
{
    struct window *w = fill(s), *into = window_new(s->keys, 0, 0);
    struct buf b;

    buf_init(&b, ENCODED_MAX);
    double write_ns = best_ns(s, w, &b, NULL), read_ns = best_ns(s, w, &b, into);
    require(into->keys[0].count[COUNT_ENDED_OK] == w->keys[0].count[COUNT_ENDED_OK],
            "other counts");
    bool ok = s->bytes_max == 0 || b.len <= s->bytes_max;
    printf("%3u keys, %5u operations: %6zu bytes, written in %7.1f us, read in %7.1f us%s\n",
           s->keys, s->operations, b.len, write_ns / 1000, read_ns / 1000, ok ? "" : "  TOO LARGE");
    buf_clear(&b);
    window_free(w);
    window_free(into);
    return ok;
}

int main(void)
{
    bool ok = true;

    for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
        ok = measure(&seconds[i]) && ok;
    }
    return ok ? 0 : 1;
}
