"""The orientation is read from the frames without keeping them in memory."""

import gc
import io
from pathlib import Path

import av
import pytest

from metastore.adapters.sandbox.orientation import UPRIGHT, Orientation, orientation_of
from tests.fixtures.media import ORIENTATIONS, make_clip, with_orientation

_FILM = ["-f", "lavfi", "-i", "color=size=32x16:rate=5", "-t", "1", "-c:v", "libx264", "-pix_fmt", "yuv420p"]
_EXPECTED = {
    1: UPRIGHT,
    2: Orientation(mirrored=True),
    3: Orientation(mirrored=True, upside_down=True),
    4: Orientation(upside_down=True),
    5: Orientation(sideways=True),
    6: Orientation(sideways=True, mirrored=True),
    7: Orientation(sideways=True, mirrored=True, upside_down=True),
    8: Orientation(sideways=True, upside_down=True),
}


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_all_eight_orientations_are_recognized(tmp_path: Path, orientation: int) -> None:
    film = with_orientation(make_clip(tmp_path / "film.mp4", *_FILM), orientation)
    with av.open(io.BytesIO(film), "r") as container:
        frame = next(container.decode(video=0))
    turn = orientation_of(frame)
    assert _EXPECTED[orientation] == turn
    assert ((16, 32) if orientation > 4 else (32, 16)) == turn.size(32, 16)
    # Frames in reference cycles would use memory until the next garbage collection.
    assert [] == [referrer for referrer in gc.get_referrers(frame) if "SideData" in type(referrer).__name__]
