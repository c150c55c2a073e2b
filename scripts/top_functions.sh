#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Names the ten longest functions of src/ and the ten longest files. It reports and never fails: a
# long, flat, table-like function may be the clearest form.
cd "$(dirname "$0")/.." || exit 0

# The formatter puts the brace that opens a function, and the one that closes it, in column one.
longest_functions() {
    find src bench -name '*.c' -print0 2> /dev/null | xargs -0 awk '
        FNR == 1 { open = 0; name = "" }
        /^[a-z_].*\(/ && !open { name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name) }
        /^\{/ { open = FNR }
        /^\}/ && open { printf "%5d  %s  %s:%d\n", FNR - open + 1, name, FILENAME, open; open = 0 }' |
        sort -rn | head -n 10
}

echo "longest functions (lines, name, place):"
longest_functions
echo "longest files (lines):"
find src tests bench -name '*.[ch]' -print0 2> /dev/null | xargs -0 wc -l | grep -v ' total$' |
    sort -rn | head -n 10
exit 0
