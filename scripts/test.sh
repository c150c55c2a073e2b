#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Sets up, builds, and runs every test. The last line is always "N passed, M failed", with
# ", K skipped" behind it when something could not be tried here; the exit code is 1 if any failed. A
# signal ends everything that was started, counts as a failure, and gives 128 + its number.
#
#   scripts/test.sh                 everything
#   scripts/test.sh PART...         only these: lint unit tsan measure e2e e2e-sanitized
#   scripts/test.sh --no-setup ...  without looking for missing packages
#   scripts/test.sh --no-tidy ...   without clang-tidy, which needs minutes for files it has not seen
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 1

passed=0 failed=0 skipped=0
ended=0 # 128 + the signal
failures=()
skips=()
logs=$(mktemp -d)

# The sum is printed on every way out, so that nobody mistakes a broken script for a good one.
finish() {
    rm -rf "$logs"
    local name
    echo
    for name in ${skips[@]+"${skips[@]}"}; do
        echo "skipped: $name"
    done
    for name in ${failures[@]+"${failures[@]}"}; do
        echo "FAILED: $name"
    done
    if [ $((passed + failed + skipped)) -eq 0 ]; then
        failed=1
    fi
    local line="$passed passed, $failed failed"
    [ "$skipped" -eq 0 ] || line="$line, $skipped skipped"
    echo "$line"
    [ $ended -eq 0 ] || exit $ended
    [ "$failed" -eq 0 ]
    exit $?
}
trap finish EXIT

# The processes below this one, but for those that look for them: from /proc, whose names in parentheses
# may hold anything.
descendants() {
    cat /proc/[0-9]*/stat 2> /dev/null | sed 's/ (.*) / /' | awk -v root=$$ -v self=$BASHPID '
        { parent[$1] = $3 }
        END { for (pid in parent) for (p = pid; p + 0 > 1 && p != self; p = parent[p])
                  if (parent[p] == root) { print pid; break } }'
}

any_alive() {
    local pid
    for pid in "$@"; do
        ! grep -qs '^State:[^Z]*$' "/proc/$pid/status" || return 0
    done
    return 1
}

# Stopped first, so that none starts another behind our back; then each may end in order, for a while.
end_children() {
    local all=() now try
    for try in {1..5}; do
        mapfile -t now < <(descendants)
        [ "${now[*]-}" != "${all[*]-}" ] || break
        all=("${now[@]}")
        kill -STOP "${all[@]}" 2> /dev/null
    done
    kill -TERM "${all[@]}" 2> /dev/null
    kill -CONT "${all[@]}" 2> /dev/null
    for try in {1..50}; do
        any_alive "${all[@]}" || return
        sleep 0.1
    done
    kill -KILL "${all[@]}" 2> /dev/null
}

end_by_signal() {
    trap '' $signals
    ended=$((128 + $2))
    echo "test: ended by SIG$1"
    end_children
    fail_one "ended by SIG$1; what comes after it was not tried"
    exit $ended
}
# All that would end a shell and can be caught.
signals="HUP INT QUIT USR1 USR2 PIPE ALRM TERM"
for signal in $signals; do
    trap "end_by_signal $signal $(kill -l "$signal")" "$signal"
done

# Runs a command, what it says going into a file. The shell looks at a signal only when its command is
# over; a wait, however, ends at once.
attended() {
    local log=$1
    shift
    "$@" > "$log" 2>&1 &
    wait $!
}

fail_one() {
    failed=$((failed + 1))
    failures+=("$1")
}

skip_one() {
    skipped=$((skipped + 1))
    skips+=("$1")
}

title() {
    printf '\n== %s\n' "$*"
}

# Runs a command quietly; shows what it said only when it failed.
quietly() {
    local name=$1 status=0
    shift
    attended "$logs/quiet" "$@" || status=$?
    if [ $status -ne 0 ]; then
        tail -n 60 "$logs/quiet"
        fail_one "$name (exit code $status)"
        return 1
    fi
}

jobs=$(nproc)

build() {
    local preset=$1
    shift
    title "build: $preset"
    quietly "build ($preset): configure" cmake --preset "$preset" || return 1
    quietly "build ($preset): compile" cmake --build --preset "$preset" -j"$jobs" "$@" || return 1
}

# What a line of lint ended with: 0 passes, 77 is "cannot be tried here".
tally_lint() {
    local name=$1 status=$2 log=$3
    case $status in
    0)
        passed=$((passed + 1))
        echo "ok       $name"
        ;;
    77)
        skip_one "$name: $(tail -n 1 "$log")"
        echo "skipped  $name: $(tail -n 1 "$log")"
        ;;
    *)
        fail_one "$name"
        echo "FAILED   $name"
        head -n 60 "$log"
        ;;
    esac
}

# Each line of lint is a program in tests/lint. clang-tidy computes for minutes, and end-to-end tests mostly
# wait: if they are played too, it waits for them and runs beside those that do not measure.
run_lint() {
    title "lint"
    local script status
    for script in tests/lint/*.sh; do
        if [ "$script" = "$tidy" ] && [ $tidy_beside = yes ]; then
            continue
        fi
        status=0
        attended "$logs/lint" bash "$script" || status=$?
        tally_lint "lint: $(basename "$script" .sh)" "$status" "$logs/lint"
    done
}

tidy=tests/lint/tidy.sh
tidy_beside=no
tidy_pid=

start_tidy() {
    if [ $tidy_beside = yes ] && [ -z "$tidy_pid" ]; then
        setsid nice -n 19 bash "$tidy" > "$logs/tidy" 2>&1 &
        tidy_pid=$!
    fi
}

# Nobody needs the cores any more but, perhaps, somebody else, against whom the nice would get nothing: it
# goes on as we do, behind the files that it has found clean.
finish_tidy() {
    local status=0
    [ $tidy_beside = yes ] || return 0
    title "lint: tidy, which ran beside the tests"
    if [ -n "$tidy_pid" ]; then
        kill -TERM -- "-$tidy_pid" 2> /dev/null
        wait "$tidy_pid" 2> /dev/null
    fi
    attended "$logs/tidy" bash "$tidy" || status=$?
    tally_lint "lint: tidy" "$status" "$logs/tidy"
}

# The names of the tests that ended as `status` says: run or fail.
junit_names() {
    sed -n "s/.*<testcase name=\"\([^\"]*\)\".* status=\"$2\".*/\1/p" "$1"
}

# The lines "test: why" of the tests that could not be tried: whole programs, which say "skipped: why"
# as their last word, and single tests of cmocka in a program that has passed.
junit_skips() {
    awk '
        /<testcase / { name = $0; sub(/.*<testcase name="/, "", name); sub(/".*/, "", name); why = ""
                       whole = / status="(notrun|disabled)"/ }
        /skipped: /  { why = $0; sub(/.*skipped: /, "", why) }
        /\[ +SKIPPED \] [a-z]/ { sub(/.*\] /, ""); print name ": " $0 }
        /<\/testcase>/ && whole { print name (why != "" ? ": " why : "") }' "$1" | sort -u
}

# Runs the tests of one preset and adds ctest's own numbers to ours.
run_ctest() {
    local preset=$1 label=$2 report="$logs/ctest.xml" name good=0 all=0 status=0
    shift 2
    rm -f "$report"
    attended "$logs/ctest" ctest --preset "$preset" -j"$jobs" --no-tests=ignore --output-junit "$report" \
        --test-output-size-passed 65536 "$@" || status=$?
    if [ ! -s "$report" ]; then
        tail -n 40 "$logs/ctest"
        fail_one "$label: ctest gave no report"
        return
    fi
    good=$(junit_names "$report" run | wc -l)
    all=$(grep -c '<testcase ' "$report")
    passed=$((passed + good))
    while read -r name; do
        skip_one "$label: $name"
        echo "skipped  $label: $name"
    done < <(junit_skips "$report")
    while read -r name; do
        fail_one "$label: $name"
    done < <(junit_names "$report" fail)
    if [ $status -ne 0 ]; then
        # A program that could not even be started is "notrun", and yet a failure for ctest.
        grep -q 'status="fail"' "$report" || fail_one "$label: ctest ended with $status"
        cat "$logs/ctest"
    fi
    echo "$label: $good of $all passed"
}

run_unit() {
    build dev || return
    title "unit, integration and fuzz corpora (address and undefined-behaviour sanitizers)"
    run_ctest dev "dev" -E "$counts_allocations"
    build release --target unit_engine_allocation || return
    title "unit: what sanitizers would hide"
    run_ctest release "release" -R "$counts_allocations"
}

# This test brings a malloc that counts, where the sanitizers bring theirs.
counts_allocations='^unit_engine_allocation$'

# Where threads meet: whole runs in one process, the worker, the mock's servers, and real processes.
run_tsan() {
    if ! command -v clang > /dev/null; then
        skip_one "tsan: no clang here"
        return
    fi
    build tsan || return
    title "what has threads (thread sanitizer)"
    run_ctest tsan "tsan" -R '^(integration_|unit_worker_|unit_mock_server_serve|unit_net_|unit_loop_|unit_report_files_)'
    if ! node_is_new; then
        skip_one "tsan, e2e: no Node.js 18 or newer here"
        return
    fi
    MCPDRILL_BIN_DIR="$PWD/build/tsan/bin" MCPDRILL_SANITIZED=1 \
        run_e2e_files "e2e, tsan" truth fleet_stop local_workers interrupt worker fleet_teams
}

# Load against known latencies: are the reported quantiles true? Alone on the machine, optimised.
run_measure() {
    build release --target measure_quantiles || return
    title "measured against the truth (release binaries)"
    run_ctest release "measure" -L measure
}

tap_count() {
    sed -n "s/^# $2 \([0-9]*\)\$/\1/p" "$1" | tail -n 1
}

# One process of Node's test runner per file.
play_e2e_file() {
    local log="$logs/tap.$1" status=0 start=$SECONDS
    node --test --test-reporter=tap "tests/e2e/$1.test.mjs" > "$log" 2>&1 || status=$?
    echo "$status $((SECONDS - start))" > "$log.end"
}
export -f play_e2e_file
export logs

tally_e2e_file() {
    local label=$1 log=$2 status=1 seconds=0 ok bad skip
    if ! read -r status seconds < "$log.end"; then
        echo "it did not come to its end" >> "$log"
        status=1
    fi
    ok=$(tap_count "$log" pass)
    skip=$(tap_count "$log" skipped)
    bad=$(($(tap_count "$log" fail) + $(tap_count "$log" cancelled)))
    passed=$((passed + ${ok:-0}))
    while read -r line; do
        skip_one "$label: $line"
    done < <(sed -n 's/^ *ok [0-9]* - \(.*\) # SKIP\(.*\)/\1 (\2)/p' "$log")
    if [ "$status" -ne 0 ] || [ "$bad" -gt 0 ]; then
        [ "$bad" -gt 0 ] || bad=1
        failed=$((failed + bad))
        while read -r line; do
            failures+=("$label: $line")
        done < <(sed -n 's/^ *not ok [0-9]* - //p' "$log")
        cat "$log"
        echo "FAILED   $label (${ok:-0} passed, $bad failed, $seconds s)"
    else
        echo "ok       $label (${ok:-0} passed, ${skip:-0} skipped, $seconds s)"
    fi
}

# What measures times runs alone, first; the others mostly wait, so some of them run side by side, and
# clang-tidy beside them.
alone=" openload validity truth seed seed_heavy "
side_by_side=$((jobs + 1))

run_e2e_files() {
    local prefix=$1 name beside=()
    shift
    rm -f "$logs"/tap.*
    for name in "$@"; do
        if [[ $alone == *" $name "* ]]; then
            attended /dev/null play_e2e_file "$name"
        else
            beside+=("$name")
        fi
    done
    [ "$prefix" = "e2e, tsan" ] || start_tidy
    printf '%s\n' ${beside[@]+"${beside[@]}"} > "$logs/beside"
    attended /dev/null xargs -r -n 1 -P "$side_by_side" -a "$logs/beside" bash -c 'play_e2e_file "$1"' _
    for name in "$@"; do
        tally_e2e_file "$prefix: $name" "$logs/tap.$name"
    done
}

node_is_new() {
    command -v node > /dev/null &&
        [ "$(node -p 'Number(process.versions.node.split(".")[0])')" -ge 18 ]
}

# The foreign peer comes from npm with a lock file; without a registry its test skips itself.
fetch_peers() {
    if command -v npm > /dev/null && [ ! -d tests/e2e/node_modules ]; then
        attended "$logs/npm" env -C tests/e2e timeout 120 npm ci --no-audit --no-fund --ignore-scripts ||
            echo "npm ci failed: the foreign peer is skipped"
    fi
}

run_e2e() {
    local file names=()
    if ! node_is_new; then
        skip_one "e2e: no Node.js 18 or newer here"
        return
    fi
    build release --target mcpdrill || return
    fetch_peers
    title "end to end (release binaries)"
    for file in tests/e2e/*.test.mjs; do
        names+=("$(basename "$file" .test.mjs)")
    done
    MCPDRILL_BIN_DIR="$PWD/build/bin" run_e2e_files e2e "${names[@]}"
}

# The tests in which hostile input meets our parsers, our shutdown and what comes back after it, again under
# ASan and UBSan.
sanitized_files="fleet_restart worker procs bad_input hostile interrupt preflight features sessions overlay"

run_e2e_sanitized() {
    if ! node_is_new; then
        skip_one "e2e-sanitized: no Node.js 18 or newer here"
        return
    fi
    build dev || return
    title "end to end (address and undefined-behaviour sanitizers)"
    # shellcheck disable=SC2086
    MCPDRILL_BIN_DIR="$PWD/build/dev/bin" MCPDRILL_SANITIZED=1 \
        run_e2e_files "e2e, sanitized" $sanitized_files
}

setup=yes
parts=()
for argument in "$@"; do
    case $argument in
    --no-setup) setup=no ;;
    --no-tidy) export TIDY=off ;;
    lint | unit | tsan | measure | e2e | e2e-sanitized) parts+=("$argument") ;;
    *)
        echo "test: unknown part '$argument'; known: lint unit tsan measure e2e e2e-sanitized, --no-setup, --no-tidy" >&2
        fail_one "arguments"
        exit 2
        ;;
    esac
done
[ ${#parts[@]} -gt 0 ] || parts=(lint unit tsan measure e2e e2e-sanitized)

if [ $setup = yes ]; then
    bash scripts/setup.sh &
    if ! wait $!; then
        fail_one "setup"
        exit 1
    fi
fi
is_wanted() {
    [[ " ${parts[*]} " == *" $1 "* ]]
}

# clang-tidy reads the compile commands of the release build.
if is_wanted lint; then
    if is_wanted e2e || is_wanted e2e-sanitized; then
        tidy_beside=yes
    fi
    quietly "build (release): configure" cmake --preset release
fi
# What measures comes before the first thing that may run beside it.
for part in lint unit tsan measure e2e e2e-sanitized; do
    is_wanted "$part" || continue
    begun=$SECONDS
    "run_${part//-/_}"
    echo "$part took $((SECONDS - begun)) s"
done
finish_tidy
