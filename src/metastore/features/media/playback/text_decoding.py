"""Decode text files of unknown encoding."""

import codecs
import re
from itertools import chain

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE_SIZE = 2**15
"""Bytes that are enough to guess an encoding."""
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f\ufffd]")
"""Characters that text files do not contain, unlike tabs, line and page breaks, and the escape of terminal colours."""
_MAX_CONTROLS = 0.005
_FEW_ZEROS, _MANY_ZEROS = 0.05, 0.4


def decode_text(data: bytes, *, truncated: bool = False) -> str | None:
    """Decode ``data``; return ``None`` if it is not text. ``truncated`` data may end within a character."""
    encoding, body = _by_byte_order_mark(data)
    if encoding is None:
        encoding = _guess_utf16(data) if b"\0" in data else "utf-8"
    text = _decode_strictly(body, encoding, truncated=truncated) if encoding else None
    if text is None and b"\0" not in data:
        text = _decode_by_guess(data)
    if text is None or len(_CONTROLS.findall(text)) > len(text) * _MAX_CONTROLS:
        return None
    return text


def _by_byte_order_mark(data: bytes) -> tuple[str | None, bytes]:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return encoding, data[len(mark) :]
    return None, data


def _guess_utf16(data: bytes) -> str | None:
    """Recognize UTF-16 without a byte order mark: in Latin text every other byte is zero."""
    half = max(1, len(data) // 2)
    even, odd = data[0::2].count(0) / half, data[1::2].count(0) / half
    if min(even, odd) > _FEW_ZEROS or max(even, odd) < _MANY_ZEROS:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def _decode_strictly(data: bytes, encoding: str, *, truncated: bool) -> str | None:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        return decoder.decode(data, final=not truncated)
    except UnicodeDecodeError:
        return None


def _decode_by_guess(data: bytes) -> str | None:
    from charset_normalizer import from_bytes  # noqa: PLC0415  most products never guess

    best = from_bytes(_sample(data)).best()
    return data.decode(best.encoding, errors="replace") if best else None


def _sample(data: bytes) -> bytes:
    """Return the part that the encoding is guessed from: of long texts only lines that are not plain ASCII."""
    if len(data) <= _SAMPLE_SIZE:
        return data
    lines = (line for line in data.splitlines(keepends=True) if not line.isascii())
    return bytes(chain.from_iterable(lines))[:_SAMPLE_SIZE]
