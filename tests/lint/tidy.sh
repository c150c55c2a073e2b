#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# clang-tidy with the rules of .clang-tidy. A full pass takes minutes, so a file that was found clean is
# remembered (build/tidy) until it, a header, or the rules change. TIDY=off skips the whole.
set -eu -o pipefail
cd "$(dirname "$0")/../.."

if ! command -v clang-tidy > /dev/null; then
    echo "no clang-tidy here"
    exit 77
fi
if [ ! -f build/compile_commands.json ]; then
    echo "no build/compile_commands.json: configure the release preset first"
    exit 77
fi
if [ "${TIDY:-on}" = off ]; then
    echo "TIDY=off"
    exit 77
fi

mkdir -p build/tidy
common=$(find src -name '*.h' -print0 | sort -z | xargs -0 cat .clang-tidy | sha256sum | cut -d' ' -f1)
export common

check() {
    local stamp
    stamp=build/tidy/$( (echo "$common $1" && cat "$1") | sha256sum | cut -d' ' -f1)
    [ -e "$stamp" ] && return 0
    # gcc's flags for link-time optimisation mean nothing to clang.
    clang-tidy --quiet -p build --extra-arg=-Wno-ignored-optimization-argument "$1" 2> /dev/null || return 1
    : > "$stamp"
}
export -f check
find src -name '*.c' -print0 | sort -z | xargs -0 -P "$(nproc)" -I{} bash -c 'check "$1"' _ {}
