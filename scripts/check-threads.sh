#!/usr/bin/env bash
# Clang reads every source that has a mutex and proves that what the mutex guards is touched under it
# alone (base/mutex.h). Compiles nothing; a minute.
#
#   scripts/check-threads.sh               installs clang where it is missing
#   scripts/check-threads.sh --if-there    without clang: exit code 77
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

case "$*" in
  '') scripts/install-deps.sh clang ;;
  --if-there) command -v clang++ >/dev/null || exit 77 ;;
  *) echo "usage: $0 [--if-there]" >&2; exit 64 ;;
esac
cmake --preset clang-check >/dev/null
exec python3 - build/clang-check/compile_commands.json <<'PYTHON'
import concurrent.futures, json, os, pathlib, re, subprocess, sys

top = os.getcwd()
commands = {os.path.relpath(entry["file"], top): entry for entry in json.load(open(sys.argv[1]))}
headers = [str(path) for depth in ("*", "*/*")
           for deps in pathlib.Path().glob(depth + "/DEPS") for path in deps.parent.rglob("*.h")]
headers += map(str, pathlib.Path("tests").rglob("*.h"))

def included(path):
    return set(re.findall(r'#include "([^"]+)"', pathlib.Path(path).read_text()))

# What a class guards is its own: who includes its header through another one cannot touch it. The
# functions of a test's header are in it, so one source that includes it is enough.
guarding = [path for path in headers if "base/mutex.h" in included(path)]
sources = {path: included(path) for path in commands if not path.startswith("build/")}
chosen = {path for path, its in sources.items()
          if "base/mutex.h" in its or not path.startswith("tests/") and its.intersection(guarding)}
for header in guarding:
    chosen.update(sorted(path for path, its in sources.items() if header in its)[:1])

def check(path):
    entry = commands[path]
    command = re.sub(r"^.*?(\S*clang\+\+)", r"\1", entry["command"], count=1)
    command = re.sub(r" -o \S+ -c ", " -fsyntax-only ", command)
    return subprocess.run(command, shell=True, cwd=entry["directory"]).returncode

with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
    failed = sum(code != 0 for code in pool.map(check, sorted(chosen)))
print(f"check-threads: {len(chosen)} sources, {failed} with complaints")
sys.exit(failed != 0 or not chosen)
PYTHON
