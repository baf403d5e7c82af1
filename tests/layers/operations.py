"""The enumerations of docs/operations.md against what they enumerate."""

import re
from pathlib import Path

from settings_keys import words_of

DOCUMENT = "docs/operations.md"
# Acts of operators: record_act(...), audit(...), and the entries of the CA's own certificates.
ACTS = re.compile(r'(?:record_act\(\s*\*?\w+,\s*|audit\(\s*|common, )"([a-z]+\.[a-z_]+)"'
                  r'|\{"([a-z]+\.[a-z_]+)",\s*"')
JOB_ACTS = re.compile(r'add_change\(\*queue, line, "(\w+)"')
# Not of operators: what the program does by itself is described where it belongs.
BY_ITSELF = {"announcement.made", "certificate.issued"}


def acts(root):
    found = set()
    for file in (Path(root) / "app").glob("*.cpp"):
        text = file.read_text()
        found |= {act for pair in ACTS.findall(text) for act in pair if act}
        found |= {f"job.{name}" for name in JOB_ACTS.findall(text)}
    return found - BY_ITSELF


def kinds(root):
    text = (Path(root) / "app/remark.cpp").read_text()
    return set(re.findall(r'case RemarkKind::\w+:\s*return \{\s*"(\w+)"', text))


def exit_codes(root):
    text = (Path(root) / "app/exit_code.h").read_text()
    body = re.search(r"enum class ExitCode \{(.*?)\};", text, re.DOTALL)[1]
    return set(re.findall(r"= (\d+)", body))


def complaints(root):
    text = (Path(root) / DOCUMENT).read_text()
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    spans = set(re.findall(r"`([^`]+)`", prose))
    for act in sorted(acts(root) - spans):
        yield f"{DOCUMENT} does not have the record `{act}`"
    for kind in sorted(kinds(root) - words_of(text)):
        yield f"{DOCUMENT} does not have the kind `{kind}`"
    table = set(re.findall(r"^\| (\d+) \|", text, re.MULTILINE))
    for code in sorted(exit_codes(root) ^ table):
        yield f"the exit code {code} is in one of {DOCUMENT} and app/exit_code.h"
