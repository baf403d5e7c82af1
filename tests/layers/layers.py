"""Who may include whom: the rule that the DEPS files state, as a check over the sources."""

import re
from pathlib import Path

# A wrapped library is included where its wrapper lives, or in a room of it, and nowhere else.
WRAPPED = {
    "openssl/": {"crypto"},
    "sqlite3": {"store"},
    "toml++/": {"config"},
    "spdlog/": {"base"},
    "boost/filesystem": {"base"},
    "CLI/": {"app"},
    "mimetic/": {"mime"},
    "curl/": {"net", "mail", "http"},
    "libssh/": {"sftp"},
    "archive.h": {"archive"},
    "archive_entry.h": {"archive"},
}
SOURCE_SUFFIXES = {".cpp", ".h"}
INCLUDE = re.compile(r'^\s*#\s*include\s*["<]([^">]+)[">]')


NAMESPACE = re.compile(r"^namespace ([\w:]+) \{")
END_OF_NAMESPACE = re.compile(r"^\}  // namespace")
TYPE = re.compile(r"^(?:class|struct|enum class) (?:[A-Z_]+\(.*\) )?(\w+)(?!::)\b[^;]*$")


def types_of(header):
    """Full names of the types that a header defines outside of other types."""
    namespaces = []
    for line in header.read_text().splitlines():
        if found := NAMESPACE.match(line):
            namespaces.append(found[1])
        elif END_OF_NAMESPACE.match(line) and namespaces:
            namespaces.pop()
        elif found := TYPE.match(line):
            yield "::".join([*namespaces, found[1]])


def names_given_twice(root):
    """Two types of one name are two meanings of one symbol to the linker, which takes either."""
    homes = {}
    for folder in read_deps(root):
        for header in sorted((Path(root) / folder).glob("*.h")):
            for name in types_of(header):
                homes.setdefault(name, []).append(f"{folder}/{header.name}")
    return [f"{name}: {', '.join(files)}" for name, files in sorted(homes.items()) if len(files) > 1]


def read_deps(root):
    """Folder -> the folders that its DEPS names. `#` starts a comment. A room within a folder is a
    folder of its own, "crypto/keys"; there is no third floor."""
    deps = {}
    for file in sorted([*Path(root).glob("*/DEPS"), *Path(root).glob("*/*/DEPS")]):
        text = "\n".join(line.split("#")[0] for line in file.read_text().splitlines())
        deps[str(file.parent.relative_to(root))] = text.split()
    return deps


def without_deps(root, deps):
    """Folders of sources beside or below those with a DEPS that have none: nothing checks them."""
    houses = {folder.split("/")[0] for folder in deps}
    files = (file for house in houses for file in (Path(root) / house).rglob("*"))
    sources = (file for file in files if file.suffix in SOURCE_SUFFIXES)
    rooms = {str(file.parent.relative_to(root)) for file in sources} - set(deps)
    return [f"{room} has sources and no DEPS" for room in sorted(rooms)]


def unknown_folders(deps):
    return [
        f"{folder}/DEPS names {name}, and there is no folder {name} with a DEPS"
        for folder, names in deps.items()
        for name in names
        if name not in deps
    ]


def cycles(deps):
    """One line for each folder that reaches itself."""

    def reachable(start):
        seen, todo = set(), list(deps.get(start, []))
        while todo:
            name = todo.pop()
            if name not in seen:
                seen.add(name)
                todo += deps.get(name, [])
        return seen

    return [f"{folder} depends on itself" for folder in deps if folder in reachable(folder)]


def includes(file):
    """(line number, what is included) of one source file."""
    with open(file, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if match := INCLUDE.match(line):
                yield number, match.group(1)


def complaint_about(folder, header, deps):
    """Why `folder` may not include `header`, or None."""
    other = header.rpartition("/")[0]
    if other in deps and other != folder and other not in deps[folder]:
        return f"{folder}/DEPS does not name {other}"
    for prefix, homes in WRAPPED.items():
        if header.startswith(prefix) and folder.split("/")[0] not in homes:
            return f"{prefix} belongs to {', '.join(sorted(homes))}"
    return None


def forbidden_includes(root, deps):
    complaints = []
    for folder in deps:
        for file in sorted((Path(root) / folder).glob("*")):
            if file.suffix not in SOURCE_SUFFIXES:
                continue
            for number, header in includes(file):
                if why := complaint_about(folder, header, deps):
                    where = file.relative_to(root)
                    complaints.append(f"{where}:{number}: includes {header}: {why}")
    return complaints


def too_wide(root, deps):
    """Folders that a DEPS allows and that nothing includes: sooner or later something would."""
    complaints = []
    for folder, names in deps.items():
        files = [file for file in (Path(root) / folder).glob("*") if file.suffix in SOURCE_SUFFIXES]
        used = {header.rpartition("/")[0] for file in files for _, header in includes(file)}
        complaints += [
            f"{folder}/DEPS names {name}, and nothing there includes it"
            for name in names
            if name in deps and name not in used
        ]
    return complaints


# Lines of a room, its headers included: what one head can hold.
MOST_LINES = 3500


def too_large(root, deps):
    complaints = []
    for folder in sorted(deps):
        files = [file for file in (Path(root) / folder).glob("*") if file.suffix in SOURCE_SUFFIXES]
        lines = sum(len(file.read_text().splitlines()) for file in files)
        if lines > MOST_LINES:
            complaints.append(f"{folder} has {lines} lines, and {MOST_LINES} are a room's most")
    return complaints


def rooms_out_of_order(document, deps):
    """Rooms that ask one below them in the table of rooms."""
    table = re.search(r"^\| room \| question \|\n(.*?)\n\n", document, re.MULTILINE | re.DOTALL)[1]
    order = re.findall(r"`([\w/]+)`", " ".join(re.findall(r"^\|([^|]*)\|", table, re.MULTILINE)))
    return [f"{room} asks {other}, which stands below it"
            for at, room in enumerate(order) for other in order[at + 1:] if other in deps[room]]


def check(root):
    deps = read_deps(root)
    return (
        unknown_folders(deps)
        + without_deps(root, deps)
        + cycles(deps)
        + forbidden_includes(root, deps)
        + too_wide(root, deps)
        + too_large(root, deps)
    )
