"""Information on request, the change of the CA key, and announcements, against stock tools."""

import json
import re
import unittest

from instance import PROGRAM, Instance, InstanceTest, run
from structure import decoder, rfc4210

INFO_TYPES = {"caCerts": 17, "signKeyPairTypes": 2, "encKeyPairTypes": 3, "preferredSymmAlg": 4,
              "currentCRL": 6, "caProtEncCert": 1, "certReqTemplate": 19}


# Where a client keeps what it gets; from 3.4 on it wants a file for it, and knows more types.
SAVED_BY = {"caCerts": ["-cacertsout"], "certReqTemplate": ["-template"],
            "rootCaCert": ["-newwithnew", "-newwithold", "-oldwithnew"],
            "crlStatusList": ["-crlout"]}


def client_knows(option):
    told = run("openssl", "cmp", "-help", check=False)
    return f" {option} " in told.stdout + told.stderr


def set_in_ca(instance, **values):
    """Sets keys of [ca] to TOML values."""
    file = instance.directory / "cmpost.toml"
    head, tail = file.read_text().split("[ca]\n", 1)
    ca, rest = tail.split("[[profile]]\n", 1)
    for key, value in values.items():
        ca = re.sub(rf"(?m)^{key}\s*=.*\n", "", ca, count=1)
        ca = f"{key} = {value}\n{ca}"
    file.write_text(f"{head}[ca]\n{ca}[[profile]]\n{rest}")


def inspect(file):
    return json.loads(run(PROGRAM, "inspect", file, "--json").stdout)


class GenmTest(InstanceTest):
    def ask(self, info_type, *arguments):
        """The genp that the stock client got, in the words of `cmpost inspect`."""
        files = [word for option in SAVED_BY.get(info_type, []) if client_knows(option)
                 for word in (option, self.saved(option))]
        self.openssl_cmp("genm", "-infotype", info_type, *files,
                         *(arguments or self.with_secret()))
        file = self.workshop / "genp.pki"
        file.write_bytes(self.relay.exchanges[-1][1])
        return inspect(file)["body"]

    def saved(self, option):
        return self.workshop / f"saved{option}"

    def fingerprint(self, certificate):
        told = run("openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in", certificate)
        return told.stdout.split("=")[1].strip().replace(":", "").lower()

    def check_structure(self, der, by_modules=True):
        """The octets are what the packaged ASN.1 modules and openssl make of them."""
        file = self.workshop / "structure.der"
        file.write_bytes(der)
        run("openssl", "asn1parse", "-inform", "DER", "-in", file)
        if not by_modules:  # 0.2.8 has the tags of a CertId wrong
            return None
        message, rest = decoder.decode(der, asn1Spec=rfc4210.PKIMessage())
        self.assertEqual(b"", rest)
        return message


class Genm(GenmTest):
    def test_stock_client_gets_each_info_type_by_secret(self):
        for name, number in INFO_TYPES.items():
            with self.subTest(name):
                body = self.ask(name)
                self.assertEqual("genp", body["type"])
                message = self.check_structure(self.relay.exchanges[-1][1])
                if message is not None:
                    item = message["body"]["gen"][0]  # so pyasn1-modules calls genp
                    self.assertEqual(f"1.3.6.1.5.5.7.4.{number}", str(item["infoType"]))

    def test_stock_client_gets_the_ca_certificate_by_signature(self):
        credential = self.enrol("dev1", *self.with_secret(), "-implicit_confirm")
        body = self.ask("caCerts", *self.signed_by(*credential))
        (ca,) = body["items"][0]["infoValue"]
        self.assertEqual(self.fingerprint(self.instance.ca), ca["sha256"])

    def test_crl_is_the_published_one(self):
        body = self.ask("currentCRL")
        self.assertEqual(1, body["items"][0]["infoValue"]["crlNumber"])

    def test_client_of_openssl_3_4_gets_the_crl_for_a_certificate(self):
        if not client_knows("-crlout"):
            self.skipTest("the client of OpenSSL here knows no crlStatusList")
        self.ask("crlStatusList", "-crlcert", self.instance.ca, *self.with_secret())
        published = next((self.instance.directory / "crl").iterdir())
        self.assertEqual(published.read_bytes(), self.saved("-crlout").read_bytes())


class Rollover(GenmTest):
    serve = False

    def rolled_over(self):
        """A CA key and links that are announced, with the certificate of a device from before."""
        self.instance.serve()
        old = self.enrol("dev1", *self.with_secret(), "-implicit_confirm")
        self.instance.stop()
        self.instance.cmpost("ca", "rollover", "--key", "ec:P-384", "--years", "20",
                             "--directory", "ca/next")
        set_in_ca(self.instance, rollovers='["ca/next/rollover.pem"]')
        self.old_root = self.instance.ca
        self.new_root = self.instance.directory / "ca/next/ca.pem"
        return old

    def links(self):
        """newWithOld and oldWithNew, as files."""
        pems = re.findall("-----BEGIN.*?END CERTIFICATE-----\n",
                          (self.instance.directory / "ca/next/rollover.pem").read_text(), re.S)
        files = []
        for name, pem in zip(("new_with_old", "old_with_new"), pems[2:]):
            file = self.workshop / f"{name}.pem"
            file.write_text(pem)
            files.append(file)
        return files

    def switch(self):
        set_in_ca(self.instance, certificate='"ca/next/ca.pem"', key='"ca/next/ca.key"',
                  cmp_certificate='"ca/next/cmp.pem"', cmp_key='"ca/next/cmp.key"')

    def test_links_verify_and_are_served_before_the_key_is_used(self):
        self.rolled_over()
        new_with_old, old_with_new = self.links()
        run("openssl", "verify", "-CAfile", self.old_root, new_with_old)
        run("openssl", "verify", "-CAfile", self.new_root, old_with_new)
        # Not every client knows rootCaCert; caCerts has the links, too.
        self.instance.serve()
        body = self.ask("caCerts")
        self.check_structure(self.relay.exchanges[-1][1])
        told = [one["sha256"] for one in body["items"][0]["infoValue"]]
        self.assertEqual(3, len(told))
        shown = {one["certificate"]: one["sha256"] for one in self.instance.json("ca", "show")}
        self.assertEqual({shown["issuing"], shown["newWithOld"], shown["oldWithNew"]}, set(told))

    def test_client_of_openssl_3_4_learns_the_new_root(self):
        if not client_knows("-newwithnew"):
            self.skipTest("the client of OpenSSL here knows no rootCaCert")
        self.rolled_over()
        new_with_old, old_with_new = self.links()
        self.instance.serve()
        self.ask("rootCaCert", "-oldwithold", self.old_root, *self.with_secret())
        for option, file in (("-newwithnew", self.new_root), ("-newwithold", new_with_old),
                             ("-oldwithnew", old_with_new)):
            self.assertEqual(self.fingerprint(file), self.fingerprint(self.saved(option)), option)

    def test_after_the_change_holders_of_either_root_go_on(self):
        old, old_key = self.rolled_over()
        new_with_old, old_with_new = self.links()
        self.switch()
        self.instance.serve()
        # Who trusts the old root only: the answer brings the link along.
        renewed = self.workshop / "renewed.pem"
        self.openssl_cmp("kur", "-newkey", self.key("renewed"), "-certout", renewed, "-cert", old,
                         "-key", old_key, "-trusted", self.old_root, "-implicit_confirm")
        run("openssl", "verify", "-CAfile", self.new_root, renewed)
        run("openssl", "verify", "-CAfile", self.old_root, "-untrusted", new_with_old, renewed)
        run("openssl", "verify", "-CAfile", self.new_root, "-untrusted", old_with_new, old)
        # Who trusts the new root only.
        self.openssl_cmp("cr", "-newkey", self.key("more"), "-subject", "/CN=dev1",
                         "-certout", self.workshop / "more.pem", "-cert", renewed,
                         "-key", self.workshop / "renewed.key", "-trusted", self.new_root)
        # A CRL by the new key comes by itself; it counts for certificates of the old one, too.
        self.instance.cmpost("run", check=False)
        crl = next((self.instance.directory / "crl").iterdir())
        self.assertIn("verify OK", run("openssl", "crl", "-inform", "DER", "-in", crl, "-noout",
                                       "-CAfile", self.new_root).stderr)
        pem = self.workshop / "crl.pem"
        run("openssl", "crl", "-in", crl, "-inform", "DER", "-out", pem)
        run("openssl", "verify", "-crl_check", "-extended_crl", "-CRLfile", pem,
            "-CAfile", self.old_root, "-untrusted", new_with_old, old)
        self.assertEqual(6, len(self.instance.json("ca", "show")))

    def test_a_second_one_on_the_same_place_is_refused_and_changes_nothing(self):
        self.instance.cmpost("ca", "rollover", "--directory", "ca/next", "--years", "20")
        before = sorted(self.instance.directory.glob("ca/next/*"))
        again = self.instance.cmpost("ca", "rollover", "--directory", "ca/next", "--years", "20",
                                     check=False)
        self.assertNotEqual(0, again.returncode)
        self.assertEqual(before, sorted(self.instance.directory.glob("ca/next/*")))
        self.assertIn("ca.rollover", self.instance.cmpost("audit", "show").stdout)


class Announcements(GenmTest):
    serve = False

    def prepare(self):
        self.instance.set_in_channel("announce", '["crlann", "ckuann", "rann"]')

    def out(self, pattern):
        return sorted(self.instance.answers.glob(pattern))

    def test_new_crls_revocations_and_keys_are_announced_once(self):
        self.instance.cmpost("run")
        (first,) = self.out("*.crlann.pki")
        self.check_structure(first.read_bytes())
        body = inspect(first)["body"]
        self.assertEqual(1, body["crls"][0]["crlNumber"])
        self.relay.each = lambda: self.instance.cmpost("run")
        self.enrol("dev1", *self.with_secret(), "-implicit_confirm")
        (certificate,) = self.certificates()
        self.instance.cmpost("cert", "revoke", certificate["serial"], "--reason", "superseded")
        self.instance.cmpost("run")
        self.instance.cmpost("run")
        (revocation,) = self.out("revocation-*.rann.pki")
        self.check_structure(revocation.read_bytes(), by_modules=False)
        self.assertEqual("revocationNotification", inspect(revocation)["body"]["status"])
        self.assertEqual(2, len(self.out("crl-*.crlann.pki")))
        self.instance.cmpost("ca", "rollover", "--directory", "ca/next", "--years", "20")
        set_in_ca(self.instance, rollovers='["ca/next/rollover.pem"]')
        self.instance.cmpost("run")
        (key,) = self.out("ca-key-*.ckuann.pki")
        self.assertEqual(3, inspect(key)["header"]["pvno"])

    def test_announcements_by_command(self):
        self.relay.each = lambda: self.instance.cmpost("run")
        self.enrol("dev1", *self.with_secret(), "-implicit_confirm")
        (certificate,) = self.certificates()
        serial = certificate["serial"]
        self.instance.cmpost("announcement", "certificate", serial, "--channel", "drop")
        self.instance.cmpost("announcement", "revocation", serial, "--at", "30d",
                             "--channel", "drop")
        again = self.instance.cmpost("announcement", "certificate", serial, "--channel", "drop",
                                     check=False)
        self.assertIn("already", again.stderr)
        self.instance.cmpost("run")
        (cann,) = self.out("*.cann.pki")
        self.check_structure(cann.read_bytes())
        self.assertEqual("CN=dev1", inspect(cann)["body"]["certificate"]["subject"])
        (rann,) = self.out("planned-*.rann.pki")
        self.assertEqual("revocationWarning", inspect(rann)["body"]["status"])

    def test_another_ca_keeps_them_and_answers_nothing(self):
        other = Instance(self.workshop.parent / "other")
        other.set_in_channel("roles", f'{{ ca = ["{self.instance.ca}"] }}')
        self.instance.cmpost("ca", "rollover", "--directory", "ca/next", "--years", "20")
        set_in_ca(self.instance, rollovers='["ca/next/rollover.pem"]')
        self.instance.cmpost("run")
        for file in self.out("*ann.pki"):
            other.put(file.name, file.read_bytes())
        other.put("again.pki", self.out("*crlann.pki")[0].read_bytes())
        other.cmpost("run")
        kept = other.json("announcement", "list")
        self.assertEqual({"ckuann", "crlann"}, {one["body"] for one in kept})
        self.assertEqual(2, len(kept))
        self.assertEqual([], list(other.answers.glob("*.pki")))
        shown = other.cmpost("announcement", "show", kept[0]["id"]).stdout
        self.assertIn("type: ", shown)


if __name__ == "__main__":
    unittest.main()
