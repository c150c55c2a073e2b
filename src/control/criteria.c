/* SPDX-License-Identifier: MIT */
#include "control/criteria.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

const char *criterion_state_name(enum criterion_state state)
{
    static const char *const names[] = {
        [CRITERION_MET] = "met",
        [CRITERION_FAILED] = "failed",
        [CRITERION_NO_VALUE] = "no_value",
        [CRITERION_UNDECIDED] = "undecided",
    };

    return names[state];
}

/* ---- judging --------------------------------------------------------------------------------- */

static enum criterion_state state_of(const struct criterion_result *r)
{
    const struct criterion_spec *spec = r->spec;
    bool upper_limit = spec->comparator == STOP_LT || spec->comparator == STOP_LE;

    /* Dropped operations waited longer than all that ran: no limit from above holds. */
    if (r->shed) {
        return upper_limit ? CRITERION_FAILED : CRITERION_MET;
    }
    if (!r->has_value) {
        return CRITERION_NO_VALUE;
    }
    if (r->samples < r->samples_needed) {
        return CRITERION_UNDECIDED;
    }
    bool holds = stop_compare(r->value, spec->comparator, spec->threshold);
    return holds && !(r->lower_bound && upper_limit) ? CRITERION_MET : CRITERION_FAILED;
}

static void write_sentence(struct criterion_result *r, uint64_t dropped)
{
    const struct criterion_spec *spec = r->spec;
    bool scoped = spec->scope_text != NULL && spec->scope_text[0] != '\0';
    char value[64], limit[64], why[128] = "";

    metric_format(spec->metric, r->value, value, sizeof value);
    metric_format(spec->metric, spec->threshold, limit, sizeof limit);
    if (r->shed) {
        snprintf(value, sizeof value, "above all samples");
        snprintf(why, sizeof why, ": %llu due operations were dropped",
                 (unsigned long long)dropped);
    } else if (r->state == CRITERION_NO_VALUE) {
        snprintf(why, sizeof why, ": nothing was measured");
    } else if (r->state == CRITERION_UNDECIDED) {
        snprintf(why, sizeof why, ": undecided, %llu samples are fewer than the %llu it needs",
                 (unsigned long long)r->samples, (unsigned long long)r->samples_needed);
    } else if (r->state == CRITERION_FAILED && r->lower_bound) {
        snprintf(why, sizeof why, ": operations that were cut or dropped reach into it");
    }
    snprintf(r->sentence, sizeof r->sentence, "%s%s%.100s%s %s%s%s, wanted %s %s%s",
             spec->metric->name, scoped ? "{" : "", scoped ? spec->scope_text : "",
             scoped ? "}" : "", r->state == CRITERION_NO_VALUE ? "has no value" : "was ",
             r->lower_bound ? "at least " : "", r->state == CRITERION_NO_VALUE ? "" : value,
             stop_comparator_name(spec->comparator), limit, why);
}

void criterion_judge(const struct aggregate *books,
                     const struct criterion_spec *spec,
                     struct criterion_result *out)
{
    const struct metric *m = spec->metric;
    struct aggregate_filter filter = aggregate_everything();
    struct metric_view view = {.span_s = 0};

    filter.share = spec->stage_index < 0 && !spec->names_stages ? AGGREGATE_LOAD : AGGREGATE_ALL;
    filter.stage_index = spec->stage_index;
    filter.keys = spec->keys;
    filter.dists = aggregate_dists_of(m);
    aggregate_view_total(spec->books != NULL ? spec->books : books, &filter, &view);
    *out = (struct criterion_result){.spec = spec};
    out->has_value = metric_value(m, &view, &out->value);
    out->shed = metric_shed(m, &view);
    out->lower_bound = out->has_value && metric_is_lower_bound(m, &view);
    out->samples = metric_samples(m, &view);
    out->samples_needed = metric_samples_needed(m);
    out->state = state_of(out);
    write_sentence(out, metric_dropped(&view));
    metric_view_clear(&view);
}

/* ---- the short form -------------------------------------------------------------------------- */

/* What is being read: `at` moves. */
struct reader {
    struct str text;
    size_t at;
    struct err *err;
};

static int refuse(const struct reader *r, const char *wanted)
{
    struct str rest = {r->text.p + r->at, r->text.len - r->at};

    if (rest.len == 0) {
        return err_at(r->err, ERR_USAGE, 1, (unsigned)r->at + 1,
                      "%s expected at the end of \"%.*s\"", wanted,
                      (int)(r->text.len < 100 ? r->text.len : 100), r->text.p);
    }
    return err_at(r->err, ERR_USAGE, 1, (unsigned)r->at + 1,
                  "%s expected at character %zu, not \"%.*s\"", wanted, r->at + 1,
                  (int)(rest.len < 20 ? rest.len : 20), rest.p);
}

static void skip_space(struct reader *r)
{
    while (r->at < r->text.len && (r->text.p[r->at] == ' ' || r->text.p[r->at] == '\t')) {
        r->at++;
    }
}

/* Takes the character; false, and nothing is taken, when another one stands there. */
static bool take(struct reader *r, char c)
{
    if (r->at < r->text.len && r->text.p[r->at] == c) {
        r->at++;
        return true;
    }
    return false;
}

/* Everything up to one of the characters of `ends`, without spaces at its ends. */
static struct str take_until(struct reader *r, const char *ends)
{
    size_t from = r->at;

    while (r->at < r->text.len && strchr(ends, r->text.p[r->at]) == NULL) {
        r->at++;
    }
    return str_trim((struct str){r->text.p + from, r->at - from});
}

static int read_pair(struct reader *r, struct criterion_text *t)
{
    size_t from = r->at;
    struct criterion_pair pair = {.key = take_until(r, "=,{}")};

    if (pair.key.len == 0 || !take(r, '=')) {
        r->at = from;
        return refuse(r, "key=value");
    }
    size_t value_from = r->at;
    pair.value = take_until(r, ",{}");
    if (pair.value.len == 0) {
        r->at = value_from;
        return refuse(r, "a value");
    }
    for (size_t i = 0; i < t->pair_count; i++) {
        if (str_eq(t->pairs[i].key, pair.key)) {
            return err_at(r->err, ERR_USAGE, 1, (unsigned)from + 1, "\"%.*s\" is given twice",
                          (int)(pair.key.len < 100 ? pair.key.len : 100), pair.key.p);
        }
    }
    if (t->pair_count == CRITERION_PAIRS_MAX) {
        return err_at(r->err, ERR_USAGE, 1, (unsigned)from + 1, "more than %d pairs in braces",
                      CRITERION_PAIRS_MAX);
    }
    t->pairs[t->pair_count++] = pair;
    return 0;
}

static int read_scope(struct reader *r, struct criterion_text *t)
{
    do {
        skip_space(r);
        int rc = read_pair(r, t);
        if (rc != 0) {
            return rc;
        }
    } while (take(r, ','));
    if (!take(r, '}')) {
        return refuse(r, "\"}\"");
    }
    skip_space(r);
    return 0;
}

static int read_comparator(struct reader *r, struct criterion_text *t)
{
    /* The longer ones first. */
    static const struct str words[] = {STR_INIT(">="), STR_INIT("<="), STR_INIT(">"),
                                       STR_INIT("<")};
    struct str rest = {r->text.p + r->at, r->text.len - r->at};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (str_starts(rest, words[i])) {
            stop_comparator_parse(words[i], &t->comparator);
            r->at += words[i].len;
            skip_space(r);
            return 0;
        }
    }
    return refuse(r, ">, >=, < or <=");
}

static int read_number(struct reader *r, struct criterion_text *t)
{
    char digits[64];
    char *end;
    size_t len = 0;
    struct str rest = {r->text.p + r->at, r->text.len - r->at};

    while (len < rest.len && len + 1 < sizeof digits &&
           strchr("0123456789+-.eE", rest.p[len]) != NULL) {
        digits[len] = rest.p[len];
        len++;
    }
    digits[len] = '\0';
    t->threshold = strtod(digits, &end);
    if (len == 0 || *end != '\0' || !isfinite(t->threshold)) {
        return refuse(r, "a number");
    }
    r->at += len;
    skip_space(r);
    if (take(r, '%')) {
        t->threshold /= 100;
        skip_space(r);
    }
    return r->at < r->text.len ? refuse(r, "\"%\" or the end") : 0;
}

int criterion_parse(const char *text, struct criterion_text *out, struct err *err)
{
    struct reader r = {.text = str_trim(str_c(text)), .err = err};
    struct criterion_text t = {.pair_count = 0};

    if (r.text.len > CRITERION_TEXT_MAX) {
        return err_set(err, ERR_USAGE, "longer than %d characters", CRITERION_TEXT_MAX);
    }
    t.metric = take_until(&r, "{}<>= \t");
    if (t.metric.len == 0) {
        return refuse(&r, "the name of a metric");
    }
    skip_space(&r);
    int rc = take(&r, '{') ? read_scope(&r, &t) : 0;
    rc = rc == 0 ? read_comparator(&r, &t) : rc;
    rc = rc == 0 ? read_number(&r, &t) : rc;
    if (rc == 0) {
        *out = t;
    }
    return rc;
}
