"""Text normalization for search: case, accents and character widths are ignored.

``Báo Cáo``, ``BÁO CÁO`` and ``bao cao`` are equal, and so are ``Đ`` and ``d``. Each character is normalized on its own,
so that matches in normalized text can be highlighted in the original.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from itertools import groupby
from operator import itemgetter

_ACCENTS = re.compile("[\u0300-\u036f]")
_NOT_DECOMPOSED = str.maketrans({"đ": "d", "ł": "l", "ø": "o", "ħ": "h", "ŧ": "t"})
MAX_TEXT_LENGTH = 1000
"""Longer normalized text is truncated; a name can only exceed it if its ligatures expand to many characters."""


@lru_cache(maxsize=4096)
def _normalize_character(character: str) -> str:
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", character)).casefold()
    return _ACCENTS.sub("", unicodedata.normalize("NFKD", plain)).translate(_NOT_DECOMPOSED)


def normalize_text(text: str) -> str:
    """Return ``text`` in the form in which it is compared."""
    if text.isascii():
        return text.lower()[:MAX_TEXT_LENGTH]
    return "".join(map(_normalize_character, unicodedata.normalize("NFC", text)))[:MAX_TEXT_LENGTH]


def query_terms(query: str) -> list[str]:
    """Split a query into normalized words, without duplicates and words contained in others."""
    words = sorted({normalize_text(word) for word in query.split()} - {""}, key=lambda word: (-len(word), word))
    kept: list[str] = []
    for word in words:
        if not any(word in longer for longer in kept):
            kept.append(word)
    return kept


def highlight(name: str, terms: Sequence[str]) -> str:
    """Return ``name`` as HTML with the matches of the terms marked: ``<mark>Báo</mark> c&amp;o``."""
    name = unicodedata.normalize("NFC", name)
    # The position in the name of each character of the normalized text.
    origins: Sequence[int] = (
        range(len(name))
        if name.isascii()
        else [index for index, character in enumerate(name) for _ in _normalize_character(character)]
    )
    normalized = normalize_text(name)
    marked: set[int] = set()
    for term in terms:
        start = normalized.find(term)
        while start >= 0:
            marked.update(range(origins[start], origins[start + len(term) - 1] + 1))
            start = normalized.find(term, start + len(term))
    if not marked:
        return escape(name)
    inside = False
    matches = []
    for index, character in enumerate(name):
        # A combining mark that normalizes to nothing belongs to the preceding character.
        inside = index in marked or (inside and not _normalize_character(character))
        matches.append(inside)
    pieces = []
    for is_match, run in groupby(zip(matches, name, strict=True), key=itemgetter(0)):
        text = escape("".join(character for _, character in run))
        pieces.append(f"<mark>{text}</mark>" if is_match else text)
    return "".join(pieces)
