"""Office documents as PDF, by LibreOffice where it is installed and can be kept from doing harm.

It is far too large for the sandbox, so it has a narrower one (``office_child``). A document whose drawing fails for
whatever reason has no picture, and that is all.
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

from metastore.adapters.media_tools.office_child import NO_ISOLATION, Order
from metastore.kit.reason_codes import ReasonCode
from metastore.ports.media_tools import MediaToolError, NothingToSeeError, Source

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
_CHILD = (sys.executable, "-I", str(Path(__file__).with_name("office_child.py")))
"""It needs nothing but the standard library."""
_PROGRAMS = ("soffice", "libreoffice")
_CHUNK = 2**18
_CHECKED_WITHIN = 10


@dataclass(frozen=True, slots=True)
class OfficeLimits:
    """Of one document: seconds on the clock and of the processor, and bytes: of memory, written, made, and its own."""

    seconds: float = 60
    cpu_seconds: int = 50
    memory: int = 4 * 2**30
    written: int = 256 * 2**20
    made: int = 64 * 2**20
    size: int = 100 * 2**20


class Office:
    """Draws documents, one at a time a process."""

    def __init__(self, limits: OfficeLimits | None = None) -> None:
        self._limits = limits or OfficeLimits()
        # One takes hundreds of megabytes.
        self._turn = asyncio.Lock()

    @cached_property
    def is_there(self) -> bool:
        """Whether there is a program, and this machine lets it be shut in."""
        program = self._program
        if program is None:
            return False
        try:
            command = self._command(program, 0, "")
            done = subprocess.run(command, check=False, capture_output=True, timeout=_CHECKED_WITHIN, env={})  # noqa: S603  our own
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0

    async def as_pdf(self, source: Source) -> bytes:
        """The document's pages.

        Raises:
            NothingToSeeError: it cannot be drawn, or not here.
            MediaToolError: the program cannot be started.
        """
        program = self._program
        if program is None or source.mime_type not in SUFFIXES:
            raise NothingToSeeError(ReasonCode.DOCUMENT_NOT_RENDERED)
        if not 0 < source.size <= self._limits.size:
            raise NothingToSeeError(ReasonCode.DOCUMENT_TOO_LARGE)
        async with self._turn:
            return await self._drawn(self._command(program, source.size, SUFFIXES[source.mime_type]), source)

    @cached_property
    def _program(self) -> str | None:
        found = next(filter(None, map(shutil.which, _PROGRAMS)), None)
        return os.path.realpath(found) if found else None

    def _command(self, program: str, size: int, suffix: str) -> tuple[str, ...]:
        limits = self._limits
        order = Order(program, size, suffix, limits.cpu_seconds, limits.memory, limits.written, limits.made)
        return (*_CHILD, json.dumps(asdict(order)))

    async def _drawn(self, command: tuple[str, ...], source: Source) -> bytes:
        child = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={},
        )
        made = b""
        try:
            async with asyncio.timeout(self._limits.seconds):
                await _tell(child, source)
                made = await _heard(child, self._limits.made)
                await child.wait()
        except TimeoutError:
            raise NothingToSeeError(ReasonCode.DOCUMENT_NOT_RENDERED) from None
        finally:
            if child.returncode is None:
                # With the child its namespace of processes ends, and with that everything in it.
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child.pid, signal.SIGKILL)
                await child.wait()
        if child.returncode == NO_ISOLATION:
            raise MediaToolError("the office program cannot be shut in")
        if not 0 < len(made) <= self._limits.made:
            raise NothingToSeeError(ReasonCode.DOCUMENT_NOT_RENDERED)
        return made


async def _tell(child: asyncio.subprocess.Process, source: Source) -> None:
    if child.stdin is None:
        raise MediaToolError("the tool has no pipes")
    with contextlib.suppress(ConnectionError):
        async with contextlib.aclosing(source.read(0, source.size)) as chunks:  # type: ignore[type-var]  # stores' readers are generators
            async for chunk in chunks:
                child.stdin.write(chunk)
                await child.stdin.drain()
        child.stdin.close()


async def _heard(child: asyncio.subprocess.Process, most: int) -> bytes:
    if child.stdout is None:
        raise MediaToolError("the tool has no pipes")
    made = bytearray()
    while len(made) <= most and (data := await child.stdout.read(_CHUNK)):
        made += data
    return bytes(made)
