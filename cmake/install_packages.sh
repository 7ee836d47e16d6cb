#!/bin/sh
# Installs the Debian packages of the given groups (debian-packages.txt) that are missing; does nothing, and
# needs no rights, when none is.
#
#   cmake/install_packages.sh GROUP…
set -eu

list=$(dirname "$0")/debian-packages.txt

if ! command -v dpkg-query >/dev/null; then
  echo "This is no Debian: the packages of $list are not looked for. Go on at your own care." >&2
  exit 0
fi

is_installed() {
  [ "$(dpkg-query -W -f='${Status}' "$1" 2>/dev/null)" = "install ok installed" ]
}

missing=
for group in "$@"; do
  for package in $(awk -v group="$group" '$1 == group { print $2 }' "$list"); do
    is_installed "$package" || missing="$missing $package"
  done
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
  as_root=
elif command -v sudo >/dev/null; then
  as_root=sudo
else
  echo "Missing Debian packages:$missing" >&2
  echo "Installing them takes root or sudo, and there is neither. As root: apt-get install$missing" >&2
  exit 1
fi

echo "Installing:$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
run() {
  if ! $as_root env DEBIAN_FRONTEND=noninteractive "$@" >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    echo "failed: $*" >&2
    exit 1
  fi
}
run apt-get update
# shellcheck disable=SC2086 # a list of words
run apt-get install -y --no-install-recommends $missing
rm -f "$log"
