/* SPDX-License-Identifier: MIT */
#include "worker/part.h"

#include "base/digest.h"
#include "base/json.h"
#include "base/mem.h"
#include "metrics/names.h"
#include "metrics/registry.h"

enum { FILES_MAX = WIRE_FEEDS_MAX };

/* ---- the files that came along ----------------------------------------------------------------
 */

/* What was checked there must be what is played here. */
static int check_hash(const json_t *hashes, const struct scenario_file *f, struct err *err)
{
    const char *wanted = json_string_value(json_object_get(hashes, f->path));
    char found[65];

    digest_sha256_hex(f->text, found);
    if (wanted != NULL && strcmp(wanted, found) != 0) {
        return err_set(err, ERR_INVALID, "the file %.80s is not the one that was checked", f->path);
    }
    return 0;
}

static int files_of(const struct wire_order *a,
                    struct scenario_file files[FILES_MAX],
                    size_t *count,
                    struct err *err)
{
    const char *path;
    json_t *text;

    *count = 0;
    if (json_object_size(a->files) > FILES_MAX) {
        return err_set(err, ERR_LIMIT, "more than %d files", FILES_MAX);
    }
    json_object_foreach(a->files, path, text)
    {
        struct scenario_file *f = &files[(*count)++];

        *f = (struct scenario_file){path, {json_string_value(text), json_string_length(text)}};
        if (f->text.p == NULL) {
            return err_set(err, ERR_INVALID, "the file %.80s is no text", path);
        }
        int rc = check_hash(a->feeds, f, err);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

/* ---- the scenario -----------------------------------------------------------------------------
 */

static int
load_text(struct part *p, const struct scenario_options *options, struct str text, struct err *err)
{
    struct issue_list issues = {0};
    struct err wrong = {0};
    int rc = scenario_load_text(text, options, &p->scenario, &issues, &wrong);

    if (rc != 0) {
        err_set(err, rc, "the scenario is refused here: %.190s", wrong.msg);
    }
    issue_list_clear(&issues);
    return rc;
}

static int load_scenario(struct part *p, const struct part_rules *rules, struct err *err)
{
    const char *metrics[METRIC_NAMES_MAX];
    struct scenario_file files[FILES_MAX];
    struct scenario_options options = {
        .metric_names = metrics,
        .metric_count = metric_names(metrics),
        .metric_grows = metric_name_grows,
        .metric_narrows = metric_name_narrows,
        .metric_is_share = metric_name_is_share,
        .files = files,
        .files_only = true,
        .variable_patterns = rules->patterns,
        .variable_pattern_count = rules->pattern_count,
        .variables_guarded = rules->guarded,
        .open_networks = rules->networks,
        .open_network_count = rules->network_count,
        .network_public = rules->guarded || p->assign.network == WIRE_NETWORK_PUBLIC,
    };
    struct buf text;
    int rc = files_of(&p->assign, files, &options.file_count, err);

    if (rc != 0) {
        return rc;
    }
    buf_init(&text, JSON_TEXT_MAX);
    rc = json_write(p->assign.scenario, &text) != 0
             ? err_set(err, ERR_LIMIT, "the scenario is too long")
             : load_text(p, &options, buf_str(&text), err);
    buf_clear(&text);
    return rc;
}

/* ---- the plan ---------------------------------------------------------------------------------
 */

static int check_sources(const struct wire_order *a, struct err *err)
{
    if (a->shards == 0 || a->total == 0 || a->base >= a->total || a->shards > a->total - a->base ||
        (a->weights.count > 0 && a->weights.count != a->total)) {
        return err_set(err, ERR_INVALID,
                       "sources %u..%u of %u with %u weights are no part of a run", a->base,
                       a->base + a->shards, a->total, a->weights.count);
    }
    return 0;
}

static int make_plan(struct part *p, struct err *err)
{
    struct err wrong = {0};

    if (url_parse(str_c(p->scenario->target.url), &p->url, &wrong) != 0) {
        return err_set(err, ERR_INVALID, "target.url: %.200s", wrong.msg);
    }
    if (p->assign.seed != 0) {
        p->scenario->workload.seed = p->assign.seed;
    }
    p->identity = (struct plan_identity){.run_id = p->assign.run_id,
                                         .execution_id = p->assign.execution_id,
                                         .worker_id = p->assign.worker_id};
    p->plan = plan_new(p->scenario, &p->identity, p->url.authority, p->url.target);
    return 0;
}

/* One that gives all the same is the even dealing. */
static int make_deal(struct part *p, struct err *err)
{
    const struct wire_u32s *w = &p->assign.weights;
    struct err wrong = {0};
    bool equal = true;

    for (uint32_t i = 1; i < w->count; i++) {
        equal = equal && w->items[i] == w->items[0];
    }
    if (equal) {
        return 0;
    }
    uint64_t *weights = xcalloc(w->count, sizeof *weights);
    for (uint32_t i = 0; i < w->count; i++) {
        weights[i] = w->items[i];
    }
    int rc = deal_new(weights, w->count, &p->deal, &wrong);
    xfree(weights);
    return rc != 0 ? err_set(err, rc, "weights: %.200s", wrong.msg) : 0;
}

int part_compile(struct wire_order *assign,
                 const struct part_rules *rules,
                 struct part *out,
                 struct err *err)
{
    *out = (struct part){.assign = *assign};
    *assign = (struct wire_order){0};
    int rc = check_sources(&out->assign, err);
    if (rc == 0) {
        rc = load_scenario(out, rules, err);
    }
    if (rc == 0) {
        rc = make_plan(out, err);
    }
    if (rc == 0) {
        rc = make_deal(out, err);
    }
    if (rc != 0) {
        part_clear(out);
    }
    return rc;
}

void part_clear(struct part *p)
{
    deal_free(p->deal);
    plan_free(p->plan);
    scenario_free(p->scenario);
    wire_order_clear(&p->assign);
    *p = (struct part){0};
}

/* Of so many users of the run. */
static uint64_t share(const struct part *p, uint32_t vus)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < p->assign.shards; i++) {
        struct segment segment = {
            .index = p->assign.base + i, .count = p->assign.total, .deal = p->deal};
        sum += segment_share(segment, vus);
    }
    return sum;
}

void part_vus(const struct part *p, uint64_t *least, uint64_t *most)
{
    uint32_t planned = 0;

    for (uint32_t i = 0; i < p->plan->stage_count; i++) {
        const struct plan_stage *stage = &p->plan->stages[i];

        if (!stage->levels.sized && stage->most_vus > planned) {
            planned = stage->most_vus;
        }
    }
    *least = share(p, planned);
    *most = share(p, p->plan->max_vus);
}
