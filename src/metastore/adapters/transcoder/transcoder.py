"""The parent's side."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict, replace

from metastore.adapters.sandbox.process import CHILD, Limits, Made, Sandbox
from metastore.ports.media_tools import MediaToolError, Source
from metastore.ports.transcoder import Ended, Job, Output, Segment, Started

_TASK = "metastore.adapters.transcoder.task:make"
_ENDLESS = 2**50
LIMITS = Limits(
    seconds=300,
    stalled_seconds=120,
    cpu_seconds=600,
    seconds_for_each=300,
    memory=3 * 2**30,
    read=_ENDLESS,
    made=_ENDLESS,
    each_made=65 * 2**20,
)
"""A segment is some seconds of film. As long as one comes every few minutes, so be it."""


class SandboxTranscoder:
    """Implements ``Transcoder``; ``command`` is for tests that want another child."""

    def __init__(self, limits: Limits = LIMITS, command: tuple[str, ...] = CHILD) -> None:
        self._limits = limits
        self._sandbox = Sandbox(command)

    async def make(self, source: Source, job: Job) -> AsyncGenerator[Output, None]:
        """See the port."""
        work = self._sandbox.work(_TASK, {"job": asdict(job)}, source, self._limits_of(job))
        async with aclosing(work):
            async for made in work:
                yield _output(made)

    def _limits_of(self, job: Job) -> Limits:
        """What was made before may have to be passed over."""
        earned = job.first * self._limits.seconds_for_each
        more = {"seconds": self._limits.seconds + earned, "cpu_seconds": self._limits.cpu_seconds + earned}
        return replace(self._limits, **more)  # type: ignore[arg-type]  # one of them is whole


def _output(made: Made) -> Output:
    about = dict(made.header)
    kind = about.pop("kind", None)
    try:
        if kind == "started":
            return Started(init=made.data, **about)  # type: ignore[arg-type]  # our own child's words
        if kind == "segment":
            return Segment(data=made.data, **about)  # type: ignore[arg-type]  # the same
        return Ended(**about)  # type: ignore[arg-type]  # the same
    except TypeError as error:
        raise MediaToolError("the tool made something else") from error
