"""The members of an archive: what a record of the ZIP format describes."""

from collections.abc import Iterable
from hashlib import blake2b
from typing import NamedTuple

_DIGEST_BYTES = 16


class Member(NamedTuple):
    """A file or a folder in an archive.

    ``path`` is its name in the archive, in UTF-8; that of a folder ends with a slash. ``size`` is in bytes,
    ``modified_at`` in Unix seconds. Folders have an empty ``object_key`` and the CRC-32 of nothing.
    """

    path: bytes
    size: int
    modified_at: int
    file_id: str = ""
    object_key: str = ""
    crc32: int | None = 0

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return not self.object_key


def digest_of(members: Iterable[Member]) -> bytes:
    """Return a digest of everything that the bytes of the members depend on; of files, by their object keys.

    Objects never change, so the CRC-32 adds nothing; it may be known to one reader and not yet to another.
    """
    digest = blake2b(digest_size=_DIGEST_BYTES)
    for member in members:
        # No path contains a zero byte, and no key a line break.
        digest.update(b"%s\0%d %d %s\n" % (member.path, member.size, member.modified_at, member.object_key.encode()))
    return digest.digest()
