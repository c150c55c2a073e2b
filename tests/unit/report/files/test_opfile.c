/* SPDX-License-Identifier: MIT */
#include "report/files/opfile.h"
#include "report/files/oplog.h"
#include "unit/report/run_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#define PATIENT_NS (60 * NS_PER_S)

enum { WAITING_MAX = 1000 };

static struct opfile *open_file(const struct fixture *f, int fd)
{
    struct opfile *file = NULL;
    struct err err = {0};

    assert_true(fd >= 0);
    assert_int_equal(opfile_open(fd, "DIR/ops.ndjson", f->plan, &f->identity, 0, &file, &err), 0);
    return file;
}

/* Operations that end one after the other, every fourth of them with a failure. */
static struct window *mixed_window(const struct fixture *f, uint32_t count)
{
    struct window *w = window_new(f->plan->key_count, 0, 10 * WAITING_MAX);
    char text[32];

    window_reset(w, 0, 0, NS_PER_S);
    for (uint32_t i = 0; i < count; i++) {
        struct outcome o = {
            .key = FIXTURE_ECHO, .n = i, .t_due = 1 + i, .t_end = 2 + i, .log_rank = 1 + i};

        if (i % 4 == 3) { /* of many kinds, so that all are wanted */
            snprintf(text, sizeof text, "%c%c", 'a' + i / 4 / 20 % 26, 'a' + i / 4 / 520);
            o.cls = OUTCOME_FAILED;
            o.error_code = ERROR_CODE_HTTP_STATUS;
            o.error_type = error_code_type(o.error_code);
            o.error_number = 500;
            o.message = str_c(text);
        }
        window_started(w, FIXTURE_ECHO);
        window_outcome(w, &o);
    }
    assert_int_equal(w->samples_lost + w->samples_thinned, 0);
    return w;
}

/* Failures and successes stand in the file in the order in which they ended. */
static void test_lines_are_in_order(void **state)
{
    char path[] = "/tmp/unit_report_files_opfile_XXXXXX";
    struct opfile_end end;
    struct fixture f;
    struct buf text;
    struct err err = {0};

    (void)state;
    fixture_open(&f);
    struct opfile *file = open_file(&f, mkstemp(path));
    for (uint32_t second = 0; second < 3; second++) {
        struct window *w = mixed_window(&f, 400);

        opfile_take(file, second, w);
        opfile_take(file, second, w); /* has nothing left */
        window_free(w);
    }
    opfile_close(file, PATIENT_NS, &end);
    assert_int_equal(end.lost, 0);
    assert_int_equal(end.err.code, 0);
    buf_init(&text, 1 << 20);
    assert_int_equal(file_read(path, &text, &err), 0);
    const char *at = buf_c(&text);
    for (uint32_t i = 0; i < 1200; i++) {
        char id[48], due[48];

        snprintf(id, sizeof id, "\"op_id\":\"op_00000000%012x\"", i + 1);
        snprintf(due, sizeof due, "\"ts_ns_offset\":%u,", 1 + i % 400);
        size_t len = strcspn(at, "\n");
        assert_non_null(memmem(at, len, id, strlen(id)));
        assert_non_null(memmem(at, len, due, strlen(due)));
        assert_int_equal(memmem(at, len, "\"ok\":false", 10) != NULL, i % 4 == 3);
        at += len + 1;
    }
    assert_int_equal(at - text.p, text.len);
    buf_clear(&text);
    unlink(path);
    fixture_close(&f);
}

/* While the file hangs: successes go first, failures find twice the room; all that is missing is
 * counted, and nobody waits. */
static void test_a_full_queue_counts(void **state)
{
    struct opfile_end end;
    struct fixture f;
    int fds[2];

    (void)state;
    fixture_open(&f);
    f.scenario->safety.caps.max_queue_depth = WAITING_MAX;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    struct opfile *file = open_file(&f, fds[1]);
    uint64_t given = 0;
    for (uint32_t i = 0; i < 40; i++) {
        struct window *w = mixed_window(&f, 400);

        opfile_take(file, 0, w);
        given += 400;
        window_free(w);
    }
    /* The pipe holds less than two hundred lines; the rest of what was taken waits. */
    opfile_close(file, 0, &end);
    assert_int_equal(end.err.code, ERR_TIMEOUT);
    assert_non_null(strstr(end.err.msg, "DIR/ops.ndjson"));
    assert_in_range(end.lost, given - 200, given);
    close(fds[0]);
    fixture_close(&f);
}

static void test_a_full_disk_counts(void **state)
{
    struct opfile_end end;
    struct fixture f;

    (void)state;
    fixture_open(&f);
    struct opfile *file = open_file(&f, open("/dev/full", O_WRONLY | O_CLOEXEC));
    struct window *w = mixed_window(&f, 400);
    opfile_take(file, 0, w);
    window_free(w);
    opfile_close(file, PATIENT_NS, &end);
    assert_int_equal(end.lost, 400);
    assert_int_equal(end.err.code, ERR_IO);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_are_in_order),
        cmocka_unit_test(test_a_full_queue_counts),
        cmocka_unit_test(test_a_full_disk_counts),
    };

    signal(SIGPIPE, SIG_IGN); /* as the programs do */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
