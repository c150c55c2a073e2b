/* SPDX-License-Identifier: MIT */
#include "cli/roles.h"

#include "base/str.h"

#include <stdio.h>

const struct opt server_options[SERVER_OPTIONS] = {
    {.name = "addr",
     .argument = "ADDRESS",
     .help = "Listens here: :PORT (loopback) or HOST:PORT; :8080 when nothing is said."},
    {.name = "auth-mode", .argument = "MODE", .help = "Who may come in: none, api_key or jwt."},
    {.name = "api-keys", .argument = "KEYS", .help = "Keys that are let in, with commas between."},
    {.name = "jwt-secret", .argument = "SECRET", .help = "Checks the signature of tokens."},
    {.name = "insecure", .help = "Lets everybody in, from other machines, too."},
    {.name = "enable-agent-ingest", .help = "Takes figures from agents."},
    {.name = "agent-tokens", .argument = "TOKENS", .help = "Tokens of agents."},
    {.name = "allow-private-networks",
     .argument = "CIDRS",
     .help = "Private networks that may be loaded, with commas between."},
    {.name = "allow-private-discovery",
     .help = "Lets the discovery of tools ask private addresses."},
    {.name = "insecure-worker-auth", .help = "Takes workers without credentials."},
    {.name = "redact-assignment-secrets", .help = "Keeps secrets out of what workers are sent."},
    {.name = "rate-limit",
     .argument = "N",
     .help = "Requests per second of one client; 100 when nothing is said, 0 for no limit."},
    {.name = "rate-burst",
     .argument = "N",
     .help = "Requests of one client at once; 200 when nothing is said."},
    {.name = "max-ops-per-run", .argument = "N", .help = "Nothing needs it any more."},
    {.name = "max-logs-per-run", .argument = "N", .help = "Most lines that are stored of a run."},
    {.name = "max-total-runs", .argument = "N", .help = "Most runs that are stored."},
    {.name = "dev",
     .help = "For trying out: loopback, no authentication, private networks, agents with the "
             "token dev-token, no rate limit."},
};

const struct opt worker_options[WORKER_OPTIONS] = {
    {.name = "control-plane",
     .argument = "URL",
     .help = "Where the control plane is; http://localhost:8080 when nothing is said."},
    {.name = "max-vus",
     .argument = "N",
     .help = "Most virtual users here; as many as this machine carries when nothing is said."},
    {.name = "heartbeat-interval",
     .argument = "TIME",
     .help = "How often it says that it is there; 1s when nothing is said."},
    {.name = "poll-interval",
     .argument = "TIME",
     .help = "Nothing needs it any more: work is brought, not fetched."},
    {.name = "allow-private-networks",
     .argument = "CIDRS",
     .help = "Private networks that may be loaded although its control plane is elsewhere, with "
             "commas between."},
    {.name = "api-key", .argument = "KEY", .help = "Its key at the control plane."},
    {.name = "worker-id", .argument = "ID", .help = "Keeps its name over a restart."},
    {.name = "tls-ca-file", .argument = "FILE", .help = "Who vouches for the control plane."},
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
     .help = "Says what kind of worker it is, for example region=eu: runs may ask for it."},
    {.name = "procs",
     .argument = "N",
     .help = "Starts so many workers, each a process with descriptors of its own."},
    {.name = "pipe",
     .help = "Its control plane is at the other end of descriptor 3.",
     .hidden = true},
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

/* "mcpdrill: "server" is not supported yet; INSTEAD", and what was given in vain. */
static int refuse(const struct opt_args *args, const char *instead)
{
    fprintf(stderr, "mcpdrill: \"%s\" is not supported yet; %s\n", args->command->name, instead);
    for (size_t i = 0; i < args->given_count; i++) {
        fprintf(stderr, "mcpdrill: --%s is known, and has no meaning yet\n",
                args->given[i].opt->name);
    }
    return EXIT_USAGE;
}

/* [HOST]:PORT: what the mock can listen on as well. */
static bool is_address(const char *addr)
{
    const char *colon = addr != NULL ? strrchr(addr, ':') : NULL;
    uint64_t port;

    return colon != NULL && str_u64(str_c(colon + 1), 65535, &port);
}

int cmd_server_later(const struct opt_args *args)
{
    const char *addr = opt_value(args, "addr");
    char instead[400];

    snprintf(instead, sizeof instead,
             "\"mcpdrill run FILE\" plays a scenario in one process, and where a guide starts the "
             "mock server with it, \"mcpdrill mock --addr %.100s\" does the same",
             is_address(addr) ? addr : ":9000");
    return refuse(args, instead);
}

int cmd_agent_later(const struct opt_args *args)
{
    return refuse(args, "\"mcpdrill run FILE\" needs none, and has no figures of the target's "
                        "machine");
}
