/* SPDX-License-Identifier: MIT */
#include "report/files/junit.h"

#include "report/result/document.h"
#include "report/text/text.h"

#include <stdarg.h>
#include <string.h>

enum case_state { CASE_PASSED, CASE_FAILED, CASE_SKIPPED };

struct junit_case {
    const char *group; /* the class name */
    struct str name;
    enum case_state state;
    struct str message; /* of a failed one */
    struct str details; /* further text of it */
    double seconds;
};

/* The document is walked twice: to count, and to write. The first failure to write sticks. */
struct suite {
    struct buf *out; /* NULL while counting */
    int rc;
    const json_t *document;
    size_t count, failed, skipped;
};

/* ---- XML ---------------------------------------------------------------------------------------
 */

static void add(struct suite *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct suite *s, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (s->rc == 0) {
        s->rc = buf_vprintf(s->out, fmt, ap);
    }
    va_end(ap);
}

static void add_bytes(struct suite *s, struct str bytes)
{
    if (s->rc == 0) {
        s->rc = buf_add_str(s->out, bytes);
    }
}

/* What stands for a character that may not stand for itself; NULL when it may. Line ends and tabs
 * would become blanks in an attribute. */
static const char *entity(unsigned char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&apos;";
    case '\n':
        return "&#10;";
    case '\r':
        return "&#13;";
    case '\t':
        return "&#9;";
    default:
        return c < 0x20 ? "\xef\xbf\xbd" : NULL;
    }
}

/* U+FFFE and U+FFFF are characters of UTF-8 and none of XML (XML 1.0, section 2.2). */
static bool is_no_character(struct str text, size_t at)
{
    return at + 2 < text.len && memcmp(text.p + at, "\xef\xbf", 2) == 0 &&
           ((unsigned char)text.p[at + 2] | 1) == 0xbf;
}

/* Well-formed whatever the bytes are. */
static void add_text(struct suite *s, struct str text)
{
    struct buf valid;

    buf_init(&valid, text.len * 3 + 1);
    (void)text_add_utf8(&valid, text);
    struct str rest = buf_str(&valid);
    size_t from = 0;
    for (size_t i = 0; i < rest.len; i++) {
        const char *instead = entity((unsigned char)rest.p[i]);
        size_t len = 1;

        if (instead == NULL && is_no_character(rest, i)) {
            instead = "\xef\xbf\xbd";
            len = 3;
        }
        if (instead != NULL) {
            add_bytes(s, (struct str){rest.p + from, i - from});
            add_bytes(s, str_c(instead));
            from = i + len;
            i += len - 1;
        }
    }
    if (from < rest.len) {
        add_bytes(s, (struct str){rest.p + from, rest.len - from});
    }
    buf_clear(&valid);
}

static void add_attribute(struct suite *s, const char *name, struct str value)
{
    add(s, " %s=\"", name);
    add_text(s, value);
    add(s, "\"");
}

/* ---- cases -------------------------------------------------------------------------------------
 */

static void take_case(struct suite *s, const struct junit_case *c)
{
    s->count++;
    s->failed += c->state == CASE_FAILED;
    s->skipped += c->state == CASE_SKIPPED;
    if (s->out == NULL) {
        return;
    }
    add(s, "    <testcase classname=\"mcpdrill.%s\"", c->group);
    add_attribute(s, "name", c->name);
    add(s, " time=\"%.3f\"", c->seconds);
    if (c->state == CASE_PASSED) {
        add(s, "/>\n");
        return;
    }
    add(s, ">\n      <%s", c->state == CASE_FAILED ? "failure" : "skipped");
    add_attribute(s, "message", c->message);
    if (c->details.len > 0) {
        add(s, ">");
        add_text(s, c->details);
        add(s, "</%s>\n", c->state == CASE_FAILED ? "failure" : "skipped");
    } else {
        add(s, "/>\n");
    }
    add(s, "    </testcase>\n");
}

static void take_checks(struct suite *s)
{
    const json_t *rows = document_at(s->document, "checks");

    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        struct junit_case c = {.group = "preflight",
                               .name = document_text(row, "name"),
                               .state = document_true(row, "ok") ? CASE_PASSED : CASE_FAILED,
                               .message = document_text(row, "message"),
                               .details = document_text(row, "remediation")};
        double ms = 0;

        (void)document_number(row, "latency_ms", &ms);
        c.seconds = ms / 1000;
        take_case(s, &c);
    }
}

/* The id alone says little in a list of failures. */
static void
take_named(struct suite *s, struct junit_case *c, const json_t *row, struct buf *scratch)
{
    struct str id = document_text(row, "id"), expression = document_text(row, "expression");

    scratch->len = 0;
    (void)buf_add_str(scratch, id);
    (void)buf_add_c(scratch, id.len > 0 && expression.len > 0 ? ": " : "");
    (void)buf_add_str(scratch, expression);
    c->name = buf_str(scratch);
    take_case(s, c);
}

static void take_conditions(struct suite *s)
{
    const json_t *rows = document_at(s->document, "conditions");
    struct str ended_by = document_text(s->document, "stop.condition_id");
    struct buf name;

    buf_init(&name, JUNIT_TEXT_MAX);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        bool fails = document_true(row, "triggered") &&
                     !str_eq(document_text(row, "on_trigger"), STR("pass"));
        bool decided = fails && str_eq(document_text(row, "id"), ended_by);
        struct junit_case c = {
            .group = "condition",
            .state = fails ? CASE_FAILED : CASE_PASSED,
            .message = decided ? document_text(s->document, "stop.sentence")
                               : document_text(row, "expression"),
        };

        take_named(s, &c, row, &name);
    }
    buf_clear(&name);
}

static void take_criteria(struct suite *s)
{
    const json_t *rows = document_at(s->document, "criteria");
    struct buf name;

    buf_init(&name, JUNIT_TEXT_MAX);
    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        bool met = str_eq(document_text(row, "state"), STR("met"));
        struct junit_case c = {.group = "criterion",
                               .state = met ? CASE_PASSED : CASE_FAILED,
                               .message = document_text(row, "sentence")};

        take_named(s, &c, row, &name);
    }
    buf_clear(&name);
}

static void take_findings(struct suite *s)
{
    const json_t *rows = document_at(s->document, "findings");

    for (size_t i = 0; i < json_array_size(rows); i++) {
        const json_t *row = json_array_get(rows, i);
        const json_t *examples = document_at(row, "examples");
        struct junit_case c = {.group = "finding",
                               .name = document_text(row, "kind"),
                               .state = CASE_FAILED,
                               .message = document_text(row, "sentence"),
                               .details = document_text(json_array_get(examples, 0), "")};

        take_case(s, &c);
    }
}

static void take_validity(struct suite *s)
{
    struct str state = document_text(s->document, "validity.state");
    const json_t *evidence = document_at(s->document, "validity.evidence");
    struct junit_case c = {
        .group = "run",
        .name = STR("validity"),
        .state = str_eq(state, STR("valid")) ? CASE_PASSED
                 : state.len > 0             ? CASE_FAILED
                                             : CASE_SKIPPED,
        .message = state.len > 0 ? state : STR("no load was judged"),
        .details = document_text(json_array_get(evidence, 0), ""),
    };

    take_case(s, &c);
}

static void take_books(struct suite *s)
{
    const json_t *integrity = document_at(s->document, "integrity");
    bool whole = document_true(integrity, "whole");
    struct junit_case c = {.group = "run",
                           .name = STR("books"),
                           .state = integrity == NULL ? CASE_SKIPPED
                                    : whole           ? CASE_PASSED
                                                      : CASE_FAILED,
                           .message = integrity == NULL ? STR("the document has no books")
                                                        : document_text(integrity, "line")};

    take_case(s, &c);
}

/* How the run as such ended: by a cap, by a person, by its checks, by an error. */
static void take_end(struct suite *s)
{
    struct str kind = document_text(s->document, "stop.kind");
    struct str sentence = document_text(s->document, "stop.sentence");
    bool judged = str_eq(kind, STR("completed")) || str_eq(kind, STR("stop_condition_met"));
    struct junit_case c = {.group = "run",
                           .name = STR("end"),
                           .state = judged ? CASE_PASSED : CASE_FAILED,
                           .message = sentence.len > 0 ? sentence : kind};
    double ms = 0;

    (void)document_number(s->document, "duration_ms", &ms);
    c.seconds = ms / 1000;
    take_case(s, &c);
}

static void take_all(struct suite *s)
{
    take_findings(s);
    take_checks(s);
    take_criteria(s);
    take_conditions(s);
    take_end(s);
    take_validity(s);
    take_books(s);
}

/* ---- the whole ---------------------------------------------------------------------------------
 */

static void add_property(struct suite *s, const char *name, struct str value)
{
    add(s, "      <property name=\"%s\"", name);
    add_attribute(s, "value", value);
    add(s, "/>\n");
}

/* `tag.KEY`, each. */
static void add_tags(struct suite *s)
{
    const json_t *tags = document_at(s->document, "tags"), *value;
    const char *key;

    if (!json_is_object(tags)) {
        return;
    }
    /* NOLINTNEXTLINE(performance-no-int-to-ptr) */
    json_object_foreach((json_t *)(uintptr_t)tags, key, value)
    {
        add(s, "      <property name=\"tag.");
        add_text(s, str_c(key));
        add(s, "\"");
        add_attribute(s, "value", document_text(value, ""));
        add(s, "/>\n");
    }
}

/* `limit.NAME`, for each limit of ours that held load back or took figures away. */
static void add_limits(struct suite *s)
{
    const json_t *limits = document_at(s->document, "limits");

    for (size_t i = 0; i < json_array_size(limits); i++) {
        const json_t *row = json_array_get(limits, i);
        char number[20];

        if (!document_true(row, "warns")) {
            continue;
        }
        size_t len = str_put_u64(number, document_count(row, "hits"));
        add(s, "      <property name=\"limit.");
        add_text(s, document_text(row, "name"));
        add(s, "\" value=\"%.*s ", (int)len, number);
        add_text(s, document_text(row, "counted"));
        add(s, "\"/>\n");
    }
}

static void add_properties(struct suite *s)
{
    static const char *const texts[] = {"run_id",     "scenario_id", "name",
                                        "target_url", "config_hash", "verdict"};
    char number[20];
    size_t len = str_put_u64(number, document_count(s->document, "seed"));

    add(s, "    <properties>\n");
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct str text = document_text(s->document, texts[i]);
        if (text.len > 0 || strcmp(texts[i], "target_url") != 0) {
            add_property(s, texts[i], text);
        }
    }
    add_tags(s);
    add_property(s, "seed", (struct str){number, len});
    add_limits(s);
    add(s, "    </properties>\n");
}

static void add_counts(struct suite *s, const struct suite *counted)
{
    double ms = 0;

    (void)document_number(s->document, "duration_ms", &ms);
    add(s, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\" time=\"%.3f\"",
        counted->count, counted->failed, counted->skipped, ms / 1000);
}

int junit_write(const json_t *result, struct buf *out)
{
    struct suite counted = {.document = result}, s = {.document = result, .out = out};
    struct str name = document_text(result, "name");
    struct str started = document_text(result, "started_at");

    take_all(&counted);
    add(&s, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
    add_counts(&s, &counted);
    add(&s, ">\n  <testsuite");
    add_attribute(&s, "name", name.len > 0 ? name : document_text(result, "scenario_id"));
    add_counts(&s, &counted);
    if (started.len > 0) {
        add_attribute(&s, "timestamp", started);
    }
    add(&s, ">\n");
    add_properties(&s);
    take_all(&s);
    add(&s, "  </testsuite>\n</testsuites>\n");
    return s.rc;
}
