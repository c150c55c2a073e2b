/* SPDX-License-Identifier: MIT */
#include "store/place.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The specification of these variables says that a relative path counts as none. */
static const char *folder_of(const char *variable)
{
    const char *value = getenv(variable); /* NOLINT(concurrency-mt-unsafe) nobody sets variables */

    return value != NULL && value[0] == '/' ? value : NULL;
}

int store_place(const char *wanted, uint16_t port, struct buf *out, struct err *err)
{
    const char *data = folder_of("XDG_DATA_HOME");
    const char *home = folder_of("HOME");
    size_t before = out->len;
    int rc;

    if (wanted != NULL && wanted[0] == '\0') {
        return err_set(err, ERR_USAGE, "the data folder has an empty name");
    }
    if (wanted != NULL) {
        rc = buf_add_c(out, wanted);
    } else if (data != NULL) {
        rc = buf_printf(out, "%s/mcpdrill/server-%u", data, port);
    } else if (home != NULL) {
        rc = buf_printf(out, "%s/.local/share/mcpdrill/server-%u", home, port);
    } else {
        return err_set(err, ERR_USAGE,
                       "no folder for the data: neither XDG_DATA_HOME nor HOME is an absolute path "
                       "(--data-dir says one)");
    }
    if (rc != 0 || out->len - before > STORE_PATH_MAX) {
        out->len = before;
        return err_set(err, ERR_USAGE, "the path of the data folder is longer than %d bytes",
                       STORE_PATH_MAX);
    }
    return 0;
}

static int make_one(const char *dir, struct err *err)
{
    if (mkdir(dir, 0700) == 0 || errno == EEXIST) {
        return 0;
    }
    int sys = errno;
    struct stat st;

    /* Above us there may be folders that are there and that nobody may write to. */
    if (stat(dir, &st) == 0 && S_ISDIR(st.st_mode)) {
        return 0;
    }
    return err_sys(err, ERR_IO, sys, "cannot make the folder %s", dir);
}

/* `path` is cut at each of its slashes for a moment. */
static int make_all(char *path, struct err *err)
{
    for (char *p = path + 1; *p != '\0'; p++) {
        if (*p != '/') {
            continue;
        }
        *p = '\0';
        int rc = make_one(path, err);

        *p = '/';
        if (rc != 0) {
            return rc;
        }
    }
    return make_one(path, err);
}

int store_place_make(const char *dir, struct err *err)
{
    struct buf path;
    struct stat st;

    buf_init(&path, STORE_PATH_MAX + 1);
    if (dir[0] == '\0' || buf_add_c(&path, dir) != 0) {
        buf_clear(&path);
        return err_set(err, ERR_IO, "the data folder has no name, or too long a one");
    }
    buf_c(&path);
    int rc = make_all(path.p, err);

    buf_clear(&path);
    if (rc != 0) {
        return rc;
    }
    if (stat(dir, &st) != 0) {
        return err_sys(err, ERR_IO, errno, "cannot look at the data folder %s", dir);
    }
    if (!S_ISDIR(st.st_mode)) {
        return err_set(err, ERR_IO, "the data folder %s is no folder", dir);
    }
    if (access(dir, R_OK | W_OK | X_OK) != 0) {
        return err_sys(err, ERR_IO, errno, "cannot write into the data folder %s", dir);
    }
    return 0;
}
