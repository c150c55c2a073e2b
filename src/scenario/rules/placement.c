/* SPDX-License-Identifier: MIT */
/* Shares of users by labels: labels that a worker can have, and users for each of them. */
#include "scenario/config/shares.h"
#include "scenario/rules/rules.h"

/* The most that any stage has at once. */
static uint64_t most_users(const struct scenario *s)
{
    struct stage_levels last, own;
    bool any = false;
    uint64_t most = 0;

    for (size_t i = 0; i < s->stage_count; i++) {
        if (!s->stages[i].enabled) {
            continue;
        }
        levels_of_stage(s, &s->stages[i], any ? &last : NULL, &own);
        uint64_t users = own.vus > own.start_vus ? own.vus : own.start_vus;
        users = own.sized ? s->safety.caps.max_vus : users;
        most = users > most ? users : most;
        last = own;
        any = true;
    }
    return most;
}

static void check_label(struct check *c, const struct placement_config *p)
{
    size_t mark = check_enter(c, "label");

    if (strchr(p->label, '=') != NULL) {
        check_error(c, "SCHEMA_VIOLATION", "Write the name alone, for example region.",
                    "no label has a `=` in its name");
    }
    check_leave(c, mark);
}

static void check_shares(struct check *c, const struct scenario *s)
{
    const struct placement_config *p = &s->placement;
    uint64_t users[SHARES_MAX], most = most_users(s);
    size_t mark = check_enter(c, "shares");

    shares_split(p->shares, p->share_count, most, users);
    for (size_t i = 0; i < p->share_count; i++) {
        size_t own = check_enter(c, p->shares[i].name);

        if (p->shares[i].name[0] == '\0') {
            check_error(c, "SCHEMA_VIOLATION", "Name the value of the label.",
                        "no label has an empty value");
        } else if (users[i] == 0 && most > 0) {
            check_warning(c, "FIELD_WITHOUT_EFFECT",
                          "Give it a larger share, or more users to all.",
                          "of %llu users none comes to this share: no worker with %.64s=%.64s "
                          "takes part",
                          (unsigned long long)most, p->label, p->shares[i].name);
        }
        check_leave(c, own);
    }
    check_leave(c, mark);
}

void rules_placement(struct check *c, const struct scenario *s)
{
    size_t mark = check_enter(c, "placement");

    if (s->has_placement && !check_has_error_below(c)) {
        check_label(c, &s->placement);
        check_shares(c, s);
    }
    check_leave(c, mark);
}
