"""The tables of docs/conformance.md against the sources: a row that names what is not there lies."""

import re
from pathlib import Path

HEADING = ["id", "rule", "where", "test"]
GTEST = re.compile(r"^TEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\)", re.MULTILINE)
CTEST = re.compile(r"(?:cmpost_script_test|add_test)\((?:NAME )?(\w+)", re.MULTILINE)
RANGE = re.compile(r"^R-(\d{3})(?: to R-(\d{3}))?$")


def known_tests(root):
    """Names by which a row may call a test: Suite, Suite.Test, a name of ctest."""
    names = set()
    for file in (root / "tests").rglob("*.cpp"):
        for suite, test in GTEST.findall(file.read_text()):
            names |= {suite, f"{suite}.{test}"}
    for file in (root / "tests").rglob("CMakeLists.txt"):
        text = file.read_text()
        names |= set(CTEST.findall(text)) - {"system_test"}
        names |= {f"system_{name}" for name in re.findall(r"^system_test\((\w+)", text, re.MULTILINE)}
    return names


def rows(text):
    """The cells of each row below a heading of ours."""
    inside = False
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if not line.startswith("|"):
            inside = False
        elif cells == HEADING:
            inside = True
        elif inside and not set(line) <= set("|- "):
            yield cells


def ids(cell):
    for part in cell.split(","):
        found = RANGE.match(part.strip())
        if not found:
            raise ValueError(f"'{part.strip()}' is no id")
        first, last = int(found[1]), int(found[2] or found[1])
        yield from (f"R-{number:03}" for number in range(first, last + 1))


def is_source(root, name):
    return (root / name).exists() or any(root.glob(f"{name}.*")) or any(root.glob(f"{name}*.cpp"))


def is_test(root, tests, name):
    if name.endswith("*"):
        return any(test.startswith(name[:-1]) for test in tests)
    return name in tests or (name.startswith("tests/") and is_source(root, name))


def complaints(root, text):
    root, tests, seen = Path(root), known_tests(Path(root)), {}
    for cells in rows(text):
        if len(cells) != len(HEADING):
            yield f"{cells[0]}: {len(cells)} cells"
            continue
        id_cell, _, where, test = cells
        try:
            for one in ids(id_cell):
                if one in seen:
                    yield f"{one} stands in two rows: {seen[one]}, {id_cell}"
                seen[one] = id_cell
        except ValueError as fault:
            yield f"{id_cell}: {fault}"
        for name in re.findall(r"`([^`]+)`", where):
            if not is_source(root, name):
                yield f"{id_cell}: there is no {name}"
        names = re.findall(r"`([^`]+)`", test)
        if not names:
            yield f"{id_cell}: names no test in backticks"
        for name in names:
            if not is_test(root, tests, name):
                yield f"{id_cell}: there is no test {name}"
