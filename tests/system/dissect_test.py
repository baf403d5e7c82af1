"""Wireshark's dissector and pyasn1 read every kind of answer without finding a malformed field."""

import unittest
from pathlib import Path

import dissector
import structure
from openssl_cmp_test import OpenSslTest
from requester import GENP

IP, CP, KUP, RP, PKICONF, ERROR = 1, 3, 8, 12, 19, 23


class Dissecting:
    """Of a test with a relay."""

    def check_answers(self, bodies):
        self.assertEqual(len(bodies), len(self.relay.exchanges))
        for body, (_, answer, name) in zip(bodies, self.relay.exchanges):
            with self.subTest(name):
                self.check_message(answer, body)
                # Of an rp with revCerts pyasn1-modules 0.2.8 has the tags wrong: OpenSSL's do not
                # pass either. It has another name for genp.
                if body not in (RP, GENP):
                    self.assertEqual(name.split(".")[-2], structure.body_of(answer))

    def check_message(self, message, body):
        fields = dissector.dissect(message)
        self.assertEqual(body, dissector.body_number(fields))
        self.assertEqual([], dissector.complaints(fields))


@unittest.skipUnless(dissector.available(), "tshark is not installed")
class Answers(Dissecting, OpenSslTest):
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


class TheStructure(unittest.TestCase):
    def test_is_refused_when_an_octet_is_missing_or_too_many(self):
        recorded = Path(__file__).parents[1] / "data/cmp/bouncycastle-1.72/pbm-one.ir.der"
        message = recorded.read_bytes()
        self.assertEqual("ir", structure.body_of(message))
        for wrong in (message[:-1], message + b"\0", message.replace(b"\x02\x01\x02", b"\x04\x01\x02", 1)):
            with self.assertRaises(ValueError):
                structure.read(wrong)


if __name__ == "__main__":
    unittest.main()
