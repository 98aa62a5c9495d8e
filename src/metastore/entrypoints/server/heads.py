"""Divide received bytes where the heads of requests may end, so that nothing is parsed behind a head by mistake."""

from collections.abc import Iterator
from urllib.parse import unquote

import httptools

_END = b"\r\n\r\n"


class HeadEnds:
    """Splits what a connection receives behind each empty line.

    A head always ends at the end of a piece. Pieces may also end in the middle of a body, where it does not matter.
    """

    def __init__(self) -> None:
        self._tail = b""

    def split(self, data: bytes) -> Iterator[bytes]:
        """Yield ``data`` in pieces. An empty line that began in earlier data counts as well."""
        start = 0
        if self._tail:
            before = len(self._tail)
            found = (self._tail + data[:3]).find(_END)
            if found >= 0:
                start = found + len(_END) - before
                yield data[:start]
        self._tail = (self._tail + data)[-3:] if len(data) < 3 else data[-3:]
        while start < len(data):
            found = data.find(_END, start)
            end = found + len(_END) if found >= 0 else len(data)
            yield data if not start and end == len(data) else data[start:end]
            start = end


def head_of(method: bytes, target: bytes, version: str, headers: list[tuple[bytes, bytes]]) -> bytes:
    """Return the head of a request that has been parsed."""
    lines = b"".join(b"%s: %s\r\n" % header for header in headers)
    return b"%s %s HTTP/%s\r\n%s\r\n" % (method, target, version.encode(), lines)


def path_of(target: bytes) -> str:
    """Return the decoded path of a request's target, as the ASGI scope has it.

    Raises:
        httptools.HttpParserInvalidURLError: it has none.
    """
    path = (httptools.parse_url(target).path or b"").decode("ascii")
    return unquote(path) if "%" in path else path
