"""Who acts as a registration authority, with the stock client, and what `check` says of it."""

import unittest

from instance import run
from openssl_cmp_test import OpenSslTest


class Roles(OpenSslTest):
    def prepare(self):
        super().prepare()
        self.office = self.self_signed("office")
        self.instance.set_in_channel(
            "roles", f'{{ ra = ["{self.office[0]}", "{self.vendor.root}"] }}')
        self.instance.trust()

    def self_signed(self, name):
        key, certificate = self.key(name), self.workshop / f"{name}-self.pem"
        run("openssl", "req", "-x509", "-new", "-key", key, "-subj", f"/CN={name}", "-days", "9",
            "-out", certificate)
        return certificate, key

    def test_self_signed_authority_is_known_without_extra_certs(self):
        certificate, _ = self.enrol("anybody", *self.signed_by(*self.office))
        self.verify(certificate)

    def test_path_to_an_authority_alone_makes_none(self):
        clerk = self.vendor.device("clerk")
        key = self.key("anybody")
        done = self.openssl_cmp("ir", "-newkey", key, "-subject", "/CN=anybody", "-certout",
                                self.workshop / "no.pem", *self.signed_by(*clerk), check=False)
        self.assertIn("nor for id-kp-cmcRA", done.stdout + done.stderr)
        self.assertFalse((self.workshop / "no.pem").exists())

    def test_check_points_out_who_is_believed_by_mistake(self):
        # The secret of the tests is for anybody: no mistake, but told.
        self.assertIn("no mistakes", self.instance.cmpost("check").stdout)
        ca = self.instance.ca
        for setting, value, words in (
                ("roles", f'{{ ra = ["{ca}"] }}', "roles.ra names CN=ca CA"),
                ("trust", f'["{ca}"]', "trust names CN=ca CA"),
                ("roles", f'{{ ra = ["{self.vendor.root}"], ca = ["{self.vendor.root}"] }}',
                 "roles.ra and roles.ca both name"),
                ("roles", f'{{ ra = ["{self.vendor.root}"], ra_without_purpose = true }}',
                 "ra_without_purpose makes")):
            with self.subTest(words):
                self.instance.set_in_channel(setting, value)
                done = self.instance.cmpost("check", check=False)
                self.assertEqual(2, done.returncode)
                self.assertIn(words, done.stderr)
                self.instance.set_in_channel(setting, "{}" if setting == "roles" else "[]")


if __name__ == "__main__":
    unittest.main()
