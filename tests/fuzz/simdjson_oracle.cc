/* SPDX-License-Identifier: MIT */
/*
 * simdjson's DOM parser. Not "on demand": that one does not check what it does not visit.
 *
 * On purpose it rejects three things that RFC 8259 allows: lone surrogates in \u escapes, numbers
 * that fit no 64-bit integer or double, and deep nesting. Only the last one has a code of its own;
 * the texts are rid of the other two before they come here (fuzz_jsonrpc.c).
 */
#include "fuzz/simdjson_oracle.h"

#include <simdjson.h>

extern "C" enum oracle_verdict simdjson_judge(const char *text, size_t len)
{
    static simdjson::dom::parser parser;

    switch (parser.parse(text, len, true).error()) {
    case simdjson::SUCCESS:
        return ORACLE_VALID;
    case simdjson::DEPTH_ERROR:
    case simdjson::CAPACITY:
    case simdjson::MEMALLOC:
        return ORACLE_ABSTAINS;
    default:
        return ORACLE_INVALID;
    }
}
