"""The orientation in which a video's pictures are shown.

Cameras that are held sideways or face the person filming record a matrix, which maps each point of the picture to
where it is displayed (ISO/IEC 14496-12, 6.2.2).
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from av.buffer import Buffer
from av.sidedata.sidedata import SideDataContainer, Type
from av.video.frame import VideoFrame

_MATRIX = struct.Struct("=9i")


@dataclass(frozen=True, slots=True)
class Orientation:
    """Operations on a picture, in this order: transpose it, mirror it left to right, flip it upside down."""

    sideways: bool = False
    mirrored: bool = False
    upside_down: bool = False

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Return the width and height of a picture after the operations."""
        return (height, width) if self.sideways else (width, height)


UPRIGHT = Orientation()


def orientation_of(frame: VideoFrame) -> Orientation:
    """Return the orientation of a decoded frame, rounded to quarter turns."""
    # `frame.side_data` is the same, but creates a reference cycle with the frame: large pictures would accumulate.
    side_data = cast("Mapping[Type, Buffer]", SideDataContainer(frame))  # type: ignore[call-arg]  # left untyped there
    matrix = side_data.get(Type.DISPLAYMATRIX)
    if matrix is None:
        return UPRIGHT
    across, down_of_across, _, across_of_down, down, *_ = _MATRIX.unpack_from(bytes(matrix))
    if abs(down_of_across) + abs(across_of_down) > abs(across) + abs(down):
        return Orientation(sideways=True, mirrored=across_of_down < 0, upside_down=down_of_across < 0)
    return Orientation(mirrored=across < 0, upside_down=down < 0)
