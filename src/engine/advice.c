/* SPDX-License-Identifier: MIT */
#include "engine/advice.h"

#include <stdio.h>

struct advice {
    enum error_code code;
    const char *text;
};

static const struct advice advices[] = {
    {ERROR_CODE_DNS_LOOKUP_FAILED, "check the host name in target.url"},
    {ERROR_CODE_DNS_TIMEOUT, "check the host name in target.url and this machine's resolver"},
    {ERROR_CODE_CONNECTION_REFUSED,
     "nothing listens there: start the target, or correct host and port in target.url"},
    {ERROR_CODE_NETWORK_UNREACHABLE, "there is no route to the target from this machine"},
    {ERROR_CODE_CONNECT_TIMEOUT,
     "the target did not accept the connection in time: is it up and reachable (firewall)? "
     "target.timeouts.connect_timeout_ms is the limit"},
    {ERROR_CODE_ADDRESS_NOT_ALLOWED,
     "this address is refused by policy: see environment.allowlist"},
    {ERROR_CODE_OUT_OF_FILES, "raise the limit of open files (ulimit -n)"},
    {ERROR_CODE_OUT_OF_PORTS, "no local port is free: wait for TIME-WAIT, or widen the port range"},
    {ERROR_CODE_REQUEST_TIMEOUT,
     "the target accepted the connection and did not answer in time: is it an MCP server, and is "
     "it alive? target.timeouts.request_timeout_ms is the limit"},
    {ERROR_CODE_UNEXPECTED_CONTENT_TYPE,
     "this does not look like an MCP endpoint: does target.url need a path such as /mcp?"},
    {ERROR_CODE_INVALID_HTTP, "this does not speak HTTP/1.1: check host and port in target.url"},
    {ERROR_CODE_JSON_PARSE_ERROR,
     "the answer is not JSON: does target.url point at an MCP endpoint (path such as /mcp)?"},
    {ERROR_CODE_INVALID_JSONRPC,
     "the answer is not JSON-RPC 2.0: does target.url point at an MCP endpoint?"},
    {ERROR_CODE_CONNECTION_EOF,
     "the target closed the connection: does it speak plain HTTP there?"},
    {ERROR_CODE_CONNECTION_RESET,
     "the target reset the connection: does it speak plain HTTP there?"},
    {ERROR_CODE_VERSION_MISMATCH,
     "set target.protocol_version to a version that the target speaks, or "
     "target.protocol_version_policy to \"none\""},
    {ERROR_CODE_SESSION_LOST,
     "the target has forgotten the session that it opened a moment ago: do several servers answer "
     "at this address, each with sessions of its own?"},
    {ERROR_CODE_HTTP_429, "the target limits the rate already: try again later"},
    {ERROR_CODE_HTTP_5XX, "the target has an error of its own: look into its log"},
    {ERROR_CODE_JSONRPC_METHOD_NOT_FOUND,
     "the target does not know this method: is it an MCP server?"},
    {ERROR_CODE_SSE_DISCONNECT, "the target ended the stream without an answer: look into its log"},
};

static const char *for_status(int status)
{
    switch (status) {
    case 400:
        return "the target refuses the request: see its message; is this its MCP endpoint?";
    case 401:
        return "the target wants credentials: put an Authorization header into target.headers";
    case 403:
        return "the target forbids it: check credentials and the headers in target.headers";
    case 404:
        return "there is nothing at this path: MCP endpoints are often at /mcp; correct target.url";
    case 405:
        return "this path takes no POST: is it the MCP endpoint (often /mcp)?";
    default:
        return status >= 300 && status < 400
                   ? "redirects are not followed: put the final address into target.url"
                   : "see the target's message and its log";
    }
}

static const char *advice_for(const struct mcp_answer *answer)
{
    if (answer->code == ERROR_CODE_HTTP_STATUS) {
        return for_status(answer->number);
    }
    for (size_t i = 0; i < sizeof advices / sizeof advices[0]; i++) {
        if (advices[i].code == answer->code) {
            return advices[i].text;
        }
    }
    return "look into the target's log";
}

void advice_write(const struct mcp_answer *answer,
                  const char *during,
                  const struct mcp_target *target,
                  struct check *out)
{
    char code[48];

    /* Here one answer is told, not a class of them: its status in full. */
    error_code_name(answer->code == ERROR_CODE_HTTP_5XX ? ERROR_CODE_HTTP_STATUS : answer->code,
                    answer->number, code, sizeof code);
    snprintf(out->message, sizeof out->message, "%s to %s:%u failed: %s%s%.*s", during,
             target->host, (unsigned)target->port, code, answer->message.len > 0 ? ": " : "",
             (int)(answer->message.len < 300 ? answer->message.len : 300), answer->message.p);
    for (char *c = out->message; *c != '\0'; c++) {
        if ((unsigned char)*c < 0x20) {
            *c = ' '; /* one line, whatever the target sent */
        }
    }
    snprintf(out->remediation, sizeof out->remediation, "%s", advice_for(answer));
}
