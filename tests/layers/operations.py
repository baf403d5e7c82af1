"""The enumerations of docs/operations.md against what they enumerate."""

import re
from pathlib import Path

DOCUMENT = "docs/operations.md"
# Acts of operators: record_act(...), audit(...), and the entries of the CA's own certificates.
ACTS = re.compile(r'(?:record_act\(\s*\*?\w+,\s*|audit\(\s*|common, )"([a-z]+\.[a-z_]+)"'
                  r'|\{"([a-z]+\.[a-z_]+)",\s*(?:"|k\w+Requester\b)')
JOB_ACTS = re.compile(r'add_change\(\*queue, line, "(\w+)"')
# Not of operators: what the program does by itself is described where it belongs.
BY_ITSELF = {"announcement.made"}
EVENT = re.compile(r"[a-z]+\.[a-z_]+")


def records_of_app(root):
    found = set()
    for file in (Path(root) / "app").rglob("*.cpp"):
        text = file.read_text()
        found |= {act for pair in ACTS.findall(text) for act in pair if act}
        found |= {f"job.{name}" for name in JOB_ACTS.findall(text)}
    return found


def acts(root):
    return records_of_app(root) - BY_ITSELF


def told_acts(text):
    """The records that the document calls acts of operators."""
    section = re.search(r"^## Who has done what$(.*?)^## ", text, re.MULTILINE | re.DOTALL)[1]
    return {span for span in re.findall(r"`([^`]+)`", section) if EVENT.fullmatch(span)}


def is_written(root, act):
    """Whether any source file has this word of an event."""
    files = (file for folder in ("app", "ca", "processor") for file in (Path(root) / folder).rglob("*.cpp"))
    return act in records_of_app(root) or any(f'"{act}"' in file.read_text() for file in files)


def told_kinds(text):
    """The first column of the table of findings."""
    table = re.search(r"^\| kind \| what is found \|\n(.*?)\n\n", text, re.MULTILINE | re.DOTALL)[1]
    return set(re.findall(r"`(\w+)`", " ".join(re.findall(r"^\|([^|]*)\|", table, re.MULTILINE))))


def kinds(root):
    text = (Path(root) / "app/looking/remark.cpp").read_text()
    return set(re.findall(r'case RemarkKind::\w+:\s*return \{\s*"(\w+)"', text))


def exit_codes(root):
    text = (Path(root) / "app/terminal/exit_code.h").read_text()
    body = re.search(r"enum class ExitCode \{(.*?)\};", text, re.DOTALL)[1]
    return set(re.findall(r"= (\d+)", body))


def complaints(root):
    text = (Path(root) / DOCUMENT).read_text()
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    spans = set(re.findall(r"`([^`]+)`", prose))
    for act in sorted(acts(root) - spans):
        yield f"{DOCUMENT} does not have the record `{act}`"
    for act in sorted(told_acts(text)):
        if not is_written(root, act):
            yield f"{DOCUMENT} has the record `{act}`, which nothing writes"
    for act in sorted(BY_ITSELF - records_of_app(root)):
        yield f"BY_ITSELF has {act}, which app does not write"
    for kind in sorted(kinds(root) ^ told_kinds(text)):
        yield f"the kind `{kind}` is in one of {DOCUMENT} and app/looking/remark.cpp"
    table = set(re.findall(r"^\| (\d+) \|", text, re.MULTILINE))
    for code in sorted(exit_codes(root) ^ table):
        yield f"the exit code {code} is in one of {DOCUMENT} and app/terminal/exit_code.h"
