/* SPDX-License-Identifier: MIT */
/*
 * The effective config: what a scenario file says, every default filled in. Filled by the loader
 * from the rows of scenario/fields/ (the master copy of names, bounds and defaults), then
 * never changed again, so that all threads may read it.
 *
 * Units: milliseconds of the file are nanoseconds here (`_ns`). Texts are NUL-terminated, never
 * NULL unless the member says so, and live as long as the scenario. 0 stands for "null" where the
 * file allows null. Texts may contain placeholders (scenario/placeholders/placeholder.h).
 */
#ifndef SCENARIO_CONFIG_CONFIG_H
#define SCENARIO_CONFIG_CONFIG_H

#include "base/arena.h"
#include "base/json.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCENARIO_SCHEMA_VERSION "run-config/v1"

/* What a number holds, until its computed default is known. A text is NULL, a number NAN. */
#define FIELD_UNSET UINT64_MAX

enum operation_kind {
    OPERATION_TOOLS_LIST,
    OPERATION_TOOLS_CALL,
    OPERATION_RESOURCES_LIST,
    OPERATION_RESOURCES_READ,
    OPERATION_PROMPTS_LIST,
    OPERATION_PROMPTS_GET,
    OPERATION_PING,
    OPERATION_KIND_COUNT
};
enum stage_kind {
    STAGE_PREFLIGHT,
    STAGE_BASELINE,
    STAGE_RAMP,
    STAGE_SOAK,
    STAGE_SPIKE,
    STAGE_CUSTOM
};
enum target_kind { TARGET_SERVER, TARGET_GATEWAY };
enum stall_reset { STALL_RESET_AUTO, STALL_RESET_EVENT, STALL_RESET_ANY };
enum auth_type { AUTH_NONE, AUTH_BEARER_TOKEN, AUTH_API_KEY_HEADER, AUTH_PLUGIN };
enum redirect_mode { REDIRECT_DENY, REDIRECT_SAME_ORIGIN, REDIRECT_ALLOWLIST_ONLY };
enum worker_failure_policy {
    WORKER_FAILURE_FAIL_FAST,
    WORKER_FAILURE_REPLACE,
    WORKER_FAILURE_BEST_EFFORT
};
enum protocol_version {
    PROTOCOL_2024_11_05,
    PROTOCOL_2025_03_26,
    PROTOCOL_2025_06_18,
    PROTOCOL_2025_11_25,
    PROTOCOL_2026_07_28
};
enum protocol_policy { PROTOCOL_STRICT, PROTOCOL_SUPPORTED, PROTOCOL_NONE };
enum allowlist_mode { ALLOWLIST_DENY_BY_DEFAULT, ALLOWLIST_ALLOW_ALL };
enum allow_kind { ALLOW_EXACT, ALLOW_SUFFIX, ALLOW_REGEX, ALLOW_CIDR };
enum session_mode { SESSION_REUSE, SESSION_POOL, SESSION_PER_REQUEST, SESSION_CHURN };
/* How a session is left behind. */
enum session_abandon {
    ABANDON_DELETE, /* DELETE, then its connections are closed */
    ABANDON_FIN,    /* connections are closed, nothing is said */
    ABANDON_RST,    /* … with a reset */
    ABANDON_VANISH, /* nothing is closed until the run ends */
};
enum selection_mode { SELECTION_WEIGHTED, SELECTION_ROUND_ROBIN, SELECTION_SINGLE };
enum payload_kind { PAYLOAD_TEXT, PAYLOAD_JSON, PAYLOAD_BINARY };
enum size_distribution { SIZE_FIXED, SIZE_UNIFORM };
enum feed_format { FEED_CSV, FEED_JSONL };
enum feed_mode { FEED_SEQUENTIAL, FEED_RANDOM, FEED_UNIQUE };
enum custom_kind { CUSTOM_COUNTER, CUSTOM_GAUGE, CUSTOM_TREND };
enum ramp_mode { RAMP_STEP, RAMP_LINEAR };
enum think_mode { THINK_NONE, THINK_FIXED, THINK_JITTER };
enum comparator { COMPARE_GT, COMPARE_GE, COMPARE_LT, COMPARE_LE };
enum trigger_effect { TRIGGER_FAIL, TRIGGER_PASS };
enum stop_mode { STOP_DRAIN, STOP_IMMEDIATE };

/* A header or a tag. */
struct named_text {
    const char *name, *value;
};

/* A part of a whole that is the sum of all weights beside it. */
struct named_weight {
    const char *name;
    uint64_t weight; /* at least 1 */
};

/* A JSON object of the file: `json` for those who walk it, `text` (compact) for those who send it.
 * Empty object "{}" when not given. */
struct json_text {
    json_t *json; /* owned by the scenario */
    struct str text;
};

struct metadata_config {
    const char *name, *description;
    const char *created_by; /* NULL: not given */
    struct named_text *tags;
    size_t tag_count;
};

struct identification_config {
    const char *header_name, *header_template;
    const char *user_agent;
};

struct timeouts_config {
    uint64_t connect_ns, request_ns, stream_stall_ns;
    uint64_t deadline_ns; /* from the moment an operation is due; 0: none */
    enum stall_reset stall_reset;
};

/* What later versions will authenticate with; only AUTH_NONE passes the rules today. */
struct auth_config {
    bool has_type;
    enum auth_type type;
    const char *decided_by; /* the member that the type comes from */
    const char **tokens;
    size_t token_count;
    const char *bearer_token_ref, *api_key_ref, *plugin_id; /* NULL: not given */
    const char *api_key_header_name;
};

struct tls_config {
    bool verify;
    const char *ca_bundle_ref; /* NULL: the system's */
};

struct redirect_config {
    enum redirect_mode mode;
    uint64_t max_redirects;
    const char **allowlist;
    size_t allow_count;
};

struct target_config {
    enum target_kind kind;
    const char *url;
    struct named_text *headers;
    size_t header_count;
    struct auth_config auth;
    struct identification_config identification;
    struct timeouts_config timeouts;
    struct tls_config tls;
    struct redirect_config redirect;
    enum protocol_version protocol_version;
    const char *protocol_name; /* "2025-11-25" */
    enum protocol_policy protocol_policy;
};

struct allow_config {
    enum allow_kind kind;
    const char *value;
};

struct environment_config {
    enum allowlist_mode mode;
    struct allow_config *allowed;
    size_t allowed_count;
    const char **forbidden;
    size_t forbidden_count;
    const char **variables; /* names that `${env:NAME}` may use; all of them are set */
    size_t variable_count;
};

struct session_config {
    enum session_mode mode;
    uint64_t pool_size;           /* of the whole run; pool mode only */
    uint64_t ttl_ns, max_idle_ns; /* 0: none */
    uint64_t churn_interval_ops;  /* at least 1; churn mode only */
    uint64_t max_in_flight;       /* operations at once on one session; 0: no limit */
    enum session_abandon abandon;
};

struct think_config {
    enum think_mode mode;
    uint64_t base_ns, jitter_ns;
};

struct reconnect_config {
    bool enabled; /* false: a VU ends at its first lost session */
    uint64_t initial_delay_ns, max_delay_ns;
    double multiplier, jitter_fraction;
    uint64_t max_retries;
};

/* What a VU does beside the workload; counted apart. */
struct journey_config {
    bool list_on_start;         /* tools/list before its first operation */
    uint64_t list_interval_ns;  /* 0: never */
    uint64_t list_after_errors; /* failures in a row; 0: never */
};

/* One condition that a result has to meet. Exactly one of the kinds is given. */
struct check_config {
    const char *id;
    const char *pointer; /* JSON pointer into the result; "" is all of it */
    json_t *equals;      /* NULL: not given; any JSON value, owned by the scenario */
    const char *matches; /* POSIX extended regular expression, compiled once; or NULL */
    bool has_exists, exists;
    bool has_min, has_max;
    double min, max;    /* the number lies within */
    uint64_t max_bytes; /* of the answer's JSON text; 0: not given */
};

struct payload_config {
    const char *profile_id;
    enum payload_kind kind;
    enum size_distribution distribution;
    uint64_t fixed_bytes, min_bytes, max_bytes; /* after the defaults min and max hold for both */
};

struct feed_config {
    const char *name;
    const char *path; /* as in the file: relative to the folder of the scenario */
    enum feed_format format;
    enum feed_mode mode;
    struct feed *feed; /* its rows (scenario/feeds/feed.h), loaded with the scenario */
};

/* workload.metrics[]: a number taken from each result of a tool. */
struct custom_config {
    const char *name;                    /* the metric is custom.NAME */
    const char *tool_name, *template_id; /* whose results; NULL: of any */
    const char *pointer;
    enum custom_kind kind;
};

struct mix_config {
    enum operation_kind operation;
    uint64_t weight;
    const char *uri;         /* resources_read; else NULL */
    const char *prompt_name; /* prompts_get; else NULL */
    const char *tool_name;   /* inline tools_call; NULL: one of the templates is called */
    struct json_text arguments;
};

struct template_config {
    const char *template_id, *tool_name;
    uint64_t weight;
    bool expects_streaming;
    struct json_text arguments;
    struct check_config *checks;
    size_t check_count;
};

struct workload_config {
    uint64_t seed; /* same file and seed give the same sequence of operations */
    uint64_t in_flight_per_vu;
    struct think_config think;
    struct reconnect_config reconnect;
    struct mix_config *mix;
    size_t mix_count;
    struct template_config *templates;
    size_t template_count;
    enum selection_mode selection;
    const char *single_template_id; /* not NULL with SELECTION_SINGLE */
    struct journey_config journey;
    bool integrity; /* answers are checked for belonging to their caller */
    struct payload_config *payloads;
    size_t payload_count;
    struct feed_config *feeds;
    size_t feed_count;
    struct custom_config *customs;
    size_t custom_count;
};

/* What a condition or criterion looks at; NULL members narrow nothing. */
struct scope_config {
    const char *stage_id, *stage; /* of a condition for the whole run */
    const char *operation;        /* "tools/call" */
    const char *tool_name, *template_id;
    const char *worker_id;
    struct named_text *labels; /* that a worker must have, all of them */
    size_t label_count;
};

struct condition_config {
    const char *id, *metric; /* the metric as the file spells it, perhaps an alias */
    enum comparator comparator;
    double threshold;
    uint64_t window_ns;
    uint64_t sustain_windows;
    enum trigger_effect on_trigger;
    bool after_first_stream; /* windows count from the first stream of the stage on */
    struct scope_config scope;
};

/* Judged once, at the end of the run, over the stage or the run. */
struct criterion_config {
    const char *id, *metric;
    enum comparator comparator; /* what has to be true */
    double threshold;
    struct scope_config scope;
};

struct ramp_config {
    bool given;
    enum ramp_mode mode;
    uint64_t step_every_ns;
    uint64_t step_vus; /* FIELD_UNSET: a fifth of the way, see scenario/config/levels.h */
    double step_rps;   /* 0: the rate is not ramped */
    uint64_t max_vus;  /* FIELD_UNSET: target_vus */
    double max_rps;    /* 0: target_rps */
    uint64_t hold_ns;
    bool has_start_vus, has_start_rps; /* else the level at which the stage before ended */
    uint64_t start_vus;
    double start_rps;
};

struct stage_config {
    const char *stage_id;
    enum stage_kind kind;
    bool enabled; /* disabled stages are in the list too: skip them */
    uint64_t duration_ns;
    uint64_t max_duration_ns; /* 0: none; never below duration_ns */
    uint64_t target_vus;      /* not above hard_caps.max_vus; 0: as many as the rate needs */
    double target_rps;        /* operations per second by a schedule; 0: the closed model */
    uint64_t cut_vus;         /* so many more were ordered than hard_caps.max_vus lets be … */
    double cut_rps;           /* … and operations per second, than hard_caps.max_rps */
    struct ramp_config ramp;  /* given, or of a stage of the kind ramp */
    uint64_t start_spread_ns; /* effective: safety.ramp_by_default is applied */
    /* streaming_stop_conditions of the stage and of `safety` are among them */
    struct condition_config *conditions;
    size_t condition_count;
    struct criterion_config *criteria;
    size_t criterion_count;
};

struct telemetry_config {
    bool log_enabled;
    double log_sample_rate; /* when given: share of the successful operations that get a line */
    bool log_sample_rate_given;
    bool traces_enabled, accept_incoming_traceparent;
};

/* What is kept of a run, and what of it may be read. */
struct reporting_config {
    const char **formats; /* "json", "html" */
    size_t format_count;
    uint64_t raw_logs_days, metrics_days, reports_days;
    bool store_raw_logs, store_metrics_snapshot, store_event_log;
    const char **redact_headers; /* names; case does not matter */
    size_t redact_count;
};

/* The agent on the target's host; only a disabled one, or one that is not required, passes the
 * rules today. */
struct server_telemetry_config {
    bool has_enabled, enabled;
    const char *pair_key; /* NULL: not given */
    bool require_agent;
    uint64_t grace_period_ns, expected_min_agents;
};

struct caps_config {
    uint64_t max_vus;
    double max_rps;           /* 0: none */
    uint64_t max_connections; /* 0: none */
    uint64_t max_duration_ns;
    uint64_t max_in_flight_per_vu;
    uint64_t max_queue_depth;
    uint64_t max_errors; /* 0: none */
};

struct safety_config {
    bool ramp_by_default;
    bool emergency_stop_enabled;
    bool identification_required;
    enum worker_failure_policy worker_failure_policy;
    uint64_t analysis_timeout_ns;
    struct condition_config *conditions; /* for the whole run */
    size_t condition_count;
    struct caps_config caps;
    enum stop_mode stop_mode;
    uint64_t drain_timeout_ns;
};

/* How users are dealt to workers with a label, by its value. */
struct placement_config {
    const char *label;           /* its name */
    struct named_weight *shares; /* of the users, by the label's value */
    size_t share_count;
};

struct policy;

struct scenario {
    const char *schema_version;
    const char *scenario_id;
    struct metadata_config metadata;
    struct target_config target;
    struct environment_config environment;
    struct session_config session;
    struct workload_config workload;
    struct stage_config *stages;
    size_t stage_count;
    struct safety_config safety;
    bool has_placement; /* else `placement` is empty, and all workers are alike */
    struct placement_config placement;
    struct criterion_config *criteria; /* of the whole run */
    size_t criterion_count;
    struct reporting_config reporting;
    struct telemetry_config telemetry;
    struct server_telemetry_config server_telemetry;

    /* SHA-256 (hex) of the bytes as received: of the file, followed by those of the overlays */
    char config_hash[65];
    struct policy *policy; /* compiled from target and environment; asked again at each dial */

    json_t *tree_;  /* of the file, spellings, overlays and overrides applied */
    json_t *empty_; /* the object behind every `arguments` that is not given */
    struct arena arena_;
};

#endif
