#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The code is laid out as the formatter lays it out. Other versions of it differ in details, so one
# version is asked for, and without it the check is skipped.
set -eu -o pipefail
cd "$(dirname "$0")/../.."

version=14
tool=
for candidate in "clang-format-$version" clang-format; do
    if "$candidate" --version 2> /dev/null | grep -q "version $version\."; then
        tool=$candidate
        break
    fi
done
if [ -z "$tool" ]; then
    echo "no clang-format $version here"
    exit 77
fi
find src tests bench -name '*.[ch]' -print0 | xargs -0 "$tool" --dry-run --Werror
