#!/usr/bin/env python3
"""Kills the service and the SFTP server again and again while files are taken and answered.

    sftp_kill_loop.py --files 1000 --kills 50 [--seed N]

`cmpost serve` takes prepared requests from an OpenSSH server and puts the answers there; at random
moments it, or the server with all its connections, gets SIGKILL. In the end each request must have
exactly one answer and one certificate, and nothing may be left half done. Needs CMPOST and
MAKE_REQUESTS in the environment.
"""

import argparse
import collections
import os
import random
import signal
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))
from instance import Instance, eventually, run  # noqa: E402
from sftp_server import SftpServer  # noqa: E402

MAKE_REQUESTS = os.environ.get("MAKE_REQUESTS", "make_requests")
DEVICES = 20

CHANNEL = """
[[channel]]
name = "factory"
kind = "sftp"
fetch = "{fetch}"
send = "{send}"
login = {{ key_file = "{key}" }}
known_hosts = "secrets/known_hosts"
profiles = ["device"]
trust = ["{vendor}"]
poll = "100ms"
ready = "{ready}"
after = "{after}"
time_limit = "5s"
"""


class SftpKillLoop:
    def __init__(self, directory, options):
        self.files, self.kills = options.files, options.kills
        self.random = random.Random(options.seed)
        self.server = SftpServer(Path(directory) / "server")
        self.prepared = Path(directory) / "prepared"
        run(MAKE_REQUESTS, self.prepared, self.files, "signature", DEVICES)
        self.instance = Instance(Path(directory) / "ca", Path(directory) / "log")
        (self.instance.directory / "secrets/known_hosts").write_text(self.server.known_hosts())
        with open(self.instance.directory / "cmpost.toml", "a") as file:
            file.write(CHANNEL.format(
                fetch=self.server.url("in"), send=self.server.url("out"), key=self.server.key,
                vendor=self.prepared / "vendor.pem", ready=options.ready, after=options.after))
        self.killed = collections.Counter()

    def run(self):
        waiting = sorted(self.prepared.glob("*.pki"))
        portion = -(-self.files // self.kills)
        self.instance.serve()
        while waiting:
            for file in waiting[:portion]:
                self.server.put(file.name, file.read_bytes())
            del waiting[:portion]
            time.sleep(self.random.uniform(0.05, 0.8))
            self.kill()
        eventually(lambda: len(self.answers()) >= self.files, f"{self.files} answers", 240)
        eventually(self.settled, "nothing waits any more", 120)
        self.instance.stop()

    def kill(self):
        victim = self.random.choice(["service", "server", "both"])
        self.killed[victim] += 1
        if victim != "server":
            self.instance.stop(signal.SIGKILL)
        if victim != "service":
            self.server.stop()
            self.server.start()
        if victim != "server":
            self.instance.serve()

    def settled(self):
        jobs = self.instance.json("queue", "list", "--limit", 100000)
        # What could not be let go of because of a kill is let go of at the next look.
        return all(job["state"] == "done" for job in jobs) and not self.left_in("in", "*.pki")

    def left_in(self, folder, pattern):
        return list((self.server.files / folder).glob(pattern))

    def answers(self):
        return self.left_in("out", "*.pki")

    def verdict(self):
        faults = []
        stems = collections.Counter(file.name.split(".")[0] for file in self.answers())
        faults += [f"{count} answers to {stem}" for stem, count in stems.items() if count != 1]
        faults += [f"no answer to {file.stem}" for file in self.prepared.glob("*.pki")
                   if file.stem not in stems]
        faults += [f"left: {file.name}" for file in self.left_in("out", ".*.part")]
        faults += [f"in quarantine: {file.name}" for file in self.left_in("in/quarantine", "*")]
        certificates = self.instance.json("cert", "list", "--channel", "factory", "--limit", 1000000)
        if len(certificates) != self.files:
            faults.append(f"{len(certificates)} certificates for {self.files} requests")
        return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--ready", default="rename")
    parser.add_argument("--after", default="move", choices=["move", "delete"])
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(4), "big"))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="cmpost-sftp-kill-") as directory:
        Path(directory).chmod(0o755)
        try:
            loop = SftpKillLoop(directory, options)
        except unittest.SkipTest as why:
            print(f"skipped: {why}")
            return 77
        try:
            loop.run()
            faults = loop.verdict()
        except BaseException:
            print((Path(directory) / "log").read_text()[-4000:])
            raise
        finally:
            loop.instance.stop(signal.SIGKILL)
            loop.server.stop()
    for fault in faults[:20]:
        print(fault)
    if faults:
        return 1
    print(f"{dict(loop.killed)} killed, {loop.files} files answered: nothing lost, nothing doubled")
    return 0


if __name__ == "__main__":
    sys.exit(main())
