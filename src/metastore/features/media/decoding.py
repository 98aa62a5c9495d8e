"""Bytes that are meant to be text, of whatever age and place, as text."""

import codecs
import re
from itertools import chain

from charset_normalizer import from_bytes

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_JUDGED = 2**15
"""Bytes that an unknown encoding is judged by."""
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f\ufffd]")
"""What texts do not have; tabs, line and page ends and the escape of terminal colours they do."""
_TOLERATED = 0.005
_FEW, _MANY = 0.05, 0.4


def decoded(data: bytes, *, cut: bool = False) -> str | None:
    """``data`` as text, or ``None`` when it is none; ``cut`` when it may end within a character."""
    encoding, body = _marked(data)
    if encoding is None:
        encoding = _wide(data) if b"\0" in data else "utf-8"
    text = _strictly(body, encoding, cut=cut) if encoding else None
    if text is None and b"\0" not in data:
        text = _guessed(data)
    if text is None or len(_CONTROLS.findall(text)) > len(text) * _TOLERATED:
        return None
    return text


def _marked(data: bytes) -> tuple[str | None, bytes]:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding, data[len(mark) :]
    return None, data


def _wide(data: bytes) -> str | None:
    """Two bytes a character, without a mark: every other byte of plain letters is zero."""
    half = max(1, len(data) // 2)
    low, high = data[0::2].count(0) / half, data[1::2].count(0) / half
    if min(low, high) > _FEW or max(low, high) < _MANY:
        return None
    return "utf-16-le" if high > low else "utf-16-be"


def _strictly(data: bytes, encoding: str, *, cut: bool) -> str | None:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        return decoder.decode(data, final=not cut)
    except UnicodeDecodeError:
        return None


def _guessed(data: bytes) -> str | None:
    best = from_bytes(_telling(data)).best()
    return data.decode(best.encoding, errors="replace") if best else None


def _telling(data: bytes) -> bytes:
    """Of much text the lines that are not plain ASCII: they alone tell one encoding from another."""
    if len(data) <= _JUDGED:
        return data
    lines = (line for line in data.splitlines(keepends=True) if not line.isascii())
    return bytes(chain.from_iterable(lines))[:_JUDGED]
