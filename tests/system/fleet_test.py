"""Somebody else's list of things, held against the certificates in force."""

import csv
import json
import subprocess
import unittest

from instance import PROGRAM, InstanceTest


class Diff(InstanceTest):
    serve = False

    def prepare(self):
        self.assets = self.workshop / "cmdb.csv"

    def enrol_all(self, *names):
        for name in names:
            self.instance.put(f"{name}.pki", self.request(name).read_bytes())
        self.instance.cmpost("run")

    def diff(self, *words, code=2):
        done = subprocess.run([PROGRAM, "fleet", "diff", "--assets", self.assets, *words],
                              cwd=self.instance.directory, capture_output=True, text=True)
        self.assertEqual(code, done.returncode, done.stdout + done.stderr)
        return done

    def found(self, *words, code=2):
        return {(one["finding"], one["name"] or one["certificate"]["subject"])
                for one in json.loads(self.diff(*words, "--json", code=code).stdout)}

    def test_each_difference_is_told_and_agreement_too(self):
        self.enrol_all("gw-1", "gw-2", "gw-3", "gw-4")
        listed = {one["subject"]: one["serial"] for one in self.instance.json("cert", "list")}
        self.instance.cmpost("cert", "revoke", listed["CN=gw-3"])
        self.assets.write_text("Host;profile\ngw-1;device\nGW-2;server\ngw-3;\ngw-9;\n")
        self.assertEqual(
            {("wrong profile", "GW-2"), ("missing", "gw-3"), ("missing", "gw-9"),
             ("orphaned", "CN=gw-4")}, self.found("--name-column", "host"))
        self.assertIn(("expiring", "gw-1"),
                      self.found("--name-column", "host", "--expires-within", "400d"))
        said = self.diff("--name-column", "host").stdout
        self.assertIn("2 missing, 1 wrong profile, 1 orphaned", said)
        self.assets.write_text("name\n" + "".join(f"gw-{n}\n" for n in (1, 2, 4)))
        self.assertIn("agree", self.diff(code=0).stdout)

    def test_what_is_missing_becomes_a_list_that_can_be_imported(self):
        self.enrol_all("gw-1")
        self.assets.write_text("name,profile\ngw-1,\ngw-2,device\n=gw-3,\n")
        target = self.workshop / "missing.csv"
        self.diff("--make-batch", "december", "--to", target)
        with open(target, newline="") as lines:
            self.assertEqual(["gw-2", "'=gw-3"], [row["name"] for row in csv.DictReader(lines)])
        self.instance.cmpost("device", "import", target, "--yes")
        listed = {one["name"]: one["batch"] for one in self.instance.json("device", "list")}
        self.assertEqual({"gw-2": "december", "=gw-3": "december"}, listed)
        self.diff("--make-batch", "december", "--to", target, code=1)  # is there already

    def test_mistakes_are_told(self):
        self.assets.write_text("host\ngw-1\n")
        self.assertIn("--name-column", self.diff(code=1).stderr)
        self.assertIn("belong together", self.diff("--to", "x.csv", code=64).stderr)
        self.assets.unlink()
        self.assertIn("cannot read", self.diff(code=1).stderr)


if __name__ == "__main__":
    unittest.main()
