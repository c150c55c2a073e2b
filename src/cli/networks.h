/* SPDX-License-Identifier: MIT */
/* `--allow-private-networks`: blocks of private addresses that may be loaded where only public ones
 * may, with commas between. Server and worker have it, each for itself. */
#ifndef CLI_NETWORKS_H
#define CLI_NETWORKS_H

#include "base/err.h"
#include "cli/opt.h"

enum { NETWORKS_MAX = 64, NETWORKS_BYTES = 4096 };

struct networks {
    const char *blocks[NETWORKS_MAX]; /* "10.0.0.0/8", in text_ */
    size_t count;
    char text_[NETWORKS_BYTES];
};

/* None when the option was not given. The struct may not move afterwards. ERR_USAGE. */
int networks_read(const struct opt_args *args, struct networks *out, struct err *err);

#endif
