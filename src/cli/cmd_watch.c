/* SPDX-License-Identifier: MIT */
/* `mcpdrill watch`: the live view of a run that a control plane has, a look each second. */
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/live.h"
#include "cli/screen.h"
#include "report/result/document.h"

#include <stdio.h>
#include <unistd.h>

enum { WATCH_PATH_MAX = RUN_ID_MAX + 128 };

struct watching {
    struct remote *remote;
    const char *id;
    struct live *live;
    struct screen screen;
    unsigned absences; /* that were seen */
};

/* One look. Before its first stage a run has no figures. */
static int look(struct watching *w)
{
    char path[WATCH_PATH_MAX];
    json_t *run = NULL, *metrics = NULL;

    snprintf(path, sizeof path, "/runs/%s", w->id);
    int code = remote_look(w->remote, path, &run);
    if (code == REMOTE_DONE && document_count(run, "started_at_ms") > 0) {
        snprintf(path, sizeof path, "/runs/%s/metrics?include_time_series=true&from=%llu", w->id,
                 (unsigned long long)live_since_ms(w->live, run));
        code = remote_look(w->remote, path, &metrics);
    }
    if (code == REMOTE_DONE) {
        live_take(w->live, run, metrics);
    }
    json_decref(run);
    json_decref(metrics);
    return code;
}

/* Not EXIT_PASSED when the reader is gone. */
static int show(struct watching *w)
{
    struct buf text;
    int code = EXIT_PASSED;

    buf_init(&text, LIVE_FRAME_MAX);
    if (w->absences != w->remote->absences) {
        w->absences = w->remote->absences;
        w->screen.drawn_lines = 0; /* what was said stands below them */
    }
    if (w->screen.style.terminal) {
        (void)live_frame(w->live, &text);
        screen_draw(&w->screen, &text);
    } else {
        (void)live_lines(w->live, &text);
        code = text.len > 0 ? cli_print(buf_str(&text)) : EXIT_PASSED;
    }
    buf_clear(&text);
    return code;
}

static int watch(struct watching *w)
{
    int code = look(w);

    while (code == REMOTE_DONE) {
        code = show(w);
        if (code != EXIT_PASSED || live_is_over(w->live)) {
            break;
        }
        code = remote_pause(w->remote, NS_PER_S) ? look(w) : 128 + w->remote->signo;
    }
    screen_clear(&w->screen);
    return code;
}

static int watch_run(struct remote *r, const struct opt_args *args, const char *id)
{
    struct text_style style = text_style_of(STDOUT_FILENO);
    struct watching w = {.remote = r, .id = id, .live = live_new(&style)};
    int code = remote_catch_signals(r);

    (void)args;
    screen_init(&w.screen, STDOUT_FILENO, &style);
    if (code == REMOTE_DONE) {
        code = watch(&w);
    }
    live_free(w.live);
    if (r->signo != 0) {
        remote_say(r, "the run goes on; \"mcpdrill stop %s\" ends it", id);
    }
    if (code == REMOTE_DONE) {
        /* Who watches asks how it went, not whether it is good. */
        code = client_show_result(r, id, NULL, false);
        code = code == REMOTE_UNREACHABLE ? code : EXIT_PASSED;
    }
    return code;
}

int cmd_watch(const struct opt_args *args)
{
    return client_with_run(args, watch_run);
}
