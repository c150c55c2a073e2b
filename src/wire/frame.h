/* SPDX-License-Identifier: MIT */
/*
 * Messages between control plane and worker as frames of a byte stream:
 *
 *   u32, little-endian: length of what follows · u8 kind · payload
 *
 * A payload is a JSON object where people want to read it, and binary where it comes each second.
 * Over HTTP the JSON messages travel as bodies and events; only reports keep their frames.
 *
 *   kind       from           payload
 *   HELLO      worker         JSON, struct wire_hello (wire/messages.h)
 *   WELCOME    control plane  JSON, struct wire_welcome
 *   REFUSE     control plane  JSON, struct wire_refuse
 *   ORDER      control plane  JSON, struct wire_order (wire/order.h)
 *   REPORT     worker         binary, wire/report.h
 *   ACK        control plane  binary, wire/report.h
 *   HEARTBEAT  worker         JSON, struct wire_heartbeat
 *   PULSE      control plane  JSON, struct wire_pulse
 *
 * Versions. Both sides tell theirs in HELLO, and another major version is refused. What changes a
 * golden file of tests/data/wire is a new one: the major version where a program of the version
 * before would misread or refuse the message, which holds for every change of a binary message and
 * of what it counts (COUNT_MAP, DIST_MAP, LIMIT_MAP, the taxonomy); the minor version for a new
 * member of a JSON message that need not be there. Unknown members are ignored.
 *
 * The reader trusts nothing and needs memory for what has come, not for what a length promises.
 * One thread at a time.
 */
#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

enum { WIRE_MAJOR = 1, WIRE_MINOR = 0 };

enum {
    WIRE_FRAME_HEAD = 5,                /* bytes before the payload */
    WIRE_FRAME_MAX = 64 * 1024 * 1024,  /* bytes of a frame without its length: kind and payload */
    WIRE_FRAME_FIRST_MAX = 1024 * 1024, /* likewise, of a peer that is not known yet */
};

/* X(number, id, name) */
#define WIRE_KIND_MAP(X)         \
    X(1, HELLO, "hello")         \
    X(2, WELCOME, "welcome")     \
    X(3, REFUSE, "refuse")       \
    X(4, ORDER, "order")         \
    X(5, REPORT, "report")       \
    X(6, ACK, "ack")             \
    X(7, HEARTBEAT, "heartbeat") \
    X(8, PULSE, "pulse")
#define WIRE_KIND_ENUM_(number, id, name) WIRE_##id = (number),
enum wire_kind { WIRE_KIND_MAP(WIRE_KIND_ENUM_) };

/* "hello" …; NULL for what is no kind. */
const char *wire_kind_name(unsigned kind);

/* 0, or ERR_UNSUPPORTED with a text that names both versions and says what to do. */
int wire_check_major(uint32_t major, struct err *err);

/* Appends a whole frame. 0, or ERR_LIMIT (nothing is added). */
int wire_frame_add(struct buf *out, enum wire_kind kind, struct str payload);

/* For a payload that is written in place: the head, the payload by the caller, the end. *at is the
 * frame's beginning in `out`. ERR_LIMIT; after a failure of either, or of the caller's own, whoever
 * wrote cuts `out->len` back to *at. */
int wire_frame_begin(struct buf *out, enum wire_kind kind, size_t *at);
int wire_frame_end(struct buf *out, size_t at);

struct wire_frame {
    enum wire_kind kind;
    struct str payload; /* until the next call of the reader */
};

struct wire_reader {
    struct buf rest; /* the beginning of a frame that is not complete */
    size_t max;      /* may be raised between calls */
    bool taken;      /* the rest is a frame that was handed out */
    bool failed;     /* for good: frames cannot be told apart any more */
};

enum wire_token { WIRE_MORE, WIRE_READ };

/* `max`: of a frame without its length, at most WIRE_FRAME_MAX. */
void wire_reader_init(struct wire_reader *r, size_t max);
void wire_reader_clear(struct wire_reader *r);
/* Takes bytes from *p, in pieces of any size. WIRE_READ: *out is a frame, and *p stands behind it.
 * WIRE_MORE: all bytes are taken. ERR_LIMIT: a frame that is too long; ERR_SYNTAX: an empty one or
 * an unknown kind; the stream is of no use any more, and every later call says the same. */
int wire_reader_next(struct wire_reader *r,
                     const char **p,
                     const char *end,
                     struct wire_frame *out,
                     struct err *err);
/* The stream may end here: no frame is incomplete. */
bool wire_reader_idle(const struct wire_reader *r);

#endif
