/* SPDX-License-Identifier: MIT */
#include "mcp/jsonrpc_priv.h"

/* What an envelope has shown so far. */
enum {
    SEEN_JSONRPC = 1,
    SEEN_VERSION_2 = 2,
    SEEN_ID = 4,
    SEEN_ID_AGAIN = 8,
    SEEN_METHOD = 16,
    SEEN_METHOD_BAD = 32,
    SEEN_PARAMS_BAD = 64,
    SEEN_RESULT = 128,
    SEEN_ERROR = 256,
    SEEN_ERROR_BAD = 512,
};

#define IS(literal) (memcmp(key.p, (literal), sizeof(literal) - 1) == 0)

static enum jsonrpc_slot envelope_slot(struct str key)
{
    switch (key.len) {
    case 2:
        return IS("id") ? SLOT_ID : SLOT_NONE;
    case 5:
        return IS("error") ? SLOT_ERROR : SLOT_NONE;
    case 6:
        return IS("result")   ? SLOT_RESULT
               : IS("method") ? SLOT_METHOD
               : IS("params") ? SLOT_PARAMS
                              : SLOT_NONE;
    case 7:
        return IS("jsonrpc") ? SLOT_JSONRPC : SLOT_NONE;
    default:
        return SLOT_NONE;
    }
}

static enum jsonrpc_slot result_slot(struct str key)
{
    switch (key.len) {
    case 7:
        return IS("isError") ? SLOT_IS_ERROR : SLOT_NONE;
    case 10:
        return IS("nextCursor") ? SLOT_CURSOR : SLOT_NONE;
    case 15:
        return IS("protocolVersion") ? SLOT_PROTOCOL : SLOT_NONE;
    default:
        return SLOT_NONE;
    }
}

static enum jsonrpc_slot error_slot(struct str key)
{
    switch (key.len) {
    case 4:
        return IS("code") ? SLOT_CODE : SLOT_NONE;
    case 7:
        return IS("message") ? SLOT_MESSAGE : SLOT_NONE;
    default:
        return SLOT_NONE;
    }
}

enum jsonrpc_slot jsonrpc_find_slot(enum jsonrpc_scope scope, struct str key)
{
    switch (scope) {
    case SCOPE_ENVELOPE:
        return envelope_slot(key);
    case SCOPE_RESULT:
        return result_slot(key);
    case SCOPE_ERROR:
        return error_slot(key);
    case SCOPE_NONE:
        break;
    }
    return SLOT_NONE;
}

static void forget_result(struct jsonrpc_msg *m)
{
    m->is_error = m->has_cursor = m->cursor_too_long = m->has_version = false;
    m->cursor[0] = m->version[0] = '\0';
}

/* Nothing of an earlier message is left; the texts need no more than an end. */
static void forget(struct jsonrpc_msg *m)
{
    m->fault = NULL;
    m->id_kind = JSONRPC_ID_NONE;
    m->id = 0;
    m->error_code = 0;
    m->text[0] = '\0';
    m->text_cut = false;
    forget_result(m);
}

/* Captures a value if it is a string. */
static void
want_text(struct jsonrpc_scan *s, enum jsonrpc_slot slot, char c, char *text, size_t max)
{
    text[0] = '\0';
    if (c == '"') {
        jsonrpc_capture(s, slot, text, max);
    }
}

static bool starts_number(char c)
{
    return c == '-' || (c >= '0' && c <= '9');
}

static void want_number(struct jsonrpc_scan *s, enum jsonrpc_slot slot, char c)
{
    s->number = (struct jsonrpc_number){.wanted = starts_number(c), .slot = (uint8_t)slot};
}

static void begin_id(struct jsonrpc_scan *s, char c)
{
    s->seen |= (s->seen & SEEN_ID) != 0 ? SEEN_ID_AGAIN : SEEN_ID;
    s->msg.id_kind = c == 'n' ? JSONRPC_ID_NULL : JSONRPC_ID_OTHER; /* Until end_number. */
    s->msg.id = 0;
    want_number(s, SLOT_ID, c);
}

static void begin_method(struct jsonrpc_scan *s, char c)
{
    s->seen = (uint16_t)((s->seen & ~SEEN_METHOD_BAD) | SEEN_METHOD);
    s->seen |= c == '"' ? 0 : SEEN_METHOD_BAD;
    want_text(s, SLOT_METHOD, c, s->msg.text, JSONRPC_TEXT_MAX);
}

static void begin_error(struct jsonrpc_scan *s, char c)
{
    s->seen = (uint16_t)((s->seen & ~SEEN_ERROR_BAD) | SEEN_ERROR);
    s->seen |= c == '{' ? 0 : SEEN_ERROR_BAD;
    s->inner = c == '{' ? SCOPE_ERROR : SCOPE_NONE;
    s->msg.error_code = 0;
    if ((s->seen & SEEN_METHOD) == 0) {
        s->msg.text[0] = '\0';
    }
}

static void begin_envelope(struct jsonrpc_scan *s, enum jsonrpc_slot slot, char c)
{
    if (slot == SLOT_ELEMENT) {
        s->msg.batch_count++;
    }
    if (s->found) {
        return;
    }
    if (slot == SLOT_TOP && c == '[') {
        s->base = 1;
    } else if (c == '{') {
        s->seen = 0;
        forget(&s->msg);
        s->inner = SCOPE_ENVELOPE;
    } else if (s->fault == NULL) {
        s->fault = slot == SLOT_TOP ? "the text is neither an object nor an array"
                                    : "an element of the batch is not an object";
    }
}

/* A value that means something begins with `c`. The later of two members of the same name wins. */
void jsonrpc_begin_slot(struct jsonrpc_scan *s, enum jsonrpc_slot slot, char c)
{
    struct jsonrpc_msg *m = &s->msg;

    switch (slot) {
    case SLOT_TOP:
    case SLOT_ELEMENT:
        begin_envelope(s, slot, c);
        break;
    case SLOT_JSONRPC:
        s->seen = (uint16_t)((s->seen & ~SEEN_VERSION_2) | SEEN_JSONRPC);
        want_text(s, slot, c, s->key, SCAN_KEY_MAX);
        break;
    case SLOT_ID:
        begin_id(s, c);
        break;
    case SLOT_METHOD:
        begin_method(s, c);
        break;
    case SLOT_PARAMS:
        s->seen = (uint16_t)(s->seen & ~SEEN_PARAMS_BAD);
        s->seen |= c == '{' || c == '[' ? 0 : SEEN_PARAMS_BAD;
        break;
    case SLOT_RESULT:
        s->seen |= SEEN_RESULT;
        forget_result(m);
        s->inner = c == '{' ? SCOPE_RESULT : SCOPE_NONE;
        break;
    case SLOT_ERROR:
        begin_error(s, c);
        break;
    case SLOT_IS_ERROR:
        m->is_error = c == 't';
        break;
    case SLOT_CURSOR:
        m->has_cursor = c == '"';
        m->cursor_too_long = false;
        want_text(s, slot, c, m->cursor, JSONRPC_CURSOR_MAX);
        break;
    case SLOT_PROTOCOL:
        m->has_version = c == '"';
        want_text(s, slot, c, m->version, JSONRPC_VERSION_MAX);
        break;
    case SLOT_CODE:
        m->error_code = 0;
        want_number(s, slot, c);
        break;
    case SLOT_MESSAGE:
        /* The text belongs to the method's name when there is one. */
        if ((s->seen & SEEN_METHOD) == 0) {
            m->text_cut = false;
            want_text(s, slot, c, m->text, JSONRPC_TEXT_MAX);
        }
        break;
    case SLOT_NONE:
        break;
    }
}

struct rule {
    unsigned has, lacks; /* SEEN_… */
    enum jsonrpc_kind kind;
    const char *fault;
};

/* The first rule that applies decides; the last one always does. */
static const struct rule rules[] = {
    {SEEN_ID_AGAIN, 0, JSONRPC_NOT_JSONRPC, "two members `id`"},
    {0, SEEN_JSONRPC, JSONRPC_NOT_JSONRPC, "no member `jsonrpc`"},
    {0, SEEN_VERSION_2, JSONRPC_NOT_JSONRPC, "`jsonrpc` is not \"2.0\""},
    {SEEN_METHOD_BAD, 0, JSONRPC_NOT_JSONRPC, "`method` is not a string"},
    {SEEN_METHOD | SEEN_PARAMS_BAD, 0, JSONRPC_NOT_JSONRPC,
     "`params` is neither an object nor an array"},
    {SEEN_METHOD | SEEN_ID, 0, JSONRPC_REQUEST, NULL},
    {SEEN_METHOD, 0, JSONRPC_NOTIFICATION, NULL},
    {SEEN_RESULT | SEEN_ERROR, 0, JSONRPC_NOT_JSONRPC, "both `result` and `error`"},
    {SEEN_RESULT, 0, JSONRPC_RESULT, NULL},
    {SEEN_ERROR_BAD, 0, JSONRPC_NOT_JSONRPC, "`error` is not an object"},
    {SEEN_ERROR, 0, JSONRPC_ERROR, NULL},
    {0, 0, JSONRPC_NOT_JSONRPC, "none of `result`, `error` and `method`"},
};

static void judge(struct jsonrpc_scan *s)
{
    const struct rule *r = rules;

    while ((s->seen & r->has) != r->has || (s->seen & r->lacks) != 0) {
        r++;
    }
    s->msg.kind = r->kind;
    s->msg.fault = r->fault;
}

/* The envelope's closing brace has passed. */
void jsonrpc_end_envelope(struct jsonrpc_scan *s)
{
    struct jsonrpc_msg *m = &s->msg;

    judge(s);
    if (s->base == 0) {
        return;
    }
    if (m->kind == JSONRPC_NOT_JSONRPC && s->fault == NULL) {
        s->fault = m->fault;
    }
    s->found = (m->kind == JSONRPC_RESULT || m->kind == JSONRPC_ERROR) &&
               m->id_kind == JSONRPC_ID_INT && m->id == s->want_id;
}

/* 10^zeros times the mantissa, with its sign, if that is an int64_t. */
static bool number_value(const struct jsonrpc_number *n, int64_t *out)
{
    int64_t shift =
        n->zeros + (n->exponent_negative ? -n->exponent : n->exponent) - n->fraction_digits;
    uint64_t v = n->mantissa;

    if (v == 0) {
        *out = 0;
        return true;
    }
    if (n->full || shift < 0) {
        return false;
    }
    for (; shift > 0; shift--) {
        if (__builtin_mul_overflow(v, UINT64_C(10), &v)) {
            return false;
        }
    }
    if (v > (uint64_t)INT64_MAX + n->negative) {
        return false;
    }
    *out = (int64_t)(n->negative ? 0 - v : v);
    return true;
}

void jsonrpc_end_number(struct jsonrpc_scan *s)
{
    int64_t v = 0;
    bool fits = number_value(&s->number, &v);

    s->number.wanted = false;
    if (s->number.slot == SLOT_CODE) {
        s->msg.error_code = v;
    } else if (fits) {
        s->msg.id_kind = JSONRPC_ID_INT;
        s->msg.id = v;
    }
}

/* Takes away the bytes of a last character that did not fit as a whole. */
static void cut_text(struct jsonrpc_text *t)
{
    uint16_t lead = t->len;
    unsigned char c;
    uint16_t need;

    do {
        lead--;
        c = (unsigned char)t->p[lead];
    } while (lead > 0 && c >= 0x80 && c < 0xc0);
    need = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    if (t->len - lead < need) {
        t->len = lead;
    }
}

void jsonrpc_end_text(struct jsonrpc_scan *s)
{
    struct jsonrpc_text *t = &s->text;

    if (t->cut) {
        cut_text(t);
    }
    t->p[t->len] = '\0';
    if (t->slot == SLOT_JSONRPC && str_eq((struct str){t->p, t->len}, STR("2.0"))) {
        s->seen |= SEEN_VERSION_2;
    } else if (t->slot == SLOT_CURSOR) {
        s->msg.cursor_too_long = t->cut;
    } else if (t->slot == SLOT_MESSAGE) {
        s->msg.text_cut = t->cut;
    }
    t->p = NULL;
}

static void set_verdict(struct jsonrpc_msg *m, enum jsonrpc_kind kind, const char *fault)
{
    forget(m);
    m->kind = kind;
    m->fault = fault;
}

void jsonrpc_judge_text(struct jsonrpc_scan *s)
{
    if (s->syntax_fault != NULL) {
        set_verdict(&s->msg, JSONRPC_NOT_JSON, s->syntax_fault);
    } else if (s->base == 1 && s->found) {
        return;
    } else if (s->fault != NULL) {
        set_verdict(&s->msg, JSONRPC_NOT_JSONRPC, s->fault);
    } else if (s->base == 1 && s->msg.batch_count == 0) {
        set_verdict(&s->msg, JSONRPC_NOT_JSONRPC, "a batch without elements");
    } else if (s->base == 1) {
        set_verdict(&s->msg, JSONRPC_BATCH, NULL);
    }
}

void jsonrpc_envelope_init(struct jsonrpc_scan *s, int64_t want_id)
{
    forget(&s->msg);
    s->msg.batch_count = 0;
    s->slot = SLOT_TOP;
    s->scope = s->inner = SCOPE_NONE;
    s->base = 0;
    s->text.p = NULL;
    s->number.wanted = false;
    s->found = false;
    s->seen = 0;
    s->want_id = want_id;
    s->fault = NULL;
}
