"""Going back in time: a ledger that is lost, empty, or older than what has left the house."""

import json
import shutil
import unittest

from instance import SECRET, InstanceTest, run


class Restore(InstanceTest):
    serve = False

    def setUp(self):
        super().setUp()
        self.crl = next((self.instance.directory / "crl").iterdir())

    def databases(self):
        return list(self.instance.directory.glob("*.db*"))

    def back_up(self):
        self.backup = self.workshop / "backup"
        self.backup.mkdir()
        for file in self.databases():
            shutil.copy(file, self.backup)

    def restore(self, *names):
        for file in self.databases():
            if not names or file.name.split("-")[0] in names:
                file.unlink()
        for file in self.backup.iterdir():
            if not names or file.name.split("-")[0] in names:
                shutil.copy(file, self.instance.directory)

    def crl_number(self):
        said = run("openssl", "crl", "-inform", "DER", "-in", self.crl, "-noout", "-crlnumber")
        return int(said.stdout.split("=")[1], 16)

    def issue(self, name):
        """A certificate by way of a file, with nobody but `run` at work; its serial number."""
        request = self.workshop / f"{name}.csr"
        key = self.workshop / f"{name}.key"
        run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-keyout", key, "-subj", "/CN=dev1", "-out", request)
        wanted = self.workshop / f"{name}.pki"
        run("openssl", "cmp", "-config", "", "-cmd", "p10cr", "-csr", request, "-recipient",
            "/CN=CA", "-ref", "dev1", "-secret", f"pass:{SECRET}", "-implicit_confirm",
            "-certout", self.workshop / f"{name}.pem", "-rspin", "/dev/null", "-reqout", wanted,
            check=False)
        before = {row["serial"] for row in self.instance.json("cert", "list")}
        self.instance.put(f"{name}.pki", wanted.read_bytes())
        self.instance.cmpost("run")
        rows = self.instance.json("cert", "list")
        return next(row["serial"] for row in rows if row["serial"] not in before)

    def states(self):
        return {row["serial"]: row["state"] for row in self.instance.json("cert", "list")}

    def test_a_lost_ledger_is_said_by_every_command_and_made_by_none(self):
        published = self.crl.read_bytes()
        for octets in (None, b""):
            for file in self.instance.directory.glob("ledger.db*"):
                file.unlink()
            if octets is not None:
                (self.instance.directory / "ledger.db").write_bytes(octets)
            for words in ("check", "status", "run", "serve", "crl issue", "cert list",
                          "transaction list", "audit verify", "secret list", "crl show"):
                with self.subTest(command=words, octets=octets):
                    done = self.instance.cmpost(*words.split(), check=False)
                    self.assertEqual(done.returncode, 1)
                    said = done.stdout if words == "status" else done.stderr
                    self.assertIn("ledger.db", said)
                    self.assertIn("restore", said)
        self.assertEqual((self.instance.directory / "ledger.db").read_bytes(), b"")
        self.assertEqual(self.crl.read_bytes(), published)

    def test_a_lost_spool_is_made_anew_when_asked_for(self):
        for file in self.instance.directory.glob("spool.db*"):
            file.unlink()
        self.assertEqual(self.instance.cmpost("run", check=False).returncode, 1)
        self.instance.cmpost("queue", "new")
        self.assertEqual(self.instance.cmpost("queue", "new", check=False).returncode, 1)
        self.issue("after")

    def test_last_weeks_backup_takes_no_revocation_back(self):
        early = self.issue("early")
        self.back_up()
        late, lost = self.issue("late"), self.issue("lost")
        for serial in (early, late, lost):
            self.instance.cmpost("cert", "revoke", serial, "--reason", "keyCompromise")
        published, number = self.crl.read_bytes(), self.crl_number()
        # Nobody has the answer with `lost` any more.
        for file in self.instance.answers.glob("lost.*"):
            file.unlink()
        self.restore()

        for words in ("run", "crl issue", "check"):
            done = self.instance.cmpost(*words.split(), check=False)
            self.assertEqual(done.returncode, 1, words)
            self.assertIn("restore-check", done.stderr)
        self.assertEqual(self.crl.read_bytes(), published)
        self.assertIn("restore-check", self.instance.json("status")["warnings"][0])
        done = self.instance.cmpost("restore-check", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn(late, done.stdout)
        found = json.loads(
            self.instance.cmpost("restore-check", "--json", check=False).stdout)
        self.assertEqual([one["serial"] for one in found["certificates"]], [late])
        self.assertEqual({one["serial"] for one in found["revocations"]}, {early, late, lost})

        done = self.instance.cmpost("restore-check", "--apply", "--from", self.workshop / "nothing",
                                    check=False)
        self.assertEqual(done.returncode, 2, "one place could not be looked at")
        self.assertEqual(self.instance.cmpost("restore-check").returncode, 0)
        self.assertEqual(self.states()[early], "revoked")
        self.assertEqual(self.states()[late], "revoked")
        self.instance.cmpost("crl", "issue")
        self.assertGreater(self.crl_number(), number)
        text = run("openssl", "crl", "-inform", "DER", "-in", self.crl, "-noout", "-text").stdout
        for serial in (early, late, lost):
            self.assertIn(serial.upper(), text)
        self.instance.cmpost("run")
        self.instance.cmpost("check")
        self.instance.cmpost("audit", "verify")

    def test_numbers_do_not_come_again_when_the_published_crl_is_of_the_backup_too(self):
        self.back_up()
        old = self.crl.read_bytes()
        for _ in range(3):
            self.instance.cmpost("crl", "issue")
        partners = self.workshop / "partner.crl"
        partners.write_bytes(self.crl.read_bytes())
        newest = self.crl_number()
        self.restore()
        self.crl.write_bytes(old)
        done = self.instance.cmpost("restore-check", "--from", partners, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn(f"has the number {newest}", done.stdout)
        self.instance.cmpost("restore-check", "--from", partners, "--apply")
        self.instance.cmpost("restore-check", "--from", partners)
        self.instance.cmpost("crl", "issue")
        self.assertEqual(self.crl_number(), newest + 1)
        self.instance.cmpost("audit", "verify")

    def test_only_the_ledger_is_restored_and_the_spool_still_knows(self):
        self.back_up()
        serial = self.issue("one")
        for file in self.instance.answers.iterdir():
            file.unlink()
        self.restore("ledger.db")
        self.assertNotIn(serial, self.states())
        self.instance.cmpost("restore-check", "--apply")
        self.assertEqual(self.states()[serial], "valid")

    def test_what_somebody_else_signed_is_not_brought_back(self):
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-keyout", self.workshop / "x.key", "-subj", "/CN=stranger", "-out",
            self.workshop / "x.pem")
        done = self.instance.cmpost("restore-check", "--from", self.workshop)
        self.assertIn("no certificate is missing", done.stdout)

    def test_a_crl_that_somebody_else_signed_revokes_nothing(self):
        serial = self.issue("one")
        own = self.instance.json("status")["ca"]["subject"].removeprefix("CN=")
        for name in ("stranger", own):
            with self.subTest(issuer=name):
                self.put_forged_crl(name, serial)
                done = self.instance.cmpost("restore-check", "--apply", check=False)
                # In our name it is worth a look.
                self.assertEqual(done.returncode, 2 if name == own else 0)
                self.assertIn("no revocation is missing", done.stdout)
                self.assertEqual(self.states()[serial], "valid")

    def put_forged_crl(self, name, serial):
        """A CRL of somebody's key that revokes `serial`, among the answers."""
        at = self.workshop / name
        at.mkdir()
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-keyout", at / "x.key", "-subj", f"/CN={name}", "-out", at / "x.pem")
        (at / "index.txt").write_text(
            f"R\t380101000000Z\t260101000000Z,keyCompromise\t{serial.upper()}\tunknown\t/CN=x\n")
        (at / "number").write_text("99")
        (at / "x.cnf").write_text(
            f"[ca]\ndefault_ca=c\n[c]\ndatabase={at}/index.txt\ncrlnumber={at}/number\n"
            "default_md=sha256\ndefault_crl_days=30\ncrl_extensions=e\n"
            "[e]\nauthorityKeyIdentifier=keyid\n")
        run("openssl", "ca", "-config", at / "x.cnf", "-gencrl", "-keyfile", at / "x.key",
            "-cert", at / "x.pem", "-out", self.instance.answers / f"{name}.crl")


if __name__ == "__main__":
    unittest.main()
