"""Convert office documents to PDF with LibreOffice, where it is installed and can be isolated.

LibreOffice is far too large for the sandbox and runs in one of its own (``office_sandbox``). A document that cannot be
converted, for whatever reason, has no thumbnail; that is not a failure.
"""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

from metastore.adapters.media_tools.documents import office_sandbox
from metastore.adapters.media_tools.documents.office_sandbox import NO_ISOLATION, Conversion
from metastore.kit.problems.reason_codes import ReasonCode
from metastore.ports.media_tools import MediaToolError, NoPictureError, Source

SUFFIXES = {
    "application/msword": ".doc",
    "application/rtf": ".rtf",
    "application/vnd.ms-excel": ".xls",
    "application/vnd.ms-powerpoint": ".ppt",
    "application/vnd.oasis.opendocument.presentation": ".odp",
    "application/vnd.oasis.opendocument.spreadsheet": ".ods",
    "application/vnd.oasis.opendocument.text": ".odt",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
}
_CHILD = (sys.executable, "-I", str(Path(office_sandbox.__file__)))
"""The program needs nothing but the standard library."""
_PROGRAMS = ("soffice", "libreoffice")
_CHUNK = 2**18
_CHECK_TIMEOUT = 10


@dataclass(frozen=True, slots=True)
class OfficeLimits:
    """Limits for one document: time in seconds, and bytes of memory, written files, the PDF and the document."""

    seconds: float = 60
    cpu_seconds: int = 50
    memory: int = 4 * 2**30
    written: int = 256 * 2**20
    pdf_size: int = 64 * 2**20
    size: int = 100 * 2**20


class Office:
    """Converts documents, one at a time."""

    def __init__(self, limits: OfficeLimits | None = None) -> None:
        self._limits = limits or OfficeLimits()
        # Each conversion takes hundreds of megabytes.
        self._lock = asyncio.Lock()

    @cached_property
    def is_available(self) -> bool:
        """Whether LibreOffice is installed and this machine allows isolating it."""
        program = self._program
        if program is None:
            return False
        try:
            command = self._command(program, 0, "")
            done = subprocess.run(command, check=False, capture_output=True, timeout=_CHECK_TIMEOUT, env={})  # noqa: S603  our own
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0

    async def as_pdf(self, source: Source) -> bytes:
        """Convert a document.

        Raises:
            NoPictureError: It cannot be converted, or LibreOffice is not installed.
            MediaToolError: LibreOffice cannot be isolated.
        """
        program = self._program
        if program is None or source.mime_type not in SUFFIXES:
            raise NoPictureError(ReasonCode.DOCUMENT_NOT_RENDERED)
        if not 0 < source.size <= self._limits.size:
            raise NoPictureError(ReasonCode.DOCUMENT_TOO_LARGE)
        async with self._lock:
            return await self._convert(self._command(program, source.size, SUFFIXES[source.mime_type]), source)

    @cached_property
    def _program(self) -> str | None:
        found = next(filter(None, map(shutil.which, _PROGRAMS)), None)
        return os.path.realpath(found) if found else None

    def _command(self, program: str, size: int, suffix: str) -> tuple[str, ...]:
        limits = self._limits
        conversion = Conversion(
            program, size, suffix, limits.cpu_seconds, limits.memory, limits.written, limits.pdf_size
        )
        return (*_CHILD, json.dumps(asdict(conversion)))

    async def _convert(self, command: tuple[str, ...], source: Source) -> bytes:
        child = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={},
        )
        pdf = b""
        try:
            async with asyncio.timeout(self._limits.seconds):
                await _send(child, source)
                pdf = await _receive(child, self._limits.pdf_size)
                await child.wait()
        except TimeoutError:
            raise NoPictureError(ReasonCode.DOCUMENT_NOT_RENDERED) from None
        finally:
            if child.returncode is None:
                # Killing the child ends its PID namespace, with every process in it.
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child.pid, signal.SIGKILL)
                await child.wait()
        if child.returncode == NO_ISOLATION:
            raise MediaToolError("LibreOffice cannot be isolated")
        if not 0 < len(pdf) <= self._limits.pdf_size:
            raise NoPictureError(ReasonCode.DOCUMENT_NOT_RENDERED)
        return pdf


async def _send(child: asyncio.subprocess.Process, source: Source) -> None:
    if child.stdin is None:
        raise MediaToolError("the child process has no pipes")
    with contextlib.suppress(ConnectionError):
        async with contextlib.aclosing(source.read(0, source.size)) as chunks:  # type: ignore[type-var]  # the readers of stores are generators
            async for chunk in chunks:
                child.stdin.write(chunk)
                await child.stdin.drain()
        child.stdin.close()


async def _receive(child: asyncio.subprocess.Process, max_size: int) -> bytes:
    if child.stdout is None:
        raise MediaToolError("the child process has no pipes")
    received = bytearray()
    while len(received) <= max_size and (data := await child.stdout.read(_CHUNK)):
        received += data
    return bytes(received)
