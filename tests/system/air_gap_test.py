"""docs/air-gap.md, "A whole round": sites with a stock OpenSSL client, by mail and by directory, an RA, and
a CA that nothing but bundles reaches."""

import os
import shutil
import tempfile
import unittest
from pathlib import Path

from instance import PROGRAM, SECRET, InstanceTest, Instance, run
from sites import ByDirectory, ByMail

# Requests in the first two rounds: three fifths enrol, one renews, one revokes. Every fifth comes by mail.
MANY = int(os.environ.get("CMPOST_AIR_GAP", "200"))


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
        self.directory = self.mail = ByDirectory(self.ra)

    def open_mail_sites(self):
        with self.subTest("sites that write mails"):  # skipped where there are no servers
            self.mail = ByMail(self.ra, self.make_directory("servers"))
            self.addCleanup(self.mail.stop)
            self.ra.add_secret("site2", SECRET, "--subject", "any", "--channel", self.mail.channel)

    def make_directory(self, name):
        place = self.place / name
        place.mkdir()
        self.place.chmod(0o755)  # the servers change users
        return place

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

    def by_secret(self, name, command, *more, site=None):
        reference = "site1" if site in (None, self.directory) else "site2"
        return ["-ref", reference, "-secret", f"pass:{SECRET}", "-newkey",
                self.sites / f"{name}.key", "-subject", f"/CN={name}", "-certout",
                self.sites / f"{name}.pem", *more]

    def ask(self, name, command, arguments, site=None):
        """A request of the site; what openssl says of the missing answer is no matter."""
        file = self.sites / f"{name}.{command}.der"
        self.client(name, command, *arguments, "-reqout", file, check=False)
        self.assertTrue(file.exists(), f"no request of {name}")
        (site or self.directory).send(file.rename(file.with_suffix(".pki")))

    def accept(self, name, command, arguments, body, check=True, answers=None):
        if answers is None:
            answers = self.directory.answers()
        octets = answers.get(f"{name}.{command}.{body}.pki")
        self.assertIsNotNone(octets, f"{name}.{command}.{body}: {sorted(answers)}")
        answer = self.sites / "answer.der"
        answer.write_bytes(octets)
        return self.client(name, command, *arguments, "-rspin", answer, "-reqout",
                           self.sites / "again.der", check=check)

    def request(self, name, command, site=None):
        extra = []
        if command == "p10cr":
            csr = self.sites / f"{name}.csr"
            if not csr.exists():
                run("openssl", "req", "-new", "-key", self.sites / f"{name}.key", "-subj",
                    f"/CN={name}", "-out", csr)
            extra = ["-csr", csr]
        return self.by_secret(name, command, "-implicit_confirm", *extra, site=site)

    def own(self, name):
        """The certificate of the first round signs."""
        return ["-cert", self.sites / f"{name}.pem", "-key", self.sites / f"{name}.key",
                "-trusted", self.vault.ca, "-untrusted", self.vault.ca]

    def renewal(self, name):
        return [*self.own(name), "-newkey", self.key(f"{name}.new"), "-certout",
                self.sites / f"{name}.new.pem", "-implicit_confirm"]

    def revocation(self, name):
        return [*self.own(name), "-oldcert", self.sites / f"{name}.pem", "-revreason", "1"]

    def subject(self, certificate):
        return run("openssl", "x509", "-noout", "-subject", "-nameopt", "rfc2253", "-in",
                   certificate).stdout.strip()

    # --- the courier

    def carry(self, sender, receiver, name):
        """One way; the directory that was carried."""
        stick = self.place / name
        stick.mkdir(exist_ok=True)
        sender.cmpost("bundle", "export", stick)
        done = receiver.cmpost("bundle", "import", stick, check=False)
        return stick, done

    def round(self, name):
        self.mail.wait_for_delivery()
        self.ra.cmpost("run", check=False)  # 2 where something was refused
        self.carry(self.ra, self.vault, name + "-there")
        self.vault.cmpost("run")
        self.carry(self.vault, self.ra, name + "-back")
        self.ra.cmpost("run")

    def certificates(self, instance):
        return instance.json("cert", "list", "--limit", "10000")

    def test_a_whole_round(self):
        self.open_mail_sites()
        enrolling = {f"d{number}": ("ir", "cr", "p10cr")[number % 3] for number in range(MANY * 3 // 5)}
        site_of = {name: self.directory if number % 5 else self.mail
                   for number, name in enumerate(enrolling)}
        for name, command in enrolling.items():
            self.key(name)
            self.ask(name, command, self.request(name, command, site_of[name]), site_of[name])
        self.round("first")
        answers = self.answers()
        for name, command in enrolling.items():
            self.accept(name, command, self.request(name, command, site_of[name]),
                        "ip" if command == "ir" else "cp", answers=answers[site_of[name]])
            self.assertEqual(f"subject=CN={name}", self.subject(self.sites / f"{name}.pem"))
        self.assertEqual(len(enrolling) + 1, len(self.certificates(self.vault)))  # and that of the CA
        self.assertEqual(len(enrolling), len(self.certificates(self.ra)))
        self.renew_and_revoke(list(enrolling), site_of)

    def answers(self):
        return {site: site.answers() for site in {self.directory, self.mail}}

    def renew_and_revoke(self, names, site_of):
        """With the certificates of the first round."""
        renewing, revoking = names[:MANY // 5], names[MANY // 5:MANY * 2 // 5]
        kur = {name: self.renewal(name) for name in renewing}
        rr = {name: self.revocation(name) for name in revoking}
        for name in renewing:
            self.ask(name, "kur", kur[name], site_of[name])
        for name in revoking:
            self.ask(name, "rr", rr[name], site_of[name])
        # Explicit confirmation takes another round.
        explicit = self.by_secret("late", "ir")
        self.key("late")
        self.ask("late", "ir", explicit)
        # What the RA refuses by itself.
        self.key("bad")
        refused = self.by_secret("bad", "ir", "-implicit_confirm",
                                 "-sans", "other.example.org")
        self.ask("bad", "ir", refused)
        self.round("second")
        answers = self.answers()
        no = self.accept("bad", "ir", refused, "ip", check=False)
        self.assertIn("notAuthorized", no.stdout + no.stderr)
        for name in renewing:
            self.accept(name, "kur", kur[name], "kup", answers=answers[site_of[name]])
            self.assertEqual(f"subject=CN={name}",
                             self.subject(self.sites / f"{name}.new.pem"))
        for name in revoking:
            self.accept(name, "rr", rr[name], "rp", answers=answers[site_of[name]])
        for instance in (self.vault, self.ra):
            states = {one["subject"]: one["state"] for one in self.certificates(instance)}
            self.assertEqual({"revoked"}, {states[f"CN={name}"] for name in revoking})
        self.check_channels(names, site_of)
        self.confirm(explicit)

    def check_channels(self, names, site_of):
        """What came by mail is of the channel that fetches mail, and so for directories."""
        channels = {one["subject"]: one["channel"] for one in self.certificates(self.ra)}
        self.assertEqual({name: site_of[name].channel for name in names},
                         {name: channels[f"CN={name}"] for name in names})

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
