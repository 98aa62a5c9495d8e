"""Keys: what the database's index of the search documents contains.

The keys of a document stand for its owner with each substring of its text of one, two or three characters, and with
each of its labels (kind, category, media type). A document can only match a search if it has all keys of the search, so
the index narrows down the candidates, whose text is then compared. Short terms need no other way, and the documents of
other owners are never read.

A key is a hash of 28 bits. A rare collision costs a comparison and changes no result. The hash is stored: to change it
takes a migration that computes all keys again.
"""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

_LONGEST = 3
"""Characters of the longest substrings that have keys."""
_MAX_KEYS = 24
"""The most keys of a search's terms; more would take longer and hardly narrow it down."""


def document_keys(owner_id: str, text: str, labels: Iterable[str]) -> str:
    """Return the keys of a document, separated by spaces."""
    substrings = {
        text[start : start + size] for size in range(1, _LONGEST + 1) for start in range(len(text) - size + 1)
    }
    return " ".join({key_of(owner_id, part) for part in (*substrings, *labels)})


def term_keys(owner_id: str, terms: Sequence[str]) -> list[str]:
    """Return keys that a document needs for its text to contain all ``terms``."""
    substrings = list(dict.fromkeys(substring for term in terms for substring in _substrings(term)))
    step = max(1, -(-len(substrings) // _MAX_KEYS))
    return [key_of(owner_id, substring) for substring in substrings[::step]]


@lru_cache(maxsize=8192)
def key_of(owner_id: str, part: str) -> str:
    """Return the key of a substring or of a label."""
    return f"{zlib.crc32((owner_id + part).encode()) & 0xFFFFFFF:07x}"


def kind_label(kind: str) -> str:
    """Return the label of ``file`` or ``folder``."""
    return f"kind {kind}"


def category_label(category: str) -> str:
    """Return the label of a category."""
    return f"category {category}"


def mime_type_label(mime_type: str) -> str:
    """Return the label of a media type, or of a main type with its slash, such as ``image/``."""
    return f"type {mime_type}"


def labels_of(kind: str, category: str, mime_type: str) -> list[str]:
    """Return the labels of a document; those of a file's media type include its main type."""
    labels = [kind_label(kind)]
    if category:
        labels.append(category_label(category))
    if mime_type:
        main_type, slash, _ = mime_type.partition("/")
        labels += [mime_type_label(mime_type), mime_type_label(main_type + slash)]
    return labels


def _substrings(term: str) -> Iterator[str]:
    """Yield the longest substrings of the term that have keys."""
    for start in range(max(1, len(term) - _LONGEST + 1)):
        yield term[start : start + _LONGEST]
