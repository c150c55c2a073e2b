/* SPDX-License-Identifier: MIT */
/* MCP over JSON-RPC: messages, sessions, methods. */
#include "mock/protocol/protocol.h"

#include "base/json.h"
#include "base/rng.h"
#include "mock/answers/answer.h"
#include "mock/tools/tools.h"

#include <stdio.h>

static const struct str versions[] = {
    STR_INIT("2025-11-25"), /* the one we answer with when we don't know the client's */
    STR_INIT("2025-06-18"),
    STR_INIT("2025-03-26"),
};

bool mock_version_known(struct str version)
{
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        if (str_eq(version, versions[i])) {
            return true;
        }
    }
    return false;
}

/* ---- sessions ----------------------------------------------------------------------------- */

bool mock_session_ok(struct mock *m,
                     struct http_exchange *x,
                     struct str header,
                     bool needed,
                     struct mock_session_id *id)
{
    struct str none = {0};

    if (header.p == NULL) {
        if (needed) {
            mock_refuse(m, x, 400, none, none, -32000, "Mcp-Session-Id header is missing");
        }
        return !needed;
    }
    if (!mock_session_id_read(header, id) ||
        !mock_sessions_alive(m->shared->sessions, *id, loop_clock(m->loop))) {
        mock_refuse(m, x, 404, none, none, -32001, "session not found");
        return false;
    }
    return true;
}

static void set_result(struct op *op, struct str text)
{
    op->kind = OP_ANSWER;
    op->m->result.len = 0;
    buf_add_str(&op->m->result, text);
}

/* Opens a session; its header goes to `header`. False when there is no room for it. */
static bool open_session(struct mock *m, char *header, size_t size, struct str *line)
{
    struct mock_session_id id;
    char text[SESSION_ID_LEN];

    id.hi = rng_at(m->rng_seed, m->rng_count++);
    id.lo = rng_at(m->rng_seed, m->rng_count++);
    if (!mock_sessions_open(m->shared->sessions, id, loop_clock(m->loop))) {
        return false;
    }
    mock_session_id_text(id, text);
    int n = snprintf(header, size, "Mcp-Session-Id: %.*s\r\n", SESSION_ID_LEN, text);
    *line = (struct str){header, (size_t)n};
    return true;
}

static void initialize(struct op *op)
{
    struct mock *m = op->m;
    struct str asked, version = versions[0];
    char header[64];

    if (m->faults.refuse_sessions > 0 &&
        faults_refuse(&m->faults, m->shared->config.seed,
                      atomic_fetch_add(&m->shared->session_index, 1))) {
        http_stat_add(&m->stats.errors_injected, 1);
        mock_refuse(m, op->x, 503, (struct str){0}, op->req->id, -32000, "session refused");
        return;
    }
    if (!op->req->has_params || !request_string(op->req->params, STR("protocolVersion"), &asked)) {
        mock_op_error(op, -32602, "params.protocolVersion must be a string");
        mock_answer(op);
        return;
    }
    if (mock_version_known(asked)) {
        version = asked;
    }
    if (!open_session(m, header, sizeof header, &op->headers)) {
        mock_refuse(m, op->x, 503, (struct str){0}, op->req->id, -32000, "too many sessions");
        return;
    }
    set_result(op, STR("\"result\":{\"protocolVersion\":\""));
    buf_add_str(&m->result, version);
    buf_add_str(&m->result,
                STR("\",\"capabilities\":{\"logging\":{},\"prompts\":{\"listChanged\":false},"
                    "\"resources\":{\"subscribe\":false,\"listChanged\":false},"
                    "\"tools\":{\"listChanged\":false}},"
                    "\"serverInfo\":{\"name\":\"mockserver\",\"version\":\"" MCPDRILL_VERSION
                    "\"}}"));
    mock_answer(op);
}

/* ---- lists -------------------------------------------------------------------------------- */

static void ping(struct op *op)
{
    set_result(op, STR("\"result\":{}"));
}

/* A cursor is the number of the first entry that follows. False when it is none of ours. */
static bool read_cursor(const struct op *op, size_t count, size_t *first)
{
    uint64_t v;

    *first = 0;
    if (op->req->bad_cursor) {
        return false;
    }
    if (op->req->cursor.p == NULL) {
        return true;
    }
    if (!str_u64(op->req->cursor, count, &v)) {
        return false;
    }
    *first = (size_t)v;
    return true;
}

static void
list(struct op *op, const char *member, size_t count, void (*describe)(struct buf *out, size_t i))
{
    struct buf *out = &op->m->result;
    size_t first, page = op->m->shared->config.page_size;

    if (!read_cursor(op, count, &first)) {
        mock_op_error(op, -32602, "invalid cursor");
        return;
    }
    size_t end = page > 0 && count - first > page ? first + page : count;
    set_result(op, STR("\"result\":{\""));
    buf_add_c(out, member);
    buf_add_c(out, "\":[");
    for (size_t i = first; i < end; i++) {
        buf_add(out, ",", i > first);
        describe(out, i);
    }
    buf_add(out, "]", 1);
    if (end < count) {
        buf_printf(out, ",\"nextCursor\":\"%zu\"", end);
    }
    buf_add(out, "}", 1);
}

static void describe_tool(struct buf *out, size_t i)
{
    mock_tool_describe(&mock_tools[i], out);
}

static void tools_list(struct op *op)
{
    list(op, "tools", mock_tool_count, describe_tool);
}

/* ---- resources ---------------------------------------------------------------------------- */

static const struct {
    const char *uri, *name, *type, *text;
} resources[] = {
    {"file:///docs/readme.md", "README", "text/markdown",
     "# Mock server\\n\\nThis text never changes.\\n"},
    {"file:///config/settings.json", "Settings", "application/json",
     "{\\\"theme\\\":\\\"dark\\\",\\\"retries\\\":3}"},
    {"file:///data/sample.csv", "Sample Data", "text/csv", "id,value\\n1,10\\n2,20\\n3,30\\n"},
};
enum { RESOURCES = sizeof resources / sizeof resources[0] };

static void describe_resource(struct buf *out, size_t i)
{
    buf_printf(out, "{\"uri\":\"%s\",\"name\":\"%s\",\"mimeType\":\"%s\"}", resources[i].uri,
               resources[i].name, resources[i].type);
}

static void resources_list(struct op *op)
{
    list(op, "resources", RESOURCES, describe_resource);
}

static void templates_list(struct op *op)
{
    list(op, "resourceTemplates", 0, describe_resource);
}

static bool is_uri(struct str raw, const char *uri)
{
    char text[64]; /* longer than any of ours; some clients escape slashes */
    size_t len;

    return request_unescape(raw, text, sizeof text, &len) &&
           str_eq((struct str){text, len}, str_c(uri));
}

static void resources_read(struct op *op)
{
    struct buf *out = &op->m->result;
    struct str uri;

    if (!op->req->has_params || !request_string(op->req->params, STR("uri"), &uri) ||
        uri.len == 0) {
        mock_op_error(op, -32602, "params.uri must be a string that is not empty");
        return;
    }
    set_result(op, STR("\"result\":{\"contents\":[{\"uri\":\""));
    buf_add_str(out, uri);
    for (size_t i = 0; i < RESOURCES; i++) {
        if (is_uri(uri, resources[i].uri)) {
            buf_printf(out, "\",\"mimeType\":\"%s\",\"text\":\"%s\"}]}", resources[i].type,
                       resources[i].text);
            return;
        }
    }
    buf_add_str(out, STR("\",\"mimeType\":\"text/plain\",\"text\":\"content of "));
    buf_add_str(out, uri); /* raw: as escaped as it came */
    buf_add_str(out, STR("\"}]}"));
}

/* ---- prompts ------------------------------------------------------------------------------ */

static const struct {
    struct str name;
    const char *description;
    const char *arguments; /* JSON */
} prompts[] = {
    {STR_INIT("summarize"), "Summarize a text",
     "[{\"name\":\"text\",\"required\":true},{\"name\":\"max_length\",\"required\":false}]"},
    {STR_INIT("translate"), "Translate a text",
     "[{\"name\":\"text\",\"required\":true},{\"name\":\"target_language\",\"required\":true}]"},
    {STR_INIT("code_review"), "Review code",
     "[{\"name\":\"code\",\"required\":true},{\"name\":\"language\",\"required\":false}]"},
};
enum { PROMPTS = sizeof prompts / sizeof prompts[0] };

static void describe_prompt(struct buf *out, size_t i)
{
    buf_printf(out, "{\"name\":\"%.*s\",\"description\":\"%s\",\"arguments\":%s}",
               STR_ARG(prompts[i].name), prompts[i].description, prompts[i].arguments);
}

static void prompts_list(struct op *op)
{
    list(op, "prompts", PROMPTS, describe_prompt);
}

static void prompts_get(struct op *op)
{
    struct buf *out = &op->m->result, *text = &op->m->text;
    const struct mock_request *req = op->req;
    size_t i = 0;

    while (i < PROMPTS && !(req->name.p != NULL && str_eq(req->name, prompts[i].name))) {
        i++;
    }
    if (i == PROMPTS) {
        mock_op_error(op, -32602, "unknown prompt: params.name must be one of prompts/list");
        return;
    }
    text->len = 0;
    buf_printf(text, "%s: ", prompts[i].description);
    buf_add_str(text, req->arguments.len > 0 ? req->arguments : STR("{}"));
    set_result(op, STR("\"result\":{\"description\":\""));
    buf_add_c(out, prompts[i].description);
    buf_add_str(out, STR("\",\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"text\","
                         "\"text\":"));
    json_add_string(out, buf_str(text));
    buf_add_str(out, STR("}}]}"));
}

/* ---- messages ----------------------------------------------------------------------------- */

const struct mock_method mock_methods[] = {
    {STR_INIT("tools/call"), mock_tools_call, true},
    {STR_INIT("tools/list"), tools_list, true},
    {STR_INIT("resources/list"), resources_list, true},
    {STR_INIT("resources/read"), resources_read, true},
    {STR_INIT("resources/templates/list"), templates_list, true},
    {STR_INIT("prompts/list"), prompts_list, true},
    {STR_INIT("prompts/get"), prompts_get, true},
    {STR_INIT("ping"), ping, false},
    {STR_INIT("logging/setLevel"), ping, false},
    /* Answers by itself: it may refuse the session by HTTP. */
    {STR_INIT("initialize"), NULL, false},
    /* Notifications have no answer and are only counted. */
    {STR_INIT("notifications/initialized"), NULL, false},
    {STR_INIT("notifications/cancelled"), NULL, false},
    {STR_INIT("notifications/progress"), NULL, false},
    {STR_INIT("notifications/roots/list_changed"), NULL, false},
};
const size_t mock_method_count = sizeof mock_methods / sizeof mock_methods[0];
_Static_assert(sizeof mock_methods / sizeof mock_methods[0] <= MOCK_METHODS_MAX,
               "a counter for each method");

static const struct mock_method *find_method(struct mock *m, struct str name)
{
    for (size_t i = 0; i < mock_method_count; i++) {
        if (str_eq(name, mock_methods[i].name)) {
            http_stat_add(&m->stats.methods[i], 1);
            return &mock_methods[i];
        }
    }
    http_stat_add(&m->stats.methods[MOCK_METHODS_MAX], 1);
    return NULL;
}

/* The fault lose_sessions: is this the request at which the server turns out to have forgotten? */
static bool loses_session(struct mock *m, struct mock_session_id id)
{
    struct mock_shared *shared = m->shared;

    if (m->faults.lose_sessions == 0 ||
        !faults_lose(&m->faults, shared->config.seed, atomic_fetch_add(&shared->lose_index, 1)) ||
        !mock_sessions_lose(shared->sessions, id, loop_now(m->loop))) {
        return false;
    }
    http_stat_add(&m->stats.errors_injected, 1);
    return true;
}

static void call_method(struct op *op, struct str session)
{
    struct mock *m = op->m;
    struct mock_session_id id = {0};
    const struct mock_method *method = find_method(m, op->req->method);
    bool starts = str_eq(op->req->method, STR("initialize"));

    if (!mock_session_ok(m, op->x, session, m->shared->config.require_session && !starts, &id)) {
        return;
    }
    op->has_session = session.p != NULL;
    op->session = id;
    if (op->has_session && method != NULL && method->faulted && loses_session(m, id)) {
        mock_refuse(m, op->x, 404, (struct str){0}, op->req->id, -32001, "session not found");
    } else if (starts && session.p != NULL) {
        mock_refuse(m, op->x, 400, (struct str){0}, op->req->id, -32600,
                    "this session is initialized already");
    } else if (starts) {
        initialize(op);
    } else {
        if (method != NULL && method->fn != NULL) {
            op->faulted = method->faulted;
            method->fn(op);
        } else {
            mock_op_error(op, -32601, "method not found");
        }
        mock_answer(op);
    }
}

void mock_message(struct op *op, struct str session, struct str body)
{
    struct mock_request req;
    struct mock_session_id id;
    struct mock *m = op->m;

    op->req = &req;
    switch (request_read(body, &req)) {
    case REQUEST_BAD_JSON:
        mock_refuse(m, op->x, 400, (struct str){0}, req.id, -32700, "the body is not a JSON text");
        break;
    case REQUEST_INVALID:
        mock_refuse(m, op->x, 400, (struct str){0}, req.id, -32600,
                    "the body is not one JSON-RPC 2.0 message with a string or number as id");
        break;
    case REQUEST_NOTIFICATION:
        find_method(m, req.method);
        /* fall through */
    case REQUEST_RESPONSE:
        if (mock_session_ok(m, op->x, session, m->shared->config.require_session, &id)) {
            mock_accepted(m, op->x, 202);
        }
        break;
    case REQUEST_CALL:
        call_method(op, session);
        break;
    }
}
