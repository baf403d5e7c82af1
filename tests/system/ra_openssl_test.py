"""An RA in front of the CMP server of OpenSSL, which it reaches by HTTP."""

import sys
import unittest

from instance import eventually, run
from openssl_server import OpensslServer
from three_parties import ThreePartiesTest

ABOVE = """
[[channel]]
name      = "above"
kind      = "http"
direction = "upstream"
url       = "http://127.0.0.1:{port}/pkix/"
trust     = ["trust/above.pem"]
signers   = ["CN=Mock Server"]
check_after = "1s"
"""


class OpensslAbove(ThreePartiesTest):
    serve = False
    server_says = ("-grant_implicitconf",)

    def prepare(self):
        super().prepare()
        # The only certificate that it ever gives: made here, below a CA of its own.
        self.wanted = self.key("one")
        self.root, self.root_key = self.self_signed("Mock Root")
        self.server_credential = self.below_root("server", "CN=Mock Server")
        self.issued = self.below_root("one", "CN=one")[0]
        trust = self.instance.directory / "trust"
        (trust / "above.pem").write_bytes(self.root.read_bytes())
        self.instance.set_in("[ra]", "upstream", '"above"')
        self.open_server(*self.server_says)

    def self_signed(self, name):
        key, certificate = self.key("root"), self.workshop / "root.pem"
        run("openssl", "req", "-x509", "-new", "-key", key, "-subj", f"/CN={name}", "-days", "9",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign,digitalSignature",
            "-out", certificate)
        return certificate, key

    def below_root(self, name, subject):
        key = self.workshop / f"{name}.key"
        if not key.exists():
            self.key(name)
        return self.below_root_for(key, name, subject)

    def below_root_for(self, key, name, subject):
        request, certificate = self.workshop / f"{name}.csr", self.workshop / f"{name}-issued.pem"
        extensions = self.workshop / f"{name}.ext"
        extensions.write_text("keyUsage=critical,digitalSignature\nsubjectKeyIdentifier=hash\n"
                              "authorityKeyIdentifier=keyid\n")
        run("openssl", "req", "-new", "-key", key, "-subj", f"/{subject}", "-out", request)
        run("openssl", "x509", "-req", "-in", request, "-CA", self.root, "-CAkey", self.root_key,
            "-days", "9", "-extfile", extensions, "-out", certificate)
        return certificate, key

    def server(self, *says, port=None):
        certificate, key = self.server_credential
        trusted = self.workshop / "known.pem"
        trusted.write_bytes(b"".join(file.read_bytes() for file in (
            self.ra, self.vendor.root, self.root)))
        return OpensslServer(self.issued, "-srv_cert", certificate, "-srv_key", key,
                             "-srv_trusted", trusted, *says, port=port)

    def open_server(self, *says):
        self.above = self.server(*says)
        self.above.__enter__()
        self.addCleanup(lambda: self.above.__exit__())
        file = self.instance.directory / "cmpost.toml"
        head = file.read_text().split('\n[[channel]]\nname      = "above"')[0]
        file.write_text(head + ABOVE.format(port=self.above.port))

    def setUp(self):
        super().setUp()
        self.instance.serve()

    def signed_by(self, certificate, key):
        return ["-cert", certificate, "-key", key, "-trusted", f"{self.ra},{self.root}"]

    def enrol_and_check(self, *arguments, command="ir", bodies=()):
        since = len(self.relay.exchanges)
        certificate = self.workshop / "got.pem"
        how = ["-subject", "/CN=one", "-newkey", self.wanted]
        if command == "p10cr":
            how = ["-csr", self.workshop / "one.csr"]
        self.openssl_cmp(command, *how, "-certout", certificate, *arguments, "-out_trusted",
                         self.root)
        run("openssl", "verify", "-CAfile", self.root, certificate)
        self.assertEqual(list(bodies), self.bodies(since))
        self.check_passed("valid")
        self.assertEqual(0, self.instance.cmpost("status", check=False).returncode)
        return certificate, self.wanted

    def check_passed(self, state):
        eventually(lambda: [one["state"] for one in self.certificates()] == [state],
                   f"the certificate to be {state}, not {self.certificates()}")

    def device(self, name="one"):
        return super().device(name)


ANSWERS = {"ir": "ip", "cr": "cp", "p10cr": "cp", "kur": "kup", "rr": "rp", "genm": "genp"}
HAVE_CERTCONF = ("ir", "cr", "p10cr", "kur")


class EveryCommand:
    """Each command that the server knows, with a secret or a signature, with implicit confirmation
    or with certConf; all by one RA. The server does not know nested messages: `nested` says of which
    requests these are made."""

    def nested(self, command, signed):
        return False

    def test_each_command(self):
        for command, answer in ANSWERS.items():
            for signed in (True, False):
                for confirms in (False, True) if command in HAVE_CERTCONF else (False,):
                    with self.subTest(command=command, signed=signed, confirms=confirms):
                        bodies = [answer, "pkiconf"] if confirms else [answer]
                        if self.nested(command, signed):
                            bodies = ["error"]
                        self.check(command, signed, confirms, bodies)
        self.instance.cmpost("audit", "verify")
        self.assertEqual([], self.instance.json("queue", "list", "--state", "held"))

    def check(self, command, signed, confirms, bodies):
        # Without a signature there is no right to these.
        refused_here = not signed and command in ("kur", "rr")
        self.count = getattr(self, "count", 0) + 1
        name, since = f"dev{self.count}", len(self.relay.exchanges)
        self.have_one_more(name)
        done = self.openssl_cmp(command, *self.what(command, name), *self.who(command, signed, name),
                                *([] if confirms else ["-implicit_confirm"]), "-out_trusted",
                                self.root, check=False)
        if refused_here:
            self.assertNotEqual(0, done.returncode)
            return
        self.assertEqual(bodies, self.bodies(since), done.stderr)
        self.assertEqual("error" in bodies, done.returncode != 0, done.stderr)
        if command in HAVE_CERTCONF and "error" not in bodies:
            self.assertEqual("valid", self.of(self.instance, name)["state"])

    def have_one_more(self, name):
        """The server gives it to who asks next; its key is the same as always."""
        self.issued = self.below_root_for(self.wanted, name, f"CN={name}")[0]
        self.above.__exit__()
        self.above = self.server(*self.server_says, port=self.above.port)
        self.above.__enter__()

    def what(self, command, name):
        if command == "genm":
            return []
        if command == "rr":
            return ["-oldcert", self.issued, "-revreason", "1"]
        certificate = ["-certout", self.workshop / f"{name}-got.pem"]
        if command == "p10cr":
            return [*certificate, "-csr", self.workshop / f"{name}.csr"]
        return [*certificate, "-newkey", self.wanted,
                *(["-oldcert", self.issued] if command == "kur" else ["-subject", f"/CN={name}"])]

    def who(self, command, signed, name):
        """A device of the vendor; where only holders may ask, that of the certificate that the
        server knows, which has not come by the RA."""
        if not signed:
            return self.with_secret()
        if command in ("cr", "kur", "rr"):
            return self.signed_by(self.issued, self.wanted)
        return self.device(name)


class Reprotected(EveryCommand, OpensslAbove):
    # No renewal is put under another protection.
    def nested(self, command, signed):
        return command == "kur"

    def test_revocation(self):
        credential = self.enrol_and_check(*self.device(), "-implicit_confirm", bodies=["ip"])
        self.openssl_cmp("rr", "-oldcert", credential[0], "-revreason", "1",
                         *self.signed_by(*credential))
        self.assertEqual(["rp"], self.bodies(1))
        self.check_passed("revoked")

    def test_its_signer_counts_by_signers_alone(self):
        self.instance.stop()
        self.instance.set_in("[[channel]]", "signers", '["CN=Somebody else"]', 2)
        self.instance.serve()
        self.relay.timeout = 3
        self.openssl_cmp("ir", "-newkey", self.wanted, "-subject", "/CN=one", "-certout",
                         self.workshop / "none.pem", *self.with_secret(), check=False)
        (held,) = self.instance.json("queue", "list", "--state", "held")
        self.assertIn("CN=Mock Server, which is not for answers of a CA", held["reason"])
        self.assertEqual([], self.certificates())


class ConfirmedHere(EveryCommand, OpensslAbove):
    confirm = "local"

    def nested(self, command, signed):
        return command == "kur"

    def test_ir_and_p10cr(self):
        self.enrol_and_check(*self.device(), bodies=["ip", "pkiconf"])
        self.assertEqual([], [job for job in self.instance.json("queue", "list")
                              if job["body"] == "certConf" and job["channel"] == "above"])


class Forwarded(EveryCommand, OpensslAbove):
    mode = "forward"

    def test_kur_and_rr(self):
        credential = self.enrol_and_check(*self.device(), "-implicit_confirm", bodies=["ip"])
        new = self.workshop / "new.pem"
        self.openssl_cmp("kur", "-newkey", self.wanted, "-certout", new, "-out_trusted", self.root,
                         *self.signed_by(*credential))
        self.assertEqual(["kup", "pkiconf"], self.bodies(1))
        self.openssl_cmp("rr", "-oldcert", new, *self.signed_by(*credential))
        self.assertEqual(["rp"], self.bodies(3))


class Nested(EveryCommand, OpensslAbove):
    """Its refusal is heard; what has a secret is signed anew instead."""

    mode = "nest"

    def nested(self, command, signed):
        return signed


class Batched(EveryCommand, OpensslAbove):
    """Its refusal is heard by each."""

    mode = "batch"

    def prepare(self):
        super().prepare()
        self.instance.set_in("[[channel]]", "batch_within", '"100ms"', 2)

    def nested(self, command, signed):
        return True


class Polled(OpensslAbove):
    """It lets wait twice before it answers."""

    server_says = ("-poll_count", "2", "-check_after", "1", "-grant_implicitconf")

    def test_the_ra_polls(self):
        self.enrol_and_check(*self.with_secret(), bodies=["ip", "pkiconf"])


class RefusedAbove(OpensslAbove):
    server_says = ("-pkistatus", "2", "-failure", "9", "-statusstring", "not today")

    def test_its_reason_is_heard(self):
        self.refused("ir", "one", *self.with_secret(), words="not today")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[1:]])
