"""Text normalization, highlighting and categories."""

import unicodedata
from typing import Literal

import pytest

from metastore.features.search.categories import category_of
from metastore.features.search.text_normalization import highlight, normalize_text, query_terms


@pytest.mark.parametrize("typed", ["Báo Cáo Đặc Biệt", "BÁO CÁO ĐẶC BIỆT", "bao cao dac biet", "Ｂáo Cáo Đặc Biệt"])
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_case_accents_and_widths_make_no_difference(typed: str, form: Literal["NFC", "NFD"]) -> None:
    assert normalize_text(unicodedata.normalize(form, typed)) == "bao cao dac biet"


def test_terms_are_unique_and_not_contained_in_each_other() -> None:
    assert query_terms("  Báo báo báocáo  x ") == ["baocao", "x"]
    assert query_terms(" \t ") == []


@pytest.mark.parametrize(
    ("name", "query", "shown"),
    [
        ("Báo cáo.pdf", "cao", "Báo <mark>cáo</mark>.pdf"),
        ("Báo cáo.pdf", "CÁO báo", "<mark>Báo</mark> <mark>cáo</mark>.pdf"),
        ("a<b>&c", "b>", "a&lt;<mark>b&gt;</mark>&amp;c"),
        ("ﬁn.txt", "fin", "<mark>ﬁn</mark>.txt"),
        ("ﬁn.txt", "i", "<mark>ﬁ</mark>n.txt"),
        ("aaaa", "aa", "<mark>aaaa</mark>"),
        ("none.txt", "", "none.txt"),
        ("q̣́x", "q", "<mark>q̣́</mark>x"),
    ],
)
def test_matches_are_highlighted_in_the_original_name(name: str, query: str, shown: str) -> None:
    assert highlight(name, query_terms(query)) == shown


@pytest.mark.parametrize(
    ("name", "mime_type", "category"),
    [
        ("a.MP4", "application/octet-stream", "video"),
        ("photo", "image/heic", "image"),
        ("letter", "application/pdf", "pdf"),
        ("sheet.xlsx", "", "table"),
        ("README", "application/x-thing", "other"),
        ("README", "text/plain", "text"),
    ],
)
def test_a_file_has_one_category(name: str, mime_type: str, category: str) -> None:
    assert category_of(name, mime_type) == category
