/* SPDX-License-Identifier: MIT */
#include "base/mem.h"
#include "support/unit.h"
#include "support/wire_examples.h"
#include "wire/frame.h"

enum { TEXT_MAX = 64 * 1024 };

/* A message of any kind. */
union any {
    struct wire_hello hello;
    struct wire_welcome welcome;
    struct wire_refuse refuse;
    struct wire_heartbeat heartbeat;
    struct wire_pulse pulse;
    struct wire_ready ready;
    struct wire_rejected rejected;
};

static const struct wire_table *const tables[] = {
    &wire_hello_table, &wire_welcome_table, &wire_refuse_table,   &wire_heartbeat_table,
    &wire_pulse_table, &wire_ready_table,   &wire_rejected_table,
};
enum { TABLE_COUNT = sizeof tables / sizeof tables[0] };

static void make_example(size_t i, union any *m)
{
    memset(m, 0, sizeof *m);
    switch (i) {
    case 0:
        m->hello = example_hello();
        break;
    case 1:
        m->welcome = example_welcome();
        break;
    case 2:
        m->refuse = example_refuse();
        break;
    case 3:
        m->heartbeat = example_heartbeat();
        break;
    case 4:
        m->pulse = example_pulse();
        break;
    case 5:
        m->ready = example_ready();
        break;
    default:
        m->rejected = example_rejected();
    }
}

static json_t *example_json(size_t i)
{
    union any m;

    make_example(i, &m);
    json_t *object = wire_table_to_json(tables[i], &m);
    wire_table_clear(tables[i], &m);
    return object;
}

/* The object that has the last part of the path, and that part. */
static json_t *holder(json_t *object, const char *path, const char **last)
{
    for (const char *dot; (dot = strchr(path, '.')) != NULL; path = dot + 1) {
        char *part = xstrndup(path, (size_t)(dot - path));

        object = json_object_get(object, part);
        xfree(part);
    }
    *last = path;
    return object;
}

static void test_each_message_comes_back_as_it_was(void **state)
{
    (void)state;
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        union any m, back;
        struct buf text, again;

        buf_init(&text, TEXT_MAX);
        buf_init(&again, TEXT_MAX);
        make_example(i, &m);
        assert_int_equal(wire_table_encode(tables[i], &m, &text), 0);
        assert_int_equal(wire_table_decode(tables[i], buf_str(&text), &back, NULL, NULL), 0);
        assert_int_equal(wire_table_encode(tables[i], &back, &again), 0);
        assert_string_equal(buf_c(&text), buf_c(&again));
        wire_table_clear(tables[i], &m);
        wire_table_clear(tables[i], &back);
        buf_clear(&text);
        buf_clear(&again);
    }
}

static void test_members_arrive_where_they_belong(void **state)
{
    struct wire_hello m, back;
    json_t *object;

    (void)state;
    m = example_hello();
    object = wire_hello_to_json(&m);
    assert_int_equal(wire_hello_from_json(object, &back, NULL, NULL), 0);
    assert_int_equal(back.major, 1);
    assert_int_equal(back.max_vus, 200);
    assert_int_equal(back.max_concurrent_ops, 2000);
    assert_int_equal(back.max_rps, 30000);
    assert_int_equal(back.cores, 2);
    assert_int_equal(back.pid, 4711);
    assert_string_equal(back.version, "0.1.0");
    assert_string_equal(back.hostname, "h1");
    assert_string_equal(back.boot_id, m.boot_id);
    assert_string_equal(back.worker_id, m.worker_id);
    assert_string_equal(back.worker_token, m.worker_token);
    assert_true(json_equal(back.labels, m.labels));
    json_decref(object);
    wire_hello_clear(&m);
    wire_hello_clear(&back);
}

/* Without it, and with something that no member may be. */
static void check_member(size_t i, const struct wire_field *f)
{
    json_t *object = example_json(i);
    const char *last, *member = "x";
    json_t *inner = holder(object, f->name, &last);
    union any m;
    struct err err = {0};

    assert_int_equal(json_object_del(inner, last), 0);
    int rc = wire_table_from_json(tables[i], object, &m, &member, &err);
    assert_int_equal(rc, f->optional ? 0 : ERR_INVALID);
    if (rc != 0) {
        assert_string_equal(member, f->name);
        assert_non_null(strstr(err.msg, f->name));
        assert_non_null(strstr(err.msg, "is missing"));
    }
    wire_table_clear(tables[i], &m);
    json_object_set_new(inner, last, json_pack("[b]", 1));
    assert_int_equal(wire_table_from_json(tables[i], object, &m, &member, &err), ERR_INVALID);
    assert_string_equal(member, f->name);
    assert_non_null(strstr(err.msg, f->name));
    json_decref(object);
}

static void test_each_member_that_is_missing_or_wrong_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        for (size_t k = 0; k < tables[i]->field_count; k++) {
            check_member(i, &tables[i]->fields[k]);
        }
    }
}

static void test_unknown_members_are_ignored(void **state)
{
    struct wire_pulse m;

    (void)state;
    assert_int_equal(
        wire_pulse_decode(STR("{\"sent_ns\":1,\"now_ns\":2,\"later\":[{}]}"), &m, NULL, NULL), 0);
    assert_int_equal(m.now_ns, 2);
}

static const struct refused {
    const char *text;
    int code;
    const char *message;
} refused[] = {
    {"[]", ERR_INVALID, "pulse: it is not a JSON object"},
    {"{\"sent_ns\":-1,\"now_ns\":2}", ERR_INVALID,
     "pulse: \"sent_ns\" is not an integer of 0 .. 9223372036854775807"},
    {"{\"sent_ns\":1.0,\"now_ns\":2}", ERR_INVALID,
     "pulse: \"sent_ns\" is not an integer of 0 .. 9223372036854775807"},
    {"{\"sent_ns\":null,\"now_ns\":2}", ERR_INVALID, "pulse: \"sent_ns\" is missing"},
    {"{\"sent_ns\":1,\"sent_ns\":1}", ERR_SYNTAX, NULL},
    {"{\"sent_ns\":1,", ERR_SYNTAX, NULL},
};

static void test_what_is_no_message_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct wire_pulse m = {.now_ns = 5};
        struct err err;

        assert_int_equal(wire_pulse_decode(str_c(refused[i].text), &m, NULL, &err),
                         refused[i].code);
        if (refused[i].message != NULL) {
            assert_string_equal(err.msg, refused[i].message);
        }
        assert_int_equal(m.now_ns, 0);
    }
}

static int try_hello(const char *path, json_t *value, struct wire_hello *out, struct err *err)
{
    json_t *object = example_json(0);
    const char *last;
    json_t *inner = holder(object, path, &last);

    json_object_set_new(inner, last, value);
    int rc = wire_hello_from_json(object, out, NULL, err);
    json_decref(object);
    return rc;
}

/* The earlier contract: 400 without a hostname or with max_vus 0. */
static void test_bounds_of_a_hello(void **state)
{
    struct wire_hello m;
    struct err err;

    (void)state;
    assert_int_equal(try_hello("capacity.max_vus", json_integer(0), &m, &err), ERR_INVALID);
    assert_string_equal(err.msg, "hello: \"capacity.max_vus\" is not an integer of 1 .. 10000000");
    assert_int_equal(try_hello("host_info.hostname", json_string(""), &m, &err), ERR_INVALID);
    assert_string_equal(err.msg, "hello: \"host_info.hostname\" is not a text");
    assert_int_equal(try_hello("worker_id", json_string("a/b"), &m, &err), ERR_INVALID);
    assert_int_equal(try_hello("worker_id", json_stringn("a\0b", 3), &m, &err), ERR_INVALID);
    assert_int_equal(try_hello("labels", json_pack("{s:i}", "zone", 1), &m, &err), ERR_INVALID);
    assert_string_equal(err.msg, "hello: \"labels\" has a member that is no text, or is too long");
}

static void test_there_are_not_too_many_labels(void **state)
{
    json_t *labels = json_object();
    struct wire_hello m;

    (void)state;
    for (unsigned i = 0; i < 65; i++) {
        char name[16];

        snprintf(name, sizeof name, "l%u", i);
        json_object_set_new(labels, name, json_string("x"));
    }
    assert_int_equal(try_hello("labels", labels, &m, NULL), ERR_INVALID);
}

/* Texts end up on terminals; too long ones are cut between two characters. */
static void test_texts_are_made_harmless(void **state)
{
    struct wire_refuse m, back;
    struct buf text;

    (void)state;
    buf_init(&text, TEXT_MAX);
    EXAMPLE_TEXT(m.error, "a\x1b[31m\n\xff!");
    assert_int_equal(wire_refuse_encode(&m, &text), 0);
    assert_int_equal(wire_refuse_decode(buf_str(&text), &back, NULL, NULL), 0);
    assert_string_equal(back.error, "a [31m \xef\xbf\xbd!");
    memset(m.error, 'x', sizeof m.error - 1);
    memcpy(m.error + sizeof m.error - 3, "\xc3\xa4", 3);
    json_t *object = wire_refuse_to_json(&m);
    json_object_set_new(object, "error", json_sprintf("%sx", m.error));
    assert_int_equal(wire_refuse_from_json(object, &back, NULL, NULL), 0);
    assert_string_equal(back.error, m.error);
    json_object_set_new(object, "error", json_sprintf("x%s", m.error));
    assert_int_equal(wire_refuse_from_json(object, &back, NULL, NULL), 0);
    assert_int_equal(strlen(back.error), sizeof m.error - 2);
    json_decref(object);
    buf_clear(&text);
}

static void test_a_full_buffer_is_left_as_it_was(void **state)
{
    struct wire_hello m = example_hello();
    struct buf out;

    (void)state;
    buf_init(&out, 100);
    buf_add_c(&out, "before");
    assert_int_equal(wire_hello_encode(&m, &out), ERR_LIMIT);
    assert_int_equal(out.len, 6);
    buf_clear(&out);
    wire_hello_clear(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_message_comes_back_as_it_was),
        cmocka_unit_test(test_members_arrive_where_they_belong),
        cmocka_unit_test(test_each_member_that_is_missing_or_wrong_is_named),
        cmocka_unit_test(test_unknown_members_are_ignored),
        cmocka_unit_test(test_what_is_no_message_is_refused),
        cmocka_unit_test(test_bounds_of_a_hello),
        cmocka_unit_test(test_there_are_not_too_many_labels),
        cmocka_unit_test(test_texts_are_made_harmless),
        cmocka_unit_test(test_a_full_buffer_is_left_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
