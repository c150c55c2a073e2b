/* SPDX-License-Identifier: MIT */
#include "cli/output.h"

#include "base/json.h"
#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file is there and is neither a file nor a folder: replacing it would destroy a device. */
static bool is_special(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
}

int output_check(const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    struct stat st;

    if (strcmp(path, "-") == 0) {
        return 0;
    }
    if (stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode)) {
            return err_set(err, ERR_IO, "cannot write %s: it is a folder", path);
        }
        if (access(path, W_OK) != 0) {
            return err_sys(err, ERR_IO, errno, "cannot write %s", path);
        }
        if (!S_ISREG(st.st_mode)) {
            return 0;
        }
    }
    /* The temporary file stands beside it. */
    char *folder = slash == NULL   ? xstrdup(".")
                   : slash == path ? xstrdup("/")
                                   : xstrndup(path, (size_t)(slash - path));
    int rc = access(folder, W_OK | X_OK) == 0
                 ? 0
                 : err_sys(err, ERR_IO, errno, "cannot write %s: folder %s", path, folder);
    xfree(folder);
    return rc;
}

int output_write(const char *path, struct str text, struct err *err)
{
    bool standard = strcmp(path, "-") == 0;

    if (!standard && !is_special(path)) {
        return file_write(path, text, err);
    }
    FILE *f = standard ? stdout : fopen(path, "we");
    int rc = 0;

    if (f == NULL || fwrite(text.p, 1, text.len, f) != text.len || fflush(f) != 0) {
        rc = err_sys(err, ERR_IO, errno, "cannot write %s", path);
    }
    if (f != NULL && !standard) {
        fclose(f);
    }
    return rc;
}
