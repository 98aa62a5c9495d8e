r"""What a name may be, where a path leads, and how a twin is called.

A name is any Unicode text in NFC of 1 to 255 bytes of UTF-8, except what a path, a terminal or a reader could be
deceived by: ``/`` and ``\``, control characters, line and paragraph separators, the marks that turn the direction of
what follows (a bidi override makes ``exe.gpj`` out of ``jpg.exe``), lone surrogates, and the names ``.`` and ``..``.
Other invisible characters stay, since emoji and several scripts are written with them, but a name must have something
to see besides. Spaces of any width at either end are taken off: nobody sees them or types them on purpose. Everything
else is refused rather than changed.

Two names are the same when their normal forms are; upper and lower case differ, as on the systems most files come from.
"""

import re
import unicodedata
from collections.abc import Set as AbstractSet

from metastore.kit.problem import Problem, invalid
from metastore.kit.problem_codes import ProblemCode

MAX_NAME_BYTES = 255
MAX_DEPTH = 64
"""How deep folders nest."""
MAX_PATH_CHARACTERS = 16384
"""Beyond what 64 names need; longer paths are not even looked at."""

_TURNING_MARKS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_REFUSED_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
_REFUSED_CHARACTERS = frozenset("/\\") | _TURNING_MARKS
_SPACES = "\u0020\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_INVISIBLE_CATEGORIES = frozenset({"Cf", "Zs"})

_SUFFIX = re.compile(r"\.(?=\w*[^\W\d])\w{1,10}$")
_DOUBLE_SUFFIX = re.compile(r"\.(?=\w*[^\W\d])\w{1,5}\.(?:gz|bz2|xz|zst|lz4|lzma|br|z)$", re.IGNORECASE)
_TWIN_ROOM = len(" (9999999)")

_DIGITS = re.compile(r"\d+", re.ASCII)
_ACCENTS = re.compile("[\u0300-\u036f]")
_NOT_DECOMPOSED = str.maketrans({"đ": "d", "ł": "l", "ø": "o", "ħ": "h", "ŧ": "t"})
_KEY_CHARACTERS = 255
_MAX_DIGITS = 99


def checked_name(name: str) -> str:
    """``name`` as it is stored.

    Raises:
        Problem: 422 ``invalid-name`` that says why.
    """
    reason, settled = _settle(name)
    if reason:
        raise invalid("name", reason, ProblemCode.INVALID_NAME)
    return settled


def path_segments(path: str) -> list[str]:
    """The folder names that lead from the root to ``path``: ``/a/b`` is ``["a", "b"]``, ``/`` and the empty path none.

    Slashes at the end and doubled ones are passed over, and so is a missing one at the start.

    Raises:
        Problem: 422 ``invalid-path`` when a segment is no name (``..`` above all), ``path-too-deep`` beyond 64 folders.
    """
    if len(path) > MAX_PATH_CHARACTERS:
        raise too_deep()
    segments = []
    for part in path.split("/"):
        if not part:
            continue
        reason, settled = _settle(part)
        if reason:
            raise invalid("path", f"The path is invalid: {reason[0].lower()}{reason[1:]}", ProblemCode.INVALID_PATH)
        segments.append(settled)
    if len(segments) > MAX_DEPTH:
        raise too_deep()
    return segments


def too_deep() -> Problem:
    """422 ``path-too-deep``."""
    return invalid("path", f"Folders can be nested at most {MAX_DEPTH} deep.", ProblemCode.PATH_TOO_DEEP)


def split_suffix(name: str) -> tuple[str, str]:
    """Stem and suffix, the way people see them: ``a.tar.gz`` is ``a`` and ``.tar.gz``; ``.profile`` has no suffix.

    A suffix has a letter and no space, so that ``Report 1.2`` and ``Dr. Who`` stay whole.
    """
    for pattern in (_DOUBLE_SUFFIX, _SUFFIX):
        found = pattern.search(name)
        if found and found.start() > 0:
            return name[: found.start()], found.group()
    return name, ""


def twin_parts(name: str, *, folder: bool = False) -> tuple[str, str]:
    """What stands before and after ``(1)`` in the names of twins; folders have no suffix to keep.

    The first part ends with a space. It is cut so that a number of seven digits still fits into 255 bytes.
    """
    stem, suffix = (name, "") if folder else split_suffix(name)
    room = MAX_NAME_BYTES - len(suffix.encode()) - _TWIN_ROOM
    return _cut(stem, room).rstrip() + " ", suffix


def twin_name(name: str, taken: AbstractSet[str], *, folder: bool = False) -> str:
    """``name`` if it is free, else the first free one of ``name (1).ext``, ``name (2).ext`` and so on.

    ``taken`` must hold all names of the folder that begin like ``twin_parts`` says, and ``name`` itself if it is taken.
    """
    if name not in taken:
        return name
    before, after = twin_parts(name, folder=folder)
    number = 1
    while (twin := f"{before}({number}){after}") in taken:
        number += 1
    return twin


def name_key(name: str) -> str:
    """What lists are ordered by, compared by code point: case and accents aside, numbers by their value.

    Names with the same key come in the order in which they were made.
    """
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", name).casefold()).translate(_NOT_DECOMPOSED)
    return _DIGITS.sub(_by_value, plain)[:_KEY_CHARACTERS]


def _by_value(found: re.Match[str]) -> str:
    # The count of digits goes first, two digits wide, so that 9 comes before 10.
    digits = found.group().lstrip("0") or "0"
    return f"{min(len(digits), _MAX_DIGITS):02d}{digits}"


def _settle(name: str) -> tuple[str, str]:
    """A reason to refuse ``name`` (or nothing), and the name in its stored form."""
    settled = unicodedata.normalize("NFC", name).strip(_SPACES)
    if settled in (".", ".."):
        return f"'{settled}' cannot be used as a name.", settled
    visible = False
    for character in settled:
        category = unicodedata.category(character)
        if character in _REFUSED_CHARACTERS or category in _REFUSED_CATEGORIES:
            return f"A name cannot contain the character U+{ord(character):04X}.", settled
        visible = visible or category not in _INVISIBLE_CATEGORIES
    if not visible:
        return "A name cannot be empty.", settled
    if len(settled.encode()) > MAX_NAME_BYTES:
        return f"A name can have at most {MAX_NAME_BYTES} bytes in UTF-8.", settled
    return "", settled


def _cut(text: str, room: int) -> str:
    """The longest beginning of ``text`` that has at most ``room`` bytes of UTF-8."""
    return text.encode()[: max(0, room)].decode(errors="ignore")
