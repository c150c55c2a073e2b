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
    unsigned checks, windows, drained;
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

    assert_true(source < local_worker_shards(w->worker));
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

    (void)source;
    w->drained++;
}

/* A port that was free a moment ago. */
static unsigned closed_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    close(fd);
    return ntohs(a.sin_port);
}

static void set_up(struct world *w, uint32_t threads, unsigned vus, const char *safety)
{
    struct worker_listener listener = {on_checks, on_window, on_drained, w};
    char text[1000], url[64];

    *w = (struct world){0};
    snprintf(url, sizeof url, "http://127.0.0.1:%u/mcp", closed_port());
    snprintf(text, sizeof text,
             "{'target': {'url': '%s'}, 'workload': {'operation_mix': [{'operation': 'ping'}]},"
             " 'safety': {%s}, 'stages': [{'stage': 'baseline', 'duration_ms': 60000, 'load': "
             "{'target_vus': %u, 'start_spread_ms': 0}}]}",
             url, safety, vus);
    planned_make(&w->planned, text, NULL, 0);
    assert_int_equal(url_parse(str_c(url), &w->url, NULL), 0);
    assert_int_equal(loop_new(&real_clock, &w->loop, NULL), 0);
    assert_int_equal(
        local_worker_new(w->loop, w->planned.plan, &w->url, threads, false, &w->worker, NULL), 0);
    local_worker_listen(w->worker, &listener);
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
            local_worker_drain(w.worker, true);
        }
        wait_for(&w, &w.drained, 3);
        assert_true(w.started >= 9);
        assert_int_equal(w.started, w.ended);
        tear_down(&w);
    }
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
        cmocka_unit_test(a_worker_may_be_freed_under_load),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
