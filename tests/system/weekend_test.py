"""A fleet over a weekend: a list of devices, their requests by SFTP, a run that the clock starts, that a
rule stops, that is killed and gone on with; and the same requests once more a week later.

CMPOST_WEEKEND: how many devices have sent a request (default 400; 12000 by scripts/soak.sh weekend).
"""

import collections
import csv
import json
import os
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

from instance import PROGRAM, InstanceTest, eventually, run
from sftp_server import SftpServer

MANY = int(os.environ.get("CMPOST_WEEKEND", "400"))
WRONG, STRANGERS, TWICE, SILENT = 9, 5, 6, 29
MAKE_REQUESTS = os.environ.get("MAKE_REQUESTS") or (
    os.environ["CMPOST_BUILD"] + "/tests/bench/make_requests")
PATIENCE = 60 + MANY / 20  # seconds

CHANNEL = """
[[channel]]
name     = "fleet"
kind     = "sftp"
fetch    = "{fetch}"
send     = "{send}"
login    = {{ key_file = "{key}" }}
known_hosts = "secrets/known_hosts"
poll     = "200ms"
ready    = "rename"
settle   = "500ms"
profiles = ["device"]
devices  = "listed"
waiting  = "never"

[[run]]
name     = "weekend"
channels = ["fleet"]
report   = "reports"
at       = "* * * * *"
stop_if  = "rejected > {most}"
rate     = "{rate}/s"
"""


class Weekend(InstanceTest):
    serve = False

    def setUp(self):
        place = tempfile.TemporaryDirectory(prefix="cmpost-weekend-")
        self.addCleanup(place.cleanup)
        Path(place.name).chmod(0o755)
        self.server = SftpServer(Path(place.name) / "server")
        self.addCleanup(self.server.stop)
        super().setUp()

    def prepare(self):
        (self.instance.directory / "secrets/known_hosts").write_text(self.server.known_hosts())
        (self.instance.directory / "reports").mkdir()
        self.settings = self.instance.directory / "cmpost.toml"
        self.instance.set_in("[[profile]]", "reuse_key", '"deny"')
        self.plain = self.settings.read_text()
        self.stop_at(5)
        self.make_fleet()

    def stop_at(self, most):
        self.settings.write_text(self.plain + CHANNEL.format(
            fetch=self.server.url("in"), send=self.server.url("out"), key=self.server.key, most=most,
            rate=max(MANY // 6, 50)))  # slow enough to be killed in the middle

    def make_fleet(self):
        """Who sends what: the first ones are those of whom something is to be told."""
        names = [f"gw-{number:05}" for number in range(MANY)]
        self.strangers = names[:STRANGERS]
        self.wrong = names[STRANGERS:STRANGERS + WRONG]
        self.twice = names[STRANGERS + WRONG:STRANGERS + WRONG + TWICE]
        self.good = names[STRANGERS + WRONG + TWICE:]
        self.silent = [f"silent-{number}" for number in range(SILENT - TWICE)]
        self.requests = self.workshop / "requests"
        lines = [self.line(name) for name in names]
        file = self.workshop / "fleet.txt"
        file.write_text("".join(lines))
        run(MAKE_REQUESTS, self.requests, MANY, "fleet", file, timeout=600)
        listed = [name for name in names if name not in self.strangers] + self.silent
        self.list = self.workshop / "devices.csv"
        self.list.write_text("name;secret;site\n" + "".join(
            f"{name};{self.secret(name)};depot {len(name) % 3}\n" for name in listed))
        self.instance.cmpost("device", "import", self.list, "--yes")
        for name in self.strangers:
            self.instance.add_secret(name, self.secret(name), "--channel", "fleet")

    def secret(self, name):
        return f"a-long-secret-of-{name}"

    def line(self, name):
        """What make_requests makes a request of."""
        secret = "another-secret-than-listed" if name in self.wrong else self.secret(name)
        key = self.good[self.twice.index(name)] if name in self.twice else name
        return f"{name} {secret} {key}\n"

    def send(self):
        for file in self.requests.iterdir():
            self.server.put(file.name, file.read_bytes())

    def runs(self):
        return {one["number"]: one for one in self.instance.json("report", "list")}

    def ended(self, number, state):
        return eventually(lambda: (run := self.runs().get(number)) and run["state"] == state and run,
                          f"run {number} to be {state}", PATIENCE)

    def report(self, number):
        place = self.instance.directory / "reports" / f"weekend-{number}"
        eventually(place.exists, f"report {number}", PATIENCE)
        run("sha256sum", "-c", "SHA256SUMS", cwd=place)
        run("openssl", "cms", "-verify", "-binary", "-inform", "DER", "-content", "SHA256SUMS",
            "-in", "SHA256SUMS.p7s", "-CAfile", self.instance.ca, "-purpose", "any",
            "-out", "/dev/null", cwd=place)
        with open(place / "report.csv", newline="") as lines:
            rows = list(csv.DictReader(lines))
        facts = json.loads((place / "report.json").read_text())
        self.assertEqual(len(rows), len(facts["items"]))
        return rows, facts

    def answers(self):
        """Name of the device -> bodies of the answers that lie there."""
        found = collections.defaultdict(list)
        for file in (self.server.files / "out").glob("*.pki"):
            name, body, _ = file.name.rsplit(".", 2)
            found[name].append(body)
        return found

    def subjects(self):
        return collections.Counter(one["subject"] for one in
                                   self.instance.json("cert", "list", "--channel", "fleet", "--all"))

    def test_each_device_gets_what_is_its_own_and_nobody_anything_twice(self):
        self.send()
        self.instance.serve()
        self.ended(1, "stopped")
        rows, _ = self.report(1)
        stopped_with = collections.Counter(row["result"] for row in rows)
        self.assertGreater(stopped_with["refused"], 5)
        self.instance.stop()
        self.stop_at(len(self.wrong) + len(self.twice) + 1)
        going_on = subprocess.Popen(
            [PROGRAM, "run", "weekend", "--go-on", "an old list of secrets", "--json"],
            cwd=self.instance.directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(going_on.kill)
        before = len(self.answers())
        eventually(lambda: len(self.answers()) > before, "an answer of the second run", PATIENCE)
        going_on.send_signal(signal.SIGKILL)
        going_on.wait()
        self.assertEqual("under way", self.runs()[2]["state"])
        self.instance.serve()
        self.ended(2, "done")
        self.instance.stop()
        self.assertEqual(1, self.runs()[2]["resumed"])
        self.check_what_became_of_all()
        self.check_that_again_changes_nothing()

    def check_what_became_of_all(self):
        rows = [row for number in (1, 2) for row in self.report(number)[0]]
        results = {Path(row["source"]).stem: row["result"] for row in rows}
        self.assertEqual(MANY, len(rows), "each request stands in one report")
        issued = set(self.good) | set(self.twice)
        came_to = collections.defaultdict(set)
        for name, result in results.items():
            came_to[result].add(name)
        self.assertEqual(set(self.strangers), came_to["waiting"])
        self.assertEqual(len(self.wrong) + TWICE, len(came_to["refused"]))
        self.assertLessEqual(set(self.wrong), came_to["refused"])
        # One of each two with the same key; which one, the order of arrival says.
        pairs = dict(zip(self.twice, self.good))
        self.assertEqual(TWICE, sum((one in came_to["refused"]) != (other in came_to["refused"])
                                    for one, other in pairs.items()))
        self.assertEqual(issued - came_to["refused"], came_to["granted"])
        self.check_ledger(came_to)
        self.check_list(came_to)
        bodies = self.answers()
        self.assertEqual(came_to["granted"] | came_to["refused"], set(bodies))
        self.assertEqual({1}, {len(each) for each in bodies.values()})

    def check_ledger(self, came_to):
        subjects = self.subjects()
        self.assertEqual({f"CN={name}" for name in came_to["granted"]}, set(subjects))
        self.assertEqual({1}, set(subjects.values()))

    def check_list(self, came_to):
        """What the list of devices says is what the reports say."""
        states = {one["name"]: one["state"] for one in self.instance.json("device", "list")}
        with_certificate = {name for name, state in states.items()
                            if state in ("issued", "confirmed")}
        self.assertEqual(came_to["granted"], with_certificate)
        for name in self.silent:
            self.assertIn(states[name], ("listed", "invited"), name)

    def check_that_again_changes_nothing(self):
        before = self.subjects()
        answers = {file.name: file.read_bytes() for file in (self.server.files / "out").glob("*.pki")}
        for file in (self.server.files / "out").glob("*.pki"):
            file.unlink()
        self.send()
        done = self.instance.cmpost("run", "weekend", "--json", check=False)
        self.assertIn(done.returncode, (0, 2), done.stderr)
        self.assertEqual(before, self.subjects())
        again = {file.name: file.read_bytes() for file in (self.server.files / "out").glob("*.pki")}
        for name in set(again) & set(answers):
            if not name.endswith(".error.pki"):
                self.assertEqual(answers[name], again[name], name)


if __name__ == "__main__":
    unittest.main()
