#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Fuzzes the parsers with libFuzzer under ASan and UBSan, starting from the corpora in the tree.
#
#   scripts/fuzz.sh [SECONDS] [TARGET]    each target for SECONDS (60); TARGET as in fuzz_TARGET
#
# New inputs land in build/fuzz/corpus; what is worth keeping is copied to tests/fuzz/corpora by hand,
# where it becomes an ordinary test. A crash leaves its input there as well and ends with exit code 1.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
only=${2:-}
cmake --preset fuzz > /dev/null
cmake --build --preset fuzz -j"$(nproc)"

failed=()
count=0
for program in build/fuzz/tests/fuzz/fuzz_*; do
    name=$(basename "$program" | sed 's/^fuzz_//')
    if [ -n "$only" ] && [ "$name" != "$only" ]; then
        continue
    fi
    count=$((count + 1))
    found=build/fuzz/corpus/$name
    mkdir -p "$found"
    seeds=tests/fuzz/corpora/$name
    [ -d "$seeds" ] || seeds=
    echo "== fuzz $name ($seconds s)"
    # A libFuzzer program prints much; its last lines tell what was reached.
    if ! "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 \
        -artifact_prefix="$found/" "$found" ${seeds:+"$seeds"} > "$found.log" 2>&1; then
        tail -n 40 "$found.log"
        failed+=("$name")
    else
        tail -n 1 "$found.log"
    fi
done
if [ "$count" -eq 0 ]; then
    echo "fuzz: no target${only:+ named '$only'}" >&2
    exit 2
fi
if [ ${#failed[@]} -gt 0 ]; then
    echo "fuzz: failed: ${failed[*]}" >&2
    exit 1
fi
echo "fuzz: $count targets clean"
