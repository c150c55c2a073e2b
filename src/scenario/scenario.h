/* SPDX-License-Identifier: MIT */
/*
 * From the text of a scenario file (format run-config/v1) to an immutable, checked config.
 *
 * The way: text → JSON tree → accepted spellings → overlays (`--with`, scenario/overlay.h) →
 * overrides (`--set`) → the field tables (scenario/fields.h: types, bounds, defaults, unknown
 * names) → defaults that depend on others → the rules between fields (scenario/rules.h) → addresses
 * and allowlist (scenario/policy.h). Every step reports into one list of issues; the issues then
 * get their places in the text (scenario/locate.h) and are put in the order of the document.
 *
 * Loading belongs to one thread. The result may be read by all and lives until scenario_free().
 */
#ifndef SCENARIO_SCENARIO_H
#define SCENARIO_SCENARIO_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "scenario/config.h"
#include "scenario/issue.h"

#define SCENARIO_SCHEMA_VERSION "run-config/v1"

struct policy;

struct scenario {
    const char *schema_version;
    const char *scenario_id;
    struct metadata_config metadata;
    struct target_config target;
    struct environment_config environment;
    struct session_config session;
    struct workload_config workload;
    struct stage_config *stages;
    size_t stage_count;
    struct safety_config safety;
    struct criterion_config *criteria; /* of the whole run */
    size_t criterion_count;
    struct telemetry_config telemetry;

    /* SHA-256 (hex) of the bytes as received: of the file, followed by those of the overlays */
    char config_hash[65];
    struct policy *policy; /* compiled from target and environment; asked again at each dial */

    json_t *tree_;  /* of the file, spellings, overlays and overrides applied */
    json_t *empty_; /* the object behind every `arguments` that is not given */
    struct arena arena_;
};

/* A partial document that is merged into the scenario (scenario/overlay.h). */
struct scenario_overlay {
    const char *name; /* in messages: the file that it comes from */
    struct str text;
};

struct scenario_options {
    const char *name; /* default of scenario_id; NULL: "scenario" */
    const struct scenario_overlay *overlays;
    size_t overlay_count; /* applied in order, before the sets */
    const char *const *sets;
    size_t set_count; /* "PATH=VALUE" each, applied in order */
    const char *const *metric_names;
    size_t metric_count; /* what a stop condition may name, aliases included */
    /* Can this metric only grow while its window fills? Then a condition on it may trigger before
     * the window is full. NULL: none can. */
    bool (*metric_grows)(const char *name);
    /* Is it kept per operation, so that a scope may narrow it to some? NULL: all are. */
    bool (*metric_narrows)(const char *name);
    /* Is it a share, never above 1? NULL: none is. */
    bool (*metric_is_share)(const char *name);
    /* Where the file lies: relative paths in it (data feeds) begin here; NULL: the current folder.
     * scenario_load_file sets it. */
    const char *folder;
    bool strict;         /* guard rules are errors */
    bool network_public; /* addresses are checked as by a service that others may reach */
};

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

/* The effective config as a run-config/v1 document with every default shown; the caller owns it. */
json_t *scenario_explain(const struct scenario *scenario);

/* The JSON Schema (draft 2020-12) of run-config/v1. 0 or ERR_LIMIT. */
int scenario_schema(struct buf *out);
/* docs/reference/run-config.md. 0 or ERR_LIMIT. */
int scenario_reference(struct buf *out);

/* "tools/call": the name in logs, results and on the wire. */
const char *operation_name(enum operation_kind kind);
/* "preflight" … */
const char *stage_kind_name(enum stage_kind kind);
/* ">", ">=", "<", "<=" */
const char *comparator_name(enum comparator comparator);

#endif
