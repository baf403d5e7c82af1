"""What a service does when its surroundings change under it: databases, its log, its directories."""

import os
import shutil
import signal
import sqlite3
import subprocess
import time
import unittest

from instance import PROGRAM, InstanceTest, eventually


class Databases(InstanceTest):
    def ends_after(self, change):
        first = self.request("first")
        self.instance.put("first.pki", first.read_bytes())
        self.instance.answer("first")
        change()
        second = self.request("second")
        self.instance.put("second.pki", second.read_bytes())
        self.assertEqual(1, self.instance.process.wait(timeout=10))
        self.instance.process = None
        self.assertFalse(list(self.instance.answers.glob("second.*")), "nothing is answered")
        self.assertRegex(self.instance.log.read_text(), r"service.ended_hard reason=.*while it was open")

    def test_a_ledger_that_is_replaced_ends_the_service(self):
        ledger = self.instance.directory / "ledger.db"
        copy = self.instance.directory / "copy.db"

        def replace():
            with sqlite3.connect(ledger) as database:
                database.execute(f"VACUUM INTO '{copy}'")
            os.replace(copy, ledger)

        self.ends_after(replace)

    def test_a_spool_that_is_removed_ends_the_service(self):
        self.ends_after((self.instance.directory / "spool.db").unlink)


class Log(InstanceTest):
    serve = False

    def test_a_reader_that_stops_stops_nobody(self):
        for number in range(1500):
            (self.instance.drop / f"bad{number}.pki").write_text("no request")
        old = time.time() - 60
        for file in self.instance.drop.glob("*.pki"):
            os.utime(file, (old, old))
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        process = subprocess.Popen([PROGRAM, "serve"], cwd=self.instance.directory,
                                   stdin=subprocess.DEVNULL, stderr=writer)
        os.close(writer)
        self.addCleanup(process.kill)
        request = self.request("good")
        eventually(lambda: len(list(self.instance.quarantine.glob("*.pki"))) == 1500,
                   "the quarantine", 60)
        self.instance.put("good.pki", request.read_bytes())
        self.accept_file("good", self.instance.answer("good"))
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        self.assertEqual(0, process.wait(timeout=12))
        self.assertLess(time.monotonic() - started, 10)


class PutInAgain(InstanceTest):
    def test_what_is_put_in_again_is_answered_again(self):
        request = self.request("dev")
        self.instance.put("dev.pki", request.read_bytes())
        answer = self.instance.answer("dev")
        octets = answer.read_bytes()
        for how in ("moved", "copied"):
            answer.unlink()
            done = self.instance.drop / ".done/dev.pki"
            eventually(done.exists, "the file in .done")
            if how == "moved":
                done.rename(self.instance.drop / "dev.pki")
            else:
                shutil.copy2(done, self.instance.drop / ".dev.pki")
                done.unlink()
                (self.instance.drop / ".dev.pki").rename(self.instance.drop / "dev.pki")
            answer = self.instance.answer("dev")
            self.assertEqual(octets, answer.read_bytes(), how)
        self.assertEqual(1, len(self.certificates()))

    def test_directories_that_are_removed_are_made_again(self):
        neighbours = (".work", ".done", ".quarantine")
        eventually(self.instance.quarantine.exists, "the service to look")
        for neighbour in neighbours:
            shutil.rmtree(self.instance.drop / neighbour)
        request = self.request("dev")
        self.instance.put("dev.pki", request.read_bytes())
        self.accept_file("dev", self.instance.answer("dev"))
        eventually((self.instance.drop / ".done/dev.pki").exists, "the file in .done")

    def test_a_job_without_a_message_is_not_retried(self):
        self.instance.put("bad.pki", b"no request")
        held = eventually(lambda: self.instance.json("queue", "list", "--state", "held"),
                          "the held job")
        done = self.instance.cmpost("queue", "retry", held[0]["id"], check=False)
        self.assertEqual(1, done.returncode)
        self.assertIn("has no message", done.stderr)
        self.assertIn("move the file back", done.stderr)
        again = self.instance.json("queue", "list", "--state", "held")
        self.assertEqual(held[0]["reason"], again[0]["reason"], "the true reason stays")


if __name__ == "__main__":
    unittest.main()
