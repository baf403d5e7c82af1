"""A CA whose messages are carried by people: the other side knows the format from the documents."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
import time
import unittest
from pathlib import Path

import bundle_peer
from instance import PROGRAM, Instance, InstanceTest, eventually, run

COURIER = """
[bundle]
name = "vault"
peer = [{{ name = "gateway", certificate = ["{certificate}"] }}]
{more}

[[channel]]
name = "courier"
kind = "courier"
peer = "gateway"
profiles = ["device"]
"""


class Carried(InstanceTest):
    serve = False

    def prepare(self):
        self.stick, self.back = self.workshop / "stick", self.workshop / "back"
        self.stick.mkdir()
        self.back.mkdir()
        certificate, key = bundle_peer.credential(self.workshop, "gateway")
        self.sender = bundle_peer.Sender(self.stick, "gateway", certificate, key)
        self.write_settings(certificate)

    def write_settings(self, certificate, more=""):
        file = self.instance.directory / "cmpost.toml"
        profile = file.read_text().split("[[profile]]")[1].split('name')[1].split('"')[1]
        text = COURIER.format(certificate=certificate, more=more)
        with open(file, "a") as settings:
            settings.write(text.replace('["device"]', f'["{profile}"]'))

    def bundle(self, *words, check=True):
        done = self.instance.cmpost("bundle", *words, check=check)
        return done

    def imported(self, directory=None):
        """The results of an import, by number."""
        done = self.bundle("import", directory or self.stick, "--json", check=False)
        return {one["number"]: one for one in json.loads(done.stdout)} | {"exit": done.returncode}

    def pack(self, *names, **more):
        files = {f"{name}.pki": self.request(name).read_bytes() for name in names}
        return self.sender.pack(files, "vault", **more)

    def work(self):
        self.instance.cmpost("run", check=False)

    def carry_back(self):
        """What an export makes, by number; the medium is empty before."""
        for file in self.back.iterdir():
            file.unlink()
        self.bundle("export", self.back)
        return bundle_peer.unpack(self.back)

    def listed(self):
        return self.instance.json("bundle", "list")[0]

    def jobs(self):
        return self.instance.json("queue", "list", "--queue", "requests")

    def notes(self):
        status = self.instance.json("status")
        return next(one for one in status["channels"] if one["name"] == "courier")["notes"]


class Travelling(Carried):
    def test_carries_requests_there_and_answers_back(self):
        self.pack("a", "b", "c")
        result = self.imported()
        self.assertEqual(("taken", 3, 0), (result[1]["result"], result[1]["messages"],
                                           result["exit"]))
        self.work()
        self.assertEqual(3, self.listed()["waiting"])
        self.assertIn("3 answers wait for the courier", " ".join(self.notes()))
        answers = self.carry_back()
        self.assertEqual([1], list(answers))
        answer = answers[1]
        self.assertEqual(["vault"], answer.fields["from"])
        self.assertEqual(["gateway"], answer.fields["to"])
        self.assertEqual(["answers"], answer.fields["purpose"])
        self.assertEqual([f"{self.sender.stream} 1"], answer.fields["received"])
        self.assertEqual({"answers"}, set(answer.kinds.values()))
        self.assertTrue(bundle_peer.is_signed(answer.manifest, answer.signature, self.instance.ca))
        sums = next(self.back.glob("*-SHA256SUMS"))
        run("sha256sum", "--check", "--strict", sums.name, cwd=self.back)
        # Each device finds its own among them.
        for name in ("a", "b", "c"):
            for octets in answer.files.values():
                file = self.workshop / "answer.pki"
                file.write_bytes(octets)
                if self.offline_client(name, "-rspin", file, check=False).returncode == 0:
                    break
            self.verify(self.workshop / f"{name}.pem")
        self.assertEqual("nothing waits for the courier\n",
                         self.bundle("export", self.back).stdout)
        sent = self.listed()["sent"]
        self.assertEqual([("written", 3)], [(one["state"], one["messages"]) for one in sent])
        # The next bundle says that it has come.
        self.pack("d", received={answer.stream: "1"})
        self.imported()
        self.assertEqual(["received"], [one["state"] for one in self.listed()["sent"]])
        shown = self.instance.json("bundle", "show", "1")
        self.assertEqual({"ip"}, {file["body"] for file in shown["contents"]})
        self.assertEqual(0, self.instance.cmpost("audit", "verify").returncode)

    def test_a_medium_that_comes_twice_makes_nothing_twice(self):
        self.pack("a")
        self.imported()
        self.assertEqual("known", self.imported()[1]["result"])
        # Even when the memory of what has come is gone.
        (self.instance.directory / "state/courier/received").unlink()
        self.assertEqual("taken", self.imported()[1]["result"])
        self.work()
        self.assertEqual(1, len(self.jobs()))
        self.assertEqual(1, len(self.instance.json("cert", "list", "--channel", "courier")))

    def test_says_on_both_sides_what_is_missing(self):
        first = self.pack("a")
        self.imported()
        second = self.pack("b")
        away = self.workshop / "away"
        away.mkdir()
        for file in second:
            file.rename(away / file.name)
        self.pack("c")
        text = self.bundle("import", self.stick, check=False).stderr
        self.assertIn("bundle 2 missing, 3 complete", text)
        self.assertIn("bundle 2 missing, 3 complete", self.notes())
        self.assertEqual(2, self.instance.cmpost("check", check=False).returncode)
        self.assertEqual(["2"], self.listed()["received"][0]["missing"])
        # What we send says so, too; and later it comes after all.
        self.work()
        answers = self.carry_back()
        self.assertEqual([f"{self.sender.stream} 1,3"], answers[1].fields["received"])
        late = self.imported(away)
        self.assertEqual("taken", late[2]["result"])
        self.assertNotIn("missing", " ".join(self.notes()))
        self.work()
        self.assertEqual(3, len(self.instance.json("cert", "list", "--channel", "courier")))
        self.assertEqual(3, len(first))

    def test_sends_again_what_was_lost(self):
        for number, name in enumerate("abc", 1):
            self.pack(name)
            self.imported()
            self.work()
            answers = self.carry_back()
            self.assertEqual([number], list(answers))
            if number == 2:
                lost = answers[2]
        self.pack("d", received={lost.stream: "1,3"})
        self.imported()
        states = [(one["state"], one["passed"]) for one in self.listed()["sent"]]
        self.assertEqual([("received", False), ("written", True), ("received", False)], states)
        text = self.bundle("list").stdout
        self.assertRegex(text, "bundle 2 was written on .*; gateway has 1,3")
        self.assertRegex(" ".join(self.notes()), "bundle 2 was written on .*; gateway has 1,3")
        again = self.workshop / "again"
        again.mkdir()
        self.bundle("resend", "2", "--to", again)
        again = bundle_peer.unpack(again)[2]
        self.assertEqual((lost.manifest, lost.signature, lost.files),
                         (again.manifest, again.signature, again.files))
        refused = self.bundle("resend", "9", check=False)
        self.assertEqual(1, refused.returncode)
        self.assertIn("there is no bundle 9", refused.stderr)

    def test_gives_up_what_is_lost_for_good(self):
        for file in self.pack("a"):
            file.unlink()
        self.pack("b")
        self.imported()
        self.bundle("skip", "1")
        self.assertNotIn("missing", " ".join(self.notes()))
        self.work()
        self.assertEqual([f"{self.sender.stream} 1"], self.carry_back()[1].fields["given-up"])

    def test_gives_up_what_is_torn_and_waits_for_an_import(self):
        self.pack("a")[0].unlink()
        self.imported()
        self.assertIn("bundle 1 torn", " ".join(self.notes()))
        with open(self.instance.directory / "state/courier/import.lock", "r+b") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            skip = subprocess.Popen([PROGRAM, "bundle", "skip", "1"], cwd=self.instance.directory,
                                    stdout=subprocess.DEVNULL)
            waits = f"-> FLOCK  ADVISORY  WRITE {skip.pid} "
            eventually(lambda: waits in Path("/proc/locks").read_text(), "skip waits")
        self.assertEqual(0, skip.wait(timeout=60))
        self.assertNotIn("torn", " ".join(self.notes()))

    def test_tells_a_receipt_without_messages_and_cleans_the_medium(self):
        nothing = self.bundle("receipt", "--to", self.back, check=False)
        self.assertEqual(1, nothing.returncode)
        self.pack("a")
        self.imported()
        self.bundle("receipt", "--to", self.back)
        receipt = bundle_peer.unpack(self.back)[1]
        self.assertEqual((["notices"], {}), (receipt.fields["purpose"], receipt.files))
        self.assertEqual([f"{self.sender.stream} 1"], receipt.fields["received"])
        self.pack("b")  # not taken in
        (self.stick / "letter.txt").write_text("a letter of somebody else's")
        self.bundle("clean", self.stick)
        left = bundle_peer.unpack(self.stick)
        self.assertEqual([2], list(left))
        self.assertTrue((self.stick / "letter.txt").exists())
        self.assertEqual(4, len([file for file in self.stick.iterdir() if file.is_file()
                                 and not file.name.startswith(".")]))
        # Our own stays until the other side has it.
        self.bundle("clean", self.back)
        self.assertEqual([1], list(bundle_peer.unpack(self.back)))
        self.pack("c", received={receipt.stream: "1"})
        self.imported()
        self.bundle("clean", self.back)
        self.assertEqual([], list(bundle_peer.unpack(self.back)))


class BesideTheService(Carried):
    serve = True

    def test_commands_and_service_do_not_disturb_each_other(self):
        for number in range(1, 4):
            self.pack(f"a{number}", f"b{number}")
            self.imported()
            eventually(lambda: self.listed()["waiting"] == 2, "answers for the courier")
            self.assertEqual(2, len(self.carry_back()[number].files))
        self.assertEqual(0, self.listed()["waiting"])
        self.assertEqual([1, 2, 3], [one["number"] for one in self.listed()["sent"]])


class Refused(Carried):
    def nothing_is_read(self, number=1, result="refused", text=""):
        found = self.imported()
        self.assertEqual((result, 1), (found[number]["result"], found["exit"]), found)
        self.assertIn(text, found[number]["text"])
        self.assertEqual([], self.jobs())
        self.assertEqual([], self.listed()["received"])

    def change(self, path, old, new):
        text = path.read_bytes().decode()
        self.assertIn(old, text)
        body = text.replace(old, new).rpartition("end: ")[0]
        path.write_text(body + f"end: {bundle_peer.sha256(body.encode())}\n")

    def test_a_manifest_that_was_changed(self):
        *files, manifest = self.pack("a")
        self.change(manifest, "purpose: requests", "purpose: notices")
        self.nothing_is_read(text="not signed by gateway")

    def test_a_manifest_that_is_damaged(self):
        *files, manifest = self.pack("a")
        octets = bytearray(manifest.read_bytes())
        octets[40] ^= 1
        manifest.write_bytes(octets)
        self.nothing_is_read(text="checksum")

    def test_what_a_stranger_has_signed(self):
        certificate, key = bundle_peer.credential(self.workshop, "stranger")
        self.sender.certificate, self.sender.key = certificate, key
        self.pack("a")
        self.nothing_is_read(text="who is not gateway")

    def test_what_nobody_has_signed(self):
        files = self.pack("a")
        files[-2].unlink()
        self.nothing_is_read(result="torn", text="its signature is missing")

    def test_what_is_for_somebody_else(self):
        self.sender.pack({"a.pki": self.request("a").read_bytes()}, "other")
        self.nothing_is_read(result="for_others", text="it is for other")

    def test_what_is_from_nobody_we_know(self):
        self.sender.name = "elsewhere"
        self.pack("a")
        self.nothing_is_read(text="elsewhere, who is no peer")

    def test_answers_where_requests_are_taken(self):
        self.pack("a", purpose="answers")
        self.nothing_is_read(text="it carries answers")

    def test_what_is_torn_is_named_file_by_file(self):
        files = self.pack("a", "b", "c")
        whole = {file: file.read_bytes() for file in files}
        files[0].unlink()
        files[1].write_bytes(whole[files[1]][:10])
        found = self.imported()
        self.assertEqual(("torn", 1), (found[1]["result"], found["exit"]))
        size = len(whole[files[1]])
        self.assertEqual(["a.pki is missing", f"b.pki is cut off: 10 of {size} octets"],
                         found[1]["mistakes"])
        self.assertEqual([], self.jobs())
        self.assertIn("bundle 1 torn: 1 of 3 files are whole", " ".join(self.notes()))
        # The rest of it comes as another copy.
        for file in files[:2]:
            (self.stick / file.name.replace("-1-", "-2-", 1)).write_bytes(whole[file])
        self.assertEqual("taken", self.imported()[1]["result"])
        self.assertEqual(3, len(self.jobs()))
        self.assertNotIn("torn", " ".join(self.notes()))

    def test_another_bundle_of_a_number_that_has_come(self):
        self.pack("a")
        self.imported()
        for file in self.stick.iterdir():
            if file.is_file():
                file.unlink()
        self.sender.number = 0
        self.pack("b")
        found = self.imported()
        self.assertEqual("refused", found[1]["result"])
        self.assertIn("another bundle of this number", found[1]["text"])
        self.assertEqual(1, len(self.jobs()))

    def test_what_is_no_message_is_put_aside(self):
        self.sender.pack({"a.pki": self.request("a").read_bytes(), "b.pki": b"a letter"}, "vault")
        found = self.imported()
        self.assertEqual(("taken", 1, 2), (found[1]["result"], found[1]["put_aside"],
                                           found["exit"]))
        self.assertEqual({"waiting", "held"}, {job["state"] for job in self.jobs()})


class AtAnyMoment(Carried):
    """Killed at each durable step of a command, and asked once more."""

    def killed_at(self, step, *words):
        """Whether it came so far."""
        done = run(PROGRAM, *words, check=False, cwd=self.instance.directory,
                   env={**os.environ, "CMPOST_CRASH_AT": str(step)})
        self.assertIn(done.returncode, (0, -9), done.stderr)
        return done.returncode == -9

    def fresh(self, saved):
        shutil.rmtree(self.instance.directory)
        shutil.copytree(saved, self.instance.directory)

    def saved(self):
        place = self.workshop / "saved"
        shutil.copytree(self.instance.directory, place)
        return place

    def test_an_export_is_gone_on_with(self):
        self.pack("a", "b")
        self.imported()
        self.work()
        saved = self.saved()
        step = 1
        while True:
            for file in self.back.iterdir():
                file.unlink()
            self.fresh(saved)
            if not self.killed_at(step, "bundle", "export", self.back):
                break
            early = bundle_peer.unpack(self.back)  # whole as soon as there is a manifest
            made = self.instance.directory / "state/courier/bundles-out/bundles"
            numbered = {file.name: file.read_bytes()
                        for file in made.glob("0000000001/*")} if made.exists() else {}
            self.bundle("export", self.back)
            found = bundle_peer.unpack(self.back)
            self.assertEqual([1], list(found), step)
            self.assertEqual(2, len(found[1].files), step)
            for bundle in early.values():
                self.assertEqual(bundle, found[1], step)
            if numbered:
                self.assertEqual(numbered["manifest"], found[1].manifest, step)
                self.assertEqual(numbered["manifest.p7s"], found[1].signature, step)
            listed = self.listed()
            self.assertEqual((0, 1), (listed["waiting"], len(listed["sent"])), step)
            copies = {file.name.split("-")[2].split(".")[0] for file in self.back.iterdir()
                      if file.name.startswith(found[1].stream)}
            self.assertEqual({"1"}, copies, step)
            replies = self.instance.json("queue", "list", "--queue", "replies")
            self.assertEqual({("done", "bundled")}, {(job["state"], job["reason"])
                                                     for job in replies}, step)
            step += 1
        self.assertGreater(step, 10)

    def test_an_import_is_gone_on_with(self):
        answered = self.instance.directory / "state/courier/bundles-out/receipts"
        self.pack("a")
        self.imported()
        self.work()
        ours = self.carry_back()[1]
        self.pack("b", "c", received={ours.stream: "1"})
        saved = self.saved()
        step = 1
        while True:
            self.fresh(saved)
            if not self.killed_at(step, "bundle", "import", self.stick):
                break
            self.imported()
            self.assertEqual("1-2", self.listed()["received"][0]["complete"], step)
            self.assertEqual(["received"], [one["state"] for one in self.listed()["sent"]], step)
            self.assertEqual(3, len(self.jobs()), step)
            self.assertTrue(answered.exists())
            step += 1
        self.assertGreater(step, 3)
        self.work()
        self.assertEqual(3, len(self.instance.json("cert", "list", "--channel", "courier")))


class Between(Carried):
    """Two real instances."""

    def prepare(self):
        super().prepare()
        self.other = Instance(self.workshop / "north")
        self.extras, self.pages = self.workshop / "extras", self.workshop / "pages"
        self.extras.mkdir()
        self.pages.mkdir()
        # The first of them sends to the second, which opens with a key of its own.
        seal, seal_key = bundle_peer.credential(
            self.workshop, "seal", "keyUsage=critical,keyAgreement")
        self.seal_key = seal_key
        self.configure(self.instance, "vault", "north", self.other.directory / "ca/cmp.pem",
                       f', seal = ["{seal}"]', f'extras = "{self.extras}"')
        self.configure(self.other, "north", "vault", self.instance.directory / "ca/cmp.pem", "",
                       f'received = "{self.pages}"\nseal_certificate = "{seal}"\n'
                       f'seal_key = "{seal_key}"')

    def configure(self, instance, name, peer, certificate, more_of_peer, more):
        file = instance.directory / "cmpost.toml"
        text = file.read_text().split("\n[bundle]")[0]
        profile = text.split("[[profile]]")[1].split("name")[1].split('"')[1]
        file.write_text(text + f"""
[bundle]
name = "{name}"
peer = [{{ name = "{peer}", certificate = ["{certificate}"]{more_of_peer} }}]
{more}

[[channel]]
name = "courier"
kind = "courier"
peer = "{peer}"
profiles = ["{profile}"]
""")

    def test_files_for_people_go_along_sealed(self):
        (self.extras / "grid.crl").write_bytes(b"a list")
        (self.extras / "report.html").write_text("<p>all is well")
        self.bundle("export", self.back)
        manifest = next(self.back.glob("*.manifest")).read_text()
        self.assertIn("from: -\nto: -\n", manifest)
        for file in self.back.iterdir():
            self.assertNotIn(b"a list", file.read_bytes(), file)
            self.assertNotIn(b"grid.crl", file.read_bytes(), file)
        # The stock tool opens it with the key, too.
        opened = run("openssl", "cms", "-decrypt", "-inform", "DER", "-binary",
                     "-inkey", self.seal_key, "-in", next(self.back.glob("*-0000.p7m")))
        self.assertIn("from: vault\nto: north\n", opened.stdout)
        self.assertEqual(["for_others"], [one["result"] for one in json.loads(
            Instance.cmpost(self.third(), "bundle", "import", self.back, "--json",
                            check=False).stdout)])
        taken = self.other.json("bundle", "import", self.back)
        self.assertEqual(["taken"], [one["result"] for one in taken])
        self.assertEqual(b"a list", (self.pages / "grid.crl").read_bytes())
        self.assertEqual(["known"], [one["result"]
                                     for one in self.other.json("bundle", "import", self.back)])
        # Nothing has changed, so nothing leaves; then a list has.
        self.assertIn("nothing waits", self.bundle("export", self.back).stdout)
        time.sleep(1.1)  # the time in a manifest has whole seconds
        (self.extras / "grid.crl").write_bytes(b"a newer list")
        self.bundle("export", self.back)
        later = self.workshop / "later"
        later.mkdir()
        for file in self.back.glob("*-0000000002-*"):
            file.rename(later / file.name)
        self.other.cmpost("bundle", "import", later)
        self.assertEqual(b"a newer list", (self.pages / "grid.crl").read_bytes())
        # The receipt goes back, open.
        self.other.cmpost("bundle", "receipt", "--to", self.stick)
        self.bundle("import", self.stick)
        self.assertEqual(["received", "received"], [one["state"]
                                                    for one in self.listed()["sent"]])
        # Damage is seen without a key.
        broken = next(self.back.glob("*-0000000001-*-0002.p7m"))
        broken.write_bytes(broken.read_bytes()[:-1])
        third = json.loads(Instance.cmpost(self.third(), "bundle", "import", self.back, "--json",
                                           check=False).stdout)
        self.assertEqual(["for_others"], [one["result"] for one in third])

    def third(self):
        """Somebody without the key."""
        place = self.workshop / "third"
        if not place.exists():
            third = Instance(place)
            self.configure(third, "third", "vault", self.instance.directory / "ca/cmp.pem", "", "")
            self.third_instance = third
        return self.third_instance


# What AddressSanitizer keeps is no matter of the program.
@unittest.skipIf(b"__asan_init" in Path(PROGRAM).read_bytes(), "memory is measured without sanitizers")
class Large(Carried):
    def test_five_thousand_files_take_little_memory(self):
        request = self.request("a").read_bytes()
        for count in (2000, 2000, 1000):
            self.sender.pack({f"{i:04}.pki": request for i in range(count)}, "vault")
        self.assertLess(self.peak("import", self.stick), 256 * 1024, "kilobytes")
        self.assertEqual(5000, len(self.jobs()))
        self.work()
        waiting = self.listed()["waiting"]
        self.assertEqual(5000, waiting)
        self.assertLess(self.peak("export", self.back), 256 * 1024, "kilobytes")
        self.assertEqual([2000, 2000, 1000],
                         [len(one.files) for one in bundle_peer.unpack(self.back).values()])

    def peak(self, *words):
        done = run(sys.executable, "-c", MEASURE, self.instance.directory, PROGRAM, "bundle",
                   *words, timeout=400)
        return int(done.stdout.split()[-1])


MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[2:], cwd=sys.argv[1], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""

if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[1:]])
