/* SPDX-License-Identifier: MIT */
/* What the checking of scenarios asks about metrics by their names (scenario/config/options.h).
 * Unknown names, and those of the scenario's own metrics, have none of these properties. */
#ifndef METRICS_NAMES_H
#define METRICS_NAMES_H

#include <stdbool.h>

/* Can it only grow while its window fills? */
bool metric_name_grows(const char *name);
/* Is it kept per operation? Metrics of the scenario are kept for the run as a whole. */
bool metric_name_narrows(const char *name);
/* Is it a share, never above 1? Those of the open model compare two moments, and go above 1 while a
 * queue empties. */
bool metric_name_is_share(const char *name);

#endif
