/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "loop/mailbox.h"
#include "support/unit.h"

enum { SENDERS = 3, EACH = 5000 };

struct letter {
    struct list node;
    unsigned sender, number;
};

struct reader {
    struct mailbox box;
    unsigned next[SENDERS];
    unsigned total;
};

static const struct clock real_clock = {0};

static void *send_letters(void *arg)
{
    struct reader *r = arg;
    static unsigned senders;
    unsigned sender = __atomic_fetch_add(&senders, 1, __ATOMIC_RELAXED);

    for (unsigned i = 0; i < EACH; i++) {
        struct letter *l = xcalloc(1, sizeof *l);

        *l = (struct letter){.sender = sender, .number = i};
        mailbox_post(&r->box, &l->node);
    }
    return NULL;
}

static void on_letter(struct mailbox *m, struct list *node)
{
    struct reader *r = list_entry(m, struct reader, box);
    struct letter *l = list_entry(node, struct letter, node);

    assert_true(l->sender < SENDERS);
    assert_int_equal(l->number, r->next[l->sender]++); /* in order, none lost, none twice */
    r->total++;
    xfree(l);
    if (r->total == SENDERS * EACH) {
        loop_stop(m->loop);
    }
}

static void messages_of_threads_arrive_in_order(void **state)
{
    struct loop *l;
    struct reader r = {0};
    pthread_t threads[SENDERS];

    (void)state;
    assert_int_equal(loop_new(&real_clock, &l, NULL), 0);
    assert_int_equal(mailbox_init(&r.box, l, on_letter, NULL), 0);
    for (int i = 0; i < SENDERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, send_letters, &r), 0);
    }
    loop_run(l);
    for (int i = 0; i < SENDERS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(r.total, SENDERS * EACH);
    mailbox_clear(&r.box);
    loop_free(l);
}

static void what_is_left_is_handed_out_at_the_end(void **state)
{
    struct loop *l;
    struct reader r = {0};

    (void)state;
    assert_int_equal(loop_new(&real_clock, &l, NULL), 0);
    assert_int_equal(mailbox_init(&r.box, l, on_letter, NULL), 0);
    for (unsigned i = 0; i < 3; i++) {
        struct letter *letter = xcalloc(1, sizeof *letter);

        letter->number = i;
        mailbox_post(&r.box, &letter->node);
    }
    assert_int_equal(r.total, 0); /* never inside the call */
    mailbox_clear(&r.box);
    assert_int_equal(r.total, 3);
    loop_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_threads_arrive_in_order),
        cmocka_unit_test(what_is_left_is_handed_out_at_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
