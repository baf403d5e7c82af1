"""Who refuses, and who lets wait: an RA, people at it, the CA above, and people there."""

import sys
import threading
import unittest

from instance import eventually
from three_parties import ThreePartiesTest


class DecidingTest(ThreePartiesTest):
    def when_it_waits(self, instance, *words):
        """In a thread: an operator says so about the first request that waits for people."""

        def decide():
            tid = eventually(lambda: [one for one in instance.json("transaction", "list",
                                                                   "--state", "waiting")],
                             "a request that waits")[0]["tid"]
            eventually(lambda: instance.cmpost(words[0], tid, *words[1:], check=False)
                       .returncode == 0, "the decision to count")

        thread = threading.Thread(target=decide)
        thread.start()
        self.addCleanup(thread.join)

    def enrol_and_check(self, name, *arguments):
        certificate, _ = self.enrol(name, *arguments)
        self.verify(certificate)
        self.check_noted(name)


class Refusing(DecidingTest):
    def prepare(self):
        super().prepare()
        # The one here takes what the CA does not.
        self.vault.set_in("[[profile]]", "keys", '["ec:P-384"]')

    def test_the_ca_refuses_and_the_requester_hears_why(self):
        self.refused("ir", "one", *self.with_secret(), words="badCertTemplate")
        self.refused("ir", "two", *self.device("two"), words="badCertTemplate")
        self.assertEqual(["ip", "ip"], self.bodies())
        self.assertEqual([], self.certificates())
        explained = self.instance.cmpost("transaction", "list").stdout
        self.assertIn("closed", explained)

    def test_the_ra_refuses_and_the_ca_hears_nothing(self):
        self.instance.add_secret("narrow", "a narrow secret")
        self.refused("ir", "other", *self.with_secret("narrow", "a narrow secret"),
                     words="notAuthorized")
        self.refused("ir", "three", *self.with_secret(secret="wrong"), "-unprotected_errors",
                     words="badMessageCheck")
        self.assertEqual([], self.vault.json("transaction", "list"))
        self.assertEqual([], self.courier.carried[self.courier.up])


class ThePeopleHere(DecidingTest):
    def prepare(self):
        super().prepare()
        self.instance.set_in_channel("approve", '"one"')
        self.instance.set_in_channel("waiting", '"always"')
        self.instance.set_in_channel("check_after", '"1s"')

    def test_nothing_goes_up_before_they_agree(self):
        self.when_it_waits(self.instance, "approve")
        self.enrol_and_check("one", *self.with_secret())
        self.check_polled()

    def test_what_they_reject_is_never_asked(self):
        self.when_it_waits(self.instance, "reject", "--reason", "not in the list")
        self.refused("ir", "two", *self.with_secret(), words="not in the list")
        self.assertEqual([], self.courier.carried[self.courier.up])


class ThePeopleThere(DecidingTest):
    def prepare(self):
        super().prepare()
        self.vault.set_in_channel("approve", '"one"')
        self.vault.set_in_channel("waiting", '"always"')
        self.vault.set_in_channel("check_after", '"1s"')
        # Whoever polls hears of the RA's own waiting, who does not of none.
        self.instance.set_in_channel("waiting", '"always"')
        self.instance.set_in_channel("check_after", '"1s"')

    def asked_above(self):
        return [name.split(".")[-2] for name in self.courier.carried[self.courier.up]]

    def test_the_ra_asks_again_until_they_agree(self):
        self.when_it_waits(self.vault, "approve")
        self.enrol_and_check("one", *self.with_secret())
        self.assertIn("pollReq", self.asked_above())
        self.assertEqual("certConf", self.asked_above()[-1])

    def test_what_they_reject_ends_with_their_reason(self):
        self.when_it_waits(self.vault, "reject", "--reason", "not in that list")
        self.refused("ir", "two", *self.device("two"), words="not in that list")


class ThePeopleThereOfSilentRequesters(ThePeopleThere):
    """The requester hears nothing before the answer is there, and never polls."""

    def prepare(self):
        super().prepare()
        self.instance.set_in_channel("waiting", '"never"')

    def test_the_ra_asks_again_until_they_agree(self):
        super().test_the_ra_asks_again_until_they_agree()
        self.assertEqual(["ip", "pkiconf"], self.bodies())


class ThePeopleThereOfOthers(ThePeopleThere):
    """The requester's own messages go on, and so do its polls."""

    mode = "forward"
    known_above = True

    def prepare(self):
        super().prepare()
        self.instance.set_in_channel("waiting", '"never"')

    def test_the_ra_asks_again_until_they_agree(self):
        self.when_it_waits(self.vault, "approve")
        self.enrol_and_check("one", *self.device("one"))
        self.check_polled()


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[1:]])
