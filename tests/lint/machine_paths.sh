#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The tree must be usable anywhere: it names no directory of the machine on which it was written.
set -eu -o pipefail
cd "$(dirname "$0")/../.."

root=$PWD
patterns=(-e "$root" -e '/home/[a-z]' -e '/root/' -e '/Users/[A-Za-z]')
# The directory above the checkout too, unless it is a general one.
above=$(dirname "$root")
case $above in
/ | /tmp | /home | /opt | /srv | /root | /usr/src) ;;
*) patterns+=(-e "$above/") ;;
esac
list_files() {
    # Sources without git may lie inside a tree that has it, and ignores them.
    if [ "$(git rev-parse --show-toplevel 2> /dev/null)" = "$root" ]; then
        git ls-files -z --cached --others --exclude-standard
    else
        find . \( -name .git -o -name build -o -name node_modules \) -prune -o -type f -print0
    fi
}
if list_files | grep -zv 'tests/lint/machine_paths.sh$' | xargs -0 grep -nIE "${patterns[@]}" 2> /dev/null; then
    exit 1
fi
