#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Functions that the house style bans: unbounded copies, locale-dependent parsing, hidden state; and the
# bare allocator outside base/, where xmalloc and the arenas live.
set -eu -o pipefail
cd "$(dirname "$0")/../.."

banned='strcpy|strcat|sprintf|vsprintf|strtok|atoi|gets|sscanf|localtime|rand|srand|sleep'
allocator='malloc|calloc|realloc|free'

# Comments and string literals may say these words; code may not.
code_only() {
    # shellcheck disable=SC2016 # a program of another language
    perl -0777 -ne '
        s{("(?:\\.|[^"\\\n])*")|(\x27(?:\\.|[^\x27\\\n])*\x27)|(/\*.*?\*/)|(//[^\n]*)}
         {my $m = $&; (my $n = $m) =~ tr/\n//cd; defined $1 ? "\"\"" : defined $2 ? "\x270\x27" : $n}gse;
        print' "$1"
}

found=0
while read -r file; do
    words=$banned
    case $file in
    src/base/* | tests/* | bench/*) ;;
    *) words="$words|$allocator" ;;
    esac
    if code_only "$file" | grep -nE "(^|[^A-Za-z0-9_.>])($words)[[:space:]]*\(" | sed "s|^|$file:|"; then
        found=1
    fi
done < <(find src tests bench -name '*.[ch]' 2> /dev/null | sort)
exit $found
