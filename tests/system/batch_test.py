"""Batches: a set of requests with a list of what it should be, run, killed at each step."""

import csv
import io
import json
import os
import shutil
import subprocess
import unittest
import zipfile

from instance import ANYTHING, PROGRAM, InstanceTest, eventually, run


class Batches(InstanceTest):
    serve = False

    def prepare(self):
        self.site = self.workshop / "site"
        self.site.mkdir()
        self.answers = self.workshop / "answers"

    def bring(self, *names):
        """Requests of devices, as the site sends them."""
        for name in names:
            shutil.copy(self.request(name), self.site / f"{name}.pki")

    def bring_bad(self, name, secret="another secret"):
        self.key(name)
        self.offline_client(name, "-rspin", "/dev/null", "-reqout", self.site / f"{name}.pki",
                            "-secret", f"pass:{secret}", check=False)

    def bring_with_key_of(self, name, other):
        shutil.copy(self.workshop / f"{other}.key", self.workshop / f"{name}.key")
        self.offline_client(name, "-rspin", "/dev/null", "-reqout", self.site / f"{name}.pki",
                            check=False)

    def manifest(self, *rows, header="name"):
        file = self.workshop / "devices.csv"
        file.write_text("".join(line + "\n" for line in (header, *rows)))
        return file

    def batch(self, *words, code=0, environment=None):
        done = subprocess.run(
            [PROGRAM, "batch", *(str(word) for word in words)], cwd=self.instance.directory,
            capture_output=True, text=True, timeout=120,
            env={**os.environ, **(environment or {})})
        self.assertEqual(code, done.returncode, done.stdout + done.stderr)
        return done

    def create(self, name, *more, code=0, **others):
        done = self.batch("create", name, "--from", self.site, "--channel", "drop", "--json", *more,
                          code=code, **others)
        return json.loads(done.stdout) if code in (0, 2) else done.stderr

    def run_batch(self, name, *more, code=0, **others):
        done = self.batch("run", name, "--json", *more, code=code, **others)
        return json.loads(done.stdout) if code in (0, 2) else done.stderr

    def items(self, name, *more):
        shown = json.loads(self.batch("show", name, "--json", *more).stdout)
        return {one["file"]: one for one in shown["shown"]}

    def assert_sums(self, value):
        self.assertEqual(value["items"], sum(value["states"].values()))
        self.assertEqual(value["items"], sum(value["findings"].values()))


class Made(Batches):
    def test_a_set_is_held_against_its_list(self):
        self.bring("dev1", "dev2", "dev3", "dev4")
        self.bring_with_key_of("dev5", "dev4")
        shutil.copy(self.site / "dev1.pki", self.site / "dev1-again.pki")
        (self.site / "notes.txt").write_text("a list of nothing")
        listed = self.manifest("dev1", "dev2", "dev4", "dev5", "dev6", "dev2")
        made = self.create("weekend", "--manifest", listed, code=2)
        self.assertTrue(made["created"])
        self.assert_sums(made)
        found = {name: one["finding"] for name, one in self.items("weekend").items()}
        self.assertEqual("good", found["dev1.pki"] if found["dev1.pki"] == "good"
                         else found["dev1-again.pki"])
        self.assertEqual({"dev2.pki": "good", "dev3.pki": "extra", "dev4.pki": "same-key",
                          "dev5.pki": "same-key", "dev6": "missing", "notes.txt": "unreadable"},
                         {name: what for name, what in found.items()
                          if name in ("dev2.pki", "dev3.pki", "dev4.pki", "dev5.pki", "dev6",
                                      "notes.txt")})
        self.assertEqual(2, made["findings"]["duplicate"], "a file and a row")
        self.assertIn("dev5.pki", self.items("weekend")["dev4.pki"]["detail"])
        # What is wrong with these keeps nothing else back.
        ran = self.run_batch("weekend", "--to", self.answers, code=2)
        self.assertEqual(2, ran["states"]["granted"])
        self.assert_sums(ran)
        self.accept_file("dev2", self.answers / "dev2.ip.pki")
        self.assertEqual(2, len(list(self.answers.iterdir())))
        self.assertFalse(list(self.instance.answers.iterdir()), "the way out of the channel")

    def test_what_differs_from_its_row_or_is_extra_is_taken_by_those_who_say_so(self):
        self.bring("dev1", "dev2", "dev3")
        listed = self.manifest("dev1.pki,CN=dev1", "dev2.pki,CN=other*", header="file,subject")
        made = self.create("one", "--manifest", listed, code=2)
        self.assertEqual([1, 1, 1], [made["findings"][word] for word in ("good", "extra", "differs")])
        taken = self.create("two", "--manifest", listed, "--take", "extra", "differs", code=2)
        self.assertEqual([1, 1, 1], [taken["findings"][word]
                                     for word in ("known", "extra", "differs")])
        self.assertEqual(2, taken["states"]["ready"])

    def test_the_same_set_again_is_told_and_does_nothing(self):
        self.bring("dev1")
        self.create("weekend")
        self.run_batch("weekend")
        self.instance.answer("dev1")
        again = self.create("monday")
        self.assertEqual(["weekend", False], [again["batch"], again["created"]])
        self.bring("dev2")
        self.assertIn("of another set", self.create("weekend", code=64))
        more = self.create("monday", code=2)
        self.assertEqual([1, 1], [more["findings"]["known"], more["findings"]["good"]])
        self.assertIn("weekend", self.items("monday")["dev1.pki"]["detail"])

    def test_what_the_ledger_has_had_is_known(self):
        self.bring("dev1")
        self.instance.put("first.pki", (self.site / "dev1.pki").read_bytes())
        self.instance.cmpost("run")
        made = self.create("weekend", code=2)
        self.assertEqual(1, made["findings"]["known"])
        self.assertIn("it came on", self.items("weekend")["dev1.pki"]["detail"])

    def test_a_zip_is_a_set_too(self):
        self.bring("dev1", "dev2")
        packed = self.workshop / "set.zip"
        with zipfile.ZipFile(packed, "w") as archive:
            for name in ("dev1", "dev2"):
                archive.write(self.site / f"{name}.pki", f"site/{name}.pki")
            archive.writestr("../dev3.pki", "x")
        made = json.loads(self.batch("create", "weekend", "--from", packed, "--channel", "drop",
                                     "--manifest", self.manifest("dev1", "dev2"), "--json",
                                     code=2).stdout)
        self.assertEqual([2, 1], [made["findings"][word] for word in ("good", "unreadable")])
        self.assertIn("leads upwards", self.items("weekend")["../dev3.pki"]["detail"])
        self.run_batch("weekend", "--to", self.answers, code=2)
        self.accept_file("dev1", self.answers / "dev1.ip.pki")
        packed.write_bytes(packed.read_bytes()[:-30])
        broken = self.batch("create", "monday", "--from", packed, "--channel", "drop", code=1)
        self.assertIn("is no ZIP file, or is cut off", broken.stderr)

    def test_mistakes_are_told(self):
        self.bring("dev1")
        bad = self.manifest("x", header="nmae")
        self.assertIn("did you mean 'name'?", self.create("weekend", "--manifest", bad, code=1))
        self.assertIn("there is no batch", self.batch("show", "weekend", code=64).stderr)
        self.assertIn("is called by", self.batch("show", "../x", code=64).stderr)
        none = self.batch("create", "weekend", "--from", self.site, "--channel", "drpo", code=1)
        self.assertIn("did you mean 'drop'?", none.stderr)


class Run(Batches):
    def test_each_item_tells_what_has_become_of_it(self):
        self.bring("dev1", "dev2")
        self.bring_bad("bad")
        self.create("weekend", "--manifest", self.manifest("dev1", "dev2", "bad", "late"), code=2)
        ran = self.run_batch("weekend", code=2)
        self.assertEqual([2, 1, 1], [ran["states"][word] for word in ("granted", "refused", "missing")])
        self.assert_sums(ran)
        self.instance.answer("dev1")
        items = self.items("weekend")
        self.assertEqual(["refused", "badMessageCheck"],
                         [items["bad.pki"][key] for key in ("state", "failInfo")])
        serials = {one["serial"] for one in self.certificates()}
        self.assertEqual(serials, {items[f"{name}.pki"]["certificates"][0]
                                   for name in ("dev1", "dev2")})
        self.assertEqual(["bad.pki"], list(self.items("weekend", "--state", "refused")))
        rows = list(csv.DictReader(io.StringIO(self.batch("show", "weekend", "--csv").stdout)))
        self.assertEqual(4, len(rows))
        self.assertIn("... and 3 more", self.batch("show", "weekend", "--limit", "1").stdout)
        events = {one["event"] for one in self.instance.json("audit", "show")}
        self.assertLessEqual({"batch.created", "batch.started", "batch.ended"}, events)
        # Nothing is left to do.
        self.assertEqual(ran["states"], self.run_batch("weekend", code=2)["states"])
        self.assertEqual(2, len(self.certificates()))

    def test_what_waits_for_people_is_granted_later(self):
        self.instance.set_in_channel("approve", '"one"')
        self.bring("dev1")
        self.create("weekend")
        ran = self.run_batch("weekend", "--to", self.answers, code=2)
        self.assertEqual(1, ran["states"]["waiting"])
        tid = self.items("weekend")["dev1.pki"]["tid"]
        self.instance.cmpost("approve", tid)
        self.assertEqual(1, self.run_batch("weekend")["states"]["granted"])
        self.accept_file("dev1", self.answers / "dev1.ip.pki")

    def test_a_service_on_the_channel_leaves_it_alone_until_it_is_run(self):
        self.bring("dev1")
        self.instance.serve()
        self.create("weekend")
        self.assertEqual([], self.certificates())
        self.batch("run", "weekend", "--to", self.answers)
        eventually(lambda: list(self.answers.glob("dev1.*")), "the answer")
        self.instance.stop()

    def test_one_that_is_dropped_is_not_run(self):
        self.bring("dev1")
        self.create("weekend")
        self.batch("drop", "weekend", "--reason", "the site sends another one")
        self.assertIn("was dropped", self.run_batch("weekend", code=64))
        self.create("monday")


class Retried(Batches):
    def test_what_was_refused_without_a_transaction_is_judged_anew(self):
        self.bring("dev1")
        self.bring_bad("bad", "the secret of tomorrow")
        self.create("weekend")
        self.run_batch("weekend", code=2)
        self.instance.cmpost("secret", "remove", "dev1")
        self.instance.add_secret("dev1", "the secret of tomorrow", *ANYTHING)
        again = json.loads(self.batch("retry", "weekend", "--only", "refused", "--json").stdout)
        self.assertEqual(["bad.pki"], [one["file"] for one in again["ready"]])
        ran = self.run_batch("weekend")
        self.assertEqual(2, ran["states"]["granted"])
        self.assertEqual(2, self.items("weekend")["bad.pki"]["attempt"])

    def test_where_a_transaction_has_its_answer_the_site_makes_a_new_request(self):
        self.key("dev1")
        refused = self.site / "dev1.pki"
        self.offline_client("dev1", "-rspin", "/dev/null", "-reqout", refused, "-popo", "0",
                            check=False)
        self.create("weekend", "--manifest", self.manifest("dev1", "dev2"), code=2)
        self.run_batch("weekend", code=2)
        self.assertEqual("refused", self.items("weekend")["dev1.pki"]["state"])
        stays = json.loads(self.batch("retry", "weekend", "--json", code=2).stdout)
        self.assertIn("has to make a new one", stays["cannot"][0]["reason"])
        fresh = self.workshop / "fresh"
        fresh.mkdir()
        for name in ("dev1", "dev2"):
            shutil.copy(self.request(name), fresh / f"{name}.pki")
        again = json.loads(self.batch("retry", "weekend", "--from", fresh, "--json", code=2).stdout)
        self.assertEqual(["dev1.pki"], [one["file"] for one in again["ready"]])
        self.assertEqual(["dev2.pki"], [one["file"] for one in again["cannot"]])
        late = json.loads(self.batch("retry", "weekend", "--only", "missing", "--from", fresh,
                                     "--json", code=2).stdout)
        self.assertEqual(["dev2.pki"], [one["file"] for one in late["ready"]])
        ran = self.run_batch("weekend")
        self.assertEqual([2, 2], [ran["items"], ran["states"]["granted"]])
        self.accept_file("dev1", max(self.instance.answers.glob("dev1.*"),
                                     key=lambda file: file.stat().st_mtime_ns))


class Confirmed(Batches):
    def explicit(self, name, *more):
        """A request whose device confirms."""
        if not (self.workshop / f"{name}.key").exists():
            self.key(name)
        return run("openssl", "cmp", "-config", "", "-cmd", "ir", "-newkey",
                   self.workshop / f"{name}.key", "-subject", f"/CN={name}", "-recipient", "/CN=CA",
                   *self.with_secret(), "-certout", self.workshop / f"{name}.pem", *more,
                   check=False)

    def test_what_devices_have_made_of_their_certificates_is_told(self):
        self.bring("silent")
        for name in ("good", "late", "lost"):
            self.explicit(name, "-rspin", "/dev/null", "-reqout", self.site / f"{name}.pki")
        self.create("weekend")
        self.run_batch("weekend", "--to", self.answers)
        told = json.loads(self.batch("confirmations", "weekend", "--json").stdout)
        self.assertEqual([4, 1, 3], [told["certificates"], told["states"]["not-needed"],
                                     told["states"]["awaited"]])
        self.key("lost")  # another one: the device refuses what is for the former
        for name in ("good", "lost"):
            confirmation = self.workshop / f"{name}.conf"
            self.explicit(name, "-rspin", f"{self.answers / f'{name}.ip.pki'} /dev/null",
                          "-reqout", f"{self.workshop / 'unused.pki'} {confirmation}")
            self.instance.put(f"{name}-conf.pki", confirmation.read_bytes())
        self.instance.cmpost("run")
        told = json.loads(self.batch("confirmations", "weekend", "--json").stdout)
        states = {one["file"]: one["state"] for one in told["shown"]}
        self.assertEqual({"silent.pki": "not-needed", "good.pki": "confirmed",
                          "late.pki": "awaited", "lost.pki": "refused"}, states)
        reasons = {one["file"]: one["reason"] for one in told["shown"]}
        self.assertIn("does not match our enrollment key", reasons["lost.pki"])
        self.assertEqual(4, sum(told["states"].values()))
        only = json.loads(self.batch("confirmations", "weekend", "--state", "awaited",
                                     "--json").stdout)
        self.assertEqual(["late.pki"], [one["file"] for one in only["shown"]])


class BesideOthers(Batches):
    """A batch and what else is on its channel, or in its queue."""

    def test_what_is_held_is_not_refused(self):
        self.bring("dev1", "dev2")
        self.create("weekend")
        killed = subprocess.run(
            [PROGRAM, "batch", "run", "weekend", "--to", self.answers],
            cwd=self.instance.directory, capture_output=True, timeout=60,
            env={**os.environ, "CMPOST_CRASH_AT": "batch.put_noted:1"})
        self.assertLess(killed.returncode, 0)
        settings = self.instance.directory / "cmpost.toml"
        before = settings.read_text()
        settings.write_text(before.replace('"drop"', '"other"'))
        self.instance.cmpost("run", check=False)
        settings.write_text(before)
        items = self.items("weekend")
        self.assertEqual({"held"}, {one["state"] for one in items.values()})
        for job in self.instance.json("queue", "list", "--state", "held"):
            self.instance.cmpost("queue", "release", job["id"])
        ran = self.run_batch("weekend", "--to", self.answers)
        self.assertEqual(2, ran["states"]["granted"])
        self.assertEqual(2, len(self.certificates()))

    def test_what_was_lost_with_its_queue_is_put_again(self):
        self.bring("dev1", "dev2")
        self.create("weekend")
        killed = subprocess.run(
            [PROGRAM, "batch", "run", "weekend", "--to", self.answers],
            cwd=self.instance.directory, capture_output=True, timeout=60,
            env={**os.environ, "CMPOST_CRASH_AT": "batch.put_noted:1"})
        self.assertLess(killed.returncode, 0)
        for file in self.instance.directory.glob("spool.db*"):
            file.unlink()
        self.instance.cmpost("queue", "new")
        self.assertEqual({"ready"}, {one["state"] for one in self.items("weekend").values()})
        ran = self.run_batch("weekend", "--to", self.answers)
        self.assertEqual(2, ran["states"]["granted"])
        self.assertEqual(2, len(list(self.answers.iterdir())))
        self.assertEqual(2, len(self.certificates()))

    def test_a_run_that_was_stopped_does_not_go_on_by_a_batch(self):
        settings = self.instance.directory / "cmpost.toml"
        settings.write_text(settings.read_text() + """
[[run]]
name     = "night"
channels = ["drop"]
stop_if  = "rejected > 0"
""")
        self.bring_bad("bad")
        os.rename(self.site / "bad.pki", self.instance.drop / "bad.pki")
        self.instance.cmpost("run", "night", check=False)
        self.instance.put("dev2.pki", self.request("dev2").read_bytes())
        self.bring("dev1")
        self.create("weekend")
        self.assertIn("was stopped on channel drop", self.run_batch("weekend", code=64))
        self.assertEqual([], self.certificates())
        self.instance.cmpost("run", "night", "--go-on", "an old secret")
        self.run_batch("weekend")


class Killed(Batches):
    def test_while_it_is_made(self):
        self.bring(*(f"dev{number}" for number in range(4)))
        listed = self.manifest("dev0", "dev1", "dev2", "dev3", "dev4")

        def make(environment):
            done = subprocess.run(
                [PROGRAM, "batch", "create", "weekend", "--from", self.site, "--manifest", listed,
                 "--channel", "drop"], cwd=self.instance.directory, capture_output=True,
                env={**os.environ, **environment}, timeout=60)
            return done.returncode

        # Each of them goes on where the one before was ended.
        for step in ("batch.begun", "batch.stored", "batch.created"):
            self.assertLess(make({"CMPOST_CRASH_AT": f"{step}:1"}), 0, step)
        made = self.create("weekend", "--manifest", listed)
        self.assertFalse(made["created"])
        self.assertEqual([5, 4, 1], [made["items"], made["states"]["ready"],
                                     made["states"]["missing"]])
        self.assertEqual(1, len(self.instance.json("audit", "show", "--event", "batch.created")))

    def test_while_it_is_run(self):
        names = [f"dev{number}" for number in range(3)]
        self.bring(*names)
        self.bring_bad("bad")
        self.create("weekend")

        def work(environment):
            done = subprocess.run(
                [PROGRAM, "batch", "run", "weekend", "--to", self.answers],
                cwd=self.instance.directory, capture_output=True,
                env={**os.environ, **environment}, timeout=60)
            return done.returncode

        killed = sum(1 for number in range(1, 60)
                     if work({"CMPOST_CRASH_AT": str(number)}) < 0)
        self.assertGreater(killed, 5)
        ran = self.run_batch("weekend", "--to", self.answers, code=2)
        self.assertEqual([4, 3, 1], [ran["items"], ran["states"]["granted"],
                                     ran["states"]["refused"]])
        self.assertEqual(3, len(self.certificates()), "nothing is issued twice")
        self.assertEqual(4, len(list(self.answers.iterdir())))
        for name in names:
            self.accept_file(name, self.answers / f"{name}.ip.pki")


if __name__ == "__main__":
    unittest.main()
