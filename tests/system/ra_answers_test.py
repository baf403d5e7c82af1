"""What an RA answers and asks, read by Wireshark's dissector; and requests that no packaged client makes:
PBMAC1, and several CertReqMsgs in one message."""

import sys
import unittest

import dissector
from dissect_test import CP, ERROR, IP, KUP, PKICONF, RP, Dissecting
from instance import SECRET
from requester import (CR, GENM, GENP, IR, NESTED, POLL_REP, RR, Pbmac1, Requester, Secret, Signer,
                       as_pem, certificate_of, common_name, responses_in, seq, signed_request,
                       template)
from three_parties import ThreePartiesTest

KUR, CERTCONF = 7, 24


class Dissected(Dissecting, ThreePartiesTest):
    def by_a_device(self):
        """Whatever it can ask for."""
        old, key = self.enrol("one", *self.device("one"))
        new = self.workshop / "new.pem"
        self.openssl_cmp("kur", "-newkey", self.key("new"), "-certout", new, "-implicit_confirm",
                         *self.signed_by(old, key))
        self.openssl_cmp("rr", "-oldcert", new, "-revreason", "4",
                         *self.signed_by(new, self.workshop / "new.key"))
        self.openssl_cmp("genm", *self.device("one"))
        self.check_answers([IP, PKICONF, KUP, RP, GENP])

    def check_asked(self, bodies):
        """What has gone up."""
        way = self.courier.up
        asked = sorted((way[0] / name for name in self.courier.carried[way]),
                       key=lambda file: file.stat().st_mtime_ns)
        self.assertEqual(len(bodies), len(asked))
        for body, file in zip(bodies, asked):
            self.check_message(file.read_bytes(), body)


@unittest.skipUnless(dissector.available(), "tshark is not installed")
class Reprotected(Dissected):
    def test_answers_and_questions(self):
        self.by_a_device()
        self.check_asked([IR, CERTCONF, NESTED, RR, GENM])

    def test_under_a_secret(self):
        self.enrol("two", *self.with_secret())
        self.enrol("two", *self.with_secret(), "-implicit_confirm", command="cr")
        self.openssl_cmp("ir", "-newkey", self.key("three"), "-subject", "/CN=three", "-certout",
                         self.workshop / "none.pem", "-unprotected_errors",
                         *self.with_secret(secret="a wrong secret"), check=False)
        self.check_answers([IP, PKICONF, CP, ERROR])
        self.check_asked([IR, CERTCONF, CR])


@unittest.skipUnless(dissector.available(), "tshark is not installed")
class Waiting(Dissected):
    def prepare(self):
        super().prepare()
        self.instance.set_in_channel("waiting", '"always"')
        self.instance.set_in_channel("check_after", '"1s"')

    def test_answers(self):
        self.enrol("one", *self.with_secret())
        self.check_answers([IP, *[POLL_REP] * (len(self.relay.exchanges) - 3), IP, PKICONF])


@unittest.skipUnless(dissector.available(), "tshark is not installed")
class Forwarded(Dissected):
    mode = "forward"
    known_above = True

    def test_answers_and_questions(self):
        self.by_a_device()
        self.check_asked([IR, CERTCONF, KUR, RR, GENM])


@unittest.skipUnless(dissector.available(), "tshark is not installed")
class Nested(Dissected):
    mode = "nest"
    known_above = True

    def test_answers_and_questions(self):
        self.by_a_device()
        self.check_asked([NESTED] * 5)


@unittest.skipUnless(dissector.available(), "tshark is not installed")
class Batched(Dissected):
    mode = "batch"
    known_above = True

    def prepare(self):
        super().prepare()
        self.instance.set_in("[[channel]]", "batch_within", '"100ms"', 1)

    def test_answers_and_questions(self):
        self.by_a_device()
        self.check_asked([NESTED] * 5)


class SeveralParts:
    """Two certificates by one message, each for a key of its own."""

    def check(self, credential, pvno):
        requester = Requester(self.instance, credential, pvno)
        keys = [self.key("first"), self.key("second")]
        requests = [signed_request(template(common_name("dev1"), key), key, number=number)
                    for number, key in enumerate(keys)]
        tag, body = requester.talk(IR, seq(*requests))
        self.assertEqual(IP, tag)
        responses = responses_in(body)
        self.assertEqual([b"\0", b"\1"], [response[0][1] for response in responses])
        for number, response in enumerate(responses):
            self.verify(as_pem(certificate_of(response), self.workshop / f"{number}.pem"))
        for one in (self.instance, self.vault):
            found = [record["subject"] for record in one.json("cert", "list", "--channel", "drop")]
            self.assertEqual(["CN=dev1"] * 2, found)

    def prepare(self):
        super().prepare()
        self.instance.set_in("[[channel]]", "batch_within", '"100ms"', 1)

    def test_with_pbmac1(self):
        self.check(Pbmac1("dev1", SECRET), 3)

    def test_with_password_based_mac(self):
        self.check(Secret("dev1", SECRET), 2)


class SeveralReprotected(SeveralParts, ThreePartiesTest):
    pass


class SeveralBatched(SeveralParts, ThreePartiesTest):
    mode = "batch"


class SeveralSigned:
    known_above = True

    def test_with_a_signature(self):
        certificate, key = self.vendor.device("dev1")
        # Of these modes the CA itself answers.
        self.check(Signer(certificate, key, self.instance.ca), 2)


class SeveralForwarded(SeveralSigned, SeveralParts, ThreePartiesTest):
    mode = "forward"


class SeveralNested(SeveralSigned, SeveralParts, ThreePartiesTest):
    mode = "nest"


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[1:]])
