#!/bin/bash
# run.sh PROGRAMS OUT SECONDS: what calls and a large cluster cost, in load.json, verbs.json and list.json in OUT; abuse
# goes on for SECONDS. A part that misses a bar does not keep the others from running; the status is then 1.
set -u
programs=$1 out=$2 seconds=$3
mkdir -p "$out" || exit 2
status=0
part() {
  echo "== $1"
  "${@:2}" || status=1
  echo
}
part "waiting binds, abusive callers" "$programs/bench_load" --seconds "$seconds" --json "$out/load.json"
part "filter alone" "$programs/bench_verbs" --strict --json "$out/verbs.json"
part "the list of a large cluster, and its events" "$programs/bench_list" --json "$out/list.json"
exit $status
