/* SPDX-License-Identifier: MIT */
#include "scenario/config/choices.h"

#include <string.h>

const struct choice operation_choices[] = {
    {.name = "tools_list", .value = OPERATION_TOOLS_LIST, .same = "tools/list"},
    {.name = "tools_call", .value = OPERATION_TOOLS_CALL, .same = "tools/call"},
    {.name = "resources_list", .value = OPERATION_RESOURCES_LIST, .same = "resources/list"},
    {.name = "resources_read", .value = OPERATION_RESOURCES_READ, .same = "resources/read"},
    {.name = "prompts_list", .value = OPERATION_PROMPTS_LIST, .same = "prompts/list"},
    {.name = "prompts_get", .value = OPERATION_PROMPTS_GET, .same = "prompts/get"},
    {.name = "ping", .value = OPERATION_PING},
    {0},
};

const struct choice stage_choices[] = {
    {.name = "preflight", .value = STAGE_PREFLIGHT},
    {.name = "baseline", .value = STAGE_BASELINE},
    {.name = "ramp", .value = STAGE_RAMP},
    {.name = "soak", .value = STAGE_SOAK},
    {.name = "spike", .value = STAGE_SPIKE},
    {.name = "custom", .value = STAGE_CUSTOM},
    {0},
};

const struct choice comparator_choices[] = {
    {.name = ">", .value = COMPARE_GT},
    {.name = ">=", .value = COMPARE_GE},
    {.name = "<", .value = COMPARE_LT},
    {.name = "<=", .value = COMPARE_LE},
    {0},
};

const struct choice protocol_choices[] = {
    {.name = "2024-11-05", .value = PROTOCOL_2024_11_05, .unsupported = true},
    {.name = "2025-03-26", .value = PROTOCOL_2025_03_26},
    {.name = "2025-06-18", .value = PROTOCOL_2025_06_18},
    {.name = "2025-11-25", .value = PROTOCOL_2025_11_25},
    {.name = "2026-07-28", .value = PROTOCOL_2026_07_28, .unsupported = true},
    {0},
};

const struct choice *choice_find(const struct choice *choices, const char *name)
{
    for (const struct choice *c = choices; c->name != NULL; c++) {
        if (strcmp(c->name, name) == 0 || (c->same != NULL && strcmp(c->same, name) == 0)) {
            return c;
        }
    }
    return NULL;
}

const char *choice_name(const struct choice *choices, int value)
{
    for (const struct choice *c = choices; c->name != NULL; c++) {
        if (c->value == value) {
            return c->name;
        }
    }
    return "unknown";
}

const char *operation_name(enum operation_kind kind)
{
    for (const struct choice *c = operation_choices; c->name != NULL; c++) {
        if (c->value == (int)kind) {
            return c->same != NULL ? c->same : c->name;
        }
    }
    return "unknown";
}

const char *stage_kind_name(enum stage_kind kind)
{
    return choice_name(stage_choices, (int)kind);
}
