"""Rights: what can be done with a folder or file.

Their numbers are stored with grants: they never change, and a number is never used for another right.
"""

from enum import Flag


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
