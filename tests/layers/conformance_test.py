"""docs/conformance.md names sources and tests that exist, and the check would notice a lie."""

import unittest
from pathlib import Path

from conformance import HEADING, complaints, rows

ROOT = Path(__file__).resolve().parents[2]
TABLE = "| " + " | ".join(HEADING) + " |\n| --- | --- | --- | --- |\n"
GOOD = "| R-001, R-003 to R-004 | a rule | `cmp/pki_message` | `Header`, `system_openssl_*` |\n"


def about(row):
    return list(complaints(ROOT, TABLE + row))


class TheProject(unittest.TestCase):
    def test_has_every_source_and_test_that_a_row_names(self):
        text = (ROOT / "docs/conformance.md").read_text()
        self.assertGreater(len(list(rows(text))), 40)
        self.assertEqual([], list(complaints(ROOT, text)))


class TheCheck(unittest.TestCase):
    def test_is_content_with_a_good_row(self):
        self.assertEqual([], about(GOOD))
        self.assertEqual([], about(GOOD.replace("`Header`", "`tests/ca`, `Secret`")))

    def test_notices_a_test_that_does_not_exist(self):
        self.assertEqual(["R-001, R-003 to R-004: there is no test Haeder"],
                         about(GOOD.replace("`Header`", "`Haeder`")))
        self.assertEqual(1, len(about(GOOD.replace("`Header`", "`Header.NoSuchTest`"))))
        self.assertEqual(1, len(about(GOOD.replace("openssl_*", "opnssl_*"))))

    def test_notices_a_row_without_a_test(self):
        self.assertEqual(1, len(about("| R-001 | a rule | `cmp/pki_message` | by hand |\n")))

    def test_notices_a_source_that_does_not_exist(self):
        self.assertEqual(1, len(about(GOOD.replace("cmp/pki_message", "cmp/pki_massage"))))

    def test_notices_an_id_that_stands_twice_or_is_none(self):
        self.assertEqual(3, len(about(GOOD + GOOD)))
        self.assertEqual(1, len(about(GOOD.replace("R-001", "R-1"))))

    def test_notices_a_missing_cell(self):
        self.assertEqual(1, len(about("| R-001 | a rule | `Header` |\n")))


if __name__ == "__main__":
    unittest.main()
