#!/usr/bin/env bash
# Builds build/tuned/app/cmpost, the release program laid out by what a profile has seen: what runs
# for each request lies close together. Built twice, so it takes twice as long; docs/performance.md
# says what it brings.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/install-deps.sh test >&2
build() {
  cmake --preset tuned -DCMPOST_PROFILE="$1" >&2
  shift
  cmake --build --preset tuned --parallel "$(nproc)" --target "$@" >&2
}

if [[ -d build/tuned ]]; then find build/tuned -name '*.gcda' -delete; fi
build make cmpost make_requests
CMPOST=build/tuned/app/cmpost CMPOST_TOOLS=$PWD/build/tuned/tests/bench PYTHONDONTWRITEBYTECODE=1 \
  python3 tests/bench/train.py >&2
build use cmpost
build/tuned/app/cmpost --version
