/* SPDX-License-Identifier: MIT */
/*
 * The one table of the API. The dispatcher, the answers 404 and 405, the checks of queries and
 * bodies, docs/api.md and /openapi.json are made from it.
 */
#ifndef API_ROUTES_H
#define API_ROUTES_H

#include "api/query.h"

enum api_role { ROLE_ANYONE, ROLE_VIEWER, ROLE_OPERATOR, ROLE_ADMIN, ROLE_WORKER };

enum api_body {
    BODY_NONE,     /* what comes is not read */
    BODY_OPTIONAL, /* a JSON object, or nothing */
    BODY_JSON,     /* a JSON object */
    BODY_FRAMES,   /* bytes between our own programs */
};

enum api_member_type { MEMBER_TEXT, MEMBER_OBJECT, MEMBER_TEXTS /* an object of texts */ };

struct api_member {
    const char *name;
    enum api_member_type type;
    bool required;
    const char *help;
};

struct api_request;

struct api_route {
    const char *method;
    const char *path; /* "/runs/{run_id}"; an end of "/…*" takes anything behind the slash */
    const char *group;
    enum api_role role;
    const struct query_param *params;
    size_t param_count;
    enum api_body body;
    const struct api_member *members; /* of the body; NULL with BODY_JSON: its handler judges */
    size_t member_count;
    bool bare;          /* the body may be a run config itself, instead of {config} */
    int status;         /* when it goes well */
    const char *answer; /* its shape */
    const char *errors; /* "404 RUN_NOT_FOUND, …" beside those that all have */
    const char *help;   /* one sentence; for what is not there yet, what to do instead */
    void (*handle)(struct api_request *r);
};

extern const struct api_route api_routes[];
extern const size_t api_route_count;

enum { ROUTE_IDS_MAX = 2, ROUTE_ALLOW_MAX = 64 };

struct route_match {
    const struct api_route *route; /* NULL: the method has none */
    bool path_known;               /* else nothing has this path */
    char allow[ROUTE_ALLOW_MAX];   /* "GET, POST": what the path takes */
    struct str ids[ROUTE_IDS_MAX]; /* what stands for {…}, in order, as sent */
    const char *pattern;           /* the path as the table has it */
};

/* `path` without its query. HEAD is served where GET is. A path that some route names word by word
 * is no id of another one. */
void route_find(struct str method, struct str path, struct route_match *out);

/* Is it the prefix and min..max hexadecimal digits? */
bool route_is_name(struct str id, struct str prefix, size_t min, size_t max);
/* What we call a run, or a worker. */
bool route_is_run_id(struct str id);
bool route_is_worker_id(struct str id);

/* Names of events, of the states of a run: for parameters. NULL at the end. */
extern const char *const api_event_types[];
extern const char *const api_run_states[];

#endif
