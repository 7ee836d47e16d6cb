#!/bin/sh
# Builds the race and what races, and runs it; it is skipped with a message when that cannot be built.
#
#   bench/race/run.sh short|full OUT.json MUSTER-EXTENDER
set -eu

size=$1 out=$2 muster=$3
root=$(cd "$(dirname "$0")/../.." && pwd)
control_plane=$root/build/e2e-bin/muster-e2e
folder=$root/build/race

build() {
  GO=$("$root/cmake/find_go.sh") && export GO || return 1
  mkdir -p "$(dirname "$control_plane")"
  "$root/tests/e2e/build.sh" "$control_plane" && "$root/bench/race/build.sh" "$folder"
}
if ! build; then
  echo "the race is skipped: it cannot be built" >&2
  exit 0
fi
exec "$folder/race" --root "$root" --components "$control_plane" --muster "$muster" --kueue "$folder" --size "$size" \
  --json "$out"
