"""An encoder thread loses no packets, and does not block the thread that adds frames for ever."""

from collections.abc import Sequence
from threading import Event

import pytest
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame

from metastore.adapters.transcoder.video.encoder_thread import QUEUE_SIZE, EncoderThread


class LateEncoder:
    """An encoder that returns each packet one call late, blocks until ``allowed``, and fails at frame ``fails_at``."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.allowed = Event()
        self.allowed.set()
        self.count = 0
        self._fails_at = fails_at
        self._held: list[Packet[Stream]] = []

    def encode(self, frame: VideoFrame | None = None, /) -> "Sequence[Packet[Stream]]":
        """See the protocol."""
        self.allowed.wait()
        ready, self._held = self._held, []
        if frame is not None:
            self.count += 1
            if self.count == self._fails_at:
                raise MemoryError("too large")
            packet: Packet[Stream] = Packet(1)
            packet.pts = frame.pts
            self._held = [packet]
        return ready


def frame(number: int) -> VideoFrame:
    created = VideoFrame(2, 2, "gray")
    created.pts = number
    return created


def numbers(packets: "list[Packet[Stream]]") -> list[int | None]:
    return [packet.pts for packet in packets]


def test_all_packets_are_returned_in_order() -> None:
    thread, collected = EncoderThread(LateEncoder()), []
    for number in range(100):
        thread.add(frame(number))
        collected += numbers(thread.ready())
    thread.close()
    assert list(range(100)) == collected + numbers(thread.join())


def test_frames_up_to_the_size_of_the_queue_are_added_without_blocking() -> None:
    encoder = LateEncoder()
    encoder.allowed.clear()
    thread = EncoderThread(encoder)
    for number in range(QUEUE_SIZE):
        thread.add(frame(number))
    assert [] == thread.ready()
    encoder.allowed.set()
    thread.close()
    assert list(range(QUEUE_SIZE)) == numbers(thread.join())


def test_an_error_is_raised_where_packets_are_collected_and_frames_are_still_accepted() -> None:
    thread = EncoderThread(LateEncoder(fails_at=3))
    for number in range(10 * QUEUE_SIZE):
        thread.add(frame(number))
    thread.close()
    for _ in range(2):
        with pytest.raises(MemoryError, match="too large"):
            thread.join()
    with pytest.raises(MemoryError, match="too large"):
        thread.ready()


def test_an_error_while_flushing_is_raised_too() -> None:
    class Failing(LateEncoder):
        def encode(self, frame: VideoFrame | None = None, /) -> "Sequence[Packet[Stream]]":
            if frame is None:
                raise MemoryError("at the end")
            return super().encode(frame)

    thread = EncoderThread(Failing())
    thread.add(frame(0))
    thread.close()
    with pytest.raises(MemoryError, match="at the end"):
        thread.join()
