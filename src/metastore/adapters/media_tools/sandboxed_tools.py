"""The media tools. Each call runs a task in a sandboxed child process."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from metastore.adapters.media_tools.documents.office import SUFFIXES as OFFICE_SUFFIXES
from metastore.adapters.media_tools.documents.office import Office
from metastore.adapters.sandbox.children import Children
from metastore.adapters.sandbox.protocol import Json
from metastore.adapters.sandbox.supervisor import Limits, Sandbox, TaskResult
from metastore.ports.media_tools import MediaToolError, ProbeResult, Source, Sprite

_T = TypeVar("_T")
_PROBE_RESULT, _SPRITE = TypeAdapter(ProbeResult), TypeAdapter(Sprite)
_WAVEFORM_SECONDS = 20
"""Additional seconds that a waveform may take for every ten minutes of audio."""


class SandboxedMediaTools:
    """``MediaTools`` in sandboxed child processes; tests may replace the ``children`` and the ``office`` converter."""

    def __init__(
        self, limits: Limits | None = None, children: Children | None = None, office: Office | None = None
    ) -> None:
        self._limits = limits or Limits()
        self._sandbox = Sandbox(children)
        self._office = office or Office()

    async def probe(self, source: Source) -> ProbeResult:
        """Implement the port."""
        if source.mime_type in OFFICE_SUFFIXES:
            return ProbeResult(container=OFFICE_SUFFIXES[source.mime_type].removeprefix("."))
        results = await self._run(source, "probe", self._limits)
        return _validated(_PROBE_RESULT, results[0].header)

    async def thumbnails(self, source: Source, *, sizes: Sequence[int]) -> list[bytes]:
        """Implement the port."""
        if source.mime_type in OFFICE_SUFFIXES:
            source = _in_memory(await self._office.as_pdf(source), "application/pdf")
        results = await self._run(source, "thumbnails", self._limits, sizes=list(sizes))
        if len(results) != len(sizes):
            raise MediaToolError("the tool returned an invalid result")
        return [result.data for result in results]

    async def sprite(self, source: Source) -> Sprite:
        """Implement the port."""
        base = self._limits
        limits = replace(base, seconds=3 * base.seconds, cpu_seconds=3 * base.cpu_seconds, read=2 * base.read)
        result = (await self._run(source, "sprite", limits))[0]
        return _validated(_SPRITE, result.header, data=result.data)

    async def waveform(self, source: Source, *, points: int) -> bytes:
        """Implement the port."""
        # The whole file is read, so the time and the number of bytes depend on its length.
        read = self._limits.read + 2 * source.size
        limits = replace(self._limits, read=read, seconds_for_each=_WAVEFORM_SECONDS)
        return (await self._run(source, "waveform", limits, points=points))[-1].data

    def can_preview(self, mime_type: str) -> bool:
        """Implement the port."""
        if mime_type in OFFICE_SUFFIXES:
            return self._office.is_available
        return mime_type.startswith(("image/", "video/", "audio/")) or mime_type == "application/pdf"

    async def _run(self, source: Source, task: str, limits: Limits, **arguments: Json) -> list[TaskResult]:
        name = f"{_task_module(source.mime_type)}:{task}"
        async with aclosing(self._sandbox.work(name, arguments, source, limits)) as work:
            results = [result async for result in work]
        if not results:
            raise MediaToolError("the tool returned no result")
        return results


def _validated(adapter: TypeAdapter[_T], header: object, **more: object) -> _T:
    # A child process that a malicious file has taken over may emit anything.
    try:
        return adapter.validate_python({**header, **more} if isinstance(header, dict) else None)
    except ValidationError:
        raise MediaToolError("the tool returned an invalid result") from None


def _in_memory(data: bytes, mime_type: str) -> Source:
    async def read(offset: int, length: int) -> AsyncIterator[bytes]:
        yield data[offset : offset + length]

    return Source(read, len(data), mime_type)


def _task_module(mime_type: str) -> str:
    """Return the module of the tasks for a media type. Each loads one family of libraries, to limit what is exposed."""
    if mime_type == "image/svg+xml":
        return "metastore.adapters.media_tools.images.svg_tasks"
    if mime_type == "application/pdf":
        return "metastore.adapters.media_tools.documents.pdf_tasks"
    if mime_type.startswith("image/"):
        return "metastore.adapters.media_tools.images.raster_tasks"
    return "metastore.adapters.media_tools.av.tasks"
