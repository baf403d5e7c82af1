"""An RA and its CA with a data diode each way between the two."""

import sys
import unittest

from instance import SECRET
from requester import (CERT_CONF, IP, IR, PKI_CONF, Requester, Secret, cert_conf, certificate_in,
                       common_name, seq, signed_request, template)
from three_parties import ThreePartiesTest


def let_through(source, target):
    """What a diode takes, and puts at its other end."""
    for file in sorted(source.iterdir()):
        if file.is_file() and not file.name.startswith("."):
            (target / file.name).write_bytes(file.read_bytes())
            file.unlink()


class Diodes(ThreePartiesTest):
    serve = False
    confirm = "local"

    def prepare(self):
        super().prepare()
        for instance, number in ((self.instance, 1), (self.vault, 0)):
            (instance.directory / "stage").mkdir()
            instance.set_in("[[channel]]", "one_way", '"both"', number)
            instance.set_in("[[channel]]", "staging", '"stage"', number)
        self.up, self.down = self.instance.directory / "to-ca", self.instance.directory / "from-ca"

    def run_round(self):
        self.instance.cmpost("run")
        let_through(self.up, self.vault.drop)
        self.vault.cmpost("run")
        let_through(self.vault.answers, self.down)
        self.instance.cmpost("run")

    def test_one_round_is_enough(self):
        key = self.key("dev1")
        requester = Requester(self.instance, Secret("dev1", SECRET), implicit=False)
        request = signed_request(template(common_name("dev1"), key), key)
        self.instance.put("dev1.pki", requester.message(IR, seq(request)))
        self.run_round()
        tag, body = requester.take(self.instance.answer("dev1").read_bytes())
        self.assertEqual(IP, tag)
        self.instance.put("conf.pki", requester.message(CERT_CONF, cert_conf(certificate_in(body))))
        self.instance.cmpost("run")
        tag, _ = requester.take(self.instance.answer("conf").read_bytes())
        self.assertEqual(PKI_CONF, tag)
        self.assertEqual([], list(self.up.glob("*.pki")))

    def test_a_lost_batch_shows_at_the_other_end(self):
        for number in range(2):
            key = self.key(f"dev{number}")
            requester = Requester(self.instance, Secret("dev1", SECRET))
            request = signed_request(template(common_name("dev1"), key), key)
            self.instance.put(f"dev{number}.pki", requester.message(IR, seq(request)))
            self.instance.cmpost("run")
            if number == 0:
                for file in self.up.glob("*-0000000001*"):
                    file.unlink()
        let_through(self.up, self.vault.drop)
        self.vault.cmpost("run", check=False)
        self.assertIn("batch 1 missing", self.vault.cmpost("status", check=False).stdout)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[1:]])
