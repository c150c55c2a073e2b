/* SPDX-License-Identifier: MIT */
/* The tools: one row each, in the order in which tools/list names them. */
#ifndef MOCK_TOOLS_TOOLS_H
#define MOCK_TOOLS_TOOLS_H

#include "base/json.h"
#include "mock/request/op.h"

struct mock_tool {
    struct str name;
    const char *description;
    const char *schema; /* inputSchema, JSON */
    /* One of the two. `call` gets the parsed arguments, an object; `quick` reads what it needs from
     * op->req->arguments itself, without a document. */
    void (*call)(struct op *op, const json_t *arguments);
    void (*quick)(struct op *op);
};

extern const struct mock_tool mock_tools[];
extern const size_t mock_tool_count;

/* tools/call */
void mock_tools_call(struct op *op);
/* A tool's entry of tools/list, appended as JSON. */
void mock_tool_describe(const struct mock_tool *tool, struct buf *out);

/* ---- what tools answer -------------------------------------------------------------------- */

/* The text of the result. */
void tool_text(struct op *op, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The text of a result with isError. */
void tool_error(struct op *op, const char *text);

/* ---- arguments; false when absent or of another type -------------------------------------- */

bool tool_string(const json_t *arguments, const char *name, struct str *out);
bool tool_number(const json_t *arguments, const char *name, double *out);
bool tool_integer(const json_t *arguments, const char *name, int64_t *out);
bool tool_true(const json_t *arguments, const char *name);
/* An integer within bounds, or `fallback` when absent. Otherwise answers -32602, names the argument
 * and its bounds, and is false. */
bool tool_bounded(struct op *op,
                  const json_t *arguments,
                  const char *name,
                  int64_t min,
                  int64_t max,
                  int64_t *io);
/* The next number of the process's seeded sequence, in [0, 1). */
double tool_draw(struct op *op);

/* ---- the tools ---------------------------------------------------------------------------- */

/* tools_text.c */
void tool_fast_echo(struct op *op);
void tool_slow_echo(struct op *op);
void tool_error_tool(struct op *op, const json_t *arguments);
void tool_json_transform(struct op *op, const json_t *arguments);
void tool_text_processor(struct op *op, const json_t *arguments);
void tool_validate_email(struct op *op, const json_t *arguments);
void tool_hash_generator(struct op *op, const json_t *arguments);
void tool_weather_api(struct op *op, const json_t *arguments);
void tool_geocode(struct op *op, const json_t *arguments);
void tool_read_file(struct op *op, const json_t *arguments);
void tool_write_file(struct op *op, const json_t *arguments);
void tool_list_directory(struct op *op, const json_t *arguments);
/* tools_number.c */
void tool_list_operations(struct op *op, const json_t *arguments);
void tool_calculate(struct op *op, const json_t *arguments);
void tool_currency_convert(struct op *op, const json_t *arguments);
void tool_conditional_error(struct op *op, const json_t *arguments);
void tool_stateful_counter(struct op *op, const json_t *arguments);
/* tools_load.c */
void tool_timeout_tool(struct op *op, const json_t *arguments);
void tool_streaming_tool(struct op *op, const json_t *arguments);
void tool_large_payload(struct op *op, const json_t *arguments);
void tool_random_latency(struct op *op, const json_t *arguments);
void tool_degrading(struct op *op, const json_t *arguments);
void tool_flaky_connection(struct op *op, const json_t *arguments);
void tool_rate_limited(struct op *op, const json_t *arguments);
void tool_circuit_breaker(struct op *op, const json_t *arguments);
void tool_backpressure(struct op *op, const json_t *arguments);
void tool_realistic_latency(struct op *op, const json_t *arguments);
void tool_subscribe(struct op *op, const json_t *arguments);

#endif
