#!/usr/bin/env bash
# Reads the code with clang-tidy (the short list in .clang-tidy). Slow, so no part of the tests.
#
#   scripts/tidy.sh            all sources
#   scripts/tidy.sh FILE...    some
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/install-deps.sh extra
cmake --preset dev >/dev/null
if [ $# -eq 0 ]; then
  mapfile -t files < <(for deps in */DEPS; do find "${deps%/DEPS}" -name '*.cpp'; done | sort)
  set -- "${files[@]}"
fi
printf '%s\0' "$@" | xargs -0 -n 1 -P "$(nproc)" clang-tidy -p build/dev --quiet
