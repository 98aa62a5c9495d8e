"""Which task answers which question."""

from contextlib import aclosing

from metastore.adapters.sandbox.process import CHILD, Limits, Made, Sandbox
from metastore.adapters.sandbox.wire import Json
from metastore.ports.media_tools import MediaFacts, MediaToolError, Source

_PACKAGE = "metastore.adapters.media_tools"


class ChildProcessTools:
    """Implements ``MediaTools``; ``command`` is for tests that want another child."""

    def __init__(self, limits: Limits | None = None, command: tuple[str, ...] = CHILD) -> None:
        self._limits = limits or Limits()
        self._sandbox = Sandbox(command)

    async def probe(self, source: Source) -> MediaFacts:
        """See the port."""
        (made,) = await self._made(source, "probe")
        return MediaFacts(**made.header)  # type: ignore[arg-type]  # our own child's words

    async def thumbnail(self, source: Source, *, size: int) -> bytes:
        """See the port."""
        (made,) = await self._made(source, "thumbnail", pixels=size)
        return made.data

    async def _made(self, source: Source, task: str, **arguments: Json) -> list[Made]:
        # One family of libraries only: the other need not be loaded, and cannot be attacked.
        family = "picture" if source.mime_type.startswith("image/") else "film"
        work = self._sandbox.work(f"{_PACKAGE}.{family}_tasks:{task}", arguments, source, self._limits)
        async with aclosing(work):
            made = [one async for one in work]
        if not made:
            raise MediaToolError("the tool made nothing")
        return made
