/* SPDX-License-Identifier: MIT */
/* The members of a result that are about the books: errors, conditions, integrity, workers, and
 * the machine that made the load. */
#include "base/mem.h"
#include "report/result_priv.h"
#include "report/text.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

/* ---- errors -----------------------------------------------------------------------------------
 */

static const struct aggregate_failure *failure_of(const struct result_place *p)
{
    return p->item;
}

/* The row for the rest has no type of its own. */
static json_t *or_null(const struct result_place *p, const char *text)
{
    return failure_of(p)->is_other ? json_null() : json_string(text);
}

static json_t *error_type(const struct result_place *p)
{
    return or_null(p, error_type_name(failure_of(p)->failure.type));
}

static json_t *error_code(const struct result_place *p)
{
    char code[64];

    return or_null(p, error_code_name(failure_of(p)->failure.code, failure_of(p)->failure.number,
                                      code, sizeof code));
}

static json_t *error_origin(const struct result_place *p)
{
    return or_null(p, error_origin_name(failure_of(p)->failure.origin));
}

static json_t *error_count(const struct result_place *p)
{
    return result_count(failure_of(p)->failure.count);
}

static json_t *error_signature(const struct result_place *p)
{
    char pattern[SIGNATURE_MAX + 128];

    return result_text(aggregate_failure_pattern(failure_of(p), pattern, sizeof pattern));
}

static json_t *error_sample(const struct result_place *p)
{
    const struct failure *f = &failure_of(p)->failure;

    return failure_of(p)->is_other ? json_null()
                                   : result_slice((struct str){f->sample, f->sample_len});
}

static json_t *error_first_second(const struct result_place *p)
{
    return result_count(failure_of(p)->first_second);
}

static json_t *error_last_second(const struct result_place *p)
{
    return result_count(failure_of(p)->last_second);
}

static const struct aggregate_key *key_of(const struct result_place *p)
{
    return aggregate_key(p->run->books, (uint32_t)p->index);
}

static json_t *key_stage(const struct result_place *p)
{
    return result_text(p->run->plan->stages[key_of(p)->stage_index].config->stage_id);
}

static json_t *key_operation(const struct result_place *p)
{
    return result_text(key_of(p)->operation);
}

static json_t *key_tool(const struct result_place *p)
{
    return result_text(key_of(p)->tool_name);
}

static json_t *key_template(const struct result_place *p)
{
    return result_text(key_of(p)->template_id);
}

static const struct result_member error_operation_members[] = {
    {"stage_id", "string", "The stage.", key_stage, NULL},
    {"operation", "string", "`tools/call` …", key_operation, NULL},
    {"tool_name", "string or null", "The tool that was called.", key_tool, NULL},
    {"template_id", "string or null", "The template of the call.", key_template, NULL},
};
const struct result_section result_section_error_operation =
    RESULT_SECTION("errors[].operations[]", error_operation_members);

static json_t *error_operations(const struct result_place *p)
{
    const uint64_t *keys = failure_of(p)->keys;
    json_t *out = json_array();

    for (uint32_t i = 0; keys != NULL && i < aggregate_key_count(p->run->books); i++) {
        if (keys[i / 64] >> (i % 64) & 1) {
            struct result_place here = *p;
            here.index = i;
            json_array_append_new(out, result_object(&result_section_error_operation, &here));
        }
    }
    return out;
}

static const struct result_member error_members[] = {
    {"type", "string or null", "Type of the failure; null in the row for the rest.", error_type,
     NULL},
    {"code", "string or null", "Code of the failure; likewise.", error_code, NULL},
    {"origin", "string or null", "Whose fault it looks like; likewise.", error_origin, NULL},
    {"count", "integer", "How often.", error_count, NULL},
    {"signature", "string",
     "Type, code and message, with ids, numbers and addresses masked; `<OTHER>` in the row for the "
     "rest.",
     error_signature, NULL},
    {"sample", "string or null", "One of the messages as it came.", error_sample, NULL},
    {"first_second", "integer", "The first second of the run that had it.", error_first_second,
     NULL},
    {"last_second", "integer", "The last one.", error_last_second, NULL},
    {"operations", "array of objects", "The operations that had it; empty in the row for the rest.",
     error_operations, &result_section_error_operation},
};
const struct result_section result_section_error = RESULT_SECTION("errors[]", error_members);

json_t *result_errors(const struct result_place *p)
{
    /* One more, for the row of the rest. An array of pointers: the check takes that for a slip. */
    /* NOLINTNEXTLINE(bugprone-sizeof-expression) */
    const struct aggregate_failure **rows = xcalloc(AGGREGATE_SIGNATURES_MAX + 1, sizeof *rows);
    size_t count = aggregate_failures(p->run->books, rows, AGGREGATE_SIGNATURES_MAX + 1);
    json_t *out = json_array();

    for (size_t i = 0; i < count; i++) {
        struct result_place here = *p;

        here.item = rows[i];
        json_array_append_new(out, result_object(&result_section_error, &here));
    }
    xfree(rows);
    return out;
}

/* ---- conditions -------------------------------------------------------------------------------
 */

static const struct stop_state *condition_of(const struct result_place *p)
{
    return p->item;
}

static json_t *condition_id(const struct result_place *p)
{
    return result_text(condition_of(p)->spec->id);
}

static json_t *condition_stage(const struct result_place *p)
{
    int32_t stage = condition_of(p)->spec->stage_index;

    return stage < 0 ? json_null() : result_text(p->run->plan->stages[stage].config->stage_id);
}

static json_t *condition_metric(const struct result_place *p)
{
    return json_string(condition_of(p)->spec->metric->name);
}

/* "latency_p99_ms > 5 s for 2 x 2 s" */
static json_t *condition_expression(const struct result_place *p)
{
    const struct stop_spec *spec = condition_of(p)->spec;
    unsigned long long window_s = (spec->window_ms + 999) / 1000;
    char text[512], whole[600], during[64] = "";

    if (spec->sustain_windows > 1) {
        snprintf(during, sizeof during, " for %u x %llu s", spec->sustain_windows, window_s);
    } else if (!spec->metric->since_begin) {
        snprintf(during, sizeof during, " in %llu s", window_s);
    }
    result_expression(spec->metric, spec->scope_text, spec->comparator, spec->threshold, text,
                      sizeof text);
    snprintf(whole, sizeof whole, "%s%s", text, during);
    return result_text(whole);
}

static json_t *condition_scope(const struct result_place *p)
{
    return result_scope(condition_of(p)->spec->scope_text);
}

static json_t *condition_comparator(const struct result_place *p)
{
    return json_string(stop_comparator_name(condition_of(p)->spec->comparator));
}

static json_t *condition_threshold(const struct result_place *p)
{
    return json_real(condition_of(p)->spec->threshold);
}

static json_t *condition_window(const struct result_place *p)
{
    return result_count(condition_of(p)->spec->window_ms);
}

static json_t *condition_sustain(const struct result_place *p)
{
    return result_count(condition_of(p)->spec->sustain_windows);
}

static json_t *condition_action(const struct result_place *p)
{
    return json_string(condition_of(p)->spec->on_trigger == STOP_PASS ? "pass" : "fail");
}

static json_t *condition_last(const struct result_place *p)
{
    const struct stop_state *s = condition_of(p);

    return s->last.has_value ? result_real(s->last.value, 1e6) : json_null();
}

static json_t *condition_worst(const struct result_place *p)
{
    return condition_of(p)->has_worst ? result_real(condition_of(p)->worst, 1e6) : json_null();
}

static json_t *condition_breached(const struct result_place *p)
{
    return json_boolean(condition_of(p)->breached);
}

static json_t *condition_triggered(const struct result_place *p)
{
    return json_boolean(condition_of(p)->triggered);
}

static const struct result_member condition_members[] = {
    {"id", "string", "Id of the condition.", condition_id, NULL},
    {"stage_id", "string or null", "Its stage; null: the whole run.", condition_stage, NULL},
    {"metric", "string", "Its metric.", condition_metric, NULL},
    {"scope", "string or null",
     "Whose operations count, as `KEY=VALUE`, commas between; null: all.", condition_scope, NULL},
    {"expression", "string", "All of it in one line for people.", condition_expression, NULL},
    {"comparator", "string", "`>`, `>=`, `<` or `<=`.", condition_comparator, NULL},
    {"threshold", "number", "In the metric's unit.", condition_threshold, NULL},
    {"window_ms", "integer", "Length of a window.", condition_window, NULL},
    {"sustain_windows", "integer", "How many adjacent windows have to breach.", condition_sustain,
     NULL},
    {"on_trigger", "string", "`fail` or `pass`: what reaching it means.", condition_action, NULL},
    {"last", "number or null", "Value of the newest window.", condition_last, NULL},
    {"worst", "number or null",
     "The value that came nearest to the threshold or went furthest "
     "beyond it.",
     condition_worst, NULL},
    {"breached", "boolean", "A window breached the threshold.", condition_breached, NULL},
    {"triggered", "boolean", "Enough adjacent windows did.", condition_triggered, NULL},
};
const struct result_section result_section_condition =
    RESULT_SECTION("conditions[]", condition_members);

json_t *result_conditions(const struct result_place *p)
{
    json_t *out = json_array();

    for (size_t i = 0; i < stop_count(p->run->conditions); i++) {
        struct result_place here = *p;
        struct stop_state state;

        stop_state(p->run->conditions, i, &state);
        here.item = &state;
        json_array_append_new(out, result_object(&result_section_condition, &here));
    }
    return out;
}

/* ---- integrity --------------------------------------------------------------------------------
 */

struct books {
    struct aggregate_integrity merge;
    uint64_t started, succeeded, failed, unfinished;
    uint64_t due, dropped, verified, mismatches;
    uint32_t sources, finished;
};

uint32_t result_source_count(const struct run *r)
{
    return r->workers_->source_count;
}

static struct books read_books(const struct run *r)
{
    struct aggregate_filter filter = aggregate_everything();
    struct metric_view view = {.span_s = 0};
    struct books b = {.sources = result_source_count(r)};

    filter.dists = 0;
    aggregate_view_total(r->books, &filter, &view);
    b.started = view.count[COUNT_STARTED];
    b.succeeded = view.count[COUNT_ENDED_OK];
    b.failed = view.count[COUNT_ENDED_FAILED];
    b.unfinished = view.count[COUNT_UNFINISHED];
    b.due = view.count[COUNT_DUE];
    b.dropped = view.count[COUNT_DROPPED_DEADLINE] + view.count[COUNT_DROPPED_NO_SLOT] +
                view.count[COUNT_DROPPED_STOPPED];
    b.verified = view.count[COUNT_INTEGRITY_VERIFIED];
    b.mismatches = view.count[COUNT_INTEGRITY_MISMATCHES];
    metric_view_clear(&view);
    aggregate_integrity(r->books, &b.merge);
    for (uint32_t i = 0; i < b.sources; i++) {
        struct aggregate_source source;
        aggregate_source(r->books, i, &source);
        b.finished += source.finished;
    }
    return b;
}

static bool is_balanced(const struct books *b)
{
    return b->started == b->succeeded + b->failed + b->unfinished;
}

static uint64_t refused_windows(const struct books *b)
{
    return b->merge.duplicates + b->merge.refused + b->merge.unknown_source;
}

static bool is_whole(const struct books *b)
{
    return b->merge.missing == 0 && refused_windows(b) == 0 && b->merge.sums_agree &&
           b->merge.due_missing == 0 && b->finished == b->sources && is_balanced(b);
}

static bool is_empty(const struct books *b)
{
    return b->merge.windows == 0 && refused_windows(b) == 0;
}

/* "merge verified: 2/2 sources, 0 windows lost, started = succeeded + failed + unfinished", or what
 * is wrong. */
static void write_line(const struct books *b, struct buf *out)
{
    if (is_empty(b)) {
        (void)buf_add_c(out, "nothing to merge: no load was generated");
        return;
    }
    (void)buf_printf(out, "merge %s: %u/%u sources, %llu windows lost, ",
                     is_whole(b) ? "verified" : "FAILED", b->finished, b->sources,
                     (unsigned long long)b->merge.missing);
    if (refused_windows(b) > 0 || !b->merge.sums_agree) {
        (void)buf_printf(out, "%llu windows refused, sums %s, ",
                         (unsigned long long)refused_windows(b),
                         b->merge.sums_agree ? "agree" : "DIFFER");
    }
    if (b->merge.due_missing != 0) {
        (void)buf_printf(out, "%lld due operations neither started nor dropped, ",
                         (long long)b->merge.due_missing);
    } else if (b->due > 0) {
        (void)buf_add_c(out, "due = started + dropped, ");
    }
    if (is_balanced(b)) {
        (void)buf_add_c(out, "started = succeeded + failed + unfinished");
    } else {
        (void)buf_printf(out, "started %llu is not %llu + %llu + %llu",
                         (unsigned long long)b->started, (unsigned long long)b->succeeded,
                         (unsigned long long)b->failed, (unsigned long long)b->unfinished);
    }
}

static const struct books *books_of(const struct result_place *p)
{
    return p->item;
}

static json_t *integrity_started(const struct result_place *p)
{
    return result_count(books_of(p)->started);
}

static json_t *integrity_succeeded(const struct result_place *p)
{
    return result_count(books_of(p)->succeeded);
}

static json_t *integrity_failed(const struct result_place *p)
{
    return result_count(books_of(p)->failed);
}

static json_t *integrity_unfinished(const struct result_place *p)
{
    return result_count(books_of(p)->unfinished);
}

static json_t *integrity_balanced(const struct result_place *p)
{
    return json_boolean(is_balanced(books_of(p)));
}

static json_t *integrity_sources(const struct result_place *p)
{
    return result_count(books_of(p)->sources);
}

static json_t *integrity_finished(const struct result_place *p)
{
    return result_count(books_of(p)->finished);
}

static json_t *integrity_windows(const struct result_place *p)
{
    return result_count(books_of(p)->merge.windows);
}

static json_t *integrity_duplicates(const struct result_place *p)
{
    return result_count(books_of(p)->merge.duplicates);
}

static json_t *integrity_refused(const struct result_place *p)
{
    return result_count(books_of(p)->merge.refused + books_of(p)->merge.unknown_source);
}

static json_t *integrity_missing(const struct result_place *p)
{
    return result_count(books_of(p)->merge.missing);
}

static json_t *integrity_sums(const struct result_place *p)
{
    return json_boolean(books_of(p)->merge.sums_agree);
}

static json_t *integrity_due(const struct result_place *p)
{
    return result_count(books_of(p)->due);
}

static json_t *integrity_dropped(const struct result_place *p)
{
    return result_count(books_of(p)->dropped);
}

static json_t *integrity_due_balanced(const struct result_place *p)
{
    return json_boolean(books_of(p)->merge.due_missing == 0);
}

static json_t *integrity_verified(const struct result_place *p)
{
    return result_count(books_of(p)->verified);
}

static json_t *integrity_mismatches(const struct result_place *p)
{
    return result_count(books_of(p)->mismatches);
}

static json_t *integrity_whole(const struct result_place *p)
{
    return json_boolean(is_empty(books_of(p)) || is_whole(books_of(p)));
}

static json_t *integrity_line(const struct result_place *p)
{
    struct buf line;

    buf_init(&line, 1024);
    write_line(books_of(p), &line);
    json_t *out = json_string(buf_c(&line));
    buf_clear(&line);
    return out;
}

static const struct result_member integrity_members[] = {
    {"started", "integer", "Operations started.", integrity_started, NULL},
    {"succeeded", "integer", "Operations that succeeded.", integrity_succeeded, NULL},
    {"failed", "integer", "Operations that failed, those included that we cut.", integrity_failed,
     NULL},
    {"unfinished", "integer", "Operations that were running when the run had to stop.",
     integrity_unfinished, NULL},
    {"balanced", "boolean", "started = succeeded + failed + unfinished.", integrity_balanced, NULL},
    {"sources", "integer", "Sources of figures.", integrity_sources, NULL},
    {"finished", "integer", "Sources that said they had sent everything.", integrity_finished,
     NULL},
    {"windows", "integer", "Windows (a source's second) that were added.", integrity_windows, NULL},
    {"duplicates", "integer", "Windows refused because they had come before.", integrity_duplicates,
     NULL},
    {"refused", "integer", "Windows refused for another reason.", integrity_refused, NULL},
    {"missing", "integer", "Windows that never came.", integrity_missing, NULL},
    {"sums_agree", "boolean", "The sums over the sources are the totals, for every count.",
     integrity_sums, NULL},
    {"due", "integer", "Open model: operations whose time came.", integrity_due, NULL},
    {"dropped", "integer", "Open model: operations that were due and never started.",
     integrity_dropped, NULL},
    {"due_balanced", "boolean", "Open model: due = started + dropped.", integrity_due_balanced,
     NULL},
    {"verified", "integer",
     "Answers that brought their own mark back: they came to the right caller.", integrity_verified,
     NULL},
    {"mismatches", "integer", "Answers that brought the mark of another operation.",
     integrity_mismatches, NULL},
    {"whole", "boolean", "Nothing is wrong with the books.", integrity_whole, NULL},
    {"line", "string", "All of this in one line for people.", integrity_line, NULL},
};
const struct result_section result_section_integrity =
    RESULT_SECTION("integrity", integrity_members);

json_t *result_integrity(const struct result_place *p)
{
    struct books books = read_books(p->run);
    struct result_place here = *p;

    here.item = &books;
    return result_object(&result_section_integrity, &here);
}

/* ---- workers ----------------------------------------------------------------------------------
 */

static const struct aggregate_source *source_of(const struct result_place *p)
{
    return p->item;
}

static json_t *worker_source(const struct result_place *p)
{
    return result_count(p->index);
}

static json_t *worker_finished(const struct result_place *p)
{
    return json_boolean(source_of(p)->finished);
}

static json_t *worker_windows(const struct result_place *p)
{
    return result_count(source_of(p)->windows);
}

static json_t *worker_operations(const struct result_place *p)
{
    return result_count(source_of(p)->count[COUNT_ENDED_OK] +
                        source_of(p)->count[COUNT_ENDED_FAILED]);
}

static json_t *worker_failed(const struct result_place *p)
{
    return result_count(source_of(p)->count[COUNT_ENDED_FAILED]);
}

static json_t *worker_busy_ms(const struct result_place *p)
{
    return result_ms(source_of(p)->busy_ns);
}

static json_t *worker_wall_ms(const struct result_place *p)
{
    return result_ms(source_of(p)->wall_ns);
}

static json_t *worker_busy(const struct result_place *p)
{
    const struct aggregate_source *s = source_of(p);

    return s->wall_ns == 0 ? json_null()
                           : result_real((double)s->busy_ns / (double)s->wall_ns, 1e4);
}

static json_t *worker_busy_max(const struct result_place *p)
{
    return source_of(p)->wall_ns == 0 ? json_null() : result_real(source_of(p)->busy_max, 1e4);
}

static json_t *worker_over_80(const struct result_place *p)
{
    return result_count(source_of(p)->busy_seconds_over_80);
}

static json_t *worker_over_95(const struct result_place *p)
{
    return result_count(source_of(p)->busy_seconds_over_95);
}

static json_t *worker_wakeups(const struct result_place *p)
{
    return result_count(source_of(p)->wakeups);
}

static const struct result_member worker_members[] = {
    {"source", "integer", "Number of the source, from 0.", worker_source, NULL},
    {"finished", "boolean", "It said that it had sent everything.", worker_finished, NULL},
    {"windows", "integer", "Its seconds that were added.", worker_windows, NULL},
    {"operations", "integer", "Operations that ended on it.", worker_operations, NULL},
    {"failed", "integer", "Those of them that failed.", worker_failed, NULL},
    {"busy", "number or null", "Share of its time in which it did not wait for events.",
     worker_busy, NULL},
    {"busy_ms", "number", "That time.", worker_busy_ms, NULL},
    {"wall_ms", "number", "The time that it is a share of.", worker_wall_ms, NULL},
    {"busy_max", "number or null", "The share in its busiest second.", worker_busy_max, NULL},
    {"busy_seconds_over_80", "integer", "Seconds with a share above 0.80.", worker_over_80, NULL},
    {"busy_seconds_over_95", "integer",
     "Seconds with a share above 0.95: its figures are in "
     "doubt.",
     worker_over_95, NULL},
    {"wakeups", "integer", "How often it woke up for events.", worker_wakeups, NULL},
};
const struct result_section result_section_worker = RESULT_SECTION("workers[]", worker_members);

json_t *result_workers(const struct result_place *p)
{
    uint32_t count = result_source_count(p->run);
    json_t *out = json_array();

    for (uint32_t i = 0; i < count; i++) {
        struct result_place here = *p;
        struct aggregate_source source;

        aggregate_source(p->run->books, i, &source);
        here.index = i;
        here.item = &source;
        json_array_append_new(out, result_object(&result_section_worker, &here));
    }
    return out;
}

/* ---- environment ------------------------------------------------------------------------------
 */

static json_t *environment_version(const struct result_place *p)
{
    (void)p;
    return json_string(MCPDRILL_VERSION);
}

static json_t *environment_kernel(const struct result_place *p)
{
    struct utsname name;

    (void)p;
    return uname(&name) == 0 ? result_text(name.release) : json_null();
}

static json_t *environment_machine(const struct result_place *p)
{
    struct utsname name;

    (void)p;
    return uname(&name) == 0 ? result_text(name.machine) : json_null();
}

static json_t *environment_cpus(const struct result_place *p)
{
    cpu_set_t set;

    (void)p;
    /* What this process may use, not what the machine has. */
    return sched_getaffinity(0, sizeof set, &set) == 0 ? json_integer(CPU_COUNT(&set))
                                                       : json_null();
}

static json_t *environment_descriptors(const struct result_place *p)
{
    struct rlimit limit;

    (void)p;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY
               ? result_count(limit.rlim_cur)
               : json_null();
}

static const struct result_member environment_members[] = {
    {"version", "string", "Version of MCPDrill.", environment_version, NULL},
    {"kernel", "string or null", "Release of the kernel.", environment_kernel, NULL},
    {"machine", "string or null", "Architecture of the machine.", environment_machine, NULL},
    {"cpus", "integer or null", "CPUs that the process may use.", environment_cpus, NULL},
    {"descriptors_limit", "integer or null", "How many files and sockets it may have open.",
     environment_descriptors, NULL},
};
const struct result_section result_section_environment =
    RESULT_SECTION("environment", environment_members);

json_t *result_environment(const struct result_place *p)
{
    return result_object(&result_section_environment, p);
}
