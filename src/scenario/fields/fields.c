/* SPDX-License-Identifier: MIT */
#include "scenario/fields/fields.h"

#include "scenario/fields/fields_priv.h"

static const struct choice schema_versions[] = {{.name = SCENARIO_SCHEMA_VERSION}, {0}};

static const struct field metadata_fields[] = {
    {.key = "name",
     .type = FIELD_STRING,
     .flags = FIELD_STRICT,
     .offset = AT(metadata_config, name),
     .min = 1,
     .max = 200,
     .computed = "`scenario_id`",
     .help = "Name for people, shown in results."},
    {.key = "description",
     .type = FIELD_STRING,
     .offset = AT(metadata_config, description),
     .max = 4000,
     .def = "\"\"",
     .help = "What the scenario is for."},
    {.key = "created_by",
     .type = FIELD_STRING,
     .flags = FIELD_STRICT,
     .offset = AT(metadata_config, created_by),
     .min = 1,
     .max = 200,
     .computed = "whoever starts the run",
     .help = "Who wrote it."},
    {.key = "tags",
     .type = FIELD_MAP,
     .flags = FIELD_STRICT,
     .offset = AT(metadata_config, tags),
     .count_offset = AT(metadata_config, tag_count),
     .max = 64,
     .item_max = 200,
     .def = "{}",
     .help = "Labels of your choice."},
};
static const struct section metadata_section = {
    .title = "metadata", .fields = metadata_fields, .count = COUNT(metadata_fields)};

static const struct field placement_fields[] = {
    {.key = "label",
     .type = FIELD_STRING,
     .flags = FIELD_REQUIRED,
     .offset = AT(placement_config, label),
     .min = 1,
     .max = 128,
     .help = "Name of the label, as in `worker --label NAME=VALUE`."},
    {.key = "shares",
     .type = FIELD_WEIGHTS,
     .flags = FIELD_REQUIRED,
     .offset = AT(placement_config, shares),
     .count_offset = AT(placement_config, share_count),
     .min = 1,
     .max = 64,
     .item_max = 256,
     .help = "Weight of each value: with `{\"eu\": 60, \"us\": 40}` workers with `region=eu` get "
             "60 of 100 users, and those of another region, or of none, take no part. Among the "
             "workers of one value users are dealt by capacity."},
};
static const struct section placement_section = {
    .title = "placement", .fields = placement_fields, .count = COUNT(placement_fields)};

static const struct field scenario_fields[] = {
    {.key = "$schema",
     .type = FIELD_ANY,
     .flags = FIELD_NO_STORE,
     .help = "For editors; not read."},
    {.key = "schema_version",
     .type = FIELD_ENUM,
     .flags = FIELD_NO_STORE | FIELD_STRICT,
     .choices = schema_versions,
     .def = "\"run-config/v1\"",
     .code = "INVALID_SCHEMA_VERSION",
     .help = "Version of this format."},
    {.key = "scenario_id",
     .type = FIELD_STRING,
     .flags = FIELD_STRICT,
     .offset = AT(scenario, scenario_id),
     .min = 1,
     .max = 128,
     .computed = "the file name without extension",
     .help = "Groups the runs of one scenario."},
    {.key = "metadata",
     .type = FIELD_OBJECT,
     .offset = AT(scenario, metadata),
     .section = &metadata_section,
     .help = "For people; no influence on the load."},
    {.key = "target",
     .type = FIELD_OBJECT,
     .flags = FIELD_STRICT,
     .offset = AT(scenario, target),
     .section = &target_section,
     .help = "The server under test and how to talk to it."},
    {.key = "environment",
     .type = FIELD_OBJECT,
     .flags = FIELD_STRICT,
     .offset = AT(scenario, environment),
     .section = &environment_section,
     .help = "Which targets this scenario may ever load."},
    {.key = "session_policy",
     .type = FIELD_OBJECT,
     .flags = FIELD_STRICT,
     .offset = AT(scenario, session),
     .section = &session_section,
     .help = "How operations share MCP sessions."},
    {.key = "workload",
     .type = FIELD_OBJECT,
     .flags = FIELD_STRICT,
     .offset = AT(scenario, workload),
     .section = &workload_section,
     .help = "What each virtual user (VU) does."},
    {.key = "stages",
     .type = FIELD_ARRAY,
     .flags = FIELD_REQUIRED,
     .offset = AT(scenario, stages),
     .count_offset = AT(scenario, stage_count),
     .min = 1,
     .max = 50,
     .section = &stage_section,
     .code = "STAGES_REQUIRED",
     .help = "How much load, for how long; run in the order of the file."},
    {.key = "safety",
     .type = FIELD_OBJECT,
     .flags = FIELD_STRICT,
     .offset = AT(scenario, safety),
     .section = &safety_section,
     .help = "Limits that always hold."},
    {.key = "placement",
     .type = FIELD_OBJECT,
     .flags = FIELD_OPTIONAL | FIELD_WHOLE,
     .offset = AT(scenario, placement),
     .count_offset = AT(scenario, has_placement),
     .section = &placement_section,
     .help = "Which part of the users workers with which label get, on a control plane; without it "
             "all workers are alike. A run whose shares the connected workers cannot carry does "
             "not start (`NO_CAPACITY`). `mcpdrill run` refuses it: its processes have no labels."},
    {.key = "reporting",
     .type = FIELD_OBJECT,
     .flags = FIELD_STRICT,
     .offset = AT(scenario, reporting),
     .section = &reporting_section,
     .help = "What is kept of a run, and what of it may be read."},
    {.key = "telemetry",
     .type = FIELD_OBJECT,
     .flags = FIELD_STRICT,
     .offset = AT(scenario, telemetry),
     .section = &telemetry_section,
     .help = "What is told about single operations."},
    {.key = "server_telemetry",
     .type = FIELD_OBJECT,
     .offset = AT(scenario, server_telemetry),
     .section = &server_telemetry_section,
     .help = "Measurements taken on the target's host by an agent."},
    {.key = "success_criteria",
     .type = FIELD_ARRAY,
     .offset = AT(scenario, criteria),
     .count_offset = AT(scenario, criterion_count),
     .max = 50,
     .def = "[]",
     .section = &criterion_section,
     .help = "Expectations that are judged once, at the end, over the whole run."},
};
const struct section scenario_section = {.title = "(top level)",
                                         .fields = scenario_fields,
                                         .count = COUNT(scenario_fields),
                                         .size = sizeof(struct scenario)};

const struct field *field_find(const struct section *section, const char *key)
{
    for (size_t i = 0; i < section->count; i++) {
        if (strcmp(section->fields[i].key, key) == 0) {
            return &section->fields[i];
        }
    }
    return NULL;
}

/* Is `word` one of the words in `list`, which are separated by blanks? */
static bool lists_word(const char *list, const char *word)
{
    size_t len = strlen(word);

    for (const char *p = list; p != NULL && *p != '\0'; p += strspn(p, " ")) {
        size_t n = strcspn(p, " ");

        if (n == len && memcmp(p, word, n) == 0) {
            return true;
        }
        p += n;
    }
    return false;
}

enum { SECTION_FIELDS_MAX = 32 };

const char *field_suggest(const struct section *section, const char *key)
{
    const char *names[SECTION_FIELDS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < section->count; i++) {
        const struct field *f = &section->fields[i];

        if (lists_word(f->misnamed, key)) {
            return f->key;
        }
        if (count < SECTION_FIELDS_MAX) {
            names[count++] = f->key;
        }
    }
    return str_nearest(str_c(key), names, count);
}
