/* SPDX-License-Identifier: MIT */
/* Dijkstra's shunting yard with two bounded stacks: input cannot drive a recursion. */
#include "mock/tools/calc.h"

#include <math.h>
#include <stdlib.h>

enum { NUMBER_MAX = 64 };

struct yard {
    double values[CALC_DEPTH_MAX + 1];
    char operators[CALC_DEPTH_MAX];
    size_t value_count, operator_count;
};

static int rank_of(char op)
{
    switch (op) {
    case '+':
    case '-':
        return 1;
    case '*':
    case '/':
        return 2;
    default:
        return 0; /* a parenthesis holds everything below it */
    }
}

static bool apply(struct yard *y)
{
    if (y->value_count < 2) {
        return false;
    }
    double b = y->values[--y->value_count];
    double *a = &y->values[y->value_count - 1];

    switch (y->operators[--y->operator_count]) {
    case '+':
        *a += b;
        return true;
    case '-':
        *a -= b;
        return true;
    case '*':
        *a *= b;
        return true;
    case '/':
        *a /= b;
        return b != 0;
    default:
        return false; /* an open parenthesis at the end */
    }
}

static bool push_operator(struct yard *y, char op)
{
    while (op != '(' && y->operator_count > 0 &&
           rank_of(y->operators[y->operator_count - 1]) >= rank_of(op)) {
        if (!apply(y)) {
            return false;
        }
    }
    if (y->operator_count == CALC_DEPTH_MAX) {
        return false;
    }
    y->operators[y->operator_count++] = op;
    return true;
}

static bool close_parenthesis(struct yard *y)
{
    while (y->operator_count > 0 && y->operators[y->operator_count - 1] != '(') {
        if (!apply(y)) {
            return false;
        }
    }
    if (y->operator_count == 0) {
        return false;
    }
    y->operator_count--;
    return true;
}

/* digits [. digits], or . digits */
static bool push_number(struct yard *y, const char **p, const char *end)
{
    char text[NUMBER_MAX + 1];
    size_t len = 0, digits = 0, dots = 0;

    while (*p < end && ((**p >= '0' && **p <= '9') || **p == '.')) {
        if (len == NUMBER_MAX) {
            return false;
        }
        dots += **p == '.';
        digits += **p != '.';
        text[len++] = *(*p)++;
    }
    text[len] = '\0';
    if (digits == 0 || dots > 1 || y->value_count > CALC_DEPTH_MAX) {
        return false;
    }
    y->values[y->value_count++] = strtod(text, NULL);
    return true;
}

bool calc_evaluate(struct str expression, double *out)
{
    struct yard y;
    const char *p = expression.p, *end = p + expression.len;
    bool want_value = true, ok = true;

    y.value_count = y.operator_count = 0;
    while (ok && p < end) {
        char c = *p;

        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            p++;
        } else if (want_value && c != '(') {
            ok = push_number(&y, &p, end);
            want_value = false;
        } else if (c == '(') {
            ok = want_value && push_operator(&y, c);
            p++;
        } else if (c == ')') {
            ok = close_parenthesis(&y);
            p++;
        } else {
            ok = rank_of(c) > 0 && push_operator(&y, c);
            want_value = true;
            p++;
        }
    }
    ok = ok && !want_value;
    while (ok && y.operator_count > 0) {
        ok = apply(&y);
    }
    if (!ok || y.value_count != 1 || !isfinite(y.values[0])) {
        return false;
    }
    *out = y.values[0];
    return true;
}
