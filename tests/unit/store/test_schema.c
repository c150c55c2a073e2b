/* SPDX-License-Identifier: MIT */
/* Files that this program cannot use are refused in words, whatever is wrong with them. */
#include "base/json.h"
#include "store/connection.h"
#include "store/place.h"
#include "store/schema.h"
#include "support/open_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void path_of(const struct open_store *o, char out[128])
{
    snprintf(out, 128, "%s/mcpdrill.db", o->folder.path);
}

/* By somebody else's hand, while no store is open. */
static void change_file(struct open_store *o, const char *sql)
{
    char path[128];
    sqlite3 *db;

    path_of(o, path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static int64_t ask_file(struct open_store *o, const char *sql)
{
    char path[128];
    sqlite3 *db;
    int64_t number;

    path_of(o, path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(connection_number(db, sql, &number, NULL), 0);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return number;
}

/* The file's header says so, at byte 18 (sqlite.org/fileformat.html). */
static bool has_log(const struct open_store *o)
{
    char path[128], head[20] = {0};

    path_of(o, path);
    int fd = open(path, O_RDONLY);

    assert_int_equal(read(fd, head, sizeof head), sizeof head);
    close(fd);
    return head[18] == 2;
}

static void new_closed(struct open_store *o)
{
    open_store_new(o);
    store_close(o->s);
    o->s = NULL;
}

static void a_new_file_has_this_version_and_is_private(void **state)
{
    struct open_store o;
    struct stat st;
    char path[128];

    (void)state;
    new_closed(&o);
    path_of(&o, path);
    assert_int_equal(ask_file(&o, "PRAGMA user_version"), schema_version());
    assert_int_equal(ask_file(&o, "SELECT count(*) FROM pragma_table_list"
                                  " WHERE strict = 0 AND name NOT LIKE 'sqlite_%'"),
                     0);
    assert_true(has_log(&o));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    open_store_free(&o);
}

static void a_newer_version_is_refused_by_both_numbers(void **state)
{
    struct open_store o;
    struct err err = {0};
    char here[48];

    (void)state;
    new_closed(&o);
    change_file(&o, "PRAGMA user_version = 1234");
    assert_int_equal(open_store_again(&o, 0, &err), ERR_UNSUPPORTED);
    snprintf(here, sizeof here, "versions up to %d", schema_version());
    assert_non_null(strstr(err.msg, "version 1234"));
    assert_non_null(strstr(err.msg, here));
    assert_int_equal(ask_file(&o, "PRAGMA user_version"), 1234);
    assert_int_equal(open_store_again(&o, 0, &err), ERR_UNSUPPORTED); /* the lock was let go */
    open_store_free(&o);
}

static void a_database_of_somebody_else_is_left_alone(void **state)
{
    struct open_store o;
    struct err err = {0};

    (void)state;
    folder_new(&o.folder);
    assert_int_equal(loop_new(&open_store_clock, &o.loop, NULL), 0);
    change_file(&o, "CREATE TABLE theirs (a)");
    assert_int_equal(open_store_again(&o, 0, &err), ERR_UNSUPPORTED);
    assert_non_null(strstr(err.msg, "no store of mcpdrill"));
    assert_int_equal(ask_file(&o, "SELECT count(*) FROM sqlite_schema"), 1);
    assert_false(has_log(&o));
    open_store_free(&o);
}

static void what_is_no_database_is_said(void **state)
{
    struct open_store o;
    struct err err = {0};
    char path[128], text[8192];

    (void)state;
    folder_new(&o.folder);
    assert_int_equal(loop_new(&open_store_clock, &o.loop, NULL), 0);
    path_of(&o, path);
    memset(text, 'x', sizeof text);
    assert_int_equal(file_write(path, (struct str){text, sizeof text}, &err), 0);
    assert_int_equal(open_store_again(&o, 0, &err), ERR_IO);
    assert_non_null(strstr(err.msg, "not a database"));
    assert_non_null(strstr(err.msg, path));
    open_store_free(&o);
}

static void a_folder_in_use_is_refused(void **state)
{
    struct open_store o;
    struct store *second = NULL;
    struct err err = {0};

    (void)state;
    open_store_new(&o);
    struct sqlite_options options = {.dir = o.folder.path};

    assert_int_equal(store_sqlite_open(&options, o.loop, &second, &err), ERR_STATE);
    assert_non_null(strstr(err.msg, "in use by process"));
    assert_non_null(strstr(err.msg, "take another folder"));
    assert_null(second);
    open_store_free(&o);
}

static bool ignore_event(void *owner, const struct store_event *row)
{
    (void)row;
    ++*(unsigned *)owner;
    return true;
}

/* Every page but the first: what the schema says is still read. */
static void spoil_pages(struct open_store *o)
{
    char path[128], garbage[8192];
    int64_t pages = ask_file(o, "PRAGMA page_count");
    int64_t size = ask_file(o, "PRAGMA page_size");
    int fd;

    path_of(o, path);
    memset(garbage, 0xa5, sizeof garbage);
    fd = open(path, O_WRONLY);
    assert_true(fd >= 0 && size <= (int64_t)sizeof garbage);
    for (int64_t i = 1; i < pages; i++) {
        assert_int_equal(pwrite(fd, garbage, (size_t)size, i * size), size);
    }
    close(fd);
}

static void spoiled_pages_are_errors_in_words(void **state)
{
    struct open_store o;
    struct err err = {0};
    unsigned rows = 0;
    struct store_event event = {.event_id = "evt_1", .type = "T", .body = STR("{}")};

    (void)state;
    open_store_new(&o);
    open_store_put_run(&o, "run_1");
    assert_int_equal(store_add_event(o.s, "run_1", &event), 0);
    open_store_flush(&o);
    store_close(o.s);
    spoil_pages(&o);
    int rc = open_store_again(&o, 0, &err);

    if (rc == 0) {
        assert_int_equal(store_events(o.s, "run_1", 0, 9, ignore_event, &rows), ERR_IO);
        assert_int_equal(rows, 0);
        store_read_error(o.s, &err);
        assert_non_null(strstr(err.msg, "malformed"));
        event.number = 1;
        event.event_id = "evt_2";
        store_add_event(o.s, "run_1", &event); /* may have failed by now: litter was looked for */
        assert_int_equal(store_flush(o.s), ERR_IO);
        assert_true(store_failed(o.s, &err));
    }
    assert_non_null(strstr(err.msg, "malformed"));
    open_store_free(&o);
}

/* The tests may be run by root, whom no mode keeps from writing. */
static int open_as_nobody(struct open_store *o)
{
    struct err err = {0};

    if (getuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) {
        return 2;
    }
    if (open_store_again(o, 0, &err) != ERR_IO || strstr(err.msg, o->folder.path) == NULL ||
        strstr(err.msg, "Permission denied") == NULL) {
        return 3;
    }
    if (store_place_make(o->folder.path, &err) != ERR_IO ||
        strstr(err.msg, "cannot write") == NULL) {
        return 4;
    }
    return 0;
}

static void a_folder_that_cannot_be_written_is_an_error(void **state)
{
    struct open_store o;
    int status = 0;

    (void)state;
    folder_new(&o.folder);
    assert_int_equal(loop_new(&open_store_clock, &o.loop, NULL), 0);
    o.s = NULL;
    assert_int_equal(chmod(o.folder.path, 0555), 0);
    pid_t child = fork();

    if (child == 0) {
        _exit(open_as_nobody(&o));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(chmod(o.folder.path, 0755), 0);
    open_store_free(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_file_has_this_version_and_is_private),
        cmocka_unit_test(a_newer_version_is_refused_by_both_numbers),
        cmocka_unit_test(a_database_of_somebody_else_is_left_alone),
        cmocka_unit_test(what_is_no_database_is_said),
        cmocka_unit_test(a_folder_in_use_is_refused),
        cmocka_unit_test(spoiled_pages_are_errors_in_words),
        cmocka_unit_test(a_folder_that_cannot_be_written_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
