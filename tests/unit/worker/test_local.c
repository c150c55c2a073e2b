/* SPDX-License-Identifier: MIT */
/* The threads of a local worker, towards a port on which nobody listens. Whole runs are played in
 * tests/integration/test_local_run.c. */
#include "support/planned.h"
#include "worker/local.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static const struct clock real_clock = {0};

struct world {
    struct planned planned;
    struct loop *loop;
    struct url url;
    struct local_worker *worker;
    uint32_t base;
    unsigned checks, windows, drained, process_healths;
    uint64_t sources; /* a bit each */
    uint64_t vus;     /* in the first windows of all */
    uint64_t last_vus[64];
    uint64_t started, ended;
    enum error_code check_code;
};

static void on_checks(void *owner, const struct check_list *checks)
{
    struct world *w = owner;

    w->checks++;
    w->check_code = checks->items[checks->count - 1].code;
}

static void on_window(void *owner, uint32_t source, struct window *win)
{
    struct world *w = owner;

    assert_in_range(source, w->base, w->base + local_worker_shards(w->worker) - 1);
    w->sources |= UINT64_C(1) << source;
    if (win->health.has_process) {
        assert_int_equal(source, w->base);
        w->process_healths++;
    }
    w->vus += win->second == 0 ? win->gauges.active_vus : 0;
    w->last_vus[source] = win->gauges.active_vus;
    w->windows++;
    for (uint32_t k = 0; k < win->key_count; k++) {
        const uint64_t *c = win->keys[k].count;
        w->started += c[COUNT_STARTED];
        w->ended += c[COUNT_ENDED_OK] + c[COUNT_ENDED_FAILED] + c[COUNT_UNFINISHED];
    }
}

static void on_drained(void *owner, uint32_t source)
{
    struct world *w = owner;

    assert_in_range(source, w->base, w->base + local_worker_shards(w->worker) - 1);
    w->drained++;
}

static int bind_port(unsigned *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

/* A port that was free a moment ago. */
static unsigned closed_port(void)
{
    unsigned port;

    close(bind_port(&port));
    return port;
}

/* The config's plan and url are the world's. */
static void set_up_at(struct world *w,
                      unsigned port,
                      struct local_worker_config config,
                      const char *load,
                      const char *safety)
{
    struct worker_listener listener = {on_checks, on_window, on_drained, w};
    char text[1000], url[64];

    *w = (struct world){0};
    snprintf(url, sizeof url, "http://127.0.0.1:%u/mcp", port);
    snprintf(text, sizeof text,
             "{'target': {'url': '%s'}, 'workload': {'operation_mix': [{'operation': 'ping'}]},"
             " 'safety': {%s}, 'stages': [{'stage': 'baseline', 'duration_ms': 60000, 'load': "
             "{%s, 'start_spread_ms': 0}}]}",
             url, safety, load);
    planned_make(&w->planned, text, NULL, 0);
    assert_int_equal(url_parse(str_c(url), &w->url, NULL), 0);
    assert_int_equal(loop_new(&real_clock, &w->loop, NULL), 0);
    config.plan = w->planned.plan;
    config.url = &w->url;
    w->base = config.base;
    assert_int_equal(local_worker_new(w->loop, &config, &w->worker, NULL), 0);
    local_worker_listen(w->worker, &listener);
}

static void
set_up_as(struct world *w, struct local_worker_config config, unsigned vus, const char *safety)
{
    char load[64];

    snprintf(load, sizeof load, "'target_vus': %u", vus);
    set_up_at(w, closed_port(), config, load, safety);
}

static void set_up(struct world *w, uint32_t threads, unsigned vus, const char *safety)
{
    set_up_as(w, (struct local_worker_config){.threads = threads}, vus, safety);
}

static void tear_down(struct world *w)
{
    local_worker_free(w->worker);
    local_worker_free(NULL);
    loop_free(w->loop);
    planned_clear(&w->planned);
}

/* Turns until *counter has reached `want`. */
static void wait_for(struct world *w, const unsigned *counter, unsigned want)
{
    uint64_t until = loop_clock(w->loop) + 20 * NS_PER_S;

    while (*counter < want && loop_clock(w->loop) < until) {
        loop_turn(w->loop, until);
    }
    assert_true(*counter >= want);
}

static void begin_stage(struct world *w)
{
    uint64_t now = loop_clock(w->loop);

    local_worker_stage(w->worker, 0, now, now, now + 60 * NS_PER_S);
}

static void threads_start_and_end_without_work(void **state)
{
    (void)state;
    for (uint32_t threads = 0; threads < 5; threads++) {
        struct world w;

        set_up(&w, threads, 10, "");
        assert_in_range(local_worker_shards(w.worker), threads > 0 ? threads : 1,
                        threads > 0 ? threads : 64);
        tear_down(&w);
    }
}

static void caps_bound_the_threads(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, 4, 10, "'hard_caps': {'max_rps': 0.5}");
    assert_int_equal(local_worker_shards(w.worker), 1);
    tear_down(&w);
    set_up(&w, 4, 10, "'hard_caps': {'max_connections': 9}");
    assert_int_equal(local_worker_shards(w.worker), 1);
    tear_down(&w);
    set_up(&w, 4, 10, "'hard_caps': {'max_rps': 60000, 'max_connections': 12}");
    assert_int_equal(local_worker_shards(w.worker), 4);
    tear_down(&w);
}

static void checks_are_made_once(void **state)
{
    struct world w;

    (void)state;
    set_up(&w, 3, 10, "");
    local_worker_check(w.worker);
    wait_for(&w, &w.checks, 1);
    assert_int_equal(w.check_code, ERROR_CODE_CONNECTION_REFUSED);
    local_worker_drain(w.worker, true);
    wait_for(&w, &w.drained, 3);
    assert_int_equal(w.checks, 1);
    tear_down(&w);
}

static void each_thread_reports_and_drains(void **state)
{
    (void)state;
    for (int cut = 0; cut < 2; cut++) {
        struct world w;

        set_up(&w, 3, 9, "");
        begin_stage(&w);
        wait_for(&w, &w.windows, 3);
        if (cut) {
            local_worker_stop(w.worker);
        } else {
            local_worker_drain(w.worker, false);
        }
        wait_for(&w, &w.drained, 3);
        assert_true(w.started >= 9);
        assert_int_equal(w.started, w.ended);
        tear_down(&w);
    }
}

static uint64_t users_of(struct world *w)
{
    begin_stage(w);
    wait_for(w, &w->windows, local_worker_shards(w->worker));
    return w->vus;
}

/* Sources 3 and 4 of 7 of a run of 70 users, of equal weight and not. */
static void a_part_of_a_run_is_played(void **state)
{
    struct deal *deal;
    struct world w;

    (void)state;
    assert_int_equal(deal_new((uint64_t[]){1, 1, 1, 4, 1, 1, 1}, 7, &deal, NULL), 0);
    for (int weighted = 0; weighted < 2; weighted++) {
        set_up_as(&w,
                  (struct local_worker_config){
                      .total = 7, .base = 3, .shards = 2, .deal = weighted ? deal : NULL},
                  70, "");
        assert_int_equal(local_worker_shards(w.worker), 2);
        assert_int_equal(users_of(&w), weighted ? 35 : 20);
        assert_int_equal(w.sources, 1 << 3 | 1 << 4);
        assert_int_equal(w.process_healths, 1);
        local_worker_check_with(w.worker, false);
        wait_for(&w, &w.checks, 1);
        local_worker_stop(w.worker);
        wait_for(&w, &w.drained, 2);
        tear_down(&w);
    }
    deal_free(deal);
}

/* Of a scenario with caps as of any other: whoever dealt it has looked at them. */
static void a_part_has_the_shards_that_it_is_given(void **state)
{
    struct world w;

    (void)state;
    set_up_as(&w, (struct local_worker_config){.total = 9, .base = 6, .shards = 3}, 10,
              "'hard_caps': {'max_connections': 9}");
    assert_int_equal(local_worker_shards(w.worker), 3);
    tear_down(&w);
}

/* A target that never answers: in a stage sized by its rate each arrival wants a user of its own.
 */
static void a_part_makes_no_more_users_than_it_may(void **state)
{
    static const char *const load = "'target_vus': 0, 'target_rps': 100";
    struct local_worker_config config = {.total = 2, .base = 0, .shards = 2, .max_vus = 151};
    struct world w;
    unsigned port;
    int fd = bind_port(&port);

    (void)state;
    assert_int_equal(listen(fd, 4096), 0);
    set_up_at(&w, port, config, load, "");
    begin_stage(&w);
    wait_for(&w, &w.windows, 6);
    assert_int_equal(w.last_vus[0], 76);
    assert_int_equal(w.last_vus[1], 75);
    local_worker_stop(w.worker);
    wait_for(&w, &w.drained, 2);
    tear_down(&w);
    close(fd);
}

static void what_is_no_part_is_refused(void **state)
{
    struct deal *deal;
    struct world w;
    struct err err;

    (void)state;
    assert_int_equal(deal_new((uint64_t[]){1, 2}, 2, &deal, NULL), 0);
    const struct local_worker_config cases[] = {
        {.total = 3, .base = 0, .shards = 0},
        {.total = 3, .base = 3, .shards = 1},
        {.total = 3, .base = 2, .shards = 2},
        {.total = 3, .base = 2, .shards = UINT32_MAX},
        {.total = 3, .base = 0, .shards = 3, .deal = deal},
        {.total = DEAL_SOURCES_MAX + 1, .base = 0, .shards = 1},
    };
    set_up(&w, 1, 1, "");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct local_worker_config config = cases[i];
        struct local_worker *worker = NULL;

        config.plan = w.planned.plan;
        config.url = &w.url;
        assert_int_equal(local_worker_new(w.loop, &config, &worker, &err), ERR_INVALID);
        assert_null(worker);
    }
    tear_down(&w);
    deal_free(deal);
}

static void a_worker_may_be_freed_under_load(void **state)
{
    (void)state;
    for (uint64_t ms = 0; ms < 40; ms += 8) {
        struct world w;

        set_up(&w, 2, 20, "");
        local_worker_check(w.worker);
        begin_stage(&w);
        uint64_t until = loop_clock(w.loop) + ms * NS_PER_MS;
        while (loop_clock(w.loop) < until) {
            loop_turn(w.loop, until);
        }
        tear_down(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_start_and_end_without_work),
        cmocka_unit_test(caps_bound_the_threads),
        cmocka_unit_test(checks_are_made_once),
        cmocka_unit_test(each_thread_reports_and_drains),
        cmocka_unit_test(a_part_of_a_run_is_played),
        cmocka_unit_test(a_part_has_the_shards_that_it_is_given),
        cmocka_unit_test(a_part_makes_no_more_users_than_it_may),
        cmocka_unit_test(what_is_no_part_is_refused),
        cmocka_unit_test(a_worker_may_be_freed_under_load),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
