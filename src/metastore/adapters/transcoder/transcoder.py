"""The parent's side."""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict, replace

from pydantic import TypeAdapter, ValidationError

from metastore.adapters.sandbox.process import CHILD, Limits, Made, Sandbox
from metastore.ports.media_tools import MediaToolError, Source
from metastore.ports.transcoder import Ended, Job, Output, Segment, Started

_TASK = "metastore.adapters.transcoder.task:make"
_ENDLESS = 2**50
_MOST_SEGMENTS = 2**20
_CODECS = re.compile(r"[A-Za-z0-9.]{1,50}")
_STARTED, _SEGMENT, _ENDED = TypeAdapter(Started), TypeAdapter(Segment), TypeAdapter(Ended)
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
    """What the child says, if it can be true: whoever took the child over must not get further by its words."""
    about = dict(made.header)
    kind = about.pop("kind", None)
    try:
        if kind == "started":
            started = _STARTED.validate_python({"init": made.data, **about})
            if not _CODECS.fullmatch(started.codecs):
                raise MediaToolError("the tool made something else")
            return started
        if kind == "segment":
            segment = _SEGMENT.validate_python({"data": made.data, **about})
            if not (0 <= segment.number < _MOST_SEGMENTS and 0 <= segment.duration_us < _ENDLESS):
                raise MediaToolError("the tool made something else")
            return segment
        return _ENDED.validate_python(about)
    except ValidationError as error:
        raise MediaToolError("the tool made something else") from error
