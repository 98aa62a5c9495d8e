"""How a film wants its pictures turned and mirrored.

Cameras that were held otherwise, or looked back at whoever held them, note it as a matrix that takes each point of the
picture to where it is shown (ISO/IEC 14496-12, 6.2.2).
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
class Turn:
    """What is done to a picture, in this order: exchange its sides, mirror it left to right, turn it upside down."""

    sideways: bool = False
    mirrored: bool = False
    upside_down: bool = False

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height of what was so large before."""
        return (height, width) if self.sideways else (width, height)


AS_IT_IS = Turn()


def turn_of(frame: VideoFrame) -> Turn:
    """By quarters; what is askew stays so."""
    # `frame.side_data` would be the same, but it and the frame hold each other: large pictures would pile up.
    noted = cast("Mapping[Type, Buffer]", SideDataContainer(frame))  # type: ignore[call-arg]  # left untyped there
    matrix = noted.get(Type.DISPLAYMATRIX)
    if matrix is None:
        return AS_IT_IS
    across, down_of_across, _, across_of_down, down, *_ = _MATRIX.unpack_from(bytes(matrix))
    if abs(down_of_across) + abs(across_of_down) > abs(across) + abs(down):
        return Turn(sideways=True, mirrored=across_of_down < 0, upside_down=down_of_across < 0)
    return Turn(mirrored=across < 0, upside_down=down < 0)
