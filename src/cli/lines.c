/* SPDX-License-Identifier: MIT */
#include "cli/lines.h"

#include "base/clock.h"
#include "cli/screen.h"

#include <math.h>
#include <stdarg.h>

enum { BAR_COLUMNS = 20, FOREIGN_COLUMNS = 200, RATE_COLUMNS = 12, LATENCY_COLUMNS = 9 };

void lines_add(struct lines *l, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (l->rc == 0) {
        l->rc = buf_vprintf(l->out, fmt, ap);
    }
    va_end(ap);
}

void lines_padded(struct lines *l, const char *text, size_t width)
{
    if (l->rc == 0) {
        l->rc = text_add_left(l->out, str_c(text), width);
    }
}

void lines_alarm(struct lines *l)
{
    if (l->style->terminal && l->style->colour) {
        lines_add(l, "%c", SCREEN_ALARM);
    }
}

void lines_ratio(struct lines *l, uint64_t part, uint64_t whole)
{
    char count[TEXT_NUMBER_MAX], percent[TEXT_NUMBER_MAX];

    lines_add(l, "%s", text_count(part, count));
    if (whole > 0) {
        lines_add(l, " (%s)", text_percent((double)part / (double)whole, percent));
    }
}

static void add_foreign(struct lines *l, struct str text)
{
    if (l->rc == 0) {
        l->rc = text_add_safe(l->out, text, FOREIGN_COLUMNS);
    }
}

void lines_named(struct lines *l, const char *label, struct str what, struct str name)
{
    lines_padded(l, label, LINES_LABEL_COLUMNS);
    add_foreign(l, what);
    lines_add(l, " · ");
    add_foreign(l, name);
    lines_add(l, "\n");
}

static void add_bar(struct lines *l, double share)
{
    int full = (int)(share * BAR_COLUMNS);

    lines_add(l, " [");
    for (int i = 0; i < BAR_COLUMNS; i++) {
        lines_add(l, "%s", i < full ? "=" : " ");
    }
    lines_add(l, "] %.0f %%", floor(share * 100));
}

void lines_head(struct lines *l, const struct lines_head *head)
{
    char spent[TEXT_NUMBER_MAX], planned[TEXT_NUMBER_MAX];

    lines_padded(l, "run", LINES_LABEL_COLUMNS);
    add_foreign(l, str_c(head->state));
    if (head->stage > 0) {
        double share = head->planned_ns > 0 ? (double)head->spent_ns / (double)head->planned_ns : 1;

        /* The state names its kind; an id may be long. */
        lines_add(l, " · stage %llu of %llu · %s of %s", (unsigned long long)head->stage,
                  (unsigned long long)head->stages, text_clock(head->spent_ns, spent),
                  text_clock(head->planned_ns, planned));
        add_bar(l, share < 1 ? share : 1);
    }
    lines_add(l, "\n");
}

void lines_figures(struct lines *l, const char *label, const struct lines_figures *f)
{
    char number[TEXT_NUMBER_MAX];

    lines_padded(l, label, LINES_LABEL_COLUMNS);
    lines_padded(l, text_rate(f->rate, number), RATE_COLUMNS);
    lines_add(l, "  %s p50 ", f->letter);
    lines_padded(l, f->p50, LATENCY_COLUMNS);
    lines_add(l, "  p95 ");
    lines_padded(l, f->p95, LATENCY_COLUMNS);
    lines_add(l, "  p99 ");
    lines_padded(l, f->p99, LATENCY_COLUMNS);
    lines_add(l, "  failed ");
    lines_ratio(l, f->failed, f->ended);
    lines_add(l, "\n");
}

void lines_sparks(struct lines *l, const double *ring, uint64_t size, uint64_t count)
{
    static const char *const levels[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    uint64_t shown = count < size ? count : size;
    double most = 0;
    char text[TEXT_NUMBER_MAX];

    for (uint64_t i = 0; i < shown; i++) {
        most = ring[i] > most ? ring[i] : most;
    }
    lines_padded(l, "p99", LINES_LABEL_COLUMNS);
    for (uint64_t i = count - shown; i < count; i++) {
        double value = ring[i % size];
        int level = most > 0 ? (int)(value / most * 7.999) : 0;

        lines_add(l, "%s", value < 0 ? " " : levels[level]);
    }
    if (most > 0) {
        lines_add(l, " at most %s", text_time((uint64_t)(most * (double)NS_PER_MS), text));
    }
    lines_add(l, "\n");
}

void lines_second(struct lines *l, const struct lines_second *s)
{
    const struct lines_figures *f = &s->figures;
    char text[TEXT_NUMBER_MAX];

    lines_add(l, "%4llu s  ", (unsigned long long)s->second + 1);
    lines_padded(l, s->state, 17);
    lines_add(l, "  %s", text_rate(f->rate, text));
    if (s->due_rate > 0) {
        lines_add(l, " of %s due", text_rate(s->due_rate, text));
    }
    lines_add(l, "  failed ");
    lines_ratio(l, f->failed, f->ended);
    lines_add(l, "  %s p50 %s  p99 %s", f->letter, f->p50, f->p99);
    lines_add(l, "  %s VUs", text_count(s->vus, text));
    lines_add(l, "  %s in flight", text_count(s->in_flight, text));
}
