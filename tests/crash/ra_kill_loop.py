#!/usr/bin/env python3
"""Kills the services of an RA and of its CA again and again, with a bad courier between the two.

    ra_kill_loop.py --requests 2000 --kills 200 [--victims ra,ca,both,between] [--seed N] [--keep]

`cmpost serve` of the RA, of the CA or of both gets SIGKILL at random moments while requests and
answers keep arriving; "between" is when something is on its way from one to the other. The courier
brings files out of order, twice, torn, and with forged answers among them. In the end each requester
must have one answer with a certificate, the CA must have issued one for each, nothing may have been
written twice with different octets, nothing forged may have counted, and nothing may be left half
done on either side. Needs CMPOST (the program) and MAKE_REQUESTS in the environment.
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
from bad_courier import BadCourier  # noqa: E402
from instance import Instance, eventually, run  # noqa: E402
from requester import elements, inside_of  # noqa: E402

MAKE_REQUESTS = os.environ.get("MAKE_REQUESTS", "make_requests")
DEVICES = 20
VICTIMS = ("ra", "ca", "both", "between")


class RaKillLoop:
    def __init__(self, directory, options):
        self.directory = Path(directory)
        self.prepared = self.directory / "prepared"
        self.requests, self.kills = options.requests, options.kills
        self.victims = options.victims.split(",")
        # The courier has another one: his thread would change what comes of a seed here.
        self.random = random.Random(options.seed)
        self.vault = Instance(self.directory / "vault", self.directory / "vault.log")
        self.ra = Instance(self.directory / "ra", self.directory / "ra.log", self.vault.ca)
        self.ra.set_in("[ra]", "mode", f'"{options.mode}"')
        self.ra.set_in("[[channel]]", "batch_within", '"100ms"', 1)
        self.vault.set_in_channel("roles", f'{{ ra = ["{self.ra.directory}/ra/cmp.pem"] }}')
        self.courier = BadCourier(self.ra, self.vault)
        self.killed = collections.Counter()
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
        self.courier.start()
        portion = -(-self.requests // (self.kills + 1))
        for _ in range(self.kills):
            self.give(portion)
            self.start()
            self.kill(self.random.choice(self.victims))
            self.killed_at_work += self.look() < self.requests - len(self.waiting)
        self.give(len(self.waiting))
        self.finish()

    def start(self):
        for one in (self.ra, self.vault):
            if not one.process:
                one.serve()

    def kill(self, victim):
        time.sleep(self.random.uniform(0, self.random.choice((0.3, 1.5))))
        if victim == "between":
            self.wait_until_something_is_on_its_way()
        for one in {"ra": [self.ra], "ca": [self.vault]}.get(victim, [self.ra, self.vault]):
            one.stop(signal.SIGKILL)
        self.killed[victim] += 1

    def wait_until_something_is_on_its_way(self):
        way = self.random.choice((self.courier.up, self.courier.down))
        carried, deadline = len(self.courier.carried[way]), time.monotonic() + 1
        while len(self.courier.carried[way]) == carried and time.monotonic() < deadline:
            time.sleep(0.001)

    def finish(self):
        self.start()
        eventually(lambda: self.look() >= self.requests, "all answers", timeout=180)
        for one in (self.ra, self.vault):
            eventually(lambda: not self.open_jobs(one), "the queues to be empty", timeout=60)
        self.stop()

    def stop(self):
        self.courier.stop()
        self.ra.stop()
        self.vault.stop()

    def jobs(self, instance):
        return instance.json("queue", "list", "--limit", "1000000")

    def open_jobs(self, instance):
        """But for what lies aside."""
        return [job for job in self.jobs(instance) if job["state"] not in ("done", "held")]

    def held(self, instance):
        """Where what is put aside came from, but for files that were torn."""
        return [job["source"] for job in self.jobs(instance)
                if job["state"] == "held" and "the file is cut off" not in job["reason"]]

    def complaints(self):
        return list(filter(None, [self.about_answers(), self.about_certificates(self.vault),
                                  self.about_certificates(self.ra), self.about_jobs(),
                                  self.about_messages()]))

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

    def about_messages(self):
        """What went between the two."""
        courier = self.courier
        if courier.changed:
            return f"written twice with different octets: {courier.changed[:5]}"
        if not courier.forged:
            return "nothing was forged"
        for way in (courier.up, courier.down):
            same = collections.Counter(map(transaction_of, set(courier.seen[way].values())))
            if twice := [tid.hex() for tid, count in same.items() if count > 1]:
                return f"transactions with two different messages one way: {twice[:5]}"

    def about_jobs(self):
        for instance in (self.ra, self.vault):
            if jobs := self.open_jobs(instance):
                return f"jobs in {instance.directory} that are not done: {jobs[:3]}"
            if real := [name for name in self.held(instance) if not name.startswith("forged-")]:
                return f"held in {instance.directory}: {real[:3]}"
            instance.cmpost("audit", "verify")


def transaction_of(message):
    fields = elements(elements(inside_of(message))[0][1])[3:]  # behind pvno, sender, recipient
    return next(inside_of(field) for tag, field, _ in fields if tag == 0xA4)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=int(os.environ.get("RA_KILLS", "200")))
    parser.add_argument("--mode", default="reprotect")
    parser.add_argument("--victims", default=",".join(VICTIMS))
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
    kills = ", ".join(f"{count} {victim}" for victim, count in sorted(loop.killed.items()))
    print(f"{options.kills} kills ({kills}), {loop.killed_at_work} of them with requests not yet "
          f"answered, {loop.courier.forged} forged answers, {time.monotonic() - start:.0f} s: "
          f"{'BAD, see ' + directory if complaints else 'nothing lost, nothing doubled'}")
    if not complaints and not options.keep:
        run("rm", "-rf", directory)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
