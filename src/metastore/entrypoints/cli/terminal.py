"""Text for terminals."""

from rich.filesize import decimal


def printable(text: str) -> str:
    """Replace control characters, which a terminal would interpret; names and messages may contain any."""
    return "".join(character if character.isprintable() else "�" for character in text)


def amount(size: int) -> str:
    """Format a number of bytes for reading."""
    return decimal(size)
