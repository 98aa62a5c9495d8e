"""The tables of settings in the README and in ``docs``."""

import re
import sys
from collections.abc import Iterator
from pathlib import PurePosixPath

from checks.complaint import Complaint
from checks.tree import Tree

_README = "README.md"
_ROW = re.compile(r"^\| `METASTORE_([A-Z0-9_]+)` \| ([^|]*) \|")
_MENTION = re.compile(r"\bMETASTORE_([A-Z0-9_]*[A-Z0-9])\b")
_ELSEWHERE = {"SKIP_WEB", "CLIENT_SERVER", "CLIENT_USERNAME", "CLIENT_PASSWORD", "CLIENT_RATE"}
"""Variables that are not settings of the server: the build, the terminal client and the gateway read them."""


def wrong_settings_tables(tree: Tree) -> Iterator[Complaint]:
    """Complain about tables and pages that differ from ``config.Settings``.

    The README has one row per setting. A default is written in backticks, as in the environment; an empty default is
    described in words.
    """
    defaults = _defaults(tree)
    documented: set[str] = set()
    for file in tree.files:
        if file.suffix != ".md" or file.parts[0] == "web":
            continue
        for number, line in enumerate(tree.read(file).splitlines(), start=1):
            yield from _unknown(file, number, line, defaults)
            row = _ROW.match(line)
            if row and row[1] in defaults:
                documented |= {row[1]} if str(file) == _README else set()
                yield from _wrong_default(file, number, row[1], row[2].strip(), defaults[row[1]])
    for name in sorted(set(defaults) - documented):
        yield Complaint(_README, 0, f"the table of settings lacks METASTORE_{name}: add its default and meaning")


def _unknown(file: PurePosixPath, number: int, line: str, defaults: dict[str, str]) -> Iterator[Complaint]:
    for name in _MENTION.findall(line):
        if name not in defaults and name not in _ELSEWHERE:
            yield Complaint(str(file), number, f"METASTORE_{name} is not a setting: remove it, or add it to config.py")


def _wrong_default(file: PurePosixPath, number: int, name: str, documented: str, default: str) -> Iterator[Complaint]:
    if default and documented != f"`{default}`":
        yield Complaint(str(file), number, f"METASTORE_{name} is `{default}` by default, not {documented}: correct it")
    if not default and documented.startswith("`"):
        yield Complaint(str(file), number, f"METASTORE_{name} has no default, but {documented} is given: use words")


def _defaults(tree: Tree) -> dict[str, str]:
    """Return each setting's default as it would be written in the environment; empty if computed at start."""
    sys.path.insert(0, str(tree.root / "src"))
    from metastore.config import Settings

    defaults = {}
    for name, field in Settings.model_fields.items():
        plain = isinstance(field.default, str | int | float) or hasattr(field.default, "parts")
        defaults[name.upper()] = str(field.default) if plain else ""
    return defaults
