#!/bin/sh
# Builds the end-to-end program: a whole Kubernetes control plane, kubectl and the
# scenarios in one binary.
#
#   tests/e2e/build.sh OUTPUT
#
# Uses $GO, else the `go` in PATH (1.26 or newer). A cold build takes about 8 minutes on
# two cores and 6 GB of Go build cache, a warm one seconds.
set -eu

output=${1:?usage: build.sh OUTPUT}
case $output in /*) ;; *) output=$PWD/$output ;; esac
cd "$(dirname "$0")"

version=1.37.2
package=k8s.io/component-base/version
# Without these the API server takes itself for version 0.0 and turns features off.
# -s -w: no debugger is ever put on it, and the link is twice as fast.
"${GO:-go}" build -o "$output" -ldflags "-s -w \
  -X $package.gitVersion=v$version -X $package.gitMajor=1 -X $package.gitMinor=37" .
