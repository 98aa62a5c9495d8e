"""Text for terminals."""

from rich.filesize import decimal


def printable(text: str) -> str:
    """Replace control characters in ``text``, which a terminal would interpret. Names and messages are not ours."""
    return "".join(character if character.isprintable() else "�" for character in text)


def amount(size: int) -> str:
    """Format ``size`` bytes."""
    return decimal(size)
