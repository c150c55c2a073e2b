/* SPDX-License-Identifier: MIT */
/*
 * The sessions of the mock, shared by its threads: a session that was opened over one connection
 * may be used over any other. Locks are striped, so that threads rarely meet.
 *
 * A session ends by DELETE, when its time to live, counted from its opening, is over, or when a
 * fault makes the server forget it. Ended ids are unknown ids.
 */
#ifndef MOCK_STATE_SESSION_H
#define MOCK_STATE_SESSION_H

#include "base/str.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { SESSION_ID_LEN = 32, SESSIONS_MAX = 4000000 };

struct mock_session_id {
    uint64_t hi, lo;
};

struct mock_sessions;

/* Totals since the start. Open now: opened - deleted - expired - lost. */
struct mock_session_counts {
    uint64_t opened, deleted, expired, lost;
    uint64_t open_max; /* most that were open at once, since mock_sessions_reset_max */
};

/* `ttl_ns` 0: sessions live until they are deleted. */
struct mock_sessions *mock_sessions_new(uint64_t ttl_ns);
void mock_sessions_free(struct mock_sessions *s);

/* False when there are SESSIONS_MAX, or the id is taken. */
bool mock_sessions_open(struct mock_sessions *s, struct mock_session_id id, uint64_t now_ns);
bool mock_sessions_alive(struct mock_sessions *s, struct mock_session_id id, uint64_t now_ns);
/* False when it was not open. */
bool mock_sessions_delete(struct mock_sessions *s, struct mock_session_id id, uint64_t now_ns);
/* Forgets one that was open; false when it was not. */
bool mock_sessions_lose(struct mock_sessions *s, struct mock_session_id id, uint64_t now_ns);
/* Forgets all; returns how many. */
uint64_t mock_sessions_lose_all(struct mock_sessions *s, uint64_t now_ns);

/* A session has at most one server stream (GET). False when it has one already. */
bool mock_sessions_attach(struct mock_sessions *s, struct mock_session_id id, uint64_t now_ns);
void mock_sessions_detach(struct mock_sessions *s, struct mock_session_id id);

/* Removes expired ones everywhere, then counts. */
struct mock_session_counts mock_sessions_count(struct mock_sessions *s, uint64_t now_ns);
/* open_max starts again from what is open now. */
void mock_sessions_reset_max(struct mock_sessions *s);
/* Changes whenever a session has ended. */
uint64_t mock_sessions_ended(struct mock_sessions *s);

/* 32 lower-case hexadecimal digits. */
void mock_session_id_text(struct mock_session_id id, char out[SESSION_ID_LEN]);
bool mock_session_id_read(struct str text, struct mock_session_id *out);

#endif
