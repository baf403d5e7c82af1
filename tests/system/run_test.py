"""Runs of the settings: numbered, stopped by rules, killed and gone on with, started by the clock."""

import fcntl
import json
import os
import pty
import signal
import sqlite3
import struct
import subprocess
import termios
import time
import unittest

from instance import PROGRAM, InstanceTest, eventually, run

RUN = """
[[run]]
name     = "nightly"
channels = ["drop"]
report   = "reports"
"""


class Runs(InstanceTest):
    serve = False

    def prepare(self):
        self.settings = self.instance.directory / "cmpost.toml"
        (self.instance.directory / "reports").mkdir()
        self.configure()

    def configure(self, *more):
        plain = self.settings.read_text().split("\n[[run]]")[0]
        self.settings.write_text(plain + RUN + "".join(line + "\n" for line in more))

    def put_good(self, *names):
        for name in names:
            self.instance.put(f"{name}.pki", self.request(name).read_bytes())

    def put_bad(self, *names):
        for name in names:
            self.key(name)
            file = self.workshop / f"{name}.pki"
            self.offline_client(name, "-rspin", "/dev/null", "-reqout", file,
                                "-secret", "pass:another secret", check=False)
            self.instance.put(f"{name}.pki", file.read_bytes())

    def nightly(self, *more, code=0):
        done = self.instance.cmpost("run", "nightly", "--json", *more, check=False)
        self.assertEqual(code, done.returncode, done.stdout + done.stderr)
        return json.loads(done.stdout) if code in (0, 2) else done.stderr

    def report(self, number):
        return self.instance.directory / "reports" / f"nightly-{number}"


class ByHand(Runs):
    def test_is_numbered_and_leaves_a_report_that_an_auditor_can_check(self):
        self.put_good("one", "two")
        self.put_bad("bad")
        done = self.nightly(code=2)
        self.assertEqual([1, "done", 3, 2, 1],
                         [done[key] for key in ("number", "end", "requests", "granted", "refused")])
        report = self.report(1)
        run("sha256sum", "-c", "SHA256SUMS", cwd=report)
        run("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-content", "SHA256SUMS",
            "-in", "SHA256SUMS.p7s", "-CAfile", self.instance.ca, "-purpose", "any",
            "-out", "/dev/null", cwd=report)
        lines = (report / "report.csv").read_text().splitlines()
        self.assertEqual(4, len(lines))
        facts = json.loads((report / "report.json").read_text())
        self.assertEqual(3, len(facts["items"]))
        self.assertEqual(2, self.nightly()["number"])

    def test_a_changed_row_is_found(self):
        self.put_good("one")
        self.nightly()
        csv = self.report(1) / "report.csv"
        csv.write_text(csv.read_text().replace("granted", "refused"))
        self.assertNotEqual(
            0, run("sha256sum", "-c", "SHA256SUMS", cwd=self.report(1), check=False).returncode)

    def test_the_report_is_made_again_octet_for_octet(self):
        self.put_good("one")
        self.put_bad("bad")
        self.nightly(code=2)
        again = self.instance.directory / "again"
        self.instance.cmpost("report", "make", "1", "--to", again)
        for file in self.report(1).iterdir():
            self.assertEqual(file.read_bytes(), (again / "nightly-1" / file.name).read_bytes(),
                             file.name)

    def test_a_changed_signature_is_found(self):
        self.put_good("one")
        self.nightly()
        signature = self.report(1) / "SHA256SUMS.p7s"
        before = signature.read_bytes()
        signature.write_bytes(before + b"x")
        made = self.instance.cmpost("report", "make", "1", check=False)
        self.assertEqual(1, made.returncode)
        self.assertIn("SHA256SUMS.p7s is another one", made.stderr)
        signature.unlink()
        self.instance.cmpost("report", "make", "1")
        self.assertEqual(before, signature.read_bytes())

    def test_channels_of_a_run_are_left_to_it(self):
        self.put_good("one")
        self.instance.cmpost("run")
        self.assertFalse(list(self.instance.answers.glob("*.pki")))
        self.nightly()
        self.instance.answer("one")

    def test_two_reports_at_once_are_both_whole(self):
        self.put_good("one")
        self.nightly()
        again = self.instance.directory / "again"
        for _ in range(4):
            makers = [subprocess.Popen([PROGRAM, "report", "make", "1", "--to", again],
                                       cwd=self.instance.directory, stdout=subprocess.DEVNULL)
                      for _ in range(3)]
            self.assertEqual([0, 0, 0], [maker.wait(timeout=60) for maker in makers])
            run("sha256sum", "-c", "SHA256SUMS", cwd=again / "nightly-1")
            for file in (again / "nightly-1").iterdir():
                file.unlink()
            (again / "nightly-1").rmdir()

    def test_a_changed_ledger_gets_no_signature_of_before(self):
        self.put_good("one")
        self.nightly()
        with sqlite3.connect(self.instance.directory / "ledger.db") as ledger:
            ledger.execute("UPDATE run_item SET subject = 'CN=evil'")
        again = self.instance.directory / "again"
        made = self.instance.cmpost("report", "make", "1", "--to", again, check=False)
        self.assertEqual(1, made.returncode)
        self.assertIn("make another report than the one that was signed", made.stderr)
        self.assertEqual([], list(again.iterdir()))

    def test_a_report_that_cannot_be_written_keeps_nobody_from_work(self):
        reports = self.instance.directory / "reports"
        reports.rmdir()
        self.put_good("one")
        done = self.instance.cmpost("run", "nightly", check=False)
        self.assertEqual(2, done.returncode)
        self.assertIn("reports is not there", done.stderr)
        self.instance.answer("one")
        self.assertIn("its report has not been made",
                      self.instance.cmpost("status", check=False).stdout)
        self.put_good("two")
        self.assertEqual(2, self.instance.cmpost("run", "nightly", check=False).returncode)
        self.instance.answer("two")
        reports.mkdir()
        self.nightly()
        self.assertEqual(["nightly-1", "nightly-2", "nightly-3"],
                         sorted(one.name for one in reports.iterdir()))
        self.assertNotIn("its report", self.instance.cmpost("status", check=False).stdout)

    def test_killed_before_the_report_is_in_its_place(self):
        self.put_good("one")
        for point in ("report.printed", "report.whole"):
            self.instance.environment["CMPOST_CRASH_AT"] = f"{point}:1"
            self.instance.cmpost("run", "nightly", check=False)
            del self.instance.environment["CMPOST_CRASH_AT"]
            self.assertIn("its report has not been made",
                          self.instance.cmpost("status", check=False).stdout)
        self.assertEqual(2, self.nightly()["number"], "it was killed over the report of the first")
        self.assertEqual({"nightly-1", "nightly-2"},
                         {one.name for one in self.report(1).parent.iterdir()})

    def test_a_channel_with_trouble_ends_no_run(self):
        self.settings.write_text(self.settings.read_text().replace("\n[[run]]", """
[[channel]]
name     = "gone"
kind     = "directory"
in       = "nowhere/in"
out      = "nowhere/out"
profiles = ["device"]

[[run]]""").replace('channels = ["drop"]', 'channels = ["drop", "gone"]'))
        self.put_good("one")
        done = self.nightly(code=2)
        self.assertEqual(["done", 1], [done["end"], done["granted"]])
        self.instance.answer("one")
        facts = json.loads((self.report(1) / "report.json").read_text())
        self.assertIn("The channel gone had trouble", facts["headline"]["because"])

    def test_what_waits_since_before_is_told_each_time(self):
        self.configure()
        self.settings.write_text(self.settings.read_text().replace(
            'profiles = ["device"]', 'profiles = ["device"]\napprove = "one"', 1))
        self.put_good("one")
        self.nightly()
        shown = self.instance.cmpost("run", "nightly", check=False).stdout
        facts = json.loads((self.report(2) / "report.json").read_text())
        self.assertEqual(1, facts["facts"]["undecidedBefore"], shown)
        self.assertEqual("yellow", facts["headline"]["light"])

    def test_a_limit_on_certificates_counts_certificates(self):
        self.configure('stop_if = "issued > 1"')
        self.put_good("one")
        for name in ("info1", "info2"):
            file = self.workshop / f"{name}.pki"
            run("openssl", "cmp", "-config", "", "-cmd", "genm", "-infotype", "caCerts",
                "-recipient", "/CN=CA", *self.with_secret(), "-rspin", "/dev/null", "-reqout",
                file, check=False)
            self.instance.put(f"{name}.pki", file.read_bytes())
        self.assertEqual("done", self.nightly()["end"])

    def test_other_channels_make_another_run(self):
        self.configure('rate = "1/s"')
        self.put_good("one", "two", "three")
        process = subprocess.Popen([PROGRAM, "run", "nightly"], cwd=self.instance.directory,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.kill)
        eventually(lambda: list(self.instance.answers.glob("*.pki")), "the first answer")
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.settings.write_text(self.settings.read_text().replace("\n[[run]]", """
[[channel]]
name     = "more"
kind     = "directory"
in       = "more/in"
out      = "more/out"
profiles = ["device"]

[[run]]""").replace('channels = ["drop"]', 'channels = ["drop", "more"]'))
        (self.instance.directory / "more" / "in").mkdir(parents=True)
        (self.instance.directory / "more" / "out").mkdir()
        done = self.nightly()
        self.assertEqual(2, done["number"])
        states = {one["number"]: one["state"] for one in self.instance.json("report", "list")}
        self.assertEqual({1: "interrupted", 2: "done"}, states)
        both = [json.loads((self.report(number) / "report.json").read_text())["items"]
                for number in (1, 2)]
        self.assertEqual(3, sum(len(items) for items in both))

    def test_a_run_that_the_settings_lost_is_ended(self):
        self.configure('rate = "1/s"')
        self.put_good("one", "two")
        process = subprocess.Popen([PROGRAM, "run", "nightly"], cwd=self.instance.directory,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.kill)
        eventually(lambda: list(self.instance.answers.glob("*.pki")), "the first answer")
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.settings.write_text(self.settings.read_text().split("\n[[run]]")[0])
        self.assertIn("the settings do not have it any more",
                      self.instance.cmpost("status", check=False).stdout)
        self.instance.cmpost("run")
        self.instance.answer("two")
        self.assertEqual("interrupted", self.instance.json("report", "list")[0]["state"])

    def test_a_time_of_the_future_is_refused(self):
        self.assertIn("in the future", self.nightly("--planned", int(time.time()) + 3600, code=64))
        self.assertIn("no reason", self.nightly("--go-on", "  ", code=64))

    def test_whoever_has_all_channels_in_runs_is_told(self):
        self.assertIn("every channel belongs to a run: `cmpost run nightly`",
                      self.instance.cmpost("run").stderr)

    def test_a_name_that_is_not_there_is_told(self):
        done = self.instance.cmpost("run", "nightyl", check=False)
        self.assertEqual(1, done.returncode)
        self.assertIn("did you mean 'nightly'?", done.stderr)


class Stopped(Runs):
    def test_by_its_rule_and_goes_on_when_somebody_says_why(self):
        self.configure('stop_if = ["rejected > 2"]', 'rate = "2/s"')
        self.put_bad("bad1", "bad2", "bad3")
        self.put_good("good1", "good2")
        done = self.nightly(code=2)
        self.assertEqual("stopped", done["end"])
        self.assertIn("rejected > 2: 3 of", done["why"])
        refusal = self.nightly(code=64)
        self.assertIn("was stopped", refusal)
        self.assertIn("--go-on", refusal)
        more = self.nightly("--go-on", "the site had an old secret")
        self.assertEqual([2, "done"], [more["number"], more["end"]])
        self.assertEqual(5, done["requests"] + more["requests"])
        self.instance.answer("good1")
        self.instance.answer("good2")
        audit = self.instance.cmpost("audit", "show", "--event", "run.started", "--json").stdout
        self.assertIn("the site had an old secret", audit)

    def test_nobody_may_go_on_with_what_was_not_stopped(self):
        self.nightly()
        self.assertIn("leave --go-on out", self.nightly("--go-on", "why not", code=64))


class Killed(Runs):
    def test_goes_on_under_its_number_and_counts_all(self):
        self.configure('rate = "4/s"')
        names = [f"dev{number}" for number in range(12)]
        self.put_good(*names)
        process = subprocess.Popen([PROGRAM, "run", "nightly"], cwd=self.instance.directory,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.kill)
        eventually(lambda: list(self.instance.answers.glob("*.pki")), "the first answer")
        process.send_signal(signal.SIGKILL)
        process.wait()
        self.assertEqual("under way", self.listed()[0]["state"])
        done = self.nightly()
        self.assertEqual([1, 12, 12, 12],
                         [done[key] for key in ("number", "requests", "granted", "sent")])
        self.assertEqual([1, 1], [self.listed()[0]["number"], self.listed()[0]["resumed"]])
        self.assertEqual(12, len(list(self.instance.answers.glob("*.pki"))))

    def listed(self):
        return self.instance.json("report", "list")

    def test_two_never_overlap(self):
        self.configure('rate = "1/s"')
        self.put_good("one", "two", "three")
        first = subprocess.Popen([PROGRAM, "run", "nightly"], cwd=self.instance.directory,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(first.kill)
        eventually(lambda: self.listed(), "the first run")
        self.assertIn("another run is under way", self.nightly(code=1))
        self.assertEqual(0, first.wait(timeout=30))


class OnATerminal(Runs):
    """How far a run is stands in a line below the log, which goes away at the end."""

    def run_on_terminal(self, *words, keys=b""):
        here, there = pty.openpty()
        fcntl.ioctl(there, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        os.write(here, keys)
        process = subprocess.Popen([PROGRAM, *words], cwd=self.instance.directory, stdin=there,
                                   stdout=there, stderr=there)
        os.close(there)
        seen = b""
        while True:
            try:
                seen += os.read(here, 65536)
            except OSError:  # nobody writes any more
                break
        os.close(here)
        process.wait(timeout=30)
        return seen.decode()

    def test_progress_is_written_over(self):
        self.configure('rate = "4/s"')
        self.put_good(*(f"dev{number}" for number in range(12)))
        seen = self.run_on_terminal("run", "nightly")
        self.assertRegex(seen, r"\x1b\[2K\r\d+ of 12 · [\d.]+/s · ready \d\d:\d\d\r")
        # What is left on the screen: of each line what was written behind its last erasure.
        screen = [line.rsplit("\x1b[2K\r", 1)[-1].strip() for line in seen.split("\n")]
        self.assertFalse([line for line in screen if " of 12 ·" in line], screen)

    def test_top_shows_it_and_leaves_the_terminal_as_it_was(self):
        self.configure('rate = "2/s"')
        self.put_good(*(f"dev{number}" for number in range(8)))
        process = subprocess.Popen([PROGRAM, "run", "nightly"], cwd=self.instance.directory,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        eventually(lambda: list(self.instance.answers.glob("*.pki")), "the first answer")
        shown = self.instance.cmpost("top").stdout
        self.assertIn("run nightly 1: ", shown)
        self.assertTrue(all(len(line) <= 80 for line in shown.splitlines()), shown)
        facts = self.instance.json("top")
        self.assertEqual("nightly", facts["run"]["name"])
        seen = self.run_on_terminal("top", "--every", "1", keys=b"q")
        self.assertIn("\x1b[?1049h", seen)
        self.assertTrue(seen.endswith("\x1b[?1049l"), repr(seen))

    def test_quiet_says_nothing(self):
        self.configure('rate = "4/s"')
        self.put_good(*(f"dev{number}" for number in range(8)))
        self.assertNotIn(" of 8", self.run_on_terminal("run", "nightly", "--quiet"))

    def test_elsewhere_it_is_a_line_of_the_log_each_ten_seconds(self):
        self.configure('rate = "1/s"')
        self.put_good(*(f"dev{number}" for number in range(13)))
        done = self.instance.cmpost("run", "nightly")
        self.assertRegex(done.stderr, r"run\.progress done=\d+ left=\d+ refused=0")
        self.assertNotIn("\x1b", done.stderr + done.stdout)


class ByTheClock(Runs):
    def test_a_missed_one_is_made_up_once(self):
        self.configure('at = "* * * * *"')
        earlier = int(time.time()) - 600
        self.nightly("--planned", earlier)
        self.put_good("one")
        self.instance.serve()
        self.instance.answer("one")
        listed = eventually(lambda: self.at_end(2), "the run that was made up")
        self.assertEqual("schedule", listed["who"])
        self.instance.stop()
        self.assertLessEqual(len(self.instance.json("report", "list")), 3, "not ten for ten minutes")

    def at_end(self, number):
        runs = {one["number"]: one for one in self.instance.json("report", "list")}
        return runs[number] if number in runs and runs[number]["state"] == "done" else None

    def test_the_first_one_is_made_up_too(self):
        self.configure('at = "* * * * *"')
        self.instance.serve()
        eventually(lambda: self.known(), "the first look")
        self.instance.stop()
        with sqlite3.connect(self.instance.directory / "ledger.db") as ledger:
            ledger.execute("UPDATE run_known SET since = since - 600 * 1000000")
        self.put_good("one")
        self.instance.serve()
        self.instance.answer("one")

    def known(self):
        with sqlite3.connect(self.instance.directory / "ledger.db") as ledger:
            return ledger.execute("SELECT * FROM run_known").fetchall()

    def test_one_that_was_stopped_waits_for_people(self):
        self.configure('at = "* * * * *"', 'stop_if = "rejected > 0"')
        self.put_bad("bad")
        self.nightly("--planned", int(time.time()) - 600, code=2)
        self.put_good("good")
        self.instance.serve()
        eventually(lambda: "run.waits_for_people" in self.instance.log.read_text(), "the warning")
        self.assertEqual(1, len(self.instance.json("report", "list")))


if __name__ == "__main__":
    unittest.main()
