#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# One licence line in each source file.
set -eu -o pipefail
cd "$(dirname "$0")/../.."

missing=$(find src tests bench \( -name node_modules -o -name corpora \) -prune -o -type f \
    \( -name '*.[ch]' -o -name '*.cc' -o -name '*.mjs' \) -print0 |
    xargs -0 grep -L 'SPDX-License-Identifier: MIT' || true)
[ -z "$missing" ] || {
    echo "no SPDX line in:"
    echo "$missing"
    exit 1
}
