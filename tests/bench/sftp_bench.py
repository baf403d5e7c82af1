#!/usr/bin/env python3
"""How fast files come and go over SFTP, on loopback and over a long way.

    sftp_bench.py --files 10000 --far 1000

Prints a table: one row for each way and number of sessions. The far way is a proxy that makes a
round trip last 20 ms. Needs SFTP_BENCH (the program of sftp_bench.cpp) in the environment.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))
from instance import run  # noqa: E402
from sftp_server import SftpServer, SlowWay  # noqa: E402

SFTP_BENCH = os.environ.get("SFTP_BENCH", "build/release/tests/bench/sftp_bench")


class Bench:
    def __init__(self, directory):
        self.directory = Path(directory)
        self.server = SftpServer(self.directory / "server")
        self.way = SlowWay(self.server.port, 0.020)
        self.known = self.directory / "known_hosts"
        self.known.write_text(self.server.known_hosts() + self.server.known_hosts(self.way.port))
        self.rounds = 0

    def once(self, direction, far, sessions, count):
        self.rounds += 1
        place = self.server.files / f"round{self.rounds}"
        place.mkdir()
        self.server.own(place)
        if direction == "in":
            for i in range(count):
                file = place / f"{i:06}.pki"
                # The DER of an OCTET STRING of 1 492 octets in a SEQUENCE.
                file.write_bytes(bytes.fromhex("308205d8048205d4") + i.to_bytes(4, "big") + bytes(1488))
                self.server.own(file)
        spool = self.directory / f"spool{self.rounds}"
        spool.mkdir()
        port = self.way.port if far else self.server.port
        done = run(SFTP_BENCH, direction, self.server.url(place.name, port), self.server.key,
                   self.known, sessions, count, spool, timeout=600)
        number, seconds = done.stdout.split()
        if int(number) != count:
            raise SystemExit(f"{number} files instead of {count}")
        return count / float(seconds)

    def stop(self):
        self.way.stop()
        self.server.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=10000)
    parser.add_argument("--far", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cmpost-sftp-bench-") as directory:
        Path(directory).chmod(0o755)
        bench = Bench(directory)
        print("| way | sessions | files in, per second | answers out, per second |")
        print("| --- | --- | --- | --- |")
        try:
            for far, sessions in ((False, 1), (False, 4), (True, 1), (True, 4), (True, 16)):
                count = options.far if far else options.files
                rates = [bench.once(way, far, sessions, count) for way in ("in", "out")]
                name = "20 ms round trip" if far else "loopback"
                print(f"| {name} | {sessions} | {rates[0]:.0f} | {rates[1]:.0f} |", flush=True)
        finally:
            bench.stop()


if __name__ == "__main__":
    main()
