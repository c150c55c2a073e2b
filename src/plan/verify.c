/* SPDX-License-Identifier: MIT */
#include "plan/verify.h"

#include "base/json.h"
#include "base/mem.h"
#include "base/pattern.h"
#include "base/pointer.h"
#include "plan/verify_text.h"

#include <math.h>

enum {
    ANSWER_BYTES_MAX = 64 * 1024 * 1024,
};

struct check {
    const struct check_config *config;
    regex_t pattern;
    bool has_pattern;
};

struct verifier {
    struct check *checks;
    size_t check_count;
    const struct custom_config *customs;
    uint64_t wanted;
    bool nonce;
    bool reads; /* the answer has to be parsed */
};

struct verifier *verifier_new(const struct check_config *checks,
                              size_t check_count,
                              const struct custom_config *customs,
                              uint64_t wanted,
                              bool nonce)
{
    if (check_count == 0 && wanted == 0 && !nonce) {
        return NULL;
    }
    struct verifier *v = xcalloc(1, sizeof *v);

    *v = (struct verifier){
        .checks = xcalloc(check_count, sizeof *v->checks),
        .check_count = check_count,
        .customs = customs,
        .wanted = wanted,
        .nonce = nonce,
        .reads = wanted != 0,
    };
    for (size_t i = 0; i < check_count; i++) {
        struct check *c = &v->checks[i];

        c->config = &checks[i];
        c->has_pattern = checks[i].matches != NULL &&
                         pattern_compile(checks[i].matches, REG_NOSUB, &c->pattern, NULL) == 0;
        v->reads = v->reads || checks[i].max_bytes == 0;
    }
    return v;
}

void verifier_free(struct verifier *v)
{
    if (v == NULL) {
        return;
    }
    for (size_t i = 0; i < v->check_count; i++) {
        if (v->checks[i].has_pattern) {
            regfree(&v->checks[i].pattern);
        }
    }
    xfree(v->checks);
    xfree(v);
}

/* ---- values ---------------------------------------------------------------------------------- */

static bool equal_numbers(const json_t *a, const json_t *b)
{
    if (json_is_integer(a) && json_is_integer(b)) { /* a double does not hold all of them */
        return json_integer_value(a) == json_integer_value(b);
    }
    double x = json_number_value(a), y = json_number_value(b);

    return !(x < y) && !(x > y);
}

static bool equal_values(json_t *a, json_t *b);

static bool equal_arrays(json_t *a, json_t *b)
{
    size_t i;
    json_t *value;

    if (json_array_size(a) != json_array_size(b)) {
        return false;
    }
    json_array_foreach(a, i, value)
    {
        if (!equal_values(value, json_array_get(b, i))) {
            return false;
        }
    }
    return true;
}

static bool equal_objects(json_t *a, json_t *b)
{
    const char *key;
    json_t *value;

    if (json_object_size(a) != json_object_size(b)) {
        return false;
    }
    json_object_foreach(a, key, value)
    {
        json_t *other = json_object_get(b, key);

        if (other == NULL || !equal_values(value, other)) {
            return false;
        }
    }
    return true;
}

/* Both are nested JSON_DEPTH_MAX deep at most. */
static bool equal_values(json_t *a, json_t *b)
{
    if (json_is_number(a) && json_is_number(b)) {
        return equal_numbers(a, b);
    }
    if (json_is_array(a) && json_is_array(b)) {
        return equal_arrays(a, b);
    }
    if (json_is_object(a) && json_is_object(b)) {
        return equal_objects(a, b);
    }
    return json_equal(a, b) == 1;
}

/* Of a number or of a string that is one. */
static bool number_of(const json_t *value, double *out)
{
    json_t *parsed = NULL;

    if (json_is_string(value)) {
        struct str text = {json_string_value(value), json_string_length(value)};

        if (json_parse_wide(text, VERIFY_NUMBER_MAX, &parsed, NULL) != 0) {
            return false;
        }
        value = parsed;
    }
    bool found = json_is_number(value);
    *out = json_number_value(value);
    json_decref(parsed);
    return found && isfinite(*out);
}

/* ---- checks ---------------------------------------------------------------------------------- */

static bool matches(const struct check *c, const json_t *value)
{
    char scalar[64];
    struct str text = {scalar, 0};

    if (json_is_string(value)) {
        text = (struct str){json_string_value(value), json_string_length(value)};
    } else if (json_is_array(value) || json_is_object(value)) {
        return false;
    } else {
        text.len =
            json_dumpb(value, scalar, sizeof scalar, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    }
    regmatch_t part = {0, text.len < VERIFY_MATCH_MAX ? (regoff_t)text.len : VERIFY_MATCH_MAX};
    return c->has_pattern && regexec(&c->pattern, text.p, 1, &part, REG_STARTEND) == 0;
}

static bool in_range(const struct check_config *c, const json_t *value)
{
    double number;

    return number_of(value, &number) && !(c->has_min && number < c->min) &&
           !(c->has_max && number > c->max);
}

/* `value`: what the pointer leads to; NULL: nothing. */
static bool passes(const struct check *check, json_t *value)
{
    const struct check_config *c = check->config;

    if (c->has_exists && c->exists != (value != NULL)) {
        return false;
    }
    if (c->equals != NULL && (value == NULL || !equal_values(c->equals, value))) {
        return false;
    }
    if (c->matches != NULL && (value == NULL || !matches(check, value))) {
        return false;
    }
    return !(c->has_min || c->has_max) || (value != NULL && in_range(c, value));
}

/* Would it be a number, were it shorter? */
static bool is_long_number(const json_t *value)
{
    const char *text = json_string_value(value);

    return text != NULL && json_string_length(value) > VERIFY_NUMBER_MAX &&
           text[strspn(text, "+-.0123456789eE")] == '\0';
}

/* Notes what the check did not look at. */
static void
note_limits(const struct check_config *c, const json_t *value, struct verify_result *out)
{
    out->long_texts +=
        c->matches != NULL && json_is_string(value) && json_string_length(value) > VERIFY_MATCH_MAX;
    out->long_numbers += (c->has_min || c->has_max) && is_long_number(value);
}

/* False: it has failed. `unread`: why the answer is no JSON; NULL: it is. */
static bool apply_check(const struct check *check,
                        struct str answer,
                        json_t *result,
                        const char *unread,
                        struct verify_result *out)
{
    const struct check_config *c = check->config;

    if (c->max_bytes > 0) {
        if (answer.len > c->max_bytes) {
            verify_say_size(c, answer.len, out->text);
        }
        return answer.len <= c->max_bytes;
    }
    if (unread != NULL) {
        verify_say_unread(c, unread, out->text);
        return false;
    }
    json_t *value = pointer_get(c->pointer, result, ANSWER_BYTES_MAX);
    bool passed = passes(check, value);
    note_limits(c, value, out);
    if (!passed) {
        verify_say_value(c, value, out->text);
    }
    json_decref(value);
    return passed;
}

/* ---- metrics --------------------------------------------------------------------------------- */

static void
take_custom(const struct verifier *v, uint32_t index, json_t *result, struct verify_result *out)
{
    json_t *value = pointer_get(v->customs[index].pointer, result, ANSWER_BYTES_MAX);
    double number = json_is_true(value) ? 1 : 0;

    if (json_is_boolean(value) || (value != NULL && number_of(value, &number))) {
        out->customs[out->custom_count].custom = index;
        out->customs[out->custom_count].value = number;
        out->custom_count++;
    }
    out->long_numbers += is_long_number(value);
    json_decref(value);
}

static void take_customs(const struct verifier *v, json_t *result, struct verify_result *out)
{
    for (uint32_t i = 0; i < 64 && out->custom_count < VERIFY_CUSTOMS_MAX; i++) {
        if (v->wanted >> i & 1) {
            take_custom(v, i, result, out);
        }
    }
}

/* ---- integrity ------------------------------------------------------------------------------- */

/* False: the answer holds what another caller sent. */
static bool
apply_integrity(struct str answer, const struct verify_caller *caller, struct verify_result *out)
{
    struct verify_caller found, own;
    char text[NONCE_LEN];
    struct str written = {text, sizeof text};

    nonce_write(caller, text);
    nonce_next(&written, &own); /* as it looks in an answer */
    while (nonce_next(&answer, &found)) {
        if (found.tag != own.tag) {
            continue; /* of another run: what a server remembers */
        }
        if (found.vu != own.vu || found.n != own.n) {
            out->kind = VERIFY_MISMATCH;
            out->own_nonce = false;
            verify_say_mismatch(&found, caller, out->text);
            return false;
        }
        out->own_nonce = true;
    }
    return true;
}

/* ---- all of it ------------------------------------------------------------------------------- */

/* The response's result, borrowed; a batch may hold other messages beside it. */
static json_t *result_of(json_t *message)
{
    size_t i;
    json_t *element;

    if (json_is_object(message)) {
        return json_object_get(message, "result");
    }
    json_array_foreach(message, i, element)
    {
        json_t *result = json_object_get(element, "result");

        if (result != NULL) {
            return result;
        }
    }
    return NULL;
}

void verifier_apply(const struct verifier *v,
                    struct str answer,
                    const struct verify_caller *caller,
                    struct verify_result *out)
{
    json_t *message = NULL;
    struct err err = {0};

    out->kind = VERIFY_OK;
    out->own_nonce = false;
    out->text[0] = '\0';
    out->custom_count = out->long_texts = out->long_numbers = 0;
    if (v->nonce && !apply_integrity(answer, caller, out)) {
        return;
    }
    if (v->reads && json_parse_wide(answer, ANSWER_BYTES_MAX, &message, &err) != 0) {
        message = NULL;
    }
    json_t *result = result_of(message);
    for (size_t i = 0; i < v->check_count && out->kind == VERIFY_OK; i++) {
        if (!apply_check(&v->checks[i], answer, result, err.code != 0 ? err.msg : NULL, out)) {
            out->kind = VERIFY_CHECK_FAILED;
        }
    }
    take_customs(v, result, out);
    json_decref(message);
}
