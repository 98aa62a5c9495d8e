"""Misbehaving child processes, and the media types that can be previewed."""

import sys

import pytest

from metastore.adapters.media_tools.sandboxed_tools import SandboxedMediaTools
from metastore.adapters.sandbox.children import ProgramChildren
from metastore.adapters.sandbox.supervisor import Limits
from metastore.ports.media_tools import MediaToolError
from tests.adapters.media_tools.sample_files import noise, source

_EMIT = (
    "import struct,sys; w = lambda h, d=b'': sys.stdout.buffer.write(b'M' + struct.pack('>II', len(h), len(d)) + h + d)"
)
_END = "sys.stdout.buffer.write(b'D' + bytes(4)); sys.stdout.flush()"


async def test_a_child_that_runs_out_of_memory_is_a_transient_failure() -> None:
    tools = SandboxedMediaTools(Limits(memory=64 * 2**20))
    with pytest.raises(MediaToolError):
        await tools.thumbnails(source(noise(size=(4000, 4000)), "image/jpeg"), sizes=[256])


@pytest.mark.parametrize(
    "emitted",
    [
        "",
        "w(b'[]')",
        "w(b'{\"container\": 5}')",
        'w(b\'{"container": "x", "width": "wide"}\')',
        "w(b'{')",
    ],
)
async def test_invalid_results_of_a_child_are_rejected(emitted: str) -> None:
    tools = SandboxedMediaTools(children=ProgramChildren((sys.executable, "-c", f"{_EMIT}\n{emitted}\n{_END}")))
    for work in (tools.probe, tools.sprite):
        with pytest.raises(MediaToolError):
            await work(source(b"x", "video/mp4"))


def test_media_types_that_can_be_previewed() -> None:
    tools = SandboxedMediaTools()
    assert all(
        tools.can_preview(kind)
        for kind in ("image/heic", "image/svg+xml", "video/mp4", "audio/mpeg", "application/pdf")
    )
    assert not any(tools.can_preview(kind) for kind in ("text/plain", "application/zip"))
