/* SPDX-License-Identifier: MIT */
/*
 * The programs of a distributed set-up: control plane, worker (cli/cmd_worker.h), agent. Those that
 * are not there yet have their published flags all the same: `--help` lists them, a misspelt one is
 * told from a right one, and who starts them is told what does the job today.
 */
#ifndef CLI_ROLES_H
#define CLI_ROLES_H

#include "cli/cmd_worker.h"
#include "cli/opt.h"

/* A row of the command table for each, in this order: server, worker, agent. */
#define ROLE_COMMANDS                                                                            \
    {.name = "server",                                                                           \
     .usage = "[--addr ADDRESS] [options]",                                                      \
     .help = "The control plane: runs, workers and pages for many machines. Not supported yet.", \
     .kind = COMMAND_LATER,                                                                      \
     .run = cmd_server_later,                                                                    \
     .options = server_options,                                                                  \
     .option_count = SERVER_OPTIONS},                                                            \
        {.name = "worker",                                                                       \
         .usage = "[--control-plane URL] [options]",                                             \
         .help = "Makes load on this machine as a control plane says.",                          \
         .run = cmd_worker,                                                                      \
         .options = worker_options,                                                              \
         .option_count = WORKER_OPTIONS},                                                        \
    {                                                                                            \
        .name = "agent", .usage = "--control-plane-url URL --pair-key KEY [options]",            \
        .help = "Sends figures of the target's machine to a control plane. Not supported yet.",  \
        .kind = COMMAND_LATER, .run = cmd_agent_later, .options = agent_options,                 \
        .option_count = AGENT_OPTIONS                                                            \
    }

enum { SERVER_OPTIONS = 17, WORKER_OPTIONS = 14, AGENT_OPTIONS = 8 };

extern const struct opt server_options[SERVER_OPTIONS];
extern const struct opt worker_options[WORKER_OPTIONS];
extern const struct opt agent_options[AGENT_OPTIONS];

/* Say what to use instead, and which options have no meaning yet; EXIT_USAGE. */
int cmd_server_later(const struct opt_args *args);
int cmd_agent_later(const struct opt_args *args);

#endif
