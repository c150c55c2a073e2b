/* SPDX-License-Identifier: MIT */
#include "cli/roles.h"

#include <stdio.h>

const struct opt worker_options[WORKER_OPTIONS] = {
    {.name = "control-plane",
     .argument = "URL",
     .help = "Where the control plane is; http://localhost:8080 when nothing is said."},
    {.name = "max-vus",
     .argument = "N",
     .help = "Most virtual users here; as many as this machine carries when nothing is said."},
    {.name = "heartbeat-interval",
     .argument = "TIME",
     .help = "How often it says that it is there, 100ms to 3s; 1s when nothing is said."},
    {.name = "poll-interval",
     .argument = "TIME",
     .help = "Nothing needs it any more: work is brought, not fetched."},
    {.name = "allow-private-networks",
     .argument = "CIDRS",
     .help = "Private networks that may be loaded although its control plane is elsewhere, with "
             "commas between."},
    {.name = "api-key",
     .argument = "KEY",
     .help = "Known, and refused until control planes take keys."},
    {.name = "worker-id",
     .argument = "ID",
     .help = "Its id, also after a restart: wkr_ and 8 to 60 digits of 0-9a-f. The control plane "
             "gives it one when nothing is said."},
    {.name = "tls-ca-file",
     .argument = "FILE",
     .help = "Known, and refused until control planes have certificates."},
    {.name = "allow-secret",
     .argument = "PATTERN",
     .repeats = true,
     .help = "Environment variables, beside MCPDRILL_*, that scenarios may name although its "
             "control plane is elsewhere; * and ? as in a shell."},
    {.name = "threads",
     .argument = "N",
     .help = "Threads that make load; one for each core when nothing is said."},
    {.name = "label",
     .argument = "KEY=VALUE",
     .repeats = true,
     .help = "Says what kind of worker it is, for example region=eu: conditions and criteria may "
             "look at such workers alone, a placement may deal users by it, and results have "
             "their figures."},
    {.name = "procs",
     .argument = "N",
     .help = "Starts so many workers, each a process with descriptors of its own; they share the "
             "machine's cores and memory."},
    {.name = "pipe",
     .help = "Its control plane is at the other end of descriptor 3.",
     .hidden = true,
     .alone = true}, /* variables are about the workers that people start */
    {.name = "of",
     .argument = "N",
     .help = "It shares the machine with so many processes like it.",
     .hidden = true},
};

const struct opt agent_options[AGENT_OPTIONS] = {
    {.name = "control-plane-url", .argument = "URL", .help = "Where the control plane is."},
    {.name = "agent-token", .argument = "TOKEN", .help = "Its token at the control plane."},
    {.name = "pair-key", .argument = "KEY", .help = "Says which runs its figures belong to."},
    {.name = "listen-port", .argument = "PORT", .help = "Watches the process that listens there."},
    {.name = "pid", .argument = "PID", .help = "Watches this process."},
    {.name = "collect-interval",
     .argument = "TIME",
     .help = "How often it looks; 5s when nothing is said."},
    {.name = "tls-ca-file", .argument = "FILE", .help = "Who vouches for the control plane."},
    {.name = "tls-insecure-skip-verify", .help = "Does not check the control plane's certificate."},
};

/* "mcpdrill: "agent" is not supported yet; INSTEAD", and what was given in vain. */
static int refuse(const struct opt_args *args, const char *instead)
{
    fprintf(stderr, "mcpdrill: \"%s\" is not supported yet; %s\n", args->command->name, instead);
    for (size_t i = 0; i < args->given_count; i++) {
        fprintf(stderr, "mcpdrill: --%s is known, and has no meaning yet\n",
                args->given[i].opt->name);
    }
    return EXIT_USAGE;
}

int cmd_agent_later(const struct opt_args *args)
{
    return refuse(args, "\"mcpdrill run FILE\" needs none, and has no figures of the target's "
                        "machine");
}
