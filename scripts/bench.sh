#!/usr/bin/env bash
# Measures how fast enrolments are, against the crypto alone (docs/performance.md). For figures worth
# keeping: a quiet machine, and nothing else on its disk.
#
#   scripts/bench.sh                              10 000 requests, ledgers of up to 1 000 000
#   scripts/bench.sh --requests 1000 --ledger     short
#   scripts/bench.sh --tuned                      the program that scripts/build-tuned.sh builds
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/install-deps.sh test >&2
cmake --preset release -DCMPOST_BUILD_TESTS=ON >&2
cmake --build --preset release --parallel "$(nproc)" \
  --target cmpost make_requests crypto_alone processor_bench ra_bench fill_ledger >&2
export CMPOST=build/release/app/cmpost
if [[ ${1:-} == --tuned ]]; then
  shift
  scripts/build-tuned.sh >&2
  CMPOST=build/tuned/app/cmpost
fi
export CMPOST_TOOLS=$PWD/build/release/tests/bench
export PYTHONDONTWRITEBYTECODE=1
exec python3 tests/bench/bench.py "$@"
