/* SPDX-License-Identifier: MIT */
/* Bytes → a scenario. The first line is an override unless it begins with a brace. Each form feed
 * begins an overlay. */
#include "scenario/documents/documents.h"
#include "scenario/scenario.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OVERLAYS_MAX = 3 };

static char *take_override(struct str *text)
{
    const char *newline = text->len > 0 ? memchr(text->p, '\n', text->len) : NULL;

    if (newline == NULL || text->p[0] == '{' || memchr(text->p, '\0', text->len) != NULL) {
        return NULL;
    }
    size_t len = (size_t)(newline - text->p);
    char *set = strndup(text->p, len);
    *text = (struct str){newline + 1, text->len - len - 1};
    return set;
}

/* Cuts the overlays off the end of the text. Returns how many. */
static size_t take_overlays(struct str *text, struct scenario_overlay out[OVERLAYS_MAX])
{
    struct str rest = *text;
    size_t count = 0;

    for (const char *cut;
         count < OVERLAYS_MAX && rest.len > 0 && (cut = memchr(rest.p, '\f', rest.len)) != NULL;
         count++) {
        size_t before = (size_t)(cut - rest.p);

        *(count == 0 ? text : &out[count - 1].text) = (struct str){rest.p, before};
        rest = (struct str){cut + 1, rest.len - before - 1};
        out[count] = (struct scenario_overlay){.name = "overlay", .text = rest};
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const metrics[] = {"error_rate", "latency_p99_ms", "stream_stall_count"};
    struct scenario_overlay overlays[OVERLAYS_MAX];
    struct str text = {(const char *)data, size};
    size_t overlay_count = take_overlays(&text, overlays);
    char *set = take_override(&text);
    const char *sets[] = {set};
    const struct scenario_options options = {
        .overlays = overlays,
        .overlay_count = overlay_count,
        .sets = sets,
        .set_count = set == NULL ? 0 : 1,
        .metric_names = metrics,
        .metric_count = 3,
        .strict = size % 2 == 1,
        .network_public = size % 3 == 1,
    };
    struct issue_list issues = {0};
    struct scenario *s = NULL;

    if (scenario_load_text(text, &options, &s, &issues, NULL) == 0) {
        json_decref(scenario_explain(s));
    }
    json_decref(issue_list_json(&issues));
    issue_list_clear(&issues);
    scenario_free(s);
    free(set);
    return 0;
}
