/* SPDX-License-Identifier: MIT */
/* How a scenario is loaded, beside its text. */
#ifndef SCENARIO_CONFIG_OPTIONS_H
#define SCENARIO_CONFIG_OPTIONS_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

/* A partial document that is merged into the scenario (scenario/reading/overlay.h). */
struct scenario_overlay {
    const char *name; /* in messages: the file that it comes from */
    struct str text;
};

/* A file that came with the document, for a program that reads none from its own disk. */
struct scenario_file {
    const char *path; /* as the document names it */
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
    /* Data feeds of these paths have these texts. */
    const struct scenario_file *files;
    size_t file_count;
    bool files_only; /* and others cannot be read: the document is somebody else's */
    /* Variables that `${env:NAME}` may name, beside MCPDRILL_*, as patterns of a shell, where
     * somebody else's document must not read our secrets: variables_guarded or network_public. */
    const char *const *variable_patterns;
    size_t variable_pattern_count;
    bool variables_guarded;
    bool variables_elsewhere; /* another machine has them: they need not be set here */
    bool strict;              /* guard rules are errors */
    /* Blocks of addresses that the operator opens under network_public: "10.0.0.0/8". */
    const char *const *open_networks;
    size_t open_network_count;
    bool network_public; /* addresses are checked as by a service that others may reach */
};

#endif
