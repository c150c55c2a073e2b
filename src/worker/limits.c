/* SPDX-License-Identifier: MIT */
#include "worker/limits.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* cgroup v1 says "no limit" by a number near 2^63, rounded to pages. */
#define MEMORY_UNLIMITED (UINT64_C(1) << 60)

bool limits_read(const char *root, const char *path, char *out, size_t size)
{
    char full[LIMITS_PATH_MAX];
    size_t len = 0;

    if (snprintf(full, sizeof full, "%s%s", root, path) >= (int)sizeof full) {
        return false;
    }
    int fd = open(full, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    while (len < size - 1) {
        ssize_t n = read(fd, out + len, size - 1 - len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            break;
        }
        len += (size_t)n;
    }
    close(fd);
    out[len] = '\0';
    return len > 0;
}

bool limits_number(const char *root, const char *path, uint64_t *out)
{
    char text[128];
    struct str rest, word;

    if (!limits_read(root, path, text, sizeof text)) {
        return false;
    }
    rest = str_c(text);
    return limits_word(&rest, &word) && str_u64(word, UINT64_MAX, out);
}

/* ---- texts ----------------------------------------------------------------------------------- */

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool limits_word(struct str *rest, struct str *out)
{
    size_t begin = 0, end;

    while (begin < rest->len && is_space(rest->p[begin])) {
        begin++;
    }
    for (end = begin; end < rest->len && !is_space(rest->p[end]);) {
        end++;
    }
    *out = (struct str){rest->p + begin, end - begin};
    *rest = (struct str){rest->p + end, rest->len - end};
    return out->len > 0;
}

bool limits_skip(struct str *rest, unsigned words)
{
    struct str word;

    while (words > 0 && limits_word(rest, &word)) {
        words--;
    }
    return words == 0;
}

bool limits_line(struct str *rest, struct str *out)
{
    if (rest->len == 0) {
        return false;
    }
    const char *end = memchr(rest->p, '\n', rest->len);
    size_t len = end != NULL ? (size_t)(end - rest->p) : rest->len;
    *out = (struct str){rest->p, len};
    len += end != NULL;
    *rest = (struct str){rest->p + len, rest->len - len};
    return true;
}

bool limits_key(struct str text, const char *key, uint64_t *out)
{
    struct str line, word;

    while (limits_line(&text, &line)) {
        if (!limits_word(&line, &word)) {
            continue;
        }
        if (word.p[word.len - 1] == ':') {
            word.len--;
        }
        if (str_eq(word, str_c(key))) {
            return limits_word(&line, &word) && str_u64(word, UINT64_MAX, out);
        }
    }
    return false;
}

bool limits_column(struct str text, const char *protocol, const char *column, uint64_t *out)
{
    struct str names, values, name, value;

    while (limits_line(&text, &names) && limits_line(&text, &values)) {
        if (!limits_word(&names, &name) || !limits_word(&values, &value) ||
            !str_eq(name, str_c(protocol)) || !str_eq(value, name)) {
            continue;
        }
        while (limits_word(&names, &name) && limits_word(&values, &value)) {
            if (str_eq(name, str_c(column))) {
                return str_u64(value, UINT64_MAX, out);
            }
        }
    }
    return false;
}

bool limits_cpu_times(struct str text, struct cpu_times *out)
{
    enum { FIELDS = 8, STEAL = 7 }; /* guest times behind them are part of the first two */
    struct cpu_times times = {0};
    struct str word;

    if (!limits_word(&text, &word) || !str_eq(word, STR("cpu"))) {
        return false;
    }
    for (unsigned i = 0; i < FIELDS; i++) {
        uint64_t ticks;

        if (!limits_word(&text, &word) || !str_u64(word, UINT64_MAX / FIELDS, &ticks)) {
            return false;
        }
        times.all += ticks;
        times.steal = i == STEAL ? ticks : 0;
    }
    *out = times;
    return true;
}

bool limits_memory_value(struct str text, uint64_t *out)
{
    struct str word;
    uint64_t bytes;

    if (!limits_word(&text, &word) || !str_u64(word, UINT64_MAX, &bytes) ||
        bytes >= MEMORY_UNLIMITED) {
        return false;
    }
    *out = bytes;
    return true;
}

/* ---- cgroups --------------------------------------------------------------------------------- */

/* Is `item` one of a list like "cpu,cpuacct"? */
static bool is_listed(struct str item, struct str list)
{
    while (list.len > 0) {
        const char *comma = memchr(list.p, ',', list.len);
        size_t len = comma != NULL ? (size_t)(comma - list.p) : list.len;

        if (str_eq((struct str){list.p, len}, item)) {
            return true;
        }
        len += comma != NULL;
        list = (struct str){list.p + len, list.len - len};
    }
    return false;
}

/* The process's own path in the hierarchy: a line "N:CONTROLLERS:PATH" of /proc/self/cgroup. With
 * v1 and v2 side by side a controller is in one of them only; "0::PATH" is v2. */
static bool own_path(struct str text, struct str controller, bool *v2, struct str *out)
{
    struct str line;
    bool found = false;

    while (limits_line(&text, &line)) {
        const char *first = memchr(line.p, ':', line.len);
        const char *end = line.p + line.len;
        const char *second =
            first != NULL ? memchr(first + 1, ':', (size_t)(end - first - 1)) : NULL;

        if (second == NULL) {
            continue;
        }
        struct str list = {first + 1, (size_t)(second - first - 1)};
        struct str path = {second + 1, (size_t)(end - second - 1)};
        if (is_listed(controller, list)) {
            *v2 = false;
            *out = path;
            return true;
        }
        if (list.len == 0 && str_eq((struct str){line.p, (size_t)(first - line.p)}, STR("0"))) {
            *v2 = true;
            *out = path;
            found = true;
        }
    }
    return found;
}

/* A line of mountinfo: ID PARENT DEV ROOT POINT OPTIONS [TAGS…] - TYPE SOURCE SUPER_OPTIONS
 * (proc(5)). */
static bool is_hierarchy(struct str line,
                         struct str controller,
                         bool v2,
                         struct str *mount_root,
                         struct str *mount_point)
{
    struct str word, type, super = {0};

    for (unsigned i = 0; i < 6; i++) {
        if (!limits_word(&line, &word)) {
            return false;
        }
        *mount_root = i == 3 ? word : *mount_root;
        *mount_point = i == 4 ? word : *mount_point;
    }
    do {
        if (!limits_word(&line, &word)) {
            return false;
        }
    } while (!str_eq(word, STR("-")));
    if (!limits_word(&line, &type) || !limits_word(&line, &word)) {
        return false;
    }
    limits_word(&line, &super);
    return v2 ? str_eq(type, STR("cgroup2"))
              : str_eq(type, STR("cgroup")) && is_listed(controller, super);
}

/* From the process's own folder up to the mount point. In a container the path may lie outside of
 * what is mounted; then the mount point is what counts for it. */
static void
add_levels(const char *root, struct str point, struct str below, struct cgroup_dirs *out)
{
    char path[LIMITS_PATH_MAX];
    int len = snprintf(path, sizeof path, "%s%.*s%.*s", root, STR_ARG(point), STR_ARG(below));
    size_t top = strlen(root) + point.len;

    if (len < 0 || (size_t)len >= sizeof path) {
        return;
    }
    while (out->count < LIMITS_LEVELS_MAX) {
        while ((size_t)len > top && path[len - 1] == '/') {
            path[--len] = '\0';
        }
        memcpy(out->path[out->count++], path, (size_t)len + 1);
        if ((size_t)len <= top) {
            return;
        }
        while ((size_t)len > top && path[len - 1] != '/') {
            path[--len] = '\0';
        }
    }
}

/* The part of `path` below the mounted `mount_root`. */
static struct str below(struct str path, struct str mount_root)
{
    if (str_eq(mount_root, STR("/"))) {
        return str_starts(path, STR("/..")) ? STR("") : path;
    }
    if (str_starts(path, mount_root) &&
        (path.len == mount_root.len || path.p[mount_root.len] == '/')) {
        return (struct str){path.p + mount_root.len, path.len - mount_root.len};
    }
    return STR("");
}

void limits_cgroups(const char *root, const char *controller, struct cgroup_dirs *out)
{
    char own[4096];
    struct str path, line, mount_root = {0}, mount_point = {0};
    bool v2 = false;

    out->count = 0;
    if (!limits_read(root, "/proc/self/cgroup", own, sizeof own) ||
        !own_path(str_c(own), str_c(controller), &v2, &path)) {
        return;
    }
    char *mounts = xmalloc(LIMITS_TEXT_MAX);
    if (limits_read(root, "/proc/self/mountinfo", mounts, LIMITS_TEXT_MAX)) {
        struct str rest = str_c(mounts);

        while (limits_line(&rest, &line)) {
            if (is_hierarchy(line, str_c(controller), v2, &mount_root, &mount_point)) {
                add_levels(root, mount_point, below(path, mount_root), out);
                break;
            }
        }
    }
    xfree(mounts);
}

/* A file of a cgroup folder, which includes the root already. */
static bool read_in(const char *dir, const char *name, char *out, size_t size)
{
    char path[64];

    snprintf(path, sizeof path, "/%s", name);
    return limits_read(dir, path, out, size);
}

uint64_t limits_cgroup_memory(const char *root)
{
    static const char *const files[] = {"memory.max", "memory.limit_in_bytes"};
    struct cgroup_dirs dirs;
    uint64_t least = 0, bytes;
    char text[128];

    limits_cgroups(root, "memory", &dirs);
    for (unsigned i = 0; i < dirs.count; i++) {
        for (unsigned f = 0; f < 2; f++) {
            if (read_in(dirs.path[i], files[f], text, sizeof text) &&
                limits_memory_value(str_c(text), &bytes) && (least == 0 || bytes < least)) {
                least = bytes;
            }
        }
    }
    return least;
}

/* v2: "QUOTA PERIOD" or "max PERIOD" in cpu.max; v1: a file each, the quota -1 without a limit. */
static double cores_of(const char *dir)
{
    char text[128], more[128];
    struct str rest, quota, period;
    uint64_t quota_us, period_us;

    if (read_in(dir, "cpu.max", text, sizeof text)) {
        rest = str_c(text);
        limits_word(&rest, &quota);
        limits_word(&rest, &period);
    } else if (read_in(dir, "cpu.cfs_quota_us", text, sizeof text) &&
               read_in(dir, "cpu.cfs_period_us", more, sizeof more)) {
        rest = str_c(text);
        limits_word(&rest, &quota);
        rest = str_c(more);
        limits_word(&rest, &period);
    } else {
        return 0;
    }
    bool known = str_u64(quota, UINT32_MAX, &quota_us) && str_u64(period, UINT32_MAX, &period_us) &&
                 period_us > 0;
    return known ? (double)quota_us / (double)period_us : 0;
}

double limits_cgroup_cores(const char *root)
{
    struct cgroup_dirs dirs;
    double least = 0;

    limits_cgroups(root, "cpu", &dirs);
    for (unsigned i = 0; i < dirs.count; i++) {
        double cores = cores_of(dirs.path[i]);

        if (cores > 0 && (least == 0 || cores < least)) { /* 0: no quota there */
            least = cores;
        }
    }
    return least;
}
