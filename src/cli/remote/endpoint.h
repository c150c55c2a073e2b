/* SPDX-License-Identifier: MIT */
/*
 * Which control plane is meant, and who speaks to it. For each of the two what counts is, in this
 * order: the option or its environment variable, the user's config file, the default.
 *
 * The config file is $XDG_CONFIG_HOME/mcpdrill/config.json, or ~/.config/mcpdrill/config.json:
 * {"endpoint": "http://localhost:8080", "actor": "user"}; members that begin with "x-" are
 * anybody's. A file that cannot be read is an error, even where an option would win: it is about to
 * be used by the next command.
 */
#ifndef CLI_REMOTE_ENDPOINT_H
#define CLI_REMOTE_ENDPOINT_H

#include "base/err.h"

#define ENDPOINT_URL   "http://localhost:8080"
#define ENDPOINT_ACTOR "user"

enum {
    ENDPOINT_URL_MAX = 2048,
    ENDPOINT_ACTOR_MAX = 100,
    ENDPOINT_PATH_MAX = 4096,
    ENDPOINT_FILE_MAX = 64 * 1024,
};

struct endpoint {
    char url[ENDPOINT_URL_MAX + 1]; /* as it was written; http_api_new judges it */
    char actor[ENDPOINT_ACTOR_MAX + 1];
};

/* NULL or empty: not given. */
struct endpoint_sources {
    const char *url, *actor;             /* of the options */
    const char *url_label, *actor_label; /* how messages name them: "--actor", "MCPDRILL_ACTOR" */
    const char *config_path;             /* need not exist */
};

/* The path of the config file from the values of XDG_CONFIG_HOME and HOME, each NULL when not set;
 * NULL when neither names a place (a relative one counts as none). Returns `out`. */
const char *endpoint_config_path(const char *xdg, const char *home, char out[ENDPOINT_PATH_MAX]);

/* ERR_USAGE or ERR_IO, ERR_SYNTAX; the text names what is wrong by its label, or the file. */
int endpoint_choose(const struct endpoint_sources *from, struct endpoint *out, struct err *err);

#endif
