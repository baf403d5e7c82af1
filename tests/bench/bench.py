#!/usr/bin/env python3
"""Measures CMPost against the crypto that it cannot do without, in one run on one machine.

Called by scripts/bench.sh. Prints Markdown; docs/performance.md holds what one run printed.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))
from instance import PROGRAM, SECRET, Instance, eventually, run  # noqa: E402

TOOLS = Path(os.environ["CMPOST_TOOLS"])
DEVICES = 100
REFERENCE = "fleet"
SETTLE = 1.5  # seconds: longer than the `settle` of a channel


def tool(name, *arguments):
    return run(TOOLS / name, *arguments, timeout=3600).stdout.strip()


def per_second(value):
    return f"{value:,.0f}".replace(",", " ")


class Fleet:
    """Prepared requests of one kind."""

    def __init__(self, directory, kind, count):
        self.directory, self.kind, self.count = Path(directory) / f"requests-{kind}", kind, count
        credential = [REFERENCE, SECRET] if kind == "mac" else [DEVICES]
        tool("make_requests", self.directory, count, kind, *credential)

    def new_instance(self, directory):
        """An instance that knows the fleet."""
        instance = Instance(directory)
        self.introduce_to(instance)
        return instance

    def introduce_to(self, instance):
        if self.kind == "mac":
            instance.add_secret(REFERENCE, SECRET, "--subject", "any")
            return
        instance.trust(self.directory / "vendor.pem")
        if self.kind == "nested":
            instance.set_in_channel("roles", f'{{ ra = ["{self.directory / "ra.pem"}"] }}')
            instance.set_in_channel("max_message", '"16MiB"')

    def put_into(self, drop):
        for file in self.directory.glob("*.pki"):
            shutil.copyfile(file, drop / file.name)
        os.sync()
        time.sleep(SETTLE)  # a wait that is set, not work that takes time

    def one(self):
        return next(self.directory.glob("*.pki"))


class Between:
    """An RA that re-protects and a CA that knows it, new ones for each measure."""

    def __init__(self, fleet, directory):
        self.fleet, self.directory = fleet, Path(directory)
        self.vault = Instance(self.directory / "vault")
        self.ra = Instance(self.directory / "ra", None, self.vault.ca)
        self.vault.set_in_channel("roles", f'{{ ra = ["{self.ra.directory}/ra/cmp.pem"] }}')
        fleet.introduce_to(self.ra)

    def rates(self):
        """Of the RA, of its two ways, and of the CA."""
        printed = tool("ra_bench", self.ra.directory / "cmpost.toml",
                       self.vault.directory / "cmpost.toml", self.fleet.directory)
        return [float(rate) for rate in printed.split()]


class Beside:
    """An RA and its CA on one machine, new ones for each measure: what one writes, the other takes.
    One file with a batch goes through both."""

    def __init__(self, fleet, directory):
        self.fleet = fleet
        directory.mkdir()
        self.vault = Instance(directory / "vault", directory / "vault.log")
        self.ra = Instance(directory / "ra", directory / "ra.log", self.vault.ca)
        for one in (self.vault, self.ra):
            fleet.introduce_to(one)
        self.vault.set_in_channel("roles", f'{{ ra = ["{self.ra.directory}/ra/cmp.pem"] }}')
        self.ra.set_in("[ra]", "mode", '"batch"')
        up = {"in": f'"{self.vault.answers}"', "out": f'"{self.vault.drop}"',
              "max_message": '"16MiB"', "batch_within": '"100ms"'}
        for key, value in up.items():
            self.ra.set_in("[[channel]]", key, value, 1)

    def answers(self):
        """Of the members: what the batch itself gets is no answer of the CA."""
        return len(list(self.ra.answers.glob("*.ip*.pki")))

    def in_turn(self):
        """Seconds of one run after the other: of the RA, of the CA, of the RA again."""
        took = []
        self.fleet.put_into(self.ra.drop)
        for one in (self.ra, self.vault, self.ra):
            if took:
                time.sleep(SETTLE)
            start = time.monotonic()
            run(PROGRAM, "run", "--quiet", cwd=one.directory, timeout=3600)
            took.append(time.monotonic() - start)
        self.check()
        return took

    def at_once(self):
        """Seconds with both services."""
        try:
            for one, channels in ((self.vault, 1), (self.ra, 2)):
                one.serve()
                eventually(lambda: one.log.read_text().count("channel.watched") == channels,
                           f"the service in {one.directory}")
            start = time.monotonic()
            self.ra.put("batch.pki", self.fleet.one().read_bytes())
            self.wait_for_answers(start + 3600)
            took = time.monotonic() - start
        finally:
            self.ra.stop()
            self.vault.stop()
        self.check()
        return took

    def wait_for_answers(self, deadline):
        while self.answers() < self.fleet.count:
            if time.monotonic() > deadline:
                raise SystemExit(f"{self.answers()} answers of {self.fleet.count}")
            time.sleep(0.1)  # counting takes time from what is measured

    def check(self):
        valid = len(self.vault.json("cert", "list", "--all", "--channel", "drop"))
        if (self.answers(), valid) != (self.fleet.count, self.fleet.count):
            raise SystemExit(f"{self.answers()} answers, {valid} certificates of {self.fleet.count}")


class Bench:
    def __init__(self, place, requests, seconds, rounds):
        self.place, self.requests = Path(place), requests
        self.seconds, self.rounds = seconds, rounds
        self.fleets = {kind: Fleet(place, kind, requests) for kind in ("signature", "mac")}
        # One file may have 16 MiB, which is some 15 000 requests.
        self.fleets["nested"] = Fleet(place, "nested", min(requests, 10_000))
        self.number = 0
        self.ledger = 0  # octets of the last one filled

    def instance(self, kind):
        self.number += 1
        return self.fleets[kind].new_instance(self.place / f"instance-{self.number}")

    def crypto(self, kind, threads):
        return float(tool("crypto_alone", kind, threads, self.seconds))

    def processor(self, kind, instance=None):
        instance = instance or self.instance(kind)
        rate = tool("processor_bench", instance.directory / "cmpost.toml",
                    self.fleets[kind].directory)
        self.shrink(instance)
        return float(rate)

    def end_to_end(self, kind, instance=None):
        """Requests per second and MiB at the peak of one `cmpost run`."""
        instance = instance or self.instance(kind)
        self.fleets[kind].put_into(instance.drop)
        start = time.monotonic()
        process = subprocess.Popen([PROGRAM, "run", "--quiet"], cwd=instance.directory,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        elapsed = time.monotonic() - start
        expected = self.fleets[kind].count
        answers = self.count_answers(kind, instance)
        if status != 0 or answers != expected:
            raise SystemExit(f"status {status}, {answers} of {expected} answers")
        self.shrink(instance)
        return expected / elapsed, usage.ru_maxrss / 1024

    def shrink(self, instance):
        """Removes what is large. Many files go at the end of all: for minutes after they were
        removed ext4 looks long for room for new ones, which would be measured, too."""
        for database in instance.directory.glob("*.db*"):
            database.unlink()

    def count_answers(self, kind, instance):
        if kind != "nested":
            return len(list(instance.answers.glob("*.ip.pki")))
        if not list(instance.answers.glob("*.nested.pki")):
            return 0
        return len(instance.json("cert", "list", "--all", "--channel", "drop"))

    def against_crypto(self, kind, measure, rounds=None):
        """The median of some rates, and of their ratios to the crypto measured before and after
        each: what else the machine does changes from minute to minute."""
        rates, ratios = [], []
        before = self.crypto(kind, os.cpu_count())
        for _ in range(rounds or self.rounds):
            rates.append(measure(kind))
            after = self.crypto(kind, os.cpu_count())
            ratios.append(rates[-1] / ((before + after) / 2))
            before = after
        return statistics.median(rates), statistics.median(ratios)

    def print_rates(self):
        cores = os.cpu_count()
        print(f"| enrolments per second, {per_second(self.requests)} requests | signature | ratio "
              "| MAC (500 iterations) | ratio |\n| --- | --- | --- | --- | --- |")
        peaks = {}

        def whole(kind):
            rate, peak = self.end_to_end(kind)
            peaks[kind] = max(peak, peaks.get(kind, 0))
            return rate

        rows = [
            ("crypto alone, 1 thread", lambda kind: self.crypto(kind, 1)),
            (f"crypto alone, {cores} threads", lambda kind: self.crypto(kind, cores)),
            ("processor: durable request to durable reply", self.processor),
            ("end to end: file to durable file", whole),
        ]
        for name, measure in rows:
            cells = []
            for kind in ("signature", "mac"):
                rate, ratio = self.against_crypto(kind, measure)
                cells.append(f"{per_second(rate)} | {ratio:.0%}")
            print(f"| {name} | {' | '.join(cells)} |", flush=True)
        # Its members are signed requests, so that the same crypto is the measure.
        rates, ratios = [], []
        for _ in range(self.rounds):
            before = self.crypto("signature", cores)
            rates.append(whole("nested"))
            ratios.append(rates[-1] / ((before + self.crypto("signature", cores)) / 2))
        print(f"\nOne file with a batch of {per_second(self.fleets['nested'].count)} signed "
              f"requests, end to end: {per_second(statistics.median(rates))} per second, "
              f"{statistics.median(ratios):.0%} of the crypto alone.")
        texts = [f"{peak:.0f} MiB ({kind})" for kind, peak in peaks.items()]
        print(f"\nPeak memory of `cmpost run`: {', '.join(texts)}.\n")

    def print_ra(self):
        cores = os.cpu_count()
        print("| an RA that re-protects, requests per second | signature | ratio | MAC | ratio |\n"
              "| --- | --- | --- | --- | --- |")
        crypto, ra, ca = [], [], []
        for kind in ("signature", "mac"):
            rates, ratios, cas, needed = [], [], [], []
            for _ in range(self.rounds):
                before = self.crypto(f"ra-{kind}", cores)
                self.number += 1
                both = Between(self.fleets[kind], self.place / f"between-{self.number}").rates()
                needed.append((before + self.crypto(f"ra-{kind}", cores)) / 2)
                rates.append(both[0])
                ratios.append(both[0] / needed[-1])
                cas.append(both[3])
            crypto.append(f"{per_second(statistics.median(needed))} | 100%")
            ra.append(f"{per_second(statistics.median(rates))} | {statistics.median(ratios):.0%}")
            ca.append(f"{per_second(statistics.median(cas))} | ")
        print(f"| its crypto alone, {cores} threads | {' | '.join(crypto)} |")
        print(f"| RA: durable request to durable question, durable answer to durable answer "
              f"| {' | '.join(ra)} |")
        print(f"| the CA behind it, in the same minutes | {' | '.join(ca)} |\n", flush=True)

    def print_beside(self):
        """Of the RA and the CA alone, and of both when they share the machine."""
        fleet, ra, ca, turn, once = self.fleets["nested"], [], [], [], []
        for _ in range(self.rounds):
            self.number += 1
            way_up, between, way_down = Beside(fleet, self.place / f"turn-{self.number}").in_turn()
            ra.append(fleet.count / (way_up + way_down))
            ca.append(fleet.count / between)
            turn.append(fleet.count / (way_up + between + way_down))
            seconds = Beside(fleet, self.place / f"once-{self.number}").at_once()
            once.append(fleet.count / seconds)
        print(f"| one file with a batch of {per_second(fleet.count)} signed requests "
              "| requests per second |\n| --- | --- |")
        for name, rates in (("RA alone, both ways", ra), ("its CA alone", ca),
                            ("both, one `cmpost run` after the other", turn),
                            ("both, `cmpost serve` at the same time", once)):
            print(f"| {name} | {per_second(statistics.median(rates))} |")
        ratio = statistics.median(both / one for both, one in zip(once, turn))
        print(f"\nAt the same time: {ratio:.0%} of one after the other, "
              f"{statistics.median(once) / statistics.median(ra):.0%} of the RA alone.\n", flush=True)

    def print_growth(self, sizes):
        print("| certificates in the ledger before | processor, per second | ratio to the crypto "
              "| end to end, per second | ratio to the crypto | peak memory | ledger |\n"
              "| --- | --- | --- | --- | --- | --- | --- |")
        for size in sizes:
            peaks = []

            def whole(kind):
                rate, peak = self.end_to_end(kind, self.old_instance(kind, size))
                peaks.append(peak)
                return rate

            rates = (
                self.against_crypto(
                    "signature", lambda kind: self.processor(kind, self.old_instance(kind, size)),
                    1),
                self.against_crypto("signature", whole, 1),
            )
            cells = " | ".join(f"{per_second(rate)} | {ratio:.0%}" for rate, ratio in rates)
            print(f"| {per_second(size)} | {cells} | {max(peaks):.0f} MiB "
                  f"| {self.ledger / 2**20:.0f} MiB |", flush=True)

    def old_instance(self, kind, size):
        """One that has issued so many certificates before."""
        instance = self.instance(kind)
        tool("fill_ledger", instance.directory / "cmpost.toml", size, self.fleets[kind].one())
        self.ledger = (instance.directory / "ledger.db").stat().st_size
        os.sync()
        return instance


def machine():
    cpu = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo")
                if line.startswith("model name")), "unknown CPU")
    openssl = run("openssl", "version").stdout.split("(")[0].strip()
    return f"{os.cpu_count()} x {cpu}, {openssl}, load {os.getloadavg()[0]:.1f} at the start"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=2, help="for each measure of the crypto")
    parser.add_argument("--rounds", type=int, default=3, help="the median of so many is shown")
    parser.add_argument("--ledger", type=int, nargs="*", default=[0, 100_000, 1_000_000],
                        help="sizes of the ledger to compare")
    parser.add_argument("--place", help="directory on the disk to measure; default: temporary")
    options = parser.parse_args()
    print(machine() + "\n", flush=True)
    with tempfile.TemporaryDirectory(prefix="cmpost-bench-", dir=options.place) as place:
        bench = Bench(place, options.requests, options.seconds, options.rounds)
        bench.print_rates()
        bench.print_ra()
        bench.print_beside()
        if options.ledger:
            bench.print_growth(options.ledger)


if __name__ == "__main__":
    main()
