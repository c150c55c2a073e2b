/* SPDX-License-Identifier: MIT */
/*
 * A data folder belongs to one process at a time: a lock on a file in it, which ends with the
 * process however that ends. The file stays; what stands in it (a process id) is for people and
 * counts only while it is locked.
 */
#ifndef STORE_LOCK_H
#define STORE_LOCK_H

#include "base/err.h"

struct store_lock {
    int fd; /* -1: not locked */
};

/* ERR_STATE when somebody else has it, with the folder and the process id in the text; ERR_IO. */
int store_lock_take(struct store_lock *lock, const char *dir, struct err *err);
/* Again is fine. */
void store_lock_drop(struct store_lock *lock);

#endif
