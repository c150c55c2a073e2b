/* SPDX-License-Identifier: MIT */
/*
 * A file that grows by lines while the run goes on, written by a thread of its own
 * (report/files/spool.h): the one who adds a line never waits for the disk. At most
 * LINEFILE_WAITING_MAX bytes wait; lines beyond that are lost, and the end says so.
 */
#ifndef REPORT_FILES_LINEFILE_H
#define REPORT_FILES_LINEFILE_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

#define LINEFILE_LINE_MAX    ((size_t)1 << 20)
#define LINEFILE_WAITING_MAX ((uint64_t)32 << 20)

struct linefile;

/* `fd` is taken over, also after a failure; `path` is for messages. ERR_IO. */
int linefile_open(int fd, const char *path, struct linefile **out, struct err *err);
/* `line` with its newline, LINEFILE_LINE_MAX bytes at most. */
void linefile_add(struct linefile *f, struct str line);
/* Writes what waits, for as long as the patience lasts, and frees. ERR_IO when a line is not in the
 * file. */
int linefile_close(struct linefile *f, uint64_t patience_ns, struct err *err);

#endif
