#!/bin/sh
# Builds the end-to-end program and runs scenarios; arguments go to it.
#
#   tests/e2e/run.sh                      all
#   tests/e2e/run.sh --run '^[a-c]:'      some
#   tests/e2e/run.sh --list
#
# MUSTER_EXTENDER names the program under test (default: build/release/src/cmd/muster-extender),
# MUSTER_E2E where the built test program goes (default: build/e2e-bin/muster-e2e), GO the
# Go compiler.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
program=${MUSTER_E2E:-$root/build/e2e-bin/muster-e2e}
case $program in /*) ;; *) program=$PWD/$program ;; esac
mkdir -p "$(dirname "$program")"
"$here/build.sh" "$program"
exec "$program" --root "$root" "$@"
