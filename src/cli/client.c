/* SPDX-License-Identifier: MIT */
#include "cli/client.h"

#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct opt shared[] = {CLIENT_OPTIONS};

int client_option_words(const char *word)
{
    if (strncmp(word, "--", 2) != 0) {
        return 0;
    }
    struct str name = {word + 2, strcspn(word + 2, "=")};

    for (size_t i = 0; i < sizeof shared / sizeof shared[0]; i++) {
        if (str_eq(name, str_c(shared[i].name))) {
            return word[2 + name.len] == '=' ? 1 : 2;
        }
    }
    return 0;
}

int client_open(const struct opt_args *args, struct remote *out)
{
    char path[ENDPOINT_PATH_MAX], url_label[OPT_VARIABLE_MAX], actor_label[OPT_VARIABLE_MAX];
    struct endpoint_sources from = {
        .url = opt_value(args, "endpoint"),
        .actor = opt_value(args, "actor"),
        .url_label = opt_label(args, "endpoint", url_label),
        .actor_label = opt_label(args, "actor", actor_label),
        /* There is one thread, and nobody sets variables. NOLINTBEGIN(concurrency-mt-unsafe) */
        .config_path = endpoint_config_path(getenv("XDG_CONFIG_HOME"), getenv("HOME"), path),
        /* NOLINTEND(concurrency-mt-unsafe) */
    };
    struct endpoint endpoint;
    struct err err = {0};

    *out = (struct remote){.command = args->command->name};
    if (opt_has(args, "api-key")) {
        char label[OPT_VARIABLE_MAX];

        remote_say(out,
                   "%s is not supported yet: control planes take no keys, and everybody on their "
                   "machine may use them",
                   opt_label(args, "api-key", label));
        return EXIT_USAGE;
    }
    if (endpoint_choose(&from, &endpoint, &err) != 0) {
        remote_say(out, "%s", err.msg);
        return EXIT_USAGE;
    }
    return remote_open(out, args->command->name, &endpoint);
}

int client_with_run(const struct opt_args *args,
                    int (*act)(struct remote *r, const struct opt_args *args, const char *id))
{
    char id[RUN_ID_MAX + 1];
    struct remote r;
    int code = client_open(args, &r);

    if (code == REMOTE_DONE) {
        code = remote_find_run(&r, args->operands[0], id);
    }
    if (code == REMOTE_DONE) {
        code = act(&r, args, id);
    }
    remote_close(&r);
    return code;
}

json_t *client_body(const struct remote *r)
{
    json_t *body = json_object();

    json_object_set_new(body, "actor", json_string(r->endpoint.actor));
    return body;
}

const char *client_path(const char *id, const char *rest, char out[RUN_ID_MAX + 64])
{
    snprintf(out, RUN_ID_MAX + 64, "/runs/%s%s", id, rest);
    return out;
}
