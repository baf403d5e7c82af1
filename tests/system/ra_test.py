"""An RA between stock requesters and a CA that only a courier reaches."""

import sys
import unittest

from instance import eventually, run
from three_parties import ThreePartiesTest


class Transactions:
    """Whatever the stock client can ask for, by a device that signs."""

    def enrol_and_check(self, name, *arguments, command="ir", bodies=(), **more):
        since = len(self.relay.exchanges)
        certificate, key = self.enrol(name, *arguments, command=command, **more)
        self.verify(certificate)
        self.assertEqual(list(bodies), self.bodies(since))
        self.check_noted(name)
        return certificate, key

    def p10cr(self, name, *arguments):
        since = len(self.relay.exchanges)
        request, certificate = self.workshop / f"{name}.csr", self.workshop / f"{name}.pem"
        run("openssl", "req", "-new", "-key", self.key(name), "-subj", f"/CN={name}",
            "-out", request)
        self.openssl_cmp("p10cr", "-csr", request, "-certout", certificate, *arguments)
        self.verify(certificate)
        self.check_noted(name)
        return self.bodies(since)

    def test_first_certificate_renewal_and_revocation(self):
        old, key = self.enrol_and_check("one", *self.device("one"), bodies=("ip", "pkiconf"))
        self.renew(old, key)
        self.revoke()

    def renew(self, old, key):
        since = len(self.relay.exchanges)
        new, new_key = self.workshop / "new.pem", self.key("new")
        self.openssl_cmp("kur", "-newkey", new_key, "-certout", new, *self.signed_by(old, key))
        self.verify(new)
        self.assertEqual(["kup", "pkiconf"], self.bodies(since))
        for ledger in (self.instance, self.vault):
            states = sorted(one["state"] for one in ledger.json("cert", "list", "--all")
                            if one["subject"] == "CN=one")
            self.assertEqual(["updated", "valid"], states)

    def revoke(self):
        since = len(self.relay.exchanges)
        gone, key = self.enrol("gone", *self.device("gone"), "-implicit_confirm")
        self.assertEqual(["ip"], self.bodies(since))
        self.check_noted("gone")
        self.openssl_cmp("rr", "-oldcert", gone, "-revreason", "1", *self.signed_by(gone, key))
        self.assertEqual(["ip", "rp"], self.bodies(since))
        self.check_noted("gone", "revoked")

    def test_cr_and_p10cr(self):
        credential = self.signed_by(*self.enrol("two", *self.device("two"), "-implicit_confirm"))
        self.instance.set_in_channel("additional", '"any"')
        self.vault.set_in_channel("additional", '"any"')
        for one in (self.instance, self.vault):
            one.stop()
            one.serve()
        self.enrol_and_check("three", *credential, command="cr", bodies=("cp", "pkiconf"))
        self.assertEqual(["cp", "pkiconf"], self.p10cr("four", *credential))
        self.assertEqual(["cp"], self.p10cr("five", *credential, "-implicit_confirm"))

    def test_general_message(self):
        done = self.openssl_cmp("genm", "-infotype", "signKeyPairTypes", *self.device("one"))
        self.assertEqual(["genp"], self.bodies())
        self.assertIn("signKeyPairTypes", done.stdout + done.stderr)

    def test_operators_see_what_is_where(self):
        self.enrol("one", *self.device("one"))
        for one in (self.instance, self.vault):
            self.assertEqual(0, one.cmpost("check").returncode)
            one.cmpost("audit", "verify")
            (listed,) = one.json("transaction", "list")
            self.assertEqual("closed", listed["state"])
            for command in ("show", "explain"):
                told = one.cmpost("transaction", command, listed["tid"]).stdout
                self.assertIn("ir -> ip: ", told)
                # What the RA confirms by itself the CA hears nothing of.
                above = self.confirm == "local" and one is self.vault
                (self.assertNotIn if above else self.assertIn)("certConf -> pkiconf: ", told)


class WithSecrets:
    def test_certificates_under_a_secret(self):
        self.enrol_and_check("six", *self.with_secret(), bodies=("ip", "pkiconf"))
        self.enrol_and_check("seven", *self.with_secret(), "-implicit_confirm", bodies=("ip",))
        self.enrol_and_check("eight", *self.with_secret(), command="cr", bodies=("cp", "pkiconf"))
        self.assertEqual(["cp", "pkiconf"], self.p10cr("nine", *self.with_secret()))


class Reprotected(Transactions, WithSecrets, ThreePartiesTest):
    pass


class ConfirmedHere(Transactions, WithSecrets, ThreePartiesTest):
    confirm = "local"


class Forwarded(Transactions, ThreePartiesTest):
    mode = "forward"
    known_above = True


class Nested(Transactions, ThreePartiesTest):
    mode = "nest"
    known_above = True


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[1:]])
