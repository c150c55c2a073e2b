/* SPDX-License-Identifier: MIT */
#include "base/clock.h"
#include "scenario/policy/policy.h"
#include "scenario/rules/rules.h"

/* RFC 9110 §5.5: no control characters but the tab; and nothing that looks like folding. */
static bool is_header_value(const char *value)
{
    for (const char *p = value; *p != '\0'; p++) {
        if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f) {
            return false;
        }
    }
    return true;
}

/* These belong to the message framing, the connection or the MCP session. */
static bool is_own_header(const char *name)
{
    static const char *const names[] = {
        "content-length", "transfer-encoding", "connection",
        "keep-alive",     "proxy-connection",  "te",
        "trailer",        "upgrade",           "expect",
        "mcp-session-id",
    };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcasecmp(names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

bool rules_is_token(const char *name)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    return name[0] != '\0' && strspn(name, token) == strlen(name);
}

static void check_header_value(struct check *c, const char *value)
{
    if (!is_header_value(value)) {
        check_error(c, "INVALID_HEADER", "Remove line breaks and control characters.",
                    "a header value cannot contain control characters");
    }
}

static void check_header_name(struct check *c, const char *name)
{
    if (!rules_is_token(name)) {
        check_error(c, "INVALID_HEADER", "Use letters, digits and hyphens.",
                    "this is no valid header name");
    } else if (is_own_header(name)) {
        check_error(c, "INVALID_HEADER", "Leave the header out.",
                    "the header %s is set by the client itself", name);
    }
}

static bool is_secret_reference(const char *value)
{
    return strncmp(value, "env:", 4) == 0 || strncmp(value, "file:", 5) == 0;
}

static bool header_repeats(const struct target_config *t, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (strcasecmp(t->headers[i].name, t->headers[index].name) == 0) {
            return true;
        }
    }
    return false;
}

static void check_headers(struct check *c, const struct target_config *t)
{
    size_t mark = check_enter(c, "target");

    check_enter(c, "headers");
    for (size_t i = 0; i < t->header_count; i++) {
        size_t header = check_enter(c, t->headers[i].name);

        check_header_name(c, t->headers[i].name);
        if (header_repeats(t, i)) {
            check_error(c, "INVALID_HEADER", "Keep one of them.",
                        "this header is given twice; case does not matter");
        }
        if (is_secret_reference(t->headers[i].value)) {
            check_error(c, "NOT_SUPPORTED", "Write the value itself.",
                        "references to secrets are not supported yet");
        } else {
            check_header_value(c, t->headers[i].value);
        }
        check_leave(c, header);
    }
    check_leave(c, mark);
}

/* A run without its credentials would measure how the target refuses. */
static void check_auth(struct check *c, const struct auth_config *a)
{
    size_t mark = check_enter(c, "target");

    check_enter(c, "auth");
    if (a->type != AUTH_NONE) {
        check_enter(c, a->decided_by);
        check_error(
            c, "NOT_SUPPORTED",
            "Write \"auth\": {\"type\": \"none\"} and put the header into target.headers, for "
            "example \"Authorization\": \"Bearer ${env:TOKEN}\".",
            "authentication helpers are not supported yet");
    } else if (a->token_count > 0 || a->bearer_token_ref != NULL || a->api_key_ref != NULL ||
               a->plugin_id != NULL) {
        check_enter(c, "type");
        check_warning(c, "FIELD_WITHOUT_EFFECT", "Remove the credentials.",
                      "with the type none nothing of `auth` is sent");
    }
    check_leave(c, mark);
}

static void check_identification(struct check *c, const struct scenario *s)
{
    const struct identification_config *id = &s->target.identification;
    size_t mark = c->path.len;

    buf_add_c(&c->path, "/target/identification/run_id_header/name");
    check_header_name(c, id->header_name);
    check_leave(c, mark);
    buf_add_c(&c->path, "/target/identification/run_id_header/value_template");
    check_header_value(c, id->header_template);
    check_leave(c, mark);
    buf_add_c(&c->path, "/target/identification/user_agent/value");
    check_header_value(c, id->user_agent);
    check_leave(c, mark);
}

static void refuse_allow_all(struct check *c)
{
    static const char advice[] = "Use deny_by_default and list the targets.";
    size_t mark = check_enter(c, "mode");

    if (c->options->network_public || c->options->strict) {
        check_error(c, "ALLOWLIST_REQUIRED", advice, "allow_all protects no target%s",
                    c->options->network_public ? ", which a public network needs" : "");
    } else {
        check_warning(c, "ALLOWLIST_REQUIRED", advice, "allow_all protects no target");
    }
    check_leave(c, mark);
}

static const char *entry_advice(enum allow_kind kind)
{
    switch (kind) {
    case ALLOW_EXACT:
        return "Write a URL, HOST:PORT or HOST.";
    case ALLOW_SUFFIX:
        return "Write the end of a host name, for example .example.com.";
    case ALLOW_REGEX:
        return "Write an extended regular expression (POSIX), for example http://[a-z]+:9000/.*.";
    case ALLOW_CIDR:
        return "Write an address block, for example 10.0.0.0/8.";
    }
    return NULL;
}

static void check_allowlist(struct check *c, const struct scenario *s)
{
    const struct environment_config *env = &s->environment;
    size_t mark = check_enter(c, "environment");
    struct err err = {0};

    check_enter(c, "allowlist");
    if (env->mode == ALLOWLIST_ALLOW_ALL) {
        refuse_allow_all(c);
    } else if (c->options->network_public && check_below(c, "/allowed_targets") == NULL &&
               !check_has_error_below(c)) {
        check_error(c, "ALLOWLIST_REQUIRED", "List the targets in allowed_targets.",
                    "no target is listed; on a public network the list has to be written down");
    }
    check_enter(c, "allowed_targets");
    for (size_t i = 0; i < env->allowed_count; i++) {
        size_t list = check_enter_index(c, i);
        check_enter(c, "value");
        if (env->allowed[i].value[0] != '\0' && policy_check_entry(&env->allowed[i], &err) != 0) {
            check_error(c, "INVALID_PATTERN", entry_advice(env->allowed[i].kind), "%s", err.msg);
        }
        check_leave(c, list);
    }
    check_leave(c, mark);
}

static const char *address_advice(const struct policy_violation *v)
{
    static const struct {
        const char *code, *advice;
    } rows[] = {
        {"INVALID_URL_SCHEME", "Begin the URL with http://."},
        {"USERINFO_BLOCKED", "Remove user and password from the URL."},
        {"ALLOWLIST_VIOLATION", "Add the target to environment.allowlist.allowed_targets."},
        {"FORBIDDEN_PATTERN_MATCHED", "Choose another target, or remove the pattern."},
        {"METADATA_IP_BLOCKED", "Choose another target."},
    };

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].code, v->code) == 0) {
            return rows[i].advice;
        }
    }
    if (v->listable) {
        return "Add an entry of the kind exact or cidr with this address to "
               "environment.allowlist.allowed_targets, or use a name.";
    }
    return "Use a public target; only the operator of the service can open other networks.";
}

/* `unread`: the allowlist is not what the file meant, so nobody knows what it allows. */
static void report_violation(struct check *c, const struct policy_violation *v, bool unread)
{
    if (unread && strcmp(v->code, "ALLOWLIST_VIOLATION") == 0) {
        return;
    }
    if (v->warning) {
        check_warning(c, v->code, address_advice(v), "%s", v->message);
    } else {
        check_error(c, v->code, address_advice(v), "%s", v->message);
    }
}

static void check_url(struct check *c, struct scenario *s, bool unread)
{
    struct target_url url;
    struct policy_verdict verdict;
    struct err err = {0};
    size_t mark = c->path.len;

    buf_add_c(&c->path, "/target/url");
    bool usable = !check_has_error(c) && s->target.url[0] != '\0';
    if (usable && target_url_parse(str_c(s->target.url), &url, &err) != 0) {
        check_error(c, "SCHEMA_VIOLATION", "Write the URL as http://HOST:PORT/PATH.", "%s",
                    err.msg);
        usable = false;
    }
    s->policy = policy_new(&s->environment, usable ? &url : NULL, c->options->network_public);
    for (size_t i = 0; i < c->options->open_network_count; i++) {
        policy_open(s->policy, c->options->open_networks[i]);
    }
    if (usable) {
        policy_check_url(s->policy, &url, &verdict);
        for (size_t i = 0; i < verdict.count; i++) {
            report_violation(c, &verdict.items[i], unread);
        }
        if (strcmp(url.scheme, "https") == 0) {
            check_error(c, "NOT_SUPPORTED", "Use http://.", "TLS is not supported yet");
        }
    }
    check_leave(c, mark);
}

/* Before the rules have said anything: has the reader found something wrong with the list? */
static bool allowlist_unread(struct check *c)
{
    size_t mark = c->path.len;

    buf_add_c(&c->path, "/environment/allowlist/allowed_targets");
    bool unread = check_has_error_below(c);
    check_leave(c, mark);
    return unread;
}

/* Only of what the file says: the default is the same whatever the request time-out is. */
static void check_timeouts(struct check *c, const struct timeouts_config *t)
{
    size_t mark = check_enter(c, "target");

    check_enter(c, "timeouts");
    check_enter(c, "stream_stall_timeout_ms");
    if (check_below(c, "") != NULL && !check_has_error(c) && t->stream_stall_ns > t->request_ns) {
        check_warning(
            c, "TIMEOUTS_INCONSISTENT",
            "Raise request_timeout_ms, or lower stream_stall_timeout_ms.",
            "no stream can stall: request_timeout_ms of %.15g ms ends it before a silence "
            "of %.15g ms",
            (double)t->request_ns / (double)NS_PER_MS,
            (double)t->stream_stall_ns / (double)NS_PER_MS);
    }
    check_leave(c, mark);
}

void rules_target(struct check *c, struct scenario *s)
{
    bool unread = allowlist_unread(c);

    check_allowlist(c, s);
    check_url(c, s, unread);
    check_timeouts(c, &s->target.timeouts);
    check_headers(c, &s->target);
    check_auth(c, &s->target.auth);
    check_identification(c, s);
    if (c->options->strict && check_value(c, "/target/redirect_policy/mode") == NULL) {
        size_t mark = c->path.len;
        buf_add_c(&c->path, "/target/redirect_policy/mode");
        check_error(c, "REDIRECT_POLICY_REQUIRED", "Add \"redirect_policy\": {\"mode\": \"deny\"}.",
                    "redirects need an explicit policy");
        check_leave(c, mark);
    }
}
