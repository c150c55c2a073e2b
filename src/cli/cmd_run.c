/* SPDX-License-Identifier: MIT */
/*
 * `mcpdrill run`: control plane and worker in one process. The main thread owns the loop of the
 * run, the signals, the panel and the files; the load is on the worker's threads.
 */
#include "cli/cli.h"
#include "cli/kin.h"
#include "cli/labels.h"
#include "cli/load.h"
#include "cli/output.h"
#include "cli/panel.h"
#include "control/run.h"
#include "http/url.h"
#include "loop/signals.h"
#include "report/files/files.h"
#include "report/files/junit.h"
#include "report/result/result.h"
#include "report/summary/summary.h"
#include "wire/order.h"
#include "worker/local.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

enum { THREADS_MAX = 256, SIGNALS_TO_LEAVE = 3, STEPS_TO_LOOK = 2 /* options, load */ };
#define DRAW_NS  (500 * NS_PER_MS)
#define SEED_MAX (UINT64_C(1) << 53) /* the largest integer that every JSON reader knows */

struct session {
    const struct opt_args *args;
    const char *json_path, *out_dir, *junit_path, *save_path;
    bool quiet;
    uint64_t threads, workers;

    struct loop *loop;
    struct signals signals;
    bool has_signals;
    unsigned signal_count;
    int early_signo; /* one that came before there was a run; else 0 */
    struct timer draw_timer;

    struct scenario *scenario;
    struct url url;
    char run_id[32], execution_id[32], worker_id[32];
    struct plan_identity identity;
    struct plan *plan;
    const char *name; /* --name */
    json_t *tags;     /* --tag, until the origin has them */
    struct run_origin origin;
    struct local_worker *worker; /* or … */
    struct run_workers orders;
    struct kin *kin; /* … these */
    json_t *feeds;   /* what they are told of the scenario's files */
    struct run *run;
    struct panel *panel;
    struct result_files *files;
    char result_path[4096]; /* "": none that can be named */
};

static const struct clock real_clock = {0};

/* ---- ids --------------------------------------------------------------------------------------
 */

static uint64_t random_u64(void)
{
    uint64_t value = 0;

    if (getrandom(&value, sizeof value, 0) != (ssize_t)sizeof value) {
        value = clock_monotonic_ns() ^ (uint64_t)getpid() << 32;
    }
    return value;
}

/* The run's id sorts by time; the counter is for runs of one process within a nanosecond. */
static void make_identity(struct session *s)
{
    static unsigned counter;
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    uint64_t ns = (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
    snprintf(s->run_id, sizeof s->run_id, "run_%016llx%04x", (unsigned long long)ns,
             counter++ & 0xffffu);
    snprintf(s->execution_id, sizeof s->execution_id, "exe_%016llx",
             (unsigned long long)random_u64());
    snprintf(s->worker_id, sizeof s->worker_id, "wkr_%016llx", (unsigned long long)random_u64());
    s->identity = (struct plan_identity){
        .run_id = s->run_id, .execution_id = s->execution_id, .worker_id = s->worker_id};
}

/* ---- from the worker to the run ----------------------------------------------------------------
 */

static void on_checks(void *owner, const struct check_list *checks)
{
    struct session *s = owner;

    run_on_checks(s->run, checks);
}

static void on_window(void *owner, uint32_t source, struct window *w)
{
    struct session *s = owner;

    if (s->files != NULL) {
        result_files_window(s->files, source, w);
    }
    run_on_window(s->run, source, w);
}

/* The books have it already. */
static void on_kin_window(void *owner, uint32_t source, struct window *w)
{
    struct session *s = owner;

    if (s->files != NULL) {
        result_files_window(s->files, source, w);
    }
}

static void on_drained(void *owner, uint32_t source)
{
    struct session *s = owner;

    run_on_drained(s->run, source);
}

/* ---- from the run to people --------------------------------------------------------------------
 */

static void on_event(void *owner, const struct run_event *event)
{
    struct session *s = owner;

    if (s->files != NULL) {
        result_files_event(s->files, event);
    }
}

static void on_second(void *owner, uint64_t second)
{
    struct session *s = owner;

    if (s->files != NULL) {
        result_files_seconds(s->files, s->run);
    }
    if (s->panel != NULL) {
        panel_second(s->panel, s->run, second);
    }
}

static void on_end(void *owner)
{
    struct session *s = owner;

    loop_stop(s->loop);
}

static void on_draw(struct timer *t)
{
    struct session *s = list_entry(t, struct session, draw_timer);

    panel_draw(s->panel, s->run, loop_now(s->loop));
    loop_timer_arm(s->loop, t, loop_now(s->loop) + DRAW_NS);
}

/* Once: finish what runs. Twice: at once. Three times: something of ours hangs. */
static void on_signal(struct signals *signals, int signo)
{
    struct session *s = list_entry(signals, struct session, signals);

    if (++s->signal_count >= SIGNALS_TO_LEAVE) {
        _exit(128 + SIGINT);
    }
    if (s->run == NULL) { /* the worker processes are still starting */
        s->early_signo = signo;
        loop_stop(s->loop);
    } else if (!run_state_terminal(s->run->state)) {
        run_stop_request(s->run, s->signal_count == 1 ? STOP_DRAIN : STOP_IMMEDIATE, signo, "user");
    }
}

/* ---- before the load ---------------------------------------------------------------------------
 */

static int fail(const struct session *s, const struct err *err, int code)
{
    fprintf(stderr, "mcpdrill %s: %s\n", s->args->command->name, err->msg);
    return code;
}

static bool is_stdout(const char *path)
{
    return path != NULL && strcmp(path, "-") == 0;
}

/* Before the load: a place where nothing can be written would cost the whole run, and so would two
 * documents in one place. */
static int check_outputs(const struct session *s, struct err *err)
{
    const struct {
        const char *option, *path;
    } outputs[] = {{"json", s->json_path}, {"junit", s->junit_path}, {"save", s->save_path}};

    for (size_t i = 0; i < sizeof outputs / sizeof outputs[0]; i++) {
        if (outputs[i].path == NULL) {
            continue;
        }
        for (size_t j = 0; j < i; j++) {
            if (outputs[j].path != NULL && strcmp(outputs[i].path, outputs[j].path) == 0) {
                return err_set(err, ERR_USAGE, "--%s and --%s both go to %s", outputs[j].option,
                               outputs[i].option, outputs[i].path);
            }
        }
        int rc = output_check(outputs[i].path, err);
        if (rc != 0) {
            return rc;
        }
    }
    return 0;
}

static int read_options(struct session *s)
{
    struct err err = {0};
    uint64_t seed;

    s->json_path = opt_value(s->args, "json");
    s->out_dir = opt_value(s->args, "out");
    s->junit_path = opt_value(s->args, "junit");
    s->save_path = opt_value(s->args, "save");
    s->quiet = opt_has(s->args, "quiet");
    if (opt_number(s->args, "threads", 1, THREADS_MAX, &s->threads, &err) != 0 ||
        opt_number(s->args, "workers", 1, KIN_MAX, &s->workers, &err) != 0 ||
        opt_number(s->args, "seed", 0, SEED_MAX, &seed, &err) != 0) {
        return fail(s, &err, EXIT_USAGE);
    }
    if (check_outputs(s, &err) != 0 || labels_read(s->args, &s->name, &s->tags, &err) != 0) {
        return fail(s, &err, EXIT_USAGE);
    }
    return EXIT_PASSED;
}

/* The workers of one machine have no labels: every share would be without one. */
static int check_placement(const struct session *s)
{
    struct err err = {0};

    if (!s->scenario->has_placement) {
        return EXIT_PASSED;
    }
    (void)err_set(
        &err, ERR_USAGE,
        "placement: users are dealt by the label %.100s, and processes of this machine "
        "have no labels: run it on a control plane (mcpdrill create, mcpdrill start) whose "
        "workers have it, or take placement out",
        s->scenario->placement.label);
    return fail(s, &err, EXIT_USAGE);
}

static int load(struct session *s)
{
    struct issue_list issues = {0};
    struct err err = {0};
    int rc = load_scenario(s->args, opt_value(s->args, "seed"), &s->scenario, &issues, &err);

    if (rc != 0 || (issues.count > 0 && !s->quiet)) {
        load_complain(s->args, &issues, &err);
    }
    issue_list_clear(&issues);
    if (rc == 0 && check_placement(s) != EXIT_PASSED) {
        return EXIT_USAGE;
    }
    if (rc == 0 && s->save_path != NULL && load_save(s->scenario, s->save_path, &err) != 0) {
        return fail(s, &err, EXIT_USAGE);
    }
    return rc == 0 ? EXIT_PASSED : EXIT_USAGE;
}

static int make_plan(struct session *s)
{
    struct err err = {0};

    if (url_parse(str_c(s->scenario->target.url), &s->url, &err) != 0) {
        fprintf(stderr, "mcpdrill %s: target.url: %s\n", s->args->command->name, err.msg);
        return EXIT_USAGE;
    }
    make_identity(s);
    s->plan = plan_new(s->scenario, &s->identity, s->url.authority, s->url.target);
    json_t *tags = s->tags;
    s->tags = NULL;
    return origin_make(&s->origin, s->plan, s->args->argc, s->args->argv, s->name, tags, &err) == 0
               ? EXIT_PASSED
               : fail(s, &err, EXIT_USAGE);
}

static int keep_scenario(const struct session *s, struct err *err)
{
    const char *source = s->args->operand_count > 0 ? s->args->operands[0] : NULL;

    return result_files_scenario(s->out_dir, source, buf_str(&s->origin.text), err);
}

static const struct run_workers *orders(const struct session *s)
{
    return s->kin != NULL ? kin_orders(s->kin) : &s->orders;
}

/* The files are made last: what fails before leaves none behind. */
static int make_outputs(struct session *s)
{
    struct err err = {0};

    if (s->out_dir != NULL && keep_scenario(s, &err) != 0) {
        return fail(s, &err, EXIT_USAGE);
    }
    if (s->out_dir != NULL && result_files_open(s->out_dir, &s->scenario->reporting, s->plan,
                                                &s->identity, orders(s), &s->files, &err) != 0) {
        return fail(s, &err, EXIT_USAGE);
    }
    if (s->json_path != NULL && !is_stdout(s->json_path)) {
        snprintf(s->result_path, sizeof s->result_path, "%s", s->json_path);
    } else if (s->out_dir != NULL) {
        snprintf(s->result_path, sizeof s->result_path, "%s/result.json", s->out_dir);
    }
    return EXIT_PASSED;
}

/* The load is made by threads of this process. */
static int make_threads(struct session *s, bool log, struct err *err)
{
    struct worker_listener listener = {
        .on_checks = on_checks, .on_window = on_window, .on_drained = on_drained, .owner = s};
    struct local_worker_config config = {
        .plan = s->plan, .url = &s->url, .threads = (uint32_t)s->threads, .log = log};
    int rc = local_worker_new(s->loop, &config, &s->worker, err);

    if (rc != 0) {
        return rc;
    }
    local_worker_listen(s->worker, &listener);
    s->orders = (struct run_workers){
        .check = local_worker_check,
        .stage = local_worker_stage,
        .drain = local_worker_drain,
        .stop = local_worker_stop,
        .source_count = local_worker_shards(s->worker),
    };
    return 0;
}

/* By processes of their own. */
static int make_kin(struct session *s, uint32_t count, bool log, struct err *err)
{
    int rc = load_feed_texts(s->args, s->scenario, WIRE_ORDER_BYTES_MAX / 2, &s->feeds, err);
    struct kin_config config = {.loop = s->loop,
                                .plan = s->plan,
                                .identity = &s->identity,
                                .files = s->feeds,
                                .count = count,
                                .threads = (uint32_t)s->threads,
                                .log = log,
                                .on_window = on_kin_window,
                                .owner = s};

    return rc == 0 ? kin_new(&config, &s->kin, err) : rc;
}

static int make_run(struct session *s)
{
    bool log = s->out_dir != NULL && s->scenario->reporting.store_raw_logs;
    uint32_t count = s->workers > 0 ? (uint32_t)s->workers : kin_needed(s->plan);
    bool kin = s->workers > 0 || count > 1;
    struct err err = {0};
    int rc = kin ? make_kin(s, count, log, &err) : make_threads(s, log, &err);

    if (s->early_signo != 0) {
        err_set(&err, ERR_STATE, "interrupted before there was a load");
        return fail(s, &err, 128 + s->early_signo);
    }
    if (rc != 0) {
        return fail(s, &err, rc == ERR_LIMIT ? EXIT_USAGE : EXIT_INTERNAL);
    }
    struct run_parts parts = {
        .plan = s->plan,
        .identity = &s->identity,
        .workers = orders(s),
        .workers_owner = kin ? kin_orders_owner(s->kin) : s->worker,
        .observer = {.on_event = on_event, .on_second = on_second, .on_end = on_end, .owner = s}};
    if (run_new(s->loop, &parts, &s->run, &err) != 0) {
        return fail(s, &err, EXIT_INTERNAL);
    }
    s->run->origin = &s->origin;
    return EXIT_PASSED;
}

/* Signals are blocked before the first thread starts, so that only the loop gets them. */
static int make_loop(struct session *s)
{
    struct err err = {0};

    if (loop_new(&real_clock, &s->loop, &err) != 0 ||
        signals_init(&s->signals, s->loop, on_signal, &err) != 0) {
        return fail(s, &err, EXIT_INTERNAL);
    }
    s->has_signals = true;
    return EXIT_PASSED;
}

/* ---- the load and what comes of it -------------------------------------------------------------
 */

/* Where people read: the standard output, unless a document goes there. */
static int people_fd(const struct session *s)
{
    bool taken = is_stdout(s->json_path) || is_stdout(s->junit_path) || is_stdout(s->save_path);

    return taken ? STDERR_FILENO : STDOUT_FILENO;
}

static void play(struct session *s)
{
    struct text_style style = text_style_of(people_fd(s));

    if (!s->quiet) {
        s->panel = panel_new(people_fd(s), &style);
        panel_begin(s->panel, s->run);
    }
    timer_init(&s->draw_timer, on_draw);
    if (s->panel != NULL && style.terminal) {
        loop_timer_arm(s->loop, &s->draw_timer, loop_clock(s->loop));
    }
    run_emit_created(s->run);
    if (s->kin != NULL) {
        kin_begin(s->kin, s->run);
    }
    run_start(s->run);
    loop_run(s->loop);
    loop_timer_cancel(s->loop, &s->draw_timer);
    if (s->panel != NULL) {
        panel_clear(s->panel);
    }
}

static void print_summary(const struct session *s, const json_t *result)
{
    FILE *to = people_fd(s) == STDERR_FILENO ? stderr : stdout;
    struct summary_options options = {
        .style = text_style_of(people_fd(s)),
        .result_path = s->result_path[0] != '\0' ? s->result_path : NULL,
    };
    struct buf text;

    buf_init(&text, SUMMARY_TEXT_MAX);
    int rc = s->quiet ? summary_verdict(result, &options.style, &text)
                      : summary_write(result, &options, &text);
    if (!s->quiet) {
        fputc('\n', to);
    }
    fwrite(text.p, 1, text.len, to);
    if (rc != 0) {
        fputs("mcpdrill run: the summary was cut\n", stderr);
    }
    /* A reader who is gone misses the text; the result and the exit code still tell. */
    (void)fflush(to);
    buf_clear(&text);
}

/* Where the document goes, and in which form. */
struct outlet {
    const char *path; /* NULL: nobody asked for it */
    int (*write)(const json_t *result, struct buf *out);
};

static int write_outlet(const struct outlet *outlet, const json_t *result, struct err *err)
{
    struct buf text;

    buf_init(&text, RESULT_TEXT_MAX);
    int rc = outlet->write(result, &text);
    rc = rc != 0 ? err_set(err, rc, "%.100s: the text is too long", outlet->path)
                 : output_write(outlet->path, buf_str(&text), err);
    buf_clear(&text);
    return rc;
}

/* The verdict's exit code, or an internal error when a passed run's result could not be kept. */
static int keep_result(struct session *s, const json_t *result)
{
    const struct outlet outlets[] = {{s->json_path, result_text_of}, {s->junit_path, junit_write}};
    struct err err = {0};
    int rc = 0;

    for (size_t i = 0; i < sizeof outlets / sizeof outlets[0]; i++) {
        if (outlets[i].path != NULL && write_outlet(&outlets[i], result, &err) != 0) {
            rc = fail(s, &err, EXIT_INTERNAL);
        }
    }
    if (s->files != NULL) {
        if (result_files_close(s->files, s->run, &err) != 0) {
            rc = fail(s, &err, EXIT_INTERNAL);
        }
        s->files = NULL;
    }
    return s->run->exit_code != 0 ? s->run->exit_code : rc;
}

static void session_clear(struct session *s)
{
    panel_free(s->panel);
    result_files_drop(s->files);
    local_worker_free(s->worker);
    if (s->run != NULL) {
        run_free(s->run);
    }
    kin_free(s->kin);
    json_decref(s->feeds);
    origin_clear(&s->origin);
    json_decref(s->tags);
    plan_free(s->plan);
    scenario_free(s->scenario);
    if (s->has_signals) {
        signals_clear(&s->signals);
    }
    loop_free(s->loop);
}

int cmd_run(const struct opt_args *args)
{
    static int (*const steps[])(struct session * s) = {
        read_options, load, make_loop, make_plan, make_run, make_outputs,
    };
    struct session s = {.args = args};
    bool only_look = opt_has(args, "no-run");
    size_t count = only_look ? STEPS_TO_LOOK : sizeof steps / sizeof steps[0];
    int code = EXIT_PASSED;

    for (size_t i = 0; code == EXIT_PASSED && i < count; i++) {
        code = steps[i](&s);
    }
    if (code == EXIT_PASSED && !only_look) {
        play(&s);
        if (s.files != NULL) {
            result_files_end(s.files, s.run);
        }
        json_t *result = result_json(s.run);
        code = keep_result(&s, result);
        print_summary(&s, result);
        json_decref(result);
    }
    session_clear(&s);
    return code;
}
