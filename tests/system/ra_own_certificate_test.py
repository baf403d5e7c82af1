"""The certificate of an RA's own: enrolled, renewed in time, by itself, whatever dies meanwhile."""

import unittest

from instance import eventually, run
from three_parties import ThreePartiesTest

PROFILE = """
[[profile]]
name = "registration"
who = ["ra"]
validity = "{validity}"
extended_key_usage = ["cmcRA"]
key_usage = ["digitalSignature"]
"""


class OwnCertificateTest(ThreePartiesTest):
    """The CA believes whom it has given a certificate for cmcRA, and at first the one of `init`."""

    serve = False
    validity = "90d"

    def prepare(self):
        super().prepare()
        vault = self.vault.directory / "cmpost.toml"
        text = vault.read_text().replace("[[channel]]",
                                         PROFILE.format(validity=self.validity) + "\n[[channel]]", 1)
        vault.write_text(text)
        self.vault.set_in_channel("profiles", '["device", "registration"]')
        self.vault.set_in_channel("roles", '{ ra = ["trust/ra.pem", "ca/ca.pem"] }')
        self.instance.set_in("[ra]", "renew_profile", '"registration"')

    def run_round(self):
        # Also where something is refused or held.
        self.instance.cmpost("run", check=False)
        self.courier.carry(self.courier.up)
        self.vault.cmpost("run", check=False)
        self.courier.carry(self.courier.down)
        self.instance.cmpost("run", check=False)

    def certificate(self):
        return run("openssl", "x509", "-in", self.ra, "-noout", "-serial", "-issuer", "-subject",
                   "-ext", "extendedKeyUsage").stdout

    def check_pair(self):
        """The two files are of one pair."""
        key = run("openssl", "pkey", "-in", self.ra.with_suffix(".key"), "-pubout").stdout
        self.assertEqual(run("openssl", "x509", "-in", self.ra, "-noout", "-pubkey").stdout, key)

    def shown(self):
        return self.instance.json("ra", "show")

    def check_usable(self):
        done = self.instance.cmpost("check", check=False)
        self.assertNotIn("does not belong", done.stderr)


class ByHand(OwnCertificateTest):
    def enrol_ra(self):
        """The self-signed certificate of `init` gives way to one of the CA."""
        self.instance.cmpost("ra", "renew", "--by", "ir")
        self.run_round()
        self.run_round()
        self.assertEqual("in_use", self.shown()["renewal"]["state"], self.shown())

    def enrol_device(self, name):
        self.ask_device(name)
        self.run_round()
        self.assertEqual("valid", self.of(self.instance, name)["state"])

    def ask_device(self, name):
        certificate, key = self.vendor.device(name)
        request = self.workshop / f"{name}.pki"
        run("openssl", "cmp", "-config", "", "-cmd", "ir", "-newkey", self.key(name), "-subject",
            f"/CN={name}", "-recipient", "/CN=CA", "-implicit_confirm", "-cert", certificate,
            "-key", key, "-certout", self.workshop / f"{name}.pem", "-rspin", "/dev/null", "-reqout", request, check=False)
        (self.instance.drop / request.name).write_bytes(request.read_bytes())

    def test_is_enrolled_and_renewed(self):
        self.assertNotEqual(0, self.instance.cmpost("ra", "renew", check=False).returncode)
        self.enrol_ra()
        first = self.certificate()
        self.assertIn("vault CA", first)
        self.check_pair()
        self.enrol_device("one")
        self.instance.cmpost("ra", "renew")
        self.assertEqual("kur", self.shown()["renewal"]["request"])
        self.run_round()
        self.run_round()
        self.assertNotEqual(first, self.certificate())
        self.assertEqual("in_use", self.shown()["renewal"]["state"])
        self.check_pair()
        self.enrol_device("two")
        states = [one["state"] for one in self.vault.json("cert", "list", "--all")
                  if "RA" in one["subject"]]
        self.assertEqual(["updated", "valid"], sorted(states))
        self.instance.cmpost("audit", "verify")

    def test_cr_and_p10cr_enrol_as_well(self):
        for body in ("cr", "p10cr"):
            with self.subTest(body):
                before = self.certificate()
                self.instance.cmpost("ra", "renew", "--by", body)
                self.run_round()
                self.run_round()
                self.assertEqual("in_use", self.shown()["renewal"]["state"], self.shown())
                self.assertNotEqual(before, self.certificate())

    def test_there_is_one_at_a_time(self):
        self.instance.cmpost("ra", "renew", "--by", "ir")
        done = self.instance.cmpost("ra", "renew", "--by", "ir", check=False)
        self.assertIn("asked for already", done.stderr)
        self.instance.cmpost("ra", "give-up")
        self.assertEqual("given_up", self.shown()["renewal"]["state"])
        self.enrol_ra()

    def test_refusal_is_told(self):
        self.vault.set_in_channel("profiles", '["device"]')
        before = self.certificate()
        self.instance.cmpost("ra", "renew", "--by", "ir")
        self.run_round()
        renewal = self.shown()["renewal"]
        self.assertEqual("refused", renewal["state"])
        self.assertIn("refused by the CA", renewal["reason"])
        self.assertEqual(before, self.certificate())
        self.assertIn("refused by the CA", self.instance.cmpost("check", check=False).stderr)

    def test_what_is_open_goes_on_under_the_certificate_that_it_began_with(self):
        self.enrol_ra()
        before = len(list((self.instance.directory / "to-ca").glob("*.pki")))
        self.ask_device("late")
        self.instance.cmpost("run")
        self.assertEqual(before + 1, len(list((self.instance.directory / "to-ca").glob("*.pki"))))
        late = set((self.instance.directory / "to-ca").glob("*.pki")) - {
            self.instance.directory / "to-ca" / name
            for name in self.courier.carried[self.courier.up]}
        aside = [(one, one.read_bytes()) for one in late]
        for one, _ in aside:
            one.unlink()
        self.instance.cmpost("ra", "renew")
        self.run_round()
        self.run_round()
        self.assertEqual("in_use", self.shown()["renewal"]["state"])
        for one, octets in aside:
            one.write_bytes(octets)
        self.run_round()
        self.assertEqual("valid", self.of(self.instance, "late")["state"])


    def test_where_the_files_cannot_be_written_the_work_goes_on(self):
        self.enrol_ra()
        before = self.certificate()
        self.instance.cmpost("ra", "renew")
        self.run_round()
        in_the_way = self.ra.with_name(self.ra.name + ".new")
        (in_the_way / "x").mkdir(parents=True)
        self.run_round()
        self.assertEqual("granted", self.shown()["renewal"]["state"])
        self.enrol_device("one")
        self.instance.serve()
        self.assertIn("the files are not written yet",
                      self.instance.cmpost("status", check=False).stdout)
        self.instance.stop()
        self.assertEqual(before, self.certificate())
        (in_the_way / "x").rmdir()
        in_the_way.rmdir()
        self.instance.cmpost("run", check=False)
        self.assertEqual("in_use", self.shown()["renewal"]["state"])
        self.assertNotEqual(before, self.certificate())

    def test_nothing_is_asked_for_that_could_not_be_written(self):
        (self.ra.with_name(self.ra.name + ".new") / "x").mkdir(parents=True)
        done = self.instance.cmpost("ra", "renew", "--by", "ir", check=False)
        self.assertIn("is a directory", done.stderr)
        self.assertIn("cannot be renewed", self.instance.cmpost("check", check=False).stderr)

    def test_what_was_given_up_before_it_has_left_does_not_leave(self):
        self.instance.cmpost("ra", "renew", "--by", "ir")
        self.instance.cmpost("ra", "give-up")
        self.instance.cmpost("run", check=False)
        self.assertEqual([], list((self.instance.directory / "to-ca").glob("*.pki")))


class InTime(OwnCertificateTest):
    """Due from the first moment on."""

    def prepare(self):
        super().prepare()
        self.instance.set_in("[ra]", "renew_before", '"3650d"')
        self.instance.set_in("[ra]", "renew_by", '"ir"')

    def test_it_is_asked_for_by_itself(self):
        before = self.certificate()
        self.run_round()
        self.run_round()
        self.assertNotEqual(before, self.certificate())

    def test_killed_at_each_step(self):
        """Never without a pair, and one renewal is under way at most."""
        self.run_round()
        self.courier.carry(self.courier.down)
        killed = 0
        for number in range(1, 60):
            self.instance.environment = {"CMPOST_CRASH_AT": str(number)}
            done = self.instance.cmpost("run", check=False)
            self.instance.environment = {}
            killed += done.returncode < 0
            self.check_usable()
            self.courier.carry(self.courier.up)
            self.vault.cmpost("run", check=False)
            self.courier.carry(self.courier.down)
            if done.returncode >= 0 and self.shown()["renewal"]["state"] == "in_use":
                break
        self.instance.cmpost("run", check=False)
        self.check_pair()
        self.assertGreater(killed, 5)
        asked = [one for one in self.vault.json("cert", "list", "--all") if "RA" in one["subject"]]
        self.assertEqual(1, len(asked))


class WithoutRestart(OwnCertificateTest):
    """The service goes on with the new certificate by itself."""

    serve = True

    def prepare(self):
        super().prepare()
        self.instance.set_in("[ra]", "renew_before", '"3650d"')
        self.instance.set_in("[ra]", "renew_by", '"ir"')
        self.before = self.certificate()

    def test_service_goes_on_with_the_new_certificate(self):
        pid = self.instance.process.pid
        eventually(lambda: "service.opened_anew" in self.instance.log.read_text(),
                   "the service to be opened anew", timeout=200)
        self.assertNotEqual(self.before, self.certificate())
        self.assertEqual(pid, self.instance.process.pid)
        done = self.enrol("one", *self.device("one"))
        self.assertTrue(done)
        self.assertEqual("valid", self.of(self.instance, "one")["state"])


if __name__ == "__main__":
    unittest.main()
