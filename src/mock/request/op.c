/* SPDX-License-Identifier: MIT */
#include "mock/request/op.h"

#include "base/json.h"

#include <stdarg.h>

void mock_op_error(struct op *op, int code, const char *fmt, ...)
{
    struct buf *out = &op->m->result, *text = &op->m->text;
    va_list ap;

    text->len = 0;
    va_start(ap, fmt);
    buf_vprintf(text, fmt, ap);
    va_end(ap);
    out->len = 0;
    buf_printf(out, "\"error\":{\"code\":%d,\"message\":", code);
    json_add_string(out, buf_str(text));
    buf_add(out, "}", 1);
    op->kind = OP_ANSWER;
}
