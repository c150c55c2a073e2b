/* SPDX-License-Identifier: MIT */
#include "fleet/crew.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/mem.h"
#include "fleet/crew_priv.h"

#include <stdio.h>
#include <string.h>

enum { AHEAD_S = 3600 };

/* ---- made and freed -------------------------------------------------------------------------- */

static void copy_allocation(struct allocation *to, const struct allocation *from)
{
    *to = *from;
    to->parts = xcalloc(from->part_count, sizeof *to->parts);
    memcpy(to->parts, from->parts, from->part_count * sizeof *to->parts);
    if (from->weights != NULL) {
        to->weights = xcalloc(from->source_count, sizeof *to->weights);
        memcpy(to->weights, from->weights, from->source_count * sizeof *to->weights);
    }
}

static void make_member(struct crew *c, uint32_t index, const struct crew_person *person)
{
    const struct allocate_part *part = &c->allocation.parts[index];
    struct member *m = &c->members[index];
    const char **labels = arena_array(&c->arena, person->label_count + 1, sizeof *labels);

    for (size_t i = 0; i < person->label_count; i++) {
        labels[i] = arena_strdup(&c->arena, person->labels[i]);
    }
    *m = (struct member){.worker_id = arena_strdup(&c->arena, person->worker_id),
                         .base = part->base,
                         .sources = part->sources,
                         .vus = part->vus};
    list_init(&m->orders);
    m->source_drained = arena_array(&c->arena, part->sources, sizeof *m->source_drained);
    wire_totals_init(&m->totals, c->config.plan->key_count);
    for (uint32_t i = 0; i < part->sources; i++) {
        c->sources[part->base + i] =
            (struct run_source){.worker_id = m->worker_id,
                                .labels = labels,
                                .label_count = (uint32_t)person->label_count};
    }
}

static void hash_files(struct crew *c)
{
    const char *path;
    json_t *text;

    if (c->config.files == NULL) {
        return;
    }
    c->hashes = json_object();
    json_object_foreach(c->config.files, path, text)
    {
        char hash[65];
        digest_sha256_hex((struct str){json_string_value(text), json_string_length(text)}, hash);
        json_object_set_new(c->hashes, path, json_string(hash));
    }
}

static int make_deal(struct crew *c, struct err *err)
{
    const struct allocation *a = &c->allocation;

    if (a->weights == NULL) {
        return 0;
    }
    uint64_t *weights = xcalloc(a->source_count, sizeof *weights);
    for (uint32_t i = 0; i < a->source_count; i++) {
        weights[i] = a->weights[i];
    }
    int rc = deal_new(weights, a->source_count, &c->deal, err);
    xfree(weights);
    return rc;
}

int crew_new(const struct crew_config *config, struct crew **out, struct err *err)
{
    const struct plan *p = config->plan;
    struct crew *c = xcalloc(1, sizeof *c);

    c->config = *config;
    copy_allocation(&c->allocation, config->allocation);
    c->count = c->allocation.part_count;
    c->members = xcalloc(c->count + 1, sizeof *c->members);
    c->sources = xcalloc(c->allocation.source_count + 1, sizeof *c->sources);
    c->limits =
        (struct wire_window_limits){.key_count = p->key_count,
                                    .custom_count = (uint32_t)p->scenario->workload.custom_count,
                                    .stage_count = p->stage_count};
    c->window =
        window_new(p->key_count, c->limits.custom_count, config->log ? plan_log_successes(p) : 0);
    buf_init(&c->text, WIRE_ORDER_BYTES_MAX);
    for (uint32_t i = 0; i < c->count; i++) {
        make_member(c, i, &config->persons[i]);
    }
    crew_orders_init(c);
    c->document = json_deep_copy(scenario_document(p->scenario));
    hash_files(c);
    int rc = make_deal(c, err);
    if (rc != 0) {
        crew_free(c);
        return rc;
    }
    *out = c;
    return 0;
}

static void clear_member(struct member *m)
{
    list_foreach_safe (node, &m->orders) {
        list_remove(node);
        xfree(list_entry(node, struct given, node));
    }
    xfree(m->checks);
    wire_totals_clear(&m->totals);
}

void crew_free(struct crew *c)
{
    if (c == NULL) {
        return;
    }
    loop_timer_cancel(c->config.loop, &c->patience);
    loop_timer_cancel(c->config.loop, &c->farewell);
    for (uint32_t i = 0; i < c->count; i++) {
        clear_member(&c->members[i]);
    }
    window_free(c->window);
    deal_free(c->deal);
    json_decref(c->document);
    json_decref(c->hashes);
    allocation_clear(&c->allocation);
    buf_clear(&c->text);
    xfree(c->members);
    xfree(c->sources);
    arena_clear(&c->arena);
    xfree(c);
}

const struct run_workers *crew_orders(const struct crew *c)
{
    return &c->orders;
}

void crew_begin(struct crew *c, struct run *run)
{
    c->run = run;
    c->changed = true;
    crew_order_all(c, (struct wire_order){.kind = WIRE_ORDER_ASSIGN});
}

/* ---- members --------------------------------------------------------------------------------- */

uint32_t crew_count(const struct crew *c)
{
    return c->count;
}

const char *crew_worker_id(const struct crew *c, uint32_t member)
{
    return c->members[member].worker_id;
}

int32_t crew_find(const struct crew *c, const char *worker_id)
{
    for (uint32_t i = 0; i < c->count; i++) {
        if (strcmp(c->members[i].worker_id, worker_id) == 0) {
            return (int32_t)i;
        }
    }
    return -1;
}

uint32_t crew_vus(const struct crew *c, uint32_t member)
{
    return c->members[member].vus;
}

uint64_t crew_applied(const struct crew *c, uint32_t member)
{
    return c->members[member].applied;
}

bool crew_is_lost(const struct crew *c, uint32_t member)
{
    return c->members[member].state == MEMBER_LOST;
}

bool crew_is_through(const struct crew *c, uint32_t member)
{
    return c->members[member].state >= MEMBER_THROUGH;
}

void crew_lose(struct crew *c, uint32_t member)
{
    struct member *m = &c->members[member];

    if (m->state >= MEMBER_THROUGH) {
        return;
    }
    m->state = MEMBER_LOST;
    c->changed = true;
    run_on_worker_lost(c->run, m->worker_id, m->vus);
}

/* ---- reports --------------------------------------------------------------------------------- */

static int wrong(struct err *err, const struct member *m, const char *what)
{
    return err_set(err, ERR_INVALID, "worker %s: %s", m->worker_id, what);
}

static int on_ready(struct crew *c, struct member *m, struct str body, struct err *err)
{
    struct wire_ready ready;
    int rc = wire_ready_decode(body, &ready, NULL, err);

    if (rc != 0) {
        return rc;
    }
    if (m->state != MEMBER_ASSIGNED || ready.shards != m->sources) {
        return wrong(err, m, "ready, but not as it was asked");
    }
    m->state = MEMBER_READY;
    crew_try_check(c);
    return 0;
}

static int on_rejected(struct crew *c, struct member *m, struct str body, struct err *err)
{
    struct wire_rejected rejected;
    int rc = wire_rejected_decode(body, &rejected, NULL, err);

    if (rc == 0) {
        char text[sizeof rejected.error + 100];
        snprintf(text, sizeof text, "worker %s: %s", m->worker_id, rejected.error);
        m->state = MEMBER_THROUGH;
        run_on_allocation_failed(c->run, text);
        for (uint32_t i = 0; i < m->sources; i++) {
            run_on_drained(c->run, m->base + i);
        }
        run_on_totals(c->run, m->worker_id, true, "");
    }
    return rc;
}

static bool all_checked(const struct crew *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        if (c->members[i].state < MEMBER_CHECKED) {
            return false;
        }
    }
    return true;
}

/* The run has them now. */
static void forget_checks(struct crew *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        xfree(c->members[i].checks);
        c->members[i].checks = NULL;
    }
}

static int on_checks(struct crew *c, struct member *m, struct str body, struct err *err)
{
    struct check_list *checks = xcalloc(1, sizeof *checks);
    int rc = wire_checks_decode(body, checks, err);

    if (rc == 0 && m->state != MEMBER_READY) {
        rc = wrong(err, m, "checks that nobody asked for");
    }
    if (rc != 0) {
        xfree(checks);
        return rc;
    }
    m->checks = checks;
    m->state = MEMBER_CHECKED;
    if (all_checked(c)) {
        struct check_list *all = xcalloc(1, sizeof *all);
        crew_merge_checks(c, all);
        forget_checks(c);
        run_on_checks(c->run, all);
        xfree(all);
    }
    return 0;
}

/* The member that has the source; NULL: another one has. */
static struct member *owner_of(struct member *m, uint32_t source)
{
    return source >= m->base && source - m->base < m->sources ? m : NULL;
}

static int
take_source(struct crew *c, struct member *m, struct str *body, uint32_t *source, struct err *err)
{
    int rc = wire_source_decode(body, c->orders.source_count, source, err);

    if (rc == 0 && owner_of(m, *source) == NULL) {
        rc = wrong(err, m, "a source that is not its own");
    }
    return rc;
}

/* Clocks differ by less, also when this machine has slept for a while. What has not been yet would
 * make the books look at all that lies between. */
static bool is_in_time(const struct crew *c, uint64_t second)
{
    uint64_t grid_ns = c->run->grid_ns, now = loop_clock(c->config.loop);
    uint64_t passed = grid_ns > 0 && now > grid_ns ? (now - grid_ns) / NS_PER_S : 0;

    return second <= passed + AHEAD_S;
}

static int on_window(struct crew *c, struct member *m, struct str body, struct err *err)
{
    uint32_t source;
    int rc = take_source(c, m, &body, &source, err);

    if (rc == 0) {
        rc = wire_window_decode(body, &c->limits, c->window, err);
    }
    if (rc == 0 && !is_in_time(c, c->window->second)) {
        rc = wrong(err, m, "a second that has not been yet");
    }
    if (rc == 0) {
        wire_totals_add(&m->totals, c->window);
        c->config.on_window(c->config.owner, source, c->window, body);
        run_on_window(c->run, source, c->window);
    }
    return rc;
}

static bool was_told(const struct member *m, enum wire_order_kind kind)
{
    list_foreach (node, &m->orders) {
        if (list_entry(node, struct given, node)->order.kind == kind) {
            return true;
        }
    }
    return false;
}

static bool was_told_to_end(const struct member *m)
{
    return was_told(m, WIRE_ORDER_DRAIN) || was_told(m, WIRE_ORDER_STOP);
}

bool crew_must_stop(const struct crew *c, uint32_t member)
{
    const struct member *m = &c->members[member];

    return m->state != MEMBER_LOST && m->drained < m->sources && was_told(m, WIRE_ORDER_STOP);
}

static int on_drained(struct crew *c, struct member *m, struct str body, struct err *err)
{
    uint32_t source;
    int rc = take_source(c, m, &body, &source, err);

    if (rc == 0 && m->source_drained[source - m->base]) {
        rc = wrong(err, m, "a source that drained twice");
    }
    if (rc == 0) {
        m->source_drained[source - m->base] = true;
        m->drained++;
        if (!was_told_to_end(m)) {
            /* It leaves, in order: nothing that it counted is missing, but its users are. */
            run_on_worker_leaving(c->run, m->worker_id, m->vus);
        }
        run_on_drained(c->run, source);
    }
    return rc;
}

static int on_totals(struct crew *c, uint32_t index, struct str body, struct err *err)
{
    struct member *m = &c->members[index];
    struct wire_totals said;

    if (m->drained < m->sources) {
        return wrong(err, m, "totals before its sources have drained");
    }
    wire_totals_init(&said, c->config.plan->key_count);
    int rc = wire_totals_decode(body, &said, err);
    if (rc == 0) {
        crew_settle(c, index, &said);
    }
    wire_totals_clear(&said);
    return rc;
}

static int apply(struct crew *c, uint32_t index, const struct wire_report *report, struct err *err)
{
    struct member *m = &c->members[index];

    switch (report->kind) {
    case WIRE_REPORT_READY:
        return on_ready(c, m, report->body, err);
    case WIRE_REPORT_REJECTED:
        return on_rejected(c, m, report->body, err);
    case WIRE_REPORT_CHECKS:
        return on_checks(c, m, report->body, err);
    case WIRE_REPORT_WINDOW:
        return on_window(c, m, report->body, err);
    case WIRE_REPORT_DRAINED:
        return on_drained(c, m, report->body, err);
    case WIRE_REPORT_TOTALS:
        return on_totals(c, index, report->body, err);
    }
    return wrong(err, m, "a report of an unknown kind");
}

int crew_report(struct crew *c, uint32_t member, const struct wire_report *report, struct err *err)
{
    struct member *m = &c->members[member];

    if (report->seq <= m->applied || m->state == MEMBER_LOST) {
        return 0;
    }
    if (report->seq > m->applied + 1) {
        return err_set(err, ERR_STATE, "worker %s: report %llu came, %llu is missing", m->worker_id,
                       (unsigned long long)report->seq, (unsigned long long)m->applied + 1);
    }
    if (m->state == MEMBER_THROUGH) {
        return wrong(err, m, "a report after its last one");
    }
    m->applied = report->seq;
    c->changed = c->changed || report->kind != WIRE_REPORT_WINDOW;
    return apply(c, member, report, err);
}
