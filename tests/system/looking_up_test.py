"""What operators can look up: refused requests, lists, who has done what; and four eyes by accounts."""

import json
import os
import pty
import pwd
import shutil
import subprocess
import unittest

from instance import PROGRAM, SECRET, InstanceTest, run


class LookingUp(InstanceTest):
    serve = False

    def request(self, name, reference="dev1", secret=SECRET, subject="/CN=dev1"):
        """A request by way of a file in `in`, and one batch."""
        key, csr, wanted = (self.workshop / f"{name}.{kind}" for kind in ("key", "csr", "pki"))
        run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-keyout", key, "-subj", subject, "-out", csr)
        run("openssl", "cmp", "-config", "", "-cmd", "p10cr", "-csr", csr, "-recipient", "/CN=CA",
            "-ref", reference, "-secret", f"pass:{secret}", "-implicit_confirm", "-certout",
            self.workshop / f"{name}.pem", "-rspin", "/dev/null", "-reqout", wanted, check=False)
        self.instance.put(f"{name}.pki", wanted.read_bytes())
        self.instance.cmpost("run", check=False)
        return wanted

    def setUp(self):
        super().setUp()
        self.instance.cmpost("secret", "remove", "dev1", check=False)
        self.instance.add_secret("dev1", SECRET, "--uses", "1", "--subject", "CN=dev1", "--channel",
                                 "any")

    def transactions(self, *more):
        return self.instance.json("transaction", "list", *more)

    def explain(self, what):
        return self.instance.cmpost("transaction", "explain", what).stdout


class Refused(LookingUp):
    def test_what_became_no_transaction_is_listed_and_explained(self):
        self.request("wrong", secret="a wrong secret")
        (refused,) = self.transactions()
        self.assertEqual("refused", refused["state"])
        self.assertEqual("mac:dev1", refused["requester"])
        self.assertFalse(refused["requester_known"])
        self.assertIn("wrong.pki", refused["source"])
        self.assertEqual("badMessageCheck", refused["failInfo"])
        self.assertIn("claims mac:dev1", self.instance.cmpost("transaction", "list").stdout)
        for name in (refused["tid"], refused["tid"][:7], "wrong.pki"):
            said = self.explain(name)
            self.assertIn("failed  protection and sender: badMessageCheck", said, name)
            self.assertIn("the MAC is wrong", said)

    def test_each_is_told_as_it_was_at_its_time(self):
        self.request("first")
        self.request("second")
        refused, granted = self.transactions()
        self.assertEqual(["refused", "closed"], [refused["state"], granted["state"]])
        self.assertNotIn("failed", self.explain("first.pki"))
        self.assertNotIn("used up", self.explain(granted["tid"]))
        self.assertIn("used up", self.explain("second.pki"))
        self.instance.cmpost("secret", "remove", "dev1")
        self.assertNotIn("failed", self.explain("first.pki"))
        self.assertIn("used up", self.explain("second.pki"))
        serial = granted["certificates"][0]["serial"]
        self.assertNotIn("failed", self.explain(serial))
        self.assertNotIn("failed", self.explain(serial[:10]))

    def test_what_is_no_message_is_listed_too(self):
        self.instance.put("junk.pki", b"\x30\x03\x02\x01\x05")
        self.instance.cmpost("run", check=False)
        self.assertIn("junk.pki", self.transactions("--state", "refused")[0]["source"])


class Lists(LookingUp):
    def test_a_list_is_filtered_sorted_and_says_where_it_is_cut(self):
        for number in range(5):
            self.request(f"wrong{number}", secret="a wrong secret", subject=f"/CN=dev{number}")
        self.assertEqual(5, len(self.transactions()))
        cut = self.instance.cmpost("transaction", "list", "--limit", "2").stdout.splitlines()
        self.assertEqual("... and 3 more: --limit, --offset", cut[-1])
        self.assertEqual(["CN=dev4", "CN=dev3"],
                         [row["subject"] for row in self.transactions("--limit", "2")])
        self.assertEqual(["CN=dev0", "CN=dev1"], [row["subject"] for row in self.transactions(
            "--sort", "subject", "--limit", "2")])
        self.assertEqual(["CN=dev2"], [row["subject"] for row in self.transactions(
            "--oldest", "--limit", "1", "--offset", "2")])
        self.assertEqual(1, len(self.transactions("--subject", "DEV3")))
        self.assertEqual(1, len(self.transactions("--source", "wrong2")))
        self.assertEqual(5, len(self.transactions("--reason", "badMessageCheck", "--since", "1h")))
        self.assertEqual(0, len(self.transactions("--until", "1h")))
        lines = self.instance.cmpost("transaction", "list", "--json-lines").stdout.splitlines()
        self.assertEqual(5, len([json.loads(line) for line in lines]))
        for command in (("cert", "list"), ("queue", "list"), ("audit", "show"), ("secret", "list"),
                        ("crl", "list"), ("announcement", "list")):
            rows = self.instance.json(*command)
            lines = self.instance.cmpost(*command, "--json-lines").stdout.splitlines()
            self.assertEqual(rows, [json.loads(line) for line in lines], command)
            if len(rows) > 1:
                newest = self.instance.json(*command, "--newest", "--limit", "1")
                self.assertNotEqual(rows[:1], newest, command)
        self.assertEqual(64, self.instance.cmpost("cert", "list", "--limit", "-1",
                                                  check=False).returncode)

    def test_a_message_that_came_again_is_found_by_its_other_name(self):
        first = self.request("first")
        for name in ("again.pki", "again.pki", "first.pki"):
            self.instance.put(name, first.read_bytes())
            self.instance.cmpost("run")
        (found,) = self.transactions("--source", "again")
        self.assertEqual("first.pki", found["source"])
        shown = self.instance.cmpost("transaction", "show", "again.pki").stdout
        self.assertIn("came as first.pki, also as again.pki", shown)

    def test_a_whole_name_finds_no_other(self):
        self.request("first")
        self.request("very-first", subject="/CN=dev2")
        self.assertIn("came as first.pki",
                      self.instance.cmpost("transaction", "show", "first.pki").stdout)

    def test_the_beginning_of_an_id_is_enough(self):
        self.request("first")
        (certificate,) = self.instance.json("cert", "list", "--subject", "CN=dev1")
        (shown,) = self.instance.json("cert", "show", certificate["serial"][:20])
        self.assertEqual(certificate["serial"], shown["serial"])
        several = self.instance.cmpost("cert", "show", certificate["serial"][:1], check=False)
        self.assertEqual(1, several.returncode)
        self.assertIn(certificate["serial"], several.stderr)
        job = self.instance.json("queue", "list", "--queue", "requests")[0]["id"]
        self.assertEqual(job, self.instance.json("queue", "show", job[:12])[0]["id"])

    def test_a_table_is_as_wide_as_the_terminal(self):
        self.request("a-rather-long-name-for-a-file-that-nobody-would-choose")
        main, terminal = pty.openpty()
        subprocess.run(["stty", "cols", "100"], stdin=terminal, check=True)
        listing = subprocess.Popen([PROGRAM, "queue", "list"], stdout=terminal,
                                   cwd=self.instance.directory)
        os.close(terminal)
        shown = b""
        try:
            while octets := os.read(main, 65536):
                shown += octets
        except OSError:
            pass  # Linux says so at the end
        self.assertEqual(0, listing.wait())
        lines = shown.decode().splitlines()
        self.assertGreater(len(lines), 2)
        self.assertLessEqual(max(len(line) for line in lines), 100)
        self.assertIn("…", shown.decode())
        whole = self.instance.cmpost("queue", "list").stdout
        self.assertIn("nobody-would-choose.pki", whole)


class Persons(LookingUp):
    def records(self, event):
        return [record["detail"] for record in
                self.instance.json("audit", "show", "--event", event)]

    def test_every_act_of_an_operator_has_its_person(self):
        self.request("first")
        (certificate,) = self.instance.json("cert", "list", "--subject", "CN=dev1")
        self.instance.put("junk.pki", b"\x30\x03\x02\x01\x05")
        self.instance.cmpost("run", check=False)
        (job,) = self.instance.json("queue", "list", "--state", "held")
        by = ("--as", "Anna", "--comment", "ticket 7")
        environment = {**os.environ, "SUDO_USER": "anna"}
        for command in (("secret", "add", "dev2"), ("secret", "unlock", "dev2"),
                        ("secret", "remove", "dev2"), ("cert", "revoke", certificate["serial"]),
                        ("crl", "issue"), ("queue", "drop", job["id"], "--reason", "junk"),
                        ("ca", "rollover")):
            run(PROGRAM, *command, *by, cwd=self.instance.directory, env=environment)
        account = pwd.getpwuid(os.getuid()).pw_name
        for event in ("secret.added", "secret.unlocked", "secret.removed", "certificate.revoked",
                      "crl.ordered", "job.drop", "ca.rollover"):
            record = self.records(event)[-1]
            self.assertEqual((account, os.getuid(), "anna", "Anna", "ticket 7"),
                             (record["account"], record["uid"], record["sudo_user"], record["as"],
                              record["comment"]), event)
        self.assertEqual("junk", self.records("job.drop")[0]["reason"])
        self.instance.cmpost("audit", "verify")

    def test_changed_settings_are_recorded_at_the_next_start(self):
        self.instance.cmpost("run")
        before = self.records("settings.changed")
        self.instance.cmpost("run")
        self.assertEqual(before, self.records("settings.changed"))
        self.instance.set_in_channel("age", '"13d"')
        self.instance.cmpost("run")
        after = self.records("settings.changed")
        self.assertEqual(len(before) + 1, len(after))
        self.assertEqual(before[-1]["sha256"], after[-1]["before"])


OFFICERS = (64001, 64002)
GROUP = 64000


@unittest.skipIf(os.getuid() != 0 or shutil.which("setpriv") is None, "takes root and setpriv")
class FourEyes(LookingUp):
    """Accounts that may read and write the databases, and can read no key."""

    def setUp(self):
        super().setUp()
        self.instance.set_in_channel("approve", '"two"')
        self.instance.set_in_channel("approve_accounts", "true")
        directory = self.instance.directory
        for path in (directory, *directory.parents):
            if path == path.parent or path.stat().st_mode & 0o001:
                continue
            path.chmod(path.stat().st_mode | 0o011)
        # As docs/operations.md has it: of all directories only that of the databases is theirs.
        databases = directory / "db"
        databases.mkdir()
        settings = directory / "cmpost.toml"
        text = settings.read_text()
        for name in ("ledger.db", "spool.db"):
            (directory / name).rename(databases / name)
            text = text.replace(f"sqlite:{name}", f"sqlite:db/{name}")
        settings.write_text(text)
        for path, mode in ((settings, 0o640), (directory / "ca", 0o750), (databases, 0o2770),
                           *((file, 0o660) for file in databases.iterdir()),
                           *((file, 0o640) for file in directory.glob("ca/*.pem"))):
            os.chown(path, -1, GROUP)
            path.chmod(mode)

    def officer(self, uid, *command, check=True):
        return run("setpriv", f"--reuid={uid}", f"--regid={GROUP}", "--clear-groups", PROGRAM,
                   *command, cwd=self.instance.directory, check=check)

    def test_two_accounts_decide_without_a_key(self):
        self.request("first")
        (waits,) = self.transactions("--state", "waiting")
        tid = waits["tid"]
        for key in ("ca/ca.key", "ca/cmp.key"):
            shown = run("setpriv", f"--reuid={OFFICERS[0]}", f"--regid={GROUP}", "--clear-groups",
                        "cat", self.instance.directory / key, check=False)
            self.assertNotEqual(0, shown.returncode, key)
        said = self.officer(OFFICERS[0], "approve", tid[:9])
        self.assertIn("one more has to agree", said.stdout)
        again = self.officer(OFFICERS[0], "approve", tid, "--as", "somebody else", check=False)
        self.assertIn("the same person has agreed before", again.stderr)
        self.assertIn("decided", self.officer(OFFICERS[1], "approve", tid).stdout)
        self.instance.cmpost("run", check=False)
        (granted,) = self.transactions("--state", "closed")
        self.assertEqual(1, len(granted["certificates"]))
        approved = [record["detail"] for record in
                    self.instance.json("audit", "show", "--event", "request.approved")]
        self.assertEqual([str(uid) for uid in OFFICERS], [one["uid"] for one in approved])

    def test_who_cannot_make_a_crl_revokes_nothing(self):
        (own,) = self.instance.json("cert", "list")
        done = self.officer(OFFICERS[0], "cert", "revoke", own["serial"], check=False)
        self.assertNotEqual(0, done.returncode)
        self.assertIn("Permission denied", done.stderr)
        self.assertEqual("valid", self.instance.json("cert", "list")[0]["state"])
        # The beginning of a serial number does not hit what protects the answers.
        done = self.instance.cmpost("cert", "revoke", own["serial"][:2], check=False)
        self.assertIn("whole serial number", done.stderr)
        self.assertEqual("valid", self.instance.json("cert", "list")[0]["state"])

    def test_check_takes_what_the_documents_advise(self):
        self.assertNotIn("its group", self.instance.cmpost("check", check=False).stderr)

    def test_an_officer_can_look_everything_up(self):
        self.request("first")
        for command in (("transaction", "list"), ("transaction", "explain", "first.pki"),
                        ("cert", "list"), ("queue", "list"), ("secret", "list"), ("crl", "list"),
                        ("audit", "show"), ("audit", "verify")):
            done = self.officer(OFFICERS[0], *command, check=False)
            self.assertEqual(0, done.returncode, f"{command}: {done.stdout} {done.stderr}")
        rejected = self.officer(OFFICERS[1], "reject", self.transactions()[0]["tid"], "--reason",
                                "not ours")
        self.assertIn("decided", rejected.stdout)


    def test_an_officer_reads_the_status(self):
        self.instance.cmpost("run", check=False)
        state = self.instance.directory / "state"
        run("sh", "-c", f"chgrp -R {GROUP} {state} && chmod -R g+rX,g-w {state} && "
                        f"find {state} -type d -exec chmod g+s {{}} +")
        # What is made later is theirs to read, too.
        self.request("first")
        self.instance.cmpost("run", check=False)
        done = self.officer(OFFICERS[0], "status", "--json", check=False)
        self.assertEqual(0, done.returncode, f"{done.stdout} {done.stderr}")
        notes = [one["text"] for one in json.loads(done.stdout)["findings"]
                 if one["severity"] == "note" and "may not" in one["text"]]
        self.assertEqual(1, len(notes), notes)


class ReadOnly(LookingUp):
    """An auditor's copy, which is not writable and has no keys."""

    def test_lists_and_verify_work_on_a_copy_that_cannot_be_written(self):
        self.request("first")
        self.request("second")
        copy = self.workshop / "copy"
        copy.mkdir()
        for name in ("spool.db", "ledger.db", "cmpost.toml"):
            shutil.copy(self.instance.directory / name, copy)
        (copy / "ca").mkdir()
        for file in (self.instance.directory / "ca").glob("*.pem"):
            shutil.copy(file, copy / "ca")
        for name in ("in", "out", "crl"):
            (copy / name).mkdir()
        for file in copy.iterdir():
            if file.is_file():
                file.chmod(0o444)
        copy.chmod(0o555)
        self.addCleanup(copy.chmod, 0o755)
        nobody = pwd.getpwnam("nobody")
        prefix = []
        if os.getuid() == 0:
            for path in (copy, *copy.parents):
                if path != path.parent and not path.stat().st_mode & 0o001:
                    path.chmod(path.stat().st_mode | 0o011)
            prefix = ["setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}",
                      "--clear-groups"]
        for command in (("audit", "verify"), ("audit", "show"), ("cert", "list"),
                        ("transaction", "list"), ("queue", "list"), ("secret", "list"),
                        ("crl", "list"), ("transaction", "explain", "first.pki"),
                        ("transaction", "explain", "second.pki")):
            done = run(*prefix, PROGRAM, *command, cwd=copy, check=False)
            self.assertEqual(0, done.returncode, f"{command}: {done.stdout} {done.stderr}")


if __name__ == "__main__":
    unittest.main()
