/* SPDX-License-Identifier: MIT */
#include "fuzz/h1_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    h1_head_check(h1_parse_request, data, size);
    return 0;
}
