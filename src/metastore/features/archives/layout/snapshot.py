"""Snapshots: the size, the ETag and the offsets of an archive, without its bytes."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b

from metastore.features.archives.layout.folders import ArchiveFolder, unix_time
from metastore.features.archives.layout.members import Member, digest_of
from metastore.features.archives.layout.safe_names import FolderNames, safe_name
from metastore.features.archives.layout.zip_format import end_records, entry_size, local_size
from metastore.features.files.listing.subtree import FilePage, SubtreeFile
from metastore.kit.problems.problem import Problem
from metastore.kit.problems.problem_codes import ProblemCode

KEPT_MEMBERS = 10_000
"""How many members a snapshot keeps in memory; see the feature's page."""
MAX_FOLDERS = 100_000
MAX_FILES = 1_000_000
_FORMAT = b"1"
"""Part of every ETag. Change it with the bytes that the same members give."""


class ArchiveChangedError(Exception):
    """What the archive consists of has changed since its snapshot was taken."""


@dataclass(slots=True)
class SnapshotPage:
    """A page of members: where its local headers and its directory entries begin, in bytes from the start of each part.

    ``renamed`` has the paths of those files, by their number in the page, that could not keep their safe name.
    """

    files: FilePage
    offset: int
    directory_offset: int
    digest: bytes
    renamed: dict[int, bytes]
    members: list[Member] | None


@dataclass(slots=True)
class Snapshot:
    """What an archive consists of. Sizes are in bytes; ``directory_size`` is that of the central directory."""

    owner_id: str
    folders: Mapping[str, ArchiveFolder]
    pages: list[SnapshotPage] = field(default_factory=list)
    count: int = 0
    data_size: int = 0
    directory_size: int = 0
    modified_at: datetime | None = None
    """When the latest of its files and folders was changed; an ETag tells more."""
    etag: str = ""
    """Strong, without quotes."""

    @property
    def end(self) -> bytes:
        """The records after the central directory."""
        return end_records(self.count, self.data_size, self.directory_size)

    @property
    def size(self) -> int:
        """The length of the archive in bytes."""
        return self.data_size + self.directory_size + len(self.end)

    def pages_of_data(self, start: int, end: int) -> Iterator[SnapshotPage]:
        """Return the pages whose members are in this part of the archive, given in bytes from its start."""
        return self._between([page.offset for page in self.pages], start, end)

    def pages_of_directory(self, start: int, end: int) -> Iterator[SnapshotPage]:
        """Return the pages whose entries are in this part of the central directory, given in bytes from its start."""
        return self._between([page.directory_offset for page in self.pages], start, end)

    def _between(self, offsets: Sequence[int], start: int, end: int) -> Iterator[SnapshotPage]:
        if start >= end:
            return
        first = max(0, bisect_right(offsets, start) - 1)
        for page, offset in zip(self.pages[first:], offsets[first:], strict=True):
            if offset >= end:
                return
            yield page

    def members_again(self, page: SnapshotPage, files: Sequence[SubtreeFile]) -> list[Member]:
        """Return the members of ``page`` from its files, which were read again.

        Raises:
            ArchiveChangedError: they are not those of the snapshot.
        """
        members = list(_members(self.folders, page.files, files, page.renamed))
        if digest_of(members) != page.digest:
            raise ArchiveChangedError("a folder has changed")
        return members


class SnapshotBuilder:
    """Takes a snapshot: first of the files of the selection itself, then of what is in ``folders``, page by page."""

    def __init__(self, owner_id: str, folders: Mapping[str, ArchiveFolder]) -> None:
        self._snapshot = Snapshot(owner_id, folders)
        self._names = FolderNames()
        self._digest = blake2b(_FORMAT, digest_size=16)
        self._files = 0

    def add_selected(self, members: list[Member]) -> None:
        """Add the files of the selection itself. They stay in memory."""
        self._add(FilePage(()), members, {}, keep=True)

    def add(self, page: FilePage, files: Sequence[SubtreeFile]) -> None:
        """Add the files of a page, and the folders that it begins with.

        Raises:
            Problem: 409 ``not-ready`` or ``file-damaged``, with the path of the file; 422 ``archive-too-large``.
        """
        self._files += len(files)
        if self._files > MAX_FILES:
            raise too_large()
        renamed = self._renamed(page, files)
        for file in files:
            require_stored(file, self._snapshot.folders[file.parent_id or ""].path.decode() + file.name)
            self.note_time(file.updated_at)
        members = list(_members(self._snapshot.folders, page, files, renamed))
        self._add(page, members, renamed, keep=self._snapshot.count + len(members) <= KEPT_MEMBERS)

    def note_time(self, modified_at: datetime) -> None:
        """Note when one of the files and folders was changed."""
        if self._snapshot.modified_at is None or modified_at > self._snapshot.modified_at:
            self._snapshot.modified_at = modified_at

    def finish(self) -> Snapshot:
        """Return the snapshot."""
        self._snapshot.etag = self._digest.hexdigest()
        return self._snapshot

    def _renamed(self, page: FilePage, files: Sequence[SubtreeFile]) -> dict[int, bytes]:
        renamed, folder_id = {}, page.folder_ids[0] if page.after else ""
        for number, file in enumerate(files):
            folder = self._snapshot.folders[file.parent_id or ""]
            if file.parent_id != folder_id:
                self._names, folder_id = folder.names(), file.parent_id or ""
            name = self._names.add(file.name)
            if name != safe_name(file.name):
                renamed[number] = folder.path + name.encode()
        return renamed

    def _add(self, files: FilePage, members: list[Member], renamed: dict[int, bytes], *, keep: bool) -> None:
        snapshot, digest = self._snapshot, digest_of(members)
        kept = members if keep else None
        page = SnapshotPage(files, snapshot.data_size, snapshot.directory_size, digest, renamed, kept)
        snapshot.pages.append(page)
        for member in members:
            snapshot.directory_size += entry_size(member, snapshot.data_size)
            snapshot.data_size += local_size(member) + member.size
        snapshot.count += len(members)
        self._digest.update(digest)


def require_stored(file: SubtreeFile, path: str) -> None:
    """Return if the file can be read.

    Raises:
        Problem: 409 ``not-ready`` or ``file-damaged``, with its path.
    """
    if file.object_key is None:
        raise Problem(409, ProblemCode.NOT_READY, f"The file {path} is not completely uploaded yet.", path=path)
    if file.damage:
        raise Problem(
            409, ProblemCode.FILE_DAMAGED, f"The stored bytes of {path} are damaged: {file.damage}.", path=path
        )


def too_large() -> Problem:
    """Return 422 ``archive-too-large``."""
    return Problem(
        422,
        ProblemCode.ARCHIVE_TOO_LARGE,
        f"An archive can have at most {MAX_FILES:,} files in {MAX_FOLDERS:,} folders.",
    )


def file_member(file: SubtreeFile, path: bytes) -> Member:
    """Return a stored file as a member of an archive."""
    return Member(path, file.size, unix_time(file.created_at), file.id, file.object_key or "", file.crc32)


def _members(
    folders: Mapping[str, ArchiveFolder], page: FilePage, files: Sequence[SubtreeFile], renamed: Mapping[int, bytes]
) -> Iterator[Member]:
    numbered = iter(enumerate(files))
    following = next(numbered, None)
    for folder_id in page.folder_ids:
        folder = folders[folder_id]
        if not page.after:
            yield folder.member()
        while following and following[1].parent_id == folder_id:
            number, file = following
            yield file_member(file, renamed.get(number) or folder.path + safe_name(file.name).encode())
            following = next(numbered, None)
