/* SPDX-License-Identifier: MIT */
/* `mcpdrill clone`: a new run of a scenario that a control plane has, changed by `--set`. */
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/patch.h"
#include "report/result/document.h"

#include <stdio.h>

/* What the overrides change in the scenario of the run. *out stays NULL without any. */
static int overrides(struct remote *r, const struct opt_args *args, const char *id, json_t **out)
{
    const char *sets[OPT_GIVEN_MAX];
    size_t count = opt_values(args, "set", sets);
    char path[RUN_ID_MAX + 64];
    struct err err = {0};
    json_t *config;

    if (count == 0) {
        return REMOTE_DONE;
    }
    int code = remote_get(r, client_path(id, "/config", path), &config);
    if (code == REMOTE_DONE && patch_of_sets(config, sets, count, out, &err) != 0) {
        remote_say(r, "%s", err.msg);
        code = EXIT_USAGE;
    }
    json_decref(config);
    return code;
}

static int clone_run(struct remote *r, const struct opt_args *args, const char *id)
{
    char path[RUN_ID_MAX + 64], line[RUN_ID_MAX + 2];
    json_t *patch = NULL, *answer = NULL;
    int code = overrides(r, args, id, &patch);

    if (code == REMOTE_DONE) {
        json_t *body = client_body(r);

        if (patch != NULL) {
            json_object_set(body, "overrides", patch);
        }
        code = remote_send(r, "POST", client_path(id, "/clone", path), body, &answer);
    }
    json_decref(patch);
    struct str made = document_text(answer, "run_id");
    if (code == REMOTE_DONE && (made.len == 0 || made.len > RUN_ID_MAX)) {
        remote_say(r, "%s has made a run and does not say which", http_api_url(r->api));
        code = REMOTE_UNREACHABLE;
    }
    if (code == REMOTE_DONE) {
        fprintf(stderr, "created %.*s from %s at %s\n", STR_ARG(made), id, http_api_url(r->api));
        snprintf(line, sizeof line, "%.*s\n", STR_ARG(made));
        code = cli_print(str_c(line));
    }
    json_decref(answer);
    return code;
}

int cmd_clone(const struct opt_args *args)
{
    return client_with_run(args, clone_run);
}
