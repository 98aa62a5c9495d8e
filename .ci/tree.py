"""Checks of the tree that no linter makes: lengths of files, and what the lock files may say."""

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


def main() -> int:
    """Look at every file under version control; print what is wrong."""
    listed = subprocess.run(["git", "ls-files", "-z"], capture_output=True, text=True, check=True).stdout
    paths = [path for name in listed.split("\0") if name and (path := Path(name)).is_file()]
    complaints = long_files(paths) + hosts_in_locks(paths)
    for complaint in complaints:
        print(complaint, file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
