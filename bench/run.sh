#!/bin/bash
# run.sh short|full PROGRAMS OUT [TRACES]: all benchmarks one after another, JSON and report.html in OUT.
set -eu -o pipefail
size=$1 programs=$2 out=$3 traces=${4:-}
mkdir -p "$out"
rm -f "$out"/{placement,reference,verbs,packing,queueing,race}.json

if [ "$size" = full ]; then
  placement=() reference=(--hosts 1000,10000,100000) packing=(--seeds 10) queueing=(--large-copies 4)
else
  placement=(--rounds 100) reference=(--rounds 20) packing=(--seeds 2) queueing=(--large-copies 1)
fi
[ -z "$traces" ] || { packing+=(--traces "$traces") && queueing+=(--traces "$traces"); }

step() {
  echo
  echo "== $1"
  shift
  "$@"
}
step "placement latency" "$programs/bench_placement" "${placement[@]}" --json "$out/placement.json"
step "one pod after another" "$programs/bench_reference" "${reference[@]}" --json "$out/reference.json"
step "verb latency" "$programs/bench_verbs" --json "$out/verbs.json"
step "packing" "$programs/bench_packing" "${packing[@]}" --json "$out/packing.json"
step "queueing in virtual time" "$programs/bench_queueing" "${queueing[@]}" --json "$out/queueing.json"
step "the race" "$(dirname "$0")/race/run.sh" "$size" "$out/race.json" "$programs/../src/cmd/muster-extender"
python3 -B "$(dirname "$0")/report/report.py" "$out" "$out/report.html"
echo
echo "report: $out/report.html"
