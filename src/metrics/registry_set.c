/* SPDX-License-Identifier: MIT */
/* The rows of the metrics that a scenario defines. */
#include "base/arena.h"
#include "base/mem.h"
#include "metrics/registry.h"

#include <assert.h>
#include <string.h>

#define PREFIX "custom."

struct metric_set {
    struct arena arena;
    struct metric *rows; /* of all metrics, in the order of the scenario */
    size_t count;
};

/* The row of the bare name comes first, so that the search for one finds it. */
static const struct {
    const char *suffix; /* behind custom.NAME */
    enum metric_custom_value value;
    uint32_t ppm;
    bool trend_only;
    const char *unit, *definition;
} rows[] = {
    {"", METRIC_CUSTOM_SUM, 0, false, "", "A metric of the scenario"},
    {".count", METRIC_CUSTOM_COUNT, 0, false, "count", "How many numbers were found."},
    {".sum", METRIC_CUSTOM_SUM, 0, false, "", "The sum of the numbers."},
    {".min", METRIC_CUSTOM_MIN, 0, false, "", "The smallest number."},
    {".max", METRIC_CUSTOM_MAX, 0, false, "", "The largest number."},
    {".mean", METRIC_CUSTOM_MEAN, 0, false, "", "The sum of the numbers divided by their count."},
    {".last", METRIC_CUSTOM_LAST, 0, false, "", "The newest number."},
    {".p50", METRIC_CUSTOM_QUANTILE, 500000, true, "", "Quantile 0.5 of the numbers."},
    {".p75", METRIC_CUSTOM_QUANTILE, 750000, true, "", "Quantile 0.75 of the numbers."},
    {".p90", METRIC_CUSTOM_QUANTILE, 900000, true, "", "Quantile 0.9 of the numbers."},
    {".p95", METRIC_CUSTOM_QUANTILE, 950000, true, "", "Quantile 0.95 of the numbers."},
    {".p99", METRIC_CUSTOM_QUANTILE, 990000, true, "", "Quantile 0.99 of the numbers."},
    {".p999", METRIC_CUSTOM_QUANTILE, 999000, true, "", "Quantile 0.999 of the numbers."},
};

enum { ROWS = sizeof rows / sizeof rows[0] };

/* What custom.NAME alone means. */
static const struct {
    enum metric_custom_value value;
    const char *definition;
} bare[] = {
    [METRIC_COUNTER] = {METRIC_CUSTOM_SUM, "Counter of the scenario: the sum of the numbers."},
    [METRIC_LAST] = {METRIC_CUSTOM_LAST, "Gauge of the scenario: the newest number."},
    [METRIC_TREND] = {METRIC_CUSTOM_MEAN, "Trend of the scenario: the mean of the numbers."},
};

static void add_rows(struct metric_set *set, uint32_t index, const struct metric_custom_def *def)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].trend_only && def->kind != METRIC_TREND) {
            continue;
        }
        bool is_bare = rows[i].suffix[0] == '\0';
        enum metric_custom_value value = is_bare ? bare[def->kind].value : rows[i].value;
        set->rows[set->count++] = (struct metric){
            .name = arena_printf(&set->arena, PREFIX "%s%s", def->name, rows[i].suffix),
            .unit = rows[i].unit,
            .kind = METRIC_CUSTOM,
            .definition = is_bare ? bare[def->kind].definition : rows[i].definition,
            .subset_of = "numbers found",
            .ppm = rows[i].ppm,
            /* Numbers may be negative: only how many there are is sure to grow. */
            .monotone = value == METRIC_CUSTOM_COUNT,
            .custom = index,
            .custom_value = value,
        };
    }
}

struct metric_set *metric_set_new(const struct metric_custom_def *defs, size_t count)
{
    struct metric_set *set = xcalloc(1, sizeof *set);

    set->rows = arena_array(&set->arena, count * ROWS + 1, sizeof *set->rows);
    for (size_t i = 0; i < count; i++) {
        add_rows(set, (uint32_t)i, &defs[i]);
    }
    return set;
}

void metric_set_free(struct metric_set *set)
{
    if (set == NULL) {
        return;
    }
    arena_clear(&set->arena);
    xfree(set);
}

size_t metric_set_count(const struct metric_set *set)
{
    return set != NULL ? set->count : 0;
}

const struct metric *metric_set_at(const struct metric_set *set, size_t i)
{
    assert(i < metric_set_count(set));
    return &set->rows[i];
}

/* Is it the row's name without "custom."? */
static bool is_bare_name(struct str row, struct str name)
{
    size_t prefix = strlen(PREFIX);

    return name.len > 0 && row.len == prefix + name.len &&
           memcmp(row.p + prefix, name.p, name.len) == 0;
}

const struct metric *metric_set_find(const struct metric_set *set, struct str name)
{
    const struct metric *found = metric_find(name);

    for (size_t i = 0; found == NULL && i < metric_set_count(set); i++) {
        struct str row = str_c(set->rows[i].name);
        if (str_eq(name, row) || is_bare_name(row, name)) {
            found = &set->rows[i];
        }
    }
    return found;
}
