/* SPDX-License-Identifier: MIT */
/* Insides that the files of the run share. */
#ifndef CONTROL_RUN_PRIV_H
#define CONTROL_RUN_PRIV_H

#include "control/run.h"

/* Takes the payload over. */
void run_emit(struct run *r, const char *type, json_t *payload);

void run_set_state(struct run *r, enum run_state state, const char *trigger);
/* The figures are being judged, or have been. */
bool run_is_over(const struct run *r);
/* It has begun, and nothing has ended it yet. */
bool run_is_running(const struct run *r);

/* All figures are final: fills validity, evidence, verdict and exit_code. */
void run_judge(struct run *r);

/* A value for a payload. What a target or a scenario says may be cut inside a character, or be no
 * text at all: such bytes become U+FFFD. */
json_t *run_text(const char *text);

/* Payload of STOP_CONDITION_TRIGGERED. */
json_t *run_trigger_json(const struct run *r);
/* The payload of STAGE_FAILED: why, and every check that ran. */
json_t *run_preflight_json(const struct run *r);

enum {
    RUN_WARNINGS_MAX = 16384,    /* bytes of the lines for the end … */
    RUN_WARNING_MAX_BYTES = 512, /* … and of one of them */
    /* Seconds that were looked at without a source, of which a saved run knows when exactly that
     * was. Older ones are looked at as soon as it goes when the run is made again. */
    RUN_MARKS_MAX = 1024,
    RUN_SAVE_VERSION = 1,
};

/* Something that moved the watermark and is in no window: after so many windows a source was not
 * waited for any more, or (source RUN_MARK_OVERDUE) seconds below `end_second` were looked at. */
#define RUN_MARK_OVERDUE UINT32_MAX
struct run_mark {
    uint64_t windows;
    uint32_t source;
    uint64_t end_second;
};

/* SYSTEM_WARNING, and a line for the end. */
void run_warn(struct run *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- stages.c: what is played when ------------------------------------------------------------
 */

void stages_init(struct run *r);
/* Arms what is still to come. */
void stages_resume(struct run *r);
/* The first stage: second 0 begins with it. */
void stages_begin(struct run *r);
/* Books and conditions hear when a stage began, and when it ended. */
void stages_tell_begin(struct run *r, uint32_t stage);
void stages_tell_end(struct run *r, uint32_t stage);
/* Goes on with the stage behind the current one, which has been closed. */
void stages_next(struct run *r);
/* The current stage ends: at `end_ns`, or as planned if that is earlier. */
void stages_close(struct run *r, uint64_t end_ns);
/* Preflight: what a second had, the judgement, and the end of a run that does not pass. */
void stages_tally(struct run *r, uint64_t second);
void stages_judge(struct run *r);
void stages_fail_preflight(struct run *r, const char *what, const char *sentence);

const struct stage_config *run_stage_config(const struct run *r, int32_t stage);
bool run_is_preflight(const struct run *r, uint32_t stage);
/* Number of the second that the moment falls into; `up`: of the first whole one after it. */
uint64_t run_second_of(const struct run *r, uint64_t at_ns, bool up);

/* ---- seconds.c --------------------------------------------------------------------------------
 */

void seconds_init(struct run *r);
void seconds_resume(struct run *r, uint64_t patience_ns);
/* Takes every second that can be looked at, and does what follows from it. */
void seconds_take(struct run *r);

/* ---- books.c: the books of all sources, and of those that scopes name --------------------------
 */

#define RUN_SCOPE_NONE UINT32_MAX

struct run_scope {
    const char *text; /* "worker_id=…, label.zone=a" */
    uint32_t source_count;
    uint32_t *local; /* of each source of the run its number in `books`, or RUN_SCOPE_NONE */
    struct aggregate *books;
};

/* The sources that the scope names, by number; RUN_SCOPE_NONE when it names all. */
uint32_t books_scope(struct run *r, const struct scope_config *scope);
/* All specs are there; those with such a scope get their books. */
void books_make(struct run *r);
void books_free(struct run *r);
/* Warns of scopes without a source. */
void books_tell_empty(struct run *r);

void books_add(struct run *r, uint32_t source, const struct window *w);
void books_end_source(struct run *r, uint32_t source, bool finished);
void books_begin_stage(struct run *r, uint32_t stage, uint64_t begin_ns);
void books_end_stage(struct run *r, uint32_t stage, uint64_t end_second, uint64_t end_ns);

/* ---- replay.c: what a run that is made again has to know --------------------------------------
 */

void replay_add_mark(struct run *r, struct run_mark mark);
void replay_note_source(struct run *r, uint32_t source);
void replay_note_overdue(struct run *r, uint64_t end_second);
/* Does what the marks say that happened after so many windows. */
void replay_marks(struct run *r);

/* ---- sources.c: who is waited for -------------------------------------------------------------
 */

/* The source is not waited for any more: it has `drained`, or is lost. */
void sources_end(struct run *r, uint32_t source, bool drained);
/* Ends the run when no source is waited for. */
void sources_check(struct run *r);
/* Of the first source that was lost and did not come back, what that means for the books, in one
 * line; NULL: none. */
const char *sources_lost(const struct run *r, char *out, size_t size);

/* ---- ending.c ---------------------------------------------------------------------------------
 */

void ending_init(struct run *r);
void ending_resume(struct run *r);
/* The run is stopping from now on. r->stop has what is known of the reason. */
void ending_begin(struct run *r, enum run_stop_kind kind, enum stop_mode mode);
/* All sources have ended: the figures are judged, the state is terminal. */
void ending_finish(struct run *r);

/* ---- specs.c: conditions and criteria ---------------------------------------------------------
 */

/* Makes metrics, and what conditions and criteria will be judged by. ERR_INVALID. */
int specs_make(struct run *r, struct err *err);
/* All figures are final. */
void specs_judge(struct run *r);

/* ---- watch.c: what is noticed while the run goes on ------------------------------------------ */

void watch_init(struct run *r);
/* A stage has begun: the steps of its ramp are told as they come. */
void watch_stage(struct run *r);
/* There are no steps any more. */
void watch_stage_end(struct run *r);
/* The run goes on in the middle of a stage. */
void watch_resume(struct run *r);
/* A second is complete. */
void watch_second(struct run *r, uint64_t second);
/* One that was looked at before has got a further report. */
void watch_late_second(struct run *r, uint64_t second);
/* All figures are final: tells what stood in reports that came after their second was looked at. */
void watch_end(struct run *r);
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
