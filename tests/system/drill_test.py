"""A year of an operator: everything that is bound to happen, one thing after the other, to one instance.

Each trouble shows in `status` and `check` with what to do, ends by what the documentation says, and
then all is well again; no CRL is ever taken back.
"""

import json
import os
import shutil
import signal
import sqlite3
import tempfile
import unittest
from pathlib import Path

from cable import Cable
from clocks import Clocks
from instance import InstanceTest, eventually, run
from mail_servers import MailServers
from mail_test import Mailbox
from sftp_server import SftpServer
from small_disk import SmallDisk, can_mount

SFTP = """
[[channel]]
name     = "factory"
kind     = "sftp"
fetch    = "{fetch}"
send     = "{send}"
login    = {{ key_file = "{key}" }}
known_hosts = "secrets/known_hosts"
poll     = "200ms"
ready    = "rename"
settle   = "500ms"
time_limit = "2s"
profiles = ["device"]
"""
# What `check` and `status` end with.
WELL, FAILED, PARTLY = 0, 1, 2
BACKED_UP = ("cmpost.toml", "ca", "secrets", "state")


class DrillTest(SmallDisk, InstanceTest):
    """One with three channels, on a small disk, its servers at the far ends of cables."""

    serve = False
    disk_size = "24m"

    def setUp(self):
        place = tempfile.TemporaryDirectory(prefix="cmpost-drill-")
        self.addCleanup(place.cleanup)
        Path(place.name).chmod(0o755)
        (Path(place.name) / "mail").mkdir()
        self.mail_servers = MailServers(Path(place.name) / "mail")
        self.addCleanup(self.mail_servers.stop)
        self.sftp_server = SftpServer(Path(place.name) / "sftp")
        self.addCleanup(self.sftp_server.stop)
        # Ways in and out go through cables of their own.
        sftp, mail = self.sftp_server.port, self.mail_servers
        self.cables = {way: Cable(port) for way, port in {
            "sftp in": sftp, "sftp out": sftp,
            "mail in": mail.dovecot.imaps, "mail out": mail.postfix.smtps}.items()}
        for cable in self.cables.values():
            self.addCleanup(cable.stop)
        super().setUp()
        self.site = Mailbox(self.mail_servers, "ee")
        self.addCleanup(self.site.close)
        self.clocks = Clocks(self.workshop)
        before = dict(os.environ)
        self.addCleanup(lambda: (os.environ.clear(), os.environ.update(before)))
        os.environ.update(self.clocks.world)
        self.instance.environment = self.clocks.machine
        self.crl = next((self.instance.directory / "crl").iterdir())
        self.crl_number, self.revoked, self.mails = 0, set(), 0

    def prepare(self):
        way = {name: cable.port for name, cable in self.cables.items()}
        known = [self.sftp_server.known_hosts(way[f"sftp {end}"]) for end in ("in", "out")]
        (self.instance.directory / "secrets/known_hosts").write_text("".join(known))
        self.mail_servers.give_channel(
            self.instance, f"imaps://localhost:{way['mail in']}/INBOX",
            f"smtps://localhost:{way['mail out']}", "1s", more='idle = false\ntime_limit = "2s"')
        with open(self.instance.directory / "cmpost.toml", "a") as settings:
            settings.write(SFTP.format(
                fetch=self.sftp_server.url("in", way["sftp in"]),
                send=self.sftp_server.url("out", way["sftp out"]), key=self.sftp_server.key))

    def put_everywhere(self, name):
        """A request of its own on each way; what to wait for, for each."""
        files = {way: self.request(f"{name}-{way}") for way in ("drop", "factory", "depots")}
        self.instance.put(files["drop"].name, files["drop"].read_bytes())
        self.sftp_server.put(files["factory"].name, files["factory"].read_bytes())
        run("s-nail", "-:/", "-S", "v15-compat", "-S",
            f"mta=smtp://127.0.0.1:{self.mail_servers.postfix.smtp}", "-S", "smtp-auth=none", "-S",
            "smtp-config=-all", "-r", "ee@test", "-s", name, "-a", files["depots"], "ra@test",
            text_in="Dear CA, here is our request.\n")
        self.mails += 1
        far = self.sftp_server.files / f"out/{name}-factory.ip.pki"
        return {"drop": lambda: self.answer_in_drop(f"{name}-drop"), "factory": far.exists,
                "depots": lambda mails=self.mails: self.site.count() >= mails}

    def answer_in_drop(self, stem):
        return list(self.instance.answers.glob(f"{stem}.*.pki"))

    def put_in_drop(self, name):
        file = self.request(name)
        self.instance.put(file.name, file.read_bytes())

    def serial_of(self, name):
        file = self.answer_in_drop(name)[0]
        self.accept_file(name, file)
        said = run("openssl", "x509", "-in", self.workshop / f"{name}.pem", "-noout", "-serial")
        return said.stdout.strip().split("=")[1].lower()

    def revoke(self, serial):
        self.instance.cmpost("cert", "revoke", serial, "--reason", "keyCompromise")
        self.revoked.add(serial)
        self.look_at_crl()

    def look_at_crl(self):
        """What relying parties have: never an older one, never one that lacks a revocation."""
        text = run("openssl", "crl", "-inform", "DER", "-in", self.crl, "-noout", "-text",
                   "-crlnumber").stdout
        number = int(text.split("crlNumber=")[1].split()[0], 16)
        self.assertGreaterEqual(number, self.crl_number)
        self.crl_number = number
        for serial in self.revoked:
            self.assertIn(f"Serial Number: {serial.upper()}", text)

    def look(self, command):
        """Exit code and what is to be acted on."""
        done = self.instance.cmpost(command, "--json", check=False)
        self.look_at_crl()
        findings = json.loads(done.stdout)["findings"]
        return done.returncode, [one for one in findings if one["severity"] != "note"]

    def look_until(self, command, what, is_so, timeout=60):
        last = []

        def look():
            last[:] = self.look(command)
            return is_so(*last)

        try:
            eventually(look, f"{what} in {command}", timeout)
        except AssertionError as error:
            raise AssertionError(f"{error}: {last}") from None
        # It is the same for people.
        told = self.instance.cmpost(command, check=False)
        self.assertEqual(last[0], told.returncode, told.stdout + told.stderr)
        return last

    def shows(self, kind, code, words="", commands=("status", "check")):
        """Both commands tell of this trouble, with what to do about it."""
        def those(findings):
            return [one for one in findings if one["kind"] == kind and words in one["text"]]

        for command in commands:
            seen, findings = self.look_until(command, kind, lambda _, found: those(found))
            self.assertEqual(seen, code, findings)
            for one in findings:
                self.assertTrue(one["hint"], one)

    def all_is_well(self):
        for command in ("status", "check"):
            _, findings = self.look_until(command, "peace", lambda code, _: code == WELL)
            self.assertEqual([], findings)

    def arrive(self, answers, timeout=90):
        for way, there in answers.items():
            eventually(there, f"the answer by {way}", timeout)

    def back_up(self):
        """As docs/operations.md says, while the service runs."""
        backup = self.workshop / "backup"
        shutil.rmtree(backup, ignore_errors=True)
        backup.mkdir()
        for name in BACKED_UP:
            source = self.instance.directory / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, backup / name)
        before = os.umask(0o077)
        ledger = sqlite3.connect(self.instance.directory / "ledger.db")
        ledger.execute(f"VACUUM INTO '{backup}/ledger.db'")
        ledger.close()
        os.umask(before)
        return backup

    def remove_ledger(self):
        for file in self.instance.directory.glob("ledger.db*"):
            file.unlink()


@unittest.skipUnless(can_mount(), "needs the right to mount a small file system")
class Year(DrillTest):
    def test_of_an_operator(self):
        for step in (self.begin, self.bad_file_comes, self.disk_is_full, self.service_is_killed,
                     self.network_is_gone, self.clock_is_ahead, self.clock_is_behind,
                     self.ledger_is_restored, self.ledger_is_lost, self.machine_is_rolled_back,
                     self.nobody_comes):
            print("---", step.__name__.replace("_", " "), flush=True)
            step()
            self.all_is_well()
        self.instance.cmpost("audit", "verify")

    def begin(self):
        self.all_is_well()
        self.instance.serve()
        self.arrive(self.put_everywhere("first"))

    def bad_file_comes(self):
        self.instance.put("bad.pki", b"Dear CA, where is my certificate?")
        self.shows("held", PARTLY, "neither DER nor PEM")
        (job,) = self.instance.json("queue", "list", "--state", "held")
        self.instance.cmpost("queue", "drop", job["id"], "--reason", "the sender was told")

    def disk_is_full(self):
        request = self.request("full")
        hidden = self.instance.drop / ".full"
        hidden.write_bytes(request.read_bytes())
        ballast = self.fill_disk()
        hidden.rename(self.instance.drop / "full.pki")
        self.shows("disk", FAILED)
        ballast.unlink()
        self.accept_file("full", self.instance.answer("full", 90))

    def service_is_killed(self):
        self.instance.stop(signal.SIGKILL)
        self.put_in_drop("killed")
        self.shows("service", FAILED, "did not end in order")
        self.instance.serve()
        self.instance.answer("killed")

    def network_is_gone(self):
        """First the ways out, so that answers wait; then all; for more than a day."""
        for name in ("sftp out", "mail out"):
            self.cables[name].fall_silent()
        answers = self.put_everywhere("gone")
        eventually(lambda: self.instance.json("status")["replies"]["deferred"] == 2, "two answers", 60)
        self.shows("channel", FAILED, "the way out")
        for name in ("sftp in", "mail in"):
            self.cables[name].fall_silent()
        for words in ("the way in (127.0.0.1", "the way in (localhost"):
            self.shows("channel", FAILED, words)
        self.clocks.let_pass(hours=30)
        self.shows("deferred", FAILED, "2 deferred, the oldest for 30 h")
        for cable in self.cables.values():
            cable.plug_in()
        self.arrive(answers, 180)

    def clock_is_ahead(self):
        self.clocks.be_wrong_by(days=1)
        self.shows("clock", FAILED, "the clock is ahead")
        self.instance.cmpost("crl", "issue")
        self.assert_crl_is_valid()
        self.clocks.be_wrong_by()
        eventually(lambda: self.instance.cmpost("clock", check=False).returncode == WELL, "its end", 60)
        self.assert_crl_is_valid()

    def clock_is_behind(self):
        self.clocks.be_wrong_by(days=-1)
        self.shows("clock", FAILED, "the clock is behind")
        self.put_in_drop("behind")
        self.instance.answer("behind")
        self.clocks.be_wrong_by()
        self.revoke(self.serial_of("behind"))
        self.assert_crl_is_valid()

    def assert_crl_is_valid(self):
        """For a relying party, now."""
        self.look_at_crl()
        crl = self.workshop / "crl.pem"
        run("openssl", "crl", "-inform", "DER", "-in", self.crl, "-out", crl)
        self.verify(self.workshop / "full.pem", "-crl_check", "-CRLfile", crl)

    def ledger_is_restored(self):
        for name in ("early", "late"):
            self.put_in_drop(name)
            self.instance.answer(name)
            if name == "early":
                backup = self.back_up()
                self.clocks.let_pass(days=6)
        for name in ("early", "late"):
            self.revoke(self.serial_of(name))
        self.instance.stop(signal.SIGKILL)
        self.remove_ledger()
        shutil.copy(backup / "ledger.db", self.instance.directory)
        self.shows("ledger", FAILED)
        self.instance.serve()  # which does its best
        self.shows("ledger", FAILED)
        self.instance.stop()
        self.bring_back(self.serial_of("early"), self.serial_of("late"))
        self.instance.serve()

    def bring_back(self, *serials, more=()):
        missing = self.instance.cmpost("restore-check", *more, check=False)
        self.assertEqual(PARTLY, missing.returncode)
        for serial in serials:
            self.assertIn(serial, missing.stdout)
        self.instance.cmpost("restore-check", *more, "--apply", check=False)
        self.assertEqual(WELL, self.instance.cmpost("restore-check", *more).returncode)
        number = self.crl_number
        self.instance.cmpost("crl", "issue")
        self.look_at_crl()
        self.assertGreater(self.crl_number, number)

    def ledger_is_lost(self):
        backup = self.back_up()
        self.instance.stop()
        self.remove_ledger()
        for words in ("check", "status", "run", "serve", "crl issue", "cert list"):
            done = self.instance.cmpost(*words.split(), check=False)
            self.assertEqual(FAILED, done.returncode, words)
            said = done.stdout + done.stderr  # `status` says it where it says everything
            self.assertIn("ledger.db", said, words)
            self.assertIn("restore", said, words)
            self.look_at_crl()
        self.shows("database", FAILED, "ledger.db")
        shutil.copy(backup / "ledger.db", self.instance.directory)
        self.assertEqual(WELL, self.instance.cmpost("restore-check").returncode)
        self.instance.serve()
        self.arrive(self.put_everywhere("found"))

    def machine_is_rolled_back(self):
        """To a snapshot: nothing there knows of what came after it, but relying parties do."""
        self.instance.stop()
        snapshot, partners = self.workshop / "snapshot", self.workshop / "partners"
        shutil.copytree(self.instance.directory, snapshot)
        self.instance.serve()
        self.put_in_drop("rolled")
        self.instance.answer("rolled")
        serial = self.serial_of("rolled")
        self.revoke(serial)
        self.instance.stop()
        newest = self.crl.read_bytes()
        for old in self.instance.directory.iterdir():
            shutil.rmtree(old) if old.is_dir() else old.unlink()
        shutil.copytree(snapshot, self.instance.directory, dirs_exist_ok=True)
        partners.mkdir()
        shutil.copy(self.workshop / "rolled.pem", partners)
        self.crl.write_bytes(newest)
        self.shows("ledger", FAILED)
        self.bring_back(serial, more=("--from", partners))
        self.instance.serve()
        self.arrive(self.put_everywhere("again"))

    def nobody_comes(self):
        """Months with a `run` a week; then there is none for long."""
        self.instance.stop()
        for _ in range(34):
            self.clocks.let_pass(days=7)
            self.instance.cmpost("run")
            self.all_is_well()
        for days, code in ((10, PARTLY), (3, FAILED), (100, FAILED)):
            self.clocks.let_pass(days=days)
            self.shows("lifetime", code, "CRL")
        self.instance.cmpost("run")
        self.assert_crl_is_valid()


if __name__ == "__main__":
    unittest.main()
