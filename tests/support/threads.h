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

/* Waits until there are no more than `at_first`: the threads of a moment before there were helpers,
 * for a sanitizer may have one of its own. At most as long as a silent resolver takes. */
static inline void threads_settle(unsigned at_first)
{
    for (int i = 0; i < 6000 && threads_count() > at_first; i++) {
        usleep(10000);
    }
    assert_in_range(threads_count(), 1, at_first);
}

#endif
