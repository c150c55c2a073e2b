/* SPDX-License-Identifier: MIT */
/* From a plan to a run that workers play, and what a restart needs of it. */
#include "base/clock.h"
#include "base/mem.h"
#include "fleet/hub_priv.h"

#include <string.h>

/* ---- the log of operations ------------------------------------------------------------------- */

static void keep_sample(struct hosted *r, uint32_t source, const struct op_sample *op)
{
    struct buf line;

    if (r->sample_count >= HUB_SAMPLES_MAX) {
        r->samples_lost++;
        return;
    }
    buf_init(&line, OPLOG_LINE_MAX);
    if (oplog_write(&r->oplog, source, op, &line) == 0) {
        struct str text = buf_str(&line);
        text.len -= text.len > 0; /* its newline */
        hub_write(r, WRITE_SAMPLE, 0, "", text);
        r->sample_count++;
    }
    buf_clear(&line);
}

static void keep_batch(struct hosted *r, uint32_t source, struct sample_batch *batch)
{
    bool in_full = plan_log_successes(r->plan) == PLAN_LOG_SUCCESSES_IN_FULL;

    if (!in_full) {
        (void)sample_batch_cut(batch, sample_common_rank(&batch, 1, HUB_SAMPLES_SECOND_MAX));
    }
    for (uint32_t i = 0; i < batch->failures.count; i++) {
        keep_sample(r, source, &batch->failures.items[i]);
    }
    for (uint32_t i = 0; i < batch->successes.count; i++) {
        keep_sample(r, source, &batch->successes.items[i]);
    }
}

void hosted_on_window(void *owner, uint32_t source, struct window *w, struct str encoded)
{
    struct hosted *r = owner;
    struct sample_batch *batch = window_swap_log(w, NULL);

    hub_write_window(r, source, w->second, encoded);
    if (batch != NULL && r->has_oplog) {
        keep_batch(r, source, batch);
    }
    sample_batch_free(batch);
}

/* ---- crew and run ---------------------------------------------------------------------------- */

static int64_t wall_offset_ns(void)
{
    return (int64_t)(clock_wall_ms() * NS_PER_MS) - (int64_t)clock_monotonic_ns();
}

int hosted_make(struct hosted *r, const struct crew_person *persons, struct err *err)
{
    bool log = r->scenario->reporting.store_raw_logs;
    struct crew_config config = {
        .loop = r->hub->loop,
        .plan = r->plan,
        .identity = &r->identity,
        .allocation = &r->allocation,
        .persons = persons,
        .files = r->files,
        .network_public = r->hub->config.network_public,
        .log = log,
        .lead_ns = HUB_ORDER_LEAD_NS,
        .send = hub_send,
        .on_window = hosted_on_window,
        .owner = r,
    };
    int rc = crew_new(&config, &r->crew, err);

    if (rc != 0) {
        return rc;
    }
    struct run_parts parts = {.plan = r->plan,
                              .identity = &r->identity,
                              .workers = crew_orders(r->crew),
                              .workers_owner = r->crew,
                              .observer = hosted_observer(r),
                              .first_event = r->event_count};
    rc = run_new(r->hub->loop, &parts, &r->run, err);
    if (rc != 0) {
        return rc;
    }
    r->run->origin = &r->origin;
    r->run->created_ms = r->created_ms;
    if (log) {
        struct oplog_origin origin = {.plan = r->plan,
                                      .identity = &r->identity,
                                      .workers = crew_orders(r->crew),
                                      .wall_offset_ns = wall_offset_ns()};
        oplog_init(&r->oplog, &origin);
        r->oplog.lines = r->sample_count; /* after a restart no number comes again */
        r->has_oplog = true;
    }
    return 0;
}

/* ---- saved ----------------------------------------------------------------------------------- */

static json_t *labels_json(const struct hosted *r, uint32_t source)
{
    const struct run_source *s = &crew_orders(r->crew)->sources[source];
    json_t *labels = json_array();

    for (uint32_t i = 0; i < s->label_count; i++) {
        json_array_append_new(labels, json_string(s->labels[i]));
    }
    return labels;
}

static json_t *allocation_json(const struct hosted *r)
{
    const struct allocation *a = &r->allocation;
    json_t *parts = json_array(), *weights = json_array();

    for (uint32_t i = 0; i < a->part_count; i++) {
        const struct allocate_part *p = &a->parts[i];
        json_array_append_new(
            parts, json_pack("{sssosIsIsI}", "worker_id", crew_worker_id(r->crew, i), "labels",
                             labels_json(r, p->base), "base", (json_int_t)p->base, "sources",
                             (json_int_t)p->sources, "vus", (json_int_t)p->vus));
    }
    for (uint32_t i = 0; a->weights != NULL && i < a->source_count; i++) {
        json_array_append_new(weights, json_integer((json_int_t)a->weights[i]));
    }
    return json_pack("{soso}", "parts", parts, "weights", weights);
}

void hosted_keep(struct hosted *r)
{
    if (!r->allocation_kept) {
        r->allocation_kept = true;
        hosted_put_json(r, DOCUMENT_ALLOCATION, allocation_json(r));
    }
    if (crew_has_changed(r->crew)) {
        hosted_put_json(r, DOCUMENT_CREW, crew_save(r->crew));
    }
}

void hosted_forget_plan(struct hosted *r)
{
    (void)store_put_document(r->hub->store, r->run_id, DOCUMENT_ALLOCATION, STR(""));
    (void)store_put_document(r->hub->store, r->run_id, DOCUMENT_CREW, STR(""));
}

json_t *hosted_save(const struct hosted *r)
{
    return json_pack("{sssIsIssso}", "execution_id", r->execution_id, "samples",
                     (json_int_t)r->sample_count, "samples_lost", (json_int_t)r->samples_lost,
                     "last_decision", r->last_decision, "run", run_save(r->run));
}
