#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# No source file beyond 800 lines, unless it says why in a comment that begins "Long file:".
set -eu -o pipefail
cd "$(dirname "$0")/../.."

limit=800
bad=0
while read -r lines file; do
    if [ "$file" != total ] && [ "$lines" -gt $limit ] && ! head -n 40 "$file" | grep -q 'Long file:'; then
        echo "$file has $lines lines (limit $limit)"
        bad=1
    fi
done < <(find src tests bench scripts \( -name node_modules -o -name corpora \) -prune -o -type f \
    \( -name '*.[ch]' -o -name '*.mjs' -o -name '*.sh' \) -print0 | xargs -0 wc -l)
exit $bad
