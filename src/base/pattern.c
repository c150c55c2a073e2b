/* SPDX-License-Identifier: MIT */
#include "base/pattern.h"

#include "base/str.h"

enum { REPEATS_MAX = 1000 /* product of all upper bounds {m,n} of one expression */ };

/* POSIX bounds {m,n} are unrolled by the library; their product bounds time and memory. */
static int check_repeats(const char *pattern, struct err *err)
{
    uint64_t product = 1;

    for (const char *p = strchr(pattern, '{'); p != NULL; p = strchr(p + 1, '{')) {
        uint64_t most = 1;

        for (const char *d = p + 1; *d != '\0' && *d != '}';) {
            size_t len = strspn(d, "0123456789");
            uint64_t value;

            if (len > 0 && (!str_u64((struct str){d, len}, REPEATS_MAX, &value) ||
                            (most = value > most ? value : most) > REPEATS_MAX)) {
                return err_set(err, ERR_INVALID, "a repetition above %d", REPEATS_MAX);
            }
            d += len > 0 ? len : 1;
        }
        product *= most;
        if (product > REPEATS_MAX) {
            return err_set(err, ERR_INVALID, "repetitions of more than %d in total", REPEATS_MAX);
        }
    }
    return 0;
}

int pattern_compile(const char *pattern, int flags, regex_t *out, struct err *err)
{
    char why[120];

    if (strlen(pattern) > PATTERN_MAX) {
        return err_set(err, ERR_INVALID, "an expression has at most %d characters", PATTERN_MAX);
    }
    for (const char *p = pattern; *p != '\0'; p++) {
        if (*p == '\\' && p[1] != '\0') {
            p++;
            if (*p >= '1' && *p <= '9') {
                return err_set(err, ERR_INVALID,
                               "back-references are not possible, matching has to be linear");
            }
        }
    }
    int rc = check_repeats(pattern, err);
    if (rc != 0) {
        return rc;
    }
    rc = regcomp(out, pattern, REG_EXTENDED | flags);
    if (rc != 0) {
        regerror(rc, out, why, sizeof why);
        return err_set(err, ERR_INVALID, "not a POSIX extended regular expression: %s", why);
    }
    return 0;
}

int pattern_check(const char *pattern, struct err *err)
{
    regex_t compiled;
    int rc = pattern_compile(pattern, REG_NOSUB, &compiled, err);

    if (rc == 0) {
        regfree(&compiled);
    }
    return rc;
}
