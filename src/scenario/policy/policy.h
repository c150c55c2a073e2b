/* SPDX-License-Identifier: MIT */
/*
 * May this run talk to that address? The allowlist, the forbidden patterns and the address classes,
 * compiled once; then pure predicates, asked twice: for the URL when a config is checked, and for
 * every resolved address when a connection is dialled, so that a name cannot be rebound in between.
 *
 * Network policies: *local* (the one who runs the test also runs the machine: anything but cloud
 * metadata addresses) and *public* (a service that others may reach: public addresses only).
 *
 * Immutable after policy_new(); may be read by all threads.
 */
#ifndef SCENARIO_POLICY_POLICY_H
#define SCENARIO_POLICY_POLICY_H

#include "base/err.h"
#include "scenario/config/config.h"
#include "scenario/policy/target_url.h"

#include <sys/socket.h>

enum { POLICY_VIOLATIONS_MAX = 8, POLICY_OPEN_MAX = 64 };

struct policy;

struct policy_violation {
    const char *code; /* "LOOPBACK_BLOCKED" … */
    bool warning;
    bool listable; /* an entry for this very address in the allowlist would do */
    char message[240];
};

struct policy_verdict {
    struct policy_violation items[POLICY_VIOLATIONS_MAX];
    size_t count;
};

/* Checks one allowlist entry by itself: 0, or ERR_INVALID with what is wrong. */
int policy_check_entry(const struct allow_config *entry, struct err *err);

/* Keeps no pointer into its arguments. Entries that policy_check_entry() refuses match nothing.
 * `target` is where the run goes (NULL: unknown): it decides whether a resolved address has to be
 * inside a `cidr` entry because no other entry allows its name. */
struct policy *policy_new(const struct environment_config *environment,
                          const struct target_url *target,
                          bool network_public);
/* What the operator opens, whatever a document says: inside the block ("10.0.0.0/8") nothing but
 * metadata addresses is blocked by its class, and 127.0.0.0/8 opens "localhost". The allowlist
 * stays in force. Before the policy is used. False: it is no block, or there are POLICY_OPEN_MAX.
 */
bool policy_open(struct policy *policy, const char *block);
/* NULL is fine. */
void policy_free(struct policy *policy);

/* All violations of a URL, by its text alone (names are not resolved here). */
void policy_check_url(const struct policy *policy,
                      const struct target_url *url,
                      struct policy_verdict *out);

/* A resolved address (AF_INET, AF_INET6), before the dial. 0, or ERR_INVALID with the reason. */
int policy_check_address(const struct policy *policy,
                         const struct sockaddr *address,
                         struct err *err);

#endif
