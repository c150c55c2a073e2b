/* SPDX-License-Identifier: MIT */
#include "base/json.h"
#include "store/place.h"
#include "support/folder.h"
#include "support/unit.h"

#include <sys/stat.h>
#include <unistd.h>

static void expect_place(const char *wanted, const char *expected)
{
    struct buf out;
    struct err err = {0};

    buf_init(&out, 8192);
    assert_int_equal(store_place(wanted, 8080, &out, &err), 0);
    assert_string_equal(buf_c(&out), expected);
    buf_clear(&out);
}

static void the_folder_is_the_users_and_the_ports(void **state)
{
    struct buf out;
    struct err err = {0};

    (void)state;
    setenv("HOME", "/users/ada", 1);
    setenv("XDG_DATA_HOME", "/data", 1);
    expect_place(NULL, "/data/mcpdrill/server-8080");
    expect_place("elsewhere/x", "elsewhere/x");
    setenv("XDG_DATA_HOME", "relative", 1);
    expect_place(NULL, "/users/ada/.local/share/mcpdrill/server-8080");
    unsetenv("XDG_DATA_HOME");
    expect_place(NULL, "/users/ada/.local/share/mcpdrill/server-8080");
    unsetenv("HOME");
    buf_init(&out, 8192);
    assert_int_equal(store_place(NULL, 8080, &out, &err), ERR_USAGE);
    assert_non_null(strstr(err.msg, "--data-dir"));
    assert_int_equal(store_place("", 8080, &out, &err), ERR_USAGE);
    assert_int_equal(out.len, 0);
    buf_clear(&out);
}

static void too_long_a_path_is_refused(void **state)
{
    char path[STORE_PATH_MAX + 2];
    struct buf out;
    struct err err = {0};

    (void)state;
    memset(path, 'x', sizeof path);
    path[0] = '/';
    path[sizeof path - 1] = '\0';
    buf_init(&out, 8192);
    assert_int_equal(store_place(path, 1, &out, &err), ERR_USAGE);
    assert_int_equal(out.len, 0);
    path[STORE_PATH_MAX] = '\0';
    assert_int_equal(store_place(path, 1, &out, &err), 0);
    assert_int_equal(out.len, STORE_PATH_MAX);
    buf_clear(&out);
}

static void what_is_made_is_for_the_user_alone(void **state)
{
    char dir[256], file[256];
    struct folder f;
    struct stat st;
    struct err err = {0};

    (void)state;
    folder_new(&f);
    snprintf(dir, sizeof dir, "%s/a/b/c/", f.path);
    assert_int_equal(store_place_make(dir, &err), 0);
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    snprintf(dir, sizeof dir, "%s/a", f.path);
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(chmod(dir, 0755), 0);
    assert_int_equal(store_place_make(dir, &err), 0);
    assert_int_equal(stat(dir, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0755); /* it was there: its owner decides */

    snprintf(file, sizeof file, "%s/file", f.path);
    assert_int_equal(file_write(file, STR("text"), &err), 0);
    assert_int_equal(store_place_make(file, &err), ERR_IO);
    assert_non_null(strstr(err.msg, "no folder"));
    snprintf(file, sizeof file, "%s/file/below", f.path);
    assert_int_equal(store_place_make(file, &err), ERR_IO);
    assert_non_null(strstr(err.msg, "/file"));
    assert_int_equal(store_place_make("", &err), ERR_IO);
    folder_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_folder_is_the_users_and_the_ports),
        cmocka_unit_test(too_long_a_path_is_refused),
        cmocka_unit_test(what_is_made_is_for_the_user_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
