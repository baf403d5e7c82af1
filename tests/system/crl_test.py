"""CRLs and delta CRLs as a relying party sees them: read and used by the stock `openssl`."""

import unittest

from genm_test import GenmTest, inspect, set_in_ca
from instance import eventually, run
from openssl_cmp_test import Vendor

URL, DELTA_URL = "http://crl.example/grid.crl", "http://crl.example/grid-delta.crl"
REASONS = {
    0: None, 1: "Key Compromise", 2: "CA Compromise", 3: "Affiliation Changed", 4: "Superseded",
    5: "Cessation Of Operation", 6: "Certificate Hold", 9: "Privilege Withdrawn",
    10: "AA Compromise",
}


class Crls(GenmTest):
    def prepare(self):
        set_in_ca(self.instance, crl=(
            f'{{ publish = "crl/complete.pem", publish_delta = "crl/delta.pem", delta = "1d", '
            f'url = "{URL}", delta_url = "{DELTA_URL}" }}'
        ))
        file = self.instance.directory / "cmpost.toml"
        file.write_text(file.read_text().replace(
            "[[profile]]\n", f'[[profile]]\ncrl_urls = ["{URL}"]\n', 1))
        self.instance.set_in_channel("announce", '["crlann"]')
        offices = Vendor(self.workshop)
        self.office = offices.device("office")
        self.instance.set_in_channel("roles", f'{{ ra = ["{self.office[0]}"] }}')
        self.complete = self.instance.directory / "crl/complete.pem"
        self.delta = self.instance.directory / "crl/delta.pem"
        # The first CRL has no URL: a delta CRL would not fit it.
        self.instance.cmpost("crl", "issue")

    def verdict(self, certificate, *crls):
        """What a relying party with these CRLs says of a certificate."""
        files = [word for crl in crls for word in ("-CRLfile", crl)]
        done = self.verify(certificate, "-crl_check", "-use_deltas", "-extended_crl", *files,
                           check=False)
        if done.returncode == 0:
            return "good"
        return "revoked" if "certificate revoked" in done.stderr else done.stderr

    def crl_text(self, crl):
        done = run("openssl", "crl", "-in", crl, "-noout", "-text", "-verify", "-CAfile",
                   self.instance.ca)
        self.assertIn("verify OK", done.stdout + done.stderr)
        return done.stdout

    def device(self, name):
        return self.enrol(name, *self.with_secret(), "-implicit_confirm")

    def revoke(self, credential, reason):
        self.openssl_cmp("rr", "-oldcert", credential[0], "-revreason", reason,
                         *self.signed_by(*credential))

    def test_every_reason_is_on_the_delta_crl_before_the_answer_leaves(self):
        good, _ = self.device("good")
        for code, name in REASONS.items():
            with self.subTest(reason=code):
                credential = self.device(f"reason{code}")
                self.assertEqual("good", self.verdict(credential[0], self.complete))
                self.revoke(credential, code)
                self.assertEqual("revoked", self.verdict(credential[0], self.complete, self.delta))
                self.assertEqual("good", self.verdict(credential[0], self.complete))
                if name:
                    self.assertIn(name, self.crl_text(self.delta))
        self.assertEqual("good", self.verdict(good, self.complete, self.delta))
        self.assertIn("X509v3 Delta CRL Indicator: critical", self.crl_text(self.delta))
        self.instance.cmpost("crl", "issue")
        for code in REASONS:
            certificate = self.workshop / f"reason{code}.pem"
            self.assertEqual("revoked", self.verdict(certificate, self.complete))
        self.assertIn(DELTA_URL, self.crl_text(self.complete))

    def test_a_hold_ends_on_the_next_delta_crl(self):
        certificate, _ = self.device("held")
        (entry,) = self.certificates()
        self.instance.cmpost("cert", "revoke", entry["serial"], "--reason", "certificateHold")
        self.assertEqual("revoked", self.verdict(certificate, self.complete, self.delta))
        self.instance.cmpost("crl", "issue")
        self.assertEqual("revoked", self.verdict(certificate, self.complete))
        self.instance.cmpost("cert", "unrevoke", entry["serial"])
        self.assertIn("Remove From CRL", self.crl_text(self.delta))
        self.assertEqual("good", self.verdict(certificate, self.complete, self.delta))
        self.assertEqual("removeFromCRL",
                         self.instance.json("crl", "show", "--delta")["revoked"][0]["reason"])

    def test_a_registration_authority_ends_a_hold_and_nothing_else(self):
        hold, release = 6, 8
        held, revoked = self.device("held"), self.device("revoked")
        self.revoke(held, hold)
        self.revoke(revoked, 1)
        self.assertEqual("revoked", self.verdict(held[0], self.complete, self.delta))
        ask = ["rr", "-revreason", release, *self.signed_by(*self.office), "-oldcert"]
        refused = self.openssl_cmp(*ask, revoked[0], check=False)
        self.assertNotEqual(0, refused.returncode)
        self.assertIn("badCertId", refused.stdout + refused.stderr)
        self.openssl_cmp(*ask, held[0])
        self.assertEqual("good", self.verdict(held[0], self.complete, self.delta))
        self.assertEqual("revoked", self.verdict(revoked[0], self.complete, self.delta))

    def test_every_crl_is_announced_however_it_is_made(self):
        self.revoke(self.device("dev1"), 4)
        self.instance.cmpost("crl", "issue")
        self.instance.cmpost("crl", "issue", "--delta")
        numbers = {}
        for name in ("crl-2", "delta-crl-3", "crl-4", "delta-crl-5"):
            (file,) = eventually(lambda: list(self.instance.answers.glob(f"{name}.crlann.pki")),
                                 f"the announcement of {name}")
            self.check_structure(file.read_bytes())
            numbers[name] = inspect(file)["body"]["crls"][0]["crlNumber"]
        self.assertEqual([2, 3, 4, 5], list(numbers.values()))


if __name__ == "__main__":
    unittest.main()
