/* SPDX-License-Identifier: MIT */
#include "api/routes.h"

#include "api/request.h"
#include "control/run.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])
#define PARAMS(array)   .params = (array), .param_count = COUNT_OF(array)
#define MEMBERS(array)  .members = (array), .member_count = COUNT_OF(array)

#define STATE_NAME(id, name) name,
const char *const api_run_states[] = {RUN_STATE_MAP(STATE_NAME) NULL};

const char *const api_event_types[] = {
    "RUN_CREATED",
    "VALIDATION_COMPLETED",
    "STATE_TRANSITION",
    "ALLOCATION_FAILED",
    "WORKER_ASSIGNED",
    "WORKER_REGISTERED",
    "WORKER_ASSIGNMENT_REJECTED",
    "WORKER_CAPACITY_LOST",
    "WORKER_REPLACED",
    "STAGE_STARTED",
    "STAGE_COMPLETED",
    "STAGE_FAILED",
    "STAGE_TIMEOUT",
    "SCHEDULER_TARGET_SET",
    "DECISION",
    "STOP_REQUESTED",
    "EMERGENCY_STOP",
    "STOP_CONDITION_TRIGGERED",
    "SYSTEM_WARNING",
    "ANALYSIS_STARTED",
    "ANALYSIS_COMPLETED",
    "REPORT_GENERATED",
    "ARTIFACT_STORED",
    "SYSTEM_RECOVERY",
    NULL,
};

/* ---- parameters --------------------------------------------------------------------------- */

static const char *const orders[] = {"asc", "desc", NULL};
static const char *const profiles[] = {"default", "strict", NULL};

static const struct query_param list_params[] = {
    {.name = "limit",
     .type = QUERY_NUMBER,
     .min = 1,
     .max = 1000,
     .def = "100",
     .help = "How many at most."},
    {.name = "offset",
     .type = QUERY_NUMBER,
     .max = INT64_MAX,
     .def = "0",
     .help = "How many are passed over first."},
    {.name = "order",
     .type = QUERY_CHOICE,
     .choices = orders,
     .def = "desc",
     .help = "By the time of creation: the newest first, or the oldest."},
    {.name = "state",
     .type = QUERY_CHOICE,
     .choices = api_run_states,
     .help = "Only runs in this state."},
    {.name = "scenario_id", .help = "Only runs of this scenario."},
    {.name = "tag", .help = "Only runs with this label, as `key:value`."},
    {.name = "q", .help = "Only runs with this text in their id, name or scenario."},
};

static const struct query_param validate_params[] = {
    {.name = "profile",
     .type = QUERY_CHOICE,
     .choices = profiles,
     .def = "default",
     .help = "`strict`: rules of a guarded set-up are errors, as for the earlier implementation."},
};

static const struct query_param config_params[] = {
    {.name = "effective",
     .type = QUERY_FLAG,
     .def = "false",
     .help = "With every default and older spelling applied, instead of as it was received."},
};

static const struct query_param event_params[] = {
    {.name = "cursor",
     .max = 80,
     .code = "INVALID_CURSOR",
     .help = "Goes on behind the event with this id. The header `Last-Event-ID` says the same and "
             "comes first."},
    {.name = "since",
     .type = QUERY_NUMBER,
     .max = INT64_MAX,
     .code = "INVALID_SINCE_PARAM",
     .help = "Passes over so many events."},
    {.name = "follow",
     .type = QUERY_FLAG,
     .def = "true",
     .help = "`false`: what there is, and then the end."},
    {.name = "types", .max = 1000, .help = "Only events of these types, with commas between."},
};

static const struct query_param metrics_params[] = {
    {.name = "include_time_series",
     .type = QUERY_FLAG,
     .def = "false",
     .help = "With figures of each second, or of wider buckets."},
    {.name = "stage_id", .max = 128, .help = "Only of this stage."},
    {.name = "from", .type = QUERY_NUMBER, .max = INT64_MAX, .help = "Series from then, in ms."},
    {.name = "to", .type = QUERY_NUMBER, .max = INT64_MAX, .help = "Series until then, in ms."},
    {.name = "resolution_ms",
     .type = QUERY_NUMBER,
     .min = 1000,
     .max = 86400000,
     .help = "Width of a bucket; one second if about 2,000 of them or fewer come out of what is "
             "asked for."},
};

/* ---- bodies ------------------------------------------------------------------------------- */

#define ACTOR                                                                                  \
    {                                                                                          \
        .name = "actor", .help = "Who does it: a name for the run's events; `api` without it." \
    }
#define CONFIG                                                                      \
    {                                                                               \
        .name = "config", .type = MEMBER_OBJECT, .required = true,                  \
        .help = "The scenario, `run-config/v1`. A body that is itself one will do." \
    }
#define FILES                                                                                   \
    {                                                                                           \
        .name = "files", .type = MEMBER_TEXTS,                                                  \
        .help = "Texts of the files that its data feeds name, by their paths as written there." \
    }

static const struct api_member create_members[] = {
    CONFIG,
    FILES,
    {.name = "name", .help = "Name of the run, instead of the scenario's."},
    {.name = "tags", .type = MEMBER_TEXTS, .help = "Labels of the run, beside the scenario's."},
    ACTOR,
};
static const struct api_member validate_members[] = {CONFIG, FILES};
static const struct api_member actor_members[] = {ACTOR};
static const struct api_member stop_members[] = {
    {.name = "mode",
     .help = "`drain`: what is in flight ends by itself. `immediate`: it is cut. Empty: as the "
             "scenario's `stop_policy` says."},
    ACTOR,
};
static const struct api_member clone_members[] = {
    {.name = "overrides",
     .type = MEMBER_OBJECT,
     .help = "A JSON merge patch (RFC 7396) on the copied scenario."},
    ACTOR,
};

/* ---- the table ---------------------------------------------------------------------------- */

#define RUN_404   "404 `RUN_NOT_FOUND`"
#define STATE_409 "409 `INVALID_STATE`, `TERMINAL_STATE`"
#define TOKEN_401 "401 `WORKER_AUTH_REQUIRED`, `INVALID_WORKER_TOKEN`; 404 `WORKER_NOT_FOUND`"

/* What answers that it is not there yet; `help` says what to do instead. */
#define LATER(method_, path_, group_, role_, help_)                                              \
    {                                                                                            \
        .method = (method_), .path = (path_), .group = (group_), .role = (role_), .status = 501, \
        .answer = "error", .help = (help_), .handle = absent_later                               \
    }

const struct api_route api_routes[] = {
    {"GET", "/runs", "Runs", ROLE_VIEWER, PARAMS(list_params), .status = 200,
     .answer = "`{runs: [RunView], total, limit, offset}`",
     .help = "Lists runs, sorted by the time of their creation.", .handle = runs_list},
    {"POST", "/runs", "Runs", ROLE_OPERATOR, .body = BODY_JSON, MEMBERS(create_members),
     .bare = true, .status = 201, .answer = "`{run_id, warnings?}`",
     .errors = "400 `VALIDATION_FAILED` with `details.errors[]` and `details.warnings[]`",
     .help = "Checks a scenario and stores a run of it. Nothing is sent to the target yet.",
     .handle = runs_create},
    {"POST", "/runs/validate", "Runs", ROLE_OPERATOR, PARAMS(validate_params), .body = BODY_JSON,
     MEMBERS(validate_members), .bare = true, .status = 200,
     .answer = "`{ok, errors?, warnings?}`, also when it is not ok",
     .help = "Says everything that is wrong with a scenario.", .handle = runs_validate},
    {"GET", "/runs/{run_id}", "Runs", ROLE_VIEWER, .status = 200, .answer = "RunView",
     .errors = RUN_404, .help = "One run: state, progress, figures, verdict.", .handle = runs_get},
    {"DELETE", "/runs/{run_id}", "Runs", ROLE_ADMIN, .status = 204, .answer = "nothing",
     .errors = RUN_404 "; 409 `INVALID_STATE` unless created or over",
     .help = "Deletes a run and everything that is stored of it.", .handle = runs_delete},
    {"GET", "/runs/{run_id}/config", "Runs", ROLE_VIEWER, PARAMS(config_params), .status = 200,
     .answer = "the scenario, without secrets", .errors = RUN_404, .help = "The scenario of a run.",
     .handle = runs_config},
    {"POST", "/runs/{run_id}/validate", "Runs", ROLE_OPERATOR, PARAMS(validate_params),
     .body = BODY_JSON, MEMBERS(validate_members), .bare = true, .status = 200,
     .answer = "`{ok, errors?, warnings?}`, also when it is not ok", .errors = RUN_404,
     .help = "The same as `/runs/validate`, for who has a run at hand.", .handle = runs_validate},
    {"POST", "/runs/{run_id}/start", "Runs", ROLE_OPERATOR, .body = BODY_OPTIONAL,
     MEMBERS(actor_members), .status = 200, .answer = "`{run_id, state}`",
     .errors = RUN_404 "; " STATE_409 "; 503 `NO_CAPACITY`: the run stays `created`",
     .help = "Gives the run to workers: checks first, then the stages.", .handle = runs_start},
    {"POST", "/runs/{run_id}/stop", "Runs", ROLE_OPERATOR, .body = BODY_OPTIONAL,
     MEMBERS(stop_members), .status = 200, .answer = "`{run_id, state: \"stopping\"}`",
     .errors = "400 `INVALID_STOP_MODE`; " RUN_404 "; " STATE_409,
     .help = "Ends a run. The same mode again has no effect, a harder one escalates.",
     .handle = runs_stop},
    {"POST", "/runs/{run_id}/emergency-stop", "Runs", ROLE_OPERATOR, .body = BODY_OPTIONAL,
     MEMBERS(actor_members), .status = 200, .answer = "`{run_id, state: \"stopping\"}`",
     .errors = RUN_404 "; " STATE_409,
     .help = "Cuts all load at once; also while a run is stopping.", .handle = runs_emergency_stop},
    {"POST", "/runs/{run_id}/clone", "Runs", ROLE_OPERATOR, .body = BODY_OPTIONAL,
     MEMBERS(clone_members), .status = 201, .answer = "`{run_id}`",
     .errors = "400 `VALIDATION_FAILED`; " RUN_404 "; 409 `RUN_CONFIG_NOT_AVAILABLE`",
     .help = "A new run of the same scenario, or of one that differs in a few fields.",
     .handle = runs_clone},
    {"GET", "/runs/{run_id}/events", "Runs", ROLE_VIEWER, PARAMS(event_params), .status = 200,
     .answer =
         "a stream of server-sent events, see below; 204 behind the end of a run that is over",
     .errors = "400 `INVALID_LAST_EVENT_ID`, `INVALID_CURSOR`, `INVALID_SINCE_PARAM`; " RUN_404,
     .help = "What has happened, and what happens.", .handle = runs_events},
    {"GET", "/runs/{run_id}/metrics", "Runs", ROLE_VIEWER, PARAMS(metrics_params), .status = 200,
     .answer = "Metrics: the figures so far",
     .errors = RUN_404 "; 409 `INVALID_STATE` before its start", .help = "The figures of a run.",
     .handle = runs_metrics},
    {"GET", "/runs/{run_id}/result", "Runs", ROLE_VIEWER, .status = 200,
     .answer = "`result/v1`, as in [reference/result.md](reference/result.md)",
     .errors = RUN_404 "; 409 `INVALID_STATE` while it is not over",
     .help = "The whole result of a run that is over.", .handle = runs_result},

    {"GET", "/workers", "Workers", ROLE_ANYONE, .status = 200, .answer = "`{workers: [Worker]}`",
     .help = "Lists the workers that the control plane knows, by their ids.",
     .handle = workers_list},
    {"POST", "/workers/register", "Workers", ROLE_WORKER, .body = BODY_JSON, .status = 201,
     .answer = "`{worker_id, worker_token, now_ns}`",
     .errors = "400 `INVALID_REQUEST` with `details.field`; 409 for another wire version",
     .help = "A worker says what it is and how much it can do.", .handle = workers_register},
    {"POST", "/workers/{worker_id}/heartbeat", "Workers", ROLE_WORKER, .body = BODY_JSON,
     .status = 200, .answer = "`{ok: true, stop_run_ids: [], sent_ns, now_ns}`",
     .errors = TOKEN_401, .help = "A worker says that it is there, and how it fares.",
     .handle = workers_heartbeat},
    {"GET", "/workers/{worker_id}/commands", "Workers", ROLE_WORKER, .status = 200,
     .answer = "a stream of server-sent events: `event: order`, `data: {…}`", .errors = TOKEN_401,
     .help = "The orders for a worker, as they are given.", .handle = workers_commands},
    {"POST", "/workers/{worker_id}/telemetry", "Workers", ROLE_WORKER, .body = BODY_FRAMES,
     .status = 200, .answer = "`{acked: [{run_id, seq}], refused: [{run_id, reason}]}`",
     .errors = "400 `INVALID_TELEMETRY`; " TOKEN_401 "; 503 while the disk does not keep up",
     .help = "A worker's reports, numbered; the answer comes when they are stored.",
     .handle = workers_telemetry},

    {"GET", "/healthz", "System", ROLE_ANYONE, .status = 200, .answer = "`{\"status\": \"ok\"}`",
     .help = "The process is alive.", .handle = system_health},
    {"GET", "/readyz", "System", ROLE_ANYONE, .status = 200,
     .answer = "`{\"status\": \"ready\", \"ready\": true}`",
     .errors = "503 with `\"ready\": false` when nothing can be stored",
     .help = "Runs can be made and reports taken.", .handle = system_ready},
    {"GET", "/version", "System", ROLE_ANYONE, .status = 200,
     .answer = "`{version, commit, schema_versions, protocol_versions}`",
     .help = "Which version this is; `commit` is null where the build was not told.",
     .handle = system_version},
    {"GET", "/openapi.json", "System", ROLE_ANYONE, .status = 200, .answer = "OpenAPI 3.1",
     .help = "This page for programs.", .handle = system_openapi},

    LATER("GET",
          "/runs/{run_id}/logs",
          "Later",
          ROLE_VIEWER,
          "The log of operations is not served yet; `mcpdrill run FILE --out DIR` writes it."),
    LATER("GET",
          "/runs/{run_id}/stability",
          "Later",
          ROLE_VIEWER,
          "Stability is not served yet; the result has the counts of sessions and connections."),
    LATER("GET",
          "/runs/{run_id}/errors/signatures",
          "Later",
          ROLE_VIEWER,
          "Signatures of errors are not served yet; the result has them under `errors`."),
    LATER("GET",
          "/runs/{run_id}/compare/{other_run_id}",
          "Later",
          ROLE_VIEWER,
          "Runs are not compared yet; the results of both have the figures."),
    LATER("GET",
          "/runs/{run_id}/server-metrics",
          "Later",
          ROLE_VIEWER,
          "Figures of the target's machine are not taken yet."),
    LATER("GET",
          "/runs/{run_id}/report",
          "Later",
          ROLE_VIEWER,
          "Reports are not made here yet; `mcpdrill report` makes one from a stored result."),
    LATER("POST",
          "/discover-tools",
          "Later",
          ROLE_OPERATOR,
          "Tools are not discovered here yet; `mcpdrill run --url URL` asks a server for them."),
    LATER("POST",
          "/test-connection",
          "Later",
          ROLE_OPERATOR,
          "Connections are not tested here yet; `mcpdrill doctor FILE` does it."),
    LATER("POST",
          "/test-tool",
          "Later",
          ROLE_OPERATOR,
          "Tools are not tried out here yet; `mcpdrill run --url URL` calls them."),
    LATER("GET",
          "/",
          "Later",
          ROLE_ANYONE,
          "There are no web pages yet; `/runs` lists runs, and docs/api.md has all paths."),
    LATER("GET",
          "/ui/*",
          "Later",
          ROLE_ANYONE,
          "There are no web pages yet; `/runs` lists runs, and docs/api.md has all paths."),
    {"GET", "/metrics", "Later", ROLE_ANYONE, .status = 503,
     .answer = "error `METRICS_NOT_CONFIGURED`",
     .help = "Metrics for Prometheus are not collected yet; `/runs/{run_id}/metrics` has the "
             "figures of a run.",
     .handle = absent_metrics},
    {"POST", "/agents/v1/register", "Later", ROLE_ANYONE, .status = 503,
     .answer = "error `AGENT_INGEST_DISABLED`",
     .help = "This control plane takes no figures from agents yet.", .handle = absent_agents},
    {"POST", "/agents/v1/metrics", "Later", ROLE_ANYONE, .status = 503,
     .answer = "error `AGENT_INGEST_DISABLED`",
     .help = "This control plane takes no figures from agents yet.", .handle = absent_agents},
    {"GET", "/agents", "Later", ROLE_VIEWER, .status = 200, .answer = "`{agents: []}`",
     .help = "There are none: this control plane takes no figures from agents yet.",
     .handle = absent_agent_list},
    {"GET", "/agents/{agent_id}", "Later", ROLE_VIEWER, .status = 404,
     .answer = "error `AGENT_NOT_FOUND`",
     .help = "There are none: this control plane takes no figures from agents yet.",
     .handle = absent_agent},
    {"GET", "/workers/{worker_id}/assignments", "Later", ROLE_WORKER, .status = 410,
     .answer = "error `ENDPOINT_GONE`",
     .help = "Orders are pushed instead: `GET /workers/{worker_id}/commands` is their stream.",
     .handle = absent_gone},
    {"POST", "/workers/{worker_id}/assignments/ack", "Later", ROLE_WORKER, .status = 410,
     .answer = "error `ENDPOINT_GONE`",
     .help = "Orders need no acknowledgement any more: reports say what became of them, at `POST "
             "/workers/{worker_id}/telemetry`.",
     .handle = absent_gone},
};
const size_t api_route_count = COUNT_OF(api_routes);
