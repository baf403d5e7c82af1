"""The layers of the project, and that the check would notice a breach of each kind."""

import tempfile
import unittest
from pathlib import Path

from layers import check, names_given_twice, read_deps, rooms_out_of_order

ROOT = Path(__file__).resolve().parents[2]


class TheProject(unittest.TestCase):
    def test_keeps_to_its_layers(self):
        self.assertEqual([], check(ROOT))

    def test_gives_each_type_a_name_of_its_own(self):
        self.assertEqual([], names_given_twice(ROOT))

    def test_has_its_rooms_in_the_order_of_the_table(self):
        table = (ROOT / "docs" / "architecture.md").read_text()
        self.assertEqual([], rooms_out_of_order(table, read_deps(ROOT)))

    def test_has_the_folders_that_the_design_names(self):
        deps = read_deps(ROOT)
        self.assertEqual([], deps["base"])
        self.assertEqual(["base"], deps["asn1"])
        for role in ("processor/admission", "processor/transaction", "processor/rights"):
            self.assertNotIn("processor/ca_role", deps[role])
        for outside in ("watcher", "outbox", "mime", "net", "mail", "sftp", "http", "orders"):
            houses = {folder.split("/")[0] for folder in deps[outside]}
            self.assertFalse(houses & {"cmp", "ca", "processor"})


class TheCheck(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix="cmpost-layers-")
        self.addCleanup(self.directory.cleanup)
        self.folder("low", deps="")
        self.folder("high", deps="low  # and nothing else\n", source='#include "low/a.h"\n')

    def folder(self, name, deps, source="#include <vector>\n"):
        path = Path(self.directory.name) / name
        path.mkdir(exist_ok=True, parents=True)
        (path / "DEPS").write_text(deps)
        (path / "a.h").write_text(source)

    def complaints(self):
        return check(Path(self.directory.name))

    def test_is_content_with_an_include_that_is_allowed(self):
        self.assertEqual([], self.complaints())

    def test_finds_an_include_of_a_folder_that_deps_does_not_name(self):
        self.folder("low", deps="", source='\n#include "high/a.h"\n')
        self.assertEqual(
            ["low/a.h:2: includes high/a.h: low/DEPS does not name high"], self.complaints()
        )

    def test_finds_an_include_in_angle_brackets_and_with_blanks(self):
        self.folder("low", deps="", source="#  include  <high/a.h>\n")
        self.assertEqual(1, len(self.complaints()))

    def test_finds_a_wrapped_library_outside_of_its_folder(self):
        self.folder("low", deps="", source="#include <openssl/evp.h>\n")
        self.assertEqual(
            ["low/a.h:1: includes openssl/evp.h: openssl/ belongs to crypto"], self.complaints()
        )

    def test_finds_a_room_that_asks_one_below_it_in_the_table(self):
        table = "| room | question |\n| --- | --- |\n| `high` | x |\n| `low` | y |\n\n"
        deps = read_deps(self.directory.name)
        self.assertEqual(["high asks low, which stands below it"], rooms_out_of_order(table, deps))

    def test_finds_a_folder_that_deps_names_and_nothing_includes(self):
        self.folder("high", deps="low")
        self.assertEqual(
            ["high/DEPS names low, and nothing there includes it"], self.complaints()
        )

    def test_finds_a_cycle(self):
        self.folder("low", deps="high", source='#include "high/a.h"\n')
        self.assertEqual(
            ["high depends on itself", "low depends on itself"], sorted(self.complaints())
        )

    def test_finds_two_types_of_one_name(self):
        for name in ("low", "high"):
            self.folder(name, deps="")
            header = Path(self.directory.name) / name / f"{name}.h"
            header.write_text("namespace cmpost {\nstruct Same {\n};\n}  // namespace cmpost\n")
        self.assertEqual(["cmpost::Same: high/high.h, low/low.h"],
                         names_given_twice(self.directory.name))

    def test_finds_the_same_between_rooms(self):
        self.folder("low/room", deps="low", source='#include "low/a.h"\n#include "high/a.h"\n')
        self.assertEqual(
            ["low/room/a.h:2: includes high/a.h: low/room/DEPS does not name high"],
            self.complaints(),
        )

    def test_finds_a_room_without_deps(self):
        self.folder("low/room", deps="")
        (Path(self.directory.name) / "low" / "room" / "DEPS").unlink()
        self.assertEqual(["low/room has sources and no DEPS"], self.complaints())
        (Path(self.directory.name) / "low" / "room" / "a.h").rename(
            Path(self.directory.name) / "low" / "room" / "a.cpp"
        )
        self.assertEqual(["low/room has sources and no DEPS"], self.complaints())

    def test_finds_a_room_that_is_too_large(self):
        self.folder("low", deps="", source="\n" * 3501)
        self.assertEqual(["low has 3501 lines, and 3500 are a room's most"], self.complaints())

    def test_finds_a_folder_that_does_not_exist(self):
        self.folder("low", deps="cellar")
        self.assertIn("low/DEPS names cellar", self.complaints()[0])


if __name__ == "__main__":
    unittest.main()
