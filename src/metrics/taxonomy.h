/* SPDX-License-Identifier: MIT */
/*
 * How an operation can fail: type, code and origin ("whose fault"), each name written once.
 * The names are the contract of run-config/v1 and the API; what `fails when` means stands beside
 * each code. Layers are judged from the transport upwards, and the first that fails names the
 * error.
 */
#ifndef METRICS_TAXONOMY_H
#define METRICS_TAXONOMY_H

#include <stddef.h>
#include <stdint.h>

/* X(id, name, default origin) */
#define ERROR_TYPE_MAP(X)                               \
    X(NONE, "", NONE)                                   \
    X(DNS_ERROR, "dns_error", NETWORK)                  \
    X(CONNECT_ERROR, "connect_error", NETWORK)          \
    X(TLS_ERROR, "tls_error", TLS)                      \
    X(TIMEOUT, "timeout", TIMEOUT)                      \
    X(HTTP_ERROR, "http_error", GATEWAY)                \
    X(RATE_LIMITED, "rate_limited", GATEWAY)            \
    X(PROTOCOL_ERROR, "protocol_error", PROTOCOL)       \
    X(JSONRPC_ERROR, "jsonrpc_error", SERVER)           \
    X(TOOL_ERROR, "tool_error", TOOL)                   \
    X(MCP_ERROR, "mcp_error", SERVER)                   \
    X(STREAM_STALL, "stream_stall", STREAM_STALL)       \
    X(CHECK_FAILED, "check_failed", TOOL)               \
    X(RESOURCE_EXHAUSTED, "resource_exhausted", CLIENT) \
    X(UNKNOWN, "unknown", UNKNOWN)

/* X(id, name) */
#define ERROR_ORIGIN_MAP(X)         \
    X(NONE, "")                     \
    X(CLIENT, "client")             \
    X(NETWORK, "network")           \
    X(TLS, "tls")                   \
    X(TIMEOUT, "timeout")           \
    X(GATEWAY, "gateway")           \
    X(SERVER, "server")             \
    X(TOOL, "tool")                 \
    X(PROTOCOL, "protocol")         \
    X(STREAM_STALL, "stream_stall") \
    X(POLICY, "policy")             \
    X(UNKNOWN, "unknown")

/*
 * X(id, type, name). A name with %d is completed by `error_number`: the HTTP status, the JSON-RPC
 * error code, or errno.
 */
#define ERROR_CODE_MAP(X)                                                  \
    X(NONE, NONE, "")                                                      \
    X(DNS_LOOKUP_FAILED, DNS_ERROR, "DNS_LOOKUP_FAILED")                   \
    X(DNS_TIMEOUT, DNS_ERROR, "DNS_TIMEOUT")                               \
    X(CONNECTION_REFUSED, CONNECT_ERROR, "CONNECTION_REFUSED")             \
    X(CONNECTION_RESET, CONNECT_ERROR, "CONNECTION_RESET")                 \
    X(NETWORK_UNREACHABLE, CONNECT_ERROR, "NETWORK_UNREACHABLE")           \
    X(CONNECTION_EOF, CONNECT_ERROR, "CONNECTION_EOF")                     \
    X(CONNECT_FAILED, CONNECT_ERROR, "CONNECT_FAILED")                     \
    X(READ_ERROR, CONNECT_ERROR, "READ_ERROR")                             \
    X(WRITE_ERROR, CONNECT_ERROR, "WRITE_ERROR")                           \
    X(SSE_DISCONNECT, CONNECT_ERROR, "SSE_DISCONNECT")                     \
    X(SESSION_ACQUIRE_FAILED, CONNECT_ERROR, "SESSION_ACQUIRE_FAILED")     \
    X(ADDRESS_NOT_ALLOWED, CONNECT_ERROR, "ADDRESS_NOT_ALLOWED")           \
    X(SYSCALL, CONNECT_ERROR, "SYSCALL_%d")                                \
    X(CONNECT_TIMEOUT, TIMEOUT, "CONNECT_TIMEOUT")                         \
    X(REQUEST_TIMEOUT, TIMEOUT, "REQUEST_TIMEOUT")                         \
    X(DEADLINE_EXCEEDED, TIMEOUT, "DEADLINE_EXCEEDED")                     \
    X(HTTP_STATUS, HTTP_ERROR, "HTTP_%d")                                  \
    X(HTTP_5XX, HTTP_ERROR, "HTTP_5XX")                                    \
    X(HTTP_429, RATE_LIMITED, "HTTP_429")                                  \
    X(JSON_PARSE_ERROR, PROTOCOL_ERROR, "JSON_PARSE_ERROR")                \
    X(INVALID_JSONRPC, PROTOCOL_ERROR, "INVALID_JSONRPC")                  \
    X(MISSING_ID, PROTOCOL_ERROR, "MISSING_ID")                            \
    X(ID_MISMATCH, PROTOCOL_ERROR, "ID_MISMATCH")                          \
    X(RESPONSE_TOO_LARGE, PROTOCOL_ERROR, "RESPONSE_TOO_LARGE")            \
    X(CURSOR_REPEATED, PROTOCOL_ERROR, "CURSOR_REPEATED")                  \
    X(INVALID_HTTP, PROTOCOL_ERROR, "INVALID_HTTP")                        \
    X(UNEXPECTED_CONTENT_TYPE, PROTOCOL_ERROR, "UNEXPECTED_CONTENT_TYPE")  \
    X(SSE_LINE_TOO_LONG, PROTOCOL_ERROR, "SSE_LINE_TOO_LONG")              \
    X(VERSION_MISMATCH, PROTOCOL_ERROR, "VERSION_MISMATCH")                \
    X(SESSION_LOST, PROTOCOL_ERROR, "SESSION_LOST")                        \
    X(JSONRPC_PARSE_ERROR, JSONRPC_ERROR, "JSONRPC_PARSE_ERROR")           \
    X(JSONRPC_INVALID_REQUEST, JSONRPC_ERROR, "JSONRPC_INVALID_REQUEST")   \
    X(JSONRPC_METHOD_NOT_FOUND, JSONRPC_ERROR, "JSONRPC_METHOD_NOT_FOUND") \
    X(JSONRPC_INVALID_PARAMS, JSONRPC_ERROR, "JSONRPC_INVALID_PARAMS")     \
    X(JSONRPC_INTERNAL_ERROR, JSONRPC_ERROR, "JSONRPC_INTERNAL_ERROR")     \
    X(JSONRPC_N, JSONRPC_ERROR, "JSONRPC_%d")                              \
    X(TOOL_ERROR, TOOL_ERROR, "TOOL_ERROR")                                \
    X(STREAM_STALL_TIMEOUT, STREAM_STALL, "STREAM_STALL_TIMEOUT")          \
    X(CHECK_FAILED, CHECK_FAILED, "CHECK_FAILED")                          \
    X(INTEGRITY_MISMATCH, CHECK_FAILED, "INTEGRITY_MISMATCH")              \
    X(OUT_OF_PORTS, RESOURCE_EXHAUSTED, "OUT_OF_PORTS")                    \
    X(OUT_OF_FILES, RESOURCE_EXHAUSTED, "OUT_OF_FILES")                    \
    X(OUT_OF_MEMORY, RESOURCE_EXHAUSTED, "OUT_OF_MEMORY")                  \
    X(UNKNOWN, UNKNOWN, "UNKNOWN")

#define ERROR_TYPE_ENUM_(id, name, origin) ERROR_TYPE_##id,
enum error_type { ERROR_TYPE_MAP(ERROR_TYPE_ENUM_) ERROR_TYPE_COUNT };
#define ERROR_ORIGIN_ENUM_(id, name) ERROR_ORIGIN_##id,
enum error_origin { ERROR_ORIGIN_MAP(ERROR_ORIGIN_ENUM_) ERROR_ORIGIN_COUNT };
#define ERROR_CODE_ENUM_(id, type, name) ERROR_CODE_##id,
enum error_code { ERROR_CODE_MAP(ERROR_CODE_ENUM_) ERROR_CODE_COUNT };

const char *error_type_name(enum error_type type);
const char *error_origin_name(enum error_origin origin);

enum error_type error_code_type(enum error_code code);
/* Where a failure of this type is looked for first. */
enum error_origin error_type_origin(enum error_type type);

/* The code's name with `number` filled in where it has one; returns `out`. */
const char *error_code_name(enum error_code code, int number, char *out, size_t size);

/* The code of a failed HTTP status, of a JSON-RPC error code, of an errno while connecting
 * (also EMFILE, EADDRNOTAVAIL …: our own exhaustion). */
enum error_code error_from_http(int status);
enum error_code error_from_jsonrpc(int64_t code);
enum error_code error_from_errno(int sys);

#endif
