/* SPDX-License-Identifier: MIT */
#include "cli/networks.h"

#include "scenario/policy/address.h"

#include <stdio.h>
#include <string.h>

int networks_read(const struct opt_args *args, struct networks *out, struct err *err)
{
    const char *text = opt_value(args, "allow-private-networks");
    char label[OPT_VARIABLE_MAX], *rest = out->text_;
    struct address_block block;

    opt_label(args, "allow-private-networks", label);
    out->count = 0;
    if (text == NULL) {
        return 0;
    }
    if (strlen(text) >= sizeof out->text_) {
        return err_set(err, ERR_USAGE, "%s is too long", label);
    }
    snprintf(out->text_, sizeof out->text_, "%s", text);
    for (char *word; (word = strsep(&rest, ",")) != NULL;) {
        if (out->count == NETWORKS_MAX || !address_block_parse(word, &block)) {
            return err_set(err, ERR_USAGE,
                           "%s %.60s: at most %d blocks as 10.0.0.0/8 are expected, with commas "
                           "between",
                           label, word, NETWORKS_MAX);
        }
        out->blocks[out->count++] = word;
    }
    return 0;
}
