"""What the child does: reads the source once, and hands its packets to all that is made of it."""

import os
from collections.abc import Mapping, Sequence
from typing import Protocol, TypedDict

import av
from av.packet import Packet
from av.stream import Stream
from av.video.stream import VideoStream

from metastore.adapters.sandbox.refusal import RefusedError
from metastore.adapters.sandbox.source_bytes import ParentBytes
from metastore.adapters.sandbox.wire import Emit, Json
from metastore.adapters.transcoder.copied_picture import CopiedPicture
from metastore.adapters.transcoder.film import Film
from metastore.adapters.transcoder.ladder import LARGE, Ladder
from metastore.adapters.transcoder.sounds import sound_track
from metastore.kit.reason_codes import ReasonCode
from metastore.ports.transcoder import AudioRendition, VideoRendition

_NICENESS = 10
_SEGMENTS_FOR_NOTHING, _BYTES_FOR_ANOTHER = 2000, 512
"""Segments that are made of a source of any size, and how many bytes of it allow one more.

What is missing between two frames is made up for by stills and silence: a handful of bytes could ask for days of them.
"""


class _Audio(TypedDict):
    name: str
    index: int
    copy: bool
    bitrate: int


class _Video(TypedDict):
    name: str
    width: int
    height: int
    bitrate: int


class _Job(TypedDict):
    copied_video: str | None
    audio: Sequence[_Audio]
    rungs: Sequence[_Video]
    cuts_us: Sequence[int]
    first: int


class _Part(Protocol):
    """Takes the packets of one stream."""

    @property
    def stream(self) -> Stream: ...

    def take(self, packet: "Packet[Stream]") -> None: ...

    def finish(self) -> None: ...


def make(source: ParentBytes, emit: Emit, job: _Job) -> None:
    """Do a ``Job``; emits what ``transcoder`` understands."""
    if job["rungs"]:
        # Hours of encoding are not to hold up what somebody waits for.
        os.nice(_NICENESS)
    segments, most = 0, _SEGMENTS_FOR_NOTHING + source.size // _BYTES_FOR_ANOTHER

    def emit_counting(about: Mapping[str, Json], data: bytes) -> None:
        nonlocal segments
        segments += about["kind"] == "segment"
        if segments > most:
            raise RefusedError(ReasonCode.FILM_UNREADABLE)
        emit(about, data)

    film = Film(source)
    parts = _parts(film, job, emit_counting)
    if not parts:
        return
    receivers: dict[int, list[_Part]] = {}
    for part in parts:
        receivers.setdefault(part.stream.index, []).append(part)
    _hand_out(film, parts, receivers)
    if not segments and not job["first"]:
        raise RefusedError(ReasonCode.FILM_UNREADABLE)


def _hand_out(film: Film, parts: list[_Part], receivers: Mapping[int, list[_Part]]) -> None:
    try:
        for packet in film.packets([part.stream for part in parts]):
            for part in receivers[packet.stream_index]:
                part.take(packet)
        for part in parts:
            part.finish()
    except (MemoryError, av.ExternalError):
        # The latter is how encoders say that they have none left.
        if any(_is_large(part.stream) for part in parts):
            raise RefusedError(ReasonCode.FILM_FRAME_TOO_LARGE) from None
        raise


def _is_large(stream: Stream) -> bool:
    return isinstance(stream, VideoStream) and stream.codec_context.width * stream.codec_context.height > LARGE


def _parts(film: Film, job: _Job, emit: Emit) -> list[_Part]:
    parts: list[_Part] = []
    if job["copied_video"]:
        parts.append(CopiedPicture(film, film.video(), job["copied_video"], emit))
    for one in job["audio"]:
        wanted = AudioRendition(**one)
        parts.append(sound_track(film, film.sound(wanted.index), wanted, emit))
    if job["rungs"]:
        rungs = [VideoRendition(**rung) for rung in job["rungs"]]
        ladder = Ladder(film, film.video(), rungs, job["cuts_us"], job["first"], emit)
        if ladder.is_complete:
            ladder.finish()
            return parts
        if not parts:
            ladder.seek(film)
        parts.append(ladder)
    return parts
