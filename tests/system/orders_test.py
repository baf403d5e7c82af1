"""A CA that speaks no CMP: a person, or a program, orders certificates of it by PKCS#10."""

import csv
import signal
import sys
import time
import unittest

from instance import Instance, InstanceTest, eventually, run

CHANNEL = """
[[channel]]
name      = "portal"
kind      = "orders"
direction = "upstream"
trust     = ["trust/portal.pem"]
{keys}
"""
BY_HAND = 'in = "certs"\nout = "orders"\nsettle = "100ms"\npoll = "200ms"\n'


class Portal:
    """The foreign CA, by the command line of OpenSSL: a root and an issuing CA."""

    def __init__(self, place):
        self.place = place
        place.mkdir()
        self.serial = 0x1000
        self.root = self.make_ca("root", None)
        self.issuing = self.make_ca("issuing", "root")

    def file(self, name):
        return self.place / name

    def make_ca(self, name, signer):
        run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-out", self.file(f"{name}.key"))
        self.file("ca.ext").write_text("basicConstraints=critical,CA:true\n"
                                       "keyUsage=critical,keyCertSign,cRLSign\n")
        request = self.file(f"{name}.csr")
        run("openssl", "req", "-new", "-key", self.file(f"{name}.key"), "-subj", f"/CN={name}",
            "-out", request)
        by = (["-CA", self.file(f"{signer}.pem"), "-CAkey", self.file(f"{signer}.key"),
               "-set_serial", "77"] if signer
              else ["-signkey", self.file(f"{name}.key"), "-set_serial", "76"])
        run("openssl", "x509", "-req", "-in", request, "-days", "3000", "-extfile",
            self.file("ca.ext"), "-out", self.file(f"{name}.pem"), *by)
        return self.file(f"{name}.pem")

    def issue(self, csr, *, days=30, subject=None, names=None, key=None):
        """The PEM of a certificate for what `csr` asks for, or for something else."""
        self.serial += 1
        out, extensions = self.file(f"{self.serial}.pem"), self.file(f"{self.serial}.ext")
        extensions.write_text("basicConstraints=CA:false\n" +
                              (f"subjectAltName={names}\n" if names else ""))
        more = ["-subj", subject] if subject else []
        if key:
            more += ["-force_pubkey", key]
        copied = [] if names else ["-copy_extensions", "copy"]
        run("openssl", "x509", "-req", "-in", csr, "-CA", self.issuing, "-CAkey",
            self.file("issuing.key"), "-set_serial", hex(self.serial), "-days", str(days),
            "-extfile", extensions, "-out", out, *copied, *more)
        return out.read_text()

    def p7b(self, *certificates, form="PEM"):
        joined, out = self.file("joined.pem"), self.file("out.p7b")
        joined.write_text("".join(certificates))
        run("openssl", "crl2pkcs7", "-nocrl", "-certfile", joined, "-outform", form, "-out", out)
        return out.read_bytes()

    def der(self, certificate):
        file = self.file("one.pem")
        file.write_text(certificate)
        run("openssl", "x509", "-in", file, "-outform", "DER", "-out", self.file("one.der"))
        return self.file("one.der").read_bytes()


class OrdersTest(InstanceTest):
    keys = BY_HAND

    def make_instance(self, temporary):
        vault = Instance(temporary / "vault")
        return Instance(temporary / "gateway", temporary / "log", vault.ca)

    def prepare(self):
        self.portal = Portal(self.workshop / "portal")
        directory = self.instance.directory
        self.certs, self.orders = directory / "certs", directory / "orders"
        self.certs.mkdir()
        self.orders.mkdir()
        (directory / "trust/portal.pem").write_bytes(self.portal.root.read_bytes() +
                                                     self.portal.issuing.read_bytes())
        self.configure(self.keys)
        self.instance.set_in("[ra]", "upstream", '"portal"')
        self.instance.add_secret("any", "another secret for tests", "--subject", "any", "--san",
                                 "any", "--channel", "any")

    def configure(self, keys):
        file = self.instance.directory / "cmpost.toml"
        head = file.read_text().split('\n[[channel]]\nname      = "vault"')[0]
        head = head.split('\n[[channel]]\nname      = "portal"')[0]
        file.write_text(head + CHANNEL.format(keys=keys))

    def ask(self, name, *more, command="p10cr"):
        """The request of a device as a file, and what takes the answer."""
        self.key(name)
        csr = self.workshop / f"{name}.csr"
        run("openssl", "req", "-new", "-key", self.workshop / f"{name}.key", "-subj",
            f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}.example", "-out", csr)
        file = self.workshop / f"{name}.pki"
        self.client(name, *more, "-rspin", "/dev/null", "-reqout", file, command=command,
                    check=False)
        self.instance.put(f"{name}.pki", file.read_bytes())

    def client(self, name, *more, command="p10cr", check=True):
        of_kind = (["-csr", self.workshop / f"{name}.csr"] if command == "p10cr"
                   else ["-newkey", self.workshop / f"{name}.key", "-subject", f"/CN={name}"])
        return run("openssl", "cmp", "-config", "", "-cmd", command, *of_kind, "-recipient",
                   "/CN=CA", *self.with_secret(), "-certout", self.workshop / f"{name}.pem",
                   *more, check=check)

    def order(self):
        """The one order that lies in `out`."""
        return eventually(lambda: list(self.orders.glob("*.csr")), "an order")[0]

    def drop(self, name, contents):
        octets = contents.encode() if isinstance(contents, str) else contents
        (self.certs / f".{name}").write_bytes(octets)
        (self.certs / f".{name}").rename(self.certs / name)

    def held(self, words):
        def found():
            return [job for job in self.instance.json("queue", "list", "--state", "held")
                    if words in job["reason"]]
        return eventually(found, f"a held job: {words}")[0]

    def accepted(self, name):
        """The answer is there, and the stock client takes it."""
        answer = self.instance.answer(name)
        self.client(name, "-implicit_confirm", "-rspin", answer, "-extracertsout",
                    self.workshop / "extra.pem")
        run("openssl", "verify", "-CAfile", self.portal.root, "-untrusted", self.portal.issuing,
            self.workshop / f"{name}.pem")

    def refuse(self, name, answer):
        """Trusts nothing that the certificate leads to, and so refuses it."""
        confirmation = self.workshop / "conf.pki"
        self.client(name, "-rspin", f"{answer},/dev/null", "-reqout",
                    f"{self.workshop / 'p10cr.pki'},{confirmation}", "-out_trusted",
                    self.instance.ca, check=False)
        self.instance.put("conf.pki", confirmation.read_bytes())
        self.instance.answer("conf")

    def listed(self, name):
        with open(self.orders / name, newline="") as file:
            return list(csv.DictReader(file))


class ByHand(OrdersTest):
    def carry(self, form):
        self.ask("dev9", "-implicit_confirm")
        csr = self.order()
        row = eventually(lambda: self.listed("orders.csv"), "the list")[0]
        self.assertEqual(csr.stem, row["id"])
        self.assertEqual(("CN=dev9", "DNS:dev9.example", "ec:P-256", "device"),
                         (row["subject"], row["SANs"], row["key"], row["profile"]))
        self.drop("whatever.crt", form(self.portal.issue(csr)))
        self.accepted("dev9")
        self.assertIn("CN=issuing", run("openssl", "storeutl", "-noout", "-text", "-certs",
                                        self.workshop / "extra.pem").stdout.replace(" ", ""))
        eventually(lambda: not self.listed("orders.csv"), "an empty list")

    def test_pem(self):
        self.assertEqual(0, self.instance.cmpost("check", check=False).returncode)
        self.carry(lambda pem: "subject=CN = dev9\n" + pem)

    def test_der(self):
        self.carry(self.portal.der)

    def test_pkcs7(self):
        for_chain = self.portal.issuing.read_text()
        self.carry(lambda pem: self.portal.p7b(for_chain, pem, form="DER"))

    def test_pkcs7_as_pem(self):
        self.carry(lambda pem: self.portal.p7b(pem))

    def test_a_refusal_has_its_reason(self):
        self.ask("dev9")
        self.drop(f"{self.order().stem}.rejected.txt", "the budget is exhausted\n")
        refused = self.client("dev9", "-rspin", self.instance.answer("dev9"), check=False)
        self.assertNotEqual(0, refused.returncode)
        self.assertIn("the budget is exhausted", refused.stdout + refused.stderr)

    def test_what_is_no_pkcs10_is_refused_at_once(self):
        self.ask("dev9", command="ir")
        refused = self.client("dev9", "-rspin", self.instance.answer("dev9"), command="ir",
                              check=False)
        self.assertIn("this CA is reached by PKCS#10: use p10cr", refused.stdout + refused.stderr)
        self.assertEqual([], list(self.orders.glob("*.csr")))

    def test_what_was_not_ordered_is_held_and_the_right_one_still_counts(self):
        self.ask("dev9", "-implicit_confirm")
        csr = self.order()
        other = self.key("other")
        public = self.workshop / "other.pub"
        run("openssl", "pkey", "-in", other, "-pubout", "-out", public)
        self.drop("key.pem", self.portal.issue(csr, key=public))
        self.held("is for a key that was never ordered here")
        self.drop("subject.pem", self.portal.issue(csr, subject="/CN=somebody else"))
        self.held("the subject is CN=somebody else instead of CN=dev9")
        self.drop("names.pem", self.portal.issue(csr, names="DNS:dev9.example,DNS:more.example"))
        self.held("subjectAltName has 1 name more")
        self.drop("foreign.pem", Portal(self.workshop / "foreign").issue(csr))
        self.held("no path leads from the certificate to `trust`")
        self.drop("nonsense.pem", "Dear customer, your certificate is ready.")
        self.held("there is no certificate in it")
        self.assertEqual([], list(self.instance.answers.glob("dev9*")))
        self.drop("right.pem", self.portal.issue(csr))
        self.accepted("dev9")
        self.drop("again.pem", self.portal.issue(csr))
        self.held("is a second one for order " + csr.stem)
        self.assertEqual(2, self.instance.cmpost("status", check=False).returncode)

    def test_confirmation_is_answered_here_and_a_refusal_is_an_alarm(self):
        self.ask("dev9")
        csr = self.order()
        self.drop("x.pem", self.portal.issue(csr))
        self.refuse("dev9", self.instance.answer("dev9"))
        row = eventually(lambda: self.listed("revocations.csv"), "what is to be revoked")[0]
        self.assertEqual((csr.stem, "CN=dev9"), (row["id"], row["subject"]))
        self.assertIn("order.to_be_revoked", self.instance.cmpost("audit", "show").stdout)
        status = self.instance.cmpost("status", check=False)
        self.assertIn("to be revoked by hand", status.stdout + status.stderr)
        self.instance.cmpost("order", "revoked", csr.stem)
        eventually(lambda: not self.listed("revocations.csv"), "an empty list")

    def test_revocation_by_hand(self):
        self.ask("dev9", "-implicit_confirm")
        csr = self.order()
        self.drop("x.pem", self.portal.issue(csr))
        self.accepted("dev9")
        pem, key = self.workshop / "dev9.pem", self.workshop / "dev9.key"
        rr = self.workshop / "rr.pki"

        def revoke(*more, check):
            return run("openssl", "cmp", "-config", "", "-cmd", "rr", "-recipient", "/CN=CA",
                       "-oldcert", pem, "-cert", pem, "-key", key, "-trusted",
                       self.instance.directory / "ra/cmp.pem", *more, check=check)

        revoke("-rspin", "/dev/null", "-reqout", rr, check=False)
        self.instance.put("rr.pki", rr.read_bytes())
        row = eventually(lambda: self.listed("revocations.csv"), "what is to be revoked")[0]
        self.assertEqual([], list(self.instance.answers.glob("rr*")))
        self.instance.cmpost("order", "revoked", row["id"])
        revoke("-rspin", self.instance.answer("rr"), check=True)
        (noted,) = self.instance.json("cert", "list", "--all")
        self.assertEqual("revoked", noted["state"])

    def test_operators_reject_and_write_again(self):
        self.ask("dev9")
        csr = self.order()
        (listed,) = self.instance.json("order", "list")
        self.assertEqual((csr.stem, "CN=dev9"), (listed["id"], listed["subject"]))
        shown = self.instance.cmpost("order", "show", csr.stem).stdout
        self.assertIn(csr.read_text(), shown)
        octets = csr.read_bytes()
        csr.unlink()
        self.instance.cmpost("order", "resubmit", csr.stem)
        self.assertEqual(octets, csr.read_bytes())
        self.instance.cmpost("order", "reject", csr.stem, "--reason", "too dear")
        refused = self.client("dev9", "-rspin", self.instance.answer("dev9"), check=False)
        self.assertIn("too dear", refused.stdout + refused.stderr)
        self.assertNotEqual(0, self.instance.cmpost("order", "reject", csr.stem, "--reason", "x",
                                                    check=False).returncode)
        self.assertIn("dev9", self.instance.cmpost("order", "list", "--all").stdout)

    def test_changes_are_granted_with_mods_where_the_channel_says_so(self):
        self.instance.stop()
        self.configure(BY_HAND + 'changes = "grantedWithMods"\n')
        self.instance.serve()
        self.ask("dev9", "-implicit_confirm")
        self.drop("x.pem", self.portal.issue(self.order(), subject="/CN=dev9/O=Plant"))
        self.accepted("dev9")
        self.assertIn("Plant", run("openssl", "x509", "-in", self.workshop / "dev9.pem",
                                   "-noout", "-subject").stdout)


    def test_what_is_refused_before_it_has_left_is_no_file(self):
        away = self.orders.with_name("away")
        self.orders.rename(away)
        self.ask("dev9")
        order = eventually(lambda: self.instance.json("order", "list"), "an order")[0]["id"]
        self.instance.cmpost("order", "reject", order, "--reason", "too dear")
        self.instance.answer("dev9")
        eventually(lambda: any("has ended" in job["reason"] for job in self.instance.json(
            "queue", "list", "--queue", "replies")), "the end of what was to leave")
        away.rename(self.orders)
        self.ask("dev8")
        self.assertNotEqual(order, self.order().stem)
        self.assertEqual(1, len(list(self.orders.glob("*.csr"))))

    def test_a_late_refusal_clears_no_alarm(self):
        self.ask("dev9")
        csr = self.order()
        self.drop("x.pem", self.portal.issue(csr))
        self.refuse("dev9", self.instance.answer("dev9"))
        eventually(lambda: self.listed("revocations.csv"), "what is to be revoked")
        done = self.instance.cmpost("order", "reject", csr.stem, "--reason", "x", check=False)
        self.assertIn("nobody waits for an answer", done.stderr)
        self.drop(f"{csr.stem}.rejected.txt", "the budget is exhausted\n")
        self.held("waits for nothing")
        self.assertEqual(1, len(self.listed("revocations.csv")))

    def test_a_revocation_needs_no_channel_any_more(self):
        self.ask("dev9")
        csr = self.order()
        self.drop("x.pem", self.portal.issue(csr))
        self.refuse("dev9", self.instance.answer("dev9"))
        eventually(lambda: self.listed("revocations.csv"), "what is to be revoked")
        self.instance.stop()
        file = self.instance.directory / "cmpost.toml"
        file.write_text(file.read_text().replace('name      = "portal"', 'name      = "other"'))
        self.instance.set_in("[ra]", "upstream", '"other"')
        self.instance.serve()
        self.instance.cmpost("order", "revoked", csr.stem)
        eventually(lambda: not self.instance.json("order", "list"), "an empty list")

    def test_the_certificate_of_the_ra_is_not_ordered(self):
        done = self.instance.cmpost("ra", "renew", "--by", "p10cr", check=False)
        self.assertNotEqual(0, done.returncode)
        self.assertIn("speaks no CMP", done.stderr)
        self.assertEqual([], list(self.orders.glob("*.csr")))


class ByProgram(OrdersTest):
    """The program is a script whose doing each test writes."""

    keys = 'command = "order"\ntime_limit = "2s"\npoll = "200ms"\n'

    def prepare(self):
        self.program = self.instance.directory / "order"
        self.write("exit 3")
        super().prepare()

    def write(self, script):
        hidden = self.program.with_suffix(".new")
        hidden.write_text(f'#!/bin/sh\nD={self.workshop}\n'
                          f'echo "$CMPOST_OPERATION $CMPOST_COOKIE" >> $D/runs\n'
                          f'cat > $D/order.csr\n{script}\n')
        hidden.chmod(0o755)
        hidden.rename(self.program)

    def runs(self, operation):
        file = self.workshop / "runs"
        lines = file.read_text().splitlines() if file.exists() else []
        return [line for line in lines if line.startswith(operation)]

    def issued_by_a_program(self):
        """A script that says what the portal has issued."""
        csr = eventually(lambda: self.runs("SUBMIT") and self.workshop / "order.csr", "an order")
        eventually(lambda: "END" in csr.read_text(), "all of the order")
        out = self.workshop / "issued.pem"
        out.write_text(self.portal.issue(csr) + self.portal.issuing.read_text())
        return f"cat {out}; exit 0"

    def test_a_certificate_comes_after_a_while(self):
        self.assertEqual(0, self.instance.cmpost("check", check=False).returncode)
        self.write("echo number 7; exit 1")
        self.ask("dev9", "-implicit_confirm")
        eventually(lambda: self.runs("POLL number 7"), "a question")
        self.write(self.issued_by_a_program())
        self.accepted("dev9")
        self.assertEqual(["SUBMIT "], self.runs("SUBMIT"))
        self.assertEqual([], self.instance.json("order", "list"))

    def test_a_refusal(self):
        self.write("echo the budget is exhausted; exit 2")
        self.ask("dev9")
        refused = self.client("dev9", "-rspin", self.instance.answer("dev9"), check=False)
        self.assertIn("the budget is exhausted", refused.stdout + refused.stderr)

    def test_an_unreachable_ca_is_tried_again_and_a_missing_program_is_told(self):
        self.ask("dev9", "-implicit_confirm")
        eventually(lambda: self.runs("SUBMIT"), "a try")
        status = eventually(
            lambda: (found := self.instance.cmpost("status", check=False).stdout)
            and "the CA cannot be reached" in found and found, "the word of status")
        self.assertIn("portal", status)
        self.instance.stop()
        self.program.unlink()
        self.assertIn("does not exist", self.instance.cmpost("check", check=False).stderr)
        self.write("echo 1; echo number 7; exit 5")
        self.instance.serve()
        (job,) = self.instance.json("queue", "list", "--state", "deferred")
        self.instance.cmpost("queue", "retry", job["id"])
        eventually(lambda: self.runs("POLL number 7"), "a question")

    def hold(self, script, words):
        self.write(script)
        self.ask("dev9", "-implicit_confirm")
        held = self.held("nobody knows whether the order was placed")
        self.assertIn(words, held["reason"])
        self.instance.stop()
        self.instance.serve()
        return self.instance.json("order", "list")[0]["id"]

    def test_one_that_hangs_is_killed_and_its_order_held(self):
        order = self.hold("sleep 600", "it took longer than time_limit")
        self.assertEqual(["SUBMIT "], self.runs("SUBMIT"))
        self.write("echo number 7; exit 1")
        self.instance.cmpost("order", "resubmit", order)
        eventually(lambda: self.runs("POLL number 7"), "a question")
        self.assertEqual(["SUBMIT "] * 2, self.runs("SUBMIT"))

    def test_one_that_dies_leaves_its_order_to_a_person(self):
        order = self.hold("kill -9 $$", "signal 9")
        self.issued_by_a_program()
        self.instance.cmpost("order", "deliver", order, self.workshop / "issued.pem")
        self.accepted("dev9")
        eventually(lambda: not self.instance.json("queue", "list", "--state", "held"),
                   "the end of what was to leave")
        self.assertEqual(["SUBMIT "], self.runs("SUBMIT"))

    def test_an_order_that_was_refused_is_not_placed(self):
        self.ask("dev9")
        eventually(lambda: self.runs("SUBMIT"), "a try")
        (order,) = self.instance.json("order", "list")
        self.instance.cmpost("order", "reject", order["id"], "--reason", "too dear")
        self.instance.answer("dev9")
        eventually(lambda: not self.instance.json("queue", "list", "--queue", "replies", "--state",
                                                  "deferred"), "an empty queue")
        tries = len(self.runs("SUBMIT"))
        self.write("echo number 7; exit 1")
        self.instance.stop()
        self.instance.serve()
        time.sleep(2)
        self.assertEqual(tries, len(self.runs("SUBMIT")))

    def test_a_certificate_that_does_not_pass_ends_nothing(self):
        order = self.hold("kill -9 $$", "signal 9")
        wrong, right = self.workshop / "wrong.pem", self.workshop / "right.pem"
        csr = self.workshop / "order.csr"
        wrong.write_text(self.portal.issue(csr, subject="/CN=dev9/O=Added"))
        right.write_text(self.portal.issue(csr))
        self.instance.cmpost("order", "deliver", order, wrong)
        self.held("the subject is")
        time.sleep(3)
        self.assertEqual("made", self.instance.json("order", "list")[0]["state"])
        self.instance.cmpost("order", "deliver", order, right)
        self.accepted("dev9")

    def test_a_new_queue_is_no_release(self):
        self.hold("kill -9 $$", "signal 9")
        self.instance.stop()
        for file in self.instance.directory.glob("spool.db*"):
            file.unlink()
        self.instance.cmpost("queue", "new")
        self.instance.serve()
        self.held("nobody knows whether the order was placed")
        self.assertEqual(["SUBMIT "], self.runs("SUBMIT"))

    def test_after_a_backup_came_back_nothing_is_placed_unseen(self):
        self.ask("dev9")
        eventually(lambda: self.runs("SUBMIT"), "a try")
        self.instance.stop()
        before = len(self.runs("SUBMIT"))
        (order,) = self.instance.json("order", "list")
        done = self.instance.cmpost("restore-check", check=False)
        self.assertEqual(2, done.returncode)
        self.assertIn(order["id"], done.stdout)
        self.instance.cmpost("restore-check", "--apply")
        (job,) = self.instance.json("queue", "list", "--state", "deferred")
        self.instance.cmpost("queue", "retry", job["id"])
        self.instance.serve()
        self.held("nobody knows whether the order was placed")
        self.assertEqual(before, len(self.runs("SUBMIT")))

    def test_what_nobody_asks_about_is_told_and_one_bad_page_stops_no_other(self):
        self.write("echo number 7; exit 1")
        self.ask("dev9")
        self.ask("dev8")
        placed = self.instance.directory / "state/portal/placed"
        # A hidden one is being written.
        pages = eventually(lambda: len(some := list(placed.glob("[0-9a-f]*"))) == 2 and some,
                           "two orders")
        bad = pages[0]
        bad.write_text("garbage")
        polls = len(self.runs("POLL"))
        eventually(lambda: len(self.runs("POLL")) > polls + 3, "questions about the other")
        eventually(lambda: "cannot be read" in self.instance.cmpost("status", check=False).stdout,
                   "the word of status")
        bad.unlink()
        eventually(lambda: "the program is not asked about it" in self.instance.cmpost(
            "status", check=False).stdout, "the word of status")

    def test_the_service_is_killed_while_the_program_runs(self):
        self.write("sleep 1.5; echo number 7; exit 1")
        self.ask("dev9", "-implicit_confirm")
        eventually(lambda: self.runs("SUBMIT"), "the program")
        self.instance.stop(signal.SIGKILL)
        self.instance.serve()
        self.held("the process died before it was told")
        self.assertEqual(["SUBMIT "], self.runs("SUBMIT"))


class KilledAtAStep(ByProgram):
    """Whenever the process dies, nothing is ordered twice by itself."""

    serve = False
    test_a_certificate_comes_after_a_while = None
    test_a_refusal = None
    test_an_unreachable_ca_is_tried_again_and_a_missing_program_is_told = None
    test_one_that_hangs_is_killed_and_its_order_held = None
    test_one_that_dies_leaves_its_order_to_a_person = None
    test_the_service_is_killed_while_the_program_runs = None
    test_an_order_that_was_refused_is_not_placed = None
    test_a_certificate_that_does_not_pass_ends_nothing = None
    test_a_new_queue_is_no_release = None
    test_after_a_backup_came_back_nothing_is_placed_unseen = None
    test_what_nobody_asks_about_is_told_and_one_bad_page_stops_no_other = None

    def die_at(self, step):
        self.instance.environment = {"CMPOST_CRASH_AT": f"{step}:1"}
        died = self.instance.cmpost("run", check=False).returncode
        self.instance.environment = {}
        self.assertEqual(-signal.SIGKILL, died, step)
        self.instance.cmpost("run", check=False)

    def test_before_anybody_knows_the_order_waits_for_a_person(self):
        for step in ("orders.asking", "orders.asked"):
            self.write("echo number 7; exit 1")
            self.ask("dev9")
            asked = len(self.runs("SUBMIT"))
            self.die_at(step)
            (held,) = self.instance.json("queue", "list", "--state", "held")
            self.assertIn("the process died", held["reason"])
            self.assertLessEqual(len(self.runs("SUBMIT")), asked + 1)
            (order,) = self.instance.json("order", "list")
            self.instance.cmpost("order", "reject", order["id"], "--reason", "not wanted")
            self.instance.cmpost("run", check=False)

    def test_once_the_outcome_is_durable_it_counts(self):
        self.write("echo number 7; exit 1")
        self.ask("dev9", "-implicit_confirm")
        self.die_at("orders.placed")
        self.assertEqual([], self.instance.json("queue", "list", "--state", "held"))
        self.write(self.issued_by_a_program())
        time.sleep(0.3)
        self.die_at("orders.poll_deposited")
        self.accepted("dev9")
        self.assertEqual(["SUBMIT "], self.runs("SUBMIT"))

    def test_an_answer_at_once_counts_once(self):
        self.write("echo too dear; exit 2")
        self.ask("dev9")
        self.die_at("orders.deposited")
        self.assertEqual(["SUBMIT "], self.runs("SUBMIT"))
        self.instance.answer("dev9")
        self.assertEqual([], self.instance.json("queue", "list", "--state", "held"))


class Killed(OrdersTest):
    serve = False

    def test_at_any_step_an_order_is_one_file_and_a_certificate_one_answer(self):
        self.ask("dev9", "-implicit_confirm")
        self.die_and_go_on()
        csr = self.order()
        self.assertEqual([csr], list(self.orders.glob("*.csr")))
        self.drop("x.pem", self.portal.issue(csr))
        self.die_and_go_on()
        self.accepted("dev9")
        self.assertEqual(1, len(list(self.instance.answers.glob("dev9*"))))

    def die_and_go_on(self):
        for step in range(1, 200, 3):
            self.instance.environment = {"CMPOST_CRASH_AT": str(step)}
            if self.instance.cmpost("run", check=False).returncode >= 0:
                break
        self.instance.environment = {}
        self.instance.cmpost("run", check=False)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[1:]])
