/* SPDX-License-Identifier: MIT */
/*
 * The threads of the process under test. A helper that nobody waits for any more (a name that is
 * still looked up) ends by itself; until it has, what it holds looks to the leak detector as if it
 * were lost.
 */
#ifndef SUPPORT_THREADS_H
#define SUPPORT_THREADS_H

#include "support/unit.h"

#include <dirent.h>
#include <unistd.h>

static inline unsigned threads_count(void)
{
    DIR *tasks = opendir("/proc/self/task");
    unsigned n = 0;

    assert_non_null(tasks);
    for (const struct dirent *e; (e = readdir(tasks)) != NULL;) {
        n += e->d_name[0] != '.';
    }
    closedir(tasks);
    return n;
}

/* The thread sanitizer has a thread of its own, which it starts together with the first of ours. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define THREADS_OF_SANITIZER 1
#endif
#elif defined(__SANITIZE_THREAD__)
#define THREADS_OF_SANITIZER 1
#endif
#ifndef THREADS_OF_SANITIZER
#define THREADS_OF_SANITIZER 0
#endif

/* Waits until only the caller is left, at most as long as a silent resolver takes. */
static inline void threads_settle(void)
{
    for (int i = 0; i < 6000 && threads_count() > 1 + THREADS_OF_SANITIZER; i++) {
        usleep(10000);
    }
    assert_in_range(threads_count(), 1, 1 + THREADS_OF_SANITIZER);
}

#endif
