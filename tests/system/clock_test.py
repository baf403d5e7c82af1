"""The wall clock of the machine set wrong, both ways, and brought home."""

import os
import re
import unittest
from datetime import datetime, timedelta, timezone
from pathlib import Path

from instance import InstanceTest, eventually, run

DAY = 24 * 3600
# The tests begin this long after the CA was made; the requester's clock does not know.
LATER = 2 * DAY


class WrongClock(InstanceTest):
    """All commands and the service see a wall clock that self.set() moves while they run."""

    serve = False

    def setUp(self):
        super().setUp()
        self.crl = next((self.instance.directory / "crl").iterdir())
        self.offset = self.workshop / "offset"
        self.set(0)
        library = self.workshop / "wrong_clock.so"
        run("cc", "-shared", "-fPIC", "-o", library, Path(__file__).with_name("wrong_clock.c"))
        # A sanitizer's runtime would like to be the first library.
        options = os.environ.get("ASAN_OPTIONS", "")
        self.environment = {
            "LD_PRELOAD": str(library), "WRONG_CLOCK": str(self.offset),
            "ASAN_OPTIONS": f"{options}:verify_asan_link_order=0",
        }
        self.before = dict(os.environ)
        self.addCleanup(self.with_true_clock)
        os.environ.update(self.environment)
        self.instance.cmpost("clock", "confirm")
        self.instance.cmpost("run")

    def with_true_clock(self):
        os.environ.clear()
        os.environ.update(self.before)

    def set(self, seconds):
        new = self.offset.with_suffix(".new")
        new.write_text(f"{LATER + seconds}\n")
        new.rename(self.offset)

    def crl_time(self):
        """Of its beginning, against the right clock."""
        said = run("openssl", "crl", "-inform", "DER", "-in", self.crl, "-noout", "-lastupdate",
                   "-crlnumber", env={"PATH": os.environ["PATH"]}).stdout
        began = datetime.strptime(re.search("lastUpdate=(.*) GMT", said)[1], "%b %d %H:%M:%S %Y")
        self.number = int(re.search("crlNumber=(.*)", said)[1], 16)
        now = datetime.now(timezone.utc) + timedelta(seconds=LATER)
        return began.replace(tzinfo=timezone.utc) - now

    def assert_crl_is_of_now(self):
        self.assertLess(abs(self.crl_time() + timedelta(minutes=5)), timedelta(minutes=4))

    def log(self):
        return self.instance.log.read_text() if self.instance.log.exists() else ""

    def issue(self, name):
        """A request by file, not confirmed; the requester has its own, right clock."""
        self.with_true_clock()
        try:
            self.key(name)
            file = self.workshop / f"{name}.pki"
            run("openssl", "cmp", "-config", "", "-cmd", "ir", "-newkey",
                self.workshop / f"{name}.key", "-subject", f"/CN={name}", "-recipient", "/CN=CA",
                *self.with_secret(), "-certout", self.workshop / f"{name}.pem", "-rspin",
                "/dev/null", "-reqout", file, check=False)
        finally:
            os.environ.update(self.environment)
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
                self.set(days * DAY)
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
                self.set(0)
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

    def test_back_by_an_hour_while_a_channel_rests(self):
        self.instance.serve()
        away = self.instance.answers.with_name("away")
        self.instance.answers.rename(away)
        self.issue("one")
        eventually(lambda: "channel.failing" in self.log(), "the channel rests")
        self.set(-3600)
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
        self.set(0)
        self.assertEqual(self.instance.cmpost("clock").returncode, 0)
        self.check(0)

    def test_a_clock_that_was_wrong_for_long_is_put_right_by_a_persons_word(self):
        self.set(300 * DAY)
        self.instance.cmpost("clock", "confirm", "--as", "a person")
        self.instance.cmpost("run")
        self.instance.cmpost("crl", "issue")
        self.assertGreater(self.crl_time(), timedelta(days=299))
        self.set(0)
        self.assertIn("the clock is behind", self.check(1))
        self.instance.cmpost("clock", "confirm", "--as", "a person")
        self.assertIn("is of the future", self.check(1))
        self.instance.cmpost("run")
        self.assert_crl_is_of_now()
        self.check(0)
        events = self.instance.cmpost("audit", "show", "--json").stdout
        self.assertEqual(events.count("clock.confirmed"), 3)
        self.assertIn("a person", events)

    def test_before_the_beginning_of_the_ca_requests_wait(self):
        self.issue("one")
        self.set(-20 * DAY)
        self.assertIn("nothing is issued, and requests wait", self.check(1))
        self.assertEqual(self.instance.cmpost("run", check=False).returncode, 2)
        self.assertFalse(list(self.instance.answers.glob("one.*")))
        self.set(0)
        self.instance.cmpost("run")
        self.instance.answer("one", 1)
        self.check(0)


if __name__ == "__main__":
    unittest.main()
