/* SPDX-License-Identifier: MIT */
/* `server`: the control plane as a program. */
#ifndef CLI_CMD_SERVER_H
#define CLI_CMD_SERVER_H

#include "cli/opt.h"
#include "cli/server_settings.h"

/* Its row of the command table. */
#define SERVER_COMMAND                                                                          \
    {                                                                                           \
        .name = "server", .usage = "[--addr ADDRESS] [options]",                                \
        .help = "The control plane: takes runs and gives them to workers, by its REST API.",    \
        .heading = "A control plane and its workers",                                           \
        .more =                                                                                 \
            "SIGINT or SIGTERM ends it, runs that are not over go on when it is started "       \
            "again; a second one ends it\nat once. Exit codes: 0 ended, 1 it cannot listen or " \
            "store, 2 wrong arguments.\n",                                                      \
        .run = cmd_server, .options = server_options, .option_count = SERVER_OPTIONS            \
    }

int cmd_server(const struct opt_args *args);

#endif
