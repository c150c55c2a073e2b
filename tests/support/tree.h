/* SPDX-License-Identifier: MIT */
/* A prepared tree of small files in a temporary folder, in the place of /proc and /sys. */
#ifndef SUPPORT_TREE_H
#define SUPPORT_TREE_H

#include "support/unit.h"

#include <sys/stat.h>
#include <unistd.h>

enum { TREE_PATH_MAX = 256, TREE_FILES_MAX = 64 };

struct tree {
    char root[64];
    unsigned count;
    char files[TREE_FILES_MAX][TREE_PATH_MAX]; /* to be removed */
};

static inline void tree_new(struct tree *t)
{
    t->count = 0;
    snprintf(t->root, sizeof t->root, "/tmp/unit_tree_XXXXXX");
    assert_non_null(mkdtemp(t->root));
}

static inline void tree_remember(struct tree *t, const char *full)
{
    for (unsigned i = 0; i < t->count; i++) {
        if (strcmp(t->files[i], full) == 0) {
            return;
        }
    }
    assert_true(t->count < TREE_FILES_MAX);
    snprintf(t->files[t->count++], TREE_PATH_MAX, "%s", full);
}

/* Makes the file and its folders, or replaces its text in place: who holds it open sees it. */
static inline void tree_put(struct tree *t, const char *path, const char *text)
{
    char full[TREE_PATH_MAX];

    assert_true(snprintf(full, sizeof full, "%s%s", t->root, path) < (int)sizeof full);
    for (char *p = full + strlen(t->root) + 1; (p = strchr(p, '/')) != NULL; p++) {
        *p = '\0';
        mkdir(full, 0700);
        *p = '/';
    }
    FILE *f = fopen(full, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
    tree_remember(t, full);
}

/* A folder goes with the last file in it. */
static inline void tree_free(struct tree *t)
{
    for (unsigned i = 0; i < t->count; i++) {
        char *full = t->files[i], *slash;

        unlink(full);
        while ((slash = strrchr(full, '/')) != NULL && strlen(t->root) < (size_t)(slash - full)) {
            *slash = '\0';
            if (rmdir(full) != 0) {
                break;
            }
        }
    }
    rmdir(t->root);
}

#endif
