/* SPDX-License-Identifier: MIT */
/* What a scenario asks of the machine, and whether its target can be reached. */
#include "cli/doctor.h"
#include "engine/target.h"
#include "http/url.h"
#include "net/dial.h"
#include "scenario/config/levels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CONNECTS = 10, /* that are timed; one before them resolves the name */
    LIST_MAX = 160,
};

#define STEP_MOST_NS (5 * NS_PER_S) /* for the name, and for each connection */

/* ---- needs ----------------------------------------------------------------------------------- */

static bool is_local(const struct url *url, bool *ipv4)
{
    union addr a;

    if (str_eq(str_c(url->host), STR("localhost"))) {
        return *ipv4 = true;
    }
    if (!addr_from_literal(str_c(url->host), url->port, &a) || !addr_is_loopback(&a)) {
        return false;
    }
    *ipv4 = a.sa.sa_family == AF_INET;
    return true;
}

/* The most VUs and the highest rate of all stages, and how long they take. */
static double read_stages(const struct scenario *s, struct doctor_need *need, double *total_s)
{
    struct stage_levels levels, before;
    const struct stage_levels *previous = NULL;
    double rps = 0;

    for (size_t i = 0; i < s->stage_count; i++) {
        if (!s->stages[i].enabled) {
            continue;
        }
        levels_of_stage(s, &s->stages[i], previous, &levels);
        uint64_t vus = levels.vus > levels.start_vus ? levels.vus : levels.start_vus;
        need->vus = vus > need->vus ? vus : need->vus;
        need->sized |= levels.sized;
        rps = fmax(rps, fmax(levels.rps, levels.start_rps));
        *total_s += (double)levels.duration_ns / NS_PER_S;
        before = levels;
        previous = &before;
    }
    return rps;
}

/* Operations per second that the scenario bounds by itself; 0: only the target does. */
static double bounded_rate(const struct scenario *s, const struct doctor_need *need, double rps)
{
    const struct think_config *think = &s->workload.think;
    double slots = (double)(need->vus * need->in_flight_per_vu);

    if (rps <= 0 && think->mode != THINK_NONE && think->base_ns > 0) {
        rps = slots * (double)NS_PER_S / (double)think->base_ns;
    }
    double cap = s->safety.caps.max_rps;
    return cap > 0 && (rps <= 0 || cap < rps) ? cap : rps;
}

static uint64_t sessions_of(const struct scenario *s, const struct doctor_need *need)
{
    switch (s->session.mode) {
    case SESSION_POOL:
        return s->session.pool_size;
    case SESSION_PER_REQUEST:
        return need->vus * need->in_flight_per_vu;
    case SESSION_REUSE:
    case SESSION_CHURN:
        break;
    }
    return need->vus;
}

struct doctor_need doctor_need_of(const struct scenario *s)
{
    struct doctor_need need = {.has_plan = true, .in_flight_per_vu = s->workload.in_flight_per_vu};
    double total_s = 0, rps = read_stages(s, &need, &total_s);
    double rate = bounded_rate(s, &need, rps);
    uint64_t cap = s->safety.caps.max_connections;
    struct url url;

    need.connections = need.vus * need.in_flight_per_vu;
    need.connections = cap > 0 && cap < need.connections ? cap : need.connections;
    need.sessions = sessions_of(s, &need);
    need.churns = s->session.mode == SESSION_PER_REQUEST || s->session.mode == SESSION_CHURN;
    if (need.churns) {
        double each = s->session.mode == SESSION_CHURN && s->session.churn_interval_ops > 1
                          ? (double)s->session.churn_interval_ops
                          : 1;
        need.connects_per_s = rate / each;
    }
    if (need.churns && s->session.abandon == ABANDON_VANISH) { /* nothing is closed */
        need.connections += (uint64_t)(need.connects_per_s * total_s);
    }
    need.leaves_time_wait = need.churns && s->session.abandon != ABANDON_RST;
    need.local =
        url_parse(str_c(s->target.url), &url, NULL) == 0 && is_local(&url, &need.local_ipv4);
    return need;
}

/* ---- the target ------------------------------------------------------------------------------ */

struct probe {
    const struct scenario *scenario;
    struct loop *loop;
    struct timer limit;
    struct dialer dialer;
    struct dial *dial;
    struct dns_query *query;
    uint64_t limit_ns, began_ns;
    unsigned connected;
    uint64_t took_ns[CONNECTS + 1];
    unsigned address_count, refused_count;
    char addresses[LIST_MAX];
    bool late, failed;
    char why[256];
    const char *fix;
};

static const struct clock real_clock = {0};

static void give_up(struct probe *p, const char *why, const char *fix)
{
    p->failed = true;
    snprintf(p->why, sizeof p->why, "%s", why);
    p->fix = fix;
    loop_stop(p->loop);
}

static void on_late(struct timer *t)
{
    struct probe *p = list_entry(t, struct probe, limit);
    char why[80];

    snprintf(why, sizeof why, "%s within %.3g s",
             p->query != NULL ? "its name was not resolved" : "no connection",
             (double)p->limit_ns / NS_PER_S);
    give_up(p, why,
            p->query != NULL ? "check the name server (/etc/resolv.conf)"
                             : "check the address and what lies between: firewall, proxy, route");
}

/* Each step has its own limit. */
static void arm_limit(struct probe *p)
{
    p->began_ns = loop_clock(p->loop);
    loop_timer_arm(p->loop, &p->limit, p->began_ns + p->limit_ns);
}

static void connect_next(struct probe *p);

static void on_dial(void *owner, struct stream *stream, const struct dial_failure *failure)
{
    struct probe *p = owner;
    uint64_t now = loop_clock(p->loop);

    p->dial = NULL;
    if (stream == NULL) {
        give_up(p, failure->text,
                failure->step == DIAL_FILTER
                    ? "allow the address in environment.allowlist, or correct target.url"
                    : "start the target, or correct target.url");
        return;
    }
    stream_close(stream);
    p->took_ns[p->connected++] = now - p->began_ns;
    connect_next(p);
}

static void connect_next(struct probe *p)
{
    if (p->connected > CONNECTS) {
        loop_stop(p->loop);
        return;
    }
    arm_limit(p);
    p->dial = dial_start(&p->dialer, on_dial, p);
}

static void on_addresses(void *owner, const struct dns_answer *answer)
{
    struct probe *p = owner;
    char text[ADDR_TEXT_MAX];
    size_t len = 0;

    p->query = NULL;
    if (answer->count == 0) {
        give_up(p, answer->reason, "correct the host in target.url, or check the name server");
        return;
    }
    p->address_count = answer->count;
    for (unsigned i = 0; i < answer->count; i++) {
        bool allowed = target_filter(p->scenario, &answer->addrs[i].sa, NULL) == 0;

        p->refused_count += !allowed;
        if (len < sizeof p->addresses) {
            int n =
                snprintf(p->addresses + len, sizeof p->addresses - len, "%s%s%s", i > 0 ? " " : "",
                         addr_text(&answer->addrs[i], text), allowed ? "" : " (not allowed)");
            len += n > 0 ? (size_t)n : 0;
        }
    }
    connect_next(p);
}

static int compare_u64(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static void report(struct probe *p, const struct url *url, struct doctor_line *out)
{
    if (p->failed) {
        out->status = DOCTOR_FAIL;
        DOCTOR_VALUE(out, "%.80s: %.160s", url->authority, p->why);
        DOCTOR_FIX(out, "%s", p->fix);
        return;
    }
    uint64_t *took = p->took_ns + 1; /* behind the one that resolved the name */
    qsort(took, CONNECTS, sizeof took[0], compare_u64);
    uint64_t median = took[CONNECTS / 2];
    DOCTOR_VALUE(out, "connects in %.3g ms (median of %d), %.3g ms at most; %s",
                 (double)median / 1e6, CONNECTS, (double)took[CONNECTS - 1] / 1e6, p->addresses);
    if (p->refused_count > 0) {
        out->status = DOCTOR_WARN;
        DOCTOR_FIX(out, "allow all addresses of the name in environment.allowlist");
    }
}

void doctor_check_target(const struct doctor *d, struct doctor_line *out)
{
    const struct timeouts_config *timeouts = &d->scenario->target.timeouts;
    struct probe p = {.scenario = d->scenario};
    struct err err = {0};
    struct url url;

    DOCTOR_NEED(out, "can be reached");
    if (url_parse(str_c(d->scenario->target.url), &url, &err) != 0 ||
        loop_new(&real_clock, &p.loop, &err) != 0) {
        out->status = DOCTOR_FAIL;
        DOCTOR_VALUE(out, "%s", err.msg);
        return;
    }
    timer_init(&p.limit, on_late);
    p.limit_ns = timeouts->connect_ns > 0 && timeouts->connect_ns < STEP_MOST_NS
                     ? timeouts->connect_ns
                     : STEP_MOST_NS;
    dialer_init(&p.dialer, p.loop, url.host, url.port, target_filter, d->scenario);
    arm_limit(&p);
    if (dns_start(p.loop, url.host, url.port, on_addresses, &p, &p.query, &err) != 0) {
        give_up(&p, err.msg, "give the process more descriptors and threads");
    } else {
        loop_run(p.loop);
    }
    loop_timer_cancel(p.loop, &p.limit);
    if (p.query != NULL) {
        dns_cancel(p.query);
    }
    if (p.dial != NULL) {
        dial_cancel(p.dial);
    }
    report(&p, &url, out);
    loop_free(p.loop);
}
