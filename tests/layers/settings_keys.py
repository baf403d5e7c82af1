"""The keys that the readers of the settings know against the documents that describe them."""

import re
from pathlib import Path

# Getters of Section, and functions of the readers that take a key.
GETTERS = ("text|name|texts|items|flag|integer|duration|size|path|paths|key_reference|table|choice|"
           r"find|require|count|read_\w+|optional_secret|required_path|required_key")
READ = re.compile(rf'\b(?:{GETTERS})\(\s*(?:\w+,\s*)?"([a-z][a-z0-9_]*)"')
# const auto* key = first ? "url" : "delta_url";
CHOSEN = re.compile(r'\bkey = [^;"]*"([a-z0-9_]+)" : "([a-z0-9_]+)"')
DOCUMENTS = {"mail_reader.cpp": "docs/mail.md", "sftp_reader.cpp": "docs/sftp.md",
             "http_reader.cpp": "docs/http.md"}
EVERY = "docs/configuration.md"
# Of roles that are read and refused as not built.
UNBUILT = {"at", "channels", "report", "stop_if", "run"}


def keys_of(source):
    keys = set(READ.findall(source))
    for pair in CHOSEN.findall(source):
        keys.update(pair)
    return keys


def words_of(text):
    """What stands as code: in backticks, and in blocks."""
    blocks = re.findall(r"^```.*?^```", text, re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    spans = re.findall(r"`([^`]+)`", rest) + re.findall(r"^#+ (.*)$", rest, re.MULTILINE)
    return set(re.findall(r"[A-Za-z0-9_]+", " ".join(blocks + spans)))


def keys_of_tables(text):
    """The first cells of the tables that describe keys."""
    inside = False
    for line in text.splitlines():
        if not line.startswith("|"):
            inside = False
        elif line.startswith("| key |"):
            inside = True
        elif inside:
            yield from re.findall(r"`([a-z][a-z0-9_.]*)`", line.split("|")[1])


def readers(root):
    return {file.name: keys_of(file.read_text())
            for file in sorted((Path(root) / "config").rglob("*.cpp"))
            if file.name == "load.cpp" or file.name.endswith("_reader.cpp")}


def complaints(root):
    root = Path(root)
    known = set()
    for name, keys in readers(root).items():
        known |= keys
        text = (root / EVERY).read_text()
        if name in DOCUMENTS:
            text += (root / DOCUMENTS[name]).read_text()
        for key in sorted(keys - words_of(text) - UNBUILT):
            yield f"config/{name} reads '{key}', which {DOCUMENTS.get(name, EVERY)} does not have"
    for document in {EVERY, *DOCUMENTS.values()}:
        for key in keys_of_tables((root / document).read_text()):
            for part in key.split("."):
                if part not in known:
                    yield f"{document} describes '{key}', which nothing reads"
