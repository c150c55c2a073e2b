/* SPDX-License-Identifier: MIT */
#include "store/lock.h"
#include "support/folder.h"
#include "support/unit.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void a_second_process_is_told_who_has_the_folder(void **state)
{
    struct folder f;
    char pid[64];
    struct store_lock mine, other;
    struct err err = {0};

    (void)state;
    folder_new(&f);
    assert_int_equal(store_lock_take(&mine, f.path, &err), 0);
    /* A lock belongs to the open file, so that the same process is a stranger, too. */
    assert_int_equal(store_lock_take(&other, f.path, &err), ERR_STATE);
    assert_int_equal(other.fd, -1);
    snprintf(pid, sizeof pid, "process %d", (int)getpid());
    assert_non_null(strstr(err.msg, pid));
    assert_non_null(strstr(err.msg, f.path));
    store_lock_drop(&mine);
    assert_int_equal(store_lock_take(&other, f.path, &err), 0);
    store_lock_drop(&other);
    store_lock_drop(&other);
    folder_free(&f);
}

static void a_killed_process_leaves_no_lock(void **state)
{
    struct folder f;
    char byte;
    int pipe_fd[2];
    struct store_lock mine;
    struct err err = {0};

    (void)state;
    folder_new(&f);
    assert_int_equal(pipe(pipe_fd), 0);
    pid_t child = fork();

    if (child == 0) {
        if (store_lock_take(&mine, f.path, NULL) != 0 || write(pipe_fd[1], "x", 1) != 1) {
            _exit(1);
        }
        pause();
        _exit(0);
    }
    close(pipe_fd[1]);
    assert_int_equal(read(pipe_fd[0], &byte, 1), 1);
    assert_int_equal(store_lock_take(&mine, f.path, &err), ERR_STATE);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(store_lock_take(&mine, f.path, &err), 0);
    store_lock_drop(&mine);
    close(pipe_fd[0]);
    folder_free(&f);
}

static void no_folder_is_an_error(void **state)
{
    struct store_lock lock;
    struct err err = {0};

    (void)state;
    assert_int_equal(store_lock_take(&lock, "/nonexistent/folder", &err), ERR_IO);
    assert_non_null(strstr(err.msg, "/nonexistent/folder"));
    assert_int_equal(lock.fd, -1);
    store_lock_drop(&lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_process_is_told_who_has_the_folder),
        cmocka_unit_test(a_killed_process_leaves_no_lock),
        cmocka_unit_test(no_folder_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
