"""The form of a batch (``multipart/form-data``, RFC 7578), parsed as it arrives.

Up to 8 MiB are kept in memory, what exceeds them in a temporary file. A part ``file`` is one file; its filename is the
path below the folder that the field ``path`` names. Browsers send a quotation mark in a filename as ``%22``.
"""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from typing import BinaryIO

from blake3 import blake3
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from metastore.features.uploads.whole.service import WholeFile
from metastore.kit.problems.problem import Problem, invalid
from metastore.kit.problems.problem_codes import ProblemCode

MAX_FILES = 200
_IN_MEMORY = 8 * 2**20
_MAX_HEADER = 32 * 1024
_MAX_PATH = 64 * 1024


class BatchForm:
    """A parsed form: the files in the order in which they came. Close it when their contents are no longer needed.

    It has a fingerprint only if it is ``hashed``, which takes longer than parsing it.
    """

    def __init__(self, *, hashed: bool) -> None:
        self.folder = "/"
        self.parts: list[ReceivedPart] = []
        self._memory = bytearray()
        self._file: BinaryIO | None = None
        self._length = 0
        self._digest = blake3() if hashed else None

    @property
    def files(self) -> list[WholeFile]:
        """The files, below the folder that the form names."""
        return [part.below(self.folder) for part in self.parts]

    def fingerprint(self) -> bytes:
        """Return a digest of everything that the form says.

        Raises:
            ValueError: the form is not hashed.
        """
        if self._digest is None:
            raise ValueError("the form is not hashed")
        digest = self._digest.copy()
        for part in self.parts:
            digest.update(f"\n{part.filename!r} {part.content_type!r} {part.size}".encode())
        digest.update(f"\n{self.folder!r}".encode())
        return digest.digest()

    async def add(self, chunks: list[bytes]) -> None:
        """Append bytes of files."""
        for chunk in chunks:
            if self._digest is not None:
                self._digest.update(chunk)
            self._length += len(chunk)
        if self._file is None and self._length <= _IN_MEMORY:
            for chunk in chunks:
                self._memory += chunk
        else:
            await asyncio.to_thread(self._write, chunks)

    async def read(self, offset: int, length: int) -> bytes:
        """Return ``length`` of the bytes that were added."""
        if self._file is None:
            return bytes(memoryview(self._memory)[offset : offset + length])
        return await asyncio.to_thread(os.pread, self._file.fileno(), length, offset)

    def close(self) -> None:
        """Release memory and temporary file."""
        self._memory = bytearray()
        if self._file is not None:
            self._file.close()

    def _write(self, chunks: list[bytes]) -> None:
        if self._file is None:
            self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  closed by ``close``
            self._file.write(self._memory)
            self._memory = bytearray()
        for chunk in chunks:
            self._file.write(chunk)


class ReceivedPart:
    """A part ``file`` of a form; the ``Content`` of its file."""

    def __init__(self, form: BatchForm, headers: dict[str, bytes], filename: str, offset: int) -> None:
        self.filename = filename
        self.content_type = headers.get("content-type", b"").decode("latin-1") or "application/octet-stream"
        self.size = 0
        self._announced = headers.get("content-length")
        self._form = form
        self._offset = offset

    async def read(self, offset: int, length: int) -> bytes:
        """Return up to ``length`` bytes from ``offset``."""
        return await self._form.read(self._offset + offset, max(0, min(length, self.size - offset)))

    def below(self, folder: str) -> WholeFile:
        """Return the part as a file below ``folder``."""
        path, _, name = self.filename.rpartition("/")
        problem = None
        if self._announced is not None and self._announced.strip() != str(self.size).encode():
            problem = Problem(422, ProblemCode.LENGTH_MISMATCH, "The part has another length than it says.")
        return WholeFile(f"{folder}/{path}", name, self.content_type, self, problem=problem)


class _Parser:
    """Collects what the parser of the form finds in each chunk of the body."""

    def __init__(self, form: BatchForm, boundary: bytes) -> None:
        self._form = form
        self._headers: dict[str, bytes] = {}
        self._field, self._value = b"", b""
        self._name = ""
        self._part: ReceivedPart | None = None
        self._folder = bytearray()
        self._offset = 0
        self._found: list[bytes] = []
        self.ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._headers.clear,
                "on_header_field": self._on_header_field,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers,
                "on_part_data": self._on_data,
                "on_part_end": self._on_part_end,
                "on_end": self._on_end,
            },
            max_header_size=_MAX_HEADER,
        )

    def feed(self, chunk: bytes) -> list[bytes]:
        """Parse a chunk of the body and return the bytes of files in it.

        Raises:
            FormParserError: it is malformed.
            Problem: 422 for more than 200 files, or a path that is too long.
        """
        self._found = []
        self._parser.write(chunk)
        return self._found

    def _on_header_field(self, data: bytes, start: int, end: int) -> None:
        self._field += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        self._headers[self._field.lower().decode("latin-1")] = self._value
        self._field, self._value = b"", b""

    def _on_headers(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition"))
        self._name = options.get(b"name", b"").decode("latin-1")
        self._part = None
        if self._name == "file" and b"filename" in options:
            if len(self._form.parts) == MAX_FILES:
                raise invalid("file", f"A request can have at most {MAX_FILES} files.")
            filename = options[b"filename"].replace(b"%22", b'"').decode(errors="surrogateescape")
            self._part = ReceivedPart(self._form, self._headers, filename, self._offset)
            self._form.parts.append(self._part)

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self._part is not None:
            self._found.append(data[start:end])
            self._part.size += end - start
            self._offset += end - start
        elif self._name == "path":
            self._folder += data[start:end]
            if len(self._folder) > _MAX_PATH:
                raise invalid("path", "The path is too long.")

    def _on_part_end(self) -> None:
        if self._part is None and self._name == "path":
            self._form.folder = self._folder.decode(errors="surrogateescape")

    def _on_end(self) -> None:
        self.ended = True


async def parse_batch_form(
    content_type: str, body: AsyncIterator[bytes], max_size: int, *, hashed: bool = True
) -> BatchForm:
    """Read a form from the chunks of a request's body; ``hashed`` if its fingerprint will be needed.

    Raises:
        Problem: 415 unless it is ``multipart/form-data``; 400 ``bad-request`` when it is malformed or incomplete; 413
            ``body-too-large`` over ``max_size`` bytes; 422 for more than 200 files or none.
    """
    media_type, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if media_type != b"multipart/form-data" or not boundary:
        raise Problem(415, ProblemCode.UNSUPPORTED_MEDIA_TYPE, "The body must be multipart/form-data.")
    form = BatchForm(hashed=hashed)
    try:
        await _receive(form, _Parser(form, boundary), body, max_size)
    except FormParserError:
        form.close()
        raise Problem(400, ProblemCode.BAD_REQUEST, "The form is malformed.") from None
    except BaseException:
        form.close()
        raise
    return form


async def _receive(form: BatchForm, parser: _Parser, body: AsyncIterator[bytes], max_size: int) -> None:
    received = 0
    async for chunk in body:
        received += len(chunk)
        if received > max_size:
            detail = f"The body can have at most {max_size} bytes."
            raise Problem(413, ProblemCode.BODY_TOO_LARGE, detail, limit=max_size)
        found = parser.feed(chunk)
        if found:
            await form.add(found)
    if not parser.ended:
        raise Problem(400, ProblemCode.BAD_REQUEST, "The form is incomplete.")
    if not form.parts:
        raise invalid("file", "The form has no file.")
