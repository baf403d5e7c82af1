#!/bin/bash
# Runs every fuzz target for a while, each seeded with the test data and its own finds.
#   scripts/fuzz.sh [SECONDS] [TARGET...]     default: 60 seconds each, all targets
# New inputs are kept in build/fuzz/corpus/<target>; a crash ends the run and leaves crash-* there.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
shift || true
cmake --preset fuzz >/dev/null
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  for source in tests/fuzz/*_fuzz.cpp; do targets+=("$(basename "$source" .cpp)"); done
fi
cmake --build --preset fuzz --target "${targets[@]}" -j"$(nproc)"
# libFuzzer takes seeds from plain folders.
mapfile -t seeds < <(find tests/data config/examples tests/fuzz/corpus -type f -printf '%h\n' | sort -u)
for target in "${targets[@]}"; do
  corpus=$PWD/build/fuzz/corpus/$target
  mkdir -p "$corpus"
  echo "$target: $seconds s"
  build/fuzz/tests/fuzz/"$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=16384 \
    -print_final_stats=1 -artifact_prefix="$corpus/" "$corpus" "${seeds[@]}" 2>&1 | grep -vE '^#[0-9]+\s+(NEW|REDUCE|pulse)' | tail -25
done
