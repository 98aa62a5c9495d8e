"""Encoding in a thread of its own.

An encoder returns only when it has room for another frame, and whoever waits there for one would give the others, the
decoder and the scaler nothing to do meanwhile. What comes out is handed on by the thread that adds the frames, so that
nothing else has to know of threads.
"""

from collections import deque
from collections.abc import Sequence
from queue import Queue
from threading import Thread
from typing import Protocol

from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame

FRAMES_AHEAD = 8
"""That wait for an encoder; one of 1080p takes 3 MiB."""


class Encoder(Protocol):
    """What encodes frames, as the binding's codecs do."""

    def encode(self, frame: VideoFrame | None = None, /) -> "Sequence[Packet[Stream]]":
        """What is ready since, or without a frame the rest."""
        ...


class Encoding:
    """Of one stream. The thread ends with the process if nobody wants the rest."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._frames: Queue[VideoFrame | None] = Queue(FRAMES_AHEAD)
        self._packets: deque[Packet[Stream]] = deque()
        self._error: Exception | None = None
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def add(self, frame: VideoFrame) -> None:
        """Encode it, when those before are; waits when there are too many."""
        self._frames.put(frame)

    def done(self) -> "list[Packet[Stream]]":
        """What has become ready, in order.

        Raises:
            Exception: what the encoder raised.
        """
        if self._error is not None:
            raise self._error
        return [self._packets.popleft() for _ in range(len(self._packets))]

    def close(self) -> None:
        """No more are added."""
        self._frames.put(None)

    def rest(self) -> "list[Packet[Stream]]":
        """All that was not yet handed on, once it is closed."""
        self._thread.join()
        return self.done()

    def _run(self) -> None:
        while True:
            frame = self._frames.get()
            try:
                # After an error frames are still taken, so that nobody waits for room among them.
                if self._error is None:
                    self._packets.extend(self._encoder.encode(frame))
            except Exception as error:  # noqa: BLE001  raised where frames are added
                self._error = error
            if frame is None:
                return
