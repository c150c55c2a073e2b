/* SPDX-License-Identifier: MIT */
#include "base/json.h"
#include "cli/cli.h"
#include "support/unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    char dir[64], result[96], junit[96], out[96], errors[96];
};

#define RESULT                                                                                  \
    "{\"schema_version\": \"result/v1\", \"run_id\": \"run_0\", \"name\": \"T\", \"seed\": 7,"  \
    " \"verdict\": \"failed\", \"exit_code\": 4, \"duration_ms\": 1500, \"stop\": {\"kind\":"   \
    " \"completed\"}, \"stages\": [{\"started\": true}], \"validity\": {\"state\": \"valid\"}," \
    " \"counts\": {\"started\": 3, \"ended_ok\": 2, \"ended_failed\": 1, \"unfinished\": 0}}"

static void put(const char *path, const char *text)
{
    struct err err = {0};

    assert_int_equal(file_write(path, str_c(text), &err), 0);
}

static void place_open(struct place *p)
{
    snprintf(p->dir, sizeof p->dir, "/tmp/unit_cli_report_XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    snprintf(p->result, sizeof p->result, "%s/result.json", p->dir);
    snprintf(p->junit, sizeof p->junit, "%s/junit.xml", p->dir);
    snprintf(p->out, sizeof p->out, "%s/out", p->dir);
    snprintf(p->errors, sizeof p->errors, "%s/err", p->dir);
    put(p->result, RESULT);
}

static void place_close(const struct place *p)
{
    unlink(p->result);
    unlink(p->junit);
    unlink(p->out);
    unlink(p->errors);
    assert_int_equal(rmdir(p->dir), 0);
}

static int redirect(int fd, const char *path)
{
    int kept = dup(fd), to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(kept >= 0 && to >= 0);
    assert_int_equal(dup2(to, fd), fd);
    close(to);
    return kept;
}

static void restore(int fd, int kept)
{
    assert_int_equal(dup2(kept, fd), fd);
    close(kept);
}

/* The exit code of `mcpdrill report …`; what it printed is in the files of `p`. */
static int report(const struct place *p, const char *const *words, size_t count)
{
    char *argv[8] = {(char *)(uintptr_t) "mcpdrill", (char *)(uintptr_t) "report"};

    for (size_t i = 0; i < count; i++) {
        argv[2 + i] = (char *)(uintptr_t)words[i];
    }
    fflush(NULL);
    int out = redirect(STDOUT_FILENO, p->out), errors = redirect(STDERR_FILENO, p->errors);
    int code = cli_main((int)count + 2, argv);
    fflush(NULL);
    restore(STDOUT_FILENO, out);
    restore(STDERR_FILENO, errors);
    return code;
}

static void assert_file(const char *path, const char *part)
{
    struct buf text;
    struct err err = {0};

    buf_init(&text, 1 << 20);
    assert_int_equal(file_read(path, &text, &err), 0);
    if (strstr(buf_c(&text), part) == NULL) {
        fail_msg("no \"%s\" in %s: %s", part, path, buf_c(&text));
    }
    buf_clear(&text);
}

/* One line that names the file, and exit code 2. */
static void assert_refused(const struct place *p, const char *path, const char *part)
{
    struct buf text;
    struct err err = {0};

    assert_int_equal(report(p, &path, 1), EXIT_USAGE);
    buf_init(&text, 1 << 20);
    assert_int_equal(file_read(p->errors, &text, &err), 0);
    assert_non_null(strstr(buf_c(&text), part));
    assert_non_null(strstr(buf_c(&text), path));
    assert_ptr_equal(memchr(text.p, '\n', text.len), text.p + text.len - 1);
    buf_clear(&text);
}

static void test_summary(void **state)
{
    struct place p;

    (void)state;
    place_open(&p);
    const char *const folder[] = {p.dir}, *const file[] = {p.result};
    assert_int_equal(report(&p, folder, 1), EXIT_PASSED);
    assert_file(p.out, "FAILED");
    assert_file(p.out, "the plan ran to its end");
    assert_file(p.out, p.result);
    assert_int_equal(report(&p, file, 1), EXIT_PASSED);
    assert_file(p.out, "3 started");
    const char *const with_code[] = {"--exit-code", p.dir};
    assert_int_equal(report(&p, with_code, 2), 4);
    const char *const document[] = {"--json", p.dir};
    assert_int_equal(report(&p, document, 2), EXIT_PASSED);
    assert_file(p.out, "  \"schema_version\": \"result/v1\",\n");
    const char *const junit[] = {"--junit", p.junit, p.dir};
    assert_int_equal(report(&p, junit, 3), EXIT_PASSED);
    assert_file(p.junit, "<testsuite name=\"T\"");
    assert_file(p.out, "FAILED");
    const char *const to_stdout[] = {"--junit", "-", p.dir};
    assert_int_equal(report(&p, to_stdout, 3), EXIT_PASSED);
    assert_file(p.out, "<?xml version");
    const char *const both[] = {"--junit", "-", "--json", p.dir};
    assert_int_equal(report(&p, both, 4), EXIT_USAGE);
    place_close(&p);
}

static void test_what_is_no_result(void **state)
{
    static const struct {
        const char *text, *said;
    } files[] = {
        {"", "result.json"},
        {"{\"schema_version\": ", "result.json:1:"},
        {"[]", "not a result"},
        {"{\"schema_version\": \"run-config/v1\"}", "schema_version"},
        {"{\"schema_version\": 1}", "not a result"},
        {"\xff\xfe", "result.json"},
    };
    struct place p;

    (void)state;
    place_open(&p);
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        put(p.result, files[i].text);
        assert_refused(&p, p.result, files[i].said);
    }
    assert_int_equal(unlink(p.result), 0);
    assert_refused(&p, p.dir, "No such file");
    assert_refused(&p, "/nowhere/at/all", "No such file");
    put(p.result, "{\"schema_version\": \"result/v1\", \"exit_code\": 1e3}");
    const char *const odd[] = {"--exit-code", p.dir};
    assert_int_equal(report(&p, odd, 2), EXIT_INTERNAL);
    place_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_summary),
        cmocka_unit_test(test_what_is_no_result),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
