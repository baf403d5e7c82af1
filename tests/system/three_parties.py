"""Requesters, an RA, and a CA, with nothing between the two but files that somebody carries."""

import threading

from instance import Instance, InstanceTest, eventually, run
from openssl_cmp_test import Vendor


class Courier:
    """Carries files of the RA to the CA and back, each once; on demand, or all the time."""

    def __init__(self, gateway, vault):
        self.up = (gateway.directory / "to-ca", vault.drop)
        self.down = (vault.answers, gateway.directory / "from-ca")
        self.carried = {self.up: [], self.down: []}
        self.end = None

    def waiting(self, way):
        return sorted(file for file in way[0].glob("*.pki") if file.name not in self.carried[way])

    def deliver(self, way, name, octets):
        hidden = way[1] / f".{name}"
        hidden.write_bytes(octets)
        hidden.rename(way[1] / name)

    def carry(self, way):
        """How many."""
        files = self.waiting(way)
        for file in files:
            self.deliver(way, file.name, file.read_bytes())
            self.carried[way].append(file.name)
        return len(files)

    def start(self):
        self.end = threading.Event()

        def work():
            while not self.end.wait(0.01):
                self.carry(self.up)
                self.carry(self.down)

        self.thread = threading.Thread(target=work, daemon=True)
        self.thread.start()

    def stop(self):
        if self.end:
            self.end.set()
            self.thread.join()
            self.end = None


class ThreePartiesTest(InstanceTest):
    """`instance` is the RA, `vault` the CA. Devices have a certificate of a vendor or a secret that
    the RA knows; the CA believes the RA, and where `known_above`, the vendor too."""

    mode = "reprotect"
    confirm = "forward"
    known_above = False

    def make_instance(self, temporary):
        self.vault = Instance(temporary / "vault", temporary / "vault.log")
        gateway = Instance(temporary / "gateway", temporary / "gateway.log", self.vault.ca)
        self.ra = gateway.directory / "ra/cmp.pem"
        (self.vault.directory / "trust/ra.pem").write_bytes(self.ra.read_bytes())
        return gateway

    def setUp(self):
        super().setUp()
        self.addCleanup(self.vault.stop)
        if self.serve:
            self.vault.serve()
            self.courier.start()

    def prepare(self):
        self.courier = Courier(self.instance, self.vault)
        self.addCleanup(self.courier.stop)
        self.vendor = Vendor(self.workshop)
        self.instance.trust(self.vendor.root)
        self.instance.set_in("[ra]", "mode", f'"{self.mode}"')
        self.instance.set_in("[ra]", "confirm", f'"{self.confirm}"')
        self.vault.set_in_channel("roles", '{ ra = ["trust/ra.pem"] }')
        if self.known_above:
            self.vault.trust(self.vendor.root)

    def show_log_of_a_failure(self):
        super().show_log_of_a_failure()
        self.instance, gateway = self.vault, self.instance
        super().show_log_of_a_failure()
        self.instance = gateway

    def run_round(self):
        """A trip of the courier between two that run now and then."""
        self.instance.cmpost("run")
        self.courier.carry(self.courier.up)
        self.vault.cmpost("run")
        self.courier.carry(self.courier.down)
        self.instance.cmpost("run")

    def signed_by(self, certificate, key):
        # Answers are signed by the RA or by the CA.
        return ["-cert", certificate, "-key", key, "-trusted", f"{self.instance.ca},{self.ra}"]

    def device(self, name):
        """How the device `name` of the vendor signs."""
        return self.signed_by(*self.vendor.device(name))

    def bodies(self, since=0):
        """The answers that requesters got, as the names of their files say."""
        return [name.split(".")[-2] for _, _, name in self.relay.exchanges[since:]]

    def check_polled(self):
        """They may have agreed before the first poll comes."""
        told = self.bodies()
        self.assertEqual("ip", told[0])
        self.assertLessEqual(set(told[1:-2]), {"pollRep"})
        self.assertEqual(["ip", "pkiconf"], told[-2:])

    def of(self, instance, name):
        """What the ledger there knows of the only certificate for CN=`name`."""
        found = [one for one in instance.json("cert", "list", "--all")
                 if one["subject"] == f"CN={name}"]
        self.assertEqual(1, len(found), f"certificates of {name} in {instance.directory}")
        return found[0]

    def check_noted(self, name, state="valid"):
        """Both ledgers say the same of the certificate."""
        above = self.of(self.vault, name)
        eventually(lambda: self.of(self.instance, name)["state"] == state,
                   f"{name} to be {state} at the RA, not {self.of(self.instance, name)}")
        self.assertEqual(state, self.of(self.vault, name)["state"])
        self.assertEqual(above["serial"], self.of(self.instance, name)["serial"])

    def refused(self, command, name, *arguments, words):
        key = self.key(name)
        done = self.openssl_cmp(command, "-newkey", key, "-subject", f"/CN={name}", "-certout",
                                self.workshop / "none.pem", *arguments, check=False)
        self.assertNotEqual(0, done.returncode)
        self.assertIn(words, done.stdout + done.stderr)
        self.assertFalse((self.workshop / "none.pem").exists())
