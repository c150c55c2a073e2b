/* SPDX-License-Identifier: MIT */
#include "cli/share.h"

#include "base/str.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* False, and an empty text, when it is too long. */
static bool join(const char *folder, const char *path, char out[SHARE_PATH_MAX])
{
    int len = snprintf(out, SHARE_PATH_MAX, "%s/%s", folder, path);

    if (len < 0 || len >= SHARE_PATH_MAX) {
        out[0] = '\0';
        return false;
    }
    return true;
}

/* A link that leads nowhere is there, too: that it does is for whoever opens it to say. */
static bool is_absent(const char *path)
{
    struct stat st;

    return lstat(path, &st) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

static bool has_examples(const char *folder)
{
    char path[SHARE_PATH_MAX];
    struct stat st;

    return join(folder, "examples", path) && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

const char *share_program_dir(char out[SHARE_PATH_MAX])
{
    ssize_t len = readlink("/proc/self/exe", out, SHARE_PATH_MAX - 1);

    out[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(out, '/');
    if (slash != NULL) {
        *slash = '\0';
    }
    return out;
}

bool share_folder(const char *program_dir, char out[SHARE_PATH_MAX])
{
    if (join(program_dir, SHARE_FROM_BIN, out) && has_examples(out)) {
        return true;
    }
    return snprintf(out, SHARE_PATH_MAX, "%s", program_dir) < SHARE_PATH_MAX && has_examples(out);
}

int share_find(const char *program_dir,
               const char *path,
               char room[SHARE_PATH_MAX],
               const char **out,
               struct err *err)
{
    char folder[SHARE_PATH_MAX];

    *out = path;
    if (!str_starts(str_c(path), STR("examples/")) || !is_absent(path)) {
        return 0;
    }
    if (share_folder(program_dir, folder) && join(folder, path, room) && !is_absent(room)) {
        *out = room;
        return 0;
    }
    return err_set(err, ERR_IO,
                   "cannot open %.100s: it is not here, and not among the examples of this "
                   "program (\"mcpdrill examples\" lists them)",
                   path);
}
