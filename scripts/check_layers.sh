#!/bin/sh
# scripts/layers.txt has one line per folder of src/: "http: base loop net". Fails on any other include, and on a cycle.
set -eu
cd "$(dirname "$0")/.."
awk -F: '{ n = split($2, d, " "); for (i = 1; i <= n; i++) print d[i], $1; print $1, $1 }' scripts/layers.txt | tsort > /dev/null
bad=$(grep -rEn --include='*.[ch]' '^#include "[a-z_0-9]+/' src |
    awk 'BEGIN { while ((getline l < "scripts/layers.txt") > 0) { split(l, p, ":"); ok[p[1]] = " " p[1] p[2] " " } }
         { split($0, f, "/"); match($0, /"[a-z_0-9]+\//); to = substr($0, RSTART + 1, RLENGTH - 2)
           if (f[2] ~ /^main\.c/) next
           if (!(f[2] in ok)) print "no line for src/" f[2] " in scripts/layers.txt"
           else if (index(ok[f[2]], " " to " ") == 0) print $0 }' | sort -u)
[ -z "$bad" ] || { printf '%s\n' "$bad" >&2; exit 1; }
