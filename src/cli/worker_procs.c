/* SPDX-License-Identifier: MIT */
#include "cli/worker_procs.h"

#include "worker/spawn.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

enum { WORDS_MAX = OPT_GIVEN_MAX + 4, WORD_BYTES = 4096 };

/* The command line of a child; words of options with values are "--name=value". */
struct words {
    char *argv[WORDS_MAX];
    size_t count;
    char text[64 * 1024];
    size_t len;
};

static int add_word(struct words *w, const char *name, const char *value, struct err *err)
{
    char *at = w->text + w->len;
    size_t room = sizeof w->text - w->len;
    int n = value != NULL ? snprintf(at, room, "--%s=%s", name, value)
                          : snprintf(at, room, "--%s", name);

    if (n < 0 || (size_t)n >= room) {
        return err_set(err, ERR_USAGE, "the options are too long for --procs");
    }
    w->argv[w->count++] = at;
    w->len += (size_t)n + 1;
    return 0;
}

/* What came from the environment comes to the child from there, too; but --procs must not. */
static int make_words(const struct opt_args *args, uint32_t procs, struct words *w, struct err *err)
{
    static char name[] = "worker";
    char number[16];
    int rc = 0;

    *w = (struct words){.argv = {name}, .count = 1};
    for (size_t i = 0; rc == 0 && i < args->given_count; i++) {
        const struct opt_given *g = &args->given[i];

        if (!g->from_environment && strcmp(g->opt->name, "procs") != 0) {
            rc = add_word(w, g->opt->name, g->value, err);
        }
    }
    snprintf(number, sizeof number, "%u", procs);
    rc = rc != 0 ? rc : add_word(w, "procs", "1", err);
    return rc != 0 ? rc : add_word(w, "of", number, err);
}

/* How many of them are there no more; tells of those that ended badly. */
static unsigned reap(struct spawned *children, uint32_t count, bool *failed)
{
    unsigned ended = 0;
    char text[64];
    int status;

    for (uint32_t i = 0; i < count; i++) {
        pid_t pid = children[i].pid;

        if (!spawn_reap(&children[i], &status)) {
            continue;
        }
        ended++;
        if (pid != 0 && status != 0) {
            fprintf(stderr, "mcpdrill worker: process %ld has ended with %s\n", (long)pid,
                    spawn_status_text(status, text));
            *failed = true;
        }
    }
    return ended;
}

/* The signals are blocked: they wait here, and are lost to nobody. */
static int watch(struct spawned *children, uint32_t count, const sigset_t *signals)
{
    bool failed = false;

    while (reap(children, count, &failed) < count) {
        int signo = sigwaitinfo(signals, NULL);

        for (uint32_t i = 0; (signo == SIGINT || signo == SIGTERM) && i < count; i++) {
            spawn_signal(&children[i], signo);
        }
    }
    return failed ? EXIT_INTERNAL : EXIT_PASSED;
}

int worker_procs(const struct opt_args *args, uint32_t count)
{
    static struct words words; /* too large for a stack */
    struct spawned children[WORKER_PROCS_MAX];
    uint32_t started = 0;
    struct err err = {0};
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    int rc = make_words(args, count, &words, &err);
    while (rc == 0 && started < count) {
        rc = spawn(NULL, words.argv, false, &children[started], &err);
        started += rc == 0;
    }
    if (rc != 0) {
        fprintf(stderr, "mcpdrill worker: %s\n", err.msg);
        for (uint32_t i = 0; i < started; i++) {
            spawn_signal(&children[i], SIGTERM);
        }
    }
    int code = watch(children, started, &signals);
    return rc == 0 ? code : rc == ERR_USAGE ? EXIT_USAGE : EXIT_INTERNAL;
}
