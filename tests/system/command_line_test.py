"""What the program says to somebody at a terminal."""

import subprocess
import unittest

from instance import PROGRAM, InstanceTest, run


class Words(unittest.TestCase):
    def said(self, *words, code=64):
        done = run(PROGRAM, *words, check=False)
        self.assertEqual(code, done.returncode, done.stderr)
        return done.stdout + done.stderr

    def test_that_are_misspelt_are_named(self):
        for words, near in ((("sceret", "add", "x"), "secret"), (("secret", "lsit"), "list"),
                            (("statsu",), "status"), (("status", "--jsn"), "--json"),
                            (("secret", "add", "r", "--secret", "abc"), "--secret-file"),
                            (("ca", "credential", "cpm"), "cmp")):
            self.assertIn(f"did you mean '{near}'?", self.said(*words))

    def test_that_people_try(self):
        self.assertIn("Usage: cmpost secret add", self.said("help", "secret", "add", code=0))
        self.assertIn("Usage: cmpost", self.said("help", code=0))
        self.assertRegex(self.said("version", code=0), r"^cmpost \d")
        self.assertEqual(self.said("version", code=0), self.said("--version", code=0))


class Commands(InstanceTest):
    serve = False

    def refused(self, *words, code=1):
        done = self.instance.cmpost(*words, check=False)
        self.assertEqual(code, done.returncode)
        return done.stderr

    def test_name_the_nearest_channel_and_profile(self):
        self.assertIn("did you mean 'drop'?", self.refused("channel", "test", "drpo"))
        self.assertIn("did you mean 'drop'?",
                      self.refused("secret", "add", "r", "--channel", "dropp"))
        self.assertIn("did you mean 'device'?",
                      self.refused("secret", "add", "r", "--profile", "devise"))

    def test_warn_of_weak_secrets(self):
        file = self.workshop / "weak"
        file.write_text("a\n")
        file.chmod(0o644)
        said = self.instance.cmpost("secret", "add", "weak", "--secret-file", file).stderr
        self.assertIn("can be guessed", said)
        self.assertIn("others may read", said)
        file.chmod(0o600)
        file.write_text("a secret that is long enough\n")
        done = self.instance.cmpost("secret", "add", "strong", "--secret-file", file)
        self.assertEqual("", done.stderr)

    def test_take_no_secret_that_is_over(self):
        self.assertIn("would have expired", self.refused("secret", "add", "r", "--expires", "2020-01-01", code=64))
        self.assertIn("not in range [1 - 1000000000]".split(" [")[0],
                      self.refused("secret", "add", "r", "--uses", "0", code=64))

    def test_look_at_a_message_from_a_pipe(self):
        done = subprocess.run([PROGRAM, "inspect", "-"], input=self.request("x").read_bytes(),
                              capture_output=True, check=True)
        self.assertIn(b"ir", done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
