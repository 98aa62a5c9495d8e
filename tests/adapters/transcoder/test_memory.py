"""What is too large for the memory that there is will be so the next time, and is refused."""

import io
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import pytest

from metastore.adapters.sandbox.refusal import RefusedError
from metastore.adapters.sandbox.source_bytes import ParentBytes
from metastore.adapters.sandbox.wire import Json
from metastore.adapters.transcoder.task import make
from tests.adapters.transcoder.making import COPIED
from tests.fixtures.media import make_clip


class HeldBytes(ParentBytes):
    """A source that needs no parent."""

    def __init__(self, content: bytes) -> None:
        super().__init__(io.BytesIO(), io.BytesIO(), len(content))
        self._content = io.BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        """See there."""
        self._content.seek(self.tell())
        data = self._content.read(size)
        self.seek(self.tell() + len(data))
        return data


def no_memory_for_segments(about: Mapping[str, Json], _data: bytes) -> None:
    """Where it ends is a matter of chance; here it is always there."""
    if about["kind"] == "segment":
        raise MemoryError


@pytest.mark.parametrize(
    ("size", "error", "reason"),
    [("5120x2880", RefusedError, r"^film-frame-too-large$"), ("3840x2160", MemoryError, "^$")],
)
def test_only_what_is_larger_than_4k_is_refused_for_want_of_memory(
    tmp_path: Path, size: str, error: type[Exception], reason: str
) -> None:
    picture = ["-f", "lavfi", "-i", f"color=size={size}:rate=5", "-frames:v", "2", "-pix_fmt", "yuv420p"]
    film = make_clip(tmp_path / "film.mp4", *picture, "-c:v", "libx264", "-preset", "ultrafast")
    with pytest.raises(error, match=reason):
        make(HeldBytes(film), no_memory_for_segments, asdict(COPIED))  # type: ignore[arg-type]  # as it comes from JSON
