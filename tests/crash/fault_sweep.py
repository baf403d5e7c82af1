#!/usr/bin/env python3
"""Lets calls of the program fail, one at a time, and looks whether anything was lost or doubled.

    fault_sweep.py [--points 300] [--requests 6] [--role ra] [--seed N] [--only CALL:N:FAULT[:COUNT]]

`cmpost run`, or `cmpost serve`, answers prepared requests while the library in faults/ lets the N-th call of a kind
fail (an error, a short transfer, a kill just before or after), or while every change is recorded,
so that after a kill only what was synced is left (power_loss.py). Then the program runs without
faults, as an operator would let it. In the end each request has one answer and one certificate,
and nothing is left half done; no run may hang. With `--role ra` the program is an RA in front of a
CA without faults, and meets its fault while it takes in requests and asks the CA, while it takes
in the answers, or while it does the same with the certConf of each. Needs CMPOST, MAKE_REQUESTS and CMPOST_FAULTS (the
library) in the environment.
"""

import argparse
import collections
import concurrent.futures
import copy
import json
import os
import random
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))
from instance import Instance, PROGRAM, run  # noqa: E402
from power_loss import Disk  # noqa: E402
from requester import (CERT_CONF, IP, IR, PKI_CONF, Requester, Secret, cert_conf,  # noqa: E402
                       certificate_in, common_name, seq, signed_request, template)

MAKE_REQUESTS = os.environ.get("MAKE_REQUESTS", "make_requests")
LIBRARY = os.path.abspath(os.environ.get("CMPOST_FAULTS", "libcmpost_faults.so"))

# In the order of faults/plan.h.
CALLS = ("open", "read", "pread", "write", "pwrite", "fsync", "fdatasync", "rename", "unlink",
         "link", "ftruncate", "fstat", "mkdir")
ERRORS = {
    "open": ("EIO", "EACCES", "EMFILE", "ENOSPC", "EROFS"),
    "read": ("EIO", "EINTR", "short"),
    "pread": ("EIO", "EINTR", "short"),
    "write": ("EIO", "ENOSPC", "EDQUOT", "EINTR", "short"),
    "pwrite": ("EIO", "ENOSPC", "EROFS", "EINTR", "short"),
    "fsync": ("EIO", "ENOSPC"),
    "fdatasync": ("EIO", "ENOSPC"),
    "rename": ("EIO", "ENOSPC", "EROFS", "EACCES"),
    "unlink": ("EIO", "EROFS", "EACCES"),
    "link": ("EIO", "ENOSPC"),
    "ftruncate": ("EIO", "ENOSPC"),
    "fstat": ("EIO",),
    "mkdir": ("EIO", "ENOSPC"),
}
CHANGES = ("open", "write", "pwrite", "fsync", "fdatasync", "rename", "unlink", "link",
           "ftruncate", "mkdir")
RUN_LIMIT = 90
SERVE_FOR = 3
END_LIMIT = 10  # after SIGTERM, whatever the disk does
# Deferred answers, held jobs, a file that was not to be read: what an operator does about it.
ROUNDS = 5


class Point:
    """One fault: what is done to which call, whether the power goes with it, and who meets it."""

    def __init__(self, fault, power=None, command="run", stage=None):
        self.fault, self.power, self.command, self.stage = fault, power, command, stage

    def __str__(self):
        power = f" --power {self.power}" if self.power else ""
        stage = f" --role ra --stage {self.stage}" if self.stage else ""
        return f"--only {self.fault}{power} --command {self.command}{stage}"


def census(counts):
    data = counts.read_bytes()
    return dict(zip(CALLS, struct.unpack(f"{len(CALLS)}Q", data[:8 * len(CALLS)])))


def is_whole(file):
    """Whether a DER SEQUENCE with a length of two octets fills the file."""
    head = file.read_bytes()[:4]
    return head[:2] == b"\x30\x82" and int.from_bytes(head[2:4], "big") + 4 == file.stat().st_size


class Trial:
    """An instance of its own that meets one fault."""

    def __init__(self, template, place):
        self.place = Path(place)
        shutil.rmtree(self.place, ignore_errors=True)
        shutil.copytree(template, self.place, symlinks=True)
        self.trace = Path(f"{place}.trace")
        self.counts = Path(f"{place}.counts")
        for file in (self.trace, self.counts):
            file.unlink(missing_ok=True)

    def environment(self, point):
        more = {"LD_PRELOAD": LIBRARY, "CMPOST_FAULT_UNDER": str(self.place),
                "CMPOST_FAULT_COUNTS": str(self.counts),
                # The sanitizer wants to be the first library; behind this one it works as well.
                "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
        if point:
            more["CMPOST_FAULT"] = point.fault
            if point.power:
                more["CMPOST_FAULT_TRACE"] = str(self.trace)
        return {**os.environ, **more}

    def cmpost(self, *arguments, environment=None):
        return subprocess.run([PROGRAM, *arguments], cwd=self.place, env=environment,
                              capture_output=True, text=True, timeout=RUN_LIMIT)

    def meet(self, point, wanted=0):
        """What the program wrote to stderr."""
        disk = Disk(self.place) if point and point.power else None
        if point and point.command == "serve":
            said = self.serve(self.environment(point), wanted)
        else:
            said = self.cmpost("run", environment=self.environment(point)).stderr
        if disk:
            disk.replay(self.trace)
            disk.lose_power(point.power)
        return said

    def serve(self, environment, wanted):
        """Until all is answered, or it is plain that the fault lasts; then it has to end."""
        with open(f"{self.place}.log", "w+", encoding="utf-8") as log:
            process = subprocess.Popen([PROGRAM, "serve"], cwd=self.place, env=environment,
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            try:
                until = time.monotonic() + SERVE_FOR
                while (process.poll() is None and len(self.answers()) < wanted
                       and time.monotonic() < until):
                    time.sleep(0.02)
                process.terminate()
                process.wait(END_LIMIT)
            finally:
                process.kill()
            log.seek(0)
            return log.read()

    def reached(self, point):
        call, number, *_ = point.fault.split(":")
        return census(self.counts)[call] >= int(number)

    def recover(self, wanted):
        """Runs again until all is answered; the last result."""
        for _ in range(ROUNDS):
            done = self.cmpost("run")
            if done.returncode not in (0, 1, 2):
                return done
            waiting = json.loads(self.cmpost("queue", "list", "--json").stdout or "[]")
            waiting = [job["id"] for job in waiting if job["state"] != "done"]
            if done.returncode == 0 and not waiting and len(self.answers()) >= wanted:
                return done
            if waiting:
                self.cmpost("queue", "retry", *waiting)
            self.put_back()
        return done

    def put_back(self):
        """A file that could not be read lies in quarantine with a reason; its owner tries again."""
        for file in (self.place / "in/.quarantine").glob("*.pki"):
            file.rename(self.place / "in" / file.name)

    def answers(self):
        return sorted(file.name for file in (self.place / "out").glob("*.pki"))

    def complaints(self, wanted):
        return list(filter(None, [self.about_answers(wanted), self.about_certificates(wanted),
                                  self.about_leftovers(), self.about_databases()]))

    def about_answers(self, wanted):
        stems = collections.Counter(name.split(".")[0] for name in self.answers())
        refused = [name for name in self.answers() if ".ip." not in name]
        torn = [name for name in self.answers() if not is_whole(self.place / "out" / name)]
        if torn:
            return f"torn answers: {torn}"
        if len(stems) != wanted or refused or max(stems.values(), default=0) > 1:
            return f"answers: {self.answers()}"

    def about_certificates(self, wanted):
        issued = json.loads(self.cmpost("cert", "list", "--channel", "drop", "--json").stdout)
        tids = {certificate["tid"] for certificate in issued}
        if len(issued) != wanted or len(tids) != wanted:
            return f"{len(issued)} certificates for {len(tids)} transactions"

    def about_leftovers(self):
        left = [file.name for place in ("in", "in/.work", "out")
                for file in (self.place / place).glob("*")
                if file.is_file() and not (place == "out" and file.suffix == ".pki")]
        left += [file.name for file in (self.place / "out").glob(".*.part")]
        if left:
            return f"left behind: {left}"

    def about_databases(self):
        for name in ("ledger.db", "spool.db"):
            with sqlite3.connect(self.place / name) as database:
                if (said := database.execute("PRAGMA integrity_check").fetchone()[0]) != "ok":
                    return f"{name}: {said}"
        done = self.cmpost("audit", "verify")
        if done.returncode != 0:
            return f"audit verify: {done.stdout} {done.stderr}"


# What an RA does, one after the other.
STAGES = ("asks", "hears", "asks-to-confirm", "hears-of-that")


class RaTrial(Trial):
    """An RA of its own, with its CA and its requesters: these meet no fault."""

    def __init__(self, template, place, requesters):
        super().__init__(template, place)
        self.root, self.place = self.place, self.place / "ra"
        self.requesters = {name: copy.copy(one) for name, one in requesters.items()}
        self.carried = collections.Counter()  # up
        self.counts_of, self.trouble = {}, None

    def meet(self, point, wanted=0):
        said = ""
        for stage in STAGES:
            self.stage = stage
            try:
                self.bring(stage)
            except (AssertionError, OSError, subprocess.CalledProcessError) as trouble:
                self.trouble = f"before it {stage}: {trouble!r}"
                return said
            mine = point and point.stage == stage
            if mine or not point:
                self.counts.unlink(missing_ok=True)
                said += super().meet(point, self.wanted(stage, wanted))
                self.counts_of[stage] = census(self.counts)
            if mine:
                self.counted = self.counts_of[stage]
            said += super().recover(self.wanted(stage, wanted)).stderr
        return said

    def bring(self, stage):
        """What it is to work on."""
        if stage == "asks-to-confirm":
            self.confirm()
        elif stage != "asks":
            self.ask_ca()

    def ask_ca(self):
        for file in (self.place / "to-ca").glob("*.pki"):
            self.carried[file.read_bytes()] += 1
            file.rename(self.root / "vault/in" / file.name)
        subprocess.run([PROGRAM, "run"], cwd=self.root / "vault", capture_output=True, check=True,
                       timeout=RUN_LIMIT)
        for file in (self.root / "vault/out").glob("*.pki"):
            file.rename(self.place / "from-ca" / file.name)

    def confirm(self):
        for name, one in self.requesters.items():
            tag, body = one.take((self.place / f"out/{name}.ip.pki").read_bytes())
            assert tag == IP
            message = one.message(CERT_CONF, cert_conf(certificate_in(body)))
            (self.place / f"in/{name}-conf.pki").write_bytes(message)

    def wanted(self, stage, requests):
        return requests * (2 if stage == "hears-of-that" else 1)

    def answers(self):
        """What it is to have written when it has done its work."""
        asks = self.stage.startswith("asks")
        return sorted(file.name for file in (self.place / ("to-ca" if asks else "out")).glob("*.pki"))

    def recover(self, wanted):
        return subprocess.CompletedProcess([], 0, "", "")  # done, stage by stage

    def put_back(self):
        super().put_back()
        for file in (self.place / "from-ca/.quarantine").glob("*.pki"):
            file.rename(self.place / "from-ca" / file.name)

    def reached(self, point):
        call, number, *_ = point.fault.split(":")
        return self.counted[call] >= int(number)

    def about_answers(self, wanted):
        if self.trouble:
            return self.trouble
        expected = sorted(one for name in self.requesters
                          for one in (f"{name}.ip.pki", f"{name}-conf.pkiconf.pki"))
        found = sorted(file.name for file in (self.place / "out").glob("*.pki"))
        if found != expected:
            return f"answers: {found}"
        for name, one in self.requesters.items():
            tag, _ = one.take((self.place / f"out/{name}-conf.pkiconf.pki").read_bytes())
            if tag != PKI_CONF:
                return f"{name} hears {tag}"
        if len(self.carried) != 2 * wanted:
            return f"{len(self.carried)} messages went up for {wanted} requests"

    def about_certificates(self, wanted):
        for place in (self.place, self.root / "vault"):
            done = subprocess.run([PROGRAM, "cert", "list", "--all", "--channel", "drop", "--json"],
                                  cwd=place, capture_output=True, text=True, timeout=RUN_LIMIT)
            states = [one["state"] for one in json.loads(done.stdout)]
            if states != ["valid"] * wanted:
                return f"certificates of {place.name}: {states}"


class Sweep:
    def __init__(self, directory, requests, seed):
        self.directory = Path(directory)
        self.requests = requests
        self.random = random.Random(seed)
        self.template = self.directory / "template"
        self.free = [self.directory / f"trial{number}" for number in range(os.cpu_count())]
        self.lock = threading.Lock()

    def prepare(self):
        instance = Instance(self.template, self.directory / "log")
        prepared = self.directory / "prepared"
        run(MAKE_REQUESTS, prepared, self.requests, "signature", 3)
        shutil.copy(prepared / "vendor.pem", self.template / "trust")
        instance.trust("trust/vendor.pem")
        for file in sorted(prepared.glob("*.pki")):
            shutil.copy(file, instance.drop)
        trial = Trial(self.template, self.directory / "census")
        said = trial.meet(None)
        if complaints := trial.complaints(self.requests):
            sys.exit(f"without any fault: {complaints} {said}")
        self.calls = census(trial.counts)
        print("calls:", ", ".join(f"{call} {n}" for call, n in self.calls.items()), flush=True)

    def points(self, count):
        """Errors and short transfers, kills, losses of power, a third of each; every kind of call
        and of fault comes before any comes again."""
        kinds = {"errors": [], "kills": [], "power": []}
        for call in CALLS:
            if self.calls[call]:
                kinds["errors"] += [(call, what, None) for what in ERRORS[call]]
        for call in CHANGES:
            if self.calls[call]:
                kinds["kills"] += [(call, what, None) for what in ("die-before", "die-after")]
                kinds["power"] += [(call, what, names) for what in ("die-before", "die-after")
                                   for names in ("strict", "names")]
        for kind in kinds.values():
            for number in range(max(1, count // 3)):
                call, what, power = kind[number % len(kind)]
                at = self.random.randint(1, self.calls[call])
                lasting = "" if what.startswith("die") else self.random.choice(("", ":4", ":*"))
                yield Point(f"{call}:{at}:{what}{self.bounded(what, lasting)}", power,
                            self.random.choice(("run", "run", "run", "serve")))

    @staticmethod
    def bounded(what, lasting):
        # A call that is interrupted for ever is no fault that a system has.
        return ":4" if what == "EINTR" and lasting == ":*" else lasting

    def trial(self, place):
        return Trial(self.template, place)

    def look_at(self, point):
        with self.lock:
            place = self.free.pop()
        try:
            trial = self.trial(place)
            said = ""
            try:
                said += trial.meet(point, self.requests)
                said += trial.recover(self.requests).stderr
                complaints = trial.complaints(self.requests)
            except subprocess.TimeoutExpired as hanging:
                complaints = [f"hangs: {hanging}"]
            return point, complaints, said, trial.reached(point)
        finally:
            with self.lock:
                self.free.append(place)

    def run(self, points):
        """How many points ended badly, and how many were reached at all."""
        wrong = reached = 0
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for point, complaints, said, was_reached in pool.map(self.look_at, points):
                reached += was_reached
                if complaints:
                    wrong += 1
                    print(f"{point}: {complaints}\n{said[-3000:]}", flush=True)
        return wrong, reached


class RaSweep(Sweep):
    def prepare(self):
        vault = Instance(self.template / "vault", self.directory / "vault.log")
        ra = Instance(self.template / "ra", self.directory / "ra.log", vault.ca)
        shutil.copy(ra.directory / "ra/cmp.pem", vault.directory / "trust/ra.pem")
        vault.set_in_channel("roles", '{ ra = ["trust/ra.pem"] }')
        ra.add_secret("dev1", "a secret of device 1", "--subject", "any")
        self.requesters = {}
        for number in range(self.requests):
            key = self.directory / f"{number}.key"
            run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
                "-out", key)
            one = Requester(ra, Secret("dev1", "a secret of device 1"), implicit=False)
            asked = signed_request(template(common_name(f"dev{number}"), key), key)
            (ra.drop / f"dev{number}.pki").write_bytes(one.message(IR, seq(asked)))
            self.requesters[f"dev{number}"] = one
        trial = self.trial(self.directory / "census")
        said = trial.meet(None, self.requests)
        if complaints := trial.complaints(self.requests):
            sys.exit(f"without any fault: {complaints} {said}")
        self.calls_of = trial.counts_of
        for stage, calls in self.calls_of.items():
            print(f"calls, {stage}:", ", ".join(f"{call} {n}" for call, n in calls.items()), flush=True)

    def trial(self, place):
        return RaTrial(self.template, place, self.requesters)

    def points(self, count):
        """A share of them for each stage."""
        for stage, calls in self.calls_of.items():
            self.calls = calls
            for point in super().points(max(3, count // len(STAGES))):
                point.stage = stage
                yield point


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=300)
    parser.add_argument("--requests", type=int, default=6)
    parser.add_argument("--role", choices=("ca", "ra"), default="ca")
    parser.add_argument("--stage", choices=STAGES, default=STAGES[0], help="with --only, of an RA")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--only", help="this fault alone, as CALL:N:FAULT[:COUNT]")
    parser.add_argument("--power", choices=("strict", "names"), help="with --only")
    parser.add_argument("--command", choices=("run", "serve"), default="run", help="with --only")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)

    with tempfile.TemporaryDirectory(prefix="cmpost-faults-") as directory:
        kind = RaSweep if options.role == "ra" else Sweep
        sweep = kind(directory, options.requests, options.seed)
        sweep.prepare()
        start = time.monotonic()
        stage = options.stage if options.role == "ra" else None
        points = ([Point(options.only, options.power, options.command, stage)] if options.only
                  else list(sweep.points(options.points)))
        wrong, reached = sweep.run(points)
        print(f"{len(points)} faults, {reached} of them reached, {time.monotonic() - start:.0f} s: "
              f"{f'{wrong} BAD' if wrong else 'nothing lost, nothing doubled'}")
    # Runs differ a little in their calls; a fault behind the last one tests nothing.
    return 1 if wrong or reached < 0.9 * len(points) else 0


if __name__ == "__main__":
    sys.exit(main())
