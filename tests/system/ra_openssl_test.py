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
        request, certificate = self.workshop / f"{name}.csr", self.workshop / f"{name}-issued.pem"
        extensions = self.workshop / f"{name}.ext"
        extensions.write_text("keyUsage=critical,digitalSignature\nsubjectKeyIdentifier=hash\n"
                              "authorityKeyIdentifier=keyid\n")
        run("openssl", "req", "-new", "-key", key, "-subj", f"/{subject}", "-out", request)
        run("openssl", "x509", "-req", "-in", request, "-CA", self.root, "-CAkey", self.root_key,
            "-days", "9", "-extfile", extensions, "-out", certificate)
        return certificate, key

    def open_server(self, *says):
        certificate, key = self.server_credential
        trusted = self.workshop / "known.pem"
        trusted.write_bytes(b"".join(file.read_bytes() for file in (
            self.ra, self.vendor.root, self.root)))
        self.above = OpensslServer(self.issued, "-srv_cert", certificate, "-srv_key", key,
                                   "-srv_trusted", trusted, *says)
        self.above.__enter__()
        self.addCleanup(self.above.__exit__)
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


class Reprotected(OpensslAbove):
    def test_ir_under_a_secret(self):
        self.enrol_and_check(*self.with_secret(), "-implicit_confirm", bodies=["ip"])

    def test_ir_with_certconf_signed(self):
        self.enrol_and_check(*self.device(), bodies=["ip", "pkiconf"])

    def test_cr(self):
        self.enrol_and_check(*self.with_secret(), command="cr", bodies=["cp", "pkiconf"])

    def test_p10cr(self):
        self.enrol_and_check(*self.with_secret(), command="p10cr", bodies=["cp", "pkiconf"])

    def test_revocation(self):
        credential = self.enrol_and_check(*self.device(), "-implicit_confirm", bodies=["ip"])
        self.openssl_cmp("rr", "-oldcert", credential[0], "-revreason", "1",
                         *self.signed_by(*credential))
        self.assertEqual(["rp"], self.bodies(1))
        self.check_passed("revoked")

    def test_general_message(self):
        self.openssl_cmp("genm", *self.device())
        self.assertEqual(["genp"], self.bodies())

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


class ConfirmedHere(OpensslAbove):
    confirm = "local"

    def test_ir_and_p10cr(self):
        self.enrol_and_check(*self.device(), bodies=["ip", "pkiconf"])
        self.assertEqual([], [job for job in self.instance.json("queue", "list")
                              if job["body"] == "certConf" and job["channel"] == "above"])


class Forwarded(OpensslAbove):
    mode = "forward"

    def test_ir_with_certconf_signed(self):
        self.enrol_and_check(*self.device(), bodies=["ip", "pkiconf"])

    def test_p10cr(self):
        self.enrol_and_check(*self.device(), command="p10cr", bodies=["cp", "pkiconf"])

    def test_kur_and_rr(self):
        credential = self.enrol_and_check(*self.device(), "-implicit_confirm", bodies=["ip"])
        new = self.workshop / "new.pem"
        self.openssl_cmp("kur", "-newkey", self.wanted, "-certout", new, "-out_trusted", self.root,
                         *self.signed_by(*credential))
        self.assertEqual(["kup", "pkiconf"], self.bodies(1))
        self.openssl_cmp("rr", "-oldcert", new, *self.signed_by(*credential))
        self.assertEqual(["rp"], self.bodies(3))


class Nested(OpensslAbove):
    """It knows no nested messages."""

    mode = "nest"

    def test_its_refusal_is_heard(self):
        self.refused("ir", "one", *self.device(), words="error")
        self.assertEqual(["error"], self.bodies())


class Batched(OpensslAbove):
    """The same, of many."""

    mode = "batch"

    def prepare(self):
        super().prepare()
        self.instance.set_in("[[channel]]", "batch_within", '"100ms"', 2)

    def test_its_refusal_is_heard(self):
        self.refused("ir", "one", *self.with_secret(), words="error")
        self.assertEqual(["error"], self.bodies())


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
