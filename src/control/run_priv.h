/* SPDX-License-Identifier: MIT */
/* Insides that run.c and judge.c share. */
#ifndef CONTROL_RUN_PRIV_H
#define CONTROL_RUN_PRIV_H

#include "control/run.h"

/* Takes the payload over. */
void run_emit(struct run *r, const char *type, json_t *payload);

/* All figures are final: fills validity, evidence, verdict and exit_code. */
void run_judge(struct run *r);

/* Payload of STOP_CONDITION_TRIGGERED. */
json_t *run_trigger_json(const struct run *r);

#endif
