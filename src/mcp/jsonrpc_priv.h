/* SPDX-License-Identifier: MIT */
/*
 * Insides of the JSON-RPC scanner, shared by its two halves:
 *
 *   jsonrpc.c           RFC 8259: tokens, nesting, UTF-8; a state machine that may stop at any byte
 *   jsonrpc_envelope.c  what the members of an envelope mean, and the verdict
 *
 * A *slot* says what the coming value is. A key finds it, and it lasts until the value begins. Keys
 * are looked at in three kinds of objects only (*scope*): the envelope, its `result` and its
 * `error`; everything else is validated and forgotten. Strings and numbers that matter are
 * *captured* while they pass.
 */
#ifndef MCP_JSONRPC_PRIV_H
#define MCP_JSONRPC_PRIV_H

#include "mcp/jsonrpc.h"

enum jsonrpc_slot {
    SLOT_NONE,
    SLOT_TOP,     /* the whole text */
    SLOT_ELEMENT, /* an element of a batch */
    SLOT_JSONRPC,
    SLOT_ID,
    SLOT_METHOD,
    SLOT_PARAMS,
    SLOT_RESULT,
    SLOT_ERROR,
    SLOT_IS_ERROR,
    SLOT_CURSOR,
    SLOT_PROTOCOL,
    SLOT_CODE,
    SLOT_MESSAGE,
};

enum jsonrpc_scope { SCOPE_NONE, SCOPE_ENVELOPE, SCOPE_RESULT, SCOPE_ERROR };

enum {
    SCAN_KEY_MAX = 24,    /* longer than each key that means something */
    SCAN_SCOPE_DEPTH = 4, /* scopes lie at depths below this one: batch, envelope, result */
};

/* The captured string: where it goes, to be cut at `max` bytes. p is NULL when none is captured. */
struct jsonrpc_text {
    char *p;
    uint16_t len, max;
    bool cut;
    uint8_t slot;
    uint16_t high; /* a high surrogate that waits for its low one, or 0 */
};

/* The captured number: mantissa * 10^(zeros + exponent - fraction_digits). */
struct jsonrpc_number {
    uint64_t mantissa; /* without its trailing zeros */
    int64_t zeros, fraction_digits, exponent;
    bool wanted, negative, exponent_negative;
    bool full; /* the mantissa has more digits than fit */
    uint8_t slot;
};

struct jsonrpc_scan {
    /* scan */
    uint8_t state;
    uint8_t number_state, literal, literal_at, hex_left;
    uint8_t utf8_left, utf8_low, utf8_high; /* bytes still due; range of the next one */
    uint16_t unit;                          /* digits of \u so far */
    bool is_key;                            /* the current string is a key */
    uint32_t depth;
    uint64_t objects[JSONRPC_DEPTH_MAX / 64]; /* a bit per open bracket: 1 for '{' */
    const char *syntax_fault;

    /* between the two */
    uint8_t slot;  /* of the coming value */
    uint8_t scope; /* of the innermost bracket */
    uint8_t inner; /* scope of the object that begins now */
    uint8_t scopes[SCAN_SCOPE_DEPTH];
    uint8_t base; /* depth around an envelope: 0, in a batch 1 */
    struct jsonrpc_text text;
    struct jsonrpc_number number;
    char key[SCAN_KEY_MAX + 4];

    /* envelope */
    bool found;    /* batch: the response that carries want_id has passed */
    uint16_t seen; /* SEEN_… */
    int64_t want_id;
    const char *fault; /* of the first thing that should be an envelope and is none */
    struct jsonrpc_msg msg;
};

static inline void
jsonrpc_capture(struct jsonrpc_scan *s, enum jsonrpc_slot slot, char *text, size_t max)
{
    s->text.p = text;
    s->text.len = 0;
    s->text.max = (uint16_t)max;
    s->text.cut = false;
    s->text.slot = (uint8_t)slot;
    s->text.high = 0;
}

/* For the start of a text. */
void jsonrpc_envelope_init(struct jsonrpc_scan *s, int64_t want_id);
/* What the member `key` of an object of that scope is. */
enum jsonrpc_slot jsonrpc_find_slot(enum jsonrpc_scope scope, struct str key);
/* A value of that slot begins with the byte `c`: sets what is to be captured, and `inner`. */
void jsonrpc_begin_slot(struct jsonrpc_scan *s, enum jsonrpc_slot slot, char c);
/* The captured string in s->text is complete. */
void jsonrpc_end_text(struct jsonrpc_scan *s);
/* The captured number is complete. */
void jsonrpc_end_number(struct jsonrpc_scan *s);
/* The brace that ends an envelope has passed. */
void jsonrpc_end_envelope(struct jsonrpc_scan *s);
/* The text is complete; s->syntax_fault says whether it is JSON. Completes s->msg. */
void jsonrpc_judge_text(struct jsonrpc_scan *s);

#endif
