"""docs/air-gap.md, "A whole round": sites with a stock OpenSSL client, an RA, and a CA that nothing but
bundles reaches."""

import os
import shutil
import tempfile
import unittest
from pathlib import Path

from instance import PROGRAM, SECRET, InstanceTest, Instance, run

MANY = int(os.environ.get("CMPOST_AIR_GAP", "60"))  # requests in the first round


def write(path, text):
    Path(path).write_text(text)


class RegistrationAuthority(Instance):
    def __init__(self, directory, ca):
        self.directory = Path(directory)
        run(PROGRAM, "init", "--role", "ra", "--ca", ca, self.directory)
        self.drop, self.answers = self.directory / "in", self.directory / "out"
        self.process = None
        self.environment = {}


class AirGap(InstanceTest):
    def setUp(self):
        self.place = Path(tempfile.mkdtemp(prefix="cmpost-air-gap-"))
        self.addCleanup(shutil.rmtree, self.place, ignore_errors=True)
        self.vault = Instance(self.place / "vault")
        self.ra = RegistrationAuthority(self.place / "gateway", self.vault.ca)
        self.sites = self.place / "sites"
        self.sites.mkdir()
        shutil.copy(self.ra.directory / "ra/cmp.pem", self.vault.directory / "trust/ra.pem")
        shutil.copy(self.vault.directory / "ca/cmp.pem", self.ra.directory / "trust/vault-cmp.pem")
        self.set_up_courier()
        self.ra.add_secret("site1", SECRET, "--subject", "any")

    def set_up_courier(self):
        file = self.ra.directory / "cmpost.toml"
        text = file.read_text()
        head, _ = text.split("# To the CA and back", 1)
        head = head.replace('mode            = "reprotect"', 'mode            = "batch"')
        write(file, head + '''
[bundle]
name = "gateway"
peer = [{ name = "vault", certificate = ["trust/vault-cmp.pem"] }]

[[channel]]
name      = "vault"
direction = "upstream"
kind      = "courier"
peer      = "vault"
trust     = ["trust/ca.pem"]
age       = "60d"
max_message = "16MiB"
batch_most = 25
''')
        file = self.vault.directory / "cmpost.toml"
        text = file.read_text()
        head = text[:text.index("[[channel]]")]
        write(file, head + '''
[bundle]
name = "vault"
peer = [{ name = "gateway", certificate = ["trust/ra.pem"] }]

[[channel]]
name     = "gateway"
kind     = "courier"
peer     = "gateway"
profiles = ["device"]
roles    = { ra = ["trust/ra.pem"] }
holders_of = "any"
age      = "60d"
max_message = "16MiB"
''')

    # --- sites

    def key(self, name):
        file = self.sites / f"{name}.key"
        if not file.exists():
            run("openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", file)
        return file

    def client(self, name, command, *more, check=True):
        return run("openssl", "cmp", "-config", "", "-batch", "-cmd", command, "-server",
                   "127.0.0.1:1", "-path", "x", *more, check=check, cwd=self.sites)

    def by_secret(self, name, command, *more):
        return ["-ref", "site1", "-secret", f"pass:{SECRET}", "-newkey", self.sites / f"{name}.key",
                "-subject", f"/CN={name}", "-certout", self.sites / f"{name}.pem", *more]

    def ask(self, name, command, arguments):
        """A request as a file of the RA's; what openssl says of the missing answer is no matter."""
        file = self.sites / f"{name}.{command}.der"
        self.client(name, command, *arguments, "-reqout", file, check=False)
        self.assertTrue(file.exists(), f"no request of {name}")
        os.rename(file, self.ra.drop / f"{name}.{command}.pki")

    def accept(self, name, command, arguments, body, check=True):
        answer = self.ra.answers / f"{name}.{command}.{body}.pki"
        self.assertTrue(answer.exists(), sorted(p.name for p in self.ra.answers.iterdir()))
        return self.client(name, command, *arguments, "-rspin", answer, "-reqout",
                           self.sites / "again.der", check=check)

    def request(self, name, command):
        extra = []
        if command == "p10cr":
            csr = self.sites / f"{name}.csr"
            if not csr.exists():
                run("openssl", "req", "-new", "-key", self.sites / f"{name}.key", "-subj",
                    f"/CN={name}", "-out", csr)
            extra = ["-csr", csr]
        return self.by_secret(name, command, "-implicit_confirm", *extra)

    # --- the courier

    def carry(self, sender, receiver, name):
        """One way; the directory that was carried."""
        stick = self.place / name
        stick.mkdir(exist_ok=True)
        sender.cmpost("bundle", "export", stick)
        done = receiver.cmpost("bundle", "import", stick, check=False)
        return stick, done

    def round(self, name):
        self.ra.cmpost("run", check=False)  # 2 where something was refused
        self.carry(self.ra, self.vault, name + "-there")
        self.vault.cmpost("run")
        self.carry(self.vault, self.ra, name + "-back")
        self.ra.cmpost("run")

    def certificates(self, instance):
        return instance.json("cert", "list", "--limit", "10000")

    def test_a_whole_round(self):
        kinds = {}
        for number in range(MANY):
            command = ("ir", "cr", "p10cr")[number % 3]
            name = f"d{number}"
            kinds[name] = command
            self.key(name)
            self.ask(name, command, self.request(name, command))
        self.round("first")
        for name, command in kinds.items():
            body = "ip" if command == "ir" else "cp"
            self.accept(name, command, self.request(name, command), body)
            subject = run("openssl", "x509", "-noout", "-subject", "-in", self.sites / f"{name}.pem")
            self.assertIn(f"CN = {name}", subject.stdout)
        self.assertEqual(MANY + 1, len(self.certificates(self.vault)))  # and that of the CA itself
        self.assertEqual(MANY, len(self.certificates(self.ra)))
        self.confirm_renew_and_revoke()

    def confirm_renew_and_revoke(self):
        # Explicit confirmation takes a second round.
        explicit = self.by_secret("late", "ir")
        self.key("late")
        self.ask("late", "ir", explicit)
        # With the certificates of the first round: renewal, revocation.
        own = lambda name: ["-cert", self.sites / f"{name}.pem", "-key", self.sites / f"{name}.key",
                            "-trusted", self.vault.ca, "-untrusted", self.vault.ca]
        new = self.key("new")
        kur = [*own("d0"), "-newkey", new, "-certout", self.sites / "new.pem", "-implicit_confirm"]
        self.ask("d0", "kur", kur)
        rr = [*own("d1"), "-oldcert", self.sites / "d1.pem", "-revreason", "1"]
        self.ask("d1", "rr", rr)
        # What the RA refuses by itself.
        self.key("bad")
        refused = self.by_secret("bad", "ir", "-implicit_confirm",
                                 "-sans", "other.example.org")
        self.ask("bad", "ir", refused)
        self.round("second")
        no = self.accept("bad", "ir", refused, "ip", check=False)
        self.assertIn("notAuthorized", no.stdout + no.stderr)
        self.accept("d0", "kur", kur, "kup")
        self.assertIn("CN = d0", run("openssl", "x509", "-noout", "-subject", "-in",
                                     self.sites / "new.pem").stdout)
        self.accept("d1", "rr", rr, "rp")
        states = {one["subject"]: one["state"] for one in self.certificates(self.vault)}
        self.assertEqual("revoked", states["CN=d1"])
        states = {one["subject"]: one["state"] for one in self.certificates(self.ra)}
        self.assertEqual("revoked", states["CN=d1"])
        self.confirm(explicit)

    def confirm(self, explicit):
        answer = self.ra.answers / "late.ir.ip.pki"
        conf = self.sites / "conf.der"
        # The client reads the answer, and its certConf is the second message that it writes.
        self.client("late", "ir", *explicit, "-rspin", answer, "-reqout",
                    f"{self.sites / 'first.der'},{conf}", check=False)
        self.assertTrue(conf.exists())
        os.rename(conf, self.ra.drop / "late.conf.pki")
        self.round("third")
        end = self.ra.answers / "late.conf.pkiconf.pki"
        self.assertTrue(end.exists(), sorted(p.name for p in self.ra.answers.iterdir()))
        states = {one["subject"]: one["state"] for one in self.certificates(self.vault)}
        self.assertEqual("valid", states["CN=late"])
        states = {one["subject"]: one["state"] for one in self.certificates(self.ra)}
        self.assertEqual("valid", states["CN=late"])
        self.ra.cmpost("audit", "verify")
        self.vault.cmpost("audit", "verify")

    def test_bundles_that_are_lost_torn_doubled_and_out_of_order(self):
        for name in ("a", "b", "c"):
            self.key(name)
        arguments = {name: self.request(name, "ir") for name in ("a", "b", "c")}
        first = self.place / "one"
        second = self.place / "two"
        third = self.place / "three"
        for stick, name in ((first, "a"), (second, "b"), (third, "c")):
            stick.mkdir()
            self.ask(name, "ir", arguments[name])
            self.ra.cmpost("run")
            self.ra.cmpost("bundle", "export", stick)
        # The second comes first, torn at that; then whole; the first is lost; the third comes twice.
        torn = self.place / "torn"
        shutil.copytree(second, torn)
        victim = next(p for p in sorted(torn.rglob("*.pki")) if p.stat().st_size > 100)
        victim.write_bytes(victim.read_bytes()[:50])
        self.vault.cmpost("bundle", "import", torn, check=False)
        self.vault.cmpost("bundle", "import", second, check=False)
        for _ in range(2):
            self.vault.cmpost("bundle", "import", third, check=False)
        self.vault.cmpost("run", check=False)
        back = self.place / "back"
        back.mkdir()
        self.vault.cmpost("bundle", "export", back)
        self.ra.cmpost("bundle", "import", back, check=False)
        self.ra.cmpost("run", check=False)
        # Both say that the first has not come, and it is sent again.
        self.assertIn("1", self.ra.cmpost("bundle", "list").stdout)
        self.ra.cmpost("bundle", "resend", "1")
        again = self.place / "again"
        again.mkdir()
        self.ra.cmpost("bundle", "export", again)
        self.vault.cmpost("bundle", "import", again)
        self.vault.cmpost("run")
        shutil.rmtree(back)
        back.mkdir()
        self.vault.cmpost("bundle", "export", back)
        for _ in range(2):
            self.ra.cmpost("bundle", "import", back, check=False)
        self.ra.cmpost("run")
        for name in ("a", "b", "c"):
            self.accept(name, "ir", arguments[name], "ip")
        self.assertEqual(4, len(self.certificates(self.vault)))


if __name__ == "__main__":
    unittest.main(verbosity=2)
