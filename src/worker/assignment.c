/* SPDX-License-Identifier: MIT */
#include "worker/assignment.h"

#include "base/mem.h"
#include "loop/mailbox.h"
#include "wire/frame.h"
#include "wire/report.h"
#include "wire/totals.h"
#include "wire/window.h"
#include "worker/clock_offset.h"
#include "worker/local.h"

#include <stdio.h>
#include <stdlib.h>

enum { WAITING_MAX = 64 }; /* orders that come before the part is compiled; there are a few */

/* What its last window said of a source. */
struct source_state {
    struct window_gauges gauges;
    bool drained;
};

struct assignment {
    const struct assignment_host *host;
    char run_id[WIRE_ID_SIZE];
    enum assignment_state state;
    int64_t ahead_ns;
    uint64_t last_order; /* known up to here */
    struct report_queue reports;

    /* compiling */
    struct wire_order assign; /* until the thread has taken it */
    pthread_t compiler;
    bool compiling; /* the thread has to be joined */
    bool has_mailbox;
    struct mailbox compiled;
    struct list compiled_note;
    int compile_rc;
    struct err compile_err;
    struct wire_order waiting[WAITING_MAX];
    size_t waiting_count;

    struct part part;
    uint64_t vus;
    struct local_worker *local;
    struct source_state *sources; /* of this worker, part.assign.shards */
    uint32_t drained;
    struct wire_totals totals;
    bool leaving;
    struct defer end;
};

/* ---- reports ----------------------------------------------------------------------------------
 */

/* Begins the next report in the scratch buffer; the body follows. */
static int begin_report(struct assignment *a, enum wire_report_kind kind, size_t *at)
{
    struct buf *out = a->host->scratch;

    out->len = 0;
    int rc = wire_frame_begin(out, WIRE_REPORT, at);
    return rc != 0 ? rc : wire_report_begin(out, kind, a->reports.last_seq + 1, a->run_id);
}

/* `rc`: of what has been written. A report that is too long for a frame counts as refused: the
 * totals tell of it. */
static void end_report(struct assignment *a, size_t at, int rc, enum report_need need)
{
    struct buf *out = a->host->scratch;

    if (rc == 0) {
        rc = wire_frame_end(out, at);
    }
    if (rc != 0) {
        a->reports.refused++;
        return;
    }
    if (report_queue_add(&a->reports, buf_str(out), need)) {
        a->host->on_change(a->host->owner);
    }
}

static void report_json(struct assignment *a, enum wire_report_kind kind, const void *body)
{
    struct buf *out = a->host->scratch;
    size_t at;
    int rc = begin_report(a, kind, &at);

    if (rc == 0 && kind == WIRE_REPORT_READY) {
        rc = wire_ready_encode(body, out);
    } else if (rc == 0 && kind == WIRE_REPORT_REJECTED) {
        rc = wire_rejected_encode(body, out);
    } else if (rc == 0) {
        rc = wire_checks_encode(body, out);
    }
    end_report(a, at, rc, REPORT_NEEDED);
}

static void report_totals(struct assignment *a)
{
    size_t at;
    int rc = begin_report(a, WIRE_REPORT_TOTALS, &at);

    if (rc == 0) {
        rc = wire_totals_encode(&a->totals, a->host->scratch);
    }
    end_report(a, at, rc, REPORT_NEEDED);
}

static void reject(struct assignment *a, const struct err *err)
{
    struct wire_rejected body;

    snprintf(body.error, sizeof body.error, "%s", err->msg);
    a->state = ASSIGNMENT_ENDED;
    report_json(a, WIRE_REPORT_REJECTED, &body);
}

/* ---- from the shards --------------------------------------------------------------------------
 */

static void on_checks(void *owner, const struct check_list *checks)
{
    report_json(owner, WIRE_REPORT_CHECKS, checks);
}

static void on_window(void *owner, uint32_t source, struct window *w)
{
    struct assignment *a = owner;
    struct buf *out = a->host->scratch;
    size_t at;

    a->sources[source - a->part.assign.base].gauges = w->gauges;
    wire_totals_add(&a->totals, w);
    int rc = begin_report(a, WIRE_REPORT_WINDOW, &at);
    if (rc == 0) {
        rc = wire_source_encode(out, source);
    }
    if (rc == 0) {
        rc = wire_window_encode(w, -a->ahead_ns, out);
    }
    end_report(a, at, rc, REPORT_IF_ROOM);
}

/* The threads have nothing to do any more; not in a callback of theirs. */
static void on_end(struct defer *d)
{
    struct assignment *a = list_entry(d, struct assignment, end);

    local_worker_free(a->local);
    a->local = NULL;
    a->vus = 0;
    a->state = ASSIGNMENT_ENDED;
    a->host->on_change(a->host->owner);
}

static void on_drained(void *owner, uint32_t source)
{
    struct assignment *a = owner;
    struct source_state *s = &a->sources[source - a->part.assign.base];
    size_t at;

    if (s->drained) {
        return; /* drained, and then told to stop as well */
    }
    s->gauges = (struct window_gauges){0};
    s->drained = true;
    a->drained++;
    int rc = begin_report(a, WIRE_REPORT_DRAINED, &at);
    if (rc == 0) {
        rc = wire_source_encode(a->host->scratch, source);
    }
    end_report(a, at, rc, REPORT_NEEDED);
    if (a->drained == a->part.assign.shards) {
        report_totals(a);
        loop_defer(a->host->loop, &a->end);
    }
}

/* ---- orders -----------------------------------------------------------------------------------
 */

static void play(struct assignment *a, const struct wire_order *o)
{
    if (a->local == NULL) {
        return; /* rejected, or over */
    }
    switch (o->kind) {
    case WIRE_ORDER_CHECK:
        local_worker_check_with(a->local, o->lists);
        break;
    case WIRE_ORDER_STAGE:
        if (!a->leaving && o->stage < a->part.plan->stage_count) {
            local_worker_stage(a->local, o->stage, clock_offset_to_ours(a->ahead_ns, o->grid_ns),
                               clock_offset_to_ours(a->ahead_ns, o->start_ns),
                               clock_offset_to_ours(a->ahead_ns, o->end_ns));
        }
        break;
    case WIRE_ORDER_DRAIN:
        local_worker_drain(a->local, o->natural);
        break;
    case WIRE_ORDER_STOP:
        local_worker_stop(a->local);
        break;
    case WIRE_ORDER_ASSIGN:
    case WIRE_ORDER_RELEASE:
    case WIRE_ORDER_COUNT:
        break;
    }
}

void assignment_order(struct assignment *a, struct wire_order *order)
{
    if (order->n > a->last_order) {
        a->last_order = order->n;
        if (a->state != ASSIGNMENT_COMPILING) {
            play(a, order);
        } else if (a->waiting_count < WAITING_MAX) {
            a->waiting[a->waiting_count++] = *order;
            *order = (struct wire_order){0};
        }
    }
    wire_order_clear(order);
}

void assignment_stop(struct assignment *a)
{
    a->leaving = true;
    if (a->local != NULL) {
        local_worker_stop(a->local);
    }
}

void assignment_leave(struct assignment *a)
{
    a->leaving = true;
    if (a->local != NULL) {
        local_worker_drain(a->local, false);
    }
}

/* ---- compiling --------------------------------------------------------------------------------
 */

static void *compile_main(void *arg)
{
    struct assignment *a = arg;

    a->compile_rc = part_compile(&a->assign, &a->host->rules, &a->part, &a->compile_err);
    mailbox_post(&a->compiled, &a->compiled_note);
    return NULL;
}

static int start_threads(struct assignment *a, struct err *err)
{
    struct worker_listener listener = {
        .on_checks = on_checks, .on_window = on_window, .on_drained = on_drained, .owner = a};
    const struct wire_order *o = &a->part.assign;
    struct local_worker_config config = {
        .plan = a->part.plan,
        .url = &a->part.url,
        .shards = o->shards,
        .base = o->base,
        .total = o->total,
        .deal = a->part.deal,
        .log = o->log,
        .max_vus = (uint32_t)a->vus,
    };
    int rc = local_worker_new(a->host->loop, &config, &a->local, err);

    if (rc == 0) {
        local_worker_listen(a->local, &listener);
    }
    return rc;
}

static int begin(struct assignment *a, struct err *err)
{
    uint64_t least, most;

    if (a->compile_rc != 0) {
        *err = a->compile_err;
        return a->compile_rc;
    }
    part_vus(&a->part, &least, &most);
    int rc = a->leaving ? err_set(err, ERR_STATE, "the worker is leaving")
                        : a->host->admit(a->host->owner, least, most, &a->vus, err);
    if (rc == 0) {
        a->sources = xcalloc(a->part.assign.shards, sizeof *a->sources);
        wire_totals_init(&a->totals, a->part.plan->key_count);
        rc = start_threads(a, err);
    }
    if (rc != 0) {
        a->vus = 0;
    }
    return rc;
}

static void on_compiled(struct mailbox *m, struct list *note)
{
    struct assignment *a = list_entry(m, struct assignment, compiled);
    struct err err = {0};

    (void)note;
    pthread_join(a->compiler, NULL);
    a->compiling = false;
    if (begin(a, &err) != 0) {
        reject(a, &err);
    } else {
        a->state = ASSIGNMENT_PLAYING;
        report_json(a, WIRE_REPORT_READY,
                    &(struct wire_ready){.shards = local_worker_shards(a->local)});
    }
    for (size_t i = 0; i < a->waiting_count; i++) {
        play(a, &a->waiting[i]);
        wire_order_clear(&a->waiting[i]);
    }
    a->waiting_count = 0;
}

/* ---- made and freed ---------------------------------------------------------------------------
 */

static int start_compiler(struct assignment *a, struct err *err)
{
    int rc = mailbox_init(&a->compiled, a->host->loop, on_compiled, err);

    if (rc != 0) {
        return rc;
    }
    a->has_mailbox = true;
    int sys = pthread_create(&a->compiler, NULL, compile_main, a);
    if (sys != 0) {
        return err_sys(err, ERR_IO, sys, "cannot start a thread");
    }
    a->compiling = true;
    return 0;
}

struct assignment *
assignment_new(const struct assignment_host *host, struct wire_order *assign, int64_t ahead_ns)
{
    struct assignment *a = xcalloc(1, sizeof *a);
    struct err err = {0};

    a->host = host;
    a->ahead_ns = ahead_ns;
    a->last_order = assign->n;
    snprintf(a->run_id, sizeof a->run_id, "%s", assign->run_id);
    a->assign = *assign;
    *assign = (struct wire_order){0};
    report_queue_init(&a->reports, host->log);
    list_init(&a->compiled_note);
    defer_init(&a->end, on_end);
    if (start_compiler(a, &err) != 0) {
        reject(a, &err);
    }
    return a;
}

/* A note that comes while everything ends is about nothing. */
static void on_late_note(struct mailbox *m, struct list *note)
{
    (void)m;
    (void)note;
}

void assignment_free(struct assignment *a)
{
    if (a->compiling) {
        pthread_join(a->compiler, NULL);
    }
    if (a->has_mailbox) {
        a->compiled.on_message = on_late_note;
        mailbox_clear(&a->compiled);
    }
    loop_defer_cancel(&a->end);
    local_worker_free(a->local);
    for (size_t i = 0; i < a->waiting_count; i++) {
        wire_order_clear(&a->waiting[i]);
    }
    wire_totals_clear(&a->totals);
    report_queue_clear(&a->reports);
    xfree(a->sources);
    part_clear(&a->part);
    wire_order_clear(&a->assign);
    xfree(a);
}

/* ---- what others ask --------------------------------------------------------------------------
 */

const char *assignment_run_id(const struct assignment *a)
{
    return a->run_id;
}

enum assignment_state assignment_state(const struct assignment *a)
{
    return a->state;
}

uint64_t assignment_vus(const struct assignment *a)
{
    return a->vus;
}

struct report_queue *assignment_reports(struct assignment *a)
{
    return &a->reports;
}

/* Arrivals whose time has come and that no slot has taken up. */
static uint64_t queued(const struct wire_totals *t)
{
    uint64_t sum = 0;

    for (uint32_t k = 0; k < t->key_count; k++) {
        const uint64_t *c = t->keys[k].count;
        uint64_t gone = c[COUNT_STARTED] + c[COUNT_DROPPED_DEADLINE] + c[COUNT_DROPPED_NO_SLOT] +
                        c[COUNT_DROPPED_STOPPED];
        sum += c[COUNT_DUE] > gone ? c[COUNT_DUE] - gone : 0;
    }
    return sum;
}

void assignment_count(const struct assignment *a, struct wire_heartbeat *out)
{
    if (a->local == NULL) {
        return;
    }
    for (uint32_t i = 0; i < a->part.assign.shards; i++) {
        const struct window_gauges *g = &a->sources[i].gauges;

        out->active_vus += g->active_vus;
        out->active_sessions += g->active_sessions;
        out->in_flight_ops += g->in_flight;
    }
    out->queue_depth += queued(&a->totals);
}
