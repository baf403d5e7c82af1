"""Every transaction that the stock `openssl cmp` knows, carried by files."""

import unittest

from instance import InstanceTest, run


class Vendor:
    """A maker of devices: a root and device certificates that it signed before delivery."""

    def __init__(self, workshop):
        self.workshop = workshop
        self.root, self.root_key = workshop / "vendor.pem", workshop / "vendor.key"
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "30", "-subj", "/O=Vendor/CN=Vendor Root",
            "-keyout", self.root_key, "-out", self.root)

    def device(self, name):
        certificate = self.workshop / f"{name}-vendor.pem"
        key, request = certificate.with_suffix(".key"), certificate.with_suffix(".csr")
        extensions = certificate.with_suffix(".ext")
        extensions.write_text(
            "keyUsage=critical,digitalSignature\n"
            "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
        )
        run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        run("openssl", "x509", "-req", "-in", request, "-CA", self.root, "-CAkey", self.root_key,
            "-days", "30", "-extfile", extensions, "-out", certificate)
        return certificate, key


class OpenSslTest(InstanceTest):
    def prepare(self):
        self.vendor = Vendor(self.workshop)
        self.instance.trust(self.vendor.root)

    def answers(self):
        """The bodies of the answers so far, as the names of their files say."""
        return [name.split(".")[-2] for _, _, name in self.relay.exchanges]


class WithASecret(OpenSslTest):
    def test_ir_with_implicit_confirmation_is_one_exchange(self):
        certificate, _ = self.enrol("dev1", *self.with_secret(), "-implicit_confirm")
        self.verify(certificate)
        self.assertEqual(["ip"], self.answers())

    def test_ir_with_certconf_ends_with_pkiconf(self):
        certificate, _ = self.enrol("dev1", *self.with_secret())
        self.verify(certificate)
        self.assertEqual(["ip", "pkiconf"], self.answers())

    def test_cr_gets_a_certificate(self):
        certificate, _ = self.enrol("dev1", *self.with_secret(), command="cr")
        self.verify(certificate)
        self.assertEqual(["cp", "pkiconf"], self.answers())

    def test_p10cr_with_and_without_certconf(self):
        request, certificate = self.workshop / "dev1.csr", self.workshop / "dev1.pem"
        run("openssl", "req", "-new", "-key", self.key("dev1"), "-subj", "/CN=dev1",
            "-out", request)
        self.openssl_cmp("p10cr", "-csr", request, "-certout", certificate, *self.with_secret())
        self.verify(certificate)
        self.assertEqual(["cp", "pkiconf"], self.answers())

    def test_keys_of_every_usual_kind_are_certified(self):
        for algorithm in ("ec:P-256", "ec:P-384", "rsa:2048", "ed25519"):
            with self.subTest(algorithm):
                key = self.key("dev1", algorithm)
                certificate, _ = self.enrol("dev1", *self.with_secret(), key=key)
                self.verify(certificate)

    def test_the_ca_certificate_comes_along_for_a_newcomer_where_it_can_be_believed(self):
        roots, extra = self.workshop / "roots.pem", self.workshop / "extra.pem"
        self.enrol("dev1", *self.with_secret(), "-cacertsout", roots, "-extracertsout", extra,
                   "-implicit_confirm")
        root = self.instance.ca.read_text().strip()
        self.assertIn(root, roots.read_text())
        self.assertFalse(extra.exists() and root in extra.read_text())

    def test_a_wrong_secret_gets_a_refusal_and_no_certificate(self):
        done = self.openssl_cmp(
            "ir", "-newkey", self.key("dev1"), "-subject", "/CN=dev1",
            "-certout", self.workshop / "none.pem", "-unprotected_errors",
            *self.with_secret(secret="a wrong secret"), check=False,
        )
        self.assertNotEqual(0, done.returncode)
        self.assertIn("badMessageCheck", done.stdout + done.stderr)
        self.assertEqual([], self.certificates())
        wrong = {one["reference"]: one["wrong_macs"] for one in self.instance.json("secret", "list")}
        self.assertEqual(1, wrong["dev1"])

    def test_the_same_request_again_gets_the_same_answer_and_no_second_certificate(self):
        self.enrol("dev1", *self.with_secret(), "-implicit_confirm")
        request, answer, _ = self.relay.exchanges[0]
        self.instance.put("again.pki", request)
        self.assertEqual(answer, self.instance.answer("again").read_bytes())
        self.assertEqual(1, len(self.certificates()))

    def test_it_goes_on_after_a_restart_between_answer_and_certconf(self):
        exchange = self.relay.exchange

        def with_restart(request):
            answer = exchange(request)
            self.instance.stop()
            self.instance.serve()
            return answer

        self.relay.exchange = with_restart
        certificate, _ = self.enrol("dev1", *self.with_secret())
        self.verify(certificate)
        self.assertEqual(["ip", "pkiconf"], self.answers())


class WithASignature(OpenSslTest):
    def enrol_device(self, name="dev2", *more):
        return self.enrol(name, *self.signed_by(*self.vendor.device(name)), *more)

    def test_ir_of_a_device_with_a_vendor_certificate(self):
        certificate, _ = self.enrol_device()
        self.verify(certificate)
        self.assertEqual(["ip", "pkiconf"], self.answers())

    def test_ir_with_implicit_confirmation(self):
        certificate, _ = self.enrol_device("dev2", "-implicit_confirm")
        self.verify(certificate)
        self.assertEqual(["ip"], self.answers())

    def test_cr_signed_with_a_certificate_of_this_ca(self):
        credential = self.enrol_device()
        certificate, _ = self.enrol(
            "dev2", *self.signed_by(*credential), command="cr", key=self.key("second")
        )
        self.verify(certificate)
        self.assertEqual(["cp", "pkiconf"], self.answers()[2:])

    def test_kur_renews_with_the_old_certificate(self):
        old, old_key = self.enrol_device()
        new = self.workshop / "renewed.pem"
        self.openssl_cmp("kur", "-newkey", self.key("renewed"), "-certout", new,
                         *self.signed_by(old, old_key))
        self.verify(new)
        self.assertEqual(["kup", "pkiconf"], self.answers()[2:])
        self.assertNotEqual(old.read_text(), new.read_text())

    def test_p10cr_signed(self):
        request, certificate = self.workshop / "p10.csr", self.workshop / "p10.pem"
        run("openssl", "req", "-new", "-key", self.key("p10"), "-subj", "/CN=dev2",
            "-out", request)
        self.openssl_cmp("p10cr", "-csr", request, "-certout", certificate,
                         *self.signed_by(*self.enrol_device()))
        self.verify(certificate)

    def test_rr_puts_the_certificate_on_the_crl_and_no_other(self):
        kept, _ = self.enrol_device("dev2")
        gone, gone_key = self.enrol_device("dev3")
        self.openssl_cmp("rr", "-oldcert", gone, "-revreason", "1",
                         *self.signed_by(gone, gone_key))
        self.assertEqual("rp", self.answers()[-1])
        self.instance.cmpost("crl", "issue")
        crl = self.published_crl()
        self.verify(kept, "-crl_check", "-CRLfile", crl)
        verdict = self.verify(gone, "-crl_check", "-CRLfile", crl, check=False)
        self.assertIn("certificate revoked", verdict.stdout + verdict.stderr)

    def published_crl(self):
        (published,) = (self.instance.directory / "crl").iterdir()
        pem = self.workshop / "crl.pem"
        form = "PEM" if published.read_bytes().startswith(b"-----") else "DER"
        run("openssl", "crl", "-in", published, "-inform", form, "-out", pem)
        return pem

    def test_a_stranger_gets_no_certificate(self):
        (self.workshop / "other").mkdir()
        stranger = Vendor(self.workshop / "other").device("dev2")
        done = self.openssl_cmp(
            "ir", "-newkey", self.key("dev2"), "-subject", "/CN=dev2",
            "-certout", self.workshop / "none.pem", *self.signed_by(*stranger), check=False,
        )
        self.assertNotEqual(0, done.returncode)
        self.assertIn("signerNotTrusted", done.stdout + done.stderr)
        self.assertEqual([], self.certificates())


if __name__ == "__main__":
    unittest.main()
