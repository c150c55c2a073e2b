/* SPDX-License-Identifier: MIT */
#include "measure/programs.h"

#include "net/addr.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { ANSWER_MAX = 4 * 1024 * 1024, RESULT_MAX = 64 * 1024 * 1024 };
enum { EXIT_PASSED = 0, EXIT_INVALID = 6 };

/* Starts a program whose stdout is a pipe when `out_fd` is not NULL, else a file. */
static pid_t spawn(char *const *argv, int *out_fd, const char *log)
{
    posix_spawn_file_actions_t actions;
    int pipe_fds[2] = {-1, -1};
    pid_t pid = -1;

    posix_spawn_file_actions_init(&actions);
    if (out_fd != NULL) {
        if (pipe2(pipe_fds, O_CLOEXEC) != 0) {
            perror("pipe2");
            return -1;
        }
        posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], STDOUT_FILENO);
    } else {
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_TRUNC,
                                         0600);
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO);
    }
    int rc = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (out_fd != NULL) {
        close(pipe_fds[1]);
        *out_fd = pipe_fds[0];
    }
    if (rc != 0) {
        fprintf(stderr, "cannot start %s: %s\n", argv[0], strerror(rc));
        if (out_fd != NULL) {
            close(pipe_fds[0]);
        }
        return -1;
    }
    return pid;
}

/* The exit code, or 128 + the signal. */
static int wait_for(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- the mock ----------------------------------------------------------------------------- */

/* Its first line names the address: "mockserver listening on http://127.0.0.1:PORT". */
static unsigned read_port(int fd)
{
    char line[256];
    size_t len = 0;
    uint64_t port = 0;

    while (len < sizeof line - 1 && memchr(line, '\n', len) == NULL) {
        ssize_t n = read(fd, line + len, sizeof line - 1 - len);

        if (n <= 0) {
            break;
        }
        len += (size_t)n;
    }
    line[len] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    const char *colon = strrchr(line, ':');
    if (colon == NULL || !str_u64(str_c(colon + 1), 65535, &port)) {
        fprintf(stderr, "the mock server did not say where it listens: %s\n", line);
        return 0;
    }
    return (unsigned)port;
}

bool mock_program_start(const char *bin_dir, const char *const *flags, struct mock_program *out)
{
    char path[PATH_MAX];
    char addr_flag[] = "--addr", addr[] = "127.0.0.1:0";
    char *argv[PROGRAM_ARGS_MAX + 4] = {path, addr_flag, addr};
    size_t n = 3;
    int fd;

    snprintf(path, sizeof path, "%s/mockserver", bin_dir);
    for (size_t i = 0; flags[i] != NULL && n < PROGRAM_ARGS_MAX; i++) {
        argv[n++] = strdup(flags[i]);
    }
    out->pid = spawn(argv, &fd, NULL);
    for (size_t i = 3; i < n; i++) {
        free(argv[i]);
    }
    if (out->pid < 0) {
        return false;
    }
    out->port = read_port(fd);
    close(fd);
    if (out->port == 0) {
        mock_program_stop(out);
        return false;
    }
    return true;
}

void mock_program_stop(struct mock_program *mock)
{
    kill(mock->pid, SIGTERM);
    wait_for(mock->pid);
}

static int connect_to(unsigned port)
{
    struct timeval limit = {.tv_sec = 10};
    union addr to = {0};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    addr_from_literal(STR("127.0.0.1"), (uint16_t)port, &to);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (fd >= 0 && connect(fd, &to.sa, addr_len(&to)) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

json_t *mock_program_get(const struct mock_program *mock, const char *path)
{
    char request[256], piece[4096];
    struct buf answer;
    json_t *value = NULL;
    ssize_t got;
    int fd = connect_to(mock->port);

    if (fd < 0) {
        perror("cannot reach the mock server");
        return NULL;
    }
    int n = snprintf(request, sizeof request,
                     "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", path);
    buf_init(&answer, ANSWER_MAX);
    if (send(fd, request, (size_t)n, MSG_NOSIGNAL) == n) {
        while ((got = recv(fd, piece, sizeof piece, 0)) > 0) {
            buf_add(&answer, piece, (size_t)got);
        }
    }
    close(fd);
    const char *text = buf_c(&answer), *end = strstr(text, "\r\n\r\n");
    struct err err = {0};
    if (end == NULL || json_parse(str_c(end + 4), ANSWER_MAX, &value, &err) != 0) {
        fprintf(stderr, "GET %s: no answer in JSON: %s\n", path, err.msg);
        value = NULL;
    }
    buf_clear(&answer);
    return value;
}

/* ---- mcpdrill ----------------------------------------------------------------------------- */

static void show_log(const char *path)
{
    struct buf text;

    buf_init(&text, ANSWER_MAX);
    if (file_read(path, &text, NULL) == 0) {
        fputs(buf_c(&text), stderr);
    }
    buf_clear(&text);
}

json_t *drill(const char *bin_dir, const char *dir, const char *scenario, unsigned threads)
{
    char program[PATH_MAX], file[PATH_MAX], result[PATH_MAX], log[PATH_MAX], count[16];
    char run[] = "run", json[] = "--json", threads_flag[] = "--threads", quiet[] = "--quiet";
    char *argv[] = {program, run, file, json, result, threads_flag, count, quiet, NULL};
    json_t *value = NULL;
    struct err err = {0};

    snprintf(program, sizeof program, "%s/mcpdrill", bin_dir);
    snprintf(file, sizeof file, "%s/scenario.json", dir);
    snprintf(result, sizeof result, "%s/result.json", dir);
    snprintf(log, sizeof log, "%s/log.txt", dir);
    snprintf(count, sizeof count, "%u", threads);
    if (file_write(file, str_c(scenario), &err) != 0) {
        fprintf(stderr, "%s\n", err.msg);
        return NULL;
    }
    unlink(result);
    pid_t pid = spawn(argv, NULL, log);
    int code = pid < 0 ? 1 : wait_for(pid);
    if ((code != EXIT_PASSED && code != EXIT_INVALID) ||
        json_parse_file(result, RESULT_MAX, &value, &err) != 0) {
        fprintf(stderr, "mcpdrill run ended with %d %s\n", code, err.msg);
        show_log(log);
        value = NULL;
    }
    unlink(file);
    unlink(result);
    unlink(log);
    return value;
}
