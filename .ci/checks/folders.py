"""The number of modules and packages in a folder."""

from collections.abc import Iterator
from pathlib import PurePosixPath

from checks.complaint import Complaint
from checks.tree import Tree

MOST = 12
_PACKAGE = "src/metastore"
_CHECKED = (f"{_PACKAGE}/features", f"{_PACKAGE}/kit")


def crowded_folders(tree: Tree) -> Iterator[Complaint]:
    """Complain about folders of the features and of the kit with more than a dozen modules and packages."""
    folders = {parent for file in tree.under(*_CHECKED, suffix=".py") for parent in file.parents}
    for folder in sorted(map(str, folders)):
        if not any(PurePosixPath(folder).is_relative_to(checked) for checked in _CHECKED):
            continue
        count = len(tree.children(folder))
        if count > MOST:
            text = f"{count} modules and packages, more than {MOST}: group those that belong together in a package"
            yield Complaint(folder, 0, text)
