/* SPDX-License-Identifier: MIT */
#include "store/lock.h"

#include "base/buf.h"
#include "base/str.h"
#include "store/place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Who holds the lock has written its id into the file a moment later than it locked it. */
static uint64_t holder(int fd)
{
    char text[24];
    ssize_t n = pread(fd, text, sizeof text, 0);
    struct str line = {text, n > 0 ? (size_t)n : 0};
    uint64_t pid;

    if (line.len > 0 && line.p[line.len - 1] == '\n') {
        line.len--;
    }
    return str_u64(line, INT32_MAX, &pid) ? pid : 0;
}

static int in_use(int fd, const char *dir, struct err *err)
{
    uint64_t pid = holder(fd);

    if (pid == 0) {
        return err_set(
            err, ERR_STATE,
            "the data folder %s is in use by another process: end it, or take another folder", dir);
    }
    return err_set(err, ERR_STATE,
                   "the data folder %s is in use by process %llu: end it, or take another folder",
                   dir, (unsigned long long)pid);
}

static int write_pid(int fd)
{
    char text[24];
    size_t n = str_put_u64(text, (uint64_t)getpid());

    text[n++] = '\n';
    return ftruncate(fd, 0) == 0 && pwrite(fd, text, n, 0) == (ssize_t)n ? 0 : -1;
}

static int lock_file(int fd, const char *dir, struct err *err)
{
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        return errno == EWOULDBLOCK
                   ? in_use(fd, dir, err)
                   : err_sys(err, ERR_IO, errno, "cannot lock the data folder %s", dir);
    }
    if (write_pid(fd) != 0) {
        return err_sys(err, ERR_IO, errno, "cannot write into the data folder %s", dir);
    }
    return 0;
}

int store_lock_take(struct store_lock *lock, const char *dir, struct err *err)
{
    struct buf path;

    lock->fd = -1;
    buf_init(&path, STORE_PATH_MAX + sizeof "/lock");
    if (buf_printf(&path, "%s/lock", dir) != 0) {
        buf_clear(&path);
        return err_set(err, ERR_IO, "the path of the data folder is too long");
    }
    int fd = open(buf_c(&path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int sys = errno;

    buf_clear(&path);
    if (fd < 0) {
        return err_sys(err, ERR_IO, sys, "cannot write into the data folder %s", dir);
    }
    int rc = lock_file(fd, dir, err);

    if (rc != 0) {
        close(fd);
        return rc;
    }
    lock->fd = fd;
    return 0;
}

void store_lock_drop(struct store_lock *lock)
{
    if (lock->fd >= 0) {
        close(lock->fd);
        lock->fd = -1;
    }
}
