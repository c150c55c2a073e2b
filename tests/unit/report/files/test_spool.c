/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "base/mem.h"
#include "report/files/spool.h"
#include "support/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#define PATIENT_NS (60 * NS_PER_S)

enum { LINE_LEN = 8 };

/* A piece of lines "0000042\n", numbered on; it weighs as many. */
struct numbered {
    struct spool_piece piece;
    unsigned first, done;
};

static atomic_int freed;

static bool make(void *owner, struct spool_piece *piece, struct buf *out, uint64_t *weight)
{
    struct numbered *n = list_entry(piece, struct numbered, piece);
    atomic_int *made = owner;

    assert_int_equal(out->len, 0);
    /* Not all at once: a piece may have several texts. */
    for (unsigned i = 0; i < 100 && n->done < piece->weight; i++, n->done++) {
        assert_int_equal(buf_printf(out, "%07u\n", n->first + n->done), 0);
        (*weight)++;
    }
    atomic_fetch_add(made, 1);
    return n->done < piece->weight;
}

static void free_piece(struct spool_piece *piece)
{
    atomic_fetch_add(&freed, 1);
    xfree(list_entry(piece, struct numbered, piece));
}

static struct spool_piece *piece_of(unsigned first, unsigned lines)
{
    struct numbered *n = xcalloc(1, sizeof *n);

    list_init(&n->piece.node);
    n->piece.weight = lines;
    n->first = first;
    return &n->piece;
}

/* Takes so many lines, unless more than `max` wait with them. */
static bool offer(struct spool *s, uint64_t turn, unsigned first, unsigned lines, uint64_t max)
{
    if (spool_room(s, turn, max) < lines) {
        return false;
    }
    struct spool_piece *piece = piece_of(first, lines);

    piece->turn = turn;
    spool_take(s, piece);
    return true;
}

static struct spool *open_spool(int fd, atomic_int *made)
{
    struct spool_maker maker = {.make = make, .free = free_piece, .owner = made};
    struct spool *s = NULL;
    struct err err = {0};

    assert_true(fd >= 0);
    atomic_store(&freed, 0);
    assert_int_equal(spool_open(fd, "some/file", &maker, &s, &err), 0);
    return s;
}

/* The lines in a file, which are numbered from 0 on. */
static unsigned read_lines(int fd)
{
    char line[LINE_LEN + 1] = "", want[LINE_LEN + 1];
    unsigned count = 0;
    size_t have = 0;
    ssize_t n;

    while ((n = read(fd, line + have, LINE_LEN - have)) > 0) {
        have += (size_t)n;
        if (have == LINE_LEN) {
            snprintf(want, sizeof want, "%07u\n", count++);
            assert_string_equal(line, want);
            have = 0;
        }
    }
    assert_int_equal(n, 0);
    assert_int_equal(have, 0);
    return count;
}

struct reading {
    int fd;
    unsigned lines;
};

static void *reader_main(void *arg)
{
    struct reading *r = arg;

    r->lines = read_lines(r->fd);
    return NULL;
}

static void test_the_end_flushes(void **state)
{
    char path[] = "/tmp/unit_report_files_spool_XXXXXX";
    int fd = mkstemp(path), again = open(path, O_RDONLY | O_CLOEXEC);
    atomic_int made = 0;
    struct spool *s = open_spool(fd, &made);
    struct spool_end end;
    unsigned lines = 0;

    (void)state;
    for (unsigned i = 1; i <= 400; i++) {
        spool_take(s, piece_of(lines, i));
        lines += i;
    }
    spool_close(s, PATIENT_NS, &end);
    assert_int_equal(end.lost, 0);
    assert_true(end.in_time);
    assert_int_equal(end.err.code, 0);
    assert_int_equal(read_lines(again), lines);
    assert_int_equal(atomic_load(&freed), 400);
    close(again);
    unlink(path);
}

/* Nothing reads the pipe for a while: what has no room is refused at once, and what was taken
 * arrives. */
static void test_a_slow_file_holds_up_nobody(void **state)
{
    enum { MAX = 20000 };
    int fds[2];
    atomic_int made = 0;
    struct spool_end end;
    unsigned lines = 0, refused = 0;

    (void)state;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    struct spool *s = open_spool(fds[1], &made);
    for (unsigned i = 0; i < 100; i++) {
        if (offer(s, i, lines, 1000, MAX)) {
            lines += 1000;
        } else {
            refused++;
        }
    }
    /* A pipe holds 64 KiB: 8 of these pieces. */
    assert_in_range(lines, MAX, MAX + 9000);
    assert_int_equal(refused, 100 - lines / 1000);
    /* What weighs less may fit where more does not, and a higher bound lets more in. */
    assert_true(offer(s, 100, lines, 1000, (uint64_t)2 * MAX));
    lines += 1000;

    pthread_t reader;
    struct reading reading = {.fd = fds[0]};
    assert_int_equal(pthread_create(&reader, NULL, reader_main, &reading), 0);
    spool_close(s, PATIENT_NS, &end);
    assert_true(end.in_time);
    assert_int_equal(end.lost, 0);
    pthread_join(reader, NULL);
    assert_int_equal(reading.lines, lines);
    close(fds[0]);
}

/* What comes in one turn does not wait for a slow file yet, however much it is; of a later turn as
 * much is taken as there is room for beside it. */
static void test_only_earlier_turns_wait(void **state)
{
    enum { MAX = 20000 };
    int fds[2];
    atomic_int *made = xcalloc(1, sizeof *made);
    struct spool_end end;

    (void)state;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    struct spool *s = open_spool(fds[1], made);
    assert_true(offer(s, 7, 0, 3 * MAX, MAX));
    assert_true(offer(s, 7, 3 * MAX, 3 * MAX, MAX));
    assert_int_equal(spool_room(s, 7, MAX), UINT64_MAX);
    assert_int_equal(spool_room(s, 8, MAX), 0);
    /* What the pipe has taken does not wait. */
    assert_in_range(spool_room(s, 8, 7 * MAX), MAX, MAX + 8192);
    assert_true(offer(s, 8, 6 * MAX, 100, 7 * MAX));
    assert_in_range(spool_room(s, 8, 7 * MAX), MAX - 100, MAX - 100 + 8192);
    spool_close(s, 0, &end);
    assert_in_range(end.lost, 6 * MAX + 100 - 8192, 6 * MAX + 100);
    xfree(made);
    close(fds[0]);
    while (atomic_load(&freed) < 3) {
        usleep(1000);
    }
}

static void test_a_hanging_file_does_not_hold_up_the_end(void **state)
{
    int fds[2];
    atomic_int *made = xcalloc(1, sizeof *made);
    struct spool_end end;

    (void)state;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    struct spool *s = open_spool(fds[1], made);
    for (unsigned i = 0; i < 20; i++) {
        spool_take(s, piece_of(i * 1000, 1000));
    }
    uint64_t before = clock_monotonic_ns();
    spool_close(s, 50 * NS_PER_MS, &end);
    assert_in_range(clock_monotonic_ns() - before, 50 * NS_PER_MS, 30 * NS_PER_S);
    assert_false(end.in_time);
    assert_int_equal(end.err.code, 0);
    /* Of 20,000 lines 8,192 fit into the pipe, in texts of a hundred. */
    assert_in_range(end.lost, 20000 - 8192, 20000);
    /* Nothing of the owner's is touched any more; sanitizers watch. */
    xfree(made);
    /* Let go, the thread puts its things away. */
    close(fds[0]);
    while (atomic_load(&freed) < 20) {
        usleep(1000);
    }
}

static void test_a_failure_is_told_once(void **state)
{
    atomic_int made = 0;
    struct spool *s = open_spool(open("/dev/full", O_WRONLY | O_CLOEXEC), &made);
    struct spool_end end;

    (void)state;
    for (unsigned i = 0; i < 7; i++) {
        spool_take(s, piece_of(i, 250));
    }
    spool_close(s, PATIENT_NS, &end);
    assert_int_equal(end.err.code, ERR_IO);
    assert_int_equal(end.err.sys, ENOSPC);
    assert_non_null(strstr(end.err.msg, "some/file"));
    assert_int_equal(end.lost, 7 * 250);
    assert_true(end.in_time);
    assert_int_equal(atomic_load(&freed), 7);
}

static void test_nothing_to_do(void **state)
{
    atomic_int made = 0;
    struct spool *s = open_spool(open("/dev/null", O_WRONLY | O_CLOEXEC), &made);
    struct spool_end end;

    (void)state;
    spool_close(s, 0, &end);
    assert_int_equal(end.lost, 0);
    assert_int_equal(atomic_load(&made), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_end_flushes),
        cmocka_unit_test(test_a_slow_file_holds_up_nobody),
        cmocka_unit_test(test_only_earlier_turns_wait),
        cmocka_unit_test(test_a_hanging_file_does_not_hold_up_the_end),
        cmocka_unit_test(test_a_failure_is_told_once),
        cmocka_unit_test(test_nothing_to_do),
    };

    signal(SIGPIPE, SIG_IGN); /* as the programs do */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
