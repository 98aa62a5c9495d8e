"""What is to be uploaded: files, and folders with all that is in them."""

import mimetypes
import os
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from metastore.entrypoints.cli.transfer.failures import UsageError


@dataclass(frozen=True, slots=True)
class Source:
    """A file to be uploaded into ``folder`` (on the server); ``size`` in bytes as it was when it was found."""

    path: Path
    folder: str
    size: int

    @property
    def name(self) -> str:
        """Its name on the server: NFC, like all names there."""
        return unicodedata.normalize("NFC", self.path.name)

    @property
    def mime_type(self) -> str:
        """What its name says that it is."""
        return mimetypes.guess_type(self.path.name)[0] or "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Found:
    """All of it: files, folders with nothing in them, and whether a folder was named."""

    files: list[Source]
    empty_folders: list[str]
    whole_folders: bool

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(source.size for source in self.files)


def find_sources(paths: list[Path], target: str) -> Found:
    """Look at ``paths``; a folder ``x`` becomes ``target/x``.

    Links to files are followed, links to folders within a folder are not, and what is neither is passed over there.

    Raises:
        UsageError: a path leads nowhere, or to something that is neither a file nor a folder.
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
    """A folder on the server the way the server writes it: ``/a/b``, ``/`` for the root."""
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
