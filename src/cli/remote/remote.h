/* SPDX-License-Identifier: MIT */
/*
 * One word's conversation with a control plane: requests one after the other, each waited for, and
 * what went wrong said on stderr in the control plane's own words, with a code to exit with.
 *
 * What the control plane says may contain anything; it is printed without control characters.
 */
#ifndef CLI_REMOTE_REMOTE_H
#define CLI_REMOTE_REMOTE_H

#include "base/json.h"
#include "cli/remote/endpoint.h"
#include "cli/remote/run_id.h"
#include "http/request.h"
#include "loop/signals.h"

/* Exit codes of the program. */
enum remote_code {
    REMOTE_DONE = 0,
    REMOTE_REFUSED = 1,     /* the control plane has a reason not to do it */
    REMOTE_WRONG = 2,       /* what was asked makes no sense */
    REMOTE_UNREACHABLE = 3, /* nobody there, or no control plane */
    REMOTE_NO_WORKERS = 5,
};

#define REMOTE_BODY_MAX   ((size_t)10 * 1024 * 1024) /* of a request, as the control plane has it */
#define REMOTE_ANSWER_MAX ((size_t)256 * 1024 * 1024) /* a result may be large */

/* How long a control plane that has been there may stay away: it may be started anew. */
#define REMOTE_PATIENCE_NS (120 * NS_PER_S)

struct remote {
    const char *command;  /* "create": in front of messages */
    const char *document; /* what issues of a scenario are about: a file, or NULL */
    struct endpoint endpoint;
    struct loop *loop;
    struct http_api *api;
    bool answered;     /* it has, at least once */
    int signo;         /* of the signal that came, 0: none (remote_catch_signals) */
    uint64_t gone_ns;  /* since when it has been away; 0: it is there */
    unsigned absences; /* of which something was said */
    bool catches_;
    struct signals signals_;
};

/* The answer is in remote_code's terms; anything but REMOTE_DONE has been said on stderr. */

/* `command` must outlive it. remote_close in any case. */
int remote_open(struct remote *r, const char *command, const struct endpoint *endpoint);
void remote_close(struct remote *r);

/* SIGINT and SIGTERM from here on set r->signo and stop the loop, instead of ending the program. */
int remote_catch_signals(struct remote *r);

/* Waits. False when a signal came instead. */
bool remote_pause(struct remote *r, uint64_t ns);

/* As remote_get, by somebody who looks again and again: a control plane that has been there and
 * goes away is asked each second until it is back, for REMOTE_PATIENCE_NS. */
int remote_look(struct remote *r, const char *path, json_t **out);

/* `path` is escaped. *out, the caller's, is the answer; REMOTE_DONE is told for 2xx only. */
int remote_get(struct remote *r, const char *path, json_t **out);
/* `body` is taken over; NULL: none. `out` may be NULL. A POST is never sent twice. */
int remote_send(struct remote *r, const char *method, const char *path, json_t *body, json_t **out);

/* The id of the run that the word names (cli/remote/run_id.h). */
int remote_find_run(struct remote *r, const char *word, char id[RUN_ID_MAX + 1]);

/* May the failure be over by itself in a while? Of one that was there before. */
bool remote_passes(const struct remote *r, const struct http_outcome *o);
/* Says what was wrong with an answer that is not 2xx, or with one that never came. */
int remote_complain(const struct remote *r, const struct http_outcome *o);
/* "mcpdrill COMMAND: TEXT" on stderr. */
void remote_say(const struct remote *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
