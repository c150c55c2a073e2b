/* SPDX-License-Identifier: MIT */
#include "engine/preflight.h"

#include "base/json.h"
#include "base/mem.h"
#include "engine/advice.h"
#include "engine/trail.h"
#include "mcp/session.h"

#include <stdio.h>

enum { TAIL_MAX = 8192 };

/* One of the target's lists, and which operations need it. */
struct list_kind {
    const char *method, *capability, *array, *member, *noun;
    bool must_contain; /* a name that is missing fails the check */
};

static const struct list_kind lists[] = {
    {"tools/list", "tools", "tools", "name", "tool", true},
    {"prompts/list", "prompts", "prompts", "name", "prompt", true},
    {"resources/list", "resources", "resources", "uri", "resource", false},
};
enum { LIST_COUNT = sizeof lists / sizeof lists[0] };

struct preflight {
    struct mcp_client *client;
    const struct plan *plan;
    void (*on_checked)(void *owner, const struct check_list *checks);
    void *owner;
    struct mcp_session session;
    struct mcp_call call;
    struct buf body;
    char tail[TAIL_MAX];
    uint64_t step_ns; /* when the current check began */
    unsigned list;    /* which of lists[] is being read */
    unsigned pages;
    struct trail *trail; /* cursors of that list that were sent */
    json_t *names;       /* of that list */
    bool without_lists;
    bool is_cut;    /* the list has more than was read */
    bool is_unsure; /* something was not found in a list that was cut */
    char *head;
    struct check_list checks;
    struct defer death;
};

/* ---- bookkeeping ----------------------------------------------------------------------------- */

static void count_request(struct preflight *p, const char *method)
{
    struct check_list *c = &p->checks;

    for (uint32_t i = 0; i < c->request_count; i++) {
        if (strcmp(c->requests[i].method, method) == 0) {
            c->requests[i].count++;
            return;
        }
    }
    if (c->request_count < CHECK_REQUESTS_MAX) {
        c->requests[c->request_count++] = (struct check_request){.method = method, .count = 1};
    }
}

static struct check *add_check(struct preflight *p, const char *name, bool ok)
{
    struct check_list *c = &p->checks;
    struct check *check = &c->items[c->count < CHECKS_MAX ? c->count++ : CHECKS_MAX - 1];
    uint64_t now = loop_clock(p->client->loop);

    *check = (struct check){.name = name, .ok = ok, .latency_ns = now - p->step_ns};
    p->step_ns = now;
    return check;
}

static void pass(struct preflight *p, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void pass(struct preflight *p, const char *name, const char *fmt, ...)
{
    struct check *check = add_check(p, name, true);
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(check->message, sizeof check->message, fmt, ap);
    va_end(ap);
}

static void warn(struct preflight *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void warn(struct preflight *p, const char *fmt, ...)
{
    struct check_list *c = &p->checks;
    va_list ap;

    if (c->warning_count < CHECKS_MAX) {
        va_start(ap, fmt);
        vsnprintf(c->warnings[c->warning_count++], sizeof c->warnings[0], fmt, ap);
        va_end(ap);
    } else {
        p->client->limits[LIMIT_CHECK_WARNINGS]++;
    }
}

static void on_death(struct defer *d)
{
    struct preflight *p = list_entry(d, struct preflight, death);

    mcp_session_drop(&p->session);
    buf_clear(&p->body);
    json_decref(p->names);
    xfree(p->head);
    xfree(p->trail);
    xfree(p);
}

/* What the target said may repeat what it was sent. Here the texts are masked that are made of
 * what it said; a part that is cut before more text follows was masked before (take_text). */
static void mask_secrets(struct preflight *p)
{
    const struct plan_secrets *secrets = &p->plan->secrets;
    struct check_list *c = &p->checks;

    for (uint32_t i = 0; i < c->count; i++) {
        secrets_mask_in(secrets, c->items[i].message, sizeof c->items[i].message);
        secrets_mask_in(secrets, c->items[i].remediation, sizeof c->items[i].remediation);
    }
    for (uint32_t i = 0; i < c->warning_count; i++) {
        secrets_mask_in(secrets, c->warnings[i], sizeof c->warnings[i]);
    }
}

static void finish(struct preflight *p)
{
    mask_secrets(p);
    mcp_call_cancel(&p->call);
    loop_bury(p->client->loop, &p->death);
    p->on_checked(p->owner, &p->checks);
}

static void on_closed(struct mcp_session *s, const struct mcp_answer *answer)
{
    (void)answer;
    finish(s->owner);
}

/* The session says goodbye, then the list is handed out. */
static void close_session(struct preflight *p)
{
    if (p->session.state == MCP_SESSION_READY && mcp_session_close(&p->session)) {
        count_request(p, "DELETE");
        return;
    }
    finish(p);
}

static void
fail(struct preflight *p, const char *name, const struct mcp_answer *answer, const char *during)
{
    struct check *check = add_check(p, name, false);

    check->code = answer->code;
    check->number = answer->number;
    advice_write(answer, during, p->client->target, check);
    close_session(p);
}

/* ---- names ---------------------------------------------------------------------------------- */

/* The name that an operation wants to find in list `k`, or NULL. */
static const char *wanted(const struct plan_operation *op, unsigned k)
{
    switch (op->kind) {
    case OPERATION_TOOLS_CALL:
        return k == 0 ? op->tool_name : NULL;
    case OPERATION_PROMPTS_GET:
        return k == 1 ? op->prompt_name : NULL;
    case OPERATION_RESOURCES_READ:
        return k == 2 ? op->uri : NULL;
    case OPERATION_TOOLS_LIST:
    case OPERATION_RESOURCES_LIST:
    case OPERATION_PROMPTS_LIST:
    case OPERATION_PING:
    case OPERATION_KIND_COUNT:
        break;
    }
    return NULL;
}

static bool needs_capability(const struct plan_operation *op, unsigned k)
{
    return wanted(op, k) != NULL || (k == 0 && op->kind == OPERATION_TOOLS_LIST) ||
           (k == 1 && op->kind == OPERATION_PROMPTS_LIST) ||
           (k == 2 && op->kind == OPERATION_RESOURCES_LIST);
}

static bool any_operation(const struct preflight *p, unsigned k, bool named)
{
    for (uint32_t i = 0; i < p->plan->operation_count; i++) {
        const struct plan_operation *op = &p->plan->operations[i];

        if (named ? wanted(op, k) != NULL : needs_capability(op, k)) {
            return true;
        }
    }
    return false;
}

/* A text with placeholders is not known before it is sent: it cannot be looked up. */
static bool is_fixed(const char *name)
{
    return strstr(name, "${") == NULL;
}

static void write_near_names(const struct preflight *p, struct str name, char *out, size_t size)
{
    size_t count = json_object_size(p->names), n = 0;
    const char **all = xcalloc(count > 0 ? count : 1, sizeof *all);
    const char *key;
    json_t *value;

    json_object_foreach(p->names, key, value)
    {
        all[n++] = key;
    }
    const char *near = str_nearest(name, all, n);
    if (near != NULL) {
        snprintf(out, size, "did you mean '%s'?", near);
    } else {
        int at = snprintf(out, size, "the target lists %zu:", n);
        for (size_t i = 0; i < n && i < 12 && at > 0 && (size_t)at < size; i++) {
            at += snprintf(out + at, size - (size_t)at, "%s %s", i > 0 ? "," : "", all[i]);
        }
    }
    xfree(all);
}

/* All names of list k that the workload uses are there. False: the check has failed. */
static bool check_names(struct preflight *p, unsigned k)
{
    for (uint32_t i = 0; i < p->plan->operation_count; i++) {
        const char *name = wanted(&p->plan->operations[i], k);

        if (name == NULL || !is_fixed(name) || json_object_get(p->names, name) != NULL) {
            continue;
        }
        if (p->is_cut) {
            p->is_unsure = true;
            warn(p, "%s '%.100s' is not in the part of %s that was read: the list is longer",
                 lists[k].noun, name, lists[k].method);
            continue;
        }
        if (!lists[k].must_contain) {
            warn(p, "%s '%.150s' is not in the target's list", lists[k].noun, name);
            continue;
        }
        struct check *check = add_check(p, "names", false);
        check->code = ERROR_CODE_JSONRPC_INVALID_PARAMS;
        snprintf(check->message, sizeof check->message,
                 "the target has no %s '%.200s', which the workload calls", lists[k].noun, name);
        write_near_names(p, str_c(name), check->remediation, sizeof check->remediation);
        close_session(p);
        return false;
    }
    return true;
}

/* ---- reading the lists ------------------------------------------------------------------------
 */

static void next_list(struct preflight *p);

static struct str call_tail(struct mcp_call *call)
{
    return str_c(list_entry(call, struct preflight, call)->tail);
}

static void ask_page(struct preflight *p, const char *cursor)
{
    struct buf text;

    buf_init(&text, TAIL_MAX - 1);
    buf_printf(&text, ",\"method\":\"%s\",\"params\":{", lists[p->list].method);
    if (cursor != NULL) {
        buf_add_c(&text, "\"cursor\":");
        json_add_string(&text, str_c(cursor));
    }
    buf_add_c(&text, "}}");
    snprintf(p->tail, sizeof p->tail, "%s", buf_c(&text));
    buf_clear(&text);
    count_request(p, lists[p->list].method);
    p->pages++;
    mcp_call_start(&p->call, &p->session);
}

/* What stands behind is unknown: that is our limit, and no fault of the target. */
static void cut_list(struct preflight *p, enum limit limit)
{
    p->client->limits[limit]++;
    p->is_cut = true;
}

static void take_names(struct preflight *p, const json_t *message)
{
    const json_t *array = json_object_get(json_object_get(message, "result"), lists[p->list].array);
    size_t i;
    json_t *item;

    json_array_foreach(array, i, item)
    {
        const char *name = json_string_value(json_object_get(item, lists[p->list].member));
        if (name != NULL && json_object_size(p->names) < PREFLIGHT_NAMES_MAX) {
            json_object_set_new(p->names, name, json_true());
        } else if (name != NULL && json_object_get(p->names, name) == NULL) {
            cut_list(p, LIMIT_CHECK_NAMES);
        }
    }
}

/* Is there another page, and may it be asked for? */
static bool turns_page(struct preflight *p, const struct jsonrpc_msg *msg)
{
    if (!msg->has_cursor) {
        return false;
    }
    if (!msg->cursor_too_long && trail_has(p->trail, msg->cursor)) {
        warn(p, "%s leads in a circle: a cursor comes a second time", lists[p->list].method);
        return false;
    }
    if (msg->cursor_too_long || p->pages >= PREFLIGHT_PAGES_MAX) {
        cut_list(p, msg->cursor_too_long ? LIMIT_CHECK_CURSOR : LIMIT_CHECK_PAGES);
        return false;
    }
    return true;
}

static void on_page(struct mcp_call *call, const struct mcp_answer *answer)
{
    struct preflight *p = list_entry(call, struct preflight, call);
    json_t *message = NULL;

    if (answer->code != ERROR_CODE_NONE) {
        fail(p, "names", answer, lists[p->list].method);
        return;
    }
    struct err err;
    if (json_parse_wide(buf_str(&p->body), MCP_CAPTURE_MAX, &message, &err) != 0) {
        /* Valid for JSON, too odd for our reader: the names stay unknown. */
        warn(p, "the answer to %s could not be read: %.150s", lists[p->list].method, err.msg);
        p->list++;
        next_list(p);
        return;
    }
    take_names(p, message);
    json_decref(message);
    if (turns_page(p, answer->msg)) {
        char cursor[JSONRPC_CURSOR_MAX + 4];
        snprintf(cursor, sizeof cursor, "%s", answer->msg->cursor);
        trail_add(&p->trail, cursor);
        ask_page(p, cursor);
        return;
    }
    if (check_names(p, p->list)) {
        p->list++;
        next_list(p);
    }
}

static const struct mcp_call_events page_events = {.tail = call_tail, .on_done = on_page};

static void next_list(struct preflight *p)
{
    if (p->without_lists) {
        close_session(p);
        return;
    }
    while (p->list < LIST_COUNT && !any_operation(p, p->list, true)) {
        p->list++;
    }
    if (p->list == LIST_COUNT) {
        pass(p, "names", "%s",
             p->is_unsure ? "the target's lists are longer than what was read; see the warnings"
                          : "everything that the workload names is there");
        close_session(p);
        return;
    }
    json_object_clear(p->names);
    xfree(p->trail);
    p->trail = NULL;
    p->pages = 0;
    p->is_cut = false;
    ask_page(p, NULL);
}

/* ---- handshake and capabilities ----------------------------------------------------------------
 */

/* Masked at once: who shows it may cut it, and what is left of a secret could not be told. */
static void take_text(const struct preflight *p, const json_t *value, char *out, size_t size)
{
    const char *text = json_string_value(value);

    snprintf(out, size, "%.*s", (int)size - 1, text != NULL ? text : "");
    secrets_mask_in(&p->plan->secrets, out, size);
}

/* False: something that the workload needs is not offered. */
static bool check_capabilities(struct preflight *p, const json_t *result)
{
    const json_t *offered = json_object_get(result, "capabilities");

    for (unsigned k = 0; k < LIST_COUNT; k++) {
        if (!any_operation(p, k, false) || json_object_get(offered, lists[k].capability) != NULL) {
            continue;
        }
        struct check *check = add_check(p, "capabilities", false);
        check->code = ERROR_CODE_JSONRPC_METHOD_NOT_FOUND;
        snprintf(check->message, sizeof check->message,
                 "the workload needs %s, and the target does not offer them", lists[k].capability);
        snprintf(check->remediation, sizeof check->remediation,
                 "take the operations on %s out of workload.operation_mix, or test another target",
                 lists[k].capability);
        close_session(p);
        return false;
    }
    pass(p, "capabilities", "the target offers what the workload needs");
    return true;
}

static void look_at_initialize(struct preflight *p)
{
    json_t *message = NULL;

    if (json_parse_wide(buf_str(&p->body), MCP_CAPTURE_MAX, &message, NULL) != 0) {
        next_list(p); /* the scanner found it valid; what it offers stays unknown */
        return;
    }
    const json_t *result = json_object_get(message, "result");
    const json_t *info = json_object_get(result, "serverInfo");
    take_text(p, json_object_get(result, "protocolVersion"), p->checks.protocol_version,
              sizeof p->checks.protocol_version);
    take_text(p, json_object_get(info, "name"), p->checks.server_name,
              sizeof p->checks.server_name);
    take_text(p, json_object_get(info, "version"), p->checks.server_version,
              sizeof p->checks.server_version);
    pass(p, "handshake", "protocol %.31s, server %.100s %.60s", p->checks.protocol_version,
         p->checks.server_name[0] != '\0' ? p->checks.server_name : "(no name)",
         p->checks.server_version);
    bool ok = check_capabilities(p, result);
    json_decref(message);
    if (ok) {
        next_list(p);
    }
}

/* The connection was there before initialize was answered: its time ends then. */
static void pass_network(struct preflight *p)
{
    uint64_t begin = p->step_ns;

    pass(p, "network", "connected");
    if (p->session.t_connected > begin) {
        p->checks.items[p->checks.count - 1].latency_ns = p->session.t_connected - begin;
        p->step_ns = p->session.t_connected;
    }
}

static void on_open(struct mcp_session *s, const struct mcp_answer *failure)
{
    struct preflight *p = s->owner;

    if (failure != NULL && failure->connect_failed) {
        fail(p, "network", failure, "connect");
        return;
    }
    count_request(p, "initialize");
    pass_network(p);
    if (failure != NULL) {
        if (s->said_initialized) {
            count_request(p, "notifications/initialized");
        }
        fail(p, "handshake", failure, "initialize");
        return;
    }
    count_request(p, "notifications/initialized");
    look_at_initialize(p);
}

static const struct mcp_session_events session_events = {
    .on_open = on_open,
    .on_closed = on_closed,
};

struct preflight *preflight_start(struct mcp_client *client,
                                  const struct plan *plan,
                                  bool with_lists,
                                  void (*on_checked)(void *owner, const struct check_list *checks),
                                  void *owner)
{
    struct preflight *p = xcalloc(1, sizeof *p);
    struct plan_values values = {
        .stage_id = plan->stages[0].config->stage_id,
        .wall_ms = clock_wall_ms(),
    };
    struct buf head;

    p->client = client;
    p->plan = plan;
    p->without_lists = !with_lists;
    p->on_checked = on_checked;
    p->owner = owner;
    p->names = json_object();
    p->step_ns = loop_clock(client->loop);
    buf_init(&p->body, MCP_CAPTURE_MAX);
    buf_init(&head, SIZE_MAX / 2);
    plan_text_write(plan, &plan->head, &values, &head);
    p->head = head.p;
    defer_init(&p->death, on_death);
    mcp_call_init(&p->call, &page_events);
    p->call.capture = &p->body;
    mcp_session_init(&p->session, client, buf_str(&head), &session_events, p);
    mcp_session_open(&p->session, &p->body);
    return p;
}

void preflight_cancel(struct preflight *p)
{
    if (p != NULL) {
        mcp_call_cancel(&p->call);
        mcp_session_drop(&p->session);
        loop_bury(p->client->loop, &p->death);
    }
}
