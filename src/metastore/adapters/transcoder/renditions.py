"""Tells the parent what is made of one rendition."""

from collections.abc import Sequence

from metastore.adapters.sandbox.wire import Emit, Json
from metastore.adapters.transcoder import fragments
from metastore.adapters.transcoder.fragments import Picture, Sample, Sound
from metastore.adapters.transcoder.times import Clock


class Rendition:
    """Named ``name``; its next segment has number ``first``."""

    def __init__(self, name: str, clock: Clock, emit: Emit, first: int = 0) -> None:
        self._about: dict[str, Json] = {"rendition": name}
        self._clock = clock
        self._emit = emit
        self._number = first

    def start(self, track: Picture | Sound, codecs: str, target_seconds: int, **picture: float | None) -> None:
        """It begins; ``picture``: width, height and frame_rate."""
        about = {**self._about, "kind": "started", "codecs": codecs, "target_seconds": target_seconds, **picture}
        self._emit(about, fragments.initialisation(track))

    def add(self, samples: Sequence[Sample], decoded_until: int, begins: int, ends: int) -> None:
        """A segment; all in ticks without shift."""
        shift = self._clock.shift
        shifted = [Sample(one.data, one.decoded + shift, one.shown + shift, one.is_key) for one in samples]
        data = fragments.segment(self._number, shifted, decoded_until + shift)
        start_us = max(0, self._clock.us(begins)) if self._number else 0
        about = {"number": self._number, "start_us": start_us, "duration_us": self._clock.us(ends) - start_us}
        self._emit({**self._about, "kind": "segment", **about}, data)
        self._number += 1

    def end(self) -> None:
        """It has all."""
        self._emit({**self._about, "kind": "ended"}, b"")
