"""Text detection and programming languages."""

import pytest

from metastore.features.files.content.text import is_text, text_language


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tool.py", "python"),
        ("app.TSX", "typescript"),
        ("notes.md", "markdown"),
        ("Dockerfile", "dockerfile"),
        ("README", "plaintext"),
        ("list.csv", "plaintext"),
        (".bashrc", "bash"),
        ("photo.jpg", None),
        ("noext", None),
    ],
)
def test_the_language_is_determined_by_the_name(name: str, expected: str | None) -> None:
    assert text_language(name) == expected


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"plain",
        "Xin chào, thế giới\n".encode(),
        "Xin chào".encode()[:-1],
        "cut in the middle: ế".encode()[:-1],
        "auf Wiederhören".encode("latin-1"),
        "смотри".encode("cp1251"),
        "with a mark".encode("utf-16"),
        "こんにちは".encode("shift_jis"),
        b"\x1b[31mred\x1b[0m and \x0c a new page",
    ],
)
def test_text_of_any_encoding_is_text(head: bytes) -> None:
    assert is_text(head)


@pytest.mark.parametrize(
    "head", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", bytes(range(256)), b"\x7fELF\x02\x01\x01\0", b"\x01\x02\x03\x04" * 9]
)
def test_binary_data_is_not_text(head: bytes) -> None:
    assert not is_text(head)
