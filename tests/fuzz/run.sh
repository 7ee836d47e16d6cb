#!/bin/sh
# Runs every fuzzer of build/fuzz for SECONDS (60), or those named. What one finds goes to build/fuzz/finds; the
# inputs it keeps for next time are in build/fuzz/corpus, the hand-made ones in tests/fuzz/corpus are not touched.
#
#   SECONDS=10 tests/fuzz/run.sh [TARGET…]
set -u
cd "$(dirname "$0")/../.."
seconds=${SECONDS:-60}
[ $# -gt 0 ] || set -- $(cd tests/fuzz/corpus && ls)
failed=0
for target in "$@"; do
  mkdir -p "build/fuzz/corpus/$target" build/fuzz/finds
  log=build/fuzz/$target.log
  if build/fuzz/tests/fuzz/fuzz_"$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=8192 \
      -print_final_stats=1 -artifact_prefix=build/fuzz/finds/"$target"- \
      "build/fuzz/corpus/$target" "tests/fuzz/corpus/$target" >"$log" 2>&1; then
    echo "ok   $target: $(awk '/number_of_executed_units/ { print $2 }' "$log") inputs"
  else
    echo "FAIL $target: see $log and build/fuzz/finds"
    failed=1
  fi
done
exit $failed
