"""What a courier does to the files between an RA and its CA: many, late, twice, torn, forged."""

import concurrent.futures
import os
import sys
import unittest

from instance import eventually, run
from openssl_server import OpensslServer
from three_parties import ThreePartiesTest


class Client:
    """A stock client whose messages are files: one transaction."""

    def __init__(self, test, name, command, *arguments, confirms=False):
        self.test, self.name, self.confirms = test, name, confirms
        self.certificate = test.workshop / f"{name}.pem"
        how = ["-cmd", command, "-recipient", "/CN=CA", *arguments]
        if command != "rr":
            how += ["-certout", self.certificate]
            how += [] if confirms else ["-implicit_confirm"]
        if command in ("ir", "cr"):
            how += ["-newkey", test.one_key, "-subject", f"/CN={name}"]
        self.how, self.command = how, command

    def file(self, what):
        return self.test.workshop / f"{self.name}-{what}.pki"

    def cmp(self, *arguments, check=False):
        return run("openssl", "cmp", "-config", "", *self.how, *arguments, check=check)

    def ask(self):
        self.cmp("-rspin", "/dev/null", "-reqout", self.file("asks"))
        return self.file("asks")

    def accept(self):
        """The answer, and where that is to be confirmed, what says so is made."""
        if not self.confirms:
            self.cmp("-rspin", self.answer("asks"), check=True)
            return
        self.cmp("-rspin", f"{self.answer('asks')},/dev/null",
                 "-reqout", f"{self.file('none')},{self.file('confirms')}")

    def end(self):
        self.cmp("-rspin", f"{self.answer('asks')},{self.answer('confirms')}", check=True)

    def answer(self, what):
        """The only file that came."""
        files = list(self.test.instance.answers.glob(f"{self.name}-{what}.*.pki"))
        self.test.assertEqual(1, len(files), f"answers to {self.name}-{what}")
        return files[0]


class CourierTest(ThreePartiesTest):
    serve = False

    def prepare(self):
        super().prepare()
        self.one_key = self.key("one")
        for instance in (self.instance, self.vault):
            instance.set_in_channel("additional", '"any"')
            instance.set_in_channel("trusted_subject", '"any"')
            instance.set_in_channel("settle", '"100ms"')
        self.instance.set_in("[[channel]]", "settle", '"100ms"', 1)

    def client(self, name, *arguments, command="ir", **more):
        return Client(self, name, command, *arguments, **more)

    def together(self, work, clients):
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            return list(pool.map(work, clients))

    def give(self, clients, what="asks"):
        for one in clients:
            self.instance.put(f"{one.name}-{what}.pki", one.file(what).read_bytes())

    def held(self):
        return [job for job in self.instance.json("queue", "list", "--state", "held")]


class Batches(CourierTest):
    mode = "batch"
    known_above = True

    def prepare(self):
        super().prepare()
        self.instance.set_in("[[channel]]", "batch_most", "30", 1)
        self.instance.set_in("[[channel]]", "batch_within", '"300ms"', 1)

    def first_devices(self):
        """A holder, and those whose certificates are to be revoked."""
        device = self.device("maker")
        clients = [self.client(f"old{number}", *device) for number in range(21)]
        self.together(Client.ask, clients)
        self.give(clients)
        self.pass_by()
        self.together(Client.accept, clients)
        return clients

    def mixture(self, old):
        device = self.device("fleet")
        holder = self.signed_by(old[0].certificate, self.one_key)
        request = self.workshop / "fleet.csr"
        clients = []
        for number in range(60):
            confirms = number % 4 == 0
            clients.append(self.client(f"mac{number}", *self.with_secret(), confirms=confirms))
            clients.append(self.client(f"dev{number}", *device, confirms=confirms))
        for number in range(30):
            clients.append(self.client(f"more{number}", *holder, command="cr"))
            name = f"csr{number}"
            request = self.workshop / f"{name}.csr"
            run("openssl", "req", "-new", "-key", self.one_key, "-subj", f"/CN={name}",
                "-out", request)
            how = holder if number % 2 else self.with_secret()
            clients.append(self.client(name, "-csr", request, *how, command="p10cr"))
        for one in old[1:]:
            clients.append(self.client(f"revoke-{one.name}", "-oldcert", one.certificate,
                                       "-revreason", "1",
                                       *self.signed_by(one.certificate, self.one_key),
                                       command="rr"))
        self.assertEqual(200, len(clients))
        return clients

    def everything(self):
        old = self.first_devices()
        clients = self.mixture(old)
        self.together(Client.ask, clients)
        self.give(clients)
        self.pass_by()
        self.together(Client.accept, clients)
        confirming = [one for one in clients if one.confirms]
        self.assertEqual(30, len(confirming))
        self.give(confirming, "confirms")
        self.pass_by()
        self.together(Client.end, confirming)
        self.check_books(clients)

    def check_books(self, clients):
        new = {one.name for one in clients if one.command != "rr"}
        for instance in (self.instance, self.vault):
            found = {one["subject"].removeprefix("CN="): one["state"]
                     for one in instance.json("cert", "list", "--all", "--limit", "1000",
                                              "--channel", "drop")}
            self.assertEqual({"valid"}, {found[name] for name in new})
            self.assertEqual(20, sum(state == "revoked" for state in found.values()))
            self.assertEqual(201, len(found))
            instance.cmpost("audit", "verify")
        for one in clients:
            if one.command != "rr":
                self.assertIn("BEGIN CERTIFICATE", one.certificate.read_text())
        # Nothing but what was cut off on its way.
        self.assertEqual([], [one["reason"] for one in self.held()
                              if "the file is cut off" not in one["reason"]])
        self.assertEqual([], self.vault.json("queue", "list", "--state", "held"))

    def messages_up(self):
        return len(self.courier.carried[self.courier.up])


class NowAndThen(Batches):
    def pass_by(self):
        self.instance.cmpost("run")
        self.courier.carry(self.courier.up)
        self.vault.cmpost("run")
        self.bring_down_badly()
        self.instance.cmpost("run")

    def bring_down_badly(self):
        """Each file twice, the last one first, and one torn before it is whole."""
        way = self.courier.down
        files = self.courier.waiting(way)[::-1]
        whole = files[0].read_bytes()
        self.courier.deliver(way, files[0].name, whole[:len(whole) // 2])
        self.instance.cmpost("run", check=False)
        for file in files:
            for copy in ("", "again-"):
                self.courier.deliver(way, copy + file.name, file.read_bytes())
            self.courier.carried[way].append(file.name)

    def test_200_requests_by_runs(self):
        self.everything()
        # 21, 200 and 30 messages, 30 at most in each.
        self.assertEqual(1 + 7 + 1, self.messages_up())


class AllTheTime(Batches):
    serve = True

    def pass_by(self):
        pass

    def test_200_requests_by_services(self):
        self.everything()
        self.assertLess(self.messages_up(), 80)

    def give(self, clients, what="asks"):
        super().give(clients, what)
        eventually(lambda: all(list(self.instance.answers.glob(f"{one.name}-{what}.*.pki"))
                               for one in clients), "all answers", 60)


class Forged(CourierTest):
    """Somebody else puts files where the answers of the CA come."""

    def setUp(self):
        super().setUp()
        self.holder = self.client("holder", *self.with_secret())
        self.holder.ask()
        self.give([self.holder])
        self.run_round()
        self.holder.accept()
        self.one = self.client("one", *self.with_secret())
        self.one.ask()
        self.give([self.one])
        self.instance.cmpost("run")
        (self.asked,) = self.courier.waiting(self.courier.up)
        self.courier.carry(self.courier.up)

    def answer_of(self, certificate, key, asked=None, *more):
        """What the server of OpenSSL answers with that credential."""
        issued = self.workshop / "forged.pem"
        run("openssl", "req", "-x509", "-key", self.one_key, "-subj", "/CN=one", "-out", issued)
        with OpensslServer(issued, "-srv_cert", certificate, "-srv_key", key, "-srv_trusted",
                           self.ra, "-grant_implicitconf", *more) as server:
            return server.answer((asked or self.asked).read_bytes())

    def state(self):
        return [self.instance.json("transaction", "list"), self.instance.json("cert", "list"),
                sorted(self.instance.answers.iterdir())]

    def check_held(self, octets, words):
        """It is put aside with a reason and changes nothing; the real answer counts all the same."""
        before = self.state()
        self.courier.deliver(self.courier.down, "forged.pki", octets)
        self.instance.cmpost("run", check=False)
        self.assertEqual(before, self.state())
        held = self.held()
        self.assertEqual(["vault"], [one["channel"] for one in held])
        self.assertIn(words, held[0]["reason"])
        self.assertEqual(2, self.instance.cmpost("status", check=False).returncode)
        self.check_real_answer()

    def check_real_answer(self):
        self.vault.cmpost("run")
        self.courier.carry(self.courier.down)
        self.instance.cmpost("run", check=False)
        self.one.accept()
        self.verify(self.one.certificate)
        self.check_noted("one")
        self.instance.cmpost("audit", "verify")

    def test_signed_by_a_stranger(self):
        self.check_held(self.answer_of(*self.vendor.device("one")), "leads to no authority")

    def test_signed_by_a_holder_of_a_certificate_of_the_ca(self):
        self.check_held(self.answer_of(self.holder.certificate, self.one_key),
                        "which is not for answers of a CA")

    def ours(self):
        """The credential that the CA answers with."""
        return self.vault.directory / "ca/cmp.pem", self.vault.directory / "ca/cmp.key"

    def test_about_an_unknown_transaction(self):
        stray = self.workshop / "stray.pki"
        run("openssl", "cmp", "-config", "", "-cmd", "ir", "-newkey", self.one_key, "-subject",
            "/CN=one", "-recipient", "/CN=CA", "-unprotected_requests", "-certout",
            self.workshop / "none.pem", "-rspin", "/dev/null",
            "-reqout", stray, check=False)
        self.check_held(self.answer_of(*self.ours(), stray, "-accept_unprotected"),
                        "nothing that was asked here")

    def test_without_protection(self):
        self.check_held(self.answer_of(*self.ours(), None, "-send_unprotected"), "protect")

    def test_with_another_key_in_the_certificate(self):
        other = self.workshop / "other.pem"
        run("openssl", "req", "-x509", "-key", self.key("other"), "-subj", "/CN=one",
            "-out", other)
        self.check_held(self.answer_of(*self.ours(), None, "-rsp_cert", other), "another key")

    def test_random_octets(self):
        before = self.state()
        octets = os.urandom(300)
        self.courier.deliver(self.courier.down, "forged.pki", octets)
        self.courier.deliver(self.courier.down, "sequence.pki",
                             b"\x30\x82\x01\x28" + octets[:296])
        self.instance.cmpost("run", check=False)
        self.assertEqual(before, self.state())
        self.assertTrue((self.courier.down[1] / ".quarantine/forged.pki").exists())
        self.assertEqual({"forged.pki", "sequence.pki"}, {job["source"] for job in self.held()})
        self.check_real_answer()

    def test_a_second_answer_is_said_and_not_believed(self):
        self.check_real_answer()
        before = self.state()
        self.courier.deliver(self.courier.down, "again.pki", self.answer_of(*self.ours()))
        self.instance.cmpost("run", check=False)
        self.assertEqual(before, self.state())
        self.assertIn("another answer than the one that has counted", self.held()[0]["reason"])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[1:]])
