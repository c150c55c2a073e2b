/* SPDX-License-Identifier: MIT */
/* What `server` is told: from options to settings. Published flags that this version cannot honour
 * are refused where something else would happen without them, and noted where nothing changes. */
#ifndef CLI_SERVER_SETTINGS_H
#define CLI_SERVER_SETTINGS_H

#include "api/guard.h"
#include "cli/networks.h"
#include "cli/opt.h"
#include "net/addr.h"

enum { SERVER_OPTIONS = 21, SERVER_LINES_MAX = 16384 };
extern const struct opt server_options[SERVER_OPTIONS];

struct server_settings {
    union addr addresses[2];
    unsigned address_count;
    bool local; /* all of them are loopback */
    bool mock;
    const char *data_dir; /* NULL: the user's, by the port */
    const char *origins[GUARD_ORIGINS_MAX];
    size_t origin_count;
    struct networks networks; /* private ones that may be loaded although it is not local */
};

/* Appends a line to *lines for each note, or each thing that is wrong. Texts of *out live as long
 * as `args`, and *out may not move. 0 or ERR_USAGE. */
int server_settings_read(const struct opt_args *args,
                         struct server_settings *out,
                         struct buf *lines);

#endif
