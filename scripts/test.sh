#!/usr/bin/env bash
# Installs what is missing, builds with ASan and UBSan and warnings as errors, runs every test.
#
#   scripts/test.sh                      all of it; the last line says how it went
#   scripts/test.sh -L unit -R Spool     arguments go to ctest
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/install-deps.sh test
cmake --preset dev
cmake --build --preset dev --parallel "$(nproc)"
# One test more than processors: the longest ones wait for a child or a disk most of the time.
exec ctest --preset dev --no-tests=error --parallel "$(($(nproc) + 1))" "$@"
