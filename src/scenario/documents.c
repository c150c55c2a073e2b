/* SPDX-License-Identifier: MIT */
/* The JSON Schema and the reference page: the rows as documents. */
#include "scenario/codes.h"
#include "scenario/fields.h"
#include "scenario/fit.h"

static json_t *section_schema(const struct section *section);

static void set_length(json_t *out, const struct field *f, const char *min, const char *max)
{
    if (f->min > 0) {
        json_object_set_new(out, min, json_integer((json_int_t)f->min));
    }
    json_object_set_new(out, max, json_integer((json_int_t)f->max));
}

static void set_range(json_t *out, const struct field *f)
{
    json_object_set_new(out, "minimum", json_integer((json_int_t)f->min));
    json_object_set_new(out, "maximum", json_integer((json_int_t)f->max));
}

static void set_type(json_t *out, const struct field *f, const char *type)
{
    if ((f->flags & FIELD_NULL_OK) != 0) {
        json_object_set_new(out, "type", json_pack("[ss]", type, "null"));
    } else {
        json_object_set_new(out, "type", json_string(type));
    }
}

static json_t *choices_schema(const struct choice *choices)
{
    json_t *out = json_array();

    for (const struct choice *c = choices; c->name != NULL; c++) {
        if (c->unsupported) {
            continue;
        }
        json_array_append_new(out, json_string(c->name));
        if (c->same != NULL) {
            json_array_append_new(out, json_string(c->same));
        }
    }
    return out;
}

static void set_text(json_t *out, const struct field *f)
{
    struct buf pattern;

    set_type(out, f, "string");
    set_length(out, f, "minLength", "maxLength");
    if (f->characters == NULL) {
        return;
    }
    buf_init(&pattern, 512);
    buf_add_c(&pattern, "^[");
    for (const char *p = f->characters; *p != '\0'; p++) {
        buf_printf(&pattern, strchr("\\]^-", *p) != NULL ? "\\%c" : "%c", *p);
    }
    buf_add_c(&pattern, "]*$");
    json_object_set_new(out, "pattern", json_string(buf_c(&pattern)));
    buf_clear(&pattern);
}

static json_t *item_schema(const struct field *f)
{
    return json_pack("{ss sI}", "type", "string", "maxLength", (json_int_t)f->item_max);
}

static void set_shape(json_t *out, const struct field *f)
{
    switch (f->type) {
    case FIELD_BOOL:
        set_type(out, f, "boolean");
        break;
    case FIELD_INT:
    case FIELD_MS:
        set_type(out, f, "integer");
        set_range(out, f);
        break;
    case FIELD_NUMBER:
        set_type(out, f, "number");
        set_range(out, f);
        break;
    case FIELD_STRING:
        set_text(out, f);
        break;
    case FIELD_ENUM:
        json_object_set_new(out, "enum", choices_schema(f->choices));
        break;
    case FIELD_OBJECT:
        json_object_update_new(out, section_schema(f->section));
        set_type(out, f, "object");
        break;
    case FIELD_ARRAY:
        set_type(out, f, "array");
        set_length(out, f, "minItems", "maxItems");
        json_object_set_new(out, "items", section_schema(f->section));
        break;
    case FIELD_STRINGS:
        set_type(out, f, "array");
        set_length(out, f, "minItems", "maxItems");
        json_object_set_new(out, "items", item_schema(f));
        break;
    case FIELD_MAP:
        set_type(out, f, "object");
        set_length(out, f, "minProperties", "maxProperties");
        json_object_set_new(out, "additionalProperties", item_schema(f));
        break;
    case FIELD_JSON:
        set_type(out, f, "object");
        break;
    case FIELD_VALUE:
    case FIELD_ANY:
        break;
    }
}

/* The values of a row of which only one is supported. */
static json_t *only_values(const struct field *f)
{
    json_t *out = json_array(), *only = field_json(f->only);

    if ((f->flags & FIELD_NULL_OK) != 0 && !json_is_null(only)) {
        json_array_append_new(out, json_null());
    }
    json_array_append_new(out, only);
    return out;
}

static json_t *field_schema(const struct field *f)
{
    json_t *out = json_object();

    json_object_set_new(out, "description", json_string(f->help));
    if ((f->flags & FIELD_UNSUPPORTED) != 0) {
        json_object_set_new(out, "description", json_sprintf("Not supported yet. %s", f->help));
        json_object_set_new(out, "not", json_object());
        return out;
    }
    if (f->only != NULL) {
        json_object_set_new(out, "enum", only_values(f));
    } else {
        set_shape(out, f);
    }
    json_t *def = f->def == NULL ? NULL : field_json(f->def);
    /* A default that is not supported yet makes the field required for now. */
    if (def != NULL &&
        !(f->type == FIELD_ENUM && choice_find(f->choices, json_string_value(def))->unsupported)) {
        json_object_set(out, "default", def);
    }
    json_decref(def);
    return out;
}

static bool has_no_default(const struct field *f)
{
    if ((f->flags & FIELD_REQUIRED) != 0) {
        return true;
    }
    if (f->type != FIELD_ENUM || f->def == NULL) {
        return false;
    }
    json_t *def = field_json(f->def);
    bool unsupported = choice_find(f->choices, json_string_value(def))->unsupported;
    json_decref(def);
    return unsupported;
}

/* An object is required when something in it is. */
static bool is_required(const struct field *f)
{
    if (f->type == FIELD_OBJECT && (f->flags & FIELD_NULL_OK) == 0) {
        for (size_t i = 0; i < f->section->count; i++) {
            if (is_required(&f->section->fields[i])) {
                return true;
            }
        }
        return false;
    }
    return has_no_default(f);
}

/* An alias stands in another object than its row; the last part of its pointer is the key. `place`
 * is the pointer of the object without its first slash. */
static void add_aliases(json_t *properties, const struct section *section, const char *place)
{
    for (size_t i = 0; i < section->count; i++) {
        const struct field *f = &section->fields[i];

        if (f->alias != NULL) {
            const char *key = strrchr(f->alias, '/');
            size_t len = key > f->alias ? (size_t)(key - f->alias) - 1 : 0;

            if (len == strlen(place) && strncmp(f->alias + 1, place, len) == 0) {
                json_t *schema = field_schema(f);
                json_object_set_new(schema, "deprecated", json_true());
                json_object_set_new(properties, key + 1, schema);
            }
        }
        if (f->type == FIELD_OBJECT) {
            add_aliases(properties, f->section, place);
        }
    }
}

static json_t *section_schema(const struct section *section)
{
    json_t *properties = json_object(), *required = json_array();
    json_t *out = json_object();

    for (size_t i = 0; i < section->count; i++) {
        const struct field *f = &section->fields[i];

        json_object_set_new(properties, f->key, field_schema(f));
        if (is_required(f)) {
            json_array_append_new(required, json_string(f->key));
        }
    }
    add_aliases(properties, section, section == &scenario_section ? "" : section->title);
    json_object_set_new(out, "type", json_string("object"));
    json_object_set_new(out, "properties", properties);
    json_object_set_new(out, "patternProperties", json_pack("{sb}", "^x-", 1));
    json_object_set_new(out, "additionalProperties", json_false());
    if (json_array_size(required) > 0) {
        json_object_set(out, "required", required);
    }
    json_decref(required);
    return out;
}

int scenario_schema(struct buf *out)
{
    json_t *schema = json_object();

    json_object_set_new(schema, "$schema",
                        json_string("https://json-schema.org/draft/2020-12/schema"));
    json_object_set_new(schema, "title",
                        json_string("MCPDrill scenario, " SCENARIO_SCHEMA_VERSION));
    json_object_update_new(schema, section_schema(&scenario_section));
    int rc = json_write_pretty(schema, out);
    json_decref(schema);
    return rc;
}

static void write_default(const struct field *f, struct buf *out)
{
    if ((f->flags & FIELD_REQUIRED) != 0) {
        buf_add_c(out, "**required**");
    } else if (f->computed != NULL) {
        buf_add_c(out, f->computed);
    } else if (f->def != NULL) {
        buf_printf(out, "`%s`", f->def);
    } else {
        buf_add_c(out, "–");
    }
}

static void write_support(const struct field *f, struct buf *out)
{
    const char *before = "Not supported yet: ";

    if (f->only != NULL) {
        buf_printf(out, " Only `%s` is supported yet.", f->only);
    }
    for (const struct choice *c = f->choices; c != NULL && c->name != NULL; c++) {
        if (c->unsupported) {
            buf_printf(out, "%s`%s`", before[0] == 'N' ? " Not supported yet: " : before, c->name);
            before = ", ";
        }
    }
    if (before[0] == ',') {
        buf_add_c(out, ".");
    }
    if (f->alias != NULL) {
        buf_printf(out, " Older place: `%s`.", f->alias);
    }
    if (f->code != NULL) {
        buf_printf(out, " Out of bounds: `%s`.", f->code);
    }
}

static void write_row(const struct field *f, struct buf *out)
{
    buf_printf(out, "| `%s` | ", f->key);
    if ((f->flags & FIELD_UNSUPPORTED) != 0) {
        buf_printf(out, "not supported yet | – | %s |\n", f->help);
        return;
    }
    field_expected(f, out);
    buf_add_c(out, " | ");
    write_default(f, out);
    buf_printf(out, " | %s", f->help);
    write_support(f, out);
    buf_add_c(out, " |\n");
}

enum { SEEN_MAX = 64, REFERENCE_MAX = 1024 * 1024 };

struct page {
    struct buf *out;
    const struct section *seen[SEEN_MAX]; /* a section that two objects share is written once */
    size_t seen_count;
};

static bool seen_before(struct page *page, const struct section *section)
{
    for (size_t i = 0; i < page->seen_count; i++) {
        if (page->seen[i] == section) {
            return true;
        }
    }
    if (page->seen_count < SEEN_MAX) {
        page->seen[page->seen_count++] = section;
    }
    return false;
}

static void write_section(struct page *page, const struct section *section)
{
    if (seen_before(page, section)) {
        return;
    }
    buf_printf(page->out, "\n## %s\n\n| field | value | default | meaning |\n|---|---|---|---|\n",
               section->title);
    for (size_t i = 0; i < section->count; i++) {
        write_row(&section->fields[i], page->out);
    }
    for (size_t i = 0; i < section->count; i++) {
        if (section->fields[i].section != NULL) {
            write_section(page, section->fields[i].section);
        }
    }
}

static const char introduction[] =
    "# Scenario files: " SCENARIO_SCHEMA_VERSION "\n"
    "\n"
    "Generated from the tables in `src/scenario/fields*.c`; do not edit. A scenario is one JSON\n"
    "object of at most 10 MB. Only `target.url` and one entry in `stages` are required. Every\n"
    "object is closed: an unknown field is an error, except keys that begin with `x-`. An integer\n"
    "may be written `1000`, `1000.0` or `1e3`. `mcpdrill validate FILE` reports all problems at\n"
    "once; `mcpdrill explain FILE` shows the file with every default.\n"
    "\n"
    "Texts of `target.headers`, `target.identification`, `uri` and `arguments` may contain\n"
    "placeholders; `$${` is a literal `${`:\n"
    "\n"
    "| placeholder | value |\n"
    "|---|---|\n"
    "| `${run_id}`, `${execution_id}`, `${scenario_id}`, `${worker_id}` | the same for the whole "
    "run |\n"
    "| `${stage_id}`, `${vu_id}`, `${op_seq}` | of the operation |\n"
    "| `${uuid}`, `${timestamp_ms}` | made for each operation |\n"
    "| `${random_int:A:B}` | a whole number from A to B |\n"
    "| `${random_choice:a\\|b\\|c}` | one of these texts |\n"
    "| `${env:NAME}` | an environment variable that `environment.variables` names |\n"
    "| `${data:FEED.FIELD}` | a field of a row of a feed of `workload.data`; only in `uri` and "
    "`arguments` |\n"
    "| `${payload:ID}` | a payload of `workload.payload_profiles`; only in `uri` and `arguments` "
    "|\n"
    "| `${nonce}` | the caller, for `workload.integrity`; only in `uri` and `arguments` |\n"
    "\n"
    "Headers and identification know `{{run_id}}` and `{{.RunID}}` too. Operations may be written\n"
    "with `_` or with `/` (`tools/call`). Metrics are listed in `metrics.md`; each metric of\n"
    "`workload.metrics` is one more, `custom.NAME`, with `.count`, `.sum`, `.min`, `.max`, "
    "`.mean`\n"
    "and `.last`, for a trend also `.p50`, `.p75`, `.p90`, `.p95`, `.p99` and `.p999`.\n";

static void write_codes(struct buf *out)
{
    buf_add_c(out,
              "\n## Issues\n\nAll issues of a file are reported at once, each with one of these "
              "codes.\n\n| code | meaning |\n|---|---|\n");
    for (size_t i = 0; i < issue_code_count; i++) {
        buf_printf(out, "| `%s` | %s |\n", issue_codes[i].code, issue_codes[i].meaning);
    }
}

int scenario_reference(struct buf *out)
{
    struct buf text;
    struct page page = {.out = &text};

    buf_init(&text, REFERENCE_MAX);
    buf_add_c(&text, introduction);
    write_section(&page, &scenario_section);
    write_codes(&text);
    int rc = buf_add_str(out, buf_str(&text));
    buf_clear(&text);
    return rc;
}
