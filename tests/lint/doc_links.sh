#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# A link in our documents to a file of this tree leads to a file.
set -eu -o pipefail
cd "$(dirname "$0")/../.."

bad=0
while IFS=: read -r file _ link; do
    target=${link#](}
    target=${target%%[)#]*}
    [ -n "$target" ] || continue
    if [ ! -e "$(dirname "$file")/$target" ]; then
        echo "$file: dead link to $target"
        bad=1
    fi
done < <(find . \( -name node_modules -o -name build -o -name .git \) -prune -o -name '*.md' -print0 |
    xargs -0 grep -noE '\]\([^)#: ][^): ]*\)')
exit $bad
