"""Run an encoder in a thread of its own.

An encoder blocks until it has room for another frame, during which the decoder, the scaler and the other encoders would
be idle. Packets are returned to the thread that adds the frames, so that nothing else has to be thread-safe.
"""

from collections import deque
from collections.abc import Sequence
from queue import Queue
from threading import Thread
from typing import Protocol

from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame

QUEUE_SIZE = 8
"""Frames that may wait for an encoder; one of 1080p takes 3 MiB."""


class Encoder(Protocol):
    """An encoder, as the binding's codec contexts implement it."""

    def encode(self, frame: VideoFrame | None = None, /) -> "Sequence[Packet[Stream]]":
        """Encode a frame, or flush without one; return the packets that are ready."""
        ...


class EncoderThread:
    """Encodes one stream in a thread. The thread ends with the process if it is never joined."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._frames: Queue[VideoFrame | None] = Queue(QUEUE_SIZE)
        self._packets: deque[Packet[Stream]] = deque()
        self._error: Exception | None = None
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def add(self, frame: VideoFrame) -> None:
        """Queue a frame; blocks while the queue is full."""
        self._frames.put(frame)

    def ready(self) -> "list[Packet[Stream]]":
        """Return the packets that have become ready, in order.

        Raises:
            Exception: The error of the encoder.
        """
        if self._error is not None:
            raise self._error
        return [self._packets.popleft() for _ in range(len(self._packets))]

    def close(self) -> None:
        """Tell the thread that no more frames follow."""
        self._frames.put(None)

    def join(self) -> "list[Packet[Stream]]":
        """Wait until everything is encoded, after ``close``; return the remaining packets.

        Raises:
            Exception: The error of the encoder.
        """
        self._thread.join()
        return self.ready()

    def _run(self) -> None:
        while True:
            frame = self._frames.get()
            try:
                # After an error the queue is still drained, so that ``add`` does not block forever.
                if self._error is None:
                    self._packets.extend(self._encoder.encode(frame))
            except Exception as error:  # noqa: BLE001  raised in the thread that adds frames
                self._error = error
            if frame is None:
                return
