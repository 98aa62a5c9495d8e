"""Names that can be extracted on Windows, macOS and Linux.

Characters that Windows does not allow become ``_``, and so do a dot or space at the end, which it would drop. Names of
its devices (``CON``, ``COM1.txt`` …) get a ``_``. Names that are equal then, without regard to case, are numbered like
files with a name that is taken: ``name (1).ext``.
"""

import re

from metastore.features.files.tree.names import MAX_NAME_BYTES, numbered_name_parts

_NOT_ALLOWED = re.compile(r'[<>:"|?*\\/\x00-\x1f\x7f]|[. ]$')
_DEVICE = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?= *(?:\.|$))", re.IGNORECASE)


def safe_name(name: str) -> str:
    """Return ``name`` if every system can have a file of that name, else a similar name."""
    safe = (
        _DEVICE.sub(r"\1_", _NOT_ALLOWED.sub("_", name), count=1)
        if _DEVICE.match(name)
        else _NOT_ALLOWED.sub("_", name)
    )
    return safe if len(safe) * 4 <= MAX_NAME_BYTES else safe.encode()[:MAX_NAME_BYTES].decode(errors="ignore")


class FolderNames:
    """Gives the items of one folder safe names that are unique without regard to case."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._numbers: dict[str, int] = {}

    def add(self, name: str, *, folder: bool = False) -> str:
        """Return the safe and unique name of the next item."""
        wanted = safe_name(name)
        key = wanted.casefold()
        if key not in self._taken:
            self._taken.add(key)
            return wanted
        prefix, suffix = numbered_name_parts(wanted, folder=folder)
        series = f"{prefix}/{suffix}".casefold()
        number = self._numbers.get(series, 0) + 1
        while (numbered := f"{prefix}({number}){suffix}").casefold() in self._taken:
            number += 1
        self._numbers[series] = number
        self._taken.add(numbered.casefold())
        return numbered
