/* SPDX-License-Identifier: MIT */
/* The cursors that one list has sent, so that a list which leads in a circle is noticed (by 64-bit
 * hashes) instead of followed for ever. */
#ifndef ENGINE_TRAIL_H
#define ENGINE_TRAIL_H

#include <stdbool.h>
#include <stdint.h>

/* Pages of one list operation, so that its trail is bounded. */
enum { LIST_PAGES_MAX = 1000 };

struct trail {
    uint32_t count;
    uint64_t hashes[LIST_PAGES_MAX];
};

/* NULL: none was sent. */
bool trail_has(const struct trail *t, const char *cursor);
/* Notes one more, the first of which makes the trail. At most LIST_PAGES_MAX. The trail is the
 * caller's, who frees it with xfree. */
void trail_add(struct trail **t, const char *cursor);

#endif
