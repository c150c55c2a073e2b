/* SPDX-License-Identifier: MIT */
#include "wire/frame.h"

#include <assert.h>

enum {
    LENGTH_BYTES = 4,
    /* A buffer that one large frame needed is given back. */
    KEPT_BYTES = 1024 * 1024,
};

const char *wire_kind_name(unsigned kind)
{
    switch (kind) {
#define KIND_NAME_(number, id, name) \
    case WIRE_##id:                  \
        return name;
        WIRE_KIND_MAP(KIND_NAME_)
    default:
        return NULL;
    }
}

int wire_check_major(uint32_t major, struct err *err)
{
    if (major == WIRE_MAJOR) {
        return 0;
    }
    return err_set(
        err, ERR_UNSUPPORTED,
        "messages of version %u.x on one side and %d.%d on the other do not fit; take the "
        "same version of mcpdrill for control plane and workers",
        major, WIRE_MAJOR, WIRE_MINOR);
}

/* ---- writing ----------------------------------------------------------------------------------
 */

static void put_length(char *to, size_t len)
{
    for (unsigned i = 0; i < LENGTH_BYTES; i++) {
        to[i] = (char)(len >> 8 * i);
    }
}

int wire_frame_begin(struct buf *out, enum wire_kind kind, size_t *at)
{
    char head[WIRE_FRAME_HEAD] = {0};

    *at = out->len;
    head[LENGTH_BYTES] = (char)kind;
    return buf_add(out, head, sizeof head);
}

int wire_frame_end(struct buf *out, size_t at)
{
    assert(out->len >= at + WIRE_FRAME_HEAD);
    size_t len = out->len - at - LENGTH_BYTES;

    if (len > WIRE_FRAME_MAX) {
        return ERR_LIMIT;
    }
    put_length(out->p + at, len);
    return 0;
}

int wire_frame_add(struct buf *out, enum wire_kind kind, struct str payload)
{
    size_t at;
    int rc = wire_frame_begin(out, kind, &at);

    rc = rc != 0 ? rc : buf_add_str(out, payload);
    rc = rc != 0 ? rc : wire_frame_end(out, at);
    if (rc != 0) {
        out->len = at;
    }
    return rc;
}

/* ---- reading ----------------------------------------------------------------------------------
 */

void wire_reader_init(struct wire_reader *r, size_t max)
{
    assert(max <= WIRE_FRAME_MAX);
    *r = (struct wire_reader){.max = max};
    buf_init(&r->rest, LENGTH_BYTES + WIRE_FRAME_MAX);
}

void wire_reader_clear(struct wire_reader *r)
{
    buf_clear(&r->rest);
}

bool wire_reader_idle(const struct wire_reader *r)
{
    return r->taken || r->rest.len == 0;
}

static int fail(struct wire_reader *r, struct err *err)
{
    r->failed = true;
    return err_set(err, ERR_SYNTAX, "the stream is of no use any more");
}

/* Of the frame that begins at `p`; 0 when there is too little of it to know. Its length without
 * the length itself in *len. */
static int read_head(struct wire_reader *r, struct str p, size_t *len, struct err *err)
{
    *len = 0;
    if (p.len < LENGTH_BYTES) {
        return 0;
    }
    for (unsigned i = 0; i < LENGTH_BYTES; i++) {
        *len |= (size_t)(unsigned char)p.p[i] << 8 * i;
    }
    if (*len == 0) {
        fail(r, NULL);
        return err_set(err, ERR_SYNTAX, "a frame without a kind");
    }
    if (*len > r->max) {
        fail(r, NULL);
        return err_set(err, ERR_LIMIT, "a frame of %zu bytes, at most %zu are read", *len, r->max);
    }
    if (p.len > LENGTH_BYTES && wire_kind_name((unsigned char)p.p[LENGTH_BYTES]) == NULL) {
        fail(r, NULL);
        return err_set(err, ERR_SYNTAX, "a frame of the unknown kind %u",
                       (unsigned)(unsigned char)p.p[LENGTH_BYTES]);
    }
    return 0;
}

static int hand_out(const char *p, size_t len, struct wire_frame *out)
{
    out->kind = (enum wire_kind)(unsigned char)p[LENGTH_BYTES];
    out->payload = (struct str){p + WIRE_FRAME_HEAD, len - 1};
    return WIRE_READ;
}

/* What was handed out is done with. */
static void drop_taken(struct wire_reader *r)
{
    if (!r->taken) {
        return;
    }
    r->taken = false;
    r->rest.len = 0;
    if (r->rest.cap > KEPT_BYTES) {
        buf_clear(&r->rest);
    }
}

/* Moves bytes behind the rest until it has `want`. False: there were too few. */
static bool fill_up(struct wire_reader *r, size_t want, const char **p, const char *end)
{
    size_t more = want - r->rest.len, n = (size_t)(end - *p) < more ? (size_t)(end - *p) : more;

    int rc = buf_add(&r->rest, *p, n);
    assert(rc == 0); /* the lengths were checked */
    *p += n;
    return n == more;
}

static int next_of_rest(
    struct wire_reader *r, const char **p, const char *end, struct wire_frame *out, struct err *err)
{
    size_t len;

    if (r->rest.len < WIRE_FRAME_HEAD && !fill_up(r, WIRE_FRAME_HEAD, p, end)) {
        return read_head(r, buf_str(&r->rest), &len, err); /* 0: WIRE_MORE */
    }
    int rc = read_head(r, buf_str(&r->rest), &len, err);
    if (rc != 0 || !fill_up(r, LENGTH_BYTES + len, p, end)) {
        return rc;
    }
    r->taken = true;
    return hand_out(r->rest.p, len, out);
}

int wire_reader_next(
    struct wire_reader *r, const char **p, const char *end, struct wire_frame *out, struct err *err)
{
    size_t len, here = (size_t)(end - *p);

    if (r->failed) {
        return fail(r, err);
    }
    drop_taken(r);
    if (r->rest.len > 0) {
        return next_of_rest(r, p, end, out, err);
    }
    int rc = read_head(r, (struct str){*p, here}, &len, err);
    if (rc != 0) {
        return rc;
    }
    if (len > 0 && here - LENGTH_BYTES >= len) {
        rc = hand_out(*p, len, out);
        *p += LENGTH_BYTES + len;
        return rc;
    }
    fill_up(r, r->rest.len + here, p, end);
    return WIRE_MORE;
}
