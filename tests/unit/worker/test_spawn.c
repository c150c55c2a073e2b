/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "support/unit.h"
#include "worker/spawn.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void start(const char *script, bool with_line, struct spawned *out)
{
    char sh[] = "sh", c[] = "-c", text[400];
    char *argv[] = {sh, c, text, NULL};

    snprintf(text, sizeof text, "%s", script);
    assert_int_equal(spawn("/bin/sh", argv, with_line, out, NULL), 0);
    assert_true(out->pid > 0);
}

static int end_of(struct spawned *s)
{
    uint64_t until = clock_monotonic_ns() + 10 * NS_PER_S;
    int status;

    while (!spawn_reap(s, &status)) {
        assert_true(clock_monotonic_ns() < until);
        usleep(1000);
    }
    assert_int_equal(s->pid, 0);
    return status;
}

static void a_child_has_its_line(void **state)
{
    struct spawned s;
    char text[64];
    size_t len = 0;
    ssize_t n;

    (void)state;
    start("read word <&3; echo \"got $word\" >&3", true, &s);
    assert_true(fcntl(s.fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(send(s.fd, "this\n", 5, 0), 5);
    while ((n = recv(s.fd, text + len, sizeof text - 1 - len, 0)) > 0) {
        len += (size_t)n;
    }
    text[len] = '\0';
    assert_string_equal(text, "got this\n");
    assert_int_equal(end_of(&s), 0);
    spawn_end(&s, 0); /* nothing but the line is left */
    assert_int_equal(s.fd, -1);
}

/* It is in its own group, reads nothing, and has no descriptor of ours. */
static void a_child_has_nothing_else(void **state)
{
    struct spawned s;
    int stray = open("/dev/null", O_RDONLY); /* not close-on-exec */
    char script[300];

    (void)state;
    assert_true(stray >= 3);
    snprintf(script, sizeof script,
             "! read word || exit 1; read pid name state parent group rest < /proc/$$/stat; "
             "test $group = $$ || exit 2; test ! -e /proc/$$/fd/%d || exit 3; exit 7",
             stray);
    start(script, false, &s);
    assert_int_equal(s.fd, -1);
    int status = end_of(&s);
    assert_int_equal(WEXITSTATUS(status), 7);
    close(stray);
}

static void ends_are_told(void **state)
{
    struct spawned s;
    char text[64], program[] = "/nonexistent/program";
    char *argv[] = {program, NULL};

    (void)state;
    start("exit 3", false, &s);
    assert_string_equal(spawn_status_text(end_of(&s), text), "exit code 3");
    start("exec sleep 100", false, &s);
    spawn_signal(&s, SIGTERM);
    assert_string_equal(spawn_status_text(end_of(&s), text), "signal 15 (Terminated)");
    spawn_signal(&s, SIGTERM); /* nobody there any more */
    assert_int_equal(spawn(program, argv, false, &s, NULL), 0);
    assert_string_equal(spawn_status_text(end_of(&s), text), "exit code 127");
}

static void a_child_that_stays_is_killed(void **state)
{
    struct spawned s;
    uint64_t before = clock_monotonic_ns();

    (void)state;
    start("trap '' TERM; exec sleep 100 <&3", true, &s);
    spawn_end(&s, 50);
    assert_int_equal(s.pid, 0);
    assert_int_equal(s.fd, -1);
    assert_true(clock_monotonic_ns() - before < 10 * NS_PER_S);
}

static void a_child_leaves_when_its_line_ends(void **state)
{
    struct spawned s;
    uint64_t before = clock_monotonic_ns();

    (void)state;
    start("cat <&3 >/dev/null", true, &s);
    spawn_end(&s, 20000);
    assert_int_equal(s.pid, 0);
    assert_true(clock_monotonic_ns() - before < 15 * NS_PER_S);
}

/* The parent here is a child of the test, which is killed while its own child runs. */
static void a_child_dies_with_its_parent(void **state)
{
    int line[2];
    char byte;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, line), 0);
    pid_t parent = fork();
    if (parent == 0) {
        struct spawned s;

        dup2(line[1], STDOUT_FILENO);
        close(line[0]);
        close(line[1]);
        start("echo x; exec sleep 100", false, &s);
        pause();
        _exit(0);
    }
    close(line[1]);
    assert_int_equal(recv(line[0], &byte, 1, 0), 1);
    kill(parent, SIGKILL);
    waitpid(parent, NULL, 0);
    while (recv(line[0], &byte, 1, 0) > 0) {
        /* until nobody holds the other end */
    }
    close(line[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_child_has_its_line),
        cmocka_unit_test(a_child_has_nothing_else),
        cmocka_unit_test(ends_are_told),
        cmocka_unit_test(a_child_that_stays_is_killed),
        cmocka_unit_test(a_child_leaves_when_its_line_ends),
        cmocka_unit_test(a_child_dies_with_its_parent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
