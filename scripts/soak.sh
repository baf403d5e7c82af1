#!/usr/bin/env bash
# The long form of the crash tests: kills the service 200 times while it answers 2 000 requests from
# files, 50 times while it answers 500 mails, from IMAP, POP3 and a Maildir, and 50 times, itself or the
# server, while it answers 1 000 files over SFTP; pulls a medium out 50 times while 300 requests
# are on it, be it ext4, FAT, exFAT or NTFS; kills `cmpost run` 50 times while it works on one file with a
# batch of 5 000 requests; kills an RA and its CA 200 times while 2 000 requests pass through both, in each of two
# modes; lets 6 000 calls fail in turn (errors, short transfers, kills, losses of power), and 2 000 of an RA. And the long form of
# system_air_gap: 1 000 requests, 200 of them by mail, through an RA to a CA that couriers reach; and of system_weekend: a
# fleet of 12 000 by SFTP, by the clock, stopped, killed and gone on with.
#
#   scripts/soak.sh [files|mail|sftp|medium|batch|ra|faults|ra-faults|round|weekend] [options of the script in tests/crash]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/install-deps.sh test
cmake --preset release -DCMPOST_BUILD_TESTS=ON
cmake --build --preset release --parallel "$(nproc)" --target cmpost make_requests cmpost_faults
export CMPOST=build/release/app/cmpost MAKE_REQUESTS=build/release/tests/bench/make_requests
export CMPOST_FAULTS=build/release/tests/crash/faults/libcmpost_faults.so
export PYTHONDONTWRITEBYTECODE=1
what=${1:-all}
shift || true
case $what in
  files) python3 tests/crash/kill_loop.py --requests 2000 --kills 200 "$@" ;;
  mail) python3 tests/crash/mail_kill_loop.py --mails 500 --kills 50 "$@" ;;
  medium) python3 tests/crash/pull_medium.py --requests 300 --pulls 50 "$@" ;;
  sftp) python3 tests/crash/sftp_kill_loop.py --files 1000 --kills 50 "$@" ;;
  batch) python3 tests/crash/batch_kill_loop.py --members 5000 --kills 50 "$@" ;;
  ra) python3 tests/crash/ra_kill_loop.py --requests 2000 --kills 200 "$@" ;;
  faults) python3 tests/crash/fault_sweep.py --points 6000 "$@" ;;
  ra-faults) python3 tests/crash/fault_sweep.py --role ra --points 2000 --requests 4 "$@" ;;
  round) CMPOST_AIR_GAP=1000 python3 tests/system/air_gap_test.py "$@" ;;
  weekend) CMPOST_WEEKEND=12000 python3 tests/system/weekend_test.py "$@" ;;
  all)
    python3 tests/crash/kill_loop.py --requests 2000 --kills 200
    for source in imap pop3 maildir; do
      python3 tests/crash/mail_kill_loop.py --mails 500 --kills 50 --source $source
    done
    python3 tests/crash/sftp_kill_loop.py --files 1000 --kills 50
    for medium in ext4 fat exfat ntfs; do
      python3 tests/crash/pull_medium.py --requests 300 --pulls 50 --medium $medium
    done
    python3 tests/crash/batch_kill_loop.py --members 5000 --kills 50
    for mode in reprotect batch; do
      python3 tests/crash/ra_kill_loop.py --requests 2000 --kills 200 --mode $mode
    done
    python3 tests/crash/fault_sweep.py --points 6000
    python3 tests/crash/fault_sweep.py --role ra --points 2000 --requests 4
    CMPOST_AIR_GAP=1000 python3 tests/system/air_gap_test.py
    CMPOST_WEEKEND=12000 python3 tests/system/weekend_test.py
    ;;
  *) echo "usage: $0 [files|mail|sftp|medium|batch|ra|faults|ra-faults|round|weekend] [options]" >&2; exit 64 ;;
esac
