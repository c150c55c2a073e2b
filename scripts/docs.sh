#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Writes the generated files of the tree anew from the tables in the code: schemas/, docs/reference/,
# docs/limits.md and docs/api.md. A unit test fails when they are out of step.
set -euo pipefail
cd "$(dirname "$0")/.."

cmake --preset release > /dev/null
cmake --build --preset release -j"$(nproc)" --target mcpdrill > /dev/null

# Written beside and moved, so that a program that fails leaves the old file alone.
generate() {
    local file=$1
    shift
    mkdir -p "$(dirname "$file")"
    build/bin/mcpdrill "$@" > "$file.new"
    mv "$file.new" "$file"
    echo "docs: $file"
}

generate schemas/run-config/v1.json schema
for page in run-config result metrics cli; do
    generate "docs/reference/$page.md" reference "$page"
done
generate docs/limits.md reference limits
generate docs/api.md reference api
