"""The length of source files."""

from collections.abc import Iterator

from checks.complaint import Complaint
from checks.tree import Tree

LONGEST = 400
_SOURCES = {".py", ".ts", ".tsx", ".js", ".css", ".sh"}
_GENERATED = {"web/src/api/schema.d.ts"}


def long_files(tree: Tree) -> Iterator[Complaint]:
    """Complain about sources of more than 400 lines."""
    for file in tree.files:
        if file.suffix in _SOURCES and str(file) not in _GENERATED:
            length = len((tree.root / file).read_bytes().splitlines())
            if length > LONGEST:
                yield Complaint(str(file), 0, f"{length} lines, more than {LONGEST}: split it by what it is about")
