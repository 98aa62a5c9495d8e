"""Names in archives can be extracted everywhere, and are unique without regard to case."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metastore.features.archives.layout.safe_names import FolderNames, safe_name

NAMES = st.text(st.characters(exclude_characters="/\\\0", exclude_categories=["Cs"]), min_size=1, max_size=60)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("Báo cáo.pdf", "Báo cáo.pdf"),
        ('a<b>c:d"e|f?g*h', "a_b_c_d_e_f_g_h"),
        ("tab\there\x7f", "tab_here_"),
        ("ends with a dot.", "ends with a dot_"),
        ("two dots..", "two dots._"),
        ("ends with a space ", "ends with a space_"),
        ("CON", "CON_"),
        ("con.txt", "con_.txt"),
        ("Aux .tar.gz", "Aux_ .tar.gz"),
        ("com1", "com1_"),
        ("LPT³.log", "LPT³_.log"),
        ("console", "console"),
        ("com10.txt", "com10.txt"),
        (".con", ".con"),
    ],
)
def test_names_that_windows_cannot_have_are_changed(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_a_device_name_of_the_greatest_length_stays_within_it() -> None:
    assert len(safe_name("nul." + "ü" * 125 + "x").encode()) <= 255


def test_names_that_become_equal_are_numbered_before_their_suffix() -> None:
    names = FolderNames()
    given_names = ["a?.txt", "a*.txt", "A_.TXT", "a_ (1).txt", "b"]
    assert [names.add(name) for name in given_names] == [
        "a_.txt",
        "a_ (1).txt",
        "A_ (2).TXT",
        "a_ (1) (1).txt",
        "b",
    ]


def test_folders_are_numbered_at_the_end() -> None:
    names = FolderNames()
    assert [names.add(name, folder=True) for name in ("v1.2", "V1.2")] == ["v1.2", "V1.2 (1)"]


def test_many_names_that_become_equal_are_numbered_in_linear_time() -> None:
    names = FolderNames()
    variants = ["".join(">" if number >> bit & 1 else "<" for bit in range(15)) for number in range(2**15)]
    assert len({names.add(variant) for variant in variants}) == 2**15


@given(st.lists(NAMES, max_size=20))
def test_names_are_always_safe_and_unique(given_names: list[str]) -> None:
    names = FolderNames()
    safe = [names.add(name) for name in given_names]
    assert len({name.casefold() for name in safe}) == len(safe)
    for name in safe:
        assert name == safe_name(name)
        assert name
        assert name[-1] not in ". "
