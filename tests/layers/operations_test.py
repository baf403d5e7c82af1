"""What docs/operations.md enumerates is complete."""

import unittest
from pathlib import Path

from operations import acts, complaints, exit_codes, kinds

ROOT = Path(__file__).resolve().parents[2]


class TheProject(unittest.TestCase):
    def test_enumerates_what_there_is(self):
        self.assertEqual([], list(complaints(ROOT)))

    def test_is_read_as_it_is_written(self):
        self.assertLessEqual({"secret.added", "job.drop", "ca.rollover", "ca.credential", "crl.ordered",
                              "certificate.revoked", "settings.changed", "instance.made"}, acts(ROOT))
        self.assertGreater(len(kinds(ROOT)), 20)
        self.assertIn("64", exit_codes(ROOT))


if __name__ == "__main__":
    unittest.main()
