"""Rules that decide, people who decide about many at once, and officers who sign."""

import getpass
import json
import unittest

from instance import SECRET, InstanceTest, run


class RulesTest(InstanceTest):
    serve = False

    def add(self, text):
        file = self.instance.directory / "cmpost.toml"
        file.write_text(file.read_text() + text)

    def rule(self, name, verdict, when, more=""):
        self.add(f'\n[[rule]]\nname = "{name}"\nverdict = "{verdict}"\nwhen = {{ {when} }}\n{more}')

    def ask(self, *names, secret="dev1"):
        for name in names:
            self.key(name)
            file = self.workshop / f"{name}.pki"
            run("openssl", "cmp", "-config", "", "-cmd", "ir", "-server", "127.0.0.1:1",
                "-recipient", "/CN=CA", "-newkey", self.workshop / f"{name}.key",
                "-subject", f"/CN={name}", "-certout", self.workshop / "none.pem",
                "-reqout", file, *self.with_secret(secret), check=False)
            self.instance.put(f"{name}.pki", file.read_bytes())
        self.instance.cmpost("run")

    def waiting(self):
        return {one["subject"]: one for one in
                self.instance.json("transaction", "list", "--state", "waiting")}

    def issued(self):
        return {one["subject"] for one in self.instance.json("cert", "list")} - self.before

    def prepare(self):
        self.before = {one["subject"] for one in self.instance.json("cert", "list")}


class Deciding(RulesTest):
    def test_a_limit_is_used_and_told(self):
        self.rule("few", "approve", 'body = "ir"', 'limit = "1 a day"\n')
        self.ask("gw-1", "gw-2")
        self.assertEqual(1, len(self.issued()))
        request, = self.waiting().values()
        said = self.instance.cmpost("transaction", "explain", request["tid"]).stdout
        self.assertIn("the rule 'few' approves no more that day: a person has to agree", said)
        self.assertIn("yes  body: wants ir, saw ir", said)
        self.assertIn("no  limit: wants 1 a day, saw 1 today", said)
        shown = self.instance.json("transaction", "explain", request["tid"])
        ruling, = shown[0]["rulings"]
        self.assertEqual(("used up", "few"), (ruling["outcome"], ruling["rule"]))
        self.assertEqual("ir", ruling["facts"]["body"])
        listed, = self.instance.json("rule", "list")
        self.assertEqual((1, 1), (listed["used_today"], listed["limit"]))
        self.assertEqual(ruling["rule_sha256"], listed["sha256"])
        wording, = self.instance.json("rule", "list", "--all")
        self.assertEqual(ruling["rule_sha256"], wording["sha256"])
        self.assertIn("1 of 1", self.instance.cmpost("rule", "list").stdout)
        self.instance.cmpost("approve", request["tid"])
        self.instance.cmpost("run")
        self.assertEqual(2, len(self.issued()))
        self.instance.cmpost("audit", "verify")
        events = [one["detail"] for one in
                  self.instance.json("audit", "show", "--event", "request.ruled")]
        self.assertTrue(any("few" in json.dumps(one) for one in events))

    def test_rules_are_tried_on_what_has_come(self):
        self.ask("gw-1", "gw-2")
        self.rule("none", "reject", 'key_type = "rsa"')
        self.rule("rest", "two", "")
        tried = self.instance.json("rule", "test")
        self.assertEqual({"rest"}, {one["rule"] for one in tried})
        self.assertEqual({False}, {one["recorded"] for one in tried})
        seen = tried[0]["rules"][0]
        self.assertEqual(("none", "no"), (seen["rule"], seen["match"]))
        self.assertEqual("ec:P-256", seen["conditions"][0]["saw"])
        said = self.instance.cmpost("rule", "test", "--explain").stdout
        self.assertIn("2  the rule 'rest' wants two people to agree", said)
        self.assertIn("nothing was changed", said)
        self.assertEqual([], self.instance.json("rule", "test", "--rule", "none"))
        self.assertNotEqual(0, self.instance.cmpost("rule", "test", "--rule", "no", check=False).returncode)
        # What was recorded when it came is what counts from then on.
        self.ask("gw-3")
        tried = {one["subject"]: one for one in self.instance.json("rule", "test")}
        self.assertTrue(tried["CN=gw-3"]["recorded"])

    def test_a_device_is_known_by_its_row(self):
        self.rule("north", "approve", 'device = "listed", site = "north", active_certificates = "< 1"')
        self.rule("rest", "one", "")
        file = self.workshop / "devices.csv"
        file.write_text("name,site\ngw-1,north\ngw-2,south\n")
        self.instance.cmpost("device", "import", file, "--yes")
        for name in ("gw-1", "gw-2"):
            self.instance.add_secret(name, SECRET)
            self.ask(name, secret=name)
        self.assertEqual({"CN=gw-1"}, self.issued())
        self.assertEqual({"CN=gw-2"}, set(self.waiting()))

    def test_what_rules_cannot_be_is_said(self):
        self.rule("all", "approve", "")
        self.rule("late", "two", 'site = "north"')
        done = self.instance.cmpost("check", check=False)
        self.assertEqual(78, done.returncode)
        self.assertIn("rule 'late' is never reached", done.stdout + done.stderr)


class Many(RulesTest):
    """One verdict about many requests."""

    def prepare(self):
        super().prepare()
        self.instance.set_in_channel("approve", '"one"')

    def test_what_matches_is_decided_if_it_is_as_many_as_expected(self):
        self.ask("gw-1", "gw-2", "rtu-1")
        done = self.instance.cmpost("approve", "--matching", "subject~gw-", "--expect", "3",
                                    check=False)
        self.assertNotEqual(0, done.returncode)
        self.assertIn("2 transactions wait that are meant, not 3", done.stderr)
        self.assertEqual(3, len(self.waiting()))
        self.assertEqual(64, self.instance.cmpost("approve", "--matching", "subject~gw-",
                                                  check=False).returncode)
        self.instance.cmpost("approve", "--matching", "subject~gw-", "--expect", "2")
        self.instance.cmpost("run")
        self.assertEqual({"CN=gw-1", "CN=gw-2"}, self.issued())
        self.assertEqual({"CN=rtu-1"}, set(self.waiting()))
        self.assertEqual(2, len(self.instance.json("audit", "show", "--event", "request.approved")))


class Officers(RulesTest):
    def prepare(self):
        super().prepare()
        self.instance.set_in_channel("approve", '"one"')

    def officer(self, name, account=None, certificate=None):
        more = f'certificate = "{certificate}"\n' if certificate else ""
        self.add(f'\n[[officer]]\nname = "{name}"\naccount = "{account or getpass.getuser()}"\n{more}')

    def refused(self, *words):
        done = self.instance.cmpost(*words, check=False)
        self.assertNotEqual(0, done.returncode)
        return done.stdout + done.stderr

    def test_who_is_none_does_not_decide(self):
        self.officer("alice", "somebody-else")
        self.ask("gw-1")
        self.assertIn("is no officer's", self.refused("approve", self.tid()))

    def test_nobody_approves_under_his_own_secret(self):
        self.officer("alice")
        self.ask("gw-1")
        self.assertIn("he has made the secret", self.refused("approve", self.tid()))
        self.assertEqual(set(), self.issued())
        self.assertIn("leave --as out", self.refused("--as", "bob", "approve", self.tid()))
        self.instance.cmpost("reject", self.tid())

    def tid(self):
        one, = self.waiting().values()
        return one["tid"]

    def certified(self, name):
        run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}",
            "-keyout", self.workshop / f"{name}.key", "-out", self.workshop / f"{name}.pem")
        return self.workshop / f"{name}.pem"

    def test_a_verdict_is_signed_here(self):
        self.officer("alice", certificate=self.certified("alice"))
        self.certified("eve")
        self.ask("gw-1")
        self.assertIn("are signed", self.refused("reject", self.tid()))
        self.assertIn("does not fit",
                      self.refused("reject", self.tid(), "--key", self.workshop / "eve.key"))
        self.instance.cmpost("reject", self.tid(), "--key", self.workshop / "alice.key")
        self.instance.cmpost("run", check=False)
        self.assertEqual({}, self.waiting())

    def test_a_verdict_is_signed_elsewhere(self):
        # Of another account than the one that has made the secret.
        self.officer("carol", "carol", self.certified("carol"))
        self.ask("gw-1", "gw-2")
        requests = self.waiting()
        text = self.workshop / "gw-1.txt"
        self.instance.cmpost("verdict", "text", requests["CN=gw-1"]["tid"], "--officer", "carol",
                             "--out", text)
        self.assertIn("verdict: approve", text.read_text())
        signed, forged = self.workshop / "gw-1.verdict", self.workshop / "forged.verdict"
        self.certified("eve")
        for name, file in (("carol", signed), ("eve", forged)):
            run("openssl", "cms", "-sign", "-in", text, "-signer", self.workshop / f"{name}.pem",
                "-inkey", self.workshop / f"{name}.key", "-outform", "DER", "-nodetach", "-binary",
                "-out", file)
        self.assertIn("not the certificate of carol", self.refused("verdict", "take", forged))
        self.instance.cmpost("verdict", "take", signed)
        self.instance.cmpost("run")
        self.assertEqual({"CN=gw-1"}, self.issued())
        # It is about this request alone, once.
        self.assertIn("no such part of it waits" , self.refused("verdict", "take", signed)
                      .replace("nothing of it waits for a decision", "no such part of it waits"))
        taken = self.instance.json("audit", "show", "--event", "verdict.taken")
        self.assertGreaterEqual(len(taken), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
