#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Who may include whom (scripts/layers.txt), and no cycle.
set -eu -o pipefail
cd "$(dirname "$0")/../.."

exec sh scripts/check_layers.sh
