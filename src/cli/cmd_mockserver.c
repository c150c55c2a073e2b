/* SPDX-License-Identifier: MIT */
#include "cli/cmd_mockserver.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "cli/opt.h"
#include "loop/signals.h"
#include "mock/server/serve.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

enum { EXIT_OK = 0, EXIT_FAILED = 1 };
enum { OPTIONS_MAX = 64, FLAG_TEXT = 64 };

/* Codes of the program's own options; those of the fault knobs follow. */
enum option_code {
    OPT_ADDR = 256,
    OPT_SEED,
    OPT_THREADS,
    OPT_SESSION_TTL,
    OPT_REQUIRE_SESSION,
    OPT_STRICT,
    OPT_PAGE_SIZE,
    OPT_JSON_ONLY,
    OPT_SSE,
    OPT_MAX_SECONDS,
    OPT_INSECURE,
    OPT_HELP,
    OPT_FAULT,
};

static const struct {
    const char *name, *value;
    enum option_code code;
    const char *help;
} own_options[] = {
    {"addr", "ADDRESS", OPT_ADDR, "listen here: :PORT (loopback) or HOST:PORT; default :3000"},
    {"seed", "N", OPT_SEED, "seed of every random choice; default: a new one each time"},
    {"threads", "N", OPT_THREADS, "serving threads; default: one for each processor"},
    {"session-ttl-ms", "N", OPT_SESSION_TTL, "sessions end so long after they were opened"},
    {"require-session", NULL, OPT_REQUIRE_SESSION, "refuse requests without a session id (400)"},
    {"strict-protocol", NULL, OPT_STRICT, "both media types in Accept; unknown tool is -32602"},
    {"page-size", "N", OPT_PAGE_SIZE, "entries of one page of a list; default: all"},
    {"json-only", NULL, OPT_JSON_ONLY, "never answer with a stream"},
    {"sse", NULL, OPT_SSE, "answer with a stream whenever the client accepts one"},
    {"max-seconds", "N", OPT_MAX_SECONDS, "end by itself after so many seconds"},
    {"insecure", NULL, OPT_INSECURE, "allow an address that is not loopback"},
    {"help", NULL, OPT_HELP, "this text"},
};
enum { OWN_OPTIONS = sizeof own_options / sizeof own_options[0] };

struct settings {
    struct mock_serve_config serve;
    uint64_t max_seconds; /* 0: for ever */
    bool insecure, help;
};

/* ---- options ------------------------------------------------------------------------------ */

struct option_table {
    struct option options[OPTIONS_MAX];
    char fault_flags[OPTIONS_MAX][FLAG_TEXT];
    size_t count;
};

static void make_table(struct option_table *t)
{
    *t = (struct option_table){0};
    for (size_t i = 0; i < OWN_OPTIONS; i++) {
        t->options[t->count++] = (struct option){
            .name = own_options[i].name,
            .has_arg = own_options[i].value != NULL ? required_argument : no_argument,
            .val = (int)own_options[i].code,
        };
    }
    for (size_t i = 0; i < fault_field_count && t->count < OPTIONS_MAX - 1; i++) {
        bool is_switch = fault_fields[i].type == FAULT_SWITCH;

        t->options[t->count++] = (struct option){
            .name = fault_flag(&fault_fields[i], t->fault_flags[i]),
            .has_arg = is_switch ? optional_argument : required_argument,
            .val = OPT_FAULT + (int)i,
        };
    }
}

static void print_help(void)
{
    char flag[FLAG_TEXT];

    printf("Usage: mockserver [--addr :PORT] [OPTION]...\n"
           "A mock MCP server: known tools, exact streams, faults on demand. Each option can be "
           "given by an\nenvironment variable, too: --session-ttl-ms by "
           "MCPDRILL_SESSION_TTL_MS.\n\n");
    for (size_t i = 0; i < OWN_OPTIONS; i++) {
        snprintf(flag, sizeof flag, "--%s %s", own_options[i].name,
                 own_options[i].value != NULL ? own_options[i].value : "");
        printf("  %-26s %s\n", flag, own_options[i].help);
    }
    printf("\nFaults (also at run time: POST /faults):\n");
    for (size_t i = 0; i < fault_field_count; i++) {
        printf("  --%-24s %s\n", fault_flag(&fault_fields[i], flag), fault_fields[i].help);
    }
}

static int number(const char *name, const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    uint64_t v;

    if (!str_u64(str_c(text), max, &v) || v < min) {
        fprintf(stderr, "mockserver: --%s must be a whole number within %llu..%llu\n", name,
                (unsigned long long)min, (unsigned long long)max);
        return EXIT_USAGE;
    }
    *out = v;
    return EXIT_OK;
}

static int set_address(const char *text, struct settings *s)
{
    struct err err;

    if (addr_parse_listen(str_c(text), s->serve.addresses, &s->serve.address_count, &err) != 0) {
        fprintf(stderr, "mockserver: --addr: %s\n", err.msg);
        return EXIT_USAGE;
    }
    return EXIT_OK;
}

static int set_fault(const struct option_table *t, int code, const char *value, struct settings *s)
{
    struct err err;
    const char *flag = t->fault_flags[code - OPT_FAULT];

    if (faults_set(&s->serve.mock.faults, flag, value, &err) != 0) {
        fprintf(stderr, "mockserver: --%s: %s\n", flag, err.msg);
        return EXIT_USAGE;
    }
    return EXIT_OK;
}

static int set_option(const struct option_table *t, int code, const char *value, struct settings *s)
{
    struct mock_config *mock = &s->serve.mock;
    uint64_t v = 0;
    int rc;

    if (code >= OPT_FAULT) {
        return set_fault(t, code, value, s);
    }
    switch ((enum option_code)code) {
    case OPT_ADDR:
        return set_address(value, s);
    case OPT_SEED:
        return number("seed", value, 0, UINT64_MAX, &mock->seed);
    case OPT_THREADS:
        rc = number("threads", value, 1, MOCK_THREADS_MAX, &v);
        s->serve.threads = (unsigned)v;
        return rc;
    case OPT_SESSION_TTL:
        rc = number("session-ttl-ms", value, 1, 86400000, &v);
        mock->session_ttl_ns = v * NS_PER_MS;
        return rc;
    case OPT_REQUIRE_SESSION:
        mock->require_session = true;
        break;
    case OPT_STRICT:
        mock->strict_protocol = true;
        break;
    case OPT_PAGE_SIZE:
        rc = number("page-size", value, 1, 1000000, &v);
        mock->page_size = (unsigned)v;
        return rc;
    case OPT_JSON_ONLY:
        mock->style = MOCK_STYLE_JSON;
        break;
    case OPT_SSE:
        mock->style = MOCK_STYLE_SSE;
        break;
    case OPT_MAX_SECONDS:
        return number("max-seconds", value, 1, 31536000, &s->max_seconds);
    case OPT_INSECURE:
        s->insecure = true;
        break;
    case OPT_HELP:
        s->help = true;
        break;
    case OPT_FAULT:
        break;
    }
    return EXIT_OK;
}

/* What the command line did not give, from the environment; what it gave counts. */
static int read_environment(const struct option_table *t, const bool *given, struct settings *s)
{
    char variable[OPT_VARIABLE_MAX];
    int rc = EXIT_OK;

    for (size_t i = 0; rc == EXIT_OK && i < t->count; i++) {
        const struct option *o = &t->options[i];
        const char *value = given[i] || o->val == OPT_HELP ? NULL : opt_variable_value(o->name);
        bool known = true;

        if (value == NULL || (o->has_arg == no_argument && !opt_is_yes(value, &known) && known)) {
            continue;
        }
        if (known) {
            rc = set_option(t, o->val, value, s);
        } else {
            fprintf(stderr, "mockserver: %s must be 1 or 0\n", opt_variable(o->name, variable));
            rc = EXIT_USAGE;
        }
        if (rc != EXIT_OK) {
            fprintf(stderr, "mockserver: --%s comes from the environment variable %s\n", o->name,
                    opt_variable(o->name, variable));
        }
    }
    return rc;
}

static int unknown_option(const struct option_table *t, const char *arg)
{
    const char *names[OPTIONS_MAX];
    struct str name = str_c(arg);

    while (name.len > 0 && name.p[0] == '-') {
        name.p++;
        name.len--;
    }
    const char *equals = memchr(name.p, '=', name.len);
    if (equals != NULL) {
        name.len = (size_t)(equals - name.p);
    }
    for (size_t i = 0; i < t->count; i++) {
        names[i] = t->options[i].name;
    }
    const char *near = str_nearest(name, names, t->count);
    fprintf(stderr, "mockserver: unknown option %s%s%s%s (--help lists them)\n", arg,
            near != NULL ? ", did you mean --" : "", near != NULL ? near : "",
            near != NULL ? "?" : "");
    return EXIT_USAGE;
}

static int read_options(int argc, char **argv, struct settings *s)
{
    struct option_table table;
    bool given[OPTIONS_MAX] = {false};
    int rc = EXIT_OK, which = 0;

    make_table(&table);
    optind = 0; /* the command line may have been read before, by main */
    opterr = 0;
    while (rc == EXIT_OK) {
        int at = optind > 0 ? optind : 1;
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is no other thread yet */
        int code = getopt_long(argc, argv, "+:", table.options, &which);

        if (code == -1) {
            break;
        }
        if (code == ':') {
            fprintf(stderr, "mockserver: %s needs a value\n", argv[at]);
            return EXIT_USAGE;
        }
        if (code == '?') {
            return unknown_option(&table, argv[at]);
        }
        given[which] = true;
        rc = set_option(&table, code, optarg, s);
    }
    if (rc == EXIT_OK && !s->help) {
        rc = read_environment(&table, given, s);
    }
    if (rc == EXIT_OK && optind < argc) {
        fprintf(stderr, "mockserver: unexpected argument %s\n", argv[optind]);
        rc = EXIT_USAGE;
    }
    return rc;
}

static int check_settings(struct settings *s)
{
    struct err err;

    if (faults_check(&s->serve.mock.faults, &err) != 0) {
        fprintf(stderr, "mockserver: %s\n", err.msg);
        return EXIT_USAGE;
    }
    for (unsigned i = 0; i < s->serve.address_count; i++) {
        if (!addr_is_loopback(&s->serve.addresses[i])) {
            s->serve.mock.any_host = true;
            if (!s->insecure) {
                fprintf(stderr,
                        "mockserver: this address is reachable from other machines and the mock "
                        "has no access control; use :PORT, or add --insecure\n");
                return EXIT_USAGE;
            }
        }
    }
    return EXIT_OK;
}

/* ---- running ------------------------------------------------------------------------------ */

static void on_signal(struct signals *signals, int signo)
{
    (void)signo;
    loop_stop(signals->loop);
}

struct limit_timer {
    struct timer timer;
    struct loop *loop;
};

static void on_limit(struct timer *t)
{
    struct limit_timer *limit = list_entry(t, struct limit_timer, timer);

    loop_stop(limit->loop);
}

/* Until a signal or --max-seconds. */
static int serve(const struct settings *s, struct loop *loop, struct err *err)
{
    struct mock_serve *server = NULL;
    struct signals signals;
    struct limit_timer limit = {.loop = loop};
    int rc = signals_init(&signals, loop, on_signal, err);

    if (rc != 0) {
        return rc;
    }
    rc = mock_serve_start(&s->serve, &server, err);
    if (rc == 0) {
        char text[ADDR_TEXT_MAX];

        printf("mockserver listening on http://%s\n", addr_text(mock_serve_address(server), text));
        fflush(stdout);
        timer_init(&limit.timer, on_limit);
        if (s->max_seconds > 0) {
            loop_timer_arm(loop, &limit.timer, loop_clock(loop) + s->max_seconds * NS_PER_S);
        }
        loop_run(loop);
        loop_timer_cancel(loop, &limit.timer);
    }
    mock_serve_stop(server);
    signals_clear(&signals);
    return rc;
}

static struct settings default_settings(void)
{
    struct settings s = {.serve.mock = mock_config_default()};
    long processors = sysconf(_SC_NPROCESSORS_ONLN);

    s.serve.threads = processors < 1                  ? 1
                      : processors > MOCK_THREADS_MAX ? MOCK_THREADS_MAX
                                                      : (unsigned)processors;
    addr_parse_listen(STR(":3000"), s.serve.addresses, &s.serve.address_count, NULL);
    /* Session ids must not repeat those of the process before, unless that is wanted. */
    if (getrandom(&s.serve.mock.seed, sizeof s.serve.mock.seed, 0) < 0) {
        s.serve.mock.seed = clock_wall_ms();
    }
    return s;
}

int cmd_mockserver(int argc, char **argv)
{
    struct settings s = default_settings();
    const struct clock clock = {0};
    struct loop *loop;
    struct err err = {0};
    int rc = read_options(argc, argv, &s);

    if (rc == EXIT_OK && s.help) {
        print_help();
        return EXIT_OK;
    }
    if (rc == EXIT_OK) {
        rc = check_settings(&s);
    }
    if (rc != EXIT_OK) {
        return rc;
    }
    rc = loop_new(&clock, &loop, &err);
    if (rc == 0) {
        rc = serve(&s, loop, &err);
        loop_free(loop);
    }
    if (rc != 0) {
        fprintf(stderr, "mockserver: %s\n", err.msg);
        return EXIT_FAILED;
    }
    return EXIT_OK;
}
