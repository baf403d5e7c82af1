#!/usr/bin/env python3
"""Kills the services of an RA and of its CA again and again, with a bad courier between the two.

    ra_kill_loop.py --requests 2000 --kills 200 [--lives 20] [--victims ra,ca,both,between] [--seed N] [--keep]

`cmpost serve` of the RA, of the CA or of both gets SIGKILL at random moments while requests and
answers keep arriving; "between" is when something is on its way from one to the other. The courier
brings files out of order, twice, torn, and with forged answers among them. In the end each requester
must have one answer with a certificate, the CA must have issued one for each, nothing may have been
written twice with different octets, nothing forged may have counted, and nothing may be left half
done on either side. Beside them some devices live a whole life meanwhile: a first certificate, for
which they poll and which they confirm, its renewal, and the revocation of that. Needs CMPOST (the program) and MAKE_REQUESTS in the environment.
"""

import argparse
import collections
import os
import random
import signal
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "system"))
from bad_courier import BadCourier  # noqa: E402
from instance import Instance, eventually, run  # noqa: E402
from requester import (CERT_CONF, IP, IR, KUP, KUR, PKI_CONF, POLL_REP, POLL_REQ, RP,  # noqa: E402
                       RR, Requester, Secret, Signer, as_pem, cert_conf, certificate_in,
                       common_name, elements, explicit, inside_of, integer, response_in, seq,
                       signed_request, template, tlv)

MAKE_REQUESTS = os.environ.get("MAKE_REQUESTS", "make_requests")
DEVICES = 20
VICTIMS = ("ra", "ca", "both", "between")
LIFE = "a secret of living devices"


class Life(threading.Thread):
    """A device from its first certificate to the revocation of its second one."""

    def __init__(self, number, door, trusted, workshop):
        super().__init__(daemon=True)
        self.name, self.door, self.trusted, self.workshop = f"life{number}", door, trusted, workshop
        self.sent, self.polls, self.tids, self.trouble = 0, 0, set(), None

    def run(self):
        try:
            self.live()
        except Exception as trouble:  # told in the end
            self.trouble = f"{self.name}, message {self.sent}: {trouble!r}"

    def live(self):
        files, _ = self.enrol(IR, IP, Secret("life", LIFE), "first")
        files, der = self.enrol(KUR, KUP, Signer(*files, self.trusted), "second")
        fields = elements(inside_of(inside_of(der)))
        named = seq(tlv(0x81, fields[1][1]), explicit(3, fields[3][2]))  # serialNumber, issuer
        tag, _ = self.say(self.requester(Signer(*files, self.trusted)), RR, seq(seq(named)))
        assert tag == RP, f"{tag} to rr"

    def requester(self, credential):
        return Requester(self.door, credential, implicit=False)

    def enrol(self, asks, answers, credential, name):
        """The files of a certificate, which is confirmed, and of its key; and it, DER."""
        key = self.workshop / f"{self.name}-{name}.key"
        run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-out", key)
        one = self.requester(credential)
        request = signed_request(template(common_name(self.name), key), key)
        tag, body = self.say(one, asks, seq(request))
        while tag == POLL_REP or (tag == answers and is_waiting(body)):
            time.sleep(0.2)
            self.polls += 1
            tag, body = self.say(one, POLL_REQ, seq(seq(integer(0))))
        assert tag == answers, f"{tag} to {asks}"
        der = certificate_in(body)
        tag, _ = self.say(one, CERT_CONF, cert_conf(der))
        assert tag == PKI_CONF, f"{tag} to certConf"
        return (as_pem(der, self.workshop / f"{self.name}-{name}.pem"), key), der

    def say(self, one, tag, body):
        """Once; the services may be killed as often as they like."""
        self.tids.add(one.transaction_id)
        self.sent += 1
        name = f"{self.name}-{self.sent}"
        self.door.put(f"{name}.pki", one.message(tag, body))
        return one.take(self.door.answer(name, timeout=300).read_bytes())


class Door:
    """A channel of an instance, beside its first one."""

    put, answer = Instance.put, Instance.answer

    def __init__(self, instance, name, more):
        self.drop, self.answers = (instance.directory / f"{name}-{way}" for way in ("in", "out"))
        for place in (self.drop, self.answers):
            place.mkdir()
        with open(instance.directory / "cmpost.toml", "a", encoding="utf-8") as settings:
            settings.write(f'\n[[channel]]\nname = "{name}"\nkind = "directory"\n'
                           f'in = "{name}-in"\nout = "{name}-out"\nprofiles = ["device"]\n{more}')


def is_waiting(body):
    return elements(response_in(body)[1][1])[0][1] == b"\3"


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
        # Whoever asks there hears `waiting`, where the RA can say so.
        door = Door(self.ra, "polled", 'waiting = "always"\ncheck_after = "10s"\n')
        self.ra.add_secret("life", LIFE, "--subject", "any", "--channel", "any")
        trusted = self.directory / "trusted.pem"
        trusted.write_text(self.vault.ca.read_text() + (self.ra.directory / "ra/cmp.pem").read_text())
        self.lives = [Life(number, door, trusted, self.directory)
                      for number in range(options.lives)]
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
        for life in self.lives:
            life.start()
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
        for life in self.lives:
            life.join(timeout=180)
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
                                  self.about_certificates(self.ra), self.about_lives(),
                                  self.about_jobs(),
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
        only = () if instance is self.ra else ("--channel", "drop")
        issued = instance.json("cert", "list", "--all", "--limit", "1000000", *only)
        tids = {one["tid"] for one in issued}
        wanted = self.requests + 2 * len(self.lives)
        if len(issued) != wanted or len(tids) != wanted:
            return (f"certificates in {instance.directory}: {len(issued)} for {len(tids)} "
                    f"transactions, {wanted} expected")
        states = collections.Counter(one["state"] for one in issued
                                     if one["subject"].startswith("CN=life"))
        expected = {"updated": len(self.lives), "revoked": len(self.lives)} if self.lives else {}
        if states != expected:
            return f"certificates of lives in {instance.directory}: {dict(states)}"

    def about_lives(self):
        return [life.trouble or f"{life.name} goes on" for life in self.lives
                if life.trouble or life.is_alive()]

    def about_messages(self):
        """What went between the two."""
        courier = self.courier
        if courier.changed:
            return f"written twice with different octets: {courier.changed[:5]}"
        if not courier.forged:
            return "nothing was forged"
        living = set().union(*(life.tids for life in self.lives))  # whose messages are many
        for way in (courier.up, courier.down):
            same = collections.Counter(tid for octets in set(courier.seen[way].values())
                                       if (tid := transaction_of(octets)) not in living)
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
    parser.add_argument("--lives", type=int, default=20)
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
          f"answered, {loop.courier.forged} forged answers, "
          f"{len(loop.lives)} lives with {sum(life.polls for life in loop.lives)} polls, {time.monotonic() - start:.0f} s: "
          f"{'BAD, see ' + directory if complaints else 'nothing lost, nothing doubled'}")
    if not complaints and not options.keep:
        run("rm", "-rf", directory)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
