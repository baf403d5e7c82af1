"""A CA behind two data diodes; on the other side a peer that knows the format from the documents."""

import sys
import unittest

import one_way_peer
from instance import InstanceTest, eventually


class OneWay(InstanceTest):
    def prepare(self):
        self.instance.set_in_channel("one_way", '"both"')
        self.instance.set_in_channel("settle", '"200ms"')
        self.instance.set_in_channel("poll", '"1s"')
        self.wire = self.workshop / "wire"
        self.wire.mkdir()
        self.sender = one_way_peer.Sender(self.wire, self.workshop / "sender")

    def batch(self, *names):
        """The files of the next batch on the wire, the manifest last."""
        return self.sender.pack({f"{name}.pki": self.request(name).read_bytes() for name in names})

    def carry(self, files):
        for name in files:
            (self.wire / name).rename(self.instance.drop / name)

    def answers(self):
        """number -> names, as the peer reads what has come out whole by now."""
        batches = one_way_peer.unpack(self.instance.answers)
        return {number: sorted(files) for (_, number), files in batches.items() if files}

    def wait_for_answers(self, *stems):
        wanted = {f"{stem}.ip.pki" for stem in stems}
        eventually(lambda: wanted <= {name for names in self.answers().values() for name in names},
                   f"answers {wanted}")

    def notes(self):
        return self.instance.json("status")["channels"][0]["notes"]

    def wait_for_note(self, text):
        eventually(lambda: text in self.notes(), f"'{text}' in the status, not {self.notes()}")

    def test_names_what_is_missing_torn_reordered_and_repeated(self):
        first, second, third = self.batch("a"), self.batch("b"), self.batch("c", "d")
        self.carry(first)
        self.wait_for_answers("a")
        # The third batch comes before the second, and not all of it.
        self.carry([third[0], third[2]])
        self.wait_for_note("batch 3 torn: 1 of 2 files are whole; d.pki is missing")
        self.assertIn("batch 2 missing, 3 torn", self.notes())
        self.carry([third[1]])
        self.wait_for_answers("c", "d")
        self.wait_for_note("batch 2 missing, 3 complete")
        check = self.instance.cmpost("check", check=False)
        self.assertEqual(2, check.returncode)
        self.assertIn("batch 2 missing, 3 complete", check.stderr)
        self.carry(second)
        self.wait_for_answers("b")
        eventually(lambda: not self.notes(), "nothing more to say")
        self.assertIn("batch 2 came after 3", self.instance.log.read_text())
        # Once more the same, as a sender that repeats does.
        for name in second:
            (self.instance.drop / name).write_bytes(
                (self.instance.drop / ".done" / name).read_bytes())
        eventually(lambda: "batch 2 came again" in self.instance.log.read_text(), "the repetition")
        self.assertEqual(4, len(self.certificates()))
        self.assertEqual(0, self.instance.cmpost("check").returncode)

    def test_sends_again_what_was_lost_behind_the_diode(self):
        self.carry(self.batch("a"))
        self.wait_for_answers("a")
        self.carry(self.batch("b"))
        self.wait_for_answers("b")
        eventually(lambda: {job["reason"] for job in self.instance.json(
            "queue", "list", "--queue", "replies")} == {"emitted"}, "the queue to know of both")
        for file in self.instance.answers.iterdir():  # the diode takes all, and loses all
            file.unlink()
        self.instance.cmpost("resend", "1-2")
        eventually(lambda: self.answers() == {1: ["a.ip.pki"], 2: ["b.ip.pki"]},
                   "both batches once more")
        refused = self.instance.cmpost("resend", "3", check=False)
        self.assertEqual(1, refused.returncode)
        self.assertIn("there is no batch 3", refused.stderr)

    def test_gives_up_what_is_lost_for_good(self):
        self.batch("a")
        self.carry(self.batch("b"))
        self.wait_for_note("batch 1 missing, 2 complete")
        self.instance.cmpost("skip", "1", "--channel", "drop")
        eventually(lambda: not self.notes(), "nothing more to say")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[1:]])
