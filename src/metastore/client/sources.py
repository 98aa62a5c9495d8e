"""Find the local files to upload."""

import mimetypes
import os
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from metastore.client.errors import UsageError


@dataclass(frozen=True, slots=True)
class Source:
    """A local file to upload into ``folder`` on the server. ``size`` is in bytes, at the time it was found."""

    path: Path
    folder: str
    size: int

    @property
    def name(self) -> str:
        """Return its name on the server, in NFC like all names there."""
        return unicodedata.normalize("NFC", self.path.name)

    @property
    def mime_type(self) -> str:
        """Return the content type according to its name."""
        return mimetypes.guess_type(self.path.name)[0] or "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Found:
    """Files and empty folders, and whether any of the given paths was a folder."""

    files: list[Source]
    empty_folders: list[str]
    has_folders: bool

    @property
    def size(self) -> int:
        """Return the total size in bytes."""
        return sum(source.size for source in self.files)


def find_sources(paths: list[Path], target: str) -> Found:
    """Find all files at ``paths``. A folder ``x`` becomes ``target/x``.

    Within folders, links to files are followed, links to folders are not, and special files are skipped.

    Raises:
        UsageError: a path does not exist, or is neither a file nor a folder.
    """
    found = Found([], [], any(path.is_dir() for path in paths))
    for path in paths:
        if path.is_dir():
            name = path.name if path.name not in {"", ".."} else path.resolve().name
            _walk(path, _joined(target, name), found)
        elif path.is_file():
            found.files.append(Source(path, target, path.stat().st_size))
        else:
            raise UsageError(f"{path}: {'not a file or folder' if path.exists() else 'no such file or folder'}")
    return found


def normal_folder(path: str) -> str:
    """Return a folder's path in the server's notation: ``/a/b``, or ``/`` for the root."""
    return "/" + "/".join(unicodedata.normalize("NFC", name) for name in path.split("/") if name)


def _walk(folder: Path, target: str, found: Found) -> None:
    entries = sorted(_entries(folder), key=lambda entry: entry.name)
    if not entries:
        found.empty_folders.append(target)
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            _walk(Path(entry.path), _joined(target, entry.name), found)
        elif entry.is_file():
            found.files.append(Source(Path(entry.path), target, entry.stat().st_size))


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}") from None


def _joined(folder: str, name: str) -> str:
    return normal_folder(f"{folder}/{name}")
