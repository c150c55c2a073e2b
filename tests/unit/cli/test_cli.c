/* SPDX-License-Identifier: MIT */
#include "base/json.h"
#include "cli/cli.h"
#include "cli/output.h"
#include "support/unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void test_page_is_in_step(void **state)
{
    struct buf page, file;
    struct err err = {0};

    (void)state;
    buf_init(&page, 1 << 20);
    buf_init(&file, 1 << 20);
    assert_int_equal(cli_reference(&page), 0);
    assert_int_equal(file_read(SOURCE_DIR "/docs/reference/cli.md", &file, &err), 0);
    if (!str_eq(buf_str(&page), buf_str(&file))) {
        fail_msg("docs/reference/cli.md is out of step: mcpdrill reference cli");
    }
    buf_clear(&page);
    buf_clear(&file);
}

static void test_where_a_result_can_go(void **state)
{
    char dir[] = "/tmp/unit_cli_XXXXXX", path[64];
    struct err err = {0};
    struct stat st;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/result.json", dir);
    assert_int_equal(output_check("-", &err), 0);
    assert_int_equal(output_check("result.json", &err), 0);
    assert_int_equal(output_check(path, &err), 0);
    assert_int_equal(output_check(dir, &err), ERR_IO);
    assert_non_null(strstr(err.msg, dir));
    assert_int_equal(output_check("/nowhere/at/all/result.json", &err), ERR_IO);
    assert_int_equal(output_write(path, STR("one"), &err), 0);
    assert_int_equal(output_write(path, STR("two"), &err), 0);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 3);
    /* A device stays one. */
    assert_int_equal(output_check("/dev/null", &err), 0);
    assert_int_equal(output_write("/dev/null", STR("gone"), &err), 0);
    assert_int_equal(stat("/dev/null", &st), 0);
    assert_true(S_ISCHR(st.st_mode));
    assert_int_equal(output_write("/dev/full", STR("too much"), &err), ERR_IO);
    unlink(path);
    rmdir(dir);
}

static int run_words(const char *program, const char *word, const char *option)
{
    char a[40], b[40], c[40];
    char *argv[] = {a, b, c, NULL};
    int argc = option != NULL ? 3 : 2;

    snprintf(a, sizeof a, "%s", program);
    snprintf(b, sizeof b, "%s", word);
    snprintf(c, sizeof c, "%s", option != NULL ? option : "");
    argv[argc] = NULL;
    return cli_main(argc, argv);
}

/* A word of the guide that is not there yet is refused, and explained to who asks. */
static void test_later_words(void **state)
{
    static const char *const words[] = {"compare", "logs", "tools"};

    (void)state;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        assert_int_equal(run_words("mcpdrill", words[i], NULL), EXIT_USAGE);
        assert_int_equal(run_words("mcpdrill", words[i], "--help"), EXIT_PASSED);
        assert_int_equal(run_words("mcpdrill", "help", words[i]), EXIT_PASSED);
    }
    assert_int_equal(run_words("mcpdrill-worker", "--version", NULL), EXIT_PASSED);
    assert_int_equal(run_words("mcpdrill-mockserver", "--version", NULL), EXIT_PASSED);
}

/* Runs the words with the standard error in `path`, and reads it. */
static int run_saying(char *const *words, int count, const char *path, struct buf *said)
{
    char *argv[8] = {NULL};
    int before = dup(STDERR_FILENO), file = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);

    assert_true(before >= 0 && file >= 0 && count < 8);
    memcpy(argv, words, (size_t)count * sizeof *argv);
    assert_int_equal(dup2(file, STDERR_FILENO), STDERR_FILENO);
    int code = cli_main(count, argv);
    fflush(stderr);
    assert_int_equal(dup2(before, STDERR_FILENO), STDERR_FILENO);
    close(before);
    close(file);
    assert_int_equal(file_read(path, said, NULL), 0);
    return code;
}

/* Before anything is dialled: nobody listens there, which would be another exit code. */
static void test_shares_of_labels_need_a_control_plane(void **state)
{
    char dir[] = "/tmp/unit_cli_XXXXXX", file[64], errors[64];
    char program[] = "mcpdrill", word[] = "run", option[] = "--workers", two[] = "2";
    char *const here[] = {program, word, file};
    char *const kin[] = {program, word, option, two, file};
    struct buf said;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(file, sizeof file, "%s/regions.json", dir);
    snprintf(errors, sizeof errors, "%s/errors", dir);
    assert_int_equal(
        file_write(file,
                   STR("{\"target\":{\"url\":\"http://127.0.0.1:9\"},\"stages\":[{\"stage\":"
                       "\"baseline\",\"duration_ms\":1000,\"load\":{\"target_vus\":5}}],"
                       "\"placement\":{\"label\":\"region\",\"shares\":{\"eu\":1}}}"),
                   NULL),
        0);
    for (int i = 0; i < 2; i++) {
        buf_init(&said, 1 << 16);
        assert_int_equal(run_saying(i == 0 ? here : kin, i == 0 ? 3 : 5, errors, &said),
                         EXIT_USAGE);
        assert_non_null(strstr(buf_c(&said), "the label region"));
        assert_non_null(strstr(buf_c(&said), "on a control plane"));
        buf_clear(&said);
    }
    unlink(file);
    unlink(errors);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_page_is_in_step),
        cmocka_unit_test(test_later_words),
        cmocka_unit_test(test_where_a_result_can_go),
        cmocka_unit_test(test_shares_of_labels_need_a_control_plane),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
