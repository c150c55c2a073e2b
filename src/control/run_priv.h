/* SPDX-License-Identifier: MIT */
/* Insides that the files of the run share. */
#ifndef CONTROL_RUN_PRIV_H
#define CONTROL_RUN_PRIV_H

#include "control/run.h"

/* Takes the payload over. */
void run_emit(struct run *r, const char *type, json_t *payload);

/* All figures are final: fills validity, evidence, verdict and exit_code. */
void run_judge(struct run *r);

/* A value for a payload. What a target or a scenario says may be cut inside a character, or be no
 * text at all: such bytes become U+FFFD. */
json_t *run_text(const char *text);

/* Payload of STOP_CONDITION_TRIGGERED. */
json_t *run_trigger_json(const struct run *r);
/* The payload of STAGE_FAILED: why, and every check that ran. */
json_t *run_preflight_json(const struct run *r);

enum { RUN_WARNINGS_MAX = 16384 /* bytes of the lines for the end */ };

/* SYSTEM_WARNING, and a line for the end. */
void run_warn(struct run *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- specs.c: conditions and criteria ---------------------------------------------------------
 */

/* Makes metrics, conditions and what the criteria will be judged by. ERR_INVALID. */
int specs_make(struct run *r, struct err *err);
/* All figures are final. */
void specs_judge(struct run *r);

/* ---- watch.c: what is noticed while the run goes on ------------------------------------------ */

void watch_init(struct run *r);
/* A stage has begun: the steps of its ramp are told as they come. */
void watch_stage(struct run *r);
/* A second is complete. */
void watch_second(struct run *r, uint64_t second);
/* A condition ends the run: notes how far the ramp was, and adds it to the sentence. */
void watch_level(struct run *r);
/* Preflight has passed: can the VUs of what follows carry the rates, at the latency measured? */
void watch_capacity(struct run *r);

/* ---- notice.c: what is noticed at the end -----------------------------------------------------
 */

/* After the verdict: warns of operations that never succeeded. */
void notice_failures(struct run *r);
/* At the end: a line for each limit of ours that took load or figures away. */
void notice_limits(struct run *r);

#endif
