/* SPDX-License-Identifier: MIT */
/*
 * The checks before any load: one session that is opened, looked at and closed.
 *
 *   network       the name resolves, the address is allowed, TCP connects
 *   handshake     HTTP status, initialize, protocol version, initialized
 *   capabilities  the target offers tools, resources, prompts, as the workload needs them
 *   names         every tool and prompt of the workload is in the target's lists (a resource that
 * is missing is only a warning: servers need not list all that they serve)
 *
 * Without lists `names` is left out: where several sources play a run, one of them reads the lists
 * for all, and each tries whether the target is there for it.
 *
 * The first check that fails ends it, with the cause and what to do about it. What is not in a list
 * that is longer than we read is no failure but a warning; the limit that cut it is counted in
 * client->limits.
 */
#ifndef ENGINE_PREFLIGHT_H
#define ENGINE_PREFLIGHT_H

#include "mcp/client.h"
#include "metrics/check.h"
#include "plan/plan.h"

enum { PREFLIGHT_NAMES_MAX = 10000, PREFLIGHT_PAGES_MAX = 1000 /* of one list */ };

struct preflight;

/* `with_lists`: also look for the names. on_checked comes once, from the loop; the list is valid
 * during the call. */
struct preflight *preflight_start(struct mcp_client *client,
                                  const struct plan *plan,
                                  bool with_lists,
                                  void (*on_checked)(void *owner, const struct check_list *checks),
                                  void *owner);
/* on_checked does not come any more. NULL is fine. */
void preflight_cancel(struct preflight *p);

#endif
