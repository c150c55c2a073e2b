/* SPDX-License-Identifier: MIT */
/* A prepared tree of small files in a temporary folder, in the place of /proc and /sys. */
#ifndef SUPPORT_TREE_H
#define SUPPORT_TREE_H

#include "support/unit.h"

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

struct tree {
    char root[64];
};

static inline void tree_new(struct tree *t)
{
    snprintf(t->root, sizeof t->root, "/tmp/mcpdrill-tree-XXXXXX");
    assert_non_null(mkdtemp(t->root));
}

/* Makes the file and its folders, or replaces its text in place: who holds it open sees it. */
static inline void tree_put(const struct tree *t, const char *path, const char *text)
{
    char full[512];

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
}

static inline int tree_remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    return remove(path);
}

static inline void tree_free(struct tree *t)
{
    nftw(t->root, tree_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
