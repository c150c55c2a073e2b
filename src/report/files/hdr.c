/* SPDX-License-Identifier: MIT */
#include "report/files/hdr.h"

#include "base/mem.h"

#include <string.h>
#define ZLIB_CONST /* its input is not written to */
#include <zlib.h>

#define COOKIE_TEXT UINT32_C(0x1c849314) /* of the compressed form */
#define COOKIE_BODY UINT32_C(0x1c849313)

/* Our own layout (metrics/histogram.h) in the words of the format. */
enum { OWN_DIGITS = 2, OWN_LOWEST = 1, TEXT_HEAD_BYTES = 8 };

__extension__ typedef unsigned __int128 wide;

/* ---- numbers ----------------------------------------------------------------------------------
 */

size_t hdr_put_number(int64_t n, unsigned char out[HDR_NUMBER_BYTES])
{
    uint64_t z = ((uint64_t)n << 1) ^ (n < 0 ? UINT64_MAX : 0);
    size_t at = 0;

    /* The ninth byte has room for the eight bits that are left, and is the last in any case. */
    while (z > 127 && at < HDR_NUMBER_BYTES - 1) {
        out[at++] = (unsigned char)((z & 127) | 128);
        z >>= 7;
    }
    out[at++] = (unsigned char)z;
    return at;
}

size_t hdr_get_number(const unsigned char *p, size_t len, int64_t *out)
{
    uint64_t z = 0;

    for (size_t at = 0; at < len && at < HDR_NUMBER_BYTES; at++) {
        bool last = at == HDR_NUMBER_BYTES - 1 || p[at] < 128;

        z |= (uint64_t)(at == HDR_NUMBER_BYTES - 1 ? p[at] : p[at] & 127) << (7 * at);
        if (last) {
            uint64_t value = z >> 1;
            *out = (z & 1) != 0 ? -(int64_t)value - 1 : (int64_t)value;
            return at + 1;
        }
    }
    return 0;
}

static void put_u32(unsigned char *out, uint32_t v)
{
    for (int i = 0; i < 4; i++) {
        out[i] = (unsigned char)(v >> (24 - 8 * i));
    }
}

static void put_u64(unsigned char *out, uint64_t v)
{
    put_u32(out, (uint32_t)(v >> 32));
    put_u32(out + 4, (uint32_t)v);
}

static uint32_t get_u32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint64_t get_u64(const unsigned char *p)
{
    return (uint64_t)get_u32(p) << 32 | get_u32(p + 4);
}

/* ---- base64 (RFC 4648, section 4) --------------------------------------------------------------
 */

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int add_base64(struct buf *out, const unsigned char *p, size_t len)
{
    if (buf_reserve(out, (len + 2) / 3 * 4) != 0) {
        return ERR_LIMIT;
    }
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        uint32_t bits = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
                        (left > 2 ? p[i + 2] : 0u);
        char four[4] = {base64[bits >> 18], base64[bits >> 12 & 63], '=', '='};

        if (left > 1) {
            four[2] = base64[bits >> 6 & 63];
        }
        if (left > 2) {
            four[3] = base64[bits & 63];
        }
        (void)buf_add(out, four, sizeof four);
    }
    return 0;
}

/* The value of a character, or -1. */
static int base64_value(char c)
{
    const char *at = c != '\0' ? strchr(base64, c) : NULL;

    return at != NULL ? (int)(at - base64) : -1;
}

/* False when it is not base64 with its padding. `out` takes text.len / 4 * 3 bytes. */
static bool read_base64(struct str text, unsigned char *out, size_t *out_len)
{
    size_t pad = 0;

    if (text.len == 0 || text.len % 4 != 0) {
        return false;
    }
    while (pad < 2 && text.p[text.len - 1 - pad] == '=') {
        pad++;
    }
    *out_len = text.len / 4 * 3 - pad;
    for (size_t i = 0, at = 0; i < text.len; i += 4) {
        uint32_t bits = 0;

        for (size_t j = 0; j < 4; j++) {
            bool padding = i + j >= text.len - pad;
            int value = padding ? 0 : base64_value(text.p[i + j]);
            if (value < 0) {
                return false;
            }
            bits = bits << 6 | (uint32_t)value;
        }
        for (int shift = 16; shift >= 0 && at < *out_len; shift -= 8) {
            out[at++] = (unsigned char)(bits >> shift);
        }
    }
    return true;
}

/* ---- writing ----------------------------------------------------------------------------------
 */

static int add_number(struct buf *out, int64_t n)
{
    unsigned char bytes[HDR_NUMBER_BYTES];

    return buf_add(out, bytes, hdr_put_number(n, bytes));
}

static int add_payload(const struct hist_total *t, struct buf *out)
{
    int64_t empty = 0;
    int rc = 0;

    if (t->head.count == 0) {
        return 0;
    }
    for (uint32_t i = 0; rc == 0 && i <= t->head.hi; i++) {
        uint64_t count = hist_total_bucket(t, i);

        if (count == 0) {
            empty++;
            continue;
        }
        if (empty > 0) {
            rc = add_number(out, empty == 1 ? 0 : -empty);
            empty = 0;
        }
        if (rc == 0) {
            rc = add_number(out, count > INT64_MAX ? INT64_MAX : (int64_t)count);
        }
    }
    return rc;
}

int hdr_write_body(const struct hist_total *t, struct buf *out)
{
    static const double ratio = 1.0;
    unsigned char head[HDR_HEAD_BYTES] = {0};
    uint64_t ratio_bits;
    size_t at = out->len;

    memcpy(&ratio_bits, &ratio, sizeof ratio_bits);
    put_u32(head, COOKIE_BODY);
    put_u32(head + 12, OWN_DIGITS);
    put_u64(head + 16, OWN_LOWEST);
    put_u64(head + 24, HIST_VALUE_MAX);
    put_u64(head + 32, ratio_bits);
    int rc = buf_add(out, head, sizeof head);
    if (rc == 0) {
        rc = add_payload(t, out);
    }
    if (rc != 0) {
        out->len = at;
        return rc;
    }
    put_u32((unsigned char *)out->p + at + 4, (uint32_t)(out->len - at - HDR_HEAD_BYTES));
    return 0;
}

int hdr_write_text(const struct hist_total *t, struct buf *out)
{
    struct buf body;

    buf_init(&body, HDR_HEAD_BYTES + (size_t)HIST_BUCKETS * HDR_NUMBER_BYTES);
    int rc = hdr_write_body(t, &body);
    if (rc == 0) {
        uLongf size = compressBound(body.len);
        unsigned char *packed = xmalloc(TEXT_HEAD_BYTES + size);

        rc = compress2(packed + TEXT_HEAD_BYTES, &size, (const unsigned char *)body.p, body.len,
                       Z_BEST_COMPRESSION) == Z_OK
                 ? 0
                 : ERR_LIMIT;
        if (rc == 0) {
            put_u32(packed, COOKIE_TEXT);
            put_u32(packed + 4, (uint32_t)size);
            rc = add_base64(out, packed, TEXT_HEAD_BYTES + size);
        }
        xfree(packed);
    }
    buf_clear(&body);
    return rc;
}

/* ---- buckets of any parameters -----------------------------------------------------------------
 */

int hdr_make(unsigned digits, uint64_t lowest, uint64_t highest, struct hdr *out, struct err *err)
{
    uint64_t largest = 2;

    memset(out, 0, sizeof *out);
    if (digits < 1 || digits > HDR_DIGITS_MAX || lowest < 1 || highest > INT64_MAX ||
        highest / 2 < lowest) {
        return err_set(err, ERR_INVALID, "no histogram has %u digits from %llu to %llu", digits,
                       (unsigned long long)lowest, (unsigned long long)highest);
    }
    for (unsigned i = 0; i < digits; i++) {
        largest *= 10;
    }
    out->sub_bits_ = 64u - (unsigned)__builtin_clzll(largest - 1);
    out->unit_bits_ = 63u - (unsigned)__builtin_clzll(lowest);
    if (out->sub_bits_ + out->unit_bits_ > 61) {
        return err_set(err, ERR_INVALID, "%u digits from %llu on leave no buckets", digits,
                       (unsigned long long)lowest);
    }
    /* Octaves that reach beyond the highest value. */
    uint64_t octaves = 1;
    for (unsigned bits = out->sub_bits_ + out->unit_bits_; bits < 63 && highest >> bits != 0;
         bits++) {
        octaves++;
    }
    uint64_t count_len = (octaves + 1) << (out->sub_bits_ - 1);
    if (count_len > HDR_COUNTS_MAX) {
        return err_set(err, ERR_LIMIT, "a histogram of %llu buckets is larger than %d",
                       (unsigned long long)count_len, HDR_COUNTS_MAX);
    }
    out->digits = digits;
    out->lowest = lowest;
    out->highest = highest;
    out->count_len = (uint32_t)count_len;
    out->counts = xcalloc(count_len, sizeof *out->counts);
    return 0;
}

void hdr_clear(struct hdr *h)
{
    xfree(h->counts);
    memset(h, 0, sizeof *h);
}

uint32_t hdr_index(const struct hdr *h, uint64_t value)
{
    uint64_t mask = ((UINT64_C(1) << h->sub_bits_) - 1) << h->unit_bits_;
    unsigned octave = 64u - (unsigned)__builtin_clzll(value | mask) - h->unit_bits_ - h->sub_bits_;
    uint64_t sub = value >> (octave + h->unit_bits_);
    uint64_t index =
        (((uint64_t)octave + 1) << (h->sub_bits_ - 1)) + sub - (UINT64_C(1) << (h->sub_bits_ - 1));

    return index < h->count_len ? (uint32_t)index : HDR_COUNTS_MAX;
}

/* Which octave bucket `i` lies in: the first one has twice as many as the others. */
static unsigned octave_of(const struct hdr *h, uint32_t i)
{
    uint32_t half = i >> (h->sub_bits_ - 1);

    return half == 0 ? 0 : half - 1;
}

uint64_t hdr_low(const struct hdr *h, uint32_t i)
{
    uint64_t half = UINT64_C(1) << (h->sub_bits_ - 1);
    unsigned octave = octave_of(h, i);
    uint64_t sub = i < 2 * half ? i : half + (i & (half - 1));

    return sub << (octave + h->unit_bits_);
}

uint64_t hdr_width(const struct hdr *h, uint32_t i)
{
    return UINT64_C(1) << (octave_of(h, i) + h->unit_bits_);
}

/* ---- reading ----------------------------------------------------------------------------------
 */

static int read_payload(const unsigned char *p, size_t len, struct hdr *out, struct err *err)
{
    uint64_t index = 0, total = 0;

    for (size_t at = 0; at < len;) {
        int64_t n;
        size_t took = hdr_get_number(p + at, len - at, &n);

        if (took == 0) {
            return err_set(err, ERR_SYNTAX, "the payload ends within a number");
        }
        at += took;
        /* -n of the smallest number does not exist as a signed one. */
        uint64_t step = n < 0 ? (uint64_t)0 - (uint64_t)n : 1;
        if (step > out->count_len - index) {
            return err_set(err, ERR_SYNTAX, "the payload runs past the last bucket");
        }
        if (n > 0) {
            total += (uint64_t)n;
            if (total > INT64_MAX) {
                return err_set(err, ERR_SYNTAX, "more samples than a number can count");
            }
            out->counts[index] = (uint64_t)n;
        }
        index += step;
    }
    return 0;
}

int hdr_read_body(struct str body, struct hdr *out, struct err *err)
{
    const unsigned char *p = (const unsigned char *)body.p;

    hdr_clear(out);
    if (body.len < HDR_HEAD_BYTES || get_u32(p) != COOKIE_BODY) {
        return err_set(err, ERR_SYNTAX, "not a histogram of version 2");
    }
    /* The normalising offset and the ratio are passed over: other writers fill them as they
     * like. */
    uint32_t len = get_u32(p + 4), digits = get_u32(p + 12);
    int rc = hdr_make(digits, get_u64(p + 16), get_u64(p + 24), out, err);
    if (rc != 0) {
        return rc;
    }
    if (len != body.len - HDR_HEAD_BYTES || len > (uint64_t)out->count_len * HDR_NUMBER_BYTES) {
        rc = err_set(err, ERR_SYNTAX, "a payload of %u bytes, %zu are there", len,
                     body.len - HDR_HEAD_BYTES);
    } else {
        rc = read_payload(p + HDR_HEAD_BYTES, len, out, err);
    }
    if (rc != 0) {
        hdr_clear(out);
    }
    return rc;
}

/* Inflates a stream that may be larger than any body: `body` has its bound. */
static int inflate_body(const unsigned char *p, size_t len, struct buf *body, struct err *err)
{
    enum { STEP = 64 * 1024 };
    z_stream z = {.next_in = p, .avail_in = (uInt)len};
    int rc = inflateInit(&z) == Z_OK ? 0 : err_set(err, ERR_NO_MEMORY, "zlib cannot start");
    int status = Z_OK;

    if (rc != 0) {
        return rc;
    }
    while (rc == 0 && status == Z_OK) {
        if (buf_reserve(body, STEP) != 0) {
            rc = err_set(err, ERR_LIMIT, "a histogram larger than %zu bytes", body->max);
            break;
        }
        z.next_out = (unsigned char *)body->p + body->len;
        z.avail_out = STEP;
        status = inflate(&z, Z_NO_FLUSH);
        body->len += STEP - z.avail_out;
    }
    if (rc == 0 && (status != Z_STREAM_END || z.avail_in > 0)) {
        rc = err_set(err, ERR_SYNTAX, "not a whole zlib stream");
    }
    inflateEnd(&z);
    return rc;
}

int hdr_read_text(struct str text, struct hdr *out, struct err *err)
{
    struct buf body;
    size_t len = 0;

    hdr_clear(out);
    if (text.len > HDR_TEXT_MAX) {
        return err_set(err, ERR_LIMIT, "a histogram of %zu characters", text.len);
    }
    unsigned char *packed = xmalloc(text.len / 4 * 3 + 1);
    buf_init(&body, HDR_BODY_MAX);
    int rc;
    if (!read_base64(text, packed, &len) || len < TEXT_HEAD_BYTES ||
        get_u32(packed) != COOKIE_TEXT || get_u32(packed + 4) != len - TEXT_HEAD_BYTES) {
        rc = err_set(err, ERR_SYNTAX, "not a compressed histogram of version 2");
    } else {
        rc = inflate_body(packed + TEXT_HEAD_BYTES, len - TEXT_HEAD_BYTES, &body, err);
    }
    if (rc == 0) {
        rc = hdr_read_body(buf_str(&body), out, err);
    }
    buf_clear(&body);
    xfree(packed);
    return rc;
}

/* ---- into our own layout -----------------------------------------------------------------------
 */

static void add_bucket(struct hist_total *to, uint64_t low, uint64_t width, uint64_t count)
{
    uint64_t middle = low + width / 2, high = low + (width - 1);

    if (middle > HIST_VALUE_MAX) {
        to->head.overflow += count;
    }
    middle = middle > HIST_VALUE_MAX ? HIST_VALUE_MAX : middle;
    low = low > HIST_VALUE_MAX ? HIST_VALUE_MAX : low;
    high = high > HIST_VALUE_MAX ? HIST_VALUE_MAX : high;
    unsigned i = hist_index(middle);
    hist_total_count(to, i, count);
    to->head.count += count;
    to->sum += (wide)middle * count;
    to->head.min = low < to->head.min ? low : to->head.min;
    to->head.max = high > to->head.max ? high : to->head.max;
    to->head.lo = i < to->head.lo ? i : to->head.lo;
    to->head.hi = i > to->head.hi ? i : to->head.hi;
}

void hdr_add_to(const struct hdr *h, struct hist_total *to)
{
    for (uint32_t i = 0; i < h->count_len; i++) {
        if (h->counts[i] > 0) {
            add_bucket(to, hdr_low(h, i), hdr_width(h, i), h->counts[i]);
        }
    }
}
