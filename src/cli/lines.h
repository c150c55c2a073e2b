/* SPDX-License-Identifier: MIT */
/*
 * The lines that a live view consists of, whatever their figures come from: a run of this process
 * (cli/panel.h) or one of a control plane (cli/live.h). The first failure to write sticks in `rc`,
 * so that callers need not look at each.
 */
#ifndef CLI_LINES_H
#define CLI_LINES_H

#include "base/buf.h"
#include "report/text/text.h"

#include <stdint.h>

enum { LINES_LABEL_COLUMNS = 11, LINES_TEXT_MAX = 64 };

struct lines {
    struct buf *out;
    const struct text_style *style;
    int rc; /* 0 or ERR_LIMIT */
};

void lines_add(struct lines *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void lines_padded(struct lines *l, const char *text, size_t width);
/* Before the first text of a line: it is drawn in red where that can be (cli/screen.h). */
void lines_alarm(struct lines *l);
/* "5 (0.5 %)" */
void lines_ratio(struct lines *l, uint64_t part, uint64_t whole);

/* "LABEL      WHAT · NAME": texts of others. */
void lines_named(struct lines *l, const char *label, struct str what, struct str name);

struct lines_head {
    const char *state;
    uint64_t stage, stages; /* from 1; 0: none has begun */
    uint64_t spent_ns, planned_ns;
};
/* "run        soak_running · stage 2 of 3 · 5.0 s of 10.0 s [=====     ] 50 %" */
void lines_head(struct lines *l, const struct lines_head *head);

struct lines_figures {
    const char *letter; /* which latency it is: "R" or "S" */
    double rate;        /* operations ended per second */
    uint64_t ended, failed;
    char p50[LINES_TEXT_MAX], p95[LINES_TEXT_MAX], p99[LINES_TEXT_MAX]; /* "-": no value */
};
void lines_figures(struct lines *l, const char *label, const struct lines_figures *f);

/* The p99 of the last `size` seconds, the newest at the right: value i of all `count` so far stands
 * at ring[i % size], negative without a value. */
void lines_sparks(struct lines *l, const double *ring, uint64_t size, uint64_t count);

struct lines_second {
    uint64_t second; /* of the run, from 0 */
    const char *state;
    struct lines_figures figures;
    double due_rate; /* of an open load, else 0 */
    uint64_t vus, in_flight;
};
/* The beginning of a plain line, without its newline. */
void lines_second(struct lines *l, const struct lines_second *s);

#endif
