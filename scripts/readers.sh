#!/usr/bin/env bash
# Lets OpenSSL, Go's crypto/x509, Python's cryptography and Bouncy Castle read certificates and CRLs of
# every kind that CMPost signs - whatever it was asked for - and pkilint judge those made by default.
#
#   scripts/readers.sh [PROGRAM]     default: build/release/app/cmpost
#
# `scripts/install-deps.sh readers` gets the four. pkilint is no Debian package: where it is not in
# the PATH, nor in the directory that PKILINT names, that part is left out, and the output says so.
# READERS_KEEP=DIR keeps what was read. A short form runs with the tests (system_readers).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

program=${1:-build/release/app/cmpost}
[ -x "$program" ] || { echo "readers: there is no program $program; build it, or name one" >&2; exit 1; }
CMPOST=$(realpath "$program") PYTHONDONTWRITEBYTECODE=1 exec python3 tests/readers/readers.py
