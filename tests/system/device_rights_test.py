"""What a device of the list gets no more: one that is retired, and one whose row allows no more
certificates, wherever and however it asks."""

import time
import unittest

from device_test import DeviceTest, VendorTest
from instance import run
from three_parties import ThreePartiesTest


class Retired(VendorTest):
    """Refused wherever it can be told who asks."""

    def enrol_and_keep(self, name, *credential, kept="first"):
        self.ask(name, *credential)
        self.accept(name, *credential)
        for end in ("pem", "key"):
            (self.workshop / f"{name}.{end}").rename(self.workshop / f"{kept}.{end}")
        return ("-cert", self.workshop / f"{kept}.pem", "-key", self.workshop / f"{kept}.key",
                "-trusted", self.instance.ca)

    def trust_without_the_list(self):
        self.instance.set_in_channel("devices", '"any"')
        self.instance.trust(self.workshop / "acme.pem")
        self.instance.set_in_channel("trusted_subject", '"any"')

    def retire(self, *arguments, check=True):
        return self.instance.cmpost("device", "retire", *arguments, check=check)

    def test_on_a_channel_that_trusts_the_vendor_without_the_list(self):
        self.take("gw-1,acme,17", "gw-2,acme,18", columns="name,vendor,serial")
        self.retire("gw-1", "--reason", "sold")
        self.trust_without_the_list()
        self.ask("gw-1", *self.birth("gw-1", "17"))
        self.assertIn("is retired: sold", self.refusal("gw-1"))
        for name, number in (("gw-2", "18"), ("gw-3", "99")):
            birth = self.birth(name, number)
            self.ask(name, *birth)
            self.accept(name, *birth)

    def test_by_a_certificate_that_is_older_than_its_row(self):
        self.trust_without_the_list()
        own = self.enrol_and_keep("gw-1", *self.birth("gw-1", "17"))
        other = self.enrol_and_keep("gw-2", *self.birth("gw-2", "18"), kept="other")
        self.take("gw-1", "gw-2")
        said = self.retire("gw-1", "--reason", "sold").stdout
        self.assertIn("still counts", said)
        self.assertIn("CN=gw-1 until", said)
        self.ask("gw-1", *own, command="kur", more=("-oldcert", self.workshop / "first.pem"))
        self.assertIn("is retired: sold", self.refusal("gw-1"))
        self.ask("gw-2", *other, command="kur", more=("-oldcert", self.workshop / "other.pem"))
        self.accept("gw-2", *other, command="kur")

    def test_whose_it_is_cannot_be_told_where_two_may_have_the_subject(self):
        self.trust_without_the_list()
        own = self.enrol_and_keep("gw-1", *self.birth("gw-1", "17"))
        self.take("gw-1,", "gw-2,CN=GW-1", columns="name,subject")
        said = self.retire("gw-1", "--reason", "sold")
        self.assertNotIn("still counts", said.stdout)
        self.assertIn("may have the same subject", said.stderr)
        self.ask("gw-1", *own, command="kur", more=("-oldcert", self.workshop / "first.pem"))
        self.accept("gw-1", *own, command="kur")

    def test_what_it_has_is_revoked_where_somebody_says_so(self):
        self.take("gw-1,acme,17", columns="name,vendor,serial")
        own = self.enrol_and_keep("gw-1", *self.birth("gw-1", "17"))
        self.retire("gw-1", "--reason", "stolen")
        self.assertEqual(["valid"], [one["state"] for one in self.certificates()])
        self.retire("gw-1", "--reason", "stolen", "--revoke", "keyCompromise")
        self.assertEqual(["revoked"], [one["state"] for one in self.certificates()])
        self.assertEqual("keyCompromise", self.certificates()[0]["reason"])
        crl = next(self.instance.directory.rglob("*.crl"))
        self.assertIn("Key Compromise", run(
            "openssl", "crl", "-in", crl, "-noout", "-text").stdout)
        self.ask("gw-1", *own, command="kur", more=("-oldcert", self.workshop / "first.pem"))
        self.assertIn("certRevoked", self.refusal("gw-1"))
        self.instance.cmpost("audit", "verify")

    def test_a_reason_is_said_and_short(self):
        self.take("gw-1")
        for reason in ("", "  ", "x" * 201, "two\nlines", "hidden\u200b"):
            done = self.retire("gw-1", "--reason", reason, check=False)
            self.assertEqual(64, done.returncode, reason)
        self.assertEqual("listed", self.devices()["gw-1"]["state"])


class Counted(VendorTest):
    """`uses` of a row, however the certificates are asked for."""

    def test_a_secret_and_a_certificate_of_the_vendor_count_together(self):
        self.take("gw-1,acme,17,2,given-in-the-list-1234",
                  columns="name,vendor,serial,uses,secret")
        birth, secret = self.birth("gw-1", "17"), self.with_secret("gw-1", "given-in-the-list-1234")
        for credential in (birth, secret):
            self.key("gw-1")
            self.ask("gw-1", *credential)
            self.accept("gw-1", *credential)
        for credential in (birth, secret):
            self.key("gw-1")
            self.ask("gw-1", *credential)
            self.assertIn("all the certificates that its row allows", self.refusal("gw-1"))
        self.take("gw-1,3", columns="name,uses")
        self.ask("gw-1", *secret)
        self.accept("gw-1", *secret)
        self.assertEqual(3, self.devices()["gw-1"]["certificates"])
        self.instance.cmpost("audit", "verify")

    def test_both_at_once_get_one(self):
        self.take("gw-1,acme,17,1,given-in-the-list-1234",
                  columns="name,vendor,serial,uses,secret")
        self.put("one", *self.birth("gw-1", "17"), subject="/CN=gw-1")
        self.put("two", *self.with_secret("gw-1", "given-in-the-list-1234"), subject="/CN=gw-1")
        self.instance.cmpost("run", check=False)
        self.assertEqual(1, len(self.certificates()))

    def test_of_those_that_have_waited_for_the_row_only_so_many_get_a_certificate(self):
        birth = self.birth("gw-1", "17")
        for name in ("one", "two", "three"):
            self.ask(name, *birth, subject="/CN=gw-1")
        self.assertEqual(3, self.instance.json("status")["transactions"]["unlisted"])
        self.take("gw-1,acme,17,1", columns="name,vendor,serial,uses")
        self.instance.cmpost("run", check=False)
        self.assertEqual(1, len(self.certificates()))
        said = [self.refusal(name) for name in ("one", "two", "three")]
        self.assertEqual(2, sum("all the certificates that its row allows" in one for one in said))

    def test_a_secret_of_an_operator_brings_one_to_who_has_waited(self):
        secret = self.with_secret("dev1")
        for name in ("one", "two"):
            self.ask(name, *secret, subject="/CN=dev1")
        self.assertEqual(2, self.instance.json("status")["transactions"]["unlisted"])
        self.take("dev1")
        self.instance.cmpost("run", check=False)
        self.assertEqual(1, len(self.certificates()))

    def test_no_letter_promises_what_the_row_does_not_allow(self):
        self.take("gw-1,acme,17,1", columns="name,vendor,serial,uses")
        birth = self.birth("gw-1", "17")
        self.ask("gw-1", *birth)
        self.accept("gw-1", *birth)
        done = self.instance.cmpost("device", "letters", "gw-1", "--to", self.workshop / "l.html",
                                    check=False)
        self.assertEqual(1, done.returncode)
        self.assertIn("raise its `uses`", done.stderr)

    def test_the_only_profile_of_a_row_is_meant_where_none_is_named(self):
        toml = self.instance.directory / "cmpost.toml"
        toml.write_text(toml.read_text() + '\n[[profile]]\nname = "meter"\n')
        self.instance.set_in_channel("profiles", '["device", "meter"]')
        self.take("gw-1,acme,17,meter", columns="name,vendor,serial,profile")
        birth = self.birth("gw-1", "17")
        self.ask("gw-1", *birth)
        self.accept("gw-1", *birth)
        self.assertEqual(["meter"], [one["profile"] for one in self.certificates()])


class Looked(VendorTest):
    """What `check` says of the list."""

    def said(self):
        found = self.instance.json("check")["findings"]
        return [one["text"] for one in found if one["kind"] in ("device", "lifetime")]

    def test_who_can_never_ask_is_told(self):
        self.assertIn("no device is listed for it", str(self.said()))
        self.take("gw-1,acme,17,none", "gw-2,acme,,none", "gw-3,,4711,none", "gw-4,other,9,none",
                  "gw-5,,,", columns="name,vendor,serial,secret")
        said = str(self.said())
        self.assertNotIn("no device is listed for it", said)
        self.assertNotIn("gw-1", said)
        self.assertNotIn("gw-5", said)
        self.assertIn("gw-2 can never ask: no secret, and no serial", said)
        self.assertIn("gw-3 can never ask: no secret, and no vendor", said)
        self.assertIn("gw-4 can never ask: no secret, and no mac", said)
        toml = self.instance.directory / "cmpost.toml"
        toml.write_text(toml.read_text().replace('name = "acme"', 'name = "acme2"'))
        self.assertIn("gw-1 and 1 others can never ask: there is no vendor \'acme\'",
                      str(self.said()))

    def test_a_root_that_ends_is_told(self):
        self.assertNotIn("its root", str(self.said()))
        run("openssl", "x509", "-in", self.workshop / "acme.pem", "-signkey",
            self.workshop / "acme.key", "-days", "20", "-out", self.workshop / "new.pem")
        (self.workshop / "new.pem").replace(self.workshop / "acme.pem")
        self.assertIn("its root CN=acme CA,O=acme ends at", str(self.said()))


class Decided(VendorTest):
    """A row that comes late leaves people their time."""

    def prepare(self):
        super().prepare()
        self.instance.set_in_channel("approve", '"one"')
        self.instance.set_in_channel("decide_within", '"1h"')

    def decide_by(self):
        [waits] = self.instance.json("transaction", "list", "--state", "waiting")
        shown = self.instance.json("transaction", "show", waits["tid"])
        shown = shown[0] if isinstance(shown, list) else shown
        return str(shown).split("decide_by\': \'")[1][:20]

    def test_the_time_to_decide_begins_with_the_row(self):
        self.ask("gw-1", *self.birth("gw-1", "17"))
        before = self.decide_by()
        time.sleep(2.1)
        self.take("gw-1,acme,17", columns="name,vendor,serial")
        self.instance.cmpost("run", check=False)
        after = self.decide_by()
        self.assertLess(before, after)


class CountedAtAnRa(DeviceTest, ThreePartiesTest):
    """An RA counts what it has asked its CA for."""

    def prepare(self):
        ThreePartiesTest.prepare(self)
        self.instance.set_in_channel("trust", "[]")
        self.instance.set_in_channel("devices", '"listed"')
        toml = self.instance.directory / "cmpost.toml"
        toml.write_text(toml.read_text() + f'\n[[vendor]]\nname = "acme"\n'
                        f'roots = ["{self.vendor.root}"]\nid = "subject.CN"\n')

    def test_what_is_under_way_counts(self):
        self.take("gw-1,acme,gw-1,1", columns="name,vendor,serial,uses")
        birth = self.device("gw-1")
        self.put("one", *birth, subject="/CN=gw-1")
        self.put("two", *birth, subject="/CN=gw-1")
        self.instance.cmpost("run", check=False)
        self.assertEqual(1, len(self.courier.waiting(self.courier.up)))
        self.put("three", *birth, subject="/CN=gw-1")
        self.instance.cmpost("run", check=False)
        self.assertIn("has asked for all the certificates", self.refusal("three"))
        self.run_round()
        self.assertEqual([], self.instance.json("queue", "list", "--state", "held"))
        self.assertEqual(1, self.devices()["gw-1"]["certificates"])

    def round_with_refusals(self):
        for party, way in ((self.instance, self.courier.up), (self.vault, self.courier.down)):
            party.cmpost("run", check=False)
            self.courier.carry(way)
        self.instance.cmpost("run", check=False)

    def test_what_the_ca_refuses_is_given_back(self):
        self.take("gw-1,acme,gw-1,1,given-in-the-list-1234",
                  columns="name,vendor,serial,uses,secret")
        birth, secret = self.device("gw-1"), self.with_secret("gw-1", "given-in-the-list-1234")
        settings = (self.vault.directory / "cmpost.toml").read_text()
        self.vault.set_in("[[profile]]", "keys", '["rsa:3072"]')
        for name, credential in (("one", birth), ("two", secret), ("three", secret)):
            self.put(name, *credential, subject="/CN=gw-1")
            self.round_with_refusals()
            self.assertIn("badCertTemplate", self.refusal(name))
        (self.vault.directory / "cmpost.toml").write_text(settings)
        self.key("gw-1")
        self.ask("gw-1", *secret)
        self.run_round()
        self.assertEqual(1, self.devices()["gw-1"]["certificates"])
        self.instance.cmpost("audit", "verify")


if __name__ == "__main__":
    unittest.main()
