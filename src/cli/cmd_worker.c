/* SPDX-License-Identifier: MIT */
#include "cli/cmd_worker.h"

#include "cli/networks.h"
#include "cli/quick.h"
#include "cli/worker_procs.h"
#include "http/url.h"
#include "loop/signals.h"
#include "net/addr.h"
#include "worker/introduce.h"
#include "worker/spawn.h"
#include "worker/uplink_http.h"
#include "worker/uplink_pipe.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { VUS_MAX = 10000000, THREADS_MAX = 256, PROCESSES_MAX = 1024, BEAT_MIN_MS = 100 };
enum { LABELS_MAX = 64, BEAT_MAX_MS = 3000 }; /* a worker is suspect after three seconds */
#define DEFAULT_URL   "http://localhost:8080"
#define LEAVE_WAIT_NS (30 * NS_PER_S)

struct worker_session {
    const struct opt_args *args;
    const char *url;
    bool pipe;
    uint64_t procs, max_vus, threads, of, beat_ms;
    const char *patterns[OPT_GIVEN_MAX];
    struct networks networks;
    struct part_rules rules;
    json_t *labels;

    struct loop *loop;
    struct signals signals;
    bool has_signals;
    unsigned signal_count;
    struct timer leave_timer;
    struct wire_hello hello;
    struct remote *remote;
    struct uplink_pipe *line;
    struct uplink_http *http;
    int code;
};

static const struct clock real_clock = {0};

static int fail(const struct err *err, int code)
{
    fprintf(stderr, "mcpdrill worker: %s\n", err->msg);
    return code;
}

static void leave(struct worker_session *s, int code)
{
    s->code = code;
    loop_stop(s->loop);
}

/* ---- options ----------------------------------------------------------------------------------
 */

/* Refused rather than ignored: who gives one believes that it protects something. */
static int refuse_credentials(const struct opt_args *args, struct err *err)
{
    static const char *const names[] = {"api-key", "tls-ca-file"};
    char label[OPT_VARIABLE_MAX];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (opt_has(args, names[i])) {
            return err_set(err, ERR_USAGE,
                           "%s comes with credentials, which control planes do not ask for yet; "
                           "leave it out",
                           opt_label(args, names[i], label));
        }
    }
    return 0;
}

static void note_what_changes_nothing(const struct opt_args *args)
{
    if (opt_has(args, "poll-interval")) {
        fputs("mcpdrill worker: --poll-interval changes nothing: work is brought, not fetched\n",
              stderr);
    }
}

static int add_label(json_t *labels, const char *text, struct err *err)
{
    const char *equals = strchr(text, '=');
    size_t name = equals != NULL ? (size_t)(equals - text) : 0;

    if (name == 0 || name > WIRE_TEXTS_NAME_MAX || equals[1] == '\0' ||
        strlen(equals + 1) > WIRE_TEXTS_VALUE_MAX) {
        return err_set(err, ERR_USAGE,
                       "--label %.60s: KEY=VALUE is expected, at most %d and %d bytes", text,
                       WIRE_TEXTS_NAME_MAX, WIRE_TEXTS_VALUE_MAX);
    }
    char key[WIRE_TEXTS_NAME_MAX + 1];
    snprintf(key, sizeof key, "%.*s", (int)name, text);
    if (json_object_get(labels, key) != NULL) {
        return err_set(err, ERR_USAGE, "--label %.60s is given twice", key);
    }
    return json_object_set_new(labels, key, json_string(equals + 1)) == 0
               ? 0
               : err_set(err, ERR_USAGE, "--label %.60s is not valid UTF-8", text);
}

static int read_labels(struct worker_session *s, struct err *err)
{
    const char *texts[OPT_GIVEN_MAX];
    size_t count = opt_values(s->args, "label", texts);
    int rc = 0;

    if (count > LABELS_MAX) {
        return err_set(err, ERR_USAGE, "--label: at most %d are possible", LABELS_MAX);
    }
    s->labels = json_object();
    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = add_label(s->labels, texts[i], err);
    }
    return rc;
}

static int read_beat(struct worker_session *s, struct err *err)
{
    const char *text = opt_value(s->args, "heartbeat-interval");
    char label[OPT_VARIABLE_MAX];

    if (text != NULL && (!quick_duration(str_c(text), &s->beat_ms) || s->beat_ms < BEAT_MIN_MS ||
                         s->beat_ms > BEAT_MAX_MS)) {
        return err_set(err, ERR_USAGE, "%s %.40s: a time from 100ms to 3s is expected",
                       opt_label(s->args, "heartbeat-interval", label), text);
    }
    return 0;
}

static int read_id(const struct worker_session *s, struct err *err)
{
    static const char digits[] = "0123456789abcdef";
    const char *id = opt_value(s->args, "worker-id");

    if (id == NULL) {
        return 0;
    }
    size_t len = strlen(id);
    if (len < 12 || len > 64 || strncmp(id, "wkr_", 4) != 0 || strspn(id + 4, digits) != len - 4) {
        return err_set(err, ERR_USAGE,
                       "--worker-id %.70s: wkr_ and 8 to 60 digits of 0-9a-f are expected", id);
    }
    return s->procs > 1 ? err_set(err, ERR_USAGE,
                                  "--worker-id names one worker; with --procs each gets its own")
                        : 0;
}

static bool is_loopback(const struct url *url)
{
    union addr addr;

    return strcmp(url->host, "localhost") == 0 ||
           (addr_from_literal(str_c(url->host), url->port, &addr) && addr_is_loopback(&addr));
}

/* Who can post scenarios to a control plane elsewhere must not be able to read the variables of
 * this machine. */
static int read_control_plane(struct worker_session *s, struct err *err)
{
    const char *url = opt_value(s->args, "control-plane");
    struct url parsed;
    struct err wrong = {0};

    s->url = url != NULL ? url : DEFAULT_URL;
    if (s->pipe) {
        return 0;
    }
    if (url_parse(str_c(s->url), &parsed, &wrong) != 0) {
        return err_set(err, ERR_USAGE, "--control-plane %.80s: %.120s", s->url, wrong.msg);
    }
    s->rules = (struct part_rules){
        .guarded = !is_loopback(&parsed),
        .patterns = s->patterns,
        .pattern_count = opt_values(s->args, "allow-secret", s->patterns),
        .networks = s->networks.blocks,
    };
    int rc = networks_read(s->args, &s->networks, err);
    s->rules.network_count = s->networks.count;
    return rc;
}

static int read_options(struct worker_session *s)
{
    struct err err = {0};
    int rc = refuse_credentials(s->args, &err);

    s->pipe = opt_has(s->args, "pipe");
    rc = rc != 0 ? rc : opt_number(s->args, "procs", 1, WORKER_PROCS_MAX, &s->procs, &err);
    rc = rc != 0 ? rc : opt_number(s->args, "max-vus", 1, VUS_MAX, &s->max_vus, &err);
    rc = rc != 0 ? rc : opt_number(s->args, "threads", 1, THREADS_MAX, &s->threads, &err);
    rc = rc != 0 ? rc : opt_number(s->args, "of", 1, PROCESSES_MAX, &s->of, &err);
    rc = rc != 0 ? rc : read_beat(s, &err);
    rc = rc != 0 ? rc : read_id(s, &err);
    rc = rc != 0 ? rc : read_labels(s, &err);
    rc = rc != 0 ? rc : read_control_plane(s, &err);
    return rc != 0 ? fail(&err, EXIT_USAGE) : EXIT_PASSED;
}

/* ---- what happens -----------------------------------------------------------------------------
 */

static void on_change(void *owner)
{
    struct worker_session *s = owner;

    if (s->line != NULL) {
        uplink_pipe_wake(s->line);
    }
    if (s->http != NULL) {
        uplink_http_wake(s->http);
    }
    if (s->signal_count > 0 && remote_done(s->remote)) {
        leave(s, EXIT_PASSED);
    }
}

static void on_leave_timer(struct timer *t)
{
    struct worker_session *s = list_entry(t, struct worker_session, leave_timer);

    fputs("mcpdrill worker: not all of the load has ended and been reported within 30 s\n", stderr);
    leave(s, EXIT_INTERNAL);
}

static void on_signal(struct signals *signals, int signo)
{
    struct worker_session *s = list_entry(signals, struct worker_session, signals);

    if (++s->signal_count > 1) {
        leave(s, 128 + signo);
        return;
    }
    if (remote_vus(s->remote) > 0) {
        fputs("mcpdrill worker: finishing what runs; a second signal ends it at once\n", stderr);
    }
    loop_timer_arm(s->loop, &s->leave_timer, loop_clock(s->loop) + LEAVE_WAIT_NS);
    remote_leave(s->remote);
}

static void on_registered(void *owner, const char *worker_id, bool again)
{
    (void)owner;
    if (again) {
        fprintf(stderr, "mcpdrill worker: registered again as %s\n", worker_id);
        return;
    }
    printf("Worker registered: %s\n", worker_id);
    fflush(stdout);
}

static void on_trouble(void *owner, const char *text)
{
    const struct worker_session *s = owner;

    if (text[0] != '\0') {
        fprintf(stderr, "mcpdrill worker: %s; trying again\n", text);
    } else {
        fprintf(stderr, "mcpdrill worker: connected to %s\n", s->url);
    }
}

static void on_end(void *owner, const char *why)
{
    if (why[0] != '\0') {
        fprintf(stderr, "mcpdrill worker: %s\n", why);
    }
    leave(owner, why[0] != '\0' ? EXIT_INTERNAL : EXIT_PASSED);
}

/* ---- made and freed ---------------------------------------------------------------------------
 */

static void make_remote(struct worker_session *s)
{
    struct capacity_limits limits;
    const char *id = opt_value(s->args, "worker-id");

    capacity_read("", s->of > 0 ? (uint32_t)s->of : 1, &limits);
    limits.cores = s->threads > 0 ? (uint32_t)s->threads : limits.cores;
    struct capacity capacity = capacity_of(&limits, s->max_vus);
    introduce(&capacity, s->labels, &s->hello);
    snprintf(s->hello.worker_id, sizeof s->hello.worker_id, "%s", id != NULL ? id : "");
    s->remote = remote_new(&(struct remote_config){.loop = s->loop,
                                                   .capacity = capacity,
                                                   .rules = s->rules,
                                                   .on_change = on_change,
                                                   .owner = s});
}

static int dial_out(struct worker_session *s, struct err *err)
{
    const struct uplink_http_config config = {.loop = s->loop,
                                              .remote = s->remote,
                                              .url = s->url,
                                              .hello = &s->hello,
                                              .heartbeat_ns = s->beat_ms * NS_PER_MS,
                                              .on_registered = on_registered,
                                              .on_trouble = on_trouble,
                                              .on_end = on_end,
                                              .owner = s};

    return uplink_http_new(&config, &s->http, err);
}

static int take_line(struct worker_session *s, struct err *err)
{
    const struct uplink_pipe_config config = {.loop = s->loop,
                                              .remote = s->remote,
                                              .fd = SPAWN_LINE_FD,
                                              .hello = &s->hello,
                                              .on_end = on_end,
                                              .owner = s};
    int type;
    socklen_t len = sizeof type;

    if (getsockopt(SPAWN_LINE_FD, SOL_SOCKET, SO_TYPE, &type, &len) != 0) {
        return err_set(err, ERR_USAGE, "--pipe is for workers that another program starts");
    }
    return uplink_pipe_new(&config, &s->line, err);
}

static int connect_up(struct worker_session *s)
{
    struct err err = {0};

    if (loop_new(&real_clock, &s->loop, &err) != 0 ||
        signals_init(&s->signals, s->loop, on_signal, &err) != 0) {
        return fail(&err, EXIT_INTERNAL);
    }
    s->has_signals = true;
    timer_init(&s->leave_timer, on_leave_timer);
    make_remote(s);
    int rc = s->pipe ? take_line(s, &err) : dial_out(s, &err);
    if (rc != 0) {
        return fail(&err, rc == ERR_IO ? EXIT_INTERNAL : EXIT_USAGE);
    }
    return EXIT_PASSED;
}

static void session_clear(struct worker_session *s)
{
    uplink_http_free(s->http);
    uplink_pipe_free(s->line);
    remote_free(s->remote);
    wire_hello_clear(&s->hello);
    if (s->has_signals) {
        loop_timer_cancel(s->loop, &s->leave_timer);
        signals_clear(&s->signals);
    }
    loop_free(s->loop);
    json_decref(s->labels);
}

int cmd_worker(const struct opt_args *args)
{
    static struct worker_session s; /* too large for a stack */

    s = (struct worker_session){.args = args};
    int code = read_options(&s);
    if (code == EXIT_PASSED && s.procs > 1) {
        code = worker_procs(args, (uint32_t)s.procs);
    } else if (code == EXIT_PASSED) {
        note_what_changes_nothing(args);
        code = connect_up(&s);
        if (code == EXIT_PASSED) {
            loop_run(s.loop);
            code = s.code;
        }
    }
    session_clear(&s);
    return code;
}
