"""Profiles before they are used, and the story of a request, as an operator sees them."""

import json
import re
import shutil
import unittest

from instance import InstanceTest, run


class ProfileTest(InstanceTest):
    def prepare(self):
        file = self.instance.directory / "cmpost.toml"
        file.write_text(file.read_text() + """
[[profile]]
name = "fixing"
subject = { O = { set = "Grid" }, L = "drop", CN = "require" }
extensions = { subjectAltName = { derive = ["DNS:{CN}.grid.example"] } }
""")
        self.instance.set_in_channel("profiles", '["device", "fixing"]')

    def request(self, subject):
        request = self.workshop / "sample.csr"
        run("openssl", "req", "-new", "-key", self.key("sample"), "-subj", subject, "-out", request)
        return request

    def tried(self, profile, sample, *more, check=True):
        done = self.instance.cmpost("profile", "test", profile, "--sample", sample, "--json", *more,
                                    check=check)
        return json.loads(done.stdout), done.returncode


class TryingProfiles(ProfileTest):
    def test_would_be_certificate_is_shown_and_nothing_is_issued(self):
        out = self.workshop / "would-be.pem"
        (verdict,), _ = self.tried("fixing", self.request("/O=Other/L=Bonn/CN=dev9"), "--out", out)
        self.assertEqual("grantedWithMods", verdict["status"])
        self.assertEqual(3, len(verdict["changes"]), verdict)
        self.assertEqual([], verdict["lint"])
        text = run("openssl", "x509", "-in", out, "-noout", "-text", "-nameopt",
                   "oneline").stdout
        self.assertIn("DNS:dev9.grid.example", text)
        self.assertIn("O = Grid, CN = dev9", text)
        # The CA key has not signed it, and the ledger does not know it.
        self.assertNotEqual(0, self.verify(out, check=False).returncode)
        self.assertEqual([], self.certificates())

    def test_a_pkimessage_is_a_sample_too(self):
        sample = self.workshop / "ir.pki"
        run("openssl", "cmp", "-config", "", "-cmd", "ir", "-server", "127.0.0.1:1",
            "-recipient", "/CN=CA", "-newkey", self.key("dev1"), "-subject", "/CN=dev1",
            "-certout", self.workshop / "none.pem", "-reqout", sample, "-total_timeout", "1",
            *self.with_secret(), check=False)
        (verdict,), code = self.tried("device", sample)
        self.assertEqual(("accepted", 0), (verdict["status"], code))
        self.assertEqual("CN=dev1", verdict["certificate"]["subject"])

    def test_refusals_are_named(self):
        (verdict,), code = self.tried("fixing", self.request("/O=Other"), check=False)
        self.assertEqual(("rejection", 2), (verdict["status"], code))
        self.assertEqual("badCertTemplate", verdict["failInfo"])
        (verdict,), code = self.tried("device", self.request("/CN=" + 64 * "x"), check=False)
        self.assertEqual(0, code)

    def test_issued_certificates_satisfy_other_linters(self):
        certificate, _ = self.enrol("dev1", *self.with_secret(), "-implicit_confirm",
                                    "-geninfo", "1.3.6.1.4.1.99999.1:int:1")
        self.verify(certificate, "-x509_strict")
        if shutil.which("certtool"):
            run("certtool", "--certificate-info", "--infile", certificate)
            chain = self.workshop / "chain.pem"
            chain.write_text(certificate.read_text() + self.instance.ca.read_text())
            run("certtool", "--verify-chain", "--infile", chain)


class Explaining(ProfileTest):
    def explained(self):
        (newest,) = self.instance.json("transaction", "list", "--limit", "1")
        return self.instance.cmpost("transaction", "explain", newest["tid"]).stdout

    def test_each_check_of_a_granted_and_of_a_refused_request_has_a_verdict(self):
        self.enrol("dev1", *self.with_secret())
        text = self.explained()
        self.assertIn("ir -> ip: accepted", text)
        self.assertIn("certConf -> pkiconf", text)
        self.assertNotIn("failed", text)
        self.instance.add_secret("dev2", "another secret", "--subject", "CN=dev2")
        done = self.openssl_cmp("ir", "-newkey", self.key("dev3"), "-subject", "/CN=dev3",
                                "-certout", self.workshop / "none.pem",
                                *self.with_secret("dev2", "another secret"), check=False)
        self.assertNotEqual(0, done.returncode)
        text = self.explained()
        self.assertEqual(1, len(re.findall("(?m)^  failed", text)), text)
        self.assertIn("notAuthorized", text)


if __name__ == "__main__":
    unittest.main()
