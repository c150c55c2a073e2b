/* SPDX-License-Identifier: MIT */
/* The members of a result that are about the books: integrity, losses, and the machine that made
 * the load, or its control plane. */
#include "base/mem.h"
#include "report/result/result_priv.h"

#include <sched.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

/* ---- integrity --------------------------------------------------------------------------------
 */

struct books {
    struct aggregate_integrity merge;
    uint64_t started, succeeded, failed, unfinished;
    uint64_t due, dropped, verified, mismatches;
    uint32_t sources, finished;
    bool differ;             /* the totals of a worker are not those of its windows */
    uint32_t workers, whole; /* of a run of worker processes; 0: there are none */
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
    if (r->workers_->sources != NULL) {
        struct run_worker_count n = run_count_workers(r);
        b.workers = n.workers;
        b.whole = n.whole;
        b.differ = r->totals_differ_[0] != '\0';
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
           b->merge.due_missing == 0 && b->finished == b->sources && b->whole == b->workers &&
           !b->differ && is_balanced(b);
}

static bool is_empty(const struct books *b)
{
    return b->merge.windows == 0 && b->merge.missing == 0 && refused_windows(b) == 0;
}

/* "merge verified: 2/2 sources (of worker processes: 3/3 workers), 0 windows lost, started =
 * succeeded + failed + unfinished", or what is wrong. */
static void write_line(const struct books *b, struct buf *out)
{
    if (is_empty(b)) {
        (void)buf_add_c(out, "nothing to merge: no load was generated");
        return;
    }
    bool workers = b->workers > 0;
    (void)buf_printf(out, "merge %s: %u/%u %s, %llu windows lost, ",
                     is_whole(b) ? "verified" : "FAILED", workers ? b->whole : b->finished,
                     workers ? b->workers : b->sources, workers ? "workers" : "sources",
                     (unsigned long long)b->merge.missing);
    if (b->differ) {
        (void)buf_add_c(out, "totals of a worker DIFFER, ");
    }
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
    {"started", "integer", "Operations started, in whatever stage, preflight included.",
     integrity_started, NULL},
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

/* ---- what was left out ------------------------------------------------------------------------
 */

static json_t *losses_log(const struct result_place *p)
{
    uint64_t lost = p->run->log_lines_lost;

    for (uint32_t i = 0; i < result_source_count(p->run); i++) {
        struct aggregate_source source;

        aggregate_source(p->run->books, i, &source);
        lost += source.samples_lost;
    }
    return result_count(lost);
}

static json_t *losses_thinned(const struct result_place *p)
{
    uint64_t thinned = p->run->log_lines_thinned;

    for (uint32_t i = 0; i < result_source_count(p->run); i++) {
        struct aggregate_source source;

        aggregate_source(p->run->books, i, &source);
        thinned += source.samples_thinned;
    }
    return result_count(thinned);
}

static json_t *losses_signatures(const struct result_place *p)
{
    /* NOLINTNEXTLINE(bugprone-sizeof-expression) */
    const struct aggregate_failure **rows = xcalloc(AGGREGATE_SIGNATURES_MAX + 1, sizeof *rows);
    size_t count =
        aggregate_failures(p->run->books, AGGREGATE_ALL, rows, AGGREGATE_SIGNATURES_MAX + 1);
    uint64_t others = count > 0 && rows[count - 1]->is_other ? rows[count - 1]->failure.count : 0;

    xfree(rows);
    return result_count(others);
}

static json_t *losses_numbers(const struct result_place *p)
{
    uint64_t rejected = 0;

    for (uint32_t i = 0; i < p->view->custom_count; i++) {
        rejected += p->view->customs[i].rejected;
    }
    return result_count(rejected);
}

static const struct result_member losses_members[] = {
    {"op_log_lines", "integer",
     "Operations that the log of operations lacks: failures and unfinished ones beyond the bound "
     "of their kind, and "
     "what memory, its queue, its file or the disk had no room for.",
     losses_log, NULL},
    {"op_log_thinned", "integer",
     "Successes that the log of operations left out evenly: by `sample_rate`, or because of their "
     "number.",
     losses_thinned, NULL},
    {"error_signatures", "integer", "Failures that the table of signatures had no room for.",
     losses_signatures, NULL},
    {"custom_numbers", "integer", "Numbers that the scenario's metrics rejected.", losses_numbers,
     NULL},
};
const struct result_section result_section_losses = RESULT_SECTION("losses", losses_members);

json_t *result_losses(const struct result_place *p)
{
    return result_object(&result_section_losses, p);
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
