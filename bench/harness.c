/* SPDX-License-Identifier: MIT */
#include "harness.h"

#include "base/clock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_MAX = 16 * 1024 * 1024 };

void die(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(1);
}

/* ---- children ------------------------------------------------------------------------------- */

static void pin(int core)
{
    cpu_set_t set;

    if (core >= 0) {
        CPU_ZERO(&set);
        CPU_SET((unsigned)core, &set);
        sched_setaffinity(0, sizeof set, &set);
    }
}

struct child child_start(const char *const *argv, int core)
{
    int fds[2];

    if (pipe(fds) != 0) {
        die("no pipe: %d", errno);
    }
    malloc_trim(0); /* a child's greatest memory begins with what it has of ours */
    pid_t pid = fork();
    if (pid < 0) {
        die("cannot fork: %d", errno);
    }
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGTERM); /* whoever dies leaves no server behind */
        pin(core);
        dup2(fds[1], STDOUT_FILENO);
        close(fds[0]);
        close(fds[1]);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        fprintf(stderr, "cannot run %s\n", argv[0]);
        _exit(127);
    }
    close(fds[1]);
    return (struct child){.pid = pid, .out_fd = fds[0]};
}

struct child_cost child_wait(struct child *c, struct buf *out)
{
    uint64_t begin = clock_monotonic_ns();
    struct rusage usage;
    struct child_cost cost = {0};
    char piece[65536];
    int status = 0;

    for (;;) {
        ssize_t n = read(c->out_fd, piece, sizeof piece);
        if (n <= 0) {
            break;
        }
        if (out != NULL && buf_add(out, piece, (size_t)n) != 0) {
            die("a child prints too much");
        }
    }
    close(c->out_fd);
    if (wait4(c->pid, &status, 0, &usage) < 0) {
        die("lost a child: %d", errno);
    }
    cost.user_s = (double)usage.ru_utime.tv_sec + (double)usage.ru_utime.tv_usec / 1e6;
    cost.system_s = (double)usage.ru_stime.tv_sec + (double)usage.ru_stime.tv_usec / 1e6;
    cost.wall_s = (double)(clock_monotonic_ns() - begin) / 1e9;
    cost.max_rss_kib = usage.ru_maxrss;
    cost.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    return cost;
}

const char *bin_dir(void)
{
    static const char beside[] = "/../bin";
    static char path[4096];

    if (path[0] == '\0') {
        ssize_t n = readlink("/proc/self/exe", path, sizeof path - sizeof beside);
        if (n <= 0) {
            die("cannot find this program's folder");
        }
        path[n] = '\0';
        memcpy(strrchr(path, '/'), beside, sizeof beside);
    }
    return path;
}

static const char *binary(const char *name, char *out, size_t size)
{
    snprintf(out, size, "%.3000s/%s", bin_dir(), name);
    return out;
}

int core_for(int side)
{
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) != 0 || CPU_COUNT(&set) < 2) {
        return -1;
    }
    int seen = 0;
    for (int i = 0; i < CPU_SETSIZE; i++) {
        if (CPU_ISSET((unsigned)i, &set) && seen++ == side) {
            return i;
        }
    }
    return -1;
}

/* ---- the mock ------------------------------------------------------------------------------- */

struct mock_process mock_start(unsigned threads, int core)
{
    char path[4096], count[16], line[256] = "";
    size_t len = 0;
    snprintf(count, sizeof count, "%u", threads);
    const char *argv[] = {binary("mockserver", path, sizeof path),
                          "--addr",
                          "127.0.0.1:0",
                          "--threads",
                          count,
                          "--max-seconds",
                          "900",
                          NULL};
    struct mock_process m = {.child = child_start(argv, core)};

    while (len < sizeof line - 1 && read(m.child.out_fd, line + len, 1) == 1 && line[len] != '\n') {
        len++;
    }
    const char *colon = strrchr(line, ':');
    uint64_t port = 0;
    if (colon == NULL ||
        !str_u64((struct str){colon + 1, (size_t)(line + len - colon) - 1}, 65535, &port)) {
        die("the mock did not say where it listens: '%s'", line);
    }
    m.port = (unsigned)port;
    return m;
}

void mock_stop(struct mock_process *m)
{
    kill(m->child.pid, SIGTERM);
    child_wait(&m->child, NULL);
}

static int dial(unsigned port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
        die("the mock does not answer: %d", errno);
    }
    return fd;
}

/* One request on a connection of its own; the whole answer. */
static void exchange(unsigned port, const char *request, struct buf *answer)
{
    int fd = dial(port);
    char piece[16384];

    if (write(fd, request, strlen(request)) != (ssize_t)strlen(request)) {
        die("the mock does not take a request");
    }
    for (;;) {
        ssize_t n = read(fd, piece, sizeof piece);
        if (n <= 0) {
            break;
        }
        buf_add(answer, piece, (size_t)n);
    }
    close(fd);
    buf_c(answer);
}

json_t *mock_get(const struct mock_process *m, const char *path)
{
    char request[512];
    struct buf answer;
    json_t *value = NULL;
    struct err err;

    buf_init(&answer, OUTPUT_MAX);
    snprintf(request, sizeof request,
             "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", path);
    exchange(m->port, request, &answer);
    const char *body = strstr(answer.p, "\r\n\r\n");
    if (body == NULL || json_parse(str_c(body + 4), OUTPUT_MAX, &value, &err) != 0) {
        die("the mock's answer to %s cannot be read", path);
    }
    buf_clear(&answer);
    return value;
}

void mock_session(const struct mock_process *m, char *id, size_t size)
{
    static const char body[] =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
        "\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{\"name\":\"bench\",\"version\":\"1\"}}"
        "}";
    char request[1024];
    struct buf answer;

    buf_init(&answer, OUTPUT_MAX);
    snprintf(request, sizeof request,
             "POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
             "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
             "Content-Length: %zu\r\n\r\n%s",
             sizeof body - 1, body);
    exchange(m->port, request, &answer);
    const char *at = strcasestr(answer.p, "mcp-session-id: ");
    if (at == NULL) {
        die("the mock gave no session id");
    }
    at += strlen("mcp-session-id: ");
    snprintf(id, size, "%.*s", (int)strcspn(at, "\r"), at);
    buf_clear(&answer);
}

/* ---- mcpdrill ------------------------------------------------------------------------------- */

/* `out`: the folder of --out; NULL: none. */
static json_t *
play(const char *scenario, unsigned threads, int core, const char *out, struct child_cost *cost)
{
    char path[4096], file[] = "/tmp/mcpdrill-bench-XXXXXX", result[64], count[16];
    struct err err;
    json_t *value = NULL;
    int fd = mkstemp(file);

    if (fd < 0 || write(fd, scenario, strlen(scenario)) != (ssize_t)strlen(scenario)) {
        die("cannot write a scenario");
    }
    close(fd);
    snprintf(result, sizeof result, "%s.json", file);
    snprintf(count, sizeof count, "%u", threads);
    const char *argv[] = {binary("mcpdrill", path, sizeof path),
                          "run",
                          file,
                          "--json",
                          result,
                          "--quiet",
                          "--threads",
                          count,
                          out != NULL ? "--out" : NULL,
                          out,
                          NULL};
    struct child c = child_start(argv, core);
    *cost = child_wait(&c, NULL);
    struct stat size;
    cost->result_bytes = stat(result, &size) == 0 ? (size_t)size.st_size : 0;
    if (json_parse_file(result, OUTPUT_MAX, &value, &err) != 0) {
        die("no result from mcpdrill (exit %d): %s", cost->status, err.msg);
    }
    unlink(file);
    unlink(result);
    return value;
}

json_t *drill(const char *scenario, unsigned threads, int core, struct child_cost *cost)
{
    return play(scenario, threads, core, NULL, cost);
}

static unsigned long count_lines(const char *path)
{
    FILE *f = fopen(path, "re");
    unsigned long lines = 0;

    if (f == NULL) {
        die("there is no %s", path);
    }
    for (int c = getc(f); c != EOF; c = getc(f)) {
        lines += c == '\n';
    }
    fclose(f);
    return lines;
}

json_t *drill_out(
    const char *scenario, unsigned threads, int core, struct child_cost *cost, unsigned long *lines)
{
    static const char *const names[] = {"events.ndjson", "windows.ndjson", "histograms.hlog",
                                        "result.json", "ops.ndjson"};
    char dir[] = "/tmp/mcpdrill-out-XXXXXX", path[64];

    if (mkdtemp(dir) == NULL) {
        die("cannot make a folder");
    }
    json_t *result = play(scenario, threads, core, dir, cost);
    snprintf(path, sizeof path, "%s/ops.ndjson", dir);
    *lines = count_lines(path);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        unlink(path);
    }
    rmdir(dir);
    return result;
}

double result_number(const json_t *result, const char *object, const char *name)
{
    const json_t *value = json_object_get(json_object_get(result, object), name);

    if (!json_is_number(value)) {
        die("the result has no %s.%s", object, name);
    }
    return json_number_value(value);
}

double calls_carried_out(const json_t *result, const struct child_cost *cost)
{
    double ok = result_number(result, "counts", "ended_ok");

    if ((cost->status != 0 && cost->status != HARNESS_HINDERED) || ok < 1) {
        die("mcpdrill ended with %d after %.0f calls", cost->status, ok);
    }
    return ok;
}

double cpu_us_per_call(const json_t *result, const struct child_cost *cost)
{
    return (cost->user_s + cost->system_s) * 1e6 / calls_carried_out(result, cost);
}

/* ---- figures -------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double median(double *values, unsigned count)
{
    qsort(values, count, sizeof *values, compare);
    return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}
