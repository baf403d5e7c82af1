#!/usr/bin/env python3
"""Kills the service again and again while it works, and looks whether anything was lost or doubled.

    kill_loop.py --requests 2000 --kills 200 [--seed N] [--keep]

`cmpost serve` gets SIGKILL at random moments while prepared requests keep arriving, and is started
again each time. In the end each request must have exactly one answer and exactly one certificate,
and nothing may be left half done. Needs CMPOST (the program) and MAKE_REQUESTS in the environment.
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

MAKE_REQUESTS = os.environ.get("MAKE_REQUESTS", "make_requests")
DEVICES = 20


class KillLoop:
    def __init__(self, directory, requests, kills, seed):
        self.directory = Path(directory)
        self.prepared = self.directory / "prepared"
        self.requests, self.kills = requests, kills
        self.random = random.Random(seed)
        self.instance = Instance(self.directory / "ca", self.directory / "log")
        self.given = self.killed_at_work = 0

    def prepare(self):
        run(MAKE_REQUESTS, self.prepared, self.requests, "signature", DEVICES)
        self.instance.trust(self.prepared / "vendor.pem")
        self.waiting = sorted(self.prepared.glob("*.pki"))

    def give(self, count):
        """Drops the next requests, each whole at once."""
        for file in self.waiting[:count]:
            file.rename(self.instance.drop / file.name)
        self.given += len(self.waiting[:count])
        del self.waiting[:count]

    def answers(self):
        return list(self.instance.answers.glob("*.pki"))

    def run(self):
        portion = -(-self.requests // self.kills)
        for _ in range(self.kills):
            self.give(portion)
            self.serve_and_kill()
        self.give(len(self.waiting))
        self.finish()

    def serve_and_kill(self):
        """One life. Most end while requests are on their way, some already during the start."""
        waiting = self.unclaimed()
        self.instance.serve()
        if self.random.random() < 0.2:
            time.sleep(self.random.uniform(0, self.start_up))
        else:
            deadline = time.monotonic() + 5 * self.start_up
            while self.unclaimed() == waiting and time.monotonic() < deadline:
                time.sleep(0.001)
            time.sleep(self.random.uniform(0, self.work))
        self.instance.stop(signal.SIGKILL)
        self.killed_at_work += len(self.answers()) + self.unclaimed() < self.given

    def unclaimed(self):
        return sum(name.endswith(".pki") for name in os.listdir(self.instance.drop))

    def measure(self):
        """How long the start and the work on a portion take here; a sanitized program is slow."""
        start = time.monotonic()
        self.give(-(-self.requests // self.kills))
        self.instance.serve()
        eventually(lambda: self.unclaimed() < self.given, "the first claim", timeout=60)
        self.start_up = time.monotonic() - start
        eventually(lambda: len(self.answers()) == self.given, "the first answers", timeout=60)
        self.work = time.monotonic() - start - self.start_up
        self.instance.stop(signal.SIGKILL)

    def finish(self):
        self.instance.serve()
        eventually(lambda: len(self.answers()) >= self.given, "all answers", timeout=300)
        self.instance.stop()

    def complaints(self):
        return list(filter(None, [
            self.complaint_about_answers(),
            self.complaint_about_certificates(),
            self.complaint_about_what_is_left(),
            self.complaint_about_jobs(),
        ]))

    def complaint_about_answers(self):
        stems = collections.Counter(file.name.split(".")[0] for file in self.answers())
        expected = {f"{number:06}" for number in range(1, self.requests + 1)}
        doubled = [stem for stem, count in stems.items() if count > 1]
        refused = [file.name for file in self.answers() if ".ip." not in file.name]
        if set(stems) != expected or doubled or refused:
            return (f"answers: {len(expected - set(stems))} missing, doubled {doubled[:5]}, "
                    f"refused {refused[:5]}")

    def complaint_about_certificates(self):
        issued = self.instance.json("cert", "list", "--all", "--channel", "drop")
        tids = collections.Counter(certificate["tid"] for certificate in issued)
        serials = {certificate["serial"] for certificate in issued}
        if len(issued) != self.requests or len(tids) != self.requests or len(serials) != len(issued):
            return (f"certificates: {len(issued)} issued with {len(serials)} serial numbers for "
                    f"{len(tids)} transactions, {self.requests} expected")

    def complaint_about_what_is_left(self):
        left = [
            str(file.relative_to(self.instance.directory))
            for place in (self.instance.drop, self.instance.drop / ".work", self.instance.answers,
                          self.instance.quarantine)
            for file in place.iterdir()
            if file.is_file() and not (place == self.instance.answers and file.suffix == ".pki"
                                       and not file.name.startswith("."))
        ]
        if left:
            return f"left behind: {left[:5]}"

    def complaint_about_jobs(self):
        jobs = self.instance.json("queue", "list", "--limit", "1000000")
        open_jobs = [job for job in jobs if job["state"] != "done"]
        if open_jobs:
            return f"jobs that are not done: {open_jobs[:3]}"
        self.instance.cmpost("audit", "verify")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--keep", action="store_true", help="keep the instance for a look")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)

    directory = tempfile.mkdtemp(prefix="cmpost-crash-")
    loop = KillLoop(directory, options.requests, options.kills, options.seed)
    start = time.monotonic()
    loop.prepare()
    loop.measure()
    try:
        loop.run()
        complaints = loop.complaints()
    finally:
        loop.instance.stop(signal.SIGKILL)
    for complaint in complaints:
        print(complaint)
    print(f"{options.kills} kills, {loop.killed_at_work} of them with requests claimed and not yet "
          f"answered, {len(loop.answers())} answers, {time.monotonic() - start:.0f} s: "
          f"{'BAD, see ' + directory if complaints else 'nothing lost, nothing doubled'}")
    if not complaints and not options.keep:
        run("rm", "-rf", directory)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
