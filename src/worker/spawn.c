/* SPDX-License-Identifier: MIT */
#include "worker/spawn.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define POLL_NS (5 * NS_PER_MS)

/* Everything above the standard descriptors goes, but the line. */
static void keep_line_only(int line)
{
    if (line >= 0 && line != SPAWN_LINE_FD) {
        dup2(line, SPAWN_LINE_FD); /* without close-on-exec */
    } else if (line >= 0) {
        fcntl(line, F_SETFD, 0);
    }
    /* All else of ours is close-on-exec; this is for what a library may have opened. */
    (void)close_range(line >= 0 ? SPAWN_LINE_FD + 1 : SPAWN_LINE_FD, ~0U, 0);
}

static void read_nothing(void)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (null >= 0) {
        dup2(null, STDIN_FILENO);
    }
}

/* Between fork and exec: only what may be called there (signal-safety(7)). */
static void become(const char *program, char *const argv[], int line, pid_t parent)
{
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) {
        _exit(127); /* it died in between */
    }
    setpgid(0, 0);
    sigemptyset(&none);
    pthread_sigmask(SIG_SETMASK, &none, NULL);
    read_nothing();
    keep_line_only(line);
    execv(program, argv);
    _exit(127);
}

int spawn(
    const char *program, char *const argv[], bool with_line, struct spawned *out, struct err *err)
{
    int ends[2] = {-1, -1};
    pid_t parent = getpid();

    if (with_line && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return err_sys(err, ERR_IO, errno, "cannot make a line to a worker process");
    }
    pid_t pid = fork();
    if (pid == 0) {
        become(program != NULL ? program : "/proc/self/exe", argv, ends[1], parent);
    }
    int sys = errno;
    if (ends[1] >= 0) {
        close(ends[1]);
    }
    if (pid < 0) {
        if (ends[0] >= 0) {
            close(ends[0]);
        }
        return err_sys(err, ERR_IO, sys, "cannot start a worker process");
    }
    *out = (struct spawned){.pid = pid, .fd = ends[0]};
    return 0;
}

static pid_t wait_for(pid_t pid, int *status, int flags)
{
    pid_t got;

    do {
        got = waitpid(pid, status, flags);
    } while (got < 0 && errno == EINTR);
    return got;
}

bool spawn_reap(struct spawned *s, int *status)
{
    *status = 0;
    if (s->pid == 0) {
        return true;
    }
    if (wait_for(s->pid, status, WNOHANG) == 0) {
        return false;
    }
    s->pid = 0;
    return true;
}

void spawn_signal(const struct spawned *s, int signo)
{
    if (s->pid > 0) {
        kill(s->pid, signo);
    }
}

void spawn_end(struct spawned *s, unsigned wait_ms)
{
    uint64_t until = clock_monotonic_ns() + wait_ms * NS_PER_MS;
    const struct timespec pause = {.tv_nsec = POLL_NS};
    int status;

    if (s->fd >= 0) {
        close(s->fd);
        s->fd = -1;
    }
    while (!spawn_reap(s, &status)) {
        if (clock_monotonic_ns() >= until) {
            spawn_signal(s, SIGKILL);
            wait_for(s->pid, &status, 0);
            s->pid = 0;
            return;
        }
        nanosleep(&pause, NULL);
    }
}

const char *spawn_status_text(int status, char out[64])
{
    if (WIFSIGNALED(status)) {
        const char *name = sigdescr_np(WTERMSIG(status));

        snprintf(out, 64, "signal %d (%s)", WTERMSIG(status), name != NULL ? name : "unknown");
    } else {
        snprintf(out, 64, "exit code %d", WEXITSTATUS(status));
    }
    return out;
}
