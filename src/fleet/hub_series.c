/* SPDX-License-Identifier: MIT */
/* The seconds of a run as a series of buckets: those that are asked for are read, and no other. */
#include "fleet/hub_priv.h"

#include <string.h>

enum { BUCKETS_MAX = 2000, SECONDS_PAGE = 10000 };

struct series {
    struct hub *hub;
    const char *run_id;
    const struct hub_metrics_query *query;
    uint64_t origin_ms;   /* when second 0 began */
    uint64_t first, past; /* seconds that the query wants: first <= second < past */
    uint64_t next;        /* that has not been read */
    uint64_t count;       /* of those that are wanted */
    uint64_t width_ms;
    json_t *buckets;
    uint64_t filled; /* seconds that the last bucket has so far */
};

static json_int_t count_of(const json_t *counts, const char *name)
{
    return json_integer_value(json_object_get(counts, name));
}

static json_int_t number_of(const json_t *o, const char *name)
{
    return (json_int_t)json_number_value(json_object_get(o, name));
}

/* A second that begins a bucket, which begins with second `number`. */
static json_t *bucket_new(const json_t *second, uint64_t number, uint64_t at_ms)
{
    static const char *const rows[][2] = {
        {"latency_p50", "latency_p50_ms"}, {"latency_p95", "latency_p95_ms"},
        {"latency_p99", "latency_p99_ms"}, {"active_vus", "active_vus"},
        {"in_flight", "in_flight"},        {"active_sessions", "active_sessions"},
        {"stage_id", "stage_id"},
    };
    json_t *b = json_object();

    json_object_set_new(b, "timestamp", json_integer((json_int_t)at_ms));
    json_object_set_new(b, "second", json_integer((json_int_t)number));
    json_object_set_new(b, "success_ops", json_integer(0));
    json_object_set_new(b, "failed_ops", json_integer(0));
    json_object_set_new(b, "events", json_integer(0));
    json_object_set_new(b, "bytes_in", json_integer(0));
    json_object_set_new(b, "bytes_out", json_integer(0));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        json_t *value = json_object_get(second, rows[i][1]);
        json_object_set(b, rows[i][0], value != NULL ? value : json_null());
    }
    return b;
}

static void bucket_add(json_t *b, const char *name, json_int_t n)
{
    json_object_set_new(b, name, json_integer(count_of(b, name) + n));
}

/* `seconds`: that it has with this one. Fewer than its width at an end of what is asked for. */
static void bucket_count(json_t *b, const json_t *second, uint64_t seconds)
{
    json_int_t failed = number_of(second, "failed"), ops = number_of(second, "ops");

    bucket_add(b, "success_ops", ops - failed);
    bucket_add(b, "failed_ops", failed);
    bucket_add(b, "events", number_of(second, "events"));
    bucket_add(b, "bytes_in", number_of(second, "bytes_received"));
    bucket_add(b, "bytes_out", number_of(second, "bytes_sent"));
    json_int_t total = count_of(b, "success_ops") + count_of(b, "failed_ops");
    json_object_set_new(b, "throughput", json_real((double)total / (double)seconds));
    json_object_set_new(b, "error_rate",
                        total > 0 ? json_real((double)count_of(b, "failed_ops") / (double)total)
                                  : json_null());
}

/* Is it one of the stage that is asked for? The caller frees *second. */
static bool is_wanted(const struct series *s, struct str body, json_t **second)
{
    *second = NULL;
    if (json_parse(body, HUB_DOCUMENT_MAX, second, NULL) != 0) {
        return false;
    }
    const char *stage = json_string_value(json_object_get(*second, "stage_id"));

    return s->query->stage_id == NULL || (stage != NULL && strcmp(stage, s->query->stage_id) == 0);
}

static void add_second(struct series *s, uint64_t number, const json_t *second)
{
    uint64_t begin = number - number % (s->width_ms / 1000);
    uint64_t begin_ms = s->origin_ms + begin * 1000;
    json_t *last = json_array_get(s->buckets, json_array_size(s->buckets) - 1);

    if (last == NULL || (uint64_t)count_of(last, "timestamp") != begin_ms) {
        last = bucket_new(second, begin, begin_ms);
        json_array_append_new(s->buckets, last);
        s->filled = 0;
    } else { /* quantiles of several seconds cannot be added */
        json_object_set_new(last, "latency_p50", json_null());
        json_object_set_new(last, "latency_p95", json_null());
        json_object_set_new(last, "latency_p99", json_null());
    }
    bucket_count(last, second, ++s->filled);
}

static bool take_second(void *owner, uint64_t number, struct str body)
{
    struct series *s = owner;
    json_t *second = NULL;

    if (number >= s->past) {
        return false;
    }
    s->next = number + 1;
    if (is_wanted(s, body, &second)) {
        add_second(s, number, second);
    }
    json_decref(second);
    return true;
}

/* Without a stage nothing of a second but its number matters. */
static bool count_second(void *owner, uint64_t number, struct str body)
{
    struct series *s = owner;
    json_t *second = NULL;

    if (number >= s->past) {
        return false;
    }
    s->next = number + 1;
    s->count += s->query->stage_id == NULL || is_wanted(s, body, &second);
    json_decref(second);
    return true;
}

static bool take_origin(void *owner, uint64_t number, struct str body)
{
    struct series *s = owner;
    json_t *second = NULL;

    if (json_parse(body, HUB_DOCUMENT_MAX, &second, NULL) == 0) {
        s->origin_ms = (uint64_t)number_of(second, SECOND_AT_MS) - number * 1000;
    }
    json_decref(second);
    return false;
}

/* The seconds that are asked for, and no other, in portions. */
static int read_seconds(struct series *s, store_text_fn *fn)
{
    uint64_t before;
    int rc = 0;

    s->next = s->first;
    do {
        uint64_t left = s->past > s->next ? s->past - s->next : 0;

        before = s->next;
        rc = left == 0 ? 0
                       : store_seconds(s->hub->store, s->run_id, before,
                                       left < SECONDS_PAGE ? left : SECONDS_PAGE, fn, s);
    } while (rc == 0 && s->next > before);
    return rc;
}

/* The first second that begins at this moment or later. */
static uint64_t second_at(const struct series *s, uint64_t ms)
{
    return ms > s->origin_ms ? (ms - s->origin_ms - 1) / 1000 + 1 : 0;
}

/* Buckets are as wide as asked for, but no more than about BUCKETS_MAX. */
static uint64_t width_of(const struct series *s)
{
    uint64_t wanted = s->query->resolution_ms / 1000;
    uint64_t least = (s->count + BUCKETS_MAX - 1) / BUCKETS_MAX;

    wanted = wanted > 0 ? wanted : 1;
    return 1000 * (wanted > least ? wanted : least);
}

int hub_series(struct hub *h,
               const char *run_id,
               const struct hub_metrics_query *query,
               json_t *out)
{
    struct series s = {.hub = h, .run_id = run_id, .query = query, .buckets = json_array()};
    int rc = store_seconds(h->store, run_id, 0, 1, take_origin, &s);

    s.first = second_at(&s, query->from_ms);
    s.past = second_at(&s, query->to_ms);
    rc = rc == 0 ? read_seconds(&s, count_second) : rc;
    s.width_ms = width_of(&s);
    rc = rc == 0 ? read_seconds(&s, take_second) : rc;
    json_object_set_new(out, "resolution_ms", json_integer((json_int_t)s.width_ms));
    json_object_set_new(out, "time_series", s.buckets);
    return rc;
}
