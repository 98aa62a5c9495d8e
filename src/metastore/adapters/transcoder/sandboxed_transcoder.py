"""The transcoder: run jobs in sandboxed child processes and validate their output."""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict, replace

from pydantic import TypeAdapter, ValidationError

from metastore.adapters.sandbox.children import Children
from metastore.adapters.sandbox.supervisor import Limits, Sandbox, TaskResult
from metastore.ports.media_tools import MediaToolError, Source
from metastore.ports.transcoder import Ended, Job, Output, Segment, Started

_TASK = "metastore.adapters.transcoder.job:make"
_UNLIMITED = 2**50
_MAX_SEGMENTS = 2**20
_CODECS = re.compile(r"[A-Za-z0-9.]{1,50}")
_STARTED, _SEGMENT, _ENDED = TypeAdapter(Started), TypeAdapter(Segment), TypeAdapter(Ended)
LIMITS = Limits(
    seconds=300,
    stalled_seconds=120,
    cpu_seconds=600,
    seconds_for_each=300,
    memory=3 * 2**30,
    read=_UNLIMITED,
    made=_UNLIMITED,
    each_made=65 * 2**20,
)
"""A job may take as long as it needs, provided that it emits a segment every few minutes."""


class SandboxedTranscoder:
    """``Transcoder`` in sandboxed child processes; tests may replace the ``children``."""

    def __init__(self, limits: Limits = LIMITS, children: Children | None = None) -> None:
        self._limits = limits
        self._sandbox = Sandbox(children)

    async def make(self, source: Source, job: Job) -> AsyncGenerator[Output, None]:
        """Implement the port."""
        work = self._sandbox.work(_TASK, {"job": asdict(job)}, source, self._limits_for(job))
        async with aclosing(work):
            async for result in work:
                yield _validate(result)

    def _limits_for(self, job: Job) -> Limits:
        """Return the limits of a job; one that resumes may have to decode what earlier jobs encoded."""
        additional = job.first * self._limits.seconds_for_each
        times = {"seconds": self._limits.seconds + additional, "cpu_seconds": self._limits.cpu_seconds + additional}
        return replace(self._limits, **times)  # type: ignore[arg-type]  # cpu_seconds stays an integer


def _validate(result: TaskResult) -> Output:
    """Convert a result to an output; a child process that a malicious file has taken over may emit anything.

    Raises:
        MediaToolError: The result is invalid.
    """
    header = dict(result.header)
    kind = header.pop("kind", None)
    try:
        if kind == "started":
            started = _STARTED.validate_python({"init": result.data, **header})
            if not _CODECS.fullmatch(started.codecs):
                raise MediaToolError("the tool returned an invalid result")
            return started
        if kind == "segment":
            segment = _SEGMENT.validate_python({"data": result.data, **header})
            if not (0 <= segment.number < _MAX_SEGMENTS and 0 <= segment.duration_us < _UNLIMITED):
                raise MediaToolError("the tool returned an invalid result")
            return segment
        return _ENDED.validate_python(header)
    except ValidationError as error:
        raise MediaToolError("the tool returned an invalid result") from error
