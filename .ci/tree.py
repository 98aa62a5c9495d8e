"""Checks of the tree that no linter makes: lengths of files, and what the lock files say and leave out."""

import json
import subprocess
import sys
from pathlib import Path

LONGEST = 400
_SOURCES = {".py", ".ts", ".tsx", ".js", ".css", ".sh"}
_GENERATED = {"web/src/api/schema.d.ts"}


def long_files(paths: list[Path]) -> list[str]:
    """Complaints about sources that want splitting."""
    sources = [path for path in paths if path.suffix in _SOURCES and str(path) not in _GENERATED]
    lengths = {path: len(path.read_bytes().splitlines()) for path in sources}
    return [f"{path}: {length} lines, more than {LONGEST}" for path, length in lengths.items() if length > LONGEST]


def hosts_in_locks(paths: list[Path]) -> list[str]:
    """Complaints about lock files that name where packages came from: that is each machine's own affair."""
    complaints = []
    for path in paths:
        lines = path.read_text().splitlines() if path.suffix == ".lock" or path.name == "package-lock.json" else []
        for number, line in enumerate(lines, start=1):
            named = '"resolved"' in line if path.suffix == ".json" else "://" in line or line.startswith("-")
            if named:
                complaints.append(f"{path}:{number}: names a registry: {line.strip()}")
    return complaints


def holes_in_npm_lock(path: Path) -> list[str]:
    """Complaints about packages that others name but the lock leaves out, on which ``npm ci`` gives up.

    npm drops an optional package (another machine's binary) when it cannot be had at the moment of locking.
    """
    packages = json.loads(path.read_text())["packages"] if path.is_file() else {}
    locked = {name.rpartition("node_modules/")[2] for name in packages}
    named = {name for package in packages.values() for name in package.get("optionalDependencies", {})}
    return [f"{path}: lacks {name}" for name in sorted(named - locked)]


def main() -> int:
    """Look at every file under version control; print what is wrong."""
    listed = subprocess.run(["git", "ls-files", "-z"], capture_output=True, text=True, check=True).stdout
    paths = [path for name in listed.split("\0") if name and (path := Path(name)).is_file()]
    complaints = long_files(paths) + hosts_in_locks(paths) + holes_in_npm_lock(Path("web/package-lock.json"))
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
