/* SPDX-License-Identifier: MIT */
/*
 * The share folder: what comes with the program, above all the folder "examples" in it. It is found
 * from where the program lies (SHARE_FROM_BIN, set by the build: "../share/mcpdrill"), so that an
 * installation may be moved as a whole. In a build the program's own folder is the share folder: it
 * has a link to the examples.
 */
#ifndef CLI_SHARE_H
#define CLI_SHARE_H

#include "base/err.h"

#include <stdbool.h>

enum { SHARE_PATH_MAX = 4096 };

/* The folder of the running program; "" when the system does not tell. Returns `out`. */
const char *share_program_dir(char out[SHARE_PATH_MAX]);

/* The share folder of a program in `program_dir`; false when there is none. */
bool share_folder(const char *program_dir, char out[SHARE_PATH_MAX]);

/*
 * Where to read `path`: what the working folder has of this name; else, when the path begins with
 * "examples/", what the share folder has. *out is one of `path` and `room`. ERR_IO for an example
 * that is in neither; the text names it as it was written.
 */
int share_find(const char *program_dir,
               const char *path,
               char room[SHARE_PATH_MAX],
               const char **out,
               struct err *err);

#endif
