/* SPDX-License-Identifier: MIT */
/*
 * Are the quantiles in a report true? Load against a mock whose every latency is known: the i-th
 * call meets the i-th draw of a counter-based generator, so the exact sample is computed here and
 * sorted, and each quantile of the report is laid beside the one of that sample. Within 1 %, for
 * several distributions and numbers of shards; and what is merged from several sources equals what
 * was never split.
 *
 * What a client measures is the drawn latency plus the way there and back, which is measured first,
 * without any latency, at the same rate. A case that misses is tried again twice: a machine that
 * was busy elsewhere for some milliseconds is no wrong percentile. On a machine on which others
 * compute all the time a miss says nothing at all (measure/quiet.h), and the rest is skipped.
 *
 *     measure_quantiles [--long] [BIN_DIR]
 *
 * Prints a table; the exit code is 1 after a miss, and 77 after "skipped: " with the reason.
 */
#include "base/clock.h"
#include "measure/programs.h"
#include "measure/quiet.h"
#include "measure/split.h"
#include "metrics/histogram.h"
#include "mock/faults/faults.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SEED = 20261, ATTEMPTS = 3, TEXT_MAX = 4096, EXIT_SKIPPED = 77 };
#define TOLERANCE 0.01

static const struct {
    const char *name; /* member of distributions.service */
    uint32_t ppm;
} quantiles[] = {
    {"p50_ms", 500000}, {"p75_ms", 750000}, {"p90_ms", 900000},
    {"p95_ms", 950000}, {"p99_ms", 990000}, {"p999_ms", 999000},
};
enum { QUANTILES = sizeof quantiles / sizeof quantiles[0] };

struct distribution {
    const char *name;
    const char *flags[8]; /* of the mock; NULL-terminated */
    enum latency_kind kind;
    double a, b; /* uniform: from, to; lognormal: median, sigma */
    double mean_ms;
};

static const struct distribution distributions[] = {
    {"uniform 5..50 ms",
     {"--latency-kind", "uniform", "--latency-min-ms", "5", "--latency-max-ms", "50"},
     LATENCY_UNIFORM,
     5,
     50,
     27.5},
    {"lognormal, median 20 ms, sigma 0.5",
     {"--latency-kind", "lognormal", "--latency-median-ms", "20", "--latency-sigma", "0.5"},
     LATENCY_LOGNORMAL,
     20,
     0.5,
     22.66},
};

struct lab {
    const char *bin_dir;
    char dir[64]; /* for files */
    uint64_t duration_ms;
    unsigned vus;
    double way_ms;        /* there and back, without latency */
    double foreign_cores; /* that others had in the last attempt that missed */
};

/* ---- truth -------------------------------------------------------------------------------- */

static int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

/* The latencies that the calls met, sorted: draws `first` to `first + n - 1`, in milliseconds. */
static double *draw_truth(const struct distribution *d, uint64_t first, uint64_t n)
{
    double *truth = malloc(n * sizeof truth[0]);
    struct faults faults = faults_none();
    char flag[64];

    if (truth == NULL) {
        abort();
    }
    for (size_t i = 0; d->flags[i] != NULL; i += 2) {
        snprintf(flag, sizeof flag, "%s", d->flags[i] + 2);
        if (faults_set(&faults, flag, d->flags[i + 1], NULL) != 0) {
            abort();
        }
    }
    for (uint64_t i = 0; i < n; i++) {
        truth[i] = (double)faults_draw(&faults, SEED, first + i).latency_ns / (double)NS_PER_MS;
    }
    qsort(truth, n, sizeof truth[0], compare_numbers);
    return truth;
}

/* The share of the distribution that lies at or below `ms`. */
static double share_below(const struct distribution *d, double ms)
{
    if (d->kind == LATENCY_UNIFORM) {
        return fmin(1, fmax(0, (ms - d->a) / (d->b - d->a)));
    }
    return 0.5 * erfc(-log(ms / d->a) / (d->b * sqrt(2)));
}

/* Are the draws from the distribution that was asked for? Dvoretzky, Kiefer and Wolfowitz bound
 * the distance of n draws from it; beyond that is a chance of one in a million. */
static bool drawn_well(const struct distribution *d, const double *truth, uint64_t n)
{
    double bound = sqrt(log(2 / 1e-6) / (2 * (double)n));

    for (uint64_t i = 0; i < n; i++) {
        if (fabs(share_below(d, truth[i]) - (double)(i + 1) / (double)n) > bound + 1 / (double)n) {
            return false;
        }
    }
    return true;
}

/* ---- one run ------------------------------------------------------------------------------ */

static json_t *
run_load(const struct lab *lab, const struct mock_program *mock, unsigned threads, double think_ms)
{
    char text[TEXT_MAX];

    /* Nothing but the calls may take a draw, so no list beside the workload. */
    snprintf(text, sizeof text,
             "{\"target\":{\"url\":\"http://127.0.0.1:%u/mcp\"},"
             "\"workload\":{\"user_journey\":null,"
             "\"think_time\":{\"mode\":\"fixed\",\"base_ms\":%.0f},"
             "\"tools\":{\"templates\":[{\"tool_name\":\"fast_echo\","
             "\"arguments\":{\"message\":\"x\"}}]}},"
             "\"stages\":[{\"stage\":\"baseline\",\"duration_ms\":%llu,"
             "\"load\":{\"target_vus\":%u}}]}",
             mock->port, think_ms, (unsigned long long)lab->duration_ms, lab->vus);
    return drill(lab->bin_dir, lab->dir, text, threads);
}

static const json_t *service_of(const json_t *result)
{
    return json_object_get(json_object_get(result, "distributions"), "service");
}

static double number_at(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_number(value) ? json_number_value(value) : NAN;
}

/* The faulty requests before the load are the lists of the checks: each took a draw. */
static uint64_t draws_before(const json_t *stats)
{
    static const char *const methods[] = {"tools/list", "resources/list",
                                          "resources/templates/list", "prompts/list"};
    uint64_t n = 0;

    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++) {
        const json_t *count = json_object_get(json_object_get(stats, "requests"), methods[i]);
        n += (uint64_t)json_integer_value(count);
    }
    return n;
}

static bool measure_way(struct lab *lab)
{
    static const char *const flags[] = {NULL};
    struct mock_program mock;

    if (!mock_program_start(lab->bin_dir, flags, &mock)) {
        return false;
    }
    json_t *result = run_load(lab, &mock, 1, 25);
    lab->way_ms = number_at(service_of(result), "p50_ms");
    json_decref(result);
    mock_program_stop(&mock);
    printf("there and back, without latency: %.3f ms\n", lab->way_ms);
    return !isnan(lab->way_ms);
}

/* A line for the run; the number of quantiles that miss. */
static int print_line(const struct lab *lab, const json_t *service, const double *truth, uint64_t n)
{
    int misses = 0;

    printf("  %7llu ", (unsigned long long)n);
    for (size_t i = 0; i < QUANTILES; i++) {
        double true_ms = truth[hist_rank(n, quantiles[i].ppm) - 1] + lab->way_ms;
        double error = number_at(service, quantiles[i].name) / true_ms - 1;
        bool good = fabs(error) <= TOLERANCE;

        printf("  %8.3f %+.2f%%%s", true_ms, error * 100, good ? " " : "!");
        misses += !good;
    }
    return misses;
}

/* 0: every quantile is right. Else how many are not, or 1 for anything else that is wrong. */
static int measure_once(const struct lab *lab, const struct distribution *d, unsigned threads)
{
    char seed_flag[] = "--seed", seed[16];
    const char *flags[PROGRAM_ARGS_MAX] = {seed_flag, seed};
    struct mock_program mock;
    int misses = 1;

    snprintf(seed, sizeof seed, "%d", SEED);
    for (size_t i = 0; d->flags[i] != NULL; i++) {
        flags[i + 2] = d->flags[i];
    }
    if (!mock_program_start(lab->bin_dir, flags, &mock)) {
        return 1;
    }
    json_t *result = run_load(lab, &mock, threads, 0);
    json_t *stats = result == NULL ? NULL : mock_program_get(&mock, "/stats");
    mock_program_stop(&mock);
    const json_t *calls = json_object_get(json_object_get(stats, "requests"), "tools/call");
    uint64_t n = (uint64_t)json_integer_value(calls);
    if (n > 0) {
        const json_t *service = service_of(result);
        double *truth = draw_truth(d, draws_before(stats), n);

        misses = print_line(lab, service, truth, n);
        printf("  %3.0f%%", 100 * number_at(stats, "timed_late_50us") / (double)n);
        if (number_at(service, "n") != (double)n) {
            printf("  the report has %.0f samples\n", number_at(service, "n"));
            misses++;
        }
        if (!drawn_well(d, truth, n)) {
            printf("  the mock draws another distribution");
            misses++;
        }
        free(truth);
    }
    json_decref(result);
    json_decref(stats);
    return misses;
}

enum verdict { RIGHT, WRONG, NOT_QUIET };

/* Wrong is what misses so many times on a quiet machine. */
static enum verdict measure(struct lab *lab, const struct distribution *d, unsigned threads)
{
    int missed[2] = {0}; /* on a quiet machine, and on another */

    while (missed[0] < ATTEMPTS && missed[1] < ATTEMPTS) {
        struct quiet quiet;

        printf("%u shard%s", threads, threads == 1 ? " " : "s");
        fflush(stdout);
        quiet_begin(&quiet);
        int misses = measure_once(lab, d, threads);
        if (misses == 0) {
            printf("  ok\n");
            return RIGHT;
        }
        lab->foreign_cores = quiet_foreign_cores(&quiet);
        missed[lab->foreign_cores > QUIET_CORES_MAX]++;
        printf("  %s; others used %.2f cores\n", missed[0] < ATTEMPTS ? "again" : "MISS",
               lab->foreign_cores);
    }
    return missed[0] == ATTEMPTS ? WRONG : NOT_QUIET;
}

/* ---- main --------------------------------------------------------------------------------- */

/* Adds to *misses. False: the machine was not quiet, and there may be more of them. */
static bool measure_all(struct lab *lab, int *misses)
{
    static const unsigned threads[] = {1, 2, 3, 7};

    lab->foreign_cores = quiet_wait();
    if (lab->foreign_cores > QUIET_CORES_MAX) {
        return false;
    }
    if (!measure_way(lab)) {
        ++*misses;
        return true;
    }
    for (size_t i = 0; i < sizeof distributions / sizeof distributions[0]; i++) {
        printf("\n%s: true quantile in ms, error of the report\n           samples ",
               distributions[i].name);
        for (size_t k = 0; k < QUANTILES; k++) {
            printf("  %-16s", quantiles[k].name);
        }
        printf("  mock > 50 us late\n");
        for (size_t k = 0; k < sizeof threads / sizeof threads[0]; k++) {
            enum verdict verdict = measure(lab, &distributions[i], threads[k]);

            if (verdict == NOT_QUIET) {
                return false;
            }
            *misses += verdict == WRONG;
        }
    }
    return true;
}

int main(int argc, char **argv)
{
    struct lab lab = {.bin_dir = BIN_DIR, .duration_ms = 3000, .vus = 40};
    uint64_t samples = 200000;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--long") == 0) {
            lab.duration_ms = 60000;
            samples = 5000000;
        } else {
            lab.bin_dir = argv[i];
        }
    }
    snprintf(lab.dir, sizeof lab.dir, "/tmp/measure-XXXXXX");
    if (mkdtemp(lab.dir) == NULL) {
        perror("mkdtemp");
        return 1;
    }
    int misses = check_split(SEED, samples); /* which is true on any machine */
    printf("\n");
    bool quiet = measure_all(&lab, &misses);
    rmdir(lab.dir);
    if (misses == 0 && !quiet) {
        printf("\nskipped: the machine was not quiet: others used %.2f cores (limit %.2f)\n",
               lab.foreign_cores, QUIET_CORES_MAX);
        return EXIT_SKIPPED;
    }
    printf("\n%s\n", misses == 0 ? "every quantile is within 1 %" : "there were misses");
    return misses == 0 ? 0 : 1;
}
