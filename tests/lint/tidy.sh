#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# clang-tidy with the rules of .clang-tidy. A full pass takes minutes, so by default it reads what the
# last commit and the working tree changed; TIDY=all reads everything, TIDY=off nothing.
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
case ${TIDY:-changed} in
off)
    echo "TIDY=off"
    exit 77
    ;;
all) files=$(find src -name '*.c' | sort) ;;
*)
    files=$(git diff --name-only --diff-filter=d HEAD~1 -- 'src/*.c' 2> /dev/null || true)
    if [ -z "$files" ]; then
        echo "the last commit changed no source file; TIDY=all reads everything"
        exit 77
    fi
    ;;
esac
echo "$files" | xargs -P "$(nproc)" -n 4 clang-tidy --quiet -p build
