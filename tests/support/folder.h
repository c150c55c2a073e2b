/* SPDX-License-Identifier: MIT */
/* A temporary folder that what is tested fills as it likes; removed with all that is in it. */
#ifndef SUPPORT_FOLDER_H
#define SUPPORT_FOLDER_H

#include "support/unit.h"

#include <ftw.h>
#include <unistd.h>

struct folder {
    char path[64];
};

static inline void folder_new(struct folder *f)
{
    snprintf(f->path, sizeof f->path, "/tmp/unit_folder_XXXXXX");
    assert_non_null(mkdtemp(f->path));
}

static inline int
folder_remove_one(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st, (void)kind, (void)at;
    return remove(path);
}

static inline void folder_free(struct folder *f)
{
    assert_int_equal(nftw(f->path, folder_remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

#endif
