"""Text normalization for search: case, accents and character widths are ignored.

``Báo Cáo``, ``BÁO CÁO`` and ``bao cao`` are equal, and so are ``Đ`` and ``d``. Each character is normalized on its own,
so that matches in normalized text can be highlighted in the original.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from html import escape

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
    pieces: list[str] = []
    written = 0
    for start, end in _merged(name, _matches(normalize_text(name), origins, terms)):
        pieces += (escape(name[written:start]), "<mark>", escape(name[start:end]), "</mark>")
        written = end
    return "".join((*pieces, escape(name[written:])))


def _matches(normalized: str, origins: Sequence[int], terms: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield start and end in the name of each match of a term in the normalized text."""
    for term in terms:
        start = normalized.find(term)
        while start >= 0:
            end = start + len(term)
            yield origins[start], origins[end - 1] + 1
            start = normalized.find(term, end)


def _merged(name: str, matches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the matches in order, those that overlap or touch as one."""
    merged: list[tuple[int, int]] = []
    for start, match_end in sorted(matches):
        end = match_end
        # A combining mark that normalizes to nothing belongs to the preceding character.
        while end < len(name) and not _normalize_character(name[end]):
            end += 1
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged
