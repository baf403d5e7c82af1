#!/usr/bin/env bash
# Whether answers take longer for one kind of wrong message than for another: envelopes that are wrong
# in one way or another, references that exist or not. For a verdict that counts: a quiet machine.
#
#   scripts/oracle.sh             10 000 messages of each kind
#   scripts/oracle.sh 500         short
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/install-deps.sh test >&2
cmake --preset release -DCMPOST_BUILD_TESTS=ON >&2
cmake --build --preset release --parallel "$(nproc)" --target timing_oracle >&2
exec build/release/tests/attack/timing_oracle "${1:-10000}"
