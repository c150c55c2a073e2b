/* SPDX-License-Identifier: MIT */
/* A SQLite store in a temporary folder, with a loop of real time. */
#ifndef SUPPORT_OPEN_STORE_H
#define SUPPORT_OPEN_STORE_H

#include "base/clock.h"
#include "loop/loop.h"
#include "store/sqlite.h"
#include "support/folder.h"
#include "support/unit.h"

struct open_store {
    struct folder folder;
    struct loop *loop;
    struct store *s;
};

static const struct clock open_store_clock = {0};

static inline int open_store_again(struct open_store *o, uint64_t max_bytes, struct err *err)
{
    struct sqlite_options options = {.dir = o->folder.path, .max_bytes = max_bytes};

    o->s = NULL;
    return store_sqlite_open(&options, o->loop, &o->s, err);
}

static inline void open_store_new_by(struct open_store *o, const struct clock *clock)
{
    struct err err = {0};

    folder_new(&o->folder);
    assert_int_equal(loop_new(clock, &o->loop, NULL), 0);
    if (open_store_again(o, 0, &err) != 0) {
        fail_msg("%s", err.msg);
    }
}

static inline void open_store_new(struct open_store *o)
{
    open_store_new_by(o, &open_store_clock);
}

static inline void open_store_free(struct open_store *o)
{
    store_close(o->s);
    loop_free(o->loop);
    folder_free(&o->folder);
}

static inline void open_store_flush(struct open_store *o)
{
    struct err err = {0};

    if (store_flush(o->s) != 0) {
        store_failed(o->s, &err);
        fail_msg("%s", err.msg);
    }
}

/* Turns of the loop until *done, five seconds at most. */
static inline void open_store_until(struct open_store *o, const bool *done)
{
    uint64_t end_ns = clock_monotonic_ns() + 5 * NS_PER_S;

    while (!*done && clock_monotonic_ns() < end_ns) {
        loop_turn(o->loop, clock_monotonic_ns() + 10 * NS_PER_MS);
    }
    assert_true(*done);
}

static inline void open_store_put_run(struct open_store *o, const char *run_id)
{
    struct store_run run = {.run_id = run_id, .created_ms = 1, .updated_ms = 1, .state = "created"};

    assert_int_equal(store_put_run(o->s, &run), 0);
}

#endif
