/* SPDX-License-Identifier: MIT */
#include "worker/report_log.h"

#include "base/mem.h"

#include <string.h>

struct kept {
    struct list in_log, in_queue;
    uint64_t seq;
    size_t len;
    char frame[];
};

/* What a report costs beside its bytes. */
static size_t cost(size_t len)
{
    return sizeof(struct kept) + len;
}

static void forget(struct report_queue *q, struct kept *k)
{
    q->log->bytes -= cost(k->len);
    list_remove(&k->in_log);
    list_remove(&k->in_queue);
    xfree(k);
}

void report_log_init(struct report_log *log, size_t bytes_max)
{
    *log = (struct report_log){.bytes_max = bytes_max};
    list_init(&log->fresh_);
    list_init(&log->sent_);
}

bool report_log_fresh(const struct report_log *log)
{
    return !list_empty(&log->fresh_);
}

bool report_log_unacked(const struct report_log *log)
{
    return !list_empty(&log->sent_);
}

unsigned report_log_take(struct report_log *log, size_t bytes, struct buf *out)
{
    unsigned count = 0;

    while (!list_empty(&log->fresh_)) {
        struct kept *k = list_entry(log->fresh_.next, struct kept, in_log);

        if ((count > 0 && out->len + k->len > bytes) || buf_add(out, k->frame, k->len) != 0) {
            break;
        }
        list_remove(&k->in_log);
        list_append(&log->sent_, &k->in_log);
        count++;
    }
    return count;
}

void report_log_rewind(struct report_log *log)
{
    list_splice(&log->sent_, &log->fresh_);
    list_splice(&log->fresh_, &log->sent_);
}

void report_queue_init(struct report_queue *q, struct report_log *log)
{
    *q = (struct report_queue){.log = log};
    list_init(&q->kept_);
}

void report_queue_clear(struct report_queue *q)
{
    while (!list_empty(&q->kept_)) {
        forget(q, list_entry(q->kept_.next, struct kept, in_queue));
    }
}

bool report_queue_add(struct report_queue *q, struct str frame, enum report_need need)
{
    struct report_log *log = q->log;
    size_t bytes = cost(frame.len);

    if (need == REPORT_IF_ROOM && (bytes > log->bytes_max || log->bytes > log->bytes_max - bytes)) {
        q->refused++;
        return false;
    }
    struct kept *k = xmalloc(bytes);
    k->seq = ++q->last_seq;
    k->len = frame.len;
    memcpy(k->frame, frame.p, frame.len);
    log->bytes += bytes;
    list_append(&log->fresh_, &k->in_log);
    list_append(&q->kept_, &k->in_queue);
    return true;
}

void report_queue_ack(struct report_queue *q, uint64_t seq)
{
    if (seq > q->last_seq || seq <= q->acked_seq) {
        return;
    }
    q->acked_seq = seq;
    while (!list_empty(&q->kept_)) {
        struct kept *k = list_entry(q->kept_.next, struct kept, in_queue);

        if (k->seq > seq) {
            return;
        }
        forget(q, k);
    }
}

bool report_queue_empty(const struct report_queue *q)
{
    return list_empty(&q->kept_);
}
