#!/usr/bin/env python3
"""Kills the service of an RA again and again between its requesters and a CA behind a courier.

    ra_kill_loop.py --requests 2000 --kills 200 [--seed N] [--keep]

`cmpost serve` of the RA gets SIGKILL at random moments while requests and answers keep arriving.
In the end each requester must have one answer with a certificate, the CA must have issued one for
each, and nothing may be left half done on either side. Needs CMPOST (the program) and MAKE_REQUESTS
in the environment.
"""

import argparse
import collections
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))
from instance import Instance, eventually, run  # noqa: E402
from three_parties import Courier  # noqa: E402

MAKE_REQUESTS = os.environ.get("MAKE_REQUESTS", "make_requests")
DEVICES = 20


class RaKillLoop:
    def __init__(self, directory, options):
        self.directory = Path(directory)
        self.prepared = self.directory / "prepared"
        self.requests, self.kills = options.requests, options.kills
        self.random = random.Random(options.seed)
        self.vault = Instance(self.directory / "vault", self.directory / "vault.log")
        self.ra = Instance(self.directory / "ra", self.directory / "ra.log", self.vault.ca)
        self.ra.set_in("[ra]", "mode", f'"{options.mode}"')
        self.ra.set_in("[[channel]]", "batch_within", '"100ms"', 1)
        self.vault.set_in_channel("roles", f'{{ ra = ["{self.ra.directory}/ra/cmp.pem"] }}')
        self.courier = Courier(self.ra, self.vault)
        self.killed_at_work = 0
        self.contents = collections.defaultdict(set)

    def prepare(self):
        run(MAKE_REQUESTS, self.prepared, self.requests, "signature", DEVICES)
        self.ra.trust(self.prepared / "vendor.pem")
        self.vault.trust(self.prepared / "vendor.pem")
        self.waiting = sorted(self.prepared.glob("*.pki"))

    def give(self, count):
        for file in self.waiting[:count]:
            file.rename(self.ra.drop / file.name)
        del self.waiting[:count]

    def look(self):
        """What stands in the answers, at any time."""
        files = list(self.ra.answers.glob("*.pki"))
        for file in files:
            self.contents[file.name.split(".")[0]].add(file.read_bytes())
        return len(files)

    def run(self):
        self.vault.serve()
        self.courier.start()
        portion = -(-self.requests // (self.kills + 1))
        given = 0
        for _ in range(self.kills):
            self.give(portion)
            given = self.requests - len(self.waiting)
            self.ra.serve()
            time.sleep(self.random.uniform(0, self.random.choice((0.3, 1.5))))
            self.ra.stop(signal.SIGKILL)
            self.killed_at_work += self.look() < given
        self.give(len(self.waiting))
        self.finish()

    def finish(self):
        self.ra.serve()
        eventually(lambda: self.look() >= self.requests, "all answers", timeout=180)
        eventually(lambda: not self.open_jobs(self.ra), "the queues to be empty", timeout=60)
        self.stop()

    def stop(self):
        self.courier.stop()
        self.ra.stop()
        self.vault.stop()

    def open_jobs(self, instance):
        return [job for job in instance.json("queue", "list", "--limit", "1000000")
                if job["state"] != "done"]

    def complaints(self):
        return list(filter(None, [self.about_answers(), self.about_certificates(self.vault),
                                  self.about_certificates(self.ra), self.about_jobs()]))

    def about_answers(self):
        stems = collections.Counter(file.name.split(".")[0]
                                    for file in self.ra.answers.glob("*.pki"))
        expected = {f"{number:06}" for number in range(1, self.requests + 1)}
        doubled = [stem for stem, count in stems.items() if count > 1]
        changed = [stem for stem, contents in self.contents.items() if len(contents) > 1]
        refused = [file.name for file in self.ra.answers.glob("*.pki") if ".ip." not in file.name]
        if set(stems) != expected or doubled or changed or refused:
            return (f"answers: {len(expected - set(stems))} missing, doubled {doubled[:5]}, "
                    f"changed {changed[:5]}, refused {refused[:5]}")

    def about_certificates(self, instance):
        issued = instance.json("cert", "list", "--all", "--limit", "1000000", "--channel", "drop")
        tids = {one["tid"] for one in issued}
        if len(issued) != self.requests or len(tids) != self.requests:
            return (f"certificates in {instance.directory}: {len(issued)} for {len(tids)} "
                    f"transactions, {self.requests} expected")

    def about_jobs(self):
        for instance in (self.ra, self.vault):
            if jobs := self.open_jobs(instance):
                return f"jobs in {instance.directory} that are not done: {jobs[:3]}"
            instance.cmpost("audit", "verify")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=int(os.environ.get("RA_KILLS", "200")))
    parser.add_argument("--mode", default="reprotect")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--keep", action="store_true", help="keep the instances for a look")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)

    directory = tempfile.mkdtemp(prefix="cmpost-ra-crash-")
    loop = RaKillLoop(directory, options)
    start = time.monotonic()
    loop.prepare()
    try:
        loop.run()
        complaints = loop.complaints()
    finally:
        loop.courier.stop()
        loop.ra.stop(signal.SIGKILL)
        loop.vault.stop(signal.SIGKILL)
    for complaint in complaints:
        print(complaint)
    print(f"{options.kills} kills, {loop.killed_at_work} of them with requests not yet answered, "
          f"{time.monotonic() - start:.0f} s: "
          f"{'BAD, see ' + directory if complaints else 'nothing lost, nothing doubled'}")
    if not complaints and not options.keep:
        run("rm", "-rf", directory)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
