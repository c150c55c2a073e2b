/* SPDX-License-Identifier: MIT */
/* Figures of a run that nobody has started, and seconds of the store as a series. */
#include "fleet/hub.h"
#include "support/open_store.h"

#define ORIGIN_MS UINT64_C(1700000000123) /* second 0 began */

struct place {
    struct open_store store;
    struct hub *hub;
    char id[HUB_RUN_ID_MAX];
};

static void settle(struct place *p)
{
    open_store_flush(&p->store);
}

static void set_up(struct place *p)
{
    static const char text[] = "{\"target\": {\"url\": \"http://127.0.0.1:9/mcp\"},"
                               " \"stages\": [{\"stage\": \"baseline\", \"duration_ms\": 1000,"
                               " \"load\": {\"target_vus\": 10}}]}";
    struct hub_refusal why = {0};
    json_t *config = NULL, *warnings = NULL;

    open_store_new(&p->store);
    struct hub_config hub = {.loop = p->store.loop, .store = p->store.s};
    assert_int_equal(hub_new(&hub, &p->hub, NULL), 0);
    assert_int_equal(json_parse(STR(text), sizeof text, &config, NULL), 0);
    struct hub_new_run what = {.config = config, .actor = "ann"};
    assert_int_equal(hub_create(p->hub, &what, p->id, &warnings, &why), 0);
    json_decref(warnings);
    json_decref(config);
    settle(p);
}

static void tear_down(struct place *p)
{
    hub_free(p->hub);
    open_store_free(&p->store);
}

/* Second `number` has number + 1 operations. */
static void add_seconds(struct place *p, uint64_t count, uint64_t second_stage)
{
    for (uint64_t i = 0; i < count; i++) {
        char body[300];

        snprintf(body, sizeof body,
                 "{\"second\": %llu, \"at_ms\": %llu, \"stage_id\": \"%s\", \"ops\": %llu, "
                 "\"failed\": 1, \"latency_p50_ms\": 2.5, \"latency_p95_ms\": 3.5, "
                 "\"latency_p99_ms\": 4.5, \"active_vus\": 7}",
                 (unsigned long long)i, (unsigned long long)(ORIGIN_MS + i * 1000),
                 i < second_stage ? "one" : "two", (unsigned long long)i + 1);
        assert_int_equal(store_add_second(p->store.s, p->id, i, str_c(body)), 0);
    }
    settle(p);
}

static json_t *ask(struct place *p, const struct hub_metrics_query *query)
{
    struct hub_refusal why = {0};
    json_t *out = NULL;

    if (hub_metrics(p->hub, p->id, query, &out, &why) != 0) {
        fail_msg("%s", why.message);
    }
    return out;
}

static json_int_t integer_of(const json_t *object, const char *name)
{
    assert_true(json_is_integer(json_object_get(object, name)));
    return json_integer_value(json_object_get(object, name));
}

/* ---- tests ------------------------------------------------------------------------------------
 */

static void a_run_that_nobody_has_started(void **state)
{
    static const char *const counts[] = {"total_ops",      "success_ops",     "failure_ops",
                                         "failed_ops",     "started_ops",     "dropped_ops",
                                         "unfinished_ops", "bytes_in",        "bytes_out",
                                         "journey_ops",    "journey_failures"};
    static const char *const nulls[] = {"error_rate",     "throughput",  "latency_p50_ms",
                                        "latency_p99_ms", "duration_ms", "latency_is"};
    struct hub_metrics_query query = {.time_series = true, .to_ms = UINT64_MAX};
    struct hub_refusal why = {0};
    struct place p;
    json_t *out = NULL;

    (void)state;
    set_up(&p);
    out = ask(&p, &query);
    assert_string_equal(json_string_value(json_object_get(out, "run_id")), p.id);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        assert_int_equal(integer_of(out, counts[i]), 0);
    }
    for (size_t i = 0; i < sizeof nulls / sizeof nulls[0]; i++) {
        assert_true(json_is_null(json_object_get(out, nulls[i])));
    }
    assert_int_equal(integer_of(json_object_get(out, "streams"), "started"), 0);
    assert_true(json_is_null(json_object_get(json_object_get(out, "response"), "p50")));
    assert_int_equal(json_object_size(json_object_get(out, "by_stage")), 0);
    assert_int_equal(json_array_size(json_object_get(out, "time_series")), 0);
    assert_int_equal(integer_of(out, "resolution_ms"), 1000);
    json_decref(out);
    assert_int_equal(hub_metrics(p.hub, "run_0000000000000000", &query, &out, &why), ERR_NOT_FOUND);
    hub_refusal_clear(&why);
    tear_down(&p);
}

/* What a query gives: the number of buckets, their width, and the first and the last of them. */
static void expect(struct place *p,
                   const struct hub_metrics_query *query,
                   size_t buckets,
                   uint64_t width_s,
                   uint64_t first,
                   uint64_t last)
{
    json_t *out = ask(p, query), *series = json_object_get(out, "time_series");
    json_t *begin = json_array_get(series, 0), *end = json_array_get(series, buckets - 1);

    assert_int_equal(json_array_size(series), buckets);
    assert_int_equal(integer_of(out, "resolution_ms"), width_s * 1000);
    assert_int_equal(integer_of(begin, "timestamp"), ORIGIN_MS + first * 1000);
    assert_int_equal(integer_of(end, "timestamp"), ORIGIN_MS + last * 1000);
    assert_int_equal(integer_of(begin, "second"), first);
    assert_int_equal(integer_of(end, "second"), last);
    assert_int_equal(json_is_null(json_object_get(begin, "latency_p99")), width_s > 1);
    json_decref(out);
}

static void buckets_are_of_what_is_asked_for(void **state)
{
    const struct hub_metrics_query all = {.time_series = true, .to_ms = UINT64_MAX};
    struct hub_metrics_query late = all, early = all, middle = all, stage = all, wide = all;
    struct place p;

    (void)state;
    set_up(&p);
    add_seconds(&p, 4001, 3900);
    expect(&p, &all, 1334, 3, 0, 3999);
    late.from_ms = ORIGIN_MS + 3990000 + 1; /* as watch asks: behind what it has seen */
    expect(&p, &late, 10, 1, 3991, 4000);
    early.to_ms = ORIGIN_MS + 1000 + 1;
    expect(&p, &early, 2, 1, 0, 1);
    middle.from_ms = ORIGIN_MS + 100000;
    middle.to_ms = ORIGIN_MS + 2100000;
    expect(&p, &middle, 2000, 1, 100, 2099);
    stage.stage_id = "two";
    expect(&p, &stage, 101, 1, 3900, 4000);
    wide.from_ms = ORIGIN_MS + 3996000;
    wide.resolution_ms = 2000;
    expect(&p, &wide, 3, 2, 3996, 4000);
    tear_down(&p);
}

/* Buckets at an end of what is asked for have fewer seconds than the others. */
static void rates_are_of_the_seconds_that_are_there(void **state)
{
    struct hub_metrics_query query = {.time_series = true,
                                      .from_ms = ORIGIN_MS + 3000,
                                      .to_ms = UINT64_MAX,
                                      .resolution_ms = 2000};
    static const double rates[] = {4, 5.5, 7};
    struct place p;

    (void)state;
    set_up(&p);
    add_seconds(&p, 7, 0); /* asked for: 3 | 4 5 | 6 */
    json_t *out = ask(&p, &query), *series = json_object_get(out, "time_series");
    assert_int_equal(json_array_size(series), 3);
    for (size_t i = 0; i < 3; i++) {
        json_t *throughput = json_object_get(json_array_get(series, i), "throughput");
        assert_float_equal(json_real_value(throughput), rates[i], 1e-9);
    }
    assert_int_equal(integer_of(json_array_get(series, 1), "success_ops"), 9);
    json_decref(out);
    tear_down(&p);
}

static const struct store_ops *real_ops;
static uint64_t rows_read;

struct counting {
    store_text_fn *fn;
    void *owner;
};

static bool count_row(void *owner, uint64_t number, struct str body)
{
    const struct counting *c = owner;

    rows_read++;
    return c->fn(c->owner, number, body);
}

static int count_seconds(struct store *s,
                         const char *run_id,
                         uint64_t from,
                         uint64_t limit,
                         store_text_fn *fn,
                         void *owner)
{
    return real_ops->seconds(s, run_id, from, limit, count_row, &(struct counting){fn, owner});
}

/* A look at the last seconds costs as much after hours as after a minute. */
static void other_seconds_are_not_read(void **state)
{
    struct hub_metrics_query query = {
        .time_series = true, .from_ms = ORIGIN_MS + 500000, .to_ms = ORIGIN_MS + 510000};
    struct place p;

    (void)state;
    set_up(&p);
    add_seconds(&p, 1000, 0);
    real_ops = p.store.s->ops;
    struct store_ops ops = *real_ops;
    ops.seconds = count_seconds;
    p.store.s->ops = &ops;
    rows_read = 0;
    expect(&p, &query, 10, 1, 500, 509);
    assert_int_equal(rows_read, 1 + 2 * 10); /* when it began, how many, which */
    p.store.s->ops = real_ops;
    tear_down(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_run_that_nobody_has_started),
        cmocka_unit_test(buckets_are_of_what_is_asked_for),
        cmocka_unit_test(rates_are_of_the_seconds_that_are_there),
        cmocka_unit_test(other_seconds_are_not_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
