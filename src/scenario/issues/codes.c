/* SPDX-License-Identifier: MIT */
#include "scenario/issues/codes.h"

#include <string.h>

const struct issue_code issue_codes[] = {
    {"ALLOWLIST_REQUIRED", "The allowlist is switched off, or on a public network not there. An "
                           "error there and in the strict profile."},
    {"ALLOWLIST_VIOLATION", "The target is not in the allowlist."},
    {"BASELINE_REQUIRED", "Strict profile: there is no baseline stage."},
    {"CAPS_EXCEEDED", "A stage is above a hard cap and is cut to it."},
    {"CAPS_INCONSISTENT", "in_flight_per_vu is above its cap."},
    {"CAPS_REQUIRED", "Strict profile: max_vus or max_duration_ms is not given."},
    {"CHURN_INTERVAL_OPS_INVALID",
     "churn_interval_ops is given outside churn mode, or out of bounds."},
    {"CONDITION_UNREACHABLE", "A stop condition needs more time than it is watched."},
    {"DEPRECATED_FIELD", "An older spelling, still accepted."},
    {"DOCUMENTATION_IP_BLOCKED", "Public network: an address reserved for documentation."},
    {"DUPLICATE_ID", "Two things have the same id."},
    {"DUPLICATE_KEY", "A key, or a field and its older spelling, is given twice."},
    {"DURATION_INVALID", "A stage is too short, or its upper bound is below its duration."},
    {"ENV_NOT_DECLARED", "${env:NAME} with a name that environment.variables does not have."},
    {"ENV_NOT_SET", "A variable of environment.variables is not set."},
    {"FEED_FIELD_NOT_FOUND", "The data feed has no such field."},
    {"FEED_NOT_FOUND", "There is no data feed with this name."},
    {"FEED_TOO_SHORT", "A feed in mode unique has fewer rows than there are VUs."},
    {"FEED_UNREADABLE", "The file of a data feed cannot be read."},
    {"FIELD_WITHOUT_EFFECT", "The field means nothing here."},
    {"FORBIDDEN_PATTERN_MATCHED", "The target matches a forbidden pattern."},
    {"IDENTIFICATION_REQUIRED", "The run id is in no header, though identification is required."},
    {"INTEGRITY_WITHOUT_NONCE", "integrity is on, and no call can carry a nonce."},
    {"INVALID_HEADER", "A header that cannot be sent, or that the client sets itself."},
    {"INVALID_ID_FORMAT", "A character that an id cannot have."},
    {"INVALID_OVERLAY", "A document of --with that cannot be merged as it says."},
    {"INVALID_OVERRIDE", "An override of the command line that cannot be applied."},
    {"INVALID_PATTERN", "An allowlist entry or a regular expression that cannot be read."},
    {"INVALID_POINTER", "No JSON pointer."},
    {"INVALID_SCHEMA_VERSION", "Another version of the format."},
    {"INVALID_URL_SCHEME", "Neither http nor https."},
    {"INVALID_WORKER_FAILURE_POLICY", "No such policy."},
    {"IPV4_MAPPED_BLOCKED", "Public network: an IPv4 address written as an IPv6 address."},
    {"IP_LITERAL_BLOCKED", "Public network: an address instead of a name."},
    {"LINK_LOCAL_BLOCKED", "Public network: a link-local address."},
    {"LOAD_INVALID", "A stage without a load, or one that is out of bounds."},
    {"LOCALHOST_BLOCKED", "Public network: a name of this machine or its own network."},
    {"LOOPBACK_BLOCKED", "Public network: a loopback address."},
    {"MALFORMED_PLACEHOLDER", "The argument of a placeholder makes no sense."},
    {"MAX_REDIRECTS_EXCEEDED", "max_redirects is out of bounds."},
    {"METADATA_IP_BLOCKED", "The metadata service of a cloud."},
    {"METRIC_NOT_NARROWED", "A scope of operations on a metric that is kept for the whole run."},
    {"MULTICAST_BLOCKED", "Public network: a multicast address."},
    {"NAT64_BLOCKED", "Public network: a NAT64 address."},
    {"NOT_SUPPORTED",
     "Known, but this version cannot do it yet. A warning: the run is the same without it."},
    {"OPERATION_MIX_EMPTY", "The operation mix has no entry."},
    {"PAYLOAD_PROFILE_NOT_FOUND", "There is no payload profile with this id."},
    {"PLACEHOLDER_MISPLACED", "A placeholder that has no meaning in a header."},
    {"PREFLIGHT_NOT_FIRST", "The first stage is no preflight."},
    {"PREFLIGHT_REQUIRED", "Strict profile: there is no preflight stage."},
    {"PRIVATE_ADDRESS_BLOCKED", "Public network: a private or reserved address."},
    {"RAMP_BY_DEFAULT_GUARD", "A constant stage above half of max_vus."},
    {"RAMP_INCONSISTENT", "The target of a stage is above the maximum of its ramp."},
    {"RAMP_REQUIRED", "Strict profile: there is no ramp stage."},
    {"RAMP_UNFINISHED", "A stage ends before its ramp does."},
    {"REDIRECT_POLICY_REQUIRED", "Strict profile: redirect_policy.mode is not given."},
    {"REQUIRED_FIELD_MISSING",
     "A required field is missing; the strict profile requires many more."},
    {"SCHEMA_VIOLATION", "Wrong type, bound, length or choice."},
    {"SCOPE_MATCHES_NOTHING", "Nothing of the scenario is within the scope."},
    {"SECRET_REF_NOT_ALLOWED",
     "Public network: an environment variable that is not for scenarios."},
    {"STAGES_REQUIRED", "There is no stage, or none is enabled."},
    {"STOP_CONDITIONS_REQUIRED", "A baseline or ramp stage has no stop condition."},
    {"STREAMING_GUARDRAILS", "Streams are expected, and no stop condition watches them."},
    {"SYNTAX_ERROR", "The text is not JSON."},
    {"SYSTEM_POLICY_VIOLATION", "Public network: above the limits of the installation."},
    {"TEMPLATE_NOT_FOUND", "There is no template with this id."},
    {"THINK_TIME_WITH_RATE", "Think time has no effect where a rate is given."},
    {"THRESHOLD_ABOVE_ONE", "A threshold above 1 for a metric that is a share, within 0..1."},
    {"TOOLS_CALL_REQUIRES_TEMPLATES", "tools_call has neither a template nor a tool_name."},
    {"TIMEOUTS_INCONSISTENT",
     "A time-out, or a condition on silence, that another time-out forestalls."},
    {"TOOL_NOT_IN_WORKLOAD", "The workload does not call this tool."},
    {"TOO_MANY_ISSUES", "Further issues are not shown."},
    {"UNIQUE_LOCAL_BLOCKED", "Public network: a unique local address."},
    {"UNKNOWN_FIELD", "The object has no such field."},
    {"UNKNOWN_METRIC", "There is no such metric."},
    {"UNKNOWN_PLACEHOLDER", "Looks like a placeholder and is sent as it stands."},
    {"UNKNOWN_SCOPE_KEY", "A scope has no such member."},
    {"USERINFO_BLOCKED", "The URL contains user information."},
};

const size_t issue_code_count = sizeof issue_codes / sizeof issue_codes[0];

const struct issue_code *issue_code_find(const char *code)
{
    for (size_t i = 0; i < issue_code_count; i++) {
        if (strcmp(issue_codes[i].code, code) == 0) {
            return &issue_codes[i];
        }
    }
    return NULL;
}
