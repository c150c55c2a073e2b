/* SPDX-License-Identifier: MIT */
#include "store/record.h"

#include <assert.h>

struct value_head {
    uint64_t number; /* or how many bytes follow */
    uint32_t type;
};

struct record_head {
    uint32_t kind, count;
};

struct value value_number(uint64_t number)
{
    assert(number <= INT64_MAX);
    return (struct value){.type = VALUE_NUMBER, .number = number};
}

struct value value_text(struct str text)
{
    return (struct value){.type = text.p == NULL ? VALUE_NULL : VALUE_TEXT, .bytes = text};
}

struct value value_blob(struct str bytes)
{
    return (struct value){.type = bytes.p == NULL ? VALUE_NULL : VALUE_BLOB, .bytes = bytes};
}

static bool has_bytes(const struct value *v)
{
    return v->type == VALUE_TEXT || v->type == VALUE_BLOB;
}

static size_t size_of(const struct record *record)
{
    size_t size = sizeof(struct record_head);

    for (unsigned i = 0; i < record->count; i++) {
        const struct value *v = &record->values[i];

        size += sizeof(struct value_head) + (has_bytes(v) ? v->bytes.len : 0);
    }
    return size;
}

int record_add(struct buf *to, const struct record *record)
{
    struct record_head head = {(uint32_t)record->kind, record->count};
    int rc = buf_reserve(to, size_of(record));

    if (rc != 0) {
        return rc;
    }
    rc = buf_add(to, &head, sizeof head);
    for (unsigned i = 0; rc == 0 && i < record->count; i++) {
        const struct value *v = &record->values[i];
        struct value_head value = {has_bytes(v) ? v->bytes.len : v->number, (uint32_t)v->type};

        rc = buf_add(to, &value, sizeof value);
        if (rc == 0 && has_bytes(v)) {
            rc = buf_add(to, v->bytes.p, v->bytes.len);
        }
    }
    assert(rc == 0); /* there was room */
    return 0;
}

static void take(struct str *rest, void *to, size_t size)
{
    assert(rest->len >= size);
    memcpy(to, rest->p, size);
    rest->p += size;
    rest->len -= size;
}

bool record_next(struct str *rest, struct record *out)
{
    struct record_head head;

    if (rest->len == 0) {
        return false;
    }
    take(rest, &head, sizeof head);
    assert(head.kind < WRITE_KINDS && head.count <= RECORD_VALUES_MAX);
    out->kind = (enum write_kind)head.kind;
    out->count = head.count;
    for (unsigned i = 0; i < head.count; i++) {
        struct value *v = &out->values[i];
        struct value_head value;

        take(rest, &value, sizeof value);
        *v = (struct value){.type = (enum value_type)value.type, .number = value.number};
        if (has_bytes(v)) {
            assert(rest->len >= value.number);
            v->bytes = (struct str){rest->p, value.number};
            rest->p += value.number;
            rest->len -= value.number;
        }
    }
    return true;
}
