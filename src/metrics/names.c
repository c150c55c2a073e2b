/* SPDX-License-Identifier: MIT */
#include "metrics/names.h"

#include "metrics/registry.h"

bool metric_name_grows(const char *name)
{
    const struct metric *m = metric_find(str_c(name));

    return m != NULL && m->monotone;
}

bool metric_name_narrows(const char *name)
{
    const struct metric *m = metric_find(str_c(name));

    return m != NULL && metric_narrows(m);
}

bool metric_name_is_share(const char *name)
{
    const struct metric *m = metric_find(str_c(name));

    return m != NULL && m->kind == METRIC_RATIO && !m->open_only;
}
