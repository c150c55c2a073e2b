/* SPDX-License-Identifier: MIT */
#include "worker/remote.h"

#include "base/mem.h"
#include "wire/order.h"
#include "wire/report.h"
#include "worker/assignment.h"
#include "worker/vitals.h"

#include <stdio.h>
#include <string.h>

enum { FORGOTTEN_MAX = 256 }; /* runs whose orders may still be on their way */

struct remote {
    struct remote_config config;
    struct assignment_host host;
    struct report_log log;
    struct buf scratch;
    struct assignment *runs[REMOTE_RUNS_MAX];
    size_t run_count;
    char forgotten[FORGOTTEN_MAX][WIRE_ID_SIZE];
    size_t forgotten_count; /* ever */
    int64_t ahead_ns;
    bool leaving;
    struct vitals vitals;
    struct defer change;
};

/* ---- runs -------------------------------------------------------------------------------------
 */

static struct assignment **find(struct remote *r, const char *run_id)
{
    for (size_t i = 0; i < r->run_count; i++) {
        if (strcmp(assignment_run_id(r->runs[i]), run_id) == 0) {
            return &r->runs[i];
        }
    }
    return NULL;
}

static bool is_forgotten(const struct remote *r, const char *run_id)
{
    size_t count = r->forgotten_count < FORGOTTEN_MAX ? r->forgotten_count : FORGOTTEN_MAX;

    for (size_t i = 0; i < count; i++) {
        if (strcmp(r->forgotten[i], run_id) == 0) {
            return true;
        }
    }
    return false;
}

static void change(struct remote *r)
{
    loop_defer(r->config.loop, &r->change);
}

static void forget(struct remote *r, struct assignment **run)
{
    char *name = r->forgotten[r->forgotten_count++ % FORGOTTEN_MAX];

    snprintf(name, WIRE_ID_SIZE, "%s", assignment_run_id(*run));
    assignment_free(*run);
    *run = r->runs[--r->run_count];
    change(r);
}

uint64_t remote_vus(const struct remote *r)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < r->run_count; i++) {
        sum += assignment_vus(r->runs[i]);
    }
    return sum;
}

/* ---- for the assignments ----------------------------------------------------------------------
 */

static int admit(void *owner, uint64_t least, uint64_t most, uint64_t *granted, struct err *err)
{
    const struct remote *r = owner;
    uint64_t used = remote_vus(r), all = r->config.capacity.max_vus;
    uint64_t left = all > used ? all - used : 0;

    if (least <= left && left > 0) {
        *granted = most < left ? most : left;
        return 0;
    }
    return err_set(err, ERR_LIMIT,
                   "%llu virtual users are more than this worker has room for: %llu of %llu are "
                   "taken (--max-vus)",
                   (unsigned long long)least, (unsigned long long)used, (unsigned long long)all);
}

static void on_change(void *owner)
{
    change(owner);
}

static void tell_change(struct defer *d)
{
    struct remote *r = list_entry(d, struct remote, change);

    r->config.on_change(r->config.owner);
}

/* ---- orders -----------------------------------------------------------------------------------
 */

static bool is_through(struct assignment *a)
{
    return assignment_state(a) == ASSIGNMENT_ENDED && report_queue_empty(assignment_reports(a));
}

static void make_room(struct remote *r)
{
    for (size_t i = 0; i < r->run_count && r->run_count == REMOTE_RUNS_MAX; i++) {
        if (is_through(r->runs[i])) {
            forget(r, &r->runs[i]);
        }
    }
}

/* Beyond the bound there is nobody to reject it; the control plane waits for READY in vain, and
 * says so. It never gives a worker so many. */
static void take_run(struct remote *r, struct wire_order *order)
{
    make_room(r);
    if (r->run_count < REMOTE_RUNS_MAX && !is_forgotten(r, order->run_id)) {
        struct assignment *a = assignment_new(&r->host, order, r->ahead_ns);

        r->runs[r->run_count++] = a;
        if (r->leaving) {
            assignment_leave(a);
        }
    }
    wire_order_clear(order);
}

int remote_on_order(struct remote *r, struct str json, struct err *err)
{
    struct wire_order order;
    int rc = wire_order_decode(json, &order, err);

    if (rc != 0) {
        return rc;
    }
    struct assignment **run = find(r, order.run_id);
    if (run == NULL && order.kind == WIRE_ORDER_ASSIGN) {
        take_run(r, &order);
    } else if (run != NULL && order.kind == WIRE_ORDER_RELEASE) {
        forget(r, run);
        wire_order_clear(&order);
    } else if (run != NULL) {
        assignment_order(*run, &order);
    } else {
        wire_order_clear(&order);
    }
    return 0;
}

void remote_on_ack(struct remote *r, const char *run_id, uint64_t seq)
{
    struct assignment **run = find(r, run_id);

    if (run != NULL) {
        report_queue_ack(assignment_reports(*run), seq);
        change(r);
    }
}

void remote_on_refused(struct remote *r, const char *run_id)
{
    struct assignment **run = find(r, run_id);

    if (run != NULL) {
        forget(r, run);
    }
}

void remote_stop(struct remote *r, const char *run_id)
{
    struct assignment **run = find(r, run_id);

    if (run != NULL) {
        assignment_stop(*run);
    }
}

int remote_on_frame(struct remote *r, enum wire_kind kind, struct str payload, struct err *err)
{
    struct wire_ack ack;

    if (kind == WIRE_ORDER) {
        return remote_on_order(r, payload, err);
    }
    if (kind != WIRE_ACK) {
        return 0;
    }
    int rc = wire_ack_decode(payload, &ack, err);
    if (rc == 0) {
        remote_on_ack(r, ack.run_id, ack.seq);
    }
    return rc;
}

void remote_set_ahead(struct remote *r, int64_t ahead_ns)
{
    r->ahead_ns = ahead_ns;
}

/* ---- reports ----------------------------------------------------------------------------------
 */

bool remote_fresh(const struct remote *r)
{
    return report_log_fresh(&r->log);
}

bool remote_unacked(const struct remote *r)
{
    return report_log_unacked(&r->log);
}

unsigned remote_take(struct remote *r, size_t bytes, struct buf *out)
{
    return report_log_take(&r->log, bytes, out);
}

void remote_rewind(struct remote *r)
{
    report_log_rewind(&r->log);
}

void remote_heartbeat(struct remote *r, struct wire_heartbeat *out)
{
    *out = (struct wire_heartbeat){0};
    for (size_t i = 0; i < r->run_count; i++) {
        assignment_count(r->runs[i], out);
    }
    vitals_read(&r->vitals, &out->cpu_percent, &out->mem_bytes);
}

/* ---- leaving ----------------------------------------------------------------------------------
 */

void remote_leave(struct remote *r)
{
    r->leaving = true;
    for (size_t i = 0; i < r->run_count; i++) {
        assignment_leave(r->runs[i]);
    }
    change(r);
}

bool remote_done(const struct remote *r)
{
    for (size_t i = 0; i < r->run_count; i++) {
        if (!is_through(r->runs[i])) {
            return false;
        }
    }
    return true;
}

/* ---- made and freed ---------------------------------------------------------------------------
 */

struct remote *remote_new(const struct remote_config *config)
{
    struct remote *r = xcalloc(1, sizeof *r);

    r->config = *config;
    report_log_init(&r->log,
                    config->report_bytes_max > 0 ? config->report_bytes_max : REPORT_LOG_BYTES_MAX);
    buf_init(&r->scratch, WIRE_FRAME_MAX + 4);
    r->host = (struct assignment_host){.loop = config->loop,
                                       .log = &r->log,
                                       .rules = config->rules,
                                       .scratch = &r->scratch,
                                       .admit = admit,
                                       .on_change = on_change,
                                       .owner = r};
    vitals_begin(&r->vitals);
    defer_init(&r->change, tell_change);
    return r;
}

void remote_free(struct remote *r)
{
    if (r == NULL) {
        return;
    }
    for (size_t i = 0; i < r->run_count; i++) {
        assignment_free(r->runs[i]);
    }
    loop_defer_cancel(&r->change);
    buf_clear(&r->scratch);
    xfree(r);
}
