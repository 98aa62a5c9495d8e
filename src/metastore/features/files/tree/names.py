r"""Names and paths of nodes: validation, normalization, sort keys and numbered duplicates.

A name is any Unicode text in NFC of 1 to 255 bytes of UTF-8, except what could mislead a path, a terminal or a reader:
``/`` and ``\``, control characters, line and paragraph separators, bidirectional controls (an override displays
``jpg.exe`` as ``exe.gpj``), lone surrogates, and the names ``.`` and ``..``. Other invisible characters are allowed,
since emoji and several scripts need them, but a name must contain at least one visible character. Leading and trailing
spaces of any width are stripped. Everything else is rejected rather than changed.

Names are equal if their NFC forms are. They are case-sensitive.
"""

import re
import unicodedata
from collections.abc import Set as AbstractSet

from metastore.kit.problems.problem import Problem, invalid
from metastore.kit.problems.problem_codes import ProblemCode

MAX_NAME_BYTES = 255
MAX_DEPTH = 64
"""How deep folders may nest."""
MAX_PATH_CHARACTERS = 16384
"""More than 64 names need; longer paths are rejected without being parsed."""

_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_FORBIDDEN_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})
_FORBIDDEN_CHARACTERS = frozenset("/\\") | _BIDI_CONTROLS
_SPACES = "\u0020\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_INVISIBLE_CATEGORIES = frozenset({"Cf", "Zs"})

_SUFFIX = re.compile(r"\.(?=\w*[^\W\d])\w{1,10}$")
_DOUBLE_SUFFIX = re.compile(r"\.(?=\w*[^\W\d])\w{1,5}\.(?:gz|bz2|xz|zst|lz4|lzma|br|z)$", re.IGNORECASE)
_NUMBER_BYTES = len(" (9999999)")

_DIGITS = re.compile(r"\d+", re.ASCII)
_ACCENTS = re.compile("[\u0300-\u036f]")
_NOT_DECOMPOSED = str.maketrans({"đ": "d", "ł": "l", "ø": "o", "ħ": "h", "ŧ": "t"})
_MAX_KEY_CHARACTERS = 255
_MAX_DIGITS = 99


def normalize_name(name: str) -> str:
    """Validate ``name`` and return it in its stored form.

    Raises:
        Problem: 422 ``invalid-name`` with the reason.
    """
    reason, normalized = _validate(name)
    if reason:
        raise invalid("name", reason, ProblemCode.INVALID_NAME)
    return normalized


def split_path(path: str) -> list[str]:
    """Split a path into names: ``/a/b`` becomes ``["a", "b"]``, ``/`` and the empty path become ``[]``.

    The leading slash is optional; trailing and repeated slashes are ignored.

    Raises:
        Problem: 422 ``invalid-path`` if a segment is not a valid name, such as ``..``; ``path-too-deep`` beyond 64
            folders.
    """
    if len(path) > MAX_PATH_CHARACTERS:
        raise too_deep()
    names = []
    for segment in path.split("/"):
        if not segment:
            continue
        reason, name = _validate(segment)
        if reason:
            raise invalid("path", f"The path is invalid: {reason[0].lower()}{reason[1:]}", ProblemCode.INVALID_PATH)
        names.append(name)
    if len(names) > MAX_DEPTH:
        raise too_deep()
    return names


def too_deep() -> Problem:
    """Return 422 ``path-too-deep``."""
    return invalid("path", f"Folders can be nested at most {MAX_DEPTH} deep.", ProblemCode.PATH_TOO_DEEP)


def split_suffix(name: str) -> tuple[str, str]:
    """Split a name into stem and suffix: ``a.tar.gz`` into ``a`` and ``.tar.gz``; ``.profile`` has no suffix.

    A suffix contains a letter and no space, so ``Report 1.2`` and ``Dr. Who`` have none.
    """
    for pattern in (_DOUBLE_SUFFIX, _SUFFIX):
        found = pattern.search(name)
        if found and found.start() > 0:
            return name[: found.start()], found.group()
    return name, ""


def numbered_name_parts(name: str, *, folder: bool = False) -> tuple[str, str]:
    """Return what precedes and follows ``(1)`` in numbered names; a folder's name has no suffix.

    The first part ends with a space. It is truncated so that a number of seven digits still fits into 255 bytes.
    """
    stem, suffix = (name, "") if folder else split_suffix(name)
    room = MAX_NAME_BYTES - len(suffix.encode()) - _NUMBER_BYTES
    return _truncate(stem, room).rstrip() + " ", suffix


def numbered_name(name: str, taken: AbstractSet[str], *, folder: bool = False) -> str:
    """Return ``name`` if it is free, else the first free one of ``name (1).ext``, ``name (2).ext`` and so on.

    ``taken`` must hold ``name`` if it is taken, and all names in the folder that start with the first of
    ``numbered_name_parts``.
    """
    if name not in taken:
        return name
    prefix, suffix = numbered_name_parts(name, folder=folder)
    number = 1
    while (numbered := f"{prefix}({number}){suffix}") in taken:
        number += 1
    return numbered


def name_key(name: str) -> str:
    """Return the key that lists are sorted by, in code point order.

    It ignores case and accents and orders numbers by value. Names with equal keys are ordered by age.
    """
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", name).casefold()).translate(_NOT_DECOMPOSED)
    return _DIGITS.sub(_by_value, plain)[:_MAX_KEY_CHARACTERS]


def _by_value(found: re.Match[str]) -> str:
    # Prefixed with the number of digits, two digits wide, so that 9 sorts before 10.
    digits = found.group().lstrip("0") or "0"
    return f"{min(len(digits), _MAX_DIGITS):02d}{digits}"


def _validate(name: str) -> tuple[str, str]:
    """Return why ``name`` is invalid (empty if it is valid), and its stored form."""
    normalized = unicodedata.normalize("NFC", name).strip(_SPACES)
    if normalized in (".", ".."):
        return f"'{normalized}' cannot be used as a name.", normalized
    visible = False
    for character in normalized:
        category = unicodedata.category(character)
        if character in _FORBIDDEN_CHARACTERS or category in _FORBIDDEN_CATEGORIES:
            return f"A name cannot contain the character U+{ord(character):04X}.", normalized
        visible = visible or category not in _INVISIBLE_CATEGORIES
    if not visible:
        return "A name cannot be empty.", normalized
    if len(normalized.encode()) > MAX_NAME_BYTES:
        return f"A name can have at most {MAX_NAME_BYTES} bytes in UTF-8.", normalized
    return "", normalized


def _truncate(text: str, room: int) -> str:
    """Return the longest prefix of ``text`` of at most ``room`` bytes of UTF-8."""
    return text.encode()[: max(0, room)].decode(errors="ignore")
