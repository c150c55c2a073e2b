/* SPDX-License-Identifier: MIT */
#include "mock/faults/faults.h"

#include "base/clock.h"
#include "base/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define AT(member) offsetof(struct faults, member)
#define HOUR_MS    3600000.0

const struct fault_field fault_fields[] = {
    {"latency", "kind", FAULT_LATENCY, AT(latency_kind), 3,
     "added latency: none, fixed, uniform or lognormal"},
    {"latency", "ms", FAULT_NUMBER, AT(latency_ms), HOUR_MS, "fixed: this long"},
    {"latency", "min_ms", FAULT_NUMBER, AT(latency_min_ms), HOUR_MS, "uniform: from"},
    {"latency", "max_ms", FAULT_NUMBER, AT(latency_max_ms), HOUR_MS, "uniform: to"},
    {"latency", "median_ms", FAULT_NUMBER, AT(latency_median_ms), HOUR_MS, "lognormal: median"},
    {"latency", "sigma", FAULT_NUMBER, AT(latency_sigma), 10, "lognormal: sigma of the logarithm"},
    {NULL, "http_500", FAULT_RATE, AT(http_500), 1, "share answered with HTTP 500"},
    {NULL, "http_429", FAULT_RATE, AT(http_429), 1, "share answered with HTTP 429, Retry-After"},
    {NULL, "retry_after_s", FAULT_COUNT, AT(retry_after_s), 86400, "value of Retry-After"},
    {NULL, "jsonrpc_error", FAULT_RATE, AT(jsonrpc_error), 1, "share answered with error -32603"},
    {NULL, "is_error", FAULT_RATE, AT(is_error), 1, "share of tool calls that fail (isError)"},
    {NULL, "cut", FAULT_RATE, AT(cut), 1, "share whose answer is cut off in the middle"},
    {NULL, "reset", FAULT_RATE, AT(reset), 1, "share answered with a connection reset"},
    {NULL, "swap_answers", FAULT_RATE, AT(swap_answers), 1,
     "share of tool calls whose result is exchanged with another client's"},
    {NULL, "refuse_sessions", FAULT_RATE, AT(refuse_sessions), 1, "share of initialize refused"},
    {NULL, "lose_sessions", FAULT_RATE, AT(lose_sessions), 1,
     "share of requests whose session is forgotten: 404"},
    {NULL, "refuse_connections", FAULT_RATE, AT(refuse_connections), 1,
     "share of the time in which the port is closed"},
    {NULL, "refuse_connections_ms", FAULT_NUMBER, AT(refuse_connections_ms), HOUR_MS,
     "the port is closed for this long"},
    {NULL, "freeze", FAULT_SWITCH, AT(freeze), 1, "answer nothing until switched off"},
    {NULL, "freeze_ms", FAULT_NUMBER, AT(freeze_ms), HOUR_MS, "answer nothing for this long"},
    {NULL, "stall_after_events", FAULT_COUNT, AT(stall_after_events), 1e9,
     "streams go silent after so many events"},
    {"dribble", "bytes", FAULT_COUNT, AT(dribble_bytes), 1e9, "answers leave in pieces of so many"},
    {"dribble", "delay_ms", FAULT_NUMBER, AT(dribble_delay_ms), 60000, "pause between pieces"},
};
const size_t fault_field_count = sizeof fault_fields / sizeof fault_fields[0];

static const char *const latency_names[] = {"none", "fixed", "uniform", "lognormal"};

struct faults faults_none(void)
{
    return (struct faults){.retry_after_s = 1, .dribble_delay_ms = 10};
}

static double *member_of(struct faults *faults, const struct fault_field *field)
{
    return (double *)(void *)((char *)faults + field->offset);
}

static double value_of(const struct faults *faults, const struct fault_field *field)
{
    return *(const double *)(const void *)((const char *)faults + field->offset);
}

static const char *path_of(const struct fault_field *field, char out[64])
{
    snprintf(out, 64, "%s%s%s", field->group != NULL ? field->group : "",
             field->group != NULL ? "." : "", field->name);
    return out;
}

const char *fault_flag(const struct fault_field *field, char out[64])
{
    path_of(field, out);
    for (char *p = out; *p != '\0'; p++) {
        if (*p == '.' || *p == '_') {
            *p = '-';
        }
    }
    return out;
}

static int latency_by_name(const char *name, double *out)
{
    for (size_t i = 0; i < sizeof latency_names / sizeof latency_names[0]; i++) {
        if (strcmp(name, latency_names[i]) == 0) {
            *out = (double)i;
            return 0;
        }
    }
    return ERR_INVALID;
}

/* What a value must look like, for messages. */
static int wrong(const struct fault_field *field, struct err *err)
{
    char path[64];

    path_of(field, path);
    switch (field->type) {
    case FAULT_LATENCY:
        return err_set(err, ERR_INVALID, "%s must be none, fixed, uniform or lognormal", path);
    case FAULT_SWITCH:
        return err_set(err, ERR_INVALID, "%s must be true or false", path);
    case FAULT_COUNT:
        return err_set(err, ERR_INVALID, "%s must be a whole number within 0..%.0f", path,
                       field->max);
    case FAULT_RATE:
    case FAULT_NUMBER:
        break;
    }
    return err_set(err, ERR_INVALID, "%s must be a number within 0..%.0f", path, field->max);
}

static int store(struct faults *faults, const struct fault_field *field, double v, struct err *err)
{
    bool whole = field->type == FAULT_COUNT;

    if (!isfinite(v) || v < 0 || v > field->max || (whole && v != floor(v))) {
        return wrong(field, err);
    }
    *member_of(faults, field) = v;
    return 0;
}

static int read_value(const json_t *value,
                      struct faults *faults,
                      const struct fault_field *field,
                      struct err *err)
{
    double v;

    switch (field->type) {
    case FAULT_LATENCY:
        if (!json_is_string(value) || latency_by_name(json_string_value(value), &v) != 0) {
            return wrong(field, err);
        }
        break;
    case FAULT_SWITCH:
        if (!json_is_boolean(value)) {
            return wrong(field, err);
        }
        v = json_is_true(value) ? 1 : 0;
        break;
    case FAULT_RATE:
    case FAULT_NUMBER:
    case FAULT_COUNT:
    default:
        if (!json_is_number(value)) {
            return wrong(field, err);
        }
        v = json_number_value(value);
    }
    return store(faults, field, v, err);
}

static bool same_group(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool is_group(const char *name)
{
    for (size_t i = 0; i < fault_field_count; i++) {
        if (fault_fields[i].group != NULL && strcmp(fault_fields[i].group, name) == 0) {
            return true;
        }
    }
    return false;
}

static const struct fault_field *find_field(const char *group, const char *name)
{
    for (size_t i = 0; i < fault_field_count; i++) {
        if (same_group(group, fault_fields[i].group) && strcmp(name, fault_fields[i].name) == 0) {
            return &fault_fields[i];
        }
    }
    return NULL;
}

/* Members of the top level, or of one group. */
static int read_members(json_t *object, const char *group, struct faults *faults, struct err *err)
{
    for (void *it = json_object_iter(object); it != NULL; it = json_object_iter_next(object, it)) {
        const char *name = json_object_iter_key(it);
        json_t *value = json_object_iter_value(it);
        const struct fault_field *field = find_field(group, name);
        int rc;

        if (field != NULL) {
            rc = read_value(value, faults, field, err);
        } else if (group == NULL && is_group(name) && json_is_object(value)) {
            rc = read_members(value, name, faults, err); /* one level, there are no deeper groups */
        } else if (group == NULL && is_group(name)) {
            rc = err_set(err, ERR_INVALID, "%s must be an object", name);
        } else {
            rc = err_set(err, ERR_INVALID, "unknown member %s%s%s", group != NULL ? group : "",
                         group != NULL ? "." : "", name);
        }
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

int faults_check(const struct faults *faults, struct err *err)
{
    const struct faults *f = faults;

    if (f->http_500 + f->http_429 + f->jsonrpc_error + f->is_error + f->cut + f->reset +
            f->swap_answers >
        1.000001) {
        return err_set(err, ERR_INVALID,
                       "the rates http_500, http_429, jsonrpc_error, is_error, cut, reset and "
                       "swap_answers exclude each other: their sum is above 1");
    }
    if (f->latency_kind == LATENCY_UNIFORM && f->latency_max_ms < f->latency_min_ms) {
        return err_set(err, ERR_INVALID, "latency.max_ms is below latency.min_ms");
    }
    return 0;
}

int faults_read(json_t *object, struct faults *faults, struct err *err)
{
    struct faults changed = *faults;
    int rc;

    if (!json_is_object(object)) {
        return err_set(err, ERR_INVALID, "faults must be a JSON object");
    }
    rc = read_members(object, NULL, &changed, err);
    if (rc == 0) {
        rc = faults_check(&changed, err);
    }
    if (rc == 0) {
        *faults = changed;
    }
    return rc;
}

static json_t *write_value(const struct faults *faults, const struct fault_field *field)
{
    double v = value_of(faults, field);

    switch (field->type) {
    case FAULT_LATENCY:
        return json_string(latency_names[(size_t)v]);
    case FAULT_SWITCH:
        return json_boolean(v != 0);
    case FAULT_RATE:
    case FAULT_NUMBER:
    case FAULT_COUNT:
    default:
        return v == floor(v) ? json_integer((json_int_t)v) : json_real(v);
    }
}

json_t *faults_write(const struct faults *faults)
{
    json_t *root = json_object();

    for (size_t i = 0; i < fault_field_count; i++) {
        const struct fault_field *field = &fault_fields[i];
        json_t *into = root;

        if (field->group != NULL) {
            into = json_object_get(root, field->group);
            if (into == NULL) {
                into = json_object();
                json_object_set_new(root, field->group, into);
            }
        }
        json_object_set_new(into, field->name, write_value(faults, field));
    }
    return root;
}

static int parse_value(const struct fault_field *field, const char *text, double *v)
{
    char *end;

    if (field->type == FAULT_LATENCY) {
        return text != NULL ? latency_by_name(text, v) : ERR_INVALID;
    }
    if (field->type == FAULT_SWITCH && (text == NULL || strcmp(text, "true") == 0)) {
        *v = 1;
        return 0;
    }
    if (field->type == FAULT_SWITCH) {
        *v = 0;
        return strcmp(text, "false") == 0 ? 0 : ERR_INVALID;
    }
    if (text == NULL || *text == '\0') {
        return ERR_INVALID;
    }
    *v = strtod(text, &end);
    return *end == '\0' ? 0 : ERR_INVALID;
}

int faults_set(struct faults *faults, const char *flag, const char *value, struct err *err)
{
    char name[64];
    double v;

    for (size_t i = 0; i < fault_field_count; i++) {
        const struct fault_field *field = &fault_fields[i];

        if (strcmp(fault_flag(field, name), flag) == 0) {
            if (parse_value(field, value, &v) != 0) {
                return wrong(field, err);
            }
            return store(faults, field, v, err);
        }
    }
    return err_set(err, ERR_NOT_FOUND, "no fault knob is called %s", flag);
}

/* ---- draws -------------------------------------------------------------------------------- */

enum { DRAWS_PER_REQUEST = 4 };

static double latency_ms(const struct faults *f, uint64_t seed, uint64_t j)
{
    double u = rng_unit(rng_at(seed, j + 1));

    switch ((enum latency_kind)f->latency_kind) {
    case LATENCY_FIXED:
        return f->latency_ms;
    case LATENCY_UNIFORM:
        return f->latency_min_ms + u * (f->latency_max_ms - f->latency_min_ms);
    case LATENCY_LOGNORMAL: {
        /* Box and Muller; 1 - u is never 0. An hour bounds the tail. */
        double angle = 2 * M_PI * rng_unit(rng_at(seed, j + 2));
        double normal = sqrt(-2 * log(1 - u)) * cos(angle);
        return fmin(f->latency_median_ms * exp(f->latency_sigma * normal), HOUR_MS);
    }
    case LATENCY_NONE:
        break;
    }
    return 0;
}

struct fault_draw faults_draw(const struct faults *faults, uint64_t seed, uint64_t index)
{
    const struct faults *f = faults;
    const struct {
        double rate;
        enum fault_strike strike;
    } classes[] = {
        {f->reset, STRIKE_RESET},       {f->http_500, STRIKE_HTTP_500},
        {f->http_429, STRIKE_HTTP_429}, {f->jsonrpc_error, STRIKE_JSONRPC_ERROR},
        {f->is_error, STRIKE_IS_ERROR}, {f->cut, STRIKE_CUT},
        {f->swap_answers, STRIKE_SWAP},
    };
    uint64_t j = index * DRAWS_PER_REQUEST;
    double u = rng_unit(rng_at(seed, j));
    struct fault_draw draw = {STRIKE_NONE, (uint64_t)(latency_ms(f, seed, j) * (double)NS_PER_MS)};

    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        if (u < classes[i].rate) {
            draw.strike = classes[i].strike;
            break;
        }
        u -= classes[i].rate;
    }
    return draw;
}

bool faults_refuse(const struct faults *faults, uint64_t seed, uint64_t index)
{
    return rng_unit(rng_at(seed, index * DRAWS_PER_REQUEST + 3)) < faults->refuse_sessions;
}

bool faults_lose(const struct faults *faults, uint64_t seed, uint64_t index)
{
    return rng_unit(rng_at(rng_sub(seed, 1), index)) < faults->lose_sessions;
}
