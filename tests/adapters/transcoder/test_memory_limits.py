"""A video that is too large for the memory limit is refused, since another attempt would fail as well."""

import io
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import pytest

from metastore.adapters.sandbox.errors import RefusedError
from metastore.adapters.sandbox.protocol import Json
from metastore.adapters.sandbox.source_file import SourceFile
from metastore.adapters.transcoder.job import make
from tests.adapters.transcoder.transcoding import COPIED
from tests.fixtures.media import make_clip


class InMemoryFile(SourceFile):
    """A source that needs no parent process."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(), io.BytesIO(), len(content))
        self._content = io.BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        """See the base class."""
        self._content.seek(self.tell())
        data = self._content.read(size)
        self.seek(self.tell() + len(data))
        return data


def raise_memory_error_at_segment(header: Mapping[str, Json], _data: bytes) -> None:
    """Run out of memory at the first segment; in practice it may happen anywhere."""
    if header["kind"] == "segment":
        raise MemoryError


@pytest.mark.parametrize(
    ("size", "error", "reason"),
    [("5120x2880", RefusedError, r"^film-frame-too-large$"), ("3840x2160", MemoryError, "^$")],
)
def test_a_lack_of_memory_is_a_refusal_only_above_4k(
    tmp_path: Path, size: str, error: type[Exception], reason: str
) -> None:
    arguments = ["-f", "lavfi", "-i", f"color=size={size}:rate=5", "-frames:v", "2", "-pix_fmt", "yuv420p"]
    video = make_clip(tmp_path / "video.mp4", *arguments, "-c:v", "libx264", "-preset", "ultrafast")
    with pytest.raises(error, match=reason):
        make(InMemoryFile(video), raise_memory_error_at_segment, asdict(COPIED))  # type: ignore[arg-type]  # as parsed from JSON
