#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Every header compiles alone, so that the order of includes never matters.
set -eu -o pipefail
cd "$(dirname "$0")/../.."

check() {
    printf '#include "%s"\n' "${1#src/}" |
        cc -std=c17 -D_GNU_SOURCE -Wall -Wextra -Isrc -fsyntax-only -x c - 2>&1 | sed "s|^|$1 alone: |"
}
export -f check
out=$(find src -name '*.h' -print0 | sort -z | xargs -0 -P "$(nproc)" -I{} bash -c 'check "$1"' _ {} || true)
[ -z "$out" ] || {
    echo "$out"
    exit 1
}
