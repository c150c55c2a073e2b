/* SPDX-License-Identifier: MIT */
/* The paths by which a user looks at the mock and turns its knobs. */
#ifndef MOCK_SERVER_CONTROL_H
#define MOCK_SERVER_CONTROL_H

#include "mock/state/state.h"

/* Is it one of /stats…, /faults, /sessions/forget? If so, mock_control answers it. */
bool mock_controls(struct str path);
bool mock_control(struct mock *m, struct http_exchange *x, const struct http_request *r);
/* Takes the knobs over when they have changed. */
void mock_faults_refresh(struct mock *m);
/* Freezes or thaws, after `faults` were set. */
void mock_apply_freeze(struct mock_shared *shared, const struct faults *faults, uint64_t now_ns);
/* Closes or opens the port, after `faults` were set. `timed`: refuse_connections_ms begins now. */
void mock_apply_refuse(struct mock_shared *shared,
                       const struct faults *faults,
                       bool timed,
                       uint64_t now_ns);

#endif
