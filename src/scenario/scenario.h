/* SPDX-License-Identifier: MIT */
/*
 * From the text of a scenario file (format run-config/v1) to an immutable, checked config.
 *
 * The way: text → JSON tree → accepted spellings → overlays (`--with`, scenario/reading/overlay.h)
 * → overrides (`--set`) → the field tables (scenario/fields/fields.h: types, bounds, defaults,
 * unknown names) → defaults that depend on others → the rules between fields
 * (scenario/rules/rules.h) → addresses and allowlist (scenario/policy/policy.h). Every step reports
 * into one list of issues; the issues then get their places in the text (scenario/issues/locate.h)
 * and are put in the order of the document.
 *
 * Loading belongs to one thread. The result may be read by all and lives until scenario_free().
 */
#ifndef SCENARIO_SCENARIO_H
#define SCENARIO_SCENARIO_H

#include "base/err.h"
#include "scenario/config/choices.h"
#include "scenario/config/config.h"
#include "scenario/config/options.h"
#include "scenario/issues/issue.h"

/*
 * All that is wrong or doubtful goes into *issues (initialized; the caller clears it), in the order
 * of the document. `options` may be NULL. 0 when there is no error, warnings or not; then the
 * caller owns *out. ERR_INVALID when there is at least one error; *err counts them and repeats the
 * first.
 */
int scenario_load_text(struct str text,
                       const struct scenario_options *options,
                       struct scenario **out,
                       struct issue_list *issues,
                       struct err *err);

/* As scenario_load_text with a file, whose name without folder and extension is the default of
 * options->name. Additionally ERR_IO, ERR_LIMIT (no issue then). */
int scenario_load_file(const char *path,
                       const struct scenario_options *options,
                       struct scenario **out,
                       struct issue_list *issues,
                       struct err *err);

/* NULL is fine. */
void scenario_free(struct scenario *scenario);

/* The document as it was given, older spellings, overlays and overrides applied. Borrowed. */
static inline const json_t *scenario_document(const struct scenario *scenario)
{
    return scenario->tree_;
}

#endif
