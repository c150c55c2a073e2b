/* SPDX-License-Identifier: MIT */
/*
 * The same load on any number of shards: random scenarios are played on a virtual clock by 1 to 8
 * shards, and each time the same operations are due at the same times with the same bodies (rows
 * of a feed, nonces, random values), and none waits longer than on one shard for want of a user on
 * its own. With caps on as many shards as worker/sharding.h allows.
 */
#include "base/mem.h"
#include "base/rng.h"
#include "engine/shard.h"
#include "engine/target.h"
#include "support/peer.h"
#include "support/planned.h"
#include "support/unit.h"
#include "worker/sharding.h"

#include <stdlib.h>
#include <unistd.h>

#define MS NS_PER_MS

enum form {
    CALM,       /* the target carries it */
    OVERLOADED, /* now and then it does not */
    CLOSED,
    FORM_COUNT
};

enum { SHARDS_MAX = 8, OPERATIONS_MAX = 30000, SCENARIOS = 18, LOG_LINES = 20000 };

static uint64_t now_ns = 1000 * NS_PER_S;
static const struct clock virtual_clock = {.virtual_ns = &now_ns};

/* What is the same however the load is dealt. */
struct played {
    uint32_t count, body_count;
    uint64_t operations[OPERATIONS_MAX]; /* a hash of key, due time and number (and VU) of each */
    uint64_t bodies[OPERATIONS_MAX];     /* a hash of the arguments of each request */
    uint64_t queue_ns[OPERATIONS_MAX];   /* from due to the moment at which a slot was free */
};

struct world {
    struct planned planned;
    struct loop *loop;
    struct peer peer;
    struct mcp_target target, targets[SHARDS_MAX];
    uint32_t shard_count, drained;
    struct shard *shards[SHARDS_MAX];
    struct deal *deal; /* NULL: all have the same weight */
    struct list reports;
    struct defer deliver;
    uint64_t begin_ns;
    struct played *out;
};

static uint64_t hash_of(const char *p, size_t len)
{
    return str_hash(STR_HASH_BEGIN, (struct str){p, len});
}

/* ---- what the shards report --------------------------------------------------------------------
 */

static bool is_open(const struct world *w, uint32_t key)
{
    const struct plan *p = w->planned.plan;

    return p->stages[key / p->operation_count].levels.open_model;
}

static void take_operation(struct world *w, const struct outcome *o)
{
    char text[200];
    int len = snprintf(text, sizeof text, "%u %llu %llu %u", o->key,
                       (unsigned long long)(o->t_due - w->begin_ns), (unsigned long long)o->n,
                       is_open(w, o->key) ? 0 : o->vu);

    assert_true(w->out->count < OPERATIONS_MAX);
    assert_int_equal(o->cls, OUTCOME_OK);
    w->out->queue_ns[w->out->count] = o->t_free - o->t_due;
    w->out->operations[w->out->count++] = hash_of(text, (size_t)len);
}

static void take_window(struct world *w, const struct window *win)
{
    assert_int_equal(win->samples_lost + win->samples_thinned, 0);
    for (uint32_t i = 0; win->log != NULL && i < win->log->successes.count; i++) {
        take_operation(w, &win->log->successes.items[i].outcome);
    }
    for (uint32_t k = 0; k < win->key_count; k++) {
        assert_int_equal(win->keys[k].count[COUNT_DROPPED_NO_SLOT], 0);
    }
}

static void post(void *owner, struct message *report)
{
    struct world *w = owner;

    list_append(&w->reports, &report->node);
    loop_defer(w->loop, &w->deliver);
}

static void on_deliver(struct defer *d)
{
    struct world *w = list_entry(d, struct world, deliver);

    list_foreach_safe (node, &w->reports) {
        struct message *m = list_entry(node, struct message, node);

        list_remove(node);
        if (m->kind == REPORT_WINDOW) {
            take_window(w, m->window);
            m->kind = ORDER_RECYCLE;
            shard_take(w->shards[m->shard], m);
            continue;
        }
        assert_int_equal(m->kind, REPORT_DRAINED);
        w->drained++;
        xfree(m);
    }
}

static bool note_body(void *owner, const struct peer_request *r)
{
    struct world *w = owner;
    const char *arguments;

    if (strcmp(r->method, "tools/call") == 0) {
        arguments = memmem(r->body.p, r->body.len, "\"params\"", 8);
        assert_non_null(arguments);
        assert_true(w->out->body_count < OPERATIONS_MAX);
        w->out->bodies[w->out->body_count++] =
            hash_of(arguments, (size_t)(r->body.p + r->body.len - arguments));
    }
    return false;
}

/* ---- one run -----------------------------------------------------------------------------------
 */

static void set_up(struct world *w,
                   const char *scenario,
                   uint32_t shards,
                   const uint64_t *weights,
                   struct played *out)
{
    static const struct url url;

    *w = (struct world){.shard_count = shards, .out = out};
    if (weights != NULL) {
        assert_int_equal(deal_new(weights, shards, &w->deal, NULL), 0);
    }
    planned_make(&w->planned, scenario, NULL, 0);
    assert_int_equal(loop_new(&virtual_clock, &w->loop, NULL), 0);
    peer_init(&w->peer, w->loop);
    w->peer.delay_ns = 10 * MS;
    w->peer.on_request = note_body;
    w->peer.owner = w;
    list_init(&w->reports);
    defer_init(&w->deliver, on_deliver);
    w->target = (struct mcp_target){.host = "peer",
                                    .port = 80,
                                    .version = "2025-11-25",
                                    .connect_ns = NS_PER_S,
                                    .request_ns = 30 * NS_PER_S,
                                    .stall_ns = 2 * NS_PER_S};
    for (uint32_t i = 0; i < shards; i++) {
        struct segment segment = {.index = i, .count = shards, .deal = w->deal};

        w->targets[i] = w->target;
        w->targets[i].max_connections =
            target_make(w->planned.scenario, &url, segment).max_connections;
        struct shard_config config = {.plan = w->planned.plan,
                                      .target = &w->targets[i],
                                      .segment = segment,
                                      .opener = peer_open,
                                      .opener_owner = &w->peer,
                                      .log_successes = LOG_LINES,
                                      .post = post,
                                      .owner = w};
        w->shards[i] = shard_new(w->loop, &config);
    }
}

static void order_all(struct world *w, struct message fields)
{
    for (uint32_t i = 0; i < w->shard_count; i++) {
        struct message *m = xmalloc(sizeof *m);

        *m = fields;
        list_init(&m->node);
        shard_take(w->shards[i], m);
    }
}

static void play(struct world *w)
{
    const struct plan *p = w->planned.plan;
    uint64_t at = now_ns + MS;

    w->begin_ns = at;
    for (uint32_t s = 0; s < p->stage_count; s++) {
        order_all(w, (struct message){.kind = ORDER_STAGE,
                                      .stage = s,
                                      .grid_ns = w->begin_ns,
                                      .start_ns = at,
                                      .end_ns = at + p->stages[s].levels.duration_ns});
        at += p->stages[s].levels.duration_ns;
    }
    loop_run_virtual(w->loop, &now_ns, at);
    order_all(w, (struct message){.kind = ORDER_DRAIN, .natural = true});
    loop_run_virtual(w->loop, &now_ns, now_ns + 5 * NS_PER_S);
    assert_int_equal(w->drained, w->shard_count);
}

static void tear_down(struct world *w)
{
    for (uint32_t i = 0; i < w->shard_count; i++) {
        shard_free(w->shards[i]);
    }
    peer_clear(&w->peer);
    loop_run_virtual(w->loop, &now_ns, now_ns + MS);
    loop_free(w->loop);
    planned_clear(&w->planned);
    deal_free(w->deal);
}

static int compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* `weights` of the shards; NULL: all the same. */
static void
play_dealt(const char *scenario, uint32_t shards, const uint64_t *weights, struct played *out)
{
    struct world w;

    out->count = out->body_count = 0;
    set_up(&w, scenario, shards, weights, out);
    play(&w);
    tear_down(&w);
    qsort(out->operations, out->count, sizeof out->operations[0], compare_u64);
    qsort(out->queue_ns, out->count, sizeof out->queue_ns[0], compare_u64);
    qsort(out->bodies, out->body_count, sizeof out->bodies[0], compare_u64);
}

static void play_on(const char *scenario, uint32_t shards, struct played *out)
{
    play_dealt(scenario, shards, NULL, out);
}

/* ---- random scenarios
 * ---------------------------------------------------------------------------- */

/* What the target carries: each slot is busy for 10 ms with an operation. */
static unsigned random_rate(enum form form, unsigned users, unsigned slots, uint64_t r)
{
    unsigned most = form == CALM ? users * slots * 60 : 400;

    return 1 + (unsigned)rng_below(r, most);
}

static void add_stage(struct buf *out, enum form form, unsigned slots, unsigned stage, uint64_t r)
{
    unsigned vus = 1 + (unsigned)rng_below(rng_at(r, 1), 9);
    unsigned first = (unsigned)rng_below(rng_at(r, 2), 9) + (form == CALM);
    unsigned rps = random_rate(form, vus < first ? vus : first, slots, rng_at(r, 3));

    buf_printf(out, "{'stage': 'custom', 'stage_id': 's%u', 'duration_ms': 2000, ", stage);
    if (form == CLOSED) {
        buf_printf(out, "'load': {'target_vus': %u}},", vus);
        return;
    }
    switch (rng_below(rng_at(r, 4), 3)) {
    case 0: /* sized by its rate */
        buf_printf(out, "'load': {'target_vus': 0, 'target_rps': %u}},", rps);
        break;
    case 1: /* users come or go on a line */
        buf_printf(out,
                   "'load': {'target_vus': %u, 'target_rps': %u},"
                   " 'ramp': {'mode': 'linear', 'start_vus': %u}},",
                   vus, rps, first);
        break;
    default:
        buf_printf(out, "'load': {'target_vus': %u, 'target_rps': %u, 'start_spread_ms': %u}},",
                   vus, rps, 300 * (unsigned)rng_below(rng_at(r, 5), 4));
    }
}

/* A feed of 37 rows, for all scenarios. */
static char feed_path[] = "/tmp/mcpdrill_rows_XXXXXX.csv";

static int write_feed(void **state)
{
    int fd = mkstemps(feed_path, 4);

    (void)state;
    assert_true(fd >= 0);
    dprintf(fd, "id\n");
    for (int i = 0; i < 24; i++) {
        dprintf(fd, "row %d\n", i);
    }
    close(fd);
    return 0;
}

static int remove_feed(void **state)
{
    (void)state;
    return unlink(feed_path);
}

/* Which user takes an arrival is not the same; so nonces are in the closed model only. */
static void random_scenario(enum form form, uint64_t seed, struct buf *out)
{
    unsigned slots = 1 + (unsigned)(rng_at(seed, 2) % 2);

    buf_printf(
        out,
        "{'target': {'url': 'http://localhost/mcp'}, 'session_policy': {'mode': '%s'},"
        " 'workload': {'in_flight_per_vu': %u, 'think_time': {'mode': 'jitter', 'base_ms': 5,"
        " 'jitter_ms': 30}, 'operation_mix': [{'operation': 'tools_call', 'weight': 3},"
        "   {'operation': 'tools_call', 'tool_name': 'echo', 'weight': 1,"
        "    'arguments': {'n': '${op_seq}'}}],"
        "  'tools': {'selection': {'mode': '%s'}, 'templates': ["
        "   {'template_id': 'a', 'tool_name': 'echo', 'weight': 3,"
        "    'arguments': {'r': '${random_int:1:1000000}', 'n': '${op_seq}'}},"
        "   {'template_id': 'b', 'tool_name': 'search', 'weight': 2,"
        "    'arguments': {'c': '${random_choice:x|y|z}', 'row': '${data:rows.id}',"
        "     'n': '%s'}}]},"
        "  'data': [{'name': 'rows', 'path': '%s'}]},"
        " 'stages': [",
        form != CALM && rng_at(seed, 1) % 3 == 0 ? "per_request" : "reuse", slots,
        rng_at(seed, 3) % 2 == 0 ? "weighted" : "round_robin",
        form == CLOSED ? "${nonce}" : "${op_seq}", feed_path);
    for (unsigned stage = 0; stage < 3; stage++) {
        add_stage(out, form, slots, stage, rng_at(seed, 10 + stage));
    }
    if (form == CLOSED) {
        out->len--;
        buf_printf(out, "]}");
        return;
    }
    /* Whatever was too much has time to be served. */
    buf_printf(out, "{'stage': 'custom', 'stage_id': 'end', 'duration_ms': 60000,"
                    " 'load': {'target_vus': 3, 'target_rps': 5, 'start_spread_ms': 0}}]}");
}

static uint64_t quantile(const struct played *p, unsigned percent)
{
    return p->queue_ns[(uint64_t)(p->count - 1) * percent / 100];
}

static void expect_equal(const struct played *a, const struct played *b)
{
    assert_int_equal(a->count, b->count);
    assert_memory_equal(a->operations, b->operations, a->count * sizeof a->operations[0]);
    assert_int_equal(a->body_count, b->body_count);
    assert_memory_equal(a->bodies, b->bodies, a->body_count * sizeof a->bodies[0]);
}

/* Users who live apart cannot help each other out: an operation may wait for its own, and for its
 * session to be made. (Of a backlog that one shard has, others take nothing over.) */
static void expect_little_queueing(const struct played *one, const struct played *several)
{
    assert_in_range(quantile(several, 50), 0, quantile(one, 50) + 10 * MS);
    assert_in_range(quantile(several, 99), 0, quantile(one, 99) + 40 * MS);
}

static void the_same_load_on_any_number_of_shards(void **state)
{
    static struct played one, several;

    (void)state;
    for (uint64_t seed = 1; seed <= SCENARIOS; seed++) {
        enum form form = seed % FORM_COUNT;
        struct buf text;

        buf_init(&text, 1 << 16);
        random_scenario(form, seed, &text);
        play_on(buf_c(&text), 1, &one);
        assert_true(one.count > 0);
        for (uint32_t shards = 2; shards <= SHARDS_MAX; shards++) {
            play_on(buf_c(&text), shards, &several);
            expect_equal(&several, &one);
            if (form == CALM) {
                expect_little_queueing(&one, &several);
            }
        }
        buf_clear(&text);
    }
}

/* Also where one is of a weaker machine than another. */
static void the_same_load_on_shards_of_any_weight(void **state)
{
    static struct played one, several;

    (void)state;
    for (uint64_t seed = 1; seed <= SCENARIOS; seed++) {
        enum form form = seed % FORM_COUNT;
        struct buf text;

        buf_init(&text, 1 << 16);
        random_scenario(form, seed, &text);
        play_on(buf_c(&text), 1, &one);
        for (uint64_t round = 0; round < 2; round++) {
            uint32_t shards = 2 + (uint32_t)rng_below(rng_at(seed, 20 + round), SHARDS_MAX - 1);
            uint64_t weights[SHARDS_MAX];

            for (uint32_t i = 0; i < shards; i++) {
                weights[i] = 1 + rng_below(rng_at(rng_at(seed, 30 + round), i), 9);
            }
            play_dealt(buf_c(&text), shards, weights, &several);
            expect_equal(&several, &one);
            if (form == CALM) {
                expect_little_queueing(&one, &several);
            }
        }
        buf_clear(&text);
    }
}

/* Users that start one after the other: whose turn it is has started. */
static void nothing_waits_for_a_user_to_start(void **state)
{
    static const char scenario[] =
        "{'target': {'url': 'http://localhost/mcp'},"
        " 'workload': {'in_flight_per_vu': 8,"
        "  'operation_mix': [{'operation': 'tools_call', 'tool_name': 'echo'}]},"
        " 'stages': [{'stage': 'baseline', 'duration_ms': 3000,"
        "  'load': {'target_vus': 5, 'target_rps': 100, 'start_spread_ms': 2000}}]}";
    static struct played one, several;

    (void)state;
    play_on(scenario, 1, &one);
    for (uint32_t shards = 2; shards <= SHARDS_MAX; shards++) {
        play_on(scenario, shards, &several);
        expect_equal(&several, &one);
        expect_little_queueing(&one, &several);
    }
}

/* ---- caps ------------------------------------------------------------------------------------ */

#define LOAD(id, ms, vus, rps, ramp)                                                               \
    "{'stage': 'custom', 'stage_id': '" id "', 'duration_ms': " ms ", 'load': {'target_vus': " vus \
    ", 'target_rps': " rps ", 'start_spread_ms': 0}" ramp "}"

/* What a cap has held back has time at the end. */
static void capped_scenario(const char *caps, unsigned slots, const char *stages, struct buf *out)
{
    buf_printf(out,
               "{'target': {'url': 'http://localhost/mcp'}, 'safety': {'hard_caps': {%s}},"
               " 'workload': {'in_flight_per_vu': %u,"
               "  'operation_mix': [{'operation': 'tools_call', 'tool_name': 'echo'}]},"
               " 'stages': [%s, " LOAD("end", "3000", "3", "5", "") "]}",
               caps, slots, stages);
}

/* As many threads as are asked for, and wherever they are: the cap holds back no more than on one.
 */
static void expect_no_part_idle(const char *caps, unsigned slots, const char *stages, bool dealt)
{
    static struct played one, several;
    uint32_t most = 1;
    struct buf text;

    buf_init(&text, 1 << 16);
    capped_scenario(caps, slots, stages, &text);
    play_on(buf_c(&text), 1, &one);
    assert_true(one.count > 0);
    for (uint32_t threads = 2; threads <= SHARDS_MAX; threads += threads) {
        struct planned p;

        planned_make(&p, buf_c(&text), NULL, 0);
        uint32_t shards = sharding_choose(p.plan, threads, SHARDS_MAX);
        planned_clear(&p);
        play_on(buf_c(&text), shards, &several);
        expect_equal(&several, &one);
        expect_little_queueing(&one, &several);
        most = shards > most ? shards : most;
    }
    assert_int_equal(most > 1, dealt);
    buf_clear(&text);
}

static void no_part_of_a_rate_cap_is_idle(void **state)
{
    (void)state;
    /* At the rate, and just above it: fewer users than threads, an odd number, and a ramp. */
    expect_no_part_idle("'max_rps': 100", 8, LOAD("a", "6000", "1", "100", ""), false);
    expect_no_part_idle("'max_rps': 103", 8,
                        LOAD("a", "2000", "1", "100", "") "," LOAD("b", "4000", "9", "100", ""),
                        false);
    expect_no_part_idle("'max_rps': 61.5", 8, LOAD("a", "4000", "7", "60", ""), false);
    expect_no_part_idle(
        "'max_rps': 300", 8,
        LOAD("a", "4000", "9", "290", ", 'ramp': {'mode': 'linear', 'start_vus': 1}"), false);
    /* Caps for two threads, if their users are as many in each. */
    expect_no_part_idle("'max_rps': 16000", 100, LOAD("a", "1000", "3", "15900", ""), false);
    expect_no_part_idle("'max_rps': 16000", 100, LOAD("a", "1000", "4", "15900", ""), true);
    expect_no_part_idle(
        "'max_rps': 16000", 100,
        LOAD("a", "1000", "8", "7900", ", 'ramp': {'mode': 'linear', 'start_vus': 1}"), true);
}

static void no_part_of_a_connection_cap_is_idle(void **state)
{
    (void)state;
    expect_no_part_idle("'max_connections': 4", 4, LOAD("a", "4000", "1", "300", ""), false);
    expect_no_part_idle("'max_connections': 7", 1, LOAD("a", "4000", "7", "500", ""), false);
    expect_no_part_idle("'max_connections': 8", 1, LOAD("a", "4000", "7", "500", ""), true);
}

/* Weights that fit the caps (sharding_fits): what is held back is as little as on one. */
static void expect_fit(const char *caps, const char *stages)
{
    static const uint64_t weights[] = {3, 1};
    static struct played one, several;
    struct planned p;
    struct deal *deal;
    struct buf text;

    buf_init(&text, 1 << 16);
    capped_scenario(caps, 1, stages, &text);
    planned_make(&p, buf_c(&text), NULL, 0);
    assert_int_equal(deal_new(weights, 2, &deal, NULL), 0);
    assert_true(sharding_fits(p.plan, deal));
    deal_free(deal);
    planned_clear(&p);
    play_on(buf_c(&text), 1, &one);
    assert_true(one.count > 1000);
    play_dealt(buf_c(&text), 2, weights, &several);
    expect_equal(&several, &one);
    expect_little_queueing(&one, &several);
    buf_clear(&text);
}

static void no_part_of_a_cap_is_idle_that_is_dealt_by_weight(void **state)
{
    (void)state;
    expect_fit("'max_rps': 805", LOAD("a", "4000", "40", "800", ""));
    expect_fit("'max_connections': 41", LOAD("a", "4000", "40", "800", ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_load_on_any_number_of_shards),
        cmocka_unit_test(the_same_load_on_shards_of_any_weight),
        cmocka_unit_test(nothing_waits_for_a_user_to_start),
        cmocka_unit_test(no_part_of_a_rate_cap_is_idle),
        cmocka_unit_test(no_part_of_a_connection_cap_is_idle),
        cmocka_unit_test(no_part_of_a_cap_is_idle_that_is_dealt_by_weight),
    };

    return cmocka_run_group_tests(tests, write_feed, remove_feed);
}
