"""Text made equal for finding: upper and lower case, accents and widths aside.

``Báo Cáo``, ``BÁO CÁO`` and ``bao cao`` are one; so are ``Đ`` and ``d``. Folding goes character by character, so that
what was found in folded text can be shown in the original.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from html import escape

_ACCENTS = re.compile("[\u0300-\u036f]")
_NOT_DECOMPOSED = str.maketrans({"đ": "d", "ł": "l", "ø": "o", "ħ": "h", "ŧ": "t"})
MAX_FOLDED = 1000
"""Characters of folded text that are kept; only ligatures that unfold to many could ever exceed it."""


@lru_cache(maxsize=4096)
def _folded(character: str) -> str:
    plain = _ACCENTS.sub("", unicodedata.normalize("NFKD", character)).casefold()
    return _ACCENTS.sub("", unicodedata.normalize("NFKD", plain)).translate(_NOT_DECOMPOSED)


def fold(text: str) -> str:
    """``text`` as it is compared."""
    return "".join(map(_folded, unicodedata.normalize("NFC", text)))[:MAX_FOLDED]


def terms_of(query: str) -> list[str]:
    """The words that a name must have in it, folded, each once; nothing is asked for twice within another."""
    words = sorted({fold(word) for word in query.split()} - {""}, key=lambda word: (-len(word), word))
    kept: list[str] = []
    for word in words:
        if not any(word in longer for longer in kept):
            kept.append(word)
    return kept


def highlighted(name: str, terms: Sequence[str]) -> str:
    """``name`` as HTML in which what the terms found is marked: ``<mark>Báo</mark> c&amp;o``."""
    name = unicodedata.normalize("NFC", name)
    origins = [index for index, character in enumerate(name) for _ in _folded(character)]
    folded = fold(name)
    marked: set[int] = set()
    for term in terms:
        start = folded.find(term)
        while start >= 0:
            marked.update(range(origins[start], origins[start + len(term) - 1] + 1))
            start = folded.find(term, start + len(term))
    pieces = []
    inside = False
    for index, character in enumerate(name):
        # A combining mark that folds to nothing belongs to what stands before it.
        now = index in marked or (inside and not _folded(character))
        if now != inside:
            pieces.append("<mark>" if now else "</mark>")
            inside = now
        pieces.append(escape(character))
    return "".join(pieces) + ("</mark>" if inside else "")
