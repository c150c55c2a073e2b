/* SPDX-License-Identifier: MIT */
#include "cli/server_settings.h"

#include "api/ports.h"

const struct opt server_options[SERVER_OPTIONS] = {
    {.name = "addr",
     .argument = "ADDRESS",
     .help = "Listens here: :PORT (this machine only; with --insecure every address) or HOST:PORT; "
             ":8080 when nothing is said."},
    {.name = "data-dir",
     .argument = "DIR",
     .help = "Keeps runs and workers there; a folder for each port in the user's data folder when "
             "nothing is said."},
    {.name = "mock",
     .help =
         "Serves the mock MCP server on the same port; it does by itself on this machine only."},
    {.name = "no-mock", .help = "Does not serve the mock MCP server."},
    {.name = "insecure",
     .help =
         "Lets everybody who reaches the address make runs, from other machines, too: there are "
         "no credentials yet. Needed for any address but loopback."},
    {.name = "allow-origin",
     .argument = "ORIGIN",
     .repeats = true,
     .help = "Pages of this origin may use the API, for example https://drill.example.com."},
    {.name = "dev", .help = "For trying out: this machine only, no credentials, the mock served."},
    {.name = "auth-mode",
     .argument = "MODE",
     .help = "Who may come in: none; api_key and jwt are not there yet."},
    {.name = "api-keys", .argument = "KEYS", .secret = true, .help = "Not there yet."},
    {.name = "jwt-secret", .argument = "SECRET", .secret = true, .help = "Not there yet."},
    {.name = "enable-agent-ingest", .help = "Not there yet."},
    {.name = "agent-tokens", .argument = "TOKENS", .secret = true, .help = "Not there yet."},
    {.name = "allow-private-networks",
     .argument = "CIDRS",
     .help =
         "Private networks that may be loaded with --insecure, with commas between; a server of "
         "this machine only may load all. Its workers have to be told as well."},
    {.name = "allow-private-discovery", .help = "Changes nothing: tools are not discovered yet."},
    {.name = "insecure-worker-auth",
     .help = "Changes nothing: workers show the token that they were given, by themselves."},
    {.name = "redact-assignment-secrets",
     .help = "Changes nothing: references are resolved by workers; what stands in a scenario in "
             "clear text is sent to them."},
    {.name = "rate-limit",
     .argument = "N",
     .help = "Requests per second of one client; 0, no limit, is all there is yet."},
    {.name = "rate-burst", .argument = "N", .help = "Changes nothing without a rate limit."},
    {.name = "max-ops-per-run", .argument = "N", .help = "Nothing needs it any more."},
    {.name = "max-logs-per-run",
     .argument = "N",
     .help = "Changes nothing: at most 100,000 lines of the log of a run are kept."},
    {.name = "max-total-runs", .argument = "N", .help = "Not there yet: runs stay until deleted."},
};

/* ---- published flags ---------------------------------------------------------------------- */

static const struct {
    const char *name;
    bool refused;
    const char *text;
} flags[] = {
    {"api-keys", true, "there are no credentials yet; leave it out and listen on loopback"},
    {"jwt-secret", true, "there are no credentials yet; leave it out and listen on loopback"},
    {"enable-agent-ingest", true, "figures of agents are not taken yet; leave it out"},
    {"agent-tokens", true, "figures of agents are not taken yet; leave it out"},
    {"max-total-runs", true,
     "old runs are not removed by themselves yet; leave it out, and delete "
     "runs with \"mcpdrill delete\""},
    {"allow-private-discovery", false, "changes nothing: tools are not discovered here yet"},
    {"insecure-worker-auth", false, "changes nothing: workers show their tokens by themselves"},
    {"redact-assignment-secrets", false,
     "changes nothing: references to secrets are resolved by workers, and what "
     "stands in a scenario in clear text is sent to them"},
    {"rate-burst", false, "changes nothing: requests are not limited yet"},
    {"max-ops-per-run", false, "changes nothing: no memory depends on the number of operations"},
    {"max-logs-per-run", false,
     "changes nothing: at most 100,000 lines of the log of a run are kept"},
};

static int refuse(struct buf *lines, const char *name, const char *text)
{
    buf_printf(lines, "--%s: %s\n", name, text);
    return ERR_USAGE;
}

static void note(struct buf *lines, const char *name, const char *text)
{
    buf_printf(lines, "note: --%s %s\n", name, text);
}

static int check_flags(const struct opt_args *args, struct buf *lines)
{
    int rc = 0;

    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (!opt_has(args, flags[i].name)) {
            continue;
        }
        if (flags[i].refused) {
            rc = refuse(lines, flags[i].name, flags[i].text);
        } else {
            note(lines, flags[i].name, flags[i].text);
        }
    }
    return rc;
}

static int check_auth(const struct opt_args *args, struct buf *lines)
{
    const char *mode = opt_value(args, "auth-mode");

    if (mode == NULL || strcmp(mode, "none") == 0) {
        return 0;
    }
    return refuse(lines, "auth-mode",
                  strcmp(mode, "api_key") == 0 || strcmp(mode, "jwt") == 0
                      ? "there are no credentials yet; \"none\" is the only mode, for loopback or "
                        "with --insecure"
                      : "must be none, api_key or jwt");
}

static int check_rate(const struct opt_args *args, struct buf *lines)
{
    uint64_t rate = 0;
    struct err err;

    if (opt_number(args, "rate-limit", 0, UINT32_MAX, &rate, &err) != 0) {
        buf_printf(lines, "%s\n", err.msg);
        return ERR_USAGE;
    }
    if (rate > 0) {
        note(lines, "rate-limit", "changes nothing: requests are not limited yet");
    }
    return 0;
}

/* ---- where -------------------------------------------------------------------------------- */

static bool all_loopback(const struct server_settings *s)
{
    for (unsigned i = 0; i < s->address_count; i++) {
        if (!addr_is_loopback(&s->addresses[i])) {
            return false;
        }
    }
    return true;
}

static int read_address(const struct opt_args *args, struct server_settings *s, struct buf *lines)
{
    const char *text = opt_value(args, "addr");
    bool insecure = opt_has(args, "insecure");
    struct err err;

    text = text != NULL ? text : ":8080";
    if (addr_parse_listen(str_c(text), s->addresses, &s->address_count, &err) != 0) {
        return refuse(lines, "addr", err.msg);
    }
    if (insecure && text[0] == ':') {
        ports_everywhere(ntohs(s->addresses[0].in.sin_port), s->addresses);
        s->address_count = 2;
    }
    s->local = all_loopback(s);
    if (!s->local && opt_has(args, "dev")) {
        return refuse(lines, "dev",
                      "is for this machine only; leave it out, or --insecure and "
                      "every --addr but :PORT");
    }
    if (!s->local && !insecure) {
        buf_printf(
            lines,
            "--addr %s can be reached from other machines, and there are no credentials yet: "
            "whoever reaches it could load any server that this machine reaches. Use "
            ":PORT for this machine only, or add --insecure if everybody in its network may "
            "do that\n",
            text);
        return ERR_USAGE;
    }
    return 0;
}

static int read_networks(const struct opt_args *args, struct server_settings *s, struct buf *lines)
{
    struct err err;

    if (networks_read(args, &s->networks, &err) != 0) {
        buf_printf(lines, "%s\n", err.msg);
        return ERR_USAGE;
    }
    if (s->networks.count > 0 && s->local) {
        note(lines, "allow-private-networks",
             "changes nothing: a server on loopback may load them all");
    }
    return 0;
}

static int read_origins(const struct opt_args *args, struct server_settings *s, struct buf *lines)
{
    static const char *values[OPT_GIVEN_MAX];
    size_t count = opt_values(args, "allow-origin", values);

    if (count > GUARD_ORIGINS_MAX) {
        return refuse(lines, "allow-origin", "may be given 16 times");
    }
    for (size_t i = 0; i < count; i++) {
        if (!guard_is_origin(values[i])) {
            return refuse(lines, "allow-origin",
                          "must be http://HOST[:PORT] or https://HOST[:PORT], without a path");
        }
        s->origins[s->origin_count++] = values[i];
    }
    return 0;
}

int server_settings_read(const struct opt_args *args,
                         struct server_settings *out,
                         struct buf *lines)
{
    int rc = check_flags(args, lines);

    *out = (struct server_settings){.data_dir = opt_value(args, "data-dir")};
    rc = check_auth(args, lines) != 0 ? ERR_USAGE : rc;
    rc = check_rate(args, lines) != 0 ? ERR_USAGE : rc;
    rc = read_origins(args, out, lines) != 0 ? ERR_USAGE : rc;
    if (read_address(args, out, lines) != 0) {
        return ERR_USAGE;
    }
    rc = read_networks(args, out, lines) != 0 ? ERR_USAGE : rc;
    if (opt_has(args, "mock") && opt_has(args, "no-mock")) {
        rc = refuse(lines, "mock", "and --no-mock exclude each other");
    }
    out->mock = (out->local || opt_has(args, "mock")) && !opt_has(args, "no-mock");
    return rc;
}
