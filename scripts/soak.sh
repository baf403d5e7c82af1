#!/usr/bin/env bash
# The long form of the crash test: kills the service 200 times while it answers 2 000 requests.
#
#   scripts/soak.sh [--requests N] [--kills N] [--seed N] [--keep]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/install-deps.sh test
cmake --preset release -DCMPOST_BUILD_TESTS=ON
cmake --build --preset release --parallel "$(nproc)" --target cmpost make_requests
export CMPOST=build/release/app/cmpost MAKE_REQUESTS=build/release/tests/bench/make_requests
export PYTHONDONTWRITEBYTECODE=1
exec python3 tests/crash/kill_loop.py --requests 2000 --kills 200 "$@"
