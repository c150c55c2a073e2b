#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The first run: installs what is missing, builds, starts the mock MCP server on a free loopback port
# and loads it for some seconds as examples/quick-start.json says. Ends with the summary and the path
# of the result, and with 0 on a busy machine, too, whose figures are no measurement. Further arguments go to
# `mcpdrill run` (for example: --set stages[0].duration_ms=2000). A signal ends it with 128 + its number, and
# everything that it has started.
set -euo pipefail
cd "$(dirname "$0")/.."

bash scripts/setup.sh --minimal
echo "demo: building (build/bin)"
log=$(mktemp)
mock_pid=
run_pid=
build_pid=

# Asks a process, or with "-PID" a group, to end, and waits until it has. Of a run that is asked a second time
# no operation is waited for.
end_process() {
    kill -TERM -- "$1" 2> /dev/null || return 0
    while kill -0 "${1#-}" 2> /dev/null; do
        wait "${1#-}" 2> /dev/null || true
    done
}
cleanup() {
    rm -f "$log"
    trap '[ -z "$run_pid" ] || kill -TERM "$run_pid" 2> /dev/null || true' $signals
    [ -z "$build_pid" ] || end_process "-$build_pid"
    [ -z "$run_pid" ] || end_process "$run_pid"
    [ -z "$mock_pid" ] || end_process "$mock_pid"
}
trap cleanup EXIT
# The shell looks at a signal only when its command is over; a wait, however, ends at once. So what takes
# long is started beside it and waited for.
signals="HUP INT QUIT USR1 USR2 PIPE TERM"
for signal in $signals; do
    trap "exit $((128 + $(kill -l "$signal")))" "$signal"
done

# Where the test library is, the tests find their build folder as they left it; a newcomer, who has none,
# gets a build that does not ask for it. The objects are the same.
preset=release
pkg-config --exists cmocka || preset=minimal
build() {
    cmake --preset $preset && cmake --build --preset $preset -j"$(nproc)" --target mcpdrill
}
set -m # a group of its own, compilers and all
build > "$log" 2>&1 < /dev/null &
set +m
build_pid=$!
built=0
wait "$build_pid" || built=$?
build_pid=
if [ $built -ne 0 ]; then
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
build/bin/mcpdrill run examples/quick-start.json --set "target.url=$url/mcp" --json "$result" "$@" &
run_pid=$!
wait "$run_pid" || status=$?
run_pid=
# An argument of the caller may have sent it elsewhere.
[ ! -e "$result" ] || echo "demo: result in $PWD/$result"

# The sentences that make the figures invalid, a line each.
evidence() {
    sed -n '/"evidence": \[$/,/\]/s/^ *"\(.*\)",\{0,1\}$/\1/p' "$result" | grep -v '^warning: ' || true
}
cpu="requests sent late|thread busy|thread waiting for a core|CPU time taken by other guests|held back by the cgroup's CPU"
# Exit code 6 is for whoever needs figures about a target. When it only says that the cores were the limit, the
# demo has shown what it is there for; other reasons come from the caller's arguments, from other limits of this
# machine, or from a fault of ours.
if [ $status -eq 6 ] && grep -qs '"evidence": \[$' "$result"; then
    if grep -qs '"state": "generator_bound"' "$result" && ! evidence | grep -qvE "^($cpu)"; then
        echo "demo: INVALID says that this machine was too busy, with other work or with both sides of the demo at once, for the"
        echo "demo: times above to tell how fast the mock server is. The program did its work: every operation is counted."
        status=0
    else
        echo "demo: the figures above are no measurement, and not for want of a core:"
        evidence | sed 's/^/demo: /'
    fi
fi
exit "$status"
