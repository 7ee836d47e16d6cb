#!/bin/sh
# Builds the race and Kueue, the peer that is a program of its own:
#
#   bench/race/build.sh FOLDER
#
# FOLDER gets race, kueue and kueue's CRDs. Without Kueue, which is a cold build of some minutes, the race runs without
# that arm. Uses $GO, else the `go` in PATH (1.26 or newer).
set -eu

folder=${1:?usage: build.sh FOLDER}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
cd "$(dirname "$0")"
go=${GO:-go}

"$go" build -o "$folder/race" .

cd kueue
export GOWORK=off
if "$go" build -o "$folder/kueue" sigs.k8s.io/kueue/cmd/kueue; then
  rm -rf "$folder/kueue-crds"
  cp -r "$("$go" list -m -f '{{.Dir}}' sigs.k8s.io/kueue)/config/components/crd/bases" "$folder/kueue-crds"
  chmod -R u+w "$folder/kueue-crds"
else
  echo "Kueue cannot be built: the race runs without it" >&2
  rm -f "$folder/kueue"
fi
