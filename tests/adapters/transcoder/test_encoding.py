"""An encoder works beside those who give it frames, and neither loses anything nor keeps anybody waiting for ever."""

from collections.abc import Sequence
from threading import Event

import pytest
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame

from metastore.adapters.transcoder.encoding import FRAMES_AHEAD, Encoding


class LateEncoder:
    """Gives each frame's packet one turn late, as long as it is ``allowed``; its ``fails_at``-th frame is too much."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.allowed = Event()
        self.allowed.set()
        self.taken = 0
        self._fails_at = fails_at
        self._held: list[Packet[Stream]] = []

    def encode(self, frame: VideoFrame | None = None, /) -> "Sequence[Packet[Stream]]":
        """See the protocol."""
        self.allowed.wait()
        ready, self._held = self._held, []
        if frame is not None:
            self.taken += 1
            if self.taken == self._fails_at:
                raise MemoryError("too large")
            packet: Packet[Stream] = Packet(1)
            packet.pts = frame.pts
            self._held = [packet]
        return ready


def frame(number: int) -> VideoFrame:
    made = VideoFrame(2, 2, "gray")
    made.pts = number
    return made


def numbers(packets: "list[Packet[Stream]]") -> list[int | None]:
    return [packet.pts for packet in packets]


def test_packets_come_in_order_and_all_of_them() -> None:
    encoding, handed_on = Encoding(LateEncoder()), []
    for number in range(100):
        encoding.add(frame(number))
        handed_on += numbers(encoding.done())
    encoding.close()
    assert list(range(100)) == handed_on + numbers(encoding.rest())


def test_so_many_frames_can_wait_without_anybody_waiting_for_them() -> None:
    encoder = LateEncoder()
    encoder.allowed.clear()
    encoding = Encoding(encoder)
    for number in range(FRAMES_AHEAD):
        encoding.add(frame(number))
    assert [] == encoding.done()
    encoder.allowed.set()
    encoding.close()
    assert list(range(FRAMES_AHEAD)) == numbers(encoding.rest())


def test_what_goes_wrong_there_is_told_where_frames_are_added_and_frames_are_taken_on() -> None:
    encoding = Encoding(LateEncoder(fails_at=3))
    for number in range(10 * FRAMES_AHEAD):
        encoding.add(frame(number))
    encoding.close()
    for _ in range(2):
        with pytest.raises(MemoryError, match="too large"):
            encoding.rest()
    with pytest.raises(MemoryError, match="too large"):
        encoding.done()


def test_what_goes_wrong_with_the_last_frames_is_told_too() -> None:
    class Failing(LateEncoder):
        def encode(self, frame: VideoFrame | None = None, /) -> "Sequence[Packet[Stream]]":
            if frame is None:
                raise MemoryError("at the end")
            return super().encode(frame)

    encoding = Encoding(Failing())
    encoding.add(frame(0))
    encoding.close()
    with pytest.raises(MemoryError, match="at the end"):
        encoding.rest()
