/* SPDX-License-Identifier: MIT */
/* Loading a scenario for a command: `--set` applied, metric names known, issues printed. */
#ifndef CLI_LOAD_H
#define CLI_LOAD_H

#include "cli/opt.h"
#include "scenario/scenario.h"

/* Loads args->operands[0]. 0, *out the caller's; otherwise an error of scenario_load_file. *issues
 * is filled in either case (the caller clears it). `seed` (NULL: none) overrides workload.seed. */
int load_scenario(const struct opt_args *args,
                  const char *seed,
                  struct scenario **out,
                  struct issue_list *issues,
                  struct err *err);

/* Prints issues to stderr; without one the text of *err, which names the file. */
void load_complain(const struct opt_args *args,
                   const struct issue_list *issues,
                   const struct err *err);

#endif
