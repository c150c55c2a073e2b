/* SPDX-License-Identifier: MIT */
/*
 * The words that are clients of a control plane: create, start, status, events, watch, stop,
 * emergency-stop, list, clone, delete, workers, export. Each is a few requests of its REST API
 * (cli/remote/); what they share is where that is and who speaks.
 */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include "cli/opt.h"
#include "cli/remote/remote.h"

/* The rows that each of these words has; they may also stand in front of the word. */
#define CLIENT_OPTIONS                                                                          \
    {.name = "endpoint",                                                                        \
     .argument = "URL",                                                                         \
     .beside = true,                                                                            \
     .help = "Where the control plane is; http://localhost:8080 when nothing is said, here or " \
             "in the config file (~/.config/mcpdrill/config.json)."},                           \
        {.name = "actor",                                                                       \
         .argument = "NAME",                                                                    \
         .beside = true,                                                                        \
         .help = "Who does it, for the run's events; user when nothing is said."},              \
    {                                                                                           \
        .name = "api-key", .argument = "KEY", .secret = true,                                   \
        .help = "Known, and refused until control planes take keys."                            \
    }

/* Is this word one of the options above? 0: no; otherwise how many words it takes. */
int client_option_words(const char *word);

/* 0, or the exit code of what was wrong and has been said; client_close in any case. */
int client_open(const struct opt_args *args, struct remote *out);

/* Opens, finds the run that the first operand names, acts, closes. Returns the exit code. */
int client_with_run(const struct opt_args *args,
                    int (*act)(struct remote *r, const struct opt_args *args, const char *id));

/* {"actor": …}, with which every change is asked for; the caller's. */
json_t *client_body(const struct remote *r);
/* The path of a run's resource: "/runs/ID" and what follows. Returns `out`. */
const char *client_path(const char *id, const char *rest, char out[RUN_ID_MAX + 64]);

/* Fetches the result of a run that is over, writes it to `path` (NULL: nowhere; "-": the standard
 * output, and the summary then goes to stderr), prints its summary or, when `quiet`, its verdict.
 * The exit code of the run, or of what went wrong. */
int client_show_result(struct remote *r, const char *id, const char *path, bool quiet);

int cmd_create(const struct opt_args *args);
int cmd_start(const struct opt_args *args);
int cmd_stop(const struct opt_args *args);
int cmd_emergency_stop(const struct opt_args *args);
int cmd_clone(const struct opt_args *args);
int cmd_delete(const struct opt_args *args);
int cmd_status(const struct opt_args *args);
int cmd_list(const struct opt_args *args);
int cmd_workers(const struct opt_args *args);
int cmd_events(const struct opt_args *args);
int cmd_watch(const struct opt_args *args);
int cmd_export(const struct opt_args *args);

#endif
