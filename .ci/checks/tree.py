"""The files under version control."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True)
class Tree:
    """A checkout: its ``root``, and the ``files`` that are under version control and on disk, relative to it."""

    root: Path
    files: tuple[PurePosixPath, ...]

    def under(self, *folders: str, suffix: str = "") -> Iterator[PurePosixPath]:
        """Yield the files in these folders, at any depth, whose names end with ``suffix``."""
        for file in self.files:
            if file.name.endswith(suffix) and any(file.is_relative_to(folder) for folder in folders):
                yield file

    def read(self, file: PurePosixPath | str) -> str:
        """Return the text of a file; empty when it does not exist."""
        path = self.root / file
        return path.read_text() if path.is_file() else ""

    def children(self, folder: str) -> set[str]:
        """Return the modules and packages of a Python package by name, without ``__init__`` and ``__main__``."""
        inside = (file.relative_to(folder) for file in self.under(folder, suffix=".py"))
        names = {file.parts[0].removesuffix(".py") for file in inside}
        return names - {"__init__", "__main__"}


def tracked(root: Path) -> Tree:
    """Return the tree at ``root``."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True).stdout
    files = sorted(PurePosixPath(name) for name in listed.split("\0") if name)
    return Tree(root, tuple(file for file in files if (root / file).is_file()))
