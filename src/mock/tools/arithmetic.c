/* SPDX-License-Identifier: MIT */
/* Tools that reckon. */
#include "base/mem.h"
#include "mock/tools/calc.h"
#include "mock/tools/number.h"
#include "mock/tools/tools.h"

#include <stdlib.h>

static void add_number(struct buf *out, double v)
{
    char text[NUMBER_TEXT_MAX];

    buf_add(out, text, number_text(v, text));
}

static void answer_number(struct op *op, double v)
{
    tool_text(op, "%s", "");
    add_number(&op->m->text, v);
}

/* ---- list_operations ---------------------------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static void answer_list(struct op *op, const double *list, size_t count)
{
    tool_text(op, "[");
    for (size_t i = 0; i < count; i++) {
        buf_add(&op->m->text, ",", i > 0);
        add_number(&op->m->text, list[i]);
    }
    buf_add(&op->m->text, "]", 1);
}

static double sum_of(const double *list, size_t count)
{
    double sum = 0;

    for (size_t i = 0; i < count; i++) {
        sum += list[i];
    }
    return sum;
}

static void filter_list(struct op *op, double *list, size_t count, const json_t *arguments)
{
    double limit;
    size_t kept = 0;

    if (!tool_number(arguments, "filter_value", &limit)) {
        tool_error(op, "missing filter_value");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (list[i] > limit) {
            list[kept++] = list[i];
        }
    }
    answer_list(op, list, kept);
}

/* `list` may be changed; count > 0. */
static void
operate(struct op *op, struct str operation, double *list, size_t count, const json_t *arguments)
{
    if (str_ieq(operation, STR("sum"))) {
        answer_number(op, sum_of(list, count));
    } else if (str_ieq(operation, STR("avg"))) {
        answer_number(op, sum_of(list, count) / (double)count);
    } else if (str_ieq(operation, STR("sort"))) {
        qsort(list, count, sizeof *list, by_value);
        answer_list(op, list, count);
    } else if (str_ieq(operation, STR("max"))) {
        qsort(list, count, sizeof *list, by_value);
        answer_number(op, list[count - 1]);
    } else if (str_ieq(operation, STR("filter"))) {
        filter_list(op, list, count, arguments);
    } else {
        tool_error(op, "unknown operation");
    }
}

/* NULL when it is no array, is empty, or has anything but numbers in it. */
static double *read_list(const json_t *array, size_t *count)
{
    *count = json_array_size(array); /* 0 for anything that is no array */
    double *list = *count > 0 ? xcalloc(*count, sizeof *list) : NULL;

    for (size_t i = 0; i < *count; i++) {
        const json_t *v = json_array_get(array, i);

        if (!json_is_number(v)) {
            xfree(list);
            return NULL;
        }
        list[i] = json_number_value(v) + 0.0;
    }
    return list;
}

void tool_list_operations(struct op *op, const json_t *arguments)
{
    size_t count;
    double *list = read_list(json_object_get(arguments, "list"), &count);
    struct str operation;

    if (list == NULL) {
        tool_error(op, "invalid list");
    } else if (!tool_string(arguments, "operation", &operation)) {
        tool_error(op, "missing operation");
    } else {
        operate(op, operation, list, count, arguments);
    }
    xfree(list);
}

/* ---- the others --------------------------------------------------------------------------- */

void tool_calculate(struct op *op, const json_t *arguments)
{
    struct str expression;
    double v;

    if (!tool_string(arguments, "expression", &expression)) {
        tool_error(op, "missing expression");
    } else if (!calc_evaluate(expression, &v)) {
        tool_error(op, "invalid expression");
    } else {
        answer_number(op, v);
    }
}

static const struct {
    struct str from, to;
    double rate;
} rates[] = {
    {STR_INIT("USD"), STR_INIT("EUR"), 0.9},
    {STR_INIT("EUR"), STR_INIT("USD"), 1.1},
    {STR_INIT("USD"), STR_INIT("GBP"), 0.8},
    {STR_INIT("GBP"), STR_INIT("USD"), 1.25},
};

static bool is_currency(struct str code)
{
    return str_eq(code, STR("USD")) || str_eq(code, STR("EUR")) || str_eq(code, STR("GBP"));
}

static double rate_of(struct str from, struct str to)
{
    if (str_eq(from, to) && is_currency(from)) {
        return 1;
    }
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        if (str_eq(rates[i].from, from) && str_eq(rates[i].to, to)) {
            return rates[i].rate;
        }
    }
    return 0;
}

void tool_currency_convert(struct op *op, const json_t *arguments)
{
    struct str from, to;
    double amount;

    if (!tool_number(arguments, "amount", &amount)) {
        tool_error(op, "missing amount");
        return;
    }
    if (!tool_string(arguments, "from", &from)) {
        tool_error(op, "missing from");
        return;
    }
    if (!tool_string(arguments, "to", &to)) {
        tool_error(op, "missing to");
        return;
    }
    double rate = rate_of(from, to);
    if (rate == 0) {
        tool_error(op, "unsupported currency");
        return;
    }
    tool_text(op, "{\"amount\":");
    add_number(&op->m->text, amount);
    buf_printf(&op->m->text, ",\"from\":\"%.*s\",\"to\":\"%.*s\",\"converted\":", STR_ARG(from),
               STR_ARG(to));
    add_number(&op->m->text, amount * rate);
    buf_add(&op->m->text, "}", 1);
}

void tool_conditional_error(struct op *op, const json_t *arguments)
{
    double probability;

    if (!tool_number(arguments, "error_probability", &probability)) {
        tool_error(op, "missing error_probability");
    } else if (tool_draw(op) < probability) {
        tool_error(op, "conditional error");
    } else {
        tool_text(op, "ok");
    }
}

void tool_stateful_counter(struct op *op, const json_t *arguments)
{
    struct mock_memory *memory = &op->m->shared->memory;
    struct str operation = STR("increment");
    int64_t amount = 1, value = 0;
    bool known = true, fits = true;

    tool_string(arguments, "operation", &operation);
    tool_integer(arguments, "amount", &amount);
    pthread_mutex_lock(&memory->lock);
    if (str_ieq(operation, STR("increment"))) {
        fits = !__builtin_add_overflow(memory->counter, amount, &value);
    } else if (str_ieq(operation, STR("decrement"))) {
        fits = !__builtin_sub_overflow(memory->counter, amount, &value);
    } else if (str_ieq(operation, STR("get"))) {
        value = memory->counter;
    } else {
        known = str_ieq(operation, STR("reset"));
    }
    if (known && fits) {
        memory->counter = value;
    }
    pthread_mutex_unlock(&memory->lock);
    if (!known) {
        tool_error(op, "unknown operation");
    } else if (!fits) {
        tool_error(op, "counter overflow");
    } else {
        tool_text(op, "%lld", (long long)value);
    }
}
