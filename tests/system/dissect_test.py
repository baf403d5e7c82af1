"""Wireshark's dissector reads every kind of answer without finding a malformed field."""

import unittest

import dissector
from openssl_cmp_test import OpenSslTest

IP, CP, KUP, RP, PKICONF, ERROR = 1, 3, 8, 12, 19, 23


@unittest.skipUnless(dissector.available(), "tshark is not installed")
class Answers(OpenSslTest):
    def check_answers(self, bodies):
        self.assertEqual(len(bodies), len(self.relay.exchanges))
        for body, (_, answer, name) in zip(bodies, self.relay.exchanges):
            with self.subTest(name):
                fields = dissector.dissect(answer)
                self.assertEqual(body, dissector.body_number(fields))
                self.assertEqual([], dissector.complaints(fields))

    def test_protected_with_a_secret(self):
        self.enrol("dev1", *self.with_secret())
        self.enrol("dev1", *self.with_secret(), "-implicit_confirm", command="cr")
        self.check_answers([IP, PKICONF, CP])

    def test_protected_with_a_signature(self):
        old, key = self.enrol("dev2", *self.signed_by(*self.vendor.device("dev2")))
        new = self.workshop / "new.pem"
        self.openssl_cmp("kur", "-newkey", self.key("new"), "-certout", new, "-implicit_confirm",
                         *self.signed_by(old, key))
        self.openssl_cmp("rr", "-oldcert", new, "-revreason", "4",
                         *self.signed_by(new, self.workshop / "new.key"))
        self.check_answers([IP, PKICONF, KUP, RP])

    def test_an_error_message(self):
        self.openssl_cmp("ir", "-newkey", self.key("dev1"), "-subject", "/CN=dev1",
                         "-certout", self.workshop / "none.pem", "-unprotected_errors",
                         *self.with_secret(secret="a wrong secret"), check=False)
        self.check_answers([ERROR])


@unittest.skipUnless(dissector.available(), "tshark is not installed")
class TheDissector(unittest.TestCase):
    def test_would_complain_of_a_message_that_is_cut_off(self):
        fields = dissector.dissect(bytes.fromhex("308201003081fd020102"))
        self.assertNotEqual([], dissector.complaints(fields))


if __name__ == "__main__":
    unittest.main()
