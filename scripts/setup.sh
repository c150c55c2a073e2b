#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Installs what MCPDrill needs on Debian (12, 13) and Ubuntu (22.04, 24.04). It asks for each need
# whether it is met already and installs only what is missing, so it is safe to repeat, and it does
# nothing at all when everything is there.
#
#   scripts/setup.sh             everything for building, testing, linting and fuzzing
#   scripts/setup.sh --minimal   what building and running need, and nothing else
set -euo pipefail
cd "$(dirname "$0")/.."

usage() {
    sed -n '4,9s/^# \{0,1\}//p' "$0"
}

minimal=no
while [ $# -gt 0 ]; do
    case $1 in
    --minimal) minimal=yes ;;
    -h | --help)
        usage
        exit 0
        ;;
    *)
        echo "setup: unknown argument '$1'; try --help" >&2
        exit 2
        ;;
    esac
    shift
done

node_is_new() {
    command -v node > /dev/null &&
        [ "$(node -p 'Number(process.versions.node.split(".")[0])')" -ge 18 ]
}

# The sanitizer and fuzzer runtimes are a package of their own; its name carries clang's version.
clang_runtime_is_there() {
    local dir
    dir=$(clang --print-runtime-dir 2> /dev/null) || return 1
    [ -e "$dir/libclang_rt.fuzzer-$(uname -m).a" ] || [ -e "$dir/libclang_rt.fuzzer.a" ] ||
        ls "$(dirname "$dir")"/*/libclang_rt.fuzzer* > /dev/null 2>&1
}

has_header() {
    printf '#if !__has_include(<%s>)\n#error\n#endif\n' "$1" | c++ -x c++ -E - > /dev/null 2>&1
}

clang_major() {
    clang -dumpversion 2> /dev/null | cut -d. -f1
}

# One line per need: strength, what it is, how to see that it is there, packages that bring it (the
# first that this release knows is taken). "must" stops the script, "may" only leaves a note.
needs_minimal() {
    cat << 'END'
must|C compiler|command -v cc|build-essential gcc
must|make|command -v make|build-essential make
must|CMake|command -v cmake|cmake
must|Ninja|command -v ninja|ninja-build
must|pkg-config|command -v pkg-config|pkg-config pkgconf
must|jansson|pkg-config --exists jansson|libjansson-dev
must|OpenSSL|pkg-config --exists libcrypto|libssl-dev
must|SQLite|pkg-config --exists 'sqlite3 >= 3.37'|libsqlite3-dev
must|zlib|pkg-config --exists zlib|zlib1g-dev
END
}

needs_full() {
    cat << 'END'
must|cmocka|pkg-config --exists cmocka|libcmocka-dev
must|C++ compiler|command -v c++|build-essential g++
may|clang|command -v clang|clang
may|clang-format 14|command -v clang-format-14|clang-format-14
may|clang-tidy|command -v clang-tidy|clang-tidy
may|simdjson|has_header simdjson.h|libsimdjson-dev
may|Node.js 18 or newer|node_is_new|nodejs
may|npm|command -v npm|npm
may|wrk|command -v wrk|wrk
END
}

# A second round, because the name of the package depends on the clang that the first one installed.
needs_of_clang() {
    local major
    major=$(clang_major)
    [ -n "$major" ] || return 0
    echo "may|sanitizer and fuzzer runtimes of clang $major|clang_runtime_is_there|libclang-rt-$major-dev libclang-common-$major-dev"
}

as_root=()
prepare_apt() {
    if ! command -v apt-get > /dev/null; then
        echo "setup: no apt-get here. Install by hand what is named above, then run this again." >&2
        exit 1
    fi
    if [ "$(id -u)" -ne 0 ]; then
        if ! command -v sudo > /dev/null; then
            echo "setup: run this as root, or install sudo." >&2
            exit 1
        fi
        as_root=(sudo)
    fi
}

apt_updated=no
update_once() {
    [ $apt_updated = yes ] && return
    echo "setup: apt-get update"
    "${as_root[@]}" apt-get update -q > /dev/null || echo "setup: apt-get update failed; going on with what is known" >&2
    apt_updated=yes
}

# Prints the first of the packages that can be installed here, or nothing.
available_package() {
    local package
    for package in "$@"; do
        # The text is taken whole: a grep that leaves early would break the pipe of apt-cache.
        case $(LC_ALL=C apt-cache policy "$package" 2> /dev/null) in
        *"Candidate: "[0-9]*)
            echo "$package"
            return
            ;;
        esac
    done
}

# True when an update can help: something is required, or installable, or no package lists are here.
worth_updating() {
    local line strength packages
    if ! ls /var/lib/apt/lists/*_Packages* > /dev/null 2>&1; then
        return 0
    fi
    for line in "$@"; do
        IFS='|' read -r strength _ _ packages <<< "$line"
        # shellcheck disable=SC2086 # a list of names
        if [ "$strength" = must ] || [ -n "$(available_package $packages)" ]; then
            return 0
        fi
    done
    return 1
}

# Reads need lines on stdin and installs what is missing, all packages with one command.
satisfy() {
    local lines=() line strength name check packages package wanted=() missing=()
    mapfile -t lines
    for line in "${lines[@]}"; do
        IFS='|' read -r strength name check packages <<< "$line"
        if ! eval "$check" > /dev/null 2>&1; then
            missing+=("$line")
        fi
    done
    [ ${#missing[@]} -gt 0 ] || return 0

    printf 'setup: missing:'
    for line in "${missing[@]}"; do
        IFS='|' read -r _ name _ <<< "$line"
        printf ' %s;' "$name"
    done
    printf '\n'
    prepare_apt
    # An optional tool that this release does not have must not cost an update at every call.
    if worth_updating "${missing[@]}"; then
        update_once
    fi
    for line in "${missing[@]}"; do
        IFS='|' read -r strength name check packages <<< "$line"
        # shellcheck disable=SC2086 # a list of names
        package=$(available_package $packages)
        if [ -n "$package" ]; then
            wanted+=("$package")
        fi
    done
    if [ ${#wanted[@]} -gt 0 ]; then
        mapfile -t wanted < <(printf '%s\n' "${wanted[@]}" | sort -u)
        echo "setup: apt-get install ${wanted[*]}"
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -q -y --no-install-recommends "${wanted[@]}" > /dev/null
    fi

    for line in "${missing[@]}"; do
        IFS='|' read -r strength name check packages <<< "$line"
        eval "$check" > /dev/null 2>&1 && continue
        if [ "$strength" = must ]; then
            echo "setup: $name is still missing; this release's packages ($packages) do not bring it" >&2
            exit 1
        fi
        echo "setup: note: no $name here (tried: $packages); what needs it will be skipped by name"
    done
}

# In a process substitution's place a pipe would be a subshell, and `exit` would not end the script.
satisfy < <(needs_minimal)
if [ $minimal = no ]; then
    satisfy < <(needs_full)
    satisfy < <(needs_of_clang)
fi
echo "setup: everything that this needs is here"
