"""What docs/operations.md enumerates is complete."""

import unittest
from pathlib import Path

from operations import DOCUMENT, acts, complaints, exit_codes, is_written, kinds, told_acts, told_kinds

ROOT = Path(__file__).resolve().parents[2]


class TheProject(unittest.TestCase):
    def test_enumerates_what_there_is(self):
        self.assertEqual([], list(complaints(ROOT)))

    def test_is_read_as_it_is_written(self):
        self.assertLessEqual({"secret.added", "job.drop", "ca.rollover", "ca.credential", "crl.ordered",
                              "certificate.revoked", "settings.changed", "instance.made"}, acts(ROOT))
        self.assertGreater(len(kinds(ROOT)), 20)
        text = (ROOT / DOCUMENT).read_text()
        self.assertLessEqual({"secret.added", "request.approved", "settings.loaded"}, told_acts(text))
        self.assertGreater(len(told_kinds(text)), 20)
        self.assertTrue(is_written(ROOT, "request.approved"))
        self.assertFalse(is_written(ROOT, "request.forgotten"))
        self.assertIn("64", exit_codes(ROOT))


if __name__ == "__main__":
    unittest.main()
