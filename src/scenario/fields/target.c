/* SPDX-License-Identifier: MIT */
/* Rows of `target`, `environment` and `session_policy`. */
#include "scenario/fields/fields_priv.h"

static const struct choice target_kinds[] = {
    {.name = "gateway", .value = TARGET_GATEWAY},
    {.name = "server", .value = TARGET_SERVER},
    {0},
};

static const struct choice transports[] = {
    {.name = "streamable_http", .value = 0},
    {0},
};

static const struct choice auth_types[] = {
    {.name = "none", .value = AUTH_NONE},
    {.name = "bearer_token", .value = AUTH_BEARER_TOKEN},
    {.name = "api_key_header", .value = AUTH_API_KEY_HEADER},
    {.name = "plugin", .value = AUTH_PLUGIN},
    {0},
};

static const struct choice stall_resets[] = {
    {.name = "auto", .value = STALL_RESET_AUTO},
    {.name = "event", .value = STALL_RESET_EVENT},
    {.name = "any", .value = STALL_RESET_ANY},
    {0},
};

static const struct choice redirect_modes[] = {
    {.name = "deny", .value = REDIRECT_DENY},
    {.name = "same_origin", .value = REDIRECT_SAME_ORIGIN, .unsupported = true},
    {.name = "allowlist_only", .value = REDIRECT_ALLOWLIST_ONLY, .unsupported = true},
    {0},
};

static const struct choice protocol_policies[] = {
    {.name = "strict", .value = PROTOCOL_STRICT},
    {.name = "supported", .value = PROTOCOL_SUPPORTED},
    {.name = "none", .value = PROTOCOL_NONE},
    {0},
};

static const struct choice allowlist_modes[] = {
    {.name = "deny_by_default", .value = ALLOWLIST_DENY_BY_DEFAULT},
    {.name = "allow_all", .value = ALLOWLIST_ALLOW_ALL, .misnamed = "allow_by_default"},
    {0},
};

static const struct choice allow_kinds[] = {
    {.name = "exact", .value = ALLOW_EXACT},
    {.name = "suffix", .value = ALLOW_SUFFIX},
    {.name = "regex", .value = ALLOW_REGEX},
    {.name = "cidr", .value = ALLOW_CIDR},
    {0},
};

static const struct choice session_modes[] = {
    {.name = "reuse", .value = SESSION_REUSE},
    {.name = "pool", .value = SESSION_POOL},
    {.name = "per_request", .value = SESSION_PER_REQUEST},
    {.name = "churn", .value = SESSION_CHURN},
    {0},
};

static const struct choice abandon_ways[] = {
    {.name = "delete", .value = ABANDON_DELETE},
    {.name = "fin", .value = ABANDON_FIN},
    {.name = "rst", .value = ABANDON_RST},
    {.name = "vanish", .value = ABANDON_VANISH},
    {0},
};

static const struct field auth_fields[] = {
    {.key = "type",
     .type = FIELD_ENUM,
     .flags = FIELD_OPTIONAL | FIELD_STRICT,
     .offset = AT(auth_config, type),
     .count_offset = AT(auth_config, has_type),
     .computed = "what the other members mean; `none` without any",
     .choices = auth_types,
     .help = "How the target is told who we are. Only none is supported yet; any other run is "
             "refused."},
    {.key = "tokens",
     .type = FIELD_STRINGS,
     .offset = AT(auth_config, tokens),
     .count_offset = AT(auth_config, token_count),
     .max = 10000,
     .item_max = 4096,
     .def = "[]",
     .help = "Bearer tokens, given to the VUs in turn."},
    {.key = "bearer_token_ref",
     .type = FIELD_STRING,
     .flags = FIELD_NULL_OK,
     .offset = AT(auth_config, bearer_token_ref),
     .max = 512,
     .def = "null",
     .help = "Reference to a secret: env:NAME or file:PATH."},
    {.key = "api_key_header_name",
     .type = FIELD_STRING,
     .flags = FIELD_NULL_OK,
     .offset = AT(auth_config, api_key_header_name),
     .min = 1,
     .max = 100,
     .def = "\"X-API-Key\"",
     .characters = FIELDS_TOKEN,
     .help = "Header that carries the API key."},
    {.key = "api_key_ref",
     .type = FIELD_STRING,
     .flags = FIELD_NULL_OK,
     .offset = AT(auth_config, api_key_ref),
     .max = 512,
     .def = "null",
     .help = "Reference to a secret: env:NAME or file:PATH."},
    {.key = "plugin_id",
     .type = FIELD_STRING,
     .flags = FIELD_NULL_OK,
     .offset = AT(auth_config, plugin_id),
     .max = 200,
     .def = "null",
     .help = "A built-in way to authenticate."},
    {.key = "plugin_config",
     .type = FIELD_JSON,
     .flags = FIELDS_NULL_UNUSED,
     .def = "null",
     .help = "Settings of that way."},
};
static const struct section auth_section = {
    .title = "target.auth", .fields = auth_fields, .count = COUNT(auth_fields)};

static const struct field run_id_header_fields[] = {
    {.key = "name",
     .type = FIELD_STRING,
     .flags = FIELD_STRICT,
     .offset = AT(identification_config, header_name),
     .min = 1,
     .max = 100,
     .def = "\"X-MCPDrill-Run-ID\"",
     .characters = FIELDS_TOKEN,
     .help = "Header that names the run in every request."},
    {.key = "value_template",
     .type = FIELD_STRING,
     .flags = FIELD_STRICT,
     .offset = AT(identification_config, header_template),
     .min = 1,
     .max = 200,
     .def = "\"${run_id}\"",
     .help = "Its value; placeholders are filled in."},
};
static const struct section run_id_header_section = {.title = "target.identification.run_id_header",
                                                     .fields = run_id_header_fields,
                                                     .count = COUNT(run_id_header_fields)};

static const struct field user_agent_fields[] = {
    {.key = "value",
     .type = FIELD_STRING,
     .flags = FIELD_STRICT,
     .offset = AT(identification_config, user_agent),
     .min = 1,
     .max = 512,
     .def = "\"mcpdrill/" MCPDRILL_VERSION " (run=${run_id})\"",
     .help = "The User-Agent header; placeholders are filled in."},
};
static const struct section user_agent_section = {.title = "target.identification.user_agent",
                                                  .fields = user_agent_fields,
                                                  .count = COUNT(user_agent_fields)};

static const struct field identification_fields[] = {
    {.key = "run_id_header",
     .type = FIELD_OBJECT,
     .flags = FIELD_STRICT,
     .section = &run_id_header_section,
     .help = "A header of our own."},
    {.key = "user_agent",
     .type = FIELD_OBJECT,
     .flags = FIELD_STRICT,
     .section = &user_agent_section,
     .help = "The User-Agent header."},
};
static const struct section identification_section = {.title = "target.identification",
                                                      .fields = identification_fields,
                                                      .count = COUNT(identification_fields)};

static const struct field timeouts_fields[] = {
    {.key = "connect_timeout_ms",
     .type = FIELD_MS,
     .flags = FIELD_STRICT,
     .offset = AT(timeouts_config, connect_ns),
     .min = 1,
     .max = 600000,
     .def = "5000",
     .help = "Name resolution and TCP connect together."},
    {.key = "request_timeout_ms",
     .type = FIELD_MS,
     .flags = FIELD_STRICT,
     .offset = AT(timeouts_config, request_ns),
     .min = 1,
     .max = FIELDS_HOUR_MS,
     .def = "30000",
     .alias = "/target/timeout_ms",
     .help = "From the first byte sent to the final response, a stream included."},
    {.key = "stream_stall_timeout_ms",
     .type = FIELD_MS,
     .flags = FIELD_STRICT,
     .offset = AT(timeouts_config, stream_stall_ns),
     .min = 1,
     .max = FIELDS_HOUR_MS,
     .def = "15000",
     .help = "Silence on an open response stream after which it counts as stalled."},
    {.key = "deadline_ms",
     .type = FIELD_MS,
     .flags = FIELD_NULL_OK,
     .offset = AT(timeouts_config, deadline_ns),
     .min = 1,
     .max = FIELDS_HOUR_MS,
     .def = "null",
     .help = "From the moment at which an operation is due to its end; one that has not begun by "
             "then is dropped. null is none."},
    {.key = "stall_reset",
     .type = FIELD_ENUM,
     .offset = AT(timeouts_config, stall_reset),
     .def = "\"auto\"",
     .choices = stall_resets,
     .help = "What ends a silence: event = only an event, any = any byte, comments too; auto = "
             "event where streaming is expected, else any."},
};
static const struct section timeouts_section = {
    .title = "target.timeouts", .fields = timeouts_fields, .count = COUNT(timeouts_fields)};

static const char no_tls[] = "there is no encrypted connection whose certificate could be checked";

static const struct field tls_fields[] = {
    {.key = "verify",
     .type = FIELD_BOOL,
     .flags = FIELD_STRICT,
     .offset = AT(tls_config, verify),
     .def = "true",
     .later = no_tls,
     .help = "Whether the certificate of the target is checked."},
    {.key = "ca_bundle_ref",
     .type = FIELD_STRING,
     .flags = FIELD_NULL_OK | FIELD_STRICT,
     .offset = AT(tls_config, ca_bundle_ref),
     .max = 512,
     .def = "null",
     .later = no_tls,
     .help = "Reference to a file of certificates; null is the store of the system."},
};
static const struct section tls_section = {
    .title = "target.tls", .fields = tls_fields, .count = COUNT(tls_fields)};

static const struct field redirect_fields[] = {
    {.key = "mode",
     .type = FIELD_ENUM,
     .flags = FIELD_STRICT,
     .offset = AT(redirect_config, mode),
     .def = "\"deny\"",
     .choices = redirect_modes,
     .help = "Which redirects are followed; with deny, a redirect is a failed operation."},
    {.key = "max_redirects",
     .type = FIELD_INT,
     .flags = FIELD_STRICT,
     .offset = AT(redirect_config, max_redirects),
     .max = 3,
     .def = "3",
     .code = "MAX_REDIRECTS_EXCEEDED",
     .help = "How many in a row; none is followed under deny."},
    {.key = "allowlist",
     .type = FIELD_STRINGS,
     .offset = AT(redirect_config, allowlist),
     .count_offset = AT(redirect_config, allow_count),
     .max = 50,
     .item_max = 2048,
     .def = "[]",
     .help =
         "Origins, hosts or .suffixes that a redirect may lead to; none is followed under deny."},
};
static const struct section redirect_section = {
    .title = "target.redirect_policy", .fields = redirect_fields, .count = COUNT(redirect_fields)};

static const struct field target_fields[] = {
    {.key = "kind",
     .type = FIELD_ENUM,
     .flags = FIELD_STRICT,
     .offset = AT(target_config, kind),
     .def = "\"server\"",
     .choices = target_kinds,
     .help = "Whether HTTP errors come from the server itself or from a gateway in front of it."},
    {.key = "url",
     .type = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     .offset = AT(target_config, url),
     .min = 1,
     .max = 2048,
     .help = "Where the target listens, http only, without user information."},
    {.key = "transport",
     .type = FIELD_ENUM,
     .flags = FIELD_NO_STORE | FIELD_STRICT,
     .def = "\"streamable_http\"",
     .choices = transports,
     .help = "The MCP transport."},
    {.key = "headers",
     .type = FIELD_MAP,
     .flags = FIELD_STRICT,
     .offset = AT(target_config, headers),
     .count_offset = AT(target_config, header_count),
     .max = 64,
     .item_max = 4096,
     .def = "{}",
     .help = "Headers of every request; placeholders are filled in; framing headers and "
             "Mcp-Session-Id cannot be set."},
    {.key = "auth",
     .type = FIELD_OBJECT,
     .flags = FIELD_STRICT,
     .offset = AT(target_config, auth),
     .section = &auth_section,
     .help = "Authentication."},
    {.key = "identification",
     .type = FIELD_OBJECT,
     .flags = FIELD_STRICT,
     .offset = AT(target_config, identification),
     .section = &identification_section,
     .help = "How the target can see who loads it."},
    {.key = "timeouts",
     .type = FIELD_OBJECT,
     .flags = FIELD_STRICT,
     .offset = AT(target_config, timeouts),
     .section = &timeouts_section,
     .help = "How long to wait."},
    {.key = "tls",
     .type = FIELD_OBJECT,
     .flags = FIELD_STRICT,
     .offset = AT(target_config, tls),
     .section = &tls_section,
     .help = "Encryption."},
    {.key = "redirect_policy",
     .type = FIELD_OBJECT,
     .flags = FIELD_STRICT,
     .offset = AT(target_config, redirect),
     .section = &redirect_section,
     .help = "HTTP redirects."},
    {.key = "protocol_version",
     .type = FIELD_ENUM,
     .offset = AT(target_config, protocol_version),
     .def = "\"2025-11-25\"",
     .choices = protocol_choices,
     .help = "The MCP version that is asked for."},
    {.key = "protocol_version_policy",
     .type = FIELD_ENUM,
     .offset = AT(target_config, protocol_policy),
     .def = "\"supported\"",
     .choices = protocol_policies,
     .help = "Which answer is accepted: strict = the version asked for, supported = any known one, "
             "none = anything."},
};
const struct section target_section = {
    .title = "target", .fields = target_fields, .count = COUNT(target_fields)};

static const struct field allowed_fields[] = {
    {.key = "kind",
     .type = FIELD_ENUM,
     .flags = FIELD_REQUIRED,
     .offset = AT(allow_config, kind),
     .choices = allow_kinds,
     .help = "How the value is compared: exact (URL, origin, host:port or host), suffix (a host "
             "and all names below it), regex (POSIX extended, the whole URL or host), cidr (an "
             "address block)."},
    {.key = "value",
     .type = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     .offset = AT(allow_config, value),
     .min = 1,
     .max = 2048,
     .help = "What the target is compared with."},
};
static const struct section allowed_section = {.title = "environment.allowlist.allowed_targets[]",
                                               .fields = allowed_fields,
                                               .count = COUNT(allowed_fields),
                                               .size = sizeof(struct allow_config)};

static const struct field allowlist_fields[] = {
    {.key = "mode",
     .type = FIELD_ENUM,
     .flags = FIELD_STRICT,
     .offset = AT(environment_config, mode),
     .def = "\"deny_by_default\"",
     .choices = allowlist_modes,
     .help = "Whether targets outside the list are refused."},
    {.key = "allowed_targets",
     .type = FIELD_ARRAY,
     .flags = FIELD_STRICT,
     .offset = AT(environment_config, allowed),
     .count_offset = AT(environment_config, allowed_count),
     .max = 200,
     .computed = "the origin of `target.url`",
     .section = &allowed_section,
     .misnamed = "entries allowed_hosts",
     .help = "The targets that may be loaded; an empty list allows nothing."},
};
static const struct section allowlist_section = {
    .title = "environment.allowlist", .fields = allowlist_fields, .count = COUNT(allowlist_fields)};

static const struct field environment_fields[] = {
    {.key = "allowlist",
     .type = FIELD_OBJECT,
     .flags = FIELD_STRICT,
     .section = &allowlist_section,
     .help = "The allowed targets."},
    {.key = "forbidden_patterns",
     .type = FIELD_STRINGS,
     .flags = FIELD_STRICT,
     .offset = AT(environment_config, forbidden),
     .count_offset = AT(environment_config, forbidden_count),
     .max = 50,
     .item_max = 200,
     .def = "[]",
     .help = "Texts that must not occur in host or URL; with * or ? a pattern for the whole host "
             "or URL."},
    {.key = "variables",
     .type = FIELD_STRINGS,
     .offset = AT(environment_config, variables),
     .count_offset = AT(environment_config, variable_count),
     .max = 100,
     .item_max = 200,
     .def = "[]",
     .help = "Environment variables that ${env:NAME} may use; each has to be set."},
};
const struct section environment_section = {
    .title = "environment", .fields = environment_fields, .count = COUNT(environment_fields)};

static const struct field session_fields[] = {
    {.key = "mode",
     .type = FIELD_ENUM,
     .flags = FIELD_STRICT,
     .offset = AT(session_config, mode),
     .def = "\"reuse\"",
     .choices = session_modes,
     .help =
         "reuse: one session for each VU, as long as the VU lives; pool: pool_size sessions for "
         "the whole run, shared; per_request: a session for each operation; churn: a new "
         "session after each churn_interval_ops operations of a VU."},
    {.key = "pool_size",
     .type = FIELD_INT,
     .flags = FIELD_NULL_OK | FIELD_STRICT,
     .offset = AT(session_config, pool_size),
     .max = 1000000,
     .def = "null",
     .help = "Sessions of the pool; 0 or null is 10."},
    {.key = "ttl_ms",
     .type = FIELD_MS,
     .flags = FIELD_NULL_OK | FIELD_STRICT,
     .offset = AT(session_config, ttl_ns),
     .max = FIELDS_DAY_MS,
     .def = "null",
     .misnamed = "churn_interval_ms",
     .help = "Age at which a session is replaced; 0 or null is never."},
    {.key = "max_idle_ms",
     .type = FIELD_MS,
     .flags = FIELD_NULL_OK | FIELD_STRICT,
     .offset = AT(session_config, max_idle_ns),
     .max = FIELDS_DAY_MS,
     .def = "null",
     .help = "Idle time after which a session is replaced; 0 or null is never."},
    {.key = "churn_interval_ops",
     .type = FIELD_INT,
     .flags = FIELD_NULL_OK,
     .offset = AT(session_config, churn_interval_ops),
     .min = 1,
     .max = 1000000,
     .def = "null",
     .code = "CHURN_INTERVAL_OPS_INVALID",
     .help = "Operations after which a session is replaced in churn mode; null is 1."},
    {.key = "max_in_flight_per_session",
     .type = FIELD_INT,
     .flags = FIELD_NULL_OK,
     .offset = AT(session_config, max_in_flight),
     .min = 1,
     .max = 1000,
     .def = "null",
     .help = "Operations that may run in one session at once; null is no limit."},
    {.key = "abandon",
     .type = FIELD_ENUM,
     .offset = AT(session_config, abandon),
     .def = "\"delete\"",
     .choices = abandon_ways,
     .help = "How a session is left: delete says so to the target, fin only closes its "
             "connections, rst resets them, vanish leaves them open until the run ends."},
};
const struct section session_section = {
    .title = "session_policy", .fields = session_fields, .count = COUNT(session_fields)};
