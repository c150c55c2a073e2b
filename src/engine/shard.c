/* SPDX-License-Identifier: MIT */
#include "engine/shard.h"

#include "base/mem.h"
#include "engine/shard_priv.h"

#include <assert.h>

static void post(struct shard *s, struct message *m)
{
    m->shard = s->config.segment.index;
    s->config.post(s->config.owner, m);
}

static struct message *new_message(enum message_kind kind)
{
    struct message *m = xcalloc(1, sizeof *m);

    list_init(&m->node);
    m->kind = kind;
    return m;
}

/* ---- windows -------------------------------------------------------------------------------- */

/* Windows travel in their message and come back with it. */
static void take_window(struct shard *s, uint64_t second)
{
    uint64_t start = s->grid_ns + second * NS_PER_S;
    struct message *m;

    if (list_empty(&s->free_messages)) {
        m = new_message(REPORT_WINDOW);
        m->window =
            window_new(s->plan->key_count, (uint32_t)s->plan->scenario->workload.custom_count,
                       s->config.log_successes);
        m->window->samples_in_full = s->plan->scenario->telemetry.log_sample_rate_given;
    } else {
        m = list_entry(s->free_messages.next, struct message, node);
        list_remove(&m->node);
        m->kind = REPORT_WINDOW;
    }
    window_reset(m->window, second, start, start + NS_PER_S);
    m->window->stage_index = s->stage >= 0 ? (uint32_t)s->stage : 0;
    s->window_message = m;
    s->window = m->window;
}

static uint64_t longest_silence(const struct shard *s, uint64_t now_ns)
{
    uint64_t longest = 0;

    if (s->stream_count == 0) {
        return 0;
    }
    list_foreach (node, &s->vus) {
        uint64_t silence = vu_silence_ns(list_entry(node, struct vu, node), now_ns);
        longest = silence > longest ? silence : longest;
    }
    return longest;
}

/* The hits of our own limits since the last window. */
static void take_limits(struct shard *s, const struct loop_usage *usage)
{
    struct window *w = s->window;

    mcp_client_limits(&s->client, w->limits);
    w->limits[LIMIT_TURN_CALLS] += usage->put_off - s->usage.put_off;
    w->limits[LIMIT_MAX_RPS] += s->client.gate.held - s->held;
    s->held = s->client.gate.held;
    w->limits[LIMIT_MAX_CONNECTIONS] += s->client.held - s->held_by_connections;
    s->held_by_connections = s->client.held;
}

static void hand_over(struct shard *s, uint64_t end_ns)
{
    struct window *w = s->window;
    struct loop_usage usage = loop_usage(s->loop);
    uint64_t wall = usage.wall_ns - s->usage.wall_ns;
    uint64_t waited = usage.waited_ns - s->usage.waited_ns;

    arrivals_count(s, end_ns);
    window_silence(w, longest_silence(s, end_ns));
    /* The load may be stopped before its first second has begun. */
    w->end_ns = end_ns > w->start_ns ? end_ns : w->start_ns;
    w->gauges = (struct window_gauges){
        .active_vus = s->vu_count,
        .active_sessions = s->session_count,
        .active_streams = s->stream_count,
        .open_connections = s->client.http.open_conns,
        .in_flight = s->in_flight,
        .oldest_event_age_ns = window_longest_silence(w),
    };
    w->wall_ns = wall;
    w->busy_ns = wall > waited ? wall - waited : 0;
    take_limits(s, &usage);
    w->wakeups = usage.wakeups - s->usage.wakeups;
    if (s->config.health != NULL) {
        s->config.health(s->config.health_owner, &w->health);
    }
    w->health.turn_p99_ns = loop_turn_quantile_ns(&s->usage, &usage, 990000);
    s->usage = usage;
    s->window = NULL;
    post(s, s->window_message);
}

struct window *shard_window(struct shard *s, uint64_t now_ns)
{
    while (now_ns >= s->window->end_ns) {
        uint64_t next = s->window->second + 1;

        hand_over(s, s->window->end_ns);
        take_window(s, next);
    }
    return s->window;
}

struct str shard_masked(const struct shard *s, struct str text, char out[SHARD_MASKED_MAX])
{
    if (s->plan->secrets.count == 0 || text.len == 0) {
        return text;
    }
    return (struct str){out, secrets_mask(&s->plan->secrets, text, out, SHARD_MASKED_MAX)};
}

static void arm_tick(struct shard *s)
{
    loop_send_arm(s->loop, &s->tick, s->window->end_ns);
}

static void on_tick(struct send *send)
{
    struct shard *s = list_entry(send, struct shard, tick);

    shard_window(s, loop_now(s->loop));
    arm_tick(s);
}

/* With the first second, however late the order has come: what is not reported counts as lost. */
static void start_windows(struct shard *s, uint64_t grid_ns)
{
    s->ticking = true;
    s->grid_ns = grid_ns;
    s->usage = loop_usage(s->loop);
    s->held = s->client.gate.held; /* of the checks, which belong to no window */
    s->held_by_connections = s->client.held;
    take_window(s, 0);
    arm_tick(s);
}

/* ---- permission to start --------------------------------------------------------------------- */

bool shard_accepts(const struct shard *s, uint64_t due_ns)
{
    return s->stage >= 0 && due_ns < s->stage_end_ns && !s->draining;
}

static void set_cap(struct shard *s)
{
    double cap = s->plan->scenario->safety.caps.max_rps;
    double part = segment_cap(s->config.segment, cap);

    gate_init(&s->client.gate, s->loop, cap > 0 && part <= 0 ? -1 : part);
}

/* ---- stages --------------------------------------------------------------------------------- */

struct vu_progress *shard_progress(struct shard *s, uint32_t index)
{
    uint32_t own = (uint32_t)segment_ordinal(s->config.segment, index);

    if (own >= s->progress_count) {
        uint32_t count = own < 8 ? 16 : own * 2;
        s->progress = xrealloc(s->progress, count * sizeof *s->progress);
        memset(s->progress + s->progress_count, 0,
               (count - s->progress_count) * sizeof *s->progress);
        s->progress_count = count;
    }
    return &s->progress[own];
}

uint32_t shard_heir(const struct shard *s, uint32_t stage, uint32_t operation, uint64_t at_ns)
{
    const struct plan *p = s->plan;

    if (p->stages[stage].config->kind == STAGE_PREFLIGHT) {
        return WINDOW_KEY_NONE;
    }
    for (uint32_t i = stage; i < p->stage_count && at_ns >= s->times[i].begin_ns; i++) {
        if (at_ns < s->times[i].end_ns) {
            bool load = p->stages[i].config->kind != STAGE_PREFLIGHT;
            return load ? plan_key(p, i, operation) : WINDOW_KEY_NONE;
        }
    }
    return WINDOW_KEY_NONE;
}

static bool is_last(const struct shard *s, const struct vu *vu)
{
    for (struct list *node = vu->node.prev; node != &s->vus; node = node->prev) {
        if (!list_entry(node, struct vu, node)->ending) {
            return false;
        }
    }
    return true;
}

/* What waits in a shard that has no user any more, while others have some, would wait for ever: its
 * last user stays until nothing waits. */
static bool must_linger(const struct shard *s, const struct vu *vu, uint32_t level)
{
    return s->is_open && level > 0 && arrivals_wait(s) && is_last(s, vu);
}

void shard_queue_empty(struct shard *s)
{
    if (s->lingering != NULL) {
        vu_end(s->lingering);
    }
}

/* VUs stand in the order of their numbers, but for those that are ending. */
static void end_above(struct shard *s, uint32_t level)
{
    s->lingering = NULL;
    for (struct list *node = s->vus.prev, *before; node != &s->vus; node = before) {
        struct vu *vu = list_entry(node, struct vu, node);

        before = node->prev;
        if (vu->index >= level && !vu->ending && must_linger(s, vu, level)) {
            s->lingering = vu;
        } else if (vu->index >= level) {
            vu_end(vu);
        } else if (!vu->ending) {
            break;
        }
    }
}

/* VUs that are wanted live on; those beyond end, those that are missing start. */
static void set_level(struct shard *s, uint64_t t_ns)
{
    uint32_t before = s->level, level = plan_level(s->plan, (uint32_t)s->stage, t_ns);
    uint64_t change = s->stage_begin_ns + t_ns;

    s->level = level;
    if (level < before) {
        end_above(s, level);
    }
    for (uint32_t i = before; i < level; i++) {
        if (s->lingering != NULL && s->lingering->index == i) {
            s->lingering = NULL; /* it is wanted again */
        } else if (segment_owns(s->config.segment, i)) {
            vu_new(s, i,
                   change + plan_start_ns(s->plan, (uint32_t)s->stage, t_ns, before, level, i));
        }
    }
    uint64_t next = plan_next_level_ns(s->plan, (uint32_t)s->stage, t_ns);
    if (next != UINT64_MAX && s->stage_begin_ns + next < s->stage_end_ns) {
        loop_send_arm(s->loop, &s->level_at, s->stage_begin_ns + next);
    }
}

static void on_level(struct send *send)
{
    struct shard *s = list_entry(send, struct shard, level_at);

    set_level(s, send->at_ns - s->stage_begin_ns);
}

/* Those that are ending count, too, until they are gone. */
static bool is_crowded(const struct shard *s)
{
    return s->config.max_vus_own > 0 && s->vu_count >= s->config.max_vus_own;
}

bool shard_grow(struct shard *s)
{
    uint64_t index = segment_next(s->config.segment, s->level);

    if (s->draining || !shard_is_sized(s)) {
        return false;
    }
    s->awaits_place = is_crowded(s);
    if (s->awaits_place || index >= s->plan->scenario->safety.caps.max_vus) {
        window_limit(shard_window(s, loop_now(s->loop)), LIMIT_MAX_VUS);
        return false;
    }
    s->level = (uint32_t)index + 1;
    vu_new(s, (uint32_t)index, loop_now(s->loop));
    return true;
}

static void resume_all(struct shard *s, uint64_t start_ns)
{
    list_foreach_safe (node, &s->vus) {
        vu_resume(list_entry(node, struct vu, node), start_ns);
    }
}

static bool is_last_stage(const struct shard *s, uint32_t stage)
{
    return stage + 1 == s->plan->stage_count;
}

static void arm_next_stage(struct shard *s)
{
    if (!list_empty(&s->coming)) {
        loop_send_arm(s->loop, &s->next_stage_at,
                      list_entry(s->coming.next, struct message, node)->start_ns);
    }
}

static void on_stage_begin(struct send *send)
{
    struct shard *s = list_entry(send, struct shard, next_stage_at);
    struct message *order = list_entry(s->coming.next, struct message, node);

    s->stage = (int32_t)order->stage;
    s->is_open = s->plan->stages[order->stage].levels.open_model;
    s->awaits_place = false;
    s->stage_begin_ns = order->start_ns;
    s->stage_end_ns = order->end_ns;
    list_remove(&order->node);
    xfree(order);
    arm_next_stage(s);
    window_enter_stage(shard_window(s, loop_now(s->loop)), (uint32_t)s->stage, s->stage_begin_ns);
    loop_send_cancel(s->loop, &s->level_at);
    end_above(s, plan_level(s->plan, (uint32_t)s->stage, 0));
    resume_all(s, s->stage_begin_ns);
    set_level(s, 0);
    arrivals_begin_stage(s, (uint32_t)s->stage, s->stage_begin_ns);
    if (is_last_stage(s, (uint32_t)s->stage)) {
        loop_send_arm(s->loop, &s->plan_end_at, s->stage_end_ns);
    }
}

/* Keeps the order: a stage may be told of while its forerunner has not begun yet. */
static void order_stage(struct shard *s, struct message *order)
{
    if (!s->ticking) {
        start_windows(s, order->grid_ns);
    }
    s->times[order->stage] = (struct stage_time){order->start_ns, order->end_ns};
    list_append(&s->coming, &order->node);
    arm_next_stage(s);
}

/* A stage that is stopped ends now, and those to come have no time. */
static void end_stages(struct shard *s)
{
    uint64_t now = loop_clock(s->loop);

    for (uint32_t i = 0; i < s->plan->stage_count; i++) {
        s->times[i].end_ns = s->times[i].end_ns < now ? s->times[i].end_ns : now;
    }
}

static void forget_stages(struct shard *s)
{
    loop_send_cancel(s->loop, &s->next_stage_at);
    list_foreach_safe (node, &s->coming) {
        list_remove(node);
        xfree(list_entry(node, struct message, node));
    }
}

/* ---- the end -------------------------------------------------------------------------------- */

static void check_drained(struct shard *s)
{
    if (!s->draining || s->drained || !list_empty(&s->vus) || !sessions_finish(s)) {
        return;
    }
    s->drained = true;
    loop_send_cancel(s->loop, &s->tick);
    if (s->ticking) {
        uint64_t now = loop_clock(s->loop);
        shard_window(s, now);
        hand_over(s, now);
        s->ticking = false;
    }
    post(s, new_message(REPORT_DRAINED));
}

void shard_vu_gone(struct shard *s)
{
    /* There may be nobody else who would come for what waits. */
    if (s->awaits_place && arrivals_wait(s)) {
        shard_grow(s);
    }
    check_drained(s);
}

void shard_sessions_gone(struct shard *s)
{
    check_drained(s);
}

static void drain(struct shard *s, bool cut, bool natural)
{
    loop_send_cancel(s->loop, &s->plan_end_at);
    if (!s->draining) {
        end_stages(s);
        arrivals_end(s, natural);
    }
    s->cut_as = s->draining ? UNFINISHED_DRAIN_OVER : UNFINISHED_STOPPED;
    s->draining = true;
    forget_stages(s);
    loop_send_cancel(s->loop, &s->level_at);
    preflight_cancel(s->preflight);
    s->preflight = NULL;
    list_foreach_safe (node, &s->vus) {
        struct vu *vu = list_entry(node, struct vu, node);

        if (cut) {
            vu_cut(vu);
        } else {
            vu_end(vu);
        }
    }
    if (cut) {
        sessions_cut(s);
    }
    check_drained(s);
}

/* The plan ends by itself, at the same moment wherever it is played, and whoever ordered it may be
 * far away: what waits is dropped now, and not when the order to drain comes. */
static void on_plan_end(struct send *send)
{
    struct shard *s = list_entry(send, struct shard, plan_end_at);

    s->is_over = true;
    arrivals_end(s, true);
    shard_queue_empty(s);
    if (s->drains_at_end) {
        drain(s, false, true);
    }
}

/* Clocks of two machines never agree to the last arrival: the end of the plan is the plan's. */
static void drain_naturally(struct shard *s)
{
    uint64_t end_ns = s->times[s->plan->stage_count - 1].end_ns;

    if (!s->draining && end_ns != UINT64_MAX && loop_clock(s->loop) < end_ns) {
        s->drains_at_end = true;
        return;
    }
    drain(s, false, true);
}

/* ---- orders --------------------------------------------------------------------------------- */

static void on_checked(void *owner, const struct check_list *checks)
{
    struct shard *s = owner;
    struct message *m = new_message(REPORT_CHECKS);

    s->preflight = NULL;
    m->checks = xmalloc(sizeof *m->checks);
    *m->checks = *checks;
    post(s, m);
}

void shard_take(struct shard *s, struct message *order)
{
    switch (order->kind) {
    case ORDER_CHECK:
        s->preflight = preflight_start(&s->client, s->plan, order->lists, on_checked, s);
        break;
    case ORDER_STAGE:
        if (s->draining) {
            break;
        }
        order_stage(s, order);
        return; /* it is kept */
    case ORDER_DRAIN:
        if (order->natural) {
            drain_naturally(s);
        } else {
            drain(s, false, false);
        }
        break;
    case ORDER_STOP:
        drain(s, true, false);
        break;
    case ORDER_RECYCLE:
        list_append(&s->free_messages, &order->node);
        return; /* it is kept */
    case ORDER_QUIT:
    case REPORT_CHECKS:
    case REPORT_WINDOW:
    case REPORT_DRAINED:
        break;
    }
    xfree(order);
}

/* ---- the shard ------------------------------------------------------------------------------- */

static void on_connect(void *owner, uint64_t ns, enum error_code code)
{
    struct shard *s = owner;

    if (s->window != NULL) { /* connections of the checks belong to no window */
        window_connect(shard_window(s, loop_now(s->loop)), ns, code);
    }
}

struct shard *shard_new(struct loop *loop, const struct shard_config *config)
{
    struct shard *s = xcalloc(1, sizeof *s);
    struct mcp_observer observer = {.on_connect = on_connect, .owner = s};

    s->loop = loop;
    s->config = *config;
    s->plan = config->plan;
    s->stage = -1;
    s->policy = session_policy(config->plan->scenario->session.mode);
    assert(s->policy != NULL);
    s->head_varies = plan_text_varies(&s->plan->head);
    list_init(&s->vus);
    list_init(&s->free_messages);
    buf_init(&s->tail, SIZE_MAX / 2); /* bounded by the scenario's size */
    buf_init(&s->head, SIZE_MAX / 2);
    send_init(&s->tick, on_tick);
    list_init(&s->coming);
    send_init(&s->next_stage_at, on_stage_begin);
    send_init(&s->level_at, on_level);
    send_init(&s->plan_end_at, on_plan_end);
    arrivals_init(s);
    s->times = xmalloc(s->plan->stage_count * sizeof *s->times);
    memset(s->times, 0xff, s->plan->stage_count * sizeof *s->times); /* UINT64_MAX */
    s->echoes = xcalloc(s->plan->operation_count, sizeof *s->echoes);
    s->wall_offset_ns = (int64_t)(clock_wall_ms() * NS_PER_MS) - (int64_t)loop_clock(loop);
    mcp_client_init(&s->client, loop, config->target, config->filter, config->filter_owner,
                    &observer);
    s->client.dialer.opener = config->opener;
    s->client.dialer.opener_owner = config->opener_owner;
    set_cap(s);
    sessions_init(s);
    return s;
}

static void free_message(struct message *m)
{
    window_free(m->window);
    xfree(m);
}

void shard_free(struct shard *s)
{
    if (s == NULL) {
        return;
    }
    s->drained = true; /* nothing is reported any more */
    drain(s, true, false);
    arrivals_clear(s);
    loop_send_cancel(s->loop, &s->tick);
    if (s->window != NULL) {
        free_message(s->window_message);
    }
    list_foreach_safe (node, &s->free_messages) {
        free_message(list_entry(node, struct message, node));
    }
    mcp_client_clear(&s->client);
    buf_clear(&s->tail);
    buf_clear(&s->head);
    xfree(s->times);
    xfree(s->echoes);
    xfree(s->progress);
    xfree(s);
}
