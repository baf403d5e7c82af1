"""The wall clock of the machine set wrong, both ways, and brought home."""

import re
import unittest
from datetime import datetime, timedelta, timezone

from clocks import Clocks
from instance import InstanceTest, eventually, run


class WrongClock(InstanceTest):
    """All commands and the service see a wall clock that self.set() moves while they run, some days
    after the CA was made; the requester's clock does not know."""

    serve = False

    def setUp(self):
        super().setUp()
        self.crl = next((self.instance.directory / "crl").iterdir())
        self.clocks = Clocks(self.workshop)
        self.clocks.let_pass(days=2)
        self.instance.environment = self.clocks.machine
        self.instance.cmpost("run")

    def set(self, **duration):
        self.clocks.be_wrong_by(**duration)

    def crl_time(self):
        """Of its beginning, against the right clock."""
        said = run("openssl", "crl", "-inform", "DER", "-in", self.crl, "-noout", "-lastupdate",
                   "-crlnumber").stdout
        began = datetime.strptime(re.search("lastUpdate=(.*) GMT", said)[1], "%b %d %H:%M:%S %Y")
        self.number = int(re.search("crlNumber=(.*)", said)[1], 16)
        return began.replace(tzinfo=timezone.utc) - self.clocks.now()

    def assert_crl_is_of_now(self):
        self.assertLess(abs(self.crl_time() + timedelta(minutes=5)), timedelta(minutes=4))

    def log(self):
        return self.instance.log.read_text() if self.instance.log.exists() else ""

    def issue(self, name):
        """A request by file, not confirmed; the requester has its own, right clock."""
        self.key(name)
        file = self.workshop / f"{name}.pki"
        run("openssl", "cmp", "-config", "", "-cmd", "ir", "-newkey",
            self.workshop / f"{name}.key", "-subject", f"/CN={name}", "-recipient", "/CN=CA",
            *self.with_secret(), "-certout", self.workshop / f"{name}.pem", "-rspin",
            "/dev/null", "-reqout", file, check=False)
        self.instance.put(file.name, file.read_bytes())

    def states(self):
        return {row["subject"]: row["state"] for row in self.instance.json("cert", "list")}

    def check(self, code):
        done = self.instance.cmpost("check", check=False)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout + done.stderr

    def test_ahead_for_half_a_minute_while_serving(self):
        self.instance.set_in_channel("confirm_within", '"14d"')
        self.instance.serve()
        self.issue("early")
        self.instance.answer("early")
        eventually(lambda: self.states().get("CN=early") == "unconfirmed", "its certificate")
        for times, days in enumerate((31, 400), 1):
            with self.subTest(days=days):
                self.set(days=days)
                eventually(lambda: self.log().count("clock.doubted") >= times, "the alarm", 45)
                said = self.check(1)
                self.assertIn("the clock is ahead", said)
                self.assertIn("cmpost clock confirm", said)
                told = self.instance.cmpost("status", check=False)
                self.assertEqual(told.returncode, 1)
                self.assertIn("the clock is ahead", told.stdout)
                told = self.instance.cmpost("status", "--json", check=False).stdout
                self.assertIn("the clock is ahead", told)
                shown = self.instance.cmpost("clock", "--json", check=False)
                self.assertEqual(shown.returncode, 1)
                self.assertIn('"doubt": "ahead"', shown.stdout)
                self.assertIn("cmpost cert list --since", shown.stdout)
                # A CRL that is needed meanwhile is one of now.
                self.instance.cmpost("crl", "issue")
                self.assert_crl_is_of_now()
                self.set()
                self.instance.stop()
                self.instance.serve()
                eventually(lambda: self.log().count("clock.accepted") >= times, "its end")
                self.assert_crl_is_of_now()
        self.assertEqual(self.states()["CN=early"], "unconfirmed")
        eventually(lambda: self.instance.cmpost("check", check=False).returncode == 0, "peace", 45)
        self.instance.cmpost("clock")
        self.instance.cmpost("audit", "verify")
        # What was stored is still there: the same request, the same answer.
        first = self.instance.answer("early").read_bytes()
        self.instance.put("again.pki", (self.workshop / "early.pki").read_bytes())
        self.assertEqual(self.instance.answer("again").read_bytes(), first)

    def test_ahead_for_long_revokes_nothing_until_a_person_confirms_it(self):
        self.instance.set_in_channel("confirm_within", '"14d"')
        self.issue("one")
        self.instance.cmpost("run")
        self.set(days=31)
        for _ in range(3):
            self.instance.cmpost("run", check=False)
            self.assertEqual(self.states()["CN=one"], "unconfirmed")
            self.assertEqual(self.instance.cmpost("clock", check=False).returncode, 1)
            self.clocks.let_pass(minutes=62)
        self.instance.cmpost("clock", "confirm", "--as", "a person")
        self.instance.cmpost("run")
        self.assertEqual(self.states()["CN=one"], "revoked")

    def test_back_by_an_hour_while_a_channel_rests(self):
        self.instance.serve()
        away = self.instance.answers.with_name("away")
        self.instance.answers.rename(away)
        self.issue("one")
        eventually(lambda: "channel.failing" in self.log(), "the channel rests")
        self.set(hours=-1)
        away.rename(self.instance.answers)
        self.issue("two")
        self.instance.answer("one", 30)
        self.instance.answer("two", 30)
        said = self.check(1)
        self.assertIn("the clock is behind", said)
        serial = next(row["serial"] for row in self.instance.json("cert", "list")
                      if row["subject"] == "CN=two")
        self.crl_time()
        before = self.number
        self.instance.cmpost("cert", "revoke", serial, "--reason", "keyCompromise")
        self.instance.cmpost("crl", "issue")
        self.assert_crl_is_of_now()
        self.assertGreater(self.number, before)
        self.set()
        self.assertEqual(self.instance.cmpost("clock").returncode, 0)
        self.check(0)

    def test_a_clock_that_was_wrong_for_long_is_put_right_by_a_persons_word(self):
        self.set(days=300)
        self.instance.cmpost("clock", "confirm", "--as", "a person")
        self.instance.cmpost("run")
        self.instance.cmpost("crl", "issue")
        self.assertGreater(self.crl_time(), timedelta(days=299))
        self.set()
        self.assertIn("the clock is behind", self.check(1))
        self.instance.cmpost("clock", "confirm", "--as", "a person")
        self.assertIn("is of the future", self.check(1))
        self.instance.cmpost("run")
        self.assert_crl_is_of_now()
        self.check(0)
        events = self.instance.cmpost("audit", "show", "--json").stdout
        self.assertEqual(events.count("clock.confirmed"), 2)
        self.assertIn("a person", events)

    def test_before_the_beginning_of_the_ca_requests_wait(self):
        self.issue("one")
        self.set(days=-20)
        self.assertIn("nothing is issued, and requests wait", self.check(1))
        self.assertEqual(self.instance.cmpost("run", check=False).returncode, 2)
        self.assertFalse(list(self.instance.answers.glob("one.*")))
        self.set()
        self.instance.cmpost("run")
        self.instance.answer("one", 1)
        self.check(0)


if __name__ == "__main__":
    unittest.main()
