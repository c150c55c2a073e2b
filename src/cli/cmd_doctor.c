/* SPDX-License-Identifier: MIT */
/* `mcpdrill doctor [FILE]`: can this machine carry the load? Prints the table of checks. */
#include "cli/cli.h"
#include "cli/doctor.h"
#include "cli/load.h"
#include "report/text/text.h"

#include <stdio.h>
#include <unistd.h>

enum { EXIT_UNFIT = 6, TITLE_WIDTH = 30, VALUE_WIDTH = 44 };

#define DOCTOR_TEXT_MAX ((size_t)256 * 1024)

struct report {
    struct doctor doctor;
    const struct doctor_check *checks[32];
    struct doctor_line lines[32];
    size_t count;
    unsigned by_status[DOCTOR_STATUS_COUNT];
};

static void examine(struct report *r)
{
    _Static_assert(sizeof r->lines / sizeof r->lines[0] == sizeof r->checks / sizeof r->checks[0],
                   "a line for each check");
    for (size_t i = 0; i < doctor_check_count; i++) {
        const struct doctor_check *check = &doctor_checks[i];

        if (check->needs_plan && !r->doctor.need.has_plan) {
            continue;
        }
        struct doctor_line *line = &r->lines[r->count];
        r->checks[r->count++] = check;
        doctor_run(&r->doctor, check, line);
        r->by_status[line->status]++;
    }
}

/* ---- for people ------------------------------------------------------------------------------ */

static const char *colour_of(enum doctor_status status)
{
    switch (status) {
    case DOCTOR_WARN:
        return "\033[33m";
    case DOCTOR_FAIL:
        return "\033[1;31m";
    case DOCTOR_OK:
    case DOCTOR_UNKNOWN:
    case DOCTOR_STATUS_COUNT:
        break;
    }
    return "";
}

static void write_line(const struct doctor_check *check,
                       const struct doctor_line *line,
                       bool colour,
                       struct buf *out)
{
    const char *paint = colour ? colour_of(line->status) : "";

    buf_printf(out, "%s%-5s%s", paint, doctor_status_word(line->status),
               paint[0] != '\0' ? "\033[0m" : "");
    text_add_left(out, str_c(check->title), TITLE_WIDTH);
    if (line->need[0] != '\0') {
        text_add_left(out, str_c(line->value), VALUE_WIDTH);
        buf_printf(out, "  needs %s\n", line->need);
    } else {
        buf_printf(out, "%s\n", line->value);
    }
    if (line->fix[0] != '\0') {
        buf_printf(out, "     %*s%s\n", TITLE_WIDTH, "fix: ", line->fix);
    }
}

static void write_needs(const struct report *r, struct buf *out)
{
    const struct doctor_need *need = &r->doctor.need;
    char vus[TEXT_NUMBER_MAX], connections[TEXT_NUMBER_MAX], sessions[TEXT_NUMBER_MAX];

    if (!need->has_plan) {
        buf_add_c(out, "Without a scenario there is nothing to compare with: mcpdrill doctor "
                       "FILE.\n\n");
        return;
    }
    text_add_safe(out, str_c(r->doctor.scenario->scenario_id), TITLE_WIDTH);
    buf_printf(out, ": %s%s virtual users, up to %s connections, %s sessions at once\n\n",
               need->sized ? "at least " : "", text_count(need->vus, vus),
               text_count(need->connections, connections), text_count(need->sessions, sessions));
}

static int print_text(const struct report *r)
{
    struct text_style style = text_style_of(STDOUT_FILENO);
    struct buf text;

    buf_init(&text, DOCTOR_TEXT_MAX);
    write_needs(r, &text);
    for (size_t i = 0; i < r->count; i++) {
        write_line(r->checks[i], &r->lines[i], style.colour, &text);
    }
    buf_printf(&text, "\n%u ok, %u warnings, %u failed, %u unknown\n", r->by_status[DOCTOR_OK],
               r->by_status[DOCTOR_WARN], r->by_status[DOCTOR_FAIL], r->by_status[DOCTOR_UNKNOWN]);
    if (!style.utf8) {
        text_to_ascii(&text);
    }
    int rc = cli_print(buf_str(&text));
    buf_clear(&text);
    return rc;
}

/* ---- for machines ---------------------------------------------------------------------------- */

static json_t *text_or_null(const char *text)
{
    struct buf valid;

    if (text[0] == '\0') {
        return json_null();
    }
    buf_init(&valid, DOCTOR_TEXT_MAX);
    text_add_utf8(&valid, str_c(text));
    json_t *out = json_stringn(valid.p, valid.len);
    buf_clear(&valid);
    return out;
}

static json_t *needs_json(const struct doctor_need *need)
{
    if (!need->has_plan) {
        return json_null();
    }
    return json_pack("{sIsIsIsf}", "vus", (json_int_t)need->vus, "connections",
                     (json_int_t)need->connections, "sessions", (json_int_t)need->sessions,
                     "new_connections_per_s", need->connects_per_s);
}

static int print_json(const struct report *r)
{
    json_t *checks = json_array();
    struct buf text;

    for (size_t i = 0; i < r->count; i++) {
        const struct doctor_line *line = &r->lines[i];

        json_array_append_new(
            checks, json_pack("{sssssososo}", "check", r->checks[i]->name, "status",
                              doctor_status_name(line->status), "value", text_or_null(line->value),
                              "need", text_or_null(line->need), "fix", text_or_null(line->fix)));
    }
    json_t *all = json_pack("{sbsoso}", "ok", r->by_status[DOCTOR_FAIL] == 0, "needs",
                            needs_json(&r->doctor.need), "checks", checks);
    buf_init(&text, DOCTOR_TEXT_MAX);
    int rc = json_write_pretty(all, &text) == 0 ? cli_print(buf_str(&text)) : EXIT_INTERNAL;
    buf_clear(&text);
    json_decref(all);
    return rc;
}

/* ---- the command ----------------------------------------------------------------------------- */

static int load(const struct opt_args *args, struct scenario **out)
{
    struct issue_list issues = {0};
    struct err err = {0};

    if (args->operand_count == 0) {
        static const char *const changes[] = {"with", "set"};

        for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
            if (opt_has(args, changes[i])) {
                fprintf(stderr, "mcpdrill doctor: --%s needs a FILE to change\n", changes[i]);
                return ERR_USAGE;
            }
        }
        return 0;
    }
    int rc = load_scenario(args, NULL, out, &issues, &err);
    if (rc != 0) {
        load_complain(args, &issues, &err);
    }
    issue_list_clear(&issues);
    return rc;
}

int cmd_doctor(const struct opt_args *args)
{
    static struct report r; /* too large for a stack */
    struct scenario *scenario = NULL;

    if (load(args, &scenario) != 0) {
        return EXIT_USAGE;
    }
    r = (struct report){.count = 0};
    doctor_init(&r.doctor, "", scenario);
    examine(&r);
    int rc = opt_has(args, "json") ? print_json(&r) : print_text(&r);
    scenario_free(scenario);
    if (rc != EXIT_PASSED) {
        return rc;
    }
    return r.by_status[DOCTOR_FAIL] > 0 ? EXIT_UNFIT : EXIT_PASSED;
}
