#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The first run: installs what is missing, builds, starts the mock MCP server on a free loopback port
# and loads it for some seconds as examples/quick-start.json says. Ends with the summary and the path
# of the result, and with 0 on a busy machine, too, whose figures are no measurement. Further arguments go to `mcpdrill run` (for example: --set stages[0].duration_ms=2000).
set -euo pipefail
cd "$(dirname "$0")/.."

bash scripts/setup.sh --minimal
echo "demo: building (build/bin)"
log=$(mktemp)
mock_pid=
cleanup() {
    rm -f "$log"
    if [ -n "$mock_pid" ]; then
        kill "$mock_pid" 2> /dev/null || true
        wait "$mock_pid" 2> /dev/null || true
    fi
}
trap cleanup EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Where the test library is, the tests find their build folder as they left it; a newcomer, who has none,
# gets a build that does not ask for it. The objects are the same.
preset=release
pkg-config --exists cmocka || preset=minimal
if ! { cmake --preset $preset && cmake --build --preset $preset -j"$(nproc)" --target mcpdrill; } > "$log" 2>&1; then
    tail -n 60 "$log" >&2
    echo "demo: the build failed" >&2
    exit 1
fi

# What is wrong with the arguments is said before anything runs.
build/bin/mcpdrill run examples/quick-start.json --no-run "$@" > "$log" 2>&1 || {
    status=$?
    cat "$log" >&2
    exit $status
}

: > "$log"
build/bin/mockserver --addr 127.0.0.1:0 > "$log" 2>&1 &
mock_pid=$!
url=
for _ in $(seq 400); do
    url=$(sed -n 's/.*listening on \(http:[^ ]*\).*/\1/p' "$log" | head -n 1)
    [ -z "$url" ] || break
    if ! kill -0 "$mock_pid" 2> /dev/null; then
        break
    fi
    sleep 0.05
done
if [ -z "$url" ]; then
    cat "$log" >&2
    echo "demo: the mock server did not start" >&2
    exit 1
fi
echo "demo: mock MCP server at $url"

result=build/demo-result.json
rm -f "$result"
status=0
build/bin/mcpdrill run examples/quick-start.json --set "target.url=$url/mcp" --json "$result" "$@" || status=$?
# An argument of the caller may have sent it elsewhere.
[ ! -e "$result" ] || echo "demo: result in $PWD/$result"
# Exit code 6 is for whoever needs figures about a target. When it only says that this machine was the limit, the
# demo has shown what it is there for; other reasons come from the caller's arguments, or from a fault of ours.
if [ $status -eq 6 ] && grep -qsE '"state": "(generator|network)_bound"' "$result"; then
    echo "demo: INVALID says that this machine was too busy, with other work or with both sides of the demo at once, for the"
    echo "demo: times above to tell how fast the mock server is. The program did its work: every operation is counted."
    status=0
fi
exit "$status"
