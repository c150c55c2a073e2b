/* SPDX-License-Identifier: MIT */
/* When writes are durable, in which order, how many at a time, and what happens when they fail. */
#include "store/connection.h"
#include "store/record.h"
#include "store/schema.h"
#include "store/writer.h"
#include "support/open_store.h"

#include <signal.h>
#include <sys/wait.h>

/* ---- the writer alone --------------------------------------------------------------------------
 */

struct lone_writer {
    struct folder folder;
    struct loop *loop;
    sqlite3 *db;
    unsigned commits;
    struct writer w;
};

static int count_commit(void *owner)
{
    ++*(unsigned *)owner;
    return 0;
}

static void ignore_news(struct writer *w)
{
    (void)w;
}

static void lone_writer_new(struct lone_writer *l)
{
    char path[128];

    *l = (struct lone_writer){.w.on_news = ignore_news};
    folder_new(&l->folder);
    snprintf(path, sizeof path, "%s/db", l->folder.path);
    assert_int_equal(loop_new(&open_store_clock, &l->loop, NULL), 0);
    assert_int_equal(connection_open(path, &l->db, NULL), 0);
    assert_int_equal(connection_set_up(l->db, 0, NULL), 0);
    assert_int_equal(schema_migrate(l->db, NULL), 0);
    sqlite3_busy_timeout(l->db, 1000);
    sqlite3_commit_hook(l->db, count_commit, &l->commits);
    assert_int_equal(writer_start(&l->w, l->loop, l->db, NULL), 0);
}

static void lone_writer_free(struct lone_writer *l)
{
    connection_close(l->db);
    loop_free(l->loop);
    folder_free(&l->folder);
}

static struct writer_group *group_of(uint64_t ticket, const struct record *record)
{
    struct writer_group *g = writer_group_new();

    g->ticket = ticket;
    assert_int_equal(record_add(&g->writes, record), 0);
    return g;
}

static void many_groups_are_few_commits(void **state)
{
    enum { GROUPS = 2000 };
    struct lone_writer l;
    int64_t rows;
    struct record worker = {.kind = WRITE_PUT_WORKER,
                            .count = 5,
                            .values = {value_text(STR("wkr_1")), {0}, {0}, value_number(0)}};

    (void)state;
    lone_writer_new(&l);
    for (uint64_t i = 1; i <= GROUPS; i++) {
        worker.values[3] = value_number(i);
        assert_true(writer_push(&l.w, group_of(i, &worker)));
    }
    assert_int_equal(writer_wait(&l.w, GROUPS), 0);
    assert_int_equal(writer_durable(&l.w), GROUPS);
    assert_int_equal(writer_bytes(&l.w), 0);
    writer_stop(&l.w);
    assert_true(l.commits >= 1 && l.commits <= GROUPS / 10);
    assert_int_equal(connection_number(l.db, "SELECT seen_ms FROM workers", &rows, NULL), 0);
    assert_int_equal(rows, GROUPS); /* the last one came last */
    lone_writer_free(&l);
}

static void a_disk_that_does_not_keep_up_fails_the_writer(void **state)
{
    struct lone_writer l;
    struct record worker = {
        .kind = WRITE_DELETE_WORKER, .count = 1, .values = {value_text(STR("wkr_1"))}};
    struct err err = {0};
    sqlite3 *other;
    uint64_t ticket = 1;
    bool fits = true;

    (void)state;
    lone_writer_new(&l);
    assert_int_equal(sqlite3_open(sqlite3_db_filename(l.db, "main"), &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_true(writer_push(&l.w, group_of(ticket++, &worker)));
    for (unsigned i = 0; i < 3 && fits; i++) {
        struct writer_group *g = writer_group_new();

        g->ticket = ticket++;
        assert_int_equal(buf_reserve(&g->writes, 100 << 20), 0);
        g->writes.len = 100 << 20; /* never looked at: the thread gets no transaction */
        assert_int_equal(i, writer_bytes(&l.w) / (100 << 20));
        fits = writer_push(&l.w, g);
    }
    assert_false(fits);
    assert_true(writer_failed(&l.w, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.msg, "does not keep up"));
    assert_false(writer_push(&l.w, group_of(ticket, &worker)));
    assert_int_equal(writer_wait(&l.w, ticket), ERR_IO);
    writer_stop(&l.w);
    sqlite3_close(other);
    lone_writer_free(&l);
}

/* ---- waits -------------------------------------------------------------------------------------
 */

enum { WAITS = 4 };

struct waiting {
    struct open_store o;
    struct store_wait waits[WAITS];
    char order[WAITS + 1];
    unsigned called;
    bool done;
    bool seen; /* by a read, when it was called */
};

static struct waiting *now_waiting;

static bool see_run(void *owner, const struct store_run *row)
{
    (void)row;
    *(bool *)owner = true;
    return true;
}

static void on_durable(struct store_wait *wait)
{
    struct waiting *w = now_waiting;
    unsigned i = (unsigned)(wait - w->waits);

    w->order[w->called++] = (char)('a' + i);
    if (i == 0) {
        store_get_run(w->o.s, "run_1", see_run, &w->seen);
    }
    w->done = i == WAITS - 1;
}

static void waiting_new(struct waiting *w)
{
    *w = (struct waiting){0};
    now_waiting = w;
    open_store_new(&w->o);
    for (unsigned i = 0; i < WAITS; i++) {
        store_wait_init(&w->waits[i], on_durable);
    }
}

static void waits_end_in_order_when_their_writes_are_durable(void **state)
{
    struct waiting w;

    (void)state;
    waiting_new(&w);
    open_store_put_run(&w.o, "run_1");
    store_when_durable(w.o.s, &w.waits[0]);
    store_when_durable(w.o.s, &w.waits[2]);
    store_when_durable(w.o.s, &w.waits[1]);
    store_when_durable(w.o.s, &w.waits[2]); /* anew */
    open_store_put_run(&w.o, "run_2");
    store_when_durable(w.o.s, &w.waits[3]);
    open_store_flush(&w.o);
    assert_int_equal(w.called, 0); /* only from the loop */
    open_store_until(&w.o, &w.done);
    assert_string_equal(w.order, "abcd");
    assert_true(w.seen);

    w.done = false; /* nothing is written: at once, but not within the call */
    store_when_durable(w.o.s, &w.waits[3]);
    assert_false(w.done);
    loop_turn(w.o.loop, 0);
    assert_true(w.done);
    open_store_free(&w.o);
}

static void writes_of_one_callback_wait_for_its_end(void **state)
{
    struct waiting w;
    uint64_t applied;

    (void)state;
    waiting_new(&w);
    open_store_put_run(&w.o, "run_1");
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL); /* the writer has nothing yet */
    assert_int_equal(store_get_run(w.o.s, "run_1", see_run, &w.seen), ERR_NOT_FOUND);
    assert_int_equal(store_put_applied(w.o.s, "run_1", "wkr_1", 7), 0);
    store_when_durable(w.o.s, &w.waits[WAITS - 1]);
    open_store_until(&w.o, &w.done);
    assert_int_equal(store_get_run(w.o.s, "run_1", see_run, &w.seen), 0);
    assert_int_equal(store_get_applied(w.o.s, "run_1", "wkr_1", &applied), 0);
    assert_int_equal(applied, 7);
    open_store_free(&w.o);
}

static void a_cancelled_wait_is_not_called(void **state)
{
    struct waiting w;

    (void)state;
    waiting_new(&w);
    store_wait_cancel(&w.waits[0]);
    open_store_put_run(&w.o, "run_1");
    store_when_durable(w.o.s, &w.waits[0]);
    store_when_durable(w.o.s, &w.waits[3]);
    store_wait_cancel(&w.waits[0]);
    open_store_until(&w.o, &w.done);
    assert_string_equal(w.order, "d");
    store_when_durable(w.o.s, &w.waits[1]);
    open_store_free(&w.o); /* … and none that is left */
    store_wait_cancel(&w.waits[1]);
    assert_int_equal(w.called, 1);
}

/* ---- failures ----------------------------------------------------------------------------------
 */

struct failing {
    unsigned told;
    bool done;
    struct err err;
};

static void on_failure(void *owner, const struct err *err)
{
    struct failing *f = owner;

    f->told++;
    f->done = true;
    f->err = *err;
}

static bool count_window(void *owner, const struct store_window *row)
{
    (void)row;
    ++*(unsigned *)owner;
    return true;
}

static void a_full_disk_is_told_once_and_loses_nothing_durable(void **state)
{
    static char body[10000];
    struct waiting w;
    struct failing f = {0};
    struct err err = {0};
    unsigned durable = 0, found = 0;
    struct store_window window = {.body = {body, sizeof body}};

    (void)state;
    waiting_new(&w);
    store_close(w.o.s);
    assert_int_equal(open_store_again(&w.o, 1 << 20, &err), 0);
    w.o.s->on_failure = on_failure;
    w.o.s->owner = &f;
    open_store_put_run(&w.o, "run_1");
    while (store_add_window(w.o.s, "run_1", &window) == 0 && store_flush(w.o.s) == 0) {
        durable++;
        assert_true(durable < 1000);
    }
    store_when_durable(w.o.s, &w.waits[0]);
    assert_true(store_failed(w.o.s, &err));
    assert_non_null(strstr(err.msg, "full"));
    open_store_until(&w.o, &f.done);
    assert_int_equal(store_add_window(w.o.s, "run_1", &window), ERR_IO);
    assert_int_equal(store_flush(w.o.s), ERR_IO);
    loop_turn(w.o.loop, clock_monotonic_ns() + 20 * NS_PER_MS);
    assert_int_equal(f.told, 1);
    assert_string_equal(f.err.msg, err.msg);
    assert_int_equal(w.called, 0); /* what was not stored lets nothing out */
    assert_int_equal(store_windows(w.o.s, "run_1", count_window, &found), 0);
    assert_true(durable > 50);
    assert_int_equal(found, durable);

    store_close(w.o.s);
    assert_int_equal(open_store_again(&w.o, 0, &err), 0);
    found = 0;
    assert_int_equal(store_windows(w.o.s, "run_1", count_window, &found), 0);
    assert_int_equal(found, durable);
    open_store_free(&w.o);
}

static void too_much_at_once_fails_the_store(void **state)
{
    static char body[STORE_TEXT_MAX];
    struct open_store o;
    struct err err = {0};
    struct store_window window = {.body = {body, sizeof body}};

    (void)state;
    open_store_new(&o);
    open_store_put_run(&o, "run_1");
    open_store_flush(&o);
    for (unsigned i = 0; i < STORE_GROUP_BYTES_MAX / STORE_TEXT_MAX; i++) {
        assert_int_equal(store_add_window(o.s, "run_1", &window), 0);
    }
    assert_int_equal(store_add_window(o.s, "run_1", &window), ERR_IO);
    assert_true(store_failed(o.s, &err));
    assert_non_null(strstr(err.msg, "at once"));
    assert_int_equal(store_flush(o.s), ERR_IO);
    store_close(o.s);
    unsigned found = 0;

    assert_int_equal(open_store_again(&o, 0, &err), 0);
    assert_int_equal(store_windows(o.s, "run_1", count_window, &found), 0);
    assert_int_equal(found, 0); /* a part of a callback's writes is nothing */
    open_store_free(&o);
}

static void an_event_is_never_rewritten(void **state)
{
    struct open_store o;
    struct err err = {0};
    uint64_t events;
    struct store_event event = {.event_id = "evt_1", .type = "T", .body = STR("{}")};

    (void)state;
    open_store_new(&o);
    open_store_put_run(&o, "run_1");
    assert_int_equal(store_add_event(o.s, "run_1", &event), 0);
    open_store_flush(&o);
    event.event_id = "evt_2";
    assert_int_equal(store_add_event(o.s, "run_1", &event), 0);
    assert_int_equal(store_flush(o.s), ERR_IO);
    assert_true(store_failed(o.s, &err));
    assert_non_null(strstr(err.msg, "events.number"));
    assert_int_equal(store_event_count(o.s, "run_1", &events), 0);
    assert_int_equal(events, 1);
    open_store_free(&o);
}

static void a_crowd_is_seen_and_goes(void **state)
{
    static char body[1 << 20];
    struct open_store o;
    struct store_window window = {.body = {body, sizeof body}};

    (void)state;
    open_store_new(&o);
    open_store_put_run(&o, "run_1");
    for (unsigned i = 0; i < STORE_CROWDED_BYTES / sizeof body; i++) {
        assert_false(store_crowded(o.s));
        assert_int_equal(store_add_window(o.s, "run_1", &window), 0);
    }
    assert_true(store_crowded(o.s));
    open_store_flush(&o);
    assert_false(store_crowded(o.s));
    open_store_free(&o);
}

/* ---- a killed process --------------------------------------------------------------------------
 */

enum { BATCH = 3 }; /* events of one callback, and how far they go in a number beside them */

struct victim {
    struct open_store *o;
    struct defer write;
    struct store_wait wait;
    uint64_t events, told;
    int out_fd;
};

static void write_batch(struct defer *d)
{
    struct victim *v = list_entry(d, struct victim, write);

    for (unsigned i = 0; i < BATCH; i++) {
        char id[32];
        struct store_event event = {
            .number = v->events++, .event_id = id, .type = "T", .body = STR("{}")};

        snprintf(id, sizeof id, "evt_%llu", (unsigned long long)event.number);
        store_add_event(v->o->s, "run_1", &event);
    }
    store_put_applied(v->o->s, "run_1", "wkr_1", v->events);
    if (list_empty(&v->wait.node)) {
        v->told = v->events;
        store_when_durable(v->o->s, &v->wait);
    }
    loop_defer(v->o->loop, d);
}

static void tell_durable(struct store_wait *wait)
{
    struct victim *v = list_entry(wait, struct victim, wait);

    if (write(v->out_fd, &v->told, sizeof v->told) != sizeof v->told) {
        _exit(1);
    }
}

/* Writes without end and says how many events are durable. */
static void live(struct open_store *o, int out_fd)
{
    struct victim v = {.o = o, .out_fd = out_fd};

    if (loop_new(&open_store_clock, &o->loop, NULL) != 0 || open_store_again(o, 0, NULL) != 0) {
        _exit(1);
    }
    struct store_run run = {.run_id = "run_1"};

    store_put_run(o->s, &run);
    defer_init(&v.write, write_batch);
    store_wait_init(&v.wait, tell_durable);
    loop_defer(o->loop, &v.write);
    for (;;) {
        /* Slow enough for the queue, fast enough to be killed amid a commit. */
        loop_turn(o->loop, 0);
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    }
}

static uint64_t kill_after(pid_t child, int fd, unsigned ms)
{
    uint64_t told = 0, next;

    assert_int_equal(read(fd, &told, sizeof told), sizeof told);
    nanosleep(&(struct timespec){.tv_nsec = (long)ms * 1000000}, NULL);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    while (read(fd, &next, sizeof next) == sizeof next) {
        told = next;
    }
    return told;
}

static bool check_number(void *owner, const struct store_event *row)
{
    uint64_t *next = owner;

    assert_int_equal(row->number, *next);
    ++*next;
    return true;
}

static void a_killed_process_loses_nothing_that_it_told(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 5; round++) {
        struct open_store o = {0};
        uint64_t events = 0, applied;
        int fds[2];

        folder_new(&o.folder);
        assert_int_equal(pipe(fds), 0);
        pid_t child = fork();

        if (child == 0) {
            live(&o, fds[1]);
        }
        close(fds[1]);
        uint64_t told = kill_after(child, fds[0], 20 + 7 * round);

        close(fds[0]);
        assert_int_equal(loop_new(&open_store_clock, &o.loop, NULL), 0);
        assert_int_equal(open_store_again(&o, 0, NULL), 0);
        assert_int_equal(store_events(o.s, "run_1", 0, UINT64_MAX, check_number, &events), 0);
        assert_true(events >= told);
        assert_true(told >= BATCH);
        assert_int_equal(events % BATCH, 0); /* a callback's writes are there as a whole … */
        assert_int_equal(store_get_applied(o.s, "run_1", "wkr_1", &applied), 0);
        assert_int_equal(applied, events); /* … all of them */
        open_store_free(&o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_groups_are_few_commits),
        cmocka_unit_test(a_disk_that_does_not_keep_up_fails_the_writer),
        cmocka_unit_test(waits_end_in_order_when_their_writes_are_durable),
        cmocka_unit_test(writes_of_one_callback_wait_for_its_end),
        cmocka_unit_test(a_cancelled_wait_is_not_called),
        cmocka_unit_test(a_full_disk_is_told_once_and_loses_nothing_durable),
        cmocka_unit_test(too_much_at_once_fails_the_store),
        cmocka_unit_test(an_event_is_never_rewritten),
        cmocka_unit_test(a_crowd_is_seen_and_goes),
        cmocka_unit_test(a_killed_process_loses_nothing_that_it_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
