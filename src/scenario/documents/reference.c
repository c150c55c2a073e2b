/* SPDX-License-Identifier: MIT */
/* The reference page: the rows as tables. */
#include "scenario/documents/documents.h"
#include "scenario/fields/fields.h"
#include "scenario/fields/fit.h"
#include "scenario/issues/codes.h"

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

    if (f->later != NULL) {
        buf_printf(out, " Anything but `%s` is accepted with a warning: %s.", f->def, f->later);
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
    for (const struct choice *c = f->choices; c != NULL && c->name != NULL; c++) {
        if (c->later != NULL) {
            buf_printf(out, " `%s` is accepted with a warning: %s.", c->name, c->later);
        }
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
    if (section->named != NULL) {
        write_row(section->named, page->out);
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
    "Generated from the tables in `src/scenario/fields/`; do not edit. A scenario is one JSON\n"
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
    "| `${stage_id}`, `${vu_id}` | of the operation |\n"
    "| `${op_seq}` | of the operation: its number in its VU; with `target_rps`, in the run; where "
    "a "
    "scenario has stages of both kinds, twice that, and 1 more with `target_rps` |\n"
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
