/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "base/rng.h"
#include "report/files/opfile.h"
#include "report/files/oplog.h"
#include "unit/report/run_fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define PATIENT_NS (60 * NS_PER_S)

enum { WAITING_MAX = 1000 };

static struct opfile *open_file(const struct fixture *f, int fd)
{
    struct opfile *file = NULL;
    struct oplog_origin origin = {.plan = f->plan, .identity = &f->identity};
    struct err err = {0};

    assert_true(fd >= 0);
    assert_int_equal(opfile_open(fd, "DIR/ops.ndjson", &origin, &file, &err), 0);
    return file;
}

/* Operations of a second that end one after the other, every fourth of them with a failure. */
static struct window *mixed_window(const struct fixture *f, uint64_t second, uint32_t count)
{
    struct window *w = window_new(f->plan->key_count, 0, 10 * WAITING_MAX);
    char text[32];

    window_reset(w, second, second * NS_PER_S, (second + 1) * NS_PER_S);
    for (uint32_t i = 0; i < count; i++) {
        struct outcome o = {.key = FIXTURE_ECHO,
                            .n = i,
                            .t_due = 1 + i,
                            .t_end = 2 + i,
                            .log_rank = (uint32_t)rng_mix64(i) | 1};

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
        struct window *w = mixed_window(&f, second, 400);

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

static size_t count_of(const char *text, const char *word)
{
    size_t n = 0;

    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word)) {
        n++;
    }
    return n;
}

/* Successes `first`, `first` + `step` and so on, of a second with `all`. */
static struct window *
part_window(const struct fixture *f, uint64_t second, uint32_t all, uint32_t first, uint32_t step)
{
    struct window *w = window_new(f->plan->key_count, 0, plan_log_successes(f->plan));

    window_reset(w, second, second * NS_PER_S, (second + 1) * NS_PER_S);
    for (uint32_t i = first; i < all; i += step) {
        struct outcome o = {.key = FIXTURE_ECHO,
                            .vu = i,
                            .t_due = 1 + i,
                            .t_end = 2 + i,
                            .log_rank = (uint32_t)rng_mix64(second << 32 | i) | 1};

        window_started(w, FIXTURE_ECHO);
        window_outcome(w, &o);
    }
    return w;
}

/* Three seconds of a run on so many shards, of which one more has no users. The numbers of the
 * operations in the file, as bits. */
static void
log_of(struct fixture *f, uint32_t all, uint32_t shards, bool in_file[], struct opfile_end *end)
{
    char path[] = "/tmp/unit_report_files_opfile_XXXXXX";
    struct opfile *file = open_file(f, mkstemp(path));
    uint64_t shards_thinned = 0;
    struct buf text;
    struct err err = {0};

    for (uint64_t second = 0; second < 3; second++) {
        for (uint32_t source = 0; source <= shards; source++) {
            struct window *w = source < shards ? part_window(f, second, all, source, shards)
                                               : part_window(f, second, 0, 0, 1);

            opfile_take(file, source, w);
            shards_thinned += w->samples_thinned;
            window_free(w);
        }
        opfile_complete(file, second); /* the one before it */
    }
    opfile_close(file, PATIENT_NS, end);
    end->thinned += shards_thinned;
    buf_init(&text, 16 << 20);
    assert_int_equal(file_read(path, &text, &err), 0);
    size_t lines = 0, of_second = count_of(buf_c(&text), "\n") / 3;
    struct str rest = buf_str(&text);
    for (const char *eol; (eol = memchr(rest.p, '\n', rest.len)) != NULL; lines++) {
        static const char key[] = "\"vu_id\":\"vu_";
        const char *at = memmem(rest.p, (size_t)(eol - rest.p), key, sizeof key - 1);

        assert_non_null(at);
        size_t vu = strtoul(at + sizeof key - 1, NULL, 10), second = lines / of_second;
        assert_false(in_file[second * all + vu]);
        in_file[second * all + vu] = true;
        rest.len -= (size_t)(eol + 1 - rest.p);
        rest.p = eol + 1;
    }
    assert_int_equal(lines + end->lost + end->thinned, 3 * (size_t)all);
    buf_clear(&text);
    unlink(path);
}

/* Of each second the run's log has the same operations, on however many shards they were: all that
 * the bound allows, and those with the lowest ranks. */
static void test_any_number_of_shards_has_one_sample(void **state)
{
    static const uint32_t rates[] = {836, 1001, 3000};
    struct opfile_end end;
    struct fixture f;

    (void)state;
    fixture_open(&f);
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        uint32_t all = rates[i], want = all < PLAN_LOG_SUCCESSES ? all : PLAN_LOG_SUCCESSES;
        bool *one = xcalloc((size_t)3 * all, 1), *several = xcalloc((size_t)3 * all, 1);

        log_of(&f, all, 1, one, &end);
        assert_int_equal(end.thinned, 3 * (all - want));
        assert_int_equal(end.lost, 0);
        log_of(&f, all, 5, several, &end);
        assert_int_equal(end.thinned, 3 * (all - want));
        assert_memory_equal(one, several, (size_t)3 * all);
        xfree(one);
        xfree(several);
    }
    fixture_close(&f);
}

/* A shard that hangs does not make the others' seconds pile up. */
static void test_seconds_are_not_held_for_ever(void **state)
{
    char path[] = "/tmp/unit_report_files_opfile_XXXXXX";
    struct opfile_end end;
    struct fixture f;
    struct buf text;
    struct err err = {0};

    (void)state;
    fixture_open(&f);
    struct opfile *file = open_file(&f, mkstemp(path));
    buf_init(&text, 16 << 20);
    for (uint64_t second = 0; second < 3 * OPFILE_HELD_MAX; second++) {
        struct window *w = part_window(&f, second, 100, 0, 1);

        opfile_take(file, 0, w);
        window_free(w);
    }
    size_t want = (size_t)100 * 2 * OPFILE_HELD_MAX;
    for (int i = 0; i < 30000 && count_of(buf_c(&text), "\n") < want; i++) {
        usleep(1000);
        text.len = 0;
        assert_int_equal(file_read(path, &text, &err), 0);
    }
    assert_int_equal(count_of(buf_c(&text), "\n"), want);
    opfile_close(file, PATIENT_NS, &end);
    assert_int_equal(end.lost + end.thinned, 0);
    buf_clear(&text);
    unlink(path);
    fixture_close(&f);
}

/* The queue's depth is what waits for a slow file, and no bound of a second. */
static void test_a_second_may_have_more_than_the_queue(void **state)
{
    char path[] = "/tmp/unit_report_files_opfile_XXXXXX";
    struct opfile_end end;
    struct fixture f;

    (void)state;
    fixture_open(&f);
    f.scenario->safety.caps.max_queue_depth = WAITING_MAX;
    f.scenario->telemetry.log_sample_rate_given = true;
    struct opfile *file = open_file(&f, mkstemp(path));
    for (uint32_t source = 0; source < 2; source++) {
        struct window *w = mixed_window(&f, 3, 1600);

        opfile_take(file, source, w);
        window_free(w);
    }
    /* The end of the run comes before a disk had any time for it. */
    struct window *last = mixed_window(&f, 4, 1600);
    last->end_ns -= 1;
    opfile_take(file, 0, last);
    window_free(last);
    opfile_close(file, PATIENT_NS, &end);
    assert_int_equal(end.lost, 0);
    unlink(path);
    fixture_close(&f);
}

struct reading {
    int fd;
    struct buf text;
};

static void *reader_main(void *arg)
{
    struct reading *r = arg;
    char part[4096];
    ssize_t n;

    while ((n = read(r->fd, part, sizeof part)) > 0) {
        assert_int_equal(buf_add(&r->text, part, (size_t)n), 0);
    }
    return NULL;
}

/* A second that does not fit is taken as far as there is room: no failure costs all successes. */
static void test_a_second_is_taken_as_far_as_there_is_room(void **state)
{
    struct opfile_end end;
    struct fixture f;
    struct reading reading;
    pthread_t reader;
    int fds[2];

    (void)state;
    fixture_open(&f);
    f.scenario->safety.caps.max_queue_depth = WAITING_MAX;
    f.scenario->telemetry.log_sample_rate_given = true;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    struct opfile *file = open_file(&f, fds[1]);
    /* A fourth are failures. The third second finds room for 200, the fourth for failures only. */
    for (uint32_t second = 0; second < 4; second++) {
        struct window *w = mixed_window(&f, second, 400);

        opfile_take(file, 0, w);
        window_free(w);
    }
    reading.fd = fds[0];
    buf_init(&reading.text, 4 << 20);
    assert_int_equal(pthread_create(&reader, NULL, reader_main, &reading), 0);
    opfile_close(file, PATIENT_NS, &end);
    pthread_join(reader, NULL);
    assert_int_equal(end.err.code, 0);
    assert_int_equal(count_of(buf_c(&reading.text), "\"ok\":false"), 400);
    assert_int_equal(count_of(buf_c(&reading.text), "\"ok\":true"), 300 + 300 + 100);
    assert_int_equal(end.lost, 200 + 300);
    buf_clear(&reading.text);
    close(fds[0]);
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
    f.scenario->telemetry.log_sample_rate_given = true;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    struct opfile *file = open_file(&f, fds[1]);
    uint64_t given = 0;
    for (uint32_t i = 0; i < 40; i++) {
        struct window *w = mixed_window(&f, i, 400);

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
    struct window *w = mixed_window(&f, 0, 400);
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
        cmocka_unit_test(test_any_number_of_shards_has_one_sample),
        cmocka_unit_test(test_seconds_are_not_held_for_ever),
        cmocka_unit_test(test_a_second_may_have_more_than_the_queue),
        cmocka_unit_test(test_a_second_is_taken_as_far_as_there_is_room),
        cmocka_unit_test(test_a_full_queue_counts),
        cmocka_unit_test(test_a_full_disk_counts),
    };

    signal(SIGPIPE, SIG_IGN); /* as the programs do */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
