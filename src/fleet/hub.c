/* SPDX-License-Identifier: MIT */
#include "fleet/hub.h"

#include "base/clock.h"
#include "base/mem.h"
#include "fleet/hub_priv.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* ---- ids and lines --------------------------------------------------------------------------- */

void hub_random_id(const char *prefix, char *out, size_t size)
{
    uint64_t value = 0;

    if (getrandom(&value, sizeof value, 0) != (ssize_t)sizeof value) {
        value = clock_monotonic_ns();
    }
    snprintf(out, size, "%s_%016llx", prefix, (unsigned long long)value);
}

void hub_line(struct hub *h, const char *fmt, ...)
{
    char text[400];
    va_list ap;

    if (h->config.on_line == NULL) {
        return;
    }
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    h->config.on_line(text);
}

struct hosted *hub_find(struct hub *h, const char *run_id)
{
    list_foreach (node, &h->runs) {
        struct hosted *r = list_entry(node, struct hosted, node);
        if (strcmp(r->run_id, run_id) == 0) {
            return r;
        }
    }
    return NULL;
}

struct store *hub_store(struct hub *h)
{
    return h->store;
}

/* ---- what is to be written --------------------------------------------------------------------
 */

void hub_touch(struct hosted *r)
{
    r->dirty = true;
    loop_defer(r->hub->loop, &r->hub->flush);
}

static struct write *write_new(struct hosted *r, enum write_kind kind, struct str body)
{
    struct write *w = xcalloc(1, sizeof *w + body.len);

    w->kind = kind;
    w->len = body.len;
    if (body.len > 0) {
        memcpy(w->body, body.p, body.len);
    }
    list_append(&r->writes, &w->node);
    hub_touch(r);
    return w;
}

void hub_write(
    struct hosted *r, enum write_kind kind, uint64_t number, const char *id, struct str body)
{
    struct write *w = write_new(r, kind, body);

    w->number = number;
    snprintf(w->id, sizeof w->id, "%s", id);
}

void hub_write_window(struct hosted *r, uint32_t source, uint64_t second, struct str body)
{
    struct write *w = write_new(r, WRITE_WINDOW, body);

    w->number = second;
    w->source = source;
}

static void write_one(struct hub *h, const struct hosted *r, const struct write *w)
{
    struct str body = {w->body, w->len};
    struct store *s = h->store;

    switch (w->kind) {
    case WRITE_EVENT: {
        struct store_event event = {
            .number = w->number, .event_id = w->id, .type = w->type, .body = body};
        (void)store_add_event(s, r->run_id, &event);
        break;
    }
    case WRITE_WINDOW: {
        struct store_window window = {.source = w->source, .second = w->number, .body = body};
        (void)store_add_window(s, r->run_id, &window);
        break;
    }
    case WRITE_SECOND:
        (void)store_add_second(s, r->run_id, w->number, body);
        break;
    case WRITE_SAMPLE:
        (void)store_add_sample(s, r->run_id, body);
        break;
    case WRITE_APPLIED:
        (void)store_put_applied(s, r->run_id, w->id, w->number);
        break;
    case WRITE_TOTALS:
        (void)store_put_totals(s, r->run_id, w->id, body);
        break;
    case WRITE_DOCUMENT:
        (void)store_put_document(s, r->run_id, w->id, body);
        break;
    }
}

/* The text of a new reference, or none. */
static struct str write_json(json_t *json, struct buf *text)
{
    buf_init(text, HUB_DOCUMENT_MAX);
    if (json == NULL) {
        return (struct str){0};
    }
    (void)json_write(json, text);
    json_decref(json);
    return buf_str(text);
}

/* While a run is played its view comes from memory: the one in the store has to be right when
 * something was told of it. */
static void put_row(struct hub *h, struct hosted *r)
{
    struct buf view, saved;
    struct store_run row = {
        .run_id = r->run_id,
        .updated_ms = clock_wall_ms(),
        .state = run_state_name(r->run->state),
        .terminal = r->over,
        .view = write_json(r->told || r->over ? hosted_view(r) : NULL, &view),
        .saved = write_json(r->over ? NULL : hosted_save(r), &saved),
    };

    r->told = false;
    if (r->over) {
        row.saved = STR("");
        hosted_forget_plan(r);
    } else {
        hosted_keep(r);
    }
    (void)store_put_run(h->store, &row);
    buf_clear(&view);
    buf_clear(&saved);
}

/* Everything of one run, in one callback: the store has all of it or nothing. */
static void write_run(struct hub *h, struct hosted *r)
{
    list_foreach_safe (node, &r->writes) {
        struct write *w = list_entry(node, struct write, node);

        list_remove(node);
        write_one(h, r, w);
        xfree(w);
    }
    put_row(h, r);
    if (r->over) {
        (void)store_drop_windows(h->store, r->run_id);
    }
}

/* ---- when it is durable -----------------------------------------------------------------------
 */

static void send_output(struct hub *h, const struct output *o)
{
    struct worker *w = hub_worker(h, o->worker_id);

    /* Without a link it comes again when the worker is back (crew_repeat). */
    if (w != NULL && w->link != NULL && o->number >= w->first_output) {
        w->link->send(w->link, (struct str){o->text, o->len});
    }
}

/* Nothing of a run that is over and durable is needed in memory. */
static void retire(struct hosted *r)
{
    list_remove(&r->node);
    r->hub->run_count--;
    watches_tell(r);
    watches_end(r);
    hosted_free(r);
}

static void on_durable(struct store_wait *wait)
{
    struct batch *b = list_entry(wait, struct batch, wait);

    list_foreach_safe (node, &b->outputs) {
        struct output *o = list_entry(node, struct output, node);

        list_remove(node);
        send_output(b->hub, o);
        xfree(o);
    }
    list_foreach_safe (node, &b->hosted) {
        struct hosted_ref *ref = list_entry(node, struct hosted_ref, node);
        struct hosted *r = ref->hosted;

        list_remove(node);
        xfree(ref);
        r->in_flight--;
        if (r->over && r->in_flight == 0 && !r->dirty) {
            retire(r);
        } else {
            watches_tell(r);
        }
    }
    list_remove(&b->node);
    xfree(b);
}

static void flush(struct hub *h)
{
    struct batch *b = xcalloc(1, sizeof *b);
    bool any = !list_empty(&h->outputs);

    b->hub = h;
    store_wait_init(&b->wait, on_durable);
    list_init(&b->outputs);
    list_init(&b->hosted);
    list_splice(&b->outputs, &h->outputs);
    list_foreach (node, &h->runs) {
        struct hosted *r = list_entry(node, struct hosted, node);

        if (r->dirty) {
            struct hosted_ref *ref = xcalloc(1, sizeof *ref);
            r->dirty = false;
            r->in_flight++;
            ref->hosted = r;
            list_append(&b->hosted, &ref->node);
            write_run(h, r);
            any = true;
        }
    }
    if (!any) {
        xfree(b);
        return;
    }
    list_append(&h->batches, &b->node);
    store_when_durable(h->store, &b->wait);
}

static void on_flush(struct defer *d)
{
    flush(list_entry(d, struct hub, flush));
}

void hub_when_durable(struct hub *h, struct store_wait *wait)
{
    flush(h);
    store_when_durable(h->store, wait);
}

void hub_send(void *owner, uint32_t member, struct str order, bool urgent)
{
    struct hosted *r = owner;
    struct hub *h = r->hub;
    const char *worker_id = crew_worker_id(r->crew, member);
    struct output *o = xcalloc(1, sizeof *o + order.len);

    snprintf(o->worker_id, sizeof o->worker_id, "%s", worker_id);
    o->number = h->output_count++;
    o->len = order.len;
    memcpy(o->text, order.p, order.len);
    if (urgent) { /* what ends load does not wait for a disk */
        send_output(h, o);
    }
    /* And once more in its turn: a worker that has not got its assignment yet knows no such run,
     * and drops what it hears of it. One that took it drops the repetition. */
    list_append(&h->outputs, &o->node);
    loop_defer(h->loop, &h->flush);
    hub_touch(r);
}

/* ---- events -----------------------------------------------------------------------------------
 */

/* ---- the hub ----------------------------------------------------------------------------------
 */

static void on_tick(struct timer *t)
{
    struct hub *h = list_entry(t, struct hub, tick);

    hub_look_at_workers(h);
    loop_timer_arm(h->loop, t, loop_now(h->loop) + HUB_TICK_NS);
}

int hub_new(const struct hub_config *config, struct hub **out, struct err *err)
{
    struct hub *h = xcalloc(1, sizeof *h);

    h->config = *config;
    h->loop = config->loop;
    h->store = config->store;
    h->looked_ns = loop_clock(h->loop); /* what there is to recover may take its time */
    list_init(&h->runs);
    list_init(&h->workers);
    list_init(&h->outputs);
    list_init(&h->batches);
    list_init(&h->unsettled);
    watches_init(h);
    defer_init(&h->flush, on_flush);
    timer_init(&h->tick, on_tick);
    int rc = hub_recover(h, err);
    if (rc != 0) {
        hub_free(h);
        return rc;
    }
    loop_timer_arm(h->loop, &h->tick, loop_clock(h->loop) + HUB_TICK_NS);
    *out = h;
    return 0;
}

static void free_outputs(struct list *outputs)
{
    list_foreach_safe (node, outputs) {
        list_remove(node);
        xfree(list_entry(node, struct output, node));
    }
}

static void free_batches(struct hub *h)
{
    list_foreach_safe (node, &h->batches) {
        struct batch *b = list_entry(node, struct batch, node);

        list_remove(node);
        store_wait_cancel(&b->wait);
        free_outputs(&b->outputs);
        list_foreach_safe (ref, &b->hosted) {
            list_remove(ref);
            xfree(list_entry(ref, struct hosted_ref, node));
        }
        xfree(b);
    }
}

void hub_free(struct hub *h)
{
    if (h == NULL) {
        return;
    }
    flush(h);
    loop_timer_cancel(h->loop, &h->tick);
    loop_defer_cancel(&h->flush);
    (void)store_flush(h->store);
    free_batches(h);
    unsettled_clear(h);
    watches_clear(h);
    list_foreach_safe (node, &h->runs) {
        struct hosted *r = list_entry(node, struct hosted, node);
        list_remove(node);
        watches_end(r);
        hosted_free(r);
    }
    free_outputs(&h->outputs);
    hub_workers_clear(h);
    xfree(h);
}
