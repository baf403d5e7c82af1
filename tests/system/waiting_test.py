"""Requests that wait for people: the stock client polls, and processes die between the steps."""

import os
import signal
import threading
import unittest

from instance import PROGRAM, SECRET, InstanceTest, eventually, run


class WaitingTest(InstanceTest):
    def prepare(self):
        self.instance.set_in_channel("approve", '"one"')
        self.instance.set_in_channel("check_after", '"1s"')

    def waiting(self):
        return self.instance.json("transaction", "list", "--state", "waiting")

    def undecided(self):
        return self.instance.json("status")["transactions"]["undecided"]


class Polling(WaitingTest):
    def prepare(self):
        super().prepare()
        self.instance.set_in_channel("waiting", '"always"')

    def approve_when_told(self, *more):
        """In a thread: agrees to the first request that waits."""

        def approve():
            tid = eventually(self.waiting, "a request that waits")[0]["tid"]
            self.instance.cmpost("approve", tid, *more)

        thread = threading.Thread(target=approve)
        thread.start()
        self.addCleanup(thread.join)

    def bodies(self):
        return [name.split(".")[-2] for _, _, name in self.relay.exchanges]

    def check_polled(self, kind, *after):
        bodies = self.bodies()
        self.assertEqual(kind, bodies[0])
        end = len(bodies) - len(after)
        self.assertEqual([kind, *after], bodies[end - 1:])
        self.assertLessEqual(set(bodies[1:end - 1]), {"pollRep"})

    def test_ir_is_polled_to_its_end(self):
        self.approve_when_told()
        certificate, _ = self.enrol("dev1", *self.with_secret())
        self.verify(certificate)
        self.check_polled("ip", "pkiconf")

    def test_p10cr_is_polled_to_its_end(self):
        request, certificate = self.workshop / "dev1.csr", self.workshop / "dev1.pem"
        run("openssl", "req", "-new", "-key", self.key("dev1"), "-subj", "/CN=dev1",
            "-out", request)
        self.approve_when_told("--as", "alice")
        self.openssl_cmp("p10cr", "-csr", request, "-certout", certificate, *self.with_secret())
        self.verify(certificate)
        self.check_polled("cp", "pkiconf")

    def test_what_is_rejected_ends_with_the_reason(self):
        def reject():
            tid = eventually(self.waiting, "a request that waits")[0]["tid"]
            self.instance.cmpost("reject", tid, "--reason", "not in the list")

        thread = threading.Thread(target=reject)
        thread.start()
        done = self.openssl_cmp(
            "ir", "-newkey", self.key("dev1"), "-subject", "/CN=dev1",
            "-certout", self.workshop / "none.pem", *self.with_secret(), check=False,
        )
        thread.join()
        self.assertNotEqual(0, done.returncode)
        self.assertIn("not in the list", done.stdout + done.stderr)
        self.assertEqual([], self.certificates())


class Deciding(WaitingTest):
    """What people see of a request, and that they approve this."""

    serve = False

    def prepare(self):
        super().prepare()
        self.instance.add_secret("wide", SECRET, "--subject", "CN=dev*", "--san", "any")

    def ask(self):
        file = self.workshop / "request.pki"
        run("openssl", "cmp", "-config", "", "-cmd", "ir", "-server", "127.0.0.1:1",
            "-recipient", "/CN=CA", "-newkey", self.key("dev1"), "-subject", "/CN=dev1",
            "-sans", "dev1.example bank.example", "-certout", self.workshop / "none.pem",
            "-reqout", file, *self.with_secret("wide"), check=False)
        self.instance.put("dev1.pki", file.read_bytes())
        self.instance.cmpost("run")
        return self.waiting()[0]

    def part(self, request):
        return request["waiting"]["parts"][0]

    def said(self, part, what):
        return [item["text"] for item in part["object"] if item["what"] == what]

    def test_list_show_and_approve_say_what_would_be_granted(self):
        request = self.ask()
        part = self.part(request)
        self.assertEqual(["CN=dev1"], self.said(part, "subject"))
        self.assertEqual(["DNS:dev1.example", "DNS:bank.example"],
                         self.said(part, "subjectAltName"))
        self.assertIn("dev1.pki", self.said(part, "came as")[0])
        self.assertIn("shared secret", self.said(part, "asked by")[0])
        for text in (
            self.instance.cmpost("transaction", "list", "--state", "waiting").stdout,
            self.instance.cmpost("transaction", "show", request["tid"]).stdout,
            self.instance.cmpost("approve", request["tid"]).stdout,
        ):
            for word in ("CN=dev1", "DNS:bank.example", "shared secret", part["digest"], "398d"):
                self.assertIn(word, text)
            self.assertLessEqual(max(map(len, text.splitlines())), 80, text)
        shown = self.instance.json("transaction", "show", request["tid"])
        self.assertEqual(part["digest"], shown["waiting"]["verdicts"][0]["digest"])
        self.instance.cmpost("run")
        self.assertEqual(1, len(self.certificates()))

    def test_digest_names_what_is_approved(self):
        request = self.ask()
        wrong = self.instance.cmpost("approve", request["tid"], "--digest", 64 * "0", check=False)
        self.assertEqual(1, wrong.returncode)
        self.assertIn("something else", wrong.stderr)
        malformed = self.instance.cmpost("approve", request["tid"], "--digest", "0", check=False)
        self.assertEqual(64, malformed.returncode)
        self.instance.cmpost("approve", request["tid"], "--digest", self.part(request)["digest"])
        self.instance.cmpost("run")
        self.assertEqual(1, len(self.certificates()))

    def test_other_settings_need_another_approval(self):
        request = self.ask()
        self.instance.cmpost("approve", request["tid"])
        settings = self.instance.directory / "cmpost.toml"
        settings.write_text(settings.read_text().replace('"398d"', '"30d"'))
        self.instance.cmpost("run")
        self.assertEqual([], self.certificates())
        part = self.part(self.waiting()[0])
        self.assertEqual(1, part["round"])
        self.assertIn("30d", part["why"])
        self.assertIn("asked again", self.instance.cmpost("transaction", "show",
                                                          request["tid"]).stdout)
        self.instance.cmpost("approve", request["tid"], "--digest", part["digest"])
        self.instance.cmpost("run")
        self.assertEqual(1, len(self.certificates()))


class Killed(WaitingTest):
    """Between approval and answer the process dies at each durable step in turn."""

    serve = False

    def request(self, number):
        """An ir in a file; the client itself never hears an answer."""
        file = self.workshop / f"request-{number}.pki"
        run("openssl", "cmp", "-config", "", "-cmd", "ir", "-server", "127.0.0.1:1",
            "-recipient", "/CN=CA", "-newkey", self.one_key, "-subject", "/CN=dev1",
            "-certout", self.workshop / "none.pem", "-implicit_confirm", "-reqout", file,
            *self.with_secret(), check=False)
        return file.read_bytes()

    def dies_at(self, step, *arguments):
        """Whether `cmpost` was killed at that step; False: it came to its end before."""
        done = run(PROGRAM, "--quiet", *arguments, check=False, cwd=self.instance.directory,
                   env={**os.environ, "CMPOST_CRASH_AT": str(step)})
        return done.returncode == -signal.SIGKILL

    def test_there_is_one_certificate_and_one_answer(self):
        self.one_key = self.key("dev1")
        deaths = 0
        # Approving has a few steps, a run with its answer some more; each third one is enough here.
        for number, (step, command) in enumerate(
            [(step, "approve") for step in range(1, 6)] + [(step, "run") for step in range(1, 40, 3)]
        ):
            self.instance.put(f"r{number}.pki", self.request(number))
            self.instance.cmpost("run")
            tid = self.waiting()[0]["tid"]
            if command == "approve":
                deaths += self.dies_at(step, "approve", tid)
            else:
                self.instance.cmpost("approve", tid)
                deaths += self.dies_at(step, "run")
            if self.undecided():
                self.instance.cmpost("approve", tid)
            self.instance.cmpost("run")
            answers = list(self.instance.answers.glob(f"r{number}.*.pki"))
            self.assertEqual(1, len(answers), f"{command} killed at step {step}")
            self.assertEqual(number + 1, len(self.certificates()), f"{command} at step {step}")
        self.assertGreater(deaths, 8)
        self.assertEqual([], self.waiting())


if __name__ == "__main__":
    unittest.main()
