/* SPDX-License-Identifier: MIT */
/*
 * Quick mode: a run without a file. A handful of options says what a small scenario would say; from
 * them comes the very document (run-config/v1) that one would have written, and everything
 * afterwards is the same as with a file: checks, defaults, `--set`, hash, `--save`.
 *
 * Only what no document can express is refused here, as a usage error. Everything else is left to
 * the loader, which knows the bounds; quick_option() then tells which option an issue is about.
 */
#ifndef CLI_QUICK_H
#define CLI_QUICK_H

#include "base/json.h"
#include "cli/opt.h"

/* The options as rows of a command's table. `--expect` is not among them: it goes with files, too
 * (cli/load.h). */
#define QUICK_OPTIONS                                                                            \
    {.name = "url", .argument = "URL", .help = "Without a FILE: the MCP server to load."},       \
        {.name = "tool", .argument = "NAME", .help = "Without a FILE: calls this tool."},        \
        {.name = "args",                                                                         \
         .argument = "JSON",                                                                     \
         .help = "Arguments of the tool or prompt, an object; @PATH takes them from a file."},   \
        {.name = "operation",                                                                    \
         .argument = "NAME",                                                                     \
         .help = "Another operation, for example ping; tools_list when nothing is said."},       \
        {.name = "resource", .argument = "URI", .help = "Without a FILE: reads this resource."}, \
        {.name = "prompt", .argument = "NAME", .help = "Without a FILE: gets this prompt."},     \
        {.name = "vus",                                                                          \
         .argument = "N",                                                                        \
         .help = "Virtual users; 1 when nothing is said, with --rate as many as it needs."},     \
        {.name = "rate",                                                                         \
         .argument = "R",                                                                        \
         .help = "Operations per second on a fixed schedule, whatever the target does."},        \
        {.name = "duration",                                                                     \
         .argument = "TIME",                                                                     \
         .help = "How long, for example 500ms, 30s, 2m or 1h; 30s when nothing is said."},       \
        {.name = "think",                                                                        \
         .argument = "TIME",                                                                     \
         .help = "Pause of a virtual user after each operation; none when nothing is said."},    \
        {.name = "in-flight", .argument = "K", .help = "Operations of a virtual user at once."}, \
        {.name = "sessions",                                                                     \
         .argument = "MODE",                                                                     \
         .help = "How sessions are used: reuse, pool, per_request or churn."},                   \
    {                                                                                            \
        .name = "header", .argument = "NAME:VALUE", .repeats = true, .secret = true,             \
        .help = "A header of every request; ${env:VARIABLE} in it stays out of --save."          \
    }

/* No FILE is given but a URL is. */
bool quick_asked(const struct opt_args *args);

/* With a FILE, the options above have no place: ERR_USAGE names the first one and what to write
 * instead. Without FILE and URL: ERR_USAGE, too. */
int quick_refuse(const struct opt_args *args, struct err *err);

/* The document; the caller owns it. ERR_USAGE; ERR_IO, ERR_LIMIT for a file of --args. */
int quick_document(const struct opt_args *args, json_t **out, struct err *err);

/* "--vus": the option whose value stands at this JSON pointer of the document; NULL: none. */
const char *quick_option(const char *json_pointer);

/* "500ms", "30s", "2m", "1h", "1m30s" in milliseconds. False, *out untouched, for anything else,
 * and for more than ten years. */
bool quick_duration(struct str text, uint64_t *out_ms);

#endif
