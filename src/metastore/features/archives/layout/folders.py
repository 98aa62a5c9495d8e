"""The folders of a selection: their order in the archive, their paths, and the names in them."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from metastore.features.archives.layout.members import Member
from metastore.features.archives.layout.safe_names import FolderNames
from metastore.features.files.listing.subtree import SubtreeFolder


class ArchiveFolder(NamedTuple):
    """A folder in an archive: its path in UTF-8 with a slash at the end, and the folders in it by their own names."""

    path: bytes
    modified_at: int
    subfolders: tuple[str, ...]

    def member(self) -> Member:
        """Return the folder as a member of the archive."""
        return Member(self.path, 0, self.modified_at)

    def names(self) -> FolderNames:
        """Return what names the files in this folder, with the names that its folders have taken."""
        names = FolderNames()
        for name in self.subfolders:
            names.add(name, folder=True)
        return names


def arrange(folders: Iterable[SubtreeFolder], tops: Iterable[tuple[str, str]]) -> dict[str, ArchiveFolder]:
    """Return all folders by ID, each directly before what is in it, sorted by name within each folder.

    ``tops`` are the IDs of the topmost folders with their names in the archive.
    """
    by_id, children = {}, dict[str, list[SubtreeFolder]]()
    for folder in folders:
        by_id[folder.id] = folder
        children.setdefault(folder.parent_id or "", []).append(folder)
    arranged: dict[str, ArchiveFolder] = {}
    open_folders = [(by_id[folder_id], f"{name}/".encode()) for folder_id, name in tops]
    open_folders.reverse()
    while open_folders:
        folder, path = open_folders.pop()
        inside = sorted(children.get(folder.id, ()), key=lambda each: each.name)
        names = FolderNames()
        named = [(each, path + f"{names.add(each.name, folder=True)}/".encode()) for each in inside]
        subfolders = tuple(each.name for each in inside)
        arranged[folder.id] = ArchiveFolder(path, unix_time(folder.created_at), subfolders)
        open_folders += reversed(named)
    return arranged


def unix_time(moment: datetime) -> int:
    """Return ``moment`` in whole Unix seconds."""
    return int(moment.timestamp())
