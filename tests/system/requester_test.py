"""What no packaged client does: requester.py against the service."""

import datetime
import hashlib
import os
import signal
import unittest

from instance import ANYTHING, PROGRAM, SECRET, InstanceTest, run
from requester import (BAD_POP, CCP, CCR, CP, CR, ENC_KEY_WITH_ID, ERROR, GENM, GENP, IP, IR,
                       KEM_CIPHERTEXT_INFO, KRP, KRR, NESTED, POLL_REP, POPDECC, POPDECR,
                       PROTOCOL_ENCR_KEY, RP, RR, RSA, WRONG_AUTHORITY, AgreeingHolder, Agreement,
                       KemHolder, Pbmac1, Requester, Secret, Signer, as_pem, bits, cert_request,
                       certificate_der, certificate_in, common_name, elements, enveloped_for,
                       explicit, inside_of, integer, oid, openssl, public_key, refusal_in,
                       response_in, seq, signed_request, subject_of, template, tlv, utc_time,
                       write)
from structure import body_of


def add_profile(instance, text):
    """As the first of the only channel."""
    file = instance.directory / "cmpost.toml"
    name = text.split('"')[1]
    settings = file.read_text().replace('profiles = ["', f'profiles = ["{name}", "')
    file.write_text(settings.replace("[[channel]]", f"[[profile]]\n{text}\n[[channel]]", 1))


def issued_by_ca(test, name, kind, extension):
    """A certificate of the instance's CA with an extension, and its key: files."""
    key, certificate = test.key(name, kind), test.workshop / f"{name}.pem"
    request = run("openssl", "req", "-new", "-key", key, "-subj", f"/CN={name}", "-addext",
                  extension).stdout
    run("openssl", "x509", "-req", "-CA", test.instance.ca, "-CAkey",
        test.instance.directory / "ca/ca.key", "-days", "9", "-copy_extensions", "copyall",
        "-out", certificate, text_in=request)
    return certificate, key


def add_to_ca(instance, *lines):
    file = instance.directory / "cmpost.toml"
    file.write_text(file.read_text().replace("[ca]\n", "[ca]\n" + "\n".join(lines) + "\n", 1))


def set_protocol_key(instance, files):
    add_to_ca(instance, 'protocol_keys = [{{ certificate = "{}", key = "{}" }}]'.format(*files))


class WithSealedKeys(InstanceTest):
    """Certificates for RSA keys that only decrypt."""

    def prepare(self):
        add_profile(self.instance, 'name = "sealed"\nkeys = ["rsa:2048-4096", "x25519"]\n'
                                   'key_usage = ["keyEncipherment"]\n')

    def challenge(self, pvno, kind="rsa:2048"):
        """The requester, and the one Challenge that its ir got."""
        self.key_file = self.key("sealed", kind)
        requester = Requester(self.instance, Secret("dev1", SECRET), pvno)
        # keyEncipherment [2] { subsequentMessage [1] challengeResp(1) }
        wanted = seq(cert_request(template(common_name("dev1"), self.key_file)),
                     explicit(2, integer(1, tag=0x81)))
        tag, body = requester.talk(IR, seq(wanted))
        self.assertEqual(POPDECC, tag)
        (one,) = elements(inside_of(body))
        return requester, elements(one[1])

    def decrypted(self, challenge):
        """The Rand in a Challenge of pvno 2."""
        return openssl("pkeyutl", "-decrypt", "-inkey", self.key_file, octets_in=challenge[2][1])


class Challenges(WithSealedKeys):
    """RFC 9810 5.2.8.3: a key that cannot sign opens a challenge."""

    def check_witness(self, challenge, rand):
        """owf is SHA-256, over the DER of the INTEGER in Rand, which is given."""
        (number, _) = elements(inside_of(rand))
        self.assertEqual(0x30, challenge[0][0])
        self.assertEqual(hashlib.sha256(number[2]).digest(), challenge[1][1])
        return number[2]

    def check_granted(self, tag, body):
        self.assertEqual(IP, tag)
        certificate = as_pem(certificate_in(body), self.workshop / "sealed.pem")
        self.verify(certificate)
        self.assertEqual(run("openssl", "pkey", "-in", self.key_file, "-pubout").stdout,
                         run("openssl", "x509", "-in", certificate, "-noout", "-pubkey").stdout)

    def test_in_the_old_version_rsa_decrypts_it(self):
        requester, challenge = self.challenge(pvno=2)
        number = self.check_witness(challenge, self.decrypted(challenge))
        self.assertEqual([], self.certificates())
        self.check_granted(*requester.talk(POPDECR, seq(number)))

    def test_in_the_new_version_it_is_enveloped(self):
        requester, challenge = self.challenge(pvno=3)
        self.assertEqual(b"", challenge[2][1], "challenge is empty beside encryptedRand")
        self.assertEqual(0xA0, challenge[3][0])
        sealed = seq(oid("1.2.840.113549.1.7.3"), explicit(0, challenge[3][1]))
        rand = openssl("cms", "-decrypt", "-inform", "DER", "-inkey", self.key_file, "-binary",
                       octets_in=sealed)
        number = self.check_witness(challenge, rand)
        self.check_granted(*requester.talk(POPDECR, seq(number)))

    def test_a_wrong_number_is_the_only_try(self):
        requester, challenge = self.challenge(pvno=2)
        tag, body = requester.talk(POPDECR, seq(integer(4711)))
        self.assertEqual(IP, tag)
        self.assertEqual(BAD_POP, refusal_in(body))
        number = self.check_witness(challenge, self.decrypted(challenge))
        tag, _ = requester.talk(POPDECR, seq(number))
        self.assertEqual(ERROR, tag)
        self.assertEqual([], self.certificates())


class Pbmac1Protection(InstanceTest):
    """RFC 9810 5.1.3.1: what the packaged client cannot do yet."""

    def test_is_answered_in_kind(self):
        requester = Requester(self.instance, Pbmac1("dev1", SECRET), pvno=3)
        key = self.key("dev1")
        request = signed_request(template(common_name("dev1"), key), key)
        tag, body = requester.talk(IR, seq(request))
        self.assertEqual(IP, tag)
        self.verify(as_pem(certificate_in(body), self.workshop / "dev1.pem"))

    def test_with_a_wrong_secret_is_refused(self):
        requester = Requester(self.instance, Pbmac1("dev1", "guessed"), pvno=3)
        key = self.key("dev1")
        request = signed_request(template(common_name("dev1"), key), key)
        self.instance.put("guess.pki", requester.message(IR, seq(request)))
        self.assertIn(".error.", self.instance.answer("guess").name)
        self.assertEqual([], self.certificates())


class KeyAgreement(InstanceTest):
    """DHBasedMac (RFC 9810 5.1.3.2), to prove possession of a key and to protect messages."""

    def prepare(self):
        self.protocol = issued_by_ca(self, "protocol", "ec:P-256", "keyUsage=keyAgreement")
        set_protocol_key(self.instance, self.protocol)
        add_profile(self.instance, 'name = "agreeing"\nkeys = ["ec:P-256"]\n'
                                   'key_usage = ["keyAgreement"]\n')

    def ask(self, key, proving_key):
        """What an ir for `key` gets whose MAC is made with `proving_key`."""
        agreement = Agreement(proving_key, self.protocol[0])
        request = cert_request(template(common_name("dev1"), key))
        # keyAgreement [3] { agreeMAC [3] PKMACValue }
        proof = tlv(0xA3, agreement.algorithm, bits(agreement.protect(request)))
        requester = Requester(self.instance, Secret("dev1", SECRET), pvno=3)
        return requester.talk(IR, seq(seq(request, explicit(3, proof))), by_modules=False)

    def test_proves_possession_and_protects_what_follows(self):
        key = self.key("agreeing")
        tag, body = self.ask(key, key)
        self.assertEqual(IP, tag)
        certificate = as_pem(certificate_in(body), self.workshop / "agreeing.pem")
        self.verify(certificate)
        holder = AgreeingHolder(certificate, key, self.protocol[0])
        tag, _ = Requester(self.instance, holder, pvno=3).talk(
            GENM, seq(seq(oid("1.3.6.1.5.5.7.4.17"))))
        self.assertEqual(GENP, tag)

    def test_of_another_key_proves_nothing(self):
        tag, body = self.ask(self.key("agreeing"), self.key("another"))
        self.assertEqual(IP, tag)
        self.assertEqual(BAD_POP, refusal_in(body))
        self.assertEqual([], self.certificates())


class KeyEncapsulation(WithSealedKeys):
    """KemBasedMac (RFC 9810 5.1.3.4): a key that can neither sign nor agree protects messages."""

    def enrol_holder(self):
        requester, challenge = self.challenge(pvno=2)
        (number, _) = elements(inside_of(self.decrypted(challenge)))
        _, body = requester.talk(POPDECR, seq(number[2]))
        self.certificate = as_pem(certificate_in(body), self.workshop / "sealed.pem")

    def asking(self):
        """A requester with a ciphertext."""
        holder = KemHolder(self.certificate, self.key_file, self.instance.ca)
        requester = Requester(self.instance, holder, pvno=3)
        tag, body = requester.talk(GENM, seq(seq(oid(KEM_CIPHERTEXT_INFO))))
        self.assertEqual(GENP, tag)
        (item,) = elements(inside_of(body))
        kind, info = elements(item[1])
        self.assertEqual(oid(KEM_CIPHERTEXT_INFO), kind[2])
        holder.take_ciphertext(info[2], requester.transaction_id)
        return requester

    def request(self):
        key = self.key("dev1", "rsa:2048")
        return seq(signed_request(template(subject_of(self.certificate), key), key, RSA))

    def test_protects_a_request_for_a_key_that_signs(self):
        self.enrol_holder()
        tag, body = self.asking().talk(CR, self.request())
        self.assertEqual(CP, tag)
        self.verify(as_pem(certificate_in(body), self.workshop / "dev1.pem"))

    def test_of_another_transaction_is_wrong(self):
        self.enrol_holder()
        requester = self.asking()
        requester.credential.mac_key = self.asking().credential.mac_key
        self.instance.put("mixed.pki", requester.message(CR, self.request()))
        self.assertIn(".error.", self.instance.answer("mixed").name)
        self.assertEqual(1, len(self.certificates()))


class WithAuthority(InstanceTest):
    """A registration authority and devices that share a secret."""

    def prepare(self):
        self.ra_key, self.ra = self.key("ra"), self.workshop / "ra.pem"
        run("openssl", "req", "-x509", "-new", "-key", self.ra_key, "-subj", "/CN=RA", "-days",
            "9", "-out", self.ra)
        self.instance.set_in_channel("roles", f'{{ ra = ["{self.ra}"] }}')

    def authority(self):
        return Requester(self.instance, Signer(self.ra, self.ra_key, self.instance.ca))

    def device(self, secret=SECRET, reference="dev1"):
        return Requester(self.instance, Secret(reference, secret))

    def ir(self, device, name):
        key = self.key(name)
        return device.message(IR, seq(signed_request(template(common_name("dev1"), key), key)))


class Nested(WithAuthority):
    """RFC 9483 5.2.2: what a registration authority sends on, alone and in batches."""

    def test_batch_has_an_answer_for_each_member_in_their_order(self):
        first, stranger, asking, last = (self.device(), self.device("guessed"), self.device(),
                                         self.device())
        # genm: [21] SEQUENCE OF InfoTypeAndValue, here id-it-caCerts.
        members = [self.ir(first, "first"), self.ir(stranger, "stranger"),
                   asking.message(GENM, seq(seq(oid("1.3.6.1.5.5.7.4.17")))),
                   self.ir(last, "last")]
        tag, body = self.authority().talk(NESTED, seq(*members))
        self.assertEqual(NESTED, tag)
        answers = [whole for _, _, whole in elements(inside_of(body))]
        self.assertEqual(4, len(answers))
        for device, answer, name in ((first, answers[0], "first"), (last, answers[3], "last")):
            tag, content = device.take(answer)
            self.assertEqual(IP, tag)
            self.verify(as_pem(certificate_in(content), self.workshop / f"{name}.pem"))
        self.assertEqual("error", body_of(answers[1]))
        tag, content = asking.take(answers[2])
        self.assertEqual(GENP, tag)
        self.assertEqual(2, len(self.certificates()))

    def test_added_protection_is_answered_to_who_is_inside(self):
        device, authority = self.device(), self.authority()
        inner = self.ir(device, "dev1")
        authority.transaction_id = device.transaction_id
        # "MUST copy the values of the senderNonce and transactionID" (RFC 9483 5.2.2.1)
        self.instance.put("added.pki", authority.message(NESTED, seq(inner), nonce=device.nonce))
        tag, body = device.take(self.instance.answer("added").read_bytes())
        self.assertEqual(IP, tag)
        self.verify(as_pem(certificate_in(body), self.workshop / "dev1.pem"))

    def test_who_is_no_authority_may_not_nest(self):
        certificate, key = self.enrol("dev1", *self.with_secret(), "-implicit_confirm")
        stranger = Requester(self.instance, Signer(certificate, key, self.instance.ca))
        members = [self.ir(self.device(), "one"), self.ir(self.device(), "two")]
        tag, _ = stranger.talk(NESTED, seq(*members))
        self.assertEqual(ERROR, tag)
        self.assertEqual(1, len(self.certificates()))


class Excluding(WithAuthority):
    """Requests that exclude each other, and a process that dies at each durable step in turn."""

    serve = False

    def dies_at(self, step):
        done = run(PROGRAM, "--quiet", "run", check=False, cwd=self.instance.directory, timeout=60,
                   env={**os.environ, "CMPOST_CRASH_AT": str(step)})
        return done.returncode == -signal.SIGKILL

    def test_one_is_granted_wherever_the_process_dies(self):
        deaths = 0
        for number, step in enumerate(range(1, 28, 3), 1):
            reference = f"once{number}"
            self.instance.add_secret(reference, SECRET, *ANYTHING, "--uses", "1")
            devices = [self.device(SECRET, reference) for _ in range(3)]
            requests = [self.ir(one, f"key{number}-{i}") for i, one in enumerate(devices)]
            batch = self.authority().message(NESTED, seq(*requests[:2]))
            self.instance.put(f"batch{number}.pki", batch)
            self.instance.put(f"alone{number}.pki", requests[2])
            deaths += self.dies_at(step)
            self.instance.cmpost("run", check=False)
            answers = [self.instance.answer(f"{name}{number}") for name in ("batch", "alone")]
            self.assertEqual(number, len(self.certificates()), [one.name for one in answers])
        self.assertGreater(deaths, 4)
        self.instance.cmpost("audit", "verify")
        self.assertEqual([], self.instance.json("queue", "list", "--state", "held"))


class RevocationPassphrase(InstanceTest):
    """RFC 9810 Appendix B: who has lost the key of a certificate revokes it by a passphrase."""

    PASSPHRASE = "seven wise men of Gotham"

    def prepare(self):
        self.protocol = issued_by_ca(self, "protocol", "rsa:2048", "keyUsage=keyEncipherment")
        set_protocol_key(self.instance, self.protocol)
        self.instance.set_in_channel("revocation_passphrase", "true")

    def leave(self, certificate, key):
        # EncryptedKey: envelopedData [0]
        value = tlv(0xA0, enveloped_for(self.protocol[0], self.PASSPHRASE.encode()))
        requester = Requester(self.instance, Signer(certificate, key, self.instance.ca), pvno=3)
        tag, _ = requester.talk(GENM, seq(seq(oid("1.3.6.1.5.5.7.4.12"), value)))
        self.assertEqual(GENP, tag)

    def revoke(self, certificate, passphrase):
        """Asks for it by a MAC under the passphrase; the sender is the subject."""
        credential = Secret("dev1", passphrase)
        credential.reference = None
        tbs = elements(inside_of(inside_of(certificate_der(certificate))))
        wanted = seq(tlv(0x81, tbs[1][1]), explicit(3, tbs[3][2]))  # serialNumber, issuer
        requester = Requester(self.instance, credential)
        self.instance.put("rr.pki", requester.message(RR, seq(seq(wanted))))
        return requester, self.instance.answer("rr")

    def test_revokes_the_certificates_of_its_subject(self):
        certificate, key = self.enrol("dev1", *self.with_secret(), "-implicit_confirm")
        self.leave(certificate, key)
        requester, answer = self.revoke(certificate, self.PASSPHRASE)
        tag, body = requester.take(answer.read_bytes())
        self.assertEqual(RP, tag)
        (status, *_) = elements(inside_of(inside_of(body)))
        self.assertEqual(b"\0", elements(status[1])[0][1], "accepted")
        (record,) = self.instance.json("cert", "list", "--all", "--channel", "drop")
        self.assertEqual("revoked", record["state"])

    def test_another_one_revokes_nothing(self):
        certificate, key = self.enrol("dev1", *self.with_secret(), "-implicit_confirm")
        self.leave(certificate, key)
        _, answer = self.revoke(certificate, "three wise men of Gotham")
        self.assertIn(".error.", answer.name)
        (record,) = self.instance.json("cert", "list", "--all", "--channel", "drop")
        self.assertEqual("valid", record["state"])


class CrossCertification(InstanceTest):
    """RFC 9810 6.6 and D.6: another CA has its own key certified here."""

    def prepare(self):
        self.other_key = self.key("other")
        self.other = self.workshop / "other.pem"
        run("openssl", "req", "-x509", "-new", "-key", self.other_key, "-subj", "/CN=Other CA",
            "-days", "300", "-out", self.other, "-addext", "keyUsage=critical,keyCertSign,cRLSign,"
            "digitalSignature")
        add_profile(self.instance, 'name = "cross"\nca = true\nwho = ["ca"]\nkeys = ["ec:P-256"]\n'
                                   'key_usage = ["keyCertSign", "cRLSign"]\n')
        self.instance.set_in_channel("roles", f'{{ ca = ["{self.other}"] }}')
        self.instance.set_in_channel("waiting", '"always"')

    def wanted(self, issuer=None, days=30):
        start = datetime.datetime.now(datetime.timezone.utc)
        return seq(
            integer(2, tag=0x80),  # v3
            tlv(0xA2, oid("1.2.840.10045.4.3.2")),
            explicit(3, issuer or subject_of(self.instance.ca)),
            tlv(0xA4, explicit(0, utc_time(start)),
                explicit(1, utc_time(start + datetime.timedelta(days=days)))),
            explicit(5, subject_of(self.other)),
            tlv(0xA6, inside_of(public_key(self.other_key))))

    def test_is_granted_when_somebody_has_agreed_and_makes_a_path(self):
        requester = Requester(self.instance, Signer(self.other, self.other_key, self.instance.ca))
        tag, body = requester.talk(CCR, seq(signed_request(self.wanted(), self.other_key)))
        self.assertEqual(CCP, tag)
        self.assertEqual(b"\3", elements(response_in(body)[1][1])[0][1], "waiting")
        self.assertEqual(POLL_REP, requester.poll()[0])
        self.instance.cmpost("approve", requester.tid, "--as", "alice")
        tag, body = requester.poll()
        self.assertEqual(CCP, tag)
        cross = as_pem(certificate_in(body), self.workshop / "cross.pem")
        self.verify(cross)
        # A device of the other CA is good for who knows only ours.
        device = self.key("device")
        certificate = self.workshop / "device.pem"
        request = run("openssl", "req", "-new", "-key", device, "-subj", "/CN=theirs").stdout
        run("openssl", "x509", "-req", "-CA", self.other, "-CAkey", self.other_key, "-days", "9",
            "-out", certificate, text_in=request)
        self.verify(certificate, "-untrusted", cross)

    def test_for_another_issuer_is_refused(self):
        requester = Requester(self.instance, Signer(self.other, self.other_key, self.instance.ca))
        wanted = self.wanted(issuer=common_name("Third CA"))
        tag, body = requester.talk(CCR, seq(signed_request(wanted, self.other_key)))
        self.assertEqual(CCP, tag)
        self.assertEqual(WRONG_AUTHORITY, refusal_in(body))
        self.assertEqual([], self.instance.json("transaction", "list", "--state", "waiting"))


class KeyRecovery(InstanceTest):
    """RFC 9810 5.3.7: a key that its holder has left here comes back, when two people agree."""

    def prepare(self):
        self.protocol = issued_by_ca(self, "protocol", "rsa:2048", "keyUsage=keyEncipherment")
        set_protocol_key(self.instance, self.protocol)
        kga = issued_by_ca(self, "kga", "ec:P-256", "extendedKeyUsage=1.3.6.1.5.5.7.3.32")
        add_to_ca(self.instance, 'kga_certificate = "{}"\nkga_key = "{}"'.format(*kga))
        for setting in ("archive", "recovery"):
            self.instance.set_in_channel(setting, "true")
        self.instance.set_in_channel("waiting", '"always"')

    def archive(self, key):
        """A certificate for CN=dev1 whose private key is sent along, encrypted to the CA."""
        private = openssl("pkcs8", "-topk8", "-nocrypt", "-in", key, "-outform", "DER")
        # EncKeyWithID (RFC 4211 4.2): the key, and whose it is.
        content = seq(private, tlv(0xA4, common_name("dev1")))
        # The openssl command calls all content data; the type is not encrypted.
        *before, (_, data, _) = elements(enveloped_for(self.protocol[0], content))
        envelope = b"".join(whole for _, _, whole in before) + seq(
            oid(ENC_KEY_WITH_ID), *(whole for _, _, whole in elements(data)[1:]))
        requester = Requester(self.instance, Secret("dev1", SECRET), pvno=3)
        # keyEncipherment [2] { encryptedKey [4] EnvelopedData }
        wanted = seq(cert_request(template(common_name("dev1"), key)),
                     explicit(2, tlv(0xA4, envelope)))
        tag, body = requester.talk(IR, seq(wanted), by_modules=False)
        self.assertEqual(IP, tag)
        return certificate_in(body)

    def test_key_comes_back_to_its_holder(self):
        lost = self.key("lost", "rsa:2048")
        archived = self.archive(lost)
        certificate, key = self.enrol("dev1", *self.with_secret(), "-implicit_confirm")
        transport = self.key("transport", "rsa:2048")
        requester = Requester(self.instance, Signer(certificate, key, self.instance.ca),
                              pvno=3)
        control = seq(oid(PROTOCOL_ENCR_KEY), public_key(transport))
        wanted = seq(cert_request(template(), control))
        tag, _ = requester.talk(KRR, seq(wanted))
        self.assertEqual(KRP, tag)
        self.instance.cmpost("approve", requester.tid, "--as", "alice")
        self.assertEqual(POLL_REP, requester.poll()[0], "one person is not enough")
        self.instance.cmpost("approve", requester.tid, "--as", "bob")
        tag, body = requester.poll()
        self.assertEqual(KRP, tag)
        self.check_recovered(body, archived, lost, transport)
        self.assertIn("key.recovered", self.instance.cmpost("audit", "show").stdout)

    def check_recovered(self, body, archived, lost, transport):
        content = {tag: one for tag, one, _ in elements(inside_of(body))}
        self.assertEqual(b"\0", elements(content[0x30])[0][1], "accepted")
        history = elements(inside_of(content[0xA2]))  # keyPairHist [2]
        self.assertEqual(1, len(history))
        pair = elements(history[0][1])
        self.assertEqual(archived, elements(pair[0][1])[0][2])
        # privateKey [0] EncryptedKey: envelopedData [0], of SignedData, of the key (RFC 9483 4.1.6)
        envelope = elements(pair[1][1])[0][1]
        sealed = seq(oid("1.2.840.113549.1.7.3"), explicit(0, seq(envelope)))
        signed = openssl("cms", "-decrypt", "-inform", "DER", "-inkey", transport, "-binary",
                         octets_in=sealed)
        file = write(seq(oid("1.2.840.113549.1.7.2"), explicit(0, signed)),
                     self.workshop / "signed.der")
        package = openssl("cms", "-verify", "-inform", "DER", "-binary", "-in", file, "-CAfile",
                          self.instance.ca, "-purpose", "any")
        # AsymmetricKeyPackage of one: v2, with the public key, which openssl 3.0 does not read.
        ((_, key, _),) = elements(inside_of(package))
        version, algorithm, private, public = elements(key)
        self.assertEqual(b"\1", version[1])
        self.assertEqual(0x81, public[0])
        self.assertEqual(bits(public[1][1:]), elements(inside_of(public_key(lost)))[1][2])
        found = openssl("pkey", "-inform", "DER", "-pubout", "-outform", "DER",
                        octets_in=seq(integer(0), algorithm[2], private[2]))
        self.assertEqual(public_key(lost), found)


if __name__ == "__main__":
    unittest.main()
