"""The tools answer for every kind of file, whatever their children say or do."""

import sys

import pytest

from metastore.adapters.media_tools.tools import ChildProcessTools
from metastore.adapters.sandbox.process import Limits
from metastore.ports.media_tools import MediaToolError
from tests.adapters.media_tools.given import picture, source

_EMIT = (
    "import struct,sys; w = lambda h, d=b'': sys.stdout.buffer.write(b'M' + struct.pack('>II', len(h), len(d)) + h + d)"
)
_END = "sys.stdout.buffer.write(b'D' + bytes(4)); sys.stdout.flush()"


async def test_a_child_that_runs_out_of_memory_is_a_failure_that_may_pass() -> None:
    tools = ChildProcessTools(Limits(memory=64 * 2**20))
    with pytest.raises(MediaToolError):
        await tools.thumbnails(source(picture(size=(4000, 4000)), "image/jpeg"), sizes=[256])


@pytest.mark.parametrize(
    "said",
    [
        "",
        "w(b'[]')",
        "w(b'{\"container\": 5}')",
        'w(b\'{"container": "x", "width": "wide"}\')',
        "w(b'{')",
    ],
)
async def test_a_child_that_was_taken_over_is_not_believed(said: str) -> None:
    tools = ChildProcessTools(command=(sys.executable, "-c", f"{_EMIT}\n{said}\n{_END}"))
    for work in (tools.probe, tools.sprite):
        with pytest.raises(MediaToolError):
            await work(source(b"x", "video/mp4"))


def test_what_can_be_shown_is_known_before() -> None:
    tools = ChildProcessTools()
    assert all(
        tools.can_show(kind) for kind in ("image/heic", "image/svg+xml", "video/mp4", "audio/mpeg", "application/pdf")
    )
    assert not any(tools.can_show(kind) for kind in ("text/plain", "application/zip"))
