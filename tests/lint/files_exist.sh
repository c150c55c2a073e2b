#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Files that a program of ours generates, and files that the documentation promises, exist and are not
# empty; that they are in step with the tables is a unit test of src/scenario.
set -eu -o pipefail
cd "$(dirname "$0")/../.."

bad=0
for file in schemas/run-config/v1.json docs/reference/run-config.md docs/reference/result.md \
    docs/reference/metrics.md docs/reference/cli.md docs/limits.md examples/quick-start.json \
    examples/scenarios/{sse-heavy-load,sse-with-churn,stream-stall-test,open-load,spike,soak,data-feed}.json \
    docs/scenarios-streaming.md docs/session-policies.md docs/stop-conditions.md docs/mock-server.md \
    README.md ARCHITECTURE.md CONTRIBUTING.md CHANGELOG.md LICENSE; do
    if [ ! -s "$file" ]; then
        echo "missing or empty: $file"
        bad=1
    fi
done
exit $bad
