/* SPDX-License-Identifier: MIT */
/*
 * A run that is made again from its windows. Seconds were looked at when windows came: that follows
 * from the windows, but for what *marks* remember. What was decided and told then stands in the
 * document.
 */
#include "base/mem.h"
#include "control/run_priv.h"
#include "control/save.h"

#include <assert.h>
#include <string.h>

/* ---- marks ----------------------------------------------------------------------------------- */

/* Of those about sources there are few; of the others the oldest goes. */
static void drop_oldest(struct run *r)
{
    size_t i = 0;

    while (i < r->mark_count_ && r->marks_[i].source != RUN_MARK_OVERDUE) {
        i++;
    }
    if (i < r->mark_count_) {
        r->mark_count_--;
        memmove(r->marks_ + i, r->marks_ + i + 1, (r->mark_count_ - i) * sizeof *r->marks_);
    }
}

void replay_add_mark(struct run *r, struct run_mark mark)
{
    if (r->marks_ == NULL) {
        r->marks_ = xcalloc(RUN_MARKS_MAX + r->workers_->source_count, sizeof *r->marks_);
    }
    if (r->mark_count_ == RUN_MARKS_MAX + r->workers_->source_count) {
        drop_oldest(r);
    }
    r->marks_[r->mark_count_++] = mark;
}

void replay_note_source(struct run *r, uint32_t source)
{
    replay_add_mark(r, (struct run_mark){.windows = r->window_count_, .source = source});
}

void replay_note_overdue(struct run *r, uint64_t end_second)
{
    replay_add_mark(r, (struct run_mark){.windows = r->window_count_,
                                         .source = RUN_MARK_OVERDUE,
                                         .end_second = end_second});
}

/* ---- the seconds, once more ------------------------------------------------------------------ */

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* As seconds_take, but nothing follows from it. What the run has noted of its seconds itself
 * (watch_second, stages_tally) is in the document. */
static void look(struct run *r, uint64_t end)
{
    uint64_t seen = least(end, r->replay_seen_), looked = least(end, r->replay_looked_);

    for (; r->seen_second_ < seen; r->seen_second_++) {
        pace_second(r, r->seen_second_);
    }
    while (stop_looked(r->conditions) < looked) {
        stop_evaluate(r->conditions, r->books, looked, &r->trigger);
    }
}

static void look_at_whole(struct run *r)
{
    look(r, aggregate_watermark(r->books, r->seen_second_, 0));
}

void replay_marks(struct run *r)
{
    for (; r->replay_mark_ < r->mark_count_; r->replay_mark_++) {
        const struct run_mark *mark = &r->marks_[r->replay_mark_];

        if (mark->windows > r->window_count_) {
            return;
        }
        if (mark->source == RUN_MARK_OVERDUE) {
            look(r, mark->end_second);
        } else {
            books_end_source(r, mark->source, false);
            look_at_whole(r);
        }
    }
}

void run_replay_window(struct run *r, uint32_t source, const struct window *w)
{
    assert(r->replaying_);
    r->window_count_++;
    books_add(r, source, w);
    validity_window(r->validity_, source, w);
    look_at_whole(r);
    replay_marks(r);
}

/* ---- going on -------------------------------------------------------------------------------- */

void run_emit_recovered(struct run *r, const char *reason)
{
    run_emit(r, "SYSTEM_RECOVERY", json_pack("{sosb}", "reason", run_text(reason), "resumed", 1));
}

void run_resume(struct run *r, uint64_t patience_ns)
{
    assert(r->replaying_ && r->window_count_ == r->replay_windows_);
    look(r, UINT64_MAX); /* where the marks did not reach back */
    r->replaying_ = false;
    for (uint32_t i = 0; i < r->workers_->source_count; i++) {
        if (r->source_states_[i].drained) {
            books_end_source(r, i, true);
        }
    }
    stages_resume(r);
    watch_resume(r);
    ending_resume(r);
    seconds_resume(r, patience_ns);
}
