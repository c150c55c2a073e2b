/* SPDX-License-Identifier: MIT */
#include "mock/tools/tools.h"

#include "base/rng.h"

#include <math.h>

const struct mock_tool mock_tools[] = {
    {.name = STR_INIT("fast_echo"),
     .description = "Echoes the message at once",
     .schema = "{\"type\":\"object\",\"properties\":{\"message\":{\"type\":\"string\"}},"
               "\"required\":[\"message\"]}",
     .quick = tool_fast_echo},
    {.name = STR_INIT("slow_echo"),
     .description = "Echoes the message after 200 ms",
     .schema = "{\"type\":\"object\",\"properties\":{\"message\":{\"type\":\"string\"}},"
               "\"required\":[\"message\"]}",
     .quick = tool_slow_echo},
    {.name = STR_INIT("error_tool"),
     .description = "Always fails",
     .schema = "{\"type\":\"object\",\"properties\":{\"error_message\":{\"type\":\"string\"}}}",
     .call = tool_error_tool},
    {.name = STR_INIT("timeout_tool"),
     .description = "Never answers",
     .schema = "{\"type\":\"object\",\"properties\":{}}",
     .call = tool_timeout_tool},
    {.name = STR_INIT("streaming_tool"),
     .description = "Streams chunks at an interval, then its result",
     .schema =
         "{\"type\":\"object\",\"properties\":{\"chunks\":{\"type\":\"integer\",\"minimum\":1,"
         "\"maximum\":100000,\"default\":5},\"delay_ms\":{\"type\":\"integer\",\"minimum\":0,"
         "\"maximum\":600000,\"default\":50}}}",
     .call = tool_streaming_tool},
    {.name = STR_INIT("json_transform"),
     .description = "Changes the keys or values of an object, or keeps one member",
     .schema = "{\"type\":\"object\",\"properties\":{\"operation\":{\"type\":\"string\","
               "\"enum\":[\"uppercase_keys\",\"lowercase_values\",\"filter\"]},"
               "\"data\":{\"type\":\"object\"},\"filter_key\":{\"type\":\"string\"}},"
               "\"required\":[\"operation\",\"data\"]}",
     .call = tool_json_transform},
    {.name = STR_INIT("text_processor"),
     .description = "Changes the case of a text or reverses it",
     .schema = "{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\"},"
               "\"operation\":{\"type\":\"string\",\"enum\":[\"uppercase\",\"lowercase\","
               "\"reverse\"]}},\"required\":[\"text\",\"operation\"]}",
     .call = tool_text_processor},
    {.name = STR_INIT("list_operations"),
     .description = "Sum, average, order, maximum or filter of a list of numbers",
     .schema = "{\"type\":\"object\",\"properties\":{\"list\":{\"type\":\"array\","
               "\"items\":{\"type\":\"number\"},\"minItems\":1},\"operation\":{\"type\":\"string\","
               "\"enum\":[\"sum\",\"avg\",\"sort\",\"max\",\"filter\"]},"
               "\"filter_value\":{\"type\":\"number\"}},\"required\":[\"list\",\"operation\"]}",
     .call = tool_list_operations},
    {.name = STR_INIT("validate_email"),
     .description = "Says whether a text looks like an e-mail address",
     .schema = "{\"type\":\"object\",\"properties\":{\"email\":{\"type\":\"string\"}},"
               "\"required\":[\"email\"]}",
     .call = tool_validate_email},
    {.name = STR_INIT("calculate"),
     .description = "Evaluates an arithmetic expression",
     .schema = "{\"type\":\"object\",\"properties\":{\"expression\":{\"type\":\"string\"}},"
               "\"required\":[\"expression\"]}",
     .call = tool_calculate},
    {.name = STR_INIT("hash_generator"),
     .description = "MD5 or SHA-256 of a text in hexadecimal",
     .schema = "{\"type\":\"object\",\"properties\":{\"data\":{\"type\":\"string\"},"
               "\"algorithm\":{\"type\":\"string\",\"enum\":[\"md5\",\"sha256\"]}},"
               "\"required\":[\"data\",\"algorithm\"]}",
     .call = tool_hash_generator},
    {.name = STR_INIT("weather_api"),
     .description = "A made-up weather report",
     .schema = "{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"},"
               "\"units\":{\"type\":\"string\",\"enum\":[\"celsius\",\"fahrenheit\"],"
               "\"default\":\"celsius\"}},\"required\":[\"city\"]}",
     .call = tool_weather_api},
    {.name = STR_INIT("geocode"),
     .description = "Coordinates of an address, always the same",
     .schema = "{\"type\":\"object\",\"properties\":{\"address\":{\"type\":\"string\"}},"
               "\"required\":[\"address\"]}",
     .call = tool_geocode},
    {.name = STR_INIT("currency_convert"),
     .description = "Converts an amount between USD, EUR and GBP at fixed rates",
     .schema = "{\"type\":\"object\",\"properties\":{\"amount\":{\"type\":\"number\"},"
               "\"from\":{\"type\":\"string\"},\"to\":{\"type\":\"string\"}},"
               "\"required\":[\"amount\",\"from\",\"to\"]}",
     .call = tool_currency_convert},
    {.name = STR_INIT("read_file"),
     .description = "Pretends to read a file",
     .schema = "{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"}},"
               "\"required\":[\"path\"]}",
     .call = tool_read_file},
    {.name = STR_INIT("write_file"),
     .description = "Pretends to write a file",
     .schema = "{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"},"
               "\"content\":{\"type\":\"string\"}},\"required\":[\"path\",\"content\"]}",
     .call = tool_write_file},
    {.name = STR_INIT("list_directory"),
     .description = "Pretends to list a directory",
     .schema = "{\"type\":\"object\",\"properties\":{\"path\":{\"type\":\"string\"}},"
               "\"required\":[\"path\"]}",
     .call = tool_list_directory},
    {.name = STR_INIT("large_payload"),
     .description = "A text of the given size",
     .schema = "{\"type\":\"object\",\"properties\":{\"size_kb\":{\"type\":\"number\","
               "\"exclusiveMinimum\":0,\"maximum\":65536}},\"required\":[\"size_kb\"]}",
     .call = tool_large_payload},
    {.name = STR_INIT("random_latency"),
     .description = "Answers after a random time",
     .schema =
         "{\"type\":\"object\",\"properties\":{\"min_ms\":{\"type\":\"number\",\"minimum\":0},"
         "\"max_ms\":{\"type\":\"number\",\"minimum\":0,\"maximum\":600000}},"
         "\"required\":[\"min_ms\",\"max_ms\"]}",
     .call = tool_random_latency},
    {.name = STR_INIT("conditional_error"),
     .description = "Fails with the given probability",
     .schema = "{\"type\":\"object\",\"properties\":{\"error_probability\":{\"type\":\"number\","
               "\"minimum\":0,\"maximum\":1}},\"required\":[\"error_probability\"]}",
     .call = tool_conditional_error},
    {.name = STR_INIT("degrading_performance"),
     .description = "Each call takes longer than the one before",
     .schema = "{\"type\":\"object\",\"properties\":{\"base_latency_ms\":{\"type\":\"integer\","
               "\"minimum\":0,\"default\":20},\"increment_ms\":{\"type\":\"integer\",\"minimum\":0,"
               "\"default\":20},\"reset\":{\"type\":\"boolean\",\"default\":false}}}",
     .call = tool_degrading},
    {.name = STR_INIT("flaky_connection"),
     .description = "Fails, or breaks the connection, now and then",
     .schema = "{\"type\":\"object\",\"properties\":{\"failure_rate\":{\"type\":\"number\","
               "\"minimum\":0,\"maximum\":1,\"default\":0.3},\"mode\":{\"type\":\"string\","
               "\"enum\":[\"result\",\"close\",\"reset\"],\"default\":\"result\"}}}",
     .call = tool_flaky_connection},
    {.name = STR_INIT("rate_limited"),
     .description = "Answers only so many calls per window",
     .schema = "{\"type\":\"object\",\"properties\":{\"requests_per_minute\":{\"type\":\"integer\","
               "\"minimum\":1},\"http_429\":{\"type\":\"boolean\",\"default\":false}}}",
     .call = tool_rate_limited},
    {.name = STR_INIT("circuit_breaker"),
     .description = "Opens after several forced errors in a row",
     .schema = "{\"type\":\"object\",\"properties\":{\"force_error\":{\"type\":\"boolean\","
               "\"default\":false},\"failure_threshold\":{\"type\":\"integer\",\"minimum\":1,"
               "\"default\":3},\"reset_timeout_ms\":{\"type\":\"integer\",\"minimum\":0,"
               "\"default\":2000}}}",
     .call = tool_circuit_breaker},
    {.name = STR_INIT("backpressure"),
     .description = "Works in five slots; calls beyond them wait",
     .schema = "{\"type\":\"object\",\"properties\":{\"queue_depth\":{\"type\":\"integer\","
               "\"minimum\":0},\"max_queue\":{\"type\":\"integer\",\"minimum\":1}}}",
     .call = tool_backpressure},
    {.name = STR_INIT("stateful_counter"),
     .description = "A counter that all clients share",
     .schema =
         "{\"type\":\"object\",\"properties\":{\"operation\":{\"type\":\"string\","
         "\"enum\":[\"increment\",\"decrement\",\"reset\",\"get\"],\"default\":\"increment\"},"
         "\"amount\":{\"type\":\"integer\",\"default\":1}}}",
     .call = tool_stateful_counter},
    {.name = STR_INIT("realistic_latency"),
     .description = "Answers after a time like that of a busy service",
     .schema = "{\"type\":\"object\",\"properties\":{\"mean_ms\":{\"type\":\"number\","
               "\"minimum\":0},\"stddev_ms\":{\"type\":\"number\",\"minimum\":0}}}",
     .call = tool_realistic_latency},
    {.name = STR_INIT("notifications_subscribe"),
     .description = "Streams notifications on exact times, then its result",
     .schema = "{\"type\":\"object\",\"properties\":{\"event_count\":{\"type\":\"integer\","
               "\"minimum\":1,\"maximum\":1000000,\"default\":10},"
               "\"interval_ms\":{\"type\":\"integer\",\"minimum\":0,\"maximum\":3600000,"
               "\"default\":1000}}}",
     .call = tool_subscribe},
};
const size_t mock_tool_count = sizeof mock_tools / sizeof mock_tools[0];
_Static_assert(sizeof mock_tools / sizeof mock_tools[0] <= MOCK_TOOLS_MAX,
               "a counter for each tool");

void mock_tool_describe(const struct mock_tool *tool, struct buf *out)
{
    buf_add_c(out, "{\"name\":\"");
    buf_add_str(out, tool->name);
    buf_add_c(out, "\",\"description\":\"");
    buf_add_c(out, tool->description);
    buf_add_c(out, "\",\"inputSchema\":");
    buf_add_c(out, tool->schema);
    buf_add_c(out, "}");
}

static const struct mock_tool *find_tool(struct str raw_name)
{
    char text[REQUEST_METHOD_MAX];
    struct str name = raw_name;

    if (memchr(raw_name.p, '\\', raw_name.len) != NULL) {
        if (!request_unescape(raw_name, text, sizeof text, &name.len)) {
            return NULL;
        }
        name.p = text;
    }
    for (size_t i = 0; i < mock_tool_count; i++) {
        if (str_eq(name, mock_tools[i].name)) {
            return &mock_tools[i];
        }
    }
    return NULL;
}

static void call_with_document(struct op *op, const struct mock_tool *tool)
{
    struct str text = op->req->arguments;
    json_t *arguments = NULL;

    if (text.len == 0) {
        arguments = json_object();
    } else if (json_parse(text, text.len, &arguments, NULL) != 0) {
        tool_error(op, "invalid params"); /* a duplicate key: the library is stricter than JSON */
        return;
    }
    tool->call(op, arguments);
    json_decref(arguments);
}

static void count_call(struct op *op, const struct mock_tool *tool)
{
    size_t at = tool != NULL ? (size_t)(tool - mock_tools) : MOCK_TOOLS_MAX;

    http_stat_add(&op->m->stats.tools[at], 1);
}

void mock_tools_call(struct op *op)
{
    const struct mock_request *req = op->req;

    op->is_tool = true;
    if (!req->has_params || req->name.p == NULL) {
        count_call(op, NULL);
        tool_error(op, "invalid params");
        return;
    }
    const struct mock_tool *tool = find_tool(req->name);
    count_call(op, tool);
    if (tool == NULL) {
        if (op->m->shared->config.strict_protocol) {
            mock_op_error(op, -32602, "unknown tool");
        } else {
            tool_error(op, "unknown tool");
        }
    } else if (req->arguments.len > 0 && req->arguments.p[0] != '{') {
        tool_error(op, "invalid params");
    } else if (tool->quick != NULL) {
        tool->quick(op);
    } else {
        call_with_document(op, tool);
    }
}

/* ---- answers ------------------------------------------------------------------------------ */

void tool_text(struct op *op, const char *fmt, ...)
{
    va_list ap;

    op->kind = OP_TEXT;
    op->is_error = false;
    op->m->text.len = 0;
    va_start(ap, fmt);
    buf_vprintf(&op->m->text, fmt, ap);
    va_end(ap);
}

void tool_error(struct op *op, const char *text)
{
    op->kind = OP_TEXT;
    op->is_error = true;
    op->m->text.len = 0;
    buf_add_c(&op->m->text, text);
}

/* ---- arguments ---------------------------------------------------------------------------- */

bool tool_string(const json_t *arguments, const char *name, struct str *out)
{
    const json_t *v = json_object_get(arguments, name);

    if (!json_is_string(v)) {
        return false;
    }
    *out = (struct str){json_string_value(v), json_string_length(v)};
    return true;
}

bool tool_number(const json_t *arguments, const char *name, double *out)
{
    const json_t *v = json_object_get(arguments, name);

    if (!json_is_number(v)) {
        return false;
    }
    *out = json_number_value(v) + 0.0; /* minus zero becomes zero */
    return true;
}

bool tool_integer(const json_t *arguments, const char *name, int64_t *out)
{
    const json_t *v = json_object_get(arguments, name);
    double d;

    if (json_is_integer(v)) {
        *out = json_integer_value(v);
        return true;
    }
    /* 5.0 and 1e3 are integers in JSON Schema. */
    if (!tool_number(arguments, name, &d) || d != floor(d) || fabs(d) > 9e15) {
        return false;
    }
    *out = (int64_t)d;
    return true;
}

bool tool_true(const json_t *arguments, const char *name)
{
    return json_is_true(json_object_get(arguments, name));
}

bool tool_bounded(
    struct op *op, const json_t *arguments, const char *name, int64_t min, int64_t max, int64_t *io)
{
    int64_t v;

    if (json_object_get(arguments, name) == NULL) {
        return true;
    }
    if (!tool_integer(arguments, name, &v) || v < min || v > max) {
        mock_op_error(op, -32602, "%s must be an integer within %lld..%lld", name, (long long)min,
                      (long long)max);
        return false;
    }
    *io = v;
    return true;
}

double tool_draw(struct op *op)
{
    struct mock_shared *shared = op->m->shared;
    uint64_t j = atomic_fetch_add(&shared->tool_index, 1);

    return rng_unit(rng_at(rng_sub(shared->config.seed, 1), j));
}
