/* SPDX-License-Identifier: MIT */
/*
 * The store in one SQLite file, `mcpdrill.db` in the data folder: a thread and a connection that
 * write, a connection on the loop's thread that reads. The folder is locked while the store is open
 * (store/lock.h).
 */
#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include "base/err.h"
#include "loop/loop.h"
#include "store/store.h"

#include <stdint.h>

struct sqlite_options {
    const char *dir;    /* is there (store_place_make); at most STORE_PATH_MAX bytes */
    uint64_t max_bytes; /* the file's largest size; 0: as the disk allows */
};

/*
 * On the thread of `loop`, which must outlive the store. ERR_STATE: somebody else has the folder;
 * ERR_UNSUPPORTED: written by a newer version, or by another program; ERR_IO. *out is untouched
 * then.
 */
int store_sqlite_open(const struct sqlite_options *options,
                      struct loop *loop,
                      struct store **out,
                      struct err *err);

#endif
