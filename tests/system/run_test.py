"""Runs of the settings: numbered, stopped by rules, killed and gone on with, started by the clock."""

import json
import signal
import subprocess
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

    def test_channels_of_a_run_are_left_to_it(self):
        self.put_good("one")
        self.instance.cmpost("run")
        self.assertFalse(list(self.instance.answers.glob("*.pki")))
        self.nightly()
        self.instance.answer("one")

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
        self.assertEqual([1, 12, 12], [done[key] for key in ("number", "requests", "granted")])
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
