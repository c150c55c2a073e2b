#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# What a preset builds does not depend on what was configured in its folder before. The demo and then the
# tests, as far as configuring goes, in a fresh copy of the sources that knows nothing of git.
set -eu -o pipefail
cd "$(dirname "$0")/../.."

if ! pkg-config --exists cmocka || ! command -v ninja > /dev/null; then
    echo "no cmocka or no ninja here"
    exit 77
fi

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
tar --exclude=./.git --exclude=./build --exclude=node_modules -cf - . | tar -C "$copy" -xf -
cd "$copy"

bad=0
complain() {
    echo "$*"
    bad=1
}

# Every preset says every option, so that no left-over value can.
options=$(sed -n 's/^option(\([A-Z_]*\) .*/\1/p; s/^set(\([A-Z_]*\) .* CACHE .*/\1/p' CMakeLists.txt)
for preset in $(cmake --list-presets | sed -n 's/^ *"\([a-z]*\)".*/\1/p'); do
    said=$(cmake -N --log-level=VERBOSE --preset "$preset")
    for option in CMAKE_BUILD_TYPE $options; do
        grep -q "^  $option=" <<< "$said" || complain "preset $preset does not say $option"
    done
done

configure() {
    cmake "$@" > configure.log 2>&1 || {
        cat configure.log
        complain "cmake $* failed"
    }
}

has() {
    ninja -C build -t targets all > targets.log
    grep -q "^$1:" targets.log
}

values() {
    grep -E "^($(tr '\n' '|' <<< "$options")CMAKE_BUILD_TYPE):" build/CMakeCache.txt
}

# The demo of somebody who has no test library.
configure --preset minimal
has bin/mcpdrill || complain "minimal does not build mcpdrill"
! grep -q cmocka build/CMakeCache.txt || complain "minimal looks for the test library"
! has tests/measure_quantiles || complain "minimal builds tests"

configure --preset release
wanted=$(values)
configure --preset release -DTESTS=OFF -DBENCH=OFF -DWERROR=OFF -DSANITIZE=address -DCMAKE_BUILD_TYPE=Debug
configure --preset release
[ "$(values)" = "$wanted" ] || complain "release keeps what was given by hand: $(values)"
for program in bin/mcpdrill tests/measure_quantiles tests/unit_base_str tests/fuzz/fuzz_sse bench/cpu_per_call; do
    has "$program" || complain "release does not build $program"
done
others=$(sed -n 's/^\(bin\/[^:]*\):.*/\1/p' targets.log | grep -v '^bin/mcpdrill$' || true)
[ -z "$others" ] || complain "only the program belongs into bin/, not" $others
exit $bad
