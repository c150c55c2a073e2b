/* SPDX-License-Identifier: MIT */
#include "cli/share.h"
#include "support/tree.h"

/* An installation, a build without one, and a working folder, all in one temporary tree. */
struct world {
    struct tree tree;
    char installed[128], built[128], before[SHARE_PATH_MAX];
};

static struct world w;

static int make_world(void **state)
{
    (void)state;
    tree_new(&w.tree);
    tree_put(&w.tree, "/usr/bin/" SHARE_FROM_BIN "/examples/one.json", "installed");
    tree_put(&w.tree, "/usr/bin/" SHARE_FROM_BIN "/examples/both.json", "installed");
    tree_put(&w.tree, "/usr/bin/mcpdrill", "");
    tree_put(&w.tree, "/build/bin/examples/one.json", "built");
    tree_put(&w.tree, "/bare/bin/mcpdrill", "");
    tree_put(&w.tree, "/cwd/examples/both.json", "mine");
    snprintf(w.installed, sizeof w.installed, "%s/usr/bin", w.tree.root);
    snprintf(w.built, sizeof w.built, "%s/build/bin", w.tree.root);
    assert_non_null(getcwd(w.before, sizeof w.before));
    char work[128];
    snprintf(work, sizeof work, "%s/cwd", w.tree.root);
    return chdir(work);
}

static int drop_world(void **state)
{
    (void)state;
    assert_int_equal(chdir(w.before), 0);
    tree_free(&w.tree);
    return 0;
}

static const char *found(const char *program_dir, const char *path)
{
    static char room[SHARE_PATH_MAX];
    struct err err = {0};
    const char *out = NULL;

    assert_int_equal(share_find(program_dir, path, room, &out, &err), 0);
    return out;
}

static void test_found_from_where_the_program_lies(void **state)
{
    char wanted[SHARE_PATH_MAX];

    (void)state;
    snprintf(wanted, sizeof wanted, "%s/" SHARE_FROM_BIN "/examples/one.json", w.installed);
    assert_string_equal(found(w.installed, "examples/one.json"), wanted);
    snprintf(wanted, sizeof wanted, "%s/examples/one.json", w.built);
    assert_string_equal(found(w.built, "examples/one.json"), wanted);
}

static void test_the_working_folder_wins(void **state)
{
    char link[128];

    (void)state;
    assert_string_equal(found(w.installed, "examples/both.json"), "examples/both.json");
    /* It is the name that counts, even of a link that leads nowhere. */
    snprintf(link, sizeof link, "%s/cwd/examples/one.json", w.tree.root);
    assert_int_equal(symlink("/nowhere/at/all", link), 0);
    assert_string_equal(found(w.installed, "examples/one.json"), "examples/one.json");
    assert_int_equal(unlink(link), 0);
}

static void test_other_paths_stay_as_they_are(void **state)
{
    static const char *const paths[] = {"one.json",         "./examples/one.json",
                                        "example/one.json", "/examples/one.json",
                                        "examples",         ""};

    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        assert_ptr_equal(found(w.installed, paths[i]), paths[i]);
    }
}

static void test_nowhere(void **state)
{
    char bare[128], room[SHARE_PATH_MAX], folder[SHARE_PATH_MAX];
    const char *const dirs[] = {w.installed, bare, ""};
    const char *out;

    (void)state;
    snprintf(bare, sizeof bare, "%s/bare/bin", w.tree.root);
    for (size_t i = 0; i < sizeof dirs / sizeof dirs[0]; i++) {
        struct err err = {0};

        assert_int_equal(share_find(dirs[i], "examples/two.json", room, &out, &err), ERR_IO);
        assert_non_null(strstr(err.msg, "cannot open examples/two.json:"));
        assert_non_null(strstr(err.msg, "\"mcpdrill examples\""));
    }
    assert_false(share_folder(bare, folder));
}

static void test_too_long(void **state)
{
    static char path[SHARE_PATH_MAX + 32], room[SHARE_PATH_MAX], folder[SHARE_PATH_MAX];
    struct err err = {0};
    const char *out;

    (void)state;
    memset(path, 'x', sizeof path - 1);
    assert_false(share_folder(path, folder));
    memcpy(path, "examples/", 9);
    for (size_t i = 200; i < sizeof path - 1; i += 200) {
        path[i] = '/'; /* each name of a legal length, all of them together not */
    }
    assert_int_equal(share_find(w.installed, path, room, &out, &err), 0);
    assert_ptr_equal(out, path); /* whoever opens it is told by the system */
}

static void test_own_folder(void **state)
{
    char folder[SHARE_PATH_MAX];

    (void)state;
    assert_int_equal(share_program_dir(folder)[0], '/');
    assert_int_equal(access(folder, X_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found_from_where_the_program_lies),
        cmocka_unit_test(test_the_working_folder_wins),
        cmocka_unit_test(test_other_paths_stay_as_they_are),
        cmocka_unit_test(test_nowhere),
        cmocka_unit_test(test_too_long),
        cmocka_unit_test(test_own_folder),
    };

    return cmocka_run_group_tests(tests, make_world, drop_world);
}
