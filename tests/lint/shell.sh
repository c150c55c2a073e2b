#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Every shell script parses, and shellcheck has nothing to say about it where shellcheck is installed.
set -eu -o pipefail
cd "$(dirname "$0")/../.."

mapfile -t scripts < <(find scripts tests/lint bench .ci -type f \( -name '*.sh' -o -path '.ci/run' \) | sort)
for script in "${scripts[@]}"; do
    bash -n "$script"
done
if command -v shellcheck > /dev/null; then
    shellcheck --severity=warning "${scripts[@]}"
fi
