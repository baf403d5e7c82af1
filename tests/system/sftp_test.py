"""Enrolment over SFTP: OpenSSH's server and clients, and everything that goes wrong with them."""

import os
import re
import signal
import tempfile
import unittest
from pathlib import Path

from instance import PROGRAM, InstanceTest, eventually, run
from sftp_server import PASSWORD, SftpServer, SlowWay

CHANNEL = """
[[channel]]
name     = "factory"
kind     = "sftp"
fetch    = "{fetch}"
send     = "{send}"
login    = {login}
known_hosts = "secrets/known_hosts"
poll     = "200ms"
profiles = ["device"]
{more}
"""


class SftpTest(InstanceTest):
    serve = False
    passwords = False
    # In place, within a second: OpenSSH's clients do it in one go, and half a message is seen to be.
    more = 'ready = "rename"\nsettle = "500ms"\ntime_limit = "20s"'

    def setUp(self):
        place = tempfile.TemporaryDirectory(prefix="cmpost-sftp-")
        self.addCleanup(place.cleanup)
        Path(place.name).chmod(0o755)
        self.place = Path(place.name)
        self.server = SftpServer(self.place / "server", self.passwords, self.files())
        self.addCleanup(self.server.stop)
        super().setUp()

    def files(self):
        """Where the server keeps its files; None: anywhere."""

    def login(self):
        return f'{{ key_file = "{self.server.key}" }}'

    def prepare(self):
        self.known_hosts = self.instance.directory / "secrets/known_hosts"
        self.known_hosts.write_text(self.server.known_hosts())
        self.configure()

    def configure(self, more="", port=None, login=None):
        file = self.instance.directory / "cmpost.toml"
        head = file.read_text().split('\n[[channel]]\nname     = "factory"')[0]
        keys = [line.split("=")[0].strip() for line in more.splitlines()]
        kept = [line for line in self.more.splitlines() if line.split("=")[0].strip() not in keys]
        file.write_text(head + CHANNEL.format(
            fetch=self.server.url("in", port), send=self.server.url("out", port),
            login=login or self.login(), more="\n".join([*kept, more])))

    def wait_for_answer(self, name):
        answer = self.server.files / "out" / f"{name}.ip.pki"
        eventually(answer.exists, f"the answer to {name}")

    def enrol(self, name):
        self.server.put(f"{name}.pki", self.request(name).read_bytes())
        self.wait_for_answer(name)

    def wait_for_log(self, pattern, timeout=10):
        return eventually(lambda: re.search(pattern, self.instance.log.read_text()),
                          f"'{pattern}' in the log", timeout)


class WithOpensshClients(SftpTest):
    def test_requests_by_sftp_and_by_scp_get_answers_the_same_way(self):
        by_sftp, by_scp = self.request("dev1"), self.request("dev2")
        self.instance.serve()
        self.server.sftp(f"put {by_sftp} in/dev1.pki")
        self.server.scp(by_scp, self.server.remote("in/dev2.pki"))
        for name in ("dev1", "dev2"):
            self.wait_for_answer(name)
        fetched = self.workshop / "answer1", self.workshop / "answer2"
        self.server.sftp(f"get out/dev1.ip.pki {fetched[0]}")
        self.server.scp(self.server.remote("out/dev2.ip.pki"), fetched[1])
        self.accept_file("dev1", fetched[0])
        self.accept_file("dev2", fetched[1])
        done = self.server.files / "in/done"
        eventually(lambda: {file.name for file in done.iterdir()} == {"dev1.pki", "dev2.pki"},
                   "both files in done")

    def test_a_run_takes_in_answers_and_ends(self):
        self.configure('ready = "stable"')
        self.server.put("dev1.pki", self.request("dev1").read_bytes())
        self.assertIn("taken in 1, answered 1", self.instance.cmpost("run").stdout)
        self.accept_file("dev1", self.server.files / "out/dev1.ip.pki")

    def test_bad_files_go_to_quarantine_with_a_reason(self):
        self.instance.serve()
        self.server.put("note.txt", b"Dear CA, where is my certificate?")
        reason = self.server.files / "in/quarantine/note.txt.reason.txt"
        eventually(lambda: reason.exists() and "neither DER nor PEM" in reason.read_text(),
                   "the reason")
        held = self.instance.json("queue", "list", "--state", "held")
        self.assertEqual(["note.txt"], [job["source"] for job in held])

    def test_a_server_that_may_only_be_read_is_left_as_it_is(self):
        (self.server.files / "in").chmod(0o555)
        self.configure('after = "leave"')
        (self.server.files / "in").chmod(0o755)
        self.server.put("dev1.pki", self.request("dev1").read_bytes())
        (self.server.files / "in").chmod(0o555)
        self.instance.serve()
        self.wait_for_answer("dev1")
        self.instance.stop()
        self.assertIn("taken in 0", self.instance.cmpost("run").stdout)
        self.assertEqual(["dev1.pki"], os.listdir(self.server.files / "in"))


class BeforeTheFirstFile(SftpTest):
    def test_the_host_key_is_shown_and_stored_when_it_is_confirmed(self):
        self.known_hosts.unlink()
        refused = self.instance.cmpost("check", "--connect", check=False)
        self.assertEqual(1, refused.returncode)
        self.assertIn(self.server.fingerprint(), refused.stderr)
        self.assertIn("cmpost channel trust", refused.stderr)
        unconfirmed = self.instance.cmpost("channel", "trust", "factory", check=False)
        self.assertEqual(1, unconfirmed.returncode)
        self.assertIn(self.server.fingerprint(), unconfirmed.stdout)
        wrong = self.instance.cmpost("channel", "trust", "factory", "--yes", "SHA256:abc",
                                     check=False)
        self.assertEqual(1, wrong.returncode)
        self.assertFalse(self.known_hosts.exists())
        self.instance.cmpost("channel", "trust", "factory", "--yes", self.server.fingerprint())
        self.assertEqual(self.server.known_hosts(), self.known_hosts.read_text())
        self.assertIn("logged in at 127.0.0.1",
                      self.instance.cmpost("check", "--connect").stdout)
        self.assertIn("read back and removed",
                      self.instance.cmpost("channel", "test", "factory").stdout)
        self.assertEqual([], os.listdir(self.server.files / "out"))

    def test_an_encrypted_key_needs_its_passphrase(self):
        run("ssh-keygen", "-q", "-p", "-P", "", "-N", "open sesame", "-f", self.server.key)
        refused = self.instance.cmpost("check", "--connect", check=False)
        self.assertIn("passphrase_file", refused.stderr)
        secret = self.instance.directory / "secrets/passphrase"
        secret.touch(mode=0o600)
        secret.write_text("open sesame\n")
        self.configure(login=f'{{ key_file = "{self.server.key}", '
                             'passphrase_file = "secrets/passphrase" }')
        self.instance.cmpost("check", "--connect")


class KilledAtEachStep(SftpTest):
    """`cmpost run` dies at one of its durable steps; another run finds everything as it should be."""

    more = 'ready = "rename"\nsettle = "100ms"'

    def run_and_die_at(self, step):
        died = run(PROGRAM, "run", check=False, cwd=self.instance.directory,
                   env={**os.environ, "CMPOST_CRASH_AT": f"{step}:1"})
        self.assertEqual(-signal.SIGKILL, died.returncode, f"{step} was not reached: {died.stderr}")

    def go_through(self, steps):
        for number, step in enumerate(steps):
            name = f"dev{number}"
            self.server.put(f"{name}.pki", self.request(name).read_bytes())
            self.server.put(f"bad{number}.pki", b"no message")
            with self.subTest(step=step):
                self.run_and_die_at(step)
                self.instance.cmpost("run", check=False)
                self.accept_file(name, self.server.files / f"out/{name}.ip.pki")
        self.assertEqual(len(steps), len(os.listdir(self.server.files / "out")))
        certificates = self.instance.json("cert", "list", "--channel", "factory")
        self.assertEqual(len(steps), len(certificates))
        held = self.instance.json("queue", "list", "--state", "held")
        self.assertEqual(len(steps), len(held))

    def test_when_files_are_moved(self):
        self.go_through(["sftp.deposited", "sftp.renamed", "sftp.released", "sftp.held",
                         "sftp.quarantined", "sftp.written", "sftp.published"])
        self.assertEqual({"done", "quarantine"}, set(os.listdir(self.server.files / "in")))

    def test_when_files_are_left(self):
        self.configure('after = "leave"')
        self.go_through(["sftp.deposited", "sftp.ledger", "sftp.released"])


class Trouble(SftpTest):
    more = SftpTest.more.replace("20s", "2s")

    def test_a_changed_host_key_stops_the_channel_until_it_is_trusted(self):
        self.enrol_and_serve()
        self.server.stop()
        self.server.new_host_key()
        self.server.start()
        self.wait_for_log("channel.failing.*THE HOST KEY OF .* HAS CHANGED: it shows .*"
                          + re.escape(self.server.fingerprint()))
        self.assertNotIn("Accepted publickey", self.server.log().split("Server listening")[-1])
        self.instance.cmpost("channel", "trust", "factory", "--yes", self.server.fingerprint())
        self.wait_for_log("channel.recovered")
        self.enrol("dev2")

    def enrol_and_serve(self):
        self.instance.serve()
        self.enrol("dev1")

    def test_a_stopped_server_is_noticed_and_the_channel_recovers(self):
        self.enrol_and_serve()
        self.server.signal(signal.SIGSTOP)
        self.wait_for_log("channel.failing.*silent for too long", 2 + 5)
        self.server.signal(signal.SIGCONT)
        self.wait_for_log("channel.recovered")
        self.enrol("dev2")

    def test_a_dead_way_is_noticed_and_the_channel_recovers(self):
        way = SlowWay(self.server.port, 0.002)
        self.addCleanup(way.stop)
        self.known_hosts.write_text(self.server.known_hosts(way.port))
        self.configure(port=way.port)
        self.enrol_and_serve()
        way.dead = True
        self.wait_for_log("channel.failing", 2 + 5)
        way.dead = False
        self.wait_for_log("channel.recovered")
        self.enrol("dev2")

    def test_a_directory_that_may_not_be_written_is_named(self):
        (self.server.files / "out").chmod(0o555)
        self.instance.serve()
        self.server.put("dev1.pki", self.request("dev1").read_bytes())
        self.wait_for_log("channel.failing.*/out/.*permission denied", 2 + 5)
        (self.server.files / "out").chmod(0o755)
        self.wait_for_answer("dev1")
        self.accept_file("dev1", self.server.files / "out/dev1.ip.pki")


    def test_a_request_that_may_not_be_moved_away_is_answered_once_and_the_channel_recovers(self):
        self.enrol_and_serve()
        self.instance.stop()
        inbox = self.server.files / "in"
        self.server.put("dev2.pki", self.request("dev2").read_bytes())
        inbox.chmod(0o555)
        self.instance.serve()
        self.wait_for_log("channel.failing.*/in/dev2.pki.*permission denied", 2 + 5)
        self.wait_for_answer("dev2")
        inbox.chmod(0o755)
        self.wait_for_log("channel.recovered")
        eventually((inbox / "done/dev2.pki").exists, "the request in done")
        self.accept_file("dev2", self.server.files / "out/dev2.ip.pki")
        self.assertEqual(2, len(self.instance.json("cert", "list", "--channel", "factory")))


class UnderLimits(SftpTest):
    def test_requests_stay_at_the_server_until_there_is_room(self):
        self.configure('min_free = "1024GiB"')
        self.instance.serve()
        self.server.put("dev1.pki", self.request("dev1").read_bytes())
        self.wait_for_log("channel.paused.*nearly full")
        self.assertIn("nearly full", self.instance.cmpost("status", check=False).stdout)
        self.assertTrue((self.server.files / "in/dev1.pki").exists())
        self.instance.stop()
        self.configure('min_free = "1MiB"\nmax_rate = 1')
        self.server.put("dev2.pki", self.request("dev2").read_bytes())
        self.instance.serve()
        for name in ("dev1", "dev2"):
            self.wait_for_answer(name)


class WithAPassword(SftpTest):
    passwords = True

    def login(self):
        return '{ password_file = "secrets/sftp" }'

    def prepare(self):
        self.password = self.instance.directory / "secrets/sftp"
        self.password.touch(mode=0o600)
        self.password.write_text("wrong\n")
        super().prepare()

    def test_a_wrong_password_is_told_and_a_right_one_is_used_at_once(self):
        self.instance.serve()
        self.wait_for_log("channel.failing.*refused the login with the password in .*secrets/sftp")
        self.assertNotIn("wrong", self.instance.log.read_text())
        self.password.write_text(PASSWORD + "\n")
        self.wait_for_log("channel.recovered")
        self.enrol("dev1")


class OnAFullDisk(SftpTest):
    def files(self):
        disk = self.place / "disk"
        disk.mkdir()
        if os.getuid() != 0 or os.system(f"mount -t tmpfs -o size=256k,nr_inodes=64 x {disk}"):
            raise unittest.SkipTest("only root can make a small disk")
        self.addCleanup(os.system, f"umount {disk}")
        return disk

    def test_answers_wait_until_there_is_room(self):
        self.instance.serve()
        eventually(lambda: (self.server.files / "in/done").exists(), "the folder for done files")
        self.server.put("dev1.pki", self.request("dev1").read_bytes())
        ballast = self.server.files / "ballast"
        with open(ballast, "wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        self.wait_for_log("channel.failing.*the disk is full")
        ballast.unlink()
        self.wait_for_answer("dev1")
        self.accept_file("dev1", self.server.files / "out/dev1.ip.pki")


if __name__ == "__main__":
    unittest.main()
