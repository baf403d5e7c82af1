#!/usr/bin/env python3
"""Kills `cmpost run` again and again while it works on one file with a large batch.

    batch_kill_loop.py --members 2000 --kills 20 [--seed N]

What the members of a batch change is written while others of it are still answered: after a kill at
any moment either all of it has happened or nothing. In the end there is one answer, one certificate
for each member, and the same file again gets the same octets. After that a small batch, during
which the process dies at each durable step in turn. Needs CMPOST (the program) and
MAKE_REQUESTS in the environment.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))
from instance import PROGRAM, Instance, run  # noqa: E402

MAKE_REQUESTS = os.environ.get("MAKE_REQUESTS", "make_requests")
DEVICES = 20
SMALL = 40  # members


class BatchKillLoop:
    def __init__(self, directory, members, kills, seed):
        self.directory = Path(directory)
        self.kills = kills
        self.random = random.Random(seed)
        self.seen = {}  # how many certificates a kill left, and how often
        self.prepare(members)

    def prepare(self, members):
        """From now on the batch has so many."""
        self.members = members
        self.prepared = self.directory / f"prepared-{members}"
        run(MAKE_REQUESTS, self.prepared, members, "nested", DEVICES)
        self.batch = next(self.prepared.glob("*.pki"))

    def instance(self, name):
        instance = Instance(self.directory / name)
        instance.trust(self.prepared / "vendor.pem")
        instance.set_in_channel("roles", f'{{ ra = ["{self.prepared / "ra.pem"}"] }}')
        instance.set_in_channel("max_message", '"16MiB"')
        return instance

    def give(self, instance, name):
        shutil.copyfile(self.batch, instance.drop / f".{name}")
        (instance.drop / f".{name}").rename(instance.drop / name)

    def start(self, instance, **environment):
        return subprocess.Popen([PROGRAM, "run", "--quiet"], cwd=instance.directory,
                                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                env={**os.environ, **environment})

    def answers(self, instance):
        return {file.name: file.read_bytes() for file in instance.answers.glob("*.pki")}

    def certificates(self, instance):
        return instance.json("cert", "list", "--all", "--channel", "drop")

    def measure(self):
        """How long one run takes that nobody disturbs."""
        instance = self.instance("undisturbed")
        self.give(instance, "batch.pki")
        start = time.monotonic()
        status = self.start(instance).wait(timeout=240)
        assert status == 0 and len(self.answers(instance)) == 1, status
        return time.monotonic() - start

    def one_life(self, instance, time_to_live):
        process = self.start(instance)
        try:
            process.wait(timeout=time_to_live)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait(timeout=30)
        count = len(self.certificates(instance))
        self.seen[count] = self.seen.get(count, 0) + 1

    def run(self):
        whole = self.measure()
        number = killed = 0
        while killed < self.kills:
            number += 1
            instance = self.instance(f"ca{number}")
            self.give(instance, "batch.pki")
            # Few enough for one file that the last can still end well.
            for _ in range(3):
                self.one_life(instance, self.random.uniform(0.05, 1.05) * whole)
                killed += 1
            yield from self.complaints(instance)
            shutil.rmtree(instance.directory)

    def run_steps(self):
        """Dies at the first step, at the second, and so on until a run comes to its end."""
        self.prepare(SMALL)
        self.seen = {}
        step, status = 0, -signal.SIGKILL
        while status == -signal.SIGKILL:
            step += 1
            instance = self.instance(f"step{step}")
            self.give(instance, "batch.pki")
            status = self.start(instance, CMPOST_CRASH_AT=str(step)).wait(timeout=60)
            count = len(self.certificates(instance))
            self.seen[count] = self.seen.get(count, 0) + 1
            yield from (f"step {step}: {one}" for one in self.complaints(instance))
            shutil.rmtree(instance.directory)
        if status != 0:
            yield f"step {step}: the run that nobody killed ended with {status}"
        if len(self.seen) != 2:
            yield f"no kill before the commit of the ledger, or none after it: {self.seen}"
        self.steps = step - 1

    def complaints(self, instance):
        assert self.start(instance).wait(timeout=240) == 0
        first = self.answers(instance)
        issued = self.certificates(instance)
        serials = {one["serial"] for one in issued}
        tids = {one["tid"] for one in issued}
        if not len(issued) == len(serials) == len(tids) == self.members:
            yield f"{len(issued)} certificates, {len(serials)} serial numbers, {len(tids)} requests"
        if [name for name in first if ".nested." not in name] or len(first) != 1:
            yield f"answers: {sorted(first)}"
        self.give(instance, "again.pki")
        assert self.start(instance).wait(timeout=240) == 0
        if len(set(self.answers(instance).values())) != 1:
            yield "the same file got another answer"
        if len(self.certificates(instance)) != self.members:
            yield "the same file got certificates again"
        for part in set(self.seen) - {0, self.members}:
            yield f"a kill left {part} of {self.members} certificates"
        instance.cmpost("audit", "verify")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--members", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)

    directory = tempfile.mkdtemp(prefix="cmpost-batch-")
    loop = BatchKillLoop(directory, options.members, options.kills, options.seed)
    start = time.monotonic()
    complaints = list(loop.run())
    for complaint in complaints:
        print(complaint)
    print(f"certificates after a kill, and how often: {loop.seen}")
    complaints_of_steps = list(loop.run_steps())
    for complaint in complaints_of_steps:
        print(complaint)
    complaints += complaints_of_steps
    print(f"killed at each of {loop.steps} steps: {loop.seen}, {time.monotonic() - start:.0f} s: "
          f"{'BAD, see ' + directory if complaints else 'all or nothing, nothing doubled'}")
    if not complaints:
        run("rm", "-rf", directory)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
