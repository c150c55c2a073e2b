/* SPDX-License-Identifier: MIT */
/*
 * Where a server keeps its data: the folder that it was told, or `mcpdrill/server-PORT` in the
 * user's data folder ($XDG_DATA_HOME, else ~/.local/share), so that two servers of one user do not
 * meet.
 */
#ifndef STORE_PLACE_H
#define STORE_PLACE_H

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>

enum { STORE_PATH_MAX = 4000 }; /* of a data folder; files in it have longer names */

/* Appends the folder to *out. `wanted` NULL: the user's. ERR_USAGE when it cannot be told (no home
 * folder), or is empty or too long. */
int store_place(const char *wanted, uint16_t port, struct buf *out, struct err *err);

/* Makes the folder and those above it that are not there, for this user alone (0700). One that is
 * there keeps its mode. ERR_IO; also when it is no folder, or nothing can be written into it. */
int store_place_make(const char *dir, struct err *err);

#endif
