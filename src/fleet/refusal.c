/* SPDX-License-Identifier: MIT */
/* Why a call was refused, in the API's words. */
#include "fleet/hub_priv.h"

#include <stdarg.h>
#include <stdio.h>

void hub_refusal_clear(struct hub_refusal *r)
{
    json_decref(r->details);
    *r = (struct hub_refusal){0};
}

int refuse(struct hub_refusal *why,
           int rc,
           int status,
           const char *type,
           const char *code,
           const char *fmt,
           ...)
{
    va_list ap;

    *why = (struct hub_refusal){.status = status, .type = type, .code = code};
    va_start(ap, fmt);
    vsnprintf(why->message, sizeof why->message, fmt, ap);
    va_end(ap);
    return rc;
}

int refuse_unknown_run(struct hub_refusal *why)
{
    return refuse(why, ERR_NOT_FOUND, 404, "not_found", "RUN_NOT_FOUND",
                  "there is no run of this id; GET /runs lists those that there are");
}

int refuse_state(struct hub_refusal *why,
                 const char *run_id,
                 const char *state,
                 const char *operation)
{
    bool terminal = false;

    for (int i = 0; i < RUN_STATE_COUNT; i++) {
        const char *name = run_state_name((enum run_state)i);
        terminal = terminal || (run_state_terminal((enum run_state)i) && strcmp(name, state) == 0);
    }
    (void)refuse(why, ERR_STATE, 409, terminal ? "failed_precondition" : "conflict",
                 terminal ? "TERMINAL_STATE" : "INVALID_STATE",
                 "the run is %s: it does not take \"%s\"", state, operation);
    why->details =
        json_pack("{ssssss}", "run_id", run_id, "current_state", state, "operation", operation);
    return ERR_STATE;
}

int refuse_crowded(struct hub *h, struct hub_refusal *why)
{
    if (store_failed(h->store, NULL)) {
        return refuse_store(h, why);
    }
    if (!store_crowded(h->store)) {
        return 0;
    }
    (void)refuse(why, ERR_LIMIT, 503, "unavailable", "NO_CAPACITY",
                 "the disk does not keep up with what is to be stored: try again in a moment");
    why->retryable = true;
    return ERR_LIMIT;
}

int refuse_store(struct hub *h, struct hub_refusal *why)
{
    struct err err = {0};

    if (!store_failed(h->store, &err)) {
        store_read_error(h->store, &err);
    }
    (void)refuse(why, ERR_IO, 500, "internal", "INTERNAL_ERROR", "the store: %s", err.msg);
    why->retryable = true;
    return ERR_IO;
}
