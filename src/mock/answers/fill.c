/* SPDX-License-Identifier: MIT */
/* A text of one letter, up to 64 MiB, written in pieces from one block that all answers share. */
#include "mock/answers/answer.h"
#include "mock/answers/call.h"

/* One letter, many times; filled once. */
static char letters[CALL_BATCH_BYTES];
static pthread_once_t letters_once = PTHREAD_ONCE_INIT;

static void fill_letters(void)
{
    memset(letters, 'a', sizeof letters);
}

static void begin_fill(struct call *call)
{
    struct http_answer answer = {.status = 200, .content_type = STR("application/json")};
    uint64_t length = call->fill.head.len + call->fill.left + call->fill.tail.len;

    call->begun = true;
    call_dribble(call->m, call->x);
    if (call->sse) {
        call_begin_sse(call->m, call->x, (int64_t)length);
    } else {
        http_stream_begin(call->x, &answer, (int64_t)length);
    }
    call->full = http_stream_write(call->x, call->fill.head) != HTTP_WRITE_SENT;
}

static void end_fill(struct call *call)
{
    struct http_exchange *x = call->x;
    struct mock *m = call->m;

    http_stat_add(&m->stats.responses, 1);
    http_stat_add(&m->stats.events_sent, call->sse);
    http_stream_write(x, call->fill.tail);
    call_free(call);
    x->user = NULL;
    http_stream_end(x);
}

void fill_run(struct call *call)
{
    if (!call->begun) {
        begin_fill(call);
    }
    for (int i = 0; !call->full && call->fill.left > call->fill.cut_left; i++) {
        uint64_t left = call->fill.left - call->fill.cut_left;
        size_t n = left < sizeof letters ? (size_t)left : sizeof letters;

        if (i == CALL_TURN_BATCHES) {
            call_arm(call, loop_clock(call->m->loop));
            return;
        }
        call->full = http_stream_write(call->x, (struct str){letters, n}) != HTTP_WRITE_SENT;
        call->fill.left -= n;
    }
    if (call->fill.left > call->fill.cut_left) {
        return; /* on_drain goes on */
    }
    if (call->cut) {
        call_cut(call);
    } else if (!call->full) {
        end_fill(call);
    }
}

void fill_start(struct op *op, const struct fault_draw *draw, bool sse)
{
    struct mock *m = op->m;
    struct buf *head = &m->body;
    struct str tail = sse ? STR("\"}]}}\n\n") : STR("\"}]}}");
    size_t at = 0;

    pthread_once(&letters_once, fill_letters);
    head->len = 0;
    buf_add_c(head, sse ? "event: message\ndata: " : "");
    buf_add_str(head, STR("{\"jsonrpc\":\"2.0\",\"id\":"));
    buf_add_str(head, op->req->id);
    buf_add_str(head, STR(",\"result\":{\"content\":[{\"type\":\"text\",\"text\":\""));
    struct call *call = call_new(m, op->x, CALL_FILL, head->len + tail.len);
    call->sse = sse;
    call->cut = draw->strike == STRIKE_CUT;
    call->fill.left = op->fill_bytes;
    call->fill.cut_left = call->cut ? op->fill_bytes / 2 : 0;
    call->fill.head = call_put_text(call, &at, buf_str(head));
    call->fill.tail = call_put_text(call, &at, tail);
    if (op->delay_ns == 0 && call_may_run(m)) {
        fill_run(call);
    } else {
        call_arm(call, loop_clock(m->loop) + op->delay_ns);
    }
}
