#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Who may include whom (scripts/layers.txt), and no cycle. First the check itself: it lets through what is
# allowed, and finds an include in whatever way it is written.
set -eu -o pipefail
cd "$(dirname "$0")/../.."

sample=$(mktemp -d)
trap 'rm -rf "$sample"' EXIT

# Does a file of src/low/ with this line pass, where low/ may include base/ alone?
passes() {
    printf '%s\n' "$1" > "$sample/src/low/low.c"
    sh "$sample/scripts/check_layers.sh" > /dev/null 2>&1
}

mkdir -p "$sample/scripts" "$sample"/src/{base,low,high/room}
cp scripts/check_layers.sh "$sample/scripts"
printf '%s\n' 'base:' 'low: base' 'high/room: low' > "$sample/scripts/layers.txt"
echo '#include "base/base.h"' > "$sample/src/base/base.c"
echo '#include "base/base.h"' > "$sample/src/low/other.c"
echo '#include "low/low.h"' > "$sample/src/high/room/room.c"

for good in '#include "base/base.h"' '#  include "low/low.h"' '#include "low.h"' '#include <sys/stat.h>' \
    '/* #include "high/room/room.h" */'; do
    passes "$good" || { echo "check_layers.sh refuses: $good" >&2; exit 1; }
done
for bad in '#include "high/room/room.h"' '# include "high/room/room.h"' '  #	include "high/room/room.h"' \
    '#include"high/room/room.h"' '#include <high/room/room.h>' '#include <base/base.h>' \
    '#include "../high/room/room.h"' '#include <../high/room/room.h>' '#include "base/../high/room/room.h"' \
    '#include "base/./base.h"' '#include HEADER'; do
    ! passes "$bad" || { echo "check_layers.sh lets through: $bad" >&2; exit 1; }
done

sh scripts/check_layers.sh
