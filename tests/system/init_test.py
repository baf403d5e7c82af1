"""`cmpost init` leaves an instance or nothing, and the CA's own credentials are whole or not there."""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import unittest
from pathlib import Path

from instance import PROGRAM, InstanceTest, run


class NothingIsLeft(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory(prefix="cmpost-init-")
        self.addCleanup(place.cleanup)
        self.place = Path(place.name)

    def init(self, *options, **more):
        return run(PROGRAM, "init", self.place / "a/ca", *options, check=False, **more)

    def assert_nothing(self, done, *words):
        self.assertNotIn(done.returncode, (0, -signal.SIGKILL), done.stdout)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertEqual([], list(self.place.iterdir()))

    def test_after_wrong_options(self):
        self.assert_nothing(self.init("--subject", "Grid CA"), 'write it like "CN=Grid CA"')
        self.assert_nothing(self.init("--subject", "CN=\\zz"))
        self.assert_nothing(self.init("--key", "ec:P-257"), "unknown key algorithm")
        self.assert_nothing(self.init("--key", "x25519"))
        self.assert_nothing(self.init("--name", "a b"), "no name for an instance")
        self.assert_nothing(self.init("--role", "ra"))
        self.assert_nothing(self.init("--ca-key-password-file", "/nonexistent"))
        self.assertEqual(0, self.init().returncode)

    def test_after_a_password_file_that_others_may_read(self):
        password = Path(tempfile.mkstemp()[1])
        self.addCleanup(password.unlink)
        password.write_text("secret\n")
        password.chmod(0o644)
        self.assert_nothing(self.init("--ca-key-password-file", password), "chmod 600")
        password.chmod(0o600)
        self.assertEqual(0, self.init("--ca-key-password-file", password).returncode)
        self.assertEqual(0, run(PROGRAM, "check", cwd=self.place / "a/ca").returncode)

    def test_on_a_full_disk(self):
        if os.geteuid() != 0 or not shutil.which("unshare"):
            self.skipTest("needs root")
        script = ('mount -t tmpfs -o size=200k none "$1" && '
                  '"$2" init "$1/ca"; code=$?; ls -A "$1"; exit $code')
        done = run("unshare", "-m", "sh", "-c", script, "sh", self.place, PROGRAM, check=False)
        self.assertEqual(1, done.returncode, done.stderr)
        self.assertEqual("", done.stdout)

    def test_in_a_directory_that_is_not_empty(self):
        (self.place / "a/ca").mkdir(parents=True)
        (self.place / "a/ca/mine").write_text("mine")
        self.assertIn("is not empty", self.init().stderr)
        self.assertEqual(["mine"], os.listdir(self.place / "a/ca"))
        self.assertEqual("mine", (self.place / "a/ca/mine").read_text())

    def test_an_empty_directory_stays_when_it_fails_and_is_used(self):
        target = self.place / "a/ca"
        target.mkdir(parents=True)
        self.assertNotEqual(0, self.init("--subject", "Grid CA").returncode)
        self.assertEqual([], os.listdir(target))
        inode = target.stat().st_ino
        self.assertEqual(0, self.init().returncode)
        self.assertEqual(inode, target.stat().st_ino)

    def test_killed_at_each_step_the_next_one_makes_it(self):
        for step in range(1, 200):
            done = self.init(env={**os.environ, "CMPOST_CRASH_AT": str(step)})
            if done.returncode == 0:
                break
            self.assertEqual(-signal.SIGKILL, done.returncode, done.stderr)
            # Either not there, for nobody, or whole.
            if not (self.place / "a/ca/cmpost.toml").exists():
                self.assertEqual(0, self.init().returncode, step)
            self.assertEqual(0, run(PROGRAM, "check", cwd=self.place / "a/ca").returncode, step)
            shutil.rmtree(self.place / "a")
        self.assertGreater(step, 10)
        self.assertLess(step, 199)

    def test_two_at_once_make_one(self):
        done = []
        threads = [threading.Thread(target=lambda: done.append(self.init())) for _ in range(4)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        self.assertEqual(1, [one.returncode for one in done].count(0), [d.stderr for d in done])
        self.assertEqual(0, run(PROGRAM, "check", cwd=self.place / "a/ca").returncode)


class OwnCredentials(InstanceTest):
    serve = False

    def settings(self, old, new):
        file = self.instance.directory / "cmpost.toml"
        text = file.read_text()
        self.assertIn(old, text)
        file.write_text(text.replace(old, new))

    def credential(self, kind, *options):
        self.instance.cmpost("ca", "credential", kind, "--directory", f"ca/{kind}", *options)
        directory = self.instance.directory / "ca" / kind
        self.assertEqual(0o600, (directory / f"{kind}.key").stat().st_mode & 0o777)
        self.verify(directory / f"{kind}.pem")
        return directory / f"{kind}.pem", directory / f"{kind}.key"

    def text(self, certificate):
        return run("openssl", "x509", "-in", certificate, "-noout", "-text").stdout

    def books(self):
        self.assertIn("all", self.instance.cmpost("audit", "verify").stdout)
        return [one["detail"] for one in self.instance.json("audit", "show")
                if one["event"] == "ca.credential"]

    def test_the_next_cmp_certificate_signs_answers(self):
        made, _ = self.credential("cmp", "--days", "365")
        self.settings('"ca/cmp.pem"', '"ca/cmp/cmp.pem"')
        self.settings('"ca/cmp.key"', '"ca/cmp/cmp.key"')
        self.assertEqual(0, self.instance.cmpost("check", check=False).returncode)
        certificate, key = self.enrolled()
        self.instance.put("y.pki", self.signed_request("y", certificate, key))
        self.instance.cmpost("run")
        der = subprocess.run(["openssl", "x509", "-in", made, "-outform", "DER"],
                             capture_output=True, check=True).stdout
        self.assertIn(der, self.instance.answer("y").read_bytes(), "in extraCerts")
        self.assertEqual(1, len(self.books()))

    def test_a_cmp_certificate_that_is_of_no_use_can_be_replaced(self):
        for name in ("cmp.pem", "cmp.key"):
            (self.instance.directory / "ca" / name).unlink()
        self.assertEqual(78, self.instance.cmpost("check", check=False).returncode)
        self.credential("cmp")
        self.settings('"ca/cmp.pem"', '"ca/cmp/cmp.pem"')
        self.settings('"ca/cmp.key"', '"ca/cmp/cmp.key"')
        self.assertEqual(0, self.instance.cmpost("check", check=False).returncode)

    def enrolled(self):
        self.instance.put("x.pki", self.request("x").read_bytes())
        self.instance.cmpost("run")
        self.accept_file("x", self.instance.answer("x"))
        return self.workshop / "x.pem", self.workshop / "x.key"

    def signed_request(self, name, certificate, key):
        file = self.workshop / f"{name}.pki"
        self.key(name)
        run("openssl", "cmp", "-config", "", "-cmd", "kur", "-oldcert", certificate,
            "-newkey", self.workshop / f"{name}.key", "-recipient", "/CN=CA",
            *self.signed_by(certificate, key), "-implicit_confirm",
            "-certout", self.workshop / f"{name}.pem", "-rspin", "/dev/null",
            "-reqout", file, check=False)
        return file.read_bytes()

    def test_of_every_kind_are_what_the_settings_want(self):
        kga, kga_key = self.credential("kga")
        purpose = self.text(kga).split("Extended Key Usage:")[1].split("X509v3")[0].lower()
        self.assertRegex(purpose, "key generation authority|cmkga|1.3.6.1.5.5.7.3.32")
        protocol, protocol_key = self.credential("protocol")
        self.assertIn("Key Encipherment", self.text(protocol))
        self.instance.cmpost("ca", "credential", "protocol", "--key", "x25519",
                             "--directory", "ca/agree")
        agree = self.instance.directory / "ca/agree/protocol.pem"
        self.assertIn("Key Agreement", self.text(agree))
        mail, _ = self.credential("mail", "--address", "pki@example.com")
        self.assertIn("email:pki@example.com", self.text(mail))
        self.settings("[ca]\n", f"""[ca]
kga_certificate = "{kga}"
kga_key = "{kga_key}"
protocol_keys = [{{ certificate = "{protocol}", key = "{protocol_key}" }},
                 {{ certificate = "{agree}", key = "ca/agree/protocol.key" }}]
""")
        self.assertEqual(0, self.instance.cmpost("check", check=False).returncode)
        self.assertEqual(4, len(self.books()))

    def test_a_key_that_cannot_do_it_leaves_nothing(self):
        for kind, key in (("protocol", "ed25519"), ("cmp", "x25519"), ("kga", "ec:P-9")):
            done = self.instance.cmpost("ca", "credential", kind, "--key", key,
                                        "--directory", "ca/new", check=False)
            self.assertEqual(64, done.returncode)
            self.assertEqual([], list((self.instance.directory / "ca").glob("*new*")))
        self.assertEqual([], self.books())

    def test_killed_at_each_step_they_are_whole_and_on_the_books(self):
        for command in (("credential", "kga"), ("rollover",)):
            for step in range(1, 100):
                name = f"ca/{command[0]}{step}"
                arguments = [PROGRAM, "ca", *command, "--directory", name]
                directory = self.instance.directory / name
                done = subprocess.run(arguments, cwd=self.instance.directory, capture_output=True,
                                      env={**os.environ, "CMPOST_CRASH_AT": str(step)}, check=False)
                if done.returncode == 0:
                    break
                self.assertEqual(-signal.SIGKILL, done.returncode, done.stderr)
                if not directory.exists():
                    self.instance.cmpost("ca", *command, "--directory", name)
                (certificate,) = [*directory.glob("kga.pem"), *directory.glob("cmp.pem")]
                serial = run("openssl", "x509", "-in", certificate, "-noout", "-serial").stdout
                self.instance.cmpost("cert", "show", serial.split("=")[1].strip().lower())
                self.assertFalse(list((self.instance.directory / "ca").glob(".*.part")))
            self.assertGreater(step, 3)
        self.assertIn("all", self.instance.cmpost("audit", "verify").stdout)

    def test_a_rollover_needs_no_options(self):
        self.instance.cmpost("ca", "rollover")
        (made,) = (self.instance.directory / "ca").glob("rollover-*")
        self.assertTrue((made / "ca.pem").exists())
        again = self.instance.cmpost("ca", "rollover", "--years", "1", "--directory", "ca/short",
                                     check=False)
        self.assertEqual(1, again.returncode)
        self.assertFalse(list((self.instance.directory / "ca").glob("*short*")))


if __name__ == "__main__":
    unittest.main(verbosity=2)
