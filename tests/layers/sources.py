"""The C++ files of the project."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def folders():
    """The product's folders: those with a DEPS file."""
    return sorted(file.parent for file in ROOT.glob("*/DEPS"))


def files(*suffixes, tests=True):
    places = folders() + ([ROOT / "tests"] if tests else [])
    found = (file for place in places for file in place.rglob("*") if file.suffix in suffixes)
    return sorted(found)
