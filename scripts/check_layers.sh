#!/bin/sh
# Each line of scripts/layers.txt is a folder or a room: "scenario/rules: base scenario/fields". Fails on
# any other include, on one that is written so that this could not be seen (with "..", in angle brackets,
# by a macro), on a folder without a line, on a line that names none, and on a cycle.
set -eu
cd "$(dirname "$0")/.."
grep -v '^#' scripts/layers.txt |
    awk -F: '{ n = split($2, d, " "); for (i = 1; i <= n; i++) print d[i], $1; print $1, $1 }' | tsort > /dev/null
bad=$(grep -rEn --include='*.[ch]' '^[[:space:]]*#[[:space:]]*include' src |
    awk 'function folder(path) { sub(/\/[^\/]*$/, "", path); return path }
         function exists(name) { return system("test -d \"src/" name "\"") == 0 }
         function is_ours(path) { sub(/\/.*/, "", path); if (!(path in ours)) ours[path] = exists(path); return ours[path] }
         BEGIN { while ((getline l < "scripts/layers.txt") > 0) if (l !~ /^#/) { split(l, p, ":"); ok[p[1]] = " " p[1] p[2] " " } }
         { split($0, f, ":"); from = folder(f[1]); sub(/^src\/?/, "", from)
           path = $0; sub(/^[^:]*:[^:]*:[ \t]*#[ \t]*include[ \t]*/, "", path)
           sign = substr(path, 1, 1); sub(/^["<]/, "", path); sub(/[">].*/, "", path)
           if (sign != "\"" && sign != "<" || path ~ /\.\./) { print $0; next }
           if (sign == "<") { if (path ~ /^[A-Za-z0-9_]+\// && is_ours(path)) print $0; next }
           if (from == "" || path !~ /\//) next
           to = folder(path); used[from]
           if (!(from in ok)) print "no line for src/" from " in scripts/layers.txt"
           else if (index(ok[from], " " to " ") == 0) print $0 }
         END { for (from in ok) if (!(from in used)) print "scripts/layers.txt has a line for " from ", which has no code" }' | sort -u)
[ -z "$bad" ] || { printf '%s\n' "$bad" >&2; exit 1; }
