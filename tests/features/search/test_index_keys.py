"""The keys of documents and of searches."""

import random

import pytest

from metastore.features.search.index_keys import document_keys, key_of, labels_of, term_keys

_ANNA, _BEN = "0199c000-0000-7000-8000-00000000000a", "0199c000-0000-7000-8000-00000000000b"


@pytest.mark.parametrize("text", ["bao cao.pdf", "a", "漢字 ß.txt", "aaaaaaaa", "100% _/.tar"])
def test_a_document_has_all_keys_of_every_term_that_it_contains(text: str) -> None:
    keys = set(document_keys(_ANNA, text, []).split())
    for start in range(len(text)):
        for end in range(start + 1, len(text) + 1):
            assert keys.issuperset(term_keys(_ANNA, [text[start:end]]))


def test_a_term_that_is_not_contained_lacks_a_key() -> None:
    keys = set(document_keys(_ANNA, "bao cao.pdf", []).split())
    for term in ("x", "bx", "oa", "baocao", "cao.doc"):
        assert not keys.issuperset(term_keys(_ANNA, [term]))


def test_owners_have_no_keys_in_common() -> None:
    assert not set(document_keys(_ANNA, "bao cao", []).split()) & set(document_keys(_BEN, "bao cao", []).split())


def test_a_long_search_has_few_keys_that_all_of_its_parts_contribute_to() -> None:
    letters = random.Random(1).choices("abcdefghijklmnopqrstuvwxyz", k=200)
    text = "".join(letters)
    keys = term_keys(_ANNA, [text])
    assert 12 <= len(keys) <= 24
    assert set(keys) <= set(document_keys(_ANNA, text, []).split())


def test_labels_are_keys_too() -> None:
    keys = set(document_keys(_ANNA, "a", labels_of("file", "image", "image/png")).split())
    assert keys == {
        key_of(_ANNA, part) for part in ("a", "kind file", "category image", "type image/png", "type image/")
    }


def test_a_folder_has_the_label_of_its_kind_alone() -> None:
    assert labels_of("folder", "", "") == ["kind folder"]
