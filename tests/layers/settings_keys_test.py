"""Every key of the settings is described, and what is described is a key."""

import unittest
from pathlib import Path

from settings_keys import complaints, keys_of, keys_of_tables, readers, words_of

ROOT = Path(__file__).resolve().parents[2]


class TheProject(unittest.TestCase):
    def test_describes_every_key_and_no_other(self):
        self.assertGreater(sum(len(keys) for keys in readers(ROOT).values()), 120)
        self.assertEqual([], list(complaints(ROOT)))


class TheCheck(unittest.TestCase):
    def test_finds_the_keys_in_a_reader(self):
        source = ('ca.a_key = table.text("a_key"); optional_secret(table, "file"); read_mac(table.table("mac"));'
                  'const auto* key = x ? "url" : "delta_url"; table.duration(\n  "long_one", y);'
                  'table.complain("said", "x");')
        self.assertEqual({"a_key", "file", "mac", "url", "delta_url", "long_one"}, keys_of(source))

    def test_takes_a_word_for_described_only_where_it_is_code(self):
        self.assertEqual({"poll", "in"}, words_of("the poll `poll`, age\n\n```\nin\n```\n"))

    def test_reads_the_first_cells_of_tables_of_keys(self):
        table = "| key | default |\n| --- | --- |\n| `ca`, `mac.lock_after` | `x` |\n\n| `no` |\n"
        self.assertEqual(["ca", "mac.lock_after"], list(keys_of_tables(table)))


if __name__ == "__main__":
    unittest.main()
