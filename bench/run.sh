#!/bin/bash
# run.sh short|full PROGRAMS OUT [TRACES]: all benchmarks one after another, JSON and report.html in OUT. A part that
# fails does not keep the others from running; the status is then 1.
set -eu -o pipefail
size=$1 programs=$2 out=$3 traces=${4:-}
here=$(dirname "$0")
mkdir -p "$out"
rm -f "$out"/{placement,verbs,packing,queueing,race}.json "$out/report.html"

if [ "$size" = full ]; then
  placement=() verbs=(--calls 1000) packing=(--orders 10) queueing=(--large-copies 4)
else
  placement=(--rounds 200 --references 10) verbs=() packing=(--orders 2) queueing=(--large-copies 1)
fi
[ -z "$traces" ] || { packing+=(--traces "$traces") && queueing+=(--traces "$traces"); }

failed=()
step() {
  local title=$1 began=$SECONDS
  shift
  echo
  echo "== $title"
  "$@" || failed+=("$title")
  echo "($title: $((SECONDS - began)) s)"
}
step "placement latency" "$programs/bench_placement" "${placement[@]}" --json "$out/placement.json"
step "verb latency" "$programs/bench_verbs" "${verbs[@]}" --json "$out/verbs.json"
step "packing" "$programs/bench_packing" "${packing[@]}" --json "$out/packing.json"
step "queueing in virtual time" "$programs/bench_queueing" "${queueing[@]}" --json "$out/queueing.json"
step "the race" "$here/race/run.sh" "$size" "$out/race.json" "$programs/../src/cmd/muster-extender"
python3 -B "$here/report/report.py" "$out" "$out/report.html"
echo
echo "report: $out/report.html, after $SECONDS s"
for title in "${failed[@]}"; do echo "FAILED: $title"; done
[ ${#failed[@]} = 0 ]
