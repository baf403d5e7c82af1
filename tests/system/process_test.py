"""The service as a process: settings that change under it, its end, and what systemd hears."""

import email.message
import os
import pwd
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

from instance import PROGRAM, InstanceTest, eventually

HUNG = 75
LONGEST_END = 10.5  # seconds; ten are promised

MAIL = """
[[channel]]
name     = "depots"
kind     = "mail"
fetch    = "{fetch}"
send     = "{send}"
login    = {{ user = "ra", password_file = "secrets/mail" }}
send_login = {{ }}
tls      = {{ required = false }}
from     = "ra@test"
senders  = ["ee@test"]
poll     = "1s"
profiles = ["device"]
"""
SFTP = """
[[channel]]
name     = "factory"
kind     = "sftp"
fetch    = "sftp://cmpost@{peer}/in"
send     = "sftp://cmpost@{peer}/out"
login    = {{ password_file = "secrets/mail" }}
known_hosts = "secrets/known_hosts"
poll     = "1s"
profiles = ["device"]
"""


class SilentPeer:
    """Takes connections and never says a word."""

    def __init__(self):
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listening.getsockname()[1]
        self.taken = []
        threading.Thread(target=self.take, daemon=True).start()

    def take(self):
        while True:
            try:
                self.taken.append(self.listening.accept()[0])
            except OSError:
                return

    def close(self):
        for one in [self.listening, *self.taken]:
            one.close()


class ServiceTest(InstanceTest):
    serve = False

    def settings(self):
        return self.instance.directory / "cmpost.toml"

    def change(self, old, new):
        text = self.settings().read_text()
        self.assertIn(old, text)
        self.settings().write_text(text.replace(old, new))

    def wait_for_log(self, words, count=1, timeout=20):
        eventually(lambda: self.instance.log.exists()
                   and self.instance.log.read_text().count(words) >= count, words, timeout)

    def serve_until_ready(self):
        self.instance.serve()
        self.wait_for_log("service.started")

    def reload(self):
        self.instance.process.send_signal(signal.SIGHUP)

    def end(self, how=signal.SIGTERM):
        """The exit code, in time."""
        process, self.instance.process = self.instance.process, None
        began = time.monotonic()
        process.send_signal(how)
        code = process.wait(timeout=30)
        self.assertLess(time.monotonic() - began, LONGEST_END)
        return code

    def make_requests(self, count):
        """Copies of one request are one transaction: enough for taking in and answering."""
        one = self.request("bulk").read_bytes()
        for number in range(count):
            (self.instance.drop / f"r{number:05}.pki").write_bytes(one)


class Reloading(ServiceTest):
    def test_new_settings_are_taken_in_use_and_nothing_is_lost(self):
        self.serve_until_ready()
        first = self.request("before")
        self.instance.put("before.pki", first.read_bytes())
        (self.instance.directory / "out2").mkdir()
        self.change('out      = "out"', 'out      = "out2"')
        eventually(lambda: "differ from those in use" in
                   " ".join(self.instance.json("status")["warnings"]), "the warning of status")
        self.assertEqual(2, self.instance.cmpost("check", check=False).returncode)
        self.reload()
        self.wait_for_log("settings.loaded")
        second = self.request("after")
        self.instance.put("after.pki", second.read_bytes())
        eventually(lambda: list((self.instance.directory / "out2").glob("after.*.pki")), "answer")
        eventually(lambda: list(self.instance.directory.glob("out*/before.*.pki")), "answer")
        self.assertFalse([text for text in self.instance.json("status")["warnings"]
                          if "settings" in text])
        events = self.instance.json("audit", "show")
        loaded = [one for one in events if one["event"] == "settings.loaded"]
        self.assertEqual(2, len(loaded))
        account = pwd.getpwuid(os.getuid()).pw_name
        self.assertEqual([account] * 2, [one["detail"]["account"] for one in loaded])
        self.assertEqual(account, loaded[1]["detail"]["asked_by"])
        changed = [one["detail"] for one in events if one["event"] == "settings.changed"]
        self.assertEqual([one["detail"]["sha256"] for one in loaded],
                         [one["sha256"] for one in changed])
        self.assertEqual(changed[0]["sha256"], changed[1]["before"])
        self.assertEqual(0, self.end())

    def test_wrong_settings_leave_those_before_in_use(self):
        self.serve_until_ready()
        self.settings().write_text(self.settings().read_text() + 'pol = "1s"\n')
        self.reload()
        self.wait_for_log("settings.refused")
        self.assertIn("did you mean 'poll'", self.instance.log.read_text())
        self.instance.put("x.pki", self.request("x").read_bytes())
        self.instance.answer("x")
        self.settings().write_text(self.settings().read_text().replace('pol = "1s"\n', ""))
        # Now the file is what is in use again.
        self.assertFalse([text for text in self.instance.json("status")["warnings"]
                          if "settings" in text])
        # Readable, and of no use: a key that others may read.
        (self.instance.directory / "secrets/seal.key").chmod(0o644)
        self.reload()
        self.wait_for_log("settings.refused", 2)
        warnings = " ".join(self.instance.json("status")["warnings"])
        self.assertIn("the settings on disk are wrong", warnings)
        self.assertIn("seal.key", warnings)
        self.assertEqual(0, self.end())

    def test_what_needs_a_restart_is_named(self):
        self.serve_until_ready()
        shutil.copy(self.instance.directory / "ledger.db", self.instance.directory / "other.db")
        self.change("sqlite:ledger.db", "sqlite:other.db")
        self.reload()
        self.wait_for_log("instance.ledger has changed, which needs a restart")
        self.assertEqual(0, self.end())

    def test_the_next_ca_key_comes_with_a_reload(self):
        self.serve_until_ready()
        self.instance.cmpost("ca", "rollover", "--directory", "ca/next", "--years", "20")
        self.change('"ca/ca.pem"', '"ca/next/ca.pem"')
        self.change('"ca/ca.key"', '"ca/next/ca.key"')
        self.change('"ca/cmp.pem"', '"ca/next/cmp.pem"')
        self.change('"ca/cmp.key"', '"ca/next/cmp.key"\nrollovers = ["ca/next/rollover.pem"]')
        self.reload()
        self.wait_for_log("settings.loaded")
        self.instance.put("x.pki", self.request("x").read_bytes())
        self.instance.ca = self.instance.directory / "ca/next/ca.pem"
        self.accept_file("x", self.instance.answer("x"))
        self.assertEqual(0, self.end())


class Beside(ServiceTest):
    def test_a_second_service_is_told_of(self):
        self.serve_until_ready()
        self.assertNotIn("service.beside", self.instance.log.read_text())
        first, log = self.instance.process, self.instance.log
        self.addCleanup(first.kill)
        self.instance.log = log.with_name("second")
        self.serve_until_ready()
        self.assertIn(f"service.beside stage=processor pid={first.pid}",
                      self.instance.log.read_text())
        self.assertEqual(0, self.end())
        self.instance.process, self.instance.log = first, log
        self.reload()
        self.wait_for_log("settings.loaded")
        self.assertNotIn("service.beside", log.read_text())
        self.assertEqual(0, self.end())


class Ending(ServiceTest):
    def setUp(self):
        super().setUp()
        self.peer = SilentPeer()
        self.addCleanup(self.peer.close)
        secret = self.instance.directory / "secrets/mail"
        secret.touch(mode=0o600)
        secret.write_text("secret\n")
        (self.instance.directory / "secrets/known_hosts").touch(mode=0o600)

    def add(self, channel, **words):
        self.settings().write_text(
            self.settings().read_text() + channel.format(peer=self.peer.address, **words))

    def end_while_the_peer_is_silent(self):
        self.serve_until_ready()
        eventually(lambda: self.peer.taken, "a connection")
        time.sleep(0.5)
        self.assertEqual(0, self.end())

    def test_a_silent_imap_server_keeps_nobody(self):
        self.add(MAIL, fetch=f"imap://{self.peer.address}/INBOX", send="smtp://127.0.0.1:9")
        self.end_while_the_peer_is_silent()

    def test_a_silent_imap_server_with_tls_keeps_nobody(self):
        self.add(MAIL, fetch=f"imaps://{self.peer.address}/INBOX", send="smtp://127.0.0.1:9")
        self.end_while_the_peer_is_silent()

    def test_a_silent_pop3_server_keeps_nobody(self):
        self.add(MAIL, fetch=f"pop3://{self.peer.address}", send="smtp://127.0.0.1:9")
        self.end_while_the_peer_is_silent()

    def test_a_silent_smtp_server_keeps_nobody(self):
        box = self.instance.directory / "box"
        for name in ("cur", "new", "tmp"):
            (box / name).mkdir(parents=True)
        self.add(MAIL, fetch=f"maildir:{box}", send=f"smtp://{self.peer.address}")
        mail = email.message.EmailMessage()
        mail["From"], mail["To"], mail["Message-ID"] = "ee@test", "ra@test", "<1@test>"
        mail.set_content("please certify")
        mail.add_attachment(self.request("x").read_bytes(), maintype="application",
                            subtype="pkixcmp", filename="x.pki")
        (box / "new" / "1").write_bytes(mail.as_bytes())
        self.end_while_the_peer_is_silent()

    def test_a_silent_sftp_server_keeps_nobody(self):
        self.add(SFTP)
        self.end_while_the_peer_is_silent()

    def test_many_silent_servers_are_left_at_the_same_time(self):
        for number in range(12):
            self.add(SFTP.replace('"factory"', f'"factory{number}"')
                     .replace("/in", f"/in{number}").replace("/out", f"/out{number}"))
        self.end_while_the_peer_is_silent()

    def test_a_database_that_somebody_holds_keeps_nobody(self):
        self.serve_until_ready()
        holder = sqlite3.connect(self.instance.directory / "ledger.db", isolation_level=None)
        self.addCleanup(holder.close)
        holder.execute("BEGIN IMMEDIATE")
        self.instance.put("x.pki", self.request("x").read_bytes())
        time.sleep(1)
        self.assertEqual(0, self.end())
        holder.execute("ROLLBACK")
        self.assertEqual(0, self.instance.cmpost("run", check=False).returncode)
        self.instance.answer("x")

    def test_a_long_batch_is_left_and_gone_on_with(self):
        self.make_requests(10_000)
        self.serve_until_ready()
        time.sleep(1)
        self.assertIn(self.end(), (0, HUNG))
        self.instance.cmpost("run")
        self.assertEqual(10_000, len(list(self.instance.answers.glob("r*.pki"))))
        self.assertEqual([], list(self.instance.drop.glob("r*.pki")))
        self.assertEqual(1, len(self.certificates()))

    def test_a_batch_run_is_left_when_the_terminal_goes(self):
        self.make_requests(10_000)
        with open(self.instance.log, "ab") as log:
            self.instance.process = subprocess.Popen(
                [PROGRAM, "run"], cwd=self.instance.directory, stdout=log, stderr=log)
        eventually(lambda: list(self.instance.answers.glob("r*.pki")), "the first answer")
        self.assertEqual(1, self.end(signal.SIGHUP))
        self.assertIn("run again: nothing is lost", self.instance.log.read_text())


class UnderSystemd(ServiceTest):
    def test_what_it_is_told(self):
        place = tempfile.TemporaryDirectory(prefix="cmpost-notify-")
        self.addCleanup(place.cleanup)
        for path in (f"{place.name}/socket", f"\0cmpost-{os.getpid()}"):
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
                heard.bind(path)
                heard.settimeout(20)
                self.be_a_service(heard, path.replace("\0", "@"))

    def be_a_service(self, heard, name):
        def next_but_watchdog():
            while (said := heard.recv(4096).decode()) == "WATCHDOG=1":
                pass
            return said

        with open(self.instance.log, "ab") as log:
            self.instance.process = subprocess.Popen(
                [PROGRAM, "serve"], cwd=self.instance.directory, stderr=log,
                env={**os.environ, "NOTIFY_SOCKET": name, "WATCHDOG_USEC": "200000"})
        self.assertEqual("READY=1", heard.recv(4096).decode())
        began = time.monotonic()
        self.assertEqual("WATCHDOG=1", heard.recv(4096).decode())
        self.assertEqual("WATCHDOG=1", heard.recv(4096).decode())
        self.assertLess(time.monotonic() - began, 2)
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self.reload()
        reloading, _, stamp = next_but_watchdog().partition("\nMONOTONIC_USEC=")
        self.assertEqual("RELOADING=1", reloading)
        self.assertGreaterEqual(int(stamp), before)
        self.assertEqual("READY=1", next_but_watchdog())
        self.instance.process.send_signal(signal.SIGTERM)
        self.assertEqual("STOPPING=1", next_but_watchdog())
        self.assertEqual(0, self.instance.process.wait(timeout=20))
        self.instance.process = None

    def test_the_unit_names_what_the_program_knows(self):
        unit = Path(__file__).resolve().parents[2] / "packaging/cmpost.service.in"
        lines = dict(line.split("=", 1) for line in unit.read_text().splitlines()
                     if "=" in line and not line.startswith("#"))
        self.assertEqual("notify", lines["Type"])
        self.assertEqual(str(HUNG), lines["SuccessExitStatus"])
        self.assertIn("-HUP", lines["ExecReload"])
        self.assertGreater(int(lines["TimeoutStopSec"]), LONGEST_END)
        if shutil.which("systemd-analyze"):
            local = Path(self.workshop) / "cmpost.service"
            local.write_text(unit.read_text().replace("@CMAKE_INSTALL_FULL_BINDIR@/cmpost", PROGRAM))
            done = subprocess.run(["systemd-analyze", "verify", local], capture_output=True,
                                  text=True, check=False)
            self.assertNotRegex(done.stderr, r"cmpost.service:\d+:")


if __name__ == "__main__":
    unittest.main(verbosity=2)
