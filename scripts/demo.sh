#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The first run: installs what is missing, builds, starts the mock MCP server on a free loopback port
# and loads it for some seconds as examples/quick-start.json says. Ends with the summary and the path
# of the result. Further arguments go to `mcpdrill run` (for example: --set stages[0].duration_ms=2000).
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
trap 'exit 130' INT
trap 'exit 143' TERM

# The tests are not part of a demo: they are built where the release preset has built them before.
tests=OFF
if [ -f build/CMakeCache.txt ] && grep -q '^TESTS:BOOL=ON' build/CMakeCache.txt; then
    tests=ON
fi
if ! { cmake --preset release -DTESTS=$tests && cmake --build --preset release -j"$(nproc)" --target mcpdrill; } > "$log" 2>&1; then
    tail -n 60 "$log" >&2
    echo "demo: the build failed" >&2
    exit 1
fi

: > "$log"
build/bin/mockserver --addr 127.0.0.1:0 > "$log" 2>&1 &
mock_pid=$!
url=
for _ in $(seq 100); do
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
status=0
build/bin/mcpdrill run examples/quick-start.json --set "target.url=$url/mcp" --json "$result" "$@" || status=$?
echo "demo: result in $PWD/$result"
exit "$status"
