"""Which task answers which question."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from metastore.adapters.media_tools.office import SUFFIXES as OFFICE_SUFFIXES
from metastore.adapters.media_tools.office import Office
from metastore.adapters.sandbox.process import CHILD, Limits, Made, Sandbox
from metastore.adapters.sandbox.wire import Json
from metastore.ports.media_tools import MediaFacts, MediaToolError, Source, Sprite

_T = TypeVar("_T")
_FACTS, _SPRITE = TypeAdapter(MediaFacts), TypeAdapter(Sprite)
_PACKAGE = "metastore.adapters.media_tools"
_SECONDS_FOR_TEN_MINUTES = 20
"""How much longer a waveform may take for each ten minutes of sound."""


class ChildProcessTools:
    """Implements ``MediaTools``; ``command`` and ``office`` are for tests that want others."""

    def __init__(
        self, limits: Limits | None = None, command: tuple[str, ...] = CHILD, office: Office | None = None
    ) -> None:
        self._limits = limits or Limits()
        self._sandbox = Sandbox(command)
        self._office = office or Office()

    async def probe(self, source: Source) -> MediaFacts:
        """See the port."""
        if source.mime_type in OFFICE_SUFFIXES:
            return MediaFacts(container=OFFICE_SUFFIXES[source.mime_type].removeprefix("."))
        made = await self._made(source, "probe", self._limits)
        return _checked(_FACTS, made[0].header)

    async def thumbnails(self, source: Source, *, sizes: Sequence[int]) -> list[bytes]:
        """See the port."""
        if source.mime_type in OFFICE_SUFFIXES:
            source = _held(await self._office.as_pdf(source), "application/pdf")
        made = await self._made(source, "thumbnails", self._limits, sizes=list(sizes))
        if len(made) != len(sizes):
            raise MediaToolError("the tool made something else")
        return [one.data for one in made]

    async def sprite(self, source: Source) -> Sprite:
        """See the port."""
        limits = self._limits
        patient = replace(limits, seconds=3 * limits.seconds, cpu_seconds=3 * limits.cpu_seconds, read=2 * limits.read)
        made = (await self._made(source, "sprite", patient))[0]
        return _checked(_SPRITE, made.header, data=made.data)

    async def waveform(self, source: Source, *, points: int) -> bytes:
        """See the port."""
        # Long sounds take long, and are read from beginning to end.
        read = self._limits.read + 2 * source.size
        patient = replace(self._limits, read=read, seconds_for_each=_SECONDS_FOR_TEN_MINUTES)
        return (await self._made(source, "waveform", patient, points=points))[-1].data

    def can_show(self, mime_type: str) -> bool:
        """See the port."""
        if mime_type in OFFICE_SUFFIXES:
            return self._office.is_there
        return mime_type.startswith(("image/", "video/", "audio/")) or mime_type == "application/pdf"

    async def _made(self, source: Source, task: str, limits: Limits, **arguments: Json) -> list[Made]:
        name = f"{_PACKAGE}.{_family(source.mime_type)}_tasks:{task}"
        async with aclosing(self._sandbox.work(name, arguments, source, limits)) as work:
            made = [one async for one in work]
        if not made:
            raise MediaToolError("the tool made nothing")
        return made


def _checked(kind: TypeAdapter[_T], words: object, **more: object) -> _T:
    # The child may have been taken over by what it looked into.
    try:
        return kind.validate_python({**words, **more} if isinstance(words, dict) else None)
    except ValidationError:
        raise MediaToolError("the tool made something else") from None


def _held(data: bytes, mime_type: str) -> Source:
    async def read(offset: int, length: int) -> AsyncIterator[bytes]:
        yield data[offset : offset + length]

    return Source(read, len(data), mime_type)


def _family(mime_type: str) -> str:
    """One family of libraries only: the others need not be loaded, and cannot be attacked."""
    if mime_type == "image/svg+xml":
        return "drawing"
    if mime_type == "application/pdf":
        return "document"
    return "picture" if mime_type.startswith("image/") else "film"
