/* SPDX-License-Identifier: MIT */
/*
 * Loading a scenario for a command: from a FILE, or from the options of quick mode (cli/quick.h);
 * `--with`, `--set` and `--expect` applied, metric names known, issues printed. Files whose name
 * begins with "examples/" come from the share folder when they are not here (cli/share.h). Each
 * `--expect` is one more criterion at the end of the document's success_criteria, so that whatever
 * shows the document shows it, too.
 */
#ifndef CLI_LOAD_H
#define CLI_LOAD_H

#include "base/json.h"
#include "cli/opt.h"
#include "scenario/scenario.h"

/* 0, *out the caller's; ERR_USAGE when the options do not fit together or say nothing that makes
 * sense; otherwise an error of scenario_load_file. *issues is filled in either case (the caller
 * clears it). `seed` (NULL: none) overrides workload.seed. */
int load_scenario(const struct opt_args *args,
                  const char *seed,
                  struct scenario **out,
                  struct issue_list *issues,
                  struct err *err);

/* The texts of the files that the scenario of these options names (data feeds), by their paths as
 * written, for somebody who cannot read them: an object of strings, the caller's. ERR_IO; ERR_LIMIT
 * above `max_bytes` in all; ERR_INVALID for a file that is no UTF-8. */
int load_feed_texts(const struct opt_args *args,
                    const struct scenario *scenario,
                    size_t max_bytes,
                    json_t **out,
                    struct err *err);

/* Prints issues to stderr, each with its place in the file or the option that it is about; without
 * one the text of *err. */
void load_complain(const struct opt_args *args,
                   const struct issue_list *issues,
                   const struct err *err);

/* Writes the document behind a scenario, `--set` and all applied, as a file for the next time; "-"
 * is the standard output. ERR_IO, ERR_LIMIT. */
int load_save(const struct scenario *scenario, const char *path, struct err *err);

#endif
