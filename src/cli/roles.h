/* SPDX-License-Identifier: MIT */
/*
 * The programs beside the control plane (cli/cmd_server.h): worker (cli/cmd_worker.h), agent. One
 * that is not there yet has its published flags all the same: `--help` lists them, a misspelt one
 * is told from a right one, and who starts it is told what does the job today.
 */
#ifndef CLI_ROLES_H
#define CLI_ROLES_H

#include "cli/cmd_worker.h"
#include "cli/opt.h"

/* A row of the command table for each, in this order: worker, agent. */
#define ROLE_COMMANDS                                                                            \
    {.name = "worker",                                                                           \
     .usage = "[--control-plane URL] [options]",                                                 \
     .help = "Makes load on this machine as a control plane says.",                              \
     .more =                                                                                     \
         "It dials out: nothing has to reach this machine. A control plane that goes away is "   \
         "waited for, and load goes\non by the plan meanwhile. SIGINT or SIGTERM finishes what " \
         "runs, 30 seconds at most; a second one ends it at once.\nExit codes: 0 ended, 1 the "  \
         "control plane takes no such worker, or load was left, 2 wrong arguments.\n",           \
     .run = cmd_worker,                                                                          \
     .options = worker_options,                                                                  \
     .option_count = WORKER_OPTIONS},                                                            \
    {                                                                                            \
        .name = "agent", .usage = "--control-plane-url URL --pair-key KEY [options]",            \
        .help = "Sends figures of the target's machine to a control plane. Not supported yet.",  \
        .kind = COMMAND_LATER, .run = cmd_agent_later, .options = agent_options,                 \
        .option_count = AGENT_OPTIONS                                                            \
    }

enum { WORKER_OPTIONS = 14, AGENT_OPTIONS = 8 };

extern const struct opt worker_options[WORKER_OPTIONS];
extern const struct opt agent_options[AGENT_OPTIONS];

/* Say what to use instead, and which options have no meaning yet; EXIT_USAGE. */
int cmd_agent_later(const struct opt_args *args);

#endif
