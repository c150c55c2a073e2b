/* SPDX-License-Identifier: MIT */
#include "base/buf.h"
#include "net/mem_stream.h"
#include "support/unit.h"

#include <errno.h>

static uint64_t now_ns;
static const struct clock virtual_clock = {.virtual_ns = &now_ns};

/* One end that writes `to_send` and collects what it reads, by the rules of net/stream.h. */
struct end {
    struct stream *stream;
    struct buf got;
    const char *to_send;
    size_t left;
    int error; /* errno, or -1 at the end of the stream */
    unsigned reads;
};

static void read_all(struct end *e)
{
    char piece[7];

    for (;;) {
        ssize_t n = stream_read(e->stream, piece, sizeof piece);

        if (n == -EAGAIN) {
            return;
        }
        if (n <= 0) {
            e->error = n == 0 ? -1 : (int)-n;
            return;
        }
        e->reads++;
        assert_int_equal(buf_add(&e->got, piece, (size_t)n), 0);
        if ((size_t)n < sizeof piece) {
            return; /* short: an edge will come */
        }
    }
}

static void write_more(struct end *e)
{
    while (e->left > 0) {
        ssize_t n = stream_write(e->stream, e->to_send, e->left);

        if (n == -EAGAIN) {
            return;
        }
        assert_true(n > 0);
        e->to_send += n;
        e->left -= (size_t)n;
    }
}

static void on_event(struct stream *s, unsigned events)
{
    struct end *e = s->owner;

    if (events & STREAM_READABLE) {
        read_all(e);
        if (events & STREAM_HUP) {
            read_all(e);
        }
    }
    if (events & STREAM_WRITABLE) {
        write_more(e);
    }
}

static struct loop *make(struct end *a, struct end *b, const struct mem_faults *faults)
{
    struct loop *l = NULL;

    assert_int_equal(loop_new(&virtual_clock, &l, NULL), 0);
    *a = *b = (struct end){0};
    mem_pair(l, faults, &a->stream, &b->stream);
    struct end *ends[] = {a, b};
    for (int i = 0; i < 2; i++) {
        buf_init(&ends[i]->got, 1 << 20);
        ends[i]->stream->owner = ends[i];
        ends[i]->stream->on_event = on_event;
    }
    return l;
}

static void clear(struct loop *l, struct end *a, struct end *b)
{
    stream_close(a->stream);
    stream_close(b->stream);
    loop_turn(l, 0);
    buf_clear(&a->got);
    buf_clear(&b->got);
    loop_free(l);
}

static void bytes_arrive_whatever_the_faults(void **state)
{
    static const struct mem_faults all[] = {
        {0},
        {.read_max = 1},
        {.write_max = 1},
        {.capacity = 3},
        {.read_max = 2, .write_max = 3},
        {.read_max = 1, .write_max = 1, .capacity = 1},
    };
    char text[1000];

    (void)state;
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (char)(i * 31);
    }
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        struct end a, b;
        struct loop *l = make(&a, &b, &all[i]);

        a.to_send = b.to_send = text;
        a.left = b.left = sizeof text;
        write_more(&a);
        write_more(&b);
        assert_int_equal(a.got.len + b.got.len, 0); /* nothing happens inside a call */
        loop_run_virtual(l, &now_ns, now_ns + NS_PER_S);
        assert_int_equal(a.got.len, sizeof text);
        assert_memory_equal(a.got.p, text, sizeof text);
        assert_memory_equal(b.got.p, text, sizeof text);
        clear(l, &a, &b);
    }
}

static void the_end_comes_after_the_bytes(void **state)
{
    struct end a, b;
    struct loop *l = make(&a, &b, NULL);

    (void)state;
    a.to_send = "last words";
    a.left = 10;
    write_more(&a);
    stream_close(a.stream);
    a.stream = NULL;
    loop_run_virtual(l, &now_ns, now_ns + NS_PER_S);
    assert_string_equal(buf_c(&b.got), "last words");
    assert_int_equal(b.error, -1);
    assert_int_equal(stream_write(b.stream, "x", 1), -EPIPE);
    clear(l, &a, &b);
}

static void a_reset_breaks_the_other_end(void **state)
{
    struct end a, b;
    struct loop *l = make(&a, &b, NULL);

    (void)state;
    stream_reset(a.stream);
    a.stream = NULL;
    loop_run_virtual(l, &now_ns, now_ns + NS_PER_S);
    assert_int_equal(b.error, ECONNRESET);
    assert_int_equal(stream_write(b.stream, "x", 1), -ECONNRESET);
    clear(l, &a, &b);
}

static void a_closed_end_hears_nothing_more(void **state)
{
    struct end a, b;
    struct loop *l = make(&a, &b, NULL);

    (void)state;
    a.to_send = "to nobody";
    a.left = 9;
    write_more(&a);
    stream_close(b.stream);
    b.stream = NULL;
    loop_run_virtual(l, &now_ns, now_ns + NS_PER_S);
    assert_int_equal(b.got.len, 0);
    assert_int_equal(a.error, -1);
    clear(l, &a, &b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_arrive_whatever_the_faults),
        cmocka_unit_test(the_end_comes_after_the_bytes),
        cmocka_unit_test(a_reset_breaks_the_other_end),
        cmocka_unit_test(a_closed_end_hears_nothing_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
