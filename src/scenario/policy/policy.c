/* SPDX-License-Identifier: MIT */
#include "scenario/policy/policy.h"

#include "base/arena.h"
#include "base/mem.h"
#include "base/pattern.h"
#include "scenario/policy/address.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    NORMAL_MAX = TARGET_URL_MAX + TARGET_HOST_MAX + 40,
};

struct entry {
    enum allow_kind kind;
    bool usable;
    struct target_url url;      /* exact */
    bool any_scheme, any_path;  /* exact: what the entry leaves open */
    const char *suffix;         /* suffix: without the leading dot */
    regex_t regex;              /* regex */
    struct address_block block; /* cidr */
    struct address literal;     /* exact: the host, when it is an address */
};

struct policy {
    bool network_public;
    bool allow_all;
    bool name_allowed; /* the target passes by its URL; its addresses need no cidr entry */
    struct entry *entries;
    size_t entry_count;
    const char **forbidden;
    size_t forbidden_count;
    struct address_block open[POLICY_OPEN_MAX];
    size_t open_count;
    struct arena arena;
};

/* URL, origin, host:port or host. */
static int compile_exact(const char *value, struct entry *out, struct err *err)
{
    char text[TARGET_URL_MAX + 8];
    struct address literal;
    bool bare_ipv6 = strchr(value, ':') != NULL && address_parse(value, &literal);

    out->any_scheme = strstr(value, "://") == NULL;
    if (out->any_scheme) {
        snprintf(text, sizeof text, bare_ipv6 ? "x://[%s]" : "x://%s", value);
    } else {
        snprintf(text, sizeof text, "%s", value);
    }
    int rc = target_url_parse(str_c(text), &out->url, err);
    if (rc != 0) {
        return rc;
    }
    if (out->any_scheme && strcmp(out->url.path, "/") != 0) {
        return err_set(err, ERR_INVALID, "a path needs a whole URL with its scheme");
    }
    out->any_path = strcmp(out->url.path, "/") == 0;
    if (!address_parse(out->url.host, &out->literal)) {
        out->literal.bits = 0;
    }
    return 0;
}

static int compile_suffix(const char *value, struct entry *out, struct err *err)
{
    const char *suffix = value[0] == '.' ? value + 1 : value;

    if (suffix[0] == '\0' || strpbrk(suffix, "/:*?@[]") != NULL) {
        return err_set(err, ERR_INVALID, "a suffix is the end of a host name, as .example.com");
    }
    out->suffix = suffix;
    return 0;
}

static int compile_entry(const struct allow_config *config, struct entry *out, struct err *err)
{
    *out = (struct entry){.kind = config->kind};
    switch (config->kind) {
    case ALLOW_EXACT:
        return compile_exact(config->value, out, err);
    case ALLOW_SUFFIX:
        return compile_suffix(config->value, out, err);
    case ALLOW_REGEX:
        return pattern_compile(config->value, REG_ICASE, &out->regex, err);
    case ALLOW_CIDR:
        if (!address_block_parse(config->value, &out->block)) {
            return err_set(err, ERR_INVALID, "an address block looks like 10.0.0.0/8");
        }
        return 0;
    }
    return err_set(err, ERR_INVALID, "unknown kind of entry");
}

int policy_check_entry(const struct allow_config *entry, struct err *err)
{
    struct entry compiled;
    int rc = compile_entry(entry, &compiled, err);

    if (rc == 0 && entry->kind == ALLOW_REGEX) {
        regfree(&compiled.regex);
    }
    return rc;
}

static bool exact_matches(const struct entry *entry, const struct target_url *url)
{
    bool scheme = entry->any_scheme || strcmp(entry->url.scheme, url->scheme) == 0;
    bool port = (entry->any_scheme && !entry->url.has_port) || entry->url.port == url->port;
    bool path = entry->any_path || strcmp(entry->url.path, url->path) == 0;

    return scheme && port && path && strcmp(entry->url.host, url->host) == 0;
}

static bool suffix_matches(const char *suffix, const char *host)
{
    size_t n = strlen(suffix), len = strlen(host);

    return len >= n && strcasecmp(host + len - n, suffix) == 0 &&
           (len == n || host[len - n - 1] == '.');
}

/* The whole text has to match, so that an expression does not allow more than it says. */
static bool regex_matches(const regex_t *regex, const char *text)
{
    regmatch_t match;

    return regexec(regex, text, 1, &match, 0) == 0 && match.rm_so == 0 && text[match.rm_eo] == '\0';
}

static bool entry_matches(const struct entry *entry, const struct target_url *url)
{
    char normal[NORMAL_MAX];
    struct address literal;

    switch (entry->kind) {
    case ALLOW_EXACT:
        return exact_matches(entry, url);
    case ALLOW_SUFFIX:
        return suffix_matches(entry->suffix, url->host);
    case ALLOW_REGEX:
        target_url_normal(url, normal, sizeof normal);
        return regex_matches(&entry->regex, normal) || regex_matches(&entry->regex, url->host);
    case ALLOW_CIDR:
        return address_parse(url->host, &literal) && address_in(&literal, &entry->block);
    }
    return false;
}

static bool any_entry_matches(const struct policy *p, const struct target_url *url)
{
    for (size_t i = 0; i < p->entry_count; i++) {
        if (p->entries[i].usable && entry_matches(&p->entries[i], url)) {
            return true;
        }
    }
    return false;
}

static bool has_cidr(const struct policy *p)
{
    for (size_t i = 0; i < p->entry_count; i++) {
        if (p->entries[i].usable && p->entries[i].kind == ALLOW_CIDR) {
            return true;
        }
    }
    return false;
}

struct policy *policy_new(const struct environment_config *environment,
                          const struct target_url *target,
                          bool network_public)
{
    struct policy *p = xcalloc(1, sizeof *p);

    p->network_public = network_public;
    p->allow_all = environment->mode == ALLOWLIST_ALLOW_ALL;
    p->entry_count = environment->allowed_count;
    p->entries = arena_array(&p->arena, p->entry_count, sizeof *p->entries);
    for (size_t i = 0; i < p->entry_count; i++) {
        const struct allow_config copy = {
            environment->allowed[i].kind,
            arena_strdup(&p->arena, environment->allowed[i].value),
        };

        bool usable = compile_entry(&copy, &p->entries[i], NULL) == 0;
        p->entries[i].usable = usable;
    }
    p->forbidden_count = environment->forbidden_count;
    p->forbidden = arena_array(&p->arena, p->forbidden_count, sizeof *p->forbidden);
    for (size_t i = 0; i < p->forbidden_count; i++) {
        p->forbidden[i] = arena_strdup(&p->arena, environment->forbidden[i]);
    }
    p->name_allowed = p->allow_all || (target != NULL && any_entry_matches(p, target));
    return p;
}

bool policy_open(struct policy *policy, const char *block)
{
    if (policy->open_count == POLICY_OPEN_MAX ||
        !address_block_parse(block, &policy->open[policy->open_count])) {
        return false;
    }
    policy->open_count++;
    return true;
}

void policy_free(struct policy *policy)
{
    if (policy == NULL) {
        return;
    }
    for (size_t i = 0; i < policy->entry_count; i++) {
        if (policy->entries[i].usable && policy->entries[i].kind == ALLOW_REGEX) {
            regfree(&policy->entries[i].regex);
        }
    }
    arena_clear(&policy->arena);
    xfree(policy);
}

static void add(struct policy_verdict *out, const char *code, bool warning, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* Each code at most once. */
static void add(struct policy_verdict *out, const char *code, bool warning, const char *fmt, ...)
{
    va_list ap;

    for (size_t i = 0; i < out->count; i++) {
        if (strcmp(out->items[i].code, code) == 0) {
            return;
        }
    }
    if (out->count == POLICY_VIOLATIONS_MAX) {
        return;
    }
    struct policy_violation *v = &out->items[out->count++];
    v->code = code;
    v->warning = warning;
    va_start(ap, fmt);
    vsnprintf(v->message, sizeof v->message, fmt, ap);
    va_end(ap);
}

/* Is this very address written in the allowlist? Only that opens a metadata address. */
static bool listed_exactly(const struct policy *p, const struct address *a)
{
    for (size_t i = 0; i < p->entry_count; i++) {
        const struct entry *entry = &p->entries[i];

        if (entry->usable && entry->kind == ALLOW_EXACT && address_equal(&entry->literal, a)) {
            return true;
        }
    }
    return false;
}

static bool in_listed_block(const struct policy *p, const struct address *a)
{
    for (size_t i = 0; i < p->entry_count; i++) {
        const struct entry *entry = &p->entries[i];

        if (entry->usable && entry->kind == ALLOW_CIDR && address_in(a, &entry->block)) {
            return true;
        }
    }
    return false;
}

/* By the operator. */
static bool is_open(const struct policy *p, const struct address *a)
{
    for (size_t i = 0; i < p->open_count; i++) {
        if (address_in(a, &p->open[i])) {
            return true;
        }
    }
    return false;
}

/* The class that forbids the address under this policy, or NULL. */
static const struct address_class *blocking_class(const struct policy *p, const struct address *a)
{
    for (const struct address_class *c = NULL; (c = address_class_next(a, c)) != NULL;) {
        if (c->always ? !listed_exactly(p, a) : p->network_public && !is_open(p, a)) {
            return c;
        }
    }
    struct address inner;
    return address_embedded(a, &inner) ? blocking_class(p, &inner) : NULL;
}

static void check_literal(const struct policy *p, const char *host, struct policy_verdict *out)
{
    struct address a;

    if (!address_parse(host, &a)) {
        return;
    }
    const struct address_class *c = blocking_class(p, &a);
    bool covered = listed_exactly(p, &a) || in_listed_block(p, &a) || is_open(p, &a);
    if (p->network_public && c != NULL) {
        add(out, "IP_LITERAL_BLOCKED", false,
            "%s is an IP literal, and an allowlist opens only public addresses", host);
    } else if (p->network_public && !covered) {
        add(out, "IP_LITERAL_BLOCKED", false,
            "%s is an IP literal; a target is given by name, or by an address that an exact or "
            "cidr entry of the allowlist names",
            host);
        out->items[out->count - 1].listable = true;
    }
    if (c != NULL) {
        add(out, c->code, false, "%s is %s", host, c->what);
    }
}

static void check_name(const struct policy *p, const char *host, struct policy_verdict *out)
{
    static const char *const local_names[] = {"localhost", "localhost.localdomain", "local"};
    struct address loopback;

    if (!p->network_public) {
        return;
    }
    bool open = address_parse("127.0.0.1", &loopback) && is_open(p, &loopback);
    for (size_t i = 0; i < sizeof local_names / sizeof local_names[0]; i++) {
        if (!open && suffix_matches(local_names[i], host)) {
            add(out, "LOCALHOST_BLOCKED", false, "%s names this machine or its own network", host);
        }
    }
    if (suffix_matches("internal", host)) {
        add(out, "LOCALHOST_BLOCKED", true, "%s looks like a name of an internal network", host);
    }
}

static char fold(char c)
{
    if (c >= 'A' && c <= 'Z') {
        return (char)(c - 'A' + 'a');
    }
    return c;
}

/* `*` and `?` over the whole text. Falls back to the last star only, so it needs no recursion. */
static bool glob_matches(const char *glob, const char *text)
{
    const char *star = NULL, *star_text = NULL;

    while (*text != '\0') {
        if (*glob == '*') {
            star = glob++;
            star_text = text;
        } else if (*glob != '\0' && (*glob == '?' || fold(*glob) == fold(*text))) {
            glob++;
            text++;
        } else if (star != NULL) {
            glob = star + 1;
            text = ++star_text;
        } else {
            return false;
        }
    }
    while (*glob == '*') {
        glob++;
    }
    return *glob == '\0';
}

static bool forbids(const char *pattern, const char *text)
{
    if (strpbrk(pattern, "*?") != NULL) {
        return glob_matches(pattern, text);
    }
    return strcasestr(text, pattern) != NULL;
}

static void check_forbidden(const struct policy *p,
                            const struct target_url *url,
                            const char *normal,
                            struct policy_verdict *out)
{
    for (size_t i = 0; i < p->forbidden_count; i++) {
        if (forbids(p->forbidden[i], url->host) || forbids(p->forbidden[i], normal)) {
            add(out, "FORBIDDEN_PATTERN_MATCHED", false,
                "the target matches the forbidden pattern \"%s\"", p->forbidden[i]);
            return;
        }
    }
}

/* What keeps an exact entry for the same host from matching; NULL when it is another host. */
static const char *difference(const struct entry *entry, const struct target_url *url)
{
    if (!entry->usable || entry->kind != ALLOW_EXACT || strcmp(entry->url.host, url->host) != 0) {
        return NULL;
    }
    if (!entry->any_scheme && strcmp(entry->url.scheme, url->scheme) != 0) {
        return "scheme";
    }
    return entry->url.port != url->port ? "port" : "path";
}

static void add_not_allowed(const struct policy *p,
                            const struct target_url *url,
                            const char *normal,
                            struct policy_verdict *out)
{
    for (size_t i = 0; i < p->entry_count; i++) {
        const struct entry *entry = &p->entries[i];
        const char *what = difference(entry, url);

        if (what == NULL) {
            continue;
        }
        if (strcmp(what, "port") == 0) {
            add(out, "ALLOWLIST_VIOLATION", false,
                "no allowlist entry matches the target; entry %zu has port %u, not %u", i,
                (unsigned)entry->url.port, (unsigned)url->port);
        } else {
            add(out, "ALLOWLIST_VIOLATION", false,
                "no allowlist entry matches the target; entry %zu differs in the %s", i, what);
        }
        return;
    }
    add(out, "ALLOWLIST_VIOLATION", false, "none of the %zu allowlist entries matches %.150s",
        p->entry_count, normal);
}

void policy_check_url(const struct policy *policy,
                      const struct target_url *url,
                      struct policy_verdict *out)
{
    char normal[NORMAL_MAX];
    struct address literal;

    *out = (struct policy_verdict){.count = 0};
    target_url_normal(url, normal, sizeof normal);
    if (!target_url_is_http(url)) {
        add(out, "INVALID_URL_SCHEME", false, "the scheme is %s, expected http or https",
            url->scheme);
    }
    if (url->has_userinfo) {
        add(out, "USERINFO_BLOCKED", false, "the URL contains user information");
    }
    check_literal(policy, url->host, out);
    check_name(policy, url->host, out);
    check_forbidden(policy, url, normal, out);
    /* A name may still turn out to be inside a block, which is decided when it is dialled. */
    bool later = has_cidr(policy) && !address_parse(url->host, &literal);
    /* No entry could be for another scheme, so that would be the same cause again. */
    if (!policy->allow_all && !later && target_url_is_http(url) &&
        !any_entry_matches(policy, url)) {
        add_not_allowed(policy, url, normal, out);
    }
}

int policy_check_address(const struct policy *policy,
                         const struct sockaddr *address,
                         struct err *err)
{
    struct address a;

    if (!address_from_sockaddr(address, &a)) {
        return err_set(err, ERR_INVALID, "ADDRESS_NOT_ALLOWED: neither IPv4 nor IPv6");
    }
    const struct address_class *c = blocking_class(policy, &a);
    if (c != NULL) {
        return err_set(err, ERR_INVALID, "%s: the target's name resolved to %s", c->code, c->what);
    }
    if (!policy->name_allowed && !in_listed_block(policy, &a) && !listed_exactly(policy, &a)) {
        return err_set(err, ERR_INVALID,
                       "ADDRESS_NOT_ALLOWED: the target's name resolved to an address outside the "
                       "allowlist");
    }
    return 0;
}
