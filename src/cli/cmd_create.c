/* SPDX-License-Identifier: MIT */
/*
 * `mcpdrill create`: a scenario becomes a run of a control plane. Everything that the options say
 * is applied and checked here; what is sent is the whole document, and the texts of the files that
 * it names, because a control plane cannot read this disk.
 */
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/labels.h"
#include "cli/load.h"
#include "report/result/document.h"

#include <stdio.h>
#include <string.h>

#define SEED_MAX (UINT64_C(1) << 53) /* the largest integer that every JSON reader knows */

struct creation {
    const struct opt_args *args;
    struct scenario *scenario;
    struct issue_list issues;
    const char *name; /* --name */
    json_t *tags;     /* --tag */
    json_t *files;
};

static int fail(const struct creation *c, const struct err *err)
{
    fprintf(stderr, "mcpdrill %s: %s\n", c->args->command->name, err->msg);
    return EXIT_USAGE;
}

static int read_all(struct creation *c)
{
    struct err err = {0};
    uint64_t seed;

    if (opt_number(c->args, "seed", 0, SEED_MAX, &seed, &err) != 0 ||
        labels_read(c->args, &c->name, &c->tags, &err) != 0) {
        return fail(c, &err);
    }
    int rc = load_scenario(c->args, opt_value(c->args, "seed"), &c->scenario, &c->issues, &err);
    if (rc != 0 || c->issues.count > 0) {
        load_complain(c->args, &c->issues, &err);
    }
    if (rc == 0 && load_feed_texts(c->args, c->scenario, REMOTE_BODY_MAX, &c->files, &err) != 0) {
        return fail(c, &err);
    }
    return rc == 0 ? EXIT_PASSED : EXIT_USAGE;
}

/* The document, with the id that it has from its file's name: the control plane knows no file. */
static json_t *document_of(const struct creation *c)
{
    json_t *document = json_deep_copy(scenario_document(c->scenario));

    if (json_object_get(document, "scenario_id") == NULL) {
        json_object_set_new(document, "scenario_id", json_string(c->scenario->scenario_id));
    }
    return document;
}

static json_t *body_of(struct creation *c, const struct remote *r)
{
    json_t *body = client_body(r);

    json_object_set_new(body, "config", document_of(c));
    if (c->name != NULL) {
        json_object_set_new(body, "name", json_string(c->name));
    }
    if (json_object_size(c->tags) > 0) {
        json_object_set(body, "tags", c->tags);
    }
    if (json_object_size(c->files) > 0) {
        json_object_set(body, "files", c->files);
    }
    return body;
}

/* Has this issue been printed already? Both sides check by the same rules. */
static bool is_known(const struct issue_list *issues, const json_t *warning)
{
    struct str code = document_text(warning, "code"),
               place = document_text(warning, "json_pointer");

    for (size_t i = 0; i < issues->count; i++) {
        if (str_eq(code, str_c(issues->items[i].code)) &&
            str_eq(place, str_c(issues->items[i].json_pointer))) {
            return true;
        }
    }
    return false;
}

/* Those of the control plane alone: it may know less, or be older. */
static void tell_warnings(const struct creation *c, const struct remote *r, const json_t *warnings)
{
    for (size_t i = 0; i < json_array_size(warnings); i++) {
        const json_t *one = json_array_get(warnings, i);
        const char *text = json_is_string(one) ? json_string_value(one)
                                               : json_string_value(json_object_get(one, "message"));

        if (text != NULL && !is_known(&c->issues, one)) {
            remote_say(r, "warning of the control plane: %s", text);
        }
    }
}

static int send_it(struct creation *c, struct remote *r)
{
    char line[RUN_ID_MAX + 2];
    json_t *answer = NULL;
    int code = remote_send(r, "POST", "/runs", body_of(c, r), &answer);
    struct str id = document_text(answer, "run_id");

    if (code == REMOTE_DONE && (id.len == 0 || id.len > RUN_ID_MAX)) {
        remote_say(r, "%s has made a run and does not say which", http_api_url(r->api));
        code = REMOTE_UNREACHABLE;
    }
    if (code == REMOTE_DONE) {
        tell_warnings(c, r, document_at(answer, "warnings"));
        fprintf(stderr, "created %.*s at %s; \"mcpdrill start %.*s\" plays it\n", STR_ARG(id),
                http_api_url(r->api), STR_ARG(id));
        snprintf(line, sizeof line, "%.*s\n", STR_ARG(id));
        code = cli_print(str_c(line));
    }
    json_decref(answer);
    return code;
}

int cmd_create(const struct opt_args *args)
{
    struct creation c = {.args = args};
    struct remote r = {0};
    int code = client_open(args, &r);

    r.document = args->operand_count > 0 ? args->operands[0] : NULL;
    if (code == REMOTE_DONE) {
        code = read_all(&c);
    }
    if (code == REMOTE_DONE) {
        code = send_it(&c, &r);
    }
    remote_close(&r);
    scenario_free(c.scenario);
    issue_list_clear(&c.issues);
    json_decref(c.tags);
    json_decref(c.files);
    return code;
}
