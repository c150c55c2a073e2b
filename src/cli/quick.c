/* SPDX-License-Identifier: MIT */
#include "cli/quick.h"

#include "cli/share.h"

#define YEARS_TEN_MS  (UINT64_C(10) * 366 * 24 * 3600 * 1000)
#define ARGS_TEXT_MAX (JSON_TEXT_MAX / 2)
#define VUS_MAX       UINT64_C(100000000)
#define QUICK_VUS_MAX UINT64_C(10000) /* the default of safety.hard_caps.max_vus */
#define DURATION_MS   30000           /* when nothing is said */

enum { HEADER_NAME_MAX = 256 };

/* Which option is which value of the document; the last part of a row is for those who have a
 * FILE: what to say instead. */
struct quick_row {
    const char *name; /* with its dashes */
    const char *pointer;
    const char *instead; /* PATH=VALUE of --set */
};

static const struct quick_row rows[] = {
    {"--url", "/target/url", "target.url=URL"},
    {"--header", "/target/headers", "target.headers.NAME=VALUE"},
    {"--tool", "/workload/operation_mix/0/tool_name",
     "workload.operation_mix[0]={\"operation\":\"tools_call\",\"tool_name\":\"NAME\"}"},
    {"--args", "/workload/operation_mix/0/arguments",
     "workload.operation_mix[0].arguments.NAME=VALUE"},
    {"--resource", "/workload/operation_mix/0/uri",
     "workload.operation_mix[0]={\"operation\":\"resources_read\",\"uri\":\"URI\"}"},
    {"--prompt", "/workload/operation_mix/0/prompt_name",
     "workload.operation_mix[0]={\"operation\":\"prompts_get\",\"prompt_name\":\"NAME\"}"},
    {"--operation", "/workload/operation_mix",
     "workload.operation_mix[0]={\"operation\":\"NAME\"}"},
    {"--in-flight", "/workload/in_flight_per_vu", "workload.in_flight_per_vu=K"},
    {"--think", "/workload/think_time", "workload.think_time.base_ms=MILLISECONDS"},
    {"--sessions", "/session_policy", "session_policy.mode=MODE"},
    {"--duration", "/stages/0/duration_ms", "stages[0].duration_ms=MILLISECONDS"},
    {"--vus", "/stages/0/load/target_vus", "stages[0].load.target_vus=N"},
    {"--rate", "/stages/0/load/target_rps", "stages[0].load.target_rps=R"},
};

/* What is done to the one thing that an option names. */
struct subject {
    const char *option, *operation, *same, *key;
    bool takes_arguments;
};

static const struct subject subjects[] = {
    {"tool", "tools_call", "tools/call", "tool_name", true},
    {"resource", "resources_read", "resources/read", "uri", false},
    {"prompt", "prompts_get", "prompts/get", "prompt_name", true},
};

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

const char *quick_option(const char *json_pointer)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t len = strlen(rows[i].pointer);

        if (strncmp(json_pointer, rows[i].pointer, len) == 0 &&
            (json_pointer[len] == '\0' || json_pointer[len] == '/')) {
            return rows[i].name;
        }
    }
    return NULL;
}

bool quick_asked(const struct opt_args *args)
{
    return args->operand_count == 0 && opt_has(args, "url");
}

int quick_refuse(const struct opt_args *args, struct err *err)
{
    if (args->operand_count == 0) {
        return err_set(err, ERR_USAGE, "a FILE or --url is missing (usage: mcpdrill %s %s)",
                       args->command->name, args->command->usage);
    }
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        if (opt_has(args, rows[i].name + 2)) {
            return err_set(err, ERR_USAGE, "%s is for runs without a FILE; with one: --set '%s'",
                           rows[i].name, rows[i].instead);
        }
    }
    if (opt_has(args, "save")) {
        return err_set(err, ERR_USAGE,
                       "--save is for runs without a FILE; \"mcpdrill explain\" prints what a FILE "
                       "means");
    }
    return 0;
}

/* ---- values ------------------------------------------------------------------------------------
 */

/* Milliseconds of the unit at the front of *text, which is taken off; 0: there is none. */
static uint64_t take_unit(struct str *text)
{
    static const struct {
        struct str name;
        uint64_t ms;
    } units[] = {{STR_INIT("ms"), 1},
                 {STR_INIT("s"), 1000},
                 {STR_INIT("m"), 60000},
                 {STR_INIT("h"), 3600000}};

    for (size_t i = 0; i < COUNT_OF(units); i++) {
        if (str_starts(*text, units[i].name)) {
            *text = (struct str){text->p + units[i].name.len, text->len - units[i].name.len};
            return units[i].ms;
        }
    }
    return 0;
}

bool quick_duration(struct str text, uint64_t *out_ms)
{
    uint64_t total = 0, number;

    do {
        size_t digits = 0;
        while (digits < text.len && text.p[digits] >= '0' && text.p[digits] <= '9') {
            digits++;
        }
        if (!str_u64((struct str){text.p, digits}, YEARS_TEN_MS, &number)) {
            return false;
        }
        text = (struct str){text.p + digits, text.len - digits};
        uint64_t unit = take_unit(&text);
        if (unit == 0 || number > (YEARS_TEN_MS - total) / unit) {
            return false;
        }
        total += number * unit;
    } while (text.len > 0);
    *out_ms = total;
    return true;
}

/* A member that is a text of the command line, which may be any bytes. */
static int
put_text(json_t *object, const char *key, const char *option, struct str text, struct err *err)
{
    if (json_object_set_new(object, key, json_stringn(text.p, text.len)) != 0) {
        return err_set(err, ERR_USAGE, "--%s: the text is not valid UTF-8", option);
    }
    return 0;
}

static int
take_duration(const struct opt_args *args, const char *name, uint64_t *ms, struct err *err)
{
    const char *text = opt_value(args, name);

    if (text == NULL || quick_duration(str_c(text), ms)) {
        return 0;
    }
    return err_set(err, ERR_USAGE,
                   "--%s %.40s: a time with its unit is expected, for example 500ms, 30s, 2m or 1h",
                   name, text);
}

/* NULL, and nothing is wrong, when it was not given. */
static int take_rate(const struct opt_args *args, json_t **out, struct err *err)
{
    const char *text = opt_value(args, "rate");
    json_t *value = NULL;

    *out = NULL;
    if (text == NULL) {
        return 0;
    }
    if (json_parse(str_c(text), JSON_TEXT_MAX, &value, NULL) != 0 || !json_is_number(value) ||
        json_number_value(value) <= 0) {
        json_decref(value);
        return err_set(err, ERR_USAGE,
                       "--rate %.40s: operations per second are expected, a number above 0", text);
    }
    *out = value;
    return 0;
}

/* As all files, one whose name begins with "examples/" is found from anywhere. */
static int read_arguments(const char *path, json_t **out, struct err *err)
{
    char program_dir[SHARE_PATH_MAX], room[SHARE_PATH_MAX];
    const char *file;
    int rc = share_find(share_program_dir(program_dir), path, room, &file, err);

    return rc != 0 ? rc : json_parse_file(file, ARGS_TEXT_MAX, out, err);
}

/* The object that --args says. */
static int take_arguments(const char *text, json_t **out, struct err *err)
{
    struct err syntax = {0};
    json_t *value = NULL;
    int rc = text[0] == '@' ? read_arguments(text + 1, &value, &syntax)
                            : json_parse(str_c(text), ARGS_TEXT_MAX, &value, &syntax);

    if (rc != 0) {
        return err_set(err, rc == ERR_SYNTAX ? ERR_USAGE : rc, "--args %.60s: %.140s", text,
                       syntax.msg);
    }
    if (!json_is_object(value)) {
        json_decref(value);
        return err_set(
            err, ERR_USAGE,
            "--args %.60s: a JSON object is expected, for example '{\"message\":\"hi\"}'", text);
    }
    *out = value;
    return 0;
}

/* ---- the parts of the document -----------------------------------------------------------------
 */

static const struct subject *subject_of(const struct opt_args *args, struct err *err)
{
    const struct subject *found = NULL;

    for (size_t i = 0; i < COUNT_OF(subjects); i++) {
        if (!opt_has(args, subjects[i].option)) {
            continue;
        }
        if (found != NULL) {
            err_set(err, ERR_USAGE, "--%s and --%s: give one of the two", found->option,
                    subjects[i].option);
            return NULL;
        }
        found = &subjects[i];
    }
    return found;
}

/* Do --operation and the thing that is named fit together? */
static int check_operation(const struct opt_args *args, const struct subject *s, struct err *err)
{
    const char *operation = opt_value(args, "operation");

    if (operation != NULL && s != NULL && strcmp(operation, s->operation) != 0 &&
        strcmp(operation, s->same) != 0) {
        return err_set(err, ERR_USAGE, "--%s means %s; leave --operation %.40s out", s->option,
                       s->operation, operation);
    }
    for (size_t i = 0; operation != NULL && s == NULL && i < COUNT_OF(subjects); i++) {
        if (strcmp(operation, subjects[i].operation) == 0 ||
            strcmp(operation, subjects[i].same) == 0) {
            return err_set(err, ERR_USAGE, "--operation %s needs --%s", operation,
                           subjects[i].option);
        }
    }
    if (opt_has(args, "args") && (s == NULL || !s->takes_arguments)) {
        return err_set(err, ERR_USAGE, "--args needs --tool or --prompt, which take arguments");
    }
    return 0;
}

/* workload.operation_mix[0]. */
static int add_operation(const struct opt_args *args, json_t *workload, struct err *err)
{
    struct err several = {0};
    const struct subject *s = subject_of(args, &several);
    const char *operation = opt_value(args, "operation");
    json_t *arguments = NULL;

    if (several.code != 0) {
        return err_set(err, several.code, "%s", several.msg);
    }
    int rc = check_operation(args, s, err);
    if (rc == 0 && opt_has(args, "args")) {
        rc = take_arguments(opt_value(args, "args"), &arguments, err);
    }
    if (rc != 0) {
        return rc;
    }
    json_t *entry = json_object(), *mix = json_array();
    json_array_append_new(mix, entry);
    json_object_set_new(workload, "operation_mix", mix);
    if (s != NULL) {
        json_object_set_new(entry, "operation", json_string(s->operation));
        rc = put_text(entry, s->key, s->option, str_c(opt_value(args, s->option)), err);
    } else {
        rc = put_text(entry, "operation", "operation",
                      str_c(operation != NULL ? operation : "tools_list"), err);
    }
    if (arguments != NULL) {
        json_object_set_new(entry, "arguments", arguments);
    }
    return rc;
}

static int add_workload(const struct opt_args *args, json_t *document, struct err *err)
{
    json_t *workload = json_object();
    uint64_t in_flight = 0, think_ms = 0;

    json_object_set_new(document, "workload", workload);
    int rc = add_operation(args, workload, err);
    if (rc == 0) {
        rc = opt_number(args, "in-flight", 1, VUS_MAX, &in_flight, err);
    }
    if (rc == 0) {
        rc = take_duration(args, "think", &think_ms, err);
    }
    /* Nothing but what the command line names. */
    json_object_set_new(workload, "user_journey",
                        json_pack("{s:{s:b}, s:{s:i, s:i}}", "startup_sequence",
                                  "run_tools_list_on_start", 0, "periodic_ops",
                                  "tools_list_interval_ms", 0, "tools_list_after_errors", 0));
    if (in_flight > 0) {
        json_object_set_new(workload, "in_flight_per_vu", json_integer((json_int_t)in_flight));
    }
    if (think_ms > 0) {
        json_object_set_new(
            workload, "think_time",
            json_pack("{s:s, s:I}", "mode", "fixed", "base_ms", (json_int_t)think_ms));
    }
    return rc;
}

/* What is wrong is said without the text, which may be a password from its first letter on. */
static int add_header(json_t *headers, const char *text, struct err *err)
{
    const char *colon = strchr(text, ':'), *known;
    char name[HEADER_NAME_MAX];
    json_t *value;

    if (colon == NULL) {
        return err_set(err, ERR_USAGE,
                       "--header: NAME:VALUE is expected, for example 'X-Team: one'; there is no "
                       "colon");
    }
    struct str trimmed = str_trim((struct str){text, (size_t)(colon - text)});
    if (trimmed.len == 0 || trimmed.len >= sizeof name) {
        return err_set(err, ERR_USAGE, "--header: the name before the colon is %s",
                       trimmed.len == 0 ? "missing" : "too long");
    }
    memcpy(name, trimmed.p, trimmed.len);
    name[trimmed.len] = '\0';
    json_object_foreach(headers, known, value)
    {
        if (strcasecmp(known, name) == 0) {
            return err_set(err, ERR_USAGE, "--header %.*s is given twice",
                           (int)strcspn(name, " \t=,;"), name);
        }
    }
    return put_text(headers, name, "header", str_trim(str_c(colon + 1)), err);
}

static int add_target(const struct opt_args *args, json_t *document, struct err *err)
{
    const char *texts[OPT_GIVEN_MAX];
    size_t count = opt_values(args, "header", texts);
    json_t *target = json_object(), *headers = json_object();
    int rc = put_text(target, "url", "url", str_c(opt_value(args, "url")), err);

    for (size_t i = 0; rc == 0 && i < count; i++) {
        rc = add_header(headers, texts[i], err);
    }
    if (count > 0) {
        json_object_set(target, "headers", headers);
    }
    json_decref(headers);
    json_object_set_new(document, "target", target);
    return rc;
}

static int add_sessions(const struct opt_args *args, json_t *document, struct err *err)
{
    const char *mode = opt_value(args, "sessions");

    if (mode == NULL) {
        return 0;
    }
    json_t *policy = json_object();
    json_object_set_new(document, "session_policy", policy);
    return put_text(policy, "mode", "sessions", str_c(mode), err);
}

/* More users than the cap allows would become fewer without a word. */
static int check_vus(const struct opt_args *args, uint64_t vus, struct err *err)
{
    const char *sets[OPT_GIVEN_MAX];
    size_t count = opt_values(args, "set", sets);

    for (size_t i = 0; i < count; i++) {
        if (strncmp(sets[i], "safety", 6) == 0) {
            return 0; /* whoever sets caps knows of them, and validation looks at both */
        }
    }
    return vus <= QUICK_VUS_MAX
               ? 0
               : err_set(err, ERR_USAGE,
                         "--vus %llu is more than safety.hard_caps.max_vus allows (%llu); add "
                         "--set safety.hard_caps.max_vus=%llu",
                         (unsigned long long)vus, (unsigned long long)QUICK_VUS_MAX,
                         (unsigned long long)vus);
}

/* A rate has as many VUs as it needs unless a number is given. */
static int add_stage(const struct opt_args *args, json_t *document, struct err *err)
{
    uint64_t duration_ms = DURATION_MS, vus = opt_has(args, "rate") ? 0 : 1;
    json_t *rate = NULL;
    int rc = opt_number(args, "vus", 1, VUS_MAX, &vus, err);

    if (rc == 0) {
        rc = check_vus(args, vus, err);
    }
    if (rc == 0) {
        rc = take_duration(args, "duration", &duration_ms, err);
    }
    if (rc == 0) {
        rc = take_rate(args, &rate, err);
    }
    if (rc != 0) {
        return rc;
    }
    json_t *load = json_pack("{s:I}", "target_vus", (json_int_t)vus);
    if (rate != NULL) {
        json_object_set_new(load, "target_rps", rate);
    }
    json_object_set_new(document, "stages",
                        json_pack("[{s:s, s:I, s:o}]", "stage", "baseline", "duration_ms",
                                  (json_int_t)duration_ms, "load", load));
    return 0;
}

/* ---- variables ---------------------------------------------------------------------------------
 */

/* Adds the names behind each `${env:` of a text. Whoever writes a name on the command line allows
 * it. */
static void add_variables(json_t *names, struct str text)
{
    static const struct str mark = STR_INIT("${env:");

    for (size_t i = 0; i + mark.len < text.len; i++) {
        struct str rest = {text.p + i, text.len - i};
        const char *end;
        bool known = false;

        if (!str_starts(rest, mark) || (i > 0 && text.p[i - 1] == '$') ||
            (end = memchr(rest.p, '}', rest.len)) == NULL) {
            continue;
        }
        json_t *name = json_stringn(rest.p + mark.len, (size_t)(end - rest.p) - mark.len);
        for (size_t k = 0; k < json_array_size(names); k++) {
            known = known || json_equal(json_array_get(names, k), name) == 1;
        }
        if (known) {
            json_decref(name);
        } else {
            json_array_append_new(names, name);
        }
    }
}

/* environment.variables, from all the texts that may name one. */
static void add_environment(json_t *document)
{
    json_t *names = json_array();
    struct buf text;

    buf_init(&text, JSON_TEXT_MAX);
    /* `$`, `{` and `}` are never escaped by the writer, so the texts can be searched as one. */
    if (json_write(json_object_get(json_object_get(document, "target"), "headers"), &text) == 0) {
        add_variables(names, buf_str(&text));
    }
    text.len = 0;
    if (json_write(json_object_get(document, "workload"), &text) == 0) {
        add_variables(names, buf_str(&text));
    }
    if (json_array_size(names) > 0) {
        json_object_set_new(document, "environment", json_pack("{s:O}", "variables", names));
    }
    json_decref(names);
    buf_clear(&text);
}

int quick_document(const struct opt_args *args, json_t **out, struct err *err)
{
    static int (*const parts[])(const struct opt_args *args, json_t *document, struct err *err) = {
        add_target,
        add_sessions,
        add_workload,
        add_stage,
    };
    json_t *document =
        json_pack("{s:s, s:s}", "schema_version", "run-config/v1", "scenario_id", "quick");
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < COUNT_OF(parts); i++) {
        rc = parts[i](args, document, err);
    }
    if (rc != 0) {
        json_decref(document);
        return rc;
    }
    add_environment(document);
    *out = document;
    return 0;
}
