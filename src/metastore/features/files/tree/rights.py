"""Rights: what can be done with a folder or file.

Their numbers are stored with grants: they never change, and a number is never used for another right.
"""

from enum import Flag

from metastore.features.files.models import FOLDER


class Right(Flag):
    """Something that can be done with a folder or file."""

    LIST = 1
    """See what is in a folder."""
    VIEW = 2
    """See a folder or file: its name, its preview, its stream."""
    DOWNLOAD = 4
    """Receive a file's own bytes."""
    ADD = 8
    """Put files and folders into a folder."""
    EDIT = 16
    """Rename, move and change."""
    DELETE = 32
    """Move to the trash, restore and purge."""
    SHARE = 64
    """Give others access."""


NOTHING = Right(0)
VIEWER = Right.LIST | Right.VIEW | Right.DOWNLOAD
EDITOR = VIEWER | Right.ADD | Right.EDIT | Right.DELETE
OWNER = EDITOR | Right.SHARE
_OF_FOLDERS = Right.LIST | Right.ADD


def names_of(rights: Right, kind: str) -> list[str]:
    """Return the names of those of ``rights`` that mean something for nodes of that kind, in the order above."""
    meant = rights if kind == FOLDER else rights & ~_OF_FOLDERS
    return [right.name for right in Right if right in meant and right.name is not None]
