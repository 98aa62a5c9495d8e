"""Names and paths: validation, normalization, numbered duplicates and sort keys."""

import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metastore.features.files.tree.names import (
    MAX_NAME_BYTES,
    name_key,
    normalize_name,
    numbered_name,
    split_path,
    split_suffix,
)
from metastore.kit.problems.problem import Problem

any_text = st.text(st.characters(), max_size=300)
# A slow machine must not fail these tests.
without_deadline = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize(
    "name",
    [
        "a",
        "Báo cáo quý 4.docx",
        "日本語.txt",
        "👩‍👩‍👧‍👦.png",
        "שלום.txt",
        "می‌خواهم",
        ".profile",
        "...",
        "a..b",
        "COM1",
        'a:b*c?"<>|',
        "%2e%2e%2f",
        "x" * 255,
        "ă" * 127,
        "\ufffd",
    ],
)
def test_a_harmless_name_is_unchanged(name: str) -> None:
    assert normalize_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "\u3000",
        "\u200b",
        ".",
        "..",
        " .. ",
        "a/b",
        "/",
        "a\\b",
        "a\0b",
        "a\nb",
        "a\rb",
        "a\tb",
        "\x7f",
        "\x85",
        "gpj.\u202eexe",
        "\u2066a\u2069",
        "a\u2028b",
        "a\u2029b",
        "\ud800",
        "x" * 256,
        "ă" * 128,
        "👩" * 64,
    ],
)
def test_misleading_names_are_rejected(name: str) -> None:
    with pytest.raises(Problem, match="422 invalid-name") as caught:
        normalize_name(name)
    assert caught.value.members["errors"][0]["field"] == "name"  # type: ignore[index, call-overload]  # JSON


def test_a_name_is_normalized() -> None:
    assert normalize_name("a\u0309nh") == "\u1ea3nh"
    assert normalize_name("  a b\u00a0") == "a b"


def test_the_limit_of_255_bytes_applies_to_the_normalized_form() -> None:
    decomposed = unicodedata.normalize("NFD", "ế" * 80)
    assert len(decomposed.encode()) > MAX_NAME_BYTES
    assert normalize_name(decomposed) == "ế" * 80


@without_deadline
@given(any_text)
def test_a_valid_name_is_stable_and_storable(text: str) -> None:
    try:
        name = normalize_name(text)
    except Problem:
        return
    assert normalize_name(name) == name
    assert unicodedata.is_normalized("NFC", name)
    assert 0 < len(name.encode()) <= MAX_NAME_BYTES
    assert not set(name) & set("/\\\0\r\n")


@pytest.mark.parametrize(
    ("path", "segments"),
    [
        ("", []),
        ("/", []),
        ("//", []),
        ("/a/b", ["a", "b"]),
        ("a/b/", ["a", "b"]),
        ("/a//b", ["a", "b"]),
        ("/a\u0309", ["\u1ea3"]),
        ("/".join("a" * 64), ["a"] * 64),
    ],
)
def test_a_path_is_split_into_names(path: str, segments: list[str]) -> None:
    assert split_path(path) == segments


@pytest.mark.parametrize(
    "path", ["..", "/..", "/a/../b", "/./a", "/a\0", "/a\\..\\b", "/\u202e", f"/{'x' * 300}", "/ /a"]
)
def test_a_path_with_an_invalid_name_is_rejected(path: str) -> None:
    with pytest.raises(Problem, match="422 invalid-path"):
        split_path(path)


@pytest.mark.parametrize("path", ["/".join("a" * 65), "a/" * 100_000, "x" * 1_000_000])
def test_a_path_that_is_too_long_is_rejected(path: str) -> None:
    with pytest.raises(Problem, match="422 path-too-deep"):
        split_path(path)


@pytest.mark.parametrize(
    ("name", "stem", "suffix"),
    [
        ("a.txt", "a", ".txt"),
        ("a.tar.gz", "a", ".tar.gz"),
        ("dump.sql.zst", "dump", ".sql.zst"),
        ("a.b.txt", "a.b", ".txt"),
        (".profile", ".profile", ""),
        (".profile.bak", ".profile", ".bak"),
        (".tar.gz", ".tar", ".gz"),
        ("README", "README", ""),
        ("Report 1.2", "Report 1.2", ""),
        ("Dr. Who", "Dr. Who", ""),
        ("film.mp4", "film", ".mp4"),
        ("ends.", "ends.", ""),
        ("báo.cáo", "báo", ".cáo"),
    ],
)
def test_suffixes_are_recognised(name: str, stem: str, suffix: str) -> None:
    assert split_suffix(name) == (stem, suffix)


def test_a_free_name_is_not_numbered() -> None:
    assert numbered_name("a.txt", {"b.txt"}) == "a.txt"


def test_a_duplicate_gets_the_first_free_number() -> None:
    assert numbered_name("a.tar.gz", {"a.tar.gz", "a (1).tar.gz", "a (3).tar.gz"}) == "a (2).tar.gz"


def test_a_duplicate_folder_is_numbered_at_the_end() -> None:
    assert numbered_name("v1.tar", {"v1.tar"}, folder=True) == "v1.tar (1)"


@without_deadline
@given(any_text, st.booleans())
def test_a_numbered_name_is_valid_and_different(text: str, folder: bool) -> None:
    try:
        name = normalize_name(text)
    except Problem:
        return
    numbered = numbered_name(name, {name}, folder=folder)
    assert numbered != name
    assert normalize_name(numbered) == numbered


def test_sort_keys_order_numbers_by_value_and_ignore_accents() -> None:
    names = ["b", "Z", "a10", "a9", "A1", "á2", "đ", "e", "ẽ1", "File 2", "file 10", "_"]
    assert sorted(names, key=name_key) == [
        "_",
        "A1",
        "á2",
        "a9",
        "a10",
        "b",
        "đ",
        "e",
        "ẽ1",
        "File 2",
        "file 10",
        "Z",
    ]


@without_deadline
@given(any_text)
def test_every_sort_key_fits_its_column(text: str) -> None:
    try:
        name = normalize_name(text)
    except Problem:
        return
    key = name_key(name)
    assert len(key) <= 255
    assert "\0" not in key
    key.encode()
