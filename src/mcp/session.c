/* SPDX-License-Identifier: MIT */
#include "mcp/session.h"

#include "base/mem.h"
#include "mcp/scratch.h"

#include <assert.h>
#include <stdio.h>

enum { OPEN_TAIL_MAX = 512 };

/* What only opening and closing need; an established session does not carry it. */
struct session_work {
    struct mcp_call call;
    struct mcp_session *session;
    char tail[OPEN_TAIL_MAX];
};

static const char *const known_versions[] = {"2025-11-25", "2025-06-18", "2025-03-26"};

/* ---- connections ---------------------------------------------------------------------------- */

static void on_lost(void *owner, struct http_conn *conn)
{
    struct mcp_session *s = owner;

    mcp_client_hang_up(s->client, conn, false);
}

struct http_conn *mcp_session_take(struct mcp_session *s)
{
    if (list_empty(&s->idle_)) {
        return NULL;
    }
    struct http_conn *conn = list_entry(s->idle_.next, struct http_conn, node);
    list_remove(&conn->node);
    list_append(&s->busy_, &conn->node);
    return conn;
}

void mcp_session_give_back(struct mcp_session *s, struct http_conn *conn)
{
    list_remove(&conn->node);
    list_prepend(&s->idle_, &conn->node);
}

struct http_conn *mcp_session_adopt(struct mcp_session *s, struct stream *stream)
{
    struct http_conn *conn = http_conn_new(&s->client->http, stream, on_lost, s);

    list_append(&s->busy_, &conn->node);
    return conn;
}

static void hang_up_all(struct mcp_session *s, bool reset)
{
    struct list *both[] = {&s->idle_, &s->busy_};

    for (size_t i = 0; i < 2; i++) {
        list_foreach_safe (node, both[i]) {
            mcp_client_hang_up(s->client, list_entry(node, struct http_conn, node), reset);
        }
    }
}

bool mcp_session_connected(const struct mcp_session *s)
{
    return !list_empty(&s->idle_) || !list_empty(&s->busy_);
}

bool mcp_session_held(const struct mcp_session *s)
{
    return s->state == MCP_SESSION_OPENING && !s->said_initialized && s->work_ != NULL &&
           mcp_call_held(&s->work_->call);
}

bool mcp_session_may_dial(const struct mcp_client *client)
{
    return mcp_client_may_dial(client);
}

/* ---- the protocol's own header lines --------------------------------------------------------- */

static void add_line(struct mcp_session *s, struct str name, struct str value)
{
    size_t len = s->lines_len_ + name.len + value.len + 4;

    s->lines_ = xrealloc(s->lines_, len);
    char *out = s->lines_ + s->lines_len_;
    struct str parts[] = {name, STR(": "), value, STR("\r\n")};
    for (size_t i = 0; i < 4; i++) {
        memcpy(out, parts[i].p, parts[i].len);
        out += parts[i].len;
    }
    s->lines_len_ = (uint32_t)len; /* of two short values */
}

bool mcp_session_note_id(struct mcp_session *s, struct str id)
{
    if (id.len == 0 || id.len > MCP_SESSION_ID_MAX) {
        return false;
    }
    for (size_t i = 0; i < id.len; i++) {
        if (id.p[i] < 0x21 || id.p[i] > 0x7e) {
            return false;
        }
    }
    s->lines_len_ = 0;
    add_line(s, STR("Mcp-Session-Id"), id);
    s->has_id = true;
    return true;
}

struct str mcp_session_id(const struct mcp_session *s)
{
    size_t prefix = STR("Mcp-Session-Id: ").len;

    if (!s->has_id) {
        return STR("");
    }
    const char *end = memchr(s->lines_, '\r', s->lines_len_);
    return (struct str){s->lines_ + prefix, (size_t)(end - s->lines_) - prefix};
}

/* ---- opening -------------------------------------------------------------------------------- */

static void end_work(struct mcp_session *s)
{
    struct session_work *work = s->work_;

    s->work_ = NULL;
    if (work != NULL) {
        mcp_call_cancel(&work->call);
        xfree(work);
    }
}

static void open_failed(struct mcp_session *s, const struct mcp_answer *failure)
{
    s->state = MCP_SESSION_CLOSED;
    hang_up_all(s, false);
    s->events->on_open(s, failure);
}

static struct str tail_of(struct mcp_call *call)
{
    return str_c(list_entry(call, struct session_work, call)->tail);
}

static void on_initialized(struct mcp_call *call, const struct mcp_answer *answer)
{
    struct session_work *work = list_entry(call, struct session_work, call);
    struct mcp_session *s = work->session;

    s->work_ = NULL;
    if (answer->code != ERROR_CODE_NONE) {
        open_failed(s, answer);
    } else {
        s->state = MCP_SESSION_READY;
        s->held_ns += call->held_ns;
        s->opened_ns = answer->end_ns;
        s->events->on_open(s, NULL);
    }
    xfree(work);
}

static const struct mcp_call_events initialized_events = {
    .tail = tail_of,
    .on_done = on_initialized,
};

static bool speaks(const struct mcp_target *target, const char *version)
{
    if (target->version_any || strcmp(version, target->version) == 0) {
        return true;
    }
    for (size_t i = 0; i < sizeof known_versions / sizeof known_versions[0]; i++) {
        if (strcmp(version, known_versions[i]) == 0) {
            return !target->version_strict;
        }
    }
    return false;
}

/* True when the version may be spoken, else `text` says what is wrong with it. */
static bool check_version(const struct mcp_target *target,
                          const struct jsonrpc_msg *msg,
                          char *text,
                          size_t size)
{
    if (!msg->has_version || msg->version[0] == '\0') {
        snprintf(text, size, "the answer to initialize has no protocolVersion");
        return false;
    }
    for (const char *c = msg->version; *c != '\0'; c++) {
        if (*c < 0x21 || *c > 0x7e) {
            snprintf(text, size, "the protocolVersion of the answer cannot stand in a header");
            return false;
        }
    }
    if (!speaks(target, msg->version)) {
        /* What the target said stands last: it is cut when it is long, and the beginning of a
         * secret is known for one only at the end of a text (plan/secrets.h). */
        snprintf(text, size, "the target was asked for protocol version %s, %s: %s",
                 target->version,
                 target->version_strict ? "and only this one is accepted; it answered"
                                        : "and answered one that this client does not speak",
                 msg->version);
        return false;
    }
    return true;
}

static void on_initialize(struct mcp_call *call, const struct mcp_answer *answer)
{
    struct session_work *work = list_entry(call, struct session_work, call);
    struct mcp_session *s = work->session;
    struct mcp_answer failure = *answer;
    char fault[200];

    s->held_first_ns = s->held_ns = call->held_ns;
    s->t_connected = call->t_ready;
    s->t_initialized = answer->end_ns;
    if (failure.code == ERROR_CODE_NONE) {
        if (!check_version(s->client->target, answer->msg, fault, sizeof fault)) {
            mcp_fail(&failure, ERROR_CODE_VERSION_MISMATCH, fault);
        }
    }
    if (failure.code != ERROR_CODE_NONE) {
        s->work_ = NULL;
        open_failed(s, &failure);
        xfree(work);
        return;
    }
    add_line(s, STR("MCP-Protocol-Version"), str_c(answer->msg->version));
    memcpy(work->tail, ",\"method\":\"notifications/initialized\"}",
           sizeof ",\"method\":\"notifications/initialized\"}");
    call->events = &initialized_events;
    call->is_notification = true;
    call->capture = NULL;
    s->said_initialized = true;
    mcp_call_start(call, s);
}

static const struct mcp_call_events initialize_events = {
    .tail = tail_of,
    .on_done = on_initialize,
};

static struct session_work *start_work(struct mcp_session *s, const struct mcp_call_events *events)
{
    struct session_work *work = xcalloc(1, sizeof *work);

    work->session = s;
    mcp_call_init(&work->call, events);
    s->work_ = work;
    return work;
}

void mcp_session_init(struct mcp_session *s,
                      struct mcp_client *client,
                      struct str head,
                      const struct mcp_session_events *events,
                      void *owner)
{
    *s = (struct mcp_session){
        .client = client,
        .head = head,
        .events = events,
        .owner = owner,
        .next_id_ = 1,
    };
    list_init(&s->idle_);
    list_init(&s->busy_);
    list_init(&s->waiting_);
}

void mcp_session_open(struct mcp_session *s, struct buf *capture)
{
    assert(s->state == MCP_SESSION_NEW);
    struct session_work *work = start_work(s, &initialize_events);

    snprintf(
        work->tail, sizeof work->tail,
        ",\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"%s\",\"capabilities\":{},"
        "\"clientInfo\":{\"name\":\"mcpdrill\",\"version\":\"%s\"}}}",
        s->client->target->version, MCPDRILL_VERSION);
    s->state = MCP_SESSION_OPENING;
    s->t_begin = loop_now(s->client->loop);
    work->call.capture = capture;
    work->call.permitted = s->permitted;
    mcp_call_start(&work->call, s);
}

/* ---- closing -------------------------------------------------------------------------------- */

static void on_deleted(struct mcp_call *call, const struct mcp_answer *answer)
{
    struct session_work *work = list_entry(call, struct session_work, call);
    struct mcp_session *s = work->session;

    s->work_ = NULL;
    s->state = MCP_SESSION_CLOSED;
    hang_up_all(s, false);
    s->events->on_closed(s, answer);
    xfree(work);
}

static const struct mcp_call_events delete_events = {.on_done = on_deleted};

bool mcp_session_close(struct mcp_session *s)
{
    assert(s->state == MCP_SESSION_READY);
    if (!s->has_id) {
        s->state = MCP_SESSION_CLOSED;
        hang_up_all(s, false);
        return false;
    }
    s->state = MCP_SESSION_CLOSING;
    struct session_work *work = start_work(s, &delete_events);
    work->call.is_delete = true;
    mcp_call_start(&work->call, s);
    return true;
}

static void drop(struct mcp_session *s, bool reset)
{
    end_work(s);
    hang_up_all(s, reset);
    s->state = MCP_SESSION_CLOSED;
    xfree(s->lines_);
    s->lines_ = NULL;
    s->lines_len_ = 0;
    s->has_id = false;
}

void mcp_session_drop(struct mcp_session *s)
{
    drop(s, false);
}

void mcp_session_reset(struct mcp_session *s)
{
    drop(s, true);
}
